"""What a producer invents may not fill a network's state."""

from __future__ import annotations

from streams.core.decisions import Decision
from streams.core.events import CallEvent
from streams.core.known import SWITCHES_MAX
from streams.core.partition import Partition


def test_switches_beyond_the_bound_are_served_but_not_remembered() -> None:
    """Every call is taken, whatever name its switch gives itself; only so many names are kept."""
    partition = Partition()
    for number in range(SWITCHES_MAX + 5):
        event = CallEvent("n", "s", f"c{number}", "OFFERED", 1_000_000, f"sw{number}", asks=True, epoch=7)
        assert len(partition.apply(event, 1_000_000)) == 1
    network = partition.networks["n"]
    assert len(network.switches) == SWITCHES_MAX
    assert len(network.calls) == SWITCHES_MAX + 5


def test_a_decision_says_the_bounded_instant_not_what_a_wrong_clock_said() -> None:
    """A switch twenty years back asks: its decision stands at the earliest instant the broker's time allows."""
    appended_at = 1_700_000_000_000_000
    event = CallEvent("n", "s", "c", "OFFERED", appended_at - 20 * 365 * 86_400_000_000, "w", asks=True)
    (decision,) = Partition().apply(event, appended_at)
    assert isinstance(decision, Decision)
    assert decision.occurred_at == appended_at - 60_000_000


def test_no_bucket_outgrows_a_message_however_long_the_ids() -> None:
    """Calls with the longest ids are cut into more buckets than as many short ones; each stays small, none is lost."""
    partition = Partition()
    long = "x" * 200
    ids = [f"{number:05d}{long[5:]}" for number in range(15_000)]
    for call_id in ids:
        event = CallEvent("n", long, call_id, "OFFERED", 1_000_000, long, asks=True, trunk=long, caller=long)
        partition.apply(event, 1_000_000)
    snapshot = partition.networks["n"].snapshot(everything=False)
    assert snapshot.head.bucket_bits == 7
    for calls in snapshot.buckets.values():
        assert 4 * sum(len(value) for call in calls for value in call if isinstance(value, str)) < 900_000
    assert sorted(call.call_id for calls in snapshot.buckets.values() for call in calls) == ids
