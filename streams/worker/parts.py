"""What an engine is put together from, given the settings: its log on Kafka, the framing in force, the registry."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from functools import cached_property

from streams import __version__
from streams.core.events import ControlEvent, Tick
from streams.kafka.clients import KafkaTrouble
from streams.kafka.events import event_encode, framing
from streams.kafka.registry import Registry, RegistryDown
from streams.settings import Settings
from streams.wire.framing import FramingWriter
from streams.worker.engine import Engine
from streams.worker.log import Log, Unavailable
from streams.worker.rebuild import Rebuild
from streams.worker.transactions import InputTopic, TickSender, TransactionLog
from streams.worker.tuning import Tuning

log = logging.getLogger(__name__)


class Parts:
    """Makes logs and engines for one worker. Nothing is connected before it is first asked for.

    ``append_time_only`` False also takes producers' timestamps for live networks; ``topic`` answers for the input topic
    where the brokers cannot.
    """

    def __init__(self, settings: Settings, *, append_time_only: bool = True, topic: InputTopic | None = None) -> None:
        self.settings = settings
        self._append_time_only = append_time_only
        self._topic = topic
        self._registry = Registry(settings) if settings.registry_url else None
        self.ticks = TickSender(settings, self._tick)

    @cached_property
    def topic(self) -> InputTopic:
        """What the brokers say of the input."""
        return self._topic or InputTopic(self.settings)

    @cached_property
    def framing(self) -> FramingWriter:
        """The framing of everything written. Raises Unavailable while the registry does not tell our schemas' ids."""
        try:
            return framing(self.settings)
        except RegistryDown as error:
            raise Unavailable(f"the registry does not tell our schemas' ids: {error}") from None

    def ends(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return where input partitions end for a committed reader. Raises Unavailable."""
        return self.topic.ends(numbers)

    def log(self, number: int, seek: Callable[[int], None]) -> Log:
        """Return a partition's log; ``seek`` moves its input's reader."""
        return TransactionLog(self.settings, number, topic=self.topic, seek=seek)

    def engine(self, number: int, over: Log) -> Engine:
        """Return a partition's engine. Raises Unavailable as `framing`."""
        return Engine(over, self._tuning(number), framing=self.framing, ask=self._ask)

    def rebuild(self, number: int) -> Rebuild:
        """Return the rebuilding of a partition; whoever feeds it reads from the first event on. Raises as `framing`."""
        over = self.log(number, lambda _: None)
        return Rebuild(over, self._tuning(number), framing=self.framing, ask=self._ask)

    def _tuning(self, number: int) -> Tuning:
        settings = self.settings
        return Tuning(
            partition=number,
            partitions=settings.partitions,
            outputs=frozenset(settings.outputs),
            writer=f"tropplein {__version__} {socket.gethostname()}:{os.getpid()}",
            transaction_s=settings.transaction_ms / 1000,
            snapshot_s=settings.snapshot_s,
            calls_max=settings.calls_max,
            append_time_only=self._append_time_only,
        )

    def _tick(self) -> bytes:
        return event_encode(self.framing)(ControlEvent(None, None, Tick()))[1]

    def _ask(self, schema_id: int) -> int | None:
        """Return the fingerprint a schema id stands for, 0 where it is nobody's; None while the registry does not say."""
        if self._registry is None:
            return 0
        try:
            return self._registry.fingerprint(schema_id) or 0
        except (RegistryDown, KafkaTrouble) as error:
            # A login that it refuses holds up those who need the answer, and no other partition.
            log.warning("%s", error)
            return None
