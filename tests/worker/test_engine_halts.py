"""One engine: when it halts, and what it then says."""

import dataclasses

import pytest

from streams.core import RULES
from streams.core.events import ControlEvent, Tick
from streams.wire import state
from streams.wire.ledger import Message
from streams.worker.log import Halted
from tests.worker.calls import random_log, value_of
from tests.worker.memory_log import Broker
from tests.worker.one_engine import AT, fetched, offered, opened, plan, records_of, run
from tests.worker.test_engine_crashes import assert_published


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
