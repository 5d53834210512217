"""The collector: reads the worker's state when Prometheus scrapes, and only then.

It runs in the thread of the pages, beside the partitions' threads. It changes nothing and holds no lock: it copies each
dict whole before walking it, and every number is right at the instant at which it is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector as Collects

from streams import __version__
from streams.core import RULES
from streams.metrics import catalogue as c
from streams.metrics.catalogue import Kind, Metric
from streams.metrics.networks import Reading, gauges, totals
from streams.metrics.views import EngineView, PartitionView, WorkerView

DECIDING: Final = ("running", "waiting")
"""The phases in which a partition's networks are shown: in any other their state is of another time."""

_NAMED: Final = {metric.name: metric for metric in c.CATALOGUE}


class Collector(Collects):
    """Gives Prometheus all metrics of a worker; ``bounds`` are the upper bounds of its latency buckets, in seconds."""

    def __init__(
        self, view: WorkerView, bounds: Sequence[float], *, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._view = view
        self._bounds = [*(str(float(bound)) for bound in bounds), "+Inf"]
        self._clock_us = clock_us

    def describe(self) -> Iterable[Family]:
        """Return nothing: the names are checked where the catalogue is tested."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Yield every metric of the catalogue with what is known of it now."""
        owned = self._view.owned
        found: dict[str, list[tuple[tuple[str, ...], float]]] = {metric.name: [] for metric in c.CATALOGUE}
        for metric, labels, value in self._readings():
            found[metric.name].append((labels, value))
        for metric in c.CATALOGUE:
            if metric.kind is Kind.HISTOGRAM:
                yield self._histogram(metric, owned)
            else:
                yield _family(metric, found[metric.name])

    def _readings(self) -> Iterator[Reading]:
        """Yield all readings but the histogram's."""
        view, now_at = self._view, self._clock_us()
        yield c.BUILD_INFO, (__version__, str(RULES)), 1
        yield c.REBALANCES, (), view.assignments
        yield c.LEFT_BEHIND, (), view.abandoned
        phases = dict.fromkeys(c.PHASES, 0)
        counted: dict[tuple[str, tuple[str, ...]], int] = {}
        for number, partition in view.owned.items():
            phase = str(partition.phase)
            if phase in phases:
                phases[phase] += 1
            yield from _partition(str(number), partition)
            engine, before = partition.engine, partition.counted_before
            if engine is None or before is None or phase not in DECIDING:
                continue
            yield from _engine(str(number), engine)
            for network in engine.core.networks.copy().values():
                yield from gauges(network, now_at)
            for key, count in totals(engine).items():
                name, labels = key
                if _NAMED[name].labels[:1] == ("partition",):
                    labels = (str(number), *labels)
                counted[name, labels] = counted.get((name, labels), 0) + count - before.get(key, 0)
        for (name, labels), count in counted.items():
            yield _NAMED[name], labels, count
        for phase, count in phases.items():
            yield c.PARTITIONS, (phase,), count

    def _histogram(self, metric: Metric, owned: Mapping[int, PartitionView]) -> Family:
        """Return the latencies of each partition. The buckets count; what is summed meanwhile comes a scrape later."""
        family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for number, partition in owned.items():
            latency = partition.latency
            sum_s, counts = latency.sum_s, list(latency.buckets)
            family.add_metric([str(number)], list(zip(self._bounds, accumulate(counts), strict=True)), sum_s)
        return family


def _partition(number: str, partition: PartitionView) -> Iterator[Reading]:
    """Yield how a partition is, whether or not it decides."""
    halted = partition.halted
    yield c.HALTED, (number, c.NOT_HALTED if halted is None else halted.reason), int(halted is not None)
    yield c.LAG, (number,), partition.behind
    yield c.INBOX, (number,), partition.inbox.records
    yield c.LOAD, (number,), partition.loaded_s


def _engine(number: str, engine: EngineView) -> Iterator[Reading]:
    """Yield how a partition's engine is."""
    yield c.APPLIED, (number,), engine.applied
    yield c.SNAPSHOT, (number,), engine.snapshot
    planned = sum(network.plan is not None for network in engine.core.networks.copy().values())
    yield c.NETWORKS, (number, "planned"), planned
    yield c.NETWORKS, (number, "unplanned"), len(engine.core.networks) - planned
    figures, snapshots = engine.figures, engine.snapshots
    yield c.RECORDS, (number,), figures.events
    yield c.REFOLDED, (number,), figures.refolded
    yield c.TRANSACTIONS, (number,), figures.transactions
    yield c.SEEKS, (number,), figures.seeks
    yield c.FETCHES_DROPPED, (number,), figures.dropped_batches
    yield c.SNAPSHOTS, (number,), snapshots.count
    yield c.SNAPSHOT_BYTES, (number,), snapshots.bytes
    yield c.SNAPSHOT_CPU, (number,), snapshots.seconds


def _family(metric: Metric, samples: list[tuple[tuple[str, ...], float]]) -> Family:
    """Return a metric with its samples."""
    make = GaugeMetricFamily if metric.kind is Kind.GAUGE else CounterMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
