"""A second opinion on a campaign: everything counted again from the events handed over, by hand, with lists.

It takes rows as `events.ndjson` has them (a mapping per event, `occurred_at` in integer microseconds) and uses nothing
else of this package: neither the core's states nor its calendar, nor the truth the simulator drew. The opening hours
and the limiter stand here a second time, on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]

PLACES = 15
WRAP_UP_US = 20_000_000
CLOSED_DAYS = (date(2025, 11, 11),)


@dataclass(frozen=True, slots=True)
class Peak:
    """The most calls in progress, and the first instant at which so many were."""

    calls: int
    at: int


@dataclass(frozen=True, slots=True)
class Day:
    """One Paris day. ``full`` counts the calls overflowed while the site was open, ``closed`` those out of hours."""

    day: str
    offers: int
    admitted: int
    full: int
    closed: int
    answered: int
    abandoned: int
    peak: int


@dataclass(frozen=True, slots=True)
class Recount:
    """The whole campaign; ``verdicts`` says ADMIT or OVERFLOW for each call id, ``second`` the highest peak of another day."""

    offers: int
    redials: int
    answered: int
    abandoned: int
    admitted: int
    full: int
    closed: int
    peak: Peak
    second: Peak | None
    days: tuple[Day, ...]
    verdicts: Mapping[str, str]


@dataclass(slots=True)
class _Held:
    """A position in use: whose, and when it is free (None while the call lasts)."""

    call_id: str
    answered: bool = False
    wrapped_up: bool = False
    free_at: int | None = None


def recount(rows: Iterable[Row]) -> Recount:
    """Count everything in the rows (of one call at least), which stand in the order in which they were handed over."""
    handed = list(rows)
    calls = _calls(handed)
    verdicts = _limiter(handed)
    peaks = sorted(_peaks(calls).items(), key=lambda pair: (-pair[1].calls, pair[1].at))
    days = []
    for day in sorted({_paris(call["OFFERED"]).date() for call in calls.values()}):
        of_day = {name: call for name, call in calls.items() if _paris(call["OFFERED"]).date() == day}
        answered = sum("ANSWERED" in call for call in of_day.values())
        words = [verdicts[name] for name in of_day]
        days.append(
            Day(
                day=day.isoformat(),
                offers=len(of_day),
                admitted=words.count("ADMIT"),
                full=words.count("FULL"),
                closed=words.count("CLOSED"),
                answered=answered,
                abandoned=len(of_day) - answered,
                peak=dict(peaks)[day].calls,
            )
        )
    return Recount(
        offers=len(calls),
        redials=_redials(handed),
        answered=sum(day.answered for day in days),
        abandoned=sum(day.abandoned for day in days),
        admitted=sum(day.admitted for day in days),
        full=sum(day.full for day in days),
        closed=sum(day.closed for day in days),
        peak=peaks[0][1],
        second=peaks[1][1] if len(peaks) > 1 else None,
        days=tuple(days),
        verdicts={name: "ADMIT" if word == "ADMIT" else "OVERFLOW" for name, word in verdicts.items()},
    )


def _calls(rows: list[Row]) -> dict[str, dict[str, int]]:
    """Return, for each call offered, when each thing happened to it; a doubled row says nothing new."""
    calls: dict[str, dict[str, int]] = {}
    for row in rows:
        if "call_id" in row:
            calls.setdefault(row["call_id"], {}).setdefault(str(row["type"]), row["occurred_at"])
    return calls


def _peaks(calls: Mapping[str, Mapping[str, int]]) -> dict[date, Peak]:
    """Return each day's peak of calls offered and not ended, by when it happened; an end counts before an offer."""
    steps = [(call["OFFERED"], 1) for call in calls.values()] + [(call["ENDED"], -1) for call in calls.values()]
    peaks: dict[date, Peak] = {}
    in_progress = 0
    for at, step in sorted(steps):
        in_progress += step
        day = _paris(at).date()
        if day not in peaks or in_progress > peaks[day].calls:
            peaks[day] = Peak(in_progress, at)
    return peaks


def _redials(rows: list[Row]) -> int:
    """Count the offers of a caller who had called before; who withholds the number is nobody's second call."""
    seen: list[str] = []
    callers: list[str] = []
    for row in rows:
        if row.get("type") == "OFFERED" and row["call_id"] not in seen:
            seen.append(row["call_id"])
            if row.get("caller"):
                callers.append(row["caller"])
    return len(callers) - len(set(callers))


def _limiter(rows: list[Row]) -> dict[str, str]:
    """Decide each question in the order handed over: ADMIT, FULL (open, no place or position) or CLOSED.

    The clock is the latest instant any row so far has told. A call holds a place until its end has been handed over,
    and a position until it is wrapped up, at most 20 s of the clock longer; who was never answered leaves no wrap-up.
    """
    verdicts: dict[str, str] = {}
    inside: list[_Held] = []
    clock = 0
    for row in rows:
        clock = max(clock, row["occurred_at"])
        inside = [held for held in inside if held.free_at is None or held.free_at > clock]
        if "call_id" not in row:
            continue
        name, kind = row["call_id"], str(row["type"])
        if kind == "OFFERED":
            if name in verdicts:
                continue
            room = len(inside) < PLACES
            verdicts[name] = "CLOSED" if not _open(row["occurred_at"]) else "ADMIT" if room else "FULL"
            if verdicts[name] == "ADMIT":
                inside.append(_Held(name))
        for held in inside:
            if held.call_id != name:
                continue
            held.answered = held.answered or kind == "ANSWERED"
            held.wrapped_up = held.wrapped_up or kind == "WRAPPED_UP"
            if kind == "ENDED" and held.free_at is None:
                held.free_at = clock + WRAP_UP_US if held.answered and not held.wrapped_up else clock
            elif kind == "WRAPPED_UP" and held.free_at is not None:
                held.free_at = clock
        inside = [held for held in inside if held.free_at is None or held.free_at > clock]
    return verdicts


def _open(at: int) -> bool:
    """Monday to Saturday from 9 to 20 h, Sunday from 17 to 23:30, never on the holiday."""
    local = _paris(at)
    if local.date() in CLOSED_DAYS:
        return False
    minute = local.hour * 60 + local.minute
    return 17 * 60 <= minute < 23 * 60 + 30 if local.isoweekday() == 7 else 9 * 60 <= minute < 20 * 60


def _paris(at: int) -> datetime:
    """Return Paris time: one hour ahead of UTC in November."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at, hours=1)).replace(tzinfo=None)
