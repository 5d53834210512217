"""A run with TROPPLEIN_SKIPS fails on each skipped test that its file does not list."""

import os
import shutil
import subprocess
import sys

import pytest

SKIPPING = {
    "a mark": "import pytest\n@pytest.mark.skip(reason='planted')\ndef test_it(): pass\n",
    "a call": "import pytest\ndef test_it(): pytest.skip('planted')\n",
    "a fixture": "def test_it(data): pass\n",
    "an expected failure": "import pytest\n@pytest.mark.xfail(reason='planted')\ndef test_it(): assert False\n",
}


@pytest.fixture
def run(root, tmp_path):
    """Run one planted test module under the project's conftest; give its exit code and output."""

    def run(source, *allowed, workers="0"):
        shutil.copy(root / "tests" / "conftest.py", tmp_path)
        (tmp_path / "test_planted.py").write_text(source)
        (tmp_path / "skips").write_text("# listed\n" + "\n".join(allowed))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers, "--rootdir", ".", "."]
        settings = {"TROPPLEIN_SKIPS": "skips", "TROPPLEIN_DATA": str(tmp_path / "nowhere")}
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("how", SKIPPING)
def test_a_skip_that_is_not_listed_fails_the_run(run, how):
    code, shown = run(SKIPPING[how])
    assert code == 1
    assert "skipped, and not listed in skips: test_planted.py::test_it" in shown


def test_a_whole_module_that_skips_itself_fails_the_run_also_under_xdist(run):
    code, shown = run("import pytest\npytest.importorskip('no_such_module')\n", workers="1")
    assert code == 1
    assert "skipped, and not listed in skips: test_planted.py" in shown


def test_a_listed_skip_passes(run):
    assert run(SKIPPING["a mark"], "test_planted.py::test_it  # planted")[0] == 0
