"""The Faust application: membership, assignment, timers and the committed offset are Faust's; the events go past it.

    faust -A streams.worker.app worker -l info      runs it as any Faust application
    tropplein worker                                the same, with the settings' metrics and health pages

Partitions come and go by Faust's callbacks; between them each has a thread of its own (`partition.py`) in which an
engine (`engine.py`) applies what the transport (`transport.py`) hands over. No agent stands on the hot path: an event
through Faust's streams costs some 300 microseconds and is acknowledged even when its agent failed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

# Before polars is imported: a worker has a thread per partition, and polars would add one per core to each.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# Polars panics on bytes that are no Avro, and is then not believed: no sender may fill the log with its backtraces.
os.environ["RUST_BACKTRACE"] = "0"

import faust
from faust.app.base import BootStrategy
from faust.auth import SASLCredentials, SSLCredentials

from streams import settings
from streams.kafka.clients import KafkaTrouble, reach, ssl_context
from streams.kafka.topics import CALL_EVENTS, KINDS
from streams.settings import Settings
from streams.worker.log import Unavailable
from streams.worker.partitions import Partitions
from streams.worker.parts import Parts
from streams.worker.transactions import InputTopic
from streams.worker.transport import BatchConsumer, BatchTransport
from streams.worker.watchdog import Watchdog

log = logging.getLogger(__name__)

EXIT_IN_DOUBT: Final = 70
"""The process's exit code when only a restart heals (EX_SOFTWARE)."""
REACH_PAUSE_MAX_S: Final = 15.0
GC_THRESHOLD: Final = (50_000, 20, 100)
SWITCH_S: Final = 0.001
"""How long a thread that comes back from the log may wait for one that computes; Python's 5 ms is felt in decisions."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's parts: the Faust application, its partitions and its watchdog."""

    app: faust.App
    partitions: Partitions
    watchdog: Watchdog


def create(
    conf: Settings,
    *,
    append_time_only: bool = True,
    topic: InputTopic | None = None,
    end: Callable[[str], None] | None = None,
) -> Worker:
    """Build a worker from settings; nothing is connected before the application starts.

    ``append_time_only`` False also takes producers' timestamps for live networks (the embedded broker has no others).
    ``topic`` answers for the input topic where the brokers cannot (the embedded broker does not describe its topics).
    ``end`` is called, from any thread, when only a restart heals; by default it ends the process with code 70.
    """
    end = end or _end_process
    parts = Parts(conf, append_time_only=append_time_only, topic=topic)
    partitions = Partitions(make_log=parts.log, make_engine=parts.engine, append_tick=parts.ticks.append, end=end)
    watchdog = Watchdog(lambda: partitions.owned, parts.ends, end)
    app = _faust_app(conf, parts)
    _attach(app, conf, partitions, watchdog)
    return Worker(app, partitions, watchdog)


class WithoutWeb(BootStrategy):
    """Faust's web server has no authentication, and its command line turns it on whatever the settings say."""

    enable_web = False


class Application(faust.App):
    """A Faust application that waits for brokers, or a registry, away when it starts; Faust's own would end."""

    BootStrategy = WithoutWeb
    reach: Callable[[], Any]

    async def on_start(self) -> None:
        """Wait until all answer; raises KafkaTrouble where waiting cannot help (a wrong password)."""
        # Live calls are many, long-lived and free of cycles: looking through them for cycles again and again costs a
        # tenth of the worker's time and finds nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)
        sys.setswitchinterval(SWITCH_S)
        pause_s = 1.0
        while not self.should_stop:
            try:
                await asyncio.to_thread(self.reach)
                break
            except (KafkaTrouble, Unavailable) as trouble:
                if isinstance(trouble, KafkaTrouble) and not trouble.retriable:
                    raise
                log.warning("waiting: %s", trouble)
            await self.sleep(pause_s)
            pause_s = min(pause_s * 2, REACH_PAUSE_MAX_S)
        await super().on_start()


def _faust_app(conf: Settings, parts: Parts) -> Application:
    """Return a Faust application with what Faust is used for, and everything else off."""
    folder = Path(conf.data_dir or tempfile.gettempdir()) / f"{conf.app}-faust"
    folder.mkdir(parents=True, exist_ok=True)
    app = Application(
        conf.app,
        broker=[f"kafka://{broker.strip()}" for broker in conf.brokers.split(",")],
        broker_credentials=_credentials(conf),
        broker_session_timeout=conf.session_timeout_s,
        broker_heartbeat_interval=conf.session_timeout_s / 6,
        broker_rebalance_timeout=max(10.0, conf.session_timeout_s),
        broker_request_timeout=max(12.0, conf.session_timeout_s * 2),
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
        store="memory://",
        datadir=folder,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    app.reach = lambda: _check(conf, parts)
    return app


def _check(conf: Settings, parts: Parts) -> None:
    """Raise what a worker has to wait for, or what somebody has to put right, before it can begin."""
    topics = reach(conf, timeout_s=5).topics
    for kind in KINDS:
        if conf.topic(kind) not in topics:
            raise KafkaTrouble(f"{conf.topic(kind)} does not exist: run `tropplein topics create`", retriable=True)
    _ = parts.framing


def _attach(app: faust.App, conf: Settings, partitions: Partitions, watchdog: Watchdog) -> None:
    """Connect the application's callbacks: this is all that Faust does for us."""
    name = conf.topic(CALL_EVENTS)
    transport = BatchTransport(app.conf.broker, app, app.loop)
    transport.inboxes, transport.topic = partitions, name
    app.transport = transport
    app.topics.add(app.topic(name, key_type=bytes, value_type=bytes, value_serializer="raw"))

    @app.on_partitions_assigned.connect
    async def assigned(*args: Any, **_: Any) -> None:
        numbers = [tp.partition for tp in args[1] if tp.topic == name]
        partitions.open(numbers, app.consumer_generation_id, cast("BatchConsumer", app.consumer))

    @app.on_partitions_revoked.connect
    async def revoked(*_: Any, **__: Any) -> None:
        await asyncio.to_thread(partitions.close)

    @app.service
    class Partitioned(faust.Service):
        """Starts the watchdog with the application, and gives the partitions back when it stops."""

        async def on_start(self) -> None:
            watchdog.start()

        async def on_stop(self) -> None:
            watchdog.stop()
            await asyncio.to_thread(partitions.close)

    async def say_troubles() -> None:
        for sentence in partitions.troubles:
            log.warning("%s", sentence)

    app.timer(interval=60.0)(say_troubles)


def _credentials(conf: Settings) -> Any:
    """Return how Faust's own clients log in; None without TLS and login."""
    if conf.sasl:
        return SASLCredentials(
            username=conf.sasl_username,
            password=conf.sasl_password.reveal(),
            mechanism=conf.sasl_mechanism,
            ssl_context=ssl_context(conf),
        )
    return SSLCredentials(context=ssl_context(conf)) if conf.tls else None


def run(worker: Worker, log_level: str) -> int:
    """Run a worker in the foreground until SIGTERM or Ctrl-C; return the process's exit code."""
    try:
        faust.Worker(worker.app, loglevel=log_level, redirect_stdouts=False).execute_from_commandline()
    except SystemExit as ended:
        # Faust ends with 0 although its application crashed; whoever supervises must know.
        return 1 if worker.app.crashed else int(ended.code or 0)


def _end_process(sentence: str) -> None:
    """End the process at once: whatever it had open is taken over or taken back by the brokers."""
    log.critical("%s; the worker ends, a restart heals", sentence)
    logging.shutdown()
    os._exit(EXIT_IN_DOUBT)


def __getattr__(name: str) -> Any:
    """Make `app` when somebody asks for it, from the settings in force: `faust -A streams.worker.app worker`."""
    if name == "app":
        return create(settings.load()).app
    raise AttributeError(name)
