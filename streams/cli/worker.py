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
    from streams.cli import Refusal

    try:
        conf = settings.load(file=args.settings)
    except settings.SettingsError as error:
        raise Refusal(str(error)) from None

    from streams.metrics.http import Pages
    from streams.worker.app import create
    from streams.worker.app import run as run_worker
    from streams.worker.partition import LATENCY_BUCKETS_S

    worker = create(conf)
    pages = Pages(conf, worker.partitions, bounds=LATENCY_BUCKETS_S)
    try:
        pages.start()
    except OSError as error:
        raise Refusal(
            f"the metrics cannot be served on {conf.metrics_host}:{conf.metrics_port} ({error.strerror}): set "
            "metrics_port to another port, 0 takes any free one"
        ) from None
    print(f"tropplein: metrics and health on {pages.url}", file=sys.stderr)
    try:
        return run_worker(worker, args.log)
    finally:
        pages.stop()
