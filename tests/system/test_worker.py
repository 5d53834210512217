"""Workers on a real Kafka: what they publish is the fold of the input, whatever happens to them."""

import json
import threading

import pytest

from tests.system.workers import Worker, calls, publish, tropplein, wait_applied


@pytest.fixture
def start(log_settings, tmp_path):
    """A function that starts a worker; all are ended with the test."""
    started = []

    def start(name="worker", **environ):
        worker = Worker(log_settings, tmp_path, name, **environ).start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.end()


def assert_verified(settings, at_least=1):
    verified = tropplein(settings, "replay", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    found = json.loads(verified.stdout)
    assert found["identical"]["decisions"] >= at_least and not found["divergences"]
    return found


def test_from_events_to_verified_outputs_and_on_after_a_restart(log_settings, root, start):
    publish(log_settings, calls(root, 8, 3_000))
    worker = start()
    wait_applied(log_settings, [worker])
    assert worker.leave() == 0
    assert_verified(log_settings, 1_000)
    publish(log_settings, list(calls(root, 8, 6_000, seed=2))[8:])
    again = start("again")
    wait_applied(log_settings, [again])
    assert again.leave() == 0
    found = assert_verified(log_settings, 3_000)
    assert found["identical"]["site-state"] == 16


def test_verify_says_which_record_differs_when_something_was_written_past_the_worker(log_settings, root, start):
    from confluent_kafka import Producer

    publish(log_settings, calls(root, 4, 200))
    worker = start()
    wait_applied(log_settings, [worker])
    worker.leave()
    producer = Producer({"bootstrap.servers": log_settings.brokers})
    producer.produce(log_settings.topic("decisions"), b"forged", b"net-00", 1)
    producer.flush()
    verified = tropplein(log_settings, "replay", "verify")
    assert verified.returncode == 1
    assert "decisions, partition 1" in verified.stdout and "must be: no such record" in verified.stdout
    assert b"forged".hex() in verified.stdout


def test_kills_joins_and_leaves_under_load_change_nothing(log_settings, root, start):
    events = list(calls(root, 12, 40_000))
    thread = threading.Thread(target=publish, args=(log_settings, events), kwargs={"rate": 2_000})
    first = start("first")
    thread.start()
    first.wait_for("opened")
    second = start("second")
    second.wait_for("opened")
    first.kill()
    second.wait_for("assigned partitions [0, 1, 2, 3]")
    third = start("third")
    third.wait_for("opened")
    assert second.leave() == 0
    thread.join()
    wait_applied(log_settings, [third])
    assert_verified(log_settings, 10_000)
