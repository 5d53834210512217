"""The registry's translator against a small stand-in that answers as it is told; the real one is a system test."""

import dataclasses
import http.server
import json
import threading

import pytest

from streams.kafka.clients import KafkaTrouble
from streams.kafka.registry import NO_AVRO, Registry, RegistryDown, Translations
from streams.settings import Secret, Settings
from streams.wire.contract import CONTRACT


class StandIn(http.server.BaseHTTPRequestHandler):
    """Answers each path as `answers` says: (status, body); anything else is 404."""

    answers: dict[str, tuple[int, bytes]]
    seen: list[tuple[str, str | None]]

    def do_GET(self):
        self.seen.append((self.path, self.headers.get("Authorization")))
        status, body = self.answers.get(self.path, (404, b"{}"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815 -- the names the server calls

    def log_message(self, *_):
        """Stay quiet."""


@pytest.fixture
def stand_in():
    handler = type("Handler", (StandIn,), {"answers": {}, "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}/api"
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def registry(stand_in, **changes):
    return Registry(Settings(registry_url=stand_in.url, **changes), timeout_s=1)


def answer(stand_in, number, body, status=200):
    stand_in.answers[f"/api/schemas/ids/{number}"] = (
        status,
        body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def test_a_number_is_translated_to_the_fingerprint_of_its_schema(stand_in):
    schema = CONTRACT.newest("CallEvent")
    answer(stand_in, 7, {"schema": json.dumps(schema.source)})
    assert registry(stand_in).fingerprint(7) == schema.fingerprint


def test_what_is_no_avro_schema_is_none_of_ours_and_an_unknown_number_is_none(stand_in):
    answer(stand_in, 1, {"schema": 'syntax = "proto3";', "schemaType": "PROTOBUF"})
    answer(stand_in, 2, {"schema": '{"type": "object"}', "schemaType": "JSON"})
    answer(stand_in, 3, {})
    assert [registry(stand_in).fingerprint(number) for number in (1, 2, 3)] == [NO_AVRO] * 3
    assert CONTRACT.by_fingerprint(NO_AVRO) is None
    assert registry(stand_in).fingerprint(4) is None


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (503, b""), (200, b"<html>welcome</html>")])
def test_a_registry_with_troubles_of_its_own_is_down(stand_in, status, body):
    answer(stand_in, 1, body, status)
    with pytest.raises(RegistryDown):
        registry(stand_in).fingerprint(1)


def test_a_registry_that_refuses_the_login_is_not_down_but_wrongly_set(stand_in):
    answer(stand_in, 1, {"message": "no"}, 401)
    given = registry(stand_in, registry_user="w", registry_password=Secret("canary"))
    with pytest.raises(KafkaTrouble, match="check registry_user and registry_password") as caught:
        given.fingerprint(1)
    assert "canary" not in str(caught.value)
    assert stand_in.seen[-1][1].startswith("Basic ")


def test_one_that_is_not_there_is_down():
    with pytest.raises(RegistryDown, match="does not answer"):
        Registry(Settings(registry_url="http://127.0.0.1:1"), timeout_s=1).fingerprint(1)


def test_without_a_url_there_is_nobody_to_ask():
    with pytest.raises(KafkaTrouble, match="registry_url is not set"):
        Registry(Settings())


def test_subjects_are_named_by_topic_and_record(stand_in):
    names = [subject.name for subject in registry(stand_in, prefix="blue.").subjects()]
    assert "blue.call-events-tropplein.CallEvent" in names
    assert "blue.call-events-tropplein.ControlEvent" in names
    assert "blue.decisions-tropplein.Decision" in names
    assert not [name for name in names if "State" in name and "SiteState" not in name]


def test_what_is_missing_or_set_otherwise_is_said(stand_in):
    given = registry(stand_in)
    for subject in given.subjects():
        stand_in.answers[f"/api/subjects/{subject.name}"] = (200, b'{"id": 5}')
        stand_in.answers[f"/api/config/{subject.name}?defaultToGlobal=true"] = (
            200,
            b'{"compatibilityLevel": "BACKWARD_TRANSITIVE"}',
        )
    assert given.check() == []
    assert set(given.ids().values()) == {5}
    del stand_in.answers["/api/subjects/decisions-tropplein.Decision"]
    stand_in.answers["/api/config/site-state-tropplein.SiteState?defaultToGlobal=true"] = (
        200,
        b'{"compatibilityLevel": "NONE"}',
    )
    assert given.check() == [
        "decisions-tropplein.Decision: version 1 is not registered",
        "site-state-tropplein.SiteState: compatibility is NONE, must be BACKWARD_TRANSITIVE",
    ]
    with pytest.raises(KafkaTrouble, match=r"decisions-tropplein.Decision is not registered"):
        given.ids()


def test_https_uses_the_settings_authority(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    settings = Settings(registry_url="https://127.0.0.1:1")
    with pytest.raises(RegistryDown):
        Registry(settings, timeout_s=1).fingerprint(1)
    with pytest.raises(KafkaTrouble, match="cannot be used"):
        Registry(dataclasses.replace(settings, ca_file=str(path)))


def test_a_table_of_translations_asks_once_about_each_number(stand_in):
    schema = CONTRACT.newest("Decision")
    answer(stand_in, 7, {"schema": json.dumps(schema.source)})
    table = Translations(Settings(registry_url=stand_in.url))
    assert table[7] == table[7] == table.get(7) == schema.fingerprint
    assert table.get(8) is None
    assert dict(table) == {7: schema.fingerprint}
    assert [path for path, _ in stand_in.seen].count("/api/schemas/ids/7") == 1
    assert Translations(Settings()).get(7) is None
