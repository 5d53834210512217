"""When a partition's Tick is appended."""

from itertools import pairwise
from types import SimpleNamespace

import pytest

from streams.worker.ticks import Ticker


class Clocks:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def ticker(clocks, sent):
    return Ticker(lambda: sent.append(clocks.now), wall=clocks, monotonic=clocks)


def engine(wake_at_s, waiting=None):
    wake_at = None if wake_at_s is None else int(wake_at_s * 1e6)
    return SimpleNamespace(core=SimpleNamespace(wake_at=lambda: wake_at), waiting=waiting)


def test_a_tick_is_sent_once_the_wish_has_passed_and_not_before(ticker, clocks, sent):
    ticker.look(engine(1_001.0), behind=0)
    assert sent == []
    clocks.now = 1_001.0
    ticker.look(engine(1_001.0), behind=0)
    assert sent == [1_001.0]


def test_no_tick_is_sent_while_events_wait_or_nobody_wants_one(ticker, sent):
    ticker.look(engine(10.0), behind=1)
    ticker.look(engine(None), behind=0)
    ticker.look(engine(10.0, waiting="for the registry"), behind=0)
    assert sent == []


def test_ticks_keep_a_distance_and_a_new_wish_is_served_a_second_later(ticker, clocks, sent):
    ticker.look(engine(10.0), behind=0)
    ticker.look(engine(11.0), behind=0)
    clocks.now += 1.0
    ticker.look(engine(11.0), behind=0)
    assert sent == [1_000.0, 1_001.0]


def test_while_the_brokers_clock_is_behind_ours_the_pause_doubles_up_to_a_minute(ticker, clocks, sent):
    for _ in range(3_000):
        ticker.look(engine(10.0), behind=0)
        clocks.now += 0.1
    pauses = [round(after - before) for before, after in pairwise(sent)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 32] and set(pauses[6:]) == {60}
