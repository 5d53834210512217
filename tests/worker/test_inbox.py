"""The inbox between the fetching thread and a partition's own."""

from streams.wire.log import Batch
from streams.worker import inbox
from streams.worker.inbox import Inbox
from streams.worker.log import Fetched


def run(count, size=1):
    return Fetched(1, 0, count, True, Batch(list(range(count)), [0] * count, [b"k"] * count, [b"x" * size] * count))


def test_it_gives_runs_in_order_and_nothing_after_the_time_out():
    box = Inbox(lambda: None)
    assert box.put(run(1)) and box.put(run(2))
    assert [len(box.get(0).batch.offsets), len(box.get(0).batch.offsets), box.get(0)] == [1, 2, None]


def test_it_is_full_by_records_and_asks_for_more_when_half_empty(monkeypatch):
    monkeypatch.setattr(inbox, "RECORDS_MAX", 10)
    asked = []
    box = Inbox(lambda: asked.append(True))
    assert [box.put(run(3)) for _ in range(4)] == [True, True, True, False]
    box.get(0)
    box.get(0)
    assert not asked
    box.get(0)
    assert asked == [True] and box.put(run(1))


def test_it_is_full_by_bytes(monkeypatch):
    monkeypatch.setattr(inbox, "BYTES_MAX", 100)
    box = Inbox(lambda: None)
    assert box.put(run(1, 60)) and not box.put(run(1, 60))


def test_shut_it_takes_nothing_and_pauses_its_partition_for_good():
    asked = []
    box = Inbox(lambda: asked.append(True))
    box.put(run(1))
    box.shut()
    assert not box.put(run(1)) and box.get(0) is None and not asked


def test_a_waiting_reader_can_be_woken():
    box = Inbox(lambda: None)
    box.wake()
    assert box.get(10) is None
