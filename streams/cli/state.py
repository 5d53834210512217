"""`tropplein state`: the worker's own state, when it cannot be gone on with."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.worker.rebuild import Rebuild

HELP = "rebuild a partition's state from its input"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    table = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    rebuild = table.add_parser(
        "rebuild",
        help="fold a partition's input anew and write its state",
        description="Folds a partition's input from its first event, appends to each output what comes behind its last "
        "record, and writes state and marker. Whoever has the partition is fenced. Restart the workers afterwards.",
    )
    rebuild.add_argument("--partition", type=int, required=True, metavar="N", help="the partition")
    rebuild.add_argument("--settings", metavar="FILE", help="settings file (TOML); the environment wins over it")


def run(args: argparse.Namespace) -> int:
    """Rebuild one partition."""
    from streams import settings
    from streams.cli import DONE, Refusal
    from streams.kafka.clients import KafkaTrouble
    from streams.worker.log import Fenced, Halted, InDoubt, Unavailable

    try:
        conf = settings.load(file=args.settings)
        rebuilt = _rebuild(conf, args.partition)
    except (settings.SettingsError, KafkaTrouble, Halted, Unavailable) as error:
        raise Refusal(str(error)) from None
    except Fenced:
        raise Refusal(
            f"a worker took partition {args.partition} back meanwhile: stop the workers, or wait until they have halted "
            "it, and run this again"
        ) from None
    except InDoubt as error:
        raise Refusal(f"{error}; run this again, it goes on where it was") from None
    print(
        f"partition {args.partition} is rebuilt up to {rebuilt.applied}, {rebuilt.figures.events} events, "
        f"{len(rebuilt.core.networks)} networks: restart the workers that halted it"
    )
    return DONE


def _rebuild(conf: Settings, number: int) -> Rebuild:
    from streams.kafka.reader import Reader
    from streams.kafka.topics import CALL_EVENTS
    from streams.worker.log import Fetched
    from streams.worker.parts import Parts

    engine = Parts(conf).rebuild(number)
    engine.open()
    with Reader(conf, conf.topic(CALL_EVENTS), partitions=(number,)) as events:
        said = time.monotonic()
        for run in events:
            if engine.done:
                break
            following = run.batch.offsets[-1] + 1
            engine.take(Fetched(0, engine.position, following, True, run.batch), time.monotonic())
            while engine.waiting is not None:
                print(f"tropplein: waiting: {engine.waiting}", file=sys.stderr)
                time.sleep(1)
                engine.turn(time.monotonic())
            engine.turn(time.monotonic())
            if sys.stderr.isatty() and time.monotonic() - said > 0.5:
                said = time.monotonic()
                print(f"\r\033[K{engine.position} of {events.ends[number]}", end="", file=sys.stderr, flush=True)
    engine.finish(time.monotonic())
    return engine
