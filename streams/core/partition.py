"""The networks of one partition: one total order, one memory, one tick for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.control import Refused
from streams.core.events import CallEvent, ControlEvent, Tick
from streams.core.known import Memory
from streams.core.network import NOTHING, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.core.decisions import Output
    from streams.core.events import Event
    from streams.core.plan import Plan
    from streams.core.state import CallState, HeadState

__all__ = ["Partition", "Refused"]

CALLS_MAX = 400_000
"""Calls a partition remembers, part of the rules: what it decides depends on it."""


class Partition:
    """All networks whose log is one partition."""

    def __init__(self, calls_max: int = CALLS_MAX, *, records: bool = True) -> None:
        """Make an empty partition; without ``records`` no call record is made (nobody wants them)."""
        self.memory = Memory(calls_max, records=records)
        self.networks: dict[str, Network] = {}

    def apply(self, event: Event, appended_at: int) -> Sequence[Output]:
        """Take the next event of the partition and return what it causes, in order.

        Raises ``Refused`` for a control event that cannot take effect; nothing has changed then.
        """
        name = event.network
        network = self.networks.get(name) if name is not None else None
        if network is None:
            if name is None:
                return self._tick(event, appended_at)
            network = Network(name, self.memory)
            if type(event) is not CallEvent:
                outputs = network.apply(event, appended_at)
                self.networks[name] = network
                return outputs
            self.networks[name] = network
        return network.apply(event, appended_at)

    def restore(self, head: HeadState, plan: Plan | None, calls: Sequence[CallState]) -> Network:
        """Take in a stored network."""
        network = self.networks[head.network] = Network.restore(head, plan, calls, self.memory)
        return network

    def wake_at(self) -> int | None:
        """Return the earliest instant at which a tick would change a live network, None if there is none."""
        wanted = [at for network in self.networks.values() if (at := network.wake_at()) is not None]
        return min(wanted, default=None)

    def _tick(self, event: Event, appended_at: int) -> Sequence[Output]:
        """Let time pass in every live network that is due, in the order of their ids."""
        if not isinstance(event, ControlEvent) or not isinstance(event.body, Tick):
            raise Refused("NO_NETWORK", "a control event without network can only be a tick")
        outputs: list[Output] = []
        for name in sorted(self.networks):
            network = self.networks[name]
            due = network.wake_at()
            if due is not None and due <= appended_at:
                outputs += network.tick(appended_at)
        return outputs or NOTHING
