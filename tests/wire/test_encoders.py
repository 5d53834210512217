"""The generated encoders write what fastavro writes, byte for byte, and what they write is read back as it was."""

from io import BytesIO

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core import decisions, plan, state
from streams.core.decisions import CallRecord, Considered, Decision, SiteState
from streams.core.events import (
    CallReleased,
    CapacityChanged,
    ControlEvent,
    FeedGap,
    Migrated,
    Override,
    PartnerSignal,
    PlanApplied,
    SnapshotCall,
    SpotAired,
    SpotPlanned,
    SwitchSnapshot,
    SwitchStarted,
    Tick,
)
from streams.wire import encoders, varints
from streams.wire.contract import CONTRACT
from streams.wire.encoders import Access, encoder
from streams.wire.values import Reader
from tests.wire.samples import FULL, call_events, encode_call, ids, instants, ints, longs, maybe, words

RELAXED = settings(max_examples=40, deadline=None)
hashes = st.binary(min_size=32, max_size=32)
considered = st.lists(st.builds(Considered, ids, words(decisions.Reason), maybe(ints)), max_size=3).map(tuple)
chosen = (maybe(words(decisions.Verdict)), maybe(ids), maybe(ids))
decided = st.tuples(
    *(
        ids,
        ids,
        ids,
        ints,
        maybe(ids),
        *chosen,
        words(decisions.Reason),
        considered,
        ints,
        maybe(ints),
        maybe(ids),
        ints,
    ),
    *(instants, ints, longs, ints, longs, hashes, hashes),
)
"""Decisions with what the wire puts behind them."""
attempts = st.tuples(
    *(ints, *chosen, maybe(words(decisions.Reason)), maybe(instants), *chosen),
    *(maybe(st.just("EDGE")), maybe(st.just("LAG")), maybe(instants), maybe(st.just("BUSY"))),
).map(lambda fields: decisions.Attempt(*fields))
held = st.builds(decisions.Held, st.sampled_from(["TRUNK", "SEAT"]), ids, instants, maybe(instants))
texts, times = (maybe(ids) for _ in range(5)), (maybe(instants) for _ in range(5))
recorded = st.tuples(
    *(ids, ids, ints, maybe(ints), ids, *texts, maybe(ints), maybe(ids), *times, *(maybe(longs) for _ in range(4))),
    *(words(decisions.Outcome), maybe(st.just("AGENT")), maybe(ints)),
    *(st.lists(attempts, max_size=2).map(tuple), st.lists(held, max_size=2).map(tuple)),
    *(maybe(ids), maybe(words(decisions.UndecidedCause)), st.booleans(), maybe(ids), ints, longs, ints, longs),
)
"""Call records with what the wire puts behind them."""
sited = st.tuples(
    *(ids, ids, st.sampled_from(["SITE", "PARTNER"]), ints, *(maybe(ints) for _ in range(4)), st.booleans()),
    *(maybe(instants), st.booleans(), maybe(ids), ints, maybe(st.dates().map(str)), *(ints for _ in range(7))),
    *(maybe(ids), ints, longs),
)
"""Site states with what the wire puts behind them."""

HOURS = plan.Hours(False, None, (plan.Window(1, 2, 15),), (plan.WeeklyWindow(540, 1200, None),))
LEASES = plan.Leases(1, 2, 3, 4)
ROUTE = plan.Route("TRANSFER", None, (plan.Dial("sw-1", "sip:a@b"),))
LEVEL = plan.ServiceLevel(20_000_000, 800_000, "sl_abandon_negative", 5_000_000)
SITE = plan.Site(
    *("paris", 15, 0, 20, HOURS, LEASES, ("sw-1",), ROUTE, (plan.Step("transcom"),), "busy", None, 0, LEVEL)
)
PARTNER = plan.Partner("transcom", None, 0, 20, HOURS, LEASES, (), ROUTE, None)
PLAN = plan.Plan(
    *("msf", "4f2a", "LIVE", "Europe/Paris", "2025b", 1, 2, (plan.Offset(1, -3_600_000_000),), 3, 100_000, 4, 5),
    *((SITE,), (PARTNER,), (plan.Trunk("t2", 60),), (plan.Campaign("don", None, ("0140212929",)),)),
    *((plan.Treatment("busy", "busy", 486, 17, False),), (plan.Step("transcom"),), "busy"),
)
BODIES = [
    PlanApplied(PLAN, 1, replaces=None, shadow=True, who="s-7"),
    SwitchSnapshot("sw-1", "x", 1, 2, 5, (SnapshotCall("c", "paris", answered=True),), epoch=4, as_of_sequence=9),
    SwitchStarted("sw-1", 4),
    FeedGap("sw-1", 1, None, "cable"),
    CapacityChanged("paris", 12, 99, "s-7", "ill"),
    PartnerSignal("transcom", 4, 2, 30, 12, None, "BUSY"),
    Override("SITE", "paris", "LIMIT", 99, 3, "s-7", None),
    CallReleased("c", "s-7", None),
    SpotPlanned("s", "arte", 5, 30, None),
    SpotAired("s", "arte", 5, 30, "0140212929"),
    Tick(),
    Migrated("old-", 3, b"h" * 32),
]


def written_by_fastavro(name, fields):
    out = BytesIO()
    fastavro.schemaless_writer(out, CONTRACT.newest(name).parsed, fields)
    return out.getvalue()


def as_fields(name, values):
    """A tuple of a record as the dictionary fastavro writes."""
    found = {}
    for field, value in zip(CONTRACT.newest(name).source["fields"], values, strict=True):
        plain = [one._asdict() for one in value] if isinstance(value, tuple) else value
        found[field["name"]] = encoders.day_number(plain) if field["name"] == "day" and plain else plain
    return found


@RELAXED
@given(call_events)
def test_call_events_are_written_as_fastavro_writes_them(event):
    assert encode_call(event) == written_by_fastavro("CallEvent", event._asdict())


@RELAXED
@given(decided)
def test_decisions_are_written_as_fastavro_writes_them(values):
    assert encoder("Decision")(values) == written_by_fastavro("Decision", as_fields("Decision", values))


@RELAXED
@given(recorded)
def test_call_records_are_written_as_fastavro_writes_them(values):
    assert encoder("CallRecord")(values) == written_by_fastavro("CallRecord", as_fields("CallRecord", values))


@RELAXED
@given(sited)
def test_site_states_are_written_as_fastavro_writes_them(values):
    assert encoder("SiteState")(values) == written_by_fastavro("SiteState", as_fields("SiteState", values))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_control_events_are_read_back_and_written_again_as_fastavro_does(body):
    event = ControlEvent("msf", 5, body)
    schema = CONTRACT.newest("ControlEvent")
    written = encoder("ControlEvent")(event)
    fields = fastavro.schemaless_reader(
        BytesIO(written), schema.parsed, None, return_record_name=True, return_record_name_override=True
    )
    assert Reader(schema.source).read(fields) == event
    assert written_by_fastavro("ControlEvent", fields) == written
    assert encoder("ControlEvent", access=Access.MAPPING)(fields) == written


@RELAXED
@given(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-20_000, 20_000) | longs)
def test_every_number_of_64_bits_is_written_as_fastavro_writes_it(value):
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", value)
    assert varints.long(value) == out.getvalue()


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1])
def test_a_longer_number_is_refused(value):
    with pytest.raises(OverflowError, match="64 bits"):
        varints.long(value)


def test_caches_are_emptied_when_full_and_stay_right(monkeypatch):
    monkeypatch.setattr(varints, "CACHED", 2)
    names = [f"met-nowhere-else-{at}" for at in range(5)] * 2
    assert [encode_call(FULL._replace(network=name)) for name in names] == [
        written_by_fastavro("CallEvent", FULL._replace(network=name)._asdict()) for name in names
    ]
    cache = varints.Cache()
    assert [cache[value] for value in (1, 2, 3, 300)] == [b"\1", b"\2", b"\3", b"\xac\2"]
    assert len(cache) <= 2


def test_an_older_version_can_be_asked_for():
    assert encoder("CallEvent", 1)(FULL) == encode_call(FULL)


def test_every_value_of_the_core_has_its_record_with_the_same_fields_and_defaults():
    from streams.wire.values import CLASSES, defaults, names

    seen = {}

    def walk(schema):
        if isinstance(schema, list):
            for one in schema:
                walk(one)
        elif isinstance(schema, dict):
            if schema["type"] == "record":
                seen[schema["name"]] = schema
            for field in schema.get("fields", ()):
                walk(field["type"])
            walk(schema.get("items"))

    for schema in CONTRACT:
        walk(schema.source)
    behind = {"Decision": 6, "CallRecord": 4, "SiteState": 2}
    for name, schema in seen.items():
        if name in CLASSES:
            fields = [field["name"] for field in schema["fields"]]
            assert tuple(fields[: len(fields) - behind.get(name, 0)]) == names(CLASSES[name]), name
            for field in schema["fields"]:
                if field["name"] in defaults(CLASSES[name]):
                    assert field["default"] == defaults(CLASSES[name])[field["name"]], (name, field["name"])
    tuples = {one.__name__ for one in (Decision, CallRecord, SiteState, state.CallState, state.HeadState)}
    assert tuples <= set(CLASSES)
    assert {type(body).__name__ for body in BODIES} <= set(seen)
