"""Opening hours as a plan writes them: the week, public holidays and single dates, in local minutes.

A window belongs to the day on which it opens; one that ends at or before the time it opens ends on the next day.
A single date goes before a holiday, a holiday before the week.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import holidays
from ruamel.yaml.nodes import MappingNode, ScalarNode

from streams.plans.document import Section, Value
from streams.plans.keywords import SECTIONS, Keyword, for_partner
from streams.plans.refusals import suggestion

DAY_MINUTES = 1_440
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = tuple(day[:3] for day in _DAYS)
_TIMES = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")  # noqa: RUF001 -- a planner may type the long dash


@dataclass(frozen=True, slots=True)
class Span:
    """One window in minutes after midnight of its day; it ends after 1440 if it ends on the next day."""

    opens: int
    closes: int
    positions: int | None
    at: Value


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays of a country or one of its regions, and what is open then."""

    country: str
    region: str | None
    spans: tuple[Span, ...]

    def dates(self, years: range) -> dict[date, str]:
        """Return the holidays of some years and their names."""
        return dict(holidays.country_holidays(self.country, subdiv=self.region, years=years))


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a target is open, as written. ``always`` excludes the rest but ``positions``."""

    always: bool
    positions: int | None
    week: tuple[tuple[Span, ...], ...]
    holidays: Holidays | None
    exceptions: dict[date, tuple[Span, ...]]


ALWAYS = Schedule(always=True, positions=None, week=((),) * 7, holidays=None, exceptions={})


class HoursReader:
    """Reads one target's hours; ``figure`` is what its windows count: positions of a site, seats of a partner."""

    def __init__(self, value: Value, *, partner: bool) -> None:
        """Take the value behind `hours`."""
        self.at = value
        self.figure = "seats" if partner else "positions"
        self._hours_words = for_partner("hours") if partner else SECTIONS["hours"]
        self._window_words = for_partner("window") if partner else SECTIONS["window"]
        self._positions: int | None = None

    def read(self) -> Schedule:
        """Return the schedule; what is refused is in the report and missing here."""
        if isinstance(self.at.node, ScalarNode):
            text = self.at.text("always, or weekly windows")
            if text not in {None, "always"}:
                self.at.refuse(f'wants always, or weekly windows, not "{text}"')
            return ALWAYS
        section = Section(self.at, "hours", words=self._hours_words)
        self._positions = section.whole(self.figure)
        if (always := section.get("always")) is not None:
            return self._always(always, section)
        weekly = section.get("weekly")
        week: list[list[Span]] = [[] for _ in _DAYS]
        if weekly is not None:
            for item in weekly.items("windows with days"):
                self._add_weekly(item, week)
        elif isinstance(self.at.node, MappingNode):
            self.at.refuse('lacks "weekly": the ordinary week; or write `hours: always`')
        days = tuple(tuple(sorted(spans, key=lambda span: span.opens)) for spans in week)
        refuse_overlaps(
            # The Sunday before, too: it may reach into Monday.
            [(day * DAY_MINUTES, _DAYS[day].capitalize(), span) for day in range(-1, 7) for span in days[day]]
        )
        public = section.get("holidays")
        dated = section.get("exceptions")
        return Schedule(
            always=False,
            positions=None,
            week=days,
            holidays=None if public is None else self._holidays(public),
            exceptions={} if dated is None else self._exceptions(dated),
        )

    def _always(self, always: Value, section: Section) -> Schedule:
        """Read `always: true`, beside which nothing else may stand but the figure."""
        if not section.yes("always", default=True):
            always.refuse("wants true; a target that is not always open has weekly windows instead")
        for name in ("weekly", "holidays", "exceptions"):
            if (value := section.get(name)) is not None:
                value.refuse('stands beside "always"; write the week as {days: daily, open: 00:00-24:00} instead')
        return Schedule(always=True, positions=self._positions, week=ALWAYS.week, holidays=None, exceptions={})

    def _add_weekly(self, item: Value, week: list[list[Span]]) -> None:
        """Add one weekly window to each of its days."""
        section = Section(item, "window", words=self._window_words)
        days = section.get("days")
        if days is None:
            if isinstance(item.node, MappingNode):
                item.refuse('lacks "days": the days of the week, as in mon-sat')
            return
        spans = self._spans(section)
        for day in _days(days):
            week[day].extend(spans)

    def _spans(self, section: Section) -> list[Span]:
        """Read the times of one window, and how many are there."""
        value = section.get("open")
        figure = section.whole(self.figure)
        positions = self._positions if figure is None else figure
        if value is None:
            return []
        texts = [value] if isinstance(value.node, ScalarNode) else value.items("times")
        return [span for text in texts if (span := _span(text, positions)) is not None]

    def _windows(self, value: Value) -> tuple[Span, ...]:
        """Read the windows of one date: none if closed, one, or a list."""
        if isinstance(value.node, ScalarNode):
            text = value.text("closed, or a list of windows")
            if text not in {None, "closed"}:
                value.refuse(f'wants closed, or a list of windows, not "{text}"')
            return ()
        items = [value] if isinstance(value.node, MappingNode) else value.items("windows")
        words: tuple[Keyword, ...] = tuple(word for word in self._window_words if word.name != "days")
        spans = [span for item in items for span in self._spans(Section(item, "window", words=words))]
        return tuple(sorted(spans, key=lambda span: span.opens))

    def _holidays(self, value: Value) -> Holidays | None:
        """Read whose holidays count, and what is open on them."""
        section = None if isinstance(value.node, ScalarNode) else Section(value, "holidays")
        country_at = value if section is None else section.get("country")
        country = None if country_at is None else country_at.text("a country's code, as in FR")
        if country is None or country_at is None:
            return None
        known = holidays.list_supported_countries()
        if country not in known:
            country_at.refuse(f'"{country}" is no country whose holidays are known; a code has two letters, as in FR')
            return None
        region_at = None if section is None else section.get("region")
        region = None if region_at is None else region_at.text("a region's code")
        if region is not None and region_at is not None and region not in known[country]:
            regions = ", ".join(known[country]) or "no regions"
            region_at.refuse(
                f'"{region}" is no region of {country}{suggestion(region, known[country])} (it has {regions})'
            )
            return None
        windows = None if section is None else section.get("windows")
        return Holidays(country, region, () if windows is None else self._windows(windows))

    def _exceptions(self, value: Value) -> dict[date, tuple[Span, ...]]:
        """Read the single dates."""
        found: dict[date, tuple[Span, ...]] = {}
        for key, child in value.pairs("closed or windows by date").items():
            spans = self._windows(child)
            try:
                found[_date(key)] = spans
            except ValueError:
                child.refuse(f'"{key}" is no date; write it as 2025-11-11')
        return found


def refuse_overlaps(spans: list[tuple[int, str, Span]]) -> None:
    """Refuse a window that opens before the one before it has closed, once for each pair of lines.

    ``spans`` are in order, each behind the minutes at which its day begins and the day's name.
    """
    told: dict[tuple[int, int], None] = {}
    for (midnight, _, first), (following, day, second) in pairwise(spans):
        lines = (first.at.line, second.at.line)
        if following + second.opens < midnight + first.closes and lines not in told:
            told[lines] = None
            second.at.refuse(f"opens on {day} before the window of line {lines[0]} has closed")


def _days(value: Value) -> list[int]:
    """Read days of the week, Monday 0; each once."""
    if isinstance(value.node, ScalarNode):
        text = value.text("days of the week")
        parts = [] if text is None else [part.strip() for part in text.split(",")]
    else:
        parts = [text for item in value.items("days") if (text := item.text("a day of the week")) is not None]
    found: list[int] = []
    for part in parts:
        if part == "daily":
            chosen = list(range(7))
        else:
            first, dash, last = (end.strip() for end in part.lower().partition("-"))
            ends = [_day(first), _day(last if dash else first)]
            if None in ends:
                value.refuse(f'"{part}" is no day; write mon, tue, wed, thu, fri, sat, sun, mon-sat or daily')
                continue
            low, high = (end or 0 for end in ends)
            chosen = [(low + step) % 7 for step in range((high - low) % 7 + 1)]
        if any(day in found for day in chosen):
            value.refuse(f'"{part}" names a day a second time')
            continue
        found.extend(chosen)
    return found


def _day(word: str) -> int | None:
    """Return a day's number by its short or full name."""
    return next((days.index(word) for days in (_SHORT, _DAYS) if word in days), None)


def _span(value: Value, positions: int | None) -> Span | None:
    """Read `09:00-20:00`."""
    text = value.text("times, as in 09:00-20:00")
    if text is None:
        return None
    match = _TIMES.fullmatch(text)
    if match is None:
        value.refuse(f'wants times, as in 09:00-20:00, not "{text}"')
        return None
    numbers = [int(number) for number in match.groups()]
    opens, closes = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if max(numbers[1], numbers[3]) > 59 or opens >= DAY_MINUTES or closes > DAY_MINUTES:
        value.refuse(f'"{text}" goes past the clock: hours run from 00:00 to 24:00')
        return None
    if opens == closes:
        value.refuse(f'"{text}" opens and closes at once; a whole day is 00:00-24:00')
        return None
    return Span(opens, closes if closes > opens else closes + DAY_MINUTES, positions, value)


def _date(text: str) -> date:
    """Return a date written as 2025-11-11 and in no other of the forms that ISO 8601 has."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)
