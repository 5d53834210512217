"""`tropplein decisions`: print the decisions that a running system has published, committed ones only."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from streams.cli import DONE, Refusal
from streams.cli.config import add_settings_option, refusing, settings_of

HELP = "print the decisions of a running system"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    parser.add_argument("--network", help="only this network's, in their order")
    parser.add_argument("--from", dest="start", metavar="INSTANT", help="only those published at this instant or later")
    parser.add_argument("--to", dest="end", metavar="INSTANT", help="only those published before this instant")
    parser.add_argument("--follow", action="store_true", help="go on and print new ones as they are published")
    parser.add_argument("--json", action="store_true", help="print NDJSON, one whole decision a line")
    add_settings_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line for each decision; of several networks, each one's lines are in its order."""
    from streams.cli.plan import instant
    from streams.kafka.reader import Reader
    from streams.kafka.registry import Translations
    from streams.kafka.topics import DECISIONS

    if args.follow and args.end:
        raise Refusal("--follow has no end: leave --to out")
    settings = settings_of(args)
    show = json_line if args.json else _line
    key = args.network.encode() if args.network else None
    from_at = instant(args.start) if args.start else None
    to_at = instant(args.end) if args.end else None
    with refusing():
        topic, ids = settings.topic(DECISIONS), Translations(settings)
        with Reader(settings, topic, key=key, from_at=from_at, to_at=to_at, follow=args.follow) as reader:
            for _, batch in reader:
                for decision in _decisions(batch.values, ids):
                    if args.network in {None, decision["network"]}:
                        print(show(decision))
                if args.follow:
                    sys.stdout.flush()
    return DONE


def _decisions(values: list[bytes | None], ids: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the decisions that records hold."""
    from streams.wire.framing import BadFraming
    from streams.wire.outputs import read_fields

    for value in values:
        if value is not None:
            try:
                yield read_fields(value, ids)[1]
            except (BadFraming, LookupError) as unknown:
                raise Refusal(f"decisions holds what this release cannot read: {unknown}") from None


def json_line(decision: dict[str, Any]) -> str:
    """Return a whole decision as `decide` writes it, with its place in the log; hashes in hexadecimal."""
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in decision.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _line(decision: dict[str, Any]) -> str:
    """Return a decision as a person reads it: when, whose, which call, where to and why, and how full the site was."""
    at = datetime.fromtimestamp(decision["occurred_at"] / 1_000_000, UTC).isoformat(timespec="milliseconds")
    to = decision["target"] or decision["treatment"] or "-"
    limit = "" if decision["limit"] is None else f"/{decision['limit']}"
    attempt = "" if decision["attempt"] == 1 else f" attempt {decision['attempt']}"
    return (
        f"{at.replace('+00:00', 'Z')}  {decision['network']}  {decision['site']}  {decision['call_id']}{attempt}  "
        f"{decision['verdict'] or 'UNDECIDED'} {to}  {decision['reason']}  {decision['in_progress']}{limit} in progress"
    )
