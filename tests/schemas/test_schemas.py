"""Schemas that landed stay as they are, and the newest version of each record reads every older one's bytes."""

import copy
import json

import fastavro
import pytest

from streams.wire.contract import CONTRACT, FOLDER
from streams.wire.encoders import Access, compile_encoder, encoder
from tests.schemas.landed import FINGERPRINTS, GOLDEN, VALUES, fingerprint, plain, read, stem
from tests.schemas.resolution import troubles

SCHEMAS = {stem(schema): schema for schema in CONTRACT}
BYTES = sorted(GOLDEN.glob("*.bin"))
CALL_EVENT = CONTRACT.newest("CallEvent").source


def schema_of(path):
    return SCHEMAS[".".join(path.name.split(".")[:2])]


def test_a_schema_that_landed_does_not_change():
    landed = json.loads(FINGERPRINTS.read_text())
    assert {path.name: fingerprint(path) for path in FOLDER.glob("*.avsc")} == landed


def test_every_version_has_its_bytes():
    assert {schema_of(path) for path in BYTES} == set(CONTRACT)


@pytest.mark.parametrize("path", BYTES, ids=lambda path: path.stem)
def test_bytes_that_landed_are_read_and_written_as_they_are(path):
    schema, body = schema_of(path), path.read_bytes()
    found = read(schema, body)
    assert plain(found) == json.loads(path.with_suffix(".json").read_text())
    assert compile_encoder(schema, Access.MAPPING)(found) == body


@pytest.mark.parametrize("path", BYTES, ids=lambda path: path.stem)
def test_the_newest_version_reads_the_bytes_of_every_older_one(path):
    older = schema_of(path)
    newest = CONTRACT.newest(older.name)
    stream = path.open("rb")
    with stream:
        fastavro.schemaless_reader(stream, older.parsed, newest.parsed)
        assert stream.read() == b""


@pytest.mark.parametrize("name", sorted(VALUES))
def test_todays_encoders_write_the_bytes_that_landed(name):
    schema = CONTRACT.newest(name)
    for case, value in VALUES[name].items():
        assert encoder(name)(value) == (GOLDEN / f"{stem(schema)}.{case}.bin").read_bytes(), case


@pytest.mark.parametrize("name", CONTRACT.names)
def test_the_newest_version_can_read_all_that_older_ones_may_have_written(name):
    for older in CONTRACT.versions(name):
        assert troubles(CONTRACT.newest(name).source, older.source) == []


def changed(change):
    """The schema of CallEvent after a change to a copy of its fields."""
    schema = copy.deepcopy(CALL_EVENT)
    fields = {field["name"]: field for field in schema["fields"]}
    change(schema["fields"], fields)
    return schema


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda all_, _: all_.append({"name": "new", "type": "int"}), "new: new, without a default"),
        (lambda _, at: at["network"].update(type="long"), "network: long cannot read string"),
        (lambda _, at: at["trunk"].update(type="string"), "trunk: string cannot read null"),
        (lambda _, at: at["sequence"].update(type=["null", "int"]), "sequence: no branch reads long"),
        (lambda _, at: at["type"]["type"]["symbols"].remove("HELD"), "type: CallEventType lost HELD"),
        (lambda _, at: at["type"]["type"].update(name="Kind"), "type: Kind cannot read CallEventType"),
        (lambda _, at: at["site"].update(type={"type": "array", "items": "string"}), "site: array cannot read string"),
    ],
)
def test_a_change_that_breaks_readers_is_found(change, sentence):
    assert sentence in troubles(changed(change), CALL_EVENT)


@pytest.mark.parametrize(
    "change",
    [
        lambda all_, _: all_.append({"name": "new", "type": ["null", "int"], "default": None}),
        lambda all_, _: all_.pop(),
        lambda all_, _: all_.reverse(),
        lambda _, at: at["type"]["type"]["symbols"].append("PARKED"),
        lambda _, at: at["site"].update(type=["null", "string"]),
        lambda _, at: at["attempt"].update(type=["null", "long"]),
    ],
)
def test_a_change_that_breaks_nobody_is_let_through(change):
    assert troubles(changed(change), CALL_EVENT) == []


def test_nested_changes_are_found():
    decision = CONTRACT.newest("Decision").source
    newer = copy.deepcopy(decision)
    considered = next(field for field in newer["fields"] if field["name"] == "considered")
    considered["type"]["items"]["fields"].append({"name": "price", "type": "int"})
    next(field for field in newer["fields"] if field["name"] == "input_hash")["type"]["size"] = 20
    assert troubles(newer, decision) == [
        "considered[].price: new, without a default",
        "input_hash: Hash has another size",
        "chain: Hash has another size",
    ]


def walk(schema):
    """Every named type of a schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from walk(one)
    elif isinstance(schema, dict):
        if "name" in schema:
            yield schema
        for inner in (*(field["type"] for field in schema.get("fields", ())), schema.get("items")):
            yield from walk(inner)


@pytest.mark.parametrize("schema", list(CONTRACT), ids=stem)
def test_everything_is_described_and_every_nullable_field_defaults_to_null(schema):
    for named in walk(schema.source):
        assert named["doc"].endswith("."), named["name"]
        for field in named.get("fields", ()):
            assert field["doc"][-1] in ".`", (named["name"], field["name"])
            if isinstance(field["type"], list) and field["type"][0] == "null":
                assert field["default"] is None, (named["name"], field["name"])


def test_what_a_call_event_must_have_is_as_little_as_the_contract_says():
    required = [field["name"] for field in CALL_EVENT["fields"] if "default" not in field]
    assert required == ["network", "site", "call_id", "type", "occurred_at", "switch"]
    assert next(field for field in CALL_EVENT["fields"] if field["name"] == "asks")["default"] is False
    assert CALL_EVENT["fields"][0]["name"] == "network"  # columns take the network from the key, in front


@pytest.mark.parametrize("schema", list(CONTRACT), ids=stem)
def test_instants_and_durations_are_named_as_everywhere(schema):
    instants = {"epoch", "as_of", "until", "clock", "compiled_from", "capacity_until"}
    for named in walk(schema.source):
        for field in named.get("fields", ()):
            kind = field["type"][-1] if isinstance(field["type"], list) else field["type"]
            is_instant = isinstance(kind, dict) and kind.get("logicalType") == "timestamp-micros"
            assert is_instant == (
                field["name"].endswith("_at") or (field["name"] in instants and kind != "string" and "name" not in kind)
            ), field["name"]
            if field["name"].endswith("_us"):
                assert kind == "long", field["name"]
