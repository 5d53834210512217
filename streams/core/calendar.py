"""Open or shut at an instant, and until when: integers only, calendars were compiled long before.

Within the plan's horizon a target's windows are sorted half-open UTC intervals. Past it, the weekly windows apply at
the last known offset of the zone, without holidays or exceptions.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from streams.core.plan import DAY_US, SECOND_US

if TYPE_CHECKING:
    from streams.core.plan import Hours, Offset

MINUTE_US = 60 * SECOND_US
WEEK_US = 7 * DAY_US
MONDAY_US = 4 * DAY_US
"""1970-01-05, a Monday: weeks are counted from there."""
FOREVER = 1 << 62


class Span(NamedTuple):
    """From ``from_at`` until ``until_at`` (excluded) nothing changes: open or not, and with how many positions."""

    from_at: int
    until_at: int
    open: bool
    positions: int | None


ALWAYS = Span(-FOREVER, FOREVER, open=True, positions=None)


def offset_at(offsets: tuple[Offset, ...], at: int) -> int:
    """Return local time minus UTC at ``at``, in microseconds; the first offset also serves what is before it."""
    index = bisect_right(offsets, at, key=lambda offset: offset.from_at) - 1
    return offsets[max(index, 0)].offset_us if offsets else 0


def day_at(offsets: tuple[Offset, ...], at: int) -> int:
    """Return the number of the local day that holds ``at`` (days since 1970-01-01)."""
    return (at + offset_at(offsets, at)) // DAY_US


def day_end(offsets: tuple[Offset, ...], at: int) -> int:
    """Return the UTC instant of the next local midnight after ``at``, right over a change of clocks."""
    midnight = (day_at(offsets, at) + 1) * DAY_US
    end = midnight - offset_at(offsets, at)
    return midnight - offset_at(offsets, end)


def span_at(hours: Hours, at: int, horizon_at: int, offsets: tuple[Offset, ...]) -> Span:
    """Return the span of ``hours`` that holds ``at``."""
    if hours.always:
        return ALWAYS._replace(positions=hours.positions)
    if at >= horizon_at:
        return _weekly(hours, at, horizon_at, offset_at(offsets, horizon_at))
    windows = hours.windows
    index = bisect_right(windows, at, key=lambda window: window.opens_at) - 1
    if index >= 0 and at < windows[index].closes_at:
        window = windows[index]
        return Span(window.opens_at, min(window.closes_at, horizon_at), open=True, positions=window.positions)
    start = windows[index].closes_at if index >= 0 else -FOREVER
    end = windows[index + 1].opens_at if index + 1 < len(windows) else horizon_at
    return Span(start, min(end, horizon_at), open=False, positions=0)


def _weekly(hours: Hours, at: int, horizon_at: int, offset_us: int) -> Span:
    """Return the span past the horizon: the same each week, one offset for ever."""
    local = at + offset_us - MONDAY_US
    week = local - local % WEEK_US
    edges = [-WEEK_US, WEEK_US * 2]
    for turn in (-WEEK_US, 0, WEEK_US):
        for window in hours.weekly:
            opens, closes = turn + window.opens_minute * MINUTE_US, turn + window.closes_minute * MINUTE_US
            if opens <= local - week < closes:
                start, end = opens + week - offset_us + MONDAY_US, closes + week - offset_us + MONDAY_US
                return Span(max(start, horizon_at), end, open=True, positions=window.positions)
            edges += [opens, closes]
    before = max(edge for edge in edges if edge <= local - week)
    after = min(edge for edge in edges if edge > local - week)
    shift = week - offset_us + MONDAY_US
    return Span(max(before + shift, horizon_at), after + shift, open=False, positions=0)
