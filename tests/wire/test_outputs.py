"""Reading published outputs: by fingerprint or by a registry's number, and nothing that is not ours."""

import pytest

from streams.core.decisions import Decision
from streams.wire.contract import CONTRACT
from streams.wire.framing import BadFraming, FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.outputs import NotOurs, read_output

DECISION = Decision("n", "s", "c", 1, None, None, None, None, "TOO_LATE", (), 0, None, None, 1, 1_000_000)


def value(ids=None):
    ledger = Ledger(2, FramingWriter(ids))
    ledger.accept("n", b"event")
    (message,) = ledger.write(7, [DECISION])
    return message.value


def test_every_field_comes_back_with_the_position_and_the_schema_that_wrote_it():
    schema, fields = read_output(value())
    assert schema is CONTRACT.newest("Decision")
    assert {name: fields[name] for name in DECISION._fields} == DECISION._asdict() | {"considered": []}
    assert (fields["partition"], fields["offset"], fields["index"], fields["sequence"]) == (2, 7, 0, 0)


def test_a_registrys_number_is_translated():
    numbered = value({"Decision": 9})
    translate = {9: CONTRACT.newest("Decision").fingerprint}.get
    assert read_output(numbered, translate) == read_output(value())
    with pytest.raises(NotOurs, match="schema 9 of a registry"):
        read_output(numbered, {}.get)
    with pytest.raises(NotOurs, match="schema 9 of a registry"):
        read_output(numbered)


def test_what_is_not_ours_is_said_so():
    with pytest.raises(NotOurs, match="written with 0000000000000001"):
        read_output(b"\xc3\x01" + (1).to_bytes(8, "little"))
    with pytest.raises(BadFraming):
        read_output(b"{}")
