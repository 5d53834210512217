"""The dashboards keep the rules of Grafana's own linter and name only metrics and labels that exist."""

import re

import pytest

from streams.metrics.catalogue import Kind
from tests.deploy.dashboards import FILES, expressions, kinds, labels, load, metrics_in, panels

UNITS = {"short", "percentunit", "reqps", "cps", "s", "bytes"}
WINDOWS = {"5m": "five minutes", "15m": "15 minutes", "1h": "hour", "1m": ""}

pytestmark = pytest.mark.parametrize("dashboard", [load(file) for file in FILES], ids=[file.stem for file in FILES])


def test_there_is_a_dashboard_and_nobody_edits_it_in_place(dashboard):
    assert dashboard["title"] and dashboard["description"] and dashboard["uid"]
    assert dashboard["editable"] is False
    assert dashboard["refresh"] and dashboard["time"]["to"] == "now"


def test_every_panel_says_what_it_shows_in_which_unit_from_the_chosen_source(dashboard):
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(dashboard):
        assert panel["title"] and panel["description"].endswith("."), panel["id"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"] == source
        assert panel["targets"]
        assert all(target["datasource"] == source for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_titles_and_ids_are_each_once(dashboard):
    for key in ("title", "id"):
        values = [panel[key] for panel in dashboard["panels"]]
        assert len(set(values)) == len(values)


def test_no_panel_covers_another_and_all_fit(dashboard):
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_the_source_is_a_variable_and_variables_are_asked_anew(dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    for variable in variables.values():
        if variable["type"] == "query":
            assert variable["refresh"] == 2, "on a change of the time range"
            assert set(metrics_in(variable["definition"])) <= set(kinds())
    used = set(re.findall(r"\$\{?([a-z]+)\b", " ".join(expr for _, expr in expressions(dashboard))))
    assert used <= set(variables)


def test_only_metrics_and_labels_that_exist_are_named(dashboard):
    known = labels()
    for title, expr in expressions(dashboard):
        names = metrics_in(expr)
        assert names and set(names) <= set(known), title
        for name, matchers in re.findall(r"\b((?:tropplein|process)_[a-z_]+)\{([^}]*)\}", expr):
            assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= known[name], title
        shared = set.union(*(known[name] for name in names))
        for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expr):
            assert set(re.split(r",\s*", group)) <= shared, title


def test_legends_name_labels_that_the_expression_keeps(dashboard):
    for panel in panels(dashboard):
        for target in panel["targets"]:
            outermost = re.search(r"\bby \(([^)]*)\)", target["expr"])
            kept = set(re.split(r",\s*", outermost[1])) if outermost else set()
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept, panel["title"]


def test_counters_are_rated_over_the_right_window_and_gauges_are_not(dashboard):
    known = kinds()
    described = {panel["title"]: panel["description"] for panel in panels(dashboard)}
    for title, expr in expressions(dashboard):
        rated = re.findall(r"\b(rate|irate|increase)\(([a-z_]+)(?:\{[^}]*\})?\[([^\]]+)\]\)", expr)
        for name in metrics_in(expr):
            assert (known[name] is Kind.COUNTER) == (name in {each for _, each, _ in rated}), f"{title}: {name}"
        for function, _, window in rated:
            if function == "rate":
                assert window == "$__rate_interval", title
            else:
                assert function == "increase" and WINDOWS[window] in described[title], title


def test_every_expression_about_networks_follows_the_chosen_network(dashboard):
    known = labels()
    for title, expr in expressions(dashboard):
        for name, matchers in re.findall(r"\b((?:tropplein|process)_[a-z_]+)\b(\{[^}]*\})?", expr):
            if "network" in known[name]:
                assert 'network=~"$network"' in matchers, title
