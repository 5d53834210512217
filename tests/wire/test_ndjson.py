"""Events as lines of JSON and back; what a log would refuse is refused here in the same words."""

import json

import pytest
from hypothesis import given, settings

from streams.core.events import CallEvent, ControlEvent, Tick
from streams.wire.ndjson import BadLine, event_to_line, output_to_line, read_event
from tests.wire.samples import EVENT, call_events
from tests.wire.test_encoders import BODIES, PLAN
from tests.wire.test_ledger import DECISION, RECORD, STATE

LEAST = {"network": "n", "site": "s", "call_id": "c", "type": "OFFERED", "occurred_at": 5, "switch": "w"}


def line(**changes):
    return json.dumps({**LEAST, **changes})


@settings(deadline=None, max_examples=50)
@given(call_events)
def test_a_call_event_comes_back_as_it_was(event):
    text = event_to_line(event)
    assert "\n" not in text
    assert read_event(text) == event


@pytest.mark.parametrize(
    "body", [body for body in BODIES if type(body).__name__ != "Migrated"], ids=lambda b: type(b).__name__
)
def test_a_control_event_comes_back_as_it_was(body):
    event = ControlEvent("msf", 5, body)
    text = event_to_line(event)
    assert json.loads(text)["control"] == type(body).__name__
    assert read_event(text) == event


def test_a_partitions_tick_has_neither_network_nor_instant():
    assert event_to_line(ControlEvent(None, None, Tick())) == '{"control":"Tick"}'
    assert read_event('{"control": "Tick"}') == ControlEvent(None, None, Tick())


def test_a_reserved_body_is_written_in_hexadecimal_and_refused():
    text = event_to_line(ControlEvent("msf", 5, BODIES[-1]))
    assert json.loads(text)["chain"] == "68" * 32
    with pytest.raises(BadLine, match="RESERVED"):
        read_event(text)


@pytest.mark.parametrize(("type_", "asks"), [("OFFERED", True), ("ANSWERED", False), ("ENDED", False)])
def test_a_line_without_asks_is_a_question_if_it_is_an_offer(type_, asks):
    assert read_event(line(type=type_)).asks is asks
    assert read_event(line(type=type_, asks=not asks)).asks is not asks


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-11-09T20:15:00.5+01:00", 1_762_715_700_500_000),
        ("2025-11-09t19:15:00.500001z", 1_762_715_700_500_001),
        ("2025-11-09 19:15:00Z", 1_762_715_700_000_000),
        (1_762_715_700_500_000, 1_762_715_700_500_000),
    ],
)
def test_instants_are_microseconds_or_rfc_3339(text, at):
    assert read_event(line(occurred_at=text)).occurred_at == at


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        (line(sites=1), "there is no field sites"),
        (json.dumps({name: value for name, value in LEAST.items() if name != "switch"}), "switch is missing"),
        (line(site=5), "site is not a string"),
        (line(site="\ud800"), "surrogate"),
        (line(site=None), "site is not a string"),
        (line(type="offered"), "type is none of OFFERED, QUEUED"),
        (line(type=3), "type is none of"),
        (line(occurred_at=True), "occurred_at is not a whole number"),
        (line(occurred_at=1.5), "occurred_at is not a whole number"),
        (line(occurred_at=1 << 63), "does not fit into 64 bits"),
        (line(occurred_at="2025-11-09T20:15:00"), "RFC 3339"),
        (line(occurred_at="2025-13-09T20:15:00Z"), "RFC 3339"),
        (line(occurred_at="yesterday"), "RFC 3339"),
        (line(occurred_at=-1), "BAD_TIME: occurred_at"),
        (line(asks=1), "asks is neither true nor false"),
        (line(cause=200), "BAD_VALUE: cause"),
        (line(caller="0612345678"), "BAD_CALLER"),
        (line(call_id="0612345678"), "BAD_ID: call_id"),
        ('{"control": "Dance"}', "control is one of CallReleased"),
        ('{"control": 5}', "control is one of"),
        ('{"control": "Override", "network": "n", "occurred_at": 5}', "scope is missing"),
        ('{"control": "SwitchStarted", "switch": "s", "epoch": 5}', "BAD_VALUE: network and occurred_at"),
        ('{"control": "SwitchSnapshot", "calls": 5}', "switch is missing"),
    ],
)
def test_a_wrong_line_is_refused_with_a_sentence(text, words):
    with pytest.raises(BadLine, match=words):
        read_event(text)


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        (5, "calls is not a list"),
        ([5], r"calls\[0\] is not an object"),
        ([{"call_id": "c"}], r"calls\[0\].site is missing"),
        ([{"call_id": "c", "site": "s", "x": 1}], r"there is no field calls\[0\].x"),
    ],
)
def test_the_place_of_a_fault_is_named(calls, words):
    snapshot = {"switch": "s", "snapshot_id": "i", "part": 1, "parts": 1, "as_of": 5, "calls": calls}
    with pytest.raises(BadLine, match=words):
        read_event(json.dumps({"control": "SwitchSnapshot", "network": "n", "occurred_at": 5, **snapshot}))


@pytest.mark.parametrize("chain", ["zz" * 32, "68", 5])
def test_bytes_are_hexadecimal_and_of_their_length(chain):
    body = {"control": "Migrated", "network": "n", "occurred_at": 5, "from_prefix": "a", "from_partition": 1}
    with pytest.raises(BadLine, match="chain is not 32 bytes in hexadecimal"):
        read_event(json.dumps({**body, "chain": chain}))


def test_outputs_are_lines_with_every_field():
    for output in (DECISION, RECORD, STATE):
        found = json.loads(output_to_line(output))
        assert list(found) == list(output._fields)
    from streams.core.decisions import Considered

    decided = DECISION._replace(considered=(Considered("paris", "ROOM", 3),))
    assert json.loads(output_to_line(decided))["considered"] == [{"target": "paris", "reason": "ROOM", "room": 3}]


def test_nulls_are_left_out_of_an_events_line():
    assert json.loads(event_to_line(EVENT)).keys() == {*LEAST, "asks"}
    assert isinstance(read_event(event_to_line(EVENT)), CallEvent)
    assert PLAN.network == "msf"
