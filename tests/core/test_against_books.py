"""A state machine against the auditor's plain books: what switches say is repeated, overtaken and lost on the way."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streams.core.events import CallEvent, CapacityChanged, ControlEvent, PlanApplied, SwitchStarted, Tick
from streams.core.partition import Partition
from tests.core.clock import BASE_AT, SECOND_US
from tests.core.random_logs import plans
from tests.simulation.auditor import Auditor
from tests.simulation.run import row_of

CALLS = st.sampled_from([f"c{number}" for number in range(8)])
PLACES = st.sampled_from(["S", "T", "P", "Q", None])
PAUSES = st.sampled_from([0, 0, 1, 3, 12, 45, 70, 200])


class Post(RuleBasedStateMachine):
    """Switches hand events to a post that delivers them in any order, more than once, or never."""

    def __init__(self):
        super().__init__()
        self.partition = Partition()
        self.auditor = Auditor()
        self.now = BASE_AT
        self.bag = []
        self.sent = []

    @initialize(version=st.sampled_from(["v1", "v2", "v3"]))
    def plan(self, version):
        self.give(PlanApplied(plans("LIVE")[version], 1))

    def give(self, what):
        event = what
        if not isinstance(what, CallEvent):
            whole = isinstance(what, Tick)
            event = ControlEvent(None if whole else "n", None if whole else self.now, what)
        rows = [output._asdict() for output in self.partition.apply(event, self.now)]
        for row in rows:
            if "considered" in row:
                row["considered"] = [tuple(each) for each in row["considered"]]
        self.auditor.see(row_of(what, self.now), self.now, rows)

    def say(self, call, kind, **fields):
        self.bag.append(
            CallEvent(
                **({"network": "n", "site": "S", "switch": "sw"} | fields),
                call_id=call,
                type=kind,
                occurred_at=self.now,
            )
        )

    @rule(pause=PAUSES)
    def wait(self, pause):
        until = self.now + pause * SECOND_US
        while (due := self.partition.wake_at()) is not None and due <= until:
            self.now = max(self.now, due)
            self.give(Tick())
        self.now = until

    @rule(
        call=CALLS,
        site=st.sampled_from(["S", "S", "T", "X"]),
        attempt=st.sampled_from([None, None, 2]),
        trunk=st.sampled_from([None, "t2"]),
    )
    def ask(self, call, site, attempt, trunk):
        self.say(call, "OFFERED", asks=True, site=site, attempt=attempt, trunk=trunk, campaign="k", priority=7)

    @rule(call=CALLS, trunk=st.sampled_from([None, "t2"]), why=st.sampled_from([None, "CARRIER", "DEADLINE"]))
    def offer(self, call, trunk, why):
        self.say(call, "OFFERED", trunk=trunk, why=why)

    @rule(call=CALLS, place=PLACES)
    def answer(self, call, place):
        self.say(call, "ANSWERED", target=place)

    @rule(call=CALLS, place=PLACES)
    def transfer(self, call, place):
        self.say(call, "TRANSFERRED", target=place)

    @rule(call=CALLS, attempt=st.sampled_from([1, 1, 2]), asks=st.booleans())
    def give_back(self, call, attempt, asks):
        self.say(call, "RETURNED", attempt=attempt, asks=asks, return_reason="BUSY")

    @rule(call=CALLS, place=PLACES, by=st.sampled_from(["EDGE", "OPERATOR"]), attempt=st.sampled_from([None, 1, 2]))
    def put(self, call, place, by, attempt):
        verdict = "BLOCK" if place is None else "ADMIT" if place == "S" else "OVERFLOW"
        treatment = "voicemail" if place is None else None
        self.say(call, "PLACED", target=place, verdict=verdict, treatment=treatment, by=by, why="LAG", attempt=attempt)

    @rule(call=CALLS, place=PLACES)
    def divert(self, call, place):
        self.say(call, "DIVERTED", target=place)

    @rule(call=CALLS, site=st.sampled_from(["S", "S", "P", "Q"]))
    def end(self, call, site):
        self.say(call, "ENDED", site=site)

    @rule(call=CALLS, kind=st.sampled_from(["QUEUED", "RINGING", "HELD", "RESUMED", "WRAPPED_UP"]))
    def mention(self, call, kind):
        self.say(call, kind)

    @precondition(lambda self: self.bag)
    @rule(which=st.integers(0, 1000))
    def deliver(self, which):
        event = self.bag.pop(which % len(self.bag))
        self.sent.append(event)
        self.give(event)

    @precondition(lambda self: self.bag)
    @rule()
    def deliver_all(self):
        while self.bag:
            self.deliver(0)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 1000))
    def deliver_again(self, which):
        self.give(self.sent[which % len(self.sent)])

    @precondition(lambda self: self.bag)
    @rule(which=st.integers(0, 1000))
    def lose(self, which):
        self.bag.pop(which % len(self.bag))

    @rule(name=st.sampled_from(["S", "P"]), capacity=st.integers(0, 3), seconds=st.sampled_from([None, 60]))
    def staff(self, name, capacity, seconds):
        if name in self.partition.networks["n"].targets:
            self.give(CapacityChanged(name, capacity, None if seconds is None else self.now + seconds * SECOND_US))

    @rule()
    def restart(self):
        self.give(SwitchStarted("sw", self.now))

    @rule(version=st.sampled_from(["v1", "v2", "v3"]))
    def change_plan(self, version):
        self.give(PlanApplied(plans("LIVE")[version], 1, self.partition.networks["n"].version))

    @rule()
    def store_and_restore(self):
        snapshot = self.partition.networks["n"].snapshot(everything=True)
        self.partition = Partition()
        calls = [call for bucket in snapshot.buckets.values() for call in bucket]
        self.partition.restore(snapshot.head, snapshot.plan, calls)

    @invariant()
    def the_books_agree(self):
        network = self.partition.networks.get("n")
        if network is not None:
            self.auditor.compare_states({name: network.site_state(name)._asdict() for name in network.targets})
        assert self.auditor.faults == []


TestPost = Post.TestCase
TestPost.settings = settings(
    derandomize=True, max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
