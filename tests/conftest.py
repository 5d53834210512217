"""What every test may ask for: the checkout and the shared data."""

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
