"""One owned partition's thread: it opens, feeds, closes, and sorts whatever ends its engine."""

import threading
import time

import pytest

from streams.worker import partition as module
from streams.worker.log import Fenced, InDoubt, Unavailable
from streams.worker.partition import OwnedPartition, Phase
from streams.worker.ticks import Ticker
from tests.worker.calls import random_log
from tests.worker.memory_log import Broker, MemoryLog
from tests.worker.one_engine import engine_over, fetched
from tests.worker.test_engine_crashes import assert_published


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", (0.01,))
    monkeypatch.setattr(module, "IDLE_S", 0.02)


class World:
    """A broker with a random log, and what a partition over it asked for."""

    def __init__(self, root):
        self.records, end = random_log(root, 1, holes=False)
        self.broker = Broker(self.records, end)
        self.ended, self.resumed, self.made = [], [], []
        self.spoil = lambda log: None

    def make_engine(self):
        log, engine = engine_over(self.broker, transaction_s=0.01)
        self.spoil(log)
        self.made.append(log)
        return engine

    def partition(self):
        return OwnedPartition(
            0,
            7,
            make_engine=self.make_engine,
            resume=lambda: self.resumed.append(True),
            ticker=Ticker(lambda: None),
            end=self.ended.append,
        )


@pytest.fixture
def world(root):
    return World(root)


def wait(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_it_applies_what_is_put_into_its_inbox_and_commits_with_its_last_breath(world):
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.RUNNING)
    partition.inbox.put(fetched(world.records)._replace(generation=7))
    wait(lambda: partition.engine.position == world.broker.end)
    partition.close_soon()
    assert partition.wait_closed(10) and partition.phase is Phase.CLOSED and not world.ended
    assert_published(world.broker, world.records)


def test_a_run_of_another_generation_never_reaches_the_engine(world):
    partition = world.partition()
    partition.start()
    partition.inbox.put(fetched(world.records)._replace(generation=6))
    partition.inbox.put(fetched(world.records[:5])._replace(generation=7))
    wait(lambda: partition.engine is not None and partition.engine.position == 5)
    partition.close_soon()
    assert partition.wait_closed(10)
    assert partition.engine.figures.events == 5 and partition.engine.figures.dropped_batches == 0


def test_while_the_brokers_are_away_it_tries_again(world):
    tries = iter(range(100))

    def spoil(log):
        if next(tries) < 3:
            log.open = lambda: (_ for _ in ()).throw(Unavailable("away"))

    world.spoil = spoil
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.RUNNING)
    assert len(world.made) == 4
    partition.close_soon()
    assert partition.wait_closed(10) and not world.ended


def test_closing_while_it_still_tries_to_open_ends_it(world):
    world.spoil = lambda log: setattr(log, "open", lambda: (_ for _ in ()).throw(Unavailable("away")))
    partition = world.partition()
    partition.start()
    partition.close_soon()
    assert partition.wait_closed(10) and partition.phase is Phase.CLOSED and not world.ended


def test_halted_it_says_why_and_takes_nothing_more_and_the_process_goes_on(world):
    world.broker.partitions = 2
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.HALTED)
    assert partition.halted.reason == "PARTITION_COUNT" and not world.ended
    wait(lambda: not partition.inbox.put(fetched(world.records)))


def test_halted_in_the_middle_it_leaves_nothing_half_done(world):
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.RUNNING)
    partition.engine.core.apply = lambda *_: 1 / 0
    partition.inbox.put(fetched(world.records)._replace(generation=7))
    wait(lambda: partition.phase is Phase.HALTED)
    assert partition.halted.reason == "FAILED" and world.broker.committed("decisions") == []


@pytest.mark.parametrize("error", [InDoubt("unknown"), Fenced("taken over")])
def test_in_doubt_or_fenced_while_it_is_ours_ends_the_process(world, error):
    def fail():
        raise error

    world.spoil = lambda log: setattr(log, "commit", fail)
    partition = world.partition()
    partition.start()
    partition.inbox.put(fetched(world.records)._replace(generation=7))
    wait(lambda: world.ended)
    assert "partition 0" in world.ended[0] and str(error) in world.ended[0]


def test_fenced_while_it_is_being_given_back_is_normal(world):
    """The group takes a partition away before, or a moment after, its new owner fences us."""
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.RUNNING)
    MemoryLog(world.broker).open()
    threading.Timer(0.01, partition.close_soon).start()
    partition.inbox.put(fetched(world.records)._replace(generation=7))
    wait(lambda: partition.phase is Phase.CLOSED)
    assert not world.ended


def test_an_unexpected_error_ends_the_process_rather_than_leave_a_partition_dead(world):
    partition = world.partition()
    partition.start()
    wait(lambda: partition.phase is Phase.RUNNING)
    partition.engine.turn = lambda now: 1 / 0
    wait(lambda: world.ended)
    assert "partition 0 failed" in world.ended[0]


def test_decisions_are_counted_in_the_latency_buckets(world):
    partition = world.partition()
    partition.start()
    partition.inbox.put(fetched(world.records)._replace(generation=7))
    wait(lambda: partition.latency.count > 0)
    assert (
        sum(partition.latency.buckets) == partition.latency.count == partition.engine.ledger.counts["decisions"].count
    )
    partition.close_soon()
    assert partition.wait_closed(10)
