"""From a plan's text to the compiled plan, or to every reason why not."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from streams.core.plan import DAY_US, Partner, Plan, Site
from streams.plans import sections, zones
from streams.plans.calendars import Calendar, offsets
from streams.plans.document import Section, Value, parse, read
from streams.plans.fingerprint import version_of
from streams.plans.keywords import keyword
from streams.plans.refusals import Report, suggestion
from streams.plans.sections import Draft, Names

HORIZON_DAYS = 730
"""Days over which calendars are compiled unless the caller says otherwise."""

HORIZON_DAYS_APPLIED_MIN = 400
"""A plan with a shorter horizon is not put in force: more than a year, so that nobody renews it in the last minute."""

COMPILED_BYTES_MAX = 512 * 1024
"""An encoded plan is at most this long: half of what a Kafka record holds by default."""

_HORIZON_DAYS_MAX = 3_660
_CLOCKS = keyword("plan", "clock").takes.split(", ")


def compile_plan(
    source: Path | str, *, from_at: int | None = None, horizon_days: int = HORIZON_DAYS, clock: str | None = None
) -> Plan:
    """Compile a plan: a file (a ``Path``, or a text without a line break) or the text itself.

    Calendars run from ``from_at`` (default: today's midnight in UTC) over ``horizon_days``. ``clock`` (live, events)
    goes before the text's own, so that a campaign of a live network can be played faster than life. The same text and
    arguments give the same plan, under the same version, wherever the time zone database is the same.

    Raises:
        PlanError: the plan is refused; it holds every reason.
        ValueError: an argument is out of its bounds.
    """
    if not 1 <= horizon_days <= _HORIZON_DAYS_MAX:
        raise ValueError(f"a horizon is 1 to {_HORIZON_DAYS_MAX} days, not {horizon_days}")
    if clock is not None and clock not in _CLOCKS:
        raise ValueError(f'a clock is one of {", ".join(_CLOCKS)}, not "{clock}"')
    start_at = midnight(time.time_ns() // 1_000) if from_at is None else from_at
    text, report = read(source)
    report.check()
    root = parse(text, report)
    report.check()
    assert root is not None
    draft, drafts = _Reader(root, report, start_at, horizon_days).read(clock)
    report.check()
    calendar = Calendar(draft.zone, draft.compiled_from, draft.horizon_at)
    targets = [replace(target.target, hours=calendar.hours(target.schedule)) for target in drafts]
    report.check()
    plan = replace(
        draft,
        offsets=offsets(draft.zone, draft.compiled_from, draft.horizon_at),
        sites=tuple(target for target in targets if isinstance(target, Site)),
        partners=tuple(target for target in targets if isinstance(target, Partner)),
    )
    return replace(plan, version=version_of(plan))


def midnight(at: int) -> int:
    """Return the last midnight in UTC at or before an instant."""
    return at - at % DAY_US


class _Reader:
    """Reads the top level of one file: first every name, then what refers to them."""

    def __init__(self, root: Value, report: Report, from_at: int, horizon_days: int) -> None:
        self._section = Section(root, "plan")
        self._report = report
        self._from_at = from_at
        self._horizon_at = from_at + horizon_days * DAY_US
        self._sites = self._named("sites", "sites")
        self._partners = self._named("partners", "partners")
        self._trunks = self._named("trunks", "trunks")
        self._treatments = self._named("treatments", "treatments")
        for name, value in self._partners.items():
            if name in self._sites:
                line = self._sites[name].line
                value.refuse(f"is the name of a site too (line {line}); a target's name is unique")
        self._names = Names(
            targets=(*self._sites, *self._partners),
            trunks=tuple(self._trunks),
            switches=tuple(_switches([*self._sites.values(), *self._partners.values()])),
            treatments=tuple({**self._treatments, "busy": None}),
        )

    def read(self, clock: str | None) -> tuple[Plan, list[Draft]]:
        """Return the plan without version, offsets and targets, and the targets without hours."""
        section = self._section
        last = section.get("otherwise")
        otherwise = str(keyword("plan", "otherwise").default)
        if last is not None:
            otherwise = sections.reference(last, "treatment", self._names.treatments) or otherwise
        written_clock = section.choice("clock")
        chain = section.get("fallback")
        drafts = [sections.site(name, value, self._names, otherwise) for name, value in self._sites.items()]
        drafts += [sections.partner(name, value, self._names) for name, value in self._partners.items()]
        plan = Plan(
            network=self._network(),
            version="",
            clock=written_clock if clock is None else clock.upper(),
            zone=self._zone(),
            tz_version=zones.TZ_VERSION,
            compiled_from=self._from_at,
            horizon_at=self._horizon_at,
            offsets=(),
            remember_us=section.duration_us("remember_s"),
            calls_max=section.whole("calls_max") or 0,
            max_ask_age_us=section.duration_us("max_ask_age_s"),
            clock_back_us=section.duration_us("clock_back_s"),
            sites=(),
            partners=(),
            trunks=tuple(sections.trunk(name, value) for name, value in self._trunks.items()),
            campaigns=sections.campaigns(self._named("campaigns", "campaigns")),
            treatments=sections.treatments(self._treatments),
            fallback=() if chain is None else sections.steps(chain, self._names, None),
            otherwise=otherwise,
        )
        return plan, drafts

    def _named(self, name: str, what: str) -> dict[str, Value]:
        """Return what a keyword names."""
        value = self._section.get(name)
        found = {} if value is None else value.named(what)
        if name == "sites" and value is not None and not found:
            value.refuse("names no site; a plan has one at least")
        return found

    def _network(self) -> str:
        """Read the network's name."""
        value = self._section.get("network")
        return "" if value is None else value.name("a network") or ""

    def _zone(self) -> str:
        """Read the time zone."""
        value = self._section.get("zone")
        text = None if value is None else value.text("a time zone, as in Europe/Paris")
        if value is None or text is None:
            return ""
        known = zones.names()
        if text not in known:
            value.refuse(f'"{text}" is no time zone of the database {zones.TZ_VERSION}{suggestion(text, known)}')
        return text


def _switches(targets: Iterable[Value]) -> dict[str, None]:
    """Return every switch that a target lists; what is wrong with them is refused where the target is read."""
    unheard = Report("")
    found: dict[str, None] = {}
    for value in targets:
        section = Section(Value(value.node, value.path, value.line, unheard), "site")
        found.update(dict.fromkeys(sections.switches(section)))
    return found
