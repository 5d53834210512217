"""What is accepted, and every refusal: by the bytes, the key and the partition alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events import ControlEvent, Migrated, Override, PlanApplied, SwitchSnapshot, Tick
from streams.wire import decode
from streams.wire.contract import CONTRACT, Contract
from streams.wire.decode import Decoder, SchemaIdUnknown
from streams.wire.encoders import Access, compile_encoder
from streams.wire.framing import FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.log import Batch
from streams.wire.partition import partition_of
from streams.wire.refusals import Refusal, may_hold_number
from tests.wire.samples import EVENT, FULL, PREFIX, batch_of, control_value, encode_call, fingerprint, value_of
from tests.wire.test_encoders import PLAN


def decoded(key, value, *, partition=0, partitions=1, ids=None):
    (found,) = Decoder(partition, partitions, ids or {}).decode(batch_of([(key, value)]))
    return found


def refusal(key, value, **where):
    found = decoded(key, value, **where)
    assert isinstance(found, Refusal), found
    return found


def call(**changes):
    return value_of(EVENT._replace(**changes))


def control(body, network="msf", occurred_at=5):
    return control_value(ControlEvent(network, occurred_at, body))


def test_both_framings_are_read_at_any_time():
    numbered = FramingWriter({"CallEvent": 7}).prefix("CallEvent") + encode_call(EVENT)
    ids = {7: fingerprint("CallEvent")}
    records = [(b"msf", value_of(EVENT)), (b"msf", numbered)] * 20
    assert Decoder(0, 1, ids).decode(batch_of(records)) == [EVENT] * 40
    assert decoded(b"msf", numbered, ids=ids) == EVENT


def test_an_id_that_is_not_in_the_table_is_asked_for_and_never_refused():
    numbered = FramingWriter({"CallEvent": 7}).prefix("CallEvent") + encode_call(EVENT)
    ids = {}
    decoder = Decoder(0, 1, ids)
    batch = batch_of([(b"msf", value_of(EVENT))] * 30 + [(b"msf", numbered)] * 2)
    with pytest.raises(SchemaIdUnknown) as unknown:
        decoder.decode(batch)
    assert (unknown.value.schema_id, unknown.value.index) == (7, 30)
    ids[7] = fingerprint("CallEvent")
    assert decoder.decode(batch) == [EVENT] * 32


def test_an_id_of_a_schema_that_is_none_of_ours_is_refused():
    numbered = FramingWriter({"CallEvent": 7}).prefix("CallEvent") + encode_call(EVENT)
    assert refusal(b"msf", numbered, ids={7: 99}).reason == "UNKNOWN_SCHEMA"


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (None, "EMPTY", "no value"),
        (b"", "EMPTY", "no value"),
        (b'{"call_id": 1}', "BAD_FRAMING", "JSON"),
        (b"\0\0\0", "BAD_FRAMING", "neither"),
        (PREFIX[:9], "BAD_FRAMING", "neither"),
        (b"\xc3\x01" + b"12345678" + b"x", "UNKNOWN_SCHEMA", "not of this contract"),
        (PREFIX, "BAD_AVRO", "end too early"),
        (value_of(EVENT)[:-1], "BAD_AVRO", "end too early"),
        (value_of(EVENT) + b"\0", "BAD_AVRO", "1 bytes are left over"),
        (PREFIX + b"\4\xff\xfe" + encode_call(EVENT), "BAD_AVRO", "not UTF-8"),
        (value_of(EVENT)[:-1] + b"\6", "BAD_AVRO", "an index that does not exist"),
        (PREFIX + b"\x86\0msf" + encode_call(EVENT)[4:], "BAD_AVRO", "not the one encoding"),
        (PREFIX + b"\1" + encode_call(EVENT), "BAD_AVRO", "end too early"),
        (PREFIX + b"x" * 900_000, "TOO_LARGE", "900010 bytes are more than 900000"),
        (call(site=""), "BAD_ID", "site is empty"),
        (call(site="x" * 201), "BAD_ID", "longer than 200 bytes"),
        (call(call_id="é" * 101), "BAD_ID", "longer than 200 bytes"),
        (call(call_id="sw/0612345678"), "BAD_ID", "telephone number"),
        (call(switch="0033612345678-a"), "BAD_ID", "telephone number"),
        (call(dialled="0" * 201), "BAD_VALUE", "dialled is longer"),
        (call(plan_version="0" * 201), "BAD_VALUE", "plan_version is longer"),
        (call(caller="+33612345678"), "BAD_CALLER", "pseudonym"),
        (call(caller="pk:short"), "BAD_CALLER", "pseudonym"),
        (call(occurred_at=-1), "BAD_TIME", "occurred_at"),
        (call(epoch=7_258_118_400_000_001), "BAD_TIME", "epoch"),
        (call(attempt=0), "BAD_VALUE", "attempt"),
        (call(sequence=-1), "BAD_VALUE", "sequence"),
        (call(cause=128), "BAD_VALUE", "cause"),
        (call(priority=1 << 31), "BAD_VALUE", "priority"),
        (control(Migrated("a", 1, b"h" * 32)), "RESERVED", "reserved"),
        (control(Tick(), occurred_at=None), "BAD_VALUE", "may be null only"),
        (control(Override("SITE", "", "OPEN", 5)), "BAD_ID", "name is empty"),
        (control(SwitchSnapshot("s", "i", 0, 1, 5, ())), "BAD_VALUE", "part does not lie"),
    ],
)
def test_each_fault_has_its_refusal(value, reason, words):
    found = refusal(b"msf", value)
    assert found.reason == reason
    assert words in found.text


def test_a_record_of_another_schema_of_ours_is_no_event():
    ledger = Ledger(0, FramingWriter())
    letter = ledger.dead_letter(1, 2, b"k", None, Refusal("EMPTY", "", sealed=False))
    assert "DeadLetter is no event" in refusal(b"msf", letter.value).text


def test_lists_are_bounded():
    site = PLAN.sites[0]
    many = PlanApplied(plan=PLAN.__class__(**{**fields(PLAN), "sites": (site,) * 201}), rules=1)
    assert "sites has 201 items" in refusal(b"msf", control(many)).text
    assert decoded(b"msf", control(PlanApplied(PLAN, 1))) == ControlEvent("msf", 5, PlanApplied(PLAN, 1))


def fields(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@pytest.mark.parametrize("key", [None, b"", b"bank", b"MSF", b"\xff"])
def test_a_key_that_is_not_the_network_is_refused(key):
    found = refusal(key, value_of(EVENT))
    assert found.reason == "WRONG_KEY"
    assert Decoder(0, 1, {}).decode(batch_of([(key, value_of(EVENT))] * 20)) == [found] * 20


def test_a_record_in_a_wrong_partition_names_the_partitioner():
    right = partition_of(b"msf", 12)
    wrong = (right + 1) % 12
    found = refusal(b"msf", value_of(EVENT), partition=wrong, partitions=12)
    assert found.reason == "WRONG_PARTITION"
    assert f"partition {right} of 12, not {wrong}" in found.text
    assert "partitioner=murmur2_random" in found.text
    many = Decoder(wrong, 12, {}).decode(batch_of([(b"msf", value_of(EVENT))] * 20))
    assert {one.reason for one in many} == {"WRONG_PARTITION"}
    assert Decoder(right, 12, {}).decode(batch_of([(b"msf", value_of(EVENT))] * 20)) == [EVENT] * 20


def test_a_partitions_tick_has_no_key_and_may_stand_in_any_partition():
    tick = control_value(ControlEvent(None, None, Tick()))
    for partition in (0, 7):
        assert decoded(None, tick, partition=partition, partitions=12) == ControlEvent(None, None, Tick())
    assert refusal(b"msf", tick).reason == "WRONG_KEY"


def test_only_a_tick_may_lack_its_network():
    assert refusal(None, control(Override("SITE", "a", "OPEN", 5), network=None)).reason == "BAD_VALUE"


@pytest.mark.parametrize(
    ("key", "value", "sealed"),
    [
        (b"msf", call(caller="anonymous"), True),
        (b"msf", b'{"caller": "+33612345678"}', True),
        (b"msf", b'{"caller": "0612345678"}', True),
        (b"msf", call(call_id="sw/0612345678"), True),
        (b"0612345678", call(), True),
        (b"msf", b'{"id": "06123456789"}', False),
        (b"bank", call(), False),
        (b"bank", None, False),
    ],
)
def test_a_refusal_that_may_hold_a_number_is_sealed(key, value, sealed):
    found = refusal(key, value)
    assert found.sealed is sealed
    assert "06123" not in found.text


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("0612345678", True),
        ("33612345678", True),
        ("0033612345678", True),
        ("06123456789", False),
        ("0012345678", False),
        ("33012345678", False),
        ("1699000000", False),
        ("00336123456789", False),
    ],
)
def test_only_whole_runs_of_digits_are_telephone_numbers(digits, number):
    for text in (digits, f"a{digits}b", f"sw/{digits}.1"):
        assert may_hold_number(text.encode()) is number
        assert isinstance(decoded(b"msf", call(call_id=text)), Refusal) is number


def test_a_key_that_looks_like_a_number_is_refused_in_columns_too():
    value = value_of(EVENT._replace(network="0612345678"))
    found = Decoder(0, 1, {}).decode(batch_of([(b"0612345678", value)] * 20))
    assert {one.reason for one in found} == {"BAD_ID"}


def test_a_value_too_long_among_many_is_refused_alone():
    long = (b"msf", PREFIX + b"x" * 900_001)
    found = Decoder(0, 1, {}).decode(
        batch_of([(b"msf", value_of(EVENT))] * 30 + [long] + [(b"msf", value_of(FULL))] * 30)
    )
    assert [getattr(one, "reason", "") for one in found] == [""] * 30 + ["TOO_LARGE"] + [""] * 30


def test_many_small_values_may_be_longer_together_than_one_may_be():
    records = [(b"msf", value_of(EVENT._replace(call_id="x" * 200)))] * 4_000
    assert sum(len(value) for _, value in records) > decode.VALUE_BYTES
    assert Decoder(0, 1, {}).decode(batch_of(records)) == [EVENT._replace(call_id="x" * 200)] * 4_000


def test_the_keys_held_stay_few(monkeypatch):
    monkeypatch.setattr(decode, "_KEYS_HELD", 5)
    decoder = Decoder(0, 1, {})
    for start in range(0, 60, 20):
        events = [EVENT._replace(network=f"n{start + at}") for at in range(20)]
        records = [(event.network.encode(), value_of(event)) for event in events]
        assert decoder.decode(batch_of(records)) == events
    assert max(map(len, decoder._keys.values())) <= 20


def test_an_empty_batch_holds_nothing():
    assert Decoder(0, 1, {}).decode(Batch([], [], [], [])) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"msf", None]), st.binary(max_size=30) | st.none()), max_size=20))
def test_any_bytes_give_an_answer(records):
    asked = None
    try:
        found = Decoder(0, 1, {}).decode(batch_of(records))
    except SchemaIdUnknown as unknown:
        asked = unknown.index
    if asked is None:
        assert len(found) == len(records)
        assert all(isinstance(one, Refusal) for one in found)
    else:
        assert records[asked][1][:1] == b"\0"


def test_events_of_an_older_schema_are_read_with_the_new_fields_defaults(tmp_path):
    source = dict(CONTRACT.newest("CallEvent").source)
    older = {**source, "fields": [field for field in source["fields"] if field["name"] not in {"why", "asks"}]}
    folder = tmp_path
    write(folder / "call_event.v1.avsc", older)
    write(folder / "call_event.v2.avsc", source)
    contract = Contract(folder)
    old = contract.versions("CallEvent")[0]

    given_fields = {name: value for name, value in EVENT._asdict().items() if name not in {"why", "asks"}}
    value = b"\xc3\x01" + old.fingerprint.to_bytes(8, "little") + compile_encoder(old, Access.MAPPING)(given_fields)
    for count in (1, 50):
        found = Decoder(0, 1, {}, contract=contract).decode(batch_of([(b"msf", value)] * count))
        assert found == [EVENT._replace(asks=False)] * count


def write(path, schema):
    path.write_text(json.dumps(schema))
