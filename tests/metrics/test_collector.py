"""The page tells what the networks hold and what was counted, and a restart or take-over bends no counter."""

import re
import sys
import threading
import time

import pytest

from streams.core.events import ControlEvent, FeedGap
from streams.core.plan import Campaign
from streams.metrics import catalogue
from streams.metrics.catalogue import CATALOGUE, Kind
from streams.wire.ledger import Count
from tests.metrics.worker_of_tests import AT, Worker, asked, fact

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


@pytest.fixture
def worker():
    return Worker()


def test_a_burst_beyond_the_limit_shows_calls_limits_peaks_and_decisions_by_reason(worker, root):
    worker.plan(root)
    worker.take(*(asked(number) for number in range(70)))
    page = worker.page()
    assert page["tropplein_calls_in_progress", "msf", "msf", "site"] == 15
    assert page["tropplein_calls_limit", "msf", "msf", "site"] == 15
    assert page["tropplein_positions_staffed", "msf", "msf", "site"] == 15
    assert page["tropplein_target_open", "msf", "msf", "site"] == 1
    assert page["tropplein_calls_in_progress", "msf", "transcom", "partner"] == 55
    assert ("tropplein_calls_limit", "msf", "transcom", "partner") not in page
    assert page["tropplein_decisions_total", "msf", "msf", "ADMIT", "ROOM"] == 15
    assert page["tropplein_decisions_total", "msf", "msf", "OVERFLOW", "SITE_FULL"] == 55
    assert page["tropplein_decisions_total", "msf", "msf", "OVERFLOW", "OUT_OF_HOURS"] == 0
    assert page["tropplein_calls_offered_total", "msf", "msf", "site"] == 70
    assert page["tropplein_trunk_channels_limit", "msf", "t2"] == 90
    assert page["tropplein_trunk_channels_in_use", "msf", "t2-out"] == 55


def test_a_peak_between_two_scrapes_is_seen_and_forgotten_after_a_minute_or_two(worker, root):
    worker.plan(root)
    worker.take(*(asked(number) for number in range(9)))
    worker.take(*(fact(number, "ENDED", at=AT + SECOND_US) for number in range(9)), at=AT + SECOND_US)
    at = "tropplein_calls_in_progress_peak", "msf", "msf", "site"
    worker.now_us = AT + SECOND_US
    assert worker.page()["tropplein_calls_in_progress", "msf", "msf", "site"] == 0
    assert worker.page()[at] == 9
    worker.now_us = AT + MINUTE_US
    assert worker.page()[at] == 9
    worker.now_us = AT + 2 * MINUTE_US
    assert worker.page()[at] == 0, "nothing was heard for two minutes, so the peak is older than one"
    worker.take(asked("late", at=AT + MINUTE_US), at=AT + MINUTE_US)
    worker.now_us = AT + MINUTE_US
    assert worker.page()[at] == 9, "a minute later the peak before is still the last minute's"


def test_where_events_move_the_clock_our_own_ages_no_peak(worker, root):
    plan = worker.plan(root, clock="EVENTS")
    worker.take(asked(1), fact(1, "ENDED", at=AT + 1))
    worker.now_us = AT + 500 * 24 * 60 * MINUTE_US
    assert plan.clock == "EVENTS"
    assert worker.page()["tropplein_calls_in_progress_peak", "msf", "msf", "site"] == 1


def test_counters_begin_where_the_worker_took_over_and_do_not_fall(worker, root):
    worker.plan(root)
    worker.take(*(asked(number) for number in range(20)))
    worker.engine.figures.dead_letters["BAD_AVRO"] = 7
    worker.engine.ledger.counts["decisions"] = Count(20, 20, 0)
    worker.took_over()
    page = worker.page()
    assert page["tropplein_decisions_total", "msf", "msf", "ADMIT", "ROOM"] == 0
    assert page["tropplein_dead_letters_total", "3", "BAD_AVRO"] == 0
    assert page["tropplein_calls_in_progress", "msf", "msf", "site"] == 15, "what is now is now, whoever counted it"
    worker.take(fact(0, "ENDED"), asked("next"))
    worker.engine.ledger.counts["decisions"] = Count(21, 22, 0)
    page = worker.page()
    assert page["tropplein_decisions_total", "msf", "msf", "ADMIT", "ROOM"] == 1
    assert page["tropplein_outputs_total", "3", "decisions"] == 1
    counters = [metric.name for metric in CATALOGUE if metric.kind is Kind.COUNTER]
    assert min(value for (name, *_), value in page.items() if name in counters) == 0


@pytest.mark.parametrize("phase", ["loading", "halted", "closed"])
def test_a_partition_that_does_not_decide_shows_no_networks(worker, root, phase):
    worker.plan(root)
    worker.partition.phase = phase
    page = worker.page()
    assert not [key for key in page if "msf" in key]
    assert page["tropplein_partition_lag_records", "3"] == 8
    assert page.get(("tropplein_partitions", phase), 1) == 1


def test_while_events_are_applied_again_no_network_is_shown(worker, root):
    worker.plan(root)
    worker.partition.counted_before = None
    assert not [key for key in worker.page() if "msf" in key]


def test_a_halted_partition_says_so_with_its_reason(worker):
    assert worker.page()["tropplein_partition_halted", "3", "NONE"] == 0
    worker.partition.phase, worker.partition.halted = "halted", type("H", (), {"reason": "DIVERGED"})()
    page = worker.page()
    assert page["tropplein_partition_halted", "3", "DIVERGED"] == 1
    assert page["tropplein_partitions", "halted"] == 1
    assert page["tropplein_partitions", "running"] == 0


def test_undecided_calls_show_by_cause_while_they_last_and_when_they_end(worker, root):
    worker.plan(root)
    worker.take(fact(1, "OFFERED"), fact(2, "OFFERED"))
    page = worker.page()
    assert sum(value for (name, *_), value in page.items() if name == "tropplein_undecided_calls_in_progress") == 2
    worker.take(fact(1, "ENDED", at=AT + 1), fact(2, "ENDED", at=AT + 1))
    page = worker.page()
    assert sum(value for (name, *_), value in page.items() if name == "tropplein_undecided_calls_in_progress") == 0
    assert sum(value for (name, *_), value in page.items() if name == "tropplein_undecided_calls_total") == 2


def test_a_silent_call_is_suspect_at_its_target_and_still_in_progress(worker, root):
    worker.plan(root)
    worker.take(asked(1), fact(1, "ANSWERED"))
    at = AT + 250 * MINUTE_US
    worker.take(fact(2, "ENDED", at=at), at=at)
    page = worker.page()
    assert page["tropplein_suspect_calls", "msf", "msf", "site"] == 1
    assert page["tropplein_suspect_calls", "msf", "transcom", "partner"] == 0
    assert page["tropplein_calls_in_progress", "msf", "msf", "site"] == 1


def test_excess_shows_by_its_cause(worker, root):
    worker.plan(root)
    worker.take(*(asked(number) for number in range(15)))
    worker.take(fact("t", "OFFERED"), fact("t", "ANSWERED", target="msf"))
    page = worker.page()
    assert page["tropplein_calls_in_progress", "msf", "msf", "site"] == 16
    causes = {
        key[-1]: value for key, value in page.items() if key[:3] == ("tropplein_excess_calls_total", "msf", "msf")
    }
    assert len(causes) == 6 and sum(causes.values()) == 1


def test_names_that_only_an_event_brought_are_counted_together(worker, root):
    worker.plan(root)
    late = AT - 60 * MINUTE_US
    worker.take(asked(1, at=late), asked(2, at=late, switch="rogue-1"), asked(3, at=late, switch="rogue-2"))
    worker.take(*(asked(number, network=f"rogue-{number}") for number in range(5)))
    worker.take(asked(4, site="rogue-site"))
    page = worker.page()
    assert not [key for key in page if any("rogue" in part for part in key)]
    assert page["tropplein_events_clamped_total", "msf", "pabx"] == 1
    assert page["tropplein_events_clamped_total", "msf", "other"] == 2
    assert page["tropplein_networks", "3", "unplanned"] == 5
    assert page["tropplein_events_applied_total", catalogue.UNPLANNED] == 5
    assert page["tropplein_decisions_total", catalogue.UNPLANNED, "", "BLOCK", "NO_PLAN"] == 5
    assert page["tropplein_decisions_total", "msf", "", "OVERFLOW", "UNKNOWN_SITE"] == 1


def test_questions_of_unknown_sites_are_counted_where_there_is_no_room_to_remember_them(worker, root):
    worker.plan(root, calls_max=1)
    worker.take(asked(1), asked(2), asked(3, site="nowhere"))
    page = worker.page()
    assert page["tropplein_decisions_total", "msf", "msf", "BLOCK", "CALLS_MAX"] == 1
    assert page["tropplein_decisions_total", "msf", "", "BLOCK", "CALLS_MAX"] == 1
    assert page["tropplein_unremembered_events_total", "msf"] == 2


def test_repeated_and_late_events_are_counted(worker, root):
    worker.plan(root)
    long_ago = AT - 7 * 60 * MINUTE_US
    worker.take(asked(1), asked(1))
    worker.take(fact(2, "ENDED", at=long_ago), at=AT)
    page = worker.page()
    assert page["tropplein_events_repeated_total", "msf"] >= 1
    assert page["tropplein_events_applied_total", "msf"] >= 2


def test_the_latency_histogram_cumulates(worker):
    worker.partition.latency.buckets[:] = [5, 3, 0, 2]
    worker.partition.latency.sum_s = 12.5
    page = worker.page()
    name = "tropplein_decision_latency_seconds"
    assert [page[f"{name}_bucket", "3", le] for le in ("0.01", "0.1", "1.0", "+Inf")] == [5, 8, 8, 10]
    assert (page[f"{name}_count", "3"], page[f"{name}_sum", "3"]) == (10, 12.5)


def test_every_metric_of_the_catalogue_is_on_the_page(worker, root):
    worker.plan(root, campaigns=(Campaign("un-franc-par-jour", 500, ("3250",)),))
    worker.take(asked(1, campaign="un-franc-par-jour"), ControlEvent("msf", AT, FeedGap("pabx", AT, AT)))
    worker.engine.figures.dead_letters["EMPTY"] = 1
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name, *_ in worker.page()}
    assert shown == {metric.name for metric in CATALOGUE}


@pytest.fixture
def restless():
    """Threads that take turns five hundred times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def test_a_scrape_while_events_are_applied_never_fails_and_never_goes_back(worker, root, restless):
    worker.plan(root)
    done = threading.Event()

    def apply():
        number = 0
        while not done.is_set():
            number += 1
            at = AT + number * 1000
            # Each call comes from a switch of its own, so that every dict grows.
            worker.take(asked(number, at=at, switch=f"s{number}", epoch=1), fact(number, "OFFERED", at=at), at=at)
            worker.take(fact(number - 12, "ENDED", at=at, switch=f"s{number - 12}"), at=at)

    thread = threading.Thread(target=apply)
    thread.start()
    try:
        before = {}
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            page = worker.page()
            assert 0 <= page["tropplein_calls_in_progress", "msf", "msf", "site"] <= 15
            counters = {key: value for key, value in page.items() if key[0].endswith("_total")}
            assert [key for key, value in before.items() if counters[key] < value] == []
            before = counters
    finally:
        done.set()
        thread.join()
    assert before["tropplein_decisions_total", "msf", "msf", "ADMIT", "ROOM"] > 20
