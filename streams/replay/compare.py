"""What the topics hold against what the fold of the input says they must hold, record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.replay.fold import Fold
from streams.wire.dead_letters import without_sealed_value
from streams.wire.framing import BadFraming, read_frame
from streams.wire.ledger import CALL_RECORDS, DEAD_LETTERS, DECISIONS, SITE_STATE, Message
from streams.wire.log import Batch

NUMBERED = (DECISIONS, CALL_RECORDS, DEAD_LETTERS)


class Published(NamedTuple):
    """One record of an output topic, and its offset there."""

    offset: int
    key: bytes | None
    value: bytes | None


class Divergence(NamedTuple):
    """The first record that differs. A side is None where it has no such record; ``number`` counts from 0.

    ``source`` is the input position up to which the fold had come.
    """

    kind: str
    partition: int
    number: int
    source: int
    expected: Message | None
    found: Published | None


@dataclass
class Comparison:
    """How far one partition has been compared; ``divergence`` ends it."""

    partition: int
    events: int = 0
    identical: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*NUMBERED, SITE_STATE), 0))
    divergence: Divergence | None = None


Read = Callable[[str], Iterator[Published]]
"""Gives the committed records of an output kind of the partition, in order."""


def compare(
    fold: Fold, partition: int, batches: Iterable[Batch], read: Read, *, wanted: Iterable[str]
) -> Iterator[Comparison]:
    """Fold the batches and compare each output as it comes; yield after every batch, the last time when all is done."""
    result = Comparison(partition)
    kinds = [kind for kind in NUMBERED if kind == DEAD_LETTERS or kind in wanted]
    published = {kind: read(kind) for kind in kinds}
    source = -1
    for batch in batches:
        for message in fold.feed(batch):
            found = next(published[message.kind], None)
            if found is None or not _same(message, found):
                result.divergence = Divergence(
                    message.kind, partition, result.identical[message.kind], batch.offsets[-1], message, found
                )
                yield result
                return
            result.identical[message.kind] += 1
        result.events += len(batch.offsets)
        source = batch.offsets[-1]
        yield result
    for kind in kinds:
        surplus = next(published[kind], None)
        if surplus is not None:
            result.divergence = Divergence(kind, partition, result.identical[kind], source, None, surplus)
            yield result
            return
    if SITE_STATE in wanted:
        last = {record.key: record for record in read(SITE_STATE)}
        result.divergence = _compare_states(fold, result, last, source)
    yield result


def _compare_states(
    fold: Fold, result: Comparison, last: Mapping[bytes | None, Published], source: int
) -> Divergence | None:
    """Compare the last site state of each key; what it says of the position it is as of is the worker's own."""
    expected = {message.key or b"": message for message in fold.site_states(source)}
    found = {key or b"": record for key, record in last.items() if record.value is not None}
    for number, key in enumerate(sorted(expected.keys() | found.keys())):
        mine, theirs = expected.get(key), found.get(key)
        if mine is None or theirs is None or not _same_state(mine, theirs):
            return Divergence(SITE_STATE, result.partition, number, source, mine, theirs)
        result.identical[SITE_STATE] += 1
    return None


def _same(expected: Message, found: Published) -> bool:
    """Tell whether key and Avro body are the same; the framing is a matter of how the writer was set up."""
    if expected.key != found.key or expected.value is None or found.value is None:
        return False
    mine, theirs = _body(expected.value), _body(found.value)
    if mine == theirs or expected.kind != DEAD_LETTERS or theirs is None or mine is None:
        return mine == theirs
    try:
        return without_sealed_value(mine) == without_sealed_value(theirs)
    except Exception:  # noqa: BLE001 -- whatever fastavro stumbles over, it is not what must stand there
        return False


def _same_state(expected: Message, found: Published) -> bool:
    """Tell whether two states are the same but for the offset they are as of, the last number of their bodies."""
    assert expected.value is not None
    assert found.value is not None
    mine, theirs = _body(expected.value), _body(found.value)
    return mine is not None and theirs is not None and _without_last_number(mine) == _without_last_number(theirs)


def _without_last_number(body: bytes) -> bytes:
    end = len(body) - 1
    while end and body[end - 1] & 0x80:
        end -= 1
    return body[:end]


def _body(value: bytes) -> bytes | None:
    """Return what stands behind the framing; None where there is none."""
    try:
        return value[read_frame(value).size :]
    except BadFraming:
        return None
