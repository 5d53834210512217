"""`tropplein replay`: the finished log, recomputed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.replay.compare import Comparison, Divergence, Published
    from streams.settings import Settings

HELP = "recompute a finished log and compare every output with what was published"
SAY_EVERY_S = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    table = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = table.add_parser(
        "verify",
        help="fold call-events anew and compare decisions, call records, dead letters and site states",
        description="Folds call-events from its first event to its end and compares every output record by record. "
        "Run it when the workers have caught up: what they have not written yet differs.",
    )
    verify.add_argument("--settings", metavar="FILE", help="settings file (TOML); the environment wins over it")
    verify.add_argument("--partition", type=int, action="append", metavar="N", help="only this one; may be repeated")
    verify.add_argument("--json", action="store_true", help="one JSON object on stdout, nothing else")


def run(args: argparse.Namespace) -> int:
    """Verify; 0 when every record is identical, 1 at the first that is not."""
    from streams import settings
    from streams.cli import DIFFERS, DONE, Refusal
    from streams.kafka.clients import KafkaTrouble

    try:
        conf = settings.load(file=args.settings)
        results = _verify(conf, args.partition or list(range(conf.partitions)), quiet=args.json)
    except (settings.SettingsError, KafkaTrouble) as error:
        raise Refusal(str(error)) from None
    differing = [result.divergence for result in results if result.divergence is not None]
    identical = sum(sum(result.identical.values()) for result in results)
    if args.json:
        print(json.dumps(_summary(results, differing)))
    elif differing:
        for divergence in differing:
            print(_told(divergence))
    else:
        print(f"{identical} of {identical} identical ({_by_kind(results)}; {sum(r.events for r in results)} events)")
    return DIFFERS if differing else DONE


def _verify(conf: Settings, partitions: list[int], *, quiet: bool) -> list[Comparison]:
    """Compare partition by partition, saying how far it is."""
    from streams.cli import Refusal
    from streams.kafka.events import framing
    from streams.kafka.reader import Reader
    from streams.kafka.topics import CALL_EVENTS
    from streams.replay.compare import compare
    from streams.replay.fold import Fold

    writer = framing(conf)
    results: list[Comparison] = []
    began = time.monotonic()
    for number in partitions:
        ids = _stored_ids(conf, number)
        fold = Fold(
            number, conf.partitions, ids=ids, framing=writer, outputs=frozenset(conf.outputs), calls_max=conf.calls_max
        )
        with Reader(conf, conf.topic(CALL_EVENTS), partitions=(number,)) as events:
            if events.starts[number] > 0:
                raise Refusal(
                    f"{events.topic}, partition {number} begins at {events.starts[number]}: its first events are gone, "
                    "and a fold begins with the first"
                )
            batches = (run.batch for run in events)
            read = partial(_read, conf, number)
            result = None
            for result in compare(fold, number, batches, read, wanted=conf.outputs):
                done = sum(each.events for each in [*results, result])
                _say(f"partition {number}: {done} events, {done / (time.monotonic() - began):,.0f}/s", quiet=quiet)
        assert result is not None
        results.append(result)
    _say("", quiet=quiet)
    return results


def _read(conf: Settings, partition: int, kind: str) -> Iterator[Published]:
    """Read the committed records of an output kind."""
    from streams.kafka import topics
    from streams.kafka.reader import Reader
    from streams.replay.compare import Published
    from streams.wire.ledger import DEAD_LETTERS

    name = topics.DEAD_LETTERS if kind == DEAD_LETTERS else kind
    with Reader(conf, conf.topic(name), partitions=(partition,)) as reader:
        for run in reader:
            yield from map(Published, run.batch.offsets, run.batch.keys, run.batch.values)


def _stored_ids(conf: Settings, partition: int) -> dict[int, int]:
    """Return the schema ids the worker translated, as it stored them."""
    from streams.kafka.reader import Reader
    from streams.kafka.topics import STATE
    from streams.wire import state

    ids = {}
    with Reader(conf, conf.topic(STATE), partitions=(partition,)) as reader:
        for run in reader:
            for key, value in zip(run.batch.keys, run.batch.values, strict=True):
                if key is not None and value is not None and key.startswith(b"s/"):
                    record = state.read(key, value)
                    assert isinstance(record, state.SchemaId)
                    ids[record.schema_id] = record.fingerprint
    return ids


_said = [0.0]


def _say(text: str, *, quiet: bool) -> None:
    """Show progress on a terminal, now and then."""
    now = time.monotonic()
    if quiet or not sys.stderr.isatty() or (text and now - _said[0] < SAY_EVERY_S):
        return
    _said[0] = now
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _by_kind(results: list[Comparison]) -> str:
    kinds = {kind: sum(result.identical[kind] for result in results) for kind in results[0].identical}
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def _told(divergence: Divergence) -> str:
    """Tell a divergence with both sides."""
    return (
        f"{divergence.kind}, partition {divergence.partition}, record {divergence.number} differs, call-events folded "
        f"up to offset {divergence.source}:\n"
        f"  must be: {_shown(divergence.expected)}\n"
        f"  is:      {_shown(divergence.found)}"
    )


def _shown(side: Any) -> str:
    if side is None:
        return "no such record"
    where = f" at offset {side.offset}" if hasattr(side, "offset") else ""
    return f"key {side.key!r}{where}, {len(side.value or b'')} bytes {(side.value or b'').hex()}"


def _summary(results: list[Comparison], differing: list[Divergence]) -> dict[str, Any]:
    return {
        "identical": {
            kind: sum(result.identical[kind] for result in results)
            for kind in (results[0].identical if results else ())
        },
        "events": sum(result.events for result in results),
        "divergences": [_told(divergence) for divergence in differing],
    }
