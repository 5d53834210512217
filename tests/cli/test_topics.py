"""`tropplein topics`: what is printed and which exit code; what Kafka does with it is a system test."""

import json

import pytest

from streams.cli import main
from streams.kafka import topics
from streams.kafka.clients import KafkaTrouble


@pytest.fixture
def kafka(monkeypatch):
    """Topics as the test says: what `create` makes and what `check` finds."""
    said = {"create": [], "check": []}
    monkeypatch.setattr(topics, "create", lambda settings: [settings.prefix + name for name in said["create"]])
    monkeypatch.setattr(topics, "check", lambda settings: said["check"])
    monkeypatch.setenv("TROPPLEIN_PREFIX", "blue.")
    return said


def test_topics_that_are_as_they_must_be_are_said_so(kafka, capsys):
    assert main(["topics", "check"]) == 0
    assert capsys.readouterr().out == "7 topics of 12 partitions are as they must be\n"


def test_a_difference_is_printed_and_is_exit_code_one(kafka, capsys):
    kafka["check"].append("blue.state: cleanup.policy is delete, must be compact")
    assert main(["topics", "check"]) == 1
    assert capsys.readouterr().out == "blue.state: cleanup.policy is delete, must be compact\n"


def test_create_names_what_it_made_and_what_else_differs(kafka, capsys):
    kafka["create"].append("decisions")
    kafka["check"].append("blue.state has 4 partitions")
    assert main(["topics", "create", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "created": ["blue.decisions"],
        "differences": ["blue.state has 4 partitions"],
    }
    assert main(["topics", "create"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "created blue.decisions"


def test_check_creates_nothing(kafka, capsys, monkeypatch):
    monkeypatch.setattr(topics, "create", lambda settings: pytest.fail("check must not create"))
    assert main(["topics", "check"]) == 0


def test_brokers_that_cannot_be_used_are_a_refusal(kafka, capsys, monkeypatch):
    def away(settings):
        raise KafkaTrouble("reaching Kafka: it is away")

    monkeypatch.setattr(topics, "check", away)
    assert main(["topics", "check"]) == 2
    assert capsys.readouterr().err == "tropplein: reaching Kafka: it is away\n"
