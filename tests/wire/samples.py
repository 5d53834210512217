"""Events and outputs to write, read and break: fixed ones, and strategies for all that the contract allows."""

from hypothesis import strategies as st

from streams.core import decisions, events
from streams.core.events import CallEvent
from streams.wire.contract import CONTRACT
from streams.wire.encoders import encoder
from streams.wire.framing import FramingWriter
from streams.wire.log import Batch
from streams.wire.records import LATEST
from streams.wire.varints import INT_MAX, LONG_MAX

NETWORKS = ("msf", "bank")
PREFIX = FramingWriter().prefix("CallEvent")
CONTROL_PREFIX = FramingWriter().prefix("ControlEvent")
EVENT = CallEvent("msf", "paris", "sw-1/77", "OFFERED", 1_762_160_000_000_000, "sw-1", asks=True)
FULL = CallEvent(
    *("msf", "paris", "sw-1/77", "PLACED", 1_762_160_000_000_000, "sw-1", True, 1_762_100_000_000_000, 20_000, 1, 128),
    *(
        "t2",
        "don",
        "0140212929",
        "pk1:abcdefghijklmnopqrstuv",
        "transcom",
        "busy",
        16,
        "CALLER",
        3,
        "sip-1",
        "OVERFLOW",
    ),
    *("EDGE", "DEADLINE", "4f2a", 16_384, "BUSY"),
)
"""One with every field."""

ids = st.text(st.sampled_from("abé/-.:0123 z\x02\n"), min_size=1, max_size=12) | st.sampled_from(
    ["x" * 63, "x" * 64, "x" * 130, "x" * 200, "\x02", "\x00", "1699000000.12", "06123456789"]
)
instants = st.integers(0, LATEST) | st.sampled_from([0, 1, 63, 64, 127, 128, 191, 192, 8191, 8192, LATEST])
longs = st.integers(0, LONG_MAX) | st.integers(0, 300) | st.sampled_from([16_383, 16_384, 24_576, 1 << 20, 1 << 35])
ints = st.integers(0, INT_MAX) | st.integers(0, 200)


def words(enum):
    return st.sampled_from([str(one) for one in enum])


def maybe(strategy):
    return st.none() | strategy


call_events = st.builds(
    CallEvent,
    st.sampled_from(NETWORKS),
    ids,
    ids,
    words(events.CallEventType),
    instants,
    ids,
    st.booleans(),
    epoch=maybe(instants),
    sequence=maybe(longs),
    attempt=maybe(st.integers(1, 200)),
    waited_us=maybe(longs),
    trunk=maybe(ids),
    campaign=maybe(ids),
    dialled=maybe(st.text(max_size=5) | st.just("0140212929")),
    caller=st.sampled_from([None, "pk1:abcdefghijklmnopqrstuv", "p_-0:" + "-" * 22, "p" + "k" * 16 + ":" + "A" * 22]),
    target=maybe(ids),
    treatment=maybe(ids),
    cause=maybe(st.integers(0, 127)),
    ended_by=maybe(words(events.EndedBy)),
    priority=maybe(ints),
    correlation_id=maybe(ids),
    verdict=maybe(words(decisions.Verdict)),
    by=maybe(words(events.PlacedBy)),
    why=maybe(words(events.Why)),
    plan_version=maybe(st.text(max_size=5)),
    verdict_age_us=maybe(longs),
    return_reason=maybe(words(events.ReturnReason)),
)
"""Any call event that is accepted."""

plain_events = st.tuples(
    st.sampled_from(NETWORKS),
    st.sampled_from(["paris", "lyon"]),
    ids,
    words(events.CallEventType),
    instants,
    maybe(longs),
    maybe(st.integers(0, 3)),
    maybe(words(events.ReturnReason)),
).map(lambda f: CallEvent(*f[:5], "sw-1", sequence=f[5], cause=f[6], return_reason=f[7]))
"""Call events as switches send them: most fields null."""

encode_call = encoder("CallEvent")


def value_of(event, encode=encode_call):
    """A call event as it stands in the log."""
    return PREFIX + encode(event)


def control_value(event):
    """A control event as it stands in the log."""
    return CONTROL_PREFIX + encoder("ControlEvent")(event)


def batch_of(records):
    """A batch of (key, value) pairs."""
    count = len(records)
    return Batch(list(range(count)), [1] * count, [key for key, _ in records], [value for _, value in records])


def fingerprint(name):
    return CONTRACT.newest(name).fingerprint
