"""docker-compose.yml and what it mounts fit together and fit the code, as far as can be said without an engine."""

import argparse
import importlib
import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from streams.cli import WORDS
from streams.settings import Settings, read


def load(path):
    return YAML(typ="safe").load(path.read_text())


@pytest.fixture(scope="module")
def compose():
    from tests.conftest import ROOT

    return load(ROOT / "docker-compose.yml")


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def depends_on(service):
    wanted = service.get("depends_on", {})
    return wanted if isinstance(wanted, dict) else {name: {"condition": "service_started"} for name in wanted}


def test_the_services_are_those_the_readme_names(services):
    assert set(services) == {
        *("kafka", "registry", "topics", "schemas", "plan", "worker", "prometheus", "grafana"),
    }


def test_every_dependency_exists_and_can_come_true_and_there_is_no_ring(services):
    order = []
    while len(order) < len(services):
        free = [name for name in services if name not in order and set(depends_on(services[name])) <= set(order)]
        assert free, f"a ring, or a name that is no service, behind {order}"
        order += free
    for name, service in services.items():
        for other, how in depends_on(service).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}, which nobody looks at"
            if how["condition"] == "service_completed_successfully":
                assert services[other].get("restart", "no") == "no", f"{other} never completes"


def test_every_mount_exists_and_every_volume_is_declared_and_used(compose, services, root):
    named = set()
    for service in services.values():
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            assert PurePosixPath(target).is_absolute()
            if source.startswith("./"):
                assert (root / source).exists(), source
                assert mode == ["ro"], f"{volume} could change the checkout"
            else:
                named.add(source)
    assert named == set(compose["volumes"])


def test_ports_are_published_on_loopback_only_and_each_once(services):
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    assert len({port.split(":")[1] for port in published}) == len(published)
    assert "127.0.0.1:9092:9092" in published, "the settings' default broker"
    assert not services["worker"].get("ports"), "several workers cannot publish one port"


def test_every_image_has_a_version(services):
    for name, service in services.items():
        _, _, version = service["image"].rpartition(":")
        assert version == "local" if "build" in service else re.fullmatch(r"v?\d+\.\d+\.\d+", version), name


def test_the_settings_are_settings_and_can_be_used_together(services):
    ours = [service for service in services.values() if "build" in service]
    assert len(ours) == 4
    for service in ours:
        reading = read(environ=service["environment"])
        assert reading.ignored == ()
        assert urlsplit(reading.settings.registry_url).hostname in services
        assert reading.settings.brokers.split(":")[0] in services


def test_every_command_of_ours_exists(services, root):
    for service in services.values():
        if "build" in service:
            word, *rest = service["command"]
            assert word in WORDS
            parser = argparse.ArgumentParser(exit_on_error=False)
            importlib.import_module(f"streams.cli.{word}").configure(parser)
            parser.parse_args(rest)
    (mount,) = services["plan"]["volumes"]
    source, target, _ = mount.split(":")
    assert (root / source / PurePosixPath(services["plan"]["command"][2]).relative_to(target)).is_file()


def test_kafka_advertises_what_clients_are_given(services):
    kafka = services["kafka"]["environment"]
    advertised = dict(each.split("://") for each in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    listening = dict(each.split("://") for each in kafka["KAFKA_LISTENERS"].split(","))
    protocols = dict(each.split(":") for each in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(protocols) == set(listening) == {*advertised, kafka["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    for name, address in advertised.items():
        assert address.split(":")[1] == listening[name].split(":")[1]
    assert advertised["INSIDE"] == services["worker"]["environment"]["TROPPLEIN_BROKERS"]
    assert advertised["OUTSIDE"] == Settings().brokers
    assert kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"].endswith(listening["CONTROLLER"])
    (volume,) = services["kafka"]["volumes"]
    assert volume.endswith(kafka["KAFKA_LOG_DIRS"])


def test_prometheus_scrapes_every_worker_often_enough_for_the_peaks(services, root):
    config = load(root / "deploy" / "prometheus" / "prometheus.yml")
    (job,) = config["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert discovery["names"] == ["worker"] and "worker" in services
    assert discovery["port"] == Settings().metrics_port
    assert int(config["global"]["scrape_interval"].removesuffix("s")) <= 60
    assert "./deploy/prometheus:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    assert "--config.file=/etc/prometheus/prometheus.yml" in services["prometheus"]["command"]


def test_grafana_finds_prometheus_and_the_dashboard(services, root):
    grafana = root / "deploy" / "grafana"
    (source,) = load(grafana / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert urlsplit(source["url"]).hostname == "prometheus" and source["isDefault"]
    assert services["prometheus"]["ports"] == [f"127.0.0.1:9090:{urlsplit(source['url']).port}"]
    (provider,) = load(grafana / "provisioning" / "dashboards" / "tropplein.yml")["providers"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in services["grafana"]["volumes"])
    assert mounts[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounts["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    home = PurePosixPath(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (grafana / "dashboards" / home.relative_to(provider["options"]["path"])).is_file()


def test_the_image_is_built_from_files_that_exist_and_reach_the_builder(services, root):
    build = services["worker"]["build"]
    dockerfile = root / build["context"] / build["dockerfile"]
    sent = [
        line.removeprefix("!")
        for line in dockerfile.with_name("Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile.read_text(), re.MULTILINE)
        for name in line.split()[:-1]
    ]
    assert sorted(copied) == sorted(sent)
    assert [name for name in copied if not (root / name).exists()] == []
    for link in ("streams/schemas", "streams/plans/examples"):
        target = (root / link).resolve().relative_to(root)
        assert target.as_posix() in copied, f"{link} would lead nowhere in the image"
    text = dockerfile.read_text()
    assert re.search(r"^USER 10001", text, re.MULTILINE), "the image runs as root"
    assert f"EXPOSE {Settings().metrics_port}" in text
    assert text.count("--require-hashes") == 2
