"""What an engine is told, and the figures it keeps for the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What an engine is told. ``outputs`` are the kinds it writes beside dead letters; ``writer`` names this process."""

    partition: int
    partitions: int
    outputs: frozenset[str]
    writer: str
    transaction_s: float = 0.1
    snapshot_s: float = 1.0
    calls_max: int = 400_000
    append_time_only: bool = True
    cpu: Callable[[], float] = field(default=time.thread_time)


@dataclass(slots=True)
class Figures:
    """What the metrics read; every number only grows, but ``decided`` (oldest append time and count of the last run)."""

    events: int = 0
    transactions: int = 0
    seeks: int = 0
    dropped_batches: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    state_records: int = 0
    refolded: int = 0
    decided: tuple[int, int] = (0, 0)
