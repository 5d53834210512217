"""What a careless sender can append: each is one dead letter that says why, or is handled, and the partition goes on.

One worker runs through all of it, with a real registry beside it; at the end its outputs are the fold of the input.
"""

import dataclasses
import itertools
import json
import re
import time
import urllib.request
import uuid
import zlib

import pytest
from confluent_kafka import Producer

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.core.plan import DAY_US
from streams.kafka import topics
from streams.kafka.events import event_publisher
from streams.kafka.reader import Reader
from streams.kafka.registry import Registry
from streams.settings import Settings
from streams.wire.contract import CONTRACT
from streams.wire.encoders import encoder
from streams.wire.framing import REGISTRY, FramingWriter
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of
from tests.system.workers import Worker, applied, ends, plan_of, tropplein

WAIT_S = 120
PARTITIONS = 4
HOME = partition_of(b"bank", PARTITIONS)
ELSEWHERE = next(name for name in map("net-{}".format, range(9)) if partition_of(name.encode(), PARTITIONS) != HOME)
TWENTY_YEARS_US = 20 * 365 * DAY_US
SINGLE = FramingWriter().prefix("CallEvent")
BODY = encoder("CallEvent")
NETWORK = b"\x08bank"
"""The first field of a body."""
_numbers = itertools.count()


def question(call_id=None, *, network="bank", at=None):
    """An offered call that asks; `sw/…` with letters where none is given, digits could be taken for a number."""
    if call_id is None:
        call_id = "sw/" + f"{next(_numbers):04d}".translate(str.maketrans("0123456789", "ghijklmnop"))
    return CallEvent(network, "bank", call_id, "OFFERED", at or time.time_ns() // 1000, "sw", asks=True)


class Post:
    """A topic set with the bank's plan in force, a worker that runs, and what each of them says."""

    def __init__(self, settings, worker):
        self.settings = settings
        self.worker = worker
        self.ids = {}
        self.senders = {}

    def append(self, *values, key=b"bank", into=HOME, **config):
        """Append records in one batch, as a stranger's client would; returns their offsets and the partition."""
        sender = self.sender(**config)
        done = []
        for value in values:
            sender.produce(
                self.settings.topic(topics.CALL_EVENTS), value, key, into,
                on_delivery=lambda error, message: done.append((error, message.offset(), message.partition())),
            )  # fmt: skip
        sender.flush()
        assert [error for error, *_ in done] == [None] * len(values)
        return [offset for _, offset, _ in done], done[0][2]

    def sender(self, **config):
        config = {name.replace("_", "."): value for name, value in config.items()}
        known = tuple(sorted(config.items()))
        if known not in self.senders:
            self.senders[known] = Producer(
                {"bootstrap.servers": self.settings.brokers, "linger.ms": 50, "message.max.bytes": 3_000_000} | config
            )
        return self.senders[known]

    def goes_on(self, into=HOME):
        """Ask a good question and wait for its answer, behind everything that was appended before."""
        network = "bank" if into == HOME else next(
            name for name in map("good-{}".format, range(99)) if partition_of(name.encode(), PARTITIONS) == into
        )  # fmt: skip
        asked = question(network=network)
        self.append(SINGLE + BODY(asked), key=network.encode(), into=into)
        self.wait(lambda: asked.call_id in self.decided(into))

    def decided(self, partition=HOME):
        return [each["call_id"] for each in self.records(topics.DECISIONS, partition)]

    def letters(self, partition, offsets):
        """The dead letters of these records; the worker has gone past them."""
        return [each for each in self.records(topics.DEAD_LETTERS, partition) if each["offset"] in offsets]

    def records(self, kind, partition):
        with Reader(self.settings, self.settings.topic(kind), partitions=(partition,)) as reader:
            return [read_fields(value, self.ids)[1] for run in reader for value in run.batch.values]

    def wait(self, condition):
        until = time.monotonic() + WAIT_S
        while not condition():
            self.worker.check()
            assert time.monotonic() < until, self.worker.tail()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def post(kafka_broker, registry_node, root, tmp_path_factory):
    settings = Settings(
        brokers=kafka_broker, registry_url=registry_node.url, prefix="bad-input.", app="bad-input",
        partitions=PARTITIONS, replication=1, min_insync=1,
    )  # fmt: skip
    topics.create(settings)
    found = Registry(settings, timeout_s=WAIT_S).register()
    worker = Worker(settings, tmp_path_factory.mktemp("bad-input")).start()
    post = Post(settings, worker)
    post.ids = {number: CONTRACT.newest(name).fingerprint for name, number in found.items()}
    plan = dataclasses.replace(plan_of(root, "bank", limit=1_000), clock="LIVE")
    try:
        with event_publisher(settings) as publisher:
            publisher.send(ControlEvent("bank", time.time_ns() // 1000, PlanApplied(plan, 1)))
        post.goes_on()
        yield post
    finally:
        worker.end()
        post.senders.clear()


def test_a_record_that_is_no_event_is_one_dead_letter_that_says_why(post):
    whole = SINGLE + BODY(question())
    bad = {
        "the record has no value": ("EMPTY", None),
        "was it written as JSON or without a schema?": ("BAD_FRAMING", json.dumps({"network": "bank"}).encode()),
        "more than 900000": ("TOO_LARGE", whole + b"x" * 1_047_000),
        "the schema is not of this contract": ("UNKNOWN_SCHEMA", SINGLE[:2] + b"otherone" + whole[10:]),
        "SiteState is no event": ("UNKNOWN_SCHEMA", FramingWriter().prefix("SiteState") + b"\2a"),
        "call_id holds what looks like a telephone number": ("BAD_ID", SINGLE + BODY(question("sw/0612345678"))),
        "caller is not a pseudonym": ("BAD_CALLER", SINGLE + BODY(question()._replace(caller="0612345678"))),
        "between 1970 and 2200": ("BAD_TIME", SINGLE + BODY(question(at=-1))),
        "the key is not the network": ("WRONG_KEY", SINGLE + BODY(question(network=ELSEWHERE))),
    }
    (*offsets,), _ = post.append(*(value for _, value in bad.values()), compression_type="none")
    post.goes_on()
    letters = post.letters(HOME, offsets)
    assert [(each["partition"], each["offset"], each["reason"]) for each in letters] == [
        (HOME, offset, reason) for offset, (reason, _) in zip(offsets, bad.values(), strict=True)
    ]
    for letter, (text, (_, value)) in zip(letters, bad.items(), strict=True):
        assert text in letter["text"]
        assert letter["length"] == len(value or b"")
        assert "0612345678" not in str(letter)


def test_two_megabytes_that_were_small_on_their_way_are_one_bounded_dead_letter(post):
    value = SINGLE + BODY(question()) + b"x" * 1_900_000
    (offset,), _ = post.append(value, compression_type="lz4")
    post.goes_on()
    (letter,) = post.letters(HOME, [offset])
    assert (letter["reason"], letter["length"], len(letter["value"])) == ("TOO_LARGE", len(value), 65_536)


def test_bytes_that_moved_to_the_next_record_spoil_those_two_and_no_other(post):
    good = [question() for _ in range(60)]
    values = [SINGLE + BODY(each) for each in good]
    # Joined they are two good bodies, and a reader that does not look for boundaries takes them for such.
    left, right = BODY(question("sw/left")), BODY(question("sw/right"))
    values[20:20] = [SINGLE + left[:-3], SINGLE + NETWORK + left[-3:] + right.removeprefix(NETWORK)]
    values[50:50] = [SINGLE + BODY(question("sw/longer")) + b"\0"]
    offsets, _ = post.append(*values)
    post.goes_on()
    decided = post.decided()
    assert {each.call_id for each in good} <= set(decided)
    assert not {"sw/left", "sw/right", "sw/longer"} & set(decided)
    letters = post.letters(HOME, offsets)
    assert [each["offset"] for each in letters] == [offsets[20], offsets[21], offsets[50]]
    assert {each["reason"] for each in letters} == {"BAD_AVRO"}


def test_a_partitioner_that_is_not_ours_is_named_with_its_cure(post):
    strayed = next(
        name for name in map("stray-{}".format, range(99))
        if zlib.crc32(name.encode()) % PARTITIONS != partition_of(name.encode(), PARTITIONS)
    )  # fmt: skip
    right = partition_of(strayed.encode(), PARTITIONS)
    value = SINGLE + BODY(question(network=strayed))
    (offset,), landed = post.append(value, key=strayed.encode(), into=-1, partitioner="consistent_random")
    assert landed != right
    post.goes_on(landed)
    (letter,) = post.letters(landed, [offset])
    assert letter["reason"] == "WRONG_PARTITION"
    assert f"belongs to partition {right} of 4, not {landed}" in letter["text"]
    assert "partitioner=murmur2_random" in letter["text"]


def test_a_clock_twenty_years_back_is_counted_and_its_call_decided_and_recorded(post):
    back = time.time_ns() // 1000 - TWENTY_YEARS_US
    asked = question("sw/old", at=back)
    call = [asked, asked._replace(type="ANSWERED", asks=False), asked._replace(type="ENDED", asks=False)]
    sender = post.sender()
    for event in call:
        sender.produce(
            post.settings.topic(topics.CALL_EVENTS), SINGLE + BODY(event), b"bank", HOME, timestamp=back // 1000
        )
    sender.flush()
    post.goes_on()
    (decision,) = (each for each in post.records(topics.DECISIONS, HOME) if each["call_id"] == "sw/old")
    (record,) = (each for each in post.records(topics.CALL_RECORDS, HOME) if each["call_id"] == "sw/old")
    assert decision["verdict"] == "ADMIT"
    assert record["outcome"] == "ANSWERED_SITE"
    assert record["offered_at"] > back + TWENTY_YEARS_US - 61_000_000
    (url,) = re.findall(r"metrics and health on (\S+)", post.worker.log())
    with urllib.request.urlopen(f"{url.rstrip('/')}/metrics", timeout=10) as page:
        shown = page.read().decode()
    assert re.search(r'tropplein_events_clamped_total\{network="bank",switch="other"\} 3\.0', shown)


def test_what_was_aborted_never_happened_and_leaves_no_hole_to_fall_into(post):
    sender = Producer({"bootstrap.servers": post.settings.brokers, "transactional.id": f"stranger-{uuid.uuid4()}"})
    sender.init_transactions()
    topic = post.settings.topic(topics.CALL_EVENTS)
    for number in range(6):
        sender.begin_transaction()
        sender.produce(
            topic, SINGLE + BODY(question(f"sw/{'done' if number % 2 else 'aborted'}-{number}")), b"bank", HOME
        )
        sender.flush()
        (sender.commit_transaction if number % 2 else sender.abort_transaction)()
    post.goes_on()
    told = [call_id for call_id in post.decided() if call_id.startswith(("sw/done", "sw/aborted"))]
    assert told == ["sw/done-1", "sw/done-3", "sw/done-5"]
    sender.begin_transaction()
    sender.produce(topic, SINGLE + BODY(question("sw/aborted-last")), b"bank", HOME)
    sender.flush()
    sender.abort_transaction()
    # Nothing but the trace of the transaction stands behind: the worker is at the end all the same.
    post.wait(lambda: applied(post.settings)[HOME] == ends(post.settings)[HOME] - 1)
    post.goes_on()
    assert "sw/aborted-last" not in post.decided()


def registered(url, schema):
    """Register a schema under a subject of its own; returns its number."""
    body = json.dumps({"schema": json.dumps(schema), "schemaType": "AVRO"}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    request = urllib.request.Request(f"{url}/subjects/{uuid.uuid4()}/versions", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())["id"]


def by_id(number, event):
    return REGISTRY + number.to_bytes(4, "big") + BODY(event)


def test_a_schema_id_nobody_can_translate_waits_alone_until_the_registry_is_back(post, registry_node):
    # The same schema in other words: a number this worker never met.
    number = registered(registry_node.url, dict(CONTRACT.newest("CallEvent").source) | {"doc": "in other words"})
    waits = question("sw/waits")
    registry_node.pause()
    try:
        post.append(by_id(number, waits))
        behind = question("sw/behind")
        post.append(SINGLE + BODY(behind))
        post.worker.wait_for(f"schema id {number} is unknown and the registry does not answer", WAIT_S)
        for partition in set(range(PARTITIONS)) - {HOME}:
            post.goes_on(partition)
        assert not {"sw/waits", "sw/behind"} & set(post.decided())
    finally:
        registry_node.proceed()
    post.wait(lambda: post.decided()[-2:] == ["sw/waits", "sw/behind"])
    post.goes_on()


@pytest.mark.parametrize("number", [999_999, 0, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_schema_id_the_registry_does_not_know_either_is_a_dead_letter_and_no_wait(post, number):
    (offset,), _ = post.append(by_id(number, question()))
    post.goes_on()
    (letter,) = post.letters(HOME, [offset])
    assert (letter["reason"], letter["schema_id"]) == ("UNKNOWN_SCHEMA", number)


def test_a_schema_of_somebody_else_in_the_same_registry_is_a_dead_letter(post, registry_node):
    other = {"type": "record", "name": "Other", "fields": [{"name": "network", "type": "string"}]}
    (offset,), _ = post.append(by_id(registered(registry_node.url, other), question()))
    post.goes_on()
    (letter,) = post.letters(HOME, [offset])
    assert letter["reason"] == "UNKNOWN_SCHEMA"


def test_after_all_of_it_every_output_is_the_fold_of_the_input(post):
    assert post.worker.leave() == 0
    verified = tropplein(post.settings, "replay", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "halted" not in post.worker.log()
