"""A network's state to values and back, and the parts of it that changed.

The calls are cut into ``2 ** bits`` buckets by the CRC-32 of their ids. The number grows with the calls, so that one
call that changes costs a small bucket, not the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from streams.core import RULES, days
from streams.core.calls import Call
from streams.core.known import Switch
from streams.core.limits import Cause, Line, Target
from streams.core.state import CallState, Count, HeadState, Snapshot, SwitchState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.core.network import Network
    from streams.core.plan import Partner, Plan, Site

SMALL_BITS = 6
"""Up to 2 ** 6 buckets hold some 32 calls each; beyond, they grow to 1,024 calls before they are cut again."""
SMALL_CALLS = 32
LARGE_CALLS = 1024
BITS_MOST = 16
BUCKET_BYTES = 900_000
"""Below any broker's limit for a message; so few calls as ``SMALL_CALLS`` always are."""


class Parts:
    """Which parts of a network the last snapshot wrote: calls by bucket, and whether the plan was written."""

    __slots__ = ("bits", "buckets", "plan_changed")

    def __init__(self) -> None:
        self.bits = 0
        self.buckets: list[dict[str, Call]] = [{}]
        self.plan_changed = False

    def cut(self, calls: dict[str, Call], bits: int) -> None:
        """Cut all calls into ``2 ** bits`` buckets."""
        self.bits = bits
        self.buckets = [{} for _ in range(1 << bits)]
        mask = (1 << bits) - 1
        for call_id, call in calls.items():
            self.buckets[crc32(call_id.encode()) & mask][call_id] = call


def _bits_for(calls: int, bits: int) -> int:
    """Return how many bits so many calls want; buckets are never merged again."""
    while calls > (1 << bits) * (SMALL_CALLS if bits < SMALL_BITS else LARGE_CALLS):
        bits += 1
    return bits


def snapshot(network: Network, *, everything: bool) -> Snapshot:
    """Return what changed since the last snapshot, or everything; no bucket is larger than ``BUCKET_BYTES``."""
    parts = network.parts
    wanted = _bits_for(len(network.calls), parts.bits)
    if wanted > parts.bits:
        parts.cut(network.calls, wanted)
        everything = True
    dirty = _sort_in(network)
    buckets = _buckets(parts, range(1 << parts.bits) if everything else sorted(dirty))
    while parts.bits < BITS_MOST and any(_bytes(calls) > BUCKET_BYTES for calls in buckets.values()):
        parts.cut(network.calls, parts.bits + 1)
        everything = True
        buckets = _buckets(parts, range(1 << parts.bits))
    plan = network.plan if everything or parts.plan_changed else None
    parts.plan_changed = False
    return Snapshot(head(network), plan, buckets)


def _sort_in(network: Network) -> dict[int, None]:
    """Put every call that changed where it belongs, and return the buckets this changes."""
    parts, mask = network.parts, (1 << network.parts.bits) - 1
    dirty: dict[int, None] = {}
    for call in network.touched:
        call_id = call.call_id
        call.touched = False
        index = crc32(call_id.encode()) & mask
        dirty[index] = None
        known = network.calls.get(call_id)
        if known is None:
            parts.buckets[index].pop(call_id, None)
        else:
            parts.buckets[index][call_id] = known
    network.touched.clear()
    return dirty


def _buckets(parts: Parts, indices: Iterable[int]) -> dict[int, tuple[CallState, ...]]:
    """Return the calls of these buckets as values, in the order of their ordinals."""
    return {
        index: tuple(sorted((call.state() for call in parts.buckets[index].values()), key=_ordinal))
        for index in indices
    }


def _bytes(calls: tuple[CallState, ...]) -> int:
    """Return more bytes than these calls take when stored: a character is four at most, an attempt below 1,200."""
    if len(calls) <= SMALL_CALLS:
        return 0
    size = 0
    for call in calls:
        size += 200 + 1200 * len(call.past) + 900 * (len(call.resources) + len(call.returned))
        size += 4 * sum(len(value) for value in call if type(value) is str)
    return size


def _ordinal(state: CallState) -> int:
    return state.ordinal


def head(network: Network) -> HeadState:
    """Return all of the state but plan and calls."""
    counts = {"applied": network.applied, "repeated": network.repeated, "late": network.late, **network.counts}
    switches = sorted(network.switches.items())
    return HeadState(
        network.name, network.rules, network.version, network.clock, network.judged_at, network.ordinal,
        network.parts.bits, network.day,
        tuple(target.state() for _, target in sorted(network.targets.items())),
        tuple(SwitchState(name, switch.epoch, switch.clamped) for name, switch in switches),
        tuple(partial for _, partial in sorted(network.partials.items())),
        tuple(Count(name, count) for name, count in sorted(counts.items())),
    )  # fmt: skip


def knows(plan: Plan, name: str) -> bool:
    """Say whether the plan has a site or partner of this name."""
    specs: tuple[Site | Partner, ...] = (*plan.sites, *plan.partners)
    return any(spec.name == name for spec in specs)


def follow(network: Network, plan: Plan) -> None:
    """Make ``plan`` the network's, in the plan's own order; targets that stay keep their calls and counts."""
    network.plan = plan
    network.version = plan.version
    network.rules = RULES
    network.live_clock = plan.clock == "LIVE"
    shift_us = plan.remember_us - network.remember_us
    network.remember_us = plan.remember_us
    network.calls_max = plan.calls_max
    network.max_ask_age_us = plan.max_ask_age_us
    network.clock_back_us = plan.clock_back_us
    old = network.targets
    specs: tuple[Site | Partner, ...] = (*plan.sites, *plan.partners)
    targets: dict[str, Target] = {}
    for spec in specs:
        target = old.get(spec.name)
        if target is None:
            target = Target(spec, plan)
        else:
            target.follow(spec, plan)
            target.places, target.positions = {}, {}
        targets[spec.name] = target
    network.targets = targets
    network.lines = {trunk.name: Line(trunk) for trunk in plan.trunks}
    network.causes = {campaign.name: Cause(campaign) for campaign in plan.campaigns}
    network.treatments = {treatment.name: treatment for treatment in plan.treatments}
    for call in network.calls.values():
        attach(network, call)
        if shift_us and call.phase == "ENDED":
            call.due_at += shift_us
            network.touch(call)
    if shift_us:
        network.set_timers()


def attach(network: Network, call: Call) -> None:
    """Let the call hold again, in the network's resources, what its own fields say that it holds."""
    call_id, target = call.call_id, call.target
    if call.phase == "ENDED":
        return
    if target is not None:
        if target.uses_positions:
            target.positions[call_id] = call
        if call.phase != "WRAPPING":
            target.places[call_id] = call
            cause = network.causes.get(call.campaign) if call.campaign is not None else None
            if cause is not None:
                cause.calls[call_id] = call
    if call.channels and call.trunk in network.lines:
        network.lines[call.trunk].incoming[call_id] = call
    if call.trunk_out in network.lines:
        network.lines[call.trunk_out].outgoing[call_id] = call


def restore(network: Network, state: HeadState, plan: Plan | None, calls: Sequence[CallState]) -> None:
    """Fill an empty network from a whole snapshot."""
    if plan is not None:
        follow(network, plan)
    for stored in state.targets:
        network.targets[stored.name].restore(stored)
    network.clock, network.judged_at, network.ordinal = state.clock, state.judged_at, state.ordinal
    network.day = state.day
    for switch in state.switches:
        network.switches[switch.name] = Switch(switch.epoch, switch.clamped)
    network.partials = {partial.switch: partial for partial in state.partials}
    counts = {count.name: count.count for count in state.counts}
    network.applied, network.repeated, network.late = (counts.pop(name, 0) for name in ("applied", "repeated", "late"))
    network.counts = counts
    restored = [_call(network, value) for value in sorted(calls, key=_ordinal)]
    for call in restored:
        network.calls[call.call_id] = call
        if call.suspect:
            network.suspects[call.call_id] = call
        if call.asked == 0 and call.phase not in ("ENDED", "WRAPPING"):
            network.unasked[call.call_id] = call
        attach(network, call)
    network.memory.known += len(restored)
    for target in network.targets.values():
        target.new_minute()
        network.changed[target.name] = None
    network.set_timers()
    network.parts.cut(network.calls, state.bucket_bits)
    days.follow(network)


def _call(network: Network, state: CallState) -> Call:
    """Return a call from its stored value."""
    call = Call(state.call_id, state.ordinal, state.site, state.switch)
    for name, value in zip(CallState._fields, state, strict=True):
        setattr(call, name, value)
    call.target = network.targets.get(state.target) if state.target is not None else None
    return call
