"""Records that would stop a careless worker: each ends as the rules say, and its partition goes on."""

import dataclasses
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.core.plan import DAY_US
from streams.kafka import topics
from streams.kafka.reader import Reader
from streams.wire.contract import CONTRACT
from streams.wire.encoders import encoder
from streams.wire.framing import FramingWriter
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of
from tests.system.workers import T0, Worker, plan_of, tropplein, wait_applied

SINGLE = FramingWriter()


@pytest.fixture
def log(log_settings, root, tmp_path):
    """One network with its plan in force and a worker that decides for it; `send` appends raw records."""
    producer = Producer({"bootstrap.servers": log_settings.brokers, "message.max.bytes": 1_048_588})
    partition = partition_of(b"net", log_settings.partitions)

    def send(value, *, key=b"net", into=partition, **more):
        producer.produce(log_settings.topic(topics.CALL_EVENTS), value, key, into, **more)
        producer.flush()

    send(framed(ControlEvent("net", T0, PlanApplied(plan_of(root, "net"), 1))))
    made = SimpleNamespace(
        settings=log_settings, send=send, partition=partition, worker=Worker(log_settings, tmp_path), root=root
    )
    yield made
    made.worker.end()


def framed(event, registry_id=None):
    name = type(event).__name__
    prefix = SINGLE.prefix(name) if registry_id is None else b"\0" + registry_id.to_bytes(4, "big")
    return prefix + encoder(name)(event)


def offered(call_id, at=T0, network="net"):
    return CallEvent(network, "bank", f"sw/{call_id}", "OFFERED", at, "sw", asks=True)


def records(settings, kind, ids=None):
    with Reader(settings, settings.topic(kind)) as reader:
        return [read_fields(value, ids or {})[1] for run in reader for value in run.batch.values if value is not None]


def letters(log):
    return [
        (letter["reason"], letter["text"], letter["length"]) for letter in records(log.settings, topics.DEAD_LETTERS)
    ]


def decided(log, ids=None):
    return [decision["call_id"].removeprefix("sw/") for decision in records(log.settings, topics.DECISIONS, ids)]


def finish(log):
    """Let the worker apply everything; what it published must be the fold of the input."""
    if log.worker.process is None:
        log.worker.start()
    wait_applied(log.settings, [log.worker])
    assert log.worker.leave() == 0
    verified = tropplein(log.settings, "replay", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_record_as_large_as_the_topic_takes_becomes_a_bounded_dead_letter(log):
    log.send(framed(offered("before")))
    log.send(framed(offered("huge")) + b"x" * 1_000_000)
    log.send(framed(offered("after")))
    finish(log)
    assert decided(log) == ["before", "after"]
    ((reason, _, length),) = letters(log)
    assert reason == "TOO_LARGE" and length > 1_000_000


def test_bytes_shifted_from_one_record_to_its_neighbour_are_two_dead_letters(log):
    first, second = framed(offered("first")), framed(offered("second"))
    frame = len(SINGLE.prefix("CallEvent"))
    for number in range(20):
        log.send(framed(offered(f"before-{number}")))
    # Joined, the two bodies are the same bytes as before.
    log.send(first[:-1])
    log.send(second[:frame] + first[-1:] + second[frame:])
    for number in range(20):
        log.send(framed(offered(f"after-{number}")))
    finish(log)
    assert len(decided(log)) == 40 and not {"first", "second"} & set(decided(log))
    assert [reason for reason, _, _ in letters(log)] == ["BAD_AVRO", "BAD_AVRO"]


def test_a_record_in_a_partition_that_is_not_its_keys_is_told_the_usual_cause(log):
    log.send(framed(offered("astray")), into=(log.partition + 1) % 4)
    log.send(framed(offered("right")))
    finish(log)
    assert decided(log) == ["right"]
    ((reason, text, _),) = letters(log)
    assert reason == "WRONG_PARTITION" and "murmur2_random" in text


def test_a_clock_twenty_years_back_is_clamped_counted_and_the_call_decided(log):
    live = dataclasses.replace(plan_of(log.root, "live"), clock="LIVE")
    into = partition_of(b"live", 4)
    back = T0 - 20 * 365 * DAY_US
    log.send(framed(ControlEvent("live", T0, PlanApplied(live, 1))), key=b"live", into=into)
    log.send(framed(offered("old", back, "live")), key=b"live", into=into, timestamp=back // 1000)
    log.send(framed(CallEvent("live", "bank", "sw/old", "ENDED", back, "sw")), key=b"live", into=into)
    finish(log)
    (decision,) = records(log.settings, topics.DECISIONS)
    assert decision["call_id"] == "sw/old" and decision["verdict"] == "ADMIT"
    (record,) = records(log.settings, topics.CALL_RECORDS)
    assert record["offered_at"] > T0 and record["ended_at"] > T0
    assert letters(log) == []


def test_records_of_an_aborted_transaction_were_never_there(log):
    sender = Producer({"bootstrap.servers": log.settings.brokers, "transactional.id": f"other-{log.settings.app}"})
    sender.init_transactions()
    for number in range(6):
        sender.begin_transaction()
        sender.produce(log.settings.topic(topics.CALL_EVENTS), framed(offered(f"call-{number}")), b"net", log.partition)
        sender.flush()
        sender.abort_transaction() if number % 2 else sender.commit_transaction()
        if number == 2:
            log.worker.start()
            log.worker.wait_for("opened")
    finish(log)
    assert decided(log) == ["call-0", "call-2", "call-4"]


class StubRegistry:
    """A registry's answers over HTTP, which can be told to be down."""

    def __init__(self):
        self.down = False
        self.sources = {number: dict(schema.source) for number, schema in enumerate(CONTRACT, 1)}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status, body):
                raw = json.dumps(body).encode()
                self.send_response(503 if registry.down else status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def do_GET(self):
                number = int(self.path.rpartition("/")[2])
                source = registry.sources.get(number)
                self._answer(
                    200 if source else 404, {"schema": json.dumps(source)} if source else {"error_code": 40403}
                )

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(200, {"id": registry.id_of(json.loads(body["schema"])["name"])})

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def id_of(self, name):
        return next(number for number, source in self.sources.items() if source["name"] == name)


def test_with_the_registry_down_an_unknown_schema_id_waits_and_then_is_decided(log, tmp_path):
    registry = StubRegistry()
    log.settings = dataclasses.replace(log.settings, registry_url=registry.url)
    log.worker = Worker(log.settings, tmp_path, "with-registry").start()
    wait_applied(log.settings, [log.worker])
    registry.down = True
    # Another partition is not held up by the one that waits.
    elsewhere = next(
        name for name in ("n0", "n1", "n2", "n3", "n4", "n5") if partition_of(name.encode(), 4) != log.partition
    )
    log.send(framed(offered("waits"), registry.id_of("CallEvent")))
    log.send(framed(offered("behind")))
    log.send(
        framed(offered("elsewhere", network=elsewhere)),
        key=elsewhere.encode(),
        into=partition_of(elsewhere.encode(), 4),
    )
    log.worker.wait_for("schema id")
    until_ids = {number: CONTRACT.newest(source["name"]).fingerprint for number, source in registry.sources.items()}
    assert decided(log, until_ids) in ([], ["elsewhere"])
    registry.down = False
    wait_applied(log.settings, [log.worker])
    assert sorted(decided(log, until_ids)) == ["behind", "elsewhere", "waits"]
    finish(log)
    registry.server.shutdown()
    registry.server.server_close()


def test_a_live_network_gets_its_time_from_ticks_when_no_events_come(log):
    plan = plan_of(log.root, "live")
    site = plan.sites[0]
    leases = dataclasses.replace(site.leases, waiting_us=2_000_000)
    live = dataclasses.replace(plan, clock="LIVE", sites=(dataclasses.replace(site, leases=leases),))
    into = partition_of(b"live", 4)
    log.worker.start()
    log.worker.wait_for("opened")
    log.send(framed(ControlEvent("live", T0, PlanApplied(live, 1))), key=b"live", into=into)
    log.send(framed(offered("silent", int(time.time() * 1e6), "live")), key=b"live", into=into)
    until = time.monotonic() + 30
    while not any(found["suspects"] for found in records(log.settings, topics.SITE_STATE)):
        assert time.monotonic() < until
        time.sleep(0.5)
    finish(log)
