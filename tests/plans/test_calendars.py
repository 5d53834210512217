"""Calendars against the clock on the wall: a second opinion that steps through minutes and asks zoneinfo each one.

The rule: a window opens at the first instant at which clocks on the wall read its opening time or later, and closes
at the first at which they read its closing time or later. So the brute force keeps the latest reading seen so far,
and a window is open while that lies in it. It shares no code with the calendars.
"""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
import tzdata

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def reading(at, zone):
    """What clocks on the wall read."""
    return datetime.fromtimestamp(at // 1_000_000, zone).replace(tzinfo=None)


def written(weekly, day):
    """The windows of one day as wall times, from (days, opens, closes, positions) in minutes."""
    midnight = datetime.combine(day, datetime.min.time())
    for days, opens, closes, positions in weekly:
        if WEEK[day.weekday()] in days:
            end = closes if closes > opens else closes + 1440
            yield midnight + timedelta(minutes=opens), midnight + timedelta(minutes=end), positions


def brute_force(weekly, zone, from_at, until_at):
    """Each minute with the positions open then, None where closed."""
    latest = reading(from_at - 4 * 3_600_000_000, zone)
    found = {}
    for at in range(from_at - 4 * 3_600_000_000, until_at, MINUTE_US):
        latest = max(latest, reading(at, zone))
        if at >= from_at:
            days = (latest.date() - timedelta(days=1), latest.date())
            spans = [span for day in days for span in written(weekly, day) if span[0] <= latest < span[1]]
            assert len(spans) < 2
            found[at] = spans[0][2] if spans else None
    return found


def compiled(hours, at):
    """The positions that a compiled calendar has open at an instant."""
    spans = [window.positions for window in hours.windows if window.opens_at <= at < window.closes_at]
    assert len(spans) < 2
    return spans[0] if spans else None


def minutes_of(times):
    opens, closes = times.split("-")
    return [int(text[:2]) * 60 + int(text[3:]) for text in (opens, closes)]


def as_yaml(weekly):
    items = [
        f"{{days: [{', '.join(days)}], open: {o // 60:02}:{o % 60:02}-{c // 60:02}:{c % 60:02}, positions: {p}}}"
        for days, o, c, p in weekly
    ]
    return f"{{weekly: [{', '.join(items)}]}}"


def patterns(*windows):
    return [(WEEK, *minutes_of(times), positions) for positions, times in enumerate(windows, start=1)]


ROUND_THE_CLOCK = patterns("00:00-01:30", "01:30-02:15", "02:15-02:45", "02:45-03:30", "03:30-22:00", "22:00-24:00")
NIGHTS = patterns("21:59-02:30", "02:30-05:00")
IN_THE_HOUR = patterns("02:10-02:20", "02:40-03:00", "01:59-02:01")
CHANGES = [
    ("Europe/Paris", "2026-03-29"),
    ("Europe/Paris", "2025-10-26"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Antarctica/Troll", "2026-03-29"),  # two hours
    ("Antarctica/Troll", "2026-10-25"),
    ("Africa/Cairo", "2026-04-24"),  # at midnight: the day begins at 1:00
    ("Africa/Cairo", "2026-10-29"),
    ("America/Santiago", "2026-04-04"),  # at midnight: the day before has 25 hours
    ("Africa/Casablanca", "2026-02-15"),
    ("Asia/Kolkata", "2026-03-29"),  # none
]


@pytest.mark.parametrize(
    "weekly", [ROUND_THE_CLOCK, NIGHTS, IN_THE_HOUR], ids=["round the clock", "nights", "in the hour"]
)
@pytest.mark.parametrize(("name", "day"), CHANGES)
def test_every_minute_round_a_change_of_the_clock_is_right(name, day, weekly, open_at):
    middle = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000
    from_at = middle - 30 * 3_600_000_000
    plan = open_at(as_yaml(weekly), zone=name, from_at=from_at, days=3)
    expected = brute_force(weekly, zoneinfo.ZoneInfo(name), from_at, from_at + 3 * DAY_US)
    assert {at: compiled(plan.sites[0].hours, at) for at in expected} == expected


def test_every_minute_round_every_edge_of_two_years_is_right(open_at, november):
    weekly = [(WEEK[:6], 540, 1200, 15), (WEEK[6:], 1020, 1410, 12), (WEEK[4:6], 1380, 150, 3)]
    zone = zoneinfo.ZoneInfo("Europe/Paris")
    hours = open_at(as_yaml(weekly)).sites[0].hours
    assert len(hours.windows) > 900
    for window in hours.windows:
        for edge in (window.opens_at, window.closes_at):
            first = max(edge - 3 * MINUTE_US, november)
            last = min(edge + 3 * MINUTE_US, november + 730 * DAY_US)
            for at, positions in brute_force(weekly, zone, first, last).items():
                near = [span for span in (window, *hours.windows) if span.opens_at <= at < span.closes_at][:1]
                assert [span.positions for span in near] == ([] if positions is None else [positions])


@pytest.mark.parametrize(
    ("hours", "opens", "closes"),
    [
        # In the autumn 2:30 comes twice: it counts the first time.
        ("{weekly: [{days: sun, open: 01:00-02:30}]}", "2025-10-25T23:00", "2025-10-26T00:30"),
        ("{weekly: [{days: sun, open: 02:30-04:00}]}", "2025-10-26T00:30", "2025-10-26T03:00"),
        ("{weekly: [{days: sun, open: 01:00-04:00}]}", "2025-10-25T23:00", "2025-10-26T03:00"),
    ],
)
def test_a_time_that_comes_twice_counts_the_first_time(hours, opens, closes, open_at, at):
    windows = open_at(hours, from_at=at("2025-10-25T00:00"), days=2).sites[0].hours.windows
    assert [(window.opens_at, window.closes_at) for window in windows] == [(at(opens), at(closes))]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        # In the spring 2:00 to 3:00 is skipped: each time in it counts at the moment of the skip, 1:00 UTC.
        ("{weekly: [{days: sun, open: 01:00-02:30}]}", [("2026-03-29T00:00", "2026-03-29T01:00")]),
        ("{weekly: [{days: sun, open: 02:30-04:00}]}", [("2026-03-29T01:00", "2026-03-29T02:00")]),
        ("{weekly: [{days: sun, open: 02:10-02:50}]}", []),
    ],
)
def test_a_time_that_is_skipped_counts_at_the_skip(hours, expected, open_at, at):
    windows = open_at(hours, from_at=at("2026-03-28T00:00"), days=2).sites[0].hours.windows
    assert [(window.opens_at, window.closes_at) for window in windows] == [(at(a), at(b)) for a, b in expected]


def test_windows_are_cut_to_the_horizon(open_at, at):
    hours = open_at("{weekly: [{days: daily, open: 22:00-06:00}]}", from_at=at("2025-11-01T00:00"), days=1)
    assert [(window.opens_at, window.closes_at) for window in hours.sites[0].hours.windows] == [
        (at("2025-11-01T00:00"), at("2025-11-01T05:00")),
        (at("2025-11-01T21:00"), at("2025-11-02T00:00")),
    ]


def test_windows_on_the_edges_of_the_horizon_are_not_there(open_at, at):
    hours = open_at("{weekly: [{days: daily, open: 01:00-02:00}]}", zone="UTC", from_at=at("2025-11-01T02:00"), days=1)
    assert [window.opens_at for window in hours.sites[0].hours.windows] == [at("2025-11-02T01:00")]


HOLIDAYS_2026 = ["01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25"]


def days_open(plan):
    zone = zoneinfo.ZoneInfo(plan.zone)
    return {reading(window.opens_at, zone).date() for window in plan.sites[0].hours.windows}


def days_of_2026():
    return {date(2026, 1, 1) + timedelta(days=day) for day in range(365)}


def test_public_holidays_close(open_at, at):
    plan = open_at(
        "{weekly: [{days: daily, open: 09:00-20:00}], holidays: FR}", from_at=at("2025-12-31T23:00"), days=365
    )
    assert days_of_2026() - days_open(plan) == {date.fromisoformat(f"2026-{day}") for day in HOLIDAYS_2026}


def test_a_region_has_its_own_holidays(open_at, at):
    hours = '{weekly: [{days: daily, open: 09:00-20:00}], holidays: {country: FR, region: "57"}}'
    plan = open_at(hours, from_at=at("2025-12-31T23:00"), days=365)
    moselle = [*HOLIDAYS_2026, "04-03", "12-26"]  # Good Friday and the second day of Christmas
    assert days_of_2026() - days_open(plan) == {date.fromisoformat(f"2026-{day}") for day in moselle}


def test_a_holiday_may_have_windows_of_its_own(open_at, at):
    hours = (
        "{weekly: [{days: daily, open: 09:00-20:00, positions: 15}],"
        " holidays: {country: FR, windows: [{open: 14:00-15:00, positions: 2}, {open: 10:00-12:00, positions: 3}]}}"
    )
    windows = open_at(hours, from_at=at("2025-11-11T00:00"), days=1).sites[0].hours.windows
    assert [(window.opens_at, window.closes_at, window.positions) for window in windows] == [
        (at("2025-11-11T09:00"), at("2025-11-11T11:00"), 3),
        (at("2025-11-11T13:00"), at("2025-11-11T14:00"), 2),
    ]


def test_a_dated_exception_goes_before_a_holiday_and_a_holiday_before_the_week(open_at, at):
    hours = (
        "{weekly: [{days: daily, open: 09:00-20:00}], holidays: FR,"
        " exceptions: {2025-12-25: {open: 10:00-11:00}, 2025-12-26: closed}}"
    )
    plan = open_at(hours, from_at=at("2025-12-24T00:00"), days=4)
    assert [(window.opens_at, window.closes_at) for window in plan.sites[0].hours.windows] == [
        (at("2025-12-24T08:00"), at("2025-12-24T19:00")),
        (at("2025-12-25T09:00"), at("2025-12-25T10:00")),
        (at("2025-12-27T08:00"), at("2025-12-27T19:00")),
    ]


def test_a_night_belongs_to_the_day_on_which_it_begins(open_at, at):
    hours = "{weekly: [{days: daily, open: 22:00-06:00}], exceptions: {2025-11-11: closed}}"
    plan = open_at(hours, from_at=at("2025-11-10T12:00"), days=2)
    assert [(window.opens_at, window.closes_at) for window in plan.sites[0].hours.windows] == [
        (at("2025-11-10T21:00"), at("2025-11-11T05:00")),
    ]


@pytest.mark.parametrize("name", ["Europe/Paris", "Africa/Casablanca"])  # the second changes twice within five weeks
def test_the_offsets_of_the_plan_are_those_of_the_zone(name, open_at, november):
    plan = open_at("always", zone=name)
    zone = zoneinfo.ZoneInfo(name)
    assert plan.offsets[0].from_at == november
    for before, after in zip(plan.offsets, plan.offsets[1:], strict=False):
        for at, offset_us in ((after.from_at - 1_000_000, before.offset_us), (after.from_at, after.offset_us)):
            assert datetime.fromtimestamp(at // 1_000_000, zone).utcoffset() == timedelta(microseconds=offset_us)
    for at in range(november, plan.horizon_at + 5 * 365 * DAY_US, 2 * DAY_US):
        in_force = [offset.offset_us for offset in plan.offsets if offset.from_at <= at][-1]
        assert datetime.fromtimestamp(at // 1_000_000, zone).utcoffset() == timedelta(microseconds=in_force)


def test_the_packaged_time_zones_serve_and_not_the_machine_s(open_at):
    assert zoneinfo.TZPATH == ()
    assert open_at("always").tz_version == tzdata.IANA_VERSION
