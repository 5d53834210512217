"""Making a partition's state anew from its whole input, when what is stored cannot be gone on with.

The input is folded from its first event. Of each output only what comes behind the last record its topic holds is
appended, judged by their numbers, so it may be run again after a crash at any point. The marker and the state are
written in the last transaction, when every topic has what it should have; until then no worker goes on from the
partition.
"""

from __future__ import annotations

from streams.core.events import CallEvent, ControlEvent
from streams.wire import state
from streams.wire.ledger import Count, Message
from streams.wire.log import Batch
from streams.wire.refusals import Refusal
from streams.worker.engine import Engine
from streams.worker.log import STATE, Halted
from streams.worker.recovery import COUNTED


class Rebuild(Engine):
    """An engine that starts from nothing; feed it with `take` until it is `done`, then `finish`."""

    tails: dict[str, Count]

    def open(self) -> None:
        """Own the partition, fencing whoever has it, and see what its outputs hold. Raises Halted, Unavailable."""
        number = self.tuning.partition
        bounds = self._log.open()
        self._topic_id = bounds.topic_id
        if bounds.start > 0:
            raise Halted(
                "INPUT_MISSING",
                f"call-events-{number} begins at {bounds.start}: a rebuild needs the input from its first event on",
            )
        self.tails = {}
        for kind in COUNTED:
            value = self._log.read_tail(kind)
            self.tails[kind] = Count(0, -1, -1) if value is None else state.source_of(kind, value)
        self._stored = dict(self._log.read_state())
        for key, value in self._stored.items():
            if key.startswith(b"s/") and value is not None:
                record = state.read(key, value)
                assert isinstance(record, state.SchemaId)
                self._ids[record.schema_id] = record.fingerprint
        self.position = 0

    @property
    def done(self) -> bool:
        """Whether every output has been passed: from here on a worker can go on."""
        return all(self._count(kind) >= tail.count for kind, tail in self.tails.items())

    def finish(self, now: float) -> None:
        """Write state and marker in one transaction; what was stored and is no more is deleted."""
        if not self.done:
            missing = [kind for kind, tail in self.tails.items() if self._count(kind) < tail.count]
            raise Halted(
                "TORN",
                f"the input of partition {self.tuning.partition} gives fewer {', '.join(missing)} than their topics "
                "hold: it is not the input they were made from",
            )
        self._begin(now)
        # What is written again in this transaction stands behind these; the rest is gone.
        stale = [key for key, value in self._stored.items() if value is not None and key[:2] in {b"n/", b"p/"}]
        self._log.produce(STATE, [Message(STATE, key, None) for key in stale])
        self._commit(now, last=True)
        self._log.close()

    def turn(self, now: float) -> None:
        """End a transaction of outputs in time; it holds no marker."""
        if self._began_at is not None and now >= self._began_at + self.tuning.transaction_s:
            self._log.commit()
            self._began_at = None

    def _publish(self, batch: Batch, events: list[CallEvent | ControlEvent | Refusal], now: float) -> None:
        """Apply events, and append only what the topics do not hold yet."""
        for kind, messages in self._fold(batch, events).items():
            behind = self.tails[kind].count - (self._count(kind) - len(messages))
            fresh = messages[max(0, behind) :]
            if fresh:
                self._begin(now)
                self._log.produce(kind, fresh)

    def _count(self, kind: str) -> int:
        return self.ledger.counts[kind].count
