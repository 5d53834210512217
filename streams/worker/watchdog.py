"""What ends a worker that is alive but does nothing: no progress of any kind for 30 s while there is something to do.

It runs in a thread of its own and asks the brokers where the log ends, so a blocked event loop, a fetcher that died in
silence and a stuck commit look the same to it. Progress is anything: an event applied, a state record read, a
transaction. A partition that is halted, waits for a registry, or waits for brokers that are away says so and is left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from streams.worker.log import Unavailable
from streams.worker.partition import OwnedPartition, Phase

log = logging.getLogger(__name__)

PATIENCE_S: Final = 30.0
LOOK_S: Final = 5.0


class Watchdog:
    """Looks at the owned partitions; ``end`` is called with the sentence that says which one stood still."""

    def __init__(
        self,
        owned: Callable[[], Mapping[int, OwnedPartition]],
        ends: Callable[[list[int]], Mapping[int, int]],
        end: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owned = owned
        self._ends = ends
        self._end = end
        self._clock = clock
        self._seen: dict[int, tuple[OwnedPartition, int, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def look(self) -> None:
        """Look once."""
        owned = dict(self._owned())
        try:
            for number, offset in (self._ends(sorted(owned)) if owned else {}).items():
                owned[number].highwater = max(owned[number].highwater, offset)
        except Unavailable as error:
            log.warning("the brokers do not say where call-events ends: %s", error)
            self._seen.clear()
            return
        now = self._clock()
        seen, self._seen = self._seen, {}
        for number, partition in owned.items():
            progress = partition.progress
            before = seen.get(number)
            busy = partition.phase is Phase.RUNNING and partition.behind > 0
            if not busy or before is None or before[0] is not partition or before[1] != progress:
                self._seen[number] = (partition, progress, now)
                continue
            self._seen[number] = before
            if now - before[2] >= PATIENCE_S:
                self._end(
                    f"partition {number} has stood at {partition.engine and partition.engine.position} for "
                    f"{now - before[2]:.0f} s although its log goes on to {partition.highwater}"
                )

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look()
