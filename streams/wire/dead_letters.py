"""Dead letters: bounded records of our own for what was not accepted, sealed where they may hold a telephone number.

A dead letter is made of the refused record alone, never of the time or of the worker that met it, so that a replay
makes the same one. Only the sealed value differs from run to run: `without_sealed_value` is what may be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Final, NamedTuple

from fastavro import schemaless_reader

from streams.wire.contract import CONTRACT
from streams.wire.encoders import encoder
from streams.wire.framing import BadFraming, Frame, read_frame
from streams.wire.refusals import Refusal, may_hold_number

VALUE_BYTES: Final = 65_536
"""How much of a value is kept."""
KEY_BYTES: Final = 400
TEXT_CHARACTERS: Final = 1_000

Seal = Callable[[bytes], bytes]
"""Encrypts for the edge's key; made by whoever holds the public key."""


class DeadLetter(NamedTuple):
    """The fields of the record, in the order of its schema, where each is described."""

    partition: int
    offset: int
    sequence: int
    appended_at: int
    key: bytes | None
    reason: str
    text: str
    schema_id: int | None
    fingerprint: bytes | None
    length: int
    sealed: bool
    sha256: bytes | None
    value: bytes | None
    sealed_value: bytes | None


class Source(NamedTuple):
    """A record of call-events: where it stands, when the broker appended it (µs), what it holds."""

    partition: int
    offset: int
    appended_at: int
    key: bytes | None
    value: bytes | None


def dead_letter(source: Source, refusal: Refusal, sequence: int, seal: Seal | None) -> DeadLetter:
    """The dead letter of a refused record. Without ``seal`` the value of a sealed one is dropped, and marked so."""
    value = source.value
    frame = _frame(value)
    kept = None if value is None else value[:VALUE_BYTES]
    sealed_value = None
    if refusal.sealed and kept is not None:
        sealed_value = b"" if seal is None else seal(kept)
    return DeadLetter(
        partition=source.partition,
        offset=source.offset,
        sequence=sequence,
        appended_at=source.appended_at,
        key=None if source.key is None or may_hold_number(source.key) else source.key[:KEY_BYTES],
        reason=refusal.reason,
        text=refusal.text[:TEXT_CHARACTERS],
        schema_id=None if frame is None else frame.schema_id,
        fingerprint=(None if frame is None or frame.fingerprint is None else frame.fingerprint.to_bytes(8, "little")),
        length=0 if value is None else len(value),
        sealed=refusal.sealed,
        sha256=None if value is None or refusal.sealed else hashlib.sha256(value).digest(),
        value=None if refusal.sealed else kept,
        sealed_value=sealed_value,
    )


def headers(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    """The Kafka headers of a dead letter: why and where, readable without the schema."""
    return (
        ("reason", letter.reason.encode()),
        ("text", letter.text.encode()),
        ("partition", b"%d" % letter.partition),
        ("offset", b"%d" % letter.offset),
        ("appended_at", b"%d" % letter.appended_at),
    )


def read(body: bytes) -> DeadLetter:
    """Read a dead letter's Avro body, without its framing."""
    values = schemaless_reader(BytesIO(body), CONTRACT.newest("DeadLetter").parsed, None)
    return DeadLetter(**values)  # type: ignore[arg-type]


def without_sealed_value(body: bytes) -> bytes:
    """A dead letter's Avro body as two runs must agree on it: with the sealed value taken out."""
    return encoder("DeadLetter")(read(body)._replace(sealed_value=None))


def _frame(value: bytes | None) -> Frame | None:
    """The framing of a value that has one."""
    try:
        return read_frame(value or b"")
    except BadFraming:
        return None
