"""Every keyword of the plan language: what it takes, its default and its bounds, stated here and nowhere else.

The reader asks this table for defaults and bounds, and the language's description holds the same table, so that
neither can say something that the other does not.
"""

from typing import NamedTuple


class Keyword(NamedTuple):
    """One keyword. ``default`` None: nothing is assumed. ``low`` and ``high`` bound numbers, both included."""

    name: str
    takes: str
    meaning: str
    default: int | str | None = None
    low: int = 0
    high: int = 0
    required: bool = False


class Sending(NamedTuple):
    """What a kind of treatment sends unless the plan says otherwise."""

    sip_code: int
    cause: int
    holds_line: bool


_DAY_S = 86_400
_MANY = 100_000
_LATER_VERSION = "is not in this version of the plan language, so it would change no decision; leave it out"

SECTIONS: dict[str, tuple[Keyword, ...]] = {
    "plan": (
        Keyword("network", "name", "the network whose calls this plan decides", required=True),
        Keyword("clock", "live, events", "what moves time: the broker's clock, or the events' own times", "live"),
        Keyword("zone", "time zone", "the zone of every time of day in the plan", required=True),
        Keyword("remember_s", "seconds", "how long an ended call is remembered", 21_600, 60, 7 * _DAY_S),
        Keyword(
            "calls_max", "whole number", "calls remembered at most; above it calls are blocked", 100_000, 1, 400_000
        ),
        Keyword("max_ask_age_s", "seconds", "a question that waited longer is recorded, not decided", 10, 1, 3_600),
        Keyword(
            "clock_back_s", "seconds", "how far a switch's clock may lag behind before it is corrected", 60, 0, 3_600
        ),
        Keyword("sites", "sites by name", "call centres of our own", required=True),
        Keyword("partners", "partners by name", "outsourcers that take calls"),
        Keyword("trunks", "trunks by name", "sets of channels"),
        Keyword("campaigns", "campaigns by name", "calls of one cause"),
        Keyword("treatments", "treatments by name", "what a call gets that goes nowhere; `busy` is always there"),
        Keyword("fallback", "list of targets", "tried, in order, for calls of a site that the plan does not name"),
        Keyword("otherwise", "treatment", "what a call gets when no target is left", "busy"),
    ),
    "site": (
        Keyword("limit", "whole number", "calls in progress at most; without it no limit", None, 0, _MANY),
        Keyword("waiting_places", "whole number", "calls that may wait beyond the staffed positions", 0, 0, _MANY),
        Keyword("wrap_up_s", "seconds", "how long a position is held after an answered call", 0, 0, 3_600),
        Keyword("hours", "hours, always", "when the site is open", required=True),
        Keyword("leases", "leases", "how long a call may stay silent"),
        Keyword("switches", "list of names", "the switches that count the site's calls"),
        Keyword("route", "route", "how calls reach the site from elsewhere"),
        Keyword(
            "overflow", "list of targets", "sites and partners tried, in order, when the site does not take a call"
        ),
        Keyword("otherwise", "treatment", "what a call gets when no target is left", "the network's"),
        Keyword("priority", "priority", "how far important calls may go beyond the limit"),
        Keyword("service_level", "service level", "the share answered in time that is aimed at"),
    ),
    "partner": (
        Keyword("seats", "whole number", "calls in progress at most by contract; without it no limit", None, 0, _MANY),
        Keyword("reserved", "whole number", "seats of the contract that are never ours", 0, 0, _MANY),
        Keyword("wrap_up_s", "seconds", "how long a seat is held after an answered call", 0, 0, 3_600),
        Keyword("hours", "hours, always", "when the partner takes our calls", "always"),
        Keyword("leases", "leases", "how long a call may stay silent"),
        Keyword("switches", "list of names", "the switches that count the partner's calls"),
        Keyword("route", "route", "how calls reach the partner"),
        Keyword("service_level", "service level", "the share answered in time that was agreed"),
    ),
    "hours": (
        Keyword("always", "true", "open at any time; excludes all below but the figure"),
        Keyword(
            "positions",
            "whole number",
            "staffed positions where a window does not say; `seats` for a partner",
            None,
            0,
            _MANY,
        ),
        Keyword("weekly", "list of windows with days", "the ordinary week"),
        Keyword("holidays", "country, holidays", "public holidays; they go before the week"),
        Keyword("exceptions", "closed or windows by date", "single dates; they go before holidays and week"),
    ),
    "window": (
        Keyword("days", "days", "for a weekly window: `mon-sat`, `mon, wed, fri`, `daily`"),
        Keyword("open", "times", "`09:00-20:00`, or a list of such; `22:00-06:00` ends on the next day", required=True),
        Keyword("positions", "whole number", "positions staffed in the window; `seats` for a partner", None, 0, _MANY),
    ),
    "holidays": (
        Keyword("country", "country code", "two letters, as in `FR`", required=True),
        Keyword("region", "region code", "the country's subdivision, as in `57`"),
        Keyword("windows", "list of windows", "when it is open on a holiday; without it closed"),
    ),
    "leases": (
        Keyword("waiting_s", "seconds", "silence after which a waiting call is suspect", 1_800, 10, 30 * _DAY_S),
        Keyword("talking_s", "seconds", "silence after which a talking call is suspect", 14_400, 10, 30 * _DAY_S),
        Keyword("diverted_s", "seconds", "silence after which a call handed over has ended", 1_800, 600, 30 * _DAY_S),
        Keyword("hard_limit_s", "seconds", "how long a suspect call holds its place", 28_800, 10, 30 * _DAY_S),
    ),
    "route": (
        Keyword(
            "by",
            "transfer, redirect, carrier",
            "who connects the call: our switch, the caller's, the carrier",
            "transfer",
        ),
        Keyword("trunk", "trunk", "channels of the way there", "the one it came in on"),
        Keyword("dial", "number or URI by switch", "what each switch dials"),
    ),
    "priority": (
        Keyword("from", "whole number", "calls of this priority or higher", None, 0, _MANY, required=True),
        Keyword(
            "places",
            "whole number",
            "how many of them may be beyond the limit and the staffed positions",
            None,
            1,
            _MANY,
            required=True,
        ),
    ),
    "service level": (
        Keyword("threshold_s", "seconds", "answered within this time", None, 0, 3_600, required=True),
        Keyword("target", "share from 0 to 1", "as in `0.80`", required=True),
        Keyword(
            "formula",
            "sl_all_credit, sl_answered_only, sl_abandon_negative, sl_abandon_ignored, sl_short_credit",
            "how abandoned calls count",
            "sl_abandon_negative",
        ),
        Keyword("short_abandon_s", "seconds", "who gives up sooner was not lost", 5, 0, 600),
    ),
    "trunk": (Keyword("limit", "whole number", "channels", None, 1, _MANY, required=True),),
    "campaign": (
        Keyword("limit", "whole number", "calls in progress anywhere at most; without it no limit", None, 0, _MANY),
        Keyword("dialled", "list of numbers", "its numbers, by which a connector names the campaign"),
    ),
    "treatment": (
        Keyword("kind", "busy, announcement, voicemail, callback", "what the caller hears", required=True),
        Keyword("sip_code", "whole number", "SIP status that the switch sends; never 503", "by kind", 100, 699),
        Keyword("cause", "whole number", "Q.850 cause of the release", "by kind", 1, 127),
        Keyword("holds_line", "true, false", "whether the caller keeps a channel until the end", "by kind"),
    ),
}
"""The language: each section's keywords in the order in which they are described."""

PHRASES: dict[str, str] = {
    section: section if section in {"hours", "holidays", "leases", "priority"} else f"a {section}"
    for section in SECTIONS
}
"""How a sentence calls each section."""

MEANT: dict[str, tuple[str, ...]] = {"positions": ("seats",), "seats": ("positions", "limit"), "limit": ("seats",)}
"""What a keyword is called elsewhere: a site has a limit and positions, a partner has seats."""

TREATMENTS: dict[str, Sending] = {
    "busy": Sending(sip_code=486, cause=17, holds_line=False),
    "announcement": Sending(sip_code=183, cause=16, holds_line=True),
    "voicemail": Sending(sip_code=200, cause=16, holds_line=True),
    "callback": Sending(sip_code=200, cause=16, holds_line=True),
}
"""What each kind of treatment sends unless the plan says otherwise."""

LATER: dict[str, str] = {
    "conditions": _LATER_VERSION,
    "guard": _LATER_VERSION,
    "price": _LATER_VERSION,
    "ramp": _LATER_VERSION,
    "shadow": _LATER_VERSION,
    "share": _LATER_VERSION,
    "shares": _LATER_VERSION,
    "volume": _LATER_VERSION,
    "weight": _LATER_VERSION,
    "weights": _LATER_VERSION,
    "when": _LATER_VERSION,
    "when_stale": _LATER_VERSION,
    "<<": "merges nothing in a plan; write the keys out, or give a whole value a name (&name) and use it again (*name)",
}
"""Words a planner may expect, and what is said of them."""


def keyword(section: str, name: str) -> Keyword:
    """Return one keyword of a section."""
    return next(word for word in SECTIONS[section] if word.name == name)


def for_partner(section: str) -> tuple[Keyword, ...]:
    """Return a section's keywords as a partner's hours use them: what a site calls positions, a partner calls seats."""
    return tuple(
        word._replace(name="seats", meaning=word.meaning.replace("positions staffed", "seats open"))
        if word.name == "positions"
        else word
        for word in SECTIONS[section]
    )


def table() -> str:
    """Return the whole language as one Markdown table."""
    rows = ["| in | keyword | takes | default | meaning |", "|---|---|---|---|---|"]
    for section, words in SECTIONS.items():
        for word in words:
            takes = f"{word.takes}, {word.low} to {word.high}" if word.high else word.takes
            default = "required" if word.required else "" if word.default is None else str(word.default)
            rows.append(f"| {section} | `{word.name}` | {takes} | {default} | {word.meaning} |")
    return "\n".join(rows) + "\n"
