"""Small plans for tests: every field has a plain default, so that a test states only what it is about."""

from typing import Any

from streams.core.plan import (
    SECOND_US,
    Campaign,
    Hours,
    Leases,
    Offset,
    Partner,
    Plan,
    Route,
    ServiceLevel,
    Site,
    Step,
    Treatment,
    Trunk,
    WeeklyWindow,
    Window,
)
from tests.core.clock import BASE_AT, DAY_US

ALWAYS = Hours(always=True, positions=None, windows=(), weekly=())
LEASES = Leases(300 * SECOND_US, 4 * 3600 * SECOND_US, 600 * SECOND_US, 3600 * SECOND_US)
HORIZON_AT = BASE_AT + 700 * DAY_US
BUSY = Treatment("busy", "BUSY", 486, 17, holds_line=False)
VOICEMAIL = Treatment("voicemail", "VOICEMAIL", 200, 17, holds_line=True)


def positions(count: int) -> Hours:
    """Always open with so many positions or seats."""
    return Hours(always=True, positions=count, windows=(), weekly=())


def windows(*spans: tuple[int, int, int | None], weekly: tuple[WeeklyWindow, ...] = ()) -> Hours:
    """Open in these spans, each with its positions."""
    return Hours(always=False, positions=None, windows=tuple(Window(*span) for span in spans), weekly=weekly)


def route(by: str = "TRANSFER", trunk: str | None = None) -> Route:
    return Route(by, trunk, ())


def a_site(name: str = "S", limit: int | None = 2, **changes: Any) -> Site:
    """A site, always open, that overflows to P and then gives `busy`."""
    fields: dict[str, Any] = {
        "waiting_places": 0,
        "wrap_up_us": 0,
        "hours": ALWAYS,
        "leases": LEASES,
        "switches": ("sw",),
        "route": route(),
        "overflow": ("P",),
        "otherwise": "busy",
        "priority_from": None,
        "priority_places": 0,
        "service_level": ServiceLevel(20 * SECOND_US, 800_000, "sl_abandon_negative", 5 * SECOND_US),
    }
    fields |= changes
    fields["overflow"] = tuple(Step(step) for step in fields["overflow"])
    return Site(name=name, limit=limit, **fields)


def a_partner(name: str = "P", seats: int | None = None, **changes: Any) -> Partner:
    """A partner, always open, reached by transfer."""
    fields: dict[str, Any] = {
        "reserved": 0,
        "wrap_up_us": 0,
        "hours": ALWAYS,
        "leases": LEASES,
        "switches": ("acd",),
        "route": route(),
        "service_level": None,
    }
    return Partner(name=name, seats=seats, **(fields | changes))


def a_plan(*targets: Site | Partner, **changes: Any) -> Plan:
    """A live plan in UTC. Without targets it has the site S; without partners the partner P."""
    targets = targets or (a_site(),)
    if not any(isinstance(target, Partner) for target in targets):
        targets = (*targets, a_partner())
    fields: dict[str, Any] = {
        "network": "n",
        "version": "v1",
        "clock": "LIVE",
        "zone": "UTC",
        "tz_version": "2025b",
        "compiled_from": 0,
        "horizon_at": HORIZON_AT,
        "offsets": (Offset(0, 0),),
        "remember_us": 6 * 3600 * SECOND_US,
        "calls_max": 100_000,
        "max_ask_age_us": 10 * SECOND_US,
        "clock_back_us": 60 * SECOND_US,
        "trunks": {},
        "campaigns": {},
        "treatments": (BUSY, VOICEMAIL),
        "fallback": (),
        "otherwise": "busy",
    }
    fields |= changes
    fields["trunks"] = tuple(Trunk(*pair) for pair in fields["trunks"].items())
    fields["campaigns"] = tuple(Campaign(name, limit, ()) for name, limit in fields["campaigns"].items())
    fields["fallback"] = tuple(Step(step) for step in fields["fallback"])
    sites = tuple(target for target in targets if isinstance(target, Site))
    partners = tuple(target for target in targets if isinstance(target, Partner))
    return Plan(sites=sites, partners=partners, **fields)
