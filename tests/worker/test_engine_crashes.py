"""The process dies at every step of the protocol, once and again, and the committed outputs are those of the fold."""

import random
from collections import defaultdict

import pytest

from streams.replay.compare import _same_state
from streams.replay.fold import Fold
from streams.wire import state
from streams.wire.log import Batch
from streams.worker.engine import Engine
from streams.worker.tuning import Tuning
from tests.worker.calls import FRAMING, IDS, random_log
from tests.worker.memory_log import Broker, Crash, MemoryLog

OUTPUTS = frozenset({"decisions", "call-records", "site-state"})
NUMBERED = ("decisions", "call-records", "dead-letters")


def tuning(**changes):
    given = {"partition": 0, "partitions": 1, "outputs": OUTPUTS, "writer": "test", "snapshot_s": 0.5}
    return Tuning(**(given | {"cpu": lambda: 0.0} | changes))


def live(broker, seed, crash_at=None):
    """One owner's life, up to a crash or the end of the input; the draws depend on the seed alone."""
    draw = random.Random(seed)
    log = MemoryLog(broker, crash_at=crash_at)
    engine = Engine(log, tuning(), framing=FRAMING, ask=lambda one: IDS.get(one, 0) if draw.random() < 0.7 else None)
    now = 100.0
    engine.open()
    # The committed offset is a hint: it may be too low or too high.
    log.position = max(0, engine.position + draw.choice([0, 0, 0, -3, 5]))
    while engine.position < broker.end:
        now += draw.choice([0.001, 0.02, 0.15, 0.6])
        if engine.waiting is not None:
            now += 1
        elif (fetched := log.fetch(draw.randrange(1, 30))) is not None:
            engine.take(fetched, now)
        else:
            now += 11  # at the end without having come from the right place: the seek is repeated
            log.position = broker.end - 1
        engine.turn(now)
    for _ in range(3):
        now += 0.3
        engine.turn(now)
    engine.close(now)
    return log, engine


def folded(records):
    fold = Fold(0, 1, ids=IDS, framing=FRAMING)
    by_kind = defaultdict(list)
    for message in fold.feed(Batch(*map(list, zip(*records, strict=True)))):
        by_kind[message.kind].append(message)
    return fold, by_kind


def assert_published(broker, records):
    fold, expected = folded(records)
    for kind in NUMBERED:
        assert broker.committed(kind) == expected[kind]
    last = {message.key: message for message in broker.committed("site-state")}
    states = fold.site_states(0)
    assert {message.key for message in states} == set(last)
    assert all(_same_state(message, last[message.key]) for message in states)
    return expected


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_at_any_step_of_the_protocol_changes_nothing_that_a_committed_reader_sees(root, seed):
    records, end = random_log(root, seed)
    whole = Broker(records, end)
    log, _ = live(whole, seed)
    expected = assert_published(whole, records)
    assert all(len(expected[kind]) > 3 for kind in NUMBERED)
    refolded = aborted = 0
    for step in range(log.steps):
        broker = Broker(records, end)
        with pytest.raises(Crash):
            live(broker, seed, crash_at=step)
        # A second crash soon after the first, then a third owner that reaches the end.
        draw = random.Random(step)
        try:
            _, engine = live(broker, seed + step, crash_at=draw.randrange(3, 30))
        except Crash:
            _, engine = live(broker, seed + step + 1)
        assert_published(broker, records)
        refolded += engine.figures.refolded
        aborted += len(broker.visible("decisions")) > len(broker.committed("decisions"))
    # The test has met what it is about: owners that applied again without emitting, and outputs that were aborted.
    assert refolded > 20 and aborted > 3


def test_a_decision_that_was_aborted_is_made_again_with_the_same_bytes(root):
    records, end = random_log(root, 5)
    broker = Broker(records, end)
    for crash_at in (31, 33, 38):
        with pytest.raises(Crash):
            live(broker, 5, crash_at=crash_at)
    live(broker, 5)
    seen = {}
    for message in broker.visible("decisions"):
        count = state.source_of("decisions", message.value)
        assert seen.setdefault((count.offset, count.index), message.value) == message.value
    assert len(broker.visible("decisions")) > len(seen)
