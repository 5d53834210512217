"""Where a call goes: its own site, the overflow chain in its order, or a treatment.

Every branch ends in one reason. A call is placed against all limits concerned or against none: nothing is taken until
the whole way of the call (trunk, campaign, target, a second channel where it is transferred out) has been found free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.decisions import Considered

if TYPE_CHECKING:
    from streams.core.calls import Call
    from streams.core.limits import Line, Target
    from streams.core.network import Network
    from streams.core.plan import Treatment

    Choice = tuple[str, Target | None, str | None, str, tuple[Considered, ...]]
    """Verdict, target, treatment (at most one of the two), reason, the targets looked at."""


def choose(network: Network, call: Call, at: int) -> Choice:
    """Decide where ``call`` goes at ``at`` (the instant by which hours are judged). Takes nothing."""
    line = network.lines.get(call.trunk) if call.trunk is not None else None
    if line is not None and line.room() + (call.call_id in line.incoming) <= 0:
        return _treat(network, call, "TRUNK_FULL", ())
    cause = network.causes.get(call.campaign) if call.campaign is not None else None
    if cause is not None and cause.full_but_for(call):
        return _treat(network, call, "CAMPAIGN_FULL", ())
    site = network.targets.get(call.site)
    if site is None or site.partner:
        considered = Considered(call.site, "UNKNOWN_SITE", None)
        return _overflow(network, call, at, "UNKNOWN_SITE", considered)
    if call.returned and site.name in call.returned:
        return _overflow(network, call, at, "RETURNED", Considered(site.name, "RETURNED", None))
    reason, room = site.refusal(at, network.clock, call)
    if reason is None:
        return "ADMIT", site, None, "ROOM", site.roomy.get(room) or site.looked(room)
    if _has_priority(site, call, reason, network.clock):
        return "ADMIT", site, None, "PRIORITY", (Considered(site.name, "PRIORITY", room),)
    return _overflow(network, call, at, reason, Considered(site.name, reason, room))


def _has_priority(site: Target, call: Call, reason: str, clock: int) -> bool:
    """Say whether the call may go beyond the site's limit: its priority opens some places more, never a closed door."""
    spec = site.spec
    start: int | None = getattr(spec, "priority_from", None)
    if start is None or call.priority is None or call.priority < start:
        return False
    extra: int = getattr(spec, "priority_places", 0)
    if reason not in ("SITE_FULL", "NO_POSITION"):
        return False
    over = site.limit is not None and len(site.places) >= site.limit + extra
    staffed = site.staffed(site.span, clock)
    crowded = staffed is not None and len(site.positions) >= staffed + site.waiting_places + extra
    return not over and not crowded


def _overflow(network: Network, call: Call, at: int, reason: str, first: Considered) -> Choice:
    """Try the chain. ``reason`` says why the own site does not take the call; it is also why the call overflows."""
    looked = [first]
    full = first.reason in ("SITE_FULL", "NO_POSITION")
    for name in chain(network, call.site):
        target = network.targets[name]
        if name in call.returned:
            looked.append(Considered(name, "RETURNED", None))
            continue
        refused, room = target.refusal(at, network.clock, call)
        if refused is None and not _way_out(network, call, target):
            refused, room = "TRUNK_FULL", 0
        looked.append(Considered(name, refused or "ROOM", room))
        if refused is None:
            return "OVERFLOW", target, None, reason, tuple(looked)
        full = full or refused != "OUT_OF_HOURS"
    return _treat(network, call, "TARGETS_FULL" if full else "NO_TARGET", tuple(looked))


def way_out(network: Network, call: Call, target: Target) -> Line | None:
    """Return the trunk on which a call to ``target`` needs a second channel, None if it needs none."""
    route = target.spec.route
    if target.name == call.site or route.by != "TRANSFER":
        return None
    name = call.trunk if route.trunk is None else route.trunk
    return network.lines.get(name) if name is not None else None


def _way_out(network: Network, call: Call, target: Target) -> bool:
    """Say whether the channels of a transfer are free: one out, besides the one the call came in on."""
    line = way_out(network, call, target)
    if line is None:
        return True
    needed = 1 + (line.name == call.trunk and call.call_id not in line.incoming)
    return line.room() + (call.call_id in line.outgoing) >= needed


def _treat(network: Network, call: Call, reason: str, considered: tuple[Considered, ...]) -> Choice:
    """Give the site's treatment; one that holds the line only where the trunk has a channel for it."""
    treatment = treatment_of(network, call.site)
    if treatment is not None and treatment.holds_line and reason == "TRUNK_FULL":
        treatment = next((other for other in network.treatments.values() if not other.holds_line), None)
    return "BLOCK", None, treatment.name if treatment is not None else None, reason, considered


def chain(network: Network, site: str) -> list[str]:
    """Return the overflow chain of a site, or the network's for a site the plan does not know."""
    target, plan = network.targets.get(site), network.plan
    fallback = plan.fallback if plan is not None else ()
    return [step.target for step in (fallback if target is None else getattr(target.spec, "overflow", fallback))]


def treatment_of(network: Network, site: str) -> Treatment | None:
    """Return what a call of a site gets when nothing is left."""
    target, plan = network.targets.get(site), network.plan
    if plan is None:
        return None
    return network.treatments.get(
        plan.otherwise if target is None else getattr(target.spec, "otherwise", plan.otherwise)
    )
