"""`tropplein schemas`: what is printed and which exit code; a real registry is a system test."""

import json

import pytest

from streams.cli import main
from streams.kafka.registry import Registry, RegistryDown


@pytest.fixture(autouse=True)
def url(monkeypatch):
    monkeypatch.setenv("TROPPLEIN_REGISTRY_URL", "http://127.0.0.1:1")


def test_register_prints_each_records_number(monkeypatch, capsys):
    monkeypatch.setattr(Registry, "register", lambda self: {"CallEvent": 1, "Decision": 3})
    assert main(["schemas", "register"]) == 0
    assert capsys.readouterr().out == "CallEvent is schema 1\nDecision is schema 3\n"
    assert main(["schemas", "register", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ids": {"CallEvent": 1, "Decision": 3}, "differences": []}


def test_check_says_what_differs_with_exit_code_one(monkeypatch, capsys):
    monkeypatch.setattr(Registry, "check", lambda self: ["a: version 1 is not registered"])
    assert main(["schemas", "check"]) == 1
    assert capsys.readouterr().out == "a: version 1 is not registered\n"
    monkeypatch.setattr(Registry, "check", lambda self: [])
    assert main(["schemas", "check"]) == 0
    assert "every schema is registered at http://127.0.0.1:1" in capsys.readouterr().out


def test_a_registry_that_is_down_or_not_set_is_a_refusal(monkeypatch, capsys):
    def down(self):
        raise RegistryDown("the registry http://127.0.0.1:1 does not answer")

    monkeypatch.setattr(Registry, "check", down)
    assert main(["schemas", "check"]) == 2
    assert "does not answer" in capsys.readouterr().err
    monkeypatch.delenv("TROPPLEIN_REGISTRY_URL")
    assert main(["schemas", "check"]) == 2
    assert "registry_url is not set" in capsys.readouterr().err
