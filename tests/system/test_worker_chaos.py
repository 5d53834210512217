"""A million events while workers are killed, join and leave: the committed topics are the fold of the input."""

import json
import threading
import time

from tests.system.workers import Worker, applied, calls, ends, publish, tropplein, wait_applied

EVENTS = 1_000_000
JOINS = 10
RATE = 8_000


class Progress(threading.Thread):
    """Looks at every partition's marker; `stood_s` is the longest that one stood although events waited."""

    def __init__(self, settings):
        super().__init__(daemon=True)
        self._settings = settings
        self._moved = {}
        self.stood_s = 0.0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(1.0):
            now, goal = applied(self._settings), ends(self._settings)
            for number, offset in now.items():
                before, since = self._moved.get(number, (None, time.monotonic()))
                if offset != before or offset >= goal[number] - 1:
                    self._moved[number] = (offset, time.monotonic())
                else:
                    self.stood_s = max(self.stood_s, time.monotonic() - since)


def test_a_million_events_with_five_kills_and_ten_joins_and_leaves_of_a_second_worker(log_settings, root, tmp_path):
    feed = threading.Thread(
        target=publish, args=(log_settings, calls(root, 40, EVENTS)), kwargs={"rate": RATE}, daemon=True
    )
    progress = Progress(log_settings)
    first = Worker(log_settings, tmp_path, "first").start()
    workers = [first]
    try:
        feed.start()
        first.wait_for("opened")
        progress.start()
        for number in range(JOINS):
            second = Worker(log_settings, tmp_path, f"second-{number}").start()
            workers.append(second)
            second.wait_for("opened")
            time.sleep(1)
            if number % 2:
                first.kill()
                # The other takes over, then it leaves to the killed one's successor.
                first = Worker(log_settings, tmp_path, f"first-{number}").start()
                workers.append(first)
                first.wait_for("opened")
            assert second.leave() == 0
            time.sleep(1)
        feed.join()
        wait_applied(log_settings, [first], timeout_s=300)
        progress.over.set()
        assert first.leave() == 0
        verified = tropplein(log_settings, "replay", "verify", "--json")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        found = json.loads(verified.stdout)
        assert found["events"] >= EVENTS and found["identical"]["decisions"] > EVENTS / 4
        assert progress.stood_s < 30
    finally:
        for worker in workers:
            worker.end()
