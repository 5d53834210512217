"""One network: a deterministic state machine over its log, with five doors.

``apply`` takes the next event and returns what it causes; ``tick`` says that time passed; ``wake_at`` says when a tick
is wanted; ``snapshot`` and ``restore`` carry the state over. Nothing else changes a network, and nothing in it looks
at a clock, draws lots, or depends on the order in which a dict was filled.

Time is data. A live network's clock is the largest append time of its log (the broker's clock); under ``clock: events``
it is the largest ``occurred_at``. A call's own instants come from ``occurred_at``, clamped to bounds round the append
time. Every call has one timer: its lease, the end of its wrap-up, or the end of its memory.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from streams.core import RULES, control, days, endings, facts, hot, questions, storage
from streams.core.calendar import FOREVER
from streams.core.calls import Call, record_of
from streams.core.decisions import Outcome
from streams.core.events import ControlEvent
from streams.core.known import SWITCHES_MAX, Memory, Switch
from streams.core.limits import Cause, Line, Target
from streams.core.plan import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.core.decisions import Output, SiteState
    from streams.core.events import CallEvent
    from streams.core.plan import Plan, Treatment
    from streams.core.state import CallState, HeadState, PartialSnapshot, Snapshot

NOTHING: tuple[Output, ...] = ()
MINUTE_US = 60 * SECOND_US
CLOCK_AHEAD_US = 5 * SECOND_US
"""How far a switch's clock may run ahead of the broker's before it is clamped."""
DEFAULT_LEASES = {"WAITING": 300 * SECOND_US, "TALKING": 4 * 3600 * SECOND_US, "DIVERTED": 600 * SECOND_US}
"""The leases of calls no plan speaks of."""
HARD_LIMIT_US = 3600 * SECOND_US
HANDLERS = facts.HANDLERS


class Network:
    """The state of one network. Read its attributes freely; change it through its doors only."""

    def __init__(self, name: str, memory: Memory) -> None:
        """Make a network nothing is known of yet: without plan, every question is blocked."""
        self.name = name
        self.memory = memory
        self.plan: Plan | None = None
        self.version: str | None = None
        self.rules = RULES
        self.live_clock = True
        self.clock = self.judged_at = 0
        self.remember_us = 6 * 3600 * SECOND_US
        self.calls_max = 100_000
        self.max_ask_age_us = 10 * SECOND_US
        self.clock_back_us = 60 * SECOND_US
        self.ordinal = self.applied = self.repeated = self.late = 0
        self.day: int | None = None
        self.targets: dict[str, Target] = {}
        self.lines: dict[str, Line] = {}
        self.causes: dict[str, Cause] = {}
        self.treatments: dict[str, Treatment] = {}
        self.calls: dict[str, Call] = {}
        self.unasked: dict[str, Call] = {}
        self.suspects: dict[str, Call] = {}
        self.switches: dict[str, Switch] = {}
        self.partials: dict[str, PartialSnapshot] = {}
        self.counts: dict[str, int] = {}
        self.timers: list[tuple[int, int, Call]] = []
        self.memories: deque[tuple[int, Call]] = deque()
        self.next_at = self.change_at = self.minute_at = -FOREVER
        self.out: list[Output] = []
        self.clamped: CallEvent | None = None
        self.changed: dict[str, None] = {}
        self.touched: list[Call] = []
        self.parts = storage.Parts()

    # The doors.

    def apply(self, event: CallEvent | ControlEvent, appended_at: int) -> Sequence[Output]:
        """Take the next event of the log, appended at ``appended_at``, and return what it causes, in order.

        Raises ``Refused`` for a control event that cannot take effect; the network is then as before.
        """
        if isinstance(event, ControlEvent):
            return control.apply(self, event, appended_at)
        occurred_at = event.occurred_at
        if self.live_clock:
            if appended_at > self.clock:
                self.clock = appended_at
            waited_us = event.waited_us
            latest = occurred_at if waited_us is None else occurred_at + waited_us
            if not appended_at - self.clock_back_us <= latest <= appended_at + CLOCK_AHEAD_US:
                occurred_at = self._clamp(event, latest, appended_at)
        elif occurred_at > self.clock:
            self.clock = occurred_at
        if self.clock >= self.next_at:
            self.advance()
        if event.epoch is not None:
            self.see_epoch(event.switch, event.epoch)
        call = self.calls.get(event.call_id)
        if call is None:
            if event.asks and event.type == "OFFERED":
                call = hot.admit(self, event, occurred_at)
                if call is not None:
                    return self._admitted(call, event)
            call = self._meet(event, occurred_at)
            if call is None:
                return self.take_out()
        if HANDLERS[event.type](self, call, event, occurred_at):
            self.applied += 1
            call.seen_at = clock = self.clock
            if event.sequence is not None:
                call.hear(event.switch, event.sequence)
            target = call.target or self.targets.get(call.site)
            lease_us = (target.leases if target is not None else DEFAULT_LEASES).get(call.phase)
            if lease_us is not None:
                call.due_at = clock + lease_us
                if call.timer_at is None or call.due_at < call.timer_at:
                    self._set_timer(call)
                if call.suspect:
                    self._trust(call)
        else:
            self.repeated += 1
            if call.timer_at is None and call.phase != "ENDED":
                self._forget(call)  # its first event said nothing: a call without a lease would stay for ever
        if not call.touched:
            call.touched = True
            self.touched.append(call)
        out = self.out
        if not out:
            return NOTHING
        self.out = []
        return out

    def tick(self, at: int) -> Sequence[Output]:
        """Let time pass until ``at`` (the append time of a live tick, the instant named under ``clock: events``)."""
        if at > self.clock:
            self.clock = at
        if self.clock >= self.next_at:
            self.advance()
        return self.take_out()

    def wake_at(self) -> int | None:
        """Return the earliest instant at which a tick would change a live network, None if there is none."""
        if not self.live_clock:
            return None
        timers = self.timers
        while timers and (timers[0][2].timer_at != timers[0][0] or timers[0][2].due_at > timers[0][0]):
            at, _, call = heappop(timers)
            if call.timer_at == at:
                self._set_timer(call)
        due = timers[0][0] if timers else FOREVER  # memories may end whenever the next event comes
        due = min(due, self.change_at) if self.plan is not None else due
        return due if due < FOREVER else None

    def snapshot(self, *, everything: bool = False) -> Snapshot:
        """Return the parts of the state that changed since the last snapshot, or everything."""
        return storage.snapshot(self, everything=everything)

    @classmethod
    def restore(cls, head: HeadState, plan: Plan | None, calls: Sequence[CallState], memory: Memory) -> Network:
        """Return the network that a whole snapshot was taken of."""
        network = cls(head.network, memory)
        storage.restore(network, head, plan, calls)
        return network

    # What shells show.

    def changed_sites(self) -> list[str]:
        """Return the names of sites and partners whose state may have changed since this was last asked."""
        names = list(self.changed)
        self.changed.clear()
        return names

    def site_state(self, name: str) -> SiteState | None:
        """Return the state of a site or partner; None if it is no longer in the plan."""
        target = self.targets.get(name)
        if target is None:
            return None
        count = sum(call.target is target for call in self.suspects.values())
        day = None if self.day is None else days.date(self.day)
        return target.site_state(self.name, self.clock, suspects=count, day=day)

    def undecided(self) -> int:
        """Return how many calls are in progress that nobody asked about."""
        return len(self.unasked)

    # What the rules use.

    def take_out(self) -> Sequence[Output]:
        """Return the outputs gathered and begin anew."""
        out = self.out
        if not out:
            return NOTHING
        self.out = []
        return out

    def count(self, name: str, count: int = 1) -> None:
        """Add to a named count."""
        self.counts[name] = self.counts.get(name, 0) + count

    def renew(self, call: Call) -> None:
        """Begin the lease of the call's state anew; whoever speaks of it again is no longer suspect."""
        target = call.target or self.targets.get(call.site)
        self.wait_for(call, self.clock + (target.leases if target is not None else DEFAULT_LEASES)[call.phase])
        if call.suspect:
            self._trust(call)

    def hard_limit_us(self, call: Call) -> int:
        """Return how long a suspect call keeps its seat."""
        target = call.target or self.targets.get(call.site)
        return HARD_LIMIT_US if target is None else target.spec.leases.hard_limit_us

    def touch(self, call: Call) -> None:
        """Note that the call changed, for the next snapshot."""
        if not call.touched:
            call.touched = True
            self.touched.append(call)

    def remember(self, call: Call) -> None:
        """Begin the memory of a call that is over. All memories last equally long, so they end in their own order."""
        call.phase = "ENDED"
        call.due_at = due = self.clock + self.remember_us
        call.timer_at = None
        self.memories.append((due, call))
        if due < self.next_at:
            self.next_at = due

    def wait_for(self, call: Call, at: int) -> None:
        """Set the call's timer to ``at``."""
        call.due_at = at
        if call.timer_at is None or at < call.timer_at:
            self._set_timer(call)

    def switch_of(self, name: str) -> Switch:
        """Return what is known of a switch; of one too many nothing is remembered."""
        switch = self.switches.get(name)
        if switch is None:
            switch = Switch()
            if len(self.switches) < SWITCHES_MAX:
                self.switches[name] = switch
        return switch

    def see_epoch(self, name: str, epoch: int, *, started: bool = False) -> None:
        """Note the epoch of a switch. A newer one says that the calls of the older are over; so does a first start."""
        switch = self.switch_of(name)
        known = switch.epoch
        if known is None or epoch > known:
            switch.epoch = epoch
            if known is not None or started:
                control.lose_calls(self, name, epoch)

    def record(self, call: Call) -> None:
        """Emit the call's record in its next version."""
        if not self.memory.records:
            call.version += 1
            return
        site = self.targets.get(call.site)
        level = site.spec.service_level if site is not None else None
        self.out.append(record_of(self.name, call, level.short_abandon_us if level is not None else None))

    def advance(self) -> None:
        """Let everything happen that is due by the clock: timers in the order of (due, ordinal), then calendars."""
        clock, timers, memories = self.clock, self.timers, self.memories
        while memories and memories[0][0] <= clock:
            self._forget(memories.popleft()[1])
        while timers and timers[0][0] <= clock:
            due, _, call = heappop(timers)
            if call.timer_at != due:
                continue  # the call is over, or an earlier timer has taken this one's place
            call.timer_at = None
            if call.due_at > due:
                self._set_timer(call)
            else:
                endings.expire(self, call)
        if clock >= self.change_at:
            days.turn(self)
        if clock >= self.minute_at:
            self.minute_at = clock - clock % MINUTE_US + MINUTE_US
            for target in self.targets.values():
                target.new_minute()
        self.next_at = min(
            self.minute_at,
            self.change_at,
            timers[0][0] if timers else FOREVER,
            memories[0][0] if memories else FOREVER,
        )

    def _clamp(self, event: CallEvent, latest: int, appended_at: int) -> int:
        """Bring a wrong clock's instant into bounds, what the event waited at the edge taken off again."""
        self.switch_of(event.switch).clamped += 1
        self.clamped = event
        bound = appended_at - self.clock_back_us if latest < appended_at else appended_at + CLOCK_AHEAD_US
        return max(bound - (event.waited_us or 0), 0)

    def _admitted(self, call: Call, event: CallEvent) -> Sequence[Output]:
        """Do for a call that took the short way what `apply` does for any other."""
        self.applied += 1
        call.seen_at = clock = self.clock
        if event.sequence is not None:
            call.sequence = event.sequence
        call.due_at = call.timer_at = due = clock + call.target.leases["WAITING"]  # type: ignore[union-attr]
        heappush(self.timers, (due, call.ordinal, call))
        if due < self.next_at:
            self.next_at = due
        call.touched = True
        self.touched.append(call)
        out = self.out
        self.out = []
        return out

    def can_remember(self) -> bool:
        """Say whether there is room for one call more."""
        memory = self.memory
        return len(self.calls) < self.calls_max and memory.known < memory.calls_max

    def _meet(self, event: CallEvent, at: int) -> Call | None:
        """Make a call of the first event about it; None if it is late, or if there is no room to remember it."""
        if self.clock - at > self.remember_us:
            self.late += 1
            call = Call(event.call_id, 0, event.site, event.switch, self.version)
            call.learn(event)
            if event.type == "OFFERED":
                call.offered_at = at
            call.outcome = Outcome.LATE_EVENT
            self.record(call)
            return None
        if not self.can_remember():
            questions.refuse(self, event, at)
            return None
        self.ordinal += 1
        self.memory.known += 1
        call_id, epoch = event.call_id, event.epoch
        call = self.calls[call_id] = Call(call_id, self.ordinal, event.site, event.switch, self.version)
        if event[11:21] != hot.UNSAID:
            call.learn(event)
        if epoch is not None:
            call.epoch = epoch
            known = self.switch_of(event.switch).epoch
            if known is not None and epoch < known:
                call.outcome = Outcome.LOST_BY_RESTART
                call.ended_at = at
                call.end_estimated = call.tombstone = True
                self.remember(call)
                return call
        if not event.asks:
            self.unasked[call_id] = call
        return call

    def _forget(self, call: Call) -> None:
        """Drop a call whose memory has run out."""
        del self.calls[call.call_id]
        self.unasked.pop(call.call_id, None)
        self.memory.known -= 1
        self.touch(call)

    def _trust(self, call: Call) -> None:
        """A suspect was heard of again."""
        call.suspect = False
        self.suspects.pop(call.call_id, None)
        if call.target is not None:
            self.changed[call.target.name] = None

    def _set_timer(self, call: Call) -> None:
        """Put the call's timer where it belongs; an earlier one is found out of date when it runs out."""
        call.timer_at = call.due_at
        heappush(self.timers, (call.due_at, call.ordinal, call))
        if call.due_at < self.next_at:
            self.next_at = call.due_at

    def set_timers(self) -> None:
        """Set the timers of all calls anew (after a restore, or when memories last longer or shorter)."""
        over = [call for call in self.calls.values() if call.phase == "ENDED"]
        alive = [call for call in self.calls.values() if call.phase != "ENDED"]
        for call in alive:
            call.timer_at = call.due_at
        self.timers = [(call.due_at, call.ordinal, call) for call in alive]
        heapify(self.timers)
        self.memories = deque(
            (call.due_at, call) for call in sorted(over, key=lambda call: (call.due_at, call.ordinal))
        )
        self.next_at = -FOREVER
