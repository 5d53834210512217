"""The demo's show: hands the campaign over as its clock comes to each event, and hears what the worker makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from streams.cli.demo_heard import Heard
from streams.cli.demo_pace import Pace
from streams.core.decisions import CallRecord, Decision, SiteState
from streams.core.events import CallEvent, Event, SpotAired, Tick
from streams.simulate.feed import Handed
from streams.simulate.media import DAY_US

FRAME_S = 0.05
# A step never skips more of the show than this, however long the machine was busy elsewhere.
STEP_S = 0.25
# So many questions may wait for their decision before the clock waits too.
BEHIND = 400
WEEK_US = 7 * DAY_US

Output = Decision | CallRecord | SiteState


class Stage(Protocol):
    """Where the show takes place: a log with a worker behind it."""

    def hand(self, event: Event) -> None:
        """Hand one event over."""
        ...

    def listen(self) -> Sequence[Output]:
        """Return what was published since the last call, in the order in which it was heard. Never waits."""
        ...


class Show:
    """One playing of events on a stage. ``asked`` are the call ids that asked for a decision so far."""

    def __init__(self, stage: Stage, handed: Sequence[Handed], pace: Pace, heard: Heard) -> None:
        self.pace = pace
        self.heard = heard
        self.spot: SpotAired | None = None
        self.asked: dict[str, None] = {}
        self.waiting = False
        self._stage = stage
        self._handed = handed
        self._next = 0

    @property
    def finished(self) -> bool:
        """Whether everything has been handed over, and the clock has come to its end."""
        return self.pace.finished and self._next == len(self._handed)

    @property
    def answered(self) -> bool:
        """Whether every question has its decision and every call its record."""
        return all(name in self.heard.decisions and name in self.heard.records for name in self.asked)

    def step(self, seconds: float) -> None:
        """Let so many seconds of the show pass, unless the worker is far behind: then listen only."""
        self.waiting = len(self.asked) - len(self.heard.decisions) > BEHIND
        if not self.waiting:
            self.pace.advance(min(seconds, STEP_S))
            self._hand_over()
        self.listen()

    def listen(self) -> int:
        """Take in what was published; return how much that was."""
        outputs = self._stage.listen()
        for output in outputs:
            if isinstance(output, Decision):
                self.heard.decision(output)
            elif isinstance(output, CallRecord):
                self.heard.record(output)
            else:
                self.heard.site(output, self.pace.now_at)
        self.heard.pass_time(self.pace.now_at)
        return len(outputs)

    def _hand_over(self) -> None:
        """Hand over what is due; all that is left when the clock has come to its end."""
        handed, now_at, finished = self._handed, self.pace.now_at, self.pace.finished
        while self._next < len(handed) and (finished or handed[self._next].handed_at <= now_at):
            event = handed[self._next].event
            self._next += 1
            if isinstance(event, CallEvent):
                if event.asks:
                    self.asked[event.call_id] = None
            elif isinstance(event.body, SpotAired):
                self.spot = event.body
            self._stage.hand(event)


def play(
    show: Show, *, monotonic: Callable[[], float], sleep: Callable[[float], None], draw: Callable[[], None]
) -> None:
    """Play a show to its end in real time."""
    before = monotonic()
    while not show.finished:
        sleep(FRAME_S)
        now = monotonic()
        show.step(now - before)
        before = now
        draw()


def evening(handed: Sequence[Handed], from_at: int, until_at: int, weeks: int) -> list[Handed]:
    """Return an evening's calls with all their events, and its ticks, so many weeks later under ids of their own.

    A network's clock never goes back, so an evening that is shown again lies in the future: the same weekday, so
    that the same hours hold.
    """
    names = {
        event.call_id
        for at, event in handed
        if isinstance(event, CallEvent) and event.asks and from_at <= at < until_at
    }
    shift_us = weeks * WEEK_US
    found = []
    for at, event in handed:
        assert event.occurred_at is not None, "every simulated event says when it occurred"
        occurred_at = event.occurred_at + shift_us
        if isinstance(event, CallEvent):
            if event.call_id in names:
                name = f"{event.call_id}/{weeks + 1}"
                found.append(
                    Handed(at + shift_us, event._replace(call_id=name, occurred_at=occurred_at, sequence=None))
                )
        elif from_at <= at < until_at and isinstance(event.body, Tick):
            found.append(Handed(at + shift_us, replace(event, occurred_at=occurred_at)))
    return found
