"""How often a site's state is written."""

from types import SimpleNamespace

from streams.worker.site_states import SiteStates


class Sites:
    """One network with one site."""

    def __init__(self):
        self.state = SimpleNamespace(open=True, places_free=5, positions_free=None)
        self.changed = ["bank"]

    def changed_sites(self):
        names, self.changed = self.changed, []
        return names

    def site_state(self, name):
        return self.state


def collect(pace, network, now, *, changed=True, last=False):
    if changed:
        network.changed = ["bank"]
    return [due.state for due in pace.collect({"n": network}, ["n"] if changed else [], now, last=last)]


def test_a_change_is_written_at_once_and_the_next_not_before_its_turn():
    pace, network = SiteStates(), Sites()
    assert collect(pace, network, 10.0) == [network.state]
    assert collect(pace, network, 10.1) == [] and pace.due_at == 10.2
    assert collect(pace, network, 10.2) == [network.state] and pace.due_at is None


def test_a_withheld_value_has_its_turn_without_any_further_event():
    pace, network = SiteStates(), Sites()
    collect(pace, network, 10.0)
    collect(pace, network, 10.05)
    assert collect(pace, network, 10.25, changed=False) == [network.state]
    assert collect(pace, network, 10.5, changed=False) == []


def test_a_site_that_fills_or_frees_is_written_at_once():
    pace, network = SiteStates(), Sites()
    collect(pace, network, 10.0)
    network.state.places_free = 0
    assert len(collect(pace, network, 10.01)) == 1
    network.state.places_free = 1
    assert len(collect(pace, network, 10.02)) == 1
    network.state.places_free = 2
    assert len(collect(pace, network, 10.03)) == 0


def test_a_site_that_opens_or_closes_is_written_at_once():
    pace, network = SiteStates(), Sites()
    collect(pace, network, 10.0)
    network.state.open = False
    assert len(collect(pace, network, 10.01)) == 1


def test_the_last_call_withholds_nothing():
    pace, network = SiteStates(), Sites()
    collect(pace, network, 10.0)
    assert len(collect(pace, network, 10.01, last=True)) == 1


def test_a_site_that_left_the_plan_is_due_without_a_state():
    pace, network = SiteStates(), Sites()
    collect(pace, network, 10.0)
    network.state = None
    assert collect(pace, network, 10.01) == [None]
