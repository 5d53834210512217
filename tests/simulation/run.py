"""One seed, one world, one network; restarts and snapshots of the worker in between; and the auditor over all of it."""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from streams.core.decisions import Decision
from streams.core.events import (
    CallEvent,
    CallReleased,
    CapacityChanged,
    ControlBody,
    ControlEvent,
    PlanApplied,
    SwitchSnapshot,
    SwitchStarted,
    Tick,
)
from streams.core.partition import Partition, Refused
from streams.core.state import Snapshot
from tests.core.clock import BASE_AT, SECOND_US
from tests.simulation.auditor import Auditor
from tests.simulation.plans_drawn import drawn_plan
from tests.simulation.world import World

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US


@dataclass
class Found:
    """What the auditor found in one run, and how much it saw."""

    seed: int
    events: int
    questions: int
    faults: list[str]
    reasons: set[str]
    outcomes: set[str]
    excesses: set[str]
    causes: set[str]


def row_of(what: CallEvent | ControlBody, occurred_at: int) -> dict[str, Any]:
    """An event as the plain row that the auditor reads."""
    match what:
        case CallEvent():
            return what._asdict()
        case PlanApplied():
            return {"plan": asdict(what.plan), "occurred_at": occurred_at}
        case CapacityChanged():
            return asdict(what) | {"occurred_at": occurred_at}
        case SwitchStarted():
            return {"switch": what.switch, "started": what.epoch, "occurred_at": occurred_at}
        case SwitchSnapshot():
            calls = {each.call_id: asdict(each) for each in what.calls}
            return asdict(what) | {"calls": calls, "occurred_at": occurred_at}
        case CallReleased():
            return {"release": what.call_id, "occurred_at": occurred_at}
        case _:
            return {"tick": True, "occurred_at": occurred_at}


class Run:
    """The log: everything the world posts is applied, snapshotted now and then, and shown to the auditor."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.lots = random.Random(seed)
        self.start_at = BASE_AT + self.lots.choice([9, 23]) * HOUR_US + 30 * MINUTE_US
        self.clock = self.lots.choice(["LIVE", "LIVE", "LIVE", "EVENTS"])
        self.partition = Partition()
        self.auditor = Auditor()
        self.world = World(self.lots, self.start_at, self.post)
        if self.clock == "EVENTS":
            for switch in self.world.switches:
                switch.skew_us = 0
        self.versions = iter(f"v{number}" for number in range(1, 100))
        self.snapshots: list[Snapshot] = []
        self.events = 0

    def post(self, what: CallEvent | ControlBody) -> None:
        """Append to the log and apply."""
        now = self.world.now
        event = what if isinstance(what, CallEvent) else self.control(what)
        self.events += 1
        try:
            outputs = list(self.partition.apply(event, now))
        except Refused:
            self.auditor.fault(f"refused: {what}")
            return
        rows = [output._asdict() for output in outputs]
        for row in rows:
            if "considered" in row:
                row["considered"] = [tuple(each) for each in row["considered"]]
        self.auditor.see(row_of(what, now), now, rows)
        for output in outputs:
            if isinstance(output, Decision):
                self.world.told(output)

    def control(self, body: ControlBody) -> ControlEvent:
        whole = isinstance(body, Tick) and (self.clock == "LIVE" or self.world.plan is None)
        return ControlEvent(None if whole else "n", None if whole else self.world.now, body)

    def apply_plan(self) -> None:
        old = self.world.plan
        self.world.plan = drawn_plan(self.lots, self.start_at, self.clock, next(self.versions))
        self.post(PlanApplied(self.world.plan, 1, old.version if old else None))

    def restart_worker(self) -> None:
        """The worker dies; another goes on from what was stored, part by part."""
        network = self.partition.networks.get("n")
        if network is None:
            return
        self.snapshots.append(network.snapshot())
        if self.lots.random() < 0.6:
            return
        plans = [snapshot.plan for snapshot in self.snapshots if snapshot.plan is not None]
        buckets = {index: calls for snapshot in self.snapshots for index, calls in snapshot.buckets.items()}
        self.partition = Partition()
        calls = [call for bucket in buckets.values() for call in bucket]
        self.partition.restore(self.snapshots[-1].head, plans[-1] if plans else None, calls)

    def compare_states(self) -> None:
        network = self.partition.networks.get("n")
        if network is not None:
            states = {name: network.site_state(name)._asdict() for name in network.targets}
            self.auditor.compare_states(states)
            undecided = sum(call.asked == 0 for call in self.auditor.books.alive())
            if network.undecided() != undecided:
                self.auditor.fault(f"{network.undecided()} calls nobody asked about, counted {undecided}")

    def plan_the_hour(self) -> None:
        """Put everything that will happen on the agenda."""
        lots, world = self.lots, self.world
        sites = ["S", "S", "S", "T", "X", "P"]
        moment = 0.0
        while moment < 3600:
            moment += lots.expovariate(1 / 12) if lots.random() < 0.97 else 0
            burst = 25 if lots.random() < 0.01 else 1
            for _ in range(burst):
                fields: dict[str, Any] = {"trunk": "t2"} if lots.random() < 0.7 else {}
                fields |= {"campaign": "k"} if lots.random() < 0.4 else {}
                fields |= {"priority": lots.choice([1, 5, 9])} if lots.random() < 0.3 else {}
                world.after(moment, partial(world.ring, lots.choice(sites), fields))
        for action, times in (
            (world.restart, 2), (world.list_calls, 8), (world.staff, 6), (world.release, 8), (world.drain, 1),
            (self.restart_worker, 300), (self.compare_states, 60), (self.apply_plan, 3),
        ):  # fmt: skip
            for _ in range(lots.randrange(times + 1)):
                world.after(lots.uniform(0, 3600), action)
        for minute in range(65):
            world.after(60 * minute, self.tick_by_events)

    def wake_at(self) -> int | None:
        """When whichever worker runs now wants a tick."""
        return self.partition.wake_at()

    def tick(self) -> None:
        self.post(Tick())

    def tick_by_events(self) -> None:
        """Under its events' clock a network's stream brings its own ticks."""
        if self.clock == "EVENTS" and self.world.plan is not None:
            self.tick()

    def whole(self) -> Found:
        """An hour of calls, then hours of silence in which everything must come free."""
        if self.lots.random() < 0.8:
            self.apply_plan()
        else:
            self.world.after(self.lots.uniform(60, 600), lambda: None if self.world.plan else self.apply_plan())
        self.plan_the_hour()
        world = self.world
        world.run(self.start_at + 2 * HOUR_US, self.wake_at, self.tick)
        for _ in range(40):
            world.run(world.now + 15 * MINUTE_US, self.wake_at, self.tick)
            self.tick_by_events()
        self.compare_states()
        for call in self.auditor.books.alive():
            self.auditor.fault(f"{call.call_id} at {call.place} was never released")
        network = self.partition.networks["n"]
        return Found(
            self.seed, self.events, self.auditor.questions, self.auditor.faults, self.auditor.reasons,
            self.auditor.outcomes, {cause for target in network.targets.values() for cause in target.excess},
            {name.removeprefix("undecided.") for name in network.counts if name.startswith("undecided.")},
        )  # fmt: skip


def simulate(seed: int) -> Found:
    """Run one seed."""
    return Run(seed).whole()


def simulate_all(first: int, runs: int) -> Iterator[Found]:
    """Run as many seeds from the first on."""
    yield from (simulate(seed) for seed in range(first, first + runs))


def command(seed: int) -> str:
    """The command that brings one seed back."""
    return f"make simulate SEED={seed} RUNS=1"
