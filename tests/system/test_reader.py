"""Reading a real log: aborted transactions, control markers at the end, ranges by offset and by time, following."""

import threading
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import TopicPartition

from streams.kafka import clients
from streams.kafka.clients import KafkaTrouble
from streams.kafka.publisher import Publisher
from streams.kafka.reader import RangeGone, Reader
from streams.wire.partition import partition_of


def transactional(settings, partition=0):
    producer = Producer(clients.transactional_config(settings, partition))
    producer.init_transactions(30)
    return producer


def write(producer, topic, values, *, commit, partition=0):
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, partition=partition)
    producer.flush(10)
    if commit:
        producer.commit_transaction(10)
    else:
        producer.abort_transaction(10)


def values(reader):
    with reader:
        return [(run.partition, value) for run in reader for value in run.batch.values]


def test_only_committed_records_are_read_and_reading_ends_behind_the_last_control_marker(log_settings):
    topic = log_settings.topic("decisions")
    producer = transactional(log_settings)
    write(producer, topic, [b"a", b"b"], commit=True)
    write(producer, topic, [b"never"], commit=False)
    write(producer, topic, [b"c"], commit=True)
    write(producer, topic, [b"never", b"never"], commit=False)
    begun = time.monotonic()
    with Reader(log_settings, topic, partitions=(0,)) as reader:
        runs = list(reader)
    took = time.monotonic() - begun
    assert [value for run in runs for value in run.batch.values] == [b"a", b"b", b"c"]
    # a b marker | never marker | c marker | never never marker: nothing that may be seen is near the end
    assert [offset for run in runs for offset in run.batch.offsets] == [0, 1, 5]
    assert reader.ends == {0: 10}
    assert took < 5, "reading waits for something that never comes"
    print(f"read in {took * 1000:.0f} ms")
    assert [value for _, value in values(Reader(log_settings, topic, partitions=(0,), committed=False))].count(
        b"never"
    ) == 3


def test_an_open_transaction_is_behind_the_end(log_settings):
    topic = log_settings.topic("decisions")
    producer = transactional(log_settings)
    write(producer, topic, [b"a"], commit=True)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush(10)
    with Reader(log_settings, topic) as reader:
        assert [value for run in reader for value in run.batch.values] == [b"a"]
        assert reader.ends[0] == 2
    producer.abort_transaction(10)


def test_a_topic_of_aborted_records_alone_reads_as_empty(log_settings):
    topic = log_settings.topic("decisions")
    write(transactional(log_settings), topic, [b"never"] * 3, commit=False)
    assert values(Reader(log_settings, topic)) == []


def test_every_partition_is_read_to_its_own_end_in_offset_order_with_the_brokers_times(log_settings):
    topic = log_settings.topic("call-events")
    before = time.time_ns() // 1000
    with Publisher(log_settings, lambda pair: pair, topic=topic) as publisher:
        for number in range(5000):
            publisher.send((b"network-%d" % (number % 9), b"%d" % number))
    assert publisher.delivered == 5000
    seen = {}
    with Reader(log_settings, topic) as reader:
        for partition, batch in reader:
            for offset, at, key, value in zip(*batch, strict=True):
                assert partition == partition_of(key, 4)
                assert before - 1000 <= at <= time.time_ns() // 1000
                seen.setdefault(partition, []).append((offset, int(value)))
    assert sum(map(len, seen.values())) == 5000
    for records in seen.values():
        assert [offset for offset, _ in records] == list(range(len(records)))
        assert sorted(value for _, value in records) == [value for _, value in records]


def test_a_range_is_by_offset_or_by_time_of_appending(log_settings):
    topic = log_settings.topic("decisions")
    with Publisher(log_settings, lambda value: (None, value), topic=topic) as publisher:
        for value in (b"a", b"b"):
            publisher.send(value, partition=1)
        publisher.flush()
        time.sleep(0.05)
        between = time.time_ns() // 1000
        time.sleep(0.05)
        for value in (b"c", b"d"):
            publisher.send(value, partition=1)
    assert values(Reader(log_settings, topic, starts={1: 1})) == [(1, b"b"), (1, b"c"), (1, b"d")]
    assert values(Reader(log_settings, topic, starts={1: 4})) == []
    assert values(Reader(log_settings, topic, from_at=between)) == [(1, b"c"), (1, b"d")]
    assert values(Reader(log_settings, topic, to_at=between)) == [(1, b"a"), (1, b"b")]
    assert values(Reader(log_settings, topic, from_at=between, to_at=between)) == []
    assert values(Reader(log_settings, topic, from_at=between + 10**12)) == []


def test_a_start_that_retention_removed_is_refused_and_not_skipped(log_settings):
    topic = log_settings.topic("decisions")
    with Publisher(log_settings, lambda value: (None, value), topic=topic) as publisher:
        for _ in range(10):
            publisher.send(b"v", partition=0)
    opened = Reader(log_settings, topic)
    admin = AdminClient(clients.admin_config(log_settings))
    for future in admin.delete_records([TopicPartition(topic, 0, 6)]).values():
        future.result()
    opened._consumer.seek(TopicPartition(topic, 0, 0))  # forget what was fetched before the records went
    with opened, pytest.raises(RangeGone, match="partition 0: its records were removed meanwhile"):
        list(opened)
    with pytest.raises(RangeGone, match="partition 0 holds the offsets 6 to 9, and reading was to begin at 3"):
        Reader(log_settings, topic, starts={0: 3})
    with pytest.raises(RangeGone, match="begin at 11"):
        Reader(log_settings, topic, starts={0: 11})
    assert len(values(Reader(log_settings, topic, partitions=(0,)))) == 4


def test_following_goes_on_behind_the_end(log_settings):
    topic = log_settings.topic("decisions")

    def later():
        with Publisher(log_settings, lambda value: (None, value), topic=topic) as publisher:
            for number in range(3):
                time.sleep(0.2)
                publisher.send(b"%d" % number, partition=2)

    writer = threading.Thread(target=later)
    writer.start()
    got = []
    with Reader(log_settings, topic, follow=True) as reader:
        for run in reader:
            got += run.batch.values
            if len(got) == 3:
                break
    writer.join()
    assert got == [b"0", b"1", b"2"]


def test_a_topic_that_is_missing_is_said_so(log_settings):
    with pytest.raises(KafkaTrouble, match="a topic is missing: run `tropplein topics create`"):
        Reader(log_settings, "absent")
    with pytest.raises(KafkaTrouble, match="a topic is missing"):
        Publisher(log_settings, lambda value: (None, value), topic="absent")
