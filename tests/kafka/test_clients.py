"""What the clients of both libraries are told, and what their errors become."""

import dataclasses
import ssl
import subprocess

import pytest
from confluent_kafka import KafkaError, Producer

from streams.kafka import clients
from streams.kafka.clients import KafkaTrouble, Trouble
from streams.settings import Secret, Settings

PLAIN = Settings()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")
    make = "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 1 -subj /CN=test"
    subprocess.run(["openssl", *make.split()], cwd=folder, check=True, capture_output=True)
    return str(folder / "ca.crt")


@pytest.fixture
def secure(ca_file):
    return Settings(
        brokers="kafka.example:9093, kafka2.example:9093",
        security_protocol="SASL_SSL",
        sasl_username="worker",
        sasl_password=Secret("canary"),
        ca_file=ca_file,
    )


def test_one_settings_gives_both_libraries_the_same_login_and_authority(secure, ca_file):
    ours = clients.producer_config(secure)
    theirs = clients.aiokafka_options(secure)
    assert ours["security.protocol"] == theirs["security_protocol"] == "SASL_SSL"
    assert ours["sasl.mechanism"] == theirs["sasl_mechanism"] == "SCRAM-SHA-512"
    assert ours["sasl.username"] == theirs["sasl_plain_username"] == "worker"
    assert ours["sasl.password"] == theirs["sasl_plain_password"] == "canary"
    assert ours["ssl.ca.location"] == ca_file
    assert theirs["bootstrap_servers"] == ["kafka.example:9093", "kafka2.example:9093"]
    context = theirs["ssl_context"]
    assert context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert [cert["subject"] for cert in context.get_ca_certs()] == [((("commonName", "test"),),)]


def test_without_tls_and_login_nothing_of_them_is_said():
    assert clients.aiokafka_options(PLAIN) == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }
    assert not [key for key in clients.consumer_config(PLAIN) if key.startswith(("sasl.", "ssl."))]


def test_a_certificate_file_that_is_none_is_refused_with_a_sentence(secure, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(KafkaTrouble, match="ca_file, cert_file or key_file cannot be used"):
        clients.aiokafka_options(dataclasses.replace(secure, ca_file=str(path)))


def test_every_configuration_is_one_that_librdkafka_takes(secure):
    from confluent_kafka import Consumer
    from confluent_kafka.admin import AdminClient

    for settings in (PLAIN, secure):
        Producer(clients.producer_config(settings))
        Producer(clients.transactional_config(settings, 3))
        Consumer(clients.consumer_config(settings)).close()
        AdminClient(clients.admin_config(settings))


def test_producers_wait_for_all_copies_partition_as_java_and_have_a_bounded_queue():
    config = clients.producer_config(PLAIN)
    assert (config["acks"], config["enable.idempotence"]) == ("all", True)
    assert config["partitioner"] == "murmur2_random"
    assert config["queue.buffering.max.messages"] == 20_000
    assert config["queue.buffering.max.kbytes"] == 32 * 1024


def test_the_transactional_id_is_of_the_partition_and_not_of_the_worker():
    config = clients.transactional_config(dataclasses.replace(PLAIN, app="calls"), 7)
    assert config["transactional.id"] == "calls-p7"
    assert config["transaction.timeout.ms"] == 10_000


def test_a_vague_time_out_gives_way_to_what_the_client_was_told():
    trouble = Trouble(PLAIN)
    timed_out = KafkaError(KafkaError._TIMED_OUT)
    assert "time" in str(trouble.error("reading", timed_out)).lower()
    trouble(KafkaError(KafkaError._AUTHENTICATION, "invalid credentials"))
    trouble(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    error = trouble.error("reading", timed_out)
    assert str(error).startswith("reading: the brokers refuse the login of ''")
    assert "invalid credentials" in str(error)
    assert trouble.final and not error.retriable


def test_a_clear_error_is_not_replaced_by_an_older_trouble():
    trouble = Trouble(PLAIN)
    trouble(KafkaError(KafkaError._TRANSPORT, "connection refused"))
    error = trouble.error("sending", KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    assert "has no right to a topic" in str(error) and not error.retriable


def test_a_broker_that_is_away_may_come_back_but_a_foreign_certificate_does_not():
    away = Trouble(PLAIN)
    away(KafkaError(KafkaError._TRANSPORT, "connection refused"))
    assert not away.final and away.error("reaching").retriable
    cut = Trouble(PLAIN)
    cut(KafkaError(KafkaError._SSL, "SSL handshake failed: Disconnected"))
    assert not cut.final
    foreign = Trouble(PLAIN)
    foreign(KafkaError(KafkaError._SSL, "certificate verify failed"))
    assert foreign.final and "check ca_file" in str(foreign.error("reaching"))


def test_without_any_answer_the_sentence_asks_whether_kafka_is_up():
    assert "no answer from 127.0.0.1:9092; is Kafka up?" in str(Trouble(PLAIN).error("reaching Kafka"))
