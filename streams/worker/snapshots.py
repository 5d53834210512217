"""How changed networks reach the state topic: copied at one position, encoded in slices, written in one transaction.

A snapshot is taken about once a second; less often when it is large, so that a worker's snapshots cost under 5 % of a
core and under 4 MB/s in all. Its parts are values, so the network may go on while they are encoded, a slice between two batches; only when
all are encoded are they handed to a transaction, together with the marker that names their position.

Once a day of a network's clock its snapshot is its whole state, and is written to the checkpoints as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from streams.core.network import Network
from streams.core.plan import DAY_US
from streams.core.state import Snapshot
from streams.wire import state
from streams.wire.ledger import Count, HashState, Ledger, Message

CPU_SHARE = 0.05
BYTES_PER_S = 4_000_000
CLOSE_CPU_S = 0.2
"""A closing engine leaves a snapshot that takes longer than this to the next owner, who applies some events again."""
SLICE_CALLS = 500
"""Calls encoded between two batches: some two milliseconds."""


class Written(NamedTuple):
    """A finished snapshot: its position (last offset covered), the outputs' counts there, and its records."""

    position: int
    counts: Mapping[str, Count]
    records: list[Message]
    checkpoints: list[Message]


class _Copy(NamedTuple):
    """One network as it was at the snapshot's position; ``day`` is given when it is to be a checkpoint."""

    name: str
    snapshot: Snapshot
    hashes: HashState
    day: int | None


class Snapshots:
    """The pace and the work of one partition's snapshots.

    ``count``, ``bytes`` and ``seconds`` add up finished ones; ``interval_s`` is the distance kept at the moment.
    ``share`` is this partition's part of the worker's allowance.
    """

    def __init__(self, ledger: Ledger, *, partition: int, every_s: float, cpu: Callable[[], float]) -> None:
        self._ledger = ledger
        self._partition = partition
        self._every_s = every_s
        self._cpu = cpu
        self._days: dict[str, int] = {}
        self._todo: deque[_Copy] = deque()
        self._work: Iterator[int] | None = None
        self._ready = Written(-1, {}, [], [])
        self._spent_s = 0.0
        self._started_at: float | None = None
        self.share = 1.0
        self.interval_s = every_s
        self.count = 0
        self.bytes = 0
        self.seconds = 0.0

    def restored(self, network: Network) -> None:
        """Note a network that was loaded: the checkpoint of its day is written already."""
        self._days[network.name] = network.clock // DAY_US

    @property
    def busy(self) -> bool:
        """Whether a snapshot is being encoded."""
        return self._work is not None

    @property
    def ready(self) -> bool:
        """Whether one is encoded and waits for a transaction."""
        return self._work is None and self._ready.position >= 0

    @property
    def cheap(self) -> bool:
        """Whether the last one took little enough to take another while a rebalance waits."""
        return self._spent_s <= CLOSE_CPU_S

    @property
    def due_at(self) -> float | None:
        """When it is time for the next one (monotonic seconds); None before the first commit."""
        return None if self._started_at is None else self._started_at + self.interval_s

    def due(self, now: float) -> bool:
        """Tell whether it is time for the next one."""
        if self._started_at is None:
            self._started_at = now  # what was just loaded needs none
        return self._work is None and now - self._started_at >= self.interval_s

    def start(self, networks: Mapping[str, Network], changed: Iterable[str], position: int, now: float) -> None:
        """Copy the changed networks as they are after ``position``."""
        before = self._cpu()
        for name in changed:
            network = networks[name]
            day = network.clock // DAY_US
            fresh = self._days.get(name) != day
            self._days[name] = day
            copy = network.snapshot(everything=fresh)
            self._todo.append(_Copy(name, copy, self._ledger.hashes(name), day if fresh else None))
        self._ready = Written(position, dict(self._ledger.counts), [], [])
        self._work = self._encode()
        self._started_at = now
        self._spent_s = self._cpu() - before

    def step(self, calls: int | None = SLICE_CALLS) -> None:
        """Encode about as many calls more; None: all that is left."""
        if self._work is None:
            return
        before = self._cpu()
        for encoded in self._work:
            if calls is not None:
                calls -= encoded
                if calls <= 0:
                    break
        else:
            self._work = None
        self._spent_s += self._cpu() - before

    def take(self) -> Written | None:
        """Return the finished snapshot, once; None while there is none."""
        if not self.ready:
            return None
        ready, self._ready = self._ready, Written(-1, {}, [], [])
        size = sum(len(message.value or b"") for messages in ready[2:] for message in messages)
        self.interval_s = max(self._every_s, self._spent_s / CPU_SHARE / self.share, size / BYTES_PER_S / self.share)
        self.count += 1
        self.bytes += size
        self.seconds += self._spent_s
        return ready

    def _encode(self) -> Iterator[int]:
        """Encode copy by copy, bucket by bucket; yield the calls done since the last yield (at least 1)."""
        records, checkpoints = self._ready.records, self._ready.checkpoints
        while self._todo:
            name, snapshot, hashes, day = self._todo.popleft()
            records.append(state.head(snapshot.head, hashes))
            if snapshot.plan is not None:
                records.append(state.plan(name, snapshot.plan))
            for index, calls in snapshot.buckets.items():
                records.append(state.bucket(name, index, calls))
                yield len(calls) + 1
            if day is not None:
                checkpoints += state.checkpoint(
                    snapshot, hashes, partition=self._partition, offset=self._ready.position
                )
            yield 1
