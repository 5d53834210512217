"""One owned partition: a thread that opens its engine, feeds it from the inbox, and gives it back.

A thread per partition, so that no partition's load or commit holds up another's events. Whatever ends the engine is
sorted here: no longer the owner (normal: forget it), in doubt (the process must end), or halted (this partition stays
where it is and says why; all others go on).
"""

from __future__ import annotations

import bisect
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from streams.metrics.networks import totals
from streams.metrics.views import Totals
from streams.worker.engine import Engine
from streams.worker.inbox import Inbox
from streams.worker.log import Fenced, Fetched, Halted, InDoubt, Unavailable
from streams.worker.ticks import Ticker

log = logging.getLogger(__name__)

IDLE_S: Final = 0.5
"""How often an idle partition looks around: for its ticks, and whether it is to close."""
RETRY_S: Final = (0.5, 1.0, 2.0, 5.0)
"""Pauses between two tries to open while the brokers do not answer; the last one repeats."""
LATENCY_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Phase(StrEnum):
    """Where a partition is in its life with this worker."""

    LOADING = "loading"
    RUNNING = "running"
    WAITING = "waiting"
    HALTED = "halted"
    CLOSED = "closed"


@dataclass(slots=True)
class Latency:
    """Seconds from an offer's append to its decision's hand-over to the client: counts per bucket, sum, count."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BUCKETS_S) + 1))
    sum_s: float = 0.0
    count: int = 0

    def observe(self, seconds: float, count: int) -> None:
        """Count ``count`` decisions that took as long."""
        self.buckets[bisect.bisect_left(LATENCY_BUCKETS_S, seconds)] += count
        self.sum_s += seconds * count
        self.count += count


class OwnedPartition:
    """One partition from assignment to revocation.

    ``engine`` may be read by metrics at any time; ``phase`` and ``halted`` say how it is. ``progress`` counts every
    sign of life (events applied, state records read, transactions), for the watchdog. ``counted_before`` is what the
    networks had counted when this worker began to decide for them, None before that.
    """

    def __init__(
        self,
        number: int,
        generation: int,
        *,
        make_engine: Callable[[], Engine],
        resume: Callable[[], None],
        ticker: Ticker,
        end: Callable[[str], None],
    ) -> None:
        self.number = number
        self.generation = generation
        self.inbox = Inbox(resume)
        self.engine: Engine | None = None
        self.phase = Phase.LOADING
        self.halted: Halted | None = None
        self.highwater = 0
        self.loaded_s = 0.0
        self.latency = Latency()
        self.counted_before: Totals | None = None
        self._make_engine = make_engine
        self._ticker = ticker
        self._end = end
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"partition-{number}", daemon=True)

    def start(self) -> None:
        """Open the engine, in the partition's own thread."""
        self._thread.start()

    def close_soon(self) -> None:
        """Ask for the end: no more events, a last commit with a snapshot."""
        self._closing.set()
        self.inbox.wake()

    def wait_closed(self, timeout_s: float) -> bool:
        """Wait until the thread is done; False when it is not: the next owner's fencing makes that safe."""
        self._thread.join(timeout_s)
        self.inbox.shut()
        return not self._thread.is_alive()

    @property
    def progress(self) -> int:
        """A number that changes whenever anything at all was done."""
        engine = self.engine
        if engine is None:
            return 0
        return engine.position + engine.figures.transactions + engine.figures.state_records

    @property
    def behind(self) -> int:
        """Records of the input not yet applied, as far as the last fetch knows."""
        return 0 if self.engine is None else max(0, self.highwater - self.engine.position)

    def _run(self) -> None:
        try:
            engine = self._open()
            if engine is not None:
                self._serve(engine)
                self._close(engine)
        except Fenced as error:
            # Fenced while the group still says that we own it: somebody else uses our transactional ids.
            if not self._closing.is_set():
                self._closing.wait(IDLE_S * 4)
            if not self._closing.is_set():
                self._end(f"partition {self.number} was taken over while it is ours: {error}")
        except InDoubt as error:
            if not self._closing.is_set():
                self._end(f"partition {self.number} is in doubt: {error}")
        except Halted as halted:
            self._halt(halted)
        except Exception:
            log.exception("partition %d", self.number)
            self._end(f"partition {self.number} failed")
        finally:
            if self.phase is not Phase.HALTED:
                self.phase = Phase.CLOSED
            self.inbox.shut()

    def _open(self) -> Engine | None:
        """Open an engine; while the brokers do not answer, wait and try again with a new one."""
        began = time.monotonic()
        tries = 0
        while not self._closing.is_set():
            engine = None
            try:
                engine = self._make_engine()
                self.engine = engine
                engine.open()
            except Unavailable as error:
                if engine is not None:
                    engine.abandon()
                pause = RETRY_S[min(tries, len(RETRY_S) - 1)]
                tries += 1
                log.warning("partition %d waits for the brokers: %s", self.number, error)
                self._closing.wait(pause)
                continue
            except BaseException:
                if engine is not None:
                    engine.abandon()
                raise
            self.loaded_s = time.monotonic() - began
            self.phase = Phase.RUNNING
            for note in engine.notes:
                log.warning("%s", note)
            log.info(
                "partition %d opened: applied %d, snapshot %d, %d networks, %d state records, %.3f s",
                self.number,
                engine.applied,
                engine.snapshot,
                len(engine.core.networks),
                engine.figures.state_records,
                self.loaded_s,
            )
            return engine
        return None

    def _serve(self, engine: Engine) -> None:
        """Feed the engine until the end is asked for."""
        try:
            while not self._closing.is_set():
                if self.counted_before is None and not engine.refolding:
                    self.counted_before = totals(engine)
                now = time.monotonic()
                due_at = engine.due_at
                timeout = IDLE_S if due_at is None else min(IDLE_S, due_at - now)
                fetched = None
                if engine.waiting is None:
                    fetched = self.inbox.get(timeout)
                else:
                    self._closing.wait(max(0.01, timeout))
                if fetched is not None and fetched.generation == self.generation:
                    self._take(engine, fetched)
                engine.turn(time.monotonic())
                self._say_phase(engine)
                if fetched is None:
                    self._ticker.look(engine, behind=self.behind)
        except Halted:
            engine.abandon()
            raise

    def _take(self, engine: Engine, fetched: Fetched) -> None:
        engine.take(fetched, time.monotonic())
        oldest, decided = engine.figures.decided
        if decided and not engine.refolding:
            self.latency.observe(max(0.0, time.time() - oldest / 1e6), decided)

    def _say_phase(self, engine: Engine) -> None:
        phase = Phase.RUNNING if engine.waiting is None else Phase.WAITING
        if phase is not self.phase:
            self.phase = phase
            log.warning("partition %d %s", self.number, engine.waiting or "goes on")

    def _close(self, engine: Engine) -> None:
        try:
            engine.close(time.monotonic())
        except (Fenced, InDoubt) as error:
            # The next owner begins where the last commit ended: nothing is lost, it only applies a little again.
            log.warning("partition %d closed without its last commit: %s", self.number, error)

    def _halt(self, halted: Halted) -> None:
        self.phase = Phase.HALTED
        self.halted = halted
        log.error("partition %d is halted (%s): %s", self.number, halted.reason, halted.sentence)
