"""An engine over the log in memory, its records and its runs, for tests of one engine."""

import dataclasses

from streams.core import RULES
from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.wire.log import Batch
from streams.worker.engine import Engine
from streams.worker.log import Fetched
from streams.worker.tuning import Tuning
from tests.worker.calls import FRAMING, IDS, one_site_plan, value_of
from tests.worker.memory_log import MemoryLog
from tests.worker.test_engine_crashes import OUTPUTS

AT = 1_762_000_000_000_000


def records_of(*events, first=0):
    """Records of network a, a second apart."""
    return [
        (first + number, AT + number * 1_000_000, b"a", event if isinstance(event, bytes) else value_of(event))
        for number, event in enumerate(events)
    ]


def offered(number, at=AT):
    return CallEvent("a", "bank", f"sw/{number}", "OFFERED", at, "sw", asks=True)


def plan(root, **changes):
    return ControlEvent("a", AT, PlanApplied(dataclasses.replace(one_site_plan(root, "a"), **changes), RULES))


def fetched(records, position=None, append_time=True, until=None):
    last = records[-1][0] + 1
    columns = Batch(*map(list, zip(*records, strict=True)))
    return Fetched(1, records[0][0] if position is None else position, until or last, append_time, columns)


def engine_over(broker, *, ask=lambda one: IDS.get(one, 0), **changes):
    log = MemoryLog(broker)
    given = {"partition": 0, "partitions": 1, "outputs": OUTPUTS, "writer": "test", "cpu": lambda: 0.0}
    return log, Engine(log, Tuning(**(given | changes)), framing=FRAMING, ask=ask)


def opened(broker, **changes):
    log, engine = engine_over(broker, **changes)
    engine.open()
    return log, engine


def run(broker, *, close=True, **changes):
    """Apply everything there is, a transaction per second of the engine's time."""
    log, engine = opened(broker, **changes)
    log.position, now = engine.position, 100.0
    while (found := log.fetch(10)) is not None:
        engine.take(found, now)
        now += 1
        engine.turn(now)
    if close:
        engine.close(now)
    return log, engine
