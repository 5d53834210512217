"""How the events of a campaign reach the log: most at once, some late, some twice, some overtaken by others.

When something occurred stays true; only when it is handed over is disturbed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from streams.core.events import CallEvent, ControlEvent, Event, Tick
from streams.simulate.media import SECOND_US

USUAL_DELAY_S = (0.005, 0.08)
LATE, LATE_MEAN_S, LATE_MOST_S = 0.04, 4.0, 40.0
# No switch reports that a call is over before it has asked where the call goes; nobody gives up within a second.
QUESTION_LATE, QUESTION_LATE_MOST_S = 0.01, 0.9
TWICE, TWICE_WITHIN_S = 0.015, 20.0


class Handed(NamedTuple):
    """One event and when it was handed over."""

    handed_at: int
    event: Event


def feed(rng: random.Random, events: Sequence[Event]) -> list[Handed]:
    """Return the events as they are handed over, in that order; doubled ones stand there twice."""
    handed: list[Handed] = []
    for event in events:
        assert event.occurred_at is not None, "every simulated event says when it occurred"
        if isinstance(event, ControlEvent) and isinstance(event.body, Tick):
            handed.append(Handed(event.occurred_at, event))
            continue
        handed.append(Handed(event.occurred_at + int(_delay_s(rng, event) * SECOND_US), event))
        if rng.random() < TWICE:
            handed.append(Handed(handed[-1].handed_at + int(rng.uniform(0, TWICE_WITHIN_S) * SECOND_US), event))
    return sorted(handed, key=lambda each: each.handed_at)


def _delay_s(rng: random.Random, event: Event) -> float:
    """Return how long after its occurrence an event is handed over."""
    if isinstance(event, CallEvent) and event.asks:
        late = rng.random() < QUESTION_LATE
        return rng.uniform(*USUAL_DELAY_S) + (rng.uniform(0, QUESTION_LATE_MOST_S) if late else 0.0)
    late = rng.random() < LATE
    return rng.uniform(*USUAL_DELAY_S) + (min(rng.expovariate(1 / LATE_MEAN_S), LATE_MOST_S) if late else 0.0)
