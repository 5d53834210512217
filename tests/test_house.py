"""The repository keeps the rules of the house."""

import ast
import re
import tomllib

import pytest

from streams.cli import WORDS
from tests import house
from tests.house import ROOT, imports, named, sources, tracked


def test_every_import_follows_the_table_and_every_library_stays_at_home():
    assert [
        fault
        for name, text in sources("streams/")
        if name.count("/") > 1 or "settings" in name
        for fault in house.import_faults(name, text)
    ] == []


def test_the_core_is_pure():
    core = sources("streams/core/")
    assert core, "there is no core to judge"
    assert [fault for name, text in core for fault in house.purity_faults(name, text)] == []


def test_functions_and_files_are_small():
    assert [
        fault for name, text in sources("streams/", "tests/", ".ci/") for fault in house.size_faults(name, text)
    ] == []


def test_no_modules_import_one_another_in_a_ring():
    edges = {}
    for name, text in sources("streams/"):
        module = ast.parse(text)
        loaded = ast.Module([node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        edges[name.removesuffix(".py").replace("/", ".")] = {other for _, other in imports(name, loaded)}
    assert house.ring(edges) == []


def test_no_module_is_a_drawer():
    assert [name for name, _ in sources("streams/", "tests/") if house.DRAWERS & set(re.split(r"[/._]", name))] == []


def test_nothing_is_left_undone_and_no_registry_is_named():
    faults = []
    for name in tracked():
        try:
            faults += house.text_faults(name, (ROOT / name).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # a recorded binary
    assert faults == []


def test_documents_show_only_commands_that_exist():
    targets = house.make_targets()
    documents = [name for name in tracked() if name.endswith(".md")]
    assert [f for name in documents for f in house.command_faults(name, (ROOT / name).read_text(), targets)] == []


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands(command):
    assert command in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_command_line_is_one_module(word):
    path = ROOT / "streams" / "cli" / f"{word}.py"
    assert path.is_file(), f"no module for `tropplein {word}`"
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    names |= {named(target) for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    assert {"HELP", "configure", "run"} <= names


def test_every_dependency_is_pinned_in_both_locks_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {"requirements.lock": project["dependencies"]}
    wanted["requirements-dev.lock"] = project["dependencies"] + project["optional-dependencies"]["dev"]
    for lock, needs in wanted.items():
        blocks = re.findall(
            r"^([a-z0-9-]+)==.*((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", (ROOT / lock).read_text(), re.MULTILINE
        )
        pinned = {name for name, _ in blocks}
        assert {re.split(r"[<>=]", need)[0].replace(".", "-") for need in needs} - pinned == set(), lock
