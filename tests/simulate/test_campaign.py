"""The campaign's structure, counted on the truth the simulator drew; and what its events say of it."""

import io
import itertools
import random
import statistics
import tokenize
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from streams.core.events import CallEvent, ControlEvent, SpotAired, SpotPlanned, Tick
from streams.simulate.campaign import Campaign, draw_campaign
from streams.simulate.feed import feed
from streams.simulate.media import CABLE_SPOTS, ENDS_AT, MINUTE_US, PARIS, SECOND_US, STARTS_AT


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return draw_campaign()


def paris(at: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND_US, PARIS)


def most_in_progress(campaign: Campaign) -> tuple[int, int]:
    steps = sorted([(c.ended_at, -1) for c in campaign.calls] + [(c.offered_at, 1) for c in campaign.calls])
    level, most = 0, (0, 0)
    for at, step in steps:
        level += step
        most = max(most, (level, -at))
    return most[0], -most[1]


def test_three_hundred_spots_mostly_on_cable_bring_little_each(campaign: Campaign) -> None:
    cable = [spot.callers for spot in campaign.spots if spot.cable]
    assert len(campaign.spots) == 300
    assert len(cable) == CABLE_SPOTS >= 0.6 * 300
    assert statistics.median(cable) <= 5
    assert all(STARTS_AT <= spot.aired_at < ENDS_AT for spot in campaign.spots)


def test_the_response_decays_over_half_an_hour(campaign: Campaign) -> None:
    aired = {spot.name: spot.aired_at for spot in campaign.spots}
    delays = [c.offered_at - aired[c.spot] for c in campaign.calls if c.spot and not c.again]
    assert min(delays) < 10 * SECOND_US
    assert max(delays) < 32 * MINUTE_US
    assert 230 < statistics.mean(delays) / SECOND_US < 270


def test_handling_takes_two_hundred_seconds_with_twenty_of_wrap_up(campaign: Campaign) -> None:
    served = [c for c in campaign.calls if c.answered_at is not None and c.wrapped_up_at is not None]
    wrap_up = statistics.mean(c.wrapped_up_at - c.ended_at for c in served if c.wrapped_up_at)
    handling = statistics.mean(c.wrapped_up_at - c.answered_at for c in served if c.wrapped_up_at and c.answered_at)
    assert wrap_up / SECOND_US == pytest.approx(20, abs=0.5)
    assert handling / SECOND_US == pytest.approx(200, abs=8)


def test_some_give_up_and_some_call_again(campaign: Campaign) -> None:
    gave_up = sum(c.answered_at is None for c in campaign.calls) / len(campaign.calls)
    again = sum(c.again for c in campaign.calls) / len(campaign.calls)
    assert 0.05 < gave_up < 0.15
    assert 0.04 < again < 0.15


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_seed_has_the_structure(seed: int) -> None:
    campaign = draw_campaign(seed)
    most, at = most_in_progress(campaign)
    assert 60 <= most <= 80
    assert 3_000 <= len(campaign.calls) <= 3_150
    assert paris(at).isoweekday() == 7
    assert 17 <= paris(at).hour < 23


def test_the_same_seed_is_the_same_campaign_and_another_is_another(campaign: Campaign) -> None:
    assert draw_campaign().events() == campaign.events()
    assert draw_campaign(2).calls != campaign.calls


def test_events_stand_in_the_order_in_which_they_happened_and_end_what_they_begin(campaign: Campaign) -> None:
    events = campaign.events()
    instants = [event.occurred_at for event in events]
    assert instants == sorted(i for i in instants if i is not None)
    kinds = Counter(str(event.type) for event in events if isinstance(event, CallEvent))
    assert kinds["OFFERED"] == kinds["ENDED"] == len(campaign.calls)
    assert kinds["ANSWERED"] == kinds["WRAPPED_UP"] == sum(c.answered_at is not None for c in campaign.calls)
    sequences = [event.sequence for event in events if isinstance(event, CallEvent)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert not any(event.target for event in events if isinstance(event, CallEvent))


def test_every_spot_is_planned_and_aired_and_the_clock_never_stands_for_more_than_a_quarter(campaign: Campaign) -> None:
    control = [event for event in campaign.events() if isinstance(event, ControlEvent)]
    bodies = Counter(type(event.body) for event in control)
    assert bodies[SpotPlanned] == bodies[SpotAired] == 300
    ticks = [event.occurred_at or 0 for event in control if isinstance(event.body, Tick)]
    assert max(later - earlier for earlier, later in itertools.pairwise(ticks)) == 15 * MINUTE_US


def test_the_feed_loses_nothing_and_disturbs_only_the_order(campaign: Campaign) -> None:
    events = campaign.events()
    handed = feed(random.Random(1), events)
    assert {each.event for each in handed if isinstance(each.event, CallEvent)} == {
        event for event in events if isinstance(event, CallEvent)
    }
    assert [each.handed_at for each in handed] == sorted(each.handed_at for each in handed)
    assert all(each.event.occurred_at is not None and each.handed_at >= each.event.occurred_at for each in handed)
    doubled = len(handed) - len(events)
    late = sum(each.handed_at - (each.event.occurred_at or 0) > SECOND_US for each in handed)
    sequences = [e.event.sequence or 0 for e in handed if isinstance(e.event, CallEvent)]
    overtaken = sum(later < earlier for earlier, later in itertools.pairwise(sequences))
    assert doubled > 100 and late > 300 and overtaken > 100
    assert feed(random.Random(1), events) == handed


def test_the_peak_is_written_nowhere(root: Path, campaign: Campaign) -> None:
    most, _ = most_in_progress(campaign)
    files = [*(root / "streams" / "simulate").glob("*.py"), *(root / "streams" / "cli").glob("demo*.py")]
    for file in files:
        for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
            assert token.type != tokenize.NUMBER or token.string.replace("_", "") != str(most), file
