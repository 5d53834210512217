"""What each fact does to its call: it says where the call really is, and what became of it.

Every handler returns True if the event changed something, False if it repeats what is known. Repeats and any order are
normal: the earliest report of a moment counts, the newest claim of a place wins, and what arrives after the end
completes the call's record in a new version instead of reviving the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.calls import NO_ATTEMPT
from streams.core.decisions import ExcessCause, Outcome, UndecidedCause, Verdict
from streams.core.endings import end, finish
from streams.core.events import PlacedBy, Why
from streams.core.questions import ask
from streams.core.seats import claim, free_line, hold_line, join, leave, treat

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.core.calls import Call
    from streams.core.events import CallEvent
    from streams.core.network import Network

    Handler = Callable[[Network, Call, CallEvent, int], bool]

OVER = ("ENDED", "WRAPPING")
FAIL_OPEN = (Why.DEADLINE, Why.BROKER, Why.LAG, Why.GATEWAY_RESTART)


def offered(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """OFFERED: the call is there; with ``asks``, somebody wants to know where it goes."""
    known = call.offered_at
    changed = known is None or at < known
    if changed:
        call.offered_at = at
        if known is None:
            if call.seen_at:
                _learn(network, call, event)
            site = network.targets.get(call.site)
            if site is not None:
                site.offered += 1
                site.offered_today += 1
    if event.asks:
        attempt = event.attempt or 1
        changed = attempt > call.asked
        if changed:
            if call.asked == 0 and call.seen_at:
                call.site, call.switch, call.epoch = event.site, event.switch, event.epoch
                _learn(network, call, event)
            ask(network, call, event, at, attempt)
    elif known is None:
        _present(network, call, event)
    if changed and call.phase == "ENDED":
        _complete(network, call)
    return changed


def _learn(network: Network, call: Call, event: CallEvent) -> None:
    """Learn more of a call that was heard of before; if it is somewhere already, it holds what it now names."""
    call.learn(event)
    if call.target is not None and call.phase not in OVER:
        join(network, call)
        if call.phase != "DIVERTED":
            hold_line(network, call)


def _present(network: Network, call: Call, event: CallEvent) -> None:
    """Nobody asked, but the call is there: it holds its line, and it is told why it was not asked about."""
    if call.site in network.targets:
        network.changed[call.site] = None
    if call.asked == 0:
        if call.undecided_cause is None:
            call.undecided_cause = _cause(network, event)
            if call.undecided_cause == UndecidedCause.FAIL_OPEN:
                network.count("undecided.FAIL_OPEN")
        if call.phase not in OVER and call.phase != "DIVERTED":
            hold_line(network, call)


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
    if call.phase == "ENDED" and call.offered_at is not None:
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
    over = call.phase in OVER
    moved = event.target is not None and not over and claim(network, call, event, at, ExcessCause.MISPLACED)
    if first:
        call.answered_at = at
        if (target := call.target or network.targets.get(call.site)) is not None:
            target.answered += 1
            target.answered_today += 1
            network.changed[target.name] = None
        if call.phase == "WAITING":
            call.phase = "TALKING"
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
        _complete(network, call)
        return True
    if call.resumed_at is not None and at < call.resumed_at == seen:
        call.hold_us += call.resumed_at - at
        call.resumed_at = None
        _complete(network, call)
        return True
    return False


def resumed(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """RESUMED: the hold is over."""
    del event
    if call.hold_seen_at is not None and at <= call.hold_seen_at:
        return False
    call.hold_seen_at = at
    if call.held_at is None:
        call.resumed_at = at
    else:
        call.hold_us += at - call.held_at
        call.held_at = None
        _complete(network, call)
    return True


def transferred(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """TRANSFERRED: the call is at another target now."""
    if call.phase in OVER:
        return False
    return claim(network, call, event, at, ExcessCause.TRANSFER)


def returned(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """RETURNED: the target gave the call back; with ``asks``, the next attempt is decided at once."""
    attempt = event.attempt
    current = call.decided
    if attempt is None or current is None or attempt != current.attempt or current.return_reason is not None:
        return False
    call.decided = current._replace(return_reason=event.return_reason)
    if call.phase in OVER:
        _complete(network, call)
        return True
    place = current.target if current.placed_verdict is None else current.placed_target
    if place is not None:
        call.give_back(place)
    if call.target is not None and call.target.name == place:
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
    call.phase = "DIVERTED"
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
    verdict = event.verdict or (Verdict.BLOCK if target is None else Verdict.OVERFLOW)
    value = (verdict, target, event.treatment, event.by, event.why)
    over = call.phase in OVER
    if value == current[6:11] and (over or call.claimed_at is None or at <= call.claimed_at):
        return False
    call.decided = current._replace(
        placed_verdict=verdict, placed_target=target, placed_treatment=event.treatment, placed_by=event.by,
        placed_why=event.why, placed_at=at,
    )  # fmt: skip
    if by_edge and current.decided_at is None and call.undecided_cause is None:
        call.undecided_cause = UndecidedCause.FAIL_OPEN
        network.count("undecided.FAIL_OPEN")
    if over:
        _complete(network, call)
    elif target is not None:
        cause = ExcessCause.FAIL_OPEN if by_edge else ExcessCause.MISPLACED
        hold_line(network, call)
        claim(network, call, event._replace(target=target), at, cause)
    else:
        call.claimed_at = at
        leave(network, call, at)
        treat(network, call, event.treatment, at)
    return True


def ended(network: Network, call: Call, event: CallEvent, at: int) -> bool:
    """ENDED: the call is over, unless another switch has it now."""
    phase = call.phase
    if phase in OVER:
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
