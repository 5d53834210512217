"""Dashboards as the tests read them: panels, their expressions, and what a metric in an expression is."""

import json
import re
from pathlib import Path

from streams.metrics.catalogue import CATALOGUE, Kind

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
PROCESS = {
    "process_resident_memory_bytes": Kind.GAUGE,
    "process_cpu_seconds_total": Kind.COUNTER,
}
"""What the client library shows of the process."""


def kinds():
    """Every metric that a dashboard may name, with its kind; a histogram's series are counters."""
    known = dict(PROCESS)
    for metric in CATALOGUE:
        if metric.kind is Kind.HISTOGRAM:
            known |= dict.fromkeys([f"{metric.name}_{end}" for end in ("bucket", "sum", "count")], Kind.COUNTER)
        else:
            known[metric.name] = metric.kind
    return known


def labels():
    """Every metric's labels, with those that Prometheus adds."""
    known = {name: {"instance", "job"} for name in PROCESS}
    for metric in CATALOGUE:
        for end in ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",):
            known[metric.name + end] = {*metric.labels, "instance", "job", *(["le"] if end == "_bucket" else [])}
    return known


def load(file):
    return json.loads(file.read_text())


def panels(dashboard):
    """All panels that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard):
    """Title and expression of every query: panels, annotations and variables."""
    found = [(panel["title"], target["expr"]) for panel in panels(dashboard) for target in panel["targets"]]
    found += [(note["name"], note["expr"]) for note in dashboard["annotations"]["list"] if "expr" in note]
    return found


def metrics_in(expression):
    """The metrics an expression names."""
    return re.findall(r"\b(?:tropplein|process)_[a-z_]+\b", expression)


def filled(expression, network=".+"):
    """The expression as Grafana would send it."""
    return expression.replace("$__rate_interval", "20s").replace("$network", network)
