"""`tropplein decide FILE|- --plan PLAN`: what the worker would decide, without a broker.

The pure function over NDJSON. The file stands for the log: each plan is applied before the first event of its network,
an event's append time is its `occurred_at`, and everything is numbered and hashed by the same ledger as a worker's
outputs. Of N plans the offsets are 0 to N - 1; line L of the file is offset N - 1 + L.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from streams.cli import DONE, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.core.decisions import Output
    from streams.core.events import Event
    from streams.core.partition import Partition
    from streams.core.plan import Plan
    from streams.wire.ledger import Ledger

HELP = "decide offline: events from a file in, decisions to a file out"

_REFUSALS_TOLD = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    parser.add_argument("file", metavar="FILE", help="events as NDJSON, one a line; - reads standard input")
    parser.add_argument(
        "--plan", action="append", required=True, type=Path, metavar="FILE",
        help="the plan of a network; once for each network. Events of other networks are left out and counted",
    )  # fmt: skip
    parser.add_argument(
        "--limit", action="append", default=[], metavar="SITE=N", help="another limit at a site; may be repeated"
    )
    parser.add_argument("--out", default="-", metavar="FILE", help="decisions as NDJSON; by default standard output")
    parser.add_argument("--records", metavar="FILE", help="write call records as NDJSON, too")
    parser.add_argument(
        "--partitions", type=int, default=12, metavar="N", help="partitions a network is placed among (12)"
    )
    parser.add_argument(
        "--from", dest="start", metavar="INSTANT",
        help="first instant of the plans' calendars; by default the day before a network's first event",
    )  # fmt: skip
    parser.add_argument("--horizon-days", type=int, default=730, metavar="N", help="days the calendars cover (730)")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the summary as one JSON object, on standard output unless that is where the decisions go",
    )


def run(args: argparse.Namespace) -> int:
    """Decide every question of the file, and sum up."""
    from streams.cli.lines import numbered_events, reading, writing

    if args.partitions < 1:
        raise Refusal(f"--partitions is {args.partitions}: a log has one at least")
    if args.out == args.records:
        raise Refusal("--out and --records are the same: say two files")
    began = time.perf_counter()
    log = _Log(args)
    with (
        reading(args.file, "deciding") as lines,
        writing(args.out) as out,
        writing(args.records) if args.records else nullcontext() as records,
    ):
        for number, event in numbered_events(lines, args.file):
            log.take(number, event, out, records)
    took = time.perf_counter() - began
    if args.json:
        print(json.dumps(log.summary(), indent=2), file=sys.stderr if args.out == "-" else sys.stdout)
    else:
        _tell(log, took)
    return DONE


@dataclass(slots=True)
class _Case:
    """One network of the file: its plan, and what became of it."""

    plan: Plan
    file: Path
    offset: int
    core: Partition | None = None
    ledger: Ledger | None = None
    events: int = 0
    records: int = 0
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    peaks: dict[str, int] = field(default_factory=dict)


class _Log:
    """The log that a file stands for."""

    def __init__(self, args: argparse.Namespace) -> None:
        from streams.kafka.events import event_encode
        from streams.wire.framing import FramingWriter

        self._args = args
        self._framing = FramingWriter()
        self._encode = event_encode(self._framing)
        self._partitions: dict[int, tuple[Partition, Ledger]] = {}
        self._limits = [_limit(text) for text in args.limit]
        self.cases: dict[str, _Case] = {}
        for file in args.plan:
            plan = self._compile(file, None)
            if plan.network in self.cases:
                raise Refusal(f"{file} and {self.cases[plan.network].file} are both plans of network {plan.network}")
            self.cases[plan.network] = _Case(plan, file, len(self.cases))
        self._check_limits()
        self.left_out: Counter[str] = Counter()
        self.refused: list[str] = []

    def take(self, line: int, event: Event, out: IO[str], records: IO[str] | None) -> None:
        """Take a line's event, and write what follows from it."""
        where = f"{self._args.file}:{line}"
        if event.network is None or event.occurred_at is None:
            raise Refusal(f"{where} is a partition's Tick: a file has no append times, so it has none of those")
        case = self.cases.get(event.network)
        if case is None:
            self.left_out[event.network] += 1
            return
        if case.core is None:
            self._begin(case, event.occurred_at)
        case.events += 1
        self._apply(case, event, len(self.cases) - 1 + line, where=where, out=out, records=records)

    def _begin(self, case: _Case, first_at: int) -> None:
        """Apply a network's plan, as of its first event."""
        from streams.core import RULES
        from streams.core.events import ControlEvent, PlanApplied
        from streams.core.partition import Partition
        from streams.wire.ledger import CALL_RECORDS, DECISIONS, Ledger
        from streams.wire.partition import partition_of

        number = partition_of(case.plan.network.encode(), self._args.partitions)
        if number not in self._partitions:
            kinds = {DECISIONS, CALL_RECORDS} if self._args.records else {DECISIONS}
            self._partitions[number] = Partition(), Ledger(number, self._framing, kinds=kinds)
        case.core, case.ledger = self._partitions[number]
        case.plan = self._with_limits(self._compile(case.file, first_at))
        applied = ControlEvent(case.plan.network, first_at, PlanApplied(case.plan, RULES))
        self._apply(case, applied, case.offset, where=str(case.file))

    def _apply(
        self,
        case: _Case,
        event: Event,
        offset: int,
        *,
        where: str,
        out: IO[str] | None = None,
        records: IO[str] | None = None,
    ) -> None:
        """Apply an event as the worker does."""
        from streams.core.partition import Refused

        core, ledger = case.core, case.ledger
        assert core is not None
        assert ledger is not None
        try:
            outputs = core.apply(event, event.occurred_at or 0)
        except Refused as refused:
            # In a log it becomes a dead letter, and the next event is taken.
            self.refused.append(f"{where}: {refused.reason}: {refused.text}")
            return
        network = case.plan.network
        ledger.accept(network, self._encode(event)[1])
        if outputs:
            self._write(case, offset, outputs, out=out, records=records)
        for name, target in core.networks[network].targets.items():
            if len(target.places) > case.peaks.get(name, -1):
                case.peaks[name] = len(target.places)

    @staticmethod
    def _write(
        case: _Case, offset: int, outputs: Sequence[Output], *, out: IO[str] | None, records: IO[str] | None
    ) -> None:
        """Number, hash and write outputs."""
        from streams.cli.decisions import json_line
        from streams.core.decisions import CallRecord
        from streams.wire.ledger import DECISIONS
        from streams.wire.outputs import read_fields

        assert case.ledger is not None
        for message in case.ledger.write(offset, outputs):
            assert message.value is not None
            _, fields = read_fields(message.value)
            if message.kind == DECISIONS:
                case.decided[fields["verdict"] or "UNDECIDED", fields["reason"]] += 1
            stream = out if message.kind == DECISIONS else records
            if stream is not None:
                stream.write(json_line(fields) + "\n")
        case.records += sum(isinstance(output, CallRecord) for output in outputs)

    def _compile(self, file: Path, first_at: int | None) -> Plan:
        """Compile a plan's file, its calendars from the day before ``first_at`` unless an option says otherwise."""
        from streams.cli.plan import instant
        from streams.core.plan import DAY_US
        from streams.plans import PlanError, compile_plan, midnight

        args = self._args
        if not 1 <= args.horizon_days <= 3_660:
            raise Refusal(f"--horizon-days is {args.horizon_days}: it must be between 1 and 3660")
        from_at = None if first_at is None else midnight(first_at) - DAY_US
        if args.start is not None:
            from_at = instant(args.start)
        try:
            return compile_plan(file, from_at=from_at, horizon_days=args.horizon_days)
        except PlanError as error:
            raise Refusal(f"{file} is no plan to go by:\n{error}") from None

    def _with_limits(self, plan: Plan) -> Plan:
        """Return the plan with the limits that the command line says for its sites."""
        from streams.plans import with_limits

        names = [site.name for site in plan.sites]
        limits = {site: limit for site, limit in self._limits if site in names}
        return with_limits(plan, limits) if limits else plan

    def _check_limits(self) -> None:
        """Refuse a limit of a site that no plan has."""
        from streams.plans import with_limits

        plans = [case.plan for case in self.cases.values()]
        for site, limit in self._limits:
            if not any(site == known.name for plan in plans for known in plan.sites):
                try:
                    with_limits(plans[-1], {site: limit})
                except ValueError as error:
                    raise Refusal(f"--limit {site}={limit}: {error}") from None

    def summary(self) -> dict[str, Any]:
        """Return the summary for machines."""
        return {
            "networks": {name: _figures(case) for name, case in self.cases.items()},
            "left_out": dict(sorted(self.left_out.items())),
            "refused": self.refused,
        }


def _limit(text: str) -> tuple[str, int]:
    """Read SITE=N."""
    site, equals, number = text.rpartition("=")
    if not site or not equals or not number.isascii() or not number.isdigit():
        raise Refusal(f"--limit {text}: write it as SITE=N, for example bank=15")
    return site, int(number)


def _figures(case: _Case) -> dict[str, Any]:
    """Return one network's figures."""
    name = case.plan.network
    network = case.core.networks.get(name) if case.core is not None else None
    hashes = case.ledger.hashes(name) if case.ledger is not None else None
    return {
        "plan_version": case.plan.version,
        "events": case.events,
        "decisions": case.decided.total(),
        "decided": [
            {"verdict": verdict, "reason": reason, "count": count}
            for (verdict, reason), count in sorted(case.decided.items())
        ],
        "call_records": case.records,
        "peaks": case.peaks,
        "repeated": network.repeated if network is not None else 0,
        "late": network.late if network is not None else 0,
        "in_progress": {name: len(target.places) for name, target in network.targets.items()} if network else {},
        "chain": hashes.chain.hex() if hashes is not None else None,
    }


def _tell(log: _Log, took: float) -> None:
    """Sum up for a person, on standard error: standard output may be where the decisions go."""
    for name, case in log.cases.items():
        figures = _figures(case)
        _say(
            f"{name}: {figures['events']} events, {figures['decisions']} decisions, {figures['call_records']} call "
            f"records, plan {case.plan.version}"
        )
        width = len(str(figures["decisions"]))
        for row in figures["decided"]:
            _say(f"  {row['verdict']:<9} {row['count']:>{width}}  {row['reason']}")
        _say(f"  peaks: {_listed(case.peaks.items())}")
        if figures["repeated"] or figures["late"]:
            _say(f"  {figures['repeated']} events repeated or without effect, {figures['late']} too late")
    if log.left_out:
        _say(f"left out, for want of a plan: {_listed(sorted(log.left_out.items()))}")
    for refused in log.refused[:_REFUSALS_TOLD]:
        _say(f"refused: {refused}")
    if len(log.refused) > _REFUSALS_TOLD:
        _say(f"refused: {len(log.refused) - _REFUSALS_TOLD} more")
    events = sum(case.events for case in log.cases.values())
    _say(f"{took:.2f} s, {events / took:,.0f} events a second")


def _listed(figures: Iterable[tuple[str, int]]) -> str:
    """Return names with their figures as a list to read."""
    return ", ".join(f"{name} {figure}" for name, figure in figures) or "none"


def _say(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr)
