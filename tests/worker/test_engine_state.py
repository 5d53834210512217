"""One engine: what it stores, what it restores, and how a lost state is rebuilt."""

import pytest

from streams.core.events import CallEvent
from streams.core.plan import DAY_US
from streams.wire import state
from streams.worker.log import Halted
from streams.worker.rebuild import Rebuild
from streams.worker.tuning import Tuning
from tests.worker.calls import FRAMING, IDS, random_log
from tests.worker.memory_log import Broker, MemoryLog
from tests.worker.one_engine import AT, fetched, offered, opened, plan, records_of, run
from tests.worker.test_engine_crashes import OUTPUTS, assert_published

# State.


def test_what_is_restored_is_what_was_left(root):
    records, end = random_log(root, 3, 300)
    broker = Broker(records, end)
    _, before = run(broker)
    _, after = opened(broker)
    assert after.position == before.position == end
    assert after.ledger.counts == before.ledger.counts
    for name, network in before.core.networks.items():
        assert after.core.networks[name].snapshot(everything=True) == network.snapshot(everything=True)
        assert after.ledger.hashes(name) == before.ledger.hashes(name)


def test_a_bucket_that_empties_is_deleted(root):
    ended = CallEvent("a", "bank", "sw/1", "ENDED", AT, "sw")
    later = offered(2, AT + 20 * DAY_US)
    broker = Broker(records_of(plan(root, remember_us=1_000_000), offered(1), ended, later), 4)
    _, engine = opened(broker, snapshot_s=0)
    for at, record in enumerate(broker.input):
        engine.take(fetched([record]), float(at))
        engine.turn(at + 0.5)
    engine.close(9.0)
    newest = {message.key: message.value for message in broker.committed("state")}
    buckets = [key for key, value in newest.items() if key.startswith(b"n/a/b/") and value is not None]
    assert len(buckets) == 1
    _, again = opened(broker)
    assert list(again.core.networks["a"].calls) == ["sw/2"]


def test_once_a_day_of_the_networks_clock_a_whole_checkpoint_is_written(root):
    days = [offered(number, AT + number * DAY_US // 4) for number in range(1, 13)]
    broker = Broker(records_of(plan(root), *days), 13)
    _, engine = opened(broker, snapshot_s=0)
    seen = set()
    for at, record in enumerate(broker.input):
        engine.take(fetched([record]), float(at))
        engine.turn(at + 0.5)
        seen.add(engine.core.networks["a"].clock // DAY_US)
    written = broker.committed("checkpoints")
    heads = [at for at, message in enumerate(written) if _is_head(message)]
    assert len(heads) == len(seen) >= 4
    checkpoint = state.read_checkpoint([message.value for message in written[heads[-1] :]])
    assert checkpoint.partition == 0 and checkpoint.snapshot.plan is not None
    # Another owner on the same day writes none.
    opened(broker)[1].close(50.0)
    assert len(broker.committed("checkpoints")) == len(written)


def _is_head(message):
    try:
        state.read_checkpoint([message.value])
    except state.StateError as error:
        return "parts" in str(error) and "head and the parts" not in str(error)
    return True


def test_a_costly_snapshot_is_taken_less_often(root):
    spent = iter(range(10_000))
    records = records_of(plan(root), *(offered(number) for number in range(100)))
    broker = Broker(records, 101)
    _, engine = opened(broker, cpu=lambda: next(spent) / 10)
    now = 0.0
    for record in records:
        engine.take(fetched([record]), now)
        now += 0.5
        engine.turn(now)
    # Each costs some tenths of a second, so twenty times as long must pass between two.
    assert engine.snapshots.interval_s >= 4
    assert engine.snapshots.count <= now / 4 + 1


# Rebuilding.


def rebuild(broker):
    log = MemoryLog(broker)
    given = {"partition": 0, "partitions": 1, "outputs": OUTPUTS, "writer": "test", "cpu": lambda: 0.0}
    made = Rebuild(log, Tuning(**given), framing=FRAMING, ask=lambda one: IDS.get(one, 0))
    made.open()
    now = 1.0
    while not made.done and (found := log.fetch(7)) is not None:
        made.take(found, now)
        now += 0.2
        made.turn(now)
    made.finish(now)
    return made


@pytest.mark.parametrize("loss", ["state", "decisions", "call-records", "dead-letters"])
def test_a_rebuilt_partition_has_what_it_lacked_nothing_twice_and_goes_on(root, loss):
    records, end = random_log(root, 4)
    broker = Broker(records[:80], records[79][0] + 1)
    run(broker)
    if loss == "state":
        broker.topics["state"].clear()
    else:
        del broker.topics[loss][-2:]
    with pytest.raises(Halted):
        opened(broker)
    rebuild(broker)
    broker.input, broker.end = records, end
    run(broker)
    assert_published(broker, records)


def test_a_rebuild_that_died_half_way_can_be_run_again(root):
    records, end = random_log(root, 4)
    broker = Broker(records, end)
    run(broker)
    for kind in ("decisions", "call-records"):
        del broker.topics[kind][5:]
    log = MemoryLog(broker)
    given = {"partition": 0, "partitions": 1, "outputs": OUTPUTS, "writer": "test", "cpu": lambda: 0.0}
    dying = Rebuild(log, Tuning(**given), framing=FRAMING, ask=lambda one: IDS.get(one, 0))
    dying.open()
    for now in range(6):
        dying.take(log.fetch(7), float(now))
        dying.turn(now + 0.5)
    assert 5 < len(broker.committed("decisions")) < 60
    with pytest.raises(Halted):
        opened(broker)
    rebuild(broker)
    run(broker)
    assert_published(broker, records)


def test_a_rebuild_refuses_an_input_whose_beginning_is_gone(root):
    records, end = random_log(root, 4)
    with pytest.raises(Halted, match="first event"):
        rebuild(Broker(records, end, start=3))


def test_a_rebuild_refuses_an_input_that_gives_fewer_outputs_than_there_are(root):
    records, end = random_log(root, 4)
    broker = Broker(records, end)
    run(broker)
    broker.input, broker.end = records[:40], records[39][0] + 1
    with pytest.raises(Halted, match="fewer"):
        rebuild(broker)
