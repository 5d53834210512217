"""Workers as processes of their own, logs of events for them, and what their topics say of how far they are."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time

from streams.core.events import CallEvent, ControlEvent, PlanApplied
from streams.kafka import topics
from streams.kafka.events import event_publisher
from streams.kafka.reader import Reader
from streams.plans import compile_plan
from streams.wire import state

T0 = 1_762_000_000_000_000


def plan_of(root, network, *, limit=15):
    plan = compile_plan(root / "deploy" / "plans" / "one-site.yaml", from_at=None)
    return dataclasses.replace(plan, network=network, sites=(dataclasses.replace(plan.sites[0], limit=limit),))


def calls(root, networks, count, seed=1):
    """Plans of the networks, then about `count` events of their calls: questions, answers and endings."""
    draw = random.Random(seed)
    names = [f"net-{number:02d}" for number in range(networks)]
    for name in names:
        yield ControlEvent(name, T0, PlanApplied(plan_of(root, name), 1))
    live = {name: [] for name in names}
    at = T0
    for number in range(count):
        at += draw.randrange(1, 2_000_000)
        name = draw.choice(names)
        if len(live[name]) < 4 or (draw.random() < 0.4 and len(live[name]) < 30):
            live[name].append(f"sw/c{number:x}".translate(LETTERS))
            yield CallEvent(name, "bank", live[name][-1], "OFFERED", at, "sw", asks=True)
        elif draw.random() < 0.5:
            yield CallEvent(name, "bank", draw.choice(live[name]), "ANSWERED", at, "sw")
        else:
            call_id = live[name].pop(draw.randrange(len(live[name])))
            yield CallEvent(name, "bank", call_id, "ENDED", at, "sw")


# A long run of digits in an id would be taken for a telephone number.
LETTERS = str.maketrans("0123456789", "ghijklmnop")


def publish(settings, events, *, rate=None):
    """Append events, at `rate` a second where given."""
    began = time.monotonic()
    with event_publisher(settings) as publisher:
        for number, event in enumerate(events):
            publisher.send(event)
            if rate and number % 100 == 0 and (ahead := number / rate - (time.monotonic() - began)) > 0:
                time.sleep(ahead)


def applied(settings):
    """The last offset each partition's marker covers."""
    found = _markers(settings, 100)
    # The last records may all be of transactions that were aborted.
    return found if len(found) == settings.partitions else dict.fromkeys(ends(settings), -1) | _markers(settings, None)


def _markers(settings, last):
    """The last marker of each partition that has one among its last so many offsets."""
    name, found = settings.topic(topics.STATE), {}
    starts = None if last is None else {number: max(0, end - last) for number, end in ends(settings, name).items()}
    with Reader(settings, name, starts=starts) as reader:
        for run in reader:
            for key, value in zip(run.batch.keys, run.batch.values, strict=True):
                if key == state.MARKER_KEY:
                    found[run.partition] = state.read(key, value).applied
    return found


def ends(settings, name=None):
    with Reader(settings, name or settings.topic(topics.CALL_EVENTS)) as reader:
        return reader.ends


def wait_applied(settings, workers, *, timeout_s=240):
    """Wait until every partition has applied everything there is; a worker that ended meanwhile is a failure."""
    until = time.monotonic() + timeout_s
    goal = ends(settings)
    while True:
        now = applied(settings)
        if all(now[number] >= goal[number] - 1 for number in goal):
            return
        for worker in workers:
            worker.check()
        assert time.monotonic() < until, f"applied {now} of {goal}\n" + "\n".join(each.tail() for each in workers)
        time.sleep(0.5)


class Worker:
    """`tropplein worker` in a process of its own, with its log in a file."""

    def __init__(self, settings, folder, name="worker", **environ):
        self._log = folder / f"{name}.log"
        self._environ = os.environ | environment(settings) | {"TROPPLEIN_METRICS_PORT": "0"} | environ
        self.process = None

    def start(self):
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", "worker"], stdout=out, stderr=subprocess.STDOUT, env=self._environ
            )
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def leave(self):
        """End cleanly; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def proceed(self):
        self.process.send_signal(signal.SIGCONT)

    def check(self):
        assert self.process.poll() is None, f"the worker ended with {self.process.returncode}\n{self.tail()}"

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def wait_for(self, text, timeout_s=120):
        until = time.monotonic() + timeout_s
        while text not in self.log():
            assert time.monotonic() < until, f"{text!r} was not said\n{self.tail()}"
            time.sleep(0.1)

    def tail(self):
        return "\n".join(self.log().splitlines()[-30:])

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()


def environment(settings):
    return {
        "TROPPLEIN_BROKERS": settings.brokers,
        "TROPPLEIN_PREFIX": settings.prefix,
        "TROPPLEIN_PARTITIONS": str(settings.partitions),
        "TROPPLEIN_APP": settings.app,
        "TROPPLEIN_REGISTRY_URL": settings.registry_url,
        "TROPPLEIN_OUTPUTS": ",".join(settings.outputs),
        "TROPPLEIN_SESSION_TIMEOUT_S": "6",
    }


def tropplein(settings, *words):
    """Run a command; returns the finished process, its output captured."""
    return subprocess.run(
        [sys.executable, "-m", "streams", *words],
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
