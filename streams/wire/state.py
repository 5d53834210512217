"""The worker's own records: heads, plans, buckets of calls, the marker, schema ids; and checkpoints made of them.

All are framed with fingerprints, whether or not a registry is used: the worker reads them before it knows any id.
Keys are `n/<network>/h`, `n/<network>/b/<bucket>`, `p/<network>`, `s/<id>` and `m/marker`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final, NamedTuple

from fastavro import schemaless_reader

from streams.core.plan import Plan
from streams.core.state import CallState, HeadState, Snapshot
from streams.wire.contract import CONTRACT, Schema
from streams.wire.encoders import encoder
from streams.wire.framing import BadFraming, FramingWriter, read_frame
from streams.wire.ledger import CALL_RECORDS, DEAD_LETTERS, DECISIONS, Count, HashState, Message
from streams.wire.values import Reader

STATE_FORMAT: Final = 1
"""Version of what stored state means; a worker that knows only older ones leaves it alone."""
STATE: Final = "state"
CHECKPOINTS: Final = "checkpoints"
MARKER_KEY: Final = b"m/marker"


class StateError(Exception):
    """A stored record that is none of ours, or does not fit the others."""


@dataclass(frozen=True)
class Marker:
    """How far a partition is; the fields of StateMarker, where each is described."""

    applied: int
    snapshot: int
    input_topic_id: str
    partitions: int
    rules_max: int
    state_format: int
    writer: str
    outputs: Mapping[str, Count]
    outputs_at_snapshot: Mapping[str, Count]


class Head(NamedTuple):
    """A network's head and its running hashes."""

    head: HeadState
    hashes: HashState


class PlanRecord(NamedTuple):
    """A network's plan."""

    network: str
    plan: Plan


@dataclass(frozen=True)
class Bucket:
    """Some of a network's calls."""

    network: str
    index: int
    calls: tuple[CallState, ...]


class SchemaId(NamedTuple):
    """A registry's id and the fingerprint of its schema."""

    schema_id: int
    fingerprint: int


StateRecord = Marker | Head | PlanRecord | Bucket | SchemaId


class Checkpoint(NamedTuple):
    """A network's whole state after ``offset`` of ``partition``."""

    partition: int
    offset: int
    snapshot: Snapshot
    hashes: HashState


# The records as they are encoded, in the order of their schemas' fields and under their schemas' names.
class StateHead(NamedTuple):
    """A head as it is stored."""

    head: HeadState
    input_hash: bytes
    pending: tuple[bytes, ...]
    chain: bytes


class StatePlan(NamedTuple):
    """A plan as it is stored."""

    network: str
    plan: Plan


class StateBucket(NamedTuple):
    """A bucket as it is stored."""

    network: str
    bucket: int
    calls: tuple[CallState, ...]


class OutputCount(NamedTuple):
    """A kind's count as it is stored."""

    kind: str
    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody calls
    offset: int
    index: int  # type: ignore[assignment]


class StateMarker(NamedTuple):
    """A marker as it is stored."""

    applied: int
    snapshot: int
    input_topic_id: str
    partitions: int
    rules_max: int
    state_format: int
    writer: str
    outputs: tuple[OutputCount, ...]
    outputs_at_snapshot: tuple[OutputCount, ...]


class StateSchemaId(NamedTuple):
    """A schema id as it is stored."""

    schema_id: int
    fingerprint: bytes


class CheckpointPart(NamedTuple):
    """One record of a checkpoint as it is stored."""

    network: str
    partition: int
    offset: int
    part: int
    parts: int
    sha256: bytes | None
    body: StateHead | StatePlan | StateBucket


_CLASSES: Mapping[str, type] = {
    **{one.__name__: one for one in (StateHead, StatePlan, StateBucket, OutputCount, StateMarker, StateSchemaId)},
    "Checkpoint": CheckpointPart,
}
_RECORDS: Final = {DECISIONS: "Decision", CALL_RECORDS: "CallRecord", DEAD_LETTERS: "DeadLetter"}
_PREFIX: Callable[[str], bytes] = cache(FramingWriter().prefix)


def head_key(network: str) -> bytes:
    """The key of a network's head."""
    return f"n/{network}/h".encode()


def bucket_key(network: str, index: int) -> bytes:
    """The key of one of a network's buckets."""
    return f"n/{network}/b/{index}".encode()


def plan_key(network: str) -> bytes:
    """The key of a network's plan."""
    return f"p/{network}".encode()


def schema_id_key(schema_id: int) -> bytes:
    """The key of a registry's id."""
    return b"s/%d" % schema_id


def head(state: HeadState, hashes: HashState) -> Message:
    """The message that stores a network's head."""
    return _message(head_key(state.network), "StateHead", _stored_head(state, hashes))


def plan(network: str, found: Plan) -> Message:
    """The message that stores a network's plan."""
    return _message(plan_key(network), "StatePlan", StatePlan(network, found))


def bucket(network: str, index: int, calls: tuple[CallState, ...]) -> Message:
    """The message that stores a bucket; one without calls deletes it."""
    if not calls:
        return Message(STATE, bucket_key(network, index), None)
    return _message(bucket_key(network, index), "StateBucket", StateBucket(network, index, calls))


def schema_id(registry_id: int, fingerprint: int) -> Message:
    """The message that stores what a registry's id stands for."""
    stored = StateSchemaId(registry_id, fingerprint.to_bytes(8, "little"))
    return _message(schema_id_key(registry_id), "StateSchemaId", stored)


def marker(found: Marker) -> Message:
    """The message that stores the marker."""
    stored = StateMarker(
        found.applied,
        found.snapshot,
        found.input_topic_id,
        found.partitions,
        found.rules_max,
        found.state_format,
        found.writer,
        _stored_counts(found.outputs),
        _stored_counts(found.outputs_at_snapshot),
    )
    return _message(MARKER_KEY, "StateMarker", stored)


def read(key: bytes, value: bytes) -> StateRecord:
    """Read a record of the state topic; raises StateError."""
    name, stored = _read(value)
    match stored:
        case StateMarker():
            found: StateRecord = Marker(
                **{
                    **stored._asdict(),
                    "outputs": _counts(stored.outputs),
                    "outputs_at_snapshot": _counts(stored.outputs_at_snapshot),
                }
            )
            expected = MARKER_KEY
        case StateHead():
            found = _head(stored)
            expected = head_key(stored.head.network)
        case StatePlan():
            found = PlanRecord(*stored)
            expected = plan_key(stored.network)
        case StateBucket():
            found = Bucket(stored.network, stored.bucket, stored.calls)
            expected = bucket_key(stored.network, stored.bucket)
        case StateSchemaId():
            found = SchemaId(stored.schema_id, int.from_bytes(stored.fingerprint, "little"))
            expected = schema_id_key(stored.schema_id)
        case _:
            raise StateError(f"{name} is no record of the state topic")
    if key != expected:
        raise StateError(f"a {name} of key {expected!r} stands under key {key!r}")
    return found


def checkpoint(snapshot: Snapshot, hashes: HashState, *, partition: int, offset: int) -> list[Message]:
    """The messages of a checkpoint: ``snapshot`` holds everything, and is that of the network after ``offset``."""
    network = snapshot.head.network
    bodies: list[StateHead | StatePlan | StateBucket] = [_stored_head(snapshot.head, hashes)]
    if snapshot.plan is not None:
        bodies.append(StatePlan(network, snapshot.plan))
    bodies += [StateBucket(network, index, calls) for index, calls in sorted(snapshot.buckets.items()) if calls]
    digest = _digest(bodies)
    encode, prefix, key = encoder("Checkpoint"), _PREFIX("Checkpoint"), network.encode()
    return [
        Message(
            CHECKPOINTS,
            key,
            prefix
            + encode(CheckpointPart(network, partition, offset, part, len(bodies), None if part else digest, body)),
        )
        for part, body in enumerate(bodies)
    ]


def read_checkpoint(values: Sequence[bytes]) -> Checkpoint:
    """Read a checkpoint from all its records, head first; raises StateError where they are not one whole checkpoint."""
    parts = [found for _, found in map(_read, values) if isinstance(found, CheckpointPart)]
    stored = parts[0].body if parts and len(parts) == len(values) else None
    if not isinstance(stored, StateHead):
        raise StateError("a checkpoint is its head and the parts behind it")
    first = parts[0]
    same = [(first.network, first.partition, first.offset, at, len(parts)) for at in range(len(parts))]
    if [part[:5] for part in parts] != same:
        raise StateError(f"these are not the {first.parts} parts of one checkpoint of {first.network}")
    bodies = [part.body for part in parts]
    if _digest(bodies) != first.sha256:
        raise StateError(f"the checkpoint of {first.network} at {first.offset} is not what its hash was taken of")
    plans = [body.plan for body in bodies if isinstance(body, StatePlan)]
    buckets = {body.bucket: body.calls for body in bodies if isinstance(body, StateBucket)}
    found = _head(stored)
    snapshot = Snapshot(found.head, plans[0] if plans else None, buckets)
    return Checkpoint(first.partition, first.offset, snapshot, found.hashes)


def source_of(kind: str, value: bytes) -> Count:
    """How many records of a kind there are up to this one, and its source; raises StateError.

    Without a registry's ids at hand, a value framed with one is read with the versions that fit its bytes.
    """
    name, frame = _RECORDS[kind], read_frame(value)
    for schema in reversed(CONTRACT.versions(name)):
        if frame.fingerprint in {None, schema.fingerprint}:
            values = _fits(schema, value[frame.size :])
            if values is not None:
                return Count(values["sequence"] + 1, values["offset"], values.get("index", 0))
    raise StateError(f"the last record of {kind} is no {name} this version knows")


def _fits(schema: Schema, body: bytes) -> dict[str, Any] | None:
    """A body's fields, if it can be read with a schema to its last byte."""
    stream = BytesIO(body)
    try:
        values: Any = schemaless_reader(stream, schema.parsed, None)
    except Exception:  # noqa: BLE001 -- fastavro meets wrong bytes with whatever its innards raise
        return None
    return values if stream.tell() == len(body) else None


def _message(key: bytes, name: str, stored: Any) -> Message:
    """A record of the state topic."""
    return Message(STATE, key, _PREFIX(name) + encoder(name)(stored))


def _digest(bodies: Sequence[Any]) -> bytes:
    """The hash of a checkpoint's bodies."""
    return hashlib.sha256(b"".join(encoder(type(body).__name__)(body) for body in bodies)).digest()


def _stored_head(state: HeadState, hashes: HashState) -> StateHead:
    return StateHead(state, hashes.input_hash, hashes.pending, hashes.chain)


def _head(stored: StateHead) -> Head:
    return Head(stored.head, HashState(stored.input_hash, stored.pending, stored.chain))


def _stored_counts(counts: Mapping[str, Count]) -> tuple[OutputCount, ...]:
    return tuple(OutputCount(kind, found.count, found.offset, found.index) for kind, found in sorted(counts.items()))


def _counts(stored: Sequence[OutputCount]) -> dict[str, Count]:
    return {one.kind: Count(one.count, one.offset, one.index) for one in stored}


@cache
def _reader(schema: Schema) -> Callable[[Any], Any]:
    """What builds a schema's value from what fastavro read; made once."""
    return Reader(schema.source, _CLASSES).read


def _read(value: bytes) -> tuple[str, Any]:
    """A stored record's name and value."""
    try:
        frame = read_frame(value)
    except BadFraming as error:
        raise StateError(f"the record {error}") from error
    schema = None if frame.fingerprint is None else CONTRACT.by_fingerprint(frame.fingerprint)
    if schema is None or schema.name not in _CLASSES:
        raise StateError("the record is not written with a schema of the state")
    stream = BytesIO(value[frame.size :])
    try:
        values = schemaless_reader(
            stream, schema.parsed, None, return_record_name=True, return_record_name_override=True
        )
        return schema.name, _reader(schema)(values)
    except Exception as error:
        raise StateError(f"the {schema.name} cannot be read ({type(error).__name__}: {error})") from error
