"""`tropplein produce FILE|-`: send call events from NDJSON to Kafka."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from streams.cli import DONE, Refusal
from streams.cli.config import add_settings_option, refusing, settings_of

if TYPE_CHECKING:
    from streams.core.events import Event
    from streams.kafka.publisher import Publisher

HELP = "send call events from a file to Kafka"

_FAR_US = 3_600_000_000
"""An input that begins this far from now is no live feed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    parser.add_argument("file", metavar="FILE", help="events as NDJSON, one a line; - reads standard input")
    parser.add_argument(
        "--clock",
        choices=("live", "events"),
        default="live",
        help="live: the events happen now, and an input that does not begin within an hour of now is refused; "
        "events: they are history or simulation, for a network whose plan says `clock: events`",
    )
    parser.add_argument(
        "--keep-times",
        action="store_true",
        help="stamp each record with its event's time; for topics with CreateTime, as imports of history have them",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    add_settings_option(parser)


def run(args: argparse.Namespace) -> int:
    """Send every event, wait until the brokers have them all, and say how many."""
    from streams.cli.lines import reading
    from streams.kafka.events import event_publisher

    settings = settings_of(args)
    with refusing(), reading(args.file, "sending") as lines:
        if args.keep_times:
            _refuse_times_that_are_replaced(args)
        with event_publisher(settings) as publisher:
            networks = _send(lines, publisher, args)
    topic, sent = publisher.topic, publisher.delivered
    if args.json:
        print(json.dumps({"topic": topic, "sent": sent, "networks": dict(sorted(networks.items()))}, indent=2))
    else:
        print(f"sent {sent} events of {len(networks)} networks to {topic}")
    return DONE


def _send(lines: IO[str], publisher: "Publisher[Event]", args: argparse.Namespace) -> Counter[str]:
    """Send what the lines say and count it by network; a line that says nothing sensible stops it."""
    networks: Counter[str] = Counter()
    try:
        for number, event in _events(lines, args):
            network, occurred_at = _whose(event, f"{args.file}:{number}")
            if not networks and args.clock == "live":
                _refuse_history(occurred_at, f"{args.file}:{number}")
            publisher.send(event, appended_at=occurred_at if args.keep_times else None)
            networks[network] += 1
    except (Refusal, UnicodeDecodeError, KeyboardInterrupt):
        # What came before is good and on its way: let it arrive, and say where the rest begins.
        publisher.flush()
        print(f"tropplein: {publisher.delivered} events were sent before this", file=sys.stderr)
        raise
    return networks


def _events(lines: IO[str], args: argparse.Namespace) -> Iterator[tuple[int, "Event"]]:
    """Yield each line's number and event."""
    from streams.wire.ndjson import BadLine, read_event

    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, read_event(line)
            except BadLine as bad:
                raise Refusal(f"{args.file}:{number}: {bad}") from None


def _whose(event: "Event", where: str) -> tuple[str, int]:
    """Return an event's network and time, which only a partition's Tick is without."""
    if event.network is None or event.occurred_at is None:
        raise Refusal(f"{where} is a partition's Tick: the worker appends those itself")
    return event.network, event.occurred_at


def _refuse_history(occurred_at: int, where: str) -> None:
    """Refuse events of another time: a live network would take them as happening now."""
    away_us = time.time_ns() // 1000 - occurred_at
    if abs(away_us) > _FAR_US:
        hours = abs(away_us) / 3_600_000_000
        raise Refusal(
            f"{where} is {hours:,.0f} hours {'old' if away_us > 0 else 'ahead'}, and a live network takes "
            "every event as happening now: if the network's plan says `clock: events`, say --clock events"
        )


def _refuse_times_that_are_replaced(args: argparse.Namespace) -> None:
    """Refuse to keep times where the topic puts the broker's in their place."""
    from streams.kafka.topics import keeps_given_times

    settings = settings_of(args)
    if not keeps_given_times(settings):
        raise Refusal(
            "--keep-times: call-events has message.timestamp.type=LogAppendTime, so the brokers put their own time on "
            "every record; import history into a topic set of its own (prefix) whose call-events has CreateTime"
        )
