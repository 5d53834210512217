"""An in-process broker for the demo: librdkafka's mock cluster, and all that has to be known about it.

It is no Kafka. Every topic has 4 partitions and appears when a producer asks for its metadata; nothing can be created
or configured; timestamps are the producer's; about 5 MB of a partition are kept and the oldest goes silently; a new
transactional producer does not fence the one before; readers see aborted records. It is good for showing the product
on one machine with one worker, and for the mechanics of clients; no promise of the product is tested on it.
"""

import dataclasses
from typing import Final, Self

from confluent_kafka import Producer

from streams.kafka.topics import KINDS
from streams.settings import NO_SECRET, Settings

PARTITIONS: Final = 4
"""Partitions of every topic; the mock cluster has no setting for it."""


class EmbeddedBroker:
    """One mock broker on a loopback port, there as long as this object is not closed; a context manager."""

    def __init__(self) -> None:
        """Start the broker; ``brokers`` is its address."""
        # The cluster lives inside this client, and the client's metadata tells its address.
        self._host: Producer | None = Producer(
            {"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0}
        )
        broker = next(iter(self._host.list_topics(timeout=10).brokers.values()))
        self.brokers = f"{broker.host}:{broker.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the broker and forget everything in it."""
        self._host = None

    def settings(self, settings: Settings | None = None) -> Settings:
        """Return settings (the defaults, or those given) for this broker, its topics made."""
        here = dataclasses.replace(
            settings or Settings(),
            brokers=self.brokers,
            security_protocol="PLAINTEXT",
            sasl_username="",
            sasl_password=NO_SECRET,
            cert_file="",
            key_file="",
            partitions=PARTITIONS,
            replication=1,
            min_insync=1,
            registry_url="",
        )
        for kind in KINDS:
            self.make(here.topic(kind))
        return here

    def make(self, topic: str) -> None:
        """Make a topic, by asking for it."""
        if self._host is None:
            raise ValueError("the embedded broker is closed")
        self._host.list_topics(topic, timeout=10)
