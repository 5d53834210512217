"""What happens when a window, a stated capacity or a day ends: judged once, when the clock has passed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.calendar import FOREVER, day_at, day_end, span_at
from streams.core.decisions import ExcessCause

if TYPE_CHECKING:
    from streams.core.network import Network


def follow(network: Network) -> None:
    """Find the next instant at which a window, a day or a stated capacity ends."""
    plan, clock = network.plan, network.judged_at
    if plan is None:
        network.change_at = FOREVER
        return
    edge = day_end(plan.offsets, clock)
    for target in network.targets.values():
        edge = min(edge, span_at(target.spec.hours, clock, plan.horizon_at, plan.offsets).until_at)
        if target.capacity_until is not None and clock < target.capacity_until < edge:
            edge = target.capacity_until
    network.change_at = edge
    network.next_at = min(network.next_at, edge)


def turn(network: Network) -> None:
    """Judge every window again at the clock, and count who is there beyond what now may be."""
    plan, clock, before = network.plan, network.clock, network.judged_at
    if plan is None:
        network.change_at = FOREVER
        return
    day = day_at(plan.offsets, clock)
    for target in network.targets.values():
        was = span_at(target.spec.hours, before, plan.horizon_at, plan.offsets)
        now = span_at(target.spec.hours, clock, plan.horizon_at, plan.offsets)
        if network.day is not None and was.open and not now.open:
            target.count_excess(ExcessCause.WINDOW_CLOSED, len(target.places))
        elif network.day is not None and now.open:
            lowered = target.over(now, clock) - (target.over(was, before) if was.open else 0)
            target.count_excess(ExcessCause.LIMIT_LOWERED, lowered)
        if target.capacity_until is not None and target.capacity_until <= clock:
            target.state_capacity(None, None)
        if network.day != day:
            target.new_day()
        network.changed[target.name] = None
    network.day = day
    network.judged_at = clock
    follow(network)


def date(day: int) -> str:
    """Return a day number as an ISO date, without any calendar library (civil-from-days, proleptic Gregorian)."""
    shifted = day + 719_468
    era, rest = divmod(shifted, 146_097)
    year_of_era = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
    day_of_year = rest - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_index = (5 * day_of_year + 2) // 153
    month = month_index + 3 if month_index < 10 else month_index - 9  # the year begins in March here
    year = year_of_era + era * 400 + (month <= 2)  # January and February belong to the next
    return f"{year:04d}-{month:02d}-{day_of_year - (153 * month_index + 2) // 5 + 1:02d}"
