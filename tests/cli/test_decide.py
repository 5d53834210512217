"""`tropplein decide`: the pure function over a file, numbered and hashed as a worker does it."""

import io
import json
import sys
from pathlib import Path

import pytest

from streams.cli import main
from streams.core.events import ControlEvent, PlanApplied
from streams.kafka.events import event_encode
from streams.plans import compile_plan
from streams.replay.fold import Fold
from streams.wire.framing import FramingWriter
from streams.wire.log import Batch
from streams.wire.ndjson import read_event
from streams.wire.outputs import read_fields
from streams.wire.partition import partition_of

AT = 1_762_700_400_000_000  # 2025-11-09T16:00:00+01:00, a Sunday, an hour before the volunteers come
HOUR = 3_600_000_000


def line(number, *, at=AT, kind="OFFERED", network="bank", site="bank", **fields):
    """One event's line; milliseconds apart."""
    event = {"network": network, "site": site, "switch": "pbx", "call_id": f"pbx/{number}", "type": kind}
    return json.dumps({**event, "occurred_at": at + number * 1_000, **fields})


@pytest.fixture
def one_site(root):
    return str(root / "deploy" / "plans" / "one-site.yaml")


@pytest.fixture
def decide(tmp_path, one_site):
    """Runs the command over lines, with the plan of one site; gives exit code and the decisions written."""

    def run(lines, *options, plans=(one_site,)):
        (tmp_path / "events.ndjson").write_text("".join(f"{each}\n" for each in lines))
        flags = [word for plan in plans for word in ("--plan", plan)]
        out = tmp_path / "decisions.ndjson"
        code = main(["decide", str(tmp_path / "events.ndjson"), *flags, "--out", str(out), *options])
        return code, read(out) if out.exists() else None

    return run


def read(path):
    return [json.loads(each) for each in path.read_text().splitlines()]


def verdicts(decisions):
    return [decision["verdict"] for decision in decisions]


def test_a_burst_of_70_on_15_places_admits_15_and_overflows_55(decide, capsys):
    code, decisions = decide(line(n) for n in range(70))
    assert code == 0
    assert verdicts(decisions) == ["ADMIT"] * 15 + ["OVERFLOW"] * 55
    said = capsys.readouterr()
    assert "  ADMIT     15  ROOM\n  OVERFLOW  55  SITE_FULL\n  peaks: bank 15, elsewhere 55\n" in said.err
    assert said.out == ""


def test_numbers_and_hashes_are_those_of_a_fold_of_the_same_log(decide, one_site, tmp_path):
    lines = [line(n) for n in range(20)] + ["", *(line(n, kind="ENDED") for n in range(20))]
    _, decisions = decide(lines, "--records", str(tmp_path / "records.ndjson"), "--from", "2025-11-01")
    plan = compile_plan(one_site, from_at=1_761_955_200_000_000)
    log = [(0, ControlEvent("bank", AT, PlanApplied(plan, 1)))]
    log += [(at, read_event(text)) for at, text in enumerate(lines, start=1) if text]
    encode = event_encode(FramingWriter())
    fold = Fold(partition_of(b"bank", 12), 12, ids={}, framing=FramingWriter())
    keys, values = zip(*(encode(event) for _, event in log), strict=True)
    offsets, times = [at for at, _ in log], [event.occurred_at for _, event in log]
    messages = fold.feed(Batch(offsets, times, list(keys), list(values)))
    for kind, written in (("decisions", decisions), ("call-records", read(tmp_path / "records.ndjson"))):
        published = [read_fields(message.value)[1] for message in messages if message.kind == kind]
        assert len(published) == 20
        as_json = [json.dumps(fields, default=bytes.hex) for fields in published]
        assert [json.dumps(fields) for fields in written] == as_json


def test_standard_input_and_output_are_a_dash(one_site, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(line(1) + "\n"))
    assert main(["decide", "-", "--plan", one_site, "--json"]) == 0
    said = capsys.readouterr()
    assert verdicts([json.loads(each) for each in said.out.splitlines()]) == ["ADMIT"]
    assert json.loads(said.err)["networks"]["bank"]["decisions"] == 1


def test_another_limit_is_another_answer(decide):
    assert verdicts(decide([line(n) for n in range(4)], "--limit", "bank=3")[1]) == ["ADMIT"] * 3 + ["OVERFLOW"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--limit", "bnak=3"), 'has no site "bnak"'),
        (("--limit", "bank"), "write it as SITE=N"),
        (("--limit", "bank=-1"), "write it as SITE=N"),
        (("--partitions", "0"), "a log has one at least"),
        (("--horizon-days", "0"), "between 1 and 3660"),
        (("--from", "yesterday"), "is no instant"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(decide, capsys, options, sentence):
    code, decisions = decide([line(1)], *options)
    assert (code, decisions) == (2, None)
    assert sentence in capsys.readouterr().err


def test_every_bad_line_is_named_and_what_was_written_before_stays(decide, capsys):
    _, first = decide([line(1)])
    code, decisions = decide([line(1), "{", line(2), line(3, kind="LOST"), json.dumps({"network": "bank"})])
    assert code == 2
    assert decisions == first
    said = capsys.readouterr().err
    for number, text in ((2, "not JSON"), (4, "type is none of OFFERED"), (5, "site is missing")):
        assert f"events.ndjson:{number}: " in said
        assert text in said
    assert "events.ndjson:3" not in said


def test_after_twenty_bad_lines_reading_stops(decide, capsys):
    assert decide(["{"] * 30)[0] == 2
    said = capsys.readouterr().err
    assert "events.ndjson:20:" in said
    assert "events.ndjson:21:" not in said


def test_no_half_written_file_stays_behind(decide, tmp_path):
    assert decide([line(1), "{"]) == (2, None)
    assert [path.name for path in tmp_path.iterdir()] == ["events.ndjson"]


def test_a_network_without_a_plan_is_left_out_and_counted(decide, capsys):
    code, decisions = decide([line(1), line(2, network="other"), line(3, network="other")])
    assert code == 0
    assert [decision["network"] for decision in decisions] == ["bank"]
    assert "left out, for want of a plan: other 2" in capsys.readouterr().err


def test_each_network_has_its_plan_and_its_own_beginning(decide, tmp_path, one_site, capsys):
    other = tmp_path / "other.yaml"
    text = Path(one_site).read_text()
    other.write_text(text.replace("network: bank", "network: other").replace("limit: 15", "limit: 1"))
    # The second network's calls are a year older: the first one's clock is none of its business.
    lines = [line(1), line(2)] + [line(n, network="other", at=AT - 8_760 * HOUR) for n in (3, 4)]
    _, decisions = decide(lines, "--json", plans=(one_site, str(other)))
    assert verdicts(decisions) == ["ADMIT", "ADMIT", "ADMIT", "OVERFLOW"]
    assert [decision["offset"] for decision in decisions] == [2, 3, 4, 5]
    summary = json.loads(capsys.readouterr().out)
    assert summary["networks"]["other"]["peaks"] == {"bank": 1, "elsewhere": 1}
    assert decide(lines, plans=(one_site, one_site))[0] == 2
    assert "both plans of network bank" in capsys.readouterr().err


def test_calendars_begin_with_the_events_not_with_today(decide, root):
    lines = [line(n, network="msf", site="msf", at=AT + hours * HOUR) for n, hours in enumerate((0, 2))]
    _, decisions = decide(lines, plans=(str(root / "deploy" / "plans" / "msf.yaml"),))
    assert [(decision["verdict"], decision["considered"][0]["reason"]) for decision in decisions] == [
        ("OVERFLOW", "OUT_OF_HOURS"),
        ("ADMIT", "ROOM"),
    ]


def test_a_file_that_holds_its_own_ticks_moves_the_clock_when_told_so(decide, root):
    call = {"network": "msf", "site": "msf"}
    tick = {"control": "Tick", "network": "msf", "occurred_at": AT + 3 * HOUR}
    # The fifteen positions are in wrap-up when the sixteenth call comes, unless a tick has let it end.
    lines = [line(n, at=AT + 2 * HOUR, **call) for n in range(15)]
    lines += [line(n, at=AT + 2 * HOUR + 1_000_000, kind="ANSWERED", **call) for n in range(15)]
    lines += [line(n, at=AT + 2 * HOUR + 2_000_000, kind="ENDED", **call) for n in range(15)]
    last = line(99, at=AT + 2 * HOUR + 3_000_000, **call)
    plans = (str(root / "deploy" / "plans" / "msf.yaml"),)

    def of_the_last(*lines, clock):
        return decide(lines, "--clock", clock, plans=plans)[1][-1]["verdict"]

    assert of_the_last(*lines, last, clock="events") == "OVERFLOW"
    assert of_the_last(*lines, json.dumps(tick), last, clock="live") == "OVERFLOW"
    assert of_the_last(*lines, json.dumps(tick), last, clock="events") == "ADMIT"


def test_a_control_event_that_cannot_take_effect_is_said_and_passed_over(decide, capsys):
    control = {"control": "CapacityChanged", "network": "bank", "occurred_at": AT, "target": "nowhere", "capacity": 3}
    code, decisions = decide([line(1), json.dumps(control), line(2)])
    assert (code, verdicts(decisions)) == (0, ["ADMIT", "ADMIT"])
    assert "events.ndjson:2: UNKNOWN_TARGET" in capsys.readouterr().err


def test_a_tick_of_the_broker_has_no_place_in_a_file(decide, capsys):
    assert decide([json.dumps({"control": "Tick"})])[0] == 2
    assert "a partition's Tick" in capsys.readouterr().err
