"""What a worker's parts make of a registry's answers."""

import pytest

from streams.kafka.clients import KafkaTrouble
from streams.kafka.registry import Registry, RegistryDown
from streams.settings import Settings
from streams.worker.parts import Parts


@pytest.mark.parametrize(
    ("answer", "asked"),
    [(77, 77), (None, 0), (RegistryDown("it is away"), None), (KafkaTrouble("it refuses the login"), None)],
)
def test_only_a_registry_that_answers_says_what_an_id_stands_for(monkeypatch, answer, asked):
    def fingerprint(self, schema_id):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Registry, "fingerprint", fingerprint)
    assert Parts(Settings(registry_url="http://127.0.0.1:1"))._ask(5) == asked


def test_without_a_registry_an_id_is_nobodys():
    assert Parts(Settings())._ask(5) == 0
