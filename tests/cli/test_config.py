"""`tropplein config` shows every setting, its source and its meaning, and no secret."""

import json

import pytest

from streams.cli import main
from streams.settings import meanings


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("TROPPLEIN_")]:
        monkeypatch.delenv(name)


def test_every_setting_is_printed_with_value_source_and_meaning(capsys, monkeypatch):
    monkeypatch.setenv("TROPPLEIN_APP", "calls")
    monkeypatch.setenv("TROPPLEIN_PARTITION", "4")
    assert main(["config"]) == 0
    printed = capsys.readouterr().out
    for name, meaning in meanings().items():
        assert f"{name} = " in printed and meaning in printed
    assert "app = calls" in printed and "from TROPPLEIN_APP" in printed
    assert "TROPPLEIN_PARTITION is set but is no setting; did you mean TROPPLEIN_PARTITIONS?" in printed


def test_machines_get_json_without_secrets(capsys, monkeypatch, tmp_path):
    file = tmp_path / "s.toml"
    file.write_text('security_protocol = "SASL_SSL"\nsasl_username = "w"\nsasl_password = "canary"')
    assert main(["config", "--json", "--settings", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "canary" not in printed
    rows = {row["name"]: row for row in json.loads(printed)["settings"]}
    assert rows["sasl_password"]["value"] == "(set)"
    assert rows["sasl_username"]["source"] == str(file)
    assert rows["outputs"]["value"] == ["decisions", "call-records", "site-state"]


def test_settings_that_cannot_be_used_are_refused(capsys, monkeypatch):
    monkeypatch.setenv("TROPPLEIN_BROKERS", "kafka.example:9092")
    assert main(["config"]) == 2
    assert "tropplein: brokers names kafka.example:9092, which is not this machine" in capsys.readouterr().err
