"""Events and outputs as NDJSON: one JSON object a line, with the field names of the contract.

A call event's line holds its fields. A control event's line holds `control`, the name of its body, and the body's
fields beside `network` and `occurred_at`. Fields that are null may be left out, `asks` too: it is then true of an
OFFERED. Instants are integer microseconds since 1970 or RFC 3339 with an offset; bytes are hexadecimal. What is refused
in a log is refused here, in the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from streams.core.events import CallEvent, Event
from streams.wire.contract import CONTRACT
from streams.wire.records import Record, record
from streams.wire.refusals import Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ENVELOPE = ("network", "occurred_at")

Convert = Callable[[Any, str], Any]
"""Takes a JSON value and where it stands in the line; returns what fastavro would have read."""


class BadLine(Exception):  # noqa: N818 -- the sentence tells what is wrong with the line
    """A line that is no event, or one that a log would refuse."""


def read_event(line: str) -> Event:
    """Read a line; raises BadLine with a sentence that names the field."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadLine("it is not a JSON object")
    name = found.pop("control", None)
    try:
        if name is None:
            found.setdefault("asks", found.get("type") == "OFFERED")
            return _calls().event(_call_fields()(found, ""))
        envelope = {field: found.pop(field, None) for field in _ENVELOPE}
        return _controls().event(_control_fields()({**envelope, "body": (name, found)}, ""))
    except Refused as refused:
        raise BadLine(f"{refused.reason}: {refused.text}") from refused


def event_to_line(event: Event) -> str:
    """An event as a line, without line feed: instants as microseconds, nulls left out."""
    if isinstance(event, CallEvent):
        fields = event._asdict()
    else:
        body = type(event.body).__name__
        fields = {"control": body, "network": event.network, "occurred_at": event.occurred_at, **_plain(event.body)}
    return _dumps({name: _plain(value) for name, value in fields.items() if value is not None})


def output_to_line(output: Any) -> str:
    """A decision, call record or site state as a line, without line feed: every field, instants as microseconds."""
    return _dumps(_plain(output))


def _dumps(value: Any) -> str:
    """One line of JSON; characters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """A value of the core in the words of JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return {name: _plain(item) for name, item in value._asdict().items()}
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@cache
def _calls() -> Record:
    return record(CONTRACT.newest("CallEvent"))


@cache
def _controls() -> Record:
    return record(CONTRACT.newest("ControlEvent"))


@cache
def _call_fields() -> Convert:
    return _Converter().convert(CONTRACT.newest("CallEvent").source)


@cache
def _control_fields() -> Convert:
    return _Converter().convert(CONTRACT.newest("ControlEvent").source)


class _Converter:
    """Makes the converters of one schema's types."""

    def __init__(self) -> None:
        self._named: dict[str, Convert] = {}

    def convert(self, schema: Any) -> Convert:
        """The converter of any schema."""
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return self._named[schema] if schema in self._named else _PRIMITIVES[schema]
        if schema.get("logicalType") == "timestamp-micros":
            return _instant
        kind = schema["type"]
        if kind == "array":
            return _array(self.convert(schema["items"]))
        if kind == "record":
            made = self._record(schema)
        elif kind == "enum":
            made = _enum(schema["symbols"])
        else:
            made = _fixed(schema["size"])
        self._named[schema["name"]] = made
        return made

    def _union(self, schemas: Sequence[Any]) -> Convert:
        """The converter of null and one other, or of the body of a control event."""
        if schemas[0] == "null":
            inner = self.convert(schemas[1])
            return lambda value, where: None if value is None else inner(value, where)
        bodies = {schema["name"]: self.convert(schema) for schema in schemas}

        def body(value: Any, _where: str) -> Any:
            name, fields = value
            if not isinstance(name, str) or name not in bodies:
                raise BadLine(f"control is one of {', '.join(sorted(bodies))}")
            return name, bodies[name](fields, "")

        return body

    def _record(self, schema: Mapping[str, Any]) -> Convert:
        """The converter of an object."""
        fields = {field["name"]: self.convert(field["type"]) for field in schema["fields"]}
        defaults = {field["name"]: field["default"] for field in schema["fields"] if "default" in field}

        def run(value: Any, where: str) -> Any:
            if not isinstance(value, dict):
                raise BadLine(f"{where} is not an object")
            prefix = f"{where}." if where else ""
            unknown = sorted(value.keys() - fields.keys())
            if unknown:
                raise BadLine(f"there is no field {prefix}{unknown[0]}; the fields are {', '.join(fields)}")
            missing = [name for name in fields if name not in value and name not in defaults]
            if missing:
                raise BadLine(f"{prefix}{missing[0]} is missing")
            whole = {**defaults, **value}
            return {name: convert(whole[name], prefix + name) for name, convert in fields.items()}

        return run


def _text(value: Any, where: str) -> str:
    """A string that UTF-8 can hold."""
    if not isinstance(value, str):
        raise BadLine(f"{where} is not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadLine(f"{where} holds half of a surrogate pair") from None
    return value


def _number(value: Any, where: str) -> int:
    """A whole number of 64 bits."""
    if type(value) is not int:
        raise BadLine(f"{where} is not a whole number")
    if value.bit_length() > 63:
        raise BadLine(f"{where} does not fit into 64 bits")
    return value


def _truth(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise BadLine(f"{where} is neither true nor false")
    return value


def _instant(value: Any, where: str) -> int:
    """Microseconds since 1970."""
    if not isinstance(value, str):
        return _number(value, where)
    try:
        if _RFC_3339.fullmatch(value):
            return (datetime.fromisoformat(value.upper()) - _EPOCH) // _MICROSECOND
    except ValueError:
        pass
    raise BadLine(f"{where} is neither microseconds nor an RFC 3339 instant with an offset (2025-11-09T20:15:00+01:00)")


def _enum(symbols: Sequence[str]) -> Convert:
    """The converter of one of several words."""
    known = frozenset(symbols)

    def run(value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in known:
            raise BadLine(f"{where} is none of {', '.join(symbols)}")
        return value

    return run


def _fixed(size: int) -> Convert:
    """The converter of bytes of one length, in hexadecimal."""

    def run(value: Any, where: str) -> bytes:
        if not isinstance(value, str) or re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", value) is None:
            raise BadLine(f"{where} is not {size} bytes in hexadecimal")
        return bytes.fromhex(value)

    return run


def _array(item: Convert) -> Convert:
    """The converter of a list."""

    def run(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise BadLine(f"{where} is not a list")
        return [item(one, f"{where}[{at}]") for at, one in enumerate(value)]

    return run


_PRIMITIVES: Mapping[str, Convert] = {"string": _text, "int": _number, "long": _number, "boolean": _truth}
