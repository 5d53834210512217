"""Switches restart, send lists of their calls, and repeat themselves: drift is repaired, and no live call released."""

import pytest

from streams.core.control import PARTIALS_MAX
from tests.core.plans_of_tests import a_partner, a_plan, a_site, route
from tests.core.story import tell


def test_a_newer_epoch_says_that_the_calls_of_the_older_are_over():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks epoch=08:00:00              -> ADMIT S ROOM
        09:00:00 c2 asks epoch=08:00:00 switch=other -> ADMIT S ROOM
        09:00:00 c3 asks                             -> ADMIT S ROOM
        09:00:09 ! started sw epoch=09:00:05         -> record LOST_BY_RESTART estimated; record LOST_BY_RESTART estimated
        09:00:09 ? S #drift.lost                     -> S=1 #drift.lost=2
        09:00:09 ! started sw epoch=09:00:05         ->
        09:00:10 c4 asks epoch=09:00:05              -> ADMIT S ROOM
        09:00:11 ! started sw epoch=08:00:00         ->
        09:00:11 ? S                                 -> S=2
        """,
    )


def test_any_event_of_a_newer_epoch_says_the_same():
    tell(
        a_plan(a_site(limit=1)),
        """
        09:00:00 c1 asks epoch=1       -> ADMIT S ROOM
        09:00:09 c2 asks epoch=2       -> record LOST_BY_RESTART estimated; ADMIT S ROOM
        """,
    )


def test_the_first_word_of_a_start_ends_the_calls_offered_before_it():
    """The calls of a switch that sends no epochs are told apart by when they were offered."""
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:00 c0 answered target=S          ->
        09:00:06 c2 asks                       -> ADMIT S ROOM
        09:00:09 ! started sw epoch=09:00:05   -> record LOST_BY_RESTART estimated; record LOST_BY_RESTART UNKNOWN estimated
        09:00:09 ? S                           -> S=1
        09:00:12 ! started sw epoch=09:00:10   -> record LOST_BY_RESTART estimated
        """,
    )


def test_old_events_from_a_spool_find_the_tombstone_of_their_epoch():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks epoch=2                  -> ADMIT S ROOM
        09:00:01 c2 asks epoch=1 off=-30          -> - CALL_ENDED; record LOST_BY_RESTART estimated
        09:00:02 c3 offered epoch=1 off=-30       -> record LOST_BY_RESTART UNKNOWN estimated
        09:00:03 c4 answered epoch=1 off=-20      ->
        09:00:04 c5 ended epoch=1 off=-20         ->
        09:00:05 c5 offered epoch=1 off=-30       -> record LOST_BY_RESTART UNKNOWN estimated
        09:00:05 ? S undecided                    -> S=1 undecided=0
        """,
    )


def test_a_restart_does_not_end_a_call_that_was_handed_away():
    tell(
        a_plan(a_site(limit=0), a_partner(route=route("REDIRECT"))),
        """
        09:00:00 c1 asks epoch=1       -> OVERFLOW P SITE_FULL
        09:00:01 c1 ended epoch=1      ->
        09:00:09 ! started sw epoch=2  ->
        09:00:09 ? P                   -> P=1
        """,
    )


def test_a_whole_snapshot_releases_what_the_switch_no_longer_has_and_takes_in_what_we_did_not_know():
    story = tell(
        a_plan(a_site(limit=1), trunks={"t2": 9}),
        """
        09:00:00 c1 asks                             -> ADMIT S ROOM
        09:00:05 c1 answered                         ->
        09:00:05 c2 asks                             -> OVERFLOW P SITE_FULL
        09:00:06 c2 answered                         ->
        09:00:30 ! snapshot sw a part=2/2 c7*@S c8*  ->
        09:00:30 ? S P                               -> S=1 P=1
        09:00:31 ! snapshot sw a part=2/2 c7*@S c8*  ->
        09:00:31 ! snapshot sw a part=1/2 c1 c9      -> record ANSWERED_PARTNER estimated
        09:00:31 ? S P S% undecided                  -> S=2 P=0 S%=REPAIRED:1 undecided=3
        09:00:31 ? #drift.released #drift.adopted    -> #drift.released=1 #drift.adopted=3
        09:00:40 c7 ended                            -> record ANSWERED_SITE UNKNOWN
        09:00:40 ? S undecided                       -> S=1 undecided=2
        """,
    )
    assert story.network.partials == {}


def test_a_snapshot_never_ends_a_waiting_call_within_its_lease():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks                  -> ADMIT S ROOM
        09:04:00 ! snapshot sw a          ->
        09:04:00 ? S                      -> S=1
        09:05:00 ! snapshot sw b          -> record ABANDONED_WAITING estimated
        """,
    )


def test_a_snapshot_says_nothing_of_calls_younger_than_itself():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks                       -> ADMIT S ROOM
        09:00:01 c1 answered                   ->
        09:00:05 ! snapshot sw a part=1/2      ->
        09:00:20 c2 asks                       -> ADMIT S ROOM
        09:00:21 c2 answered                   ->
        09:00:22 ! snapshot sw a part=2/2      ->
        09:00:22 ? S                           -> S=2
        09:00:40 ! snapshot sw a part=1/2 off=-35 ->
        09:00:40 ! snapshot sw a part=2/2 off=-35 ->
        09:00:40 ? S                           -> S=2
        09:00:41 ! snapshot sw b               -> record ANSWERED_SITE estimated; record ANSWERED_SITE estimated
        """,
    )


def test_with_sequences_a_snapshot_ends_only_what_it_has_seen():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks seq=10                          -> ADMIT S ROOM
        09:00:00 c2 asks seq=11                          -> ADMIT S ROOM
        09:00:01 c1 answered seq=12                      ->
        09:00:01 c2 answered seq=13                      ->
        09:00:02 ! snapshot sw a seq=12                  -> record ANSWERED_SITE estimated
        09:00:02 ? S                                     -> S=1
        """,
    )


def test_another_switchs_sequence_is_no_sequence_of_this_one():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks seq=1000                        -> ADMIT S ROOM
        09:00:01 c1 answered seq=5 switch=acd site=P     ->
        09:00:02 ! snapshot sw a seq=999                 ->
        09:00:03 c1 held seq=1003                        ->
        09:00:04 c1 ringing seq=1001 off=-3              ->
        09:00:05 ! snapshot sw b seq=1002                ->
        09:00:05 ? S                                     -> S=1
        """,
    )


def test_a_snapshot_of_another_epoch_is_none_of_a_calls_business():
    tell(
        a_plan(a_site(limit=9)),
        """
        09:00:00 c1 asks epoch=08:30:00                         -> ADMIT S ROOM
        09:00:01 c1 answered epoch=08:30:00                     ->
        09:00:30 ! snapshot sw old epoch=08:00:00               ->
        09:00:30 ? S                                     -> S=1
        09:00:31 ! snapshot sw new epoch=08:30:00               -> record ANSWERED_SITE estimated
        09:00:32 c2 asks                                 -> ADMIT S ROOM
        09:00:33 c2 answered                             ->
        09:00:50 ! snapshot sw next epoch=09:00:45 c3           -> record LOST_BY_RESTART estimated
        09:00:50 ? S undecided                           -> S=0 undecided=1
        """,
    )


def test_a_question_that_names_an_older_epoch_keeps_its_call_from_a_younger_snapshot():
    tell(
        a_plan(),
        """
        09:00:00 c1 offered                          ->
        09:00:01 ! started sw epoch=08:30:00         ->
        09:00:02 c1 asks epoch=08:00:00              -> ADMIT S ROOM
        09:00:03 c1 answered                         ->
        09:00:30 ! snapshot sw a epoch=08:30:00      ->
        09:00:30 ? S                                 -> S=1
        """,
    )


def test_a_snapshot_never_ends_a_call_that_was_handed_away_nor_one_of_another_switch():
    tell(
        a_plan(a_site(limit=1), a_partner(route=route("CARRIER"))),
        """
        09:00:00 c1 asks switch=other          -> ADMIT S ROOM
        09:00:00 c2 asks                       -> OVERFLOW P SITE_FULL
        09:00:01 c2 diverted                   ->
        09:00:01 c1 answered switch=other      ->
        09:00:50 ! snapshot sw a               ->
        09:00:50 ? S P                         -> S=1 P=1
        """,
    )


def test_a_listed_call_is_suspect_no_more_and_one_that_ended_stays_ended():
    tell(
        a_plan(),
        """
        09:00:00 c1 asks               -> ADMIT S ROOM
        09:00:00 c2 asks               -> ADMIT S ROOM
        09:00:01 c2 ended              -> record SHORT_ABANDON
        09:05:00 ! tick all            ->
        09:05:00 ? S S?                -> S=1 S?=1
        09:05:01 ! snapshot sw a c1 c2 ->
        09:05:01 ? S S?                -> S=1 S?=0
        """,
    )


def test_a_newer_snapshot_takes_the_place_of_an_unfinished_one():
    story = tell(
        a_plan(),
        """
        09:00:00 ! snapshot sw a part=1/3 c1   ->
        09:00:01 ! snapshot sw b part=2/2 c2   ->
        09:00:02 ! snapshot sw a part=2/3 c3   ->
        09:00:02 ! snapshot sw a part=3/3 c4   ->
        09:00:02 ? undecided                   -> undecided=0
        09:00:03 ! snapshot sw c part=0/2      -> refused BAD_SNAPSHOT
        09:00:03 ! snapshot sw c part=3/2      -> refused BAD_SNAPSHOT
        """,
    )
    assert [partial.snapshot_id for partial in story.network.partials.values()] == ["a"]


def test_unfinished_snapshots_are_bounded_and_the_oldest_goes_first():
    lines = [f"+1 ! snapshot sw{number} a part=1/2 ->" for number in range(PARTIALS_MAX + 2)]
    story = tell(a_plan(), "\n".join(lines))
    assert sorted(story.network.partials) == sorted(f"sw{number}" for number in range(2, PARTIALS_MAX + 2))


def test_no_more_calls_are_taken_in_than_can_be_remembered():
    tell(
        a_plan(calls_max=1),
        """
        09:00:00 ! snapshot sw a c1 c2         ->
        09:00:00 ? #drift.adopted #unremembered -> #drift.adopted=1 #unremembered=1
        """,
    )


@pytest.mark.parametrize("word", ["gap sw", "spot 17"])
def test_gaps_and_spots_are_noted_and_change_no_call(word):
    name = {"gap": "FeedGap", "spot": "SpotPlanned"}[word.split()[0]]
    tell(a_plan(), f"09:00:00 ! {word} ->\n +0 ? #noted.{name} -> #noted.{name}=1")
