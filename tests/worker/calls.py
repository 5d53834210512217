"""Small random logs of two networks: questions, facts, endings, refused records, unknown schema ids, holes."""

import dataclasses
import random

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.plans import compile_plan
from streams.wire.contract import CONTRACT
from streams.wire.encoders import encoder
from streams.wire.framing import FramingWriter

FRAMING = FramingWriter()
REGISTRY_ID = 7
IDS = {REGISTRY_ID: CONTRACT.newest("CallEvent").fingerprint}


def one_site_plan(root, network, limit=3):
    plan = compile_plan(root / "deploy" / "plans" / "one-site.yaml", from_at=None)
    site = dataclasses.replace(plan.sites[0], limit=limit)
    return dataclasses.replace(plan, network=network, sites=(site,))


def value_of(event, registry_id=None):
    name = type(event).__name__
    prefix = FRAMING.prefix(name) if registry_id is None else b"\0" + registry_id.to_bytes(4, "big")
    return prefix + encoder(name)(event)


def random_log(root, seed, length=120, *, holes=True, ids=True):
    """Records (offset, appended_at, key, value) and the end offset; the same for the same seed."""
    draw = random.Random(seed)
    at = 1_762_000_000_000_000
    events, live = [], []
    for network in ("a", "b"):
        plan = one_site_plan(root, network)
        events.append((network, value_of(ControlEvent(network, at, PlanApplied(plan, 1)))))
    for number in range(length):
        at += draw.randrange(1, 5_000_000)
        network, kind = draw.choice("ab"), draw.random()
        event = None
        if kind < 0.5 or not live:
            live.append((network, f"sw/{number}"))
            event = CallEvent(network, "bank", f"sw/{number}", "OFFERED", at, "sw", asks=True)
        elif kind < 0.7:
            network, call_id = draw.choice(live)
            event = CallEvent(network, "bank", call_id, "ANSWERED", at, "sw")
        elif kind < 0.92:
            network, call_id = live.pop(draw.randrange(len(live)))
            event = CallEvent(network, "bank", call_id, "ENDED", at, "sw")
        elif kind < 0.96:
            plan = dataclasses.replace(one_site_plan(root, network), version="other")
            event = ControlEvent(network, at, PlanApplied(plan, 1, replaces="nonsense"))
        if event is None:
            events.append((network, b"no avro at all"))
        elif ids and isinstance(event, CallEvent) and draw.random() < 0.1:
            events.append((network, value_of(event, REGISTRY_ID)))
        else:
            events.append((network, value_of(event)))
    records, offset = [], 0
    stamp = 1_762_000_000_000_000
    for network, value in events:
        records.append((offset, stamp, network.encode(), value))
        stamp += 1_000_000
        offset += draw.choice([1, 1, 1, 1, 3]) if holes else 1
    return records, offset
