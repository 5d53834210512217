"""A network's whole state as values, the form in which it is stored, moved and hashed.

A state is cut into a head, the plan, and buckets of calls by CRC-32 of their ids, so that a snapshot writes only what
changed. Nothing depends on the order in which calls were inserted: calls carry their ordinal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.core.decisions import Attempt, Held
    from streams.core.events import SnapshotCall
    from streams.core.plan import Plan


class Phase(StrEnum):
    """Where a call is in its life. WRAPPING: over for the caller, its position not yet free. ENDED: only remembered."""

    WAITING = "WAITING"
    TALKING = "TALKING"
    DIVERTED = "DIVERTED"
    WRAPPING = "WRAPPING"
    ENDED = "ENDED"


class CallState(NamedTuple):
    """One call. ``ordinal`` counts the network's calls; ``due_at`` is when the call's next timer runs out."""

    call_id: str
    ordinal: int
    phase: str
    site: str
    switch: str
    epoch: int | None
    trunk: str | None
    campaign: str | None
    dialled: str | None
    caller: str | None
    priority: int | None
    correlation_id: str | None
    target: str | None
    treatment: str | None
    claimed_at: int | None
    placed_at: int | None
    channels: int
    trunk_out: str | None
    asked: int
    decided: Attempt | None
    past: tuple[Attempt, ...]
    returned: tuple[str, ...]
    resources: tuple[Held, ...]
    offered_at: int | None
    queued_at: int | None
    ringing_at: int | None
    answered_at: int | None
    held_at: int | None
    hold_seen_at: int | None
    resumed_at: int | None
    hold_us: int
    ended_at: int | None
    wrapped_up_at: int | None
    ended_by: str | None
    cause: int | None
    end_estimated: bool
    outcome: str | None
    undecided_cause: str | None
    plan_version: str | None
    suspect: bool
    tombstone: bool
    version: int
    sequence: int | None
    seen_at: int
    due_at: int


class Decided(NamedTuple):
    """How many decisions of a target had this verdict and reason since the beginning."""

    verdict: str | None
    reason: str
    count: int  # type: ignore[assignment] # a tuple's own count is of no use here


class Excess(NamedTuple):
    """How many units were taken at or above a limit, by cause."""

    cause: str
    count: int  # type: ignore[assignment] # a tuple's own count is of no use here


class TargetState(NamedTuple):
    """What a site or partner remembers beyond its calls; ``_today`` counts since midnight in the network's zone."""

    name: str
    capacity: int | None
    capacity_until: int | None
    overflow_to: str | None
    offered: int
    answered: int
    abandoned: int
    decided: tuple[Decided, ...]
    excess: tuple[Excess, ...]
    offered_today: int
    admitted_today: int
    overflowed_today: int
    blocked_today: int
    answered_today: int
    abandoned_today: int
    peak_today: int


class SwitchState(NamedTuple):
    """What is known of a switch: its epoch and how many of its clocks' instants were clamped."""

    name: str
    epoch: int | None
    clamped: int


class PartialSnapshot(NamedTuple):
    """Parts of a switch's snapshot that still wait for the rest. ``first_at``: network's clock at the first part."""

    switch: str
    snapshot_id: str
    parts: int
    as_of: int
    epoch: int | None
    as_of_sequence: int | None
    first_at: int
    received: tuple[int, ...]
    calls: tuple[SnapshotCall, ...]


class Count(NamedTuple):
    """A named count of the network since its beginning."""

    name: str
    count: int  # type: ignore[assignment] # a tuple's own count is of no use here


class HeadState(NamedTuple):
    """All of a network but its plan and calls. ``bucket_bits``: calls are cut into 2 ** bits buckets."""

    network: str
    rules: int
    plan_version: str | None
    clock: int
    judged_at: int
    ordinal: int
    bucket_bits: int
    day: int | None
    targets: tuple[TargetState, ...]
    switches: tuple[SwitchState, ...]
    partials: tuple[PartialSnapshot, ...]
    counts: tuple[Count, ...]


class Snapshot(NamedTuple):
    """What changed since the last snapshot (or everything). ``plan`` None: unchanged; an empty bucket: delete it."""

    head: HeadState
    plan: Plan | None
    buckets: dict[int, tuple[CallState, ...]]
