"""Which value of the core each record of the contract stands for, and how to build it from what fastavro read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field
from types import MappingProxyType
from typing import Any

from streams.core import decisions, events, plan, state

Builder = Callable[[Any], Any]

CLASSES: dict[str, type] = {
    found.__name__: found
    for module in (plan, decisions, state, events)
    for found in vars(module).values()
    if isinstance(found, type) and found.__module__ == module.__name__
}
"""The core's values by name. A record of the same name is encoded from one and read into one."""


def is_tuple(name: str) -> bool:
    """Whether a record's value is a tuple in the order of its fields (else a dataclass)."""
    return issubclass(CLASSES.get(name, tuple), tuple)


def defaults(found: type) -> dict[str, Any]:
    """The default of every field of a core value that has one."""
    if issubclass(found, tuple):
        return dict(found._field_defaults)  # type: ignore[attr-defined]
    return {field.name: field.default for field in _fields(found) if field.default is not MISSING}


def names(found: type) -> tuple[str, ...]:
    """The fields of a core value, in order."""
    if issubclass(found, tuple):
        return tuple(found._fields)  # type: ignore[attr-defined]
    return tuple(field.name for field in _fields(found))


def _fields(found: type) -> tuple[Field[Any], ...]:
    """The fields of a dataclass, in order."""
    return tuple(found.__dataclass_fields__.values())  # type: ignore[attr-defined]


class Reader:
    """Builds core values from dictionaries read with one schema, whichever version wrote them.

    A field the writer did not know takes the core's default, which is the schema's; one that is gone is left out.
    ``more`` names the values of records that are none of the core's.
    """

    def __init__(self, schema: Mapping[str, Any], more: Mapping[str, type] = MappingProxyType({})) -> None:
        self._classes = {**CLASSES, **more}
        self._named: dict[str, Builder] = {}
        self.read: Builder = self._builder(schema)

    def _builder(self, schema: Any) -> Builder:
        """The builder of any schema."""
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return self._named.get(schema, _same)
        kind = schema["type"]
        if kind == "array":
            item = self._builder(schema["items"])
            return tuple if item is _same else lambda values: tuple([item(value) for value in values])
        made = self._record(schema) if kind == "record" else _same
        if "name" in schema:
            self._named[schema["name"]] = made
        return made

    def _union(self, schemas: Sequence[Any]) -> Builder:
        """The builder of a union: null and one other, or several records of which fastavro names the one it read."""
        if schemas[0] == "null":
            inner = self._builder(schemas[1])
            return inner if inner is _same else lambda value: None if value is None else inner(value)
        branches = {branch["name"]: self._builder(branch) for branch in schemas}
        return lambda value: branches[value[0].rpartition(".")[2]](value[1])

    def _record(self, schema: Mapping[str, Any]) -> Builder:
        """The builder of a record."""
        found = self._classes[schema["name"]]
        written = {field["name"]: self._builder(field["type"]) for field in schema["fields"]}
        kept = [(name, written[name]) for name in names(found) if name in written]
        missing = {name: value for name, value in defaults(found).items() if name not in written}
        return lambda value: found(**missing, **{name: make(value[name]) for name, make in kept})


def _same(value: Any) -> Any:
    """A value that needs no building."""
    return value
