"""Sending events to the log: idempotent, in order, with a bounded queue, into the partition Java's clients would take.

How an event becomes a key and a value is handed in, so that this file knows no contract.
"""

import time
from collections.abc import Callable
from typing import Final, Generic, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.kafka.clients import Trouble, partitions, producer_config
from streams.settings import Settings

_E = TypeVar("_E")

Encode = Callable[[_E], tuple[bytes | None, bytes]]
"""From an event its record's key (the network; None for a partition's Tick) and value."""

DELIVERY_S: Final = 60
"""A record that the brokers have not taken for so long is reported as not delivered."""


class Publisher(Generic[_E]):
    """Sends events to one topic; a context manager that flushes at its end.

    ``delivered`` counts the records that the brokers have confirmed. The first record that could not be delivered
    is raised by the next `send`, `flush` or `close`, as a KafkaTrouble, and nothing is sent any more: what follows a
    gap would be out of order.
    """

    def __init__(
        self,
        settings: Settings,
        encode: Encode[_E],
        *,
        topic: str,
        linger_ms: int = 5,
        delivery_s: float = DELIVERY_S,
    ) -> None:
        """Open a publisher for the topic with this full name; raises KafkaTrouble when it cannot be reached.

        ``linger_ms`` is how long records wait for company, ``delivery_s`` how long the brokers may take.
        """
        self.topic = topic
        self.delivered = 0
        self._encode = encode
        self._trouble = Trouble(settings)
        self._failed: KafkaError | None = None
        config = producer_config(settings, self._trouble, linger_ms=linger_ms)
        self._delivery_s = delivery_s
        self._producer = Producer(config | {"delivery.timeout.ms": int(delivery_s * 1000)})
        # A topic that is missing would otherwise show as a time-out of every record.
        self.partitions = partitions(self._producer, self._trouble, topic)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            # What is queued would only hold up the error that is on its way.
            self._producer.purge()
            self._producer.flush(1)

    def send(self, event: _E, *, partition: int = -1, appended_at: int | None = None) -> None:
        """Queue one event; waits while the queue is full.

        ``partition``: -1 takes the key's own. ``appended_at`` (microseconds) is what the record's time should be; a
        topic with LogAppendTime puts the broker's in its place.
        """
        self._raise_failed()
        key, value = self._encode(event)
        stamp = 0 if appended_at is None else appended_at // 1000
        until = time.monotonic() + self._delivery_s
        while True:
            try:
                self._producer.produce(
                    self.topic, value, key, partition, on_delivery=self._on_delivery, timestamp=stamp
                )
            except BufferError:
                # Bounded on purpose: a source that is faster than the brokers waits here.
                self._producer.poll(0.05)
                self._raise_failed()
                if self._trouble.final or time.monotonic() > until:
                    raise self._trouble.error(f"sending to {self.topic}") from None
            except KafkaException as error:
                raise self._trouble.error(f"sending to {self.topic}", error.args[0]) from None
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until everything sent is confirmed; raises KafkaTrouble where it cannot be."""
        until = time.monotonic() + self._delivery_s + 5
        while self._producer.flush(0.5) and self._failed is None and time.monotonic() < until:
            if self._trouble.final:
                # A refused login or certificate is not cured by waiting for the delivery's own time-out.
                raise self._trouble.error(f"sending to {self.topic}")
        self._raise_failed()
        if len(self._producer):
            raise self._trouble.error(f"sending to {self.topic}")

    def close(self) -> None:
        """Flush; the publisher is not used afterwards."""
        self.flush()

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif self._failed is None:
            self._failed = error

    def _raise_failed(self) -> None:
        if self._failed is not None:
            raise self._trouble.error(f"sending to {self.topic}", self._failed)
