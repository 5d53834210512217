"""Random logs of one network: every kind of event, repeated, out of order, late, under plans that change."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from streams.core.events import (
    CallEvent,
    CallReleased,
    CapacityChanged,
    ControlEvent,
    Event,
    PlanApplied,
    SnapshotCall,
    SwitchSnapshot,
    SwitchStarted,
    Tick,
)
from streams.core.plan import Leases, Plan
from tests.core.clock import BASE_AT, SECOND_US
from tests.core.plans_of_tests import VOICEMAIL, a_partner, a_plan, a_site, positions, route, windows

MINUTE_US = 60 * SECOND_US
Log = list[tuple[Event, int]]

BRISK = Leases(60 * SECOND_US, 300 * SECOND_US, 90 * SECOND_US, 120 * SECOND_US)
HOURS = windows(
    (BASE_AT, BASE_AT + 10 * MINUTE_US, 3),
    (BASE_AT + 12 * MINUTE_US, BASE_AT + 20 * MINUTE_US, 2),
    (BASE_AT + 20 * MINUTE_US, BASE_AT + 90 * MINUTE_US, None),
)


def plans(clock: str) -> dict[str, Plan]:
    """Three plans that may follow one another: more and less room, with and without a partner, a trunk, people."""
    same: dict[str, Any] = {"clock": clock, "remember_us": 10 * MINUTE_US, "horizon_at": BASE_AT + 80 * MINUTE_US}
    wide = a_plan(
        a_site("S", 3, overflow=("P", "Q"), wrap_up_us=20 * SECOND_US, leases=BRISK, hours=HOURS),
        a_site("T", 1, overflow=("S",), otherwise="voicemail", leases=BRISK, priority_from=5, priority_places=1),
        a_partner("P", 2, route=route("REDIRECT"), leases=BRISK),
        a_partner("Q", 4, reserved=1, wrap_up_us=9 * SECOND_US, route=route("TRANSFER", "out"), leases=BRISK),
        trunks={"t2": 6, "out": 2},
        campaigns={"k": 4},
        fallback=("Q",),
        **same,
    )
    tight = a_plan(
        a_site("S", 1, overflow=("P",), leases=BRISK),
        a_partner("P", None, leases=BRISK),
        version="v2",
        trunks={"t2": 3},
        treatments=(VOICEMAIL,),
        otherwise="voicemail",
        calls_max=8,
        **(same | {"remember_us": 4 * MINUTE_US}),
    )
    other = replace(
        wide,
        version="v3",
        sites=(a_site("S", 2, overflow=("Q",), leases=BRISK, hours=positions(1), waiting_places=1),),
        partners=wide.partners[1:],
        trunks=(),
    )
    return {plan.version: plan for plan in (wide, tight, other)}


CALLS = st.sampled_from([f"c{number}" for number in range(6)])
TARGETS = st.sampled_from([None, None, "S", "P", "Q", "T", "X"])
SITES = st.sampled_from(["S", "S", "S", "T", "P", "X"])
MOMENTS = st.sampled_from([0, 0, 1, 1, 2, 5, 9, 20, 61, 130, 400])
SHIFTS = st.sampled_from([0, 0, 0, 0, -1, -7, 3, -70, 9])

QUESTIONS = st.fixed_dictionaries(
    {"type": st.just("OFFERED"), "asks": st.just(value=True), "attempt": st.sampled_from([None, None, None, 1, 2, 3])},
    optional={
        "trunk": st.just("t2"),
        "campaign": st.just("k"),
        "priority": st.sampled_from([1, 7]),
        "waited_us": st.sampled_from([0, 5 * SECOND_US, 11 * SECOND_US, 700 * SECOND_US]),
    },
)
FACTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["OFFERED", "QUEUED", "RINGING", "ANSWERED", "ANSWERED", "HELD", "RESUMED", "TRANSFERRED", "DIVERTED"]
            + ["ENDED"] * 4
            + ["WRAPPED_UP"]
        ),
        "target": TARGETS,
    },
    optional={"trunk": st.just("t2"), "why": st.sampled_from(["DEADLINE", "CARRIER", "INTERNAL"])},
)
RETURNS = st.fixed_dictionaries(
    {"type": st.just("RETURNED"), "attempt": st.sampled_from([1, 1, 2, 3]), "asks": st.booleans()},
)
PLACEMENTS = st.fixed_dictionaries(
    {
        "type": st.just("PLACED"),
        "attempt": st.sampled_from([None, 1, 2]),
        "verdict": st.sampled_from([None, "ADMIT", "OVERFLOW", "BLOCK"]),
        "target": TARGETS,
        "treatment": st.sampled_from([None, "busy", "voicemail"]),
        "by": st.sampled_from(["EDGE", "SWITCH", "OPERATOR"]),
        "why": st.just("DEADLINE"),
    }
)
SAID = st.fixed_dictionaries(
    {"site": SITES, "call_id": CALLS},
    optional={
        "switch": st.just("acd"),
        "epoch": st.sampled_from([BASE_AT, BASE_AT + 5 * MINUTE_US]),
        "sequence": st.integers(1, 30),
    },
)
CALL_EVENTS = st.tuples(st.one_of(QUESTIONS, QUESTIONS, FACTS, FACTS, FACTS, RETURNS, PLACEMENTS), SAID)
LISTED = st.builds(SnapshotCall, CALLS, SITES, TARGETS, answered=st.sampled_from([None, True]))
BODIES = st.one_of(
    st.builds(Tick),
    st.builds(
        CapacityChanged, st.sampled_from(["S", "P"]), st.integers(0, 3), st.none() | st.just(BASE_AT + 9 * MINUTE_US)
    ),
    st.builds(SwitchStarted, st.just("sw"), st.sampled_from([BASE_AT, BASE_AT + 5 * MINUTE_US])),
    st.builds(CallReleased, CALLS),
    st.builds(
        SwitchSnapshot,
        st.just("sw"),
        st.sampled_from("ab"),
        st.sampled_from([1, 2]),
        st.just(2),
        st.just(BASE_AT + 30 * MINUTE_US),
        st.lists(LISTED, max_size=3).map(tuple),
        as_of_sequence=st.none() | st.integers(1, 30),
    ),
    st.sampled_from(["v1", "v2", "v3"]),
)
ROWS = st.lists(
    st.tuples(MOMENTS, SHIFTS, st.one_of(CALL_EVENTS, CALL_EVENTS, CALL_EVENTS, CALL_EVENTS, BODIES)), max_size=50
)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """A log of network `n`: a first plan, mostly, and up to fifty events under the clock it wants."""
    clock = draw(st.sampled_from(["LIVE", "LIVE", "EVENTS"]))
    known = plans(clock)
    now = BASE_AT
    log: Log = []
    version: str | None = None
    if draw(st.integers(0, 9)):
        version = draw(st.sampled_from(sorted(known)))
        log.append((ControlEvent("n", now, PlanApplied(known[version], 1)), now))
    for pause, shift, what in draw(ROWS):
        now += pause * SECOND_US
        if isinstance(what, tuple):
            fields, said = what
            event = CallEvent(
                **({"network": "n", "switch": "sw", "occurred_at": now + shift * SECOND_US} | said | fields)
            )
            log.append((event, now))
        elif isinstance(what, str):
            log.append((ControlEvent("n", now, PlanApplied(known[what], 1, version)), now))
            version = what
        else:
            whole = isinstance(what, Tick) and clock == "LIVE"
            log.append((ControlEvent(None if whole else "n", None if whole else now, what), now))
    return log
