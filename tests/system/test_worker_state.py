"""A partition that cannot go on halts alone, says what to do, and goes on after it was done."""

import pytest
from confluent_kafka import Producer

from streams.kafka import topics
from streams.settings import Settings
from tests.system.nodes import KafkaNode
from tests.system.workers import Worker, applied, calls, ends, publish, tropplein, wait_applied


@pytest.fixture
def start(log_settings, tmp_path):
    started = []

    def start(name):
        started.append(Worker(log_settings, tmp_path, name).start())
        return started[-1]

    yield start
    for worker in started:
        worker.end()


def test_a_spoilt_state_halts_its_partition_alone_and_is_rebuilt_without_doubling_an_output(log_settings, root, start):
    publish(log_settings, calls(root, 8, 2_000))
    worker = start("before")
    wait_applied(log_settings, [worker])
    assert worker.leave() == 0
    spoiler = Producer({"bootstrap.servers": log_settings.brokers})
    spoiler.produce(log_settings.topic(topics.STATE), b"not a head", b"n/net-00/h", 1)
    spoiler.flush()

    publish(log_settings, list(calls(root, 8, 4_000, seed=2))[8:])
    worker = start("halted")
    worker.wait_for("partition 1 is halted (STATE_UNREADABLE)")
    worker.wait_for("tropplein state rebuild --partition 1")
    goal = ends(log_settings)
    while any(applied(log_settings)[number] < goal[number] - 1 for number in (0, 2, 3)):
        worker.check()
    assert applied(log_settings)[1] < goal[1] - 1

    rebuilt = tropplein(log_settings, "state", "rebuild", "--partition", "1")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "partition 1 is rebuilt" in rebuilt.stdout
    assert worker.leave() == 0
    worker = start("after")
    worker.wait_for("partition 1 opened")
    wait_applied(log_settings, [worker])
    assert worker.leave() == 0
    verified = tropplein(log_settings, "replay", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_worker_waits_for_brokers_that_are_away_when_it_starts(tmp_path, kafka_node_of_its_own):
    node, settings = kafka_node_of_its_own
    node.stop()
    worker = Worker(settings, tmp_path, "early").start()
    try:
        worker.wait_for("waiting")
        worker.check()
        node.start()
        worker.wait_for("opened", timeout_s=120)
        assert worker.leave() == 0
    finally:
        worker.end()


@pytest.fixture
def kafka_node_of_its_own(tmp_path):
    folder = tmp_path / "node"
    folder.mkdir()
    node = KafkaNode(folder)
    settings = Settings(brokers=node.brokers, partitions=2, replication=1, min_insync=1)
    topics.create(settings)
    yield node, settings
    node.remove()
