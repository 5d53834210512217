"""Ten faults and more, each planted in the core, and the test that catches it."""

import importlib
import inspect
import sys
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.no_cover  # what is covered here is another core

RELOADED = ("streams.core", "tests.core", "tests.simulation")


class Fault(NamedTuple):
    """`right` becomes `wrong` in a module of the core; `caught_by` names module, test, and what it is given."""

    name: str
    module: str
    right: str
    wrong: str
    caught_by: tuple


FAULTS = [
    Fault(
        "a limit admits one call more than it says", "limits",
        "            if room <= 0:", "            if room < 0:",
        ("core.test_bursts", "test_of_seventy_questions_on_fifteen_places_fifteen_are_admitted"),
    ),
    Fault(
        "an ended call keeps its place", "endings",
        "target.places.pop(call.call_id, None)", "target.places.get(call.call_id)",
        ("core.test_bursts", "test_one_that_ends_makes_room_for_exactly_one"),
    ),
    Fault(
        "the end of our leg frees the seat of a call that was handed away", "facts",
        'if target.spec.route.by != "TRANSFER":', "if not target.spec.route.by:",
        (
            "core.test_places",
            "test_after_a_redirect_the_end_of_our_switch_frees_our_channels_and_not_the_partners_seat",
            "REDIRECT",
        ),
    ),
    Fault(
        "a question that waited for hours is decided now", "questions",
        "waited_us > network.max_ask_age_us", "waited_us < 0",
        ("core.test_questions", "test_a_question_that_waited_too_long_is_recorded_and_not_decided"),
    ),
    Fault(
        "the edge's second word overrules its first", "facts",
        "current.placed_by == PlacedBy.EDGE", "current.placed_by is None",
        ("core.test_questions", "test_what_the_edge_did_after_the_decision_moves_the_seat_and_the_first_word_wins"),
    ),
    Fault(
        "a repeated RETURNED gives back the attempt after it", "facts",
        "attempt != current.attempt", "attempt > current.attempt",
        ("core.test_questions", "test_a_call_that_is_given_back_goes_to_the_next_target_and_never_back"),
    ),
    Fault(
        "a snapshot ends calls that it may not have seen yet", "control",
        'if call.phase == "WAITING" and not call.suspect', 'if call.phase == "WAITING" and call.suspect',
        ("core.test_switches", "test_a_snapshot_never_ends_a_waiting_call_within_its_lease"),
    ),
    Fault(
        "a switch with a wrong clock opens the door", "questions",
        "judged_at = network.clock if event is network.clamped else at", "judged_at = at",
        ("core.test_clock", "test_hours_are_judged_by_the_switchs_clock_within_bounds_and_by_the_networks_beyond"),
    ),
    Fault(
        "a call is forgotten as soon as it is over", "network",
        "self.clock + self.remember_us", "self.clock + 1",
        ("core.test_clock", "test_a_call_is_remembered_for_as_long_as_the_plan_says_and_then_forgotten"),
    ),
    Fault(
        "an overflow takes one channel where it needs two", "overflow",
        "needed = 1 + (", "needed = 1 + 0 * (",
        ("core.test_questions", "test_with_one_channel_left_a_call_may_stay_but_not_be_passed_on"),
    ),
    Fault(
        "an old claim of a place overrules a newer one", "seats",
        "at < call.claimed_at", "at < 0",
        ("core.test_places", "test_the_newest_claim_wins_in_whatever_order_the_claims_arrive"),
    ),
    Fault(
        "a call that moves leaves its person behind", "seats",
        "    target.positions.pop(call.call_id, None)\n", "",
        ("core.test_questions", "test_an_answered_call_that_is_asked_about_again_moves_and_leaves_nothing_behind"),
    ),
    Fault(
        "a worker that takes over knows nobody who is wrapping up", "storage",
        "        if target.uses_positions:", '        if target.uses_positions and call.phase != "WRAPPING":',
        ("simulation.test_simulation", "test_the_first_worlds_have_no_fault"),
    ),
    Fault(
        "what a timer does is not stored", "endings",
        "    network.touch(call)\n", "",
        ("simulation.test_simulation", "test_the_first_worlds_have_no_fault"),
    ),
]  # fmt: skip


class Planter(SourceFileLoader, MetaPathFinder):
    """Loads one module with its source changed."""

    def __init__(self, fault, folder):
        super().__init__(f"streams.core.{fault.module}", str(folder / f"{fault.module}.py"))
        self.fault = fault

    def find_spec(self, fullname, path, target=None):
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, fullname):
        source = self.get_data(self.path).decode()
        where = f"{self.path} no longer says {self.fault.right!r} once; plant the fault anew"
        assert source.count(self.fault.right) == 1, where
        return compile(source.replace(self.fault.right, self.fault.wrong), self.path, "exec")


@contextmanager
def fresh(*finders):
    """Import the core and its tests anew, and put back afterwards what was there."""
    mine = {name: module for name, module in sys.modules.items() if name.startswith(RELOADED)}
    packages = {name: dict(vars(sys.modules[name])) for name in ("streams", "tests") if name in sys.modules}
    for name in mine:
        del sys.modules[name]
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(RELOADED)]:
            del sys.modules[name]
        sys.modules.update(mine)
        for name, attributes in packages.items():
            vars(sys.modules[name]).update(attributes)


def run(caught_by):
    module, test, *given = caught_by
    function = getattr(importlib.import_module(f"tests.{module}"), test)
    assert len(inspect.signature(function).parameters) == len(given)
    function(*given)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault, root):
    with fresh():
        run(fault.caught_by)
    with fresh(Planter(fault, root / "streams" / "core")), pytest.raises(AssertionError):
        run(fault.caught_by)
