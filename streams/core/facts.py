"""What each event does to its call: questions take places, facts say where the call really is.

Every handler returns True if the event changed something, False if it repeats what is known. Repeats and any order are
normal: the earliest report of a moment counts, the newest claim of a place wins, and what arrives after the end
completes the call's record in a new version instead of reviving the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.calls import NO_ATTEMPT, call_ref
from streams.core.decisions import Attempt, Decision, ExcessCause, Outcome, Reason, UndecidedCause, Verdict
from streams.core.events import PlacedBy, Why
from streams.core.overflow import choose, way_out
from streams.core.state import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.core.calls import Call
    from streams.core.events import CallEvent
    from streams.core.limits import Target
    from streams.core.network import Network

    Handler = Callable[[Network, Call, CallEvent, int], bool]

FAIL_OPEN = (Why.DEADLINE, Why.BROKER, Why.LAG, Why.GATEWAY_RESTART)


def learn(network: Network, call: Call, event: CallEvent) -> None:
    """Take what an event says of the call itself, where nothing was known."""
    call.epoch = event.epoch
    call.plan_version = network.version
    for name in ("trunk", "campaign", "dialled", "caller", "priority", "correlation_id"):
        value = getattr(event, name)
        if value is not None and getattr(call, name) is None:
            setattr(call, name, value)


# Places.


def seat(network: Network, call: Call, target: Target, at: int) -> None:
    """Put the call at a target, with all that it holds there."""
    target.take(call)
    call.target = target
    call.placed_at = at
    network.changed[target.name] = None
    if call.campaign is not None:
        cause = network.causes.get(call.campaign)
        if cause is not None:
            cause.calls[call.call_id] = call
    if target.name != call.site:
        line = way_out(network, call, target)
        if line is not None:
            line.outgoing[call.call_id] = call
            call.trunk_out = line.name


def leave(network: Network, call: Call, at: int) -> None:
    """Take the call away from where it is, alive."""
    target = call.target
    if target is None:
        return
    vacate(network, call)
    target.positions.pop(call.call_id, None)
    kind = "SEAT" if target.partner else "PLACE"
    call.gave_back(kind, target.name, call.placed_at, at)
    if not target.partner and target.uses_positions:
        call.gave_back("POSITION", target.name, call.placed_at, at)
    call.target = call.placed_at = None


def vacate(network: Network, call: Call) -> None:
    """Give back the place, the campaign's unit and the channel out; the position may still be held."""
    target = call.target
    if target is not None:
        target.places.pop(call.call_id, None)
        network.changed[target.name] = None
    if call.campaign is not None and (cause := network.causes.get(call.campaign)) is not None:
        cause.calls.pop(call.call_id, None)
    if call.trunk_out is not None:
        if (line := network.lines.get(call.trunk_out)) is not None:
            line.outgoing.pop(call.call_id, None)
        call.trunk_out = None


def hold_line(network: Network, call: Call) -> None:
    """Take the channel on which the call came in."""
    if call.trunk is not None and (line := network.lines.get(call.trunk)) is not None:
        line.incoming[call.call_id] = call
        call.channels = 1


def free_line(network: Network, call: Call, at: int) -> None:
    """Give that channel back."""
    if call.channels and call.trunk is not None:
        call.channels = 0
        call.gave_back("TRUNK", call.trunk, call.offered_at, at)
        if (line := network.lines.get(call.trunk)) is not None:
            line.incoming.pop(call.call_id, None)


def claim(network: Network, call: Call, event: CallEvent, at: int, cause: ExcessCause) -> bool:
    """Follow a fact that says where the call is; the newest claim wins. True if the call moved."""
    name = event.target
    target = network.targets.get(name) if name is not None else None
    if target is None:
        if name is not None:
            network.count("unknown_targets")
        return False
    if call.claimed_at is not None and at < call.claimed_at:
        return False
    call.claimed_at = at
    if call.target is target:
        return False
    decided = call.decided
    if cause == ExcessCause.MISPLACED:
        if call.undecided_cause == UndecidedCause.FAIL_OPEN:
            cause = ExcessCause.FAIL_OPEN
        elif decided is not None and decided.verdict is not None:
            network.count("misplaced")
    leave(network, call, at)
    over = target.over(target.span_for(network.clock), network.clock)
    seat(network, call, target, at)
    target.count_excess(cause, target.over(target.span_for(network.clock), network.clock) - over)
    return True


# Questions.


def ask(network: Network, call: Call, event: CallEvent, at: int, attempt: int) -> None:
    """Answer a question: exactly one decision for this attempt."""
    current = call.decided
    placed = current if current is not None and current.attempt == attempt else None
    if placed is None:
        if current is not None and call.answered_at is None and call.claimed_at is None and call.target is not None:
            call.returned = (*call.returned, call.target.name)
            leave(network, call, at)
        call.next_attempt(attempt)
    call.asked = attempt
    site = network.targets.get(call.site)
    busy, limit = (len(site.places), site.limit) if site is not None else (0, None)
    target = treatment = None
    considered: tuple[()] | tuple = ()  # type: ignore[type-arg]
    verdict: str | None = None
    if call.phase == "ENDED" or call.phase == "WRAPPING":
        reason: str = Reason.CALL_ENDED
    elif placed is not None and placed.placed_verdict is not None:
        reason, verdict, treatment = Reason.DECIDED_BY_EDGE, placed.placed_verdict, placed.placed_treatment
        target = network.targets.get(placed.placed_target) if placed.placed_target is not None else None
    elif event.waited_us is not None and event.waited_us > network.max_ask_age_us:
        reason = Reason.TOO_LATE
    elif network.plan is None:
        reason, verdict = Reason.NO_PLAN, Verdict.BLOCK
    else:
        verdict, target, treatment, reason, considered = choose(network, call, at)
        if at >= network.plan.horizon_at:
            reason = Reason.PLAN_EXPIRED
        _take(network, call, target, treatment, at)
    name = target.name if target is not None else None
    base = placed if placed is not None else NO_ATTEMPT
    call.decided = Attempt(attempt, verdict, name, treatment, reason, at, *base[6:])
    call.plan_version = network.version
    if site is not None:
        _tally(site, verdict, reason, name)
        network.changed[site.name] = None
    network.out.append(
        Decision(
            network.name, event.site, call.call_id, attempt, call_ref(call), verdict, name, treatment, reason,
            considered, busy, limit, network.version, network.rules, event.occurred_at,
        )
    )  # fmt: skip


def _take(network: Network, call: Call, target: Target | None, treatment: str | None, at: int) -> None:
    """Take what was chosen, unless a fact has already said where the call is."""
    if call.claimed_at is not None and call.target is not None:
        if target is not call.target:
            network.count("misplaced")
        return
    if target is not None:
        if call.trunk is not None:
            hold_line(network, call)
        seat(network, call, target, at)
        return
    call.treatment = treatment
    held = network.treatments.get(treatment) if treatment is not None else None
    if held is not None and held.holds_line:
        hold_line(network, call)
    else:
        free_line(network, call, at)


def _tally(site: Target, verdict: str | None, reason: str, target: str | None) -> None:
    """Count a decision at the site that asked."""
    key = (verdict, reason)
    site.decided[key] = site.decided.get(key, 0) + 1
    if reason in (Reason.DECIDED_BY_EDGE, Reason.TOO_LATE, Reason.CALL_ENDED):
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
    """Answer a question about a call there is no room to remember; a fact about it is counted."""
    network.count("unremembered")
    if not event.asks:
        return
    site = network.targets.get(event.site)
    busy, limit = (len(site.places), site.limit) if site is not None else (0, None)
    treatment = network.treatment_of(event.site)
    name = treatment.name if treatment is not None and not treatment.holds_line else None
    if site is not None:
        _tally(site, Verdict.BLOCK, Reason.CALLS_MAX, None)
    network.out.append(
        Decision(
            network.name, event.site, event.call_id, event.attempt or 1, None, Verdict.BLOCK, None, name,
            Reason.CALLS_MAX, (), busy, limit, network.version, network.rules, event.occurred_at,
        )
    )  # fmt: skip


# The handlers, one per type of event.


def offered(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """OFFERED: the call is there; with ``asks``, somebody wants to know where it goes."""
    known = call.offered_at
    if known is None:
        if call.seen_at:
            learn(network, call, event)
        call.offered_at = at
        if (site := network.targets.get(call.site)) is not None:
            site.offered += 1
            site.offered_today += 1
            network.changed[site.name] = None
        if not event.asks and call.asked == 0:
            call.undecided_cause = call.undecided_cause or _cause(network, event)
            if call.phase != "ENDED":
                hold_line(network, call)
    elif at < known:
        call.offered_at = at
    if not event.asks:
        changed = known is None or at < known
    else:
        attempt = event.attempt or 1
        changed = attempt > call.asked
        if changed:
            ask(network, call, event, at, attempt)
    if changed and (call.phase == "ENDED" or call.phase == "WRAPPING"):
        _complete(network, call)
    return changed


def _cause(network: Network, event: CallEvent) -> str:
    """Say why a call is there that nobody asked about."""
    if event.why in FAIL_OPEN:
        return UndecidedCause.FAIL_OPEN
    if event.why == Why.INTERNAL:
        return UndecidedCause.INTERNAL
    target = network.targets.get(event.site)
    if event.why == Why.CARRIER or (target is not None and target.partner):
        return UndecidedCause.CARRIER
    return UndecidedCause.UNKNOWN


def _complete(network: Network, call: Call) -> None:
    """A call that is over was told something new: its record gets a version more (a tombstone its first)."""
    if call.phase == Phase.ENDED and call.offered_at is not None:
        call.tombstone = False
        network.record(call)


def queued(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """QUEUED: the wait begins."""
    del event
    if call.queued_at is not None and call.queued_at <= at:
        return False
    call.queued_at = at
    _complete(network, call)
    return True


def ringing(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """RINGING at a seat."""
    del event
    if call.ringing_at is not None and call.ringing_at <= at:
        return False
    call.ringing_at = at
    _complete(network, call)
    return True


def answered(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """ANSWERED, and where, if the switch says so."""
    first = call.answered_at is None
    over = call.phase == "ENDED" or call.phase == "WRAPPING"
    moved = event.target is not None and not over and claim(network, call, event, at, ExcessCause.MISPLACED)
    if first:
        call.answered_at = at
        if (target := call.target or network.targets.get(call.site)) is not None:
            target.answered += 1
            target.answered_today += 1
            network.changed[target.name] = None
        if call.phase == "WAITING":
            call.phase = Phase.TALKING
        elif over:
            _complete(network, call)
    elif call.answered_at is not None and at < call.answered_at:
        call.answered_at = at
        _complete(network, call)
        return True
    return first or moved


def held(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """HELD: the hold begins, unless this is an old report; a RESUMED may have overtaken it."""
    del event
    seen = call.hold_seen_at
    if seen is None or at > seen:
        call.held_at = call.hold_seen_at = at
        return True
    if call.resumed_at is not None and at < call.resumed_at == seen:
        call.hold_us += call.resumed_at - at
        call.resumed_at = None
        _complete(network, call)
        return True
    return False


def resumed(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """RESUMED: the hold is over."""
    del event, network
    if call.hold_seen_at is not None and at <= call.hold_seen_at:
        return False
    call.hold_seen_at = at
    if call.held_at is None:
        call.resumed_at = at
    else:
        call.hold_us += at - call.held_at
        call.held_at = None
    return True


def transferred(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """TRANSFERRED: the call is at another target now."""
    if call.phase == "ENDED" or call.phase == "WRAPPING":
        return False
    return claim(network, call, event, at, ExcessCause.TRANSFER)


def returned(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """RETURNED: the target gave the call back; with ``asks``, the next attempt is decided at once."""
    attempt = event.attempt
    current = call.decided
    if attempt is None or current is None or attempt != current.attempt or current.return_reason is not None:
        return False
    call.decided = current._replace(return_reason=event.return_reason)
    if call.phase == "ENDED" or call.phase == "WRAPPING":
        _complete(network, call)
        return True
    if current.target is not None:
        call.returned = (*call.returned, current.target)
    if call.target is not None and call.target.name == current.target:
        leave(network, call, at)
    call.claimed_at = None
    if event.asks and attempt >= call.asked:
        ask(network, call, event, at, attempt + 1)
    return True


def diverted(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """DIVERTED: our switch handed the call away. Its channels are free, the target's seat is not."""
    if call.phase != "WAITING" and call.phase != "TALKING":
        return False
    if event.target is not None:
        claim(network, call, event, at, ExcessCause.MISPLACED)
    target = call.target
    free_line(network, call, at)
    if target is None or target.name == call.site:
        call.outcome = Outcome.HANDED_OVER_UNKNOWN if call.answered_at is None else None
        end(network, call, at)
        return True
    if call.trunk_out is not None:
        if (line := network.lines.get(call.trunk_out)) is not None:
            line.outgoing.pop(call.call_id, None)
        call.trunk_out = None
    call.phase = Phase.DIVERTED
    return True


def placed(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """PLACED: somebody put the call where it is. It always moves the call, whatever was decided."""
    attempt = event.attempt or call.asked or 1
    current = call.decided
    if current is None or attempt > current.attempt:
        asked = call.asked
        call.next_attempt(attempt)
        call.asked = asked
        current = NO_ATTEMPT._replace(attempt=attempt)
    by_edge = event.by == PlacedBy.EDGE
    if attempt < current.attempt or (by_edge and current.placed_by == PlacedBy.EDGE):
        return False
    target = event.target or (call.site if event.verdict == "ADMIT" else None)
    value = (event.verdict, target, event.treatment, event.by, event.why)
    if value == current[6:11] and (call.claimed_at is None or at <= call.claimed_at):
        return False
    verdict = event.verdict or (Verdict.BLOCK if target is None else Verdict.OVERFLOW)
    call.decided = current._replace(
        placed_verdict=verdict, placed_target=target, placed_treatment=event.treatment, placed_by=event.by,
        placed_why=event.why, placed_at=at,
    )  # fmt: skip
    if by_edge and current.decided_at is None and call.undecided_cause is None:
        call.undecided_cause = UndecidedCause.FAIL_OPEN
        network.count("undecided.FAIL_OPEN")
    if call.phase == "ENDED" or call.phase == "WRAPPING":
        _complete(network, call)
    elif target is not None:
        cause = ExcessCause.FAIL_OPEN if by_edge else ExcessCause.MISPLACED
        hold_line(network, call)
        claim(network, call, event._replace(target=target), at, cause)
    else:
        call.treatment = event.treatment
        call.claimed_at = at
        leave(network, call, at)
    return True


def ended(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """ENDED: the call is over, unless another switch has it now."""
    phase = call.phase
    if phase == "ENDED" or phase == "WRAPPING":
        return False
    target = call.target
    if call.seen_at == 0 and call.offered_at is None:
        call.tombstone = True
    elif target is not None and target.name != event.site and target.name != call.site:
        if phase == "DIVERTED":
            return False
        if target.spec.route.by != "TRANSFER":
            return diverted(network, call, event._replace(target=None), at)
    call.ended_by = event.ended_by
    call.cause = event.cause
    end(network, call, at)
    return True


def wrapped_up(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """WRAPPED_UP: the person is free."""
    del event
    if call.phase == "ENDED" or call.wrapped_up_at is not None:
        return False
    call.wrapped_up_at = at
    if call.phase == "WRAPPING":
        finish(network, call)
    return True


HANDLERS: dict[str, Handler] = {
    "OFFERED": offered, "QUEUED": queued, "RINGING": ringing, "ANSWERED": answered, "HELD": held,
    "RESUMED": resumed, "TRANSFERRED": transferred, "RETURNED": returned, "DIVERTED": diverted, "PLACED": placed,
    "ENDED": ended, "WRAPPED_UP": wrapped_up,
}  # fmt: skip


# The end of a call.


def end(network: Network, call: Call, at: int) -> None:
    """End the call: all is free but the position of one that was answered, until its wrap-up is over."""
    if call.held_at is not None:
        call.hold_us += max(at - call.held_at, 0)
        call.held_at = None
    call.ended_at = at
    free_line(network, call, at)
    vacate(network, call)
    network.live.pop(call.call_id, None)
    if call.suspect:
        call.suspect = False
        network.suspects.pop(call.call_id, None)
    target = call.target
    if call.answered_at is None:
        _count_abandon(network, call)
    elif target is not None and target.wrap_up_us and call.wrapped_up_at is None:
        call.phase = Phase.WRAPPING
        network.wait_for(call, network.clock + target.wrap_up_us)
        return
    finish(network, call)


def _count_abandon(network: Network, call: Call) -> None:
    """Count a caller who left before anybody answered, at the site the call was offered to."""
    blocked = call.decided is not None and call.decided.verdict == "BLOCK"
    site = network.targets.get(call.site)
    if site is not None and not (blocked or call.treatment or call.end_estimated or call.tombstone or call.outcome):
        site.abandoned += 1
        site.abandoned_today += 1
        network.changed[site.name] = None


def finish(network: Network, call: Call) -> None:
    """Free what is still held, remember the call, and let its record go."""
    if call.target is not None:
        call.target.positions.pop(call.call_id, None)
        network.changed[call.target.name] = None
    network.remember(call)
    if not call.tombstone:
        if call.asked == 0 and call.undecided_cause != UndecidedCause.FAIL_OPEN:
            call.undecided_cause = call.undecided_cause or UndecidedCause.UNKNOWN
            network.count(f"undecided.{call.undecided_cause}")
        network.record(call)


def expire(network: Network, call: Call) -> None:
    """A call's timer ran out: its memory, its wrap-up, its lease, or, once suspect, its hard limit."""
    phase = call.phase
    if phase == "ENDED":
        network.forget(call)
        return
    network.touched[call.call_id] = None
    if phase == "WRAPPING":
        target = call.target
        call.wrapped_up_at = (call.ended_at or 0) + (target.wrap_up_us if target is not None else 0)
        finish(network, call)
    elif phase == "DIVERTED" or call.suspect:
        release(network, call)
    else:
        call.suspect = True
        network.suspects[call.call_id] = call
        if call.target is not None:
            network.changed[call.target.name] = None
        network.wait_for(call, network.clock + network.leases_of(call).hard_limit_us)


def release(network: Network, call: Call) -> None:
    """End a call of which nothing was heard any more: its end is an estimate."""
    call.end_estimated = True
    if call.phase == "DIVERTED" and call.answered_at is None:
        call.outcome = Outcome.HANDED_OVER_UNKNOWN
    end(network, call, network.clock)
