"""The log over confluent-kafka: one transactional producer per input partition, and the reading of a load.

What the client reports is sorted into three: `Fenced` (another owner), `Unavailable` (nothing produced yet, try again)
and `InDoubt` (all else, once something may have been produced: the producer is never used again). librdkafka has no
client side of KIP-890, so nothing is retried or aborted and gone on with after an uncertain answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from streams.kafka.clients import Trouble, admin_config, consumer_config, producer_config, transactional_config
from streams.kafka.topics import CALL_EVENTS
from streams.kafka.topics import DEAD_LETTERS as DEAD_LETTERS_TOPIC
from streams.settings import Settings
from streams.wire.ledger import Message
from streams.worker.log import (
    CALL_RECORDS,
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    SITE_STATE,
    STATE,
    Bounds,
    Fenced,
    InDoubt,
    Unavailable,
)

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 15.0
COMMIT_TIMEOUT_S: Final = 8.0
"""Shorter than the transaction's own 10 s, so that we doubt it before the broker ends it."""
READ_TIMEOUT_S: Final = 10.0
QUEUE_TIMEOUT_S: Final = 8.0

_FENCES: Final = frozenset({"_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"})
_TOPICS: Final = {kind: kind for kind in (DECISIONS, CALL_RECORDS, SITE_STATE, CHECKPOINTS, STATE)} | {
    DEAD_LETTERS: DEAD_LETTERS_TOPIC
}


class InputTopic:
    """What the brokers say of the input topic, asked once for all partitions of one assignment. Safe across threads."""

    def __init__(self, settings: Settings, *, remember_s: float = 5.0) -> None:
        self._name = settings.topic(CALL_EVENTS)
        self._trouble = Trouble(settings)
        self._admin = AdminClient(admin_config(settings, self._trouble))
        self._remember_s = remember_s
        self._lock = threading.Lock()
        self._known: tuple[str, int] | None = None
        self._asked_at = 0.0

    def describe(self) -> tuple[str, int]:
        """Return the topic's id and its number of partitions. Raises Unavailable."""
        with self._lock:
            if self._known is None or time.monotonic() - self._asked_at > self._remember_s:
                try:
                    futures = self._admin.describe_topics(TopicCollection([self._name]), request_timeout=READ_TIMEOUT_S)
                    found = futures[self._name].result()
                except KafkaException as error:
                    raise Unavailable(str(self._trouble.error(f"describing {self._name}", error.args[0]))) from None
                self._known = (str(found.topic_id), len(found.partitions))
                self._asked_at = time.monotonic()
            return self._known

    def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return the offset after the last committed record of each input partition. Raises Unavailable."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self._name, number): latest for number in partitions}
        try:
            futures = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=READ_TIMEOUT_S
            )
            return {place.partition: future.result().offset for place, future in futures.items()}
        except KafkaException as error:
            raise Unavailable(str(self._trouble.error(f"reading {self._name}", error.args[0]))) from None


class TransactionLog:
    """One input partition's log. ``seek`` is the transport's way to move the input's reader."""

    def __init__(self, settings: Settings, partition: int, *, topic: InputTopic, seek: Callable[[int], None]) -> None:
        self._settings = settings
        self._partition = partition
        self._topic = topic
        self._seek = seek
        self._names = {kind: settings.topic(name) for kind, name in _TOPICS.items()}
        self._trouble = Trouble(settings)
        self._producer: Producer | None = None
        self._reader: Consumer | None = None
        self._open = False

    def open(self) -> Bounds:
        """Fence earlier owners; see `Log.open`."""
        try:
            self._producer = Producer(transactional_config(self._settings, self._partition, self._trouble))
            self._producer.init_transactions(OPEN_TIMEOUT_S)
        except KafkaException as error:
            self.close()
            if _code(error) in _FENCES:
                raise Fenced(str(error)) from None
            raise Unavailable(str(self._trouble.error("opening a transaction", error.args[0]))) from None
        return self.bounds()

    def bounds(self) -> Bounds:
        """Return the input partition as it is now; see `Log.bounds`."""
        topic_id, partitions = self._topic.describe()
        start, end = self._watermarks(self._settings.topic(CALL_EVENTS))
        return Bounds(topic_id, partitions, start, end)

    def read_state(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield the state partition's committed records; see `Log.read_state`."""
        name = self._names[STATE]
        start, end = self._watermarks(name)
        for _, key, value in self._read(name, start, end):
            assert key is not None
            yield key, value

    def read_tail(self, kind: str) -> bytes | None:
        """Step back from the end, further each time, until a committed record is met; see `Log.read_tail`."""
        name = self._names[kind]
        start, end = self._watermarks(name)
        until, step = end, 4
        while until > start:
            # The last offsets are a transaction's marker, or records of transactions that were aborted.
            at = max(start, until - step)
            last: bytes | None = None
            for _, _, value in self._read(name, at, until):
                last = value
            if last is not None:
                return last
            until, step = at, step * 8
        return None

    def begin(self) -> None:
        """Begin a transaction."""
        try:
            self._client.begin_transaction()
        except KafkaException as error:
            self._doubt(error)
        self._open = True

    def produce(self, kind: str, messages: Sequence[Message]) -> None:
        """Queue messages; what does not fit into the bounded queue waits until it does."""
        name = self._names[kind]
        if messages and messages[0].headers:
            # The client's batch call drops headers without a word.
            for each in messages:
                self._produce_one(name, each)
            return
        batch: list[dict[str, Any]] = [{"key": message.key, "value": message.value} for message in messages]
        deadline = time.monotonic() + QUEUE_TIMEOUT_S
        while batch:
            try:
                queued = self._client.produce_batch(name, batch, self._partition)
            except BufferError:
                queued = 0
            except KafkaException as error:
                self._doubt(error)
            if queued == len(batch):
                return
            failed = [message for message in batch if queued == 0 or "_error" in message]
            for message in failed:
                refused = message.pop("_error", None)
                if refused is not None and refused.name() != "_QUEUE_FULL":
                    self._doubt(KafkaException(refused))
            batch = failed
            if time.monotonic() > deadline:
                raise InDoubt(f"the producer's queue of {name} did not empty for {QUEUE_TIMEOUT_S:.0f} s")
            self._client.poll(0.01)

    def poll(self) -> None:
        """Serve the client's callbacks."""
        self._client.poll(0)

    def commit(self) -> None:
        """Flush and commit."""
        try:
            self._client.commit_transaction(COMMIT_TIMEOUT_S)
        except KafkaException as error:
            self._doubt(error)
        self._open = False

    def seek(self, position: int) -> None:
        """Ask the transport for the input from ``position`` on."""
        self._seek(position)

    def close(self) -> None:
        """Drop both clients; a transaction that is still open is aborted if the broker is there to hear it."""
        producer, self._producer = self._producer, None
        if producer is not None and self._open:
            try:
                producer.abort_transaction(1.0)
            except KafkaException:
                # The next owner's first call, or the time-out, ends it instead.
                self._open = False
        self._loaded()

    def _loaded(self) -> None:
        """Give back the reader that only a load needs."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    @property
    def _client(self) -> Producer:
        assert self._producer is not None, "the log is not open"
        return self._producer

    def _produce_one(self, name: str, message: Message) -> None:
        deadline = time.monotonic() + QUEUE_TIMEOUT_S
        while True:
            try:
                self._client.produce(
                    name, message.value, message.key, partition=self._partition, headers=list(message.headers)
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise InDoubt(f"the producer's queue of {name} did not empty") from None
                self._client.poll(0.01)
            except KafkaException as error:
                self._doubt(error)
            else:
                return

    def _doubt(self, error: KafkaException) -> NoReturn:
        """Raise what a failed call of the producer means."""
        last = self._trouble.last
        if _code(error) in _FENCES or (_code(error) == "_FATAL" and last is not None and last.name() in _FENCES):
            raise Fenced(str(error)) from None
        raise InDoubt(str(self._trouble.error(f"writing partition {self._partition}", error.args[0]))) from None

    def _watermarks(self, name: str) -> tuple[int, int]:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(name, self._partition), READ_TIMEOUT_S)
        except KafkaException as error:
            raise Unavailable(str(self._trouble.error(f"reading {name}", error.args[0]))) from None
        return int(low), int(high)

    @property
    def _consumer(self) -> Consumer:
        if self._reader is None:
            self._reader = Consumer(consumer_config(self._settings, self._trouble))
        return self._reader

    def _read(self, name: str, start: int, end: int) -> Iterator[tuple[int, bytes | None, bytes | None]]:
        """Yield offset, key and value of the committed records from ``start`` up to ``end``, judged by position.

        Positions pass over transaction markers and aborted records, offsets of records do not.
        """
        if start >= end:
            return
        reader = self._consumer
        reader.assign([TopicPartition(name, self._partition, start)])
        moved_at, position = time.monotonic(), start
        while position < end:
            for message in reader.consume(1000, 0.05):
                error, offset = message.error(), message.offset()
                assert offset is not None
                if error is None:
                    if offset < end:
                        yield offset, message.key(), message.value()
                elif error.name() == "_PARTITION_EOF":
                    position = max(position, offset)
                else:
                    raise Unavailable(str(self._trouble.error(f"reading {name}", error)))
            found = reader.position([TopicPartition(name, self._partition)])[0].offset
            if found > position:
                position, moved_at = found, time.monotonic()
            elif time.monotonic() - moved_at > READ_TIMEOUT_S:
                raise Unavailable(f"{name}-{self._partition} does not answer beyond {position} of {end}")


def _code(error: KafkaException) -> str:
    return str(error.args[0].name())


class TickSender:
    """Appends a partition's Tick, without waiting; one that is lost is sent again when it is missed."""

    def __init__(self, settings: Settings, value: Callable[[], bytes]) -> None:
        self._topic = settings.topic(CALL_EVENTS)
        self._value = value
        self._settings = settings
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def append(self, partition: int) -> None:
        """Send one, from any thread."""
        with self._lock:
            if self._producer is None:
                self._producer = Producer(producer_config(self._settings, Trouble(self._settings), linger_ms=0))
        try:
            self._producer.produce(self._topic, self._value(), None, partition)
            self._producer.poll(0)
        except (BufferError, KafkaException, Unavailable) as error:
            log.warning("a tick of partition %d was not sent: %s", partition, error)
