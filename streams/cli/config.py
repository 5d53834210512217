"""`tropplein config`: every setting, its value, where the value came from and what it means.

Here too, because every word that reaches Kafka needs them: the `--settings` option, the settings it gives, and what
Kafka and the registry cannot do as the command's refusal.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streams.cli import DONE, Refusal
from streams.settings import FILE, PREFIX, Reading, Secret, Settings, SettingsError, meanings, nearest, read

HELP = "show the settings in force and where each one came from"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    add_settings_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")


def run(args: argparse.Namespace) -> int:
    """Print the settings; secrets only as set or not set."""
    reading = _read(args)
    rows = [
        {
            "name": name,
            "value": _shown(getattr(reading.settings, name)),
            "source": reading.sources[name],
            "environment": PREFIX + name.upper(),
            "meaning": meaning,
        }
        for name, meaning in meanings().items()
    ]
    if args.json:
        print(json.dumps({"settings": rows, "ignored": list(reading.ignored)}, indent=2))
        return DONE
    for row in rows:
        value = ",".join(row["value"]) if isinstance(row["value"], list) else row["value"]
        print(f"{row['name']} = {value}\n    {row['meaning']}\n    from {row['source']}; {row['environment']}")
    for variable in reading.ignored:
        meant = nearest(variable)
        print(f"{variable} is set but is no setting" + (f"; did you mean {PREFIX}{meant.upper()}?" if meant else ""))
    return DONE


def add_settings_option(parser: argparse.ArgumentParser) -> None:
    """Add `--settings FILE`, which every word that needs settings has."""
    parser.add_argument("--settings", metavar="FILE", help=f"settings file (TOML); by default the one {FILE} names")


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings in force for a command; what is wrong with them is its refusal."""
    return _read(args).settings


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the troubles of Kafka and the registry within into the command's refusal."""
    from streams.kafka.clients import KafkaTrouble
    from streams.kafka.registry import RegistryDown

    try:
        yield
    except (KafkaTrouble, RegistryDown) as trouble:
        raise Refusal(str(trouble)) from None


def _read(args: argparse.Namespace) -> Reading:
    try:
        return read(file=args.settings)
    except SettingsError as error:
        raise Refusal(str(error)) from None


def _shown(value: Any) -> Any:
    """Return a value as it may be printed."""
    if isinstance(value, Secret):
        return "(set)" if value else ""
    return list(value) if isinstance(value, tuple) else value
