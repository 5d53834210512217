"""`tropplein simulate campaign` writes the same bytes for the same seed, and what it writes can be read back."""

import json
from pathlib import Path

import pytest

from streams.cli import main
from streams.core.events import CallEvent
from streams.simulate.campaign import draw_campaign
from streams.simulate.recount import recount
from streams.wire.ndjson import read_event


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulate") / "events.ndjson"
    assert main(["simulate", "campaign", "--out", str(path)]) == 0
    return path


def test_the_file_alone_shows_the_campaign_and_its_peak(written: Path) -> None:
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    found = recount(rows)
    assert 3_000 <= found.offers <= 3_150
    assert found.redials < 0.15 * found.offers
    assert found.peak.calls == 70


def test_every_line_is_an_event_the_product_reads(written: Path) -> None:
    events = [read_event(line) for line in written.read_text().splitlines()]
    simulated = [event for event in draw_campaign().events() if isinstance(event, CallEvent)]
    assert {event for event in events if isinstance(event, CallEvent)} == set(simulated)


def test_a_seed_is_its_bytes(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again, other = tmp_path / "again.ndjson", tmp_path / "other.ndjson"
    assert main(["simulate", "campaign", "--out", str(again)]) == 0
    assert "3078 calls" in capsys.readouterr().out
    assert main(["simulate", "campaign", "--seed", "2", "--json", "--out", str(other)]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 2
    assert again.read_bytes() == written.read_bytes() != other.read_bytes()


def test_standard_output_holds_events_only(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "campaign", "--out", "-"]) == 0
    told = capsys.readouterr()
    assert told.out == written.read_text()
    assert "most calls in progress" in told.err


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "campaign", "--out", str(tmp_path / "nowhere" / "x")]) == 2
    assert "cannot be written" in capsys.readouterr().err
