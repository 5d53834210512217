"""`tropplein decisions` prints what was published: one line a decision, or NDJSON."""

import json

import pytest

from streams.cli import main
from streams.core.decisions import Considered, Decision
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.publisher import Publisher
from streams.wire.framing import FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.ndjson import output_to_line
from streams.wire.partition import partition_of

DAY = 1_762_000_000_000_000


def decision(network, call_id, *, verdict="ADMIT", target="paris", reason="ROOM", attempt=1, limit=15):
    considered = (Considered("paris", reason, 3),)
    return Decision(
        network, "paris", call_id, attempt, None, verdict, target, None, reason, considered, 12, limit, "v1", 1, DAY
    )


@pytest.fixture(scope="module")
def broker():
    """Three decisions of two networks, published a day apart by the clock of the records."""
    with EmbeddedBroker() as embedded:
        settings = embedded.settings()
        with Publisher(settings, lambda pair: pair, topic=settings.topic("decisions")) as publisher:
            for offset, output in enumerate(
                [
                    decision("msf", "sw/1"),
                    decision("bank", "sw/2", limit=None),
                    decision("msf", "sw/3", verdict="OVERFLOW", target="transcom", reason="SITE_FULL", attempt=2),
                ]
            ):
                partition = partition_of(output.network.encode(), 4)
                ledger = Ledger(partition, FramingWriter())
                ledger.accept(output.network, b"event")
                (message,) = ledger.write(offset, [output])
                publisher.send(
                    (message.key, message.value), partition=partition, appended_at=DAY + offset * 86_400_000_000
                )
        yield settings


@pytest.fixture(autouse=True)
def settings(broker, monkeypatch):
    monkeypatch.setenv("TROPPLEIN_BROKERS", broker.brokers)


def test_a_line_says_when_which_call_where_to_and_why(capsys):
    assert main(["decisions", "--network", "msf"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2025-11-01T12:26:40.000Z  msf  paris  sw/1  ADMIT paris  ROOM  12/15 in progress",
        "2025-11-01T12:26:40.000Z  msf  paris  sw/3 attempt 2  OVERFLOW transcom  SITE_FULL  12/15 in progress",
    ]


def test_json_gives_every_field_and_hashes_in_hexadecimal(capsys):
    assert main(["decisions", "--json"]) == 0
    found = {line["call_id"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(found) == {"sw/1", "sw/2", "sw/3"}
    first = found["sw/1"]
    assert first["considered"] == [{"target": "paris", "reason": "ROOM", "room": 3}]
    assert (first["offset"], first["index"], first["sequence"], first["rules"]) == (0, 0, 0, 1)
    assert len(bytes.fromhex(first["chain"])) == len(bytes.fromhex(first["input_hash"])) == 32
    assert found["sw/2"]["limit"] is None


def test_but_for_its_place_a_json_line_is_what_deciding_offline_writes(capsys):
    assert main(["decisions", "--json", "--network", "bank"]) == 0
    printed = capsys.readouterr().out
    offline = output_to_line(decision("bank", "sw/2", limit=None))
    assert printed.startswith(offline.removesuffix("}") + ',"partition":')


def test_an_interval_is_of_the_time_of_publishing(capsys, monkeypatch):
    seen = {}
    from streams.kafka import reader

    class Spy(reader.Reader):
        def __init__(self, *args, from_at, to_at, **rest):
            seen.update(from_at=from_at, to_at=to_at)
            super().__init__(*args, **rest)

    monkeypatch.setattr(reader, "Reader", Spy)
    assert main(["decisions", "--from", "2025-11-01T12:26:40Z", "--to", "2025-11-02T00:00:00+01:00"]) == 0
    assert seen == {"from_at": DAY, "to_at": DAY + 38_000 * 1_000_000}


def test_follow_has_no_end(capsys):
    assert main(["decisions", "--follow", "--to", "2025-11-02"]) == 2
    assert "leave --to out" in capsys.readouterr().err


def test_what_is_no_decision_of_this_release_is_a_refusal(broker, capsys, monkeypatch):
    with EmbeddedBroker() as other:
        settings = other.settings()
        with Publisher(settings, lambda value: (b"k", value), topic="decisions") as publisher:
            publisher.send(b"\xc3\x01" + bytes(8), partition=0)
        monkeypatch.setenv("TROPPLEIN_BROKERS", settings.brokers)
        assert main(["decisions"]) == 2
    assert "decisions holds what this release cannot read" in capsys.readouterr().err
