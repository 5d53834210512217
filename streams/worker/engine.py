"""The protocol that makes every decision exactly once: one partition's worth, synchronous, without I/O of its own.

    open    own the log (earlier owners are fenced), read the state, check that every output ends where the marker says
    take    one fetched run of events, in position: apply each, append what it gives to the outputs
    turn    what time asks: encode a slice of a snapshot, write withheld site states, commit
    close   commit what is applied with a snapshot, give the log back

A transaction holds outputs and the *marker*: `applied` (everything up to there is published) and `snapshot` (the state
topic holds everything up to there). A new owner restores `snapshot`, applies again up to `applied` with emission
suppressed, and must arrive at the very counts the marker holds. All numbers and hashes of outputs are the ledger's, all
behaviour is the core's; this file only decides what is written when. The clock is an argument (monotonic seconds).

Whoever drives an engine answers for: one caller at a time; `take` only while `waiting` is None; `turn` by `due_at`; and
after any exception the engine is dropped: `Halted` leaves the partition where it is, `Fenced` and `InDoubt` leave the
transaction to the next owner.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from contextlib import suppress

from streams.core import RULES
from streams.core.events import CallEvent, ControlEvent
from streams.core.partition import Partition, Refused
from streams.wire import state
from streams.wire.decode import Decoder, SchemaIdUnknown
from streams.wire.framing import FramingWriter
from streams.wire.ledger import DECISIONS, Ledger, Message, site_key
from streams.wire.log import Batch
from streams.wire.refusals import Refusal
from streams.worker import recovery
from streams.worker.log import CHECKPOINTS, SITE_STATE, STATE, Fetched, Halted, Log, Unavailable
from streams.worker.site_states import SiteStates
from streams.worker.snapshots import SLICE_CALLS, Snapshots
from streams.worker.tuning import Figures, Tuning

Decoded = CallEvent | ControlEvent | Refusal

RESEEK_S = 10.0
"""A seek that brought nothing for so long is repeated."""
ASK_AGAIN_S = 1.0
"""How often a registry that does not answer is asked again."""


class Engine:
    """One partition's engine.

    ``position`` is the next input offset wanted, ``applied`` the last one published, ``snapshot`` the last one the
    state topic covers; ``core`` is the partition's state machine. ``waiting`` says what it waits for, or None.
    """

    def __init__(self, log: Log, tuning: Tuning, *, framing: FramingWriter, ask: Callable[[int], int | None]) -> None:
        self.tuning = tuning
        self.core = Partition(tuning.calls_max)
        self.ledger = Ledger(tuning.partition, framing, kinds=tuning.outputs)
        self.figures = Figures()
        self.position = 0
        self.applied = -1
        self.snapshot = -1
        self.waiting: str | None = None
        self.notes: list[str] = []
        self._log = log
        self._ask = ask
        self._ids: dict[int, int] = {}
        self._decoder = Decoder(tuning.partition, tuning.partitions, self._ids)
        self._sites = SiteStates()
        self.snapshots = Snapshots(self.ledger, partition=tuning.partition, every_s=tuning.snapshot_s, cpu=tuning.cpu)
        self._topic_id = ""
        self._published: state.Marker | None = None  # while events the marker covers are applied again
        self._counts_at_snapshot = dict(self.ledger.counts)
        self._began_at: float | None = None
        self._sought_at: float | None = None
        self._ask_at = 0.0
        self._rest: Fetched | None = None
        self._touched: dict[str, None] = {}
        self._changed: dict[str, None] = {}

    @property
    def due_at(self) -> float | None:
        """When `turn` has something to do (monotonic seconds); None: not before the next events."""
        if self.snapshots.busy:
            return 0.0
        if self._rest is not None:
            return self._ask_at
        if self._began_at is not None:
            return self._began_at + self.tuning.transaction_s
        if self._owes_commit:
            return 0.0
        wanted = (self._sites.due_at, self.snapshots.due_at if self._changed else None)
        return min((at for at in wanted if at is not None), default=None)

    @property
    def _owes_commit(self) -> bool:
        """Whether something waits for a transaction that no event begins: site states after a load, a snapshot."""
        return self.snapshots.ready or (not self.refolding and bool(self._touched))

    @property
    def refolding(self) -> bool:
        """Whether events are applied again whose outputs are published already."""
        return self._published is not None

    def open(self) -> None:
        """Own the partition and load it. Raises Unavailable, Fenced, Halted."""
        number = self.tuning.partition
        bounds = self._log.open()
        self._topic_id = bounds.topic_id
        if bounds.partitions != self.tuning.partitions:
            raise Halted(
                "PARTITION_COUNT",
                f"call-events has {bounds.partitions} partitions, the settings say {self.tuning.partitions}: set "
                "partitions to what it has",
            )
        loaded = recovery.load(self._log, number)
        self.figures.state_records = loaded.records
        self._ids.update(loaded.ids)
        recovery.restore(loaded, self.core, self.ledger, number)
        self._counts_at_snapshot = dict(self.ledger.counts)
        for name, network in self.core.networks.items():
            self.snapshots.restored(network)
            self._touched[name] = None  # after a load every site state is written once
        marker = loaded.marker
        if marker is None:
            self.notes += recovery.check_first(self._log, bounds, number)
            self.position = bounds.start
            self.applied = self.snapshot = bounds.start - 1
            return
        recovery.check_marker(marker, bounds, number)
        self.notes += recovery.check_tails(self._log, marker, number)
        self.applied, self.snapshot = marker.applied, marker.snapshot
        self.position = marker.snapshot + 1
        if marker.applied > marker.snapshot:
            self._published = marker

    def take(self, fetched: Fetched, now: float) -> None:
        """Apply one fetched run, if it is the next one; else drop it and ask for the right place, once.

        Raises Fenced, InDoubt, Halted.
        """
        assert self._rest is None, "an engine that waits takes nothing"
        self.figures.decided = (0, 0)
        if not fetched.position <= self.position < fetched.next_position:
            self._realign(fetched, now)
            return
        self._sought_at = None
        batch = fetched.batch
        if fetched.position < self.position:
            batch = _from(batch, self.position)
        self._apply(fetched._replace(batch=batch), now)

    def turn(self, now: float) -> None:
        """Do what time asks. Raises Fenced, InDoubt, Halted."""
        if self._rest is not None and now >= self._ask_at:
            rest, self._rest, self.waiting = self._rest, None, None
            self._apply(rest, now)
        self.snapshots.step()
        if self._began_at is not None:
            if now >= self._began_at + self.tuning.transaction_s:
                self._commit(now)
            else:
                self._log.poll()
        elif (
            self._owes_commit
            or (self._sites.due_at is not None and now >= self._sites.due_at)
            # What the last event changed is kept although no other follows; a long way back to what is published, too:
            # owners that change quickly must not walk it for ever.
            or ((self._changed or (self.refolding and self._touched)) and self.snapshots.due(now))
        ):
            self._begin(now)
            self._commit(now)

    def close(self, now: float) -> None:
        """Commit what is applied, with a snapshot, and give the log back. Raises Fenced, InDoubt."""
        if self._began_at is not None or (self.snapshots.cheap and (self._changed or self._touched)):
            self._begin(now)
            self._commit(now, last=True)
        self._log.close()

    def abandon(self) -> None:
        """Give the log back without a commit."""
        self._log.close()

    def _realign(self, fetched: Fetched, now: float) -> None:
        """Drop what does not continue the log; seek once, and again only after a while without an answer."""
        self.figures.dropped_batches += 1
        if self._sought_at is not None and now - self._sought_at < RESEEK_S:
            return
        if self._sought_at is not None and fetched.position > self.position:
            with suppress(Unavailable):
                recovery.check_input(self._log.bounds(), self.position, self.tuning.partition)
        self.figures.seeks += 1
        self._sought_at = now
        self._log.seek(self.position)

    def _apply(self, fetched: Fetched, now: float) -> None:
        """Decode and apply; where a schema id is unknown, apply what stands before it and ask what it means."""
        batch = fetched.batch
        try:
            events = self._decoder.decode(batch) if batch.offsets else []
        except SchemaIdUnknown as unknown:
            if unknown.index:
                head, batch = _split(batch, unknown.index)
                self._apply(fetched._replace(batch=head, next_position=batch.offsets[0]), now)
            rest = fetched._replace(position=self.position, batch=batch)
            if self._learn(unknown.schema_id, now):
                self._apply(rest, now)
            else:
                self._rest = rest
            return
        if not fetched.append_time and self.tuning.append_time_only:
            recovery.check_clock(self.core, events, self.tuning.partition)
        published = self._published
        if published is None:
            self._publish(batch, events, now)
        elif fetched.next_position <= published.applied + 1:
            self._fold(batch, events)
        else:
            at = bisect_right(batch.offsets, published.applied)
            head, batch = _split(batch, at)
            self._fold(head, events[:at])
            self._arrived(published)
            self._publish(batch, events[at:], now)
        self.position = fetched.next_position
        self.figures.events += len(events)
        if self._published is None:
            self.applied = self.position - 1
        else:
            self.figures.refolded += len(events)
            if self.applied < self.position:
                self._arrived(self._published)

    def _publish(self, batch: Batch, events: list[Decoded], now: float) -> None:
        """Apply events and append what they give, inside a transaction."""
        self._begin(now)
        for kind, messages in self._fold(batch, events).items():
            self._log.produce(kind, messages)
        self._log.poll()

    def _fold(self, batch: Batch, events: list[Decoded]) -> dict[str, list[Message]]:
        """Apply events one by one; return the outputs by kind, in order."""
        apply, accept, write = self.core.apply, self.ledger.accept, self.ledger.write
        touched = self._touched
        out: dict[str, list[Message]] = {}
        oldest = decided = offset = 0
        try:
            for offset, at, key, value, event in zip(*batch[:4], events, strict=True):
                if type(event) is CallEvent:
                    outputs = apply(event, at)
                    network = event.network
                    accept(network, value)  # type: ignore[arg-type] # a call event was decoded from something
                    touched[network] = None
                    if not outputs:
                        continue
                    messages = write(offset, outputs)
                    if messages and messages[0].kind == DECISIONS:
                        oldest = oldest or at
                        decided += 1
                else:
                    messages = self._rare(offset, at, key, value, event)
                for message in messages:
                    if message.kind in out:
                        out[message.kind].append(message)
                    else:
                        out[message.kind] = [message]
        except Exception as error:
            # The state may be half changed, and applying the event again will fail again: only this partition stops.
            raise Halted(
                "FAILED",
                f"call-events-{self.tuning.partition} offset {offset} cannot be applied "
                f"({type(error).__name__}: {error}); this is a fault of the program: report it with this record, and "
                "go on with a version that mends it",
            ) from error
        before = self.figures.decided
        self.figures.decided = (before[0] or oldest, before[1] + decided)
        return out

    def _rare(self, offset: int, at: int, key: bytes | None, value: bytes | None, event: Decoded) -> list[Message]:
        """Apply what is no call event: a control event, or a record that is refused and becomes a dead letter."""
        if isinstance(event, Refusal):
            return [self._dead_letter(offset, at, key, value, event)]
        assert isinstance(event, ControlEvent)
        assert value is not None
        try:
            outputs = self.core.apply(event, at)
        except Refused as refused:
            return [self._dead_letter(offset, at, key, value, Refusal(refused.reason, refused.text, sealed=False))]
        if event.network is not None:
            self.ledger.accept(event.network, value)
            self._touched[event.network] = None
        else:
            # A partition's tick belongs to no network's log; those it moved have its time now.
            self._touched.update((name, None) for name, each in self.core.networks.items() if each.clock >= at)
        return self.ledger.write(offset, outputs) if outputs else []

    def _dead_letter(self, offset: int, at: int, key: bytes | None, value: bytes | None, refusal: Refusal) -> Message:
        self.figures.dead_letters[refusal.reason] = self.figures.dead_letters.get(refusal.reason, 0) + 1
        return self.ledger.dead_letter(offset, at, key, value, refusal)

    def _arrived(self, published: state.Marker) -> None:
        """Everything published has been applied again: the counts must be those the marker holds."""
        self._published = None
        if self.ledger.counts != published.outputs:
            raise Halted(
                "DIVERGED",
                f"applying call-events-{self.tuning.partition} again from {published.snapshot + 1} to "
                f"{published.applied} gave other outputs than were published: {self.ledger.counts} instead of "
                f"{published.outputs}; run the version that wrote them ({published.writer})",
            )

    def _learn(self, schema_id: int, now: float) -> bool:
        """Ask what a registry's id means and store the answer before it is used; False while nobody answers."""
        if self._began_at is not None:
            self._commit(now)  # no transaction stays open while a registry thinks
        fingerprint = self._ask(schema_id)
        if fingerprint is None:
            self.waiting = f"schema id {schema_id} is unknown and the registry does not answer"
            self._ask_at = now + ASK_AGAIN_S
            return False
        self._begin(now)
        self._ids[schema_id] = fingerprint
        self._log.produce(STATE, [state.schema_id(schema_id, fingerprint)])
        return True

    def _begin(self, now: float) -> None:
        if self._began_at is None:
            self._log.begin()
            self._began_at = now

    def _commit(self, now: float, *, last: bool = False) -> None:
        """End the transaction: site states, a snapshot if one is ready, the marker."""
        self._changed.update(self._touched)
        if not self.refolding:
            self._write_sites(now, last=last)
            self._touched.clear()
        if self._changed and (self.snapshots.cheap if last else self.snapshots.due(now)):
            self.snapshots.step(None)
            self._write_snapshot()  # a large one that was under way is finished first
            self.snapshots.start(self.core.networks, self._changed, self.position - 1, now)
            self._changed.clear()
            self.snapshots.step(None if last else SLICE_CALLS)
        self._write_snapshot()
        self._log.produce(STATE, [state.marker(self._marker())])
        self._log.commit()
        self._began_at = None
        self.figures.transactions += 1

    def _write_sites(self, now: float, *, last: bool) -> None:
        due = self._sites.collect(self.core.networks, self._touched, now, last=last)
        if due and SITE_STATE in self.tuning.outputs:
            messages = [
                Message(SITE_STATE, site_key(network, name), None)
                if site is None
                else self.ledger.site_state(site, self.applied)
                for network, name, site in due
            ]
            self._log.produce(SITE_STATE, messages)

    def _write_snapshot(self) -> None:
        """Put a finished snapshot into the transaction; the marker then names its position."""
        written = self.snapshots.take()
        if written is None:
            return
        self._log.produce(STATE, written.records)
        if written.checkpoints:
            self._log.produce(CHECKPOINTS, written.checkpoints)
        self.snapshot = written.position
        self._counts_at_snapshot = dict(written.counts)

    def _marker(self) -> state.Marker:
        return state.Marker(
            applied=self.applied,
            snapshot=self.snapshot,
            input_topic_id=self._topic_id,
            partitions=self.tuning.partitions,
            rules_max=RULES,
            state_format=state.STATE_FORMAT,
            writer=self.tuning.writer,
            outputs=dict(self.ledger.counts) if self._published is None else self._published.outputs,
            outputs_at_snapshot=self._counts_at_snapshot,
        )


def _split(batch: Batch, at: int) -> tuple[Batch, Batch]:
    """Cut a batch before its record number ``at``."""
    offsets, appended_at, keys, values = batch
    return Batch(offsets[:at], appended_at[:at], keys[:at], values[:at]), Batch(
        offsets[at:], appended_at[at:], keys[at:], values[at:]
    )


def _from(batch: Batch, position: int) -> Batch:
    """Return the records from an offset on."""
    return _split(batch, bisect_left(batch.offsets, position))[1]
