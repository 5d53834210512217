"""What one fetch brought becomes runs: positions without a hole, committed records only, whatever the batches hold."""

import random
from itertools import pairwise

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from streams.worker import transport
from streams.worker.transport import runs

COMMIT, ABORT = b"\0\0\0\1", b"\0\0\0\0"


def batch(first, values, *, producer=-1, control=None, gaps=(), append_time=True, compressed=0):
    """One record batch as a broker stores it; `gaps` are offsets left out, as compaction leaves them."""
    builder = DefaultRecordBatchBuilder(2, compressed, int(producer >= 0), producer, 0, 0, 1 << 20)
    records = [(COMMIT if control else ABORT, b"\0\0\0\0\0\0")] if control is not None else [(b"k", v) for v in values]
    offsets = [first + at for at in range(len(records) + len(gaps)) if first + at not in gaps]
    for offset, (key, value) in zip(offsets, records, strict=True):
        builder.append(offset - first, 1_700_000_000_000 + offset, key, value, [])
    raw = bytearray(builder.build())
    raw[0:8] = first.to_bytes(8, "big")
    attributes = int.from_bytes(raw[21:23], "big") | (8 if append_time else 0) | (0x20 if control is not None else 0)
    raw[21:23] = attributes.to_bytes(2, "big")
    raw[23:27] = (offsets[-1] - first if not gaps else max(*gaps, *offsets) - first).to_bytes(4, "big")
    return bytes(raw)


def fetched(batches, position, aborted=()):
    records = PartitionRecords(
        TopicPartition("t", 0),
        MemoryRecords(b"".join(batches)),
        list(aborted),
        position,
        None,
        None,
        False,
        READ_COMMITTED,
    )
    return records, list(runs(records, 7))


def flat(found):
    return [pair for run in found for pair in zip(run.batch.offsets, run.batch.values, strict=True)]


def test_records_come_in_columns_with_their_append_time_in_microseconds():
    _, (run,) = fetched([batch(5, [b"a", b"b"])], 5)
    assert (run.generation, run.position, run.next_position, run.append_time) == (7, 5, 7, True)
    assert run.batch.offsets == [5, 6] and run.batch.keys == [b"k", b"k"] and run.batch.values == [b"a", b"b"]
    # LogAppendTime: every record has the batch's time.
    assert set(run.batch.appended_at) == {1_700_000_000_006_000}


def test_a_batch_stamped_by_its_producer_is_told():
    _, (run,) = fetched([batch(0, [b"a"], append_time=False)], 0)
    assert not run.append_time


def test_a_position_in_the_middle_of_a_batch_leaves_out_what_stands_before_it():
    _, (run,) = fetched([batch(5, [b"a", b"b", b"c"])], 6)
    assert (run.position, run.next_position) == (6, 8) and run.batch.values == [b"b", b"c"]


def test_an_aborted_transaction_is_a_hole_that_the_positions_pass_over():
    batches = [
        batch(0, [b"a"]),
        batch(1, [b"gone", b"gone"], producer=9),
        batch(3, [b"b"]),
        batch(4, [], producer=9, control=False),
        batch(5, [b"kept"], producer=9),
        batch(6, [], producer=9, control=True),
    ]
    records, found = fetched(batches, 0, aborted=[(9, 1)])
    assert flat(found) == [(0, b"a"), (3, b"b"), (5, b"kept")]
    assert found[-1].next_position == records.next_fetch_offset == 7


def test_a_fetch_of_nothing_but_markers_still_moves_the_position():
    _, (run,) = fetched([batch(4, [], producer=9, control=True)], 4)
    assert (run.position, run.next_position, run.batch.offsets) == (4, 5, [])


@pytest.mark.parametrize("seed", range(20))
def test_runs_cover_the_fetch_without_hole_or_overlap_and_agree_with_aiokafka(seed, monkeypatch):
    monkeypatch.setattr(transport, "RUN", 7)
    draw = random.Random(seed)
    first = draw.randrange(1, 25)
    batches, aborted, at = [batch(0, [b"first"] * first)], [], first
    position = draw.randrange(first)  # a broker sends no batch that ends before the position
    for _ in range(draw.randrange(1, 12)):
        values = [f"{at}-{i}".encode() for i in range(draw.randrange(1, 25))]
        if draw.random() < 0.3:
            batches += [batch(at, values, producer=3), batch(at + len(values), [], producer=3, control=False)]
            aborted.append((3, at))
            at += len(values) + 1
        else:
            batches.append(batch(at, values, compressed=draw.choice([0, 3])))
            at += len(values)
    _, found = fetched(batches, position, aborted)
    theirs = PartitionRecords(
        TopicPartition("t", 0),
        MemoryRecords(b"".join(batches)),
        list(aborted),
        position,
        None,
        None,
        False,
        READ_COMMITTED,
    )
    assert flat(found) == [(record.offset, record.value) for record in theirs]
    assert found[0].position == position and found[-1].next_position == at
    assert all(before.next_position == after.position for before, after in pairwise(found))
    assert all(len(run.batch.offsets) <= 7 for run in found)
    assert all(run.position <= offset < run.next_position for run in found for offset in run.batch.offsets)
