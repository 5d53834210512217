"""A compiled plan, as values: what the core reads, nothing to look up, no calendar to compute.

Calendars are half-open UTC intervals in microseconds over a stated horizon. Names are unique over sites and partners.
The plan's version is the fingerprint of everything below but the version itself.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


@dataclass(frozen=True, slots=True)
class Window:
    """Open from ``opens_at`` until ``closes_at`` (excluded) with this many positions or seats (None: no limit)."""

    opens_at: int
    closes_at: int
    positions: int | None


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Open each week between two minutes after Monday 0:00 local time; for instants past the horizon."""

    opens_minute: int
    closes_minute: int
    positions: int | None


@dataclass(frozen=True, slots=True)
class Hours:
    """When a target is open. ``always`` excludes both lists; ``positions`` then holds at any time."""

    always: bool
    positions: int | None
    windows: tuple[Window, ...]
    weekly: tuple[WeeklyWindow, ...]


@dataclass(frozen=True, slots=True)
class Leases:
    """How long a call may stay silent in a state before it is suspect, and a suspect before it is released."""

    waiting_us: int
    talking_us: int
    diverted_us: int
    hard_limit_us: int


@dataclass(frozen=True, slots=True)
class Dial:
    """What a switch dials to reach a target (a number or a URI)."""

    switch: str
    dial: str


@dataclass(frozen=True, slots=True)
class Route:
    """How calls reach a target: ``by`` TRANSFER, REDIRECT or CARRIER, over ``trunk`` (None: the trunk they came in on)."""

    by: str
    trunk: str | None
    dials: tuple[Dial, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an overflow chain, tried in order."""

    target: str


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """Share ``target_ratio_ppm`` (parts per million) answered within ``threshold_us``, by the named formula."""

    threshold_us: int
    target_ratio_ppm: int
    formula: str
    short_abandon_us: int


@dataclass(frozen=True, slots=True)
class Site:
    """A call centre of ours. ``limit`` counts calls; free = open, below limit, positions < staffed + waiting_places."""

    name: str
    limit: int | None
    waiting_places: int
    wrap_up_us: int
    hours: Hours
    leases: Leases
    switches: tuple[str, ...]
    route: Route
    overflow: tuple[Step, ...]
    otherwise: str
    priority_from: int | None
    priority_places: int
    service_level: ServiceLevel | None


@dataclass(frozen=True, slots=True)
class Partner:
    """An outsourcer. ``seats`` are its contract, ``reserved`` of them never ours."""

    name: str
    seats: int | None
    reserved: int
    wrap_up_us: int
    hours: Hours
    leases: Leases
    switches: tuple[str, ...]
    route: Route
    service_level: ServiceLevel | None


@dataclass(frozen=True, slots=True)
class Trunk:
    """A set of channels: one per call that came in, one more per call transferred out over it."""

    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """Calls of one cause, numbers or action. ``limit`` counts its calls in progress anywhere (None: no limit)."""

    name: str
    limit: int | None
    dialled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a call gets that goes nowhere: SIP code and Q.850 cause, and whether it holds its line until it ends."""

    name: str
    kind: str
    sip_code: int
    cause: int
    holds_line: bool


@dataclass(frozen=True, slots=True)
class Offset:
    """From ``from_at`` on, local time is UTC plus ``offset_us``."""

    from_at: int
    offset_us: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a network decides by. ``clock`` is LIVE (the broker's) or EVENTS (``occurred_at``)."""

    network: str
    version: str
    clock: str
    zone: str
    tz_version: str
    compiled_from: int
    horizon_at: int
    offsets: tuple[Offset, ...]
    remember_us: int
    calls_max: int
    max_ask_age_us: int
    clock_back_us: int
    sites: tuple[Site, ...]
    partners: tuple[Partner, ...]
    trunks: tuple[Trunk, ...]
    campaigns: tuple[Campaign, ...]
    treatments: tuple[Treatment, ...]
    fallback: tuple[Step, ...]
    otherwise: str
