"""What an engine needs of the log, and how the log answers when it cannot.

One `Log` serves one input partition. A Kafka transaction spans everything that is produced between `begin` and `commit`;
whoever opened the partition's log last owns it, and an earlier owner's next call raises `Fenced`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from streams.wire.ledger import Message
from streams.wire.log import Batch

DECISIONS = "decisions"
CALL_RECORDS = "call-records"
SITE_STATE = "site-state"
DEAD_LETTERS = "dead-letters"
CHECKPOINTS = "checkpoints"
STATE = "state"


class Fenced(Exception):  # noqa: N818 -- it states what happened; for an engine that lost its partition it is no error
    """Another owner opened this partition's log."""


class InDoubt(Exception):  # noqa: N818 -- as Fenced
    """What was produced may or may not be committed. The engine is dropped, the process ends, a restart heals."""


class Unavailable(Exception):  # noqa: N818 -- as Fenced
    """The brokers do not answer, and nothing has been produced yet: wait and try again."""


class Halted(Exception):  # noqa: N818 -- as Fenced
    """This partition cannot go on until somebody repairs something; all others can.

    ``reason`` is one word for metrics, the text a sentence that names the repair.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class Fetched(NamedTuple):
    """One run of records as a fetch brought it.

    The fetch started at ``position`` and read up to, not including, ``next_position``: between them the log holds the
    batch's records and nothing else a committed reader may see. ``generation`` is the group's when it was fetched;
    ``append_time`` tells whether the broker stamped the records.
    """

    generation: int
    position: int
    next_position: int
    append_time: bool
    batch: Batch


class Bounds(NamedTuple):
    """The input partition: its topic's id and partition count, its first offset and the one after its last."""

    topic_id: str
    partitions: int
    start: int
    end: int


class Log(Protocol):
    """One input partition's transactional log."""

    def open(self) -> Bounds:
        """Take ownership: earlier owners are fenced and their open transactions ended. Raises Unavailable."""
        ...

    def bounds(self) -> Bounds:
        """Return the input partition as it is now. Raises Unavailable."""
        ...

    def read_state(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Yield key and value of every committed record of the state partition, in order."""
        ...

    def read_tail(self, kind: str) -> bytes | None:
        """Return the value of the last committed record of an output partition; None where it holds none."""
        ...

    def begin(self) -> None:
        """Begin a transaction."""
        ...

    def produce(self, kind: str, messages: Sequence[Message]) -> None:
        """Append messages to an output of this partition, inside the open transaction."""
        ...

    def poll(self) -> None:
        """Let the client work; raises what went wrong since the last call."""
        ...

    def commit(self) -> None:
        """Commit the open transaction; returns once it is durable."""
        ...

    def seek(self, position: int) -> None:
        """Ask for the input from ``position`` on. What was fetched before may still arrive."""
        ...

    def close(self) -> None:
        """Give everything back. An open transaction is left to the next owner, or to its time-out."""
        ...
