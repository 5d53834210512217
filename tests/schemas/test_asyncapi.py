"""The AsyncAPI document says what is so: topics, keys, partitioner, headers and schemas."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.kafka import clients, topics
from streams.settings import Settings
from streams.wire import dead_letters
from streams.wire.contract import CONTRACT, FOLDER
from tests.schemas.landed import LETTER, stem

FILE = FOLDER / "asyncapi.yaml"
DOCUMENT = YAML(typ="safe").load(FILE.read_text())
CHANNELS = DOCUMENT["channels"]
MESSAGES = DOCUMENT["components"]["messages"]
PARSER = Path(__file__).parents[2] / ".parts" / "asyncapi"


def at(pointer):
    """What an internal reference points to."""
    found = DOCUMENT
    for step in pointer.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part):
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def topic_of(channel):
    return channel["address"].removeprefix("{prefix}")


def messages_of(channel):
    return {reference["$ref"].rpartition("/")[2] for reference in channel["messages"].values()}


def test_every_reference_leads_somewhere():
    for reference in references(DOCUMENT):
        if reference.startswith("#"):
            assert at(reference)
        else:
            assert (FOLDER / reference).is_file(), reference


def test_its_topics_are_the_topics():
    assert sorted(map(topic_of, CHANNELS.values())) == sorted(topics.KINDS)
    assert all(channel["address"].startswith("{prefix}") for channel in CHANNELS.values())


def test_its_topics_settings_are_the_defaults():
    created = {topic.name: topic for topic in topics.topics(Settings())}
    for channel in CHANNELS.values():
        kafka = channel["bindings"]["kafka"]
        topic = created[Settings().topic(topic_of(channel))]
        assert kafka["partitions"] == topic.partitions
        assert kafka["topicConfiguration"]["cleanup.policy"] == [topic.config["cleanup.policy"]]


def test_its_partitioner_is_the_producers():
    partitioners = {topic_of(channel): channel["x-partitioner"] for channel in CHANNELS.values()}
    assert partitioners.pop("call-events") == clients.producer_config(Settings())["partitioner"]
    assert set(partitioners.values()) == {"source"}
    assert "partitioner=murmur2_random" in DOCUMENT["info"]["description"]


def test_every_record_of_the_contract_is_the_message_of_one_topic():
    carried = [message for channel in CHANNELS.values() for message in messages_of(channel)]
    assert sorted(carried) == sorted(MESSAGES) == list(CONTRACT.names)


@pytest.mark.parametrize("name", CONTRACT.names)
def test_each_message_is_described_by_the_newest_schema_of_its_record(name):
    message = MESSAGES[name]
    assert message["name"] == CONTRACT.newest(name).full_name
    assert message["payload"]["schema"] == {"$ref": f"./{stem(CONTRACT.newest(name))}.avsc"}
    assert message["payload"]["schemaFormat"].startswith("application/vnd.apache.avro")
    assert message["bindings"]["kafka"]["key"]["description"]


def test_the_headers_of_a_dead_letter_are_those_it_has():
    headers = MESSAGES["DeadLetter"]["headers"]
    written = dict(dead_letters.headers(LETTER))
    assert list(headers["properties"]) == headers["required"] == list(written)
    for name, described in headers["properties"].items():
        assert re.search(described.get("pattern", ""), written[name].decode())


def test_each_topic_is_written_or_read_by_the_worker():
    used = {(operation["action"], operation["channel"]["$ref"]) for operation in DOCUMENT["operations"].values()}
    assert {channel for _, channel in used} == {f"#/channels/{name}" for name in CHANNELS}
    assert {action for action, _ in used} == {"send", "receive"}


CHECK = """
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";
const file = process.argv[2];
const found = await new Parser().validate(await readFile(file, "utf8"), { source: file });
console.log(JSON.stringify(found.filter((one) => one.severity === 0).map((one) => one.message)));
"""


def faults(tmp_path, text):
    """What the official parser finds wrong with a document that stands beside the schemas."""
    for path in FOLDER.glob("*.avsc"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "asyncapi.yaml").write_text(text)
    script = tmp_path / "check.mjs"
    script.write_text(CHECK)
    (tmp_path / "node_modules").symlink_to(PARSER / "node_modules")
    command = ["node", str(script), str(tmp_path / "asyncapi.yaml")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


@pytest.mark.system
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), None),
        (("action: receive", "action: listen"), "allowed values"),
        (("#/channels/decisions", "#/channels/verdicts"), "does not exist"),
        (("./decision.v1.avsc", "./decision.v0.avsc"), "decision.v0"),
    ],
)
def test_the_official_parser_finds_no_fault_and_would_find_one(tmp_path, change, words):
    if not (PARSER / "node_modules").is_dir():
        pytest.skip(f"no AsyncAPI parser in {PARSER}; `make parts` fetches it")
    found = faults(tmp_path, FILE.read_text().replace(*change))
    assert found == [] if words is None else words in " ".join(found), found
