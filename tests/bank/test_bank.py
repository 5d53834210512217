"""A month of real calls: the very calls overflow that an independent oracle names, at every limit."""

import hashlib
import heapq
import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from streams.cli import main
from streams.core.decisions import CallRecord, Decision
from streams.core.partition import Partition
from streams.core.plan import DAY_US
from streams.wire.ndjson import event_to_line
from tests.bank.conftest import SECOND_US, VIEWS, applied, events_of, network_of_line, outputs_of

NO_LIMIT = 1_000_000

pytestmark = pytest.mark.no_cover  # two million events: the tables trace every branch in a hundredth of the time


def decisions_of(plan, events, limit):
    partition = Partition()
    partition.apply(applied(plan, limit), 0)
    outputs = outputs_of(partition, events)
    decisions = [output for output in outputs if isinstance(output, Decision)]
    records = [output for output in outputs if isinstance(output, CallRecord)]
    assert partition.networks["bank"].site_state("bank").calls_in_progress == 0
    assert {record.call_id for record in records} == {decision.call_id for decision in decisions}
    assert sum(record.version == 1 for record in records) == len(decisions)
    return decisions


def row_of(decision):
    return int(decision.call_id.split("#")[1])


def digest(numbers):
    return hashlib.sha256("\n".join(map(str, sorted(numbers))).encode()).hexdigest()


def day_of(at):
    return datetime.fromtimestamp(at // SECOND_US, UTC).date().isoformat()


@pytest.mark.parametrize("limit", [15, 10, 5])
@pytest.mark.parametrize("view", VIEWS)
def test_the_very_calls_of_the_oracle_overflow(plan, month, oracle, view, limit):
    expected = oracle[view]["limits"][str(limit)]
    decisions = decisions_of(plan, month[view], limit)
    over = [decision for decision in decisions if decision.verdict == "OVERFLOW"]
    assert len(decisions) == oracle[view]["calls"]
    assert sum(decision.verdict == "ADMIT" for decision in decisions) == expected["admitted"]
    assert digest(map(row_of, over)) == expected["overflow_rows_sha256"]
    assert Counter(day_of(decision.occurred_at) for decision in over) == expected["overflow_per_day"]
    assert {decision.reason for decision in over} <= {"SITE_FULL"}
    assert {decision.target for decision in over} <= {"elsewhere"}


def overflowing(rows, limit):
    """The rule as one sweep: a call holds a place from its arrival until its end if fewer than `limit` do."""
    ends: list[int] = []
    for arrival, number, end in sorted((int(row["arrival_s"]), int(row["row"]), int(row["end_s"])) for row in rows):
        while ends and ends[0] <= arrival:
            heapq.heappop(ends)
        if len(ends) >= limit:
            yield number
        elif end > arrival:
            heapq.heappush(ends, end)


@pytest.mark.parametrize("limit", [7, 12, 18])
@pytest.mark.parametrize("view", VIEWS)
def test_other_limits_give_what_a_sweep_over_the_rows_gives(plan, rows, month, view, limit):
    decisions = decisions_of(plan, month[view], limit)
    found = sorted(row_of(decision) for decision in decisions if decision.verdict == "OVERFLOW")
    assert found == sorted(overflowing(filter(VIEWS[view], rows), limit))


def test_without_a_limit_every_day_peaks_as_the_oracle_says(plan, month, oracle):
    partition = Partition()
    partition.apply(applied(plan, NO_LIMIT), 0)
    found = {}
    for event, after in pairwise([*month["all"], None]):
        partition.apply(event, event.occurred_at)
        if after is None or after.occurred_at // DAY_US > event.occurred_at // DAY_US:
            state = partition.networks["bank"].site_state("bank")
            found[state.day] = (state.offered_today, state.peak_today)
    days = oracle["all"]["per_day"].items()
    assert found == {day: (figures["arrivals"], figures["peak"]) for day, figures in days}


def test_one_network_per_line_equals_each_line_alone(plan, rows):
    lines: dict[str, list] = {}
    for row in rows:
        lines.setdefault(network_of_line(row), []).append(row)
    together = Partition()
    for name in lines:
        together.apply(applied(plan, 1, name), 0)
    found: dict[str, list] = {name: [] for name in lines}
    for output in outputs_of(together, events_of(rows, network_of_line)):
        found[output.network].append(output)
    for name, mine in lines.items():
        alone = Partition()
        alone.apply(applied(plan, 1, name), 0)
        assert outputs_of(alone, events_of(mine, network_of_line)) == found[name]
    assert sum(output.verdict == "OVERFLOW" for name in lines for output in found[name] if isinstance(output, Decision))


def test_the_command_decides_as_the_function_does(plan, rows, root, tmp_path, capsys):
    source, target = tmp_path / "events.ndjson", tmp_path / "decisions.ndjson"
    chosen = rows[:3000]
    source.write_text("".join(event_to_line(event) + "\n" for event in events_of(chosen)), encoding="utf-8")
    asked = ("decide", str(source), "--plan", str(root / "deploy/plans/one-site.yaml"), "--limit", "bank=5")
    assert main([*asked, "--out", str(target)]) == 0
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    found = {line["call_id"]: (line["verdict"], line["target"], line["reason"]) for line in lines if "verdict" in line}
    expected = decisions_of(plan, events_of(chosen), 5)
    assert found == {each.call_id: (each.verdict, each.target, each.reason) for each in expected}
