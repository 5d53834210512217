"""`tropplein bench --core`: what an event costs in each pure part, without a broker and in this one process."""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from streams.cli import bench_load
from streams.cli.bench_load import Answer
from streams.core.decisions import Decision, Output
from streams.core.events import Event
from streams.core.partition import Partition
from streams.kafka.events import event_encode
from streams.wire.decode import Decoder
from streams.wire.framing import FramingWriter
from streams.wire.ledger import ALL_OUTPUTS, DECISIONS, Ledger
from streams.wire.log import Batch

BATCH: Final = 1_000
"""Records taken at a time, about what a busy worker fetches."""

WARM_UP: Final = 2 * BATCH
"""Records not counted: the first ones load libraries and fill caches."""

Costs = dict[str, float]
"""Microseconds of CPU per event, by part."""


class _Clock:
    """Adds up the CPU seconds of each part."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count what is done within for a part."""
        began = time.thread_time()
        yield
        self.spent[part] += time.thread_time() - began


def measure(networks: int, count: int, seed: int) -> tuple[Costs, list[str]]:
    """Fold the same events once, part by part; also return what a recount finds wrong."""
    calls = bench_load.events(networks, count, seed=seed)
    expected = bench_load.recount(calls)
    events: list[Event] = [*bench_load.plans(networks, clock="events"), *calls]
    encode = event_encode(FramingWriter())
    decoder = Decoder(0, 1, {})
    apply = Partition(calls_max=10_000_000).apply
    every, few = Ledger(0, FramingWriter(), kinds=ALL_OUTPUTS), Ledger(0, FramingWriter(), kinds={DECISIONS})
    clock = _Clock()
    given: list[tuple[str, Answer]] = []
    gc.collect()
    gc.freeze()  # the events stay; a worker has none of them to look through
    try:
        for first in range(0, len(events), BATCH):
            some = events[first : first + BATCH]
            with clock("encode the event"):
                records = [encode(event) for event in some]
            batch = _batch(first, records)
            with clock("decode"):
                decoded = decoder.decode(batch)
            if decoded != some:
                return {}, ["decoding gave other events than were encoded"]
            with clock("decide (core)"):
                outputs = [apply(event, event.occurred_at or 0) for event in some]
            with clock("number, hash and encode all outputs"):
                _write(every, some, batch, outputs)
            with clock("the same, decisions only"):
                _write(few, some, batch, outputs)
            if first < WARM_UP:
                clock.spent.clear()
            given += [
                (output.call_id, (output.verdict or "", output.in_progress))
                for of_one in outputs
                for output in of_one
                if isinstance(output, Decision)
            ]
    finally:
        gc.unfreeze()
    millions = max(len(events) - WARM_UP, 1) / 1_000_000
    return {part: spent / millions for part, spent in clock.spent.items()}, bench_load.faults(expected, given)


def _batch(first: int, records: list[tuple[bytes | None, bytes]]) -> Batch:
    """Return records as a log hands them over."""
    places = list(range(first, first + len(records)))
    return Batch(places, [0] * len(records), [key for key, _ in records], [value for _, value in records])


def _write(ledger: Ledger, events: list[Event], batch: Batch, outputs: list[Sequence[Output]]) -> None:
    """Do what the worker does with events and their outputs, but for sending them."""
    for offset, event, value, some in zip(batch.offsets, events, batch.values, outputs, strict=True):
        ledger.accept(event.network or "", value or b"")
        if some:
            ledger.write(offset, some)
