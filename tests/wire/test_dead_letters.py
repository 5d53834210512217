"""Dead letters are bounded, reproducible, and hold no number in clear."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.wire import dead_letters
from streams.wire.contract import CONTRACT
from streams.wire.dead_letters import read, without_sealed_value
from streams.wire.framing import FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.refusals import Refusal
from tests.wire.samples import EVENT, PREFIX, value_of

REFUSAL = Refusal("BAD_VALUE", "cause does not lie between 0 and 127", sealed=False)
SEALED = Refusal("BAD_CALLER", "caller is not a pseudonym", sealed=True)


def letter(value, refusal=REFUSAL, *, key=b"msf", seal=None):
    message = Ledger(3, FramingWriter(), seal=seal).dead_letter(7, 123, key, value, refusal)
    return message, read(message.value[10:])


def test_it_holds_the_value_and_says_why_and_where():
    value = value_of(EVENT)
    message, found = letter(value)
    assert found == dead_letters.DeadLetter(
        partition=3,
        offset=7,
        sequence=0,
        appended_at=123,
        key=b"msf",
        reason="BAD_VALUE",
        text=REFUSAL.text,
        schema_id=None,
        fingerprint=CONTRACT.newest("CallEvent").fingerprint.to_bytes(8, "little"),
        length=len(value),
        sealed=False,
        sha256=hashlib.sha256(value).digest(),
        value=value,
        sealed_value=None,
    )
    assert message.key == b"msf"
    assert dict(message.headers) == {
        "reason": b"BAD_VALUE",
        "text": REFUSAL.text.encode(),
        "partition": b"3",
        "offset": b"7",
        "appended_at": b"123",
    }


def test_a_registrys_id_and_a_missing_framing_are_told():
    assert letter(b"\0\0\0\0\7rest")[1].schema_id == 7
    _, plain = letter(b"{}")
    assert (plain.schema_id, plain.fingerprint) == (None, None)


def test_an_empty_record_has_neither_value_nor_hash():
    for seal in (None, bytes):
        _, found = letter(None, SEALED if seal else REFUSAL, key=None, seal=seal)
        assert (found.key, found.length, found.sha256, found.value, found.sealed_value) == (None, 0, None, None, None)


def test_a_sealed_one_holds_the_number_nowhere():
    value = PREFIX + b"caller 0612345678"
    sealed = []

    def seal(plain):
        sealed.append(plain)
        return b"sealed"

    message, found = letter(value, SEALED, key=b"0612345678", seal=seal)
    assert sealed == [value]
    assert (found.value, found.sha256, found.key, found.sealed_value) == (None, None, None, b"sealed")
    assert message.key is None
    assert b"0612345678" not in b"".join([message.value, *(value for _, value in message.headers)])


def test_without_a_key_to_seal_with_the_value_is_dropped_and_marked_so():
    _, found = letter(b"caller 0612345678", SEALED)
    assert (found.value, found.sealed_value, found.length) == (None, b"", 17)


def test_all_but_the_sealed_value_is_the_same_with_any_key():
    bodies = {letter(b"x", SEALED, seal=seal)[0].value[10:] for seal in (None, lambda _: b"one", lambda _: b"two")}
    assert len(bodies) == 3
    assert len({without_sealed_value(body) for body in bodies}) == 1


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([10, 65_536, 65_537, 1_900_000]), st.booleans(), st.integers(0, 5_000))
def test_it_stays_far_below_the_brokers_limit_whatever_was_refused(size, sealed, text):
    refusal = Refusal("TOO_LARGE", "x" * text, sealed)
    message, found = letter(b"v" * size, refusal, key=b"k" * 5_000, seal=lambda plain: plain + b"k" * 48)
    assert len(message.value) + len(message.key) + sum(len(value) for _, value in message.headers) < 70_000
    assert found.length == size
    if not sealed:
        assert found.value == b"v" * min(size, 65_536)
        assert found.sha256 == hashlib.sha256(b"v" * size).digest()


@pytest.mark.parametrize("name", ["partition", "offset", "reason", "text"])
def test_headers_repeat_what_stands_inside(name):
    message, found = letter(b"x")
    assert dict(message.headers)[name] == str(getattr(found, name)).encode()
