"""The documents: links resolve, paths exist, folders and dependencies are all told, and shown output is real."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from streams.cli import main

ROOT = Path(__file__).resolve().parent.parent
LISTING = ("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
DOCUMENTS = sorted(subprocess.run(LISTING, capture_output=True, text=True, check=True).stdout.splitlines())


def text_of(name):
    return (ROOT / name).read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_to_a_file_leads_to_one(name):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(name))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_every_file_named_exists(name):
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_0-9.]+\.(?:py|md|ya?ml|avsc))`", text_of(name))
    assert [path for path in named if not ((ROOT / path).exists() or (ROOT / "streams" / path).exists())] == []


def test_the_diagram_names_every_folder_and_no_other():
    folders = {path.parent.name for path in (ROOT / "streams").glob("*/__init__.py")} | {"settings"}
    assert set(re.findall(r"streams/([a-z]+)", text_of("ARCHITECTURE.md").split("## The path")[0])) == folders


def test_every_dependency_has_its_reason():
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    section = text_of("ARCHITECTURE.md").split("## Dependencies")[1].split("## ")[0]
    named = [re.match(r"[A-Za-z0-9.-]+", each)[0] for each in project["dependencies"]]
    named += [re.match(r"[A-Za-z0-9.-]+", each)[0] for each in project["optional-dependencies"]["dev"]]
    assert [name for name in named if f"`{name}`" not in section] == []


def test_the_burst_in_the_readme_gives_what_the_readme_shows(tmp_path, capsys):
    event = '{"network":"bank","site":"bank","switch":"pbx","call_id":"pbx/%d","type":"OFFERED","occurred_at":"%s"}\n'
    lines = (event % (n, f"2025-11-16T20:45:{n // 2:02d}Z") for n in range(1, 71))
    (tmp_path / "events.ndjson").write_text("".join(lines))
    plan = str(ROOT / "deploy" / "plans" / "one-site.yaml")
    out = str(tmp_path / "decisions.ndjson")
    assert main(["decide", str(tmp_path / "events.ndjson"), "--plan", plan, "--out", out]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("  ")]
    assert len(told) == 3
    assert "\n".join(told) in text_of("README.md")
