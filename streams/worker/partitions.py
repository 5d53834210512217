"""All partitions this worker owns: opened on assignment, closed on revocation, never on a first event."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from streams.worker.engine import Engine
from streams.worker.inbox import Inbox
from streams.worker.log import Log
from streams.worker.partition import OwnedPartition, Phase
from streams.worker.ticks import Ticker

log = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
"""How long a revocation waits for last commits; what does not make it is fenced by the next owner."""


class Reader(Protocol):
    """The consumer's side: callable from any thread."""

    def seek_soon(self, partition: int, position: int) -> None:
        """Move the reading of a partition."""
        ...

    def resume_soon(self, partition: int) -> None:
        """Go on reading a paused partition."""
        ...


class Partitions:
    """The owned partitions by number, and what is counted across assignments.

    ``make_log`` gives a partition's log (with a function that seeks), ``make_engine`` an engine over it.
    """

    def __init__(
        self,
        *,
        make_log: Callable[[int, Callable[[int], None]], Log],
        make_engine: Callable[[int, Log], Engine],
        append_tick: Callable[[int], None],
        end: Callable[[str], None],
    ) -> None:
        self.owned: dict[int, OwnedPartition] = {}
        self.assignments = 0
        self.abandoned = 0
        self._left: dict[int, int] = {}
        self._make_log = make_log
        self._make_engine = make_engine
        self._append_tick = append_tick
        self._end = end

    def open(self, numbers: Iterable[int], generation: int, reader: Reader) -> None:
        """Own partitions under a generation of the group; each loads in its own thread."""
        self.assignments += 1
        if self.owned:
            # Faust revokes before it assigns; if it ever does not, the old engines must not meet the new ones.
            self.close()
        owned = {}
        self._left.clear()
        given = sorted(numbers)
        for number in given:
            owned[number] = self._own(number, generation, reader, share=1 / len(given))
        self.owned = owned
        log.info("assigned partitions %s in generation %d", sorted(owned), generation)
        for partition in owned.values():
            partition.start()

    def _own(self, number: int, generation: int, reader: Reader, *, share: float) -> OwnedPartition:
        def seek(position: int) -> None:
            log.info("partition %d reads from %d", number, position)
            reader.seek_soon(number, position)

        def make_engine() -> Engine:
            engine = self._make_engine(number, self._make_log(number, seek))
            engine.snapshots.share = share
            return engine

        return OwnedPartition(
            number,
            generation,
            make_engine=make_engine,
            resume=lambda: reader.resume_soon(number),
            ticker=Ticker(lambda: self._append_tick(number)),
            end=self._end,
        )

    def close(self) -> None:
        """Give every partition back: last commits within `CLOSE_S` in all; blocks, so call it from a thread."""
        owned, self.owned = self.owned, {}
        for partition in owned.values():
            partition.close_soon()
        until = time.monotonic() + CLOSE_S
        for partition in owned.values():
            if not partition.wait_closed(max(0.0, until - time.monotonic())):
                self.abandoned += 1
                log.warning("partition %d did not close in time: left to its next owner", partition.number)
            elif partition.engine is not None and partition.phase is Phase.CLOSED:
                self._left[partition.number] = partition.engine.snapshot + 1
        if owned:
            log.info("gave back partitions %s", sorted(owned))

    # What the transport asks.

    def inbox(self, partition: int) -> Inbox | None:
        """Return a partition's inbox; None while it is not ours."""
        owned = self.owned.get(partition)
        return None if owned is None else owned.inbox

    def committable(self, partition: int) -> int | None:
        """Return the next offset that the state topic does not cover, which a new owner begins with."""
        owned = self.owned.get(partition)
        if owned is None:
            return self._left.get(partition)
        if owned.engine is None or owned.phase not in {Phase.RUNNING, Phase.WAITING}:
            return None
        return owned.engine.snapshot + 1

    def ends_at(self, partition: int, offset: int) -> None:
        """Note where a partition's log ends for a committed reader."""
        owned = self.owned.get(partition)
        if owned is not None:
            owned.highwater = offset

    # What health asks.

    @property
    def ready(self) -> bool:
        """Whether partitions are owned and every one of them decides."""
        owned = self.owned
        return bool(owned) and all(each.phase is Phase.RUNNING for each in owned.values())

    @property
    def troubles(self) -> list[str]:
        """Return a sentence for every partition that does not decide."""
        sentences = []
        for number, each in sorted(self.owned.items()):
            if each.halted is not None:
                sentences.append(each.halted.sentence)
            elif each.phase is Phase.LOADING:
                sentences.append(f"partition {number} is loading")
            elif each.engine is not None and each.engine.waiting is not None:
                sentences.append(f"partition {number} waits: {each.engine.waiting}")
        return sentences
