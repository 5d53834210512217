"""The media plan: 300 spots of 15 seconds between 3 and 30 November 2025, most of them on cable.

Two of them are occasions, the spot right before a big evening film on a national channel: one on a Sunday, when the
volunteers are there, one on a weekday evening, when the site is closed. Everything uneven about the campaign
follows from them and from the spread of the other responses.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

# Paris is one hour ahead of UTC for all of November: summer time ended on 26 October.
PARIS = timezone(timedelta(hours=1))
STARTS_AT = int(datetime(2025, 11, 3, tzinfo=PARIS).timestamp()) * SECOND_US
DAYS = 28
ENDS_AT = STARTS_AT + DAYS * DAY_US
MONDAY, SUNDAY = 0, 6

SPOTS = 300
SPOT_US = 15 * SECOND_US
CABLE_SPOTS = 206
NATIONAL = ("TF1", "France 2", "France 3", "M6")
CABLE = ("Paris Première", "Téva", "RTL9", "Planète", "LCI", "Eurosport", "Canal J", "Série Club", "MCM", "Voyage")

# How many callers a spot brings: the medians and spreads of two lognormals, and how many all ordinary spots share.
CABLE_MEDIAN, CABLE_SPREAD = 2.6, 0.8
NATIONAL_MEDIAN, NATIONAL_SPREAD = 10.0, 0.75
ORDINARY_MOST = 60.0
ORDINARY_CALLERS = (2_130, 2_160)
SUNDAY_CALLERS = (168, 180)
WEEKDAY_CALLERS = (110, 120)
# Nobody books a national channel within an hour of an occasion.
OCCASION_APART_US = HOUR_US


@dataclass(frozen=True, slots=True)
class Spot:
    """One airing and how many people it makes call (the truth, which no event tells)."""

    name: str
    channel: str
    cable: bool
    planned_at: int
    aired_at: int
    callers: int


@dataclass(frozen=True, slots=True)
class _Slot:
    channel: str
    cable: bool
    planned_at: int


def media_plan(rng: random.Random) -> tuple[Spot, ...]:
    """Book the spots and draw what each brings, in the order of their planned instants."""
    sunday, weekday = _occasions(rng)
    occasions = {sunday: rng.randint(*SUNDAY_CALLERS), weekday: rng.randint(*WEEKDAY_CALLERS)}
    ordinary = [_cable_slot(rng) for _ in range(CABLE_SPOTS)]
    while len(ordinary) < SPOTS - len(occasions):
        slot = _national_slot(rng)
        if all(abs(slot.planned_at - occasion.planned_at) >= OCCASION_APART_US for occasion in occasions):
            ordinary.append(slot)
    weights = [_weight(rng, slot) for slot in ordinary]
    drawn = Counter(rng.choices(range(len(ordinary)), weights, k=rng.randint(*ORDINARY_CALLERS)))
    booked = [(slot, drawn[index]) for index, slot in enumerate(ordinary)] + list(occasions.items())
    booked.sort(key=lambda pair: (pair[0].planned_at, pair[0].channel))
    return tuple(_spot(rng, number, pair) for number, pair in enumerate(booked, start=1))


def _spot(rng: random.Random, number: int, booked: tuple[_Slot, int]) -> Spot:
    """Name a booked slot and air it: channels run up to two minutes late, seldom a little early."""
    slot, callers = booked
    aired_at = slot.planned_at + int(rng.triangular(-20, 120, 15) * SECOND_US)
    return Spot(f"spot-{number:03d}", slot.channel, slot.cable, slot.planned_at, aired_at, callers)


def _occasions(rng: random.Random) -> tuple[_Slot, _Slot]:
    """Return the Sunday's and the weekday's big spot, both right before the film of the evening."""
    sunday = rng.randrange(1, 4) * 7 + SUNDAY
    weekday = rng.randrange(4) * 7 + rng.randrange(MONDAY, 5)
    return (
        _Slot(rng.choice(NATIONAL[:2]), cable=False, planned_at=_at(sunday, 20, rng.randint(44, 52))),
        _Slot(rng.choice(NATIONAL), cable=False, planned_at=_at(weekday, 20, rng.randint(44, 52))),
    )


def _cable_slot(rng: random.Random) -> _Slot:
    """Cable runs its spots all day long, from breakfast to late evening."""
    hour = rng.choices(range(8, 23), [2, 2, 2, 2, 3, 3, 2, 2, 3, 4, 5, 5, 6, 6, 4])[0]
    return _Slot(rng.choice(CABLE), cable=True, planned_at=_at(rng.randrange(DAYS), hour, rng.randrange(60)))


def _national_slot(rng: random.Random) -> _Slot:
    """A charity's rate on a national channel buys the day and the late evening, seldom prime time."""
    hour = rng.choices(
        (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22), [3, 3, 3, 3, 3, 4, 4, 4, 3, 2, 1, 1, 2, 4]
    )[0]
    return _Slot(rng.choice(NATIONAL), cable=False, planned_at=_at(rng.randrange(DAYS), hour, rng.randrange(60)))


def _weight(rng: random.Random, slot: _Slot) -> float:
    """Return how strongly a spot pulls: lognormal, because most bring next to nothing and a few bring many."""
    median, spread = (CABLE_MEDIAN, CABLE_SPREAD) if slot.cable else (NATIONAL_MEDIAN, NATIONAL_SPREAD)
    return min(median * rng.lognormvariate(0, spread), ORDINARY_MOST)


def _at(day: int, hour: int, minute: int) -> int:
    """Return the instant of a Paris time on a day of the campaign (0: its first)."""
    return STARTS_AT + day * DAY_US + hour * HOUR_US + minute * MINUTE_US
