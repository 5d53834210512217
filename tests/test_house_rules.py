"""Each rule of the house catches a fault planted in a small source, and lets pass what it allows."""

import pytest

from tests.house import command_faults, import_faults, purity_faults, ring, size_faults, text_faults

PLANTED_IMPORTS = {
    ("streams/core/a.py", "import streams.wire.framing"): "core imports wire",
    ("streams/core/a.py", "from streams import settings"): "core imports settings",
    ("streams/core/sub/a.py", "from ...worker import engine"): "core imports worker",
    ("streams/wire/a.py", "def f():\n    from streams.kafka import topics"): "wire imports kafka",
    ("streams/worker/a.py", "from streams.gateway import door"): "worker imports gateway",
    ("streams/kafka/a.py", "import streams.cli"): "kafka imports cli",
    ("streams/worker/a.py", "import confluent_kafka"): "confluent_kafka is at home in kafka and worker/transactions",
    ("streams/worker/engine.py", "import faust"): "faust is at home in worker/transport and worker/app",
    ("streams/worker/engine.py", "import asyncio"): "the engine imports asyncio",
    ("streams/plans/a.py", "import fastavro.schema"): "fastavro is at home in wire",
    ("streams/wire/a.py", "from time import monotonic"): "wire imports time",
    ("streams/cli/a.py", "import requests"): "requests has no home",
    ("streams/drawer/a.py", ""): "drawer is not in the table",
}


@pytest.mark.parametrize(("planted", "fault"), PLANTED_IMPORTS.items())
def test_a_planted_import_is_caught(planted, fault):
    (caught,) = import_faults(*planted)
    assert caught.endswith(f": {fault}")


@pytest.mark.parametrize(
    "allowed",
    [
        ("streams/core/a.py", "from streams.core.events import Event\nfrom .plan import Plan\nimport heapq"),
        ("streams/worker/transactions.py", "import confluent_kafka\nfrom streams import __version__, settings"),
        ("streams/cli/demo.py", "import rich.live\nfrom streams.worker import app\nfrom streams.gateway import door"),
    ],
)
def test_an_import_the_table_allows_passes(allowed):
    assert import_faults(*allowed) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import time", "core imports time"),
        ("from datetime import datetime", "core imports datetime"),
        ("from .. import settings", "core imports streams.settings"),
        ("x = hash('a')", "core calls hash()"),
        ("x = set()", "core calls set()"),
        ("for x in {1, 2}: pass", "core iterates a set"),
        ("y = [x for x in {z for z in (1, 2)}]", "core iterates a set"),
        ("OPEN = {1, 2}\nfor x in OPEN: pass", "core iterates a set"),
        ("def f(held: frozenset[int]): return list(held)", "core iterates a set"),
        ("class A:\n    seen: set[int]\n    def f(self): return [*self.seen]", "core iterates a set"),
        ("async def f(): pass", "core has AsyncFunctionDef"),
    ],
)
def test_a_planted_impurity_is_caught(source, fault):
    assert [caught.split(": ", 1)[1] for caught in purity_faults("streams/core/a.py", source)] == [fault]


def test_asking_whether_a_set_holds_something_is_pure():
    assert purity_faults("streams/core/a.py", "OPEN = {1, 2}\nx = 1 in OPEN\ny = sorted(OPEN)") == []


def test_planted_sizes_are_caught_unless_they_give_their_reason():
    long = 'def f():{}\n    """One."""\n' + "    x = 1\n" * 61
    assert size_faults("streams/a.py", long.format("")) == ["streams/a.py:1: f has 61 lines"]
    assert size_faults("streams/a.py", long.format("  # hot path: one frame a batch")) == []
    assert size_faults("streams/a.py", 'def f():\n    """One."""\n' + "    x = 1\n" * 60) == []
    assert size_faults("streams/a.py", "x = 1\n" * 401) == ["streams/a.py: 401 lines"]
    assert size_faults("streams/a.py", "# longer than 400 lines because: one table\n" + "x = 1\n" * 401) == []
    six = "class A:\n    def f(self, a, b, c, d, e{}): pass\n"
    assert size_faults("streams/a.py", six.format(", g")) == ["streams/a.py:2: f has 6 positional parameters"]
    assert size_faults("streams/a.py", six.format(", *, g")) == []


def test_a_planted_ring_is_caught():
    assert ring({"a": {"b"}, "b": {"c", "x"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert ring({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.py", "x = 1  # TO" + "DO", "left undone"),
        ("a.toml", "https://" + "pypi.example/simple", "names a package registry"),
        ("x.lock", "--index ftp://a", "names an address"),
        ("a.md", "# One\n\n# Two\n", "2 titles"),
        ("a.md", "text\n```\n# no title\n```\n", "0 titles"),
    ],
)
def test_a_planted_text_is_caught(name, text, fault):
    (caught,) = text_faults(name, text)
    assert caught.endswith(fault)


def test_a_document_that_shows_a_command_that_does_not_exist_is_caught():
    text = "    make demo tset SEED=3\n\nRun `tropplein dedice` or\n```\n$ tropplein config --help\nmake check\n```\nmake sense"
    assert command_faults("a.md", text, {"demo", "check"}) == [
        "a.md: there is no `make tset`",
        "a.md: there is no `tropplein dedice`",
    ]


@pytest.mark.parametrize(
    ("shown", "unknown"),
    [
        ("tropplein topics create|check", []),
        ("tropplein topics invent|check --help", ["topics invent"]),
        ("tropplein plan show --verbose-please [--help]", ["plan --verbose-please"]),
    ],
)
def test_a_document_that_shows_an_unknown_second_word_or_flag_is_caught(shown, unknown):
    assert command_faults("a.md", f"`{shown}`", set()) == [f"a.md: there is no `tropplein {each}`" for each in unknown]
