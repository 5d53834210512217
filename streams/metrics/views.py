"""What a worker is to its metrics: the shape of what they read.

Partitions apply events in threads of their own while a scrape reads in another. So everything read here is a number, or
a dict that is copied whole before it is walked: `dict.copy` never lets another thread in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from streams.core.partition import Partition

Totals = Mapping[tuple[str, tuple[str, ...]], int]
"""Counts by a metric's name and its labels' values."""


class FiguresView(Protocol):
    """What an engine has counted since it was made."""

    @property
    def events(self) -> int:
        """Records applied."""
        ...

    @property
    def transactions(self) -> int:
        """Transactions committed."""
        ...

    @property
    def seeks(self) -> int:
        """Times the reader was moved."""
        ...

    @property
    def dropped_batches(self) -> int:
        """Fetched runs dropped."""
        ...

    @property
    def refolded(self) -> int:
        """Records applied again."""
        ...

    @property
    def dead_letters(self) -> dict[str, int]:
        """Refused records by reason."""
        ...


class SnapshotsView(Protocol):
    """What an engine's finished snapshots add up to."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def bytes(self) -> int:
        """Their bytes."""
        ...

    @property
    def seconds(self) -> float:
        """Their processor time."""
        ...


class LedgerView(Protocol):
    """What numbers the outputs."""

    @property
    def counts(self) -> dict[str, Any]:
        """By topic: how many outputs there are (``count``), and where the last one came from."""
        ...


class EngineView(Protocol):
    """One partition's engine."""

    @property
    def core(self) -> Partition:
        """Its networks."""
        ...

    @property
    def ledger(self) -> LedgerView:
        """Its outputs' numbers."""
        ...

    @property
    def figures(self) -> FiguresView:
        """Its own counts."""
        ...

    @property
    def snapshots(self) -> SnapshotsView:
        """Its snapshots."""
        ...

    @property
    def applied(self) -> int:
        """Last offset whose outputs are published."""
        ...

    @property
    def snapshot(self) -> int:
        """Last offset that the stored state covers."""
        ...


class LatencyView(Protocol):
    """Decisions by how long they took: one count per bucket, the last one for whatever took longer."""

    @property
    def buckets(self) -> Sequence[int]:
        """Counts, not cumulated."""
        ...

    @property
    def sum_s(self) -> float:
        """Seconds of all together."""
        ...


class InboxView(Protocol):
    """What was fetched and waits."""

    @property
    def records(self) -> int:
        """How many records."""
        ...


class HaltedView(Protocol):
    """Why a partition stands still."""

    @property
    def reason(self) -> str:
        """One word of a closed list."""
        ...


class PartitionView(Protocol):
    """One partition this worker owns."""

    @property
    def phase(self) -> str:
        """How it is: loading, running, waiting, halted or closed."""
        ...

    @property
    def halted(self) -> HaltedView | None:
        """Why it is halted, if it is."""
        ...

    @property
    def engine(self) -> EngineView | None:
        """Its engine, once there is one."""
        ...

    @property
    def counted_before(self) -> Totals | None:
        """What its networks had counted when this worker began to decide for them; None: it does not yet."""
        ...

    @property
    def behind(self) -> int:
        """Offsets not yet applied."""
        ...

    @property
    def loaded_s(self) -> float:
        """How long it took to load."""
        ...

    @property
    def inbox(self) -> InboxView:
        """What waits."""
        ...

    @property
    def latency(self) -> LatencyView:
        """How long its decisions took."""
        ...


class WorkerView(Protocol):
    """A worker: its partitions, and what it counted across assignments."""

    @property
    def owned(self) -> Mapping[int, PartitionView]:
        """The partitions by number; replaced as a whole, never changed."""
        ...

    @property
    def assignments(self) -> int:
        """Times that partitions were assigned."""
        ...

    @property
    def abandoned(self) -> int:
        """Partitions that did not close in time."""
        ...

    @property
    def ready(self) -> bool:
        """Whether partitions are owned and every one of them decides."""
        ...

    @property
    def troubles(self) -> Sequence[str]:
        """A sentence for each partition that does not."""
        ...
