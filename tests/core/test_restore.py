"""A state that was stored, part by part, goes on byte for byte like the one that was never away."""

import json
import os
import subprocess
import sys
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core import hot
from streams.core.events import PlanApplied, Tick
from streams.core.partition import Partition, Refused
from tests.core.plans_of_tests import a_plan, a_site
from tests.core.random_logs import logs
from tests.core.story import Story

CALM = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Store:
    """What a compacted topic would hold of one network's snapshots."""

    def __init__(self):
        self.head = self.plan = None
        self.buckets = {}

    def put(self, snapshot):
        self.head = snapshot.head
        self.plan = snapshot.plan or self.plan
        for index, calls in snapshot.buckets.items():
            if calls:
                self.buckets[index] = calls
            else:
                self.buckets.pop(index, None)

    def restored(self):
        partition = Partition()
        if self.head is not None:
            partition.restore(self.head, self.plan, [call for calls in self.buckets.values() for call in calls])
        return partition


def step(partition, event, appended_at):
    """What a shell does with one event, and everything it can see of it."""
    try:
        outputs = repr(list(partition.apply(event, appended_at)))
    except Refused as refused:
        outputs = f"{refused.reason}: {refused.text}"
    network = partition.networks.get("n")
    if network is None:
        return outputs, None, None
    states = {name: network.site_state(name) for name in network.targets}
    return outputs, partition.wake_at(), (states, network.undecided(), partition.memory.known)


def everything(partition):
    network = partition.networks.get("n")
    return network and network.snapshot(everything=True)


@settings(CALM, max_examples=150)
@given(logs(), st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_a_restored_network_goes_on_as_the_one_it_was_stored_of(log, stored_at, restored_at):
    kept, moved, store = Partition(), Partition(), Store()
    for index, (event, appended_at) in enumerate(log):
        assert step(moved, event, appended_at) == step(kept, event, appended_at)
        if index in stored_at | restored_at and "n" in moved.networks:
            store.put(moved.networks["n"].snapshot())
        if index in restored_at:
            moved = store.restored()
    assert everything(moved) == everything(kept)


@settings(CALM, max_examples=60)
@given(logs())
def test_a_refused_event_leaves_the_network_as_it_was(log):
    partition = Partition()
    for event, appended_at in log:
        before = everything(partition)
        try:
            partition.apply(event, appended_at)
        except Refused:
            assert everything(partition) == before


@settings(CALM, max_examples=100)
@given(logs())
def test_the_short_way_of_the_commonest_question_changes_nothing(log):
    short, long = Partition(), Partition()
    for event, appended_at in log:
        found = step(short, event, appended_at)
        with patch.object(hot, "admit", lambda *_: None):
            assert step(long, event, appended_at) == found
    assert everything(short) == everything(long)


@settings(CALM, max_examples=60)
@given(logs())
def test_a_word_said_twice_at_once_changes_nothing_the_second_time(log):
    """Under a plan: without one, or for a call there is no room to remember, a repeat is answered again."""
    partition = Partition()
    for event, appended_at in log:
        try:
            partition.apply(event, appended_at)
        except Refused:
            continue
        network = partition.networks.get("n")
        if network is None or (getattr(event, "call_id", None) or "c") not in network.calls:
            continue
        before = [state._replace(claimed_at=None, seen_at=0, due_at=0) for state in calls_of(network)]
        assert list(partition.apply(event, appended_at)) == []
        assert [state._replace(claimed_at=None, seen_at=0, due_at=0) for state in calls_of(network)] == before


def calls_of(network):
    return [call for calls in network.snapshot(everything=True).buckets.values() for call in calls]


def test_buckets_are_cut_as_calls_come_and_only_those_that_changed_are_written():
    story = Story(a_plan(a_site(limit=None)))
    network = story.network
    for number in range(2100):
        story.call(f"c{number} asks")
    whole = network.snapshot()
    assert whole.head.bucket_bits == 6 and len(whole.buckets) == 64
    assert whole.plan is not None
    assert sum(map(len, whole.buckets.values())) == 2100
    assert network.snapshot().buckets == {}
    story.call("c17 ended")
    story.call("c18 ended")
    part = network.snapshot()
    assert part.plan is None
    assert 1 <= len(part.buckets) <= 2
    assert {call.phase for calls in part.buckets.values() for call in calls if call.call_id in {"c17", "c18"}} == {
        "ENDED"
    }


def test_a_forgotten_call_leaves_an_empty_bucket():
    story = Story(a_plan())
    story.call("c1 offered")
    story.call("c1 ended")
    store = Store()
    store.put(story.network.snapshot())
    assert sum(map(len, store.buckets.values())) == 1
    story.tell("07:00:00 ! tick all ->")
    story.call("c2 ended")
    store.put(story.network.snapshot())
    assert [call.call_id for calls in store.buckets.values() for call in calls] == ["c2"]


def test_a_network_without_plan_is_restored_too():
    story = Story()
    story.tell("09:00:00 c1 asks -> BLOCK NO_PLAN")
    store = Store()
    store.put(story.network.snapshot())
    again = Story(partition=store.restored())
    again.tell("09:00:01 c1 asks ->\n +0 c1 ended -> record BLOCKED")


def test_a_suspect_stays_suspect_over_a_restore_and_is_released_at_its_hard_limit():
    story = Story(a_plan())
    story.tell(
        "09:00:00 c1 asks -> ADMIT S ROOM\n 09:00:00 c2 offered ->\n 09:05:00 ! tick all ->\n +0 ? S S? -> S=1 S?=1"
    )
    store = Store()
    store.put(story.network.snapshot())
    again = Story(partition=store.restored())
    again.tell(
        """
        09:05:00 ? S S? undecided  -> S=1 S?=1 undecided=1
        10:05:00 ! tick all        -> record ABANDONED_WAITING estimated; record ABANDONED_WAITING UNKNOWN estimated
        10:05:00 ? S S? undecided  -> S=0 S?=0 undecided=0
        """
    )


def test_after_a_restore_every_site_is_changed_once():
    story = Story(a_plan())
    story.call("c1 asks")
    assert set(story.network.changed_sites()) == {"S", "P"}
    assert story.network.changed_sites() == []
    store = Store()
    store.put(story.network.snapshot())
    network = store.restored().networks["n"]
    assert set(network.changed_sites()) == {"S", "P"}
    assert network.changed_sites() == []
    assert network.site_state("S") == story.network.site_state("S")


TOLD = """
import hashlib, json, sys
from tests.core.test_restore import fingerprint
print(fingerprint())
"""


def fingerprint():
    """The outputs and the state of a fixed log, as text."""
    import random

    lots = random.Random(5)
    story = Story(a_plan(a_site(limit=3), trunks={"t2": 9}, campaigns={"k": 5}))
    for _ in range(400):
        story.moment += lots.randrange(9) * 1_000_000
        call = f"c{lots.randrange(40)}"
        story.call(
            f"{call} {lots.choice(['asks', 'asks', 'offered', 'answered target=P', 'ended', 'ringing'])} trunk=t2 campaign=k"
        )
    story.control(Tick(), network=None)
    story.control(PlanApplied(a_plan(version="v2"), 1, "v1"))
    return json.dumps(
        [repr(story.outputs), repr(story.network.snapshot(everything=True)), story.network.changed_sites()]
    )


def test_the_seed_of_hashes_does_not_matter(root):
    found = {
        subprocess.run(
            [sys.executable, "-c", TOLD],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert found == {fingerprint() + "\n"}
