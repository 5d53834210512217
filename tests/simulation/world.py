"""A world drawn from a seed: networks, plans, switches with their clocks, calls and what becomes of them.

The world knows nothing of the core: it asks questions through `post`, hears decisions through `told`, and lets its
switches report with delays, repeats, losses and restarts, as switches do.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from streams.core.decisions import Decision
from streams.core.events import (
    CallEvent,
    CallReleased,
    CapacityChanged,
    ControlBody,
    SnapshotCall,
    SwitchSnapshot,
    SwitchStarted,
)
from streams.core.plan import Plan
from tests.core.clock import SECOND_US

ROUTES_AWAY = ("REDIRECT", "CARRIER")


@dataclass
class Switch:
    """One switch: how far its clock is off, and whether it names its epoch."""

    name: str
    skew_us: int
    epoch: int | None = None


@dataclass
class LivingCall:
    """One caller and where the call really is."""

    call_id: str
    site: str
    switch: Switch
    patience_s: float
    talk_s: float
    fields: dict[str, Any]
    attempt: int = 1
    place: str | None = None
    answered: bool = False
    over: bool = False
    offered_at: int = 0
    epoch: int | None = None
    decided: set[int] = field(default_factory=set)


class World:
    """`post(occurred, event or body)` hands something to the log at the present instant."""

    def __init__(self, lots: random.Random, start_at: int, post: Callable[[CallEvent | ControlBody], None]) -> None:
        self.lots = lots
        self.post = post
        self.now = start_at
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = count()
        self.calls: dict[str, LivingCall] = {}
        self.plan: Plan | None = None
        skews = [0, 0, 3 * SECOND_US, -40 * SECOND_US, -90 * SECOND_US, 30 * SECOND_US]
        self.switches = [
            Switch(f"sw{number}", lots.choice(skews), start_at if lots.random() < 0.5 else None) for number in range(3)
        ]

    # Time.

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (self.now + int(seconds * SECOND_US), next(self.numbers), action))

    def run(self, until: int, wake_at: Callable[[], int | None], tick: Callable[[], None]) -> None:
        """Let everything happen until then; whenever the network wants a tick, it gets one."""
        while True:
            wanted = wake_at()
            due = self.agenda[0][0] if self.agenda else until
            if wanted is not None and max(wanted, self.now) < min(due, until):
                self.now = max(wanted, self.now)
                tick()
            elif due >= until:
                self.now = until
                return
            else:
                self.now, _, action = heapq.heappop(self.agenda)
                action()

    # What switches report.

    def report(self, call: LivingCall, kind: str, *, lost: float = 0.02, **fields: Any) -> None:
        """A switch says something: sooner or later, once or twice, or not at all."""
        lots, switch = self.lots, fields.pop("switch", call.switch)
        said = {"switch": switch.name, "site": call.site, "epoch": call.epoch if switch is call.switch else None}
        event = CallEvent(**({
            "network": "n", "call_id": call.call_id, "type": kind, "occurred_at": self.now + switch.skew_us,
            **said, **fields,
        }))  # fmt: skip
        if lots.random() < lost:
            return
        delay = lots.choice([0.02, 0.05, 0.1, 0.3]) if lots.random() < 0.9 else lots.uniform(1, 20)
        self.after(delay, lambda: self.post(event))
        if lots.random() < 0.07:
            self.after(delay + lots.choice([0, 0.5, 30, 400]), lambda: self.post(event))

    # What callers do.

    def ring(self, site: str, fields: dict[str, Any]) -> None:
        """Somebody calls."""
        lots = self.lots
        switch = lots.choice(self.switches)
        number = next(self.numbers)
        call = LivingCall(
            f"{switch.name}/{number}", site, switch, lots.expovariate(1 / 40), lots.expovariate(1 / 90), fields
        )
        call.offered_at, call.epoch = self.now + switch.skew_us, switch.epoch
        self.calls[call.call_id] = call
        if lots.random() < 0.3:
            self.report(call, "OFFERED", **fields)
        if lots.random() < 0.06:
            self.after(lots.uniform(0, 0.6), lambda: self.fall_back(call))
        if lots.random() < 0.05:
            self.report(call, "OFFERED", why=lots.choice(["CARRIER", "INTERNAL", "DEADLINE"]), **fields)
            self.after(1, lambda: self.arrive(call, site))
            return
        waited = {"waited_us": lots.choice([1, 20]) * SECOND_US} if lots.random() < 0.05 else {}
        self.report(call, "OFFERED", asks=True, lost=0.01, **fields, **waited)
        self.after(lots.uniform(60, 120), lambda: self.give_up(call))

    def fall_back(self, call: LivingCall) -> None:
        """The edge could not wait for a decision."""
        if call.over or call.place is not None or self.plan is None:
            return
        names = [spec.name for spec in (*self.plan.sites, *self.plan.partners)]
        target = self.lots.choice([*names, None])
        verdict = "BLOCK" if target is None else "ADMIT" if target == call.site else "OVERFLOW"
        treatment = "busy" if target is None else None
        self.report(
            call, "PLACED", attempt=call.attempt, verdict=verdict, target=target, treatment=treatment, by="EDGE",
            why="DEADLINE",
        )  # fmt: skip
        call.decided.add(call.attempt)
        if target is None:
            self.after(2, lambda: self.hang_up(call))
        else:
            self.arrive(call, target)

    def told(self, decision: Decision) -> None:
        """A decision reaches the switch, which mostly obeys."""
        call = self.calls.get(decision.call_id)
        if call is None or call.over or decision.attempt in call.decided or decision.attempt < call.attempt:
            return
        call.attempt = decision.attempt
        call.decided.add(decision.attempt)
        if decision.target is None:
            again = decision.reason == "CALLS_MAX" and self.lots.random() < 0.5
            self.after(
                self.lots.uniform(1, 6), (lambda: self.ask_again(call)) if again else (lambda: self.hang_up(call))
            )
        else:
            self.after(self.lots.uniform(0.1, 1), lambda: self.arrive(call, decision.target or call.site))

    def away(self, name: str) -> bool:
        """Whether calls to this target are handed away."""
        if self.plan is None:
            return False
        return any(spec.name == name and spec.route.by in ROUTES_AWAY for spec in self.plan.partners)

    def arrive(self, call: LivingCall, target: str) -> None:
        """The call rings at a target."""
        if call.over:
            return
        lots = self.lots
        call.place = target
        if lots.random() < 0.5:
            self.report(call, "QUEUED")
        if lots.random() < 0.5:
            self.after(1, lambda: None if call.over else self.report(call, "RINGING"))
        if target != call.site and self.away(target):
            self.after(0.4, lambda: self.report(call, lots.choice(["ENDED", "DIVERTED"])))
        chance = lots.random()
        if chance < 0.10:
            self.after(lots.uniform(3, 30), lambda: self.bounce(call))
        elif chance < 0.25:
            self.after(call.patience_s, lambda: self.hang_up(call, "CALLER"))
        else:
            self.after(lots.uniform(1, 15), lambda: self.answer(call, target))

    def bounce(self, call: LivingCall) -> None:
        """The target does not want the call."""
        if call.over or call.answered:
            return
        asks = self.lots.random() < 0.5
        self.report(call, "RETURNED", attempt=call.attempt, return_reason="NO_ANSWER", asks=asks)
        if not asks:
            self.after(0.5, lambda: self.ask_again(call))
        self.after(30, lambda: self.hang_up(call, "CALLER"))

    def ask_again(self, call: LivingCall) -> None:
        if not call.over:
            call.attempt += 1
            self.report(call, "OFFERED", asks=True, attempt=call.attempt, **call.fields)

    def answer(self, call: LivingCall, target: str) -> None:
        """Somebody takes the call, now and then somebody else."""
        if call.over or call.answered or call.place != target:
            return
        lots = self.lots
        call.answered = True
        names = [spec.name for spec in (*self.plan.sites, *self.plan.partners)] if self.plan else []
        if lots.random() < 0.05 and names:
            call.place = target = lots.choice(names)
        self.report(call, "ANSWERED", target=target if lots.random() < 0.6 else None)
        if lots.random() < 0.1:
            self.after(5, lambda: None if call.over else self.report(call, "HELD"))
            self.after(9, lambda: None if call.over else self.report(call, "RESUMED"))
        if lots.random() < 0.08 and names:
            self.after(call.talk_s / 2, lambda: self.transfer(call, lots.choice(names)))
        self.after(call.talk_s, lambda: self.hang_up(call, "AGENT"))

    def transfer(self, call: LivingCall, target: str) -> None:
        if not call.over:
            call.place = target
            self.report(call, "TRANSFERRED", target=target)

    def give_up(self, call: LivingCall) -> None:
        if call.place is None:
            self.hang_up(call, "CALLER")

    def hang_up(self, call: LivingCall, who: str = "SWITCH") -> None:
        """The call is over; one in twelve ends is never reported."""
        if call.over:
            return
        call.over = True
        there = (
            {} if call.place is None or call.place == call.site or not self.away(call.place) else {"site": call.place}
        )
        if there:
            there["switch"] = Switch("acd", 0)
        self.report(call, "ENDED", lost=0.08, ended_by=who, **there)
        if call.answered and self.lots.random() < 0.5:
            self.after(self.lots.uniform(1, 12), lambda: self.report(call, "WRAPPED_UP"))

    # What else happens.

    def restart(self) -> None:
        """A switch restarts: its calls are gone, whatever it had still to report."""
        switch = self.lots.choice(self.switches)
        switch.epoch = self.now + switch.skew_us
        for call in self.calls.values():
            call.over = call.over or call.switch is switch
        self.post(SwitchStarted(switch.name, switch.epoch))

    def list_calls(self) -> None:
        """A switch sends the list of its calls, some of which nobody has heard of; now and then twice."""
        switch = self.lots.choice(self.switches)
        listed = tuple(
            SnapshotCall(
                call.call_id, call.site, call.place, call.fields.get("trunk"), None, call.offered_at, call.answered
            )
            for call in self.calls.values()
            if call.switch is switch and not call.over and not (call.place and self.away(call.place))
        )
        if self.plan is not None and self.lots.random() < 0.4:
            there = self.lots.choice([self.plan.sites[0].name, None])
            unheard = f"{switch.name}/{next(self.numbers)}"
            listed += (SnapshotCall(unheard, "S", there, "t2", None, self.now - 60 * SECOND_US, answered=True),)
        body = SwitchSnapshot(
            switch.name, f"{switch.name}-{next(self.numbers)}", 1, 1, self.now + switch.skew_us, listed, switch.epoch
        )
        self.after(0.2, lambda: self.post(body))
        if self.lots.random() < 0.2:
            self.after(15, lambda: self.post(body))

    def staff(self) -> None:
        if self.plan is not None:
            names = [spec.name for spec in (*self.plan.sites, *self.plan.partners)]
            until = self.now + self.lots.choice([60, 300, 2000]) * SECOND_US
            self.post(CapacityChanged(self.lots.choice(names), self.lots.randrange(5), self.lots.choice([None, until])))

    def drain(self) -> None:
        """An edge that was cut off for seven hours hands over what it has kept."""
        switch, waited_us = self.lots.choice(self.switches), 7 * 3600 * SECOND_US
        for kind in ("OFFERED", "ENDED"):
            event = CallEvent(
                "n", "S", f"{switch.name}/{next(self.numbers)}", kind, self.now + switch.skew_us - waited_us, switch.name,
                asks=kind == "OFFERED", waited_us=waited_us,
            )  # fmt: skip
            self.post(event)

    def release(self) -> None:
        if self.calls:
            self.post(CallReleased(self.lots.choice(list(self.calls))))
