"""Reading published outputs: by fingerprint or by a registry's number, and nothing that is not ours."""

import pytest

from streams.core.decisions import Decision
from streams.wire.contract import CONTRACT
from streams.wire.framing import BadFraming, FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.outputs import read_fields, read_value

DECISION = Decision("n", "s", "c", 1, None, None, None, None, "TOO_LATE", (), 0, None, None, 1, 1_000_000)


def value(ids=None):
    ledger = Ledger(2, FramingWriter(ids))
    ledger.accept("n", b"event")
    (message,) = ledger.write(7, [DECISION])
    return message.value


def test_every_field_comes_back_with_the_position():
    name, fields = read_fields(value())
    assert name == "Decision"
    assert {name: fields[name] for name in DECISION._fields} == DECISION._asdict() | {"considered": []}
    assert (fields["partition"], fields["offset"], fields["index"], fields["sequence"]) == (2, 7, 0, 0)


def test_the_cores_value_comes_back_as_it_was():
    assert read_value(value()) == DECISION


def test_a_registrys_number_is_translated():
    numbered = value({name: number for number, name in enumerate(CONTRACT.names)})
    assert read_fields(
        numbered, {CONTRACT.names.index("Decision"): CONTRACT.newest("Decision").fingerprint}
    ) == read_fields(value())
    with pytest.raises(LookupError, match="does not know"):
        read_fields(numbered)


def test_what_is_not_ours_is_said_so():
    with pytest.raises(LookupError, match="does not know"):
        read_fields(b"\xc3\x01" + (1).to_bytes(8, "little"))
    with pytest.raises(BadFraming):
        read_fields(b"{}")
