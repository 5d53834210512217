"""One live or remembered call, and how it becomes a record.

A call is mutable inside its network only; everything that leaves is a value. The defaults below are those of a call
nobody has said anything about, so that a new call costs few assignments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.decisions import Attempt, CallRecord, Held, Outcome
from streams.core.state import CallState

if TYPE_CHECKING:
    from streams.core.events import CallEvent
    from streams.core.limits import Target

PAST_ATTEMPTS_MAX = 15
"""Attempts remembered before the current one: bounds a call's record below any broker's message limit."""
PAST_RESOURCES_MAX = 30
"""Resources remembered that a call has given back, for the same reason."""

_TARGET = CallState._fields.index("target")
NO_ATTEMPT = Attempt(*(0, *(None,) * 12))


class Call:
    """A call of one network. ``target`` is the site or partner where it is; None: nowhere, or not known."""

    # A call has some forty fields and most calls set half of them: what is below stands for all that were never told.
    hold_us: int = 0
    channels: int = 0
    asked: int = 0
    version: int = 0
    seen_at: int = 0
    due_at: int = 0
    suspect: bool = False
    tombstone: bool = False
    end_estimated: bool = False
    touched: bool = False
    past: tuple[Attempt, ...] = ()
    returned: tuple[str, ...] = ()
    resources: tuple[Held, ...] = ()
    timer_at: int | None = None
    target: Target | None = None
    decided: Attempt | None = None
    epoch: int | None = None
    sequence: int | None = None
    priority: int | None = None
    cause: int | None = None
    trunk: str | None = None
    campaign: str | None = None
    dialled: str | None = None
    caller: str | None = None
    correlation_id: str | None = None
    treatment: str | None = None
    trunk_out: str | None = None
    ended_by: str | None = None
    outcome: str | None = None
    undecided_cause: str | None = None
    plan_version: str | None = None
    claimed_at: int | None = None
    placed_at: int | None = None
    offered_at: int | None = None
    queued_at: int | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    held_at: int | None = None
    hold_seen_at: int | None = None
    resumed_at: int | None = None
    ended_at: int | None = None
    wrapped_up_at: int | None = None

    def __init__(self, call_id: str, ordinal: int, site: str, switch: str, plan_version: str | None = None) -> None:
        """Make a call that is only known by name: nothing was heard of it, nothing is held."""
        self.call_id = call_id
        self.ordinal = ordinal
        self.site = site
        self.switch = switch
        self.phase: str = "WAITING"
        self.plan_version = plan_version

    def learn(self, event: CallEvent) -> None:
        """Take what an event says of the call itself, where nothing was known."""
        for name in ("trunk", "campaign", "dialled", "caller", "priority", "correlation_id"):
            value = getattr(event, name)
            if value is not None and getattr(self, name) is None:
                setattr(self, name, value)

    def state(self) -> CallState:
        """Return this call as a value."""
        target = None if self.target is None else self.target.name
        values = [getattr(self, name) for name in CallState._fields]
        values[_TARGET] = target
        return CallState._make(values)

    def gave_back(self, kind: str, name: str, from_at: int | None, until_at: int | None) -> None:
        """Remember a resource the call held before the one it holds now."""
        start = self.offered_at if from_at is None else from_at
        if start is not None:
            self.resources = (*self.resources[-PAST_RESOURCES_MAX:], Held(kind, name, start, until_at))

    def hear(self, switch: str, sequence: int) -> None:
        """Note how far the call's own switch has told of it; the sequences of others are their own."""
        if switch == self.switch and (self.sequence is None or sequence > self.sequence):
            self.sequence = sequence

    def give_back(self, name: str) -> None:
        """Remember a target that did not keep the call: it is not tried again."""
        if name not in self.returned:
            self.returned = (*self.returned, name)

    def next_attempt(self, attempt: int) -> None:
        """Close the current attempt, if any, and begin ``attempt``."""
        if self.decided is not None:
            self.past = (*self.past[-PAST_ATTEMPTS_MAX + 1 :], self.decided)
        self.decided = None
        self.asked = attempt


def _share_names() -> None:
    """Set every attribute that ordinary calls have on a first call, which is then forgotten.

    CPython keeps the attributes of a class in one table of names that only the first few instances can extend; a name
    met later costs each call a dict of its own, some two microseconds and half a kilobyte.
    """
    call = Call("", 0, "", "")
    for name in (
        "plan_version", "offered_at", "asked", "target", "placed_at", "decided", "seen_at", "due_at", "timer_at",
        "touched", "answered_at", "ended_by", "cause", "ended_at", "version", "epoch", "sequence", "trunk", "campaign",
        "dialled", "caller", "channels", "wrapped_up_at",
    ):  # fmt: skip
        setattr(call, name, getattr(call, name))


_share_names()


def outcome_of(call: Call, short_abandon_us: int | None) -> str:
    """Return how the call ended, seen from its caller."""
    if call.outcome is not None:
        return call.outcome
    if call.answered_at is not None:
        at_partner = call.target is not None and call.target.partner
        return Outcome.ANSWERED_PARTNER if at_partner else Outcome.ANSWERED_SITE
    if call.treatment is not None:
        return Outcome.TREATED
    last = call.decided
    if last is not None and last.verdict == "BLOCK" and last.placed_verdict is None:
        return Outcome.BLOCKED
    if call.end_estimated and call.target is not None and call.target.partner:
        return Outcome.HANDED_OVER_UNKNOWN
    start = call.offered_at if call.queued_at is None else call.queued_at
    if short_abandon_us is not None and call.ended_at is not None and call.ended_at - (start or 0) < short_abandon_us:
        return Outcome.SHORT_ABANDON
    return Outcome.ABANDONED_RINGING if call.ringing_at is not None else Outcome.ABANDONED_WAITING


def _resources(call: Call) -> tuple[Held, ...]:
    """Return everything the call held, the current holding last."""
    held = list(call.resources)
    start, end = call.offered_at, call.ended_at
    target = call.target
    if target is not None and (taken := call.placed_at) is not None:
        if target.partner:
            held.append(Held("SEAT", target.name, taken, end))
        else:
            held.append(Held("PLACE", target.name, taken, end))
            if target.uses_positions:
                held.append(Held("POSITION", target.name, taken, call.wrapped_up_at or end))
    if call.campaign is not None and start is not None:
        held.append(Held("CAMPAIGN", call.campaign, start, end))
    return tuple(held)


def record_of(network: str, call: Call, short_abandon_us: int | None) -> CallRecord:
    """Return the call's record in its next version. Durations never fall below zero, whatever the clocks said."""
    call.version += 1
    start = call.offered_at if call.queued_at is None else call.queued_at
    answered, ended, wrapped = call.answered_at, call.ended_at, call.wrapped_up_at
    until = answered if answered is not None else ended
    hold_us = call.hold_us
    if call.held_at is not None and ended is not None:
        hold_us += max(ended - call.held_at, 0)  # nobody has said that this hold was over before the call
    attempts = call.past if call.decided is None else (*call.past, call.decided)
    return CallRecord(
        network, call.call_id, call.version, call.version - 1 or None, call.site,
        call.target.name if call.target is not None else None, call.trunk, call.campaign, call.dialled, call.caller,
        call.priority, call.plan_version, call.offered_at, call.queued_at, answered, ended, wrapped,
        max(until - start, 0) if until is not None and start is not None else None,
        max(ended - answered - hold_us, 0) if answered is not None and ended is not None else None,
        hold_us if answered is not None else None,
        max(wrapped - ended, 0) if wrapped is not None and ended is not None else None,
        outcome_of(call, short_abandon_us), call.ended_by, call.cause, attempts, _resources(call), call.treatment,
        call.undecided_cause if call.decided is None or call.decided.verdict is None else None,
        call.end_estimated, f"{call.ordinal:X}",
    )  # fmt: skip
