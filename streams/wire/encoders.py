"""Encoders written for one schema each: Python source made from the schema, byte for byte what fastavro writes.

fastavro walks a schema for every value. Here the walk is done once, and what seldom changes (names, reasons, small
numbers, lists of targets) is encoded once and looked up, which makes a decision several times cheaper to write.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import cache
from typing import Any

from streams.wire import varints
from streams.wire.contract import CONTRACT, Schema
from streams.wire.values import is_tuple

Encoder = Callable[[Any], bytes]

_EPOCH_DAY = date(1970, 1, 1).toordinal()

UNIQUE = frozenset({"call_id", "call_ref", "caller", "correlation_id", "snapshot_id"})
"""Names whose values hardly ever come twice: looking them up would only fill the caches."""
OFTEN = frozenset({"considered"})
"""Lists of records whose values come again and again."""


class Access(Enum):
    """How a record's fields are read: of a value with attributes, or of a dictionary as fastavro reads them."""

    ATTRIBUTES = "attributes"
    MAPPING = "mapping"


class _Cache(dict[Hashable, bytes]):
    """Encoded values by the value, made when missing; emptied when full, so that it stays small whatever comes."""

    def __init__(self, encode: Encoder) -> None:
        super().__init__()
        self._encode = encode

    def __missing__(self, value: Hashable) -> bytes:
        """Encode a value that is not held."""
        if len(self) >= varints.CACHED:
            self.clear()
        made = self[value] = self._encode(value)
        return made


def day_number(value: str) -> int:
    """An ISO date as the days since 1970 that Avro's `date` holds."""
    return date.fromisoformat(value).toordinal() - _EPOCH_DAY


def _optional(encode: Encoder) -> Encoder:
    """The encoder of the same value in a union with null first."""
    return lambda value: b"\0" if value is None else b"\2" + encode(value)


class _Writer:
    """Makes the encoder of one schema; named types are made once and found again by their name."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._named: dict[str, tuple[Encoder, bool]] = {}  # with whether it is an enum
        self._globals: dict[str, Any] = {
            "LOW": varints.LOW,
            "SMALL": varints.SMALL,
            "HIGH": varints.HIGH,
            "long": varints.long,
            "join": b"".join,
        }

    def record(self, schema: Mapping[str, Any]) -> Encoder:
        """The encoder of a record, from generated source."""
        fields = schema["fields"]
        if not fields:
            return lambda _value: b""
        pieces = [self._piece(field["type"], f"f{at}", field["name"]) for at, field in enumerate(fields)]
        names = ", ".join(f"f{at}" for at in range(len(fields)))
        if self._access is Access.MAPPING:
            read = "".join(f"    f{at} = value[{field['name']!r}]\n" for at, field in enumerate(fields))
        elif is_tuple(schema["name"]):
            read = f"    ({names},) = value\n"
        else:
            read = "".join(f"    f{at} = value.{field['name']}\n" for at, field in enumerate(fields))
        source = f"def encode(value):\n{read}    return join(({', '.join(pieces)},))\n"
        space = dict(self._globals)
        exec(compile(source, f"<encoder of {schema['name']}>", "exec"), space)  # noqa: S102 -- made from our own schemas
        made: Encoder = space["encode"]
        return made

    def _piece(self, schema: Any, name: str, field: str) -> str:
        """The expression that encodes one field's value, held in the local ``name``."""
        if field not in UNIQUE and self._seldom_new(schema, field):
            self._globals[f"e_{field}"] = _Cache(self._encoder(schema))
            return f"e_{field}[{name}]"
        if isinstance(schema, list) and schema[0] == "null":
            return f"(b'\\0' if {name} is None else b'\\2' + {self._piece(schema[1], name, field)})"
        if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-micros":
            low, high = f"LOW[(z := {name} << 1) & 16383]", "LOW[z >> 14 & 16383] + HIGH[z >> 28]"
            return f"({low} + {high} if {varints.FOUR_GROUPS} <= {name} < {1 << 62} else long({name}))"
        if schema == "long":
            few = f"LOW[(z := {name} << 1) & 16383] + SMALL[z >> 14]"
            return f"({few} if {varints.TWO_GROUPS} <= {name} < {varints.FOUR_GROUPS} else long({name}))"
        if schema == "boolean":
            return f"(b'\\1' if {name} else b'\\0')"
        encode = self._encoder(schema)
        if encode is bytes:  # a fixed: its bytes are its encoding
            return name
        self._globals[f"e_{field}"] = encode
        return f"e_{field}({name})"

    def _seldom_new(self, schema: Any, field: str) -> bool:
        """Whether a field's values come again and again: names, reasons, small numbers, lists of targets."""
        inner = schema[1] if isinstance(schema, list) and schema[0] == "null" else schema
        if isinstance(inner, str):
            return inner in {"string", "int"} or self._named.get(inner, (None, False))[1]
        if not isinstance(inner, dict):
            return False
        return inner["type"] == "enum" or (field in OFTEN and self._access is Access.ATTRIBUTES)

    def _encoder(self, schema: Any) -> Encoder:
        """The encoder of any schema, as a function."""
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return self._named[schema][0] if schema in self._named else _PRIMITIVES[schema]
        kind = schema["type"]
        if kind == "array":
            return self._array(self._encoder(schema["items"]))
        if schema.get("logicalType") == "date":
            return lambda value: varints.long(value if isinstance(value, int) else day_number(value))
        if kind == "record":
            nested = _Writer(self._access)
            nested._named = self._named
            made = nested.record(schema)
        elif kind == "enum":
            made = {symbol: varints.long(at) for at, symbol in enumerate(schema["symbols"])}.__getitem__
        else:
            made = bytes
        self._named[schema["name"]] = (made, kind == "enum")
        return made

    @staticmethod
    def _array(item: Encoder) -> Encoder:
        """The encoder of an array: one block with its count, then the end."""
        return lambda values: b"".join((varints.long(len(values)), *map(item, values), b"\0")) if values else b"\0"

    def _union(self, schemas: Sequence[Any]) -> Encoder:
        """The encoder of null and one other, or of several records told apart by their names."""
        if schemas[0] == "null":
            return _optional(self._encoder(schemas[1]))
        branches = {branch["name"]: (varints.long(at), self._encoder(branch)) for at, branch in enumerate(schemas)}
        if self._access is Access.MAPPING:

            def encode(value: Any) -> bytes:
                index, body = branches[value[0].rpartition(".")[2]]
                return index + body(value[1])

        else:

            def encode(value: Any) -> bytes:
                index, body = branches[type(value).__name__]
                return index + body(value)

        return encode


_PRIMITIVES: dict[str, Encoder] = {
    "string": varints.text,
    "bytes": varints.binary,
    "int": varints.long,
    "long": varints.long,
    "boolean": lambda value: b"\1" if value else b"\0",
}


@cache
def encoder(name: str, version: int | None = None, access: Access = Access.ATTRIBUTES) -> Encoder:
    """The encoder of a record of the contract, of its newest version by default.

    The value is a core value (a tuple in the order of the fields, or a dataclass), or a dictionary as fastavro reads
    it with record names in unions.
    """
    schema = CONTRACT.newest(name) if version is None else CONTRACT.versions(name)[version - 1]
    return compile_encoder(schema, access)


def compile_encoder(schema: Schema, access: Access = Access.ATTRIBUTES) -> Encoder:
    """The encoder of any schema of a record."""
    return _Writer(access).record(schema.source)
