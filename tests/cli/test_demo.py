"""The demo's pace, show and summary on the core itself; and the whole of it once, on its embedded broker."""

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from rich.console import Console, ConsoleDimensions

from streams.cli import main
from streams.cli.demo import PLAN
from streams.cli.demo_heard import Heard
from streams.cli.demo_pace import PEAK_SPEED, QUIET_SPEED, Pace, Stretch, even, peak_evening, watched
from streams.cli.demo_picture import Picture
from streams.cli.demo_show import BEHIND, STEP_S, WEEK_US, Show, evening, play
from streams.cli.demo_stage import EmbeddedStage
from streams.cli.demo_summary import differences, print_summary, published, rows_of
from streams.core.decisions import Decision, SiteState
from streams.core.events import CallEvent, ControlEvent, PlanApplied, SpotAired
from streams.plans import compile_plan
from streams.simulate.campaign import draw_campaign
from streams.simulate.feed import Handed, feed
from streams.simulate.media import ENDS_AT, MINUTE_US, SECOND_US, STARTS_AT
from streams.simulate.recount import Recount, recount
from tests.cli.direct_stage import DirectStage
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def handed() -> list[Handed]:
    return feed(random.Random(18), draw_campaign().events())


@pytest.fixture(scope="module")
def recounted(handed: list[Handed]) -> Recount:
    return recount(rows_of(each.event for each in handed))


def stage(lose: tuple[int, ...] = ()) -> DirectStage:
    made = DirectStage(lose)
    plan = compile_plan(PLAN, from_at=STARTS_AT, clock="events")
    made.hand(ControlEvent(plan.network, STARTS_AT, PlanApplied(plan, 1)))
    return made


def show_all(made: DirectStage, handed: list[Handed]) -> Show:
    show = Show(made, handed, even(STARTS_AT, ENDS_AT, 5_000_000), Heard())
    seconds = iter(range(10_000))
    play(show, monotonic=lambda: next(seconds) * STEP_S, sleep=lambda _: None, draw=lambda: None)
    return show


@pytest.fixture(scope="module")
def shown(handed: list[Handed]) -> Show:
    return show_all(stage(), handed)


def test_the_clock_takes_as_long_as_its_stretches_say():
    pace = Pace([Stretch(0, 60 * SECOND_US, 30.0), Stretch(60 * SECOND_US, 3_660 * SECOND_US, 3_600.0)])
    assert pace.left_s == 3
    pace.advance(1)
    assert (pace.now_at, pace.speed, pace.left_s) == (30 * SECOND_US, 30.0, 2)
    pace.advance(1.5)
    assert (pace.now_at, pace.speed) == (1_860 * SECOND_US, 3_600.0)
    pace.advance(9)
    assert pace.finished and pace.now_at == 3_660 * SECOND_US


def test_the_show_of_every_seed_fits_into_two_minutes_and_lingers_on_the_peak():
    for seed in (1, 2):
        campaign = draw_campaign(seed)
        found = recount(rows_of(campaign.events()))
        assert found.second is not None
        aired = [spot.aired_at for spot in campaign.spots]
        pace = watched(STARTS_AT, ENDS_AT, aired, peak_at=found.peak.at, second_at=found.second.at)
        assert 60 < pace.left_s < 105
        while pace.now_at < found.peak.at:
            pace.advance(0.05)
        assert pace.speed == PEAK_SPEED
    first, last = peak_evening(found.peak.at)
    assert last - first == 20 * MINUTE_US


def test_what_is_published_is_what_the_recount_finds(shown: Show, recounted: Recount):
    product = published(shown.heard)
    assert differences(shown.heard, product, recounted) == []
    assert product.days == recounted.days
    assert product.peak.calls == 70
    assert (shown.heard.most.calls, shown.heard.most.at) == (product.peak.calls, product.peak.at)
    assert shown.answered and shown.finished


@pytest.mark.parametrize("seed", [10])
def test_the_recount_confirms_other_seeds(seed: int):
    handed = feed(random.Random(seed), draw_campaign(seed).events())
    shown = show_all(stage(), handed)
    recounted = recount(rows_of(each.event for each in handed))
    assert differences(shown.heard, published(shown.heard), recounted) == []


def test_a_lost_decision_and_a_lost_record_do_not_go_unnoticed(handed: list[Handed], recounted: Recount):
    shown = show_all(stage(lose=(101, 2_000)), handed)
    found = differences(shown.heard, published(shown.heard), recounted)
    assert found and not shown.answered
    console = Console(file=io.StringIO(), width=120)
    print_summary(console, published(shown.heard), recounted, found)
    assert "DIFFERS" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_decision_heard_twice_is_told(shown: Show, recounted: Recount):
    heard = Heard()
    heard.decisions, heard.records = shown.heard.decisions, shown.heard.records
    heard.decision(next(iter(heard.decisions.values())))
    assert differences(heard, published(heard), recounted) == ["1 decisions came twice"]


def test_the_clock_waits_for_a_worker_that_is_behind(handed: list[Handed]):
    class Silent(DirectStage):
        def listen(self) -> list:
            return []

    show = Show(Silent(), handed, even(STARTS_AT, ENDS_AT, QUIET_SPEED * 2), Heard())
    for _ in range(50):
        show.step(STEP_S)
    assert show.waiting and not show.finished
    assert len(show.asked) > BEHIND


def test_the_evening_shown_again_is_the_same_evening_weeks_later(handed: list[Handed], recounted: Recount):
    from_at, until_at = peak_evening(recounted.peak.at)
    again = evening(handed, from_at, until_at, 3)
    calls = {each.event.call_id for each in again if isinstance(each.event, CallEvent)}
    ended = {e.event.call_id for e in again if isinstance(e.event, CallEvent) and e.event.type == "ENDED"}
    assert calls == ended and 150 < len(calls) < 300
    assert not calls & {each.event.call_id for each in handed if isinstance(each.event, CallEvent)}
    made = stage()
    show = Show(made, again, even(from_at + 3 * WEEK_US, until_at + 3 * WEEK_US, 240), Heard())
    while not show.finished:
        show.step(STEP_S)
    assert 60 <= show.heard.most.calls <= recounted.peak.calls
    assert show.answered and show.heard.in_progress == 0


@pytest.mark.parametrize(("width", "height"), [(80, 24), (110, 40)])
def test_the_picture_fits_the_terminal_and_tells_limits_clock_and_speed(
    handed: list[Handed], recounted: Recount, width: int, height: int
):
    at = recounted.peak.at + 2 * MINUTE_US
    slow = Stretch(at - 30 * MINUTE_US, at, 240)
    pace = Pace([Stretch(STARTS_AT, slow.from_at, 5_000_000), slow])
    show = Show(stage(), [each for each in handed if each.handed_at <= at], pace, Heard())
    while not show.finished:
        show.step(STEP_S)
    text = drawn(show.heard, at, width, height, show.spot)
    assert len(text.splitlines()) <= height
    for told in (
        "13 of 15",
        "▒",
        "transcom",
        "Sun 16 Nov 2025  20:53:19",
        "30 times life",
        "most so far 70, 16 Nov 20:51",
        "OVERFLOW → transcom all positions busy",
        "last spot: France 2",
        "http://there/metrics",
    ):
        assert told in text, text


def drawn(heard: Heard, at: int, width: int, height: int, spot: SpotAired | None = None) -> str:
    foot = "Ctrl-C ends. http://there/metrics"
    picture = Picture(heard, shift_us=0, counted="campaign", foot=foot, size=ConsoleDimensions(width, height))
    file = io.StringIO()
    Console(file=file, width=width, height=height).print(picture.frame(at, PEAK_SPEED, spot))
    return file.getvalue()


def test_full_and_closed_are_words():
    made = stage()
    at = STARTS_AT + 12 * 60 * MINUTE_US
    for n in range(15):
        made.hand(CallEvent("msf", "msf", f"pabx/{n}", "OFFERED", at, "pabx", asks=True))
    heard = Heard()
    for each in made.listen():
        if isinstance(each, SiteState):
            heard.site(each, at)
    assert "15 of 15 FULL" in drawn(heard, at, 80, 24)
    heard.site(heard.sites["msf"]._replace(open=False), at)
    assert "15 of 15 CLOSED" in drawn(heard, at, 80, 24)


def test_the_whole_demo_confirms_itself(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TROPPLEIN_METRICS_PORT", "0")
    assert main(["demo", "--json", "--speed", "2000000"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["confirmed"] is True and told["differences"] == []
    assert told["peak"]["calls"] == 70
    assert told["peak"]["at"].startswith("2025-11-16T20:51")
    assert len(told["days"]) == 28
    assert told["seconds"] < 60


def test_the_stage_is_a_whole_worker_with_its_metrics(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TROPPLEIN_METRICS_PORT", "0")
    calls = [
        CallEvent("msf", "msf", f"pabx/{n}", "OFFERED", STARTS_AT + 12 * 3_600 * SECOND_US + n, "pabx", asks=True)
        for n in range(20)
    ]
    with EmbeddedStage() as made:
        until = time.monotonic() + 60
        while not made.ready and time.monotonic() < until:
            time.sleep(0.05)
        plan = compile_plan(PLAN, from_at=STARTS_AT, clock="events")
        for event in (ControlEvent("msf", STARTS_AT, PlanApplied(plan, 1)), *calls):
            made.hand(event)
        heard: list = []
        while sum(isinstance(each, Decision) for each in heard) < 20 and time.monotonic() < until:
            heard += made.listen()
            time.sleep(0.05)
        with urllib.request.urlopen(made.metrics_url) as page:
            text = page.read().decode()
    assert [each.verdict for each in heard if isinstance(each, Decision)] == ["ADMIT"] * 15 + ["OVERFLOW"] * 5
    assert re.search(r'^tropplein_calls_in_progress\{[^}]*"transcom"[^}]*\} 5', text, re.MULTILINE), text
    assert not any(thread.name in {"worker", "pages"} for thread in threading.enumerate())


def test_ctrl_c_ends_it_cleanly():
    command = [sys.executable, "-m", "streams", "demo", "--speed", "1"]
    environment = {**os.environ, "TROPPLEIN_METRICS_PORT": "0", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None and demo.stderr is not None
        assert "starting" in demo.stdout.readline()
        assert "metrics: http://127.0.0.1:" in demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 130
        assert demo.stderr.read() == "tropplein: interrupted\n"


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf"])
def test_a_speed_is_above_zero(speed: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        main(["demo", f"--speed={speed}"])
    assert refused.value.code == 2
    assert "a speed is a number above 0" in capsys.readouterr().err
