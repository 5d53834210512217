"""The `tropplein` command: a table of words, each one module of this package.

A word's module has three names: `HELP`, one sentence; `configure(parser)`, which adds its arguments; and `run(args)`,
which does the work and returns the exit code. It is imported when the word is used, and imports the folder it drives
inside `run`, so that `tropplein --help` answers at once.

Exit codes: 0 done, 1 the answer is no or differs, 2 refused (the sentence says what to do next), 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

DONE = 0
DIFFERS = 1
REFUSED = 2
INTERRUPTED = 130

WORDS: dict[str, str] = {
    "demo": "play the simulated campaign live: switches, worker, wallboard, metrics",
    "worker": "decide: call events from Kafka in, decisions and call records out",
    "topics": "create the topics, or check that they are as the worker needs them",
    "schemas": "register the schemas in a Schema Registry, or check them against it",
    "plan": "check, show or apply a network's plan",
    "simulate": "write a simulated campaign's call events to a file",
    "produce": "send call events from a file to Kafka",
    "decide": "decide offline: events from a file in, decisions to a file out",
    "decisions": "print the decisions of a running system",
    "replay": "recompute a finished log and compare it with what was published",
    "state": "rebuild a partition's state from its input",
    "config": "show the settings in force and where each one came from",
    "bench": "measure drain rate, events per CPU-second and latency here",
}
"""The first word of a command and what it does, in the order `--help` lists them."""


class Refusal(Exception):  # noqa: N818 -- it is an answer, not an error: the sentence says what to do next
    """Something a person can put right; printed as `tropplein: <sentence>`, and the command ends with code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own by default) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(words)
    args = parser.parse_args(words)
    try:
        return int(args.run(args))
    except Refusal as refusal:
        print(f"tropplein: {refusal}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("tropplein: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, say) went away. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """Build the parser; only the word in use is imported and configured."""
    parser = argparse.ArgumentParser(
        prog="tropplein",
        description=importlib.import_module("streams").__doc__,
        # A table of our own: argparse breaks the line after a long word.
        epilog="\n".join(["commands:", *(f"  {word:<11}{line}" for word, line in WORDS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tropplein {_version()}")
    table = parser.add_subparsers(
        metavar="COMMAND", required=True, help="one of the commands below; each has its own --help"
    )
    used = next((word for word in words if not word.startswith("-")), None)
    for word in WORDS:
        child = table.add_parser(word)
        if word == used:
            module = importlib.import_module(f"streams.cli.{word}")
            child.description = module.HELP
            module.configure(child)
            child.set_defaults(run=module.run)
    return parser


def _version() -> str:
    """Return the version of the code that runs, also in a checkout that was never installed."""
    from streams import __version__

    return __version__
