"""`tropplein decide FILE|- --plan PLAN`: what a worker would decide, without a broker. The pure function over NDJSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli import DONE, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.cli.decide_log import Case, Log

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
    parser.add_argument(
        "--clock", choices=("live", "events"), help="what moves time, in place of what the plans say: events for a file "
        "that holds its own ticks, as `simulate campaign` writes them",
    )  # fmt: skip
    parser.add_argument("--horizon-days", type=int, default=730, metavar="N", help="days the calendars cover (730)")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the summary as one JSON object, on standard output unless that is where the decisions go",
    )


def run(args: argparse.Namespace) -> int:
    """Decide every question of the file, and sum up."""
    from streams.cli.decide_log import Log
    from streams.cli.lines import numbered_events, reading, writing
    from streams.cli.plan import instant

    if args.partitions < 1:
        raise Refusal(f"--partitions is {args.partitions}: a log has one at least")
    if not 1 <= args.horizon_days <= 3_660:
        raise Refusal(f"--horizon-days is {args.horizon_days}: it must be between 1 and 3660")
    if args.out == args.records:
        raise Refusal("--out and --records are the same: say two files")
    began = time.perf_counter()
    with (
        reading(args.file, "deciding") as lines,
        writing(args.out) as out,
        writing(args.records) if args.records else nullcontext() as records,
    ):
        log = Log(
            args.file,
            args.plan,
            limits=dict(map(_limit, args.limit)),
            partitions=args.partitions,
            from_at=None if args.start is None else instant(args.start),
            horizon_days=args.horizon_days,
            clock=args.clock,
            out=out,
            records=records,
        )
        for number, event in numbered_events(lines, args.file):
            log.take(number, event)
    took = time.perf_counter() - began
    if args.json:
        print(json.dumps(_summary(log), indent=2), file=sys.stderr if "-" in {args.out, args.records} else sys.stdout)
    else:
        _tell(log, took)
    return DONE


def _limit(text: str) -> tuple[str, int]:
    """Read SITE=N."""
    site, equals, number = text.rpartition("=")
    if not site or not equals or not number.isascii() or not number.isdigit():
        raise Refusal(f"--limit {text}: write it as SITE=N, for example bank=15")
    return site, int(number)


def _summary(log: Log) -> dict[str, Any]:
    """Return the summary for machines."""
    return {
        "networks": {name: _figures(case) for name, case in log.cases.items()},
        "left_out": dict(sorted(log.left_out.items())),
        "refused": log.refused,
    }


def _figures(case: Case) -> dict[str, Any]:
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


def _tell(log: Log, took: float) -> None:
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
