"""`tropplein plan check` and `show`: from files, without a broker."""

import json
from pathlib import Path

import pytest

from streams.cli import main

MSF = "deploy/plans/msf.yaml"
ONE_SITE = "deploy/plans/one-site.yaml"


@pytest.fixture(autouse=True)
def checkout(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "120")


def test_good_plans_are_named_with_their_version(capsys):
    assert main(["plan", "check", MSF, ONE_SITE, "--from", "2025-11-01"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{MSF}: network msf, version ")
    assert first.endswith(", calendar until Mon 2027-11-01 01:00")
    assert second.startswith(f"{ONE_SITE}: network bank, version ")


def test_every_refusal_of_every_file_is_printed_and_the_answer_is_no(capsys):
    assert main(["plan", "check", "tests/plans/bad/tab.yaml", ONE_SITE, "tests/plans/bad/no-site.yaml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tests/plans/bad/tab.yaml:2: is not YAML: ")
    assert lines[1].startswith(f"{ONE_SITE}: network bank")
    assert lines[2] == "tests/plans/bad/no-site.yaml:3: sites: names no site; a plan has one at least"


def test_remarks_are_printed_and_the_answer_is_still_yes(capsys, tmp_path):
    file = tmp_path / "plan.yaml"
    file.write_text("network: n\nzone: UTC\nsites: {s: {hours: always}}\npartners: {p: {}}\n")
    assert main(["plan", "check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        f'{file}: remark: partner "p" stands in no overflow list and not in the fallback: no call is sent there'
    )


def test_machines_get_the_check_as_json(capsys):
    assert main(["plan", "check", "--json", "tests/plans/bad/no-site.yaml", MSF]) == 1
    bad, good = json.loads(capsys.readouterr().out)["plans"]
    assert bad["refusals"] == [
        {
            "file": "tests/plans/bad/no-site.yaml",
            "line": 3,
            "path": "sites",
            "sentence": "names no site; a plan has one at least",
        }
    ]
    assert (good["network"], good["remarks"], len(good["version"])) == ("msf", [], 16)


SHOWN = """\
network    msf                   plan {version}, times in Europe/Paris, live clock, tz {tz}
at         Sun 2025-11-09 19:00  calendar until Mon 2027-11-01 01:00

site       msf                   limit 15, wrap-up 20 s
           now                   open until Sun 2025-11-09 23:30, 15 positions
           openings              Sun 2025-11-09 17:00 to 23:30, 15 positions
                                 Mon 2025-11-10 09:00 to 20:00, 15 positions
                                 Wed 2025-11-12 09:00 to 20:00, 15 positions
           then                  transcom → busy
           reached               by transfer, pabx dials 500
           leases                waiting 1800 s, talking 14400 s, handed over 1800 s, suspect 28800 s

partner    transcom              no limit
           now                   always open
           reached               by transfer over t2-out, pabx dials 00170000100
           leases                waiting 1800 s, talking 14400 s, handed over 1800 s, suspect 28800 s

site       any other             then transcom → busy
trunk      t2                    90 channels
trunk      t2-out                90 channels
campaign   un-franc-par-jour     no limit, dialled 3250
treatment  busy                  busy, SIP 486, Q.850 17, releases the line
"""


def test_a_plan_is_shown_as_a_planner_reads_it(capsys, root):
    from streams.plans import compile_plan

    plan = compile_plan(Path(MSF), from_at=1_761_955_200_000_000)
    options = ["--from", "2025-11-01", "--at", "2025-11-09T19:00+01:00", "--openings", "3"]
    assert main(["plan", "show", MSF, *options]) == 0
    shown = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
    assert shown == SHOWN.format(version=plan.version, tz=plan.tz_version)


def test_treatments_and_campaigns_of_all_kinds_are_shown(capsys):
    assert main(["plan", "show", "tests/plans/good/everything.yaml", "--from", "2025-11-01"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "campaign appeal limit 50, dialled +330800123456, 3250, *21#" in shown
    assert "campaign none no limit, dialled nowhere" in shown
    assert "treatment machine voicemail, SIP 200, Q.850 16, holds the line" in shown


def test_machines_get_a_plan_as_json(capsys):
    assert main(["plan", "show", MSF, "--from", "2025-11-01", "--at", "2025-11-11T12:00", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["network"], answer["at"]) == ("msf", 1_762_862_400_000_000)
    assert answer["targets"][0]["now"] == "closed until Wed 2025-11-12 09:00"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show"], "say which plan: a FILE, or --network NAME for the plan in force"),
        (["show", MSF, "--network", "msf"], "say which plan: a FILE, or --network NAME for the plan in force"),
        (["show", MSF, "--at", "noon"], '"noon" is no instant: write it as RFC 3339'),
        (["check", MSF, "--from", "1/11/2025"], '"1/11/2025" is no instant: write it as RFC 3339'),
        (["check", MSF, "--horizon-days", "0"], "--horizon-days is 0: it must be between 1 and 3660"),
        (["show", "nowhere.yaml"], "nowhere.yaml is no plan to go by:\nnowhere.yaml: cannot be read: "),
        (["apply", MSF, "--horizon-days", "399"], "--horizon-days is 399: a plan in force covers 400 days at least"),
        (["apply", MSF, "--network", "bank"], f"{MSF} is the plan of network msf, not of bank"),
        (
            ["apply", "tests/plans/bad/tab.yaml"],
            "tests/plans/bad/tab.yaml is no plan to go by:\ntests/plans/bad/tab.yaml:2: ",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(words, sentence, capsys):
    assert main(["plan", *words]) == 2
    assert capsys.readouterr().err.startswith(f"tropplein: {sentence}")
