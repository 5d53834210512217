"""Settings: one frozen value from the environment and one file, refusals as sentences."""

import pickle

import pytest

from streams import settings
from streams.settings import Secret, Settings, SettingsError


def read(tmp_path, environ=None, text=None):
    path = None
    if text is not None:
        path = tmp_path / "tropplein.toml"
        path.write_text(text)
    return settings.read(environ=environ or {}, file=path and str(path))


def refusals(tmp_path, environ=None, text=None):
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, environ, text)
    return "\n".join(caught.value.refusals)


def test_without_anything_the_defaults_reach_a_broker_on_this_machine(tmp_path):
    reading = read(tmp_path)
    assert reading.settings == Settings()
    assert reading.settings.protocol == "PLAINTEXT"
    assert set(reading.sources.values()) == {"default"}


def test_the_same_names_work_in_the_file_and_in_the_environment_and_the_environment_wins(tmp_path):
    text = 'partitions = 4\nprefix = "file."\noutputs = ["decisions"]\nsnapshot_s = 2'
    reading = read(tmp_path, {"TROPPLEIN_PREFIX": "env.", "TROPPLEIN_TRANSACTION_MS": "50"}, text)
    assert (reading.settings.partitions, reading.settings.prefix) == (4, "env.")
    assert (reading.settings.outputs, reading.settings.snapshot_s) == (("decisions",), 2.0)
    assert reading.settings.transaction_ms == 50
    assert reading.sources["partitions"].endswith("tropplein.toml")
    assert reading.sources["prefix"] == "TROPPLEIN_PREFIX"
    assert reading.settings.topic("decisions") == "env.decisions"


def test_the_file_can_be_named_by_the_environment(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('app = "other"')
    assert settings.load(environ={"TROPPLEIN_SETTINGS": str(path)}).app == "other"


def test_an_outputs_list_in_the_environment_is_separated_by_commas(tmp_path):
    reading = read(tmp_path, {"TROPPLEIN_OUTPUTS": "decisions, site-state"})
    assert reading.settings.outputs == ("decisions", "site-state")


def test_a_secret_never_prints_and_never_pickles(tmp_path):
    given = read(
        tmp_path,
        {
            "TROPPLEIN_SECURITY_PROTOCOL": "SASL_SSL",
            "TROPPLEIN_SASL_USERNAME": "w",
            "TROPPLEIN_SASL_PASSWORD": "canary",
        },
    ).settings
    assert given.sasl_password.reveal() == "canary"
    assert "canary" not in f"{given!r} {given} {given.sasl_password} {given.sasl_password!r}"
    with pytest.raises(TypeError):
        pickle.dumps(given)


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path):
    path = tmp_path / "password"
    path.write_text("canary\n")
    environ = {"TROPPLEIN_SECURITY_PROTOCOL": "SASL_SSL", "TROPPLEIN_SASL_USERNAME": "w"}
    reading = read(tmp_path, {**environ, "TROPPLEIN_SASL_PASSWORD_FILE": str(path)})
    assert reading.settings.sasl_password == Secret("canary")
    assert reading.sources["sasl_password"] == f"TROPPLEIN_SASL_PASSWORD_FILE ({path})"
    said = refusals(tmp_path, {**environ, "TROPPLEIN_SASL_PASSWORD_FILE": str(tmp_path / "absent")})
    assert "sasl_password_file (TROPPLEIN_SASL_PASSWORD_FILE) names a file that cannot be read" in said


def test_a_secret_given_in_both_ways_at_once_is_refused_but_the_environment_replaces_the_files_way(tmp_path):
    path = tmp_path / "password"
    path.write_text("from-file")
    both = {"TROPPLEIN_REGISTRY_PASSWORD": "x", "TROPPLEIN_REGISTRY_PASSWORD_FILE": str(path)}
    assert "registry_password and registry_password_file are both set" in refusals(tmp_path, both)
    text = f'registry_user = "u"\nregistry_password_file = "{path}"'
    assert read(tmp_path, {}, text).settings.registry_password == Secret("from-file")
    environ = {"TROPPLEIN_REGISTRY_PASSWORD": "from-env"}
    assert read(tmp_path, environ, text).settings.registry_password == Secret("from-env")


def test_no_refusal_quotes_a_secret(tmp_path):
    text = 'sasl_password = ["canary"]\nsasl_username = "w"'
    said = refusals(tmp_path, {}, text)
    assert "sasl_password" in said
    assert "canary" not in said


@pytest.mark.parametrize(
    "broker", ["kafka.example:9092", "10.0.0.5:9092", "127.0.0.1:9092,kafka:9092", "[2001:db8::1]:9092"]
)
def test_plaintext_away_from_this_machine_must_be_stated(broker):
    with pytest.raises(SettingsError, match="security_protocol is not stated"):
        Settings(brokers=broker)
    assert Settings(brokers=broker, security_protocol="PLAINTEXT").protocol == "PLAINTEXT"


@pytest.mark.parametrize("broker", ["localhost:9092", "127.0.0.1:1", "127.9.9.9:9092", "[::1]:9092"])
def test_a_broker_on_this_machine_needs_no_statement(broker):
    assert Settings(brokers=broker).protocol == "PLAINTEXT"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"brokers": "localhost"}, "brokers is 'localhost': give host:port"),
        ({"brokers": ""}, "give host:port"),
        ({"prefix": "a b"}, "prefix is 'a b'"),
        ({"partitions": 0}, "partitions is 0"),
        ({"replication": 1}, "min_insync is 2 and replication 1"),
        ({"retention_s": 0}, "retention_s is 0"),
        ({"security_protocol": "TLS"}, "must be one of PLAINTEXT, SSL"),
        ({"security_protocol": "SASL_SSL"}, "set sasl_username and sasl_password"),
        ({"sasl_username": "w"}, "state SASL_SSL"),
        ({"sasl_mechanism": "GSSAPI"}, "sasl_mechanism is 'GSSAPI'"),
        ({"cert_file": "/a", "security_protocol": "SSL"}, "cert_file and key_file belong together"),
        ({"ca_file": "/nowhere/ca.pem"}, "there is no such file"),
        ({"registry_url": "localhost:8081"}, "must begin with http"),
        ({"registry_user": "w"}, "registry_user and registry_password belong together"),
        (
            {"registry_user": "w", "registry_password": Secret("x"), "registry_url": "http://registry:8081"},
            "registry_password would go to registry in clear",
        ),
        ({"app": "a b"}, "app is 'a b'"),
        ({"outputs": ()}, "one or more of"),
        ({"outputs": ("decisions", "calls")}, "one or more of"),
        ({"transaction_ms": 1}, "transaction_ms is 1: it must be between 10 and 5000"),
        ({"metrics_port": 70_000}, "metrics_port is 70000"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(values, sentence):
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    assert sentence in str(caught.value)


def test_all_refusals_come_at_once(tmp_path):
    text = 'partition = 4\ntransaction_ms = "soon"\nsnapshot_s = true'
    said = refusals(tmp_path, {}, text).splitlines()
    assert len(said) == 3
    assert "partition is no setting; did you mean partitions?" in said[0]
    assert "transaction_ms" in said[1] and "must be a whole number" in said[1]
    assert "must be a number" in said[2]


def test_a_file_that_is_absent_or_no_toml_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(environ={}, file="/nowhere")
    assert "is not TOML" in refusals(tmp_path, {}, "a = ")


def test_a_variable_that_is_no_setting_is_reported_and_not_refused(tmp_path):
    reading = read(tmp_path, {"TROPPLEIN_SERVICE_HOST": "10.0.0.1", "TROPPLEIN_BROKER": "x", "PATH": "/bin"})
    assert reading.ignored == ("TROPPLEIN_BROKER", "TROPPLEIN_SERVICE_HOST")
    assert settings.nearest("TROPPLEIN_BROKER") == "brokers"
