"""`tropplein worker`: decide, until told to stop."""

from __future__ import annotations

import argparse
import sys

HELP = "read call events from Kafka and write decisions, call records and site states, exactly once"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; everything else is a setting (`tropplein config`)."""
    parser.add_argument("--settings", metavar="FILE", help="settings file (TOML); the environment wins over it")
    parser.add_argument(
        "--log", metavar="LEVEL", default="info", choices=("debug", "info", "warning", "error"), help="what to log"
    )


def run(args: argparse.Namespace) -> int:
    """Run a worker in the foreground; SIGTERM and Ctrl-C end it with its last transaction committed."""
    from streams import settings
    from streams.cli import DONE, Refusal

    try:
        conf = settings.load(file=args.settings)
    except settings.SettingsError as error:
        raise Refusal(str(error)) from None

    import faust

    from streams.worker.app import create

    worker = create(conf)
    try:
        faust.Worker(worker.app, loglevel=args.log, quiet=False, redirect_stdouts=False).execute_from_commandline()
    except SystemExit as end:
        # Faust ends with 0 although its application crashed; whoever supervises must know.
        if worker.app.crashed:
            print("tropplein: the worker crashed; its log says why", file=sys.stderr)
            return 1
        return int(end.code or DONE)
