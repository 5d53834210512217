"""Tables that tell what a network does: one line per event, what it causes after an arrow.

    09:00:00  c1 asks                        -> ADMIT S ROOM
    +10       c1 answered target=S
    +60       c1 ended by=CALLER             -> record ANSWERED_SITE
    +0        ? S P t2                       -> S=0 P=0 t2=0

A line begins with an instant (`09:00:00`, a whole date, or `+10` seconds after the line before). Then follows a call
and what happened to it, with fields as `name=value`; or a control event behind `!`; or a question about what is held
behind `?`. `tell` runs the table, writes what was really caused behind the arrows, and compares the two tables.

Of a call: `asks` (a question), `asks=2` (its second attempt), `offered` (a fact), or any other type. Fields: those of
`CallEvent`, `site` S and `switch` sw unless said; `off=-20y` shifts the switch's clock, `waited=15` is in seconds.
"""

from collections.abc import Callable
from dataclasses import replace
from difflib import ndiff
from typing import Any

from streams.core.decisions import CallRecord, Decision, Output
from streams.core.events import (
    CallEvent,
    CallReleased,
    CapacityChanged,
    ControlBody,
    ControlEvent,
    FeedGap,
    PlanApplied,
    SnapshotCall,
    SpotPlanned,
    SwitchSnapshot,
    SwitchStarted,
    Tick,
)
from streams.core.partition import Partition, Refused
from streams.core.plan import Plan
from tests.core.clock import SECOND_US, at, duration

NUMBERS = {"epoch", "sequence", "attempt", "cause", "priority"}
SHORT = {"reason": "return_reason", "ended_by": "ended_by", "seq": "sequence"}


def call_event(words: list[str], occurred_at: int) -> CallEvent:
    """Read `c1 answered target=S` and the like."""
    call_id, kind, *rest = words
    fields: dict[str, Any] = {"network": "n", "site": "S", "switch": "sw"}
    what, _, attempt = kind.partition("=")
    if what == "asks":
        fields |= {"type": "OFFERED", "asks": True, "attempt": int(attempt) if attempt else None}
    else:
        fields["type"] = kind.upper()
    for word in rest:
        name, _, value = word.partition("=")
        if name == "off":
            occurred_at += duration(value)
        elif name == "waited":
            fields["waited_us"] = duration(value)
        elif name == "asks":
            fields["asks"] = True
        else:
            name = SHORT.get(name, name)
            fields[name] = (at(value) if ":" in value else int(value)) if name in NUMBERS else value
    return CallEvent(call_id=call_id, occurred_at=occurred_at, **fields)


def _listed(word: str) -> SnapshotCall:
    """`c7@S` is a call at S, `c7` one of which the switch does not say where it is; `c7*` and `c7*@S` were answered."""
    name, _, target = word.partition("@")
    return SnapshotCall(name.rstrip("*"), "S", target or None, answered=name.endswith("*") or None)


def control_body(words: list[str], moment: int, plans: dict[str, Plan]) -> ControlBody:
    """Read `capacity S 3 until=10:00:00` and the like."""
    kind, *rest = words
    plain = [word for word in rest if "=" not in word]
    named = dict(word.split("=", 1) for word in rest if "=" in word)
    number: Callable[[str], int | None] = lambda name: (
        None if name not in named else at(named[name]) if ":" in named[name] else int(named[name])
    )
    match kind:
        case "plan":
            replaces = named.get("replaces", "")
            return PlanApplied(plans[plain[0]], int(named.get("rules", 1)), replaces or None, "shadow" in plain)
        case "capacity":
            until = at(named["until"]) if "until" in named else None
            return CapacityChanged(plain[0], int(plain[1]), until)
        case "release":
            return CallReleased(plain[0])
        case "started":
            return SwitchStarted(plain[0], number("epoch") or 0)
        case "snapshot":
            part, parts = map(int, named.get("part", "1/1").split("/"))
            as_of = moment + duration(named.get("off", "0"))
            listed = tuple(map(_listed, plain[2:]))
            return SwitchSnapshot(plain[0], plain[1], part, parts, as_of, listed, number("epoch"), number("seq"))
        case "gap":
            return FeedGap(plain[0])
        case "spot":
            return SpotPlanned(plain[0], "TF1", moment, 30 * SECOND_US)
        case "tick":
            return Tick()
    raise AssertionError(f"no control event is called {kind}")


def told(output: Output) -> str:
    """A decision or a record in a few words."""
    if isinstance(output, Decision):
        place = output.target or output.treatment
        return " ".join(filter(None, [output.verdict or "-", place, output.reason]))
    extra = [
        f"v{output.version}" if output.version > 1 else "",
        output.undecided_cause or "",
        "estimated" if output.end_estimated else "",
    ]
    return " ".join(filter(None, ["record", output.outcome, *extra]))


class Story:
    """A partition with one network `n` and what it has said so far."""

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        partition: Partition | None = None,
        moment: str = "00:00:00",
        **plans: Plan,
    ) -> None:
        self.partition = partition or Partition()
        self.plans = plans
        self.moment = at(moment)
        self.outputs: list[Output] = []
        if plan is not None:
            self.control(PlanApplied(plan, 1))

    @property
    def network(self) -> Any:
        return self.partition.networks["n"]

    def decisions(self) -> list[Decision]:
        return [output for output in self.outputs if isinstance(output, Decision)]

    def records(self) -> list[CallRecord]:
        return [output for output in self.outputs if isinstance(output, CallRecord)]

    def control(self, body: ControlBody, *, network: str | None = "n") -> list[Output]:
        outputs = list(self.partition.apply(ControlEvent(network, self.moment, body), self.moment))
        self.outputs += outputs
        return outputs

    def call(self, text: str) -> list[Output]:
        """Take one event of a call, as a table writes it, now."""
        outputs = list(self.partition.apply(call_event(text.split(), self.moment), self.moment))
        self.outputs += outputs
        return outputs

    def held(self, name: str) -> str:
        """How many calls a target, trunk or campaign holds; `P!` those in positions, `S%` its excesses by cause."""
        network = self.network
        if name == "undecided":
            return f"{name}={network.undecided()}"
        if name.startswith("#"):
            return f"{name}={network.counts.get(name[1:], getattr(network, name[1:], 0))}"
        plain = name.rstrip("!%?")
        if name.endswith("%"):
            return f"{name}={','.join(f'{cause}:{n}' for cause, n in sorted(network.targets[plain].excess.items()))}"
        if name.endswith("?"):
            return f"{name}={network.site_state(plain).suspects}"
        if plain in network.lines:
            return f"{name}={network.lines[plain].limit - network.lines[plain].room()}"
        if plain in network.causes:
            return f"{name}={len(network.causes[plain].calls)}"
        target = network.targets[plain]
        return f"{name}={len(target.positions if name.endswith('!') else target.places)}"

    def line(self, words: list[str]) -> str:
        """Run one line, its instant read already, and return what stands behind its arrow."""
        if words[0] == "?":
            return " ".join(map(self.held, words[1:]))
        try:
            if words[0] == "!":
                body = control_body(words[1:], self.moment, self.plans)
                whole = isinstance(body, Tick) and "all" in words
                return "; ".join(map(told, self.control(body, network=None if whole else "n")))
            return "; ".join(map(told, self.call(" ".join(words))))
        except Refused as refused:
            return f"refused {refused.reason}"

    def tell(self, table: str) -> "Story":
        """Run a table and compare it with what really happened, line by line."""
        expected, found = [], []
        for row in filter(str.strip, table.strip("\n").splitlines()):
            left, _, right = row.strip().partition("->")
            words = left.split()
            if "-" in words[0]:
                self.moment = at(f"{words.pop(0)} {words.pop(0)}")
            else:
                first = words.pop(0)
                self.moment = self.moment + duration(first[1:]) if first.startswith("+") else at(first)
            expected.append(f"{left.strip():<48} -> {right.strip()}".rstrip(" ->"))
            found.append(f"{left.strip():<48} -> {self.line(words)}".rstrip(" ->"))
        if found != expected:
            raise AssertionError("the table is told otherwise\n" + "\n".join(ndiff(expected, found)))
        return self


def tell(plan: Plan | None, table: str, **plans: Plan) -> Story:
    """Tell a table to a network with this plan, applied at midnight of the base day."""
    return Story(plan, **plans).tell(table)


def versioned(plan: Plan, version: str) -> Plan:
    return replace(plan, version=version)
