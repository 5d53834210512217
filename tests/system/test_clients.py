"""Both client libraries reach a secure broker from one Settings, and what is wrong is said instead of timed out."""

import asyncio
import dataclasses
import subprocess
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.kafka import clients, topics
from streams.kafka.clients import KafkaTrouble, Trouble
from streams.kafka.publisher import Publisher
from streams.kafka.reader import Reader
from streams.settings import Secret


@pytest.fixture(scope="module")
def topic_set(secure_settings):
    """The topics of prefix `calls.`, made by the administrator; worker may use them, stranger may not."""
    admin_settings = secure_settings("admin", prefix="calls.")
    topics.create(admin_settings)
    worker = "User:worker"
    rights = [
        (ResourceType.TOPIC, "calls.", AclOperation.READ),
        (ResourceType.TOPIC, "calls.", AclOperation.WRITE),
        (ResourceType.TOPIC, "calls.", AclOperation.DESCRIBE),
        (ResourceType.GROUP, "tropplein", AclOperation.READ),
        (ResourceType.TRANSACTIONAL_ID, "tropplein-", AclOperation.WRITE),
        (ResourceType.TRANSACTIONAL_ID, "tropplein-", AclOperation.DESCRIBE),
    ]
    bindings = [
        AclBinding(kind, name, ResourcePatternType.PREFIXED, worker, "*", operation, AclPermissionType.ALLOW)
        for kind, name, operation in rights
    ]
    admin = AdminClient(clients.admin_config(admin_settings))
    for future in admin.create_acls(bindings).values():
        future.result()
    return admin_settings


@pytest.fixture
def worker(secure_settings, topic_set):
    return secure_settings("worker", prefix="calls.")


def test_librdkafka_clients_write_read_and_transact_over_tls_with_a_login(worker):
    topic = worker.topic("decisions")
    with Publisher(worker, lambda value: (b"n", value), topic=topic) as publisher:
        publisher.send(b"plain", partition=0)
    producer = Producer(clients.transactional_config(worker, 0))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"transactional", partition=0)
    producer.commit_transaction(10)
    with Reader(worker, topic, partitions=(0,)) as reader:
        assert [value for run in reader for value in run.batch.values] == [b"plain", b"transactional"]


def test_aiokafka_clients_write_and_read_with_the_same_settings(worker):
    topic = worker.topic("call-events")

    async def there_and_back():
        options = clients.aiokafka_options(worker)
        producer = AIOKafkaProducer(**options)
        await producer.start()
        try:
            await producer.send_and_wait(topic, b"event", partition=1)
        finally:
            await producer.stop()
        consumer = AIOKafkaConsumer(topic, group_id=worker.app, auto_offset_reset="earliest", **options)
        await consumer.start()
        try:
            return (await asyncio.wait_for(consumer.getone(), 20)).value
        finally:
            await consumer.stop()

    assert asyncio.run(there_and_back()) == b"event"


def test_a_wrong_password_is_a_sentence_at_once_and_not_a_time_out(worker):
    wrong = dataclasses.replace(worker, sasl_password=Secret("canary"))
    begun = time.monotonic()
    with pytest.raises(KafkaTrouble, match="the brokers refuse the login of 'worker': check sasl_username") as caught:
        clients.reach(wrong, timeout_s=30)
    assert time.monotonic() - begun < 10
    assert not caught.value.retriable
    assert "canary" not in str(caught.value)
    with pytest.raises(KafkaTrouble, match="the brokers refuse the login"):
        Publisher(wrong, lambda value: (None, value), topic="calls.decisions")
    with pytest.raises(KafkaTrouble, match="the brokers refuse the login"):
        Reader(wrong, "calls.decisions")
    assert time.monotonic() - begun < 15


def test_a_transactional_producer_with_a_wrong_password_keeps_the_reason(worker):
    wrong = dataclasses.replace(worker, sasl_password=Secret("canary"))
    trouble = Trouble(wrong)
    producer = Producer(clients.transactional_config(wrong, 0, trouble))
    from confluent_kafka import KafkaException

    with pytest.raises(KafkaException) as caught:
        producer.init_transactions(3)
    producer.poll(0)
    assert trouble.final
    assert "refuse the login of 'worker'" in str(trouble.error("opening partition 0", caught.value.args[0]))


def test_a_certificate_of_another_authority_is_a_sentence(worker, tmp_path):
    other = tmp_path / "other.crt"
    key = tmp_path / "other.key"
    subject = ["-subj", "/CN=another-authority"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", other]
    subprocess.run([*make, *subject], check=True, capture_output=True)
    with pytest.raises(KafkaTrouble, match=r"TLS with localhost:[0-9]+ failed: check ca_file") as caught:
        clients.reach(dataclasses.replace(worker, ca_file=str(other)), timeout_s=20)
    assert not caught.value.retriable


def test_plaintext_to_a_secure_listener_fails_with_a_hint_at_the_protocol(worker):
    plain = dataclasses.replace(worker, security_protocol="PLAINTEXT", sasl_username="", sasl_password=Secret(""))
    with pytest.raises(KafkaTrouble, match="is security_protocol the one it speaks"):
        clients.reach(plain, timeout_s=3)


def test_a_login_without_rights_is_told_so(secure_settings, topic_set):
    stranger = secure_settings("stranger", prefix="calls.")
    with pytest.raises(KafkaTrouble, match="has no right to a topic: ask for an ACL"):
        Publisher(stranger, lambda value: (None, value), topic="calls.call-events")
    with pytest.raises(KafkaTrouble, match="has no right to a topic"):
        Reader(stranger, "calls.decisions")


def test_a_worker_may_not_create_topics_and_is_told_so(secure_settings, topic_set):
    worker = secure_settings("worker", prefix="calls.more.")
    with pytest.raises(KafkaTrouble, match=r"creating calls\.more\..*(has no right|[Aa]uthorization)"):
        topics.create(worker)
