"""What the topics must be; that a broker makes them so is for the system tests."""

import dataclasses

from streams.kafka import topics
from streams.settings import Settings

SETTINGS = Settings(prefix="blue.", partitions=6)


def by_kind(settings=SETTINGS):
    return dict(zip(topics.KINDS, topics.topics(settings), strict=True))


def test_all_seven_topics_have_the_prefix_and_the_same_number_of_partitions():
    assert [topic.name for topic in topics.topics(SETTINGS)] == [f"blue.{kind}" for kind in topics.KINDS]
    assert {topic.partitions for topic in topics.topics(SETTINGS)} == {6}


def test_the_brokers_clock_stamps_every_record():
    assert {topic.config["message.timestamp.type"] for topic in topics.topics(SETTINGS)} == {"LogAppendTime"}


def test_state_and_site_state_are_compacted_soon_and_all_else_is_kept_by_age_only():
    found = by_kind()
    for kind in topics.KINDS:
        config = found[kind].config
        if kind in {"state", "site-state"}:
            assert config["cleanup.policy"] == "compact"
            assert config["segment.bytes"] == "16777216"
            assert config["segment.ms"] == config["max.compaction.lag.ms"] == "600000"
            assert config["min.cleanable.dirty.ratio"] == "0.05"
            assert config["delete.retention.ms"] == "3600000"
        else:
            assert (config["cleanup.policy"], config["retention.bytes"]) == ("delete", "-1")


def test_retention_is_the_audit_period_and_dead_letters_have_their_own():
    found = by_kind(dataclasses.replace(SETTINGS, retention_s=-1, dlq_retention_s=3600))
    for kind in ("call-events", "decisions", "call-records", "checkpoints"):
        assert found[kind].config["retention.ms"] == "-1"
    assert found["call-events-dlq"].config["retention.ms"] == "3600000"
    assert by_kind()["decisions"].config["retention.ms"] == str(400 * 24 * 3600 * 1000)


def test_copies_and_copies_in_sync_are_as_set():
    found = topics.topics(dataclasses.replace(SETTINGS, replication=5, min_insync=3))
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in found} == {(5, "3")}
