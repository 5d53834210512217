"""`tropplein schemas register|check`: the contract's schemas in a Schema Registry."""

import argparse
import json

from streams.cli import DIFFERS, DONE
from streams.cli.config import add_settings_option, refusing, settings_of

HELP = "register the Avro schemas in a Schema Registry, or check them against it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    words = parser.add_subparsers(metavar="register|check", required=True, dest="what")
    for word, meaning in (
        ("register", "register every version of every schema, and have the registry keep them compatible"),
        ("check", "say what is not registered or differs; exit code 1 when there is one"),
    ):
        child = words.add_parser(word, help=meaning, description=meaning)
        add_settings_option(child)
        child.add_argument("--json", action="store_true", help="print one JSON object for machines")


def run(args: argparse.Namespace) -> int:
    """Register or check, and print each record's number or each difference."""
    from streams.kafka.registry import PATIENT_S, Registry

    with refusing():
        registry = Registry(settings_of(args), timeout_s=PATIENT_S)
        ids = registry.register() if args.what == "register" else {}
        differences = [] if ids else registry.check()
    if args.json:
        print(json.dumps({"ids": ids, "differences": differences}, indent=2))
        return DIFFERS if differences else DONE
    for name, number in ids.items():
        print(f"{name} is schema {number}")
    for said in differences:
        print(said)
    if not ids and not differences:
        print(f"every schema is registered at {registry.url}")
    return DIFFERS if differences else DONE
