"""Control events: plans, switch restarts and snapshots, capacities, releases.

What cannot take effect is refused as a whole, before anything changes; the refusal becomes a dead letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core import RULES, days, endings, seats, storage
from streams.core.calendar import day_at
from streams.core.calls import Call
from streams.core.decisions import ExcessCause, Outcome, UndecidedCause
from streams.core.events import (
    CallReleased,
    CapacityChanged,
    FeedGap,
    PlanApplied,
    SpotAired,
    SpotPlanned,
    SwitchSnapshot,
    SwitchStarted,
    Tick,
)
from streams.core.plan import SECOND_US
from streams.core.state import PartialSnapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.core.decisions import Output
    from streams.core.events import ControlEvent, SnapshotCall
    from streams.core.limits import Target
    from streams.core.network import Network

SNAPSHOT_MARGIN_US = 10 * SECOND_US
"""A call heard of this shortly before a snapshot without sequences began may be missing from it and alive."""
ON_SWITCH = ("WAITING", "TALKING")
PARTIALS_MAX = 16
"""Unfinished snapshots kept per network; the oldest goes first."""


class Refused(Exception):  # noqa: N818 a refusal is an answer, not a fault
    """A control event that cannot take effect. ``reason`` is a word for machines, ``text`` a sentence for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def apply(network: Network, event: ControlEvent, appended_at: int) -> Sequence[Output]:
    """Take a control event; ``network.apply`` is the door."""
    body = event.body
    if isinstance(body, PlanApplied):
        check_plan(network, body)
        move_clock(network, event, appended_at, moves=False)
        apply_plan(network, body)
    elif isinstance(body, Tick):
        if network.live_clock:
            network.repeated += 1
            return ()
        move_clock(network, event, appended_at)
    elif isinstance(body, SwitchStarted):
        move_clock(network, event, appended_at)
        network.see_epoch(body.switch, body.epoch, started=True)
    elif isinstance(body, SwitchSnapshot):
        if not 1 <= body.part <= body.parts:
            raise Refused("BAD_SNAPSHOT", f"part {body.part} of {body.parts} is no part of a snapshot")
        move_clock(network, event, appended_at)
        _snapshot(network, body)
    elif isinstance(body, CapacityChanged):
        if body.target not in network.targets:
            raise Refused("UNKNOWN_TARGET", f'the plan in force has no site or partner "{body.target}"')
        move_clock(network, event, appended_at)
        _capacity(network, body)
    elif isinstance(body, CallReleased):
        move_clock(network, event, appended_at)
        _released(network, body)
    elif isinstance(body, (FeedGap, SpotPlanned, SpotAired)):
        move_clock(network, event, appended_at)
        network.count(f"noted.{type(body).__name__}")
    else:
        text = f"rules {network.rules} have no behaviour for {type(body).__name__}: it takes a plan with later rules"
        raise Refused("UNSUPPORTED", text)
    network.applied += 1
    return network.take_out()


def move_clock(network: Network, event: ControlEvent, appended_at: int, *, moves: bool = True) -> None:
    """Move the clock. A plan is applied by people, today, and moves no clock that its events move."""
    at = appended_at if network.live_clock else event.occurred_at
    if at is not None and at > network.clock and (moves or network.live_clock):
        network.clock = at
    if network.clock >= network.next_at:
        network.advance()


def check_plan(network: Network, body: PlanApplied) -> None:
    """Refuse a plan that is not this network's, that lost a race, or that wants rules this code does not know."""
    if body.plan.network != network.name:
        raise Refused("WRONG_NETWORK", f'the plan is for network "{body.plan.network}", the event for "{network.name}"')
    if body.rules != RULES:
        raise Refused("UNKNOWN_RULES", f"the plan wants rules {body.rules}, this version knows {RULES}: upgrade first")
    if body.shadow:
        raise Refused("UNSUPPORTED", f"rules {RULES} have no behaviour for a shadow plan")
    if body.replaces != network.version:
        text = f"the plan replaces {body.replaces or 'none'}, in force is {network.version or 'none'}: apply it again"
        raise Refused("PLAN_REPLACED", text)


def apply_plan(network: Network, body: PlanApplied) -> None:
    """Put a plan in force at this very offset. Calls stay where they are, if the plan still knows the place."""
    before = {name: (target, _over(network, name)) for name, target in network.targets.items()}
    was_none = network.plan is None
    for call in network.calls.values():
        if call.target is not None and not storage.knows(body.plan, call.target.name):
            _let_go(network, call, call.target)
    network.changed.update(dict.fromkeys(network.targets))
    if was_none and body.plan.clock == "EVENTS":
        network.clock = 0
    storage.follow(network, body.plan)
    network.parts.plan_changed = True
    for name in before:
        target = network.targets.get(name)
        if target is not None:
            target.count_excess(ExcessCause.LIMIT_LOWERED, _over(network, name) - before[name][1])
    network.day = day_at(body.plan.offsets, network.clock) if network.clock else None
    network.judged_at = network.clock
    days.follow(network)
    network.changed.update(dict.fromkeys(network.targets))


def _let_go(network: Network, call: Call, target: Target) -> None:
    """Take a call, or the memory of one, from a target that leaves the plan."""
    if call.phase == "ENDED" and call.answered_at is not None and call.outcome is None:
        call.outcome = Outcome.ANSWERED_PARTNER if target.partner else Outcome.ANSWERED_SITE
    seats.leave(network, call, network.clock if call.ended_at is None else call.ended_at)
    network.touch(call)


def _over(network: Network, name: str) -> int:
    target = network.targets[name]
    return target.over(target.span_for(network.clock), network.clock)


def lose_calls(network: Network, switch: str, epoch: int) -> None:
    """A switch has restarted: its calls of earlier epochs are over, but for those it had handed away."""
    lost = [call for call in network.calls.values() if call.switch == switch and call.phase in ON_SWITCH]
    for call in sorted(lost, key=lambda call: call.ordinal):
        # A call without an epoch is told apart by its offer: an epoch is the instant at which the switch started.
        born_at = call.epoch if call.epoch is not None else call.offered_at
        if born_at is None or born_at < epoch:
            call.outcome = Outcome.LOST_BY_RESTART
            call.end_estimated = True
            network.count("drift.lost")
            network.touch(call)
            endings.end(network, call, network.clock)


def _snapshot(network: Network, body: SwitchSnapshot) -> None:
    """Gather the parts of a switch's snapshot; with the last one, repair what drifted."""
    if body.epoch is not None:
        network.see_epoch(body.switch, body.epoch)
        if body.epoch != network.switch_of(body.switch).epoch:
            return
    partial = network.partials.get(body.switch)
    if partial is None or partial.snapshot_id != body.snapshot_id:
        partial = PartialSnapshot(
            body.switch,
            body.snapshot_id,
            body.parts,
            body.as_of,
            body.epoch,
            body.as_of_sequence,
            network.clock,
            (),
            (),
        )
    if body.part in partial.received:
        return
    partial = partial._replace(received=(*partial.received, body.part), calls=(*partial.calls, *body.calls))
    network.partials.pop(body.switch, None)
    if len(partial.received) < partial.parts:
        while len(network.partials) >= PARTIALS_MAX:
            del network.partials[min(network.partials, key=lambda name: (network.partials[name].first_at, name))]
        network.partials[body.switch] = partial
        return
    _repair(network, partial)


def _repair(network: Network, partial: PartialSnapshot) -> None:
    """Release the calls the switch no longer has, and learn those we did not know."""
    listed = {call.call_id: call for call in partial.calls}
    ours = [call for call in network.calls.values() if call.switch == partial.switch and call.phase in ON_SWITCH]
    for call in sorted(ours, key=lambda call: call.ordinal):
        network.touch(call)
        if call.call_id in listed:
            network.renew(call)
        elif _may_release(network, call, partial):
            network.count("drift.released")
            endings.release(network, call)
    for call_id in sorted(listed):
        if call_id not in network.calls:
            _adopt(network, listed[call_id], partial)


def _may_release(network: Network, call: Call, partial: PartialSnapshot) -> bool:
    """Say whether the call's absence from the list proves that it is over: never while its news may be younger."""
    if partial.epoch is not None and call.epoch is not None and call.epoch != partial.epoch:
        return False
    if call.phase == "WAITING" and not call.suspect and call.due_at > network.clock:
        return False
    if partial.as_of_sequence is not None and call.sequence is not None:
        return call.sequence <= partial.as_of_sequence
    if call.offered_at is not None and call.offered_at >= partial.as_of - SNAPSHOT_MARGIN_US:
        return False
    return call.seen_at < partial.first_at - SNAPSHOT_MARGIN_US


def _adopt(network: Network, listed: SnapshotCall, partial: PartialSnapshot) -> None:
    """Take in a call that only the switch knew of. It was never asked about, but it holds its place."""
    if not network.can_remember():
        network.count("unremembered")
        return
    network.ordinal += 1
    network.memory.known += 1
    call = Call(listed.call_id, network.ordinal, listed.site, partial.switch)
    call.epoch, call.trunk, call.campaign = partial.epoch, listed.trunk, listed.campaign
    call.offered_at, call.seen_at = listed.offered_at, network.clock
    call.plan_version = network.version
    call.undecided_cause = UndecidedCause.UNKNOWN
    network.calls[call.call_id] = network.unasked[call.call_id] = call
    network.touch(call)
    network.count("drift.adopted")
    seats.hold_line(network, call)
    if listed.answered:
        call.answered_at = listed.offered_at if listed.offered_at is not None else partial.as_of
        call.phase = "TALKING"
    target = network.targets.get(listed.target) if listed.target is not None else None
    if target is not None:
        over = target.over(target.span_for(network.clock), network.clock)
        seats.seat(network, call, target, network.clock)
        call.claimed_at = network.clock
        span = target.span_for(network.clock)
        target.count_excess(ExcessCause.REPAIRED, target.over(span, network.clock) - over)
    network.renew(call)


def _capacity(network: Network, body: CapacityChanged) -> None:
    """Positions or seats really there, at the latest until the window ends."""
    target = network.targets[body.target]
    span = target.span_for(network.clock)
    over = target.over(span, network.clock)
    target.state_capacity(body.capacity, span.until_at if body.until is None else min(body.until, span.until_at))
    target.count_excess(ExcessCause.LIMIT_LOWERED, target.over(span, network.clock) - over)
    network.changed[target.name] = None
    days.follow(network)


def _released(network: Network, body: CallReleased) -> None:
    """Release a suspect; a call that is not suspect stays."""
    call = network.suspects.get(body.call_id)
    if call is None:
        network.count("releases_refused")
        return
    network.touch(call)
    network.count("drift.released")
    endings.release(network, call)
