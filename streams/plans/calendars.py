"""From local hours to half-open UTC intervals, right over both changes of the clock."""

from datetime import date, timedelta

from streams.core.plan import DAY_US, SECOND_US, Hours, Offset, WeeklyWindow, Window
from streams.plans import zones
from streams.plans.hours import DAY_MINUTES, Schedule, Span, refuse_overlaps

MINUTE_US = 60 * SECOND_US
_WEEK_MINUTES = 7 * DAY_MINUTES
_EPOCH = date(1970, 1, 1)


class Calendar:
    """One zone over one horizon: turns schedules into hours."""

    def __init__(self, zone: str, from_at: int, horizon_at: int) -> None:
        """Compute the zone's changes two days beyond both ends, so that no window that reaches in is missed."""
        self.from_at = from_at
        self.horizon_at = horizon_at
        self._table = zones.offsets(zone, from_at - 2 * DAY_US, horizon_at + 2 * DAY_US)

    def hours(self, schedule: Schedule) -> Hours:
        """Compile one schedule, refusing windows of neighbouring days that overlap."""
        if schedule.always:
            return Hours(always=True, positions=schedule.positions, windows=(), weekly=())
        return Hours(always=False, positions=None, windows=self._windows(schedule), weekly=_weekly(schedule))

    def _windows(self, schedule: Schedule) -> tuple[Window, ...]:
        """Return every window that has a part within the horizon, cut to it."""
        found: list[Window] = []
        for day, span in self._spans(schedule):
            midnight_us = (day - _EPOCH).days * DAY_US
            opens_at = zones.instant(midnight_us + span.opens * MINUTE_US, self._table)
            closes_at = zones.instant(midnight_us + span.closes * MINUTE_US, self._table)
            cut = Window(max(opens_at, self.from_at), min(closes_at, self.horizon_at), span.positions)
            # A window within the hour that is skipped in spring has no length, and is not there.
            if cut.opens_at < cut.closes_at:
                found.append(cut)
        return tuple(found)

    def _spans(self, schedule: Schedule) -> list[tuple[date, Span]]:
        """Return the spans of each day of the horizon, and of each dated exception wherever it lies, in order."""
        first = zones.local(self.from_at, self._table).date() - timedelta(days=1)
        last = zones.local(self.horizon_at, self._table).date()
        days = {first + timedelta(days=step): None for step in range((last - first).days + 1)}
        for day in schedule.exceptions:
            days.update({day + timedelta(days=step): None for step in (-1, 0, 1)})
        years = range(min(days).year, max(days).year + 1)
        public = {} if schedule.holidays is None else schedule.holidays.dates(years)
        found: list[tuple[date, Span]] = []
        for day in sorted(days):
            if day in schedule.exceptions:
                spans = schedule.exceptions[day]
            elif schedule.holidays is not None and day in public:
                spans = schedule.holidays.spans
            else:
                spans = schedule.week[day.weekday()]
            found.extend((day, span) for span in spans)
        refuse_overlaps([((day - _EPOCH).days * DAY_MINUTES, day.isoformat(), span) for day, span in found])
        return found


def offsets(zone: str, from_at: int, horizon_at: int) -> tuple[Offset, ...]:
    """Return the zone's changes for the plan: also those of five years past the horizon, when only the week is left."""
    return zones.offsets(zone, from_at, horizon_at + 5 * 366 * DAY_US)


def _weekly(schedule: Schedule) -> tuple[WeeklyWindow, ...]:
    """Return the week in minutes after Monday 0:00, a window over its end cut in two."""
    found: list[WeeklyWindow] = []
    for day, spans in enumerate(schedule.week):
        for span in spans:
            opens, closes = day * DAY_MINUTES + span.opens, day * DAY_MINUTES + span.closes
            found.append(WeeklyWindow(opens, min(closes, _WEEK_MINUTES), span.positions))
            if closes > _WEEK_MINUTES:
                found.append(WeeklyWindow(0, closes - _WEEK_MINUTES, span.positions))
    return tuple(sorted(found, key=lambda window: window.opens_minute))
