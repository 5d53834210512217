"""What a new owner does before the first event: read the state, prove that the outputs end where the marker says.

Everything here either returns a whole partition or raises `Halted` with the sentence that names the repair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.core import RULES
from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.core.partition import Partition
from streams.core.plan import Plan
from streams.core.state import CallState, HeadState
from streams.wire import state
from streams.wire.ledger import Count, HashState, Ledger
from streams.wire.refusals import Refusal
from streams.worker.log import CALL_RECORDS, DEAD_LETTERS, DECISIONS, Bounds, Halted, Log

COUNTED = (DECISIONS, CALL_RECORDS, DEAD_LETTERS)
"""The outputs whose every record is numbered."""


@dataclass
class Loaded:
    """A partition as its state topic holds it. ``marker`` None: it never had an owner."""

    marker: state.Marker | None = None
    heads: dict[str, tuple[HeadState, HashState]] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    buckets: dict[str, dict[int, tuple[CallState, ...]]] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)
    keys: dict[bytes, None] = field(default_factory=dict)
    records: int = 0


def load(log: Log, number: int) -> Loaded:
    """Read the whole state partition; the last record of a key counts, null deletes it."""
    newest: dict[bytes, bytes] = {}
    loaded = Loaded()
    for key, value in log.read_state():
        loaded.records += 1
        if value is None:
            newest.pop(key, None)
        else:
            newest[key] = value
    loaded.keys = dict.fromkeys(newest)
    try:
        for key, value in sorted(newest.items()):
            _enter(loaded, state.read(key, value))
    except Exception as error:
        raise Halted(
            "STATE_UNREADABLE",
            f"the state of partition {number} cannot be read ({error}): run the version that wrote it, or rebuild it "
            f"with `tropplein state rebuild --partition {number}`",
        ) from error
    return loaded


def _enter(loaded: Loaded, record: state.StateRecord) -> None:
    """Put one decoded record in its place."""
    match record:
        case state.Marker():
            loaded.marker = record
        case state.Head(head, hashes):
            loaded.heads[head.network] = (head, hashes)
        case state.PlanRecord(network, plan):
            loaded.plans[network] = plan
        case state.Bucket(network, index, calls):
            loaded.buckets.setdefault(network, {})[index] = calls
        case state.SchemaId(schema_id, fingerprint):
            loaded.ids[schema_id] = fingerprint


def check_marker(marker: state.Marker, bounds: Bounds, number: int) -> None:
    """Halt unless this code, on this input, can go on from the marker."""
    rebuild = f"`tropplein state rebuild --partition {number}`"
    if marker.rules_max > RULES or marker.state_format > state.STATE_FORMAT:
        raise Halted(
            "RULES_UNKNOWN",
            f"partition {number} was written with rules {marker.rules_max} and state format {marker.state_format}, "
            f"this version knows {RULES} and {state.STATE_FORMAT}: run the newer version ({marker.writer} wrote it)",
        )
    if marker.partitions != bounds.partitions:
        raise Halted(
            "PARTITION_COUNT",
            f"the state of partition {number} is of a set of {marker.partitions} partitions, call-events has "
            f"{bounds.partitions}: the number is fixed for the life of a topic set; go on under another prefix",
        )
    if marker.input_topic_id != bounds.topic_id:
        raise Halted(
            "INPUT_REPLACED",
            f"call-events was deleted and created anew since partition {number} was decided: go on under another "
            f"prefix, or restore the topic and run {rebuild}",
        )
    if bounds.start > marker.snapshot + 1:
        raise Halted(
            "INPUT_MISSING",
            f"call-events-{number} begins at {bounds.start} but is needed from {marker.snapshot + 1} on: retention "
            f"removed what was not yet applied; restore it, or accept the loss with {rebuild}",
        )
    if bounds.end <= marker.applied:
        raise Halted(
            "INPUT_MISSING",
            f"call-events-{number} ends at {bounds.end} but was decided up to {marker.applied}: the brokers lost "
            f"records; restore them, or go on with what is left with {rebuild}",
        )


def check_first(log: Log, bounds: Bounds, number: int) -> list[str]:
    """Halt when outputs exist although there is no marker: the state was lost, and they would be made twice."""
    for kind in COUNTED:
        if log.read_tail(kind) is not None:
            raise Halted(
                "STATE_LOST",
                f"{kind}-{number} holds records but the state of partition {number} is gone: rebuild it with "
                f"`tropplein state rebuild --partition {number}`",
            )
    if bounds.start > 0:
        return [f"call-events-{number} begins at {bounds.start}: what was before is not counted"]
    return []


def check_input(bounds: Bounds, position: int, number: int) -> None:
    """Halt when the input no longer holds what comes next."""
    if bounds.start > position:
        raise Halted(
            "INPUT_MISSING",
            f"call-events-{number} begins at {bounds.start} but is needed from {position} on: retention removed what "
            f"was not yet applied; restore it, or accept the loss with `tropplein state rebuild --partition {number}`",
        )


def check_clock(partition: Partition, events: Sequence[CallEvent | ControlEvent | Refusal], number: int) -> None:
    """Halt before an event of a live network is applied whose time was not given by the broker."""
    live = {name for name, each in partition.networks.items() if each.plan is not None and each.live_clock}
    for event in events:
        if isinstance(event, Refusal) or event.network is None:
            continue
        if isinstance(event, ControlEvent) and isinstance(event.body, PlanApplied):
            (live.add if event.body.plan.clock == "LIVE" else live.discard)(event.network)
        if event.network in live:
            raise Halted(
                "CREATE_TIME",
                f"call-events-{number} carries its producers' clocks and network {event.network} is live: set "
                "message.timestamp.type=LogAppendTime on the topic (`tropplein topics check`), or let the plan say "
                "clock: events",
            )


def check_tails(log: Log, marker: state.Marker, number: int) -> list[str]:
    """Halt when an output does not end with the record the marker says was its last; return what is worth saying."""
    notes = []
    for kind in COUNTED:
        expected = marker.outputs.get(kind)
        value = log.read_tail(kind)
        if value is None:
            if expected is not None and expected.count:
                notes.append(
                    f"{kind}-{number} is empty after {expected.count} records: retention, as far as one can tell"
                )
            continue
        found = state.source_of(kind, value)
        if expected is None or (expected.count, expected.offset, expected.index) != (
            found.count,
            found.offset,
            found.index,
        ):
            wanted = "none" if expected is None else f"record {expected.count} of event {expected.offset}"
            raise Halted(
                "TORN",
                f"{kind}-{number} ends with record {found.count} of event {found.offset}, the marker says {wanted}: a "
                f"transaction was torn; run `tropplein state rebuild --partition {number}`",
            )
    return notes


def restore(loaded: Loaded, partition: Partition, ledger: Ledger, number: int) -> None:
    """Fill a partition and its ledger as they were at the marker's snapshot."""
    counts: Mapping[str, Count] = loaded.marker.outputs_at_snapshot if loaded.marker is not None else {}
    try:
        for name, (head, hashes) in loaded.heads.items():
            calls = [call for bucket in loaded.buckets.get(name, {}).values() for call in bucket]
            partition.restore(head, loaded.plans.get(name), calls)
            ledger.restore_hashes(name, hashes)
        ledger.restore_counts(counts)
    except Exception as error:
        raise Halted(
            "STATE_UNREADABLE",
            f"the state of partition {number} cannot be restored ({error}): rebuild it with "
            f"`tropplein state rebuild --partition {number}`",
        ) from error
