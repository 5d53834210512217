"""The demo's clock: which instant of the campaign belongs to which moment of the show.

Quiet hours fly past, ordinary spots run fast, the evenings of the peaks slowly enough to be watched. The clock is given
the moments; it never looks at one itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from streams.simulate.media import MINUTE_US, SECOND_US

QUIET_SPEED = 400_000.0
SPOT_SPEED = 2_000.0
SECOND_SPEED = 240.0
PEAK_SPEED = 30.0
SPOT_WATCHED_US = 4 * MINUTE_US
PEAK_WATCHED_US = (6 * MINUTE_US, 14 * MINUTE_US)


class Stretch(NamedTuple):
    """From ``from_at`` until ``until_at`` the campaign runs ``speed`` times as fast as life."""

    from_at: int
    until_at: int
    speed: float

    @property
    def lasts_s(self) -> float:
        """How many seconds of the show it takes."""
        return (self.until_at - self.from_at) / SECOND_US / self.speed


class Pace:
    """The stretches of one show, and how far it has come."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = list(stretches)
        self._index = 0
        self.now_at = self._stretches[0].from_at

    @property
    def speed(self) -> float:
        """How many times as fast as life the campaign runs now."""
        return self._stretches[self._index].speed

    @property
    def finished(self) -> bool:
        """Whether the show is over."""
        return self.now_at >= self._stretches[-1].until_at

    @property
    def left_s(self) -> float:
        """How many seconds the rest of the show takes."""
        rest = self._stretches[self._index]._replace(from_at=self.now_at)
        return rest.lasts_s + sum(stretch.lasts_s for stretch in self._stretches[self._index + 1 :])

    def advance(self, seconds: float) -> None:
        """Let so many seconds of the show pass."""
        while seconds > 0 and not self.finished:
            stretch = self._stretches[self._index]
            rest_s = stretch._replace(from_at=self.now_at).lasts_s
            if seconds < rest_s:
                self.now_at += int(seconds * stretch.speed * SECOND_US)
                return
            seconds -= rest_s
            self.now_at = stretch.until_at
            self._index = min(self._index + 1, len(self._stretches) - 1)


def even(from_at: int, until_at: int, speed: float) -> Pace:
    """Run everything at one speed."""
    return Pace([Stretch(from_at, until_at, speed)])


def watched(from_at: int, until_at: int, aired: Sequence[int], *, peak_at: int, second_at: int) -> Pace:
    """Hurry through quiet hours, run the minutes after each airing fast and those around the two peaks slowly."""
    peak_from, peak_until = peak_evening(peak_at)
    second_from, second_until = peak_evening(second_at)
    cuts = {from_at, until_at, peak_from, peak_until, second_from, second_until}
    cuts.update(cut for at in aired for cut in (at, at + SPOT_WATCHED_US))
    instants = sorted(cut for cut in cuts if from_at <= cut <= until_at)
    stretches: list[Stretch] = []
    for start, end in itertools.pairwise(instants):
        speed = QUIET_SPEED
        if peak_from <= start < peak_until:
            speed = PEAK_SPEED
        elif second_from <= start < second_until:
            speed = SECOND_SPEED
        elif any(at <= start < at + SPOT_WATCHED_US for at in aired):
            speed = SPOT_SPEED
        if stretches and stretches[-1].speed == speed:
            stretches[-1] = stretches[-1]._replace(until_at=end)
        else:
            stretches.append(Stretch(start, end, speed))
    return Pace(stretches)


def peak_evening(peak_at: int) -> tuple[int, int]:
    """Return the twenty minutes around the peak that are worth watching."""
    before_us, after_us = PEAK_WATCHED_US
    return peak_at - before_us, peak_at + after_us
