"""The watchdog ends a worker that stands still, and no other."""

from types import SimpleNamespace

import pytest

from streams.worker.log import Unavailable
from streams.worker.partition import Phase
from streams.worker.watchdog import Watchdog


@pytest.fixture
def world():
    class World:
        now = 0.0
        partition = SimpleNamespace(
            phase=Phase.RUNNING, progress=5, behind=10, highwater=0, engine=SimpleNamespace(position=90)
        )

    made = World()
    made.ended, made.ends = [], {3: 100}

    def ends(numbers):
        if made.ends is None:
            raise Unavailable("away")
        return made.ends

    made.dog = Watchdog(lambda: {3: made.partition}, ends, made.ended.append, clock=lambda: made.now)
    return made


def watch(world, seconds):
    for _ in range(seconds // 5):
        world.dog.look()
        world.now += 5


def test_standing_still_behind_the_end_of_the_log_ends_the_worker_after_thirty_seconds(world):
    watch(world, 30)
    assert world.ended == []
    watch(world, 5)
    assert len(world.ended) == 1 and "partition 3" in world.ended[0] and "100" in world.ended[0]
    assert world.partition.highwater == 100


def test_any_progress_starts_the_count_anew(world):
    watch(world, 25)
    world.partition.progress += 1
    watch(world, 30)
    assert world.ended == []


@pytest.mark.parametrize("phase", [Phase.LOADING, Phase.WAITING, Phase.HALTED])
def test_who_says_why_it_stands_is_left_alone(world, phase):
    world.partition.phase = phase
    watch(world, 120)
    assert world.ended == []


def test_having_nothing_to_do_is_no_standstill(world):
    world.partition.behind = 0
    watch(world, 120)
    assert world.ended == []


def test_brokers_that_are_away_are_no_standstill_and_start_the_count_anew(world):
    watch(world, 25)
    world.ends = None
    watch(world, 60)
    world.ends = {3: 100}
    watch(world, 30)
    assert world.ended == []


def test_a_partition_that_was_opened_anew_is_not_blamed_for_the_one_before(world):
    watch(world, 25)
    world.partition = SimpleNamespace(**vars(world.partition))
    watch(world, 30)
    assert world.ended == []
