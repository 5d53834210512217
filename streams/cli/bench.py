"""`tropplein bench`: what the product does here: drain rate, events per CPU-second, latency.

Every figure is the median of several runs, with the least and the most. Every decision of every run is compared with
a naive recount; one that differs ends the command with code 1. `--core` needs no broker.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import sys
from typing import TYPE_CHECKING, NamedTuple

from streams.cli import DIFFERS, DONE, Refusal
from streams.cli.config import add_settings_option, refusing, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.cli.bench_kafka import Load
    from streams.settings import Settings

HELP = "measure drain rate, events per CPU-second and latency here"

_EVENTS_LEAST = 5_000
_QUANTILES = (0.5, 0.95, 0.99)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the word's arguments."""
    parser.add_argument("--core", action="store_true", help="only what needs no broker: the cost of each pure part")
    parser.add_argument("--brokers", metavar="HOST:PORT", help="a Kafka to measure on, in place of the settings' own")
    parser.add_argument(
        "--outputs", action="append", choices=("all", "decisions"), help="what the worker writes; by default both ways"
    )
    parser.add_argument("--networks", type=int, default=200, metavar="N", help="networks, one site each (200)")
    parser.add_argument("--events", type=int, default=200_000, metavar="N", help="events of a drain (200000)")
    parser.add_argument("--rate", type=int, default=5_000, metavar="N", help="events a second for the latency (5000)")
    parser.add_argument(
        "--seconds", type=int, default=15, metavar="S", help="how long at that rate; 0: not at all (15)"
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each measurement (3)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what the calls are drawn from (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines")
    add_settings_option(parser)


class Figure(NamedTuple):
    """One measured thing and its value in each run; ``digits`` are worth showing behind the point."""

    group: str
    name: str
    values: list[float]
    digits: int = 0


def run(args: argparse.Namespace) -> int:
    """Measure, print, and say whether every decision was right."""
    for name in ("networks", "rate", "runs"):
        if getattr(args, name) < 1:
            raise Refusal(f"--{name} is {getattr(args, name)}: it must be 1 at least")
    if args.events < _EVENTS_LEAST:
        raise Refusal(f"--events is {args.events}: fewer than {_EVENTS_LEAST} measure nothing but the beginning")
    faults: list[str] = []
    figures = list(_core(args, faults) if args.core else _on_kafka(args, faults))
    if args.json:
        print(json.dumps(summary(figures, faults), indent=2))
    else:
        for line in lines(figures):
            print(line)
        print(f"{os.cpu_count()} CPUs, {os.getloadavg()[0]:.1f} processes busy over the last minute", file=sys.stderr)
        for fault in faults:
            print(f"tropplein: {fault}", file=sys.stderr)
    return DIFFERS if faults else DONE


def summary(figures: list[Figure], faults: list[str]) -> dict[str, object]:
    """Return the figures for machines."""
    rows = [
        {
            "group": figure.group,
            "name": figure.name,
            "median": statistics.median(figure.values),
            "least": min(figure.values),
            "most": max(figure.values),
            "runs": len(figure.values),
        }
        for figure in figures
    ]
    return {"figures": rows, "faults": faults, "cpus": os.cpu_count(), "load": os.getloadavg()[0]}


def lines(figures: list[Figure]) -> Iterator[str]:
    """Yield the figures as lines to read, each group under its title."""
    width = max(len(figure.name) for figure in figures)
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            yield f"{group}: median of {len(figure.values)} runs (least to most)"
        median, least, most = (
            f"{value:,.{figure.digits}f}"
            for value in (statistics.median(figure.values), min(figure.values), max(figure.values))
        )
        yield f"  {figure.name:<{width}}  {median:>9}  ({least} to {most})"


def _core(args: argparse.Namespace, faults: list[str]) -> Iterator[Figure]:
    """Measure the pure parts."""
    from streams.cli.bench_core import measure

    costs: dict[str, list[float]] = {}
    for number in range(args.runs):
        _say(f"pure parts, run {number + 1} of {args.runs}")
        found, wrong = measure(args.networks, args.events, args.seed)
        faults += wrong
        for part, cost in found.items():
            costs.setdefault(part, []).append(cost)
    _say("")
    for part, values in costs.items():
        yield Figure("microseconds of CPU per event", part, values, 2)


def _on_kafka(args: argparse.Namespace, faults: list[str]) -> Iterator[Figure]:
    """Measure a worker on a Kafka."""
    from streams.cli.bench_kafka import Load
    from streams.settings import OUTPUTS

    settings = settings_of(args)
    if args.brokers:
        settings = dataclasses.replace(settings, brokers=args.brokers)
    load = Load(args.networks, args.events, args.seed)
    with refusing():
        for title in args.outputs or ("all", "decisions"):
            outputs = OUTPUTS if title == "all" else (title,)
            yield from _drains(args, dataclasses.replace(settings, outputs=outputs), load, faults)
        if args.seconds:
            yield from _latencies(args, settings, load._replace(events=args.rate * args.seconds), faults)
    _say("")


def _drains(args: argparse.Namespace, settings: Settings, load: Load, faults: list[str]) -> Iterator[Figure]:
    """Measure drains with the outputs that the settings name."""
    from streams.cli.bench_kafka import drain, topic_set

    title = f"drain of {load.events:,} events, writing {', '.join(settings.outputs)}"
    found = []
    for number in range(args.runs):
        _say(f"{title}: run {number + 1} of {args.runs}")
        with topic_set(settings) as own:
            found.append(drain(own, args.settings, load))
        faults += found[-1].faults
    yield Figure(title, "events per CPU-second", [one.events_per_cpu_s for one in found])
    yield Figure(title, "events a second", [one.events_per_s for one in found])
    yield Figure(title, "peak memory, MB", [one.peak_mb for one in found])


def _latencies(args: argparse.Namespace, settings: Settings, load: Load, faults: list[str]) -> Iterator[Figure]:
    """Measure latencies at a steady rate."""
    from streams.cli.bench_kafka import latency, quantile, topic_set

    title = f"milliseconds at {args.rate:,} events a second"
    found = []
    for number in range(args.runs):
        _say(f"{title}: run {number + 1} of {args.runs}")
        with topic_set(settings) as own:
            found.append(latency(own, args.settings, load, args.rate))
        faults += found[-1].faults
    yield Figure(title, "events a second really sent", [one.rate for one in found])
    for share in _QUANTILES:
        name = f"offer appended to decision appended, p{share * 100:.0f}"
        yield Figure(title, name, [quantile(one.appended, share) for one in found], 1)
    for share in _QUANTILES:
        name = f"offer sent to decision read (uncommitted), p{share * 100:.0f}"
        yield Figure(title, name, [quantile(one.arrived, share) for one in found], 1)


def _say(text: str) -> None:
    """Show on a terminal what is being measured."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
