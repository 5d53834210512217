"""The plans that come with the project, and the description of their language."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from streams.core.plan import Step
from streams.plans import compile_plan, keywords, remarks

PARIS = zoneinfo.ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def plans(root) -> Path:
    return root / "deploy" / "plans"


@pytest.fixture(scope="module")
def campaign(plans, november):
    return compile_plan(plans / "msf.yaml", from_at=november)


def test_the_campaign_is_as_agreed(campaign):
    (site,), (partner,) = campaign.sites, campaign.partners
    assert (campaign.network, campaign.zone, campaign.clock) == ("msf", "Europe/Paris", "LIVE")
    assert (site.name, site.limit, site.wrap_up_us, site.waiting_places) == ("msf", 15, 20_000_000, 0)
    assert site.overflow == campaign.fallback == (Step("transcom"),)
    assert (partner.name, partner.seats, partner.hours.always) == ("transcom", None, True)
    assert [item.name for item in campaign.campaigns] == ["un-franc-par-jour"]


def test_the_campaign_s_hours_are_these_on_every_day_of_november(campaign):
    expected = []
    for day in (date(2025, 11, 3) + timedelta(days=step) for step in range(28)):
        if day == date(2025, 11, 11):
            continue
        times = ((17, 0), (23, 30)) if day.weekday() == 6 else ((9, 0), (20, 0))
        opens, closes = (datetime(day.year, day.month, day.day, *time, tzinfo=PARIS) for time in times)
        expected.append((opens.astimezone(UTC), closes.astimezone(UTC), 15))
    first, last = datetime(2025, 11, 3, tzinfo=PARIS), datetime(2025, 12, 1, tzinfo=PARIS)
    found = [
        (
            datetime.fromtimestamp(window.opens_at / 1e6, UTC),
            datetime.fromtimestamp(window.closes_at / 1e6, UTC),
            window.positions,
        )
        for window in campaign.sites[0].hours.windows
    ]
    assert [window for window in found if first <= window[0] < last] == expected


def test_the_campaign_can_be_played_by_its_events(plans, november):
    assert compile_plan(plans / "msf.yaml", from_at=november, clock="events").clock == "EVENTS"


def test_one_site_is_a_limiter_and_nothing_else(plans, november):
    plan = compile_plan(plans / "one-site.yaml", from_at=november)
    (site,), (partner,) = plan.sites, plan.partners
    assert (plan.network, plan.clock, site.name) == ("bank", "EVENTS", "bank")
    assert (site.limit, site.hours.always, site.hours.positions, site.wrap_up_us) == (15, True, None, 0)
    assert (partner.seats, partner.hours.always, partner.route.by, partner.wrap_up_us) == (None, True, "TRANSFER", 0)
    assert site.overflow == (Step(partner.name),)
    for target in (site, partner):
        assert min(target.leases.waiting_us, target.leases.talking_us, target.leases.hard_limit_us) > 86_400_000_000


@pytest.mark.parametrize("name", ["msf.yaml", "one-site.yaml"])
def test_nothing_is_to_be_remarked_about_them(name, plans, november):
    assert remarks(compile_plan(plans / name, from_at=november)) == ()


def test_the_language_s_description_holds_the_table_of_every_keyword(plans):
    assert keywords.table() in (plans / "README.md").read_text(encoding="utf-8")


def test_every_example_in_the_description_compiles(plans, november):
    parts = (plans / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
    assert len(parts) > 3
    for part in parts:
        example = part.split("```")[0]
        if not example.startswith("network:"):
            example = f"network: n\nzone: Europe/Paris\n{example}"
        compile_plan(example, from_at=november)
