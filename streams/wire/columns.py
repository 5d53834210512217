"""Runs of call events read at once, by Polars: an accelerator, never a second opinion on what is valid.

Joined bodies have no boundaries, and Polars reads what no other Avro reader would: bytes shifted from one record into
its neighbour, any union index but 0 as the value, numbers cut to 32 bits. So a run's result counts only if

- each record ends where its own bytes end: behind every body stands a guard, the hash of the run's bytes, which no
  record can contain by design, and which must be found again behind each record that was read;
- each body is the one encoding Avro has for its values. Of the values' lengths follows how long the run must be, which
  leaves one byte each for the union indices; and how often byte 02 must occur in it: of a present value the index is
  02, a wrong one is 02 less, and nothing else can make up for it;
- every value passes the checks of `records`, whose functions are called here for each different value.

In any doubt the answer is None, and the records are read one by one. Enums and booleans are read as the numbers they
are. The worker sets POLARS_MAX_THREADS=1 before its first decoding; Polars is imported by the first run, so that
commands which read no log do not pay for it. What Polars prints of a panic on stderr means nothing more than doubt.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from io import BytesIO
from itertools import repeat
from typing import Any

import fastavro

from streams.core.events import CallEvent
from streams.wire import varints
from streams.wire.contract import Schema
from streams.wire.encoders import UNIQUE
from streams.wire.records import CALLER, STRING_BYTES, bounds, string_check
from streams.wire.values import defaults

GUARD_BYTES = 16
INDEX_OF_VALUE = b"\2"
"""The union index of a present value in a field with null first; its bytes are counted."""

Column = tuple[Iterable[Any], int, int]
"""A column's values, how many bytes their encoding takes, and how many of those are 02."""

_SYNC = bytes(16)
_SAMPLE = 16
_TWO = 1 << 32
"""Sizes are added up with the count of 02 above them, so that one sum gives both."""
_WIDEST = 9
_LONGER = tuple(64 << 7 * at for at in range(_WIDEST))
"""From each of these numbers on, a number takes one byte more."""
_TWOS = tuple(edge for at in range(_WIDEST) for edge in (1 << 7 * at, (3 << 7 * at) + 1 >> 1))
"""Numbers from an even edge up to the odd one behind it end with byte 02."""


class _Doubt(Exception):  # noqa: N818 -- not an error: the run is read one by one
    """Something in the run needs the judge."""


class Columns:
    """Reads runs written with one schema of CallEvent."""

    def __init__(self, schema: Schema) -> None:
        fields = schema.source["fields"]
        self._fields = fields[1:]
        self._readers = [_column(field) for field in self._fields]
        at = {field["name"]: position for position, field in enumerate(fields)}
        missing = defaults(CallEvent)
        self._order = [(at.get(name), missing.get(name)) for name in CallEvent._fields]
        required = [at for at, field in enumerate(fields) if not isinstance(field["type"], list)]
        self._optional_tail = len(fields) - 1 - required[-1]
        self._header = cache(self._make_header)

    def read(self, networks: Sequence[str], bodies: Sequence[bytes], size: int) -> list[CallEvent] | None:
        """The events of a run, or None where there is any doubt.

        ``bodies`` are Avro bodies without their first field, which is the network and has been checked; ``size`` is
        how many bytes they should have together.
        """
        rows = len(bodies)
        zeros = min(self._optional_tail, *map(_zeros_at_end, bodies[:: rows // _SAMPLE or 1]))
        run = self._cut(bodies, zeros)
        if size != zeros * rows + sum(map(len, run)):
            zeros = min(zeros, *map(_zeros_at_end, bodies))
            run = self._cut(bodies, zeros)
            if size != zeros * rows + sum(map(len, run)):
                return None
        return self._read(networks, run, zeros)

    @staticmethod
    def _cut(bodies: Sequence[bytes], zeros: int) -> Sequence[bytes]:
        """Bodies without their last fields, where those are null in each: so they cost nothing."""
        return list(map(bytes.removesuffix, bodies, repeat(bytes(zeros)))) if zeros else bodies

    def _read(self, networks: Sequence[str], bodies: Sequence[bytes], zeros: int) -> list[CallEvent] | None:
        """Read a run whose last ``zeros`` fields are null and have been cut off."""
        rows = len(bodies)
        run = b"".join(bodies)
        guard = hashlib.sha256(run).digest()[:GUARD_BYTES]
        count = len(self._fields) - zeros
        block = guard.join(bodies) + guard
        try:
            series = _read_avro(b"".join((self._header(count), varints.long(rows), varints.binary(block), _SYNC)))
            if len(series[0]) != rows or series[-1].to_list().count(guard) != rows:
                return None
            columns: list[Iterable[Any]] = [networks]
            size = twos = 0
            for reader, column in zip(self._readers, series[:-1], strict=False):
                values, bytes_taken, twos_taken = reader(column, rows)
                columns.append(values)
                size += bytes_taken
                twos += twos_taken
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException:  # noqa: BLE001 -- Polars meets wrong bytes with a panic, which is no Exception
            return None
        if size != len(run) or twos != run.count(INDEX_OF_VALUE):
            return None
        return self._events(columns)

    def _events(self, columns: list[Iterable[Any]]) -> list[CallEvent]:
        """Build events from columns at the speed of C; a field that was cut off or never written is its default."""
        have = len(columns)
        ordered = [columns[at] if at is not None and at < have else repeat(default) for at, default in self._order]
        return list(map(partial(tuple.__new__, CallEvent), zip(*ordered, strict=False)))

    def _make_header(self, count: int) -> bytes:
        """The head of an Avro container file of the first ``count`` fields and the guard."""
        fields = [{"name": field["name"], "type": _bare(field["type"])} for field in self._fields[:count]]
        guard = {"name": "_guard", "type": {"type": "fixed", "name": "_Guard", "size": GUARD_BYTES}}
        out = BytesIO()
        schema = fastavro.parse_schema({"type": "record", "name": "Run", "fields": [*fields, guard]})
        fastavro.writer(out, schema, [], sync_marker=_SYNC)
        return out.getvalue()


@cache
def columns(schema: Schema) -> Columns:
    """The reader of a schema's runs; made once."""
    return Columns(schema)


@cache
def _polars() -> Any:
    """Polars, imported by the first run."""
    import polars as pl

    return pl


def _read_avro(container: bytes) -> list[Any]:
    """The columns of an Avro container file, as Polars reads them."""
    found: list[Any] = _polars().read_avro(BytesIO(container)).get_columns()
    return found


def _zeros_at_end(body: bytes) -> int:
    """How many of a body's last fields are surely null: a zero behind the index of a value may be the value itself."""
    rest = body.rstrip(b"\0")
    zeros = len(body) - len(rest)
    return zeros - 1 if zeros and rest.endswith(INDEX_OF_VALUE) else zeros


def _bare(schema: Any) -> Any:
    """The schema of the same bytes as Polars is to read them: every number as it stands, cut nowhere."""
    if isinstance(schema, list):
        return ["null", _bare(schema[1])]
    return "string" if schema == "string" else "long"


def _column(field: Mapping[str, Any]) -> Callable[[Any, int], Column]:
    """The reader of one field's column."""
    schema, name = field["type"], field["name"]
    optional = isinstance(schema, list)
    kind = schema[1] if optional else schema
    if kind == "string":
        if name == "caller":
            read: Callable[[Any], Column] = _callers
        else:
            read = _unique_ids if name in UNIQUE else partial(_few_strings, _Sizes(string_check(name)))
    elif kind == "boolean":
        read = partial(_symbols, {0: False, -1: True})
    elif isinstance(kind, dict) and kind["type"] == "enum":
        read = partial(_symbols, dict(enumerate(kind["symbols"])))
    else:
        read = partial(_numbers, bounds(kind, name))

    def required(series: Any, _rows: int) -> Column:
        return read(series)

    def nullable(series: Any, rows: int) -> Column:
        nulls = series.null_count()
        if nulls == rows:
            return repeat(None), rows, 0
        values, size, twos = read(series)
        return values, size + rows, twos + rows - nulls

    return nullable if optional else required


def _symbols(symbols: Mapping[int | None, Any], series: Any) -> Column:
    """A column of an enum or a boolean: one byte each; an unknown one is a KeyError, which is doubt."""
    indices = series.to_list()
    values = list(map({**symbols, None: None}.__getitem__, indices))
    return values, len(indices) - indices.count(None), indices.count(1)


def _numbers(limits: tuple[int, int], series: Any) -> Column:
    """A column of numbers or instants between two bounds."""
    low, high = series.min(), series.max()
    if low < limits[0] or high > limits[1]:
        raise _Doubt
    values = series.to_list()
    present = len(values) - series.null_count()
    width = len(varints.long(low))
    edge = 1 << 7 * (width - 1)
    if width == len(varints.long(high)) and (high < edge or 2 * low >= 3 * edge):
        return values, width * present, 0
    ordered = sorted(values if present == len(values) else [value for value in values if value is not None])
    size = present + sum(present - bisect_left(ordered, longer) for longer in _LONGER)
    twos = sum(
        bisect_left(ordered, end) - bisect_left(ordered, start)
        for start, end in zip(_TWOS[::2], _TWOS[1::2], strict=True)
    )
    return values, size, twos


class _Sizes(dict[str | None, int]):
    """The size of each name's encoding, with how often it holds 02; each different name is checked once."""

    def __init__(self, check: Callable[[str], None]) -> None:
        super().__init__()
        self._check = check

    def __missing__(self, value: str | None) -> int:
        """Check a name that was not met before; raises Refused, which is doubt."""
        if value is None:
            return 0
        self._check(value)
        if len(self) >= varints.CACHED:
            self.clear()
        found = self[value] = _packed(varints.text(value))
        return found


def _packed(encoded: bytes) -> int:
    """The size of some bytes, and above it how many are 02."""
    return len(encoded) + _TWO * encoded.count(INDEX_OF_VALUE)


def _few_strings(sizes: _Sizes, series: Any) -> Column:
    """A column of names that come again and again."""
    values = series.to_list()
    twos, size = divmod(sum(map(sizes.__getitem__, values)), _TWO)
    return values, size, twos


def _joined(texts: list[str]) -> tuple[bytes, int, int]:
    """Different strings joined, each behind a line feed; how many bytes their encodings take, and how many are 02.

    IndexError where one is too long; a wrong size, which is doubt, where one is empty.
    """
    joined = "\n".join(["", *texts]).encode()
    ascii_only = len(joined) == len(texts) + sum(map(len, texts))
    twos, heads = divmod(sum(map(_HEADS.__getitem__, map(len, texts if ascii_only else map(str.encode, texts)))), _TWO)
    return joined, len(joined) - len(texts) + heads, joined.count(INDEX_OF_VALUE) + twos


def _unique_ids(series: Any) -> Column:
    """A column of ids that hardly ever come twice: checked together, by the classes of their characters."""
    values = series.to_list()
    joined, size, twos = _joined(values if not series.null_count() else [one for one in values if one is not None])
    runs = joined.translate(_DIGITS) + b" "
    if any(run in runs for run in _LONG_RUNS):
        classes = joined.translate(_CLASSES) + b" "
        if any(start in classes and number.search(classes) for start, number in _NUMBERS):
            raise _Doubt
    return values, size, twos


def _callers(series: Any) -> Column:
    """The column of pseudonyms."""
    values = series.to_list()
    joined, size, twos = _joined([one for one in values if one is not None])
    if _ALL_CALLERS.fullmatch(joined) is None:
        raise _Doubt
    return values, size, twos


_HEADS = (_TWO << 16, *(_packed(varints.long(length)) for length in range(1, STRING_BYTES + 1)))
"""Size of a string's length by that length; of an empty one, impossible."""
_DIGITS = bytes(ord("d") if chr(at) in "0123456789" else ord(" ") for at in range(256))
_CLASSES = bytes(
    ord("z") if at == ord("0") else ord("t") if at == ord("3") else ord("d") if chr(at) in "12456789" else ord(" ")
    for at in range(256)
)
"""Characters by what they are in a telephone number: zero, three, another digit, or none."""
_LONG_RUNS = tuple(b" " + b"d" * length + b" " for length in (10, 11, 13))
_NUMBERS = tuple((start, re.compile(start + rb"[dt][dtz]{8} ")) for start in (b" z", b" tt", b" zztt"))
"""What the pattern of `refusals` finds, in classes: each begins with fixed characters, which is found fast."""
_ALL_CALLERS = re.compile(rf"(?:\n{CALLER.pattern})*".encode())
