"""Putting a plan in force: append it to its network's events, and watch what the worker makes of it.

Which plan is in force stands in the worker's own state, and so does, in the marker, up to which event all is decided.
A plan that the worker refuses becomes a dead letter in the same transaction that moves the marker past it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streams.cli import Refusal
from streams.core import RULES
from streams.core.events import ControlEvent, PlanApplied
from streams.core.plan import Plan
from streams.kafka.events import event_encode, framing
from streams.kafka.publisher import Publisher
from streams.kafka.reader import Reader
from streams.kafka.topics import CALL_EVENTS, DEAD_LETTERS, STATE
from streams.plans import COMPILED_BYTES_MAX
from streams.settings import Settings
from streams.wire import dead_letters, state
from streams.wire.contract import CONTRACT
from streams.wire.framing import read_frame
from streams.wire.partition import partition_of
from streams.wire.records import record
from streams.wire.refusals import Refused

LOOK_EVERY_S: Final = 0.2
"""How often the state is read while the outcome is awaited."""

STORED_S: Final = 5
"""How long the storing of a plan in force is awaited besides: several times what a snapshot takes."""


@dataclass(frozen=True, slots=True)
class Change:
    """A plan to be put in force: by whom, whether really, and how long to wait for the outcome."""

    plan: Plan
    who: str | None
    dry_run: bool
    wait_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. ``replaced`` is the version that was in force before, None if there was none."""

    done: bool
    sentence: str
    replaced: str | None
    partition: int
    offset: int | None


class Place:
    """One network's partition: where its topics end, and what the worker's state says of the network.

    ``applied`` is the offset of the last event decided (-1: none). ``plan`` is the one in force as last stored, which is
    what the events up to ``stored`` left.
    """

    def __init__(self, settings: Settings, network: str) -> None:
        """Find the partition and read the state."""
        self._settings = settings
        with Reader(settings, settings.topic(CALL_EVENTS)) as reader:
            self.number = partition_of(network.encode(), len(reader.ends))
            self._events_end = reader.ends[self.number]
        with Reader(settings, settings.topic(DEAD_LETTERS), partitions=(self.number,)) as reader:
            self._letters_end = reader.ends[self.number]
        self._keys = (state.MARKER_KEY, state.plan_key(network))
        self._state_end: int | None = None
        self.plan: Plan | None = None
        self.applied = self.stored = -1
        self.look()

    def look(self) -> None:
        """Read what was written to the state since the last look."""
        for _, key, value in self._records(STATE, self._state_end):
            if key is None or value is None or key not in self._keys:
                continue
            found = state.read(key, value)
            if isinstance(found, state.Marker):
                self.applied, self.stored = found.applied, found.snapshot
            elif isinstance(found, state.PlanRecord):
                self.plan = found.plan

    def offset_of(self, sent: bytes) -> int:
        """Return where the events hold a value that was appended after this place was opened."""
        for offset, _, value in self._records(CALL_EVENTS, self._events_end):
            if value == sent:
                return offset
        raise Refusal("the plan was sent, but is not among the events: do the topic's settings keep records at all?")

    def refusal_of(self, offset: int) -> str | None:
        """Return why the worker refused the event at an offset, None if it did not."""
        for _, _, value in self._records(DEAD_LETTERS, self._letters_end):
            if value is not None:
                letter = dead_letters.read(value[read_frame(value).size :])
                if letter.offset == offset:
                    return letter.text
        return None

    def _records(self, kind: str, start: int | None) -> Iterator[tuple[int, bytes | None, bytes | None]]:
        """Read the partition of a topic from an offset to its end: offset, key and value."""
        starts = None if start is None else {self.number: start}
        with Reader(self._settings, self._settings.topic(kind), partitions=(self.number,), starts=starts) as reader:
            if kind == STATE:
                self._state_end = reader.ends[self.number]
            for run in reader:
                yield from zip(run.batch.offsets, run.batch.keys, run.batch.values, strict=True)


def plan_in_force(settings: Settings, network: str) -> Plan | None:
    """Return the plan that the worker last stored for a network, None if it has none. Raises KafkaTrouble."""
    return Place(settings, network).plan


def put_in_force(settings: Settings, change: Change) -> Outcome:
    """Append a plan to the events of its network, in place of the one in force, and wait for what becomes of it.

    Raises:
        KafkaTrouble: the brokers or the registry do not let it.
        Refusal: the worker would not accept the plan.
    """
    plan = change.plan
    place = Place(settings, plan.network)
    before = None if place.plan is None else place.plan.version
    if before == plan.version:
        return Outcome(True, f"plan {before} is in force already; nothing was sent", before, place.number, None)
    event = ControlEvent(plan.network, time.time_ns() // 1_000, PlanApplied(plan, RULES, before, who=change.who))
    encode = event_encode(framing(settings))
    sent = encode(event)[1]
    refuse_unacceptable(sent)
    if change.dry_run:
        instead = "no plan" if before is None else f"plan {before}"
        text = f"plan {plan.version} ({len(sent)} bytes) would take the place of {instead}; nothing was sent"
        return Outcome(True, text, before, place.number, None)
    with Publisher(settings, encode, topic=settings.topic(CALL_EVENTS), linger_ms=0) as publisher:
        publisher.send(event, partition=place.number)
    return _outcome(place, change, before, place.offset_of(sent))


def refuse_unacceptable(sent: bytes) -> None:
    """Refuse an event that the worker would refuse, before it is sent."""
    body = sent[read_frame(sent).size :]
    if len(body) > COMPILED_BYTES_MAX:
        raise Refusal(
            f"the compiled plan has {len(body)} bytes, and a plan has {COMPILED_BYTES_MAX} at most: "
            "a shorter --horizon-days, or fewer windows, make it smaller"
        )
    try:
        record(CONTRACT.newest("ControlEvent")).read(body)
    except Refused as refused:
        raise Refusal(f"the worker would not accept this plan: {refused.text}") from None


def _outcome(place: Place, change: Change, before: str | None, offset: int) -> Outcome:
    """Wait until the worker has decided the event at an offset."""
    version = change.plan.version
    where = f"partition {place.number}, offset {offset}"
    until = time.monotonic() + change.wait_s
    while place.applied < offset:
        if time.monotonic() > until:
            text = (
                f"plan {version} was sent ({where}), but no worker has decided on it within {change.wait_s:g} s: "
                f"is one running? `tropplein plan show --network {change.plan.network}` tells later"
            )
            return Outcome(False, text, before, place.number, offset)
        time.sleep(LOOK_EVERY_S)
        place.look()
    refusal = place.refusal_of(offset)
    if refusal is not None:
        return Outcome(False, f"plan {version} was refused ({where}): {refusal}", before, place.number, offset)
    # It is in force. Until it is stored too, the next change would be compared with the plan before it.
    until = min(until, time.monotonic() + STORED_S)
    while place.stored < offset and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        place.look()
    return Outcome(True, f"plan {version} is in force from {where}", before, place.number, offset)
