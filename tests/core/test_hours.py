"""Open or shut at an instant: windows, both changes of clocks, capacities for a while, days, and the horizon."""

from streams.core.calendar import FOREVER, day_at, day_end, span_at
from streams.core.events import Tick
from streams.core.plan import Hours, Leases, Offset, WeeklyWindow
from tests.core.clock import BASE_AT, DAY_US, SECOND_US, at, instant
from tests.core.plans_of_tests import ALWAYS, a_partner, a_plan, a_site, positions, windows
from tests.core.story import Story, tell

HOUR_US = 3600 * SECOND_US
PATIENT = Leases(*(24 * HOUR_US,) * 4)
PARIS = (
    Offset(0, HOUR_US),
    Offset(instant("2025-03-30 01:00:00"), 2 * HOUR_US),
    Offset(instant("2025-10-26 01:00:00"), HOUR_US),
)
"""Paris in 2025: summer time begins on 30 March and ends on 26 October, both at 1:00 UTC."""


def test_a_window_holds_its_first_instant_and_not_its_last():
    hours = windows((at("09:00:00"), at("10:00:00"), None), (at("10:00:00"), at("11:00:00"), None))
    tell(
        a_plan(a_site(limit=9, hours=hours, leases=PATIENT), a_partner(leases=PATIENT)),
        """
        08:59:59.999999 c1 asks   -> OVERFLOW P OUT_OF_HOURS
        09:00:00 c2 asks          -> ADMIT S ROOM
        10:00:00 c3 asks          -> ADMIT S ROOM
        10:59:59.999999 c4 asks   -> ADMIT S ROOM
        11:00:00 c5 asks          -> OVERFLOW P OUT_OF_HOURS
        11:00:01 c2 answered      ->
        11:00:09 c2 ended         -> record ANSWERED_SITE
        """,
    )


def test_a_shut_partner_is_passed_over_and_a_full_one_told_apart_from_a_shut_one():
    shut = windows((1, 2, None))
    tell(
        a_plan(a_site(limit=0, overflow=("P", "Q")), a_partner("P", hours=shut), a_partner("Q", 1)),
        """
        09:00:00 c1 asks    -> OVERFLOW Q SITE_FULL
        09:00:00 c2 asks    -> BLOCK busy TARGETS_FULL
        """,
    )
    nobody = a_plan(a_site(limit=9, hours=shut), a_partner("P", hours=shut))
    tell(nobody, "09:00:00 c1 asks -> BLOCK busy NO_TARGET")
    full = a_plan(a_site(limit=9, hours=shut), a_partner("P", 0))
    tell(full, "09:00:00 c1 asks -> BLOCK busy TARGETS_FULL")


def test_a_stated_capacity_holds_until_its_end_or_that_of_the_window():
    hours = windows((at("09:00:00"), at("12:00:00"), 3), (at("12:00:00"), at("18:00:00"), 3))
    story = tell(
        a_plan(a_site(limit=9, hours=hours, leases=PATIENT, overflow=())),
        """
        09:00:00 ! capacity S 1 until=10:00:00   ->
        09:00:01 c1 asks                         -> ADMIT S ROOM
        09:00:02 c2 asks                         -> BLOCK busy TARGETS_FULL
        09:59:59 c2 asks=2                       -> BLOCK busy TARGETS_FULL
        10:00:00 c2 asks=3                       -> ADMIT S ROOM
        11:00:00 ! capacity S 1 until=17:00:00   ->
        11:00:00 ? S S%                          -> S=2 S%=LIMIT_LOWERED:1
        11:59:59 c3 asks                         -> BLOCK busy TARGETS_FULL
        12:00:00 c3 asks=2                       -> ADMIT S ROOM
        12:00:01 ! capacity S 0                  ->
        17:59:59 c4 asks                         -> BLOCK busy TARGETS_FULL
        """,
    )
    assert story.network.site_state("S").staffed == 0
    assert story.partition.wake_at() == at("18:00:00")


def test_a_stated_capacity_counts_people_where_none_were_counted_before():
    story = tell(
        a_plan(a_site(limit=9, overflow=())),
        """
        09:00:00 c1 asks                         -> ADMIT S ROOM
        09:00:01 ! capacity S 2 until=10:00:00   ->
        09:00:02 c2 asks                         -> ADMIT S ROOM
        09:00:03 c3 asks                         -> BLOCK busy TARGETS_FULL
        09:00:03 ? S S!                          -> S=2 S!=2
        09:00:04 c1 ended                        -> record SHORT_ABANDON
        09:00:05 c3 asks=2                       -> ADMIT S ROOM
        10:00:00 c4 asks                         -> ADMIT S ROOM
        10:00:00 ? S S!                          -> S=3 S!=0
        """,
    )
    assert story.decisions()[-1].considered[0].room == 7


def test_a_capacity_of_a_partner_never_opens_more_than_its_contract():
    tell(
        a_plan(a_site(limit=0), a_partner(seats=1)),
        "09:00:00 ! capacity P 5 ->\n +0 c1 asks -> OVERFLOW P SITE_FULL\n +0 c2 asks -> BLOCK busy TARGETS_FULL",
    )
    tell(
        a_plan(a_site(limit=0), a_partner(seats=None)),
        "09:00:00 ! capacity P 1 ->\n +0 c1 asks -> OVERFLOW P SITE_FULL\n +0 c2 asks -> BLOCK busy TARGETS_FULL",
    )


def test_a_capacity_that_is_over_already_changes_nothing():
    tell(
        a_plan(a_site(limit=9, hours=positions(3))),
        """
        09:00:00 ! capacity S 0 until=08:00:00   ->
        09:00:01 c1 asks                         -> ADMIT S ROOM
        """,
    )


def test_the_day_of_a_change_of_clocks_has_twenty_three_or_twenty_five_hours():
    spring, autumn = instant("2025-03-29 23:00:00"), instant("2025-10-25 22:00:00")
    assert day_end(PARIS, spring) - spring == 23 * HOUR_US
    assert day_end(PARIS, autumn) - autumn == 25 * HOUR_US
    for start, hours in ((spring, 23), (autumn, 25)):
        assert len({day_at(PARIS, start + hour * HOUR_US) for hour in range(hours)}) == 1
        assert day_at(PARIS, start + hours * HOUR_US) == day_at(PARIS, start) + 1
        assert day_at(PARIS, start - 1) == day_at(PARIS, start) - 1
    assert day_at((), BASE_AT) == BASE_AT // DAY_US
    assert day_end((), BASE_AT) == BASE_AT + DAY_US


def test_the_counts_of_a_day_begin_again_at_midnight_in_the_networks_zone():
    for midnight in ("2025-03-30 22:00:00", "2025-10-26 23:00:00"):
        before = instant(midnight) - SECOND_US
        story = Story(a_plan(a_site(limit=1), zone="Europe/Paris", offsets=PARIS), moment="2025-03-01 00:00:00")
        story.moment = before
        for call in ("c1", "c2"):
            story.call(f"{call} asks")
        state = story.network.site_state("S")
        assert (state.offered_today, state.admitted_today, state.overflowed_today, state.peak_today) == (2, 1, 1, 1)
        assert (state.overflow, state.overflow_to) == (True, "P")
        story.moment = before + SECOND_US
        story.control(Tick(), network=None)
        after = story.network.site_state("S")
        assert (after.offered_today, after.admitted_today, after.overflowed_today, after.peak_today) == (0, 0, 0, 1)
        assert after.day > state.day


def test_the_same_hour_of_a_week_past_the_horizon_is_open_without_exceptions():
    """Monday 9:00 to 12:00 and Sunday 20:00 to Monday 2:00, local time at one hour from UTC."""
    weekly = (WeeklyWindow(9 * 60, 12 * 60, 4), WeeklyWindow((6 * 24 + 20) * 60, (7 * 24 + 2) * 60, None))
    horizon = instant("2025-11-03 08:30:00")
    hours = windows((1, 2, 1), weekly=weekly)
    offsets = (Offset(0, HOUR_US),)

    def span(text):
        return span_at(hours, instant(text), horizon, offsets)

    assert span("2025-11-03 08:29:59") == (2, horizon, False, 0)
    assert span("2025-11-03 09:00:00") == (horizon, instant("2025-11-03 11:00:00"), True, 4)
    assert span("2025-11-03 11:00:00") == (instant("2025-11-03 11:00:00"), instant("2025-11-09 19:00:00"), False, 0)
    for inside in ("2025-11-09 19:00:00", "2025-11-10 00:59:59"):
        assert span(inside) == (instant("2025-11-09 19:00:00"), instant("2025-11-10 01:00:00"), True, None)
    assert span("2025-11-10 01:00:00") == (instant("2025-11-10 01:00:00"), instant("2025-11-10 08:00:00"), False, 0)
    assert span("2026-11-09 08:00:00").open


def test_no_weekly_window_past_the_horizon_is_shut_for_good():
    hours = windows((1, 2, 1))
    late = span_at(hours, BASE_AT, 100, ())
    assert not late.open
    assert span_at(hours, late.until_at, 100, ()).open is False


def test_before_between_and_after_the_windows_nothing_is_open():
    hours = windows((100, 200, 7), (300, 400, None))
    assert span_at(hours, 0, 1000, ()) == (-FOREVER, 100, False, 0)
    assert span_at(hours, 150, 1000, ()) == (100, 200, True, 7)
    assert span_at(hours, 200, 1000, ()) == (200, 300, False, 0)
    assert span_at(hours, 399, 1000, ()) == (300, 400, True, None)
    assert span_at(hours, 400, 1000, ()) == (400, 1000, False, 0)
    assert span_at(hours, 350, 380, ()) == (300, 380, True, None)
    assert span_at(ALWAYS, 0, 1000, ()).until_at == FOREVER
    assert span_at(Hours(always=False, positions=None, windows=(), weekly=()), 5, 10, ()) == (-FOREVER, 10, False, 0)
