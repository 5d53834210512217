"""Reading a topic: committed records, partition by partition, up to the end it had when reading began, or on and on.

The end of a log is not its last record: behind it stand the control markers of transactions, and records of aborted
ones that nobody may see. A reading is over when its *position* has passed the end, whatever was delivered.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple, Self, TypeVar

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from streams.kafka import clients
from streams.kafka.clients import KafkaTrouble, Trouble, consumer_config
from streams.settings import Settings
from streams.wire.log import Batch
from streams.wire.partition import partition_of

_T = TypeVar("_T")

BATCH: Final = 2000
"""At most so many records at a time."""

_LOOK_S: Final = 0.2
"""How long one look for more records lasts when there are none."""

_SILENCE_S: Final = 30
"""A reading that neither moves nor ends for so long has lost its brokers."""


_PASSING: Final = frozenset({"NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "UNKNOWN_LEADER_EPOCH"})
"""What a partition answers while it gets a leader: just after its topic was made, or its broker went."""


class Run(NamedTuple):
    """A batch and the partition it is from."""

    partition: int
    batch: Batch


class RangeGone(KafkaTrouble):
    """The records asked for are no longer there: retention removed them, or the topic was made anew."""


class Reader:
    """Iterates over the runs of records of one topic; a context manager that closes its consumer.

    ``starts`` and ``ends`` are offsets by partition (end exclusive), as asked for or as found when it was opened. Runs
    of one partition come in offset order, those of several partitions in no particular order. With ``follow`` there
    is no end: the iteration waits for more, and for brokers that are away. Raises KafkaTrouble when the brokers do not
    let it read.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        *,
        starts: Mapping[int, int] | None = None,
        partitions: tuple[int, ...] | None = None,
        key: bytes | None = None,
        from_at: int | None = None,
        to_at: int | None = None,
        follow: bool = False,
        committed: bool = True,
    ) -> None:
        """Open the topic with this full name.

        Args:
            settings: where the brokers are and how to log in.
            topic: the topic's full name (``settings.topic(kind)``).
            starts: the first offset wanted, by partition; elsewhere the first there is.
            partitions: the partitions to read; by default those of ``starts``, else all.
            key: only the partition of this key, in place of ``partitions``; it holds other keys' records too.
            from_at: only records appended at this instant or later (microseconds); not together with ``starts``.
            to_at: only records appended before this instant (microseconds); not together with ``follow``.
            follow: go on behind the end.
            committed: only records of committed transactions, and none.
        """
        self.topic = topic
        self._follow = follow
        self._stopped = False
        self._trouble = Trouble(settings)
        self._consumer = Consumer(consumer_config(settings, self._trouble, committed=committed))
        try:
            there = clients.partitions(self._consumer, self._trouble, topic)
            if key is not None:
                partitions = (partition_of(key, len(there)),)
            chosen = partitions or tuple(sorted(starts or ())) or there
            self.starts, self.ends = self._ranges(chosen, dict(starts or {}))
            if from_at is not None:
                self.starts |= self._offsets_at(from_at, self.ends)
            if to_at is not None:
                self.ends = self._offsets_at(to_at, self.ends)
            self._consumer.assign([TopicPartition(topic, each, self.starts[each]) for each in chosen])
        except BaseException:
            self._consumer.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._consumer.close()

    def stop(self) -> None:
        """End a following iteration at its next look; from any thread."""
        self._stopped = True

    def __iter__(self) -> Iterator[Run]:
        return self._on_and_on() if self._follow else self._to_the_ends()

    def _to_the_ends(self) -> Iterator[Run]:
        left = {each for each in self.starts if self.starts[each] < self.ends[each]}
        self._forget({each for each in self.starts if each not in left})
        moved = time.monotonic()
        while left:
            found, at_end = self._next()
            for run in found:
                kept = _before(run.batch, self.ends[run.partition])
                if run.partition in left and kept.offsets:
                    yield Run(run.partition, kept)
                # After the yield: whoever takes long over a run is not a broker that is silent.
                moved = time.monotonic()
            done = {each for each, position in self._positions(left, at_end).items() if position >= self.ends[each]}
            if done:
                moved = time.monotonic()
                left -= done
                self._forget(done)
            if time.monotonic() - moved > _SILENCE_S:
                raise self._trouble.error(f"reading {self.topic}")

    def _on_and_on(self) -> Iterator[Run]:
        while not self._stopped:
            found, _ = self._next()
            yield from found
            if self._trouble.final:
                raise self._trouble.error(f"reading {self.topic}")

    def _next(self) -> tuple[list[Run], dict[int, int]]:
        """Return what has arrived, and the offsets of the ends of partitions that were met."""
        batches: dict[int, Batch] = {}
        at_end: dict[int, int] = {}
        first = self._call(lambda: self._consumer.poll(_LOOK_S))
        # `consume` with a time-out would wait for a full batch; without, it hands over what is there.
        rest = self._call(lambda: self._consumer.consume(BATCH - 1, 0)) if first is not None else []
        for message in [first, *rest] if first is not None else []:
            partition, offset = _place(message)
            error = message.error()
            if error is None:
                batch = batches.get(partition)
                if batch is None:
                    batch = batches[partition] = Batch([], [], [], [])
                batch.offsets.append(offset)
                batch.appended_at.append(message.timestamp()[1] * 1000)
                batch.keys.append(message.key())
                batch.values.append(message.value())
            elif error.name() == "_PARTITION_EOF":
                at_end[partition] = offset
            elif error.name() in {"OFFSET_OUT_OF_RANGE", "_AUTO_OFFSET_RESET"}:
                raise RangeGone(f"reading {self.topic}, partition {partition}: its records were removed meanwhile")
            else:
                raise self._trouble.error(f"reading {self.topic}", error)
        return [Run(partition, batch) for partition, batch in batches.items()], at_end

    def _positions(self, partitions: set[int], at_end: Mapping[int, int]) -> dict[int, int]:
        """Return where reading stands; behind control markers too, which are never delivered."""
        asked = [TopicPartition(self.topic, each) for each in partitions]
        standing = {each.partition: each.offset for each in self._call(lambda: self._consumer.position(asked))}
        # An end that was met counts as well: what compaction emptied moves no position.
        return {each: max(standing.get(each, -1), at_end.get(each, -1)) for each in partitions}

    def _forget(self, partitions: set[int]) -> None:
        """Fetch no more of these partitions."""
        if partitions:
            self._consumer.incremental_unassign([TopicPartition(self.topic, each) for each in partitions])

    def _ranges(self, partitions: tuple[int, ...], starts: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
        """Return first and end offsets; raise RangeGone where a start asked for is outside."""
        ends = {}
        for each in partitions:
            place = TopicPartition(self.topic, each)
            first, ends[each] = self._call(partial(self._consumer.get_watermark_offsets, place, timeout=10))
            start = starts.setdefault(each, first)
            if not first <= start <= ends[each]:
                raise RangeGone(
                    f"{self.topic}, partition {each} holds the offsets {first} to {ends[each] - 1}, and reading was to "
                    f"begin at {start}: retention removed it, or the topic was made anew"
                )
        return starts, ends

    def _offsets_at(self, instant: int, ends: Mapping[int, int]) -> dict[int, int]:
        """Return the offset of the first record appended at an instant (microseconds) or later, at most the end."""
        asked = [TopicPartition(self.topic, each, -(-instant // 1000)) for each in ends]
        found = self._call(lambda: self._consumer.offsets_for_times(asked, timeout=10))
        return {
            each.partition: ends[each.partition] if each.offset < 0 else min(each.offset, ends[each.partition])
            for each in found
        }

    def _call(self, ask: Callable[[], _T]) -> _T:
        """Ask the consumer, again while a partition has no leader; what it raises becomes a sentence."""
        until = time.monotonic() + clients.REACH_S
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].name() not in _PASSING or time.monotonic() > until:
                    raise self._trouble.error(f"reading {self.topic}", error.args[0]) from None
                time.sleep(0.1)


def _place(message: Message) -> tuple[int, int]:
    """Return a delivered message's partition and offset, which only undelivered ones are without."""
    partition, offset = message.partition(), message.offset()
    return (-1 if partition is None else partition), (-1 if offset is None else offset)


def _before(batch: Batch, end: int) -> Batch:
    """Return the records before an end offset."""
    if batch.offsets[-1] < end:
        return batch
    kept = sum(offset < end for offset in batch.offsets)
    return Batch(batch.offsets[:kept], batch.appended_at[:kept], batch.keys[:kept], batch.values[:kept])
