"""A worker as a child process, and what the kernel says it has used."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, Self

from streams.cli import Refusal
from streams.settings import PREFIX, Settings

STOP_S: Final = 15
"""How long a worker may take to stop before it is killed."""

_LINES_TOLD: Final = 5


class Worker:
    """`tropplein worker` in a process of its own; a context manager that stops it.

    It takes its settings as this process did, with those of ``settings`` before them that a measurement changes.
    """

    def __init__(self, settings: Settings, file: str | None) -> None:
        """Start it. ``file`` is the settings file this process was given."""
        self._folder = tempfile.TemporaryDirectory(prefix="tropplein-bench-")
        self._log = Path(self._folder.name) / "log"
        changed = {
            "brokers": settings.brokers,
            "prefix": settings.prefix,
            "app": settings.app,
            "partitions": str(settings.partitions),
            "outputs": ",".join(settings.outputs),
            "metrics_port": "0",
            "data_dir": self._folder.name,
        }
        named = {PREFIX + name.upper(): value for name, value in changed.items()}
        # The same installation as this process's: without -P the folder it is started in would come first.
        path = ["-P"] if sys.flags.safe_path else []
        words = [sys.executable, *path, "-m", "streams", "worker", "--log", "warning"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*words, "--settings", file] if file else words,
                env={**os.environ, **named},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def ended(self) -> bool:
        """Whether the process is gone, which nobody asked for."""
        return self._process.poll() is not None

    def cpu_s(self) -> float:
        """Return the CPU seconds it has used so far, user and system, all its threads together."""
        # The process's name stands in brackets and may hold anything, so fields are counted behind it.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Return the most memory it has had in use so far (resident, in MB)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM"))

    def refusal(self, what: str) -> Refusal:
        """Return what to raise when it did not do ``what``, with the end of what it logged."""
        last = self._log.read_text(errors="replace").splitlines()[-_LINES_TOLD:]
        gone = "the worker has ended" if self.ended else "the worker makes no progress"
        return Refusal("\n".join([f"{what}: {gone}; the end of its log:", *last]))
