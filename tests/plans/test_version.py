"""A plan's version is a fingerprint of all else in it."""

import hashlib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from streams.core.plan import Plan, Step
from streams.plans import compile_plan, version_of, with_limits

GOOD = Path(__file__).parent / "good"


@pytest.fixture(scope="module")
def plan(november):
    return compile_plan(GOOD / "everything.yaml", from_at=november)


def test_the_same_text_from_the_same_start_has_the_same_version(plan, november):
    again = compile_plan(GOOD / "everything.yaml", from_at=november)
    assert again == plan
    assert again.version == version_of(again)
    assert len(plan.version) == 16


def test_remarks_and_order_of_keywords_do_not_change_the_version(november):
    one = compile_plan("network: n\nzone: UTC\nsites: {s: {hours: always, limit: 3}}\n", from_at=november)
    two = compile_plan("# hello\nzone: UTC\nsites: {s: {limit: 3, hours: always}}\nnetwork: n\n", from_at=november)
    assert one == two


def test_another_start_horizon_or_time_zone_database_is_another_version(plan, november):
    path = GOOD / "everything.yaml"
    versions = {
        plan.version,
        compile_plan(path, from_at=november + 86_400_000_000).version,
        compile_plan(path, from_at=november, horizon_days=729).version,
        version_of(replace(plan, tz_version="1999z")),
    }
    assert len(versions) == 4


@pytest.mark.parametrize("name", [field.name for field in fields(Plan) if field.name != "version"])
def test_each_field_counts(plan, name):
    assert version_of(replace(plan, **{name: "other"})) != plan.version


def test_the_version_itself_does_not_count(plan):
    assert version_of(replace(plan, version="other")) == plan.version


def test_the_canonical_form_stays_what_it_is():
    plan = Plan("n", "", "LIVE", "UTC", "2026f", 0, 1, (), 1, 1, 1, 1, (), (), (), (), (), (Step("é"),), "busy")
    text = (
        '{"calls_max":1,"campaigns":[],"clock":"LIVE","clock_back_us":1,"compiled_from":0,'
        '"fallback":[{"target":"\\u00e9"}],"horizon_at":1,"max_ask_age_us":1,"network":"n","offsets":[],'
        '"otherwise":"busy","partners":[],"remember_us":1,"sites":[],"treatments":[],"trunks":[],"tz_version":"2026f",'
        '"zone":"UTC"}'
    )
    assert version_of(plan) == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_other_limits_make_another_version(plan):
    changed = with_limits(plan, {"paris": 7})
    assert [site.limit for site in changed.sites] == [7, None]
    assert changed.version == version_of(changed) != plan.version
    assert with_limits(changed, {"paris": 20}) == plan
    assert with_limits(plan, {}) == plan


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"pariss": 3}, 'the plan of relief has no site "pariss"; did you mean "paris"?'),
        ({"north": 3}, 'the plan of relief has no site "north"'),
        ({"paris": -1}, "a limit counts calls, and -1 is less than none (site paris)"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(plan, limits, sentence):
    with pytest.raises(ValueError) as caught:
        with_limits(plan, limits)
    assert str(caught.value) == sentence
