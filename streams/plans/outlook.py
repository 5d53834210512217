"""What a plan says at an instant and in the days after it, in words and local times, for people to read."""

from dataclasses import dataclass
from datetime import datetime

from streams.core.plan import Hours, Leases, Partner, Plan, Site, Window
from streams.plans import zones

OPENINGS = 5
"""Openings shown for each target unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One target at one instant: its figures, whether it is open, its next openings, where its calls go."""

    name: str
    kind: str
    room: str
    now: str
    openings: tuple[str, ...]
    chain: str
    route: str
    leases: str


def outlooks(plan: Plan, at: int, *, openings: int = OPENINGS) -> tuple[Outlook, ...]:
    """Return what each site and partner is and does at an instant (UTC microseconds), and its next openings."""
    targets: list[Site | Partner] = [*plan.sites, *plan.partners]
    return tuple(
        Outlook(
            name=target.name,
            kind="site" if isinstance(target, Site) else "partner",
            room=_room(target),
            now=_now(plan, target, at),
            openings=tuple(_opening(plan, target, window) for window in _ahead(target.hours, at)[:openings]),
            chain=_chain(target),
            route=_route(target),
            leases=_leases(target.leases),
        )
        for target in targets
    )


def local_time(plan: Plan, at: int) -> str:
    """Return an instant as the network's clocks on the wall read it, with the day."""
    return _local(plan, at).strftime("%a %Y-%m-%d %H:%M")


def _now(plan: Plan, target: Site | Partner, at: int) -> str:
    """Say whether a target is open, and until when."""
    hours = target.hours
    if hours.always:
        return "always open" + _of(target, hours.positions)
    if not plan.compiled_from <= at < plan.horizon_at:
        return "outside the compiled calendar"
    windows = _ahead(hours, at)
    if not windows:
        return "closed to the end of the calendar"
    first = windows[0]
    if first.opens_at > at:
        return f"closed until {local_time(plan, first.opens_at)}"
    positions = next(window.positions for window in hours.windows if window.opens_at <= at < window.closes_at)
    return f"open until {local_time(plan, first.closes_at)}{_of(target, positions)}"


def _ahead(hours: Hours, at: int) -> list[Window]:
    """Return the openings not over yet, windows that meet joined: a day and night without end is one opening."""
    found: list[Window] = []
    for window in hours.windows:
        if window.closes_at <= at:
            continue
        if found and found[-1].closes_at == window.opens_at:
            positions = found[-1].positions if found[-1].positions == window.positions else None
            found[-1] = Window(found[-1].opens_at, window.closes_at, positions)
        else:
            found.append(window)
    return found


def _opening(plan: Plan, target: Site | Partner, window: Window) -> str:
    """Write one opening; the second day only where it is another one."""
    opens, closes = _local(plan, window.opens_at), _local(plan, window.closes_at)
    end = closes.strftime("%H:%M") if closes.date() == opens.date() else local_time(plan, window.closes_at)
    return f"{local_time(plan, window.opens_at)} to {end}{_of(target, window.positions)}"


def _local(plan: Plan, at: int) -> datetime:
    return zones.local(at, plan.offsets)


def _of(target: Site | Partner, positions: int | None) -> str:
    """Append how many positions or seats, where that is said."""
    figure = "positions" if isinstance(target, Site) else "seats"
    return "" if positions is None else f", {positions} {figure}"


def _room(target: Site | Partner) -> str:
    """Say how many calls a target takes."""
    if isinstance(target, Site):
        parts = ["no limit" if target.limit is None else f"limit {target.limit}"]
        if target.waiting_places:
            parts.append(f"{target.waiting_places} waiting places")
        if target.priority_from is not None:
            parts.append(f"{target.priority_places} more from priority {target.priority_from}")
    else:
        parts = ["no limit" if target.seats is None else f"{target.seats} seats"]
        if target.reserved:
            parts.append(f"{target.reserved} of them never ours")
    if target.wrap_up_us:
        parts.append(f"wrap-up {_seconds(target.wrap_up_us)}")
    return ", ".join(parts)


def _chain(target: Site | Partner) -> str:
    """Write where the calls of a site go that find no room; a partner's go nowhere else."""
    if isinstance(target, Partner):
        return ""
    return " → ".join([*(step.target for step in target.overflow), target.otherwise])


def _route(target: Site | Partner) -> str:
    """Write how calls reach a target."""
    route = target.route
    trunk = f" over {route.trunk}" if route.trunk else ""
    return ", ".join([f"by {route.by.lower()}{trunk}", *(f"{dial.switch} dials {dial.dial}" for dial in route.dials)])


def _leases(leases: Leases) -> str:
    """Write a target's leases."""
    return (
        f"waiting {_seconds(leases.waiting_us)}, talking {_seconds(leases.talking_us)}, "
        f"handed over {_seconds(leases.diverted_us)}, suspect {_seconds(leases.hard_limit_us)}"
    )


def _seconds(duration_us: int) -> str:
    """Write a duration without a zero behind the point."""
    return f"{duration_us / 1_000_000:g} s"
