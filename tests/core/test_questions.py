"""Questions: one decision for each attempt, its reason, and what it takes."""

from dataclasses import replace

import pytest

from streams.core.decisions import Considered
from streams.core.partition import Partition
from tests.core.clock import SECOND_US
from tests.core.plans_of_tests import HORIZON_AT, VOICEMAIL, a_partner, a_plan, a_site, positions, route, windows
from tests.core.story import Story, tell


def test_a_site_takes_what_it_may_and_then_its_chain_in_order():
    plan = a_plan(a_site(limit=1, overflow=("P", "Q")), a_partner("P", 1), a_partner("Q", 1))
    story = tell(
        plan,
        """
        09:00:00 c1 asks           -> ADMIT S ROOM
        09:00:00 c2 asks           -> OVERFLOW P SITE_FULL
        09:00:00 c3 asks           -> OVERFLOW Q SITE_FULL
        09:00:00 c4 asks           -> BLOCK busy TARGETS_FULL
        09:00:00 ? S P Q           -> S=1 P=1 Q=1
        09:00:01 c2 ended          -> record SHORT_ABANDON
        09:00:02 c5 asks           -> OVERFLOW P SITE_FULL
        """,
    )
    assert [decision.considered for decision in story.decisions()[:4]] == [
        (Considered("S", "ROOM", 1),),
        (Considered("S", "SITE_FULL", 0), Considered("P", "ROOM", 1)),
        (Considered("S", "SITE_FULL", 0), Considered("P", "PARTNER_FULL", 0), Considered("Q", "ROOM", 1)),
        (Considered("S", "SITE_FULL", 0), Considered("P", "PARTNER_FULL", 0), Considered("Q", "PARTNER_FULL", 0)),
    ]
    assert [(decision.in_progress, decision.limit) for decision in story.decisions()] == [(0, 1)] + [(1, 1)] * 4
    references = [decision.call_ref for decision in story.decisions()]
    assert len(set(references)) == len(references)


def test_a_repeated_question_gets_nothing_and_is_counted():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks           -> ADMIT S ROOM
        09:00:00 c1 asks           ->
        09:00:01 c1 offered        ->
        09:00:01 c1 asks=1         ->
        09:00:01 ? S #repeated     -> S=1 #repeated=3
        """,
    )


def test_a_fact_gets_no_decision_and_the_first_question_gets_one_after_it():
    tell(
        a_plan(trunks={"t2": 5}),
        """
        09:00:00 c1 offered trunk=t2 ->
        09:00:00 ? S t2 undecided    -> S=0 t2=1 undecided=1
        09:00:01 c1 asks trunk=t2    -> ADMIT S ROOM
        09:00:01 c1 offered trunk=t2 ->
        09:00:01 ? S t2 undecided    -> S=1 t2=1 undecided=0
        """,
    )


def test_a_question_of_one_site_is_decided_there_even_if_the_partner_spoke_of_the_call_first():
    tell(
        a_plan(),
        """
        09:00:00 c1 offered site=P switch=acd    ->
        09:00:01 c1 asks                         -> ADMIT S ROOM
        09:00:02 ! started acd epoch=7           ->
        09:00:02 ? S                             -> S=1
        """,
    )


def test_an_end_that_overtakes_its_question_leaves_a_tombstone():
    story = tell(
        a_plan(),
        """
        09:00:02 c1 ended by=CALLER            ->
        09:00:03 c1 asks off=-3                -> - CALL_ENDED; record SHORT_ABANDON
        09:00:03 c1 asks off=-3                ->
        09:00:03 ? S                           -> S=0
        """,
    )
    (record,) = story.records()
    assert (record.version, record.wait_us, record.attempts[0].reason) == (1, 2 * SECOND_US, "CALL_ENDED")


def test_a_call_that_is_given_back_goes_to_the_next_target_and_never_back():
    tell(
        a_plan(a_site(limit=1, overflow=("P", "Q")), a_partner("P"), a_partner("Q")),
        """
        09:00:00 c1 asks                                -> ADMIT S ROOM
        09:00:20 c1 returned attempt=1 reason=NO_ANSWER ->
        09:00:20 ? S                                    -> S=0
        09:00:21 c1 asks=2                              -> OVERFLOW P RETURNED
        09:00:30 c1 returned attempt=2 reason=BUSY asks -> OVERFLOW Q RETURNED
        09:00:31 c1 returned attempt=1 reason=BUSY asks ->
        09:00:31 c1 returned attempt=2 reason=BUSY asks ->
        09:00:31 c1 asks=2                              ->
        09:00:31 ? S P Q                                -> S=0 P=0 Q=1
        09:00:40 c1 returned attempt=3 reason=BUSY asks -> BLOCK busy NO_TARGET
        """,
    )


def test_a_next_attempt_says_by_itself_that_the_last_target_did_not_keep_the_call():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                                -> ADMIT S ROOM
        09:00:20 c1 asks=2                              -> OVERFLOW P RETURNED
        09:00:21 c1 returned attempt=1 reason=NO_ANSWER ->
        09:00:21 ? S P                                  -> S=0 P=1
        """,
    )


def test_a_full_partner_that_gave_back_is_not_asked_again_but_its_site_is():
    tell(
        a_plan(a_site(limit=1)),
        """
        09:00:00 c1 asks                               -> ADMIT S ROOM
        09:00:00 c2 asks                               -> OVERFLOW P SITE_FULL
        09:00:10 c1 ended                              -> record ABANDONED_WAITING
        09:00:11 c2 returned attempt=1 reason=BUSY     ->
        09:00:11 c2 asks=2                             -> ADMIT S ROOM
        """,
    )


def test_given_back_from_where_it_was_really_placed():
    tell(
        a_plan(a_site(limit=1), a_partner("P"), a_partner("Q")),
        """
        09:00:00 c1 asks                                              -> ADMIT S ROOM
        09:00:01 c1 placed attempt=1 verdict=OVERFLOW target=P by=SWITCH ->
        09:00:01 ? S P                                                -> S=0 P=1
        09:00:09 c1 returned attempt=1 reason=BUSY                    ->
        09:00:09 ? S P                                                -> S=0 P=0
        09:00:10 c1 asks=2                                            -> ADMIT S ROOM
        """,
    )


def test_an_answered_call_that_is_asked_about_again_moves_and_leaves_nothing_behind():
    tell(
        a_plan(a_site(limit=1, hours=positions(1)), a_partner(), trunks={"t2": 9}),
        """
        09:00:00 c1 asks trunk=t2     -> ADMIT S ROOM
        09:00:01 c1 answered          ->
        09:00:02 ! capacity S 0       ->
        09:00:05 c1 asks=2            -> OVERFLOW P NO_POSITION
        09:00:05 ? S S! P t2          -> S=0 S!=0 P=1 t2=2
        09:00:09 c1 ended             -> record ANSWERED_PARTNER
        09:00:09 ? S S! P t2          -> S=0 S!=0 P=0 t2=0
        """,
    )


def test_what_the_edge_has_done_is_recorded_and_not_decided():
    tell(
        a_plan(a_site(limit=1)),
        """
        09:00:00 c1 placed attempt=1 verdict=OVERFLOW target=P by=EDGE why=DEADLINE ->
        09:00:00 ? S P                    -> S=0 P=1
        09:00:01 c1 asks                  -> OVERFLOW P DECIDED_BY_EDGE
        09:00:01 ? S P #undecided.FAIL_OPEN -> S=0 P=1 #undecided.FAIL_OPEN=1
        09:00:02 c2 asks                  -> ADMIT S ROOM
        """,
    )


def test_what_the_edge_did_after_the_decision_moves_the_seat_and_the_first_word_wins():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                                                         -> ADMIT S ROOM
        09:00:01 c1 placed attempt=1 verdict=OVERFLOW target=P by=EDGE why=DEADLINE ->
        09:00:01 ? S P                                                           -> S=0 P=1
        09:00:02 c1 placed attempt=1 verdict=ADMIT target=S by=EDGE why=LAG      ->
        09:00:02 ? S P                                                           -> S=0 P=1
        09:00:03 c1 placed attempt=1 verdict=ADMIT by=OPERATOR why=MANUAL        ->
        09:00:03 ? S P                                                           -> S=1 P=0
        """,
    )


def test_the_edge_may_have_given_a_treatment():
    tell(
        a_plan(trunks={"t2": 3}),
        """
        09:00:00 c1 asks trunk=t2                                        -> ADMIT S ROOM
        09:00:01 c1 placed attempt=1 verdict=BLOCK treatment=busy by=EDGE why=BROKER ->
        09:00:01 ? S t2                                                  -> S=0 t2=0
        09:00:02 c1 ended                                                -> record TREATED
        09:00:03 c2 placed attempt=1 verdict=BLOCK treatment=voicemail by=EDGE why=BROKER trunk=t2 ->
        09:00:03 ? t2                                                    -> t2=1
        09:00:04 c2 asks trunk=t2                                        -> BLOCK voicemail DECIDED_BY_EDGE
        09:00:04 ? t2                                                    -> t2=1
        """,
    )


def test_a_question_that_waited_too_long_is_recorded_and_not_decided():
    tell(
        a_plan(),
        """
        09:00:30 c1 asks waited=10 off=-10 -> ADMIT S ROOM
        09:00:30 c2 asks waited=11 off=-11 -> - TOO_LATE
        09:00:30 ? S                       -> S=1
        09:00:31 c2 asks waited=11         ->
        09:00:40 c2 asks=2                 -> ADMIT S ROOM
        """,
    )


def test_no_plan_blocks():
    tell(None, "09:00:00 c1 asks -> BLOCK NO_PLAN\n +5 c1 asks ->\n +1 c1 ended -> record BLOCKED")


def test_over_calls_max_a_question_is_answered_and_the_call_not_remembered():
    plan = a_plan(calls_max=2)
    tell(
        plan,
        """
        09:00:00 c1 asks                 -> ADMIT S ROOM
        09:00:00 c2 asks                 -> ADMIT S ROOM
        09:00:00 c3 asks                 -> BLOCK busy CALLS_MAX
        09:00:00 c3 asks                 -> BLOCK busy CALLS_MAX
        09:00:00 c3 offered              ->
        09:00:00 c3 ended                ->
        09:00:01 c1 ended                -> record SHORT_ABANDON
        09:00:02 c4 asks                 -> BLOCK busy CALLS_MAX
        15:00:01 c5 asks                 -> ADMIT S ROOM
        15:00:01 ? #unremembered         -> #unremembered=5
        """,
    )


def test_the_partition_has_a_bound_of_its_own_over_all_networks():
    story = Story(a_plan(otherwise="voicemail"), partition=Partition(calls_max=1))
    story.tell(
        """
        09:00:00 c1 asks             -> ADMIT S ROOM
        09:00:00 c2 asks             -> BLOCK busy CALLS_MAX
        09:00:00 c3 asks site=other  -> BLOCK CALLS_MAX
        """
    )


def test_without_plan_and_room_to_remember_there_is_no_treatment_to_give():
    story = Story(partition=Partition(calls_max=1))
    story.tell("09:00:00 c1 asks -> BLOCK NO_PLAN\n +0 c2 asks -> BLOCK CALLS_MAX")


@pytest.mark.parametrize("kind", ["limit", "positions"])
def test_priority_opens_some_places_more_but_no_closed_door(kind):
    hours = {"limit": 1} if kind == "limit" else {"limit": None, "hours": positions(1)}
    full = "SITE_FULL" if kind == "limit" else "NO_POSITION"
    plan = a_plan(a_site(**hours, priority_from=5, priority_places=1), a_partner())
    tell(
        plan,
        f"""
        09:00:00 c1 asks             -> ADMIT S ROOM
        09:00:00 c2 asks priority=4  -> OVERFLOW P {full}
        09:00:00 c3 asks             -> OVERFLOW P {full}
        09:00:00 c4 asks priority=5  -> ADMIT S PRIORITY
        09:00:00 c5 asks priority=9  -> OVERFLOW P {full}
        """,
    )
    shut = a_plan(a_site(limit=5, hours=windows((1, 2, 5)), priority_from=5, priority_places=1), a_partner())
    tell(shut, "09:00:00 c1 asks priority=9 -> OVERFLOW P OUT_OF_HOURS")


def test_waiting_places_let_some_wait_beyond_the_staffed_positions():
    tell(
        a_plan(a_site(limit=9, hours=positions(1), waiting_places=1), a_partner()),
        """
        09:00:00 c1 asks             -> ADMIT S ROOM
        09:00:00 c2 asks             -> ADMIT S ROOM
        09:00:00 c3 asks             -> OVERFLOW P NO_POSITION
        """,
    )


def test_a_full_trunk_refuses_and_nothing_is_taken_anywhere():
    plan = a_plan(a_site(limit=1), a_partner(), trunks={"t2": 3}, campaigns={"k": 9})
    tell(
        plan,
        """
        09:00:00 c1 asks trunk=t2 campaign=k  -> ADMIT S ROOM
        09:00:00 c2 asks trunk=t2 campaign=k  -> OVERFLOW P SITE_FULL
        09:00:00 c3 asks trunk=t2 campaign=k  -> BLOCK busy TRUNK_FULL
        09:00:00 ? S P t2 k                   -> S=1 P=1 t2=3 k=2
        09:00:00 c4 asks campaign=k           -> OVERFLOW P SITE_FULL
        09:00:00 ? S P t2 k                   -> S=1 P=2 t2=3 k=3
        """,
    )


def test_with_one_channel_left_a_call_may_stay_but_not_be_passed_on():
    plan = a_plan(a_site(limit=1), a_partner(), trunks={"t2": 2}, campaigns={"k": 9})
    story = tell(
        plan,
        """
        09:00:00 c1 asks trunk=t2             -> ADMIT S ROOM
        09:00:00 c2 asks trunk=t2 campaign=k  -> BLOCK busy TARGETS_FULL
        09:00:00 ? S P t2 k                   -> S=1 P=0 t2=1 k=0
        """,
    )
    assert story.decisions()[-1].considered[-1] == Considered("P", "TRUNK_FULL", 0)


def test_a_call_that_a_fact_has_put_on_the_trunk_is_not_counted_against_itself():
    tell(
        a_plan(a_site(limit=0), a_partner(), trunks={"t2": 2}, campaigns={"k": 1}),
        """
        09:00:00 c1 offered trunk=t2 campaign=k  ->
        09:00:00 ? t2 k                          -> t2=1 k=0
        09:00:01 c1 asks trunk=t2 campaign=k     -> OVERFLOW P SITE_FULL
        09:00:01 ? t2 k                          -> t2=2 k=1
        """,
    )


def test_a_full_campaign_refuses_wherever_its_calls_are():
    tell(
        a_plan(a_site(limit=1), a_partner(), campaigns={"k": 2, "free": None}),
        """
        09:00:00 c1 asks campaign=k           -> ADMIT S ROOM
        09:00:00 c2 asks campaign=k           -> OVERFLOW P SITE_FULL
        09:00:00 c3 asks campaign=k           -> BLOCK busy CAMPAIGN_FULL
        09:00:00 c4 asks campaign=free        -> OVERFLOW P SITE_FULL
        09:00:01 c2 ended                     -> record SHORT_ABANDON
        09:00:02 c3 asks=2                    -> OVERFLOW P SITE_FULL
        """,
    )


def test_a_treatment_that_holds_the_line_holds_it_until_the_end():
    plan = a_plan(a_site(limit=0, overflow=(), otherwise="voicemail"), trunks={"t2": 1})
    tell(
        plan,
        """
        09:00:00 c1 asks trunk=t2 -> BLOCK voicemail TARGETS_FULL
        09:00:00 c2 asks trunk=t2 -> BLOCK busy TRUNK_FULL
        09:00:00 ? t2             -> t2=1
        09:00:09 c1 ended         -> record TREATED
        09:00:09 c3 asks trunk=t2 -> BLOCK voicemail TARGETS_FULL
        """,
    )
    only = replace(plan, treatments=(VOICEMAIL,))
    tell(only, "09:00:00 c1 asks trunk=t2 -> BLOCK voicemail TARGETS_FULL\n +0 c2 asks trunk=t2 -> BLOCK TRUNK_FULL")


def test_a_channel_out_is_taken_only_where_the_call_is_transferred():
    plan = a_plan(a_site(limit=0), a_partner(route=route("REDIRECT")), trunks={"t2": 1})
    tell(plan, "09:00:00 c1 asks trunk=t2 -> OVERFLOW P SITE_FULL\n +0 ? t2 P -> t2=1 P=1")


def test_a_site_the_plan_does_not_know_falls_back():
    known = a_plan(fallback=("P",))
    tell(known, "09:00:00 c1 asks site=X -> OVERFLOW P UNKNOWN_SITE")
    tell(a_plan(), "09:00:00 c1 asks site=X -> BLOCK busy NO_TARGET")
    tell(known, "09:00:00 c1 asks site=P -> OVERFLOW P UNKNOWN_SITE")


def test_past_the_horizon_every_decision_says_that_the_plan_has_expired():
    tell(
        a_plan(a_site(limit=1, overflow=()), horizon_at=HORIZON_AT),
        """
        2027-10-03 23:59:59 c1 asks -> ADMIT S ROOM
        2027-10-04 00:00:00 c2 asks -> BLOCK busy PLAN_EXPIRED
        2027-10-04 00:00:01 c1 ended -> record SHORT_ABANDON
        2027-10-04 00:00:02 c3 asks -> ADMIT S PLAN_EXPIRED
        """,
    )
