"""What a consumer of the worker's outputs has heard: for the picture while the demo runs, for the summary at its end."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from streams.core.decisions import CallRecord, Decision, SiteState
from streams.simulate.media import MINUTE_US, SECOND_US

LAST_DECISIONS = 12
HOUR_MINUTES = 60
RECENT_CALLS = 500
# A call record comes when its wrap-up is over, and its events may have been late.
SETTLED_US = 90 * SECOND_US


@dataclass(frozen=True, slots=True)
class Level:
    """So many calls in progress, everywhere, at an instant."""

    calls: int
    at: int


class Heard:
    """Everything heard so far of one network, kept by call; the newest version of a record counts."""

    def __init__(self) -> None:
        self.decisions: dict[str, Decision] = {}
        self.again = 0
        self.records: dict[str, CallRecord] = {}
        self.sites: dict[str, SiteState] = {}
        self.last: deque[Decision] = deque(maxlen=LAST_DECISIONS)
        self.verdicts: Counter[str] = Counter()
        self.most = Level(0, 0)
        self._recent: deque[str] = deque(maxlen=RECENT_CALLS)
        self._minutes: dict[int, int] = {}

    def decision(self, decision: Decision) -> None:
        """Take one decision; a second one of the same call counts as such."""
        if decision.call_id in self.decisions:
            self.again += 1
            return
        self.decisions[decision.call_id] = decision
        self._recent.append(decision.call_id)
        self.verdicts[decision.verdict or "?"] += 1
        self.last.append(decision)

    def record(self, record: CallRecord) -> None:
        """Take one call record."""
        known = self.records.get(record.call_id)
        if known is None or known.version < record.version:
            self.records[record.call_id] = record

    def site(self, state: SiteState, at: int) -> None:
        """Take the state of a site or partner, heard when the show had come to ``at``."""
        self.sites[state.site] = state
        self.pass_time(at)

    def pass_time(self, at: int) -> None:
        """Note the calls in progress at ``at``, minute by minute."""
        minute = at // MINUTE_US
        if minute not in self._minutes:
            self._settle(at - SETTLED_US)
        self._minutes[minute] = max(self._minutes.get(minute, 0), self.in_progress)
        for old in [known for known in self._minutes if not minute - HOUR_MINUTES < known <= minute]:
            del self._minutes[old]

    def _settle(self, until_at: int) -> None:
        """Find the most calls in progress up to an instant before which nothing is missing any more.

        Between two site states there may have been more, and they follow the log, where ends may be late: the
        recent decisions and call records tell it exactly.
        """
        steps = []
        for name in self._recent:
            record = self.records.get(name)
            steps.append((self.decisions[name].occurred_at, 1))
            if record is not None and record.ended_at is not None:
                steps.append((record.ended_at, -1))
        level = 0
        for at, step in sorted(steps):
            level += step
            if at <= until_at and level > self.most.calls:
                self.most = Level(level, at)

    @property
    def in_progress(self) -> int:
        """The calls in progress at sites and partners together."""
        return sum(state.calls_in_progress for state in self.sites.values())

    def last_hour(self, at: int) -> list[int]:
        """Return the most calls in progress in each of the sixty minutes up to ``at``; silence repeats the last known."""
        newest = at // MINUTE_US
        levels, level = [], 0
        for minute in range(newest - HOUR_MINUTES + 1, newest + 1):
            level = self._minutes.get(minute, min(level, self.in_progress))
            levels.append(level)
        return levels
