"""What a producer invents may not fill a network's state."""

from __future__ import annotations

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
