"""A small Kafka in memory, as far as one engine can see it: transactions, fencing, holes, and a crash at any step."""

import itertools
from dataclasses import dataclass, field

from streams.wire.log import Batch
from streams.worker.log import Bounds, Fenced, Fetched


class Crash(BaseException):
    """The process is gone; nobody catches this but the test."""


@dataclass
class Broker:
    """What survives a crash. `input` holds (offset, appended_at, key, value); offsets may have holes."""

    input: list
    end: int
    partitions: int = 1
    start: int = 0
    topic_id: str = "id-1"
    topics: dict = field(default_factory=dict)
    status: dict = field(default_factory=dict)
    epoch: int = 0
    transactions: object = field(default_factory=itertools.count)

    def committed(self, kind):
        """The messages a committed reader sees."""
        return [message for number, message in self.topics.get(kind, []) if self.status[number] == "committed"]

    def visible(self, kind):
        """The messages an uncommitted reader sees."""
        return [message for _, message in self.topics.get(kind, [])]


class MemoryLog:
    """One owner's view. `crash_at`: the step (counted from 0) at which the process dies; every call has two."""

    def __init__(self, broker, *, crash_at=None, generation=1):
        self.broker = broker
        self.crash_at = crash_at
        self.steps = 0
        self.generation = generation
        self.position = 0
        self.calls = []
        self._epoch = None
        self._number = None

    def _step(self, name):
        if self.crash_at is not None and self.steps >= self.crash_at:
            raise Crash(f"at step {self.steps}, {name}")
        self.steps += 1

    def _write(self, name):
        self._step(f"before {name}")
        self.calls.append(name)
        if self._epoch != self.broker.epoch:
            raise Fenced(f"epoch {self._epoch} of {self.broker.epoch}")

    def open(self):
        self._step("before open")
        self.broker.epoch += 1
        self._epoch = self.broker.epoch
        for number, status in self.broker.status.items():
            if status == "open":
                self.broker.status[number] = "aborted"
        self._step("after open")
        return self.bounds()

    def bounds(self):
        return Bounds(self.broker.topic_id, self.broker.partitions, self.broker.start, self.broker.end)

    def read_state(self):
        for message in self.broker.committed("state"):
            yield message.key, message.value

    def read_tail(self, kind):
        messages = self.broker.committed(kind)
        return messages[-1].value if messages else None

    def begin(self):
        self._write("begin")
        assert self._number is None, "a transaction is open"
        self._number = next(self.broker.transactions)
        self.broker.status[self._number] = "open"
        self._step("after begin")

    def produce(self, kind, messages):
        self._write(f"produce {kind}")
        assert self._number is not None, "no transaction is open"
        for message in messages:
            self.broker.topics.setdefault(kind, []).append((self._number, message))
        self._step(f"after produce {kind}")

    def poll(self):
        pass

    def commit(self):
        self._write("commit")
        self.broker.status[self._number] = "committed"
        self._number = None
        self._step("after commit")

    def seek(self, position):
        self.position = position

    def close(self):
        self._number = None

    def fetch(self, most):
        """The next run from the reader's position, at most `most` records; None at the end."""
        records = [record for record in self.broker.input if record[0] >= self.position][:most]
        position = self.position
        if not records:
            if position >= self.broker.end:
                return None
            self.position = self.broker.end
            return Fetched(self.generation, position, self.position, True, Batch([], [], [], []))
        following = [record[0] for record in self.broker.input if record[0] > records[-1][0]]
        # A fetch that reaches the end of what is there has passed the holes behind its last record too.
        self.position = records[-1][0] + 1 if following else self.broker.end
        return Fetched(self.generation, position, self.position, True, Batch(*map(list, zip(*records, strict=True))))
