"""The bounded queue between the thread that fetches and the thread that applies, one per owned partition."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue

from streams.worker.log import Fetched

RECORDS_MAX = 8_000
BYTES_MAX = 4_000_000
"""What may wait in one inbox before its partition is paused; one more fetch may still come in."""


class Inbox:
    """One writer, one reader. ``resume`` is called, from the reader's thread, when a full inbox is half empty again."""

    def __init__(self, resume: Callable[[], None]) -> None:
        self._queue: SimpleQueue[Fetched | None] = SimpleQueue()
        self._resume = resume
        self._put_records = self._put_bytes = self._got_records = self._got_bytes = 0
        self._full = False
        self._shut = False

    @property
    def records(self) -> int:
        """How many records wait."""
        return self._put_records - self._got_records

    @property
    def _bytes(self) -> int:
        return self._put_bytes - self._got_bytes

    def put(self, fetched: Fetched) -> bool:
        """Take a run; False when the partition is to be paused: the inbox is full, or was shut."""
        if self._shut:
            return False
        self._put_records += len(fetched.batch.offsets)
        self._put_bytes += _size(fetched)
        self._queue.put(fetched)
        if self.records >= RECORDS_MAX or self._bytes >= BYTES_MAX:
            self._full = True
        return not self._full

    def get(self, timeout_s: float) -> Fetched | None:
        """Return the next run; None after the time-out, or when woken."""
        try:
            fetched = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except Empty:
            return None
        if fetched is not None:
            self._got_records += len(fetched.batch.offsets)
            self._got_bytes += _size(fetched)
            if self._full and self.records <= RECORDS_MAX // 2 and self._bytes <= BYTES_MAX // 2:
                self._full = False
                self._resume()
        return fetched

    def wake(self) -> None:
        """Let a waiting reader look around."""
        self._queue.put(None)

    def shut(self) -> None:
        """Take nothing any more, and forget what waits."""
        self._shut = True
        while True:
            try:
                self._queue.get_nowait()
            except Empty:
                return


def _size(fetched: Fetched) -> int:
    return sum(map(len, filter(None, fetched.batch.values)))
