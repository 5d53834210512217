"""Columns repeat the verdict of the record-by-record reader: the same values and the same refusals, for any bytes."""

import hashlib
import importlib
import sys
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.core.events import CallEvent
from streams.wire import columns, decode
from streams.wire.contract import CONTRACT
from streams.wire.decode import Decoder
from tests.wire.samples import (
    EVENT,
    FULL,
    PREFIX,
    batch_of,
    call_events,
    control_value,
    encode_call,
    plain_events,
    value_of,
)

SCHEMA = CONTRACT.newest("CallEvent")


def one_by_one(records):
    decoder = Decoder(0, 1, {})
    return [decoder._one(at, key, value) for at, (key, value) in enumerate(records)]


def in_columns(records, decoder=None):
    """Decode with columns for runs of any length; also say how many records columns gave."""
    given_by_columns = []
    read = columns.Columns.read

    def counted(self, networks, bodies, size):
        found = read(self, networks, bodies, size)
        given_by_columns.extend(found or ())
        return found

    with patch.object(decode, "COLUMNS_FROM", 1), patch.object(columns.Columns, "read", counted):
        return (decoder or Decoder(0, 1, {})).decode(batch_of(records)), len(given_by_columns)


def agree(records):
    """Both ways, for the whole batch and for every split into two, give equal values of equal types."""
    expected = one_by_one(records)
    whole, _ = in_columns(records)
    assert whole == expected
    assert [type(one) for one in whole] == [type(one) for one in expected]
    for at in {1, len(records) // 2, len(records) - 1} - {0}:
        halves = in_columns(records[:at])[0] + in_columns(records[at:])[0]
        assert halves == expected


def pair(event):
    return event.network.encode(), value_of(event)


@settings(max_examples=60, deadline=None)
@given(st.lists(call_events, min_size=1, max_size=12))
def test_every_event_that_is_accepted_comes_out_of_columns(events):
    found, counted = in_columns([pair(event) for event in events])
    assert found == events
    assert counted == len(events)
    assert {type(event) for event in found} == {CallEvent}


@settings(max_examples=60, deadline=None)
@given(st.lists(plain_events, min_size=1, max_size=40))
def test_events_whose_last_fields_are_null_come_out_of_columns(events):
    found, counted = in_columns([pair(event) for event in events])
    assert found == events
    assert counted == len(events)


@st.composite
def broken(draw):
    """A run in which some bytes are not as they were written."""
    records = [pair(event) for event in draw(st.lists(plain_events | call_events, min_size=2, max_size=10))]
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(records) - 1))
        key, value = records[at]
        where = draw(st.integers(len(PREFIX), len(value)))
        change = draw(st.sampled_from(["set", "set", "index", "insert", "remove", "cut", "shift", "append", "any"]))
        if change == "set":
            value = value[:where] + draw(st.binary(min_size=1, max_size=1)) + value[where + 1 :]
        elif change == "index":  # one of the bytes that may be a union index becomes another index
            twos = [i for i, byte in enumerate(value) if byte == 2 and i >= len(PREFIX)]
            where = draw(st.sampled_from(twos or [len(value) - 1]))
            value = (
                value[:where] + draw(st.sampled_from([b"\1", b"\3", b"\4", b"\x82\0", b"\x80\0"])) + value[where + 1 :]
            )
        elif change == "insert":
            value = value[:where] + draw(st.binary(min_size=1, max_size=4)) + value[where:]
        elif change == "remove":
            value = value[:where] + value[where + 1 :]
        elif change == "cut":
            value = value[:where]
        elif change == "append":
            value += draw(st.binary(min_size=1, max_size=4))
        elif change == "any":
            value = PREFIX + draw(st.binary(max_size=40))
        elif at + 1 < len(records):  # the neighbour gets the last bytes, as if the boundary lay earlier
            after_key, after = records[at + 1]
            records[at + 1] = after_key, PREFIX + value[where:] + after[len(PREFIX) :]
            value = value[:where]
        records[at] = key, value
    return records


@settings(max_examples=150, deadline=None)
@given(broken())
@example([pair(EVENT), (b"msf", value_of(EVENT)[:-1])])
def test_broken_bytes_give_the_same_values_and_the_same_refusals(records):
    agree(records)


@st.composite
def refused(draw):
    """A run with a value that Avro can hold but no event may."""
    records = [pair(event) for event in draw(st.lists(plain_events, min_size=2, max_size=6))]
    change = draw(
        st.sampled_from(
            [
                {"call_id": "a/0612345678"},
                {"call_id": "0033612345678"},
                {"call_id": ""},
                {"call_id": "x" * 201},
                {"call_id": "é" * 101},
                {"correlation_id": "33612345678"},
                {"correlation_id": ""},
                {"site": "0612345678"},
                {"trunk": ""},
                {"switch": "y" * 201},
                {"dialled": "y" * 201},
                {"caller": "0612345678"},
                {"caller": ""},
                {"caller": "pk:abcdefghijklmnopqrstuv\n"},
                {"occurred_at": -1},
                {"epoch": 7_258_118_400_000_001},
                {"sequence": -1},
                {"attempt": 0},
                {"attempt": 1 << 31},
                {"cause": 128},
                {"priority": 1 << 33},
            ]
        )
    )
    at = draw(st.integers(0, len(records)))
    records.insert(at, pair(EVENT._replace(**change)))
    return records


@settings(max_examples=60, deadline=None)
@given(refused())
def test_values_that_may_not_be_give_the_same_refusals(records):
    agree(records)


@settings(deadline=None)
@given(st.lists(st.sampled_from(list("0123456789/a é")), max_size=30).map("".join))
def test_columns_and_records_see_the_same_telephone_numbers(text):
    agree([pair(EVENT), pair(EVENT._replace(call_id=text or "-")), pair(EVENT)])


def test_a_record_that_polars_reads_beside_its_neighbour_is_refused_and_its_neighbour_is_not():
    # Two bodies whose joined bytes are two other valid bodies: Polars reads them without a word.
    first, second = encode_call(EVENT), encode_call(EVENT._replace(call_id="sw-1/78"))
    both = first + second
    shifted = [(b"msf", PREFIX + both[: len(first) - 3]), (b"msf", PREFIX + both[len(first) - 3 :])]
    good = pair(EVENT)
    found, _ = in_columns([good, *shifted, good])
    assert [getattr(one, "reason", "event") for one in found] == ["event", "BAD_AVRO", "BAD_AVRO", "event"]
    assert found[0] == found[3] == EVENT


def test_a_record_that_ends_inside_its_guard_is_found_by_the_guard():
    # The last byte of the first record stands in front of the second's fields. Some call id gives a guard that starts
    # with the very byte that is missing: sizes and counts are then right, and only the place of the guard is not.
    busy = EVENT._replace(return_reason="NO_ANSWER")
    head = len(encode_call(busy)[:4])
    for nonce in range(20_000):
        first, second = (encode_call(busy._replace(call_id=f"sw-1/{nonce}.{at}"))[head:] for at in (1, 2))
        if hashlib.sha256(first + second).digest()[:1] == first[-1:]:
            break
    else:
        pytest.fail("no call id gives the guard that is wanted")
    network = encode_call(busy)[:head]
    records = [(b"msf", PREFIX + network + first[:-1]), (b"msf", PREFIX + network + first[-1:] + second)]
    found, counted = in_columns(records)
    assert [one.reason for one in found] == ["BAD_AVRO", "BAD_AVRO"]
    assert counted == 0


def body_with(index):
    """The body of an event whose trunk has another union index than 1."""
    body = encode_call(EVENT._replace(trunk="t2"))
    at = body.index(b"\2\4t2")
    return body[:at] + index + body[at + 1 :]


@pytest.mark.parametrize("index", [b"\1", b"\3", b"\4", b"\x7f", b"\x82\0"])
def test_a_union_index_that_polars_takes_for_a_value_is_refused(index):
    found, counted = in_columns([pair(EVENT), (b"msf", PREFIX + body_with(index)), pair(EVENT)])
    assert [getattr(one, "reason", "event") for one in found] == ["event", "BAD_AVRO", "event"]
    assert counted == 2


def test_a_missing_index_is_not_made_up_for_by_the_same_byte_elsewhere():
    # The second record's call id holds byte 02 once more than its neighbour lacks it.
    records = [(b"msf", PREFIX + body_with(b"\4")), pair(EVENT._replace(call_id="sw-1/\x02"))]
    found, _ = in_columns(records)
    assert [getattr(one, "reason", "event") for one in found] == ["BAD_AVRO", "event"]


@pytest.mark.parametrize(
    ("usual", "longer"),
    [
        (b"\x0aparis", b"\x8a\0paris"),  # a string's length
        (b"\2\x4e", b"\2\xce\0"),  # a number
        (b"\2\x4e", b"\2\xce" + b"\x80" * 8 + b"\2"),  # one whose tenth byte looks like the index of a value
        (b"sw-1\1", b"sw-1\x81\0"),  # a boolean
    ],
)
def test_an_encoding_longer_than_need_be_is_refused(usual, longer):
    event = EVENT._replace(sequence=39)
    body = encode_call(event)
    assert body.count(usual) == 1
    odd = body.replace(usual, longer)
    records = [pair(event), (b"msf", PREFIX + odd), pair(event)]
    agree(records)
    assert getattr(in_columns(records)[0][1], "reason", "event") == "BAD_AVRO"


def test_numbers_are_not_cut_to_32_bits():
    found, counted = in_columns([pair(EVENT._replace(sequence=(1 << 32) + 5)), pair(EVENT)])
    assert found[0].sequence == (1 << 32) + 5
    assert counted == 2


def test_an_event_with_every_field_comes_out_as_it_went_in():
    found, counted = in_columns([pair(FULL)] * 3)
    assert found == [FULL] * 3
    assert counted == 3


def test_a_value_that_ends_in_a_zero_byte_is_not_taken_for_null():
    busy = EVENT._replace(return_reason="BUSY")
    zero = EVENT._replace(verdict_age_us=0)
    for events in (
        [busy, busy],
        [EVENT, busy],
        [zero, zero],
        [EVENT, zero, busy],
        [EVENT] * 21 + [busy] + [EVENT] * 20,
    ):
        found, counted = in_columns([pair(event) for event in events])
        assert found == events
        assert counted == len(events)


def test_one_bad_record_costs_only_its_neighbours_the_columns():
    records = [pair(EVENT)] * 99
    records.insert(40, (b"msf", value_of(EVENT) + b"\0"))
    given_by_columns = []
    read = columns.Columns.read

    def counted(self, networks, bodies, size):
        found = read(self, networks, bodies, size)
        given_by_columns.extend(found or ())
        return found

    with patch.object(columns.Columns, "read", counted):
        found = Decoder(0, 1, {}).decode(batch_of(records))
    assert found == one_by_one(records)
    assert 100 - len(given_by_columns) < 2 * decode.COLUMNS_FROM


def test_a_tick_among_calls_does_not_send_them_down_the_slow_path():
    from streams.core.events import ControlEvent, Tick

    tick = (None, control_value(ControlEvent(None, None, Tick())))
    found, counted = in_columns([pair(EVENT), tick, pair(EVENT)])
    assert found == [EVENT, ControlEvent(None, None, Tick()), EVENT]
    assert counted == 2


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_is_no_doubt(fatal):
    reader = columns.Columns(SCHEMA)
    with patch.object(columns, "_read_avro", side_effect=fatal), pytest.raises(fatal):
        reader.read(["msf"], [encode_call(EVENT)[4:]], len(encode_call(EVENT)) - 4)


def test_a_panic_is_doubt():
    class Panic(BaseException):
        pass

    reader = columns.Columns(SCHEMA)
    with patch.object(columns, "_read_avro", side_effect=Panic):
        assert reader.read(["msf"], [encode_call(EVENT)[4:]], len(encode_call(EVENT)) - 4) is None


def test_polars_is_imported_by_the_first_run_alone():
    import subprocess

    code = (
        "import sys\nfrom streams.wire.decode import Decoder\nfrom tests.wire.samples import *\n"
        "one = batch_of([(b'msf', value_of(EVENT))])\nDecoder(0, 1, {}).decode(one)\nassert 'polars' not in sys.modules\n"
        "many = batch_of([(b'msf', value_of(EVENT))] * 100)\nDecoder(0, 1, {}).decode(many)\nassert 'polars' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=importlib.import_module("tests.conftest").ROOT)


def test_names_are_checked_and_sized_once_and_only_so_many_are_held(monkeypatch):
    from streams.wire import varints

    checked = []
    monkeypatch.setattr(varints, "CACHED", 2)
    sizes = columns._Sizes(checked.append)
    assert [sizes[name] for name in ("a", "a", None, "bc", "d", "a")] == [
        *(2 + columns._TWO, 2 + columns._TWO, 0, 3),
        *(2 + columns._TWO, 2 + columns._TWO),
    ]
    assert checked == ["a", "bc", "d", "a"]
    assert len(sizes) <= 2


def test_the_record_reader_remembers_only_so_many_names(monkeypatch):
    from streams.wire import records, varints

    monkeypatch.setattr(varints, "CACHED", 2)
    check = records.string_check("site")
    for name in ("a", "b", "c", "a"):
        check(name)


@pytest.mark.parametrize("rows", [2, 40])
def test_a_value_shorter_than_its_key_leaves_the_whole_run_to_the_judge(rows):
    records = [pair(EVENT)] * (rows - 1) + [(b"bank", value_of(EVENT))]
    assert [getattr(one, "reason", "") for one in in_columns(records)[0]] == [""] * (rows - 1) + ["WRONG_KEY"]
