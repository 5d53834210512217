"""Real parts for system tests: a Kafka node and a Schema Registry, started from their jars and stopped by process id."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 120
USERS = {"admin": "admin-word", "worker": "worker-word", "stranger": "stranger-word"}
"""Who may log in to a secure node, and with what; only admin has rights from the start."""

MISSING = "{what} is not installed: run `make parts`, or set {variable} to the folder that holds it"


def kafka_lib() -> Path:
    """The folder with Kafka's jars: TROPPLEIN_KAFKA_LIB, or .parts/kafka/lib in the checkout."""
    folder = Path(os.environ.get("TROPPLEIN_KAFKA_LIB") or ROOT / ".parts" / "kafka" / "lib")
    if not any(folder.glob("kafka_2.13-*.jar")):
        raise FileNotFoundError(MISSING.format(what=f"Kafka ({folder})", variable="TROPPLEIN_KAFKA_LIB"))
    return folder


def registry_jar() -> Path:
    """The registry's runner jar: in TROPPLEIN_APICURIO_LIB, or .parts/apicurio in the checkout."""
    folder = Path(os.environ.get("TROPPLEIN_APICURIO_LIB") or ROOT / ".parts" / "apicurio")
    jar = next(folder.glob("apicurio-registry-app-*-runner.jar"), None)
    if jar is None:
        raise FileNotFoundError(MISSING.format(what=f"Apicurio ({folder})", variable="TROPPLEIN_APICURIO_LIB"))
    return jar


def free_ports(count):
    """Ports of the loopback interface that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Process:
    """One Java process with its output in a file."""

    def __init__(self, folder: Path, name: str, ready):
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.process = None
        self._ready = ready

    def run(self, *command):
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder)
        until = time.monotonic() + START_S
        while not self._ready():
            assert self.process.poll() is None, f"{self.log} ends with\n{self._tail()}"
            assert time.monotonic() < until, f"not ready after {START_S} s; {self.log} ends with\n{self._tail()}"
            time.sleep(0.1)

    def stop(self, how=signal.SIGTERM):
        """End the process, by default cleanly; a stopped node can be started again."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.process = None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def proceed(self):
        self.process.send_signal(signal.SIGCONT)

    def _tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


class KafkaNode(Process):
    """One KRaft node, broker and controller, on free loopback ports; `brokers` is where clients start from.

    ``secure``: SASL_SSL with SCRAM-SHA-512 and StandardAuthorizer, with the users of `USERS`.
    """

    def __init__(self, folder: Path, *, secure=False, java=("-Xmx768m", "-XX:TieredStopAtLevel=1"), **properties):
        super().__init__(folder, "kafka", self._started)
        self._java = ("java", *java, "-cp", f"{kafka_lib()}/*")
        client, controller, internal = free_ports(3)
        self.brokers = f"{'localhost' if secure else '127.0.0.1'}:{client}"
        self.ca_file = folder / "ca.crt"
        lines = self._plain(client, controller)
        if secure:
            self._certificates()
            lines |= self._secure(client, controller, internal)
        lines |= {name.replace("_", "."): value for name, value in properties.items()}
        self._properties = folder / "server.properties"
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._format(secure)
        self.start()

    def start(self):
        """Start the node (again, on the same ports and data) and wait until it answers."""
        self.log.write_bytes(b"")
        self.run(*self._java, "kafka.Kafka", str(self._properties))

    def kill(self):
        """End the process as a power cut would."""
        self.stop(signal.SIGKILL)

    def remove(self):
        """Stop it and give the disk back; the log stays for whoever looks into a failure."""
        self.stop()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def _started(self):
        return b"Kafka Server started" in self.log.read_bytes()

    def _format(self, secure):
        node = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [
            part
            for name, password in (USERS.items() if secure else ())
            for part in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]
        command = (
            *self._java,
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={node}",
            "-c",
            str(self._properties),
            *users,
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _plain(self, client, controller):
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "num.partitions": 4,
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 2_097_152,
        }

    def _secure(self, client, controller, internal):
        login = "org.apache.kafka.common.security"
        plain = f'{login}.plain.PlainLoginModule required username="broker" password="broker" user_broker="broker";'
        return {
            "listeners": f"SASL_SSL://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller},"
            f"INTERNAL://127.0.0.1:{internal}",
            "advertised.listeners": f"SASL_SSL://localhost:{client},INTERNAL://127.0.0.1:{internal}",
            "inter.broker.listener.name": "INTERNAL",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SASL_PLAINTEXT,INTERNAL:SASL_PLAINTEXT",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "listener.name.internal.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.internal.plain.sasl.jaas.config": plain,
            "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.folder / "broker.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.ca_file,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:broker;User:admin",
            "allow.everyone.if.no.acl.found": "false",
        }

    def _certificates(self):
        """Make an authority of a day and the broker's certificate for localhost."""
        (self.folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        for command in (
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 1 -subj /CN=tropplein-test-ca",
            "req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=localhost",
            "x509 -req -in broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile san -out broker.crt",
            "pkcs8 -topk8 -nocrypt -in broker.key -out broker.pk8",
        ):
            subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)
        parts = ("broker.pk8", "broker.crt", "ca.crt")
        (self.folder / "broker.pem").write_text("".join((self.folder / part).read_text() for part in parts))


class RegistryNode(Process):
    """Apicurio Registry in memory; `url` is its Confluent API."""

    def __init__(self, folder: Path):
        super().__init__(folder, "registry", self._answers)
        (port,) = free_ports(1)
        self._health = f"http://127.0.0.1:{port}/health/ready"
        self.url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
        java = ("java", "-Xmx512m", "-XX:TieredStopAtLevel=1")
        address = ("-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}")
        self._command = (*java, *address, "-jar", str(registry_jar()))
        self.start()

    def start(self):
        """Start it (again, empty) and wait until it answers."""
        self.run(*self._command)

    def _answers(self):
        try:
            with urllib.request.urlopen(self._health, timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
