"""Time for live networks when nothing else brings it: a partition's Tick, appended when one is due.

A Tick has no payload: its append time is its content, so one too many, or a zombie's, does no harm. It is sent only
when the partition has caught up and a network's earliest wish has passed. The broker's clock decides whether the wish is
fulfilled; while ours runs ahead of it, ticks come back too early, and the pause between them doubles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from streams.core.partition import Partition

PAUSE_S = 1.0
PAUSE_MAX_S = 60.0


class Ticked(Protocol):
    """What a ticker reads of an engine."""

    core: Partition
    waiting: str | None


class Ticker:
    """One partition's ticks; ``append`` sends one, from any thread, and does not wait for it."""

    def __init__(
        self,
        append: Callable[[], None],
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._append = append
        self._wall = wall
        self._monotonic = monotonic
        self._wanted: int | None = None
        self._next_at = 0.0
        self._pause_s = PAUSE_S
        self.sent = 0

    def look(self, engine: Ticked, *, behind: int) -> None:
        """Append a tick if one is due."""
        now = self._monotonic()
        if behind or engine.waiting is not None or now < self._next_at:
            return
        wake_at = engine.core.wake_at()
        if wake_at is None or wake_at > self._wall() * 1e6:
            return
        # The same wish again: the last tick was stamped before it, the broker's clock is behind ours.
        self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S) if wake_at == self._wanted else PAUSE_S
        self._wanted = wake_at
        self._next_at = now + self._pause_s
        self.sent += 1
        self._append()
