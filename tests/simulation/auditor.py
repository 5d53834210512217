"""A second opinion on the core: from lists of what went in and came out, it recounts. Imports nothing of `streams`.

It knows the plain policy (site, chain in order, treatment; all limits or none) and the rules of the calls' lives, and
keeps its own books.
"""

from collections.abc import Sequence
from typing import Any

from tests.simulation.books import Books, Line, Plan
from tests.simulation.rules import follow

Row = dict[str, Any]
SECOND_US = 1_000_000
OVER_ALL = 1_000
"""Faults beyond these are not gathered."""


class Auditor:
    """Give it every event of one network's log with what it caused, in order; read `faults` at the end."""

    def __init__(self) -> None:
        self.books = Books()
        self.faults: list[str] = []
        self.reasons: set[str] = set()
        self.outcomes: set[str] = set()
        self.questions = 0

    def fault(self, text: str) -> None:
        if len(self.faults) < OVER_ALL:
            self.faults.append(text)

    def see(self, row: Row, now: int, outputs: Sequence[Row]) -> None:
        """Take one event, appended at `now`, and its outputs; decisions have a `verdict`, records an `outcome`."""
        books = self.books
        live = books.plan is None or books.plan["clock"] == "LIVE"
        if live or "plan" not in row:
            books.clock = max(books.clock, now if live else row["occurred_at"])
        books.pass_time()
        before = set(books.calls)
        expected = follow(self, row, now) if "type" in row else self.control(row)
        self.compare(row, expected, [each for each in outputs if "verdict" in each])
        for record in outputs:
            if "outcome" in record:
                self.check_record(record, row, before)
        for call in books.calls.values():
            if call.done_at is not None and not call.tombstone and not call.versions:
                self.fault(f"{call.call_id} is over and has no record, after {row}")
                call.versions = 1

    # What came out.

    def check_record(self, record: Row, row: Row, before: set[str]) -> None:
        """One record per call that is over, and per version."""
        self.outcomes.add(record["outcome"])
        call = self.books.calls.get(record["call_id"])
        if record["outcome"] == "LATE_EVENT":
            if record["call_id"] in before or record["call_id"] != row.get("call_id") or record["version"] != 1:
                self.fault(f"late record of {record['call_id']} v{record['version']}")
        elif call is None or call.done_at is None:
            self.fault(f"record of {record['call_id']}, which is not over")
        else:
            call.versions += 1
            if record["version"] != call.versions or record["supersedes"] != (call.versions - 1 or None):
                self.fault(f"record v{record['version']} of {record['call_id']} after v{call.versions - 1}")

    def compare(self, row: Row, expected: list[Row], decisions: list[Row]) -> None:
        if len(expected) != len(decisions):
            self.fault(f"{len(decisions)} decisions for {row}, wanted {expected}")
            return
        for want, got in zip(expected, decisions, strict=True):
            self.reasons.add(got["reason"])
            self.reasons.update(each[1] for each in got["considered"])
            wrong = {name: (got[name], value) for name, value in want.items() if got[name] != value}
            if wrong:
                self.fault(f"decision on {got['call_id']} attempt {got['attempt']}: got, wanted {wrong}")

    def compare_states(self, states: dict[str, Row]) -> None:
        """Calls in progress and the day's peak of every target, as the core shows them."""
        books = self.books
        if sorted(states) != sorted(books.targets()):
            self.fault(f"targets {sorted(states)}, wanted {sorted(books.targets())}")
        for name, state in states.items():
            mine = (books.places(name), books.peaks.get(name, 0))
            if (state["calls_in_progress"], state["peak_today"]) != mine:
                self.fault(f"{name}: {state['calls_in_progress']} calls, peak {state['peak_today']}; counted {mine}")

    # What went in: control.

    def control(self, row: Row) -> list[Row]:
        """Plans, capacities, restarts, lists of calls, releases; a tick only lets time pass."""
        books = self.books
        if "plan" in row:
            self.apply_plan(row["plan"])
        elif "capacity" in row:
            _, _, until = books.window(row["target"], books.clock)
            books.capacity[row["target"]] = (row["capacity"], min(row["until"] or until, until))
        elif "started" in row:
            self.see_epoch(row["switch"], row["started"], started=True)
        elif "calls" in row:
            self.take_in(row)
        elif "release" in row:
            call = books.calls.get(row["release"])
            if call is not None and call.suspect:
                books.over(call)
        return []

    def apply_plan(self, plan: Plan) -> None:
        books = self.books
        if books.plan is None and plan["clock"] == "EVENTS":
            books.clock = 0
            books.day = None
        books.plan = plan
        books.capacity = {name: said for name, said in books.capacity.items() if name in books.targets()}
        books.peaks = {name: peak for name, peak in books.peaks.items() if name in books.targets()}
        for call in books.calls.values():
            if call.place is not None and call.place not in books.targets():
                books.leave(call)

    def take_in(self, row: Row) -> None:
        """A switch's list of its calls: those it lacks are over if that is proven, those we lacked are taken in."""
        books = self.books
        self.see_epoch(row["switch"], row["epoch"])
        for call in books.alive():
            if call.switch != row["switch"] or call.diverted:
                continue
            if call.call_id in row["calls"]:
                books.renew(call)
            elif proven_over(books, call, row):
                books.over(call)
        for call_id in sorted(set(row["calls"]) - set(books.calls)):
            if not books.plan or len(books.calls) < books.plan["calls_max"]:
                self.adopt(call_id, row["calls"][call_id], row)

    def adopt(self, call_id: str, listed: Row, row: Row) -> None:
        books = self.books
        call = books.calls[call_id] = Line(call_id, listed["site"], row["switch"], row["epoch"])
        call.offered_at, call.trunk, call.seen_at = listed["offered_at"], listed["trunk"], books.clock
        call.answered_at = books.clock if listed["answered"] else None
        books.come_in(call)
        if listed["target"] in books.targets():
            books.sit(call, listed["target"])
            call.claimed_at = books.clock
        books.renew(call)

    def see_epoch(self, switch: str, epoch: int | None, *, started: bool = False) -> None:
        """A newer epoch of a switch says that its older calls are over, but for those it had handed away."""
        books = self.books
        known = books.epochs.get(switch)
        if epoch is None or (known is not None and epoch <= known):
            return
        books.epochs[switch] = epoch
        for call in books.alive():
            born = call.epoch if call.epoch is not None else call.offered_at
            mine = call.switch == switch and not call.diverted and (known is not None or started)
            if mine and (born is None or born < epoch):
                books.over(call)


def proven_over(books: Books, call: Line, row: Row) -> bool:
    """Whether a call's absence from its switch's list proves that it is over."""
    if row["epoch"] is not None and call.epoch is not None and row["epoch"] != call.epoch:
        return False
    if call.phase == "waiting_us" and not call.suspect and (call.due_at or 0) > books.clock:
        return False
    if call.offered_at is not None and call.offered_at >= row["as_of"] - 10 * SECOND_US:
        return False
    return (call.seen_at or 0) < books.clock - 10 * SECOND_US
