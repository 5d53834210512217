"""Questions: exactly one decision for each attempt of a call, and the units it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.decisions import Attempt, Decision
from streams.core.overflow import choose, treatment_of
from streams.core.seats import hold_line, leave, seat, treat

if TYPE_CHECKING:
    from streams.core.calls import Call
    from streams.core.decisions import Considered
    from streams.core.events import CallEvent
    from streams.core.limits import Target
    from streams.core.network import Network

NO_ADMISSION = ("DECIDED_BY_EDGE", "TOO_LATE", "CALL_ENDED")
"""Reasons of decisions that only say what has already happened."""
_NOT_PLACED = (None,) * 7
_new = tuple.__new__  # the constructor of a named tuple, less the call of a Python function


def ask(network: Network, call: Call, event: CallEvent, at: int, attempt: int) -> None:
    """Answer a question: exactly one decision for this attempt."""
    placed = _begin(network, call, at, attempt) if call.decided is not None else None
    call.asked = attempt
    site = network.targets.get(call.site)
    verdict: str | None = None
    target: Target | None = None
    treatment: str | None = None
    considered: tuple[Considered, ...] = ()
    busy, limit = (len(site.places), site.limit) if site is not None else (0, None)
    waited_us = event.waited_us
    if call.phase == "ENDED" or call.phase == "WRAPPING":
        reason = "CALL_ENDED"
    elif placed is not None:
        reason, verdict, treatment = "DECIDED_BY_EDGE", placed.placed_verdict, placed.placed_treatment
        target = network.targets.get(placed.placed_target) if placed.placed_target is not None else None
    elif waited_us is not None and waited_us > network.max_ask_age_us:
        reason = "TOO_LATE"
    elif network.plan is None:
        verdict, reason = "BLOCK", "NO_PLAN"
    else:
        judged_at = network.clock if event is network.clamped else at
        verdict, target, treatment, reason, considered = choose(network, call, judged_at)
        if judged_at >= network.plan.horizon_at:
            reason = "PLAN_EXPIRED"
        if target is not None and call.claimed_at is None and call.trunk is None:
            seat(network, call, target, at)
        else:
            _take(network, call, target, treatment, at)
    name = target.name if target is not None else None
    rest = _NOT_PLACED if placed is None else placed[6:]
    call.decided = _new(Attempt, (attempt, verdict, name, treatment, reason, at, *rest))
    call.plan_version = version = network.version
    if network.unasked:
        network.unasked.pop(call.call_id, None)
    if site is not None:
        _tally(site, verdict, reason, name)
        if site is not target:
            network.changed[site.name] = None
    else:
        network.count(f"decided.{verdict or 'NONE'}.{reason}")
    decision = (
        network.name, event.site, call.call_id, attempt, f"{call.ordinal:X}", verdict, name, treatment, reason,
        considered, busy, limit, version, network.rules, at,
    )  # fmt: skip
    network.out.append(_new(Decision, decision))


def _begin(network: Network, call: Call, at: int, attempt: int) -> Attempt | None:
    """Begin an attempt that is not the first; return what the edge has already done about it, if anything."""
    current = call.decided
    if current is not None and current.attempt == attempt:
        return current
    if call.claimed_at is None and call.target is not None and call.phase not in ("ENDED", "WRAPPING"):
        if call.answered_at is None:
            call.give_back(call.target.name)
        leave(network, call, at)
    call.next_attempt(attempt)
    return None


def _take(network: Network, call: Call, target: Target | None, treatment: str | None, at: int) -> None:
    """Take what was chosen, unless a fact has already said where the call is."""
    if call.claimed_at is not None and call.target is not None:
        if target is not call.target:
            network.count("misplaced")
        return
    if target is not None:
        hold_line(network, call)
        seat(network, call, target, at)
        return
    treat(network, call, treatment, at)


def _tally(site: Target, verdict: str | None, reason: str, target: str | None) -> None:
    """Count a decision at the site that asked."""
    key = (verdict, reason)
    site.decided[key] = site.decided.get(key, 0) + 1
    if reason in NO_ADMISSION:
        return
    if verdict == "ADMIT":
        site.admitted_today += 1
        site.overflow_to = None
    elif verdict == "OVERFLOW":
        site.overflowed_today += 1
        site.overflow_to = target
    else:
        site.blocked_today += 1


def refuse(network: Network, event: CallEvent, at: int) -> None:
    """Answer a question about a call there is no room to remember; a fact about it is only counted."""
    network.count("unremembered")
    if not event.asks:
        return
    site = network.targets.get(event.site)
    busy, limit = (len(site.places), site.limit) if site is not None else (0, None)
    treatment = treatment_of(network, event.site)
    name = treatment.name if treatment is not None and not treatment.holds_line else None
    if site is not None:
        _tally(site, "BLOCK", "CALLS_MAX", None)
    else:
        network.count("decided.BLOCK.CALLS_MAX")
    network.out.append(
        Decision(
            network.name, event.site, event.call_id, event.attempt or 1, None, "BLOCK", None, name, "CALLS_MAX", (),
            busy, limit, network.version, network.rules, at,
        )
    )  # fmt: skip
