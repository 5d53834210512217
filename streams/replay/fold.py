"""What the topics must hold: the input, folded event by event.

This says in its own few lines what the worker's engine does with transactions, snapshots and recovery around it; it
shares nothing with it but the core and the wire.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.core.events import CallEvent, ControlEvent
from streams.core.partition import Partition, Refused
from streams.wire.decode import Decoder
from streams.wire.framing import FramingWriter
from streams.wire.ledger import ALL_OUTPUTS, Ledger, Message
from streams.wire.log import Batch
from streams.wire.refusals import Refusal


class Fold:
    """One partition's input, folded from its beginning.

    ``ids`` is the table of registry ids the worker stored; an id that is not in it raises `SchemaIdUnknown`.
    """

    def __init__(
        self,
        partition: int,
        partitions: int,
        *,
        ids: Mapping[int, int],
        framing: FramingWriter,
        outputs: frozenset[str] = ALL_OUTPUTS,
        calls_max: int = 400_000,
    ) -> None:
        self.core = Partition(calls_max)
        self.ledger = Ledger(partition, framing, kinds=outputs)
        self.events = 0
        self._decoder = Decoder(partition, partitions, ids)

    def feed(self, batch: Batch) -> list[Message]:
        """Apply the next records and return everything they give, in order."""
        messages: list[Message] = []
        for offset, at, key, value, event in zip(*batch, self._decoder.decode(batch), strict=True):
            messages += self._one(offset, at, key, value, event)
        self.events += len(batch.offsets)
        return messages

    def _one(
        self, offset: int, at: int, key: bytes | None, value: bytes | None, event: CallEvent | ControlEvent | Refusal
    ) -> list[Message]:
        if isinstance(event, Refusal):
            return [self.ledger.dead_letter(offset, at, key, value, event)]
        try:
            outputs = self.core.apply(event, at)
        except Refused as refused:
            refusal = Refusal(refused.reason, refused.text, sealed=False)
            return [self.ledger.dead_letter(offset, at, key, value, refusal)]
        if event.network is not None and value is not None:
            self.ledger.accept(event.network, value)
        return self.ledger.write(offset, outputs) if outputs else []

    def site_states(self, offset: int) -> list[Message]:
        """Return the state of every site and partner after what was fed, as of an offset."""
        states = (network.site_state(name) for network in self.core.networks.values() for name in network.targets)
        return [self.ledger.site_state(state, offset) for state in states if state is not None]
