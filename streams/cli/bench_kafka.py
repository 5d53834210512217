"""`tropplein bench` on a Kafka: how fast a worker drains a log, and how long a decision takes at a steady rate."""

import dataclasses
import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from streams.cli import Refusal, bench_load
from streams.cli.bench_load import Answer
from streams.cli.bench_worker import Worker
from streams.core.events import CallEvent, Event
from streams.kafka import topics
from streams.kafka.events import event_publisher
from streams.kafka.publisher import Publisher
from streams.kafka.reader import Reader, Run
from streams.kafka.registry import Translations
from streams.settings import Settings
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of

SILENCE_S: Final = 60
"""A worker that writes nothing for so long is not measured any further."""

WARM_UP_S: Final = 3
"""Seconds of steady load whose latencies are not counted."""

STEP_S: Final = 0.001
"""A steady rate is sent in steps of this length."""

LINGER_MS: Final = 1
"""How long the sender of a steady rate waits for company: a gateway does not wait."""


class Load(NamedTuple):
    """How much is sent: networks, events and the seed they are drawn from."""

    networks: int
    events: int
    seed: int


class Drain(NamedTuple):
    """One drain: events by second and by CPU second of the worker, its memory (MB), and what was wrong."""

    events_per_s: float
    events_per_cpu_s: float
    peak_mb: float
    faults: list[str]


class Latency(NamedTuple):
    """Latencies of one run in milliseconds, ascending; the rate really sent; and what was wrong.

    ``appended``: by the broker's clock, offer appended to decision appended. ``arrived``: by this machine's, offer
    handed to its client to decision in the hands of a reader that does not wait for commits.
    """

    appended: list[float]
    arrived: list[float]
    rate: float
    faults: list[str]


@contextmanager
def topic_set(settings: Settings) -> Iterator[Settings]:
    """Make topics of this measurement's own, and delete them."""
    prefix = f"{settings.prefix}bench-{os.getpid()}-{time.monotonic_ns()}."
    own = dataclasses.replace(settings, prefix=prefix, app=prefix.rstrip("."))
    topics.create(own)
    try:
        yield own
    finally:
        topics.delete(own)


def drain(settings: Settings, file: str | None, load: Load) -> Drain:
    """Fill a log, then start a worker and measure it from its first to its last appended decision."""
    calls = bench_load.events(load.networks, load.events, seed=load.seed)
    expected = bench_load.recount(calls)
    with event_publisher(settings) as publisher:
        for plan in bench_load.plans(load.networks, clock="events"):
            publisher.send(plan)
        for event in calls:
            publisher.send(event)
    with Worker(settings, file) as worker, _following(settings, worker) as runs:
        counted = at_first = 0
        began = ended = cpu_began = cpu_ended = 0.0
        for run in runs:
            ended, cpu_ended = time.monotonic(), worker.cpu_s()
            counted += len(run.batch.offsets)
            if not at_first:
                # What was decided before anybody could see it is not in the time, so it is not in the count either.
                at_first, began, cpu_began = counted, ended, cpu_ended
            if counted >= len(expected):
                break
        if counted < len(expected):
            raise worker.refusal(f"{counted} of {len(expected)} decisions were written")
        peak_mb = worker.peak_mb()
    done = len(calls) * (counted - at_first) / len(expected)
    if not done or cpu_ended == cpu_began:
        raise Refusal(f"{load.events} events are decided before anything can be measured: say more --events")
    found = bench_load.faults(expected, _answers(settings))
    return Drain(done / (ended - began), done / (cpu_ended - cpu_began), peak_mb, found)


def latency(settings: Settings, file: str | None, load: Load, rate: int) -> Latency:
    """Send events at a steady rate to a running worker, and measure every decision once it is warm."""
    calls = bench_load.events(load.networks, load.events, seed=load.seed)
    expected = bench_load.recount(calls)
    sent: dict[str, float] = {}
    arrived: dict[str, float] = {}
    appended: dict[str, tuple[int, int, int]] = {}
    ids = Translations(settings)
    with event_publisher(settings, linger_ms=LINGER_MS) as publisher, Worker(settings, file) as worker:
        for plan in bench_load.plans(load.networks, clock="live"):
            publisher.send(plan)
        _wake(settings, publisher, worker)
        sender = threading.Thread(target=_send, args=(publisher, calls, rate, sent), daemon=True)
        with _following(settings, worker) as runs:
            sender.start()
            for run in runs:
                now = time.time()
                for at, value in zip(run.batch.appended_at, run.batch.values, strict=True):
                    fields = read_fields(value or b"", ids)[1]
                    if fields["call_id"] in expected:
                        arrived.setdefault(fields["call_id"], now)
                        appended.setdefault(fields["call_id"], (fields["partition"], fields["offset"], at))
                if len(arrived) == len(expected):
                    break
            sender.join(SILENCE_S)
            if len(arrived) < len(expected):
                raise worker.refusal(f"{len(arrived)} of {len(expected)} decisions were written")
    offered = _append_times(settings)
    warm = min(sent.values()) + WARM_UP_S
    measured = [call for call, at in sent.items() if at >= warm]
    if not measured:
        raise Refusal(f"{load.events} events are over before the worker is warm: say more --seconds")
    return Latency(
        sorted((appended[call][2] - offered[appended[call][:2]]) / 1000 for call in measured),
        sorted((arrived[call] - sent[call]) * 1000 for call in measured),
        len(calls) * (len(sent) - 1) / len(sent) / (max(sent.values()) - min(sent.values())),
        bench_load.faults(expected, _answers(settings)),
    )


def quantile(ascending: list[float], share: float) -> float:
    """Return the value that a share of all values does not exceed."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def _send(publisher: Publisher[Event], calls: list[CallEvent], rate: int, sent: dict[str, float]) -> None:
    """Send events at a steady rate, each as happening now; note when each question was handed over."""
    began = time.time()
    for number, event in enumerate(calls):
        due = began + number / rate
        now = time.time()
        if now < due:
            time.sleep(max(due - now, STEP_S))
            now = time.time()
        if event.asks:
            sent[event.call_id] = now
        publisher.send(event._replace(occurred_at=int(now * 1_000_000)))
    publisher.flush()


def _wake(settings: Settings, publisher: Publisher[Event], worker: Worker) -> None:
    """Wait until the worker decides in every partition: ask one question of a network without a plan in each."""
    asked: dict[int, CallEvent] = {}
    for number in itertools.count():
        name = f"warm-{number}"
        at = int(time.time() * 1_000_000)
        asked.setdefault(
            partition_of(name.encode(), settings.partitions),
            CallEvent(name, "site", f"pbx/{name}", "OFFERED", at, "pbx", asks=True),
        )
        if len(asked) == settings.partitions:
            break
    for event in asked.values():
        publisher.send(event)
    publisher.flush()
    answered = 0
    with _following(settings, worker) as runs:
        for run in runs:
            answered += len(run.batch.offsets)
            if answered == len(asked):
                return
    raise worker.refusal(f"{answered} of {len(asked)} partitions decide")


@contextmanager
def _following(settings: Settings, worker: Worker) -> Iterator[Iterator[Run]]:
    """Read decisions as they are appended; the iteration ends when the worker has ended or writes no more."""
    over = threading.Event()
    heard = [time.monotonic()]
    with Reader(settings, settings.topic(topics.DECISIONS), follow=True, committed=False) as reader:

        def watch() -> None:
            while not over.wait(1):
                if worker.ended or time.monotonic() - heard[0] > SILENCE_S:
                    reader.stop()

        def runs() -> Iterator[Run]:
            for run in reader:
                heard[0] = time.monotonic()
                yield run

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield runs()
        finally:
            over.set()
            watching.join()


def _answers(settings: Settings) -> Iterator[tuple[str, Answer]]:
    """Yield what the committed decisions say of the calls that were drawn."""
    ids = Translations(settings)
    with Reader(settings, settings.topic(topics.DECISIONS)) as reader:
        for run in reader:
            for value in run.batch.values:
                fields = read_fields(value or b"", ids)[1]
                if not fields["network"].startswith("warm-"):
                    yield fields["call_id"], (fields["verdict"], fields["in_progress"])


def _append_times(settings: Settings) -> dict[tuple[int, int], int]:
    """Return when each event was appended, by partition and offset."""
    with Reader(settings, settings.topic(topics.CALL_EVENTS)) as reader:
        return {
            (run.partition, offset): at
            for run in reader
            for offset, at in zip(run.batch.offsets, run.batch.appended_at, strict=True)
        }
