"""Numbers, hashes and counts of the outputs: the same for the worker and for a replay."""

import hashlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.decisions import CallRecord, Decision, SiteState
from streams.wire.framing import FramingWriter
from streams.wire.ledger import (
    CALL_RECORDS,
    DEAD_LETTERS,
    DECISIONS,
    PENDING_BYTES,
    PENDING_MOST,
    Count,
    HashState,
    Ledger,
    site_key,
)
from streams.wire.outputs import read_fields
from streams.wire.refusals import Refusal

DECISION = Decision("msf", "paris", "c", 1, None, "ADMIT", "paris", None, "ROOM", (), 0, 15, "4f2a", 1, 1_000_000)
RECORD = CallRecord(
    *("msf", "c", 1, None, "paris", *(None,) * 16, "LATE_EVENT", None, None, (), (), None, None, False, None)
)
STATE = SiteState(
    "msf", "paris", "SITE", 3, 12, None, 15, None, True, None, False, None, 0, "2025-11-09", *(0,) * 7, None
)
ZERO = bytes(32)
REFUSAL = Refusal("EMPTY", "the record has no value", sealed=False)


def ledger(**options):
    return Ledger(3, FramingWriter(), **options)


def fields(message):
    return read_fields(message.value)[1]


def folded(before, values):
    lengths = struct.pack(f">{len(values) + 1}I", len(values), *map(len, values))
    return hashlib.sha256(before + lengths + b"".join(values)).digest()


def test_outputs_are_numbered_over_the_partition_and_indexed_over_their_offset():
    book = ledger()
    for network in ("msf", "bank"):
        book.accept(network, b"event")
    first = book.write(7, [DECISION, RECORD, DECISION._replace(attempt=2)])
    more = book.write(7, [DECISION._replace(network="bank")], index=3)
    assert [(m.kind, m.key) for m in first + more] == [
        (DECISIONS, b"msf"),
        (CALL_RECORDS, b"msf"),
        (DECISIONS, b"msf"),
        (DECISIONS, b"bank"),
    ]
    found = [fields(message) for message in first + more]
    assert [(one["offset"], one["index"], one["sequence"]) for one in found] == [
        (7, 0, 0),
        (7, 1, 0),
        (7, 2, 1),
        (7, 3, 2),
    ]
    assert {one["partition"] for one in found} == {3}
    assert book.counts == {DECISIONS: Count(3, 7, 3), CALL_RECORDS: Count(1, 7, 1), DEAD_LETTERS: Count(0, -1, -1)}


def test_the_chain_can_be_recomputed_from_what_was_published():
    book = ledger()
    chain, input_hash = ZERO, ZERO
    for offset in range(5):
        events = [b"a" * offset, b"b"]
        for event in events:
            book.accept("msf", event)
        (message,) = book.write(offset, [DECISION])
        body = message.value[10:]
        input_hash = folded(input_hash, events)
        chain = hashlib.sha256(chain + body[:-32] + ZERO).digest()
        assert (body[-64:-32], body[-32:]) == (input_hash, chain)
        assert (fields(message)["input_hash"], fields(message)["chain"]) == (input_hash, chain)
    assert book.hashes("msf") == HashState(input_hash, (), chain)


def test_an_event_that_changes_no_decision_changes_the_hashes_all_the_same():
    chains = []
    for event in (b"one", b"two"):
        book = ledger()
        book.accept("msf", event)
        (message,) = book.write(1, [DECISION])
        chains.append(fields(message)["chain"])
    assert chains[0] != chains[1]


def test_networks_have_hashes_of_their_own():
    alone, beside = ledger(), ledger()
    beside.accept("bank", b"other")
    beside.write(0, [DECISION._replace(network="bank")])
    for book in (alone, beside):
        book.accept("msf", b"event")
        book.write(1, [DECISION])
    assert alone.hashes("msf").input_hash == beside.hashes("msf").input_hash


def test_a_network_that_was_never_seen_has_the_first_hashes():
    assert ledger().hashes("msf") == HashState(ZERO, (), ZERO)


def test_pending_events_stay_few_and_small():
    book = ledger()
    for at in range(PENDING_MOST - 1):
        book.accept("msf", b"%d" % at)
    assert len(book.hashes("msf").pending) == PENDING_MOST - 1
    book.accept("msf", b"last")
    assert book.hashes("msf").pending == ()
    book.accept("msf", b"x" * PENDING_BYTES)
    assert len(book.hashes("msf").pending) == 1
    book.accept("msf", b"x" * (PENDING_BYTES + 1))
    assert book.hashes("msf").pending == ()


steps = st.lists(
    st.tuples(
        st.sampled_from(["msf", "bank"]),
        st.integers(0, 1_100),
        st.lists(st.sampled_from([DECISION, RECORD]), max_size=2),
    ),
    max_size=80,
)


@settings(deadline=None, max_examples=50)
@given(steps, st.integers(0, 80))
def test_going_on_from_stored_counts_and_hashes_changes_nothing(steps, cut):
    whole, first, second = ledger(), ledger(), ledger()
    expected, got = [], []
    for offset, (network, size, outputs) in enumerate(steps):
        if offset == cut:
            second.restore_counts(first.counts)
            for name in ("msf", "bank"):
                second.restore_hashes(name, first.hashes(name))
        book = first if offset < cut else second
        own = [output._replace(network=network) for output in outputs]
        for each, messages in ((whole, expected), (book, got)):
            each.accept(network, b"x" * size)
            messages.extend(each.write(offset, own))
    assert got == expected


def test_kinds_that_are_not_wanted_are_neither_written_nor_counted():
    book = ledger(kinds={DECISIONS})
    book.accept("msf", b"event")
    (message,) = book.write(7, [RECORD, DECISION])
    assert fields(message)["index"] == 1
    assert book.counts[CALL_RECORDS].count == 0
    book = ledger(kinds={CALL_RECORDS})
    book.accept("msf", b"event")
    (message,) = book.write(7, [DECISION, RECORD])
    assert (fields(message)["index"], book.counts[DECISIONS].count) == (1, 0)
    with pytest.raises(ValueError, match="no such output: wishes"):
        ledger(kinds={"wishes"})


def test_site_states_say_as_of_which_offset_they_are():
    message = ledger().site_state(STATE, 9)
    assert message.key == site_key("msf", "paris") == b"msf/paris"
    found = fields(message)
    assert (found["partition"], found["offset"], found["day"]) == (3, 9, 20_401)


def test_dead_letters_are_numbered():
    book = ledger()
    messages = [book.dead_letter(offset, 5, b"k", None, REFUSAL) for offset in (4, 9)]
    assert [fields(message)["sequence"] for message in messages] == [0, 1]
    assert book.counts[DEAD_LETTERS] == Count(2, 9, 0)


def test_a_registrys_ids_stand_in_front_when_there_is_one():
    names = ("Decision", "CallRecord", "SiteState", "DeadLetter")
    book = Ledger(3, FramingWriter({name: at + 1 for at, name in enumerate(names)}))
    book.accept("msf", b"event")
    (message,) = book.write(1, [DECISION])
    other = ledger()
    other.accept("msf", b"event")
    (same,) = other.write(1, [DECISION])
    assert message.value[:5] == b"\0\0\0\0\1"
    assert message.value[5:] == same.value[10:]
