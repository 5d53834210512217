"""Time zones, from the pinned tzdata package and never from the machine's own files.

Two machines with one lock file read one time zone database, and its version is part of every plan.
"""

import zoneinfo
from bisect import bisect_right
from datetime import UTC, datetime
from itertools import pairwise

import tzdata  # type: ignore[import-untyped]

from streams.core.plan import DAY_US, SECOND_US, Offset

# The package serves, whatever /usr/share/zoneinfo holds: measured, a machine's own files were a year older.
zoneinfo.reset_tzpath(to=())

TZ_VERSION: str = tzdata.IANA_VERSION
"""The version of the time zone database, as in `2026f`."""

_STEP_US = DAY_US // 4
"""No zone changes its clock twice within six hours, so that looking every six hours finds every change."""


def names() -> list[str]:
    """Return every zone's name, sorted."""
    return sorted(zoneinfo.available_timezones())


def offsets(zone: str, from_at: int, until_at: int) -> tuple[Offset, ...]:
    """Return the zone's distance from UTC at ``from_at`` and each change of it before ``until_at``."""
    # no_cache: an object that something else made before the path was reset would come from the machine's files.
    info = zoneinfo.ZoneInfo.no_cache(zone)
    found = [Offset(from_at, _offset_us(info, from_at))]
    before = from_at
    while before < until_at:
        after = min(before + _STEP_US, until_at)
        offset_us = _offset_us(info, after)
        if offset_us != found[-1].offset_us:
            found.append(Offset(_change(info, before, after), offset_us))
        before = after
    return tuple(found)


def instant(local_us: int, table: tuple[Offset, ...]) -> int:
    """Return the first instant at which clocks on the wall read ``local_us`` or later.

    ``local_us`` are microseconds since 1970 on those clocks. A time that they show twice counts the first time, one
    that they skip counts at the moment of the skip. So the order of times stays the order of instants, and windows
    that meet on the wall meet in UTC.
    """
    for offset, following in pairwise(table):
        at = max(local_us - offset.offset_us, offset.from_at)
        if at < following.from_at:
            return at
    return max(local_us - table[-1].offset_us, table[-1].from_at)


def local(at: int, table: tuple[Offset, ...]) -> datetime:
    """Return what clocks on the wall read at an instant, as a time without zone."""
    index = max(bisect_right(table, at, key=lambda offset: offset.from_at) - 1, 0)
    return datetime.fromtimestamp((at + table[index].offset_us) // SECOND_US, UTC).replace(tzinfo=None)


def _offset_us(info: zoneinfo.ZoneInfo, at: int) -> int:
    """Return a zone's distance from UTC at an instant."""
    shift = datetime.fromtimestamp(at // SECOND_US, info).utcoffset()
    assert shift is not None
    return round(shift.total_seconds()) * SECOND_US


def _change(info: zoneinfo.ZoneInfo, before: int, after: int) -> int:
    """Return the instant, to the second, at which the clock changes between two others."""
    low, high = before // SECOND_US, after // SECOND_US
    offset_us = _offset_us(info, after)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(info, middle * SECOND_US) == offset_us:
            high = middle
        else:
            low = middle
    return high * SECOND_US
