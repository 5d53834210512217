"""The campaign of November 2025 as the events that a switch, a media agency and a clock would report.

The same seed gives the same campaign, byte for byte. The structure makes the peak; which seed gives which peak is
found by counting.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from streams.core.events import CallEvent, CallEventType, ControlEvent, Event, SpotAired, SpotPlanned, Tick
from streams.simulate.callers import Call, calls_of
from streams.simulate.media import DAY_US, ENDS_AT, HOUR_US, MINUTE_US, SPOT_US, STARTS_AT, Spot, media_plan

DEFAULT_SEED = 18

# A quiet network's clock moves at each quarter of an hour, where windows open and close; a busy one's each minute.
QUIET_TICK_US = 15 * MINUTE_US
BUSY_TICK_US = MINUTE_US
# The switch was last started on the Saturday before, at night.
SWITCH_STARTED_AT = STARTS_AT - DAY_US - 20 * HOUR_US
NORMAL_CLEARING = 16


@dataclass(frozen=True, slots=True)
class Names:
    """What the events call the network, its site and what the callers dialled; the defaults are those of the plan."""

    network: str = "msf"
    site: str = "msf"
    switch: str = "pabx"
    trunk: str = "t2"
    campaign: str = "un-franc-par-jour"
    dialled: str = "3250"


@dataclass(frozen=True, slots=True)
class Campaign:
    """One drawn campaign: its spots and its calls (numbered from 1 in the order of ``calls``)."""

    names: Names
    spots: tuple[Spot, ...]
    calls: tuple[Call, ...]

    def call_id(self, index: int) -> str:
        """Return the id of the call at ``index``."""
        return f"{self.names.switch}/{index + 1}"

    def events(self) -> list[Event]:
        """Return everything that happened, in the order in which it happened."""
        timed = _numbered([event for index, call in enumerate(self.calls) for event in self._life(index, call)])
        timed += [event for spot in self.spots for event in _airing(self.names, spot)]
        timed += [ControlEvent(self.names.network, at, Tick()) for at in self._tick_instants()]
        return sorted(timed, key=_when)

    def _life(self, index: int, call: Call) -> list[CallEvent]:
        """Return one call's events; where it is answered they do not say."""
        names = self.names
        offered = CallEvent(
            network=names.network,
            site=names.site,
            call_id=self.call_id(index),
            type=CallEventType.OFFERED,
            occurred_at=call.offered_at,
            switch=names.switch,
            asks=True,
            epoch=SWITCH_STARTED_AT,
            trunk=names.trunk,
            campaign=names.campaign,
            dialled=names.dialled,
            caller=call.caller,
        )
        life = [offered]
        ends_at = call.ended_at
        # What an event says of the call besides the question is only what the switch still knows at that instant.
        fact = offered._replace(asks=False, trunk=None, campaign=None, dialled=None, caller=None)
        if call.ringing_at < ends_at:
            life.append(fact._replace(type=CallEventType.RINGING, occurred_at=call.ringing_at))
        if call.answered_at is not None:
            life.append(fact._replace(type=CallEventType.ANSWERED, occurred_at=call.answered_at))
        life.append(
            fact._replace(type=CallEventType.ENDED, occurred_at=ends_at, ended_by=call.ended_by, cause=NORMAL_CLEARING)
        )
        if call.wrapped_up_at is not None:
            life.append(fact._replace(type=CallEventType.WRAPPED_UP, occurred_at=call.wrapped_up_at))
        return life

    def _tick_instants(self) -> list[int]:
        """Return the instants at which the clock is moved: each quarter of an hour, each minute while calls last."""
        busy = {
            minute
            for call in self.calls
            for minute in range(
                call.offered_at // BUSY_TICK_US + 1, (call.wrapped_up_at or call.ended_at) // BUSY_TICK_US + 2
            )
        }
        quiet = range(STARTS_AT, ENDS_AT + 1, QUIET_TICK_US)
        return sorted({minute * BUSY_TICK_US for minute in busy}.union(quiet))


def draw_campaign(seed: int = DEFAULT_SEED, names: Names | None = None) -> Campaign:
    """Draw the campaign of a seed."""
    rng = random.Random(seed)
    spots = media_plan(rng)
    return Campaign(names or Names(), spots, calls_of(rng, spots))


def _airing(names: Names, spot: Spot) -> list[Event]:
    """Return the booking of a spot, known from the first day on, and its airing."""
    planned = SpotPlanned(spot.name, spot.channel, spot.planned_at, SPOT_US, names.dialled)
    aired = SpotAired(spot.name, spot.channel, spot.aired_at, SPOT_US, names.dialled)
    # The channel reports an airing when it is over.
    return [
        ControlEvent(names.network, STARTS_AT, planned),
        ControlEvent(names.network, spot.aired_at + SPOT_US, aired),
    ]


def _numbered(events: list[CallEvent]) -> list[Event]:
    """Number a switch's events in the order in which they happened, as the switch itself does."""
    ordered = sorted(events, key=_when)
    return [event._replace(sequence=number) for number, event in enumerate(ordered, start=1)]


def _when(event: Event) -> int:
    """Return an event's own instant."""
    assert event.occurred_at is not None, "every simulated event says when it occurred"
    return event.occurred_at
