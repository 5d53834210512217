"""The demo's picture: sites and partners, calls in progress against limits, the last decisions, the simulated clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.cli.demo_pace import PEAK_SPEED, QUIET_SPEED
from streams.core.decisions import Decision, SiteState, Verdict
from streams.core.events import SpotAired
from streams.simulate.media import ENDS_AT, PARIS, SECOND_US, STARTS_AT

if TYPE_CHECKING:
    from rich.console import ConsoleDimensions, RenderableType

    from streams.cli.demo_heard import Heard

TITLE = "Tropplein · un franc par jour"
EIGHTHS = "▁▂▃▄▅▆▇█"
# The picture fits the terminal: so much of it is not bar, and not last decisions.
BESIDE_BARS = 57
BAR_CELLS = (12, 44)
BESIDE_DECISIONS = 13
DECISION_COLUMNS = 5
# A target without a limit has a bar too; this many calls fill it, or as many as it ever had.
UNLIMITED_FULL = 30
WORDS = {
    "ROOM": "a place is free",
    "SITE_FULL": "limiter reached",
    "NO_POSITION": "all positions busy",
    "OUT_OF_HOURS": "out of hours",
}
COLOURS = {Verdict.ADMIT: "green", Verdict.OVERFLOW: "yellow", Verdict.BLOCK: "red"}


class Picture:
    """Draws one frame from what was heard. In a bar, █ is a call and ▒ a person who is wrapping one up.

    ``shift_us`` is how far the network's clock runs ahead of the one shown, ``counted`` says what the counts are of.
    """

    def __init__(self, heard: Heard, *, shift_us: int, counted: str, foot: str, size: ConsoleDimensions) -> None:
        self.heard = heard
        self.shift_us = shift_us
        self._counted = counted
        self._foot = foot
        least, most = BAR_CELLS
        self._cells = max(least, min(size.width - BESIDE_BARS, most))
        self._lines = max(1, min(size.height - BESIDE_DECISIONS, heard.last.maxlen or 1))
        self._widest: dict[str, int] = {}

    def frame(self, now_at: int, speed: float, spot: SpotAired | None = None) -> RenderableType:
        """Return the picture of an instant at which the campaign runs ``speed`` times as fast as life."""
        foot = Text(self._foot, style="dim", no_wrap=True, overflow="ellipsis")
        return Group(self._head(now_at, speed, spot), self._targets(now_at), self._decisions(), foot)

    def _head(self, now_at: int, speed: float, spot: SpotAired | None) -> RenderableType:
        shown_at = now_at - self.shift_us
        line = Table.grid(expand=True)
        line.add_column()
        line.add_column(justify="right")
        clock = Text(f"{paris(shown_at):%a %d %b %Y  %H:%M:%S}  ", style="bold")
        clock.append_text(_speed(speed))
        line.add_row(Text(TITLE, style="bold cyan"), clock)
        share = min(max((shown_at - STARTS_AT) / (ENDS_AT - STARTS_AT), 0.0), 1.0)
        ahead = Text("3 Nov ")
        done = round(share * self._cells * 2)
        ahead.append("━" * done, style="cyan")
        ahead.append("─" * (self._cells * 2 - done), style="dim")
        ahead.append(" 30 Nov")
        told = f"last spot: {spot.channel}, {paris(spot.aired_at):%a %d %b %H:%M:%S}" if spot is not None else " "
        return Group(line, ahead, Text(told, style="magenta", no_wrap=True, overflow="ellipsis"))

    def _targets(self, now_at: int) -> RenderableType:
        heard = self.heard
        grid = Table.grid(padding=(0, 1))
        # Widths that do not change with what is told, so that bars stand still.
        for width in (11, 22, self._cells + 9, 8):
            grid.add_column(width=width, no_wrap=True)
        for name in sorted(heard.sites, key=lambda name: (heard.sites[name].kind != "SITE", name)):
            grid.add_row(*self._target(heard.sites[name]))
        total = Text(f"{heard.in_progress}", style="bold")
        if heard.in_progress > heard.most.calls:
            total.append("  the most so far", style="bold")
        else:
            total.append(f"  most so far {heard.most.calls}", style="bold")
            if heard.most.calls:
                total.append(f", {paris(heard.most.at - self.shift_us):%d %b %H:%M}", style="dim")
        grid.add_row(Text("everywhere", style="bold"), Text("calls in progress", style="dim"), total, Text(""))
        levels = heard.last_hour(now_at)
        curve = _curve(levels[-self._cells :])
        curve.append(f" up to {max(levels)}", style="dim")
        grid.add_row(Text(f"last {self._cells} min", style="bold"), Text("in progress", style="dim"), curve, "")
        verdicts = heard.verdicts
        told = Text()
        for verdict, colour in COLOURS.items():
            if verdicts[verdict] or verdict != Verdict.BLOCK:
                told.append(f"{verdict.lower()} ", style="dim")
                told.append(f"{verdicts[verdict]:,}   ".replace(",", " "), style=colour)
        decided = Text(f"{sum(verdicts.values()):,} decided".replace(",", " "))
        grid.add_row(Text(self._counted, style="bold"), decided, told, "")
        return Panel(grid, title="calls in progress", title_align="left", border_style="dim")

    def _target(self, state: SiteState) -> tuple[Text, Text, Text, Text]:
        """Return a target's line: name, hours, bar, figures. Every colour also is a word."""
        calls, limit = state.calls_in_progress, state.limit
        if limit is None:
            widest = max(self._widest.get(state.site, UNLIMITED_FULL), calls)
            self._widest[state.site] = widest
            colour, word, figures = "blue", "no limit", f"{calls}"
        else:
            widest, figures = limit, f"{calls} of {limit}"
            full = state.places_free == 0 or state.positions_free == 0
            colour, word = ("red", "FULL") if full and state.open else ("green", "")
        if not state.open:
            colour, word = "yellow", "CLOSED"
        cells = min(round(calls / widest * self._cells), self._cells)
        busy = calls if limit is None or state.staffed is None else state.staffed - (state.positions_free or 0)
        wrapping = max(min(round(busy / widest * self._cells), self._cells) - cells, 0) if state.open else 0
        bar = Text("█" * cells, style=colour)
        bar.append("▒" * wrapping, style=colour)
        bar.append("░" * (self._cells - cells - wrapping), style="dim")
        bar.append(f" {figures}", style="bold")
        return Text(state.site, style="bold"), Text(_hours(state), style="dim"), bar, Text(word, style=f"bold {colour}")

    def _decisions(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for _ in range(DECISION_COLUMNS):
            table.add_column(no_wrap=True, overflow="ellipsis")
        last = list(self.heard.last)[-self._lines :]
        for decision in reversed(last):
            table.add_row(*self._decision(decision))
        for _ in range(self._lines - len(last)):
            table.add_row(" ")
        return Panel(table, title="last decisions", title_align="left", border_style="dim")

    def _decision(self, decision: Decision) -> tuple[Text, ...]:
        verdict = decision.verdict or "?"
        way = Text(verdict, style=COLOURS.get(Verdict(verdict), "") if decision.verdict else "")
        way.append(f" → {decision.target or decision.treatment}", style="default")
        limit = "no limit" if decision.limit is None else str(decision.limit)
        return (
            Text(f"{paris(decision.occurred_at - self.shift_us):%H:%M:%S}", style="dim"),
            Text(decision.call_id),
            way,
            Text(WORDS.get(decision.reason, decision.reason.replace("_", " ").lower())),
            Text(f"{decision.site} had {decision.in_progress} of {limit}", style="dim"),
        )


def paris(at: int) -> datetime:
    """Return Paris time of an instant of the campaign."""
    return datetime.fromtimestamp(STARTS_AT // SECOND_US, PARIS) + timedelta(microseconds=at - STARTS_AT)


def _speed(speed: float) -> Text:
    """Say how fast time passes."""
    if speed >= QUIET_SPEED:
        return Text("quiet hours, skipped", style="dim")
    told = f"{speed:,.0f}".replace(",", " ")
    return Text(f"{told} times life", style="bold yellow" if speed <= PEAK_SPEED else "yellow")


def _hours(state: SiteState) -> str:
    """Say until when a target is open or closed."""
    word = "open" if state.open else "closed"
    if state.next_change_at is None:
        return word
    return f"{word} until {paris(state.next_change_at):%a %H:%M}"


def _curve(levels: list[int]) -> Text:
    """Draw levels as a row of eighths; nothing in progress is a thin line."""
    most = max(*levels, UNLIMITED_FULL // 2)
    curve = Text()
    for level in levels:
        curve.append(EIGHTHS[min(level * 8 // most, 7)] if level else "_", style="cyan" if level else "dim")
    return curve
