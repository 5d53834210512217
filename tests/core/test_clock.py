"""Time is data: clocks that are wrong, words that come late, ticks, and what the network forgets."""

from dataclasses import replace

import pytest

from streams.core.events import CallEvent, ControlEvent, PlanApplied, Tick
from streams.core.partition import Partition
from tests.core.clock import BASE_AT, SECOND_US, at
from tests.core.plans_of_tests import a_plan, a_site, windows
from tests.core.story import Story, tell

HOUR_US = 3600 * SECOND_US
OPEN_FROM_NINE = a_plan(a_site(limit=9, hours=windows((at("09:00:00"), at("10:00:00"), None))))


@pytest.mark.parametrize(
    ("off", "offered_at", "clamped"),
    [
        ("0", "09:10:00", 0),
        ("-60", "09:09:00", 0),
        ("-61", "09:09:00", 1),
        ("-20y", "09:09:00", 1),
        ("+5", "09:10:05", 0),
        ("+6", "09:10:05", 1),
        ("+20y", "09:10:05", 1),
    ],
)
def test_a_wrong_clock_is_brought_into_bounds_counted_and_decided_all_the_same(off, offered_at, clamped):
    story = tell(a_plan(), f"09:10:00 c1 asks off={off} -> ADMIT S ROOM\n +20 c1 ended -> record ABANDONED_WAITING")
    assert story.records()[0].offered_at == at(offered_at)
    assert sum(switch.clamped for switch in story.network.switches.values()) == clamped
    assert story.network.clock == at("09:10:20")


def test_hours_are_judged_by_the_switchs_clock_within_bounds_and_by_the_networks_beyond():
    tell(
        OPEN_FROM_NINE,
        """
        08:59:58 c1 asks off=+3      -> ADMIT S ROOM
        09:00:01 c2 asks off=-3      -> OVERFLOW P OUT_OF_HOURS
        09:00:30 c3 asks off=-20y    -> ADMIT S ROOM
        09:59:58 c4 asks off=+20y    -> ADMIT S ROOM
        10:00:00 c5 asks off=+20y    -> OVERFLOW P OUT_OF_HOURS
        """,
    )


def test_what_waited_at_the_edge_keeps_its_own_time():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks waited=7200 off=-2h          -> - TOO_LATE
        09:00:01 c1 ended waited=7000 off=-7000       -> record ABANDONED_WAITING
        09:00:02 c2 offered waited=7200 off=-20y      ->
        09:00:03 c2 ended                             -> record ABANDONED_WAITING UNKNOWN
        """,
    )
    first, second = story.records()
    assert (first.offered_at, first.wait_us) == (at("07:00:00"), 201 * SECOND_US)
    assert second.offered_at == at("06:59:02")
    assert story.network.switches["sw"].clamped == 1


def test_no_duration_falls_below_zero_whatever_the_clocks_say():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks off=+5        -> ADMIT S ROOM
        09:00:01 c1 answered off=-1    ->
        09:00:02 c1 ended off=-50      -> record ANSWERED_SITE
        """,
    )
    (record,) = story.records()
    assert (record.wait_us, record.talk_us) == (0, 0)


def test_a_word_about_a_call_too_old_to_be_remembered_is_recorded_and_never_decided():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks waited=21600 off=-6h       -> - TOO_LATE
        09:00:00 c2 asks waited=21601 off=-21601    -> record LATE_EVENT
        09:00:00 c3 ended waited=21601 off=-21601   -> record LATE_EVENT
        09:00:00 ? S #late                          -> S=0 #late=2
        """,
    )
    offered, ended = story.records()
    assert (offered.version, offered.offered_at) == (1, at("02:59:59"))
    assert (ended.version, ended.offered_at) == (1, None)
    assert list(story.network.calls) == ["c1"]


def test_a_call_is_remembered_for_as_long_as_the_plan_says_and_then_forgotten():
    story = tell(
        a_plan(remember_us=600 * SECOND_US),
        """
        09:00:00 c1 asks     -> ADMIT S ROOM
        09:00:10 c1 ended    -> record ABANDONED_WAITING
        09:00:11 c2 ended    ->
        09:10:09 c1 asks     ->
        09:10:10 c1 asks     -> ADMIT S ROOM
        09:10:10 c2 asks     -> - CALL_ENDED; record SHORT_ABANDON
        """,
    )
    assert story.partition.memory.known == 2


def test_only_what_is_due_wakes_a_live_network():
    story = Story(a_plan(a_site(limit=9)))
    wake = story.partition.wake_at
    assert wake() == BASE_AT + 24 * HOUR_US, "the first midnight"
    story.tell("09:00:00 c1 asks -> ADMIT S ROOM")
    assert wake() == at("09:05:00"), "the lease of a waiting call"
    story.tell("09:01:00 c1 answered ->\n 09:02:00 c2 asks -> ADMIT S ROOM")
    assert wake() == at("09:07:00"), "that of the other, the first's was renewed"
    story.tell("09:02:01 c2 ended -> record SHORT_ABANDON")
    assert wake() == at("13:01:00"), "a talk may last four hours, and a memory wakes nobody"
    story.tell("13:00:59 ! tick all ->\n 13:01:00 ! tick all ->\n +0 ? S? -> S?=1")
    assert wake() == at("14:01:00")
    assert Partition().wake_at() is None


def test_a_tick_of_the_past_or_before_its_time_changes_nothing():
    story = tell(a_plan(), "09:00:00 c1 asks -> ADMIT S ROOM")
    before = story.network.snapshot(everything=True)
    for moment in ("08:59:00", "09:00:00"):
        assert story.network.tick(at(moment)) == ()
        assert story.network.snapshot(everything=True) == before


def test_a_memory_may_be_shorter_than_a_minute():
    tell(
        a_plan(remember_us=5 * SECOND_US),
        """
        09:00:00 c1 asks     -> ADMIT S ROOM
        09:00:01 c1 ended    -> record SHORT_ABANDON
        09:00:05 c1 asks     ->
        09:00:06 c1 asks     -> ADMIT S ROOM
        """,
    )


def test_nothing_wakes_a_network_without_plan_or_calls():
    story = Story()
    story.tell("09:00:00 c1 ended ->")
    assert story.partition.wake_at() is None


def test_a_tick_that_names_a_live_network_is_ignored_and_one_without_a_name_moves_those_that_are_due():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks      -> ADMIT S ROOM
        10:00:00 ! tick       ->
        10:00:00 ? S?         -> S?=0
        09:04:59 ! tick all   ->
        """,
    )
    assert story.network.clock == at("09:00:00")
    story.tell("09:05:00 ! tick all ->\n +0 ? S? -> S?=1")
    assert story.network.clock == at("09:05:00")


def test_a_partitions_tick_goes_through_its_networks_in_the_order_of_their_names():
    partition = Partition()
    for name in ("m", "k", "l"):
        partition.apply(ControlEvent(name, BASE_AT, PlanApplied(replace(a_plan(), network=name), 1)), BASE_AT)
        partition.apply(CallEvent(name, "S", "c1", "OFFERED", BASE_AT, "sw"), BASE_AT)
    outputs = []
    for hours in (1, 2):
        outputs += partition.apply(ControlEvent(None, None, Tick()), BASE_AT + hours * HOUR_US + 300 * SECOND_US)
    assert [output.network for output in outputs] == ["k", "l", "m"]
    assert partition.apply(ControlEvent(None, None, Tick()), BASE_AT) == ()


EVENTS = a_plan(a_site(limit=9, hours=windows((at("09:00:00"), at("10:00:00"), None))), clock="EVENTS")


def test_under_its_events_clock_a_network_lives_in_the_time_of_its_events():
    partition = Partition()
    today = at("2031-01-01 12:00:00")
    partition.apply(ControlEvent("n", today, PlanApplied(EVENTS, 1)), today)
    story = Story(partition=partition)
    story.tell("09:00:00 c1 asks -> ADMIT S ROOM\n 08:00:00 c2 asks off=-1h -> OVERFLOW P OUT_OF_HOURS")
    assert story.network.clock == at("09:00:00")
    assert sum(switch.clamped for switch in story.network.switches.values()) == 0
    assert partition.wake_at() is None
    story.tell("09:05:00 ! tick ->\n +0 ? S? -> S?=1\n 09:05:01 ! tick all ->\n +0 ? S -> S=1")
    story.tell("09:04:00 ! tick ->")
    assert story.network.clock == at("09:05:00")


def test_what_was_known_before_an_events_clock_was_set_does_not_hold_it_back():
    partition = Partition()
    story = Story(partition=partition)
    story.tell("2031-01-01 12:00:00 c0 asks -> BLOCK NO_PLAN")
    partition.apply(ControlEvent("n", 0, PlanApplied(EVENTS, 1)), at("2031-01-01 12:00:01"))
    story.tell("09:00:00 c1 asks -> ADMIT S ROOM")
    assert story.network.clock == at("09:00:00")


def test_a_second_plan_moves_no_clock_that_events_move():
    story = Story(EVENTS)
    story.tell("09:00:00 c1 asks -> ADMIT S ROOM")
    later = at("2031-01-01 12:00:00")
    plan = replace(EVENTS, version="v2")
    story.partition.apply(ControlEvent("n", later, PlanApplied(plan, 1, "v1")), later)
    assert story.network.clock == at("09:00:00")


def test_without_records_everything_else_is_the_same():
    told = []
    for records in (True, False):
        story = Story(a_plan(), partition=Partition(records=records))
        for word in ("asks", "answered", "ended", "ringing off=-1"):
            story.moment += SECOND_US
            story.call(f"c1 {word}")
        told.append((story.decisions(), story.network.snapshot(everything=True), len(story.records())))
    (decisions, state, count), (same, same_state, none) = told
    assert (decisions, state) == (same, same_state)
    assert (count, none) == (2, 0)
