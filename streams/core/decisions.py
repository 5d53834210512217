"""What leaves a network: decisions, call records and site states, as values.

The core knows nothing of partitions, offsets and hashes: the wire adds them behind these fields, in the order of
the Avro contract.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """Where the call goes: to its own site, to another target, or nowhere (a treatment)."""

    ADMIT = "ADMIT"
    OVERFLOW = "OVERFLOW"
    BLOCK = "BLOCK"


class Reason(StrEnum):
    """Why a decision is what it is, one per branch of the policy; the same words say why a target was not taken."""

    ROOM = "ROOM"
    PRIORITY = "PRIORITY"
    SITE_FULL = "SITE_FULL"
    NO_POSITION = "NO_POSITION"
    OUT_OF_HOURS = "OUT_OF_HOURS"
    TRUNK_FULL = "TRUNK_FULL"
    CAMPAIGN_FULL = "CAMPAIGN_FULL"
    PARTNER_FULL = "PARTNER_FULL"
    RETURNED = "RETURNED"
    UNKNOWN_SITE = "UNKNOWN_SITE"
    TARGETS_FULL = "TARGETS_FULL"
    NO_TARGET = "NO_TARGET"
    NO_PLAN = "NO_PLAN"
    CALLS_MAX = "CALLS_MAX"
    TOO_LATE = "TOO_LATE"
    DECIDED_BY_EDGE = "DECIDED_BY_EDGE"
    CALL_ENDED = "CALL_ENDED"
    PLAN_EXPIRED = "PLAN_EXPIRED"


class Outcome(StrEnum):
    """How a call ended, seen from its caller."""

    ANSWERED_SITE = "ANSWERED_SITE"
    ANSWERED_PARTNER = "ANSWERED_PARTNER"
    ABANDONED_WAITING = "ABANDONED_WAITING"
    ABANDONED_RINGING = "ABANDONED_RINGING"
    SHORT_ABANDON = "SHORT_ABANDON"
    BLOCKED = "BLOCKED"
    TREATED = "TREATED"
    LOST_BY_RESTART = "LOST_BY_RESTART"
    HANDED_OVER_UNKNOWN = "HANDED_OVER_UNKNOWN"
    LATE_EVENT = "LATE_EVENT"


class UndecidedCause(StrEnum):
    """Why a call is there although nobody asked. Only FAIL_OPEN alarms."""

    FAIL_OPEN = "FAIL_OPEN"
    CARRIER = "CARRIER"
    INTERNAL = "INTERNAL"
    UNKNOWN = "UNKNOWN"


class ExcessCause(StrEnum):
    """Why a resource lawfully holds more calls than its limit."""

    TRANSFER = "TRANSFER"
    FAIL_OPEN = "FAIL_OPEN"
    MISPLACED = "MISPLACED"
    LIMIT_LOWERED = "LIMIT_LOWERED"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    REPAIRED = "REPAIRED"


class Considered(NamedTuple):
    """One target that was looked at: ``reason`` ROOM if it was taken, ``room`` the free places seen (None: no limit)."""

    target: str
    reason: str
    room: int | None


class Decision(NamedTuple):
    """The answer to one question. ``in_progress`` and ``limit`` are those of the asking site before the decision."""

    network: str
    site: str
    call_id: str
    attempt: int
    call_ref: str | None
    verdict: str | None
    target: str | None
    treatment: str | None
    reason: str
    considered: tuple[Considered, ...]
    in_progress: int
    limit: int | None
    plan_version: str | None
    rules: int
    occurred_at: int


class Attempt(NamedTuple):
    """One attempt of a call: what was decided and where it was really placed."""

    attempt: int
    verdict: str | None
    target: str | None
    treatment: str | None
    reason: str | None
    decided_at: int | None
    placed_verdict: str | None
    placed_target: str | None
    placed_treatment: str | None
    placed_by: str | None
    placed_why: str | None
    placed_at: int | None
    return_reason: str | None


class Held(NamedTuple):
    """One resource a call held. ``kind``: TRUNK, PLACE, POSITION, SEAT or CAMPAIGN."""

    kind: str
    name: str
    from_at: int
    until_at: int | None


class CallRecord(NamedTuple):
    """One ended call, one version. The wait starts at ``queued_at`` where the switch sends it, else at ``offered_at``."""

    network: str
    call_id: str
    version: int
    supersedes: int | None
    site: str
    target: str | None
    trunk: str | None
    campaign: str | None
    dialled: str | None
    caller: str | None
    priority: int | None
    plan_version: str | None
    offered_at: int | None
    queued_at: int | None
    answered_at: int | None
    ended_at: int | None
    wrapped_up_at: int | None
    wait_us: int | None
    talk_us: int | None
    hold_us: int | None
    wrap_up_us: int | None
    outcome: str
    ended_by: str | None
    cause: int | None
    attempts: tuple[Attempt, ...]
    resources: tuple[Held, ...]
    treatment: str | None
    undecided_cause: str | None
    end_estimated: bool
    call_ref: str | None


class SiteState(NamedTuple):
    """A site's or partner's state after some event of its network. Free is None where there is no limit."""

    network: str
    site: str
    kind: str
    calls_in_progress: int
    places_free: int | None
    positions_free: int | None
    limit: int | None
    staffed: int | None
    open: bool
    next_change_at: int | None
    overflow: bool
    overflow_to: str | None
    suspects: int
    day: str | None
    offered_today: int
    admitted_today: int
    overflowed_today: int
    blocked_today: int
    answered_today: int
    abandoned_today: int
    peak_today: int
    plan_version: str | None


Output = Decision | CallRecord
