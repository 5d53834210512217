"""How calls end: outcomes, wrap-up, holds, leases and suspects, and what comes after the end."""

import pytest

from streams.core.plan import Leases
from tests.core.clock import SECOND_US, at
from tests.core.plans_of_tests import a_partner, a_plan, a_site, positions
from tests.core.story import Story, tell


def seconds(*counts):
    return tuple(count * SECOND_US for count in counts)


def figures(record):
    return (record.wait_us, record.talk_us, record.hold_us, record.wrap_up_us)


@pytest.mark.parametrize(
    ("table", "outcome"),
    [
        ("+3 c1 ended", "SHORT_ABANDON"),
        ("+5 c1 ended", "ABANDONED_WAITING"),
        ("+9 c1 ringing\n +9 c1 ended", "ABANDONED_RINGING"),
        ("+2 c1 queued\n +4 c1 ended", "SHORT_ABANDON"),
        ("+9 c1 answered\n +9 c1 ended", "ANSWERED_SITE"),
        ("+9 c1 answered target=P\n +9 c1 ended", "ANSWERED_PARTNER"),
        ("+9 ! started sw epoch=09:00:05", "LOST_BY_RESTART estimated"),
        ("+9 c1 diverted", "HANDED_OVER_UNKNOWN"),
    ],
)
def test_a_call_ends_as_its_caller_saw_it(table, outcome):
    story = tell(a_plan(), "09:00:00 c1 asks -> ADMIT S ROOM")
    lines = [line.strip() for line in table.splitlines()]
    story.tell("\n".join([*(f"{line} ->" for line in lines[:-1]), f"{lines[-1]} -> record {outcome}"]))


def test_a_call_that_went_nowhere_is_treated_or_blocked():
    plan = a_plan(a_site(limit=0, overflow=()))
    tell(plan, "09:00:00 c1 asks -> BLOCK busy TARGETS_FULL\n +1 c1 ended -> record TREATED")
    tell(None, "09:00:00 c1 asks -> BLOCK NO_PLAN\n +1 c1 ended -> record BLOCKED")


def test_a_site_without_a_service_level_knows_no_short_abandon():
    tell(
        a_plan(a_site(service_level=None)),
        "09:00:00 c1 asks -> ADMIT S ROOM\n +1 c1 ended -> record ABANDONED_WAITING",
    )


def test_after_an_answered_call_its_place_is_free_and_its_position_is_not():
    plan = a_plan(a_site(limit=9, hours=positions(1), wrap_up_us=20 * SECOND_US, overflow=()))
    story = tell(
        plan,
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:00:05 c1 answered           ->
        09:01:00 c1 ended by=CALLER    ->
        09:01:00 ? S S!                -> S=0 S!=1
        09:01:00 c2 asks               -> BLOCK busy TARGETS_FULL
        09:01:19 ! tick all            ->
        09:01:20 ! tick all            -> record ANSWERED_SITE
        09:01:20 ? S S!                -> S=0 S!=0
        09:01:20 c3 asks               -> ADMIT S ROOM
        09:01:30 c3 answered           ->
        09:01:40 c3 ended              ->
        09:01:45 c3 wrapped_up         -> record ANSWERED_SITE
        09:01:45 c3 wrapped_up         ->
        09:01:45 ? S!                  -> S!=0
        09:01:46 c4 asks               -> ADMIT S ROOM
        09:01:47 c4 ended              -> record SHORT_ABANDON
        09:01:47 ? S!                  -> S!=0
        """,
    )
    first, second, third = story.records()
    assert figures(first) == seconds(5, 55, 0, 20)
    assert figures(second) == seconds(10, 10, 0, 5)
    assert figures(third) == (SECOND_US, None, None, None)
    place, position = first.resources
    assert (place.kind, place.from_at, place.until_at) == ("PLACE", at("09:00:00"), at("09:01:00"))
    assert (position.kind, position.from_at, position.until_at) == ("POSITION", at("09:00:00"), at("09:01:20"))


def test_wrap_up_that_overtakes_the_end_leaves_nothing_to_wait_for():
    plan = a_plan(a_site(limit=9, hours=positions(1), wrap_up_us=20 * SECOND_US))
    tell(
        plan,
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:00:05 c1 answered           ->
        09:01:10 c1 wrapped_up         ->
        09:01:11 c1 ended off=-11      -> record ANSWERED_SITE
        09:01:11 ? S S!                -> S=0 S!=0
        """,
    )


def test_a_partners_seat_is_held_until_its_wrap_up_is_over():
    plan = a_plan(a_site(limit=0), a_partner(seats=1, wrap_up_us=10 * SECOND_US))
    story = tell(
        plan,
        """
        09:00:00 c1 asks         -> OVERFLOW P SITE_FULL
        09:00:05 c1 answered     ->
        09:00:09 c1 ended        ->
        09:00:10 c2 asks         -> BLOCK busy TARGETS_FULL
        09:00:19 c3 asks         -> record ANSWERED_PARTNER; OVERFLOW P SITE_FULL
        """,
    )
    (seat,) = story.records()[0].resources
    assert (seat.kind, seat.name, seat.until_at) == ("SEAT", "P", at("09:00:09"))


def test_holds_add_up_and_one_that_is_cut_short_ends_with_the_call():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks         -> ADMIT S ROOM
        09:00:10 c1 answered     ->
        09:00:20 c1 held         ->
        09:00:25 c1 resumed      ->
        09:00:25 c1 resumed      ->
        09:00:25 c1 held off=-5  ->
        09:00:40 c1 held         ->
        09:00:43 c1 ended        -> record ANSWERED_SITE
        """,
    )
    assert figures(story.records()[0]) == (*seconds(10, 25, 8), None)


ORDERS = {
    "as it was": ("held off=0@20", "resumed@26", "ended@40"),
    "resumed first": ("resumed@26", "held@20", "ended@40"),
    "held last": ("resumed@26", "ended@40", "held@20"),
    "both after the end": ("ended@40", "held@20", "resumed@26"),
    "both after the end, the other way round": ("ended@40", "resumed@26", "held@20"),
    "the end between": ("held@20", "ended@40", "resumed@26"),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_last_record_has_the_hold_in_whatever_order_it_was_told(order):
    story = Story(a_plan())
    story.tell("09:00:00 c1 asks -> ADMIT S ROOM\n 09:00:10 c1 answered ->")
    for word in order:
        what, _, second = word.partition("@")
        story.moment = at("09:00:45")
        story.call(f"c1 {what.split()[0]} off={int(second) - 45}")
        story.call(f"c1 {what.split()[0]} off={int(second) - 45}")
    records = story.records()
    assert [record.version for record in records] == list(range(1, len(records) + 1))
    assert figures(records[-1]) == (*seconds(10, 24, 6), None)


def test_what_comes_after_the_end_completes_the_record_in_a_new_version():
    story = tell(
        a_plan(),
        """
        09:00:00 c1 asks                     -> ADMIT S ROOM
        09:00:30 c1 ended by=CALLER cause=16 -> record ABANDONED_WAITING
        09:00:31 c1 answered off=-21         -> record ANSWERED_SITE v2
        09:00:31 c1 answered off=-21         ->
        09:00:31 c1 answered off=-23         -> record ANSWERED_SITE v3
        09:00:32 c1 ringing off=-26          -> record ANSWERED_SITE v4
        09:00:32 c1 ringing off=-26          ->
        09:00:33 c1 queued off=-31           -> record ANSWERED_SITE v5
        09:00:33 c1 queued off=-30           ->
        09:00:34 c1 returned attempt=1 reason=BUSY -> record ANSWERED_SITE v6
        09:00:34 c1 transferred target=P     ->
        09:00:34 c1 wrapped_up               ->
        09:00:34 c1 ended                    ->
        09:00:34 c1 diverted                 ->
        09:00:35 c1 asks=2                   -> - CALL_ENDED; record ANSWERED_SITE v7
        09:00:35 c1 offered off=-36          -> record ANSWERED_SITE v8
        09:00:35 ? S P                       -> S=0 P=0
        """,
    )
    last = story.records()[-1]
    assert [record.supersedes for record in story.records()] == [None, *range(1, 8)]
    assert (last.offered_at, last.queued_at, last.answered_at) == (at("08:59:59"), at("09:00:02"), at("09:00:08"))
    assert figures(last) == (*seconds(6, 22, 0), None)
    assert (last.ended_by, last.cause, last.call_ref) == (None, 16, story.decisions()[0].call_ref)
    assert [attempt.attempt for attempt in last.attempts] == [1, 2]
    assert last.attempts[0].return_reason == "BUSY"


def test_a_question_about_a_call_that_is_over_takes_nothing_from_its_record_nor_from_its_wrap_up():
    plan = a_plan(a_site(limit=0), a_partner(seats=1, wrap_up_us=20 * SECOND_US))
    tell(
        plan,
        """
        09:00:00 c1 asks               -> OVERFLOW P SITE_FULL
        09:00:01 c1 answered           ->
        09:00:09 c1 ended              ->
        09:00:10 c1 asks=2             -> - CALL_ENDED
        09:00:11 c2 asks               -> BLOCK busy TARGETS_FULL
        09:00:29 ! tick all            -> record ANSWERED_PARTNER
        09:00:30 c1 asks=3             -> - CALL_ENDED; record ANSWERED_PARTNER v2
        """,
    )


def test_a_tombstone_gets_its_record_with_the_word_that_the_call_was_offered():
    tell(
        a_plan(),
        """
        09:00:09 c1 ended              ->
        09:00:10 c1 answered off=-5    ->
        09:00:10 c1 placed target=P by=CARRIER off=-8 ->
        09:00:10 c1 offered off=-10    -> record ANSWERED_SITE UNKNOWN
        09:00:10 ? S P                 -> S=0 P=0
        """,
    )


def test_a_silent_call_is_suspect_and_keeps_its_seat_until_the_hard_limit():
    leases = Leases(*seconds(60, 600, 60, 3600))
    plan = a_plan(a_site(limit=1, leases=leases, overflow=()))
    tell(
        plan,
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:00:59 ! tick all            ->
        09:00:59 ? S S?                -> S=1 S?=0
        09:01:00 ! tick all            ->
        09:01:00 ? S S?                -> S=1 S?=1
        09:01:00 c2 asks               -> BLOCK busy TARGETS_FULL
        09:02:00 c1 answered           ->
        09:02:00 ? S S?                -> S=1 S?=0
        09:12:00 ! tick all            ->
        09:12:00 ? S S?                -> S=1 S?=1
        10:11:59 ! tick all            -> record TREATED estimated
        10:12:00 ! tick all            -> record ANSWERED_SITE estimated
        10:12:00 ? S S?                -> S=0 S?=0
        """,
    )


def test_a_suspect_that_ends_is_suspect_no_more():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:05:00 ! tick all            ->
        09:05:00 ? S S?                -> S=1 S?=1
        09:05:01 c1 ended              -> record ABANDONED_WAITING
        09:05:01 ? S S?                -> S=0 S?=0
        """,
    )


def test_an_operator_releases_a_suspect_and_nobody_else():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:00:01 ! release c1          ->
        09:00:01 ! release nobody      ->
        09:00:01 ? S #releases_refused -> S=1 #releases_refused=2
        09:05:00 ! release c1          -> record ABANDONED_WAITING estimated
        09:05:00 ? S #drift.released   -> S=0 #drift.released=1
        09:05:01 ! release c1          ->
        """,
    )


def test_calls_of_sites_without_plan_are_forgotten_too():
    tell(
        None,
        """
        09:00:00 c1 asks               -> BLOCK NO_PLAN
        09:05:00 c2 offered            ->
        10:05:00 c3 offered            -> record BLOCKED estimated
        10:05:00 ? undecided           -> undecided=2
        """,
    )


def test_a_word_about_an_unknown_call_that_says_nothing_leaves_nothing_behind():
    story = tell(
        a_plan(calls_max=2),
        """
        09:00:00 c1 returned attempt=1 reason=BUSY asks ->
        09:00:00 c2 transferred target=nowhere          ->
        09:00:00 c3 returned attempt=1 reason=BUSY      ->
        09:00:00 c4 asks                                -> ADMIT S ROOM
        """,
    )
    assert list(story.network.calls) == ["c4"]
    assert story.partition.memory.known == 1


def test_attempts_and_resources_of_one_call_are_bounded():
    story = Story(a_plan(a_site(limit=9, hours=positions(9))))
    story.moment = at("09:00:00")
    story.call("c1 asks")
    for attempt in range(2, 60):
        story.call(f"c1 placed attempt={attempt - 1} verdict=OVERFLOW target=P by=SWITCH")
        story.call(f"c1 returned attempt={attempt - 1} reason=BUSY")
        story.call(f"c1 asks={attempt}")
    story.call("c1 ended")
    (record,) = story.records()
    assert len(record.attempts) <= 16
    assert len(record.resources) <= 34
    assert len(story.network.calls["c1"].returned) == 1
