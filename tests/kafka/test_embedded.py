"""The mechanics of publisher and reader on the in-process broker; promises are tried on a real one."""

import time

import pytest

from streams.kafka import embedded, reader, topics
from streams.kafka.clients import KafkaTrouble, cluster, reach
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.publisher import Publisher
from streams.kafka.reader import Reader
from streams.settings import Secret, Settings
from streams.wire.partition import partition_of


@pytest.fixture
def settings():
    with EmbeddedBroker() as broker:
        yield broker.settings()


def records(opened):
    with opened:
        return [
            (run.partition, key, value)
            for run in opened
            for key, value in zip(run.batch.keys, run.batch.values, strict=True)
        ]


def test_it_listens_on_this_machine_with_every_topic_in_four_partitions(settings):
    assert settings.brokers.startswith("127.0.0.1:")
    assert settings.partitions == embedded.PARTITIONS
    assert reach(settings).topics == dict.fromkeys(topics.KINDS, (4, 1))


def test_its_settings_keep_what_is_not_about_the_brokers_and_drop_logins():
    given = Settings(
        brokers="kafka:9092",
        security_protocol="SASL_SSL",
        sasl_username="w",
        sasl_password=Secret("x"),
        app="mine",
        prefix="demo.",
    )
    with EmbeddedBroker() as broker:
        here = broker.settings(given)
        assert (here.app, here.prefix, here.protocol) == ("mine", "demo.", "PLAINTEXT")
        assert not here.sasl_password
        assert set(reach(here).topics) == {f"demo.{kind}" for kind in topics.KINDS}
    with pytest.raises(ValueError, match="closed"):
        broker.make("late")


def test_events_reach_the_partition_that_java_would_choose_and_keep_their_order(settings):
    topic = settings.topic(topics.CALL_EVENTS)
    with Publisher(settings, lambda pair: pair, topic=topic) as publisher:
        for number in range(300):
            publisher.send((f"network-{number % 10}".encode(), str(number).encode()))
    assert publisher.delivered == 300
    assert publisher.partitions == (0, 1, 2, 3)
    found = records(Reader(settings, topic))
    assert len(found) == 300
    for partition in range(4):
        mine = [(key, int(value)) for where, key, value in found if where == partition]
        assert all(partition_of(key, 4) == partition for key, _ in mine)
        assert [value for _, value in mine] == sorted(value for _, value in mine)


def test_a_tick_goes_to_the_partition_it_is_for_with_a_null_key_and_a_given_time(settings):
    topic = settings.topic(topics.CALL_EVENTS)
    with Publisher(settings, lambda value: (None, value), topic=topic) as publisher:
        publisher.send(b"tick", partition=3, appended_at=1_700_000_000_123_456)
    with Reader(settings, topic) as opened:
        ((partition, batch),) = list(opened)
    assert (partition, batch.keys, batch.values) == (3, [None], [b"tick"])
    assert batch.appended_at == [1_700_000_000_123_000], "Kafka keeps milliseconds"


def test_reading_ends_at_the_end_found_when_it_began(settings):
    topic = settings.topic(topics.DECISIONS)
    with Publisher(settings, lambda value: (None, value), topic=topic) as publisher:
        publisher.send(b"before", partition=0)
        publisher.flush()
        opened = Reader(settings, topic)
        publisher.send(b"after", partition=0)
        publisher.flush()
        assert [value for _, _, value in records(opened)] == [b"before"]
        assert len(records(Reader(settings, topic))) == 2
        assert [value for _, _, value in records(Reader(settings, topic, starts={0: 1}))] == [b"after"]


def test_whoever_takes_long_over_a_run_is_not_taken_for_a_silent_broker(settings, monkeypatch):
    monkeypatch.setattr(reader, "_SILENCE_S", 0.3)
    monkeypatch.setattr(reader, "BATCH", 10)
    with Publisher(settings, lambda value: (None, value), topic="decisions") as publisher:
        for number in range(30):
            publisher.send(b"%d" % number, partition=0)
    seen = []
    with Reader(settings, "decisions") as opened:
        for run in opened:
            seen += run.batch.values
            time.sleep(0.4)
    assert len(seen) == 30


def test_following_goes_on_behind_the_end_until_it_is_stopped(settings):
    seen = []
    with Reader(settings, "decisions", follow=True) as opened:
        with Publisher(settings, lambda value: (None, value), topic="decisions") as publisher:
            publisher.send(b"late", partition=1)
        for run in opened:
            seen += run.batch.values
            opened.stop()
    assert seen == [b"late"]


def test_only_the_partition_of_a_key_is_read_when_asked(settings):
    with Publisher(settings, lambda pair: pair, topic="decisions") as publisher:
        for number in range(40):
            publisher.send((b"network-%d" % number, b"v"))
    home = partition_of(b"network-7", 4)
    found = records(Reader(settings, "decisions", key=b"network-7"))
    assert {partition for partition, _, _ in found} == {home}
    assert (home, b"network-7", b"v") in found


def test_a_record_that_cannot_be_delivered_is_raised_and_not_forgotten(settings):
    topic = settings.topic(topics.CALL_EVENTS)
    publisher = Publisher(settings, lambda value: (None, value), topic=topic)
    publisher.send(b"fits", partition=0)
    publisher.flush()
    with pytest.raises(KafkaTrouble, match=r"sending to call-events: .*partition is missing"):
        publisher.send(b"x", partition=99)
    with pytest.raises(KafkaTrouble, match="too large"):
        Publisher(settings, lambda value: (None, value), topic=topic).send(b"x" * 2_000_000)


def test_an_error_inside_the_context_is_not_covered_by_a_flush(settings):
    def wrong(value):
        raise ZeroDivisionError(value)

    with pytest.raises(ZeroDivisionError), Publisher(settings, wrong, topic="decisions") as publisher:
        publisher.send(b"v")


def test_more_than_the_queue_holds_is_sent_by_waiting(settings, monkeypatch):
    from streams.kafka import clients

    monkeypatch.setattr(clients, "QUEUE_MESSAGES", 50)
    with Publisher(settings, lambda value: (None, value), topic="call-records") as publisher:
        for number in range(1000):
            publisher.send(b"%d" % number)
    assert publisher.delivered == 1000


def test_the_cluster_can_be_asked_by_any_client(settings):
    from confluent_kafka import Producer

    from streams.kafka.clients import Trouble, producer_config

    trouble = Trouble(settings)
    assert cluster(Producer(producer_config(settings, trouble)), trouble).brokers == 1
