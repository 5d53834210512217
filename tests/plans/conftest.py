"""Instants as people write them, and plans around a few lines of hours."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from streams.core.plan import Plan
from streams.plans import compile_plan

SECOND_US = 1_000_000


def microseconds(text: str) -> int:
    """Return an RFC 3339 instant as microseconds."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US


@pytest.fixture(scope="session")
def at() -> Callable[[str], int]:
    """An instant in microseconds from its text; without an offset it is UTC."""
    return lambda text: microseconds(text if "+" in text[10:] else text + "+00:00")


@pytest.fixture(scope="session")
def november() -> int:
    """Saturday, 1 November 2025, midnight UTC."""
    return int(datetime(2025, 11, 1, tzinfo=UTC).timestamp()) * SECOND_US


@pytest.fixture
def open_at(november: int) -> Callable[..., Plan]:
    """Compile a plan of one site `s` with these hours (a flow mapping)."""

    def compile_hours(hours: str, *, zone: str = "Europe/Paris", from_at: int = november, days: int = 730) -> Plan:
        text = f"network: n\nzone: {zone}\nsites:\n  s:\n    hours: {hours}\n"
        return compile_plan(text, from_at=from_at, horizon_days=days)

    return compile_hours
