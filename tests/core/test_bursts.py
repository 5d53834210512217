"""Seventy questions on fifteen places: the case the product was made for, in any order."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core.decisions import Decision
from streams.core.events import CallEvent, CapacityChanged, ControlEvent, PlanApplied
from streams.core.partition import Partition
from tests.core.clock import BASE_AT
from tests.core.plans_of_tests import a_partner, a_plan, a_site, positions, route

CALLS = 70


def offers(call_id):
    """The switch's connector reports the call, and the decision door asks about it."""
    event = CallEvent("n", "S", call_id, "OFFERED", BASE_AT, "sw")
    return event, event._replace(asks=True)


def burst(plan, events, *controls):
    events = list(events)
    partition = Partition()
    for body in (PlanApplied(plan, 1), *controls):
        partition.apply(ControlEvent("n", BASE_AT, body), BASE_AT)
    outputs = [partition.apply(event, BASE_AT + index) for index, event in enumerate(events)]
    for event, caused in zip(events, outputs, strict=True):
        assert all(isinstance(output, Decision) and event.asks for output in caused)
    decisions = [output for caused in outputs for output in caused]
    assert len({decision.call_id for decision in decisions}) == len(decisions) == CALLS
    return Counter((each.verdict, each.target or each.treatment, each.reason) for each in decisions)


ROOMY = a_plan(a_site(limit=15), a_partner())
FORTY = a_plan(a_site(limit=15), a_partner(seats=40))

WITHOUT_LIMIT = {("ADMIT", "S", "ROOM"): 15, ("OVERFLOW", "P", "SITE_FULL"): 55}
THIRTY_OPEN = {
    ("ADMIT", "S", "ROOM"): 15,
    ("OVERFLOW", "P", "SITE_FULL"): 30,
    ("BLOCK", "busy", "TARGETS_FULL"): 25,
}


def questions():
    return [offers(f"c{number}")[1] for number in range(CALLS)]


def test_of_seventy_questions_on_fifteen_places_fifteen_are_admitted():
    assert burst(ROOMY, questions()) == WITHOUT_LIMIT


@pytest.mark.parametrize(
    ("plan", "controls"),
    [
        pytest.param(FORTY, [CapacityChanged("P", 30)], id="the partner says that thirty are there"),
        pytest.param(a_plan(a_site(limit=15), a_partner(seats=40, reserved=10)), [], id="ten are never ours"),
        pytest.param(a_plan(a_site(limit=15), a_partner(seats=40, hours=positions(30))), [], id="thirty by its hours"),
    ],
)
def test_a_partner_with_forty_seats_of_which_thirty_are_open_takes_thirty(plan, controls):
    assert burst(plan, questions(), *controls) == THIRTY_OPEN


def test_a_second_of_seventy_questions_gives_the_same_whoever_else_was_there_before():
    events = [event for number in range(CALLS) for event in offers(f"c{number}")]
    assert burst(ROOMY, events) == WITHOUT_LIMIT


@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.permutations([event for number in range(CALLS) for event in offers(f"c{number}")]), st.booleans())
def test_facts_and_questions_in_any_order_give_the_same(events, open_seats):
    controls = [CapacityChanged("P", 30)] if open_seats else []
    assert burst(FORTY if open_seats else ROOMY, events, *controls) == (THIRTY_OPEN if open_seats else WITHOUT_LIMIT)


def on_trunk(event):
    return event._replace(trunk="t2")


def test_on_a_trunk_of_sixty_that_overflow_leaves_twice_the_refusals_say_trunk():
    """Thirty come in and stay; fifteen come in and go out again: all sixty channels are taken."""
    plan = a_plan(a_site(limit=30), a_partner(), trunks={"t2": 60})
    assert burst(plan, map(on_trunk, questions())) == {
        ("ADMIT", "S", "ROOM"): 30,
        ("OVERFLOW", "P", "SITE_FULL"): 15,
        ("BLOCK", "busy", "TRUNK_FULL"): 25,
    }


def test_a_trunk_out_of_twenty_lets_twenty_overflow_and_says_so_of_the_others():
    plan = a_plan(a_site(limit=30), a_partner(route=route(trunk="out")), trunks={"t2": 70, "out": 20})
    partition = Partition()
    partition.apply(ControlEvent("n", BASE_AT, PlanApplied(plan, 1)), BASE_AT)
    decisions = [partition.apply(on_trunk(event), BASE_AT)[0] for event in questions()]
    assert Counter(each.verdict for each in decisions) == {"ADMIT": 30, "OVERFLOW": 20, "BLOCK": 20}
    assert {each.considered[-1][:2] for each in decisions if each.verdict == "BLOCK"} == {("P", "TRUNK_FULL")}


def test_one_that_ends_makes_room_for_exactly_one():
    plan = replace(ROOMY, sites=(a_site(limit=15, overflow=()),))
    partition = Partition()
    partition.apply(ControlEvent("n", BASE_AT, PlanApplied(plan, 1)), BASE_AT)
    for event in questions():
        partition.apply(event, BASE_AT)
    for number in (3, 3, 3):
        partition.apply(CallEvent("n", "S", f"c{number}", "ENDED", BASE_AT, "sw"), BASE_AT)
    late = [offers(f"d{number}")[1] for number in range(3)]
    found = [partition.apply(event, BASE_AT)[0].verdict for event in late]
    assert found == ["ADMIT", "BLOCK", "BLOCK"]
