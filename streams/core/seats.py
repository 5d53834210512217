"""Where a call is, and all that it holds there: its place, its position, channels, its campaign's unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.decisions import ExcessCause, UndecidedCause
from streams.core.overflow import way_out

if TYPE_CHECKING:
    from streams.core.calls import Call
    from streams.core.events import CallEvent
    from streams.core.limits import Target
    from streams.core.network import Network


def seat(network: Network, call: Call, target: Target, at: int) -> None:
    """Put the call at a target, with all that it holds there."""
    target.take(call)
    call.target = target
    call.placed_at = at
    if call.treatment is not None:
        call.treatment = None
    network.changed[target.name] = None
    if call.campaign is not None:
        join(network, call)
    if target.name != call.site and network.lines:
        line = way_out(network, call, target)
        if line is not None:
            line.outgoing[call.call_id] = call
            call.trunk_out = line.name


def join(network: Network, call: Call) -> None:
    """Take a unit of the call's campaign, if it has one."""
    cause = network.causes.get(call.campaign) if call.campaign is not None else None
    if cause is not None:
        cause.calls[call.call_id] = call


def leave(network: Network, call: Call, at: int) -> None:
    """Take the call away from where it is, alive."""
    target = call.target
    if target is None:
        return
    vacate(network, call, target)
    target.positions.pop(call.call_id, None)
    kind = "SEAT" if target.partner else "PLACE"
    call.gave_back(kind, target.name, call.placed_at, at)
    if not target.partner and target.uses_positions:
        call.gave_back("POSITION", target.name, call.placed_at, at)
    call.target = call.placed_at = None


def vacate(network: Network, call: Call, target: Target) -> None:
    """Give back the place, the campaign's unit and the channel out; the position may still be held."""
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


def treat(network: Network, call: Call, treatment: str | None, at: int) -> None:
    """Give the call a treatment; its channel stays taken only where the treatment holds the line."""
    call.treatment = treatment
    held = network.treatments.get(treatment) if treatment is not None else None
    if held is not None and held.holds_line:
        hold_line(network, call)
    else:
        free_line(network, call, at)


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
