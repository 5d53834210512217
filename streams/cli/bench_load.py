"""What `bench` sends, and a recount of what must come back.

Every network is one site with a limit, offered a little less than the limit on average, so that now and then it
overflows. Calls last an exponential time; four in five are answered. The recount is a set of calls per network and a
comparison of its size with the limit: it imports nothing of the core's rules.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush

from streams.core import RULES
from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.plans import compile_plan, version_of

LIMIT = 15
ERLANGS = 14.0
HOLDING_S = 180.0
ANSWERED = 0.8
RINGS_MOST_S = 20.0
FIRST_AT = 1_762_000_000_000_000
SITE, PARTNER = "site", "elsewhere"

_PLAN = f"""
network: bench
zone: UTC
clock: %s
sites:
  {SITE}: {{limit: {LIMIT}, hours: always, overflow: [{PARTNER}]}}
partners:
  {PARTNER}: {{route: {{by: transfer}}}}
"""

Answer = tuple[str, int]
"""A verdict, and the calls in progress at the site before it."""


def plans(networks: int, *, clock: str) -> Iterator[ControlEvent]:
    """Yield what puts each network's plan in force; ``clock`` is live or events."""
    plan = compile_plan(_PLAN % clock, from_at=FIRST_AT)
    for number in range(networks):
        named = replace(plan, network=network(number))
        named = replace(named, version=version_of(named))
        yield ControlEvent(named.network, FIRST_AT, PlanApplied(named, RULES))


def network(number: int) -> str:
    """Return a network's name."""
    return f"bench-{number:04d}"


def events(networks: int, count: int, *, seed: int = 1) -> list[CallEvent]:
    """Draw ``count`` call events in the order of their times, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 -- the same calls again and again are what is wanted
    gap = ERLANGS / HOLDING_S
    soon = [(draw.expovariate(gap), number, "", "OFFERED", network(number)) for number in range(networks)]
    heapify(soon)
    turn, calls = networks, 0
    drawn: list[CallEvent] = []
    while len(drawn) < count:
        at, _, call, kind, name = heappop(soon)
        if kind == "OFFERED":
            call = f"pbx/{calls:09d}"
            calls += 1
            lasts = draw.expovariate(1 / HOLDING_S)
            if draw.random() < ANSWERED:
                rings = min(lasts, RINGS_MOST_S) * draw.random()
                heappush(soon, (at + rings, turn, call, "ANSWERED", name))
            heappush(soon, (at + lasts, turn + 1, call, "ENDED", name))
            heappush(soon, (at + draw.expovariate(gap), turn + 2, "", "OFFERED", name))
            turn += 3
        occurred_at = FIRST_AT + int(at * 1_000_000)
        drawn.append(CallEvent(name, SITE, call, kind, occurred_at, "pbx", asks=kind == "OFFERED"))
    return drawn


def recount(sent: Iterable[CallEvent]) -> dict[str, Answer]:
    """Return the answer that each call must get, by its id."""
    here: dict[str, set[str]] = {}
    answers: dict[str, Answer] = {}
    for event in sent:
        calls = here.setdefault(event.network, set())
        if event.type == "OFFERED":
            answers[event.call_id] = "ADMIT" if len(calls) < LIMIT else "OVERFLOW", len(calls)
            if len(calls) < LIMIT:
                calls.add(event.call_id)
        elif event.type == "ENDED":
            calls.discard(event.call_id)
    return answers


def faults(expected: dict[str, Answer], given: Iterable[tuple[str, Answer]]) -> list[str]:
    """Return a sentence for each way in which the answers given differ from those expected."""
    seen: set[str] = set()
    twice = wrong = 0
    for call_id, answer in given:
        twice += call_id in seen
        seen.add(call_id)
        wrong += answer != expected.get(call_id)
    missing = len(expected.keys() - seen)
    told = ((missing, "missing"), (twice, "given twice"), (wrong, "not what a recount says"))
    return [f"{number} decisions are {what}" for number, what in told if number]
