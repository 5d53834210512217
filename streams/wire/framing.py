"""What stands in front of an Avro body: a fingerprint (single-object encoding) or a registry's id (Confluent's format).

Single-object encoding is `C3 01` and the fingerprint, 8 bytes little-endian. Confluent's format is `00` and the id, 4
bytes big-endian; a registry only translates that id to a fingerprint, by a table the caller gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from streams.wire.contract import CONTRACT, Contract

SINGLE_OBJECT = b"\xc3\x01"
REGISTRY = b"\x00"
SINGLE_OBJECT_BYTES = 10
REGISTRY_BYTES = 5


class BadFraming(Exception):  # noqa: N818 -- it states what the bytes are, and becomes a refusal
    """The value starts like neither framing."""


class Frame(NamedTuple):
    """What a value's first bytes say. Exactly one of ``schema_id`` and ``fingerprint`` is given; ``size`` in bytes."""

    size: int
    schema_id: int | None
    fingerprint: int | None


def read_frame(value: bytes) -> Frame:
    """Read a value's framing; raise BadFraming where it has none."""
    if value[:1] == REGISTRY and len(value) >= REGISTRY_BYTES:
        return Frame(REGISTRY_BYTES, int.from_bytes(value[1:REGISTRY_BYTES], "big"), None)
    if value[:2] == SINGLE_OBJECT and len(value) >= SINGLE_OBJECT_BYTES:
        return Frame(SINGLE_OBJECT_BYTES, None, int.from_bytes(value[2:SINGLE_OBJECT_BYTES], "little"))
    raise BadFraming(
        "starts neither with C3 01 and a fingerprint (single-object encoding) nor with 00 and a schema id "
        "(Confluent's wire format): was it written as JSON or without a schema?"
    )


class FramingWriter:
    """The bytes to put in front of each record's body.

    ``ids`` holds the registry's id of each record's newest schema, by the record's name; None writes fingerprints.
    """

    def __init__(self, ids: Mapping[str, int] | None = None, contract: Contract = CONTRACT) -> None:
        self._ids = ids
        self._contract = contract

    def prefix(self, name: str) -> bytes:
        """The framing of a record by its name; KeyError where a registry is used and has no id for it."""
        if self._ids is not None:
            return REGISTRY + self._ids[name].to_bytes(4, "big")
        return SINGLE_OBJECT + self._contract.newest(name).fingerprint.to_bytes(8, "little")
