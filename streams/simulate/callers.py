"""The callers: when they call after a spot, how long they wait and talk, who gives up and who calls again.

What becomes of a call does not depend on where it goes: somebody answers it everywhere. So the calls in progress at
any instant are the same whatever is decided, and anyone can recount them.
"""

from __future__ import annotations

import math
import random
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace

from streams.simulate.media import DAY_US, DAYS, ENDS_AT, HOUR_US, SECOND_US, STARTS_AT, Spot

# Response to a spot: first the number has to be read and dialled, then it decays; after half an hour it is over.
DIAL_S = (6.0, 25.0)
RESPONSE_MEAN_S = 240.0
RESPONSE_MOST_S = 1_800.0
# Calls that no spot brought, per day, at these hours.
BASELINE_PER_DAY = 14
BASELINE_HOURS = (8, 22)
# Handling takes 200 s on average: the conversation, then 20 s of wrap-up.
TALK_MEAN_S, TALK_SPREAD = 180.0, 0.55
WRAP_UP_S = (8.0, 32.0, 20.0)
RINGING_S = (0.3, 1.5)
ANSWER_MEDIAN_S, ANSWER_SPREAD = 6.0, 0.6
PATIENCE_MEAN_S = 62.0
# Who gave up often tries again soon; a few who were served call once more (a wrong amount, a lost address).
AGAIN_AFTER_ABANDON, AGAIN_WITHIN_S = 0.65, (15.0, 240.0)
AGAIN_AFTER_ANSWER, AGAIN_LATER_S = 0.015, (300.0, 2_400.0)
TRIES_MOST = 4
WITHHELD = 0.12
AGENT_ENDS = 0.3
CALLER_KEY = "p1"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``answered_at`` is None if its caller gave up; ``again`` marks a redial; ``spot`` is what brought it."""

    caller: str | None
    offered_at: int
    ringing_at: int
    answered_at: int | None
    ended_at: int
    wrapped_up_at: int | None
    ended_by: str
    spot: str | None
    again: bool = False


def calls_of(rng: random.Random, spots: tuple[Spot, ...]) -> tuple[Call, ...]:
    """Draw every call of the campaign, in the order in which they are offered."""
    firsts: list[tuple[int, str | None]] = [
        (spot.aired_at + _us(delay_s), spot.name) for spot in spots for delay_s in _responses_s(rng, spot.callers)
    ]
    firsts += [(_baseline_at(rng, day), None) for day in range(DAYS) for _ in range(BASELINE_PER_DAY)]
    calls: list[Call] = []
    for offered_at, spot in sorted(firsts, key=lambda first: first[0]):
        calls += _tries(rng, offered_at, spot)
    return tuple(sorted((call for call in calls if call.offered_at < ENDS_AT), key=lambda call: call.offered_at))


def _tries(rng: random.Random, offered_at: int, spot: str | None) -> list[Call]:
    """Draw one caller's first call and what redials follow."""
    caller = None if rng.random() < WITHHELD else _pseudonym(rng)
    tries = [_call(rng, caller, offered_at, spot)]
    while len(tries) < TRIES_MOST:
        last = tries[-1]
        gave_up = last.answered_at is None
        if rng.random() >= (AGAIN_AFTER_ABANDON if gave_up else AGAIN_AFTER_ANSWER):
            break
        pause = rng.uniform(*(AGAIN_WITHIN_S if gave_up else AGAIN_LATER_S))
        tries.append(replace(_call(rng, caller, last.ended_at + _us(pause), spot), again=True))
    return tries


def _call(rng: random.Random, caller: str | None, offered_at: int, spot: str | None) -> Call:
    """Draw one call's life."""
    ringing_at = offered_at + _us(rng.uniform(*RINGING_S))
    answer_at = ringing_at + _us(ANSWER_MEDIAN_S * rng.lognormvariate(0, ANSWER_SPREAD))
    gives_up_at = offered_at + _us(1.0 + rng.expovariate(1 / PATIENCE_MEAN_S))
    talk_s = rng.lognormvariate(math.log(TALK_MEAN_S) - TALK_SPREAD**2 / 2, TALK_SPREAD)
    wrap_up_s = rng.triangular(*WRAP_UP_S)
    ended_by = "AGENT" if rng.random() < AGENT_ENDS else "CALLER"
    if gives_up_at <= answer_at:
        return Call(caller, offered_at, ringing_at, None, gives_up_at, None, "CALLER", spot)
    ended_at = answer_at + _us(max(talk_s, 5.0))
    return Call(caller, offered_at, ringing_at, answer_at, ended_at, ended_at + _us(wrap_up_s), ended_by, spot)


def _responses_s(rng: random.Random, callers: int) -> list[float]:
    """Return how long after the airing of its spot each of its callers calls.

    An audience is large, so the share of it that has called after a minute hardly varies from spot to spot: each
    caller takes one of as many equal shares of the distribution.
    """
    over = 1 - math.exp(-RESPONSE_MOST_S / RESPONSE_MEAN_S)
    shares = [(n + rng.random()) / callers * over for n in range(callers)]
    return [rng.uniform(*DIAL_S) - RESPONSE_MEAN_S * math.log1p(-share) for share in shares]


def _baseline_at(rng: random.Random, day: int) -> int:
    """Return an instant of a day at which somebody calls without having seen a spot."""
    first, last = BASELINE_HOURS
    return STARTS_AT + day * DAY_US + first * HOUR_US + int(rng.random() * (last - first) * HOUR_US)


def _pseudonym(rng: random.Random) -> str:
    """Return a caller's pseudonym as the edge would make it: the key's id and 22 characters that tell nothing."""
    return f"{CALLER_KEY}:{urlsafe_b64encode(rng.randbytes(16)).rstrip(b'=').decode()}"


def _us(seconds: float) -> int:
    return int(seconds * SECOND_US)
