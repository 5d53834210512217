"""A worker as its metrics see it: real networks, everything round them plain values."""

import dataclasses
from types import SimpleNamespace

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.core.partition import Partition
from streams.metrics.catalogue import CATALOGUE
from streams.metrics.collector import Collector
from streams.metrics.networks import totals
from streams.plans import compile_plan
from streams.wire.ledger import Count

BOUNDS = (0.01, 0.1, 1.0)
LABELS = {metric.name: metric.labels for metric in CATALOGUE}
AT = 1_762_710_000_000_000
"""A Sunday evening in November 2025."""


class Worker:
    """One partition, number 3, that decides; change its attributes at will."""

    def __init__(self):
        figures = SimpleNamespace(
            events=5, transactions=4, seeks=3, dropped_batches=2, refolded=1, dead_letters={}, state_records=0
        )
        self.engine = SimpleNamespace(
            core=Partition(),
            ledger=SimpleNamespace(counts={"decisions": Count(0, -1, 0)}),
            figures=figures,
            snapshots=SimpleNamespace(count=6, bytes=700, seconds=0.5),
            applied=41,
            snapshot=37,
        )
        self.partition = SimpleNamespace(
            phase="running",
            halted=None,
            engine=self.engine,
            counted_before={},
            behind=8,
            loaded_s=0.25,
            inbox=SimpleNamespace(records=2),
            latency=SimpleNamespace(buckets=[0, 0, 0, 0], sum_s=0.0),
        )
        self.owned = {3: self.partition}
        self.assignments = 1
        self.abandoned = 0
        self.ready = True
        self.troubles = []
        self.now_us = AT
        registry = CollectorRegistry()
        registry.register(Collector(self, BOUNDS, clock_us=lambda: self.now_us))
        self.registry = registry

    def take(self, *events, at=AT):
        for event in events:
            self.engine.core.apply(event, at)

    def plan(self, root, name="msf", **changes):
        """Put a deployed plan in force."""
        plan = compile_plan(root / "deploy" / "plans" / f"{name}.yaml", from_at=AT)
        plan = dataclasses.replace(plan, **changes)
        self.take(ControlEvent(plan.network, AT, PlanApplied(plan, 1)))
        return plan

    def took_over(self):
        """Begin to count from here."""
        self.partition.counted_before = totals(self.engine)

    def page(self):
        """The page as Prometheus reads it: a sample's name and its labels' values, as the catalogue orders them, to value."""
        text = generate_latest(self.registry).decode()
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels, key=_place(sample)))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def _place(sample):
    name = sample.name if sample.name in LABELS else sample.name.rpartition("_")[0]
    labels = LABELS[name]
    return lambda label: labels.index(label) if label in labels else len(labels)


def asked(number, site="msf", *, network="msf", at=AT, switch="pabx", **fields):
    return CallEvent(network, site, f"{switch}/{number}", "OFFERED", at, switch, asks=True, **fields)


def fact(number, kind, site="msf", *, network="msf", at=AT, switch="pabx", **fields):
    return CallEvent(network, site, f"{switch}/{number}", kind, at, switch, **fields)
