"""Topics on a real broker: created as designed, and every difference said."""

import dataclasses
import time

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions

from streams.kafka import clients, topics
from streams.kafka.clients import KafkaTrouble
from streams.settings import Settings


def alter(admin, settings, kind, **changes):
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in changes.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, settings.topic(kind), incremental_configs=entries)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def test_seven_topics_are_created_as_they_must_be_and_a_second_run_creates_none(log_settings):
    assert topics.check(log_settings) == []
    assert topics.create(log_settings) == []
    there = clients.reach(log_settings).topics
    mine = {name: shape for name, shape in there.items() if name.startswith(log_settings.prefix)}
    assert mine == {log_settings.topic(kind): (4, 1) for kind in topics.KINDS}


def test_a_record_gets_the_brokers_time_whatever_its_producer_says(log_settings):
    from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition

    for kind in topics.KINDS:
        producer = Producer(clients.producer_config(log_settings))
        producer.produce(log_settings.topic(kind), key=b"k", value=b"v", partition=0, timestamp=1_000_000)
        assert producer.flush(10) == 0
        consumer = Consumer(clients.consumer_config(log_settings))
        consumer.assign([TopicPartition(log_settings.topic(kind), 0, 0)])
        stamp, at = consumer.poll(10).timestamp()
        consumer.close()
        assert stamp == TIMESTAMP_LOG_APPEND_TIME and at > 1_600_000_000_000


def test_every_difference_is_a_sentence(log_settings):
    admin = AdminClient(clients.admin_config(log_settings))
    alter(admin, log_settings, "call-events", message_timestamp_type="CreateTime", retention_bytes="1000000")
    alter(admin, log_settings, "state", cleanup_policy="delete", segment_bytes="1048576")
    for future in admin.create_partitions([NewPartitions(log_settings.topic("decisions"), 6)]).values():
        future.result()
    for future in admin.delete_topics([log_settings.topic("checkpoints")]).values():
        future.result()
    until = time.monotonic() + 15
    while len(said := topics.check(log_settings)) < 6 and time.monotonic() < until:
        time.sleep(0.2)  # the broker takes a moment to follow its controller
    p = log_settings.prefix
    for beginning in (
        f"{p}call-events: message.timestamp.type is CreateTime, must be LogAppendTime; set it with kafka-configs",
        f"{p}call-events: retention.bytes is 1000000, must be -1",
        f"{p}state: cleanup.policy is delete, must be compact",
        f"{p}state: segment.bytes is 1048576, must be 16777216",
        f"{p}decisions has 6 partitions, the settings say 4",
        f"{p}checkpoints does not exist: run `tropplein topics create`",
    ):
        assert sum(sentence.startswith(beginning) for sentence in said) == 1, (beginning, said)
    assert len(said) == 6
    assert topics.create(log_settings) == [f"{p}checkpoints"]


def test_more_replicas_than_brokers_are_refused_before_anything_is_created(log_settings):
    settings = dataclasses.replace(log_settings, prefix="many.", replication=3, min_insync=2)
    with pytest.raises(KafkaTrouble, match="replication is 3 but the cluster has 1 broker"):
        topics.create(settings)
    assert not [name for name in clients.reach(settings).topics if name.startswith("many.")]


def test_a_broker_that_is_away_is_named_and_waiting_may_help():
    with pytest.raises(KafkaTrouble, match=r"127\.0\.0\.1:1 cannot be reached: is Kafka up") as caught:
        clients.reach(Settings(brokers="127.0.0.1:1"), timeout_s=2)
    assert caught.value.retriable
