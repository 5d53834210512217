"""The catalogue follows Prometheus' conventions, has no unbounded label, and covers what the core counts."""

import ast
import re

import pytest

from streams.metrics import networks
from streams.metrics.catalogue import CATALOGUE, Kind

BOUNDED = {
    *("network", "target", "site", "kind", "verdict", "reason", "cause", "switch", "partition", "topic"),
    *("trunk", "campaign", "version", "rules", "clock"),
}


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants_it(metric):
    assert re.fullmatch(r"tropplein_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert ("_seconds" in metric.name) == (metric.unit == "seconds")
    assert ("_bytes" in metric.name) == (metric.unit == "bytes")
    assert not re.search(r"_(count|sum|bucket|created)$", metric.name)
    assert metric.help.endswith(".") and not metric.help[0].islower()
    assert set(metric.labels) <= BOUNDED


def test_no_two_metrics_have_one_name():
    names = [metric.name.removesuffix("_total") for metric in CATALOGUE]
    assert len(set(names)) == len(names)


def test_every_count_that_the_core_keeps_by_name_has_its_metric(root):
    words = set()
    for path in sorted((root / "streams" / "core").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "count":
                first = node.args[0]
                words.add(first.values[0].value if isinstance(first, ast.JoinedStr) else first.value)
    known = {*networks._PLAIN, *networks._BY_WORD, "decided"}
    assert {"misplaced", "undecided."} <= words
    assert {word.split(".")[0] for word in words} - known == set()


def test_the_table_for_readers_is_the_catalogue(root):
    text = (root / "deploy" / "prometheus" / "README.md").read_text()
    rows = re.findall(r"^\| `(\S+)` \| (\w+) \| (.*?) \| (.*) \|$", text, re.MULTILINE)
    wanted = [(each.name, each.kind.value, ", ".join(each.labels), each.help) for each in CATALOGUE]
    assert rows == wanted
