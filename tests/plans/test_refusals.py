"""Every refusal by its exact words: `bad/<name>.yaml` and beside it, in `<name>.txt`, what the planner reads."""

import os
from pathlib import Path

import pytest

from streams.plans import PlanError, Refusal, compile_plan
from streams.plans.keywords import LATER

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
GOOD = "network: n\nzone: UTC\nsites: {s: {hours: always}}\n"


def refusals_of(source, from_at):
    with pytest.raises(PlanError) as caught:
        compile_plan(source, from_at=from_at)
    return str(caught.value)


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_a_bad_plan_is_refused_in_exactly_these_sentences(path, november, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert refusals_of(Path(path.name), november) + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_expected_text_has_its_plan():
    folder = Path(__file__).parent / "bad"
    assert sorted(path.stem for path in folder.glob("*.txt")) == sorted(path.stem for path in BAD)


@pytest.mark.parametrize("word", LATER)
def test_a_word_of_a_later_language_is_refused_with_what_to_do(word, november):
    assert refusals_of(f'{GOOD}partners: {{p: {{"{word}": 1}}}}\n', november) == (
        f'plan:4: partners.p.{word}: "{word}" {LATER[word]}'
    )


def test_a_file_that_is_not_there_is_refused(november, tmp_path):
    missing = tmp_path / "gone.yaml"
    assert refusals_of(missing, november) == f"{missing}: cannot be read: No such file or directory"


def test_a_folder_is_refused(november, tmp_path):
    assert refusals_of(tmp_path, november) == f"{tmp_path}: cannot be read: {os.strerror(21)}"


def test_a_text_longer_than_any_plan_is_refused(november):
    text = GOOD + "#" * (1 << 20)
    assert refusals_of(text, november) == "plan: is longer than 1048576 characters; a plan is a few pages"


def test_a_plan_nested_without_end_is_refused(november):
    assert refusals_of("a:\n" + " [\n" * 5_000, november) == "plan: is nested too deeply to be a plan"


def test_refusals_come_in_the_order_of_lines_and_are_values(november):
    with pytest.raises(PlanError) as caught:
        compile_plan(
            "network: n\nzone: UTC\nclock: tomorrow\nsites: {s: {hours: always, limit: x}}\n", from_at=november
        )
    assert [refusal.line for refusal in caught.value.refusals] == [3, 4]
    assert caught.value.refusals[0] == Refusal("plan", 3, "clock", 'wants one of live, events, not "tomorrow"')


@pytest.mark.parametrize("days", [0, 3_661])
def test_a_horizon_out_of_bounds_is_refused(days, november):
    with pytest.raises(ValueError, match=f"^a horizon is 1 to 3660 days, not {days}$"):
        compile_plan(GOOD, from_at=november, horizon_days=days)


def test_an_unknown_clock_is_refused(november):
    with pytest.raises(ValueError, match=r'^a clock is one of live, events, not "LIVE"$'):
        compile_plan(GOOD, from_at=november, clock="LIVE")


def test_a_number_longer_than_python_reads_is_refused(november):
    text = f"network: n\nzone: UTC\nsites: {{s: {{hours: always, limit: {'9' * 5_000}}}}}\n"
    assert refusals_of(text, november).startswith("plan:3: sites.s.limit: wants a whole number from 0 to 100000, not ")
