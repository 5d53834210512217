"""The topics: what each is for and how it must be set; creating and deleting them, and saying every difference.

All topics of a set have the same number of partitions, because an output goes to the partition number of its source.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # documented there, but imported there without `as`
    AdminClient,
    ConfigResource,
    NewTopic,
)

from streams.kafka.clients import MESSAGE_BYTES, Cluster, KafkaTrouble, Trouble, admin_config, cluster, partitions
from streams.settings import Settings

CALL_EVENTS: Final = "call-events"
DECISIONS: Final = "decisions"
CALL_RECORDS: Final = "call-records"
SITE_STATE: Final = "site-state"
DEAD_LETTERS: Final = "call-events-dlq"
CHECKPOINTS: Final = "checkpoints"
STATE: Final = "state"

KINDS: Final = (CALL_EVENTS, DECISIONS, CALL_RECORDS, SITE_STATE, DEAD_LETTERS, CHECKPOINTS, STATE)
"""The topics' names without prefix."""

_EMBEDDED: Final = "mockCluster"
"""How the id of the in-process broker's cluster begins; it has no settings to describe, and keeps given times."""

_COMPACTED: Final[dict[str, str]] = {
    "cleanup.policy": "compact",
    # The worker reads a compacted topic whole when it takes a partition. Kafka's defaults (1 GiB, 7 days, half of the
    # log dirty) would let that reading grow with history; with these it grows with the number of live keys.
    "segment.bytes": str(16 * 1024 * 1024),
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.05",
    "max.compaction.lag.ms": "600000",
    "delete.retention.ms": "3600000",
}


class Topic(NamedTuple):
    """One topic as it must be: full name, partitions, replicas, and its settings in Kafka's own words."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Return the topic set these settings ask for."""
    return tuple(
        Topic(settings.topic(kind), settings.partitions, settings.replication, _config(settings, kind))
        for kind in KINDS
    )


def create(settings: Settings, *, timeout_s: float = 30) -> list[str]:
    """Create the topics that are missing and return their names; what exists is left alone (see `check`).

    Raises KafkaTrouble when the brokers refuse.
    """
    trouble = Trouble(settings)
    admin = AdminClient(admin_config(settings, trouble))
    there = cluster(admin, trouble, timeout_s=timeout_s)
    _refuse_too_few_brokers(settings, there)
    missing = [topic for topic in topics(settings) if topic.name not in there.topics]
    if not missing:
        return []
    wanted = [NewTopic(topic.name, topic.partitions, topic.replication, config=topic.config) for topic in missing]
    for name, future in admin.create_topics(wanted, operation_timeout=timeout_s, request_timeout=timeout_s).items():
        try:
            future.result()
        except KafkaException as error:
            # Another hand may have created it in this very moment; `check` tells whether it is as it must be.
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise trouble.error(f"creating {name}", error.args[0]) from None
    _wait_for(missing, admin, trouble, timeout_s)
    return [topic.name for topic in missing]


def delete(settings: Settings, *, timeout_s: float = 30) -> list[str]:
    """Delete the topics of this set that are there, with everything in them, and return their names.

    Raises KafkaTrouble when the brokers refuse.
    """
    trouble = Trouble(settings)
    admin = AdminClient(admin_config(settings, trouble))
    there = cluster(admin, trouble, timeout_s=timeout_s).topics
    names = [topic.name for topic in topics(settings) if topic.name in there]
    if not names:
        return []
    for name, future in admin.delete_topics(names, operation_timeout=timeout_s, request_timeout=timeout_s).items():
        try:
            future.result()
        except KafkaException as error:
            raise trouble.error(f"deleting {name}", error.args[0]) from None
    return names


def check(settings: Settings, *, timeout_s: float = 30) -> list[str]:
    """Return every difference between the topics and what they must be, a sentence each; none: all is well.

    Raises KafkaTrouble when the brokers cannot be asked.
    """
    trouble = Trouble(settings)
    admin = AdminClient(admin_config(settings, trouble))
    there = cluster(admin, trouble, timeout_s=timeout_s)
    differences: list[str] = []
    present = []
    for topic in topics(settings):
        if topic.name in there.topics:
            present.append(topic)
            differences += _shape_differences(topic, there)
        else:
            differences.append(f"{topic.name} does not exist: run `tropplein topics create`")
    for topic, found in zip(present, _configs(admin, trouble, present, timeout_s), strict=True):
        differences += _config_differences(topic, found)
    return differences


def keeps_given_times(settings: Settings) -> bool:
    """Tell whether `call-events` keeps the times its producers give, as an import or the embedded broker has it.

    Raises KafkaTrouble when the brokers cannot be asked.
    """
    trouble = Trouble(settings)
    admin = AdminClient(admin_config(settings, trouble))
    name = settings.topic(CALL_EVENTS)
    partitions(admin, trouble, name)
    if str(admin.cluster_id(timeout=10)).startswith(_EMBEDDED):
        return True
    future = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name)], request_timeout=10)
    try:
        (found,) = [each.result() for each in future.values()]
    except KafkaException as error:
        raise trouble.error(f"asking for the settings of {name}", error.args[0]) from None
    return str(found["message.timestamp.type"].value) == "CreateTime"


def _config(settings: Settings, kind: str) -> dict[str, str]:
    """Return the settings of one topic."""
    config = {
        # The broker's clock and nobody else's: it is the clock of live networks, and what retention goes by.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MESSAGE_BYTES),
        "min.insync.replicas": str(settings.min_insync),
        # A replica that missed records may never become the one that counts: a decision would be unmade.
        "unclean.leader.election.enable": "false",
    }
    if kind in {SITE_STATE, STATE}:
        return config | _COMPACTED
    seconds = settings.dlq_retention_s if kind == DEAD_LETTERS else settings.retention_s
    return config | {
        "cleanup.policy": "delete",
        "retention.ms": str(seconds * 1000 if seconds > 0 else -1),
        # Kept by age only: a busy day may not shorten the audit period.
        "retention.bytes": "-1",
    }


def _refuse_too_few_brokers(settings: Settings, there: Cluster) -> None:
    """Say before Kafka does, and more plainly, that a partition cannot have more replicas than there are brokers."""
    if there.brokers < settings.replication:
        raise KafkaTrouble(
            f"replication is {settings.replication} but the cluster has {there.brokers} broker(s): for a trial set "
            "TROPPLEIN_REPLICATION=1 and TROPPLEIN_MIN_INSYNC=1"
        )


def _wait_for(made: list[Topic], admin: AdminClient, trouble: Trouble, timeout_s: float) -> None:
    """Wait until the brokers show what was made: they follow their controller a moment later."""
    until = time.monotonic() + timeout_s
    while not {topic.name for topic in made} <= cluster(admin, trouble).topics.keys():
        if time.monotonic() > until:
            raise KafkaTrouble("the topics were created but do not show: run `tropplein topics check`", retriable=True)
        time.sleep(0.05)


def _shape_differences(topic: Topic, there: Cluster) -> Iterator[str]:
    partitions, replication = there.topics[topic.name]
    if partitions != topic.partitions:
        yield (
            f"{topic.name} has {partitions} partitions, the settings say {topic.partitions}: the number is fixed for "
            "the life of a topic set; set partitions to it, or use another prefix"
        )
    if replication < topic.replication:
        yield (
            f"{topic.name} has {replication} replicas, the settings say {topic.replication}: add replicas with "
            "kafka-reassign-partitions, or set replication to what it has"
        )


def _config_differences(topic: Topic, found: Mapping[str, str | None]) -> Iterator[str]:
    for name, wanted in topic.config.items():
        value = found.get(name)
        if value != wanted and not (name == "min.cleanable.dirty.ratio" and value and float(value) == float(wanted)):
            yield (
                f"{topic.name}: {name} is {value}, must be {wanted}; set it with kafka-configs --alter "
                f"--topic {topic.name} --add-config {name}={wanted}"
            )


def _configs(
    admin: AdminClient, trouble: Trouble, present: list[Topic], timeout_s: float
) -> Iterator[Mapping[str, str | None]]:
    """Yield the settings in force of each topic that is there, in the order given."""
    if not present:
        return
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic in present]
    futures = admin.describe_configs(resources, request_timeout=timeout_s)
    for resource, topic in zip(resources, present, strict=True):
        try:
            yield {name: entry.value for name, entry in futures[resource].result().items()}
        except KafkaException as error:
            raise trouble.error(f"asking for the settings of {topic.name}", error.args[0]) from None
