"""A real Prometheus that scrapes as docker-compose.yml's does, but for where the worker is and how often."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ruamel.yaml import YAML

from tests.system.nodes import ROOT, Process, free_ports

CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`: from PATH, or .parts/bin in the checkout."""
    found = shutil.which(name) or shutil.which(name, path=ROOT / ".parts" / "bin")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: run `make parts`")
    return found


def promtool(*words: str, stdin: str = "") -> str:
    """What promtool says, which must be content."""
    done = subprocess.run(
        [program("promtool"), *words], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class PrometheusNode(Process):
    """Scrapes one worker's pages on loopback every second."""

    def __init__(self, folder: Path, port: int):
        super().__init__(folder, "prometheus", self._answers)
        (own,) = free_ports(1)
        self.url = f"http://127.0.0.1:{own}"
        yaml = YAML(typ="safe")
        config = yaml.load(CONFIG.read_text())
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        (job,) = config["scrape_configs"]
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
        file = folder / "prometheus.yml"
        with file.open("w") as out:
            yaml.dump(config, out)
        self.run(
            program("prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{own}",
        )

    def query(self, expression: str) -> list[dict]:
        """The result of an instant query; an expression that is none fails."""
        body = urllib.parse.urlencode({"query": expression}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query", body, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from None

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
