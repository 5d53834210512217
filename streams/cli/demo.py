"""`tropplein demo`: the campaign of November 2025 from its first spot to its last, in one process and two minutes."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from streams.cli.demo_heard import Heard
    from streams.cli.demo_pace import Pace, Stretch
    from streams.cli.demo_show import Show
    from streams.cli.demo_stage import EmbeddedStage
    from streams.simulate.campaign import Campaign
    from streams.simulate.feed import Handed
    from streams.simulate.recount import Recount

HELP = (
    "play the simulated campaign through a worker on an in-process broker: quiet hours are skipped, the evening of the "
    "peak can be watched; then a summary over all 28 days, confirmed by an independent recount"
)
PLAN = Path(__file__).parent.parent / "plans" / "examples" / "msf.yaml"
FRAME_S = 0.05
READY_S = 60.0
# How long the worker may be silent before what it has published is taken for all.
SILENCE_S = 15.0
READ_SUMMARY_S = 12.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="X",
        help="play everything X times as fast as life (1: live), not as fits it best",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="draw another campaign than the usual one")
    parser.add_argument("--exit", action="store_true", help="end after the summary, on a terminal too")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON, and nothing else")


def run(args: argparse.Namespace) -> int:
    """Play the campaign, compare, and stay on its peak evening if somebody is watching."""
    from rich.console import Console

    from streams.cli import DIFFERS, DONE
    from streams.cli.demo_stage import EmbeddedStage
    from streams.cli.demo_summary import as_json, differences, print_summary, published, rows_of
    from streams.simulate.campaign import DEFAULT_SEED, draw_campaign
    from streams.simulate.feed import feed
    from streams.simulate.recount import recount

    began = time.monotonic()
    console = Console(quiet=args.json, highlight=False)
    seed = DEFAULT_SEED if args.seed is None else args.seed
    console.print("starting a broker and a worker in this process …", style="dim")
    with EmbeddedStage() as stage:
        # Drawn while the worker starts.
        campaign = draw_campaign(seed)
        handed = feed(random.Random(seed), campaign.events())  # noqa: S311 -- the same seed is to give the same feed
        recounted = recount(rows_of(each.event for each in handed))
        _begin(stage, console)
        heard = _play(stage, console, handed, _pace(args.speed, campaign, recounted))
        product = published(heard)
        found = differences(heard, product, recounted)
        if args.json:
            seconds = round(time.monotonic() - began, 1)
            print(
                json.dumps(
                    as_json(product, confirmed=not found, differences=found, seed=seed, seconds=seconds), indent=2
                )
            )
        else:
            print_summary(console, product, recounted, found)
        if console.is_terminal and not args.exit and not args.json:
            _stay(stage, console, handed, _evening(args.speed, recounted))
    return DIFFERS if found else DONE


def _begin(stage: EmbeddedStage, console: Console) -> None:
    """Wait until the worker decides, then put the campaign's plan in force."""
    from streams.cli import Refusal
    from streams.core import RULES
    from streams.core.events import ControlEvent, PlanApplied
    from streams.plans import compile_plan
    from streams.simulate.media import STARTS_AT

    until = time.monotonic() + READY_S
    while not stage.ready:
        stage.listen()
        if time.monotonic() > until:
            raise Refusal(f"the demo's worker did not become ready within {READY_S:.0f} s")
        time.sleep(FRAME_S)
    plan = compile_plan(PLAN, from_at=STARTS_AT, clock="events")
    console.print(f"metrics: {stage.metrics_url}", style="dim")
    stage.hand(ControlEvent(plan.network, STARTS_AT, PlanApplied(plan, RULES)))


def _pace(speed: float | None, campaign: Campaign, recounted: Recount) -> Pace:
    """Return the pace of the 28 days."""
    from streams.cli.demo_pace import even, watched
    from streams.simulate.media import ENDS_AT, STARTS_AT

    if speed is not None:
        return even(STARTS_AT, ENDS_AT, speed)
    aired = [spot.aired_at for spot in campaign.spots]
    second = recounted.second or recounted.peak
    return watched(STARTS_AT, ENDS_AT, aired, peak_at=recounted.peak.at, second_at=second.at)


def _play(stage: EmbeddedStage, console: Console, handed: Sequence[Handed], pace: Pace) -> Heard:
    """Play the campaign to its end and hear what comes after; return what was heard."""
    from streams.cli.demo_heard import Heard
    from streams.cli.demo_show import Show, play

    heard = Heard()
    show = Show(stage, handed, pace, heard)
    with _screen(console, show, stage) as draw:
        play(show, monotonic=time.monotonic, sleep=time.sleep, draw=draw)
        last = time.monotonic()
        while not show.answered and time.monotonic() - last < SILENCE_S:
            time.sleep(FRAME_S)
            if show.listen():
                last = time.monotonic()
        draw()
    return heard


def _evening(speed: float | None, recounted: Recount) -> Stretch:
    """Return the evening of the peak, and how fast it is shown."""
    from streams.cli.demo_pace import PEAK_SPEED, Stretch, peak_evening

    return Stretch(*peak_evening(recounted.peak.at), PEAK_SPEED if speed is None else speed)


def _stay(stage: EmbeddedStage, console: Console, handed: Sequence[Handed], stretch: Stretch) -> None:
    """Show the evening of the peak, again and again, until Ctrl-C."""
    from streams.cli import demo_pace
    from streams.cli.demo_heard import Heard
    from streams.cli.demo_show import WEEK_US, Show, evening, play
    from streams.simulate.media import ENDS_AT

    from_at, until_at, speed = stretch
    console.print("\nNext the evening of the peak, again and again. Ctrl-C ends.", style="dim")
    with contextlib.suppress(KeyboardInterrupt):
        time.sleep(READ_SUMMARY_S)
        for weeks in count((ENDS_AT - from_at) // WEEK_US + 1):
            shift_us = weeks * WEEK_US
            pace = demo_pace.even(from_at + shift_us, until_at + shift_us, speed)
            show = Show(stage, evening(handed, from_at, until_at, weeks), pace, Heard())
            with _screen(console, show, stage, shift_us=shift_us) as draw:
                play(show, monotonic=time.monotonic, sleep=time.sleep, draw=draw)


@contextlib.contextmanager
def _screen(console: Console, show: Show, stage: EmbeddedStage, *, shift_us: int = 0) -> Iterator[Callable[[], None]]:
    """Give what draws the show: a live picture on a terminal, a line a week elsewhere."""
    if not console.is_terminal:
        yield _WeekLines(console, show).draw
        return
    from rich.live import Live

    from streams.cli.demo_picture import Picture

    picture = Picture(
        show.heard,
        shift_us=shift_us,
        counted="evening" if shift_us else "campaign",
        foot=f"{'The evening of the peak, again and again. ' if shift_us else ''}Ctrl-C ends. {stage.metrics_url}",
        size=console.size,
    )
    with Live(console=console, auto_refresh=False, screen=True, transient=True) as live:

        def draw() -> None:
            live.update(picture.frame(show.pace.now_at, show.pace.speed, show.spot), refresh=True)

        yield draw


class _WeekLines:
    """Says once a week of the campaign how far it is, for those who have no terminal."""

    def __init__(self, console: Console, show: Show) -> None:
        self._console = console
        self._show = show
        self._weeks = 0

    def draw(self) -> None:
        """Print a line if a week is over."""
        from streams.cli.demo_picture import paris
        from streams.cli.demo_show import WEEK_US
        from streams.simulate.media import STARTS_AT

        weeks = (self._show.pace.now_at - STARTS_AT) // WEEK_US
        if weeks > self._weeks:
            self._weeks = weeks
            heard = self._show.heard
            self._console.print(
                f"{paris(self._show.pace.now_at):%a %d %b}: {len(heard.decisions)} questions decided, "
                f"at most {heard.most.calls} calls in progress so far"
            )


def _speed(text: str) -> float:
    """Read a speed, which is above 0."""
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"a speed is a number above 0 (1: as fast as life), not {text}")
    return speed
