"""From a batch of a log to events and refusals. What is accepted depends on the bytes, the key and the partition alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from streams.core.events import CallEvent, ControlEvent, Event
from streams.wire import varints
from streams.wire.columns import columns
from streams.wire.contract import CONTRACT, Contract, Schema
from streams.wire.framing import REGISTRY_BYTES, SINGLE_OBJECT_BYTES, BadFraming, Frame, read_frame
from streams.wire.log import Batch
from streams.wire.partition import partition_of
from streams.wire.records import STRING_BYTES, record
from streams.wire.refusals import Refusal, RefusalReason, Refused, looks_like_number, may_hold_number

VALUE_BYTES: Final = 900_000
"""A longer value is refused: everything made from an event must fit below the broker's message limit."""
COLUMNS_FROM: Final = 8
"""Shorter runs are read one by one: setting up the columns would cost more."""

_EVENTS: Final = ("CallEvent", "ControlEvent")
_KEYS_HELD: Final = 10_000
_PARTITIONER = (
    "librdkafka, kcat and the clients built on it default to CRC-32; the producer must set "
    "partitioner=murmur2_random, or name the partition"
)


class SchemaIdUnknown(Exception):  # noqa: N818 -- a question to the caller: which schema is this id?
    """A registry id that is not in the table; ``index`` is the place in the batch of the first such record."""

    def __init__(self, schema_id: int, index: int) -> None:
        super().__init__(f"schema id {schema_id} is not in the table")
        self.schema_id = schema_id
        self.index = index


class _Doubt(Exception):  # noqa: N818 -- not an error: the record is looked at by itself
    """A key that needs a closer look."""


class _Keys(dict[bytes, bytes]):
    """What stands in front of a key's records, framing and network, for keys without fault; and their networks."""

    def __init__(self, frame: bytes, schema: Schema, partition: int, partitions: int) -> None:
        super().__init__()
        self.schema = schema
        self.frame = frame
        self._partition = partition
        self._partitions = partitions
        self.networks: dict[bytes, str] = {}

    def __missing__(self, key: bytes | None) -> bytes:
        """Check a key that was not met before; raise where a record with it is refused or is no call's."""
        if not key or len(key) > STRING_BYTES or partition_of(key, self._partitions) != self._partition:
            raise _Doubt
        network = key.decode()
        if looks_like_number(network):
            raise _Doubt
        self.networks[key] = network
        found = self[key] = self.frame + varints.binary(key)
        return found


class Decoder:
    """Decodes the batches of one partition of ``partitions``.

    ``ids`` translates a registry's ids to fingerprints; it is read at every batch, so that the caller may add to it.
    """

    def __init__(
        self, partition: int, partitions: int, ids: Mapping[int, int], *, contract: Contract = CONTRACT
    ) -> None:
        self._partition = partition
        self._partitions = partitions
        self._ids = ids
        self._contract = contract
        self._keys: dict[bytes, _Keys] = {}

    def decode(self, batch: Batch) -> list[Event | Refusal]:
        """One event or refusal for each record of the batch, in its order; raises SchemaIdUnknown."""
        keys, values = batch.keys, batch.values
        if len(values) >= COLUMNS_FROM and (known := self._call_keys(values[0])) is not None:
            whole = self._run(known, keys, values)
            if whole is not None:
                return list(whole)
        return self._mixed(keys, values)

    def _call_keys(self, value: bytes | None) -> _Keys | None:
        """The keys known with the framing of a call event of a known schema; None of anything else."""
        if value is None:
            return None
        for size in (SINGLE_OBJECT_BYTES, REGISTRY_BYTES):
            if value[:size] in self._keys:
                return self._keys[value[:size]]
        try:
            frame = read_frame(value)
        except BadFraming:
            return None
        schema = self._schema(frame)
        if schema is None or schema.name != "CallEvent":
            return None
        head = value[: frame.size]
        found = self._keys[head] = _Keys(head, schema, self._partition, self._partitions)
        return found

    @staticmethod
    def _run(known: _Keys, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> list[CallEvent] | None:
        """Call events of one framing in columns, or None where any of them needs a closer look."""
        if len(known) > _KEYS_HELD:
            known.clear()
            known.networks.clear()
        try:
            heads = list(map(known.__getitem__, keys))  # type: ignore[arg-type]
            # A value that starts otherwise, with another framing or network, stays whole: its run is then too long.
            bodies = list(map(bytes.removeprefix, values, heads))  # type: ignore[arg-type]
            total = sum(map(len, values))  # type: ignore[arg-type]
        except (_Doubt, TypeError, UnicodeDecodeError):
            return None
        # No value can be too large here: columns take no string longer than `records` does.
        networks = list(map(known.networks.__getitem__, keys))  # type: ignore[arg-type]
        return columns(known.schema).read(networks, bodies, total - sum(map(len, heads)))

    def _mixed(self, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> list[Event | Refusal]:
        """A batch that is not one run: its call events by framing, in columns, the rest one by one."""
        found: list[Event | Refusal | None] = [None] * len(values)
        runs: dict[bytes, tuple[_Keys, list[int]]] = {}
        for at, value in enumerate(values):
            known = self._call_keys(value)
            if known is not None:
                runs.setdefault(known.frame, (known, []))[1].append(at)
        for known, places in runs.values():
            if len(places) >= COLUMNS_FROM:
                self._halves(known, places, (keys, values), found)
        return [self._one(at, keys[at], values[at]) if event is None else event for at, event in enumerate(found)]

    def _halves(
        self,
        known: _Keys,
        places: list[int],
        records: tuple[Sequence[bytes | None], Sequence[bytes | None]],
        found: list[Event | Refusal | None],
    ) -> None:
        """Read a run in columns; where that fails, its halves, so that one bad record holds up only its neighbours."""
        keys, values = records
        events = self._run(known, [keys[at] for at in places], [values[at] for at in places])
        if events is not None:
            for at, event in zip(places, events, strict=True):
                found[at] = event
            return
        middle = len(places) // 2
        if middle >= COLUMNS_FROM:
            self._halves(known, places[:middle], records, found)
            self._halves(known, places[middle:], records, found)

    def _one(self, at: int, key: bytes | None, value: bytes | None) -> Event | Refusal:
        """One record by itself: an event, or why it is none."""
        try:
            event = self._read(at, value)
            self._check_key(key, event.network)
        except Refused as refused:
            sealed = refused.reason is RefusalReason.BAD_CALLER or may_hold_number(value) or may_hold_number(key)
            return Refusal(refused.reason, refused.text, sealed)
        return event

    def _read(self, at: int, value: bytes | None) -> CallEvent | ControlEvent:
        """Read one value; raises Refused and SchemaIdUnknown."""
        if not value:
            raise Refused(RefusalReason.EMPTY, "the record has no value")
        if len(value) > VALUE_BYTES:
            raise Refused(RefusalReason.TOO_LARGE, f"{len(value)} bytes are more than {VALUE_BYTES}")
        try:
            frame = read_frame(value)
        except BadFraming as error:
            raise Refused(RefusalReason.BAD_FRAMING, str(error)) from error
        if frame.schema_id is not None and frame.schema_id not in self._ids:
            raise SchemaIdUnknown(frame.schema_id, at)
        schema = self._schema(frame)
        if schema is None or schema.name not in _EVENTS:
            what = "the schema is not of this contract" if schema is None else f"{schema.name} is no event"
            raise Refused(RefusalReason.UNKNOWN_SCHEMA, f"{what}; call-events holds {' and '.join(_EVENTS)}")
        return record(schema).read(value[frame.size :])

    def _schema(self, frame: Frame) -> Schema | None:
        """The schema a framing names, None where it is not known, or not of the contract."""
        fingerprint = frame.fingerprint if frame.schema_id is None else self._ids.get(frame.schema_id)
        return None if fingerprint is None else self._contract.by_fingerprint(fingerprint)

    def _check_key(self, key: bytes | None, network: str | None) -> None:
        """Refuse a key that is not the network, and a partition that is not the key's. A partition's Tick has none."""
        if key != (None if network is None else network.encode()):
            what = "a partition's Tick has no key" if network is None else "the key is not the network"
            raise Refused(RefusalReason.WRONG_KEY, what)
        if key is None:
            return
        right = partition_of(key, self._partitions)
        if right != self._partition:
            text = f"the key belongs to partition {right} of {self._partitions}, not {self._partition}: {_PARTITIONER}"
            raise Refused(RefusalReason.WRONG_PARTITION, text)
