"""A bank's month through a real Kafka and two workers, one killed half-way: decided as `tropplein decide` decides it."""

import csv
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from streams.cli import main
from streams.wire.ndjson import event_to_line
from streams.wire.partition import partition_of
from tests.bank.conftest import events_of, network_of_line
from tests.system.workers import Worker, applied, ends, environment, tropplein, wait_applied

START = "1999-01-31"
"""Where the calendars begin: the day before the month's first call."""
WAIT_S = 120
PLACE = ("partition", "offset", "index", "sequence", "input_hash", "chain")
"""What a decision says of its place in a log; everything else follows from the events alone."""


class Month:
    """The month twice over: the bank as one network, and each line of the bank as a network of its own.

    ``lines`` are all events as they come in, ``own`` those of each network.
    """

    def __init__(self, root, data, folder):
        with (data / "bank" / "calls_february.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        oracle = json.loads((data / "bank" / "expected_february.json").read_text(encoding="utf-8"))
        self.oracle = oracle["february"]["all"]["limits"]["15"]
        self.lines, self.own = [], {}
        for event in itertools.chain(*zip(events_of(rows), events_of(rows, network_of_line), strict=True)):
            line = event_to_line(event) + "\n"
            self.lines.append(line)
            self.own.setdefault(event.network, []).append(line)
        plan = (root / "deploy" / "plans" / "one-site.yaml").read_text(encoding="utf-8")
        self.plans = {network: folder / f"{network}.yaml" for network in self.own}
        for network, file in self.plans.items():
            mine = re.sub("limit: 15", "limit: 1", plan) if network != "bank" else plan
            file.write_text(re.sub("network: bank", f"network: {network}", mine), encoding="utf-8")
        self._folder = folder

    def decide(self, network):
        """What `tropplein decide` makes of a network's own events."""
        events, out = self._folder / f"{network}.ndjson", self._folder / f"{network}.decisions"
        events.write_text("".join(self.own[network]), encoding="utf-8")
        assert (
            main(["decide", f"{events}", "--plan", f"{self.plans[network]}", "--from", START, "--out", f"{out}"]) == 0
        )
        return by_network(out.read_text(encoding="utf-8"))[network]


def by_network(printed):
    """Decisions without their places, in their order; as text, which costs the garbage collector nothing."""
    found = {}
    for line in printed.splitlines():
        fields = json.loads(line)
        placeless = json.dumps({name: value for name, value in fields.items() if name not in PLACE})
        found.setdefault(fields["network"], []).append(placeless)
    return found


@pytest.fixture
def month(root, data, tmp_path):
    return Month(root, data, tmp_path)


@pytest.fixture
def pair(log_settings, tmp_path):
    """Two workers that share the partitions."""
    workers = [Worker(log_settings, tmp_path, name).start() for name in ("first", "second")]
    everything = set(range(log_settings.partitions))
    wait_until(lambda: all(map(owned, workers)) and set.union(*map(owned, workers)) == everything, workers)
    yield workers
    for worker in workers:
        worker.end()


def wait_until(condition, workers):
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, "\n".join(worker.tail() for worker in workers)
        for worker in workers:
            worker.check()
        time.sleep(0.5)


def owned(worker):
    """The partitions a worker was assigned last, as its log tells."""
    found = re.findall(r"assigned partitions \[([\d, ]*)\]", worker.log())
    return {int(number) for number in found[-1].split(",") if number} if found else set()


@contextmanager
def producing(settings):
    """`tropplein produce -` to be fed; everything is sent when the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "streams", "produce", "-", "--clock", "events"],
        env=os.environ | environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process.stdin
        said, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, said


def put_in_force(settings, month, monkeypatch):
    """`tropplein plan apply` for every network; the bank's in a process of its own, the others' here, side by side."""
    done = tropplein(settings, "plan", "apply", str(month.plans["bank"]), "--from", START)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    lines = [str(file) for network, file in month.plans.items() if network != "bank"]
    with ThreadPoolExecutor(8) as threads:
        codes = threads.map(lambda file: main(["plan", "apply", file, "--from", START, "--wait", str(WAIT_S)]), lines)
        assert set(codes) == {0}


def test_two_workers_one_killed_half_way_decide_the_month_as_decide_does(log_settings, month, pair, monkeypatch):
    put_in_force(log_settings, month, monkeypatch)
    home = partition_of(b"bank", log_settings.partitions)
    coming = sum(len(own) for name, own in month.own.items() if partition_of(name.encode(), 4) == home)
    owner, other = pair if home in owned(pair[0]) else reversed(pair)
    spread = {partition_of(network.encode(), 4) for network in month.own if network != "bank"}
    assert spread & owned(owner) and spread & owned(other)

    half = len(month.lines) // 2
    with producing(log_settings) as feed:
        feed.writelines(month.lines[:half])
        feed.flush()
        wait_until(lambda: applied(log_settings)[home] > coming / 4, pair)
        owner.kill()
        feed.writelines(month.lines[half:])
    wait_applied(log_settings, [other])
    assert other.leave() == 0

    verified = tropplein(log_settings, "replay", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["events"] == len(month.lines) + len(month.own)
    assert sum(ends(log_settings).values()) == len(month.lines) + len(month.own)

    printed = tropplein(log_settings, "decisions", "--json")
    assert printed.returncode == 0, printed.stderr
    found = by_network(printed.stdout)
    assert found.keys() == month.own.keys()
    for network, decisions in found.items():
        assert decisions == month.decide(network), network
    assert fingerprint(overflowing(found.pop("bank"))) == month.oracle["overflow_rows_sha256"]
    assert sum(len(overflowing(decisions)) for decisions in found.values()) > 1_000


def overflowing(decisions):
    """The rows of the calls that overflow."""
    over = (each for each in map(json.loads, decisions) if each["verdict"] == "OVERFLOW")
    return sorted(int(each["call_id"].split("#")[1]) for each in over)


def fingerprint(rows):
    """As an independent oracle gives it."""
    return hashlib.sha256("\n".join(map(str, rows)).encode()).hexdigest()
