"""Worlds drawn from seeds: whatever switches, people and restarts do, the auditor's books agree with the core."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from streams.core.decisions import ExcessCause, Outcome, Reason, UndecidedCause
from tests.simulation.auditor import Auditor
from tests.simulation.run import Run, command, simulate

pytestmark = pytest.mark.no_cover  # the tables trace every branch in a hundredth of the time

SEEDS = range(1, 25)
HERE = Path(__file__).parent


def test_the_auditor_finds_nothing_and_every_reason_outcome_and_cause_is_reached():
    found = [simulate(seed) for seed in SEEDS]
    for each in found:
        assert not each.faults, f"seed {each.seed}, again: {command(each.seed)}\n" + "\n".join(each.faults[:5])
    assert sum(each.questions for each in found) > 5_000
    assert {reason for each in found for reason in each.reasons} == set(Reason)
    assert {outcome for each in found for outcome in each.outcomes} == set(Outcome)
    assert {cause for each in found for cause in each.excesses} == set(ExcessCause)
    assert {cause for each in found for cause in each.causes} == set(UndecidedCause)


def test_the_first_worlds_have_no_fault():
    for seed in (1, 2):
        assert simulate(seed).faults == []


def test_the_same_seed_brings_the_same_world_back():
    assert simulate(3) == simulate(3)


@pytest.mark.parametrize("name", ["auditor", "books", "rules"])
def test_the_auditor_imports_nothing_of_ours(name):
    tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not [module for module in imported if module.split(".")[0] == "streams"]
    assert all(m.startswith("tests.simulation.") for m in imported if m.startswith("tests"))


def lose_a_decision(rows):
    return [row for row in rows if "verdict" not in row]


def double_a_record(rows):
    return [row for row in rows for _ in range(1 + ("outcome" in row))]


def admit_everybody(rows):
    return [row | {"verdict": "ADMIT", "target": row["site"]} if row.get("verdict") == "BLOCK" else row for row in rows]


def lose_a_record(rows):
    return [row for row in rows if "outcome" not in row]


@pytest.mark.parametrize("lie", [lose_a_decision, double_a_record, admit_everybody, lose_a_record])
def test_the_auditor_sees_a_lie(lie, monkeypatch):
    honest = Auditor.see
    monkeypatch.setattr(Auditor, "see", lambda self, row, now, outputs: honest(self, row, now, lie(outputs)))
    assert simulate(1).faults


def test_the_auditor_sees_a_seat_that_leaked():
    run = Run(1)
    run.apply_plan()
    network = run.partition.networks["n"]
    name, target = next(iter(network.targets.items()))
    target.places["nobody"] = None
    run.compare_states()
    assert any(fault.startswith(f"{name}: 1 calls") for fault in run.auditor.faults)


def test_the_command_says_how_to_come_back(root):
    again = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "2", "--runs", "2"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.startswith("2 worlds from seed 2: ")
