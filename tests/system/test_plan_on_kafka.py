"""Plans put in force on a real Kafka, by a worker that runs: applied, applied again, shown, and a lost update refused."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from streams.cli import main
from streams.kafka import topics
from streams.kafka.reader import Reader
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of
from tests.system.workers import Worker, ends, environment

WAIT_S = 120
TODAY = datetime.now(UTC).date().isoformat()
"""Where every calendar begins, also of a run over midnight: it is part of a plan's version."""
HOME = partition_of(b"bank", 4)


@pytest.fixture
def bank(log_settings, root, tmp_path, monkeypatch, capsys):
    """Type commands, write plans of the bank with a limit, and start workers, which are ended with the test."""
    for name, value in environment(log_settings).items():
        monkeypatch.setenv(name, value)
    source = (root / "deploy" / "plans" / "one-site.yaml").read_text(encoding="utf-8")
    started = []

    def type_(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    def plan(limit):
        file = tmp_path / f"limit-{limit}.yaml"
        file.write_text(source.replace("limit: 15", f"limit: {limit}"), encoding="utf-8")
        code, printed = type_("plan", "check", "--json", file, "--from", TODAY)
        assert code == 0
        return file, json.loads(printed)["plans"][0]["version"]

    def apply(file, *words):
        return type_("plan", "apply", file, "--from", TODAY, *words)

    def worker(name):
        started.append(Worker(log_settings, tmp_path, name).start())
        return started[-1]

    yield SimpleNamespace(type=type_, plan=plan, apply=apply, worker=worker, settings=log_settings)
    for each in started:
        each.end()


def sent(bank):
    """How many events the bank's partition holds."""
    return ends(bank.settings)[HOME]


def applying(file):
    """`tropplein plan apply` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams", "plan", "apply", str(file), "--from", TODAY, "--wait", str(WAIT_S)],
        env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_shown(bank, version):
    """Wait until `plan show --network` shows a plan: what is in force is stored a moment later."""
    until = time.monotonic() + WAIT_S
    while True:
        code, printed = bank.type("plan", "show", "--network", "bank", "--json")
        if code == 0 and json.loads(printed)["version"] == version:
            return
        assert time.monotonic() < until, printed
        time.sleep(0.2)


def test_a_plan_is_applied_once_and_shown_as_in_force(bank):
    assert bank.type("plan", "show", "--network", "bank") == (
        2,
        "tropplein: no plan is in force for network bank: `tropplein plan apply FILE` puts one in force\n",
    )
    file, version = bank.plan(15)
    code, printed = bank.apply(file, "--wait", 0)
    assert code == 1 and "no worker has decided on it within 0 s: is one running?" in printed
    bank.worker("worker")
    wait_shown(bank, version)
    assert bank.apply(file) == (0, f"plan {version} is in force already; nothing was sent\n")
    other, changed = bank.plan(10)
    code, printed = bank.apply(other, "--dry-run")
    assert code == 0 and f"would take the place of plan {version}; nothing was sent" in printed
    assert sent(bank) == 1
    assert bank.apply(other, "--network", "msf")[0] == 2
    assert bank.apply(other, "--wait", WAIT_S) == (
        0,
        f"plan {changed} is in force from partition {HOME}, offset 1\n",
    )
    wait_shown(bank, changed)
    code, printed = bank.type("plan", "show", "--network", "bank")
    assert code == 0 and changed in printed


def test_of_two_planners_who_changed_the_same_plan_one_is_told_to_look_again(bank):
    first = bank.worker("first")
    (file, before), *changes = (bank.plan(limit) for limit in (15, 10, 5))
    code, printed = bank.apply(file, "--wait", WAIT_S)
    assert (code, printed) == (0, f"plan {before} is in force from partition {HOME}, offset 0\n")
    assert first.leave() == 0

    # Nobody decides while both compare their change with the plan in force, and send it.
    waiting = [applying(file) for file, _ in changes]
    until = time.monotonic() + WAIT_S
    while sent(bank) < 3:
        assert time.monotonic() < until
        time.sleep(0.2)
    bank.worker("second")
    told = [(process.communicate(timeout=WAIT_S)[0], process.returncode) for process in waiting]
    ((_, lost, refused),) = [(*c, text) for c, (text, code) in zip(changes, told, strict=True) if code == 1]
    ((_, won, accepted),) = [(*c, text) for c, (text, code) in zip(changes, told, strict=True) if code == 0]
    assert accepted == f"plan {won} is in force from partition {HOME}, offset 1\n"
    assert refused == (
        f"plan {lost} was refused (partition {HOME}, offset 2): "
        f"the plan replaces {before}, in force is {won}: apply it again\n"
    )
    wait_shown(bank, won)
    (letter,) = letters(bank)
    assert (letter["reason"], letter["offset"]) == ("PLAN_REPLACED", 2)

    (again,) = [file for file, version in changes if version == lost]
    assert bank.apply(again, "--wait", WAIT_S)[0] == 0
    wait_shown(bank, lost)


def letters(bank):
    with Reader(bank.settings, bank.settings.topic(topics.DEAD_LETTERS)) as reader:
        return [read_fields(value)[1] for run in reader for value in run.batch.values]
