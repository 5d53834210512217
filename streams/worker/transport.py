"""How events come in: Faust's aiokafka consumer, with whole runs of records handed to partitions past the stream path.

Faust keeps the membership, the assignor, the rebalance callbacks and the committed offset. What is overridden of Faust
and aiokafka, and what is read of their privates, stands in this file only; a test compares the source of each with the
one that was reviewed, so an upgrade fails loudly. The versions are pinned exactly.

- The consumer reads committed records only (Faust's at-least-once mode is wired to uncommitted ones) and its fetches
  answer at once (Faust's wait is wired to 1.5 s).
- A fetch's records are taken as columns from the record batches, without an object per record, by the thread that
  fetched them, and put into their partition's inbox, with the position the fetch started at.
- A full inbox pauses its partition; the inbox resumes it.
- The committed offset is a hint for the next owner, and ours: nothing is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, ClassVar, Protocol, cast

import aiokafka
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException
from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.wire.log import Batch
from streams.worker.log import Fetched

RUN = 1_000
"""Records in one run: enough for columns, little enough for the next partition's turn."""
PUMP_S = 1.0
"""How long the fetching thread hands over by itself before it looks in at Faust's loop."""
WAIT_S = 0.2
FETCH_WAIT_MS = 100
FETCH_BYTES = 512 * 1024
"""Compressed bytes of one partition in one fetch: twelve of them and their contents fit into the worker's memory."""


class Inbox(Protocol):
    """One partition's bounded queue, as the fetching thread sees it."""

    def put(self, fetched: Fetched) -> bool:
        """Take a run; False when the inbox is full now and the partition is to be paused."""
        ...


class Inboxes(Protocol):
    """What the transport needs of the application."""

    def inbox(self, partition: int) -> Inbox | None:
        """Return a partition's inbox, None while it is not ours."""
        ...

    def committable(self, partition: int) -> int | None:
        """Return the next offset the state topic does not cover: what the group may commit."""
        ...

    def ends_at(self, partition: int, offset: int) -> None:
        """Hear where a partition's log ends for a committed reader."""
        ...


class BatchThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread: fetches, and hands runs of records straight to the inboxes."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=FETCH_BYTES * 8,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int((conf.broker_rebalance_timeout or 60) * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 -- Faust's signature
        max_records: int | None = None,  # noqa: ARG002
    ) -> Mapping[TP, list[Any]]:
        """Hand over what arrives for a while; Faust gets nothing to distribute."""
        fetcher = consumer._fetcher
        inboxes = cast("BatchTransport", self.transport).inboxes
        loop = asyncio.get_running_loop()
        until = loop.time() + PUMP_S
        with fetcher._subscriptions.fetch_context():
            while self.consumer.flow_active and loop.time() < until:
                if consumer._closed or fetcher._closed:
                    raise ConsumerStoppedError
                if fetcher._subscriptions.reassignment_in_progress:
                    # Faust's own fetch waits here; we return, so that nothing stands in the way of the rebalance.
                    await asyncio.sleep(0.01)
                    continue
                if hand_over(consumer, inboxes, active_partitions):
                    await asyncio.sleep(0)
                else:
                    waiter = fetcher._create_fetch_waiter()
                    await asyncio.wait([waiter], timeout=WAIT_S)
                    if not waiter.done():
                        waiter.cancel()
        return {}


def hand_over(consumer: aiokafka.AIOKafkaConsumer, inboxes: Inboxes, active: set[TP]) -> bool:
    """Put what was fetched of the active partitions into their inboxes; tell whether there was anything."""
    fetcher = consumer._fetcher
    generation = consumer._coordinator.generation
    found = False
    for tp in list(fetcher._records):
        if tp not in active:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records.pop(tp)
        fetcher._notify(fetcher._wait_consume_future)
        found = True
        if type(result) is not FetchResult:
            result.check_raise()
        records = result._partition_records
        state = result._assignment.state_value(tp)
        if not result.check_assignment(tp):
            continue
        inbox = inboxes.inbox(tp.partition)
        if inbox is None:
            consumer.pause(tp)
            continue
        room = True
        for fetched in runs(records, generation):
            room = inbox.put(fetched) and room
        state.consumed_to(records.next_fetch_offset)
        # What an open transaction of somebody's hides is nothing to be behind with.
        inboxes.ends_at(tp.partition, state.highwater if state.lso is None else state.lso)
        if not room:
            consumer.pause(tp)
    return found


def runs(records: PartitionRecords, generation: int) -> Iterator[Fetched]:
    """Cut what one fetch brought of a partition into runs, positions without a hole between them.

    It ends with `records.next_fetch_offset` behind everything the fetch brought: records, transaction markers, and
    records of aborted transactions, which are left out.
    """
    position = records.next_fetch_offset
    columns = Batch([], [], [], [])
    append_time = True
    for batch in _committed(records):
        items = list(batch)
        if items and items[0].offset < records.next_fetch_offset:
            items = [item for item in items if item.offset >= records.next_fetch_offset]
        append_time = append_time and batch.timestamp_type == 1
        columns.offsets.extend([item.offset for item in items])
        columns.appended_at.extend([item.timestamp * 1000 for item in items])
        columns.keys.extend([item.key for item in items])
        columns.values.extend([item.value for item in items])
        records.next_fetch_offset = batch.next_offset
        start = 0
        while len(columns.offsets) - start > RUN:
            following = columns.offsets[start + RUN]
            yield Fetched(generation, position, following, append_time, _cut(columns, start, start + RUN))
            position, start = following, start + RUN
        if start:
            columns = _cut(columns, start, None)
    if records.next_fetch_offset > position:
        yield Fetched(generation, position, records.next_fetch_offset, append_time, columns)


def _cut(columns: Batch, start: int, end: int | None) -> Batch:
    part = slice(start, end)
    return Batch(columns.offsets[part], columns.appended_at[part], columns.keys[part], columns.values[part])


def _committed(records: PartitionRecords) -> Iterator[Any]:
    """Yield the record batches a committed reader may see; move the position over the others.

    This is aiokafka's own walk (`PartitionRecords._unpack_records`), batch by batch instead of record by record.
    """
    memory = records._records
    while memory.has_next():
        batch = memory.next_batch()
        if records._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {records._tp}")
        if records._isolation_level == READ_COMMITTED and batch.producer_id is not None:
            records._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and records._contains_abort_marker(batch):
                records._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in records._aborted_producers:
                records.next_fetch_offset = batch.next_offset
                continue
        if batch.is_control_batch:
            records.next_fetch_offset = batch.next_offset
            continue
        yield batch


class BatchConsumer(driver.Consumer):
    """Faust's consumer, whose messages never come: they went to the inboxes."""

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 -- Faust's signature
        """Let the fetching thread work; there is never anything to yield."""
        await self._wait_next_records(timeout)
        nothing: tuple[tuple[TP, Any], ...] = ()
        for each in nothing:
            yield each

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """Every partition may have something to commit, since none counts acknowledgements."""
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return cast("BatchTransport", self.transport).inboxes.committable(tp.partition)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        # Also downwards: an offset that somebody moved ahead by hand is put right.
        return self._committed_offset[tp] != offset

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Leave the judging of progress to the watchdog, which knows what an engine does."""

    # The inbox's side, callable from any thread.

    def seek_soon(self, partition: int, position: int) -> None:
        """Move the reader of a partition, in its own thread; a partition that is not ours any more is left alone."""
        self._in_thread(partition, "seek", position)

    def resume_soon(self, partition: int) -> None:
        """Let a paused partition be fetched again."""
        self._in_thread(partition, "resume")

    def _in_thread(self, partition: int, method: str, *args: int) -> None:
        consumer = self._thread._consumer
        tp = TopicPartition(cast("BatchTransport", self.transport).topic, partition)

        def call() -> None:
            if consumer is not None and tp in consumer.assignment():
                getattr(consumer, method)(tp, *args)

        if consumer is not None and not self._thread.thread_loop.is_closed():
            self._thread.thread_loop.call_soon_threadsafe(call)


class BatchTransport(driver.Transport):
    """Faust's transport with our consumer. ``inboxes`` and ``topic`` are set by the application."""

    Consumer: ClassVar[Any] = BatchConsumer
    inboxes: Inboxes
    topic: str
