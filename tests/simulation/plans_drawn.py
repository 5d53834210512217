"""Plans drawn from a seed: sites, partners, hours, trunks, campaigns, everything small enough to be full."""

import random
from typing import Any

from streams.core.plan import Hours, Leases, Plan
from tests.core.clock import SECOND_US
from tests.core.plans_of_tests import ALWAYS, BUSY, VOICEMAIL, a_partner, a_plan, a_site, positions, route, windows

MINUTE_US = 60 * SECOND_US


def drawn_hours(lots: random.Random, start_at: int) -> Hours:
    """Always open, with or without people; or open in some windows."""
    kind = lots.randrange(3)
    if kind == 0:
        return ALWAYS
    if kind == 1:
        return positions(lots.randrange(1, 5))
    spans, at = [], start_at - 10 * MINUTE_US
    for _ in range(6):
        opens = at + lots.randrange(3) * 5 * MINUTE_US
        at = opens + lots.choice([7, 20, 45]) * MINUTE_US
        spans.append((opens, at, lots.choice([None, 1, 3, 6])))
    return windows(*spans)


def drawn_plan(lots: random.Random, start_at: int, clock: str, version: str) -> Plan:
    """A plan that lasts two hours, mostly."""
    leases = Leases(*(lots.choice([120, 240]) * SECOND_US for _ in range(3)), 300 * SECOND_US)
    sites = ["S", "T"][: lots.choice([1, 2, 2])]
    partners = ["P", "Q", "R"][: lots.randrange(4)]
    trunks = {"t2": lots.choice([4, 9, 20]), "out": lots.choice([1, 3, 9])} if lots.random() < 0.7 else {}
    campaigns = {"k": lots.choice([2, 5, None])} if lots.random() < 0.6 else {}
    targets: list[Any] = []
    for name in sites:
        chain = lots.sample(
            [*partners, *(other for other in sites if other != name)], k=lots.randrange(len(partners) + 1)
        )
        targets.append(
            a_site(
                name,
                lots.choice([1, 2, 4, None]),
                waiting_places=lots.choice([0, 0, 2]),
                wrap_up_us=lots.choice([0, 0, 15]) * SECOND_US,
                hours=drawn_hours(lots, start_at),
                leases=leases,
                overflow=tuple(chain),
                otherwise=lots.choice(["busy", "voicemail"]),
                priority_from=lots.choice([None, 5]),
                priority_places=lots.randrange(3),
            )
        )
    for name in partners:
        seats = lots.choice([1, 3, 8, None])
        targets.append(
            a_partner(
                name,
                seats,
                reserved=0 if seats is None else lots.choice([0, 0, 1]),
                wrap_up_us=lots.choice([0, 10]) * SECOND_US,
                hours=drawn_hours(lots, start_at),
                leases=leases,
                route=route(lots.choice(["TRANSFER", "TRANSFER", "REDIRECT", "CARRIER"]), lots.choice([None, "out"])),
            )
        )
    if not partners:
        targets.append(a_partner("P", leases=leases))
    return a_plan(
        *targets,
        clock=clock,
        version=version,
        trunks=trunks,
        campaigns=campaigns,
        treatments=lots.choice([(BUSY, VOICEMAIL), (VOICEMAIL, BUSY)]),
        fallback=tuple(partners[:1]),
        calls_max=lots.choice([25, 5000, 5000, 5000]),
        remember_us=lots.choice([10, 360]) * MINUTE_US,
        horizon_at=start_at + lots.choice([20, 700, 700]) * MINUTE_US,
    )
