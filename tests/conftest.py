"""What every test may ask for, the checkout and the shared data; and the refusal of skips that nobody listed."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder with `bank/` and `transcripts/`: TROPPLEIN_DATA, or `shared/data` beside the checkout."""
    folder = Path(os.environ.get("TROPPLEIN_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "bank").is_dir():
        pytest.skip(f"no shared data in {folder}; set TROPPLEIN_DATA to the folder that holds bank/ and transcripts/")
    return folder


def pytest_sessionfinish(session):
    """Fail the run when a test was skipped, or was expected to fail, that the file TROPPLEIN_SKIPS does not list."""
    listing = os.environ.get("TROPPLEIN_SKIPS")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not listing or reporter is None or hasattr(session.config, "workerinput"):
        return
    allowed = {line.split("#")[0].strip() for line in Path(listing).read_text().splitlines()}
    skipped = {report.nodeid for kind in ("skipped", "xfailed") for report in reporter.stats.get(kind, [])}
    for name in sorted(skipped - allowed):
        reporter.write_line(f"skipped, and not listed in {listing}: {name}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
