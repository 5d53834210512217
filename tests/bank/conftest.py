"""A bank's month of real calls as call events, in the order its oracle assumes."""

import csv
import gc
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from streams.core.decisions import CallRecord, Decision
from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.core.partition import Partition
from streams.core.plan import Plan
from streams.plans import compile_plan, with_limits

SECOND_US = 1_000_000
ARRIVAL, ANSWER = 1, 2

Row = dict[str, str]

VIEWS: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "site_AA01": lambda row: row["site"] == "AA01",
    "queue_PS": lambda row: row["queue"] == "PS",
}


@pytest.fixture(scope="session")
def rows(data: Path) -> list[Row]:
    """The calls, one a row, as the file has them."""
    with (data / "bank" / "calls_february.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="session")
def oracle(data: Path) -> dict[str, dict]:
    """What an independent oracle found in the month, by view."""
    return json.loads((data / "bank" / "expected_february.json").read_text(encoding="utf-8"))["february"]


@pytest.fixture(scope="session")
def plan(root: Path) -> Plan:
    return compile_plan(root / "deploy" / "plans" / "one-site.yaml")


@pytest.fixture(scope="session")
def month(rows: list[Row]) -> dict[str, list[CallEvent]]:
    """The month's events by view."""
    events = events_of(rows)
    month = {}
    for view, wanted in VIEWS.items():
        numbers = {row["row"] for row in rows if wanted(row)}
        month[view] = [event for event in events if event.call_id.split("#")[1] in numbers]
    gc.collect()
    gc.freeze()  # a million objects that stay: looking through them again and again would double the time
    return month


def events_of(rows: Iterable[Row], network_of: Callable[[Row], str] = lambda row: "bank") -> list[CallEvent]:
    """By time; at one instant all ends before arrivals before answers; then in the order of the rows.

    The end of a call of zero seconds can't precede its own arrival and comes right behind it.
    """
    keyed = []
    for row in rows:
        number, arrival, end = int(row["row"]), int(row["arrival_s"]), int(row["end_s"])
        zero = arrival == end
        moments = [(arrival, ARRIVAL, 0, "OFFERED"), (end, int(zero), int(zero), "ENDED")]
        if row["answer_s"]:
            moments.append((int(row["answer_s"]), ANSWER, 0, "ANSWERED"))
        for second, turn, last, kind in moments:
            event = CallEvent(
                network_of(row), "bank", f"{row['call_key']}#{number}", kind, second * SECOND_US, "acd",
                asks=kind == "OFFERED",
            )  # fmt: skip
            keyed.append(((second, turn, number, last), event))
    return [event for _, event in sorted(keyed, key=lambda pair: pair[0])]


def network_of_line(row: Row) -> str:
    """One network per line of the file."""
    return f"bank-{row['line']}"


def applied(plan: Plan, limit: int, network: str = "bank") -> ControlEvent:
    """The bank's plan with this limit, for a network of this name."""
    named = replace(with_limits(plan, {"bank": limit}), network=network)
    return ControlEvent(network, 0, PlanApplied(named, 1))


def outputs_of(partition: Partition, events: Iterable[CallEvent]) -> list[Decision | CallRecord]:
    """All that the events cause."""
    outputs: list[Decision | CallRecord] = []
    for event in events:
        outputs += partition.apply(event, event.occurred_at)
    return outputs
