"""`tropplein plan apply` against a broker in this process, and a stand-in that decides as the worker does."""

import json
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from streams.cli import main, plan_change
from streams.core.partition import Partition, Refused
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.reader import Reader
from streams.plans import compile_plan
from streams.settings import Settings
from streams.wire import state
from streams.wire.decode import Decoder
from streams.wire.framing import FramingWriter
from streams.wire.ledger import Ledger
from streams.wire.partition import partition_of
from streams.wire.refusals import Refusal

HOME = partition_of(b"n", 4)
PLAN = "network: n\nzone: UTC\nsites: {s: {hours: always, limit: LIMIT}}\n"


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as found:
        yield found


@pytest.fixture
def settings(broker, request, monkeypatch) -> Settings:
    prefix = f"{request.node.name.split('[')[0][:60]}."
    settings = broker.settings(Settings(prefix=prefix))
    for name in ("brokers", "prefix"):
        monkeypatch.setenv(f"TROPPLEIN_{name.upper()}", getattr(settings, name))
    monkeypatch.setenv("TROPPLEIN_SECURITY_PROTOCOL", "PLAINTEXT")
    return settings


@pytest.fixture
def plan(tmp_path):
    """A plan's file with a limit."""

    def write(limit):
        file = tmp_path / f"limit-{limit}.yaml"
        file.write_text(PLAN.replace("LIMIT", str(limit)))
        return str(file)

    return write


class Deciding(threading.Thread):
    """Decides every event of the partition, and stores the marker and the plan as the worker does."""

    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.reader = Reader(settings, settings.topic("call-events"), partitions=(HOME,), follow=True)

    def run(self):
        core, ledger = Partition(), Ledger(HOME, FramingWriter())
        decoder, producer = Decoder(HOME, 4, {}), Producer({"bootstrap.servers": self.settings.brokers})
        for run in self.reader:
            for at, event in enumerate(decoder.decode(run.batch)):
                offset, appended_at = run.batch.offsets[at], run.batch.appended_at[at]
                messages = [self.marker(offset, offset - 1)]
                try:
                    core.apply(event, appended_at)
                    found = core.networks["n"].snapshot(everything=True).plan
                    messages += [state.plan("n", found), self.marker(offset, offset)]
                except Refused as refused:
                    refusal = Refusal(refused.reason, refused.text, sealed=False)
                    key, value = run.batch.keys[at], run.batch.values[at]
                    messages.insert(0, ledger.dead_letter(offset, appended_at, key, value, refusal))
                for message in messages:
                    topic = self.settings.topic({"dead-letters": "call-events-dlq"}.get(message.kind, message.kind))
                    producer.produce(topic, message.value, message.key, HOME)
                    # The worker's transaction shows all at once; without one, the order has to serve.
                    producer.flush(10)

    @staticmethod
    def marker(applied, snapshot):
        return state.marker(state.Marker(applied, snapshot, "events", 4, 1, state.STATE_FORMAT, "test", {}, {}))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.reader.stop()
        self.join(10)
        self.reader.close()


def printed(capsys):
    return capsys.readouterr().out.strip()


def test_plans_are_put_in_force_one_after_the_other(settings, plan, capsys):
    first, second = (compile_plan(plan(limit)).version for limit in (1, 2))
    with Deciding(settings):
        assert main(["plan", "apply", plan(1)]) == 0
        assert printed(capsys) == f"plan {first} is in force from partition {HOME}, offset 0"
        assert main(["plan", "apply", plan(1)]) == 0
        assert printed(capsys) == f"plan {first} is in force already; nothing was sent"
        assert main(["plan", "apply", plan(2), "--network", "n", "--who", "s-17", "--json"]) == 0
        answer = json.loads(printed(capsys))
        assert (answer["done"], answer["version"], answer["replaced"], answer["offset"]) == (True, second, first, 1)
        assert main(["plan", "show", "--network", "n"]) == 0
        assert f"plan {second}," in printed(capsys)


def test_a_dry_run_compares_and_sends_nothing(settings, plan, capsys):
    version = compile_plan(plan(1)).version
    assert main(["plan", "apply", plan(1), "--dry-run"]) == 0
    said = printed(capsys)
    assert said.startswith(f"plan {version} (")
    assert said.endswith(" bytes) would take the place of no plan; nothing was sent")
    with Deciding(settings):
        assert main(["plan", "apply", plan(1)]) == 0
    capsys.readouterr()
    assert main(["plan", "apply", plan(2), "--dry-run"]) == 0
    assert printed(capsys).endswith(f" bytes) would take the place of plan {version}; nothing was sent")


def test_of_two_changes_at_once_the_second_is_refused_and_told_so(settings, plan, capsys):
    # Nobody decides yet, so that both are compared with the same plan: none.
    first, second = (compile_plan(plan(limit)).version for limit in (1, 2))
    assert main(["plan", "apply", plan(1), "--wait", "0"]) == 1
    assert printed(capsys) == (
        f"plan {first} was sent (partition {HOME}, offset 0), but no worker has decided on it within 0 s: is one running? "
        "`tropplein plan show --network n` tells later"
    )
    # What another planner's command holds that looked before the first plan was stored.
    with Deciding(settings), pytest.MonkeyPatch.context() as patch:
        look = plan_change.Place.look
        patch.setattr(plan_change.Place, "look", lambda place: look(place) or setattr(place, "plan", None))
        assert main(["plan", "apply", plan(2)]) == 1
    assert printed(capsys) == (
        f"plan {second} was refused (partition {HOME}, offset 1): "
        f"the plan replaces none, in force is {first}: apply it again"
    )


def test_a_network_without_plan_is_told_so(settings, capsys):
    assert main(["plan", "show", "--network", "n"]) == 2
    assert capsys.readouterr().err == (
        "tropplein: no plan is in force for network n: `tropplein plan apply FILE` puts one in force\n"
    )


def test_a_plan_too_large_for_the_log_is_refused_before_it_is_sent(settings, tmp_path, capsys):
    windows = ", ".join(f"{hour:02}:00-{hour:02}:30" for hour in range(24))
    file = tmp_path / "large.yaml"
    file.write_text(
        f"network: n\nzone: UTC\nsites: {{s: {{hours: {{weekly: [{{days: daily, open: [{windows}]}}]}}}}}}\n"
    )
    assert main(["plan", "apply", str(file), "--horizon-days", "3660"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tropplein: the compiled plan has 1")
    assert said.endswith("and a plan has 524288 at most: a shorter --horizon-days, or fewer windows, make it smaller\n")


def test_a_plan_that_the_worker_would_not_read_is_refused_before_it_is_sent(settings, tmp_path, capsys):
    dialled = ", ".join(f'"{number}"' for number in range(1_000, 2_001))
    file = tmp_path / "dialled.yaml"
    file.write_text(
        f"network: n\nzone: UTC\nsites: {{s: {{hours: always}}}}\ncampaigns: {{c: {{dialled: [{dialled}]}}}}\n"
    )
    assert main(["plan", "apply", str(file)]) == 2
    assert capsys.readouterr().err == (
        "tropplein: the worker would not accept this plan: dialled has 1001 items, more than 1000\n"
    )


def test_remarks_are_printed_before_the_outcome(settings, tmp_path, capsys):
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace("LIMIT", "1") + "partners: {p: {}}\n")
    assert main(["plan", "apply", str(file), "--dry-run"]) == 0
    first, second = printed(capsys).splitlines()
    assert first == (
        f'{file}: remark: partner "p" stands in no overflow list and not in the fallback: no call is sent there'
    )
    assert second.endswith("nothing was sent")
