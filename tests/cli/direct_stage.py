"""A stage without broker and worker: the core itself, one event at a time."""

from collections.abc import Sequence

from streams.cli.demo_show import Output
from streams.core.events import Event
from streams.core.partition import Partition


class DirectStage:
    """Applies each event at once; ``lose`` drops the outputs with these numbers."""

    def __init__(self, lose: Sequence[int] = ()) -> None:
        self._partition = Partition()
        self._outputs: list[Output] = []
        self._lose = set(lose)
        self._count = 0

    def hand(self, event: Event) -> None:
        for output in self._partition.apply(event, event.occurred_at or 0):
            self._count += 1
            if self._count not in self._lose:
                self._outputs.append(output)
        network = self._partition.networks[event.network or ""]
        for name in network.changed_sites():
            state = network.site_state(name)
            if state is not None:
                self._outputs.append(state)

    def listen(self) -> list[Output]:
        heard, self._outputs = self._outputs, []
        return heard
