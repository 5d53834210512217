"""The auditor's books: which calls there are and what they hold, kept in the plainest way. Imports nothing of ours.

Every figure is counted anew by looking at every call, whenever it is wanted. Plans are dictionaries.
"""

from dataclasses import dataclass, field
from typing import Any

DAY_US = 86_400_000_000
NEVER = 1 << 62
DEFAULT_LEASES = {
    "waiting_us": 300_000_000,
    "talking_us": 4 * 3600 * 1_000_000,
    "diverted_us": 600_000_000,
    "hard_limit_us": 3600 * 1_000_000,
}
Plan = dict[str, Any]


@dataclass
class Line:
    """One call, as the auditor knows it. `place` is where it is; `over_at` the network's clock when it was over.

    `done_at` is the clock when the person who had it was free again too; from there on the call is only remembered.
    """

    call_id: str
    site: str
    switch: str
    epoch: int | None
    trunk: str | None = None
    campaign: str | None = None
    priority: int | None = None
    asked: int = 0
    attempt: dict[str, Any] | None = None
    returned: list[str] = field(default_factory=list)
    place: str | None = None
    claimed_at: int | None = None
    incoming: bool = False
    outgoing: str | None = None
    offered_at: int | None = None
    queued_at: int | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    hold_seen_at: int | None = None
    resumed_at: int | None = None
    held: bool = False
    diverted: bool = False
    wrapped_up: bool = False
    tombstone: bool = False
    suspect: bool = False
    seen_at: int | None = None
    due_at: int | None = None
    over_at: int | None = None
    people_until: int | None = None
    done_at: int | None = None
    versions: int = 0

    @property
    def phase(self) -> str:
        """The lease the call lives under."""
        return "diverted_us" if self.diverted else "talking_us" if self.answered_at is not None else "waiting_us"


class Books:
    """All calls of one network and the plan they live under."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.clock = 0
        self.calls: dict[str, Line] = {}
        self.epochs: dict[str, int | None] = {}
        self.capacity: dict[str, tuple[int, int]] = {}
        self.peaks: dict[str, int] = {}
        self.day: int | None = None

    # The plan.

    def targets(self) -> dict[str, dict[str, Any]]:
        if self.plan is None:
            return {}
        return {spec["name"]: spec for spec in (*self.plan["sites"], *self.plan["partners"])}

    def is_partner(self, name: str) -> bool:
        return self.plan is not None and name in [spec["name"] for spec in self.plan["partners"]]

    def limits(self, kind: str) -> dict[str, int | None]:
        return {} if self.plan is None else {spec["name"]: spec["limit"] for spec in self.plan[kind]}

    def treatment(self, name: str) -> dict[str, Any] | None:
        found = [] if self.plan is None else [each for each in self.plan["treatments"] if each["name"] == name]
        return found[0] if found else None

    def window(self, name: str, at: int) -> tuple[bool, int | None, int]:
        """Whether the target is open, with how many people, and until when; past the horizon nothing is."""
        hours = self.targets()[name]["hours"]
        if hours["always"]:
            return True, hours["positions"], NEVER
        horizon = self.plan["horizon_at"] if self.plan else 0
        edges = [edge for window in hours["windows"] for edge in (window["opens_at"], window["closes_at"])]
        until = min([edge for edge in [*edges, horizon] if at < edge <= horizon], default=NEVER)
        for window in hours["windows"]:
            if window["opens_at"] <= at < window["closes_at"] and at < horizon:
                return True, window["positions"], until
        return False, 0, until

    # Who holds what.

    def alive(self) -> list[Line]:
        return [call for call in self.calls.values() if call.over_at is None]

    def places(self, name: str, but: Line | None = None) -> int:
        return sum(call.place == name and call is not but for call in self.alive())

    def people(self, name: str, but: Line | None = None) -> int:
        wrapping = [
            call
            for call in self.calls.values()
            if call.over_at is not None and call.place == name and (call.people_until or 0) > self.clock
        ]
        return self.places(name, but) + sum(call is not but for call in wrapping)

    def channels(self, trunk: str, but: Line | None = None) -> int:
        coming = sum(call.incoming and call.trunk == trunk and call is not but for call in self.alive())
        return coming + sum(call.outgoing == trunk and call is not but for call in self.alive())

    def units(self, campaign: str, but: Line | None = None) -> int:
        return sum(c.place is not None and c.campaign == campaign and c is not but for c in self.alive())

    def free(self, name: str, at: int, but: Line | None = None) -> tuple[str, int | None]:
        """Why a call could not go there (ROOM: it could) and the room it would see."""
        spec = self.targets()[name]
        is_open, people, _ = self.window(name, at)
        if not is_open:
            return "OUT_OF_HOURS", 0
        capacity, until = self.capacity.get(name, (0, 0))
        staffed = capacity if self.clock < until else people
        if self.is_partner(name):
            bounds = [bound for bound in (spec["seats"], staffed) if bound is not None]
            if not bounds:
                return "ROOM", None
            room = min(bounds) - spec["reserved"] - self.people(name, but)
            return ("ROOM" if room > 0 else "PARTNER_FULL"), room
        rooms = []
        if spec["limit"] is not None:
            rooms.append(spec["limit"] - self.places(name, but))
            if rooms[0] <= 0:
                return "SITE_FULL", rooms[0]
        if staffed is not None:
            rooms.append(staffed + spec["waiting_places"] - self.people(name, but))
            if rooms[-1] <= 0:
                return "NO_POSITION", rooms[-1]
        return "ROOM", min(rooms, default=None)

    def way_out(self, call: Line, name: str) -> str | None:
        """The trunk on which the call needs a second channel to get there."""
        route = self.targets()[name]["route"]
        trunk = route["trunk"] or call.trunk
        return trunk if name != call.site and route["by"] == "TRANSFER" and trunk in self.limits("trunks") else None

    # What calls do.

    def sit(self, call: Line, name: str) -> None:
        """Put the call there, with its channel out."""
        call.place = name
        call.outgoing = self.way_out(call, name)
        self.peaks[name] = max(self.peaks.get(name, 0), self.places(name))

    def leave(self, call: Line) -> None:
        call.place = call.outgoing = None

    def come_in(self, call: Line) -> None:
        """Take the channel on which the call came in, if the plan knows the trunk."""
        call.incoming = call.incoming or call.trunk in self.limits("trunks")

    def treat(self, call: Line, treatment: str | None) -> None:
        """Give a treatment; only one that holds the line keeps the channel."""
        found = self.treatment(treatment) if treatment else None
        if found is not None and found["holds_line"]:
            self.come_in(call)
        else:
            call.incoming = False

    def over(self, call: Line) -> None:
        """The call is over; whoever talked to it may have to wrap up."""
        call.over_at = call.people_until = self.clock
        call.incoming, call.outgoing, call.suspect = False, None, False
        spec = self.targets().get(call.place or "")
        if call.answered_at is not None and spec and spec["wrap_up_us"] and not call.wrapped_up:
            call.people_until = self.clock + spec["wrap_up_us"]
        else:
            call.done_at = self.clock

    def leases(self, call: Line) -> dict[str, int]:
        spec = self.targets().get(call.place or "") or self.targets().get(call.site)
        return spec["leases"] if spec else DEFAULT_LEASES

    def renew(self, call: Line) -> None:
        """The call was heard of."""
        call.suspect = False
        call.due_at = self.clock + self.leases(call)[call.phase]

    def pass_time(self) -> None:
        """Let all happen that is due by the clock: memories, wrap-ups, leases, then midnight (UTC)."""
        remember_us = self.plan["remember_us"] if self.plan else 6 * 3600 * 1_000_000
        for call in list(self.calls.values()):
            if call.done_at is not None and self.clock >= call.done_at + remember_us:
                del self.calls[call.call_id]
            elif call.over_at is not None:
                if call.done_at is None and self.clock >= (call.people_until or 0):
                    call.done_at = self.clock
            elif call.due_at is not None and self.clock >= call.due_at:
                if call.diverted or call.suspect:
                    self.over(call)
                else:
                    call.suspect = True
                    call.due_at = self.clock + self.leases(call)["hard_limit_us"]
        day = self.clock // DAY_US
        if self.day is not None and day != self.day:
            self.peaks = {name: self.places(name) for name in self.targets()}
        self.day = day
