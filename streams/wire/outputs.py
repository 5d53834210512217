"""What the worker published, read back: for people, for the demo, for whoever compares.

Outputs are our own, so nothing is judged here: what cannot be read is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from streams.wire.contract import CONTRACT, Schema
from streams.wire.framing import read_frame
from streams.wire.values import Reader

NO_IDS: Mapping[int, int] = {}


def read_fields(value: bytes, ids: Mapping[int, int] = NO_IDS) -> tuple[str, dict[str, Any]]:
    """Return a record's name and its fields, those of its place in the log included.

    ``ids`` maps a registry's ids to fingerprints. Raises BadFraming, and LookupError for a schema that is not ours.
    """
    schema, body = _split(value, ids)
    return schema.name, schemaless_reader(BytesIO(body), schema.parsed, None)  # type: ignore[return-value]


def read_value(value: bytes, ids: Mapping[int, int] = NO_IDS) -> Any:
    """Return the core's value that a record holds: Decision, CallRecord or SiteState. Raises as `read_fields`."""
    schema, body = _split(value, ids)
    return _reader(schema).read(schemaless_reader(BytesIO(body), schema.parsed, None))


def _split(value: bytes, ids: Mapping[int, int]) -> tuple[Schema, bytes]:
    """Return the schema a value was written with, and its body."""
    frame = read_frame(value)
    fingerprint = frame.fingerprint if frame.schema_id is None else ids.get(frame.schema_id)
    schema = None if fingerprint is None else CONTRACT.by_fingerprint(fingerprint)
    if schema is None:
        raise LookupError("the record was written with a schema that this version does not know")
    return schema, value[frame.size :]


@cache
def _reader(schema: Schema) -> Reader:
    """Return what builds a schema's values; made once."""
    return Reader(schema.source)
