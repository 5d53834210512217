"""The pages answer what they are for, on loopback, and nothing else."""

import gzip
import http.client
import json
import socket
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from streams.metrics import http as pages_module
from streams.metrics.http import Pages
from streams.settings import Secret, Settings
from tests.metrics.worker_of_tests import BOUNDS, Worker


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def get(worker):
    """Get a path of a worker's pages; gives status, headers and body."""
    started = []

    def get(path, method="GET", settings=None, **headers):
        if not started:
            pages = Pages(settings or Settings(metrics_port=0), worker, bounds=BOUNDS)
            pages.start()
            started.append(pages)
        address = urlsplit(started[0].url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    get.started = started
    yield get
    for pages in started:
        pages.stop()


def test_the_metrics_come_as_text_and_as_openmetrics(get):
    status, headers, body = get("/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"tropplein_partition_applied_offset" in body and b"process_resident_memory_bytes" in body
    status, headers, body = get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    status, headers, body = get("/metrics", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip" and b"tropplein_" in gzip.decompress(body)


def test_health_is_being_alive(get, worker):
    worker.ready = False
    assert get("/healthz")[::2] == (200, b"alive\n")


def test_readiness_lists_halted_partitions_and_why(get, worker):
    status, _, body = get("/readyz")
    assert (status, json.loads(body)["partitions"]) == (200, {"3": "running"})
    worker.ready = False
    worker.partition.phase, worker.partition.halted = "halted", SimpleNamespace(reason="TORN")
    worker.troubles = ["partition 3 is torn: run `tropplein state rebuild --partition 3`"]
    status, _, body = get("/readyz")
    assert status == 503
    assert json.loads(body) == {
        "ready": False,
        "partitions": {"3": "halted"},
        "halted": {"3": "TORN"},
        "troubles": worker.troubles,
    }


def test_with_a_token_the_metrics_want_it_and_readiness_says_less_without(get, worker):
    settings = Settings(metrics_port=0, metrics_token=Secret("word"))
    status, headers, body = get("/metrics", settings=settings)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and b"tropplein_" not in body
    assert get("/metrics", Authorization="Bearer wor")[0] == 401
    assert get("/metrics", Authorization="Bearer wörd")[0] == 401
    assert get("/metrics", Authorization="Bearer word")[0] == 200
    assert "troubles" not in json.loads(get("/readyz")[2])
    assert "troubles" in json.loads(get("/readyz", Authorization="Bearer word")[2])
    assert get("/healthz")[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metrics/x", "/../etc/passwd", "/favicon.ico"])
def test_no_other_path_answers(get, path):
    assert get(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_taken(get, method):
    assert get("/metrics", method)[0] == 405


def test_only_loopback_is_listened_on(get):
    get("/healthz")
    assert urlsplit(get.started[0].url).hostname == "127.0.0.1"


def test_a_connection_that_says_nothing_is_ended(get, monkeypatch):
    monkeypatch.setattr(pages_module, "CONNECTION_S", 0.2)
    get("/healthz")
    address = urlsplit(get.started[0].url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as silent:
        silent.sendall(b"GET /metrics HT")
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 3


def test_a_connection_serves_one_request(get):
    assert get("/metrics")[1]["Connection"] == "close"


def test_a_port_in_use_is_an_error_at_once_and_a_stopped_server_is_gone(worker):
    first = Pages(Settings(metrics_port=0), worker, bounds=BOUNDS)
    with first:
        port = urlsplit(first.url).port
        with pytest.raises(OSError, match="in use"):
            Pages(Settings(metrics_port=port), worker, bounds=BOUNDS).start()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_page_that_cannot_be_made_is_an_error_and_the_next_one_is_not(get, worker):
    owned, worker.owned = worker.owned, None
    assert get("/metrics")[0] == 500
    worker.owned = owned
    assert get("/metrics")[0] == 200
