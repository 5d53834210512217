"""One engine: what it takes, when it waits, when it halts and what it then says."""

import dataclasses

import pytest

from streams.core import RULES
from streams.core.events import CallEvent, ControlEvent, PlanApplied, Tick
from streams.core.plan import DAY_US
from streams.wire import state
from streams.wire.ledger import Message
from streams.wire.log import Batch
from streams.worker.engine import Engine
from streams.worker.log import Fenced, Fetched, Halted
from streams.worker.rebuild import Rebuild
from streams.worker.tuning import Tuning
from tests.worker.calls import FRAMING, IDS, REGISTRY_ID, one_site_plan, random_log, value_of
from tests.worker.memory_log import Broker, MemoryLog
from tests.worker.test_engine_crashes import OUTPUTS, assert_published

AT = 1_762_000_000_000_000


def records_of(*events, first=0):
    """Records of network a, a second apart."""
    return [
        (first + number, AT + number * 1_000_000, b"a", event if isinstance(event, bytes) else value_of(event))
        for number, event in enumerate(events)
    ]


def offered(number, at=AT):
    return CallEvent("a", "bank", f"sw/{number}", "OFFERED", at, "sw", asks=True)


def plan(root, **changes):
    return ControlEvent("a", AT, PlanApplied(dataclasses.replace(one_site_plan(root, "a"), **changes), RULES))


def fetched(records, position=None, append_time=True, until=None):
    last = records[-1][0] + 1
    columns = Batch(*map(list, zip(*records, strict=True)))
    return Fetched(1, records[0][0] if position is None else position, until or last, append_time, columns)


def engine_over(broker, *, ask=lambda one: IDS.get(one, 0), **changes):
    log = MemoryLog(broker)
    given = {"partition": 0, "partitions": 1, "outputs": OUTPUTS, "writer": "test", "cpu": lambda: 0.0}
    return log, Engine(log, Tuning(**(given | changes)), framing=FRAMING, ask=ask)


def opened(broker, **changes):
    log, engine = engine_over(broker, **changes)
    engine.open()
    return log, engine


def run(broker, *, close=True, **changes):
    """Apply everything there is, a transaction per second of the engine's time."""
    log, engine = opened(broker, **changes)
    log.position, now = engine.position, 100.0
    while (found := log.fetch(10)) is not None:
        engine.take(found, now)
        now += 1
        engine.turn(now)
    if close:
        engine.close(now)
    return log, engine


# Position.


def test_a_run_that_does_not_continue_the_log_is_dropped_and_the_right_place_sought_once(root):
    records = records_of(plan(root), *(offered(number) for number in range(9)))
    log, engine = opened(Broker(records, 10))
    engine.take(fetched(records[5:]), 1.0)
    assert (engine.position, log.position, engine.figures.seeks) == (0, 0, 1)
    log.position = 99
    engine.take(fetched(records[7:]), 2.0)
    assert (log.position, engine.figures.seeks, engine.figures.dropped_batches) == (99, 1, 2)
    engine.take(fetched(records[5:]), 12.0)
    assert (log.position, engine.figures.seeks) == (0, 2)
    engine.take(fetched(records), 12.5)
    assert engine.position == 10


def test_a_run_that_begins_too_early_is_taken_from_the_right_place_on(root):
    records = records_of(plan(root), *(offered(number) for number in range(9)))
    _, engine = opened(Broker(records, 10))
    engine.take(fetched(records[:6]), 1.0)
    engine.take(fetched(records[2:]), 1.0)
    assert engine.position == 10 and engine.figures.events == 10


def test_holes_are_judged_by_where_the_fetch_began_not_by_offsets(root):
    first, later = records_of(plan(root), offered(1)), records_of(offered(2), first=40)
    _, engine = opened(Broker(first + later, 50))
    engine.take(fetched(first, until=30), 1.0)
    assert engine.position == 30 and engine.applied == 29
    engine.take(fetched(later, position=30, until=50), 1.0)
    assert (engine.position, engine.figures.dropped_batches) == (50, 0)


def test_a_fetch_without_records_moves_the_position(root):
    _, engine = opened(Broker(records_of(plan(root)), 9))
    engine.take(fetched(records_of(plan(root))), 1.0)
    engine.take(Fetched(1, 1, 9, True, Batch([], [], [], [])), 1.0)
    assert engine.position == 9


# Transactions.


def test_a_transaction_ends_after_its_time_and_not_before(root):
    log, engine = opened(Broker(records_of(plan(root)), 1), transaction_s=0.1)
    engine.take(fetched(records_of(plan(root))), 1.0)
    assert engine.due_at == 1.1
    engine.turn(1.05)
    assert "commit" not in log.calls
    engine.turn(1.1)
    assert log.calls[-1] == "commit" and log.calls.count("begin") == 1


def test_without_input_there_is_no_transaction(root):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    log, engine = run(broker, close=False)
    engine.turn(200.0)
    commits = log.calls.count("commit")
    for now in range(201, 300):
        engine.turn(float(now))
    assert log.calls.count("commit") == commits and engine.due_at is None


def test_what_the_last_event_changed_is_stored_although_no_other_follows(root):
    broker = Broker(records_of(plan(root), offered(1), offered(2)), 3)
    _, engine = opened(broker, snapshot_s=1.0)
    engine.take(fetched(broker.input[:2]), 1.0)
    engine.turn(1.1)
    engine.turn(2.1)
    engine.take(fetched(broker.input[2:]), 2.2)
    engine.turn(2.3)
    assert (engine.applied, engine.snapshot) == (2, 1)
    while engine.due_at is not None:
        engine.turn(engine.due_at)
    assert (engine.applied, engine.snapshot) == (2, 2)


def test_an_earlier_owner_cannot_write_any_more(root):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    _, old = opened(broker)
    old.take(fetched(broker.input), 1.0)
    opened(broker)
    with pytest.raises(Fenced):
        old.turn(2.0)
    assert broker.committed("decisions") == []


def test_a_withheld_site_state_is_written_within_a_second_without_further_input(root):
    broker = Broker(records_of(plan(root), offered(1), offered(2)), 3)
    _, engine = opened(broker)
    engine.take(fetched(broker.input[:2]), 1.0)
    engine.turn(1.1)
    engine.take(fetched(broker.input[2:]), 1.11)
    engine.turn(1.22)
    seen = len(broker.committed("site-state"))
    assert engine.due_at is not None and engine.due_at <= 2.1
    engine.turn(engine.due_at)
    assert len(broker.committed("site-state")) > seen
    assert_published(broker, broker.input)


def test_after_a_load_every_site_state_is_written_once_even_without_input(root):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    run(broker)
    seen = len(broker.committed("site-state"))
    _, engine = opened(broker)
    engine.turn(1.0)
    assert len(broker.committed("site-state")) == seen + 2
    engine.turn(5.0)
    assert len(broker.committed("site-state")) == seen + 2


def test_an_output_that_is_not_wanted_is_not_written(root):
    records, end = random_log(root, 1)
    broker = Broker(records, end)
    run(broker, outputs=frozenset({"decisions"}))
    assert broker.committed("decisions") and broker.committed("dead-letters")
    assert not broker.committed("call-records") and not broker.committed("site-state")


# Schema ids.


def test_with_the_registry_down_the_partition_waits_and_says_so_and_then_goes_on(root):
    records = records_of(plan(root), offered(1), value_of(offered(2), REGISTRY_ID), offered(3))
    broker = Broker(records, 4)
    answers = [None, None, IDS[REGISTRY_ID]]
    log, engine = opened(broker, ask=lambda _: answers.pop(0))
    engine.take(fetched(records), 1.0)
    assert engine.position == 2 and "schema id 7" in engine.waiting and "registry" in engine.waiting
    engine.turn(1.5)
    assert len(answers) == 2
    engine.turn(2.1)
    assert engine.waiting is not None and len(answers) == 1
    engine.turn(3.2)
    assert engine.waiting is None and engine.position == 4
    engine.turn(4.0)
    assert log.calls[-1] == "commit"
    assert_published(broker, records)
    stored = {message.key: message.value for message in broker.committed("state")}
    assert state.read(b"s/7", stored[b"s/7"]) == state.SchemaId(REGISTRY_ID, IDS[REGISTRY_ID])


def test_a_stored_schema_id_is_not_asked_for_again(root):
    records = records_of(plan(root), value_of(offered(1), REGISTRY_ID), value_of(offered(2), REGISTRY_ID))
    broker = Broker(records[:2], 2)
    run(broker)
    broker.input, broker.end = records, 3
    run(broker, ask=lambda _: pytest.fail("asked"))
    assert_published(broker, records)


def test_an_id_that_nobody_knows_is_a_dead_letter(root):
    broker = Broker(records_of(plan(root), b"\0\0\0\0\x63whatever"), 2)
    _, engine = run(broker)
    assert engine.figures.dead_letters == {"UNKNOWN_SCHEMA": 1}


# What halts.


def halted(broker, reason, **changes):
    with pytest.raises(Halted) as caught:
        opened(broker, **changes)
    assert caught.value.reason == reason
    return caught.value.sentence


@pytest.mark.parametrize("kind", ["decisions", "call-records", "dead-letters"])
def test_a_torn_transaction_is_found_when_the_partition_is_opened(root, kind):
    records, end = random_log(root, 2)
    broker = Broker(records, end)
    run(broker)
    lost = broker.topics[kind].pop()
    sentence = halted(broker, "TORN")
    count = state.source_of(kind, lost[1].value).count
    assert kind in sentence and str(count) in sentence and str(count - 1) in sentence
    assert "tropplein state rebuild --partition 0" in sentence


def test_an_output_emptied_by_retention_is_accepted_and_said(root):
    records, end = random_log(root, 2)
    broker = Broker(records, end)
    run(broker)
    broker.topics["decisions"].clear()
    _, engine = opened(broker)
    assert any("decisions-0 is empty" in note for note in engine.notes)


def test_outputs_without_a_state_halt(root):
    records, end = random_log(root, 2)
    broker = Broker(records, end)
    run(broker)
    broker.topics["state"].clear()
    assert "state rebuild" in halted(broker, "STATE_LOST")


def test_a_state_that_cannot_be_read_halts(root):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    run(broker)
    number, message = next(pair for pair in broker.topics["state"] if pair[1].key == b"n/a/h")
    broker.topics["state"].append((number, Message("state", message.key, b"nonsense")))
    assert "state rebuild" in halted(broker, "STATE_UNREADABLE")


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        ({"start": 8, "end": 20}, "INPUT_MISSING", "begins at 8"),
        ({"end": 1}, "INPUT_MISSING", "ends at 1"),
        ({"topic_id": "id-2"}, "INPUT_REPLACED", "created anew"),
    ],
)
def test_an_input_that_is_not_the_one_decided_halts(root, change, reason, said):
    broker = Broker(records_of(plan(root), offered(1), offered(2)), 3)
    run(broker)
    assert said in halted(dataclasses.replace(broker, **change), reason)


def test_another_partition_count_halts(root):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    run(broker)
    assert "2 partitions" in halted(dataclasses.replace(broker, partitions=2), "PARTITION_COUNT")
    assert "1 partitions" in halted(dataclasses.replace(broker, partitions=2), "PARTITION_COUNT", partitions=2)


def remarked(broker, **changes):
    """Put a changed marker behind the last one."""
    number, message = next(pair for pair in reversed(broker.topics["state"]) if pair[1].key == state.MARKER_KEY)
    marker = dataclasses.replace(state.read(message.key, message.value), **changes)
    broker.topics["state"].append((number, state.marker(marker)))


@pytest.mark.parametrize("change", [{"rules_max": RULES + 1}, {"state_format": state.STATE_FORMAT + 1}])
def test_what_a_newer_version_wrote_halts_an_older_one(root, change):
    broker = Broker(records_of(plan(root), offered(1)), 2)
    run(broker)
    remarked(broker, **change)
    assert "newer version" in halted(broker, "RULES_UNKNOWN")


def test_applying_again_must_arrive_at_what_was_published(root):
    broker = Broker(records_of(plan(root), *(offered(number) for number in range(5))), 6)
    _, engine = opened(broker, snapshot_s=1000)
    engine.take(fetched(broker.input[:2]), 1.0)
    engine.turn(2.0)
    engine.take(fetched(broker.input[2:]), 3.0)
    engine.turn(4.0)
    assert engine.snapshot < 2 and engine.applied == 5
    # Somebody replaced an event after its decision was made.
    broker.input[3] = (*broker.input[3][:3], value_of(ControlEvent("a", AT, Tick())))
    log, engine = opened(broker)
    log.position = engine.position
    with pytest.raises(Halted) as caught:
        engine.take(log.fetch(10), 5.0)
    assert caught.value.reason == "DIVERGED"


def test_owners_that_change_before_they_have_caught_up_still_get_there(root):
    records, end = random_log(root, 6, 300, holes=False)
    broker = Broker(records, end)
    log, engine = opened(broker, snapshot_s=1000)
    for now in range(10):
        engine.take(log.fetch(30), float(now))
        engine.turn(now + 0.5)
    assert engine.applied == 299 and engine.snapshot == -1
    for owner in range(1, 6):
        log, engine = opened(broker, snapshot_s=1000)
        assert engine.refolding
        log.position = engine.position
        engine.take(log.fetch(50), 1.0)
        engine.close(2.0)
        assert (engine.snapshot, engine.applied) == (owner * 50 - 1, 299)
    # One that stays keeps the way it came without being told to close.
    log, engine = opened(broker, snapshot_s=1)
    log.position = engine.position
    engine.take(log.fetch(20), 1.0)
    engine.turn(1.5)
    engine.take(log.fetch(20), 3.0)
    engine.turn(3.5)
    assert engine.refolding and engine.snapshot == 289
    run(broker)
    assert_published(broker, records)


def test_a_fault_of_the_program_halts_the_partition_at_the_event_and_names_it(root, monkeypatch):
    broker = Broker(records_of(plan(root), offered(1), offered(2)), 3)
    _, engine = opened(broker)
    apply = engine.core.apply
    monkeypatch.setattr(engine.core, "apply", lambda event, at: 1 / 0 if event == offered(2) else apply(event, at))
    with pytest.raises(Halted) as caught:
        engine.take(fetched(broker.input), 1.0)
    assert caught.value.reason == "FAILED" and "offset 2" in caught.value.sentence
    engine.abandon()
    assert broker.committed("decisions") == []


def test_a_producers_clock_halts_a_live_network_and_no_other(root):
    live = records_of(plan(root, clock="LIVE"), offered(1))
    _, engine = opened(Broker(live, 2))
    with pytest.raises(Halted) as caught:
        engine.take(fetched(live, append_time=False), 1.0)
    assert caught.value.reason == "CREATE_TIME" and "LogAppendTime" in caught.value.sentence
    imported = records_of(plan(root), offered(1))
    _, engine = opened(Broker(imported, 2))
    engine.take(fetched(imported, append_time=False), 1.0)
    assert engine.position == 2
    _, engine = opened(Broker(live, 2), append_time_only=False)
    engine.take(fetched(live, append_time=False), 1.0)
    assert engine.position == 2


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
