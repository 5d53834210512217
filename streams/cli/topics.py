"""`tropplein topics create|check`: make the topic set, or say every way in which it is not as the worker needs it."""

import argparse
import json

from streams.cli import DIFFERS, DONE
from streams.cli.config import add_settings_option, refusing, settings_of

HELP = "create the topics, or check that they are as the worker needs them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    words = parser.add_subparsers(metavar="create|check", required=True, dest="what")
    for word, meaning in (
        ("create", "create the topics that are missing; needs an administrator's login"),
        ("check", "say every difference; exit code 1 when there is one"),
    ):
        child = words.add_parser(word, help=meaning, description=meaning)
        add_settings_option(child)
        child.add_argument("--json", action="store_true", help="print one JSON object for machines")


def run(args: argparse.Namespace) -> int:
    """Create what is missing if asked to, then say every difference."""
    from streams.kafka import topics

    settings = settings_of(args)
    with refusing():
        created = topics.create(settings) if args.what == "create" else []
        differences = topics.check(settings)
    if args.json:
        print(json.dumps({"created": created, "differences": differences}, indent=2))
        return DIFFERS if differences else DONE
    for name in created:
        print(f"created {name}")
    for said in differences:
        print(said)
    if not differences:
        print(f"{len(topics.KINDS)} topics of {settings.partitions} partitions are as they must be")
    return DIFFERS if differences else DONE
