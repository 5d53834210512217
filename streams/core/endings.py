"""The end of a call: what is freed when, what is remembered, and when its record goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.decisions import Outcome, UndecidedCause
from streams.core.seats import free_line, vacate

if TYPE_CHECKING:
    from streams.core.calls import Call
    from streams.core.network import Network


def end(network: Network, call: Call, at: int) -> None:
    """End the call: all is free but the position of one that was answered, until its wrap-up is over."""
    call.ended_at = at
    if call.asked == 0:
        network.unasked.pop(call.call_id, None)
    if call.channels:
        free_line(network, call, at)
    target = call.target
    if target is not None:
        if call.trunk_out is None and call.campaign is None:
            target.places.pop(call.call_id, None)
            network.changed[target.name] = None
        else:
            vacate(network, call, target)
    if call.suspect:
        call.suspect = False
        network.suspects.pop(call.call_id, None)
    if call.answered_at is None:
        _count_abandon(network, call)
    elif target is not None and target.wrap_up_us and call.wrapped_up_at is None:
        call.phase = "WRAPPING"
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
    target = call.target
    if target is not None and target.uses_positions:
        target.positions.pop(call.call_id, None)
        network.changed[target.name] = None
    network.remember(call)
    if not call.tombstone:
        if call.asked == 0 and call.undecided_cause != UndecidedCause.FAIL_OPEN:
            call.undecided_cause = call.undecided_cause or UndecidedCause.UNKNOWN
            network.count(f"undecided.{call.undecided_cause}")
        network.record(call)


def expire(network: Network, call: Call) -> None:
    """A call's timer ran out: its wrap-up, its lease, or, once suspect, its hard limit."""
    phase = call.phase
    network.touch(call)
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
        network.wait_for(call, network.clock + network.hard_limit_us(call))


def release(network: Network, call: Call) -> None:
    """End a call of which nothing was heard any more: its end is an estimate."""
    call.end_estimated = True
    if call.phase == "DIVERTED" and call.answered_at is None:
        call.outcome = Outcome.HANDED_OVER_UNKNOWN
    end(network, call, network.clock)
