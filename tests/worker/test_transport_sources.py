"""The privates of Faust and aiokafka that the transport overrides or leans on are still those that were reviewed."""

import hashlib
import inspect

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from faust.app.base import App
from faust.tables.recovery import Recovery
from faust.transport import consumer
from faust.transport.drivers import aiokafka as driver

REVIEWED = {
    "aiokafka.consumer.fetcher.FetchResult": "d7db13f06de8248c",
    "aiokafka.consumer.fetcher.Fetcher._create_fetch_waiter": "61d840568746477e",
    "aiokafka.consumer.fetcher.Fetcher._fetch_requests_routine": "2a8ec5932644c9b0",
    "aiokafka.consumer.fetcher.Fetcher._get_actions_per_node": "1dab2cf937d165d0",
    "aiokafka.consumer.fetcher.Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.consumer.fetcher.Fetcher.fetched_records": "be4348896b9b66af",
    "aiokafka.consumer.fetcher.PartitionRecords": "94aa0da0dbec8d1b",
    "aiokafka.consumer.subscription_state.SubscriptionState.fetch_context": "ff2a654dca239cfe",
    "aiokafka.consumer.subscription_state.TopicPartitionState": "2b83334afadf6d98",
    "faust.app.base.App._on_partitions_assigned": "de932b7927db85b3",
    "faust.app.base.App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.tables.recovery.Recovery._resume_streams": "d986a6710c1aca98",
    "faust.transport.consumer.Consumer._commit_offsets": "1a69799041188441",
    "faust.transport.consumer.Consumer._commit_tps": "a20e230b05ae8b15",
    "faust.transport.consumer.Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer.Consumer._filter_committable_offsets": "dc5e9baf5d994485",
    "faust.transport.consumer.Consumer._filter_tps_with_pending_acks": "f6f9239774234e7e",
    "faust.transport.consumer.Consumer._new_offset": "1d2c7ea89a7ad4f1",
    "faust.transport.consumer.Consumer._should_commit": "5ce941793947ad42",
    "faust.transport.consumer.Consumer._wait_next_records": "6218e1969a636b3f",
    "faust.transport.consumer.Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.consumer.Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "faust.transport.consumer.Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer.Consumer.perform_seek": "0e8c130ff4b0afd8",
    "faust.transport.consumer.ConsumerThread.on_partitions_assigned": "e59e8dda43724bd4",
    "faust.transport.consumer.ConsumerThread.on_partitions_revoked": "c44013f1259ca964",
    "faust.transport.consumer.ThreadDelegateConsumer": "a1b934b198fae1c0",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._commit": "932852ce7a23f658",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.getmany": "26fc5fc9f3b667e1",
    "faust.transport.drivers.aiokafka.Consumer._new_consumer_thread": "0870ec53dea75083",
    "faust.transport.drivers.aiokafka.Consumer.verify_event_path": "a17e8f0610e1abcb",
    "faust.transport.drivers.aiokafka.ConsumerRebalanceListener": "f3d04f29dfb3f716",
    "faust.transport.drivers.aiokafka.Transport": "966a67907f33524d",
}


def _hash(thing):
    return hashlib.sha256(inspect.getsource(thing).encode()).hexdigest()[:16]


THINGS = {
    f"{thing.__module__}.{thing.__qualname__}": thing
    for thing in (
        driver.AIOKafkaConsumerThread._create_worker_consumer,
        driver.AIOKafkaConsumerThread._fetch_records,
        driver.AIOKafkaConsumerThread.getmany,
        driver.AIOKafkaConsumerThread._commit,
        driver.ConsumerRebalanceListener,
        driver.Consumer._new_consumer_thread,
        driver.Consumer.verify_event_path,
        driver.Transport,
        consumer.ThreadDelegateConsumer,
        consumer.ConsumerThread.on_partitions_assigned,
        consumer.ConsumerThread.on_partitions_revoked,
        consumer.Consumer.getmany,
        consumer.Consumer._wait_next_records,
        consumer.Consumer._drain_messages,
        consumer.Consumer._filter_tps_with_pending_acks,
        consumer.Consumer._filter_committable_offsets,
        consumer.Consumer._new_offset,
        consumer.Consumer._should_commit,
        consumer.Consumer._commit_tps,
        consumer.Consumer._commit_offsets,
        consumer.Consumer.perform_seek,
        consumer.Consumer.on_partitions_assigned,
        consumer.Consumer.on_partitions_revoked,
        Recovery._resume_streams,
        App._on_partitions_assigned,
        App._on_partitions_revoked,
        fetcher.FetchResult,
        fetcher.PartitionRecords,
        fetcher.Fetcher.fetched_records,
        fetcher.Fetcher._proc_fetch_request,
        fetcher.Fetcher._fetch_requests_routine,
        fetcher.Fetcher._get_actions_per_node,
        fetcher.Fetcher._create_fetch_waiter,
        SubscriptionState.fetch_context,
        TopicPartitionState,
    )
}


@pytest.mark.parametrize("name", sorted(THINGS))
def test_what_the_transport_leans_on_is_what_was_reviewed(name):
    """After an upgrade: read what changed, see whether `transport.py` must follow, then put the new hash here."""
    assert REVIEWED.get(name) == _hash(THINGS[name])


def test_nothing_reviewed_is_listed_that_is_not_looked_at():
    assert sorted(REVIEWED) == sorted(THINGS)
