"""What the topics hold against the fold: identical, or the first record that is not, with both sides."""

from collections import defaultdict

import pytest

from streams.replay.compare import Published, compare
from streams.replay.fold import Fold
from streams.wire.contract import CONTRACT
from streams.wire.framing import FramingWriter
from streams.wire.log import Batch
from tests.worker.calls import FRAMING, IDS, random_log

KINDS = ("decisions", "call-records", "site-state")
REGISTERED = FramingWriter({schema.name: number for number, schema in enumerate(CONTRACT, 1)})


def fold(framing=FRAMING):
    return Fold(0, 1, ids=IDS, framing=framing)


@pytest.fixture
def batches(root):
    records, _ = random_log(root, 8)
    return [Batch(*map(list, zip(*records[at : at + 25], strict=True))) for at in range(0, len(records), 25)]


@pytest.fixture
def topics(batches):
    """What a worker would have written, by kind; site states twice, the first of no meaning."""
    found = defaultdict(list)
    made = fold()
    for batch in batches:
        for message in made.feed(batch):
            found[message.kind].append(message)
    states = made.site_states(999)
    found["site-state"] = [
        message._replace(value=FRAMING.prefix("SiteState") + b"older") for message in states
    ] + states
    return found


def compared(batches, topics, framing=FRAMING, wanted=KINDS):
    def read(kind):
        return (Published(offset, message.key, message.value) for offset, message in enumerate(topics[kind]))

    for last in compare(fold(framing), 0, batches, read, wanted=wanted):
        result = last
    return result


def test_what_the_fold_gives_is_identical_record_by_record(batches, topics):
    result = compared(batches, topics)
    assert result.divergence is None and result.events == sum(len(batch.offsets) for batch in batches)
    assert result.identical == {kind: len(topics[kind]) for kind in ("decisions", "call-records", "dead-letters")} | {
        "site-state": 4
    }
    assert min(result.identical.values()) > 3


def test_another_framing_of_the_same_body_is_identical(batches, topics):
    assert compared(batches, topics, REGISTERED).divergence is None


@pytest.mark.parametrize("kind", ["decisions", "call-records", "dead-letters"])
def test_one_changed_byte_is_found_where_it_stands(batches, topics, kind):
    message = topics[kind][2]
    value = bytearray(message.value)
    value[-1] ^= 1
    topics[kind][2] = message._replace(value=bytes(value))
    divergence = compared(batches, topics).divergence
    assert (divergence.kind, divergence.number) == (kind, 2)
    assert divergence.expected == message and divergence.found.value == bytes(value)


@pytest.mark.parametrize("kind", ["decisions", "call-records", "dead-letters"])
def test_a_lost_record_is_found_though_all_behind_it_moved_up(batches, topics, kind):
    del topics[kind][1]
    divergence = compared(batches, topics).divergence
    assert (divergence.kind, divergence.number) == (kind, 1)


@pytest.mark.parametrize("kind", ["decisions", "call-records", "dead-letters"])
def test_a_missing_end_and_a_surplus_end_are_found(batches, topics, kind):
    last = topics[kind].pop()
    divergence = compared(batches, topics).divergence
    assert divergence.kind == kind and divergence.expected == last and divergence.found is None
    topics[kind] += [last, last]
    divergence = compared(batches, topics).divergence
    assert divergence.kind == kind and divergence.expected is None and divergence.found.value == last.value


def test_another_key_differs(batches, topics):
    topics["decisions"][0] = topics["decisions"][0]._replace(key=b"other")
    assert compared(batches, topics).divergence.number == 0


def test_the_last_site_state_of_each_key_counts_and_its_offset_does_not(batches, topics):
    topics["site-state"].append(topics["site-state"][0])
    assert compared(batches, topics).divergence.kind == "site-state"


def test_a_site_state_of_a_site_that_is_not_there_differs(batches, topics):
    topics["site-state"].append(topics["site-state"][-1]._replace(key=b"a/gone"))
    divergence = compared(batches, topics).divergence
    assert divergence.found.key == b"a/gone" and divergence.expected is None
    topics["site-state"].append(topics["site-state"][-1]._replace(value=None))
    assert compared(batches, topics).divergence is None


def test_an_output_that_is_not_wanted_is_not_looked_at(batches, topics):
    topics["site-state"].clear()
    assert compared(batches, topics, wanted=("decisions", "call-records")).divergence is None
