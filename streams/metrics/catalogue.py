"""Every metric there is: a closed list, so that dashboards, alerts and the table of the documents can be checked.

Names follow Prometheus: base units, counters end in ``_total``. No label can take more values than a plan, the topic set
or this code gives it: never a call, a caller, or a name that only an event brought.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What Prometheus takes a metric for."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric. ``unit`` is what its value counts; ``help`` the sentence that the page shows."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str


_LISTED: Final[list[Metric]] = []


def _listed(name: str, kind: Kind, unit: str, labels: str, text: str) -> Metric:
    metric = Metric(f"tropplein_{name}", kind, unit, tuple(labels.split()), text)
    _LISTED.append(metric)
    return metric


def _gauge(name: str, unit: str, labels: str, text: str) -> Metric:
    return _listed(name, Kind.GAUGE, unit, labels, text)


def _counter(name: str, unit: str, labels: str, text: str) -> Metric:
    return _listed(name, Kind.COUNTER, unit, labels, text)


# The state of sites and partners (targets), trunks and campaigns.

CALLS_IN_PROGRESS: Final = _gauge(
    "calls_in_progress", "calls", "network target kind", "Calls at a site or partner now: admitted or really there."
)
CALLS_PEAK: Final = _gauge(
    "calls_in_progress_peak",
    "calls",
    "network target kind",
    "Most calls in progress at once within the last minute or two: no peak falls between two scrapes a minute apart.",
)
CALLS_PEAK_TODAY: Final = _gauge(
    "calls_in_progress_peak_today",
    "calls",
    "network target kind",
    "Most calls in progress at once since midnight in the network's zone.",
)
CALLS_LIMIT: Final = _gauge(
    "calls_limit",
    "calls",
    "network target kind",
    "Calls a site may have at once, seats of a partner; absent: no limit.",
)
OPEN: Final = _gauge("target_open", "", "network target kind", "1 while a site or partner is open, else 0.")
POSITIONS_OCCUPIED: Final = _gauge(
    "positions_occupied", "positions", "network target kind", "Positions or seats with a call or its wrap-up."
)
POSITIONS_STAFFED: Final = _gauge(
    "positions_staffed",
    "positions",
    "network target kind",
    "Positions or seats really staffed now; absent: not stated.",
)
SUSPECTS: Final = _gauge(
    "suspect_calls",
    "calls",
    "network target kind",
    "Calls that outlived their lease unheard of and still hold a place.",
)
TRUNK_CHANNELS: Final = _gauge("trunk_channels_in_use", "channels", "network trunk", "Channels of a trunk in use.")
TRUNK_LIMIT: Final = _gauge("trunk_channels_limit", "channels", "network trunk", "Channels of a trunk.")
CAMPAIGN_CALLS: Final = _gauge(
    "campaign_calls_in_progress", "calls", "network campaign", "Calls of a campaign in progress anywhere."
)
CAMPAIGN_LIMIT: Final = _gauge(
    "campaign_calls_limit", "calls", "network campaign", "Calls a campaign may have at once; absent: no limit."
)

# What happened to calls, since this worker took their partition.

OFFERED: Final = _counter("calls_offered_total", "calls", "network target kind", "Calls offered to a site or partner.")
ANSWERED: Final = _counter("calls_answered_total", "calls", "network target kind", "Calls answered there.")
ABANDONED: Final = _counter(
    "calls_abandoned_total", "calls", "network target kind", "Calls whose caller gave up there before an answer."
)
DECISIONS: Final = _counter(
    "decisions_total",
    "decisions",
    "network site verdict reason",
    "Questions decided, by the site that asked (empty: none of the plan), verdict (NONE: too late for one) and reason.",
)
EXCESS: Final = _counter(
    "excess_calls_total",
    "calls",
    "network target kind cause",
    "Units lawfully held above a limit, by cause: transfers, fail-open, lowered limits and the like.",
)

# What is known of calls, and what had to be put right.

UNDECIDED_NOW: Final = _gauge(
    "undecided_calls_in_progress", "calls", "network cause", "Calls in progress that nobody asked about."
)
UNDECIDED: Final = _counter(
    "undecided_calls_total",
    "calls",
    "network cause",
    "Calls that ended without a question; of FAIL_OPEN, calls a switch placed on its own for want of an answer.",
)
DRIFT: Final = _counter(
    "drift_calls_total",
    "calls",
    "network kind",
    "Calls put right by a switch's snapshot, its restart or an operator: lost, released or adopted.",
)
MISPLACED: Final = _counter("misplaced_calls_total", "calls", "network", "Calls that went elsewhere than was decided.")
UNREMEMBERED: Final = _counter(
    "unremembered_events_total", "events", "network", "Events about new calls for which calls_max left no room."
)
UNKNOWN_TARGETS: Final = _counter(
    "unknown_targets_total", "events", "network", "Events that claim a call is at a target the plan does not have."
)
RELEASES_REFUSED: Final = _counter(
    "releases_refused_total", "events", "network", "Operators' releases of calls that are not suspect."
)
NOTED: Final = _counter(
    "noted_events_total", "events", "network kind", "Control events that are only noted: feed gaps and spots."
)
CALLS_KNOWN: Final = _gauge(
    "calls_known", "calls", "network", "Calls in progress, and ended ones still remembered; calls_max bounds them."
)
EVENTS_APPLIED: Final = _counter("events_applied_total", "events", "network", "Events that changed the network.")
EVENTS_REPEATED: Final = _counter("events_repeated_total", "events", "network", "Events that said nothing new.")
EVENTS_LATE: Final = _counter(
    "events_late_total", "events", "network", "Events about unknown calls that came later than the network remembers."
)
EVENTS_CLAMPED: Final = _counter(
    "events_clamped_total",
    "events",
    "network switch",
    "Events whose instant was out of bounds and was clamped: a switch's clock is wrong (other: not of the plan).",
)
CLOCK: Final = _gauge(
    "network_clock_timestamp_seconds",
    "seconds",
    "network",
    "The network's clock: its log's latest append time, if live.",
)
PLAN_INFO: Final = _gauge("plan_info", "", "network version clock", "1 for the plan in force.")
PLAN_HORIZON: Final = _gauge(
    "plan_horizon_timestamp_seconds", "seconds", "network", "Until when the plan's opening hours are compiled."
)

# The worker and its partitions.

BUILD_INFO: Final = _gauge("build_info", "", "version rules", "1 for the version that runs and its decision rules.")
REBALANCES: Final = _counter("rebalances_total", "assignments", "", "Times that partitions were assigned.")
LEFT_BEHIND: Final = _counter(
    "partitions_left_total", "partitions", "", "Partitions that did not close in time and were left to the next owner."
)
PARTITIONS: Final = _gauge(
    "partitions", "partitions", "kind", "Partitions owned here that are loading, running, waiting or halted."
)
HALTED: Final = _gauge(
    "partition_halted", "", "partition reason", "1 while a partition stands still and wants a repair, else 0 and NONE."
)
LAG: Final = _gauge(
    "partition_lag_records", "records", "partition", "Offsets between the log's end and the next one wanted."
)
INBOX: Final = _gauge("partition_inbox_records", "records", "partition", "Records fetched and not yet applied.")
APPLIED: Final = _gauge("partition_applied_offset", "", "partition", "Last offset whose outputs are published.")
SNAPSHOT: Final = _gauge("partition_snapshot_offset", "", "partition", "Last offset that the stored state covers.")
LOAD: Final = _gauge("partition_load_seconds", "seconds", "partition", "How long the partition took to load.")
NETWORKS: Final = _gauge(
    "networks", "networks", "partition kind", "Networks with a plan (planned) and without (unplanned)."
)
RECORDS: Final = _counter(
    "records_applied_total", "records", "partition", "Records read and applied, refused ones too."
)
REFOLDED: Final = _counter(
    "records_refolded_total",
    "records",
    "partition",
    "Records applied again after a load, their outputs published before.",
)
OUTPUTS: Final = _counter(
    "outputs_total", "records", "partition topic", "Decisions, call records and dead letters written."
)
DEAD_LETTERS: Final = _counter("dead_letters_total", "records", "partition reason", "Records not accepted, by reason.")
TRANSACTIONS: Final = _counter("transactions_total", "transactions", "partition", "Transactions committed.")
SNAPSHOTS: Final = _counter("snapshots_total", "snapshots", "partition", "Snapshots of changed networks stored.")
SNAPSHOT_BYTES: Final = _counter("snapshot_bytes_total", "bytes", "partition", "Bytes of them.")
SNAPSHOT_CPU: Final = _counter("snapshot_cpu_seconds_total", "seconds", "partition", "Processor time they took.")
SEEKS: Final = _counter("seeks_total", "seeks", "partition", "Times that the input's reader was moved.")
FETCHES_DROPPED: Final = _counter(
    "fetches_dropped_total", "fetches", "partition", "Fetched runs that were not the next ones and were dropped."
)
LATENCY: Final = _listed(
    "decision_latency_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "partition",
    "From a question's append (the broker's clock) to its decision's hand-over to the producer (this machine's).",
)

CATALOGUE: Final = tuple(_LISTED)
"""Every metric, in the order of the page."""

ADMISSIONS: Final = (
    ("ADMIT", "ROOM"),
    ("ADMIT", "PRIORITY"),
    ("OVERFLOW", "SITE_FULL"),
    ("OVERFLOW", "NO_POSITION"),
    ("OVERFLOW", "OUT_OF_HOURS"),
    ("OVERFLOW", "RETURNED"),
    ("BLOCK", "TARGETS_FULL"),
    ("BLOCK", "NO_TARGET"),
    ("BLOCK", "TRUNK_FULL"),
    ("BLOCK", "CAMPAIGN_FULL"),
)
"""Verdicts and reasons that every site shows from the start, as 0: a rate cannot see a series' first value."""
DRIFTS: Final = ("lost", "released", "adopted")
PHASES: Final = ("loading", "running", "waiting", "halted")
NO_VERDICT: Final = "NONE"
NOT_HALTED: Final = "NONE"
OTHER: Final = "other"
"""The switch of instants from switches that the plan does not name."""
UNPLANNED: Final = "(without plan)"
"""The network under which all networks without a plan are counted together: anybody's event may bring a new name."""
