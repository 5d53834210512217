"""The commonest event of all, written out: a question about a new call whose own site has room.

It does what `network._meet`, `facts.offered`, `questions.ask`, `overflow.choose` and `seats.seat` do for such a call, in
one function, because a tenth of a microsecond for each call between them is a third of what a decision costs. It takes
the way through them whenever anything is out of the ordinary; a test holds both ways to the same outputs and state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.calls import Call
from streams.core.decisions import Attempt, Decision

if TYPE_CHECKING:
    from streams.core.events import CallEvent
    from streams.core.network import Network

UNSAID = (None,) * 10
"""What an event says of a call in the fields from ``trunk`` to ``correlation_id`` if it says nothing."""
_NOT_PLACED = (None,) * 7
_ADMITTED = ("ADMIT", "ROOM")
_new = tuple.__new__  # the constructor of a named tuple, less the call of a Python function


def admit(
    network: Network, event: CallEvent, at: int
) -> Call | None:  # hot path: a call of a function costs what it does
    """Admit the new call that ``event`` asks about and return it; None if this is not so simple: nothing has changed."""
    plan, clock = network.plan, network.clock
    site = network.targets.get(event.site)
    if plan is None or site is None or site.partner or event is network.clamped:
        return None
    if at >= plan.horizon_at or clock - at > network.remember_us:
        return None
    span = site.span
    if not span[0] <= at < span[1]:
        span = site.span_for(at)
    places, limit, until = site.places, site.limit, site.capacity_until
    busy = len(places)
    staffed = span[3] if until is None or clock >= until else site.capacity
    room = None if limit is None else limit - busy
    if staffed is not None:
        free = staffed + site.waiting_places - len(site.positions)
        room = free if room is None or free < room else room
    if (room is not None and room <= 0) or not span[2] or not network.can_remember():
        return None
    attempt = event.attempt or 1
    waited_us, epoch = event.waited_us, event.epoch
    if attempt < 1 or (waited_us is not None and waited_us > network.max_ask_age_us):
        return None
    if epoch is not None and epoch != network.switch_of(event.switch).epoch:
        return None
    line = network.lines.get(event.trunk) if event.trunk is not None else None
    cause = network.causes.get(event.campaign) if event.campaign is not None else None
    if (line is not None and line.room() <= 0) or (cause is not None and cause.full()):
        return None
    call_id, version = event.call_id, network.version
    network.ordinal = ordinal = network.ordinal + 1
    network.memory.known += 1
    call = network.calls[call_id] = places[call_id] = Call(call_id, ordinal, event.site, event.switch, version)
    if epoch is not None:
        call.epoch = epoch
    if event[11:21] != UNSAID:
        call.learn(event)
        if line is not None:
            line.incoming[call_id] = call
            call.channels = 1
        if cause is not None:
            cause.calls[call_id] = call
    if site.uses_positions:
        site.positions[call_id] = call
    busy_now = busy + 1
    if busy_now > site.peak:
        site.peak = busy_now
        if busy_now > site.peak_today:
            site.peak_today = busy_now
    call.offered_at = call.placed_at = at
    call.asked = attempt
    call.target = site
    name = site.name
    call.decided = _new(Attempt, (attempt, "ADMIT", name, None, "ROOM", at, *_NOT_PLACED))
    site.offered += 1
    site.offered_today += 1
    site.admitted_today += 1
    site.overflow_to = None
    decided = site.decided
    decided[_ADMITTED] = decided.get(_ADMITTED, 0) + 1
    network.changed[name] = None
    decision = (
        network.name, name, call_id, attempt, f"{ordinal:X}", "ADMIT", name, None, "ROOM",
        site.roomy.get(room) or site.looked(room), busy, limit, version, network.rules, event.occurred_at,
    )  # fmt: skip
    network.out.append(_new(Decision, decision))
    return call
