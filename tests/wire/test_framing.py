"""Schemas by name and fingerprint, the two framings, and the partitioner."""

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.wire.contract import CONTRACT, Contract, ContractError, rabin, without_logical_types
from streams.wire.framing import BadFraming, Frame, FramingWriter, read_frame
from streams.wire.partition import murmur2, partition_of


@pytest.mark.parametrize(("form", "expected"), [('"int"', 0x7275D51A3F395C8F), ('"null"', 0x63DD24E7CC258F8A)])
def test_the_fingerprint_is_that_of_the_avro_specification(form, expected):
    assert rabin(form.encode()) == expected


@pytest.mark.parametrize("schema", list(CONTRACT), ids=lambda schema: f"{schema.name}.v{schema.version}")
def test_every_schema_is_found_by_its_fingerprint_which_is_fastavros(schema):
    assert CONTRACT.by_fingerprint(schema.fingerprint) is schema
    little = fastavro.schema.fingerprint(schema.canonical, "CRC-64-AVRO")
    assert schema.fingerprint.to_bytes(8, "little").hex() == little
    assert schema in CONTRACT.versions(schema.name)
    assert schema.full_name == f"tropplein.{schema.name}"
    assert [field["name"] for field in schema.fields] == [field["name"] for field in schema.parsed["fields"]]


def test_a_fingerprint_that_is_none_of_ours_finds_nothing():
    assert CONTRACT.by_fingerprint(1) is None


def test_instants_are_read_as_numbers():
    plain = without_logical_types([{"type": "long", "logicalType": "timestamp-micros"}, "null"])
    assert plain == [{"type": "long"}, "null"]


def files(folder, **schemas):
    for name, text in schemas.items():
        (folder / f"{name.replace('__', '.')}.avsc").write_text(text)
    return folder


SCHEMA = '{"type": "record", "name": "CallEvent", "namespace": "tropplein", "fields": []}'


@pytest.mark.parametrize(
    ("schemas", "words"),
    [
        ({"call_event": SCHEMA}, "named <record>.v<version>.avsc"),
        ({"other__v1": SCHEMA}, "must define the record tropplein.Other"),
        ({"call_event__v1": SCHEMA.replace("tropplein", "")}, "must define the record tropplein.CallEvent"),
        ({"call_event__v1": SCHEMA, "call_event__v2": SCHEMA}, "same fingerprint as version 1"),
    ],
)
def test_schema_files_that_contradict_one_another_are_refused(tmp_path, schemas, words):
    with pytest.raises(ContractError, match=words):
        Contract(files(tmp_path, **schemas))


def test_the_newest_version_is_the_one_with_the_highest_number(tmp_path):
    field = '{"name": "f%d", "type": "int", "default": 0}'
    versions = {
        f"call_event__v{n}": SCHEMA.replace("[]", "[" + ", ".join(field % at for at in range(n)) + "]")
        for n in (2, 10, 1)
    }
    contract = Contract(files(tmp_path, **versions))
    assert [schema.version for schema in contract.versions("CallEvent")] == [1, 2, 10]
    assert contract.newest("CallEvent").version == 10


def test_values_are_framed_with_a_fingerprint_or_a_registrys_id():
    fingerprint = CONTRACT.newest("Decision").fingerprint
    assert read_frame(FramingWriter().prefix("Decision") + b"body") == Frame(10, None, fingerprint)
    assert read_frame(FramingWriter({"Decision": 1 << 20}).prefix("Decision") + b"body") == Frame(5, 1 << 20, None)
    with pytest.raises(KeyError):
        FramingWriter({}).prefix("Decision")


@pytest.mark.parametrize(
    "value", [b"", b"\0", b"\0\0\0\0", b"\xc3", b"\xc3\x01" + b"x" * 7, b"\xc3\x02" + b"x" * 20, b"{}"]
)
def test_a_value_without_framing_is_told_so(value):
    with pytest.raises(BadFraming, match="JSON or without a schema"):
        read_frame(value)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_kafkas_own_tests(key, expected):
    assert murmur2(key) == expected % (1 << 32)


@given(st.binary(max_size=40), st.integers(1, 1000))
def test_every_key_has_a_partition(key, partitions):
    assert 0 <= partition_of(key, partitions) < partitions
