"""Facts say where a call really is, and its seat follows; every lawful excess is counted by its cause."""

import pytest

from streams.core.plan import Leases
from tests.core.plans_of_tests import VOICEMAIL, a_partner, a_plan, a_site, positions, route, windows
from tests.core.story import tell


def test_answered_elsewhere_moves_the_seat_and_is_counted_as_misplaced():
    tell(
        a_plan(a_site(limit=1), a_partner("P"), a_partner("Q", 0)),
        """
        09:00:00 c1 asks                -> ADMIT S ROOM
        09:00:05 c1 answered target=P   ->
        09:00:05 ? S P #misplaced       -> S=0 P=1 #misplaced=1
        09:00:06 c1 answered target=P   ->
        09:00:06 ? #repeated            -> #repeated=1
        09:00:07 c2 asks                -> ADMIT S ROOM
        09:00:08 c1 answered target=Q   ->
        09:00:08 ? P Q Q%               -> P=0 Q=1 Q%=MISPLACED:1
        """,
    )


def test_answered_without_a_target_claims_nothing():
    tell(
        a_plan(),
        """
        09:00:00 c1 offered             ->
        09:00:01 c1 answered            ->
        09:00:01 ? S P undecided        -> S=0 P=0 undecided=1
        09:00:02 c1 ended by=AGENT      -> record ANSWERED_SITE UNKNOWN
        09:00:02 ? undecided            -> undecided=0
        """,
    )


def test_the_newest_claim_wins_in_whatever_order_the_claims_arrive():
    tell(
        a_plan(a_site(), a_partner("P"), a_partner("Q")),
        """
        09:00:00 c1 asks                        -> ADMIT S ROOM
        09:00:09 c1 transferred target=Q        ->
        09:00:10 c1 answered target=P off=-5    ->
        09:00:10 ? S P Q                        -> S=0 P=0 Q=1
        """,
    )


def test_an_unknown_target_is_counted_and_moves_nothing():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                        -> ADMIT S ROOM
        09:00:01 c1 transferred target=nowhere  ->
        09:00:01 ? S #unknown_targets           -> S=1 #unknown_targets=1
        09:00:02 c1 placed attempt=1 verdict=OVERFLOW target=nowhere by=SWITCH ->
        09:00:02 ? S #unknown_targets           -> S=1 #unknown_targets=2
        """,
    )


def test_a_transfer_in_beyond_the_limit_is_lawful_and_no_question_gets_the_place():
    tell(
        a_plan(a_site("S", 1, overflow=()), a_site("T", 1, overflow=())),
        """
        09:00:00 c1 asks                        -> ADMIT S ROOM
        09:00:00 c2 asks site=T                 -> ADMIT T ROOM
        09:00:05 c1 answered                    ->
        09:00:09 c1 transferred target=T        ->
        09:00:09 ? S T T%                       -> S=0 T=2 T%=TRANSFER:1
        09:00:10 c2 ended site=T                -> record ABANDONED_WAITING
        09:00:11 c3 asks site=T                 -> BLOCK busy TARGETS_FULL
        09:00:12 c1 ended                       -> record ANSWERED_SITE
        09:00:13 c3 asks=2 site=T               -> ADMIT T ROOM
        09:00:14 c1 transferred target=S        ->
        09:00:14 ? S T                          -> S=0 T=1
        """,
    )


def test_what_the_edge_put_beyond_the_limit_is_its_own_cause():
    tell(
        a_plan(a_site(limit=1)),
        """
        09:00:00 c1 asks                                                  -> ADMIT S ROOM
        09:00:01 c2 placed attempt=1 verdict=ADMIT by=EDGE why=DEADLINE   ->
        09:00:01 ? S S%                                                   -> S=2 S%=FAIL_OPEN:1
        09:00:02 c3 offered why=LAG                                       ->
        09:00:03 c3 answered target=S                                     ->
        09:00:03 ? S S% #undecided.FAIL_OPEN undecided                    -> S=3 S%=FAIL_OPEN:2 #undecided.FAIL_OPEN=2 undecided=2
        09:00:04 c3 ended                                                 -> record ANSWERED_SITE FAIL_OPEN
        09:00:04 c2 ended                                                 -> record ABANDONED_WAITING FAIL_OPEN
        09:00:04 ? S #undecided.FAIL_OPEN undecided                       -> S=1 #undecided.FAIL_OPEN=2 undecided=0
        """,
    )


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ("why=DEADLINE", "FAIL_OPEN"),
        ("why=GATEWAY_RESTART", "FAIL_OPEN"),
        ("why=CARRIER", "CARRIER"),
        ("site=P", "CARRIER"),
        ("why=INTERNAL", "INTERNAL"),
        ("site=X", "UNKNOWN"),
        ("why=MANUAL", "UNKNOWN"),
    ],
)
def test_a_call_nobody_asked_about_says_why(fields, cause):
    tell(
        a_plan(),
        f"""
        09:00:00 c1 offered {fields}   ->
        09:00:00 ? undecided           -> undecided=1
        09:00:09 c1 ended              -> record ABANDONED_WAITING {cause}
        09:00:09 ? #undecided.{cause} undecided -> #undecided.{cause}=1 undecided=0
        """,
    )


def test_a_call_that_was_never_offered_is_undecided_too():
    tell(
        a_plan(),
        """
        09:00:00 c1 answered target=S   ->
        09:00:00 ? S undecided          -> S=1 undecided=1
        09:00:09 c1 ended               -> record ANSWERED_SITE UNKNOWN
        09:00:09 ? S undecided          -> S=0 undecided=0
        09:00:10 c1 offered off=-12     -> record ANSWERED_SITE v2 UNKNOWN
        """,
    )


@pytest.mark.parametrize("by", ["REDIRECT", "CARRIER"])
def test_after_a_redirect_the_end_of_our_switch_frees_our_channels_and_not_the_partners_seat(by):
    tell(
        a_plan(a_site(limit=0), a_partner(seats=1, route=route(by)), trunks={"t2": 5}),
        """
        09:00:00 c1 asks trunk=t2             -> OVERFLOW P SITE_FULL
        09:00:00 ? P t2                       -> P=1 t2=1
        09:00:01 c1 ended                     ->
        09:00:01 ? P t2                       -> P=1 t2=0
        09:00:01 c1 ended                     ->
        09:00:02 c2 asks trunk=t2             -> BLOCK busy TARGETS_FULL
        09:03:00 c1 answered site=P switch=acd ->
        09:04:00 c1 ended site=P switch=acd   -> record ANSWERED_PARTNER
        09:04:00 ? P                          -> P=0
        """,
    )


def test_without_a_word_from_the_partner_the_seat_is_free_at_the_lease_and_the_end_estimated():
    tell(
        a_plan(a_site(limit=0), a_partner(route=route("CARRIER"))),
        """
        09:00:00 c1 asks                      -> OVERFLOW P SITE_FULL
        09:00:01 c1 ended                     ->
        09:00:02 c2 asks                      -> OVERFLOW P SITE_FULL
        09:00:03 c2 ended                     ->
        09:00:04 c2 answered site=P           ->
        09:10:00 ! tick all                   ->
        09:10:01 ! tick all                   -> record HANDED_OVER_UNKNOWN estimated
        09:10:01 ? P P?                       -> P=1 P?=0
        09:10:04 ! tick all                   -> record ANSWERED_PARTNER estimated
        09:10:04 ? P                          -> P=0
        """,
    )


def test_a_transferred_call_of_which_nothing_more_is_heard_ends_unknown():
    tell(
        a_plan(a_site(limit=0), a_partner(leases=Leases(60_000_000, 60_000_000, 60_000_000, 60_000_000))),
        """
        09:00:00 c1 asks               -> OVERFLOW P SITE_FULL
        09:01:00 ! tick all            ->
        09:01:00 ? P P?                -> P=1 P?=1
        09:02:00 ! tick all            -> record HANDED_OVER_UNKNOWN estimated
        09:02:00 ? P P?                -> P=0 P?=0
        """,
    )


def test_after_a_transfer_the_end_of_our_switch_is_the_end():
    tell(
        a_plan(a_site(limit=0), a_partner(route=route("TRANSFER", "out")), trunks={"t2": 5, "out": 5}),
        """
        09:00:00 c1 asks trunk=t2      -> OVERFLOW P SITE_FULL
        09:00:00 ? P t2 out            -> P=1 t2=1 out=1
        09:00:06 c1 ended by=CALLER    -> record ABANDONED_WAITING
        09:00:06 ? P t2 out            -> P=0 t2=0 out=0
        """,
    )


def test_a_transferred_call_may_be_handed_away_all_the_same():
    tell(
        a_plan(a_site(limit=0), a_partner(route=route("TRANSFER", "out")), trunks={"t2": 5, "out": 5}),
        """
        09:00:00 c1 asks trunk=t2      -> OVERFLOW P SITE_FULL
        09:00:06 c1 diverted           ->
        09:00:06 ? P t2 out            -> P=1 t2=0 out=0
        09:00:06 c1 diverted           ->
        09:00:07 c1 ended              ->
        09:00:09 c1 ended site=P       -> record ABANDONED_WAITING
        09:00:09 ? P #repeated         -> P=0 #repeated=2
        """,
    )


def test_handed_away_to_nobody_we_know_is_an_end_whose_outcome_nobody_knows():
    tell(
        a_plan(trunks={"t2": 5}),
        """
        09:00:00 c1 asks trunk=t2              -> ADMIT S ROOM
        09:00:05 c1 diverted                   -> record HANDED_OVER_UNKNOWN
        09:00:05 ? S t2                        -> S=0 t2=0
        09:00:06 c2 asks trunk=t2              -> ADMIT S ROOM
        09:00:07 c2 answered                   ->
        09:00:08 c2 diverted                   -> record ANSWERED_SITE
        09:00:09 c3 asks                       -> ADMIT S ROOM
        09:00:10 c3 diverted target=P          ->
        09:00:10 ? S P                         -> S=0 P=1
        09:00:11 c3 ended site=P               -> record SHORT_ABANDON
        """,
    )


def test_lowered_limits_and_closed_windows_send_nobody_away():
    day = 24 * 3600 * 1_000_000
    from tests.core.clock import BASE_AT, at

    hours = windows(
        (at("09:00:00"), at("10:00:00"), 3), (at("10:00:00"), at("11:00:00"), 1), (BASE_AT + day, BASE_AT + 2 * day, 1)
    )
    tell(
        a_plan(a_site(limit=9, hours=hours, overflow=())),
        """
        09:30:00 c1 asks           -> ADMIT S ROOM
        09:30:00 c2 asks           -> ADMIT S ROOM
        09:59:59 c3 asks           -> ADMIT S ROOM
        10:00:00 ! tick all        ->
        10:00:00 ? S S%            -> S=3 S%=LIMIT_LOWERED:2
        10:00:00 c4 asks           -> BLOCK busy TARGETS_FULL
        10:00:01 c1 answered       ->
        10:00:02 c2 ended          -> record ABANDONED_WAITING
        11:00:00 c5 asks           -> BLOCK busy NO_TARGET
        11:00:00 ? S S%            -> S=2 S%=LIMIT_LOWERED:2,WINDOW_CLOSED:2
        11:00:01 c1 ended          -> record ANSWERED_SITE
        """,
    )


def test_a_site_with_positions_but_no_window_yet_takes_nobody():
    tell(a_plan(a_site(limit=None, hours=positions(0), overflow=())), "09:00:00 c1 asks -> BLOCK busy TARGETS_FULL")


def test_a_call_that_a_fact_has_put_at_its_site_is_not_counted_against_itself():
    plan = a_plan(a_site(limit=1, hours=positions(1)))
    tell(
        plan,
        """
        09:00:00 c1 offered            ->
        09:00:01 c1 answered target=S  ->
        09:00:02 c1 asks               -> ADMIT S ROOM
        09:00:02 ? S S! #misplaced     -> S=1 S!=1 #misplaced=0
        """,
    )
    tell(
        a_plan(),
        """
        09:00:00 c1 offered            ->
        09:00:01 c1 answered target=P  ->
        09:00:02 c1 asks               -> ADMIT S ROOM
        09:00:02 ? S P #misplaced      -> S=0 P=1 #misplaced=1
        """,
    )


def test_a_call_of_a_site_the_plan_does_not_know_is_answered_and_ends_like_any_other():
    tell(
        a_plan(),
        """
        09:00:00 c1 offered site=X     ->
        09:00:01 c1 answered site=X    ->
        09:00:02 c1 transferred        ->
        09:00:03 c1 ended site=X       -> record ANSWERED_SITE UNKNOWN
        """,
    )


def test_a_call_that_nobody_offered_may_hold_a_channel_and_give_it_back():
    story = tell(
        a_plan(trunks={"t2": 5}),
        """
        09:00:00 c1 placed target=S by=CARRIER trunk=t2  ->
        09:00:00 ? S t2                                  -> S=1 t2=1
        09:00:01 c1 returned attempt=1 reason=BUSY asks  -> OVERFLOW P RETURNED
        09:00:02 c1 offered                              ->
        09:00:03 c2 placed target=S by=CARRIER trunk=t2  ->
        09:00:09 c2 ended                                -> record ABANDONED_WAITING UNKNOWN
        09:00:09 ? S P t2                                -> S=0 P=1 t2=2
        """,
    )
    assert [held.kind for held in story.records()[0].resources] == ["PLACE"]


def test_a_call_that_is_somewhere_already_holds_what_its_offer_names():
    tell(
        a_plan(a_site(limit=9), trunks={"t2": 5}, campaigns={"k": 1}),
        """
        09:00:00 c1 placed attempt=1 verdict=ADMIT target=S by=EDGE ->
        09:00:00 c2 answered target=P                  ->
        09:00:00 c2 diverted                           ->
        09:00:00 ? S t2 k                              -> S=1 t2=0 k=0
        09:00:01 c1 asks trunk=t2 campaign=k           -> ADMIT S DECIDED_BY_EDGE
        09:00:01 ? S t2 k                              -> S=1 t2=1 k=1
        09:00:02 c2 offered trunk=t2 campaign=k        ->
        09:00:02 ? S P t2 k                            -> S=1 P=1 t2=1 k=2
        09:00:03 c3 asks campaign=k                    -> BLOCK busy CAMPAIGN_FULL
        09:00:04 c2 asks campaign=k                    -> BLOCK busy CAMPAIGN_FULL
        """,
    )


def test_a_call_that_went_nowhere_can_be_given_back_too():
    tell(
        a_plan(a_site(limit=0, overflow=())),
        """
        09:00:00 c1 asks                                -> BLOCK busy TARGETS_FULL
        09:00:01 c1 returned attempt=1 reason=DECLINED  ->
        09:00:02 c1 asks=2                              -> BLOCK busy TARGETS_FULL
        """,
    )


def test_a_placement_said_twice_changes_nothing_the_second_time_even_after_the_end():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                                                   -> ADMIT S ROOM
        09:00:01 c1 placed target=P by=SWITCH                              ->
        09:00:01 c1 placed target=P by=SWITCH                              ->
        09:00:01 ? S P #repeated                                           -> S=0 P=1 #repeated=1
        09:00:05 c1 ended                                                  -> record ABANDONED_WAITING
        09:00:06 c1 placed verdict=ADMIT target=S by=OPERATOR off=-2       -> record ABANDONED_WAITING v2
        09:00:06 c1 placed verdict=ADMIT target=S by=OPERATOR off=-2       ->
        09:00:06 ? S P                                                     -> S=0 P=0
        """,
    )


def test_a_call_placed_for_a_later_attempt_is_not_decided_for_it():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                                                      -> ADMIT S ROOM
        09:00:05 c1 returned attempt=1 reason=QUEUE_TIMEOUT                   ->
        09:00:06 c1 placed attempt=2 verdict=OVERFLOW target=P by=EDGE why=LAG ->
        09:00:06 ? S P                                                        -> S=0 P=1
        09:00:07 c1 placed attempt=1 verdict=ADMIT target=S by=CARRIER        ->
        09:00:07 c1 asks=2                                                    -> OVERFLOW P DECIDED_BY_EDGE
        09:00:07 ? S P                                                        -> S=0 P=1
        """,
    )


def test_a_call_that_was_turned_away_and_tried_again_is_treated_no_more():
    plan = a_plan(a_site(limit=1, overflow=(), otherwise="voicemail"), treatments=(VOICEMAIL,), trunks={"t2": 2})
    tell(
        plan,
        """
        09:00:00 c1 asks trunk=t2     -> ADMIT S ROOM
        09:00:00 c2 asks trunk=t2     -> BLOCK voicemail TARGETS_FULL
        09:00:03 c1 ended             -> record SHORT_ABANDON
        09:00:04 c2 asks=2            -> ADMIT S ROOM
        09:00:04 ? S t2               -> S=1 t2=1
        09:00:30 c2 ended             -> record ABANDONED_WAITING
        """,
    )
