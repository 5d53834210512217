"""Instants as tests write them: `09:00:00` on the base day, or `2025-11-04 09:00:00`."""

import re
from datetime import UTC, datetime

DAY_US = 86_400_000_000
SECOND_US = 1_000_000


def instant(text: str) -> int:
    """Return the microseconds of an ISO date with time, in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_US + moment.microsecond


BASE_AT = instant("2025-11-03 00:00:00")
"""A Monday."""


def at(text: str) -> int:
    """Return the instant of `HH:MM:SS` on the base day, or of a whole date and time."""
    return instant(text if " " in text else f"2025-11-03 {text}")


def duration(text: str) -> int:
    """Return the microseconds of `10`, `10s`, `5m`, `2h`, `3d` or `20y`, with a sign or without."""
    match = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?)([smhdy]?)", text)
    assert match, f"{text} is no duration"
    unit = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 31_557_600}[match[3]]
    return int(float(match[2]) * unit * SECOND_US) * (-1 if match[1] == "-" else 1)
