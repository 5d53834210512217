"""The demo's stage: an in-process broker, one worker in a thread of its own, and ears on what it publishes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from streams.cli import Refusal
from streams.kafka.embedded import PARTITIONS, EmbeddedBroker
from streams.kafka.events import event_publisher
from streams.kafka.reader import Reader
from streams.kafka.topics import CALL_RECORDS, DEAD_LETTERS, DECISIONS, SITE_STATE
from streams.metrics.http import Pages
from streams.settings import Settings, SettingsError, load
from streams.wire.outputs import read_value
from streams.worker.transactions import InputTopic

if TYPE_CHECKING:
    from streams.cli.demo_show import Output
    from streams.core.events import Event
    from streams.worker.app import Worker

APP = "tropplein-demo"
STOP_S = 8.0


class EmbeddedStage:
    """Broker, worker and ears; a context manager. ``trouble`` is the sentence that says why the worker ended, if so."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.dead_letters = 0
        self._heard: deque[Output] = deque()
        self._stack = ExitStack()
        self._worker: _WorkerThread | None = None

    def __enter__(self) -> Self:
        try:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tropplein-demo-"))
            self._log = self._stack.enter_context(self._logging_to_file())
            broker = self._stack.enter_context(EmbeddedBroker())
            settings = broker.settings(_settings(folder))
            self._publisher = self._stack.enter_context(event_publisher(settings))
            for kind in (DECISIONS, CALL_RECORDS, SITE_STATE, DEAD_LETTERS):
                self._stack.callback(_Ear(settings, kind, self._take).stop)
            self._worker = _WorkerThread(settings, self._fail)
            self._stack.callback(self._worker.stop)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def ready(self) -> bool:
        """Whether the worker owns its partitions and decides."""
        worker = self._worker
        return worker is not None and worker.worker is not None and worker.worker.partitions.ready

    @property
    def metrics_url(self) -> str:
        """Where the worker's metrics are; empty as long as they are not."""
        return self._worker.metrics_url if self._worker is not None else ""

    def hand(self, event: Event) -> None:
        """Hand one event over."""
        self._publisher.send(event)

    def listen(self) -> Sequence[Output]:
        """Return what was published since the last call."""
        if self.trouble is not None:
            raise Refusal(f"the demo's worker ended: {self.trouble} (its log is {self._log})")
        return [self._heard.popleft() for _ in range(len(self._heard))]

    @contextlib.contextmanager
    def _logging_to_file(self) -> Iterator[Path]:
        """Let worker and clients log into a file, not across a picture; it is kept if there was trouble."""
        number, name = tempfile.mkstemp(prefix=f"{APP}-", suffix=".log")
        os.close(number)
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        handler = logging.FileHandler(name)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        try:
            yield Path(name)
        finally:
            root.handlers[:] = before
            root.setLevel(level)
            handler.close()
            if self.trouble is None:
                Path(name).unlink()

    def _take(self, kind: str, value: bytes | None) -> None:
        if kind == DEAD_LETTERS:
            self.dead_letters += 1
        elif value is not None:
            self._heard.append(read_value(value))

    def _fail(self, sentence: str) -> None:
        self.trouble = self.trouble or sentence


class _Ear:
    """A thread that hears one topic from its beginning."""

    def __init__(self, settings: Settings, kind: str, take: Callable[[str, bytes | None], None]) -> None:
        self._kind = kind
        self._take = take
        self._reader = Reader(settings, settings.topic(kind), follow=True)
        self._thread = threading.Thread(target=self._run, name=f"ear-{kind}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hear no more."""
        self._reader.stop()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        with self._reader as reader:
            for run in reader:
                for value in run.batch.values:
                    self._take(self._kind, value)


class _NamelessTopic(InputTopic):
    """The embedded broker describes no topics, and there is one worker: its topic is always the same one."""

    def describe(self) -> tuple[str, int]:
        """Return a name for the topic and its number of partitions."""
        return "embedded", PARTITIONS


class _WorkerThread:
    """The product's worker with an event loop of its own: the very application that `tropplein worker` runs."""

    def __init__(self, settings: Settings, fail: Callable[[str], None]) -> None:
        self.worker: Worker | None = None
        self.metrics_url = ""
        self._settings = settings
        self._fail = fail
        self._loop = asyncio.new_event_loop()
        self._asked_to_stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker with its last transaction committed."""
        with contextlib.suppress(RuntimeError):  # its loop is closed already: it ended by itself
            self._loop.call_soon_threadsafe(self._asked_to_stop.set)
        self._thread.join(STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except Exception as error:  # noqa: BLE001 -- whatever ends the worker ends the demo, with its sentence
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            self._loop.close()

    async def _live(self) -> None:
        from streams.worker.app import create

        topic = _NamelessTopic(self._settings)
        self.worker = worker = create(self._settings, append_time_only=False, topic=topic, end=self._fail)
        pages = _start_pages(self._settings, worker)
        self.metrics_url = f"{pages.url}/metrics"
        try:
            await worker.app.start()
            await worker.app.wait(self._asked_to_stop.wait())
            if worker.app.crashed:
                self._fail(f"it crashed: {worker.app.crash_reason}")
            await worker.app.stop()
        finally:
            pages.stop()


def _settings(folder: str) -> Settings:
    """Return the demo's own settings; where its metrics are is for the settings in force to say."""
    try:
        given = load()
    except SettingsError as error:
        raise Refusal(str(error)) from None
    return Settings(
        app=APP,
        data_dir=folder,
        metrics_host=given.metrics_host,
        metrics_port=given.metrics_port,
        metrics_token=given.metrics_token,
    )


def _start_pages(settings: Settings, worker: Worker) -> Pages:
    """Serve the worker's pages on the settings' port; where that is taken, on any free one."""
    from streams.worker.partition import LATENCY_BUCKETS_S

    pages = Pages(settings, worker.partitions, bounds=LATENCY_BUCKETS_S)
    try:
        pages.start()
    except OSError:
        pages = Pages(replace(settings, metrics_port=0), worker.partitions, bounds=LATENCY_BUCKETS_S)
        pages.start()
    return pages
