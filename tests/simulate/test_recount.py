"""The recount against the truth the simulator drew, and against small cases worked out by hand."""

import random
from typing import Any

import pytest

from streams.core.events import CallEvent
from streams.simulate.campaign import Campaign, draw_campaign
from streams.simulate.feed import feed
from streams.simulate.media import DAY_US, HOUR_US, SECOND_US, STARTS_AT
from streams.simulate.recount import Recount, recount

Rows = list[dict[str, Any]]

SUNDAY_EVENING = STARTS_AT + 6 * DAY_US + 18 * HOUR_US


def rows_of(campaign: Campaign, seed: int) -> Rows:
    handed = [each.event for each in feed(random.Random(seed), campaign.events())]
    return [event._asdict() if isinstance(event, CallEvent) else {"occurred_at": event.occurred_at} for event in handed]


@pytest.fixture(scope="module")
def counted() -> tuple[Campaign, Recount]:
    campaign = draw_campaign()
    return campaign, recount(rows_of(campaign, 1))


def test_the_default_campaign_peaks_at_seventy_and_a_weekday_evening_at_forty_or_more(
    counted: tuple[Campaign, Recount],
) -> None:
    _, found = counted
    assert found.peak.calls == 70
    sunday = (found.peak.at - STARTS_AT) // DAY_US
    assert sunday % 7 == 6
    assert 17 * HOUR_US <= found.peak.at - STARTS_AT - sunday * DAY_US < 23.5 * HOUR_US
    assert found.second is not None
    assert found.second.calls >= 40
    weekday = (found.second.at - STARTS_AT) // DAY_US
    assert weekday % 7 < 5
    assert found.second.at - STARTS_AT - weekday * DAY_US >= 20 * HOUR_US


def test_the_recount_finds_the_truth_behind_late_and_doubled_events(counted: tuple[Campaign, Recount]) -> None:
    campaign, found = counted
    assert found.offers == len(campaign.calls) == sum(day.offers for day in found.days)
    assert found.answered == sum(call.answered_at is not None for call in campaign.calls)
    assert found.abandoned == found.offers - found.answered
    # Who withholds the number cannot be recognised when calling again.
    assert found.redials == sum(call.again and call.caller is not None for call in campaign.calls)
    assert found.admitted + found.full + found.closed == found.offers
    assert len(found.days) == 28
    assert [day.admitted for day in found.days if day.day == "2025-11-11"] == [0]


def test_the_peak_does_not_depend_on_how_the_events_are_disturbed(counted: tuple[Campaign, Recount]) -> None:
    campaign, found = counted
    again = recount(rows_of(campaign, 2))
    assert (again.peak, again.second, again.offers) == (found.peak, found.second, found.offers)


def call(name: str, kind: str, at: float) -> dict[str, Any]:
    return {"call_id": name, "type": kind, "occurred_at": SUNDAY_EVENING + int(at * SECOND_US)}


def full_house() -> Rows:
    rows = [call(f"c{n}", "OFFERED", n) for n in range(15)]
    return rows + [call(f"c{n}", "ANSWERED", 20 + n) for n in range(15)]


def words(rows: Rows) -> dict[str, str]:
    ended = {row["call_id"] for row in rows if row["type"] == "ENDED"}
    rest = [call(name, "ENDED", 9_000) for name in {row["call_id"]: 0 for row in rows} if name not in ended]
    return dict(recount(rows + rest).verdicts)


def test_the_sixteenth_call_overflows() -> None:
    verdicts = words([*full_house(), call("late", "OFFERED", 50)])
    assert list(verdicts.values()) == ["ADMIT"] * 15 + ["OVERFLOW"]


@pytest.mark.parametrize(("at", "verdict"), [(119.9, "OVERFLOW"), (120.0, "ADMIT")])
def test_a_position_is_free_twenty_seconds_after_the_call(at: float, verdict: str) -> None:
    rows = [*full_house(), call("c0", "ENDED", 100), call("next", "OFFERED", at)]
    assert words(rows)["next"] == verdict


def test_a_position_is_free_at_once_when_it_is_wrapped_up_or_the_caller_was_never_answered() -> None:
    wrapped = [call("c0", "ENDED", 100), call("c0", "WRAPPED_UP", 105), call("next", "OFFERED", 106)]
    assert words([*full_house(), *wrapped])["next"] == "ADMIT"
    never = [row for row in full_house() if (row["call_id"], row["type"]) != ("c0", "ANSWERED")]
    assert words([*never, call("c0", "ENDED", 100), call("next", "OFFERED", 100.5)])["next"] == "ADMIT"


def test_out_of_hours_everything_overflows() -> None:
    verdicts = words([call("early", "OFFERED", -HOUR_US / SECOND_US - 1), call("on time", "OFFERED", 0)])
    assert verdicts == {"early": "OVERFLOW", "on time": "ADMIT"}
