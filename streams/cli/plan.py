"""`tropplein plan`: is a plan right, what does it mean, and putting it in force."""

import argparse
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli import DIFFERS, DONE, Refusal
from streams.cli.config import add_settings_option, refusing, settings_of

if TYPE_CHECKING:
    from streams.core.plan import Plan

HELP = "check a plan, show what it means, or put it in force"

_EXAMPLE = "for example 2025-11-30T20:45+01:00, or 2025-11-30 (midnight, UTC)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add `check`, `show` and `apply`."""
    words = parser.add_subparsers(title="what to do", metavar="WORD", required=True)
    check = words.add_parser("check", help="read plans and print every refusal and remark", description=_check.__doc__)
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(act=_check)
    show = words.add_parser("show", help="print what is in force when, and where calls go", description=_show.__doc__)
    show.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan's file; no broker is asked")
    show.add_argument("--network", metavar="NAME", help="the plan in force for this network, read from the brokers")
    show.add_argument("--at", metavar="INSTANT", help=f"the instant to look at; by default now; {_EXAMPLE}")
    show.add_argument("--openings", type=int, default=5, metavar="N", help="openings shown for each target (5)")
    apply = words.add_parser("apply", help="put a plan in force", description=_apply.__doc__)
    apply.add_argument("file", type=Path, metavar="FILE")
    apply.add_argument("--network", metavar="NAME", help="refuse the plan unless it is this network's")
    apply.add_argument("--dry-run", action="store_true", help="compare with the plan in force, and change nothing")
    apply.add_argument("--who", metavar="ID", help="staff id to be kept with the change")
    apply.add_argument("--wait", type=float, default=30, metavar="S", help="seconds to wait for the outcome (30)")
    for word, act in ((show, _show), (apply, _apply)):
        word.set_defaults(act=act)
        add_settings_option(word)
    for word in (check, show, apply):
        word.add_argument(
            "--from", dest="start", metavar="INSTANT", help="first instant of the calendars; by default today"
        )
        word.add_argument("--horizon-days", type=int, default=730, metavar="N", help="days the calendars cover (730)")
        word.add_argument("--json", action="store_true", help="print one JSON object for machines")


def run(args: argparse.Namespace) -> int:
    """Do what the second word says."""
    return int(args.act(args))


def _check(args: argparse.Namespace) -> int:
    """Read plans and print every refusal with file, line and path; exit code 1 if there is any."""
    from streams.plans import PlanError, local_time, remarks

    answers: list[dict[str, object]] = []
    for file in args.files:
        try:
            plan = _compile(file, args)
        except PlanError as error:
            answers.append({"file": str(file), "refusals": [asdict(refusal) for refusal in error.refusals]})
            if not args.json:
                print(error)
            continue
        found = remarks(plan)
        answers.append({"file": str(file), "network": plan.network, "version": plan.version, "remarks": list(found)})
        if not args.json:
            until = local_time(plan, plan.horizon_at)
            print(f"{file}: network {plan.network}, version {plan.version}, calendar until {until}")
            for remark in found:
                print(f"{file}: remark: {remark}")
    if args.json:
        print(json.dumps({"plans": answers}, indent=2))
    return DIFFERS if any("refusals" in answer for answer in answers) else DONE


def _show(args: argparse.Namespace) -> int:
    """Print what a plan means: figures, opening hours, overflow chains; from a file, or as in force for a network."""
    from streams.plans import outlooks

    if (args.file is None) == (args.network is None):
        raise Refusal("say which plan: a FILE, or --network NAME for the plan in force")
    plan = _in_force(args) if args.file is None else _compile_or_refuse(args.file, args)
    at = time.time_ns() // 1_000 if args.at is None else instant(args.at)
    targets = outlooks(plan, at, openings=args.openings)
    if args.json:
        answer = {
            "network": plan.network,
            "version": plan.version,
            "at": at,
            "targets": [asdict(row) for row in targets],
        }
        print(json.dumps(answer, indent=2))
        return DONE
    from streams.cli.plan_table import print_plan

    print_plan(plan, at, targets)
    return DONE


def _apply(args: argparse.Namespace) -> int:
    """Compile a plan, append it to its network's events, and wait until it is in force or refused."""
    from streams.plans import HORIZON_DAYS_APPLIED_MIN, remarks

    if args.horizon_days < HORIZON_DAYS_APPLIED_MIN:
        raise Refusal(
            f"--horizon-days is {args.horizon_days}: a plan in force covers {HORIZON_DAYS_APPLIED_MIN} days at least"
        )
    plan = _compile_or_refuse(args.file, args)
    if args.network not in {None, plan.network}:
        raise Refusal(f"{args.file} is the plan of network {plan.network}, not of {args.network}")
    from streams.cli.plan_change import Change, put_in_force

    found = remarks(plan)
    if not args.json:
        for remark in found:
            print(f"{args.file}: remark: {remark}")
    change = Change(plan, who=args.who, dry_run=args.dry_run, wait_s=args.wait)
    with refusing():
        outcome = put_in_force(settings_of(args), change)
    if args.json:
        print(
            json.dumps(
                {**asdict(outcome), "network": plan.network, "version": plan.version, "remarks": list(found)}, indent=2
            )
        )
    else:
        print(outcome.sentence)
    return DONE if outcome.done else DIFFERS


def _in_force(args: argparse.Namespace) -> "Plan":
    """Return the plan in force for a network, as the worker keeps it."""
    from streams.cli.plan_change import plan_in_force

    with refusing():
        plan = plan_in_force(settings_of(args), args.network)
    if plan is None:
        raise Refusal(f"no plan is in force for network {args.network}: `tropplein plan apply FILE` puts one in force")
    return plan


def _compile(file: Path, args: argparse.Namespace) -> "Plan":
    """Compile a file as the options say."""
    from streams.plans import compile_plan

    if not 1 <= args.horizon_days <= 3_660:
        raise Refusal(f"--horizon-days is {args.horizon_days}: it must be between 1 and 3660")
    return compile_plan(
        file, from_at=None if args.start is None else instant(args.start), horizon_days=args.horizon_days
    )


def _compile_or_refuse(file: Path, args: argparse.Namespace) -> "Plan":
    """Compile a file; what is wrong with it is the command's refusal."""
    from streams.plans import PlanError

    try:
        return _compile(file, args)
    except PlanError as error:
        raise Refusal(f"{file} is no plan to go by:\n{error}") from None


def instant(text: str) -> int:
    """Return an RFC 3339 instant, or a date, as microseconds; without an offset it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f'"{text}" is no instant: write it as RFC 3339, {_EXAMPLE}') from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)
