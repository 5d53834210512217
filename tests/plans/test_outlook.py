"""What people read of a plan: its outlook and the remarks on it."""

from pathlib import Path

import pytest

from streams.plans import compile_plan, local_time, outlooks, remarks

GOOD = Path(__file__).parent / "good"
HEAD = "network: n\nzone: Europe/Paris\n"


@pytest.fixture(scope="module")
def everything(november):
    return compile_plan(GOOD / "everything.yaml", from_at=november)


def test_a_site_open_now_and_its_next_openings(everything, at):
    paris, *_ = outlooks(everything, at("2025-12-24T10:00"), openings=4)
    assert (paris.name, paris.kind) == ("paris", "site")
    assert paris.room == "limit 20, 5 waiting places, 2 more from priority 3, wrap-up 25 s"
    assert paris.now == "open until Wed 2025-12-24 16:00, 8 positions"
    assert paris.openings == (
        "Wed 2025-12-24 09:00 to 16:00, 8 positions",
        "Thu 2025-12-25 10:00 to 16:00, 3 positions",
        "Fri 2025-12-26 10:00 to 16:00, 3 positions",
        "Sat 2025-12-27 22:00 to Sun 2025-12-28 06:00, 4 positions",
    )
    assert paris.chain == "lyon → north → south → sorry"
    assert paris.route == "by redirect over in, acd dials sip:paris@charity.example, pabx dials 0500"
    assert paris.leases == "waiting 60 s, talking 600 s, handed over 900 s, suspect 1200 s"


def test_a_site_closed_now(everything, at):
    paris, *_ = outlooks(everything, at("2025-12-24T16:00"))
    assert paris.now == "closed until Thu 2025-12-25 10:00"
    assert len(paris.openings) == 5


def test_targets_always_open(everything, at):
    _, lyon, north, south = outlooks(everything, at("2025-12-24T10:00"))
    assert (lyon.room, lyon.now, lyon.openings, lyon.chain) == ("no limit", "always open, 6 positions", (), "no")
    assert (south.kind, south.room, south.now, south.chain) == ("partner", "no limit", "always open", "")
    assert north.room == "40 seats, 10 of them never ours, wrap-up 15 s"


def test_days_that_meet_are_one_opening(everything, at):
    _, _, north, _ = outlooks(everything, at("2025-12-24T10:00"), openings=2)
    assert north.now == "open until Thu 2025-12-25 00:00, 30 seats"
    assert north.openings == (
        "Wed 2025-12-24 00:00 to Thu 2025-12-25 00:00, 30 seats",
        "Fri 2025-12-26 00:00 to Thu 2026-01-01 00:00, 30 seats",
    )


def test_windows_that_meet_with_other_figures_are_one_opening_without_a_figure(open_at, at):
    plan = open_at("{weekly: [{days: daily, open: 09:00-12:00, positions: 3}, {days: daily, open: 12:00-18:00}]}")
    (site,) = outlooks(plan, at("2025-11-04T09:00"), openings=1)
    assert site.now == "open until Tue 2025-11-04 18:00, 3 positions"
    assert site.openings == ("Tue 2025-11-04 09:00 to 18:00",)


def test_an_instant_outside_the_calendar_says_so(open_at, november):
    plan = open_at("{weekly: [{days: daily, open: 09:00-12:00}]}", days=2)
    for instant in (november - 1, plan.horizon_at):
        assert outlooks(plan, instant)[0].now == "outside the compiled calendar"


def test_a_target_that_does_not_open_again_says_so(open_at, november):
    plan = open_at("{weekly: [{days: sat, open: 09:00-12:00}]}", days=2)
    assert outlooks(plan, plan.horizon_at - 1)[0].now == "closed to the end of the calendar"


def test_local_time_knows_both_changes_of_the_clock(open_at, at):
    plan = open_at("always")
    assert local_time(plan, at("2026-03-29T00:59")) == "Sun 2026-03-29 01:59"
    assert local_time(plan, at("2026-03-29T01:00")) == "Sun 2026-03-29 03:00"
    assert local_time(plan, at("2026-10-25T00:59")) == "Sun 2026-10-25 02:59"
    assert local_time(plan, at("2026-10-25T01:00")) == "Sun 2026-10-25 02:00"


PARTNERS = """\
sites:
  a: {hours: always, overflow: [p, b]}
  b: {hours: always, limit: 16}
"""


@pytest.mark.parametrize(
    ("partner", "trunks", "expected"),
    [
        ("{seats: 40, reserved: 9}", "{t: {limit: 61}}", ['calls to "p" needs 62 channels of trunk "t", which has 61']),
        ("{seats: 40, reserved: 9}", "{t: {limit: 62}}", []),
        (
            "{seats: 40, route: {trunk: o}}",
            "{o: {limit: 39}, t: {limit: 32}}",
            ['"p" needs 40 channels of trunk "o", which has 39'],
        ),
        ("{seats: 40, route: {trunk: o}}", "{o: {limit: 40}, t: {limit: 32}}", []),
        ("{seats: 40, route: {by: carrier}}", "{t: {limit: 32}}", []),
        ("{}", "{t: {limit: 32}}", []),
        ("{seats: 1}", "{t: {limit: 31}}", ['calls to "b" needs 32 channels of trunk "t", which has 31']),
    ],
)
def test_channels_that_do_not_suffice_are_remarked(partner, trunks, expected, november):
    plan = compile_plan(f"{HEAD}{PARTNERS}partners: {{p: {partner}}}\ntrunks: {trunks}\n", from_at=november)
    found = remarks(plan)
    assert len(found) == len(expected)
    for sentence, end in zip(found, expected, strict=True):
        assert sentence.startswith("overflow by transfer of ")
        assert sentence.endswith(end)


def test_a_partner_that_no_call_reaches_is_remarked(november):
    plan = compile_plan(f"{HEAD}{PARTNERS}partners: {{p: {{}}, q: {{}}, r: {{}}}}\nfallback: [r]\n", from_at=november)
    assert remarks(plan) == ('partner "q" stands in no overflow list and not in the fallback: no call is sent there',)
