"""The log that a file stands for: the plans first, then its lines, decided as a worker would decide them.

An event's append time is its `occurred_at`. Of N plans the offsets are 0 to N - 1, in the order given; line L of the
file is offset N - 1 + L. A plan takes effect with the first event of its network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from streams.cli import Refusal
from streams.cli.decisions import json_line
from streams.core import RULES
from streams.core.decisions import CallRecord, Output
from streams.core.events import ControlEvent, Event, PlanApplied
from streams.core.partition import Partition, Refused
from streams.core.plan import DAY_US, Plan
from streams.kafka.events import event_encode
from streams.plans import PlanError, compile_plan, midnight, with_limits
from streams.wire.framing import FramingWriter
from streams.wire.ledger import CALL_RECORDS, DECISIONS, Ledger
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of


@dataclass(slots=True)
class Case:
    """One network of the file: its plan, and what became of it."""

    plan: Plan
    file: Path
    offset: int
    core: Partition | None = None
    ledger: Ledger | None = None
    events: int = 0
    records: int = 0
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    peaks: dict[str, int] = field(default_factory=dict)


class Log:
    """Takes the lines of the file ``name`` and writes decisions to ``out``, call records to ``records`` if wanted.

    Calendars begin at ``from_at``, by default the day before a network's first event; ``clock`` (live, events) goes
    before the plans' own. Raises Refusal for what is wrong
    with a plan or a limit.
    """

    def __init__(
        self,
        name: str,
        plans: Sequence[Path],
        *,
        limits: Mapping[str, int],
        partitions: int,
        from_at: int | None,
        horizon_days: int,
        clock: str | None,
        out: IO[str],
        records: IO[str] | None,
    ) -> None:
        self._name = name
        self._limits = limits
        self._among = partitions
        self._from_at = from_at
        self._horizon_days = horizon_days
        self._clock = clock
        self._out = out
        self._records = records
        self._framing = FramingWriter()
        self._encode = event_encode(self._framing)
        self._partitions: dict[int, tuple[Partition, Ledger]] = {}
        self.cases: dict[str, Case] = {}
        for file in plans:
            plan = self._compile(file, from_at)
            if plan.network in self.cases:
                raise Refusal(f"{file} and {self.cases[plan.network].file} are both plans of network {plan.network}")
            self.cases[plan.network] = Case(plan, file, len(self.cases))
        self._check_limits()
        self.left_out: Counter[str] = Counter()
        self.refused: list[str] = []

    def take(self, line: int, event: Event) -> None:
        """Take a line's event, and write what follows from it."""
        where = f"{self._name}:{line}"
        if event.network is None or event.occurred_at is None:
            raise Refusal(f"{where} is a partition's Tick: a file has no append times, so it has none of those")
        case = self.cases.get(event.network)
        if case is None:
            self.left_out[event.network] += 1
            return
        if case.core is None:
            self._begin(case, event.occurred_at)
        case.events += 1
        self._apply(case, event, len(self.cases) - 1 + line, where)

    def _begin(self, case: Case, first_at: int) -> None:
        """Apply a network's plan, as of its first event."""
        network = case.plan.network
        number = partition_of(network.encode(), self._among)
        if number not in self._partitions:
            kinds = {DECISIONS} if self._records is None else {DECISIONS, CALL_RECORDS}
            self._partitions[number] = Partition(), Ledger(number, self._framing, kinds=kinds)
        case.core, case.ledger = self._partitions[number]
        from_at = midnight(first_at) - DAY_US if self._from_at is None else self._from_at
        plan = self._compile(case.file, from_at)
        sites = {site.name for site in plan.sites}
        limits = {site: limit for site, limit in self._limits.items() if site in sites}
        case.plan = with_limits(plan, limits) if limits else plan
        applied = ControlEvent(network, first_at, PlanApplied(case.plan, RULES))
        self._apply(case, applied, case.offset, str(case.file))

    def _apply(self, case: Case, event: Event, offset: int, where: str) -> None:
        """Apply an event as the worker does."""
        core, ledger, network = case.core, case.ledger, case.plan.network
        assert core is not None
        assert ledger is not None
        assert event.occurred_at is not None
        try:
            outputs = core.apply(event, event.occurred_at)
        except Refused as refused:
            # In a log it becomes a dead letter, and the next event is taken.
            self.refused.append(f"{where}: {refused.reason}: {refused.text}")
            return
        ledger.accept(network, self._encode(event)[1])
        if outputs:
            self._write(case, ledger, offset, outputs)
        for name, target in core.networks[network].targets.items():
            if len(target.places) > case.peaks.get(name, -1):
                case.peaks[name] = len(target.places)

    def _write(self, case: Case, ledger: Ledger, offset: int, outputs: Sequence[Output]) -> None:
        """Number, hash and write outputs."""
        for message in ledger.write(offset, outputs):
            assert message.value is not None
            _, fields = read_fields(message.value)
            if message.kind == DECISIONS:
                case.decided[fields["verdict"] or "UNDECIDED", fields["reason"]] += 1
                self._out.write(json_line(fields) + "\n")
            elif self._records is not None:
                self._records.write(json_line(fields) + "\n")
        case.records += sum(isinstance(output, CallRecord) for output in outputs)

    def _compile(self, file: Path, from_at: int | None) -> Plan:
        """Compile a plan's file; what is wrong with it is the command's refusal."""
        try:
            return compile_plan(file, from_at=from_at, horizon_days=self._horizon_days, clock=self._clock)
        except PlanError as error:
            raise Refusal(f"{file} is no plan to go by:\n{error}") from None

    def _check_limits(self) -> None:
        """Refuse a limit of a site that no plan has."""
        plans = [case.plan for case in self.cases.values()]
        for site, limit in self._limits.items():
            if not any(site == known.name for plan in plans for known in plan.sites):
                try:
                    with_limits(plans[-1], {site: limit})
                except ValueError as error:
                    raise Refusal(f"--limit {site}={limit}: {error}") from None
