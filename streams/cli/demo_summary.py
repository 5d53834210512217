"""The demo's summary: what the worker published, counted, beside the recount of what was handed over to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from streams.cli.demo_picture import paris
from streams.core.decisions import Verdict
from streams.core.events import CallEvent, Event
from streams.simulate.recount import Day, Peak, Recount

if TYPE_CHECKING:
    from rich.console import Console

    from streams.cli.demo_heard import Heard
    from streams.core.decisions import Decision

ABANDONED = ("ABANDONED_WAITING", "ABANDONED_RINGING", "SHORT_ABANDON")
ANSWERED = ("ANSWERED_SITE", "ANSWERED_PARTNER")
SHOWN = ("offers", "redials", "answered", "abandoned", "admitted", "full", "closed", "peak", "second")
WORDS = {
    "offers": "calls offered",
    "redials": "of them redials",
    "answered": "answered",
    "abandoned": "abandoned",
    "admitted": "admitted in house",
    "full": "overflowed, site full",
    "closed": "overflowed, out of hours",
    "peak": "most calls in progress",
    "second": "most on another day",
}


def rows_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the events as the recount reads them, plain rows."""
    return [event._asdict() if isinstance(event, CallEvent) else {"occurred_at": event.occurred_at} for event in events]


def published(heard: Heard) -> Recount:
    """Count what the worker published: verdicts from its decisions, everything else from its call records."""
    steps: list[tuple[int, int]] = []
    by_day: dict[str, list[str]] = {}
    for name, record in heard.records.items():
        offered_at, ended_at = record.offered_at, record.ended_at
        if offered_at is not None and ended_at is not None:
            steps += [(offered_at, 1), (ended_at, -1)]
            by_day.setdefault(_day(offered_at), []).append(name)
    peaks = _peaks(sorted(steps))
    days = [_day_of(heard, day, names, peaks[day].calls) for day, names in sorted(by_day.items())]
    highest = sorted(peaks.values(), key=lambda peak: (-peak.calls, peak.at))
    callers = [record.caller for record in heard.records.values() if record.caller]
    return Recount(
        offers=len(heard.decisions),
        redials=len(callers) - len(set(callers)),
        answered=sum(day.answered for day in days),
        abandoned=sum(day.abandoned for day in days),
        admitted=sum(_word(decision) == "admitted" for decision in heard.decisions.values()),
        full=sum(_word(decision) == "full" for decision in heard.decisions.values()),
        closed=sum(_word(decision) == "closed" for decision in heard.decisions.values()),
        peak=highest[0] if highest else Peak(0, 0),
        second=highest[1] if len(highest) > 1 else None,
        days=tuple(days),
        verdicts={name: str(decision.verdict) for name, decision in heard.decisions.items()},
    )


def differences(heard: Heard, product: Recount, recounted: Recount) -> list[str]:
    """Return a sentence for each thing in which the worker's outputs and the recount differ."""
    found = [
        f"{WORDS[name]}: {_told(getattr(product, name))} published, {_told(getattr(recounted, name))} recounted"
        for name in SHOWN
        if getattr(product, name) != getattr(recounted, name)
    ]
    if heard.again:
        found.append(f"{heard.again} decisions came twice")
    names = sorted(product.verdicts.keys() | recounted.verdicts.keys())
    other = [name for name in names if product.verdicts.get(name) != recounted.verdicts.get(name)]
    if other:
        found.append(f"{len(other)} calls have another verdict, the first of them {other[0]}")
    days = {day.day: day for day in product.days}
    found += [
        f"{day.day}: {days.get(day.day)} published, {day} recounted"
        for day in recounted.days
        if days.get(day.day) != day
    ]
    return found


def as_json(counted: Recount, **more: Any) -> dict[str, Any]:
    """Return a count for machines, behind whatever more there is to tell."""
    body: dict[str, Any] = dict(more)
    for name in SHOWN:
        value = getattr(counted, name)
        body[name] = {"calls": value.calls, "at": paris(value.at).isoformat()} if isinstance(value, Peak) else value
    body["days"] = [{field: getattr(day, field) for field in Day.__slots__} for day in counted.days]
    return body


def days_table(product: Recount) -> Table:
    """Return the table of the 28 days, as published."""
    table = Table(
        title="Un franc par jour, 3 to 30 November 2025",
        title_justify="left",
        caption="full, closed: overflowed because the site was full, or out of hours",
        caption_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("day", no_wrap=True)
    for name in ("offered", "admitted", "full", "closed", "answered", "abandoned", "peak"):
        table.add_column(name, justify="right")
    for day in product.days:
        name = paris_day(day.day)
        figures = (day.offers, day.admitted, day.full, day.closed, day.answered, day.abandoned, day.peak)
        style = "bold" if day.peak == product.peak.calls else ""
        table.add_row(name, *(str(figure) for figure in figures), style=style)
    return table


def print_summary(console: Console, product: Recount, recounted: Recount, found: Sequence[str]) -> None:
    """Print the days, the confirmation, and every difference there is."""
    console.print(days_table(product))
    console.print()
    console.print(confirmation(product, recounted))
    console.print()
    if not found:
        console.print("Confirmed: the recount of what was handed over agrees in every day and in every call's verdict.")
    for sentence in found:
        console.print(f"DIFFERS  {sentence}", style="red")


def paris_day(day: str) -> str:
    """Return an ISO date as people write it."""
    return f"{date.fromisoformat(day):%a %d %b}"


def confirmation(product: Recount, recounted: Recount) -> Table:
    """Return the table that sets the published beside the recounted."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("the campaign")
    table.add_column("published", justify="right")
    table.add_column("recounted", justify="right")
    table.add_column("")
    for name in SHOWN:
        ours, theirs = getattr(product, name), getattr(recounted, name)
        word = Text("same", style="green") if ours == theirs else Text("DIFFERS", style="bold red")
        table.add_row(WORDS[name], _told(ours), _told(theirs), word)
    return table


def _day_of(heard: Heard, day: str, names: list[str], peak: int) -> Day:
    words = [_word(heard.decisions[name]) for name in names if name in heard.decisions]
    outcomes = [heard.records[name].outcome for name in names]
    return Day(
        day=day,
        offers=len(names),
        admitted=words.count("admitted"),
        full=words.count("full"),
        closed=words.count("closed"),
        answered=sum(outcome in ANSWERED for outcome in outcomes),
        abandoned=sum(outcome in ABANDONED for outcome in outcomes),
        peak=peak,
    )


def _word(decision: Decision) -> str:
    """Say in one word what became of a question."""
    if decision.verdict == Verdict.ADMIT:
        return "admitted"
    if decision.verdict == Verdict.OVERFLOW:
        return "closed" if decision.reason == "OUT_OF_HOURS" else "full"
    return "other"


def _peaks(steps: list[tuple[int, int]]) -> dict[str, Peak]:
    """Return the peak of each Paris day; an end counts before an offer of the same instant."""
    peaks: dict[str, Peak] = {}
    level = 0
    for at, step in steps:
        level += step
        day = _day(at)
        if day not in peaks or level > peaks[day].calls:
            peaks[day] = Peak(level, at)
    return peaks


def _day(at: int) -> str:
    return paris(at).date().isoformat()


def _told(value: Any) -> str:
    """Write a figure or a peak for people."""
    if isinstance(value, Peak):
        return f"{value.calls} ({paris(value.at):%d %b %H:%M:%S})"
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else "none"
