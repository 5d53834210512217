"""The wheel, built without a network and installed in an empty environment outside the checkout, does its work."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile

import pytest

import streams


def done(*command, cwd):
    """Run a command in a folder, free of this process's Python path; give its output, or fail with what it said."""
    setting = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    ended = subprocess.run(command, cwd=cwd, env=setting, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """The wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    done(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(root), cwd=out)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of an environment that holds the wheel alone and finds its dependencies where this one does."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    done(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check")
    done(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel), cwd=folder.parent)
    (site,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth file comes after the environment's own folder, and no .pth inside it is read: the wheel wins.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def test_the_wheel_carries_schemas_and_example_plans_and_no_tests(wheel, root):
    names = zipfile.ZipFile(wheel).namelist()
    for link, target in (("streams/schemas", "schemas"), ("streams/plans/examples", "deploy/plans")):
        files = [path.name for path in (root / target).iterdir() if path.is_file()]
        assert files, target
        assert [name for name in files if f"{link}/{name}" not in names] == []
    assert "streams/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"streams", f"tropplein-{streams.__version__}.dist-info"}


def test_the_installed_command_runs_the_installed_package(installed, tmp_path):
    where = done(installed / "bin" / "python", "-c", "import streams; print(streams.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed))
    assert done(installed / "bin" / "tropplein", "--version", cwd=tmp_path) == f"tropplein {streams.__version__}\n"
    assert "decide offline" in done(installed / "bin" / "tropplein", "--help", cwd=tmp_path)


def test_the_installed_command_decides_with_a_plan_of_its_own_examples(installed, tmp_path):
    (plan,) = installed.glob("lib/python*/site-packages/streams/plans/examples/one-site.yaml")
    at = 1_738_400_400_000_000
    lines = [
        {
            "network": "bank",
            "site": "bank",
            "switch": "pbx",
            "call_id": f"pbx/{n}",
            "type": "OFFERED",
            "occurred_at": at + n,
        }
        for n in range(17)
    ]
    (tmp_path / "events.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = ("decide", "events.ndjson", "--plan", str(plan), "--out", "decisions.ndjson")
    done(installed / "bin" / "tropplein", *command, cwd=tmp_path)
    decided = [json.loads(line) for line in (tmp_path / "decisions.ndjson").read_text().splitlines()]
    assert [decision["verdict"] for decision in decided] == ["ADMIT"] * 15 + ["OVERFLOW"] * 2
