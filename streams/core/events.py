"""What enters a network's log: call events, reported by switches, and control events.

Facts are in the past tense, in the order of their log. Instants are integer microseconds since 1970 (UTC) and end
``_at``; durations are integer microseconds and end ``_us``. The order of fields is the order of the Avro contract,
so that a decoder may build an event from columns without naming a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.core.plan import Plan


class CallEventType(StrEnum):
    """What happened to a call. Only OFFERED, ANSWERED and ENDED are required of a switch; the rest sharpen."""

    OFFERED = "OFFERED"
    QUEUED = "QUEUED"
    RINGING = "RINGING"
    ANSWERED = "ANSWERED"
    HELD = "HELD"
    RESUMED = "RESUMED"
    TRANSFERRED = "TRANSFERRED"
    RETURNED = "RETURNED"
    DIVERTED = "DIVERTED"
    PLACED = "PLACED"
    ENDED = "ENDED"
    WRAPPED_UP = "WRAPPED_UP"


class EndedBy(StrEnum):
    """Who ended a call."""

    CALLER = "CALLER"
    AGENT = "AGENT"
    SWITCH = "SWITCH"
    NETWORK = "NETWORK"
    UNKNOWN = "UNKNOWN"


class PlacedBy(StrEnum):
    """Who put a call where it is, without or against a decision."""

    EDGE = "EDGE"
    SWITCH = "SWITCH"
    OPERATOR = "OPERATOR"
    CARRIER = "CARRIER"


class Why(StrEnum):
    """Why a call was placed, or is there, without a decision."""

    DEADLINE = "DEADLINE"
    BROKER = "BROKER"
    LAG = "LAG"
    GATEWAY_RESTART = "GATEWAY_RESTART"
    CARRIER = "CARRIER"
    INTERNAL = "INTERNAL"
    MANUAL = "MANUAL"
    UNKNOWN = "UNKNOWN"


class ReturnReason(StrEnum):
    """Why a target gave a call back."""

    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    QUEUE_TIMEOUT = "QUEUE_TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    DECLINED = "DECLINED"


class CallEvent(NamedTuple):
    """One thing that happened to one call, as its switch or the edge reports it.

    ``site`` names the site or partner whose switch reports and moves nothing; ``target`` says where the call is
    (ANSWERED, TRANSFERRED, PLACED), absent means no claim. ``asks`` marks a question: it gets exactly one decision
    per attempt. ``epoch`` is the instant at which the reporting switch process started. ``caller`` is a pseudonym.
    """

    network: str
    site: str
    call_id: str
    type: str
    occurred_at: int
    switch: str
    asks: bool = False
    epoch: int | None = None
    sequence: int | None = None
    attempt: int | None = None
    waited_us: int | None = None
    trunk: str | None = None
    campaign: str | None = None
    dialled: str | None = None
    caller: str | None = None
    target: str | None = None
    treatment: str | None = None
    cause: int | None = None
    ended_by: str | None = None
    priority: int | None = None
    correlation_id: str | None = None
    verdict: str | None = None
    by: str | None = None
    why: str | None = None
    plan_version: str | None = None
    verdict_age_us: int | None = None
    return_reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlanApplied:
    """A compiled plan takes effect here. ``replaces`` is the version it was compared with; None: no plan yet."""

    plan: Plan
    rules: int
    replaces: str | None = None
    shadow: bool = False
    who: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotCall:
    """One live call in a switch's own list. ``answered`` is None where the switch does not say."""

    call_id: str
    site: str
    target: str | None = None
    trunk: str | None = None
    campaign: str | None = None
    offered_at: int | None = None
    answered: bool | None = None


@dataclass(frozen=True, slots=True)
class SwitchSnapshot:
    """Part ``part`` (from 1) of ``parts`` of all calls live on a switch at ``as_of`` (its clock)."""

    switch: str
    snapshot_id: str
    part: int
    parts: int
    as_of: int
    calls: tuple[SnapshotCall, ...]
    epoch: int | None = None
    as_of_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class SwitchStarted:
    """A switch process started at ``epoch``: the calls of its earlier epochs are over."""

    switch: str
    epoch: int


@dataclass(frozen=True, slots=True)
class FeedGap:
    """The connector of a switch may have missed events between two instants."""

    switch: str
    from_at: int | None = None
    until_at: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class CapacityChanged:
    """Positions (site) or seats (partner) really there, until ``until`` or the end of the window if earlier."""

    target: str
    capacity: int
    until: int | None = None
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerSignal:
    """What a partner says of its free seats. ``band`` of its other client: NORMAL, BUSY or CLOSED."""

    partner: str
    measured_at: int
    sequence: int
    valid_us: int
    free_seats: int
    other_waiting: int | None = None
    band: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A hand on the valve. ``scope`` SITE, PARTNER or CAMPAIGN; ``action`` CLOSE, OPEN, LIMIT, STOP_PARTNER, OVERFLOW_ALL."""

    scope: str
    name: str
    action: str
    until: int
    limit: int | None = None
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class CallReleased:
    """An operator says that a suspect call is over. ``who`` is a staff id."""

    call_id: str
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class SpotPlanned:
    """A spot is to be aired."""

    spot: str
    channel: str
    planned_at: int
    duration_us: int
    dialled: str | None = None


@dataclass(frozen=True, slots=True)
class SpotAired:
    """A spot was aired."""

    spot: str
    channel: str
    aired_at: int
    duration_us: int
    dialled: str | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed. Live, its append time is its content; under ``clock: events`` its ``occurred_at`` is."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Reserved: the network's log continues one of another topic set."""

    from_prefix: str
    from_partition: int
    chain: bytes


ControlBody = (
    PlanApplied
    | SwitchSnapshot
    | SwitchStarted
    | FeedGap
    | CapacityChanged
    | PartnerSignal
    | Override
    | CallReleased
    | SpotPlanned
    | SpotAired
    | Tick
    | Migrated
)


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """What people, plans and partners change. ``network`` and ``occurred_at`` are None only in a partition's Tick."""

    network: str | None
    occurred_at: int | None
    body: ControlBody


Event = CallEvent | ControlEvent
