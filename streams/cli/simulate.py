"""`tropplein simulate campaign`: write the campaign's events as a switch and a media agency would have sent them."""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.simulate.feed import Handed

HELP = "write a simulated campaign's call events to a file"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    what = parser.add_subparsers(title="what to simulate", metavar="WHAT", required=True)
    campaign = what.add_parser(
        "campaign",
        help="300 television spots between 3 and 30 November 2025 and the calls they bring",
        description="Write the campaign's events in the order in which they reach the log: some late, doubled or out of "
        "order. The same seed writes the same bytes. Its network's plan must say `clock: events`.",
    )
    campaign.add_argument("--seed", type=int, metavar="N", help="draw another campaign than the usual one")
    campaign.add_argument("--out", required=True, metavar="FILE", help="NDJSON, one event a line; - is standard output")
    campaign.add_argument("--json", action="store_true", help="tell what was written as JSON")


def run(args: argparse.Namespace) -> int:
    """Draw, write, and tell what an independent recount finds in it."""
    from streams.cli import DONE
    from streams.cli.demo_summary import as_json, rows_of
    from streams.simulate.campaign import DEFAULT_SEED, draw_campaign
    from streams.simulate.feed import feed
    from streams.simulate.recount import recount

    seed = DEFAULT_SEED if args.seed is None else args.seed
    handed = feed(random.Random(seed), draw_campaign(seed).events())  # noqa: S311 -- the same seed is to give the same feed
    _write(args.out, handed)
    counted = recount(rows_of(each.event for each in handed))
    # What goes to standard output is the events there, so the summary steps aside.
    told: IO[str] = sys.stderr if args.out == "-" else sys.stdout
    if args.json:
        print(json.dumps(as_json(counted, seed=seed, out=args.out, events=len(handed)), indent=2), file=told)
        return DONE
    print(f"{len(handed)} events of {counted.offers} calls to {args.out} (seed {seed})", file=told)
    print(f"most calls in progress: {counted.peak.calls}", file=told)
    return DONE


def _write(out: str, handed: Sequence[Handed]) -> None:
    """Write a line for each event."""
    from streams.cli import Refusal
    from streams.wire.ndjson import event_to_line

    lines = (event_to_line(each.event) + "\n" for each in handed)
    if out == "-":
        sys.stdout.writelines(lines)
        return
    try:
        with Path(out).open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}") from None
