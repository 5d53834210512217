"""Avro's schema resolution, as the specification has it: can a reader with one schema read what another wrote?"""

from collections.abc import Iterator
from typing import Any

PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def troubles(reader: Any, writer: Any) -> list[str]:
    """Every reason why the reader cannot read all that the writer may have written; none: it can."""
    return list(_compare(reader, writer, (_names(reader, {}), _names(writer, {})), "", set()))


def _names(schema: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The named types a schema defines."""
    if isinstance(schema, list):
        for one in schema:
            _names(one, found)
    elif isinstance(schema, dict):
        if schema["type"] in {"record", "enum", "fixed"}:
            found[schema["name"]] = schema
        for inner in (*(field["type"] for field in schema.get("fields", ())), schema.get("items")):
            _names(inner, found)
    return found


def _whole(schema: Any, names: dict[str, Any]) -> Any:
    """A schema with its name resolved, and a primitive as a word."""
    if isinstance(schema, str):
        return names.get(schema, schema)
    if isinstance(schema, dict) and schema["type"] not in {"record", "enum", "fixed", "array"}:
        return schema["type"]
    return schema


def _compare(reader: Any, writer: Any, names: tuple[Any, Any], where: str, seen: set[Any]) -> Iterator[str]:
    reader, writer = _whole(reader, names[0]), _whole(writer, names[1])
    if isinstance(writer, list):
        for branch in writer:
            yield from _compare(reader, branch, names, where, seen)
        return
    if isinstance(reader, list):
        if all(list(_compare(branch, writer, names, where, set(seen))) for branch in reader):
            yield f"{where}: no branch reads {_title(writer)}"
        return
    if isinstance(reader, str) or isinstance(writer, str):
        if reader != writer and not (isinstance(reader, str) and reader in PROMOTIONS.get(_title(writer), ())):
            yield f"{where}: {_title(reader)} cannot read {_title(writer)}"
        return
    if reader["type"] != writer["type"] or reader.get("name") != writer.get("name"):
        yield f"{where}: {_title(reader)} cannot read {_title(writer)}"
    elif reader["type"] == "array":
        yield from _compare(reader["items"], writer["items"], names, f"{where}[]", seen)
    elif reader["type"] == "fixed":
        if reader["size"] != writer["size"]:
            yield f"{where}: {reader['name']} has another size"
    elif reader["type"] == "enum":
        lost = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
        if lost and "default" not in reader:
            yield f"{where}: {reader['name']} lost {', '.join(lost)}"
    elif reader["name"] not in seen:
        yield from _records(reader, writer, names, where, seen | {reader["name"]})


def _records(reader: Any, writer: Any, names: tuple[Any, Any], where: str, seen: set[Any]) -> Iterator[str]:
    written = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        inside = f"{where}.{field['name']}" if where else field["name"]
        if field["name"] in written:
            yield from _compare(field["type"], written[field["name"]]["type"], names, inside, seen)
        elif "default" not in field:
            yield f"{inside}: new, without a default"


def _title(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema.get("name", schema["type"]))
