"""Fixtures of the system tests: one Kafka node (plain or secure) and one Schema Registry for the whole session."""

import dataclasses
import itertools

import pytest

from streams.kafka import topics
from streams.settings import Secret, Settings
from tests.system.nodes import USERS, KafkaNode, RegistryNode

_numbers = itertools.count()


def pytest_collection_modifyitems(items):
    """Whatever stands in this folder needs the installed parts."""
    for item in items:
        if "tests/system/" in item.path.as_posix():
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def kafka_node(tmp_path_factory):
    """A real Kafka node shared by all tests; a test that kills its broker makes a KafkaNode of its own."""
    node = KafkaNode(tmp_path_factory.mktemp("kafka"))
    yield node
    node.remove()


@pytest.fixture(scope="session")
def kafka_broker(kafka_node):
    """The address of a real broker."""
    return kafka_node.brokers


@pytest.fixture
def log_settings(kafka_broker):
    """Settings of a topic set of this test's own, created on the real broker, with 4 partitions."""
    settings = Settings(brokers=kafka_broker, prefix=f"t{next(_numbers)}.", partitions=4, replication=1, min_insync=1)
    settings = dataclasses.replace(settings, app=f"app-{settings.prefix[:-1]}")
    topics.create(settings)
    return settings


@pytest.fixture(scope="session")
def secure_node(tmp_path_factory):
    """A real Kafka node with TLS, SCRAM-SHA-512 and an authorizer that denies by default."""
    node = KafkaNode(tmp_path_factory.mktemp("secure-kafka"), secure=True)
    yield node
    node.remove()


@pytest.fixture(scope="session")
def secure_settings(secure_node):
    """A function of a user's name and changes that gives settings for the secure node."""

    def settings(user, **changes):
        values = {
            "brokers": secure_node.brokers,
            "security_protocol": "SASL_SSL",
            "sasl_username": user,
            "sasl_password": Secret(USERS[user]),
            "ca_file": str(secure_node.ca_file),
            "partitions": 2,
            "replication": 1,
            "min_insync": 1,
        }
        return Settings(**(values | changes))

    return settings


@pytest.fixture(scope="session")
def registry_node(tmp_path_factory):
    """A real Schema Registry (Apicurio, in memory); `url` is its Confluent API."""
    node = RegistryNode(tmp_path_factory.mktemp("registry"))
    yield node
    node.stop()
