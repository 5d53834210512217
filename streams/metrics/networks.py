"""A partition's networks as metrics: what is now, and what was counted.

A network's own counts are part of its state: they go back a little when a worker dies, and start high with whoever takes
over. Prometheus would read the first as a restart from zero and add the whole count once more. So a worker counts from
where it took over: it keeps the `totals` of that moment, and the page shows what came since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streams.core.calendar import Span, span_at
from streams.core.decisions import ExcessCause, UndecidedCause
from streams.core.limits import Target
from streams.core.network import Network
from streams.core.plan import SECOND_US, Partner, Plan, Site
from streams.metrics import catalogue as c
from streams.metrics.catalogue import Metric
from streams.metrics.views import EngineView

Reading = tuple[Metric, tuple[str, ...], float]
"""A metric, its labels' values, and its value."""

MINUTE_US: Final = 60 * SECOND_US

_PLAIN: Final = {
    "misplaced": c.MISPLACED,
    "unremembered": c.UNREMEMBERED,
    "unknown_targets": c.UNKNOWN_TARGETS,
    "releases_refused": c.RELEASES_REFUSED,
}
_BY_WORD: Final = {"drift": c.DRIFT, "undecided": c.UNDECIDED, "noted": c.NOTED}
"""Named counts of a network whose name goes on behind a dot: the word is a label."""


def totals(engine: EngineView) -> dict[tuple[str, tuple[str, ...]], int]:
    """Return everything an engine and its networks have counted so far, by metric and labels."""
    found: dict[tuple[str, tuple[str, ...]], int] = {}

    def add(metric: Metric, labels: tuple[str, ...], count: int) -> None:
        key = (metric.name, labels)
        found[key] = found.get(key, 0) + count

    for network in engine.core.networks.copy().values():
        for metric, labels, count in _counts(network):
            add(metric, labels, count)
    for reason, count in engine.figures.dead_letters.copy().items():
        add(c.DEAD_LETTERS, (str(reason),), count)
    for topic, counted in engine.ledger.counts.copy().items():
        add(c.OUTPUTS, (topic,), counted.count)
    return found


def _counts(network: Network) -> Iterator[tuple[Metric, tuple[str, ...], int]]:
    """Yield what a network has counted; one without a plan is counted with all others of its kind."""
    plan = network.plan
    name = c.UNPLANNED if plan is None else network.name
    yield c.EVENTS_APPLIED, (name,), network.applied
    yield c.EVENTS_REPEATED, (name,), network.repeated
    yield c.EVENTS_LATE, (name,), network.late
    known = _switches(plan)
    for switch in (*known, c.OTHER):
        yield c.EVENTS_CLAMPED, (name, switch), 0
    for switch, state in network.switches.copy().items():
        yield c.EVENTS_CLAMPED, (name, switch if switch in known else c.OTHER), state.clamped
    for metric in _PLAIN.values():
        yield metric, (name,), 0
    for kind in c.DRIFTS:
        yield c.DRIFT, (name, kind), 0
    for undecided in UndecidedCause:
        yield c.UNDECIDED, (name, undecided.value), 0
    for word, count in network.counts.copy().items():
        first, _, rest = word.partition(".")
        if word in _PLAIN:
            yield _PLAIN[word], (name,), count
        elif first in _BY_WORD:
            yield _BY_WORD[first], (name, rest), count
        elif first == "decided":
            verdict, _, reason = rest.partition(".")
            yield c.DECISIONS, (name, "", verdict, reason), count
    for target in network.targets.copy().values():
        yield from _target_counts(name, target)


def _target_counts(network: str, target: Target) -> Iterator[tuple[Metric, tuple[str, ...], int]]:
    """Yield what was counted at a site or partner."""
    labels = (network, target.name, _kind(target))
    yield c.OFFERED, labels, target.offered
    yield c.ANSWERED, labels, target.answered
    yield c.ABANDONED, labels, target.abandoned
    for cause in ExcessCause:
        yield c.EXCESS, (*labels, cause.value), 0
    for cause_word, count in target.excess.copy().items():
        yield c.EXCESS, (*labels, str(cause_word)), count
    if not target.partner:
        for verdict, reason in c.ADMISSIONS:
            yield c.DECISIONS, (network, target.name, verdict, reason), 0
    for (given, why), count in target.decided.copy().items():
        yield c.DECISIONS, (network, target.name, given or c.NO_VERDICT, why), count


def gauges(network: Network, now_at: int) -> Iterator[Reading]:
    """Yield how a network is; ``now_at`` is our own clock, which only tells how long it has been silent."""
    plan = network.plan
    if plan is None:
        return
    name = network.name
    yield c.CALLS_KNOWN, (name,), len(network.calls)
    yield c.CLOCK, (name,), network.clock / SECOND_US
    yield c.PLAN_INFO, (name, plan.version, plan.clock), 1
    yield c.PLAN_HORIZON, (name,), plan.horizon_at / SECOND_US
    undecided = {cause.value: 0 for cause in UndecidedCause}
    for call in network.unasked.copy().values():
        cause = call.undecided_cause or UndecidedCause.UNKNOWN.value
        undecided[cause] = undecided.get(cause, 0) + 1
    for cause, count in undecided.items():
        yield c.UNDECIDED_NOW, (name, cause), count
    suspects = [call.target for call in network.suspects.copy().values()]
    for target in network.targets.copy().values():
        labels = (name, target.name, _kind(target))
        yield from _target_gauges(network, target, labels, now_at)
        yield c.SUSPECTS, labels, sum(at is target for at in suspects)
    for line in network.lines.copy().values():
        yield c.TRUNK_CHANNELS, (name, line.name), len(line.incoming) + len(line.outgoing)
        yield c.TRUNK_LIMIT, (name, line.name), line.limit
    for campaign in network.causes.copy().values():
        yield c.CAMPAIGN_CALLS, (name, campaign.name), len(campaign.calls)
        if campaign.limit is not None:
            yield c.CAMPAIGN_LIMIT, (name, campaign.name), campaign.limit


def _target_gauges(network: Network, target: Target, labels: tuple[str, ...], now_at: int) -> Iterator[Reading]:
    """Yield how a site or partner is."""
    span = _span(target, network.clock)
    yield c.CALLS_IN_PROGRESS, labels, len(target.places)
    yield c.CALLS_PEAK, labels, peak(network, target, now_at)
    yield c.CALLS_PEAK_TODAY, labels, max(target.peak_today, len(target.places))
    yield c.OPEN, labels, int(span.open)
    if target.limit is not None:
        yield c.CALLS_LIMIT, labels, target.limit
    if target.uses_positions:
        yield c.POSITIONS_OCCUPIED, labels, len(target.positions)
        staffed = target.staffed(span, network.clock)
        if staffed is not None:
            yield c.POSITIONS_STAFFED, labels, staffed


def peak(network: Network, target: Target, now_at: int) -> int:
    """Return the most calls at once within the last minute at least.

    A target keeps its peak by the minutes of its network's clock. In a live network that stood still since, the peaks
    kept may be older than that; where events move the clock, its minutes are all there is.
    """
    calls, last, before = len(target.places), target.peak, target.peak_before
    silent_us = now_at - network.minute_at if network.live_clock else -1
    if silent_us < 0:
        return max(calls, last, before)
    return max(calls, last) if silent_us < MINUTE_US else calls


def _span(target: Target, at: int) -> Span:
    """Return the span of opening hours that holds ``at`` and leave the target's own note of it alone."""
    span = target.span
    if span.from_at <= at < span.until_at:
        return span
    plan = target.plan
    return span_at(target.spec.hours, at, plan.horizon_at, plan.offsets)


def _switches(plan: Plan | None) -> dict[str, None]:
    """Return the switches that a plan names."""
    if plan is None:
        return {}
    specs: tuple[Site | Partner, ...] = (*plan.sites, *plan.partners)
    return {name: None for spec in specs for name in spec.switches}


def _kind(target: Target) -> str:
    return "partner" if target.partner else "site"
