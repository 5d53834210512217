"""A real Prometheus takes what a real worker shows, and every query of the dashboards finds something in it."""

import math
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.kafka.events import event_publisher
from streams.plans import compile_plan
from tests.deploy.dashboards import FILES, expressions, filled, load
from tests.system.nodes import free_ports
from tests.system.prometheus_node import CONFIG, PrometheusNode, promtool

WAIT_S = 90


def page(port, path="/metrics"):
    """A page of the process on this port; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError):
        return ""


def value(text, name, **labels):
    """The sum of a metric's samples that have these labels; None where there is none."""
    wanted = {f'{label}="{each}"' for label, each in labels.items()}
    found = [
        float(number)
        for given, number in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
        if wanted <= set(re.findall(r'\w+="[^"]*"', given))
    ]
    return sum(found) if found else None


def until(found, what):
    """Ask until the answer is true; gives it."""
    end = time.monotonic() + WAIT_S
    while not (answer := found()):
        assert time.monotonic() < end, f"not within {WAIT_S} s: {what}"
        time.sleep(0.2)
    return answer


class Command:
    """`tropplein …` in a process of its own, with its output in a file."""

    def __init__(self, log, *words, **settings):
        self.log = log
        clean = {name: each for name, each in os.environ.items() if not name.startswith("TROPPLEIN_")}
        given = {f"TROPPLEIN_{name.upper()}": str(each) for name, each in settings.items()}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", *words], env=clean | given, stdout=out, stderr=subprocess.STDOUT
            )

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def test_the_configuration_is_one_that_prometheus_takes():
    assert "SUCCESS" in promtool("check", "config", str(CONFIG))


def test_every_expression_of_the_dashboards_finds_data_under_the_demo(tmp_path):
    (port,) = free_ports(1)
    demo = Command(tmp_path / "demo.log", "demo", "--exit", "--json", metrics_port=port)
    prometheus = None
    try:
        prometheus = PrometheusNode(tmp_path, port)
        until(lambda: value(page(port), "tropplein_decisions_total", verdict="OVERFLOW"), demo.log.read_text())
        promtool("check", "metrics", stdin=page(port))
        missing = [each for file in FILES for each in expressions(load(file))]
        assert len(missing) > 30

        def all_found():
            assert demo.process.poll() is None, f"the demo is over, and nothing was found for {missing}"
            missing[:] = [
                (title, expr)
                for title, expr in missing
                if all(math.isnan(float(each["value"][1])) for each in prometheus.query(filled(expr)))
            ]
            return not missing

        until(all_found, missing)
        (up,) = prometheus.query("up")
        assert up["value"][1] == "1"
    finally:
        if prometheus is not None:
            prometheus.stop()
        demo.end(signal.SIGINT)


@pytest.fixture
def bank(log_settings, root):
    """Send events of the network `bank` to the log of this test."""
    plan = compile_plan(root / "deploy" / "plans" / "one-site.yaml", from_at=None)
    at = 1_700_000_000_000_000
    with event_publisher(log_settings) as publisher:
        publisher.send(ControlEvent(plan.network, at, PlanApplied(plan, 1)))

        def send(numbers, kind="OFFERED"):
            for number in numbers:
                asks = kind == "OFFERED"
                publisher.send(CallEvent(plan.network, "bank", f"sw/{number}", kind, at + number, "sw", asks=asks))
            publisher.flush()

        yield send


def test_a_killed_worker_comes_back_with_its_calls_and_counts_from_zero(bank, log_settings, tmp_path):
    (port,) = free_ports(1)
    names = ("brokers", "prefix", "partitions", "app", "replication", "min_insync")
    kept = {name: getattr(log_settings, name) for name in names}
    kept |= {"metrics_port": port, "data_dir": tmp_path, "session_timeout_s": 6}
    log = tmp_path / "worker.log"
    bank(range(40))
    worker = Command(log, "worker", **kept)
    try:
        until(lambda: value(page(port), "tropplein_decisions_total", network="bank") == 40, f"see {log}")
        until(lambda: '"ready": true' in page(port, "/readyz"), "ready")
        assert value(page(port), "tropplein_calls_in_progress", target="bank", kind="site") == 15
        time.sleep(1.5)  # a transaction and a snapshot
        worker.end(signal.SIGKILL)
        worker = Command(log, "worker", **kept)
        text = until(
            lambda: (text := page(port)) and value(text, "tropplein_calls_in_progress", target="bank") and text,
            f"see {log}",
        )
        assert value(text, "tropplein_calls_in_progress", target="bank", kind="site") == 15
        assert value(text, "tropplein_decisions_total", network="bank") == 0
        bank(range(40, 47))
        until(lambda: value(page(port), "tropplein_decisions_total", network="bank") == 7, f"see {log}")
        assert value(page(port), "tropplein_outputs_total", topic="decisions") == 7
        latencies = value(page(port), "tropplein_decision_latency_seconds_count")
        assert latencies == 7
        assert worker.end() == 0
    finally:
        worker.end(signal.SIGKILL)
