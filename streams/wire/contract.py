"""The schemas of the contract, by record name and by fingerprint.

Every version that ever landed stays in `schemas/`, one file each, `<record>.v<version>.avsc`. A record is written with
one version and read with any: the writer's schema is found by its fingerprint, which travels in front of every value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import to_parsing_canonical_form

FOLDER = Path(__file__).parents[1] / "schemas"
NAMESPACE = "tropplein"

_FILE = re.compile(r"(?P<stem>[a-z_]+)\.v(?P<version>[1-9]\d*)\.avsc")
_RABIN_EMPTY = 0xC15D213AA4D7A795
_UINT64 = 0xFFFF_FFFF_FFFF_FFFF


class ContractError(Exception):
    """The schema files contradict one another."""


def _rabin_table() -> tuple[int, ...]:
    """One step of CRC-64-AVRO for each byte."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_RABIN_EMPTY & -(value & 1) & _UINT64)
        table.append(value)
    return tuple(table)


_RABIN = _rabin_table()


def rabin(text: bytes) -> int:
    """CRC-64-AVRO of a schema's parsing canonical form, as an unsigned number."""
    value = _RABIN_EMPTY
    for byte in text:
        value = (value >> 8) ^ _RABIN[(value ^ byte) & 0xFF]
    return value


def without_logical_types(schema: Any) -> Any:
    """The same schema with bare numbers for instants and dates: fastavro then builds no datetime and refuses none."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    return schema


@dataclass(frozen=True, eq=False)
class Schema:
    """One version of one record's schema. ``source`` is the file's content, ``name`` the record's short name."""

    name: str
    version: int
    source: Mapping[str, Any]

    @property
    def full_name(self) -> str:
        """The record's name with its namespace, as a registry's subject has it (TopicRecordNameStrategy)."""
        return f"{NAMESPACE}.{self.name}"

    @cached_property
    def canonical(self) -> str:
        """The parsing canonical form."""
        return str(to_parsing_canonical_form(dict(self.source)))

    @cached_property
    def fingerprint(self) -> int:
        """CRC-64-AVRO of the canonical form, unsigned."""
        return rabin(self.canonical.encode())

    @cached_property
    def parsed(self) -> Any:
        """The schema as fastavro reads and writes with it: no logical types, instants are integer microseconds."""
        return fastavro.parse_schema(without_logical_types(dict(self.source)))

    @cached_property
    def fields(self) -> tuple[Mapping[str, Any], ...]:
        """The record's fields, in order."""
        return tuple(self.source["fields"])


class Contract:
    """All schemas of one folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._versions: dict[str, list[Schema]] = {}
        self._by_fingerprint: dict[int, Schema] = {}
        for path in sorted(folder.glob("*.avsc")):
            match = _FILE.fullmatch(path.name)
            if match is None:
                raise ContractError(f"{path.name}: schema files are named <record>.v<version>.avsc")
            source = json.loads(path.read_text(encoding="utf-8"))
            expected = "".join(part.capitalize() for part in match["stem"].split("_"))
            if (source.get("name"), source.get("namespace")) != (expected, NAMESPACE):
                raise ContractError(f"{path.name}: it must define the record {NAMESPACE}.{expected}")
            self._add(Schema(expected, int(match["version"]), source), path.name)
        for versions in self._versions.values():
            versions.sort(key=lambda schema: schema.version)

    def _add(self, schema: Schema, file: str) -> None:
        """Enter one schema; two versions that differ in no byte on the wire are one version too many."""
        other = self._by_fingerprint.setdefault(schema.fingerprint, schema)
        if other is not schema:
            raise ContractError(f"{file}: same fingerprint as version {other.version} of {other.name}")
        self._versions.setdefault(schema.name, []).append(schema)

    @property
    def names(self) -> tuple[str, ...]:
        """The records' short names, sorted."""
        return tuple(sorted(self._versions))

    def versions(self, name: str) -> tuple[Schema, ...]:
        """Every version of a record, oldest first."""
        return tuple(self._versions[name])

    def newest(self, name: str) -> Schema:
        """The version that is written today."""
        return self._versions[name][-1]

    def by_fingerprint(self, fingerprint: int) -> Schema | None:
        """The schema with this fingerprint, or None where it is not of this contract."""
        return self._by_fingerprint.get(fingerprint)

    def __iter__(self) -> Iterator[Schema]:
        """Every schema, by name and version."""
        return (schema for name in self.names for schema in self._versions[name])


CONTRACT = Contract()
"""The contract of this release."""
