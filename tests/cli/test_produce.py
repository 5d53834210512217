"""`tropplein produce` sends a file's events, refuses what would do harm, and says how many went."""

import io
import json
import time
from datetime import UTC, datetime

import pytest

from streams.cli import main
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.reader import Reader
from streams.wire.decode import Decoder
from streams.wire.partition import partition_of

OLD = 1_420_110_000_000_000
"""1 January 2015, 11:00 UTC."""


def line(network, call_id, occurred_at, kind="OFFERED"):
    return json.dumps(
        {
            "network": network,
            "site": "paris",
            "call_id": call_id,
            "type": kind,
            "occurred_at": occurred_at,
            "switch": "sw",
        }
    )


def now():
    return time.time_ns() // 1000


@pytest.fixture
def broker(monkeypatch):
    with EmbeddedBroker() as embedded:
        settings = embedded.settings()
        monkeypatch.setenv("TROPPLEIN_BROKERS", settings.brokers)
        yield settings


@pytest.fixture
def sent(broker):
    """A function that returns what is in the log: (event, its record's time), of one network in order."""

    def read(network):
        partition = partition_of(network.encode(), 4)
        with Reader(broker, "call-events", partitions=(partition,)) as reader:
            decoder = Decoder(partition, 4, {})
            return [
                pair for run in reader for pair in zip(decoder.decode(run.batch), run.batch.appended_at, strict=True)
            ]

    return read


def file(tmp_path, *lines):
    path = tmp_path / "events.ndjson"
    path.write_text("".join(each + "\n" for each in lines))
    return str(path)


def test_every_event_arrives_in_order_in_its_networks_partition(broker, sent, tmp_path, capsys):
    path = file(tmp_path, line("msf", "a", now()), "", line("bank", "b", now()), line("msf", "a", now(), "ENDED"))
    assert main(["produce", path]) == 0
    assert capsys.readouterr().out == "sent 3 events of 2 networks to call-events\n"
    assert [(event.call_id, event.type, event.asks) for event, _ in sent("msf") if event.network == "msf"] == [
        ("a", "OFFERED", True),
        ("a", "ENDED", False),
    ]


def test_standard_input_is_a_dash_and_machines_get_json(broker, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(line("msf", "a", datetime.now(UTC).isoformat()) + "\n"))
    assert main(["produce", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"topic": "call-events", "sent": 1, "networks": {"msf": 1}}


def test_history_is_refused_for_a_live_network_and_taken_when_said(broker, sent, tmp_path, capsys):
    path = file(tmp_path, line("bank", "a", OLD), line("bank", "b", OLD))
    assert main(["produce", path]) == 2
    said = capsys.readouterr().err
    assert "hours old" in said and "say --clock events" in said and f"{path}:1" in said
    assert sent("bank") == []
    assert main(["produce", path, "--clock", "events"]) == 0
    assert [event.occurred_at for event, _ in sent("bank")] == [OLD, OLD]


def test_records_carry_the_time_of_sending_unless_times_are_kept(broker, sent, tmp_path):
    path = file(tmp_path, line("bank", "a", OLD))
    assert main(["produce", path, "--clock", "events"]) == 0
    assert main(["produce", path, "--clock", "events", "--keep-times"]) == 0
    (_, first), (_, second) = sent("bank")
    assert abs(first - now()) < 60_000_000
    assert second == OLD


def test_times_are_not_kept_where_the_brokers_replace_them(broker, sent, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("streams.kafka.topics.keeps_given_times", lambda settings: False)
    assert main(["produce", file(tmp_path, line("bank", "a", OLD)), "--clock", "events", "--keep-times"]) == 2
    assert "message.timestamp.type=LogAppendTime" in capsys.readouterr().err
    assert sent("bank") == []


def test_a_line_that_says_nothing_sensible_is_named_and_what_came_before_has_gone(broker, sent, tmp_path, capsys):
    path = file(tmp_path, line("bank", "a", OLD), '{"network": "bank"}', line("bank", "b", OLD))
    assert main(["produce", path, "--clock", "events"]) == 2
    said = capsys.readouterr().err
    assert "1 events were sent before this" in said and f"{path}:2: " in said
    assert [event.call_id for event, _ in sent("bank")] == ["a"]


def test_a_partitions_tick_is_the_workers_own(broker, tmp_path, capsys):
    assert main(["produce", file(tmp_path, '{"control": "Tick"}'), "--clock", "events"]) == 2
    assert "is a partition's Tick: the worker appends those itself" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_a_refusal(broker, tmp_path, capsys):
    assert main(["produce", str(tmp_path / "absent")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
    path = tmp_path / "latin"
    path.write_bytes(b'{"network": "\xe9"}\n')
    assert main(["produce", str(path)]) == 2
    assert "is not UTF-8" in capsys.readouterr().err


def test_an_interruption_lets_what_was_read_arrive(broker, sent, monkeypatch, capsys):
    def lines():
        yield line("bank", "a", OLD)
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", lines())
    assert main(["produce", "-", "--clock", "events"]) == 130
    assert "1 events were sent before this" in capsys.readouterr().err
    assert [event.call_id for event, _ in sent("bank")] == ["a"]
