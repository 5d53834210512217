"""Resources and who holds them: sites, partners, trunks, campaigns.

Concurrency is a set of calls, never a counter: a unit is a key in a dict, so that taking twice is taking once and
giving back what was never taken is nothing. Dicts, not sets, because their order is the order of arrival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.core.calendar import Span, span_at
from streams.core.decisions import Considered, SiteState
from streams.core.state import Decided, Excess, TargetState

if TYPE_CHECKING:
    from streams.core.calls import Call
    from streams.core.plan import Campaign, Partner, Plan, Site, Trunk

NEVER = Span(0, 0, open=False, positions=0)


class Line:
    """A trunk's channels: one per call that came in over it, one per call transferred out over it."""

    __slots__ = ("incoming", "limit", "name", "outgoing")

    def __init__(self, trunk: Trunk) -> None:
        self.name = trunk.name
        self.limit = trunk.limit
        self.incoming: dict[str, Call] = {}
        self.outgoing: dict[str, Call] = {}

    def room(self) -> int:
        """Return the free channels; below zero when facts brought more calls than there are channels."""
        return self.limit - len(self.incoming) - len(self.outgoing)


class Cause:
    """A campaign and its calls in progress anywhere."""

    __slots__ = ("calls", "limit", "name")

    def __init__(self, campaign: Campaign) -> None:
        self.name = campaign.name
        self.limit = campaign.limit
        self.calls: dict[str, Call] = {}

    def full(self) -> bool:
        """Say whether there is no unit for a call that holds none."""
        return self.limit is not None and len(self.calls) >= self.limit

    def full_but_for(self, call: Call) -> bool:
        """Say whether others hold all units; what the call itself holds is no place taken from it."""
        return self.limit is not None and len(self.calls) - (call.call_id in self.calls) >= self.limit


class Target:
    """A site or a partner with the calls that are there.

    ``places`` holds calls in progress; ``positions`` also those whose person is still wrapping up. A partner's seat is
    both: its calls stand in ``places``, and in ``positions`` until its wrap-up is over.
    """

    __slots__ = (
        "abandoned",
        "abandoned_today",
        "admitted_today",
        "answered",
        "answered_today",
        "blocked_today",
        "capacity",
        "capacity_until",
        "counts_people",
        "decided",
        "excess",
        "leases",
        "limit",
        "name",
        "offered",
        "offered_today",
        "overflow_to",
        "overflowed_today",
        "partner",
        "peak",
        "peak_before",
        "peak_today",
        "places",
        "plan",
        "positions",
        "reserved",
        "roomy",
        "span",
        "spec",
        "uses_positions",
        "waiting_places",
        "wrap_up_us",
    )  # fmt: skip

    def __init__(self, spec: Site | Partner, plan: Plan) -> None:
        self.name = spec.name
        self.places: dict[str, Call] = {}
        self.positions: dict[str, Call] = {}
        self.decided: dict[tuple[str | None, str], int] = {}
        self.excess: dict[str, int] = {}
        self.capacity: int | None = None
        self.capacity_until: int | None = None
        self.overflow_to: str | None = None
        self.offered = self.answered = self.abandoned = 0
        self.offered_today = self.admitted_today = self.overflowed_today = self.blocked_today = 0
        self.answered_today = self.abandoned_today = self.peak_today = self.peak = self.peak_before = 0
        self.follow(spec, plan)

    def follow(self, spec: Site | Partner, plan: Plan) -> None:
        """Take the rules of a plan; calls and counts stay."""
        self.spec = spec
        self.plan = plan
        self.partner = not hasattr(spec, "limit")
        self.limit: int | None = getattr(spec, "seats" if self.partner else "limit")
        self.reserved: int = getattr(spec, "reserved", 0)
        self.waiting_places: int = getattr(spec, "waiting_places", 0)
        self.wrap_up_us = spec.wrap_up_us
        self.roomy: dict[int | None, tuple[Considered, ...]] = {}
        leases = spec.leases
        self.leases = {"WAITING": leases.waiting_us, "TALKING": leases.talking_us, "DIVERTED": leases.diverted_us}
        hours = spec.hours
        figures = (hours.positions, *(window.positions for window in hours.windows))
        self.counts_people = self.partner or self.wrap_up_us > 0 or any(figure is not None for figure in figures)
        self.uses_positions = self.counts_people or self.capacity is not None
        self.span = NEVER

    def span_for(self, at: int) -> Span:
        """Return the span of opening hours that holds ``at``; the last one asked for is kept, for most ask again."""
        span = self.span
        if span.from_at <= at < span.until_at:
            return span
        plan = self.plan
        span = self.span = span_at(self.spec.hours, at, plan.horizon_at, plan.offsets)
        return span

    def staffed(self, span: Span, clock: int) -> int | None:
        """Return positions or seats really there: the window's, or what was said since, until it runs out."""
        until = self.capacity_until
        if until is not None and clock < until:
            return self.capacity
        return span.positions

    def state_capacity(self, capacity: int | None, until: int | None) -> None:
        """Take what was said of the people there, or forget it; where nobody was counted, those here now are."""
        self.capacity, self.capacity_until = capacity, until
        counted = self.counts_people or capacity is not None
        if counted != self.uses_positions:
            self.uses_positions = counted
            self.positions = dict(self.places) if counted else {}

    def refusal(self, at: int, clock: int, call: Call) -> tuple[str | None, int | None]:
        """Return why the call can't be placed here (None: it can) and the free places seen, itself not counted."""
        span = self.span
        if not span[0] <= at < span[1]:
            span = self.span_for(at)
        if not span[2]:
            return "OUT_OF_HOURS", 0
        call_id = call.call_id
        until = self.capacity_until
        staffed = span[3] if until is None or clock >= until else self.capacity
        limit = self.limit
        room: int | None = None
        if self.partner:
            seats = limit if staffed is None else staffed if limit is None else min(limit, staffed)
            if seats is None:
                return None, None
            room = seats - self.reserved - len(self.positions) + (call_id in self.positions)
            return (None if room > 0 else "PARTNER_FULL"), room
        if limit is not None:
            places = self.places
            room = limit - len(places)
            if call.target is self:
                room += call_id in places
            if room <= 0:
                return "SITE_FULL", room
        if staffed is not None:
            free = staffed + self.waiting_places - len(self.positions)
            if call.target is self:
                free += call_id in self.positions
            if free <= 0:
                return "NO_POSITION", free
            if room is None or free < room:
                room = free
        return None, room

    def looked(self, room: int | None) -> tuple[Considered, ...]:
        """Make what a decision says that looked here only and found room; ``roomy`` keeps it for the next time."""
        seen = self.roomy[room] = (Considered(self.name, "ROOM", room),)
        return seen

    def take(self, call: Call) -> None:
        """Put the call here."""
        places = self.places
        places[call.call_id] = call
        if self.uses_positions:
            self.positions[call.call_id] = call
        count = len(places)
        if count > self.peak:
            self.peak = count
            if count > self.peak_today:
                self.peak_today = count

    def over(self, span: Span, clock: int) -> int:
        """Return how many calls or people are here beyond what may be in a span in which the door is open."""
        staffed = self.staffed(span, clock)
        calls = len(self.places) - self.limit if self.limit is not None else 0
        people = len(self.positions) - staffed - self.waiting_places if staffed is not None else 0
        return max(calls, people, 0)

    def count_excess(self, cause: str, count: int) -> None:
        """Add to the units held at or above a limit."""
        if count > 0:
            self.excess[cause] = self.excess.get(cause, 0) + count

    def new_day(self) -> None:
        """Begin the counts of the day again; the calls that are here are its first peak."""
        self.offered_today = self.admitted_today = self.overflowed_today = self.blocked_today = 0
        self.answered_today = self.abandoned_today = 0
        self.new_minute()
        self.peak_today = len(self.places)

    def new_minute(self) -> None:
        """Keep the last minute's peak beside this one's, so that no scrape within a minute misses it."""
        self.peak_before = self.peak
        self.peak = len(self.places)

    def state(self) -> TargetState:
        """Return what must be stored beyond the calls."""
        return TargetState(
            self.name, self.capacity, self.capacity_until, self.overflow_to, self.offered, self.answered,
            self.abandoned,
            tuple(Decided(verdict, reason, n) for (verdict, reason), n in sorted(self.decided.items(), key=repr)),
            tuple(Excess(cause, n) for cause, n in sorted(self.excess.items())),
            self.offered_today, self.admitted_today, self.overflowed_today, self.blocked_today, self.answered_today,
            self.abandoned_today, self.peak_today,
        )  # fmt: skip

    def restore(self, state: TargetState) -> None:
        """Take back what was stored."""
        for name in TargetState._fields[1:]:
            if name not in ("decided", "excess"):
                setattr(self, name, getattr(state, name))
        self.uses_positions = self.counts_people or self.capacity is not None
        self.decided = {(entry.verdict, entry.reason): entry.count for entry in state.decided}
        self.excess = {entry.cause: entry.count for entry in state.excess}

    def site_state(self, network: str, clock: int, *, suspects: int, day: str | None) -> SiteState:
        """Return the state a wallboard shows, at the network's clock."""
        span = self.span_for(clock)
        staffed = self.staffed(span, clock)
        limit, calls = self.limit, len(self.places)
        next_change = span.until_at if span.until_at < self.plan.horizon_at else None
        return SiteState(
            network, self.name, "PARTNER" if self.partner else "SITE", calls,
            None if limit is None else max(limit - self.reserved - calls, 0),
            None if staffed is None else max(staffed - len(self.positions), 0),
            limit, staffed, span.open, next_change, self.overflow_to is not None, self.overflow_to, suspects, day,
            self.offered_today, self.admitted_today, self.overflowed_today, self.blocked_today, self.answered_today,
            self.abandoned_today, self.peak_today, self.plan.version,
        )  # fmt: skip
