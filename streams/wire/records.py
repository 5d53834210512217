"""One record at a time: the judge of what is a valid event. Columns only ever repeat its verdict, faster."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from streams.core.events import CallEvent, ControlEvent, Migrated, Tick
from streams.wire import varints
from streams.wire.contract import Schema
from streams.wire.encoders import UNIQUE, Access, compile_encoder
from streams.wire.refusals import RefusalReason, Refused, looks_like_number
from streams.wire.values import Reader

STRING_BYTES = 200
"""Most bytes of any string."""
EARLIEST = 0
LATEST = 7_258_118_400_000_000
"""Instants lie between 1970 and 2200."""
CAUSE_MAX = 127
CALLER = re.compile(r"p[A-Za-z0-9_-]{1,16}:[A-Za-z0-9_-]{22}")

IDS = frozenset(
    [
        "network",
        "site",
        "call_id",
        "switch",
        "trunk",
        "campaign",
        "target",
        "treatment",
        "correlation_id",
        "partner",
        "name",
        "snapshot_id",
        "spot",
        "channel",
        "who",
    ]
)
"""Strings that name something: never empty, and never a telephone number."""
FROM_ONE = frozenset({"attempt", "part", "parts"})
SIGNED = frozenset({"offset_us"})

ARRAY_MOST: Mapping[str, int] = {
    "calls": 2_000,
    "considered": 1_000,
    "sites": 200,
    "partners": 200,
    "trunks": 500,
    "campaigns": 1_000,
    "treatments": 100,
    "windows": 10_000,
    "weekly": 200,
    "offsets": 1_000,
    "switches": 100,
    "dials": 100,
    "overflow": 400,
    "fallback": 400,
    "dialled": 1_000,
}
"""Most items of each list, so that everything made from an event stays below the broker's message limit."""

Check = Callable[[Any], None]


class Record:
    """Reads bodies written with one schema of CallEvent or ControlEvent."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._parsed = schema.parsed
        # Names are wanted where a union holds several records, and cost fastavro half as much again.
        named = any(isinstance(field["type"], list) and field["type"][0] != "null" for field in schema.fields)
        self._decode = partial(schemaless_reader, return_record_name=named, return_record_name_override=named)
        self._encode = compile_encoder(schema, Access.MAPPING)
        self._read = Reader(schema.source).read
        self._check = _record_check(schema.source, {})

    def read(self, body: bytes) -> CallEvent | ControlEvent:
        """The event a body holds; raises Refused. A body must be the one encoding Avro has for its values."""
        stream = BytesIO(body)
        try:
            values = self._decode(stream, self._parsed, None)
            left = len(body) - stream.tell()
            same = not left and self._encode(values) == body
        except Exception as error:  # fastavro meets wrong bytes with whatever its innards raise
            raise Refused(RefusalReason.BAD_AVRO, f"not readable as {self._title()}: {_why(error)}") from error
        if left:
            raise Refused(RefusalReason.BAD_AVRO, f"{left} bytes are left over after {self._title()}")
        if not same:
            raise Refused(RefusalReason.BAD_AVRO, f"not the one encoding that Avro has for this {self._title()}")
        return self.event(values)

    def event(self, values: Any) -> CallEvent | ControlEvent:
        """The event of fields as fastavro reads them; raises Refused where a value may not be."""
        self._check(values)
        event = self._read(values)
        if isinstance(event, ControlEvent):
            _check_control(event)
        return event  # type: ignore[no-any-return]

    def _title(self) -> str:
        """The schema's name and version for a sentence."""
        return f"{self.schema.name} (version {self.schema.version})"


@cache
def record(schema: Schema) -> Record:
    """The reader of a schema; made once."""
    return Record(schema)


_STUMBLES: Mapping[type[Exception], str] = {
    EOFError: "the bytes end too early",
    UnicodeDecodeError: "a string is not UTF-8",
    IndexError: "an enum or union has an index that does not exist",
}


def _why(error: Exception) -> str:
    """What fastavro stumbled over, without quoting a value."""
    return _STUMBLES.get(type(error), f"the bytes make no sense ({type(error).__name__})")


def _check_control(event: ControlEvent) -> None:
    """Refuse what is reserved, and a missing network or instant where only a partition's Tick may lack them."""
    if isinstance(event.body, Migrated):
        raise Refused(RefusalReason.RESERVED, "Migrated is reserved for the move to another topic set")
    if (event.network is None and not isinstance(event.body, Tick)) or (
        event.network is not None and event.occurred_at is None
    ):
        raise Refused(RefusalReason.BAD_VALUE, "network and occurred_at may be null only in a partition's Tick")


def _record_check(schema: Mapping[str, Any], named: dict[str, Check | None]) -> Check:
    """The check of a record's values, with only the fields that have something to check."""
    checks = [
        (field["name"], check)
        for field in schema["fields"]
        if (check := _field_check(field["type"], field["name"], named)) is not None
    ]

    def run(values: Any) -> None:
        for name, check in checks:
            check(values[name])

    return run


def bounds(schema: Any, name: str) -> tuple[int, int]:
    """The least and the most a number or instant may be: none is negative but an offset from UTC."""
    if isinstance(schema, dict):
        return EARLIEST, LATEST
    if name in SIGNED:
        return -varints.LONG_MAX, varints.LONG_MAX
    most = CAUSE_MAX if name == "cause" else varints.INT_MAX if schema == "int" else varints.LONG_MAX
    return int(name in FROM_ONE), most


def _field_check(schema: Any, name: str, named: dict[str, Check | None]) -> Check | None:
    """The check of one field's value, None where any value will do."""
    if isinstance(schema, list):
        return _union_check(schema, name, named)
    if isinstance(schema, str) and schema in named:
        return named[schema]
    if schema == "string":
        return string_check(name)
    if schema in ("int", "long"):
        least, most = bounds(schema, name)
        return _range_check(least, most, RefusalReason.BAD_VALUE, f"{name} does not lie between {least} and {most}")
    if not isinstance(schema, dict):
        return None
    if schema["type"] == "array":
        return _array_check(schema["items"], name, named)
    if schema.get("logicalType") == "timestamp-micros":
        return _range_check(EARLIEST, LATEST, RefusalReason.BAD_TIME, f"{name} does not lie between 1970 and 2200")
    made = _record_check(schema, named) if schema["type"] == "record" else None
    named[schema["name"]] = made
    return made


def _union_check(schemas: list[Any], name: str, named: dict[str, Check | None]) -> Check | None:
    """The check of null and one other, or of the record that came."""
    if schemas[0] == "null":
        inner = _field_check(schemas[1], name, named)
        return None if inner is None else lambda value: None if value is None else inner(value)
    bodies = {branch["name"]: _record_check(branch, named) for branch in schemas}
    return lambda value: bodies[value[0].rpartition(".")[2]](value[1])


def _array_check(items: Any, name: str, named: dict[str, Check | None]) -> Check:
    """The check of a list's length and of each of its items."""
    most = ARRAY_MOST[name]
    item = _field_check(items, name.removesuffix("es") if name == "switches" else name, named)
    assert item is not None  # every list of the contract holds names or records

    def run(values: Any) -> None:
        if len(values) > most:
            raise Refused(RefusalReason.BAD_VALUE, f"{name} has {len(values)} items, more than {most}")
        for value in values:
            item(value)

    return run


def string_check(name: str) -> Check:
    """The check of a string by its field's name; what passed is remembered where values come again and again."""
    if name == "caller":
        return _check_caller
    reason = RefusalReason.BAD_ID if name in IDS else RefusalReason.BAD_VALUE
    passed: set[str] = set()

    def run(value: str) -> None:
        if value in passed:
            return
        if len(value.encode()) > STRING_BYTES:
            raise Refused(reason, f"{name} is longer than {STRING_BYTES} bytes")
        if reason is RefusalReason.BAD_ID:
            if not value:
                raise Refused(reason, f"{name} is empty")
            if looks_like_number(value):
                raise Refused(reason, f"{name} holds what looks like a telephone number; the connector must replace it")
        if name not in UNIQUE:
            if len(passed) >= varints.CACHED:
                passed.clear()
            passed.add(value)

    return run


def _check_caller(value: str) -> None:
    """A caller is a pseudonym or null."""
    if CALLER.fullmatch(value) is None:
        raise Refused(
            RefusalReason.BAD_CALLER,
            "caller is not a pseudonym of the form p<key id>:<22 characters>; numbers may not leave the edge",
        )


def _range_check(least: int, most: int, reason: RefusalReason, text: str) -> Check:
    """The check of a number between two bounds, both allowed."""

    def run(value: int) -> None:
        if not least <= value <= most:
            raise Refused(reason, text)

    return run
