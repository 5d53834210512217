"""A real Schema Registry: register, translate, refuse what is incompatible, and be down."""

import dataclasses
import json
import time
import urllib.request

import pytest

from streams.kafka.clients import KafkaTrouble
from streams.kafka.registry import Registry, RegistryDown
from streams.settings import Settings
from streams.wire.contract import CONTRACT, Contract, Schema


@pytest.fixture
def settings(registry_node, request):
    return Settings(registry_url=registry_node.url, prefix=f"{request.node.name[:40]}.")


def test_every_schema_is_registered_and_every_number_translates_to_its_fingerprint(settings):
    registry = Registry(settings)
    assert any("is not registered" in sentence for sentence in registry.check())
    with pytest.raises(KafkaTrouble, match="run `tropplein schemas register`"):
        registry.ids()
    ids = registry.register()
    assert {"CallEvent", "ControlEvent", "Decision", "CallRecord", "SiteState", "DeadLetter"} <= set(ids)
    assert registry.register() == ids == registry.ids()
    assert registry.check() == []
    for name, number in ids.items():
        assert registry.fingerprint(number) == CONTRACT.newest(name).fingerprint
    assert registry.subjects()[0].name == f"{settings.prefix}call-events-tropplein.CallEvent"


def test_a_number_nobody_registered_and_a_schema_of_somebody_else_are_none_of_ours(settings, registry_node):
    assert Registry(settings).fingerprint(99_999) is None
    body = json.dumps({"schema": '{"type":"record","name":"Other","fields":[]}', "schemaType": "AVRO"}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    request = urllib.request.Request(f"{registry_node.url}/subjects/other/versions", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        number = json.loads(answer.read())["id"]
    translated = Registry(settings).fingerprint(number)
    assert translated is not None
    assert CONTRACT.by_fingerprint(translated) is None


class Changed(Contract):
    """The contract with one more version of one record."""

    def __init__(self, record, change):
        super().__init__()
        source = json.loads(json.dumps(self.newest(record).source))
        change(source["fields"])
        self._versions[record].append(Schema(record, 2, source))


def test_a_version_that_cannot_read_older_records_is_refused_by_the_registry(settings):
    Registry(settings).register()
    worse = Changed("DeadLetter", lambda fields: fields.append({"name": "must", "type": "string"}))
    with pytest.raises(KafkaTrouble, match=r"refuses .*DeadLetter.*HTTP 409"):
        Registry(settings, contract=worse).register()
    better = Changed(
        "DeadLetter", lambda fields: fields.append({"name": "may", "type": ["null", "int"], "default": None})
    )
    assert Registry(settings, contract=better).register()["DeadLetter"] > 0
    assert Registry(settings, contract=better).check() == []


def test_a_registry_that_is_down_says_so_soon_and_answers_again_later(settings, registry_node):
    registry = Registry(settings, timeout_s=1)
    ids = registry.register()
    registry_node.pause()
    try:
        begun = time.monotonic()
        with pytest.raises(RegistryDown, match="does not answer"):
            registry.fingerprint(ids["CallEvent"])
        assert time.monotonic() - begun < 3
    finally:
        registry_node.proceed()
    until = time.monotonic() + 20
    while True:
        try:
            assert registry.fingerprint(ids["CallEvent"]) == CONTRACT.newest("CallEvent").fingerprint
            break
        except RegistryDown:
            assert time.monotonic() < until
    nowhere = dataclasses.replace(settings, registry_url="http://127.0.0.1:1")
    with pytest.raises(RegistryDown):
        Registry(nowhere).check()
