"""What docker-compose.yml asks its services, asked of the same parts."""

import re
import subprocess
from urllib.parse import urlsplit

from ruamel.yaml import YAML


def test_the_registrys_health_is_what_compose_asks_for(registry_node, root):
    services = YAML(typ="safe").load((root / "docker-compose.yml").read_text())["services"]
    kind, *command = services["registry"]["healthcheck"]["test"]
    assert (kind, command[0]) == ("CMD", "bash")

    def healthy(port):
        asked = [re.sub(r"(127\.0\.0\.1/)8080", rf"\g<1>{port}", word) for word in command]
        assert asked != command
        return subprocess.run(asked, capture_output=True, timeout=30, check=False).returncode == 0

    assert healthy(urlsplit(registry_node.url).port)
    assert not healthy(1)
