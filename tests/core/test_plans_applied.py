"""A plan takes effect at one event; what cannot take effect is refused and changes nothing."""

from dataclasses import replace

import pytest

from streams.core.events import CallEvent, ControlEvent, Migrated, Override
from streams.core.partition import Partition, Refused
from tests.core.clock import BASE_AT, SECOND_US
from tests.core.plans_of_tests import a_partner, a_plan, a_site, positions, route
from tests.core.story import Story, tell, versioned


def test_a_plan_replaces_the_one_it_was_compared_with_and_no_other():
    first, second = a_plan(), versioned(a_plan(a_site(limit=1)), "v2")
    story = tell(
        first,
        """
        09:00:00 c1 asks                      -> ADMIT S ROOM
        09:00:01 ! plan second                -> refused PLAN_REPLACED
        09:00:01 ! plan second replaces=v0    -> refused PLAN_REPLACED
        09:00:01 ! plan second replaces=v1    ->
        09:00:02 c2 asks                      -> OVERFLOW P SITE_FULL
        09:00:03 ! plan second replaces=v1    -> refused PLAN_REPLACED
        """,
        second=second,
    )
    assert [decision.plan_version for decision in story.decisions()] == ["v1", "v2"]


def test_what_this_version_does_not_know_is_refused():
    other = replace(a_plan(), network="other")
    story = tell(
        None,
        """
        09:00:00 ! plan first rules=2         -> refused UNKNOWN_RULES
        09:00:00 ! plan other                 -> refused WRONG_NETWORK
        09:00:00 ! plan first shadow          -> refused UNSUPPORTED
        09:00:00 ! plan first replaces=v9     -> refused PLAN_REPLACED
        09:00:00 ! capacity S 3               -> refused UNKNOWN_TARGET
        """,
        first=a_plan(),
        other=other,
    )
    assert story.partition.networks == {}
    story.tell("09:00:01 ! plan first ->")
    for body in (Override("SITE", "S", "CLOSE", BASE_AT), Migrated("old", 0, b"")):
        with pytest.raises(Refused) as refused:
            story.control(body)
        assert refused.value.reason == "UNSUPPORTED"
        assert type(body).__name__ in refused.value.text


def test_an_event_without_network_can_only_be_a_tick():
    partition = Partition()
    for event in (CallEvent(None, "S", "c1", "OFFERED", 0, "sw"), ControlEvent(None, None, Migrated("old", 0, b""))):
        with pytest.raises(Refused) as refused:
            partition.apply(event, BASE_AT)
        assert refused.value.reason == "NO_NETWORK"


def test_a_refused_event_moves_no_clock():
    story = tell(a_plan(), "09:00:00 c1 asks -> ADMIT S ROOM\n 15:00:00 ! capacity X 3 -> refused UNKNOWN_TARGET")
    assert story.network.clock == BASE_AT + 9 * 3600 * SECOND_US


def test_a_lowered_limit_is_counted_and_sends_nobody_away():
    tell(
        a_plan(a_site(limit=3)),
        """
        09:00:00 c1 asks                      -> ADMIT S ROOM
        09:00:00 c2 asks                      -> ADMIT S ROOM
        09:00:00 c3 asks                      -> ADMIT S ROOM
        09:00:01 ! plan low replaces=v1       ->
        09:00:01 ? S S%                       -> S=3 S%=LIMIT_LOWERED:2
        09:00:02 c4 asks                      -> OVERFLOW P SITE_FULL
        """,
        low=versioned(a_plan(a_site(limit=1)), "v2"),
    )


def test_a_target_that_leaves_the_plan_lets_its_calls_go_on_without_a_seat():
    two = a_plan(a_site("S", 1, wrap_up_us=60 * SECOND_US), a_partner("P", wrap_up_us=60 * SECOND_US))
    without = versioned(a_plan(a_site("S", 1, overflow=("Q",)), a_partner("Q")), "v2")
    story = tell(
        two,
        """
        09:00:00 c0 asks                      -> ADMIT S ROOM
        09:00:00 c1 asks                      -> OVERFLOW P SITE_FULL
        09:00:00 c2 asks                      -> OVERFLOW P SITE_FULL
        09:00:01 c1 answered                  ->
        09:00:01 c2 answered                  ->
        09:00:09 c2 ended                     ->
        09:00:10 ! plan without replaces=v1   ->
        09:00:10 ? S Q                        -> S=1 Q=0
        09:00:11 c1 ended                     -> record ANSWERED_SITE
        """,
        without=without,
    )
    assert story.network.site_state("P") is None
    assert "P" in story.network.changed_sites()
    kinds = [(held.kind, held.name) for held in story.records()[-1].resources]
    assert ("SEAT", "P") in kinds


def test_trunks_and_campaigns_of_a_new_plan_hold_the_calls_that_are_there():
    wide = a_plan(a_site(limit=1), trunks={"t2": 9}, campaigns={"k": 9})
    tight = versioned(a_plan(a_site(limit=1), trunks={"t2": 3}, campaigns={"k": 2}), "v2")
    tell(
        wide,
        """
        09:00:00 c1 asks trunk=t2 campaign=k   -> ADMIT S ROOM
        09:00:00 c2 asks trunk=t2 campaign=k   -> OVERFLOW P SITE_FULL
        09:00:01 ! plan tight replaces=v1      ->
        09:00:01 ? t2 k                        -> t2=3 k=2
        09:00:02 c3 asks trunk=t2              -> BLOCK busy TRUNK_FULL
        09:00:02 c4 asks campaign=k            -> BLOCK busy CAMPAIGN_FULL
        09:00:03 c2 ended                      -> record SHORT_ABANDON
        09:00:03 ? t2 k                        -> t2=1 k=1
        09:00:04 ! plan none replaces=v2       ->
        09:00:05 c1 ended                      -> record ABANDONED_WAITING
        """,
        tight=tight,
        none=versioned(a_plan(a_site(limit=1)), "v3"),
    )


def test_a_trunk_that_leaves_the_plan_is_given_back_without_it():
    two = a_plan(a_site(limit=0), a_partner(route=route(trunk="out")), trunks={"t2": 9, "out": 9})
    tell(
        two,
        """
        09:00:00 c1 asks trunk=t2              -> OVERFLOW P SITE_FULL
        09:00:00 c2 asks trunk=t2              -> OVERFLOW P SITE_FULL
        09:00:00 c3 asks trunk=t2              -> OVERFLOW P SITE_FULL
        09:00:01 ! plan none replaces=v1       ->
        09:00:02 c1 diverted                   ->
        09:00:02 c2 ended                      -> record SHORT_ABANDON
        09:00:03 ! plan two replaces=v2        ->
        09:00:03 ? t2 out                      -> t2=1 out=1
        """,
        none=versioned(a_plan(a_site(limit=0)), "v2"),
        two=versioned(two, "v3"),
    )


def test_a_memory_that_is_corrected_after_its_target_left_keeps_its_outcome():
    tell(
        a_plan(a_site(limit=1)),
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:00 c2 asks                       -> OVERFLOW P SITE_FULL
        09:00:01 c1 answered                   ->
        09:00:01 c2 answered                   ->
        09:00:02 c1 ended                      -> record ANSWERED_SITE
        09:00:02 c2 ended                      -> record ANSWERED_PARTNER
        09:00:03 ! plan other replaces=v1      ->
        09:00:04 c1 ringing off=-4             -> record ANSWERED_SITE v2
        09:00:04 c2 ringing off=-4             -> record ANSWERED_PARTNER v2
        """,
        other=versioned(a_plan(a_site("T", 1, overflow=()), a_partner("Q")), "v2"),
    )


def test_positions_that_come_and_go_with_the_plans_hold_nobody_who_has_left():
    plain = versioned(a_plan(a_site(limit=9)), "v2")
    again = versioned(a_plan(a_site(limit=9, hours=positions(1))), "v3")
    tell(
        a_plan(a_site(limit=9, hours=positions(5))),
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:01 ! plan plain replaces=v1      ->
        09:00:02 c1 ended                      -> record SHORT_ABANDON
        09:00:03 c2 asks                       -> ADMIT S ROOM
        09:00:04 ! plan again replaces=v2      ->
        09:00:04 ? S!                          -> S!=1
        09:00:05 c2 ended                      -> record SHORT_ABANDON
        09:00:06 c3 asks                       -> ADMIT S ROOM
        """,
        plain=plain,
        again=again,
    )


def test_a_wrap_up_goes_on_under_a_new_plan():
    plan = a_plan(a_site(limit=1, hours=positions(1), wrap_up_us=20 * SECOND_US, overflow=()))
    tell(
        plan,
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:01 c1 answered                   ->
        09:00:10 c1 ended                      ->
        09:00:11 ! plan next replaces=v1       ->
        09:00:12 c2 asks                       -> BLOCK busy TARGETS_FULL
        09:00:30 c2 asks=2                     -> record ANSWERED_SITE; ADMIT S ROOM
        """,
        next=versioned(plan, "v2"),
    )


def test_a_longer_or_shorter_memory_holds_from_the_plan_on():
    short = versioned(a_plan(remember_us=60 * SECOND_US), "v2")
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:01 c1 ended                      -> record SHORT_ABANDON
        09:00:02 ! plan short replaces=v1      ->
        09:00:03 c2 asks                       -> ADMIT S ROOM
        09:00:04 c2 ended                      -> record SHORT_ABANDON
        09:02:00 c3 asks                       -> ADMIT S ROOM
        """,
        short=short,
    )
    assert "c2" not in story.network.calls


def test_networks_of_one_partition_know_nothing_of_each_other():
    story = Story(a_plan(a_site(limit=1)))
    other = replace(a_plan(a_site(limit=1)), network="m")
    story.partition.apply(ControlEvent("m", BASE_AT, story_plan(other)), BASE_AT)
    for network in ("n", "m"):
        event = CallEvent(network, "S", "c1", "OFFERED", BASE_AT, "sw", asks=True)
        (decision,) = story.partition.apply(event, BASE_AT)
        assert (decision.network, decision.verdict) == (network, "ADMIT")


def story_plan(plan):
    from streams.core.events import PlanApplied

    return PlanApplied(plan, 1)
