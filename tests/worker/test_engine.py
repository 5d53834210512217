"""One engine: what it takes, when it waits, and when it writes."""

import pytest

from streams.wire import state
from streams.wire.log import Batch
from streams.worker.log import Fenced, Fetched
from tests.worker.calls import IDS, REGISTRY_ID, random_log, value_of
from tests.worker.memory_log import Broker
from tests.worker.one_engine import fetched, offered, opened, plan, records_of, run
from tests.worker.test_engine_crashes import assert_published

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
