"""The commands about topics, schemas and events on a real broker and registry, as a person types them."""

import dataclasses
import json

import pytest

from streams.cli import main
from streams.kafka import topics
from streams.kafka.reader import Reader
from streams.kafka.registry import Registry, Translations
from streams.kafka.topics import CALL_EVENTS
from streams.settings import Settings
from streams.wire.decode import Decoder


@pytest.fixture
def typed(kafka_broker, registry_node, monkeypatch, capsys, request):
    """Type a command with the environment set for the real parts; returns its exit code and what it printed."""
    prefix = f"{request.node.name[5:35]}."
    for name, value in {
        "BROKERS": kafka_broker,
        "PREFIX": prefix,
        "PARTITIONS": "4",
        "REPLICATION": "1",
        "MIN_INSYNC": "1",
    }.items():
        monkeypatch.setenv(f"TROPPLEIN_{name}", value)

    def command(*words):
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    command.prefix = prefix
    command.settings = Settings(brokers=kafka_broker, prefix=prefix, partitions=4, replication=1, min_insync=1)
    return command


def test_topics_are_created_and_checked(typed, monkeypatch):
    code, printed = typed("topics", "check")
    assert code == 1
    assert printed.count("does not exist: run `tropplein topics create`") == 7
    code, printed = typed("topics", "create")
    assert (code, printed.count(f"created {typed.prefix}")) == (0, 7)
    code, printed = typed("topics", "check")
    assert (code, printed) == (0, "7 topics of 4 partitions are as they must be\n")
    monkeypatch.setenv("TROPPLEIN_PARTITIONS", "5")
    code, printed = typed("topics", "check", "--json")
    assert (code, len(json.loads(printed)["differences"])) == (1, 7)


def test_with_the_defaults_a_single_broker_is_refused_with_the_settings_that_help(typed, monkeypatch):
    monkeypatch.delenv("TROPPLEIN_REPLICATION")
    monkeypatch.delenv("TROPPLEIN_MIN_INSYNC")
    code, printed = typed("topics", "create")
    assert code == 2
    assert "set TROPPLEIN_REPLICATION=1 and TROPPLEIN_MIN_INSYNC=1" in printed


def test_schemas_are_registered_and_checked(typed, registry_node, monkeypatch):
    monkeypatch.setenv("TROPPLEIN_REGISTRY_URL", registry_node.url)
    code, printed = typed("schemas", "check")
    assert code == 1 and "version 1 is not registered" in printed
    code, printed = typed("schemas", "register")
    assert code == 0 and "CallEvent is schema " in printed
    assert typed("schemas", "check") == (0, f"every schema is registered at {registry_node.url}\n")
    assert len(Registry(Settings(registry_url=registry_node.url, prefix=typed.prefix)).ids()) >= 6


def test_a_call_events_topic_with_the_brokers_time_keeps_no_given_times(typed):
    topics.create(typed.settings)
    assert not topics.keeps_given_times(typed.settings)
    assert typed.settings.topic(CALL_EVENTS).endswith("call-events")


def test_a_file_goes_to_the_log_in_the_registrys_framing_and_reads_back(typed, registry_node, monkeypatch, tmp_path):
    monkeypatch.setenv("TROPPLEIN_REGISTRY_URL", registry_node.url)
    typed("topics", "create")
    file = tmp_path / "events.ndjson"
    event = {"network": "bank", "site": "bank", "call_id": "vru/1", "type": "OFFERED", "switch": "vru"}
    file.write_text(json.dumps(event | {"occurred_at": "1999-02-01T08:00:00Z"}) + "\n")
    code, printed = typed("produce", str(file), "--clock", "events")
    assert code == 2 and "run `tropplein schemas register`" in printed
    typed("schemas", "register")
    code, printed = typed("produce", str(file), "--clock", "events", "--keep-times")
    assert code == 2 and "LogAppendTime" in printed
    code, printed = typed("produce", str(file), "--clock", "events")
    assert (code, printed) == (0, f"sent 1 events of 1 networks to {typed.prefix}call-events\n")
    settings = dataclasses.replace(typed.settings, registry_url=registry_node.url)
    with Reader(settings, settings.topic(CALL_EVENTS), key=b"bank") as reader:
        ((partition, batch),) = list(reader)
    assert batch.values[0][0] == 0, "Confluent's framing"
    (found,) = Decoder(partition, 4, dict_of(settings, batch.values[0])).decode(batch)
    assert (found.call_id, found.asks, found.occurred_at) == ("vru/1", True, 917_856_000_000_000)
    assert typed("decisions", "--network", "bank") == (0, "")


def dict_of(settings, value):
    """The table that a worker would keep: the number in a value, and what the registry says it stands for."""
    number = int.from_bytes(value[1:5], "big")
    return {number: Translations(settings)[number]}
