"""What the worker stores comes back as it was; a record that is another's, or torn, is told so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core import decisions, events, state
from streams.core.state import Snapshot
from streams.wire import state as stored
from streams.wire.framing import FramingWriter
from streams.wire.ledger import CALL_RECORDS, DEAD_LETTERS, DECISIONS, Count, HashState, Ledger
from streams.wire.refusals import Refusal
from tests.wire.samples import PREFIX
from tests.wire.test_encoders import PLAN
from tests.wire.test_ledger import DECISION, RECORD

HASHES = HashState(b"i" * 32, (b"one", b"two"), b"c" * 32)
ATTEMPT = decisions.Attempt(1, "ADMIT", "paris", None, "ROOM", 5, *(None,) * 7)
CALL = state.CallState(
    **{
        **dict.fromkeys(state.CallState._fields),
        "call_id": "c",
        "ordinal": 1,
        "phase": "TALKING",
        "site": "paris",
        "switch": "sw-1",
        "channels": 1,
        "asked": 1,
        "decided": ATTEMPT,
        "past": (ATTEMPT, ATTEMPT),
        "returned": ("transcom",),
        "hold_us": 0,
        "version": 0,
        "resources": (decisions.Held("TRUNK", "t2", 1, None),),
        "end_estimated": False,
        "suspect": False,
        "tombstone": True,
        "seen_at": 1,
        "due_at": 1 << 62,
    }
)
TARGET = state.TargetState(
    *("paris", None, 5, None, 1, 2, 3, (state.Decided(None, "TOO_LATE", 3), state.Decided("ADMIT", "ROOM", 1))),
    *((state.Excess("TRANSFER", 2),), *range(7)),
)
PARTIAL = state.PartialSnapshot(
    "sw-1", "i", 3, 5, None, 8, 6, (1, 3), (events.SnapshotCall("c", "paris", answered=True),)
)
HEAD = state.HeadState(
    *("msf", 1, "4f2a", 1_762_160_000_000_000, 1, 5, 6, 20_000, (TARGET,), (state.SwitchState("sw-1", None, 3),)),
    *((PARTIAL,), (state.Count("late", 3),)),
)
MARKER = stored.Marker(9, 7, "topic", 12, 1, 1, "0.1.0", {DECISIONS: Count(3, 9, 1)}, {DEAD_LETTERS: Count(0, -1, -1)})


def back(message):
    assert message.kind == stored.STATE
    return stored.read(message.key, message.value)


def test_each_record_comes_back_as_it_was():
    assert back(stored.head(HEAD, HASHES)) == stored.Head(HEAD, HASHES)
    assert back(stored.plan("msf", PLAN)) == stored.PlanRecord("msf", PLAN)
    assert back(stored.bucket("msf", 3, (CALL,))) == stored.Bucket("msf", 3, (CALL,))
    assert back(stored.schema_id(7, (1 << 64) - 1)) == stored.SchemaId(7, (1 << 64) - 1)
    assert back(stored.marker(MARKER)) == MARKER


def test_keys_do_not_collide_with_networks_of_any_name():
    keys = [
        stored.head(HEAD._replace(network="m/marker"), HASHES).key,
        stored.plan("m/marker", PLAN).key,
        stored.bucket("msf", 63, (CALL,)).key,
        stored.schema_id(7, 1).key,
        stored.marker(MARKER).key,
    ]
    assert keys == [b"n/m/marker/h", b"p/m/marker", b"n/msf/b/63", b"s/7", b"m/marker"]


def test_an_empty_bucket_is_deleted():
    assert stored.bucket("msf", 3, ())[:3] == (stored.STATE, b"n/msf/b/3", None)


def test_a_record_under_another_key_is_refused():
    with pytest.raises(stored.StateError, match="stands under key"):
        stored.read(b"n/bank/h", stored.head(HEAD, HASHES).value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"{}", "starts neither"),
        (b"\0\0\0\0\1body", "not written with a schema of the state"),
        (b"\xc3\x01" + b"x" * 8, "not written with a schema of the state"),
        (PREFIX + b"body", "not written with a schema of the state"),
        (stored.marker(MARKER).value[:-3], "StateMarker cannot be read"),
        (stored.checkpoint(Snapshot(HEAD, None, {}), HASHES, partition=1, offset=2)[0].value, "no record of the state"),
    ],
)
def test_what_is_no_state_is_told_so(value, words):
    with pytest.raises(stored.StateError, match=words):
        stored.read(b"m/marker", value)


@pytest.mark.parametrize("plan", [None, PLAN])
def test_a_checkpoint_comes_back_whole(plan):
    snapshot = Snapshot(HEAD, plan, {3: (CALL,), 4: (), 1: (CALL, CALL)})
    messages = stored.checkpoint(snapshot, HASHES, partition=3, offset=9)
    assert {(message.kind, message.key) for message in messages} == {(stored.CHECKPOINTS, b"msf")}
    assert len(messages) == (3 if plan is None else 4)
    found = stored.read_checkpoint([message.value for message in messages])
    assert found == stored.Checkpoint(3, 9, Snapshot(HEAD, plan, {1: (CALL, CALL), 3: (CALL,)}), HASHES)


def test_a_checkpoint_that_is_not_whole_is_told_so():
    first = stored.checkpoint(Snapshot(HEAD, PLAN, {3: (CALL,)}), HASHES, partition=3, offset=9)
    other = stored.checkpoint(Snapshot(HEAD, PLAN, {3: (CALL, CALL)}), HASHES, partition=3, offset=9)
    values, others = ([message.value for message in messages] for messages in (first, other))
    for broken, words in (
        ([], "its head and the parts"),
        (values[1:], "its head and the parts"),
        ([*values, stored.marker(MARKER).value], "its head and the parts"),
        (values[:2], "not the 3 parts"),
        ([values[0], values[2], values[1]], "not the 3 parts"),
        ([*values[:2], others[2]], "not what its hash was taken of"),
    ):
        with pytest.raises(stored.StateError, match=words):
            stored.read_checkpoint(broken)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 5), st.booleans())
def test_the_source_of_a_tail_is_its_count_and_position(before, numbered):
    names = ("Decision", "CallRecord", "SiteState", "DeadLetter")
    ledger = Ledger(3, FramingWriter({name: at for at, name in enumerate(names)} if numbered else None))
    ledger.accept("msf", b"event")
    refusal = Refusal("EMPTY", "", sealed=False)
    for offset in range(before + 1):
        messages = [*ledger.write(offset, [DECISION, RECORD]), ledger.dead_letter(offset, 1, None, None, refusal)]
    assert [message.kind for message in messages] == [DECISIONS, CALL_RECORDS, DEAD_LETTERS]
    assert {message.kind: stored.source_of(message.kind, message.value) for message in messages} == ledger.counts


def test_a_tail_of_another_record_is_told_so():
    for value in (PREFIX + b"x", b"\0\0\0\0\1\xff"):
        with pytest.raises(stored.StateError, match="no Decision this version knows"):
            stored.source_of(DECISIONS, value)
