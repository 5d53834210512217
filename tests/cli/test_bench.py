"""`tropplein bench`: its load, its recount and how it tells its figures. What it measures needs a Kafka and time."""

import json

import pytest

from streams.cli import bench_load, main
from streams.cli.bench import Figure, lines, summary
from streams.cli.bench_kafka import quantile
from streams.core.events import CallEvent


def test_calls_come_in_the_order_of_time_and_are_the_same_for_a_seed():
    calls = bench_load.events(20, 3_000, seed=7)
    assert calls == bench_load.events(20, 3_000, seed=7) != bench_load.events(20, 3_000, seed=8)
    assert [event.occurred_at for event in calls] == sorted(event.occurred_at for event in calls)
    assert {event.network for event in calls} == {bench_load.network(number) for number in range(20)}
    assert {event.type: event.asks for event in calls} == {"OFFERED": True, "ANSWERED": False, "ENDED": False}


def test_a_call_is_offered_then_answered_then_ended_each_once():
    met = {}
    for event in bench_load.events(5, 4_000, seed=1):
        met.setdefault(event.call_id, []).append(event.type)
    stories = {tuple(story) for story in met.values()}
    assert stories <= {
        ("OFFERED",),
        ("OFFERED", "ANSWERED"),
        ("OFFERED", "ENDED"),
        ("OFFERED", "ANSWERED", "ENDED"),
    }
    assert len(stories) == 4


def test_the_recount_counts_calls_in_progress_and_nothing_else():
    def event(number, kind):
        return CallEvent("one", "site", f"pbx/{number}", kind, number, "pbx", asks=kind == "OFFERED")

    sent = [event(number, "OFFERED") for number in range(16)]
    sent += [event(15, "ENDED"), event(16, "OFFERED"), event(3, "ENDED"), event(17, "OFFERED")]
    answers = bench_load.recount(sent)
    assert answers["pbx/14"] == ("ADMIT", 14)
    assert answers["pbx/15"] == ("OVERFLOW", 15)
    assert answers["pbx/16"] == ("OVERFLOW", 15), "an overflowed call's end frees no place"
    assert answers["pbx/17"] == ("ADMIT", 14)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([("a", ("ADMIT", 0))], "1 decisions are missing"),
        ([("a", ("ADMIT", 0)), ("b", ("ADMIT", 1)), ("b", ("ADMIT", 1))], "1 decisions are given twice"),
        ([("a", ("ADMIT", 0)), ("b", ("OVERFLOW", 1))], "1 decisions are not what a recount says"),
    ],
)
def test_a_difference_from_the_recount_is_told(given, sentence):
    expected = {"a": ("ADMIT", 0), "b": ("ADMIT", 1)}
    assert bench_load.faults(expected, expected.items()) == []
    assert bench_load.faults(expected, given) == [sentence]


def test_figures_are_told_as_median_least_and_most():
    figures = [Figure("a group", "rate", [3_000.4, 1_000, 2_000]), Figure("another", "time", [1.25], 2)]
    assert list(lines(figures)) == [
        "a group: median of 3 runs (least to most)",
        "  rate      2,000  (1,000 to 3,000)",
        "another: median of 1 runs (least to most)",
        "  time       1.25  (1.25 to 1.25)",
    ]
    row = summary(figures, [])["figures"][0]
    assert row == {"group": "a group", "name": "rate", "median": 2_000, "least": 1_000, "most": 3_000.4, "runs": 3}


def test_a_quantile_is_one_of_the_values():
    assert [quantile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.95, 0.99)] == [3.0, 4.0, 4.0]


def test_the_pure_parts_are_measured_and_their_decisions_are_right(capsys):
    assert main(["bench", "--core", "--events", "5000", "--runs", "1", "--networks", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["faults"] == []
    assert len(found["figures"]) == 5
    assert all(figure["median"] > 0 for figure in found["figures"])


def test_a_wrong_decision_ends_the_command_with_code_1(capsys, monkeypatch):
    monkeypatch.setattr(bench_load, "LIMIT", 14)  # the recount's; the plan was made with the real one
    assert main(["bench", "--core", "--events", "5000", "--runs", "1", "--networks", "5"]) == 1
    assert "not what a recount says" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--events", "10"), ("--runs", "0"), ("--networks", "0"), ("--rate", "0")])
def test_what_measures_nothing_is_refused(words, capsys):
    assert main(["bench", "--core", *words]) == 2
    assert words[0] in capsys.readouterr().err
