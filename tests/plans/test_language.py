"""What good plans compile to, keyword by keyword."""

import time
from pathlib import Path

import pytest

from streams.core.plan import (
    Campaign,
    Dial,
    Hours,
    Leases,
    Partner,
    Route,
    ServiceLevel,
    Step,
    Treatment,
    Trunk,
    WeeklyWindow,
)
from streams.plans import compile_plan, keywords, midnight
from streams.plans.zones import TZ_VERSION

GOOD = Path(__file__).parent / "good"
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def everything(november):
    return compile_plan(GOOD / "everything.yaml", from_at=november)


def test_everything_uses_every_keyword():
    text = (GOOD / "everything.yaml").read_text(encoding="utf-8")
    words = {word.name for section in keywords.SECTIONS.values() for word in section}
    assert [word for word in sorted(words) if f"{word}:" not in text] == []


def test_the_network_is_read(everything, november):
    assert (everything.network, everything.clock, everything.zone) == ("relief", "EVENTS", "Europe/Paris")
    assert (everything.remember_us, everything.calls_max) == (3_600_000_000, 5_000)
    assert (everything.max_ask_age_us, everything.clock_back_us) == (2_500_000, 30_000_000)
    assert (everything.compiled_from, everything.horizon_at) == (november, november + 730 * DAY_US)
    assert everything.tz_version == TZ_VERSION
    assert everything.fallback == (Step("north"), Step("paris"))
    assert everything.otherwise == "no"


def test_a_site_is_read(everything):
    site = everything.sites[0]
    assert (site.name, site.limit, site.waiting_places, site.wrap_up_us) == ("paris", 20, 5, 25_000_000)
    assert site.leases == Leases(60_000_000, 600_000_000, 900_000_000, 1_200_000_000)
    assert site.switches == ("pabx", "sbc")
    assert site.route == Route("REDIRECT", "in", (Dial("acd", "sip:paris@charity.example"), Dial("pabx", "0500")))
    assert site.overflow == (Step("lyon"), Step("north"), Step("south"))
    assert site.otherwise == "sorry"
    assert (site.priority_from, site.priority_places) == (3, 2)
    assert site.service_level == ServiceLevel(30_000_000, 805_000, "SL_SHORT_CREDIT", 7_500_000)


def test_a_second_site_has_the_defaults(everything):
    site = everything.sites[1]
    assert site.hours == Hours(always=True, positions=6, windows=(), weekly=())
    assert (site.limit, site.waiting_places, site.wrap_up_us, site.overflow) == (None, 0, 0, ())
    assert site.otherwise == "no"  # the network's
    assert site.leases == Leases(1_800_000_000, 14_400_000_000, 1_800_000_000, 28_800_000_000)
    assert site.route == Route("TRANSFER", None, ())
    assert (site.priority_from, site.priority_places, site.service_level) == (None, 0, None)


def test_partners_are_read(everything):
    north, south = everything.partners
    assert (north.name, north.seats, north.reserved, north.wrap_up_us) == ("north", 40, 10, 15_000_000)
    assert north.leases == everything.sites[0].leases
    assert (north.switches, north.route) == (("acd",), Route("CARRIER", None, ()))
    assert north.service_level == ServiceLevel(20_000_000, 1_000_000, "SL_ABANDON_NEGATIVE", 5_000_000)
    assert {window.positions for window in north.hours.windows} == {30}
    assert south == Partner(
        name="south",
        seats=None,
        reserved=0,
        wrap_up_us=0,
        hours=Hours(always=True, positions=None, windows=(), weekly=()),
        leases=everything.sites[1].leases,
        switches=(),
        route=Route("TRANSFER", None, ()),
        service_level=None,
    )


def test_trunks_campaigns_and_treatments_are_read(everything):
    assert everything.trunks == (Trunk("in", 60), Trunk("out", 30))
    assert everything.campaigns == (
        Campaign("appeal", 50, ("+330800123456", "3250", "*21#")),
        Campaign("none", None, ()),
    )
    assert everything.treatments == (
        Treatment("sorry", "ANNOUNCEMENT", 480, 31, holds_line=False),
        Treatment("machine", "VOICEMAIL", 200, 16, holds_line=True),
        Treatment("later", "CALLBACK", 200, 16, holds_line=True),
        Treatment("no", "BUSY", 486, 17, holds_line=False),
        Treatment("busy", "BUSY", 486, 17, holds_line=False),
    )


def test_the_week_is_kept_for_the_time_past_the_horizon(everything):
    mornings = [WeeklyWindow(day * 1440 + 540, day * 1440 + 750, 12) for day in (0, 2, 3, 4)]
    afternoons = [WeeklyWindow(day * 1440 + 840, day * 1440 + 1440, 12) for day in (0, 2, 3, 4)]
    nights = [WeeklyWindow(5 * 1440 + 1320, 6 * 1440 + 360, 4), WeeklyWindow(6 * 1440 + 1320, 7 * 1440, 4)]
    after_sunday = [WeeklyWindow(0, 360, 4)]
    expected = sorted(mornings + afternoons + nights + after_sunday, key=lambda window: window.opens_minute)
    assert everything.sites[0].hours.weekly == tuple(expected)


def test_the_smallest_plan_has_every_default(november):
    plan = compile_plan(GOOD / "smallest.yaml", from_at=november)
    assert (plan.clock, plan.remember_us, plan.calls_max) == ("LIVE", 21_600_000_000, 100_000)
    assert (plan.max_ask_age_us, plan.clock_back_us, plan.otherwise) == (10_000_000, 60_000_000, "busy")
    assert plan.treatments == (Treatment("busy", "BUSY", 486, 17, holds_line=False),)
    assert (plan.partners, plan.trunks, plan.campaigns, plan.fallback) == ((), (), (), ())


def test_text_stays_text_whatever_yaml_would_make_of_it(november):
    plan = compile_plan(GOOD / "yaml-1.1.yaml", from_at=november)
    assert (plan.network, plan.sites[0].name) == ("no", "on")
    assert plan.sites[0].hours.weekly == (WeeklyWindow(6 * 1440 + 17 * 60, 6 * 1440 + 18 * 60, None),)
    assert plan.campaigns == (Campaign("yes", None, ("0800",)),)


def test_a_path_may_be_given_as_text(november):
    path = GOOD / "smallest.yaml"
    assert compile_plan(str(path), from_at=november) == compile_plan(path, from_at=november)
    assert compile_plan(path.read_text(encoding="utf-8"), from_at=november) == compile_plan(path, from_at=november)


def test_the_clock_can_be_given_from_outside(november):
    path = GOOD / "smallest.yaml"
    live, events = (compile_plan(path, from_at=november, clock=clock) for clock in ("live", "events"))
    assert (live.clock, events.clock) == ("LIVE", "EVENTS")
    assert live.version != events.version


def test_without_a_start_the_calendar_begins_at_midnight_today():
    before = time.time_ns() // 1_000
    start = compile_plan(GOOD / "smallest.yaml").compiled_from
    assert start % DAY_US == 0
    assert before - DAY_US < start <= time.time_ns() // 1_000
    assert midnight(3 * DAY_US + 5) == midnight(3 * DAY_US) == 3 * DAY_US
