"""The Schema Registry (Confluent's API) as a translator, and the registering of our schemas in it.

What a record means depends on its bytes and on the schemas of the contract alone. A registry only tells which of those
schemas a number stands for. It may be down at any time: that is a state (RegistryDown), asked again later, and no
reason to refuse a record. Subjects follow TopicRecordNameStrategy, because a topic may hold records of two types.
"""

import base64
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from streams.kafka import topics
from streams.kafka.clients import KafkaTrouble, tls_context
from streams.settings import Settings
from streams.wire.contract import CONTRACT, Contract, Schema

COMPATIBILITY: Final = "BACKWARD_TRANSITIVE"
"""A new version must read what any older one wrote."""

NO_AVRO: Final = 0
"""Stands for the fingerprint of what is no Avro schema; it is none of ours."""

TIMEOUT_S: Final = 2.0
"""How long a worker waits for one answer; it asks again later."""
PATIENT_S: Final = 30.0
"""How long a command waits, and a worker that starts: a registry's first answers are slow."""

_RECORDS: Final = {
    "CallEvent": topics.CALL_EVENTS,
    "ControlEvent": topics.CALL_EVENTS,
    "Decision": topics.DECISIONS,
    "CallRecord": topics.CALL_RECORDS,
    "SiteState": topics.SITE_STATE,
    "DeadLetter": topics.DEAD_LETTERS,
    "Checkpoint": topics.CHECKPOINTS,
}
"""The topic of each record that others read; the worker's own state is its own affair and is in no registry."""


class RegistryDown(Exception):  # noqa: N818 -- a normal state of a part we do not depend on for long
    """The registry does not answer, or not as one; ask again later."""


class Subject(NamedTuple):
    """Where one record's schemas are registered."""

    name: str
    versions: tuple[Schema, ...]


class Registry:
    """One Schema Registry. Every method may raise RegistryDown after ``timeout_s`` at most for each question."""

    def __init__(self, settings: Settings, *, contract: Contract = CONTRACT, timeout_s: float = TIMEOUT_S) -> None:
        """Use the registry that ``registry_url`` names; raises KafkaTrouble when it names none."""
        if not settings.registry_url:
            raise KafkaTrouble("registry_url is not set: there is no registry to ask")
        url = urlsplit(settings.registry_url)
        self.url = settings.registry_url
        self._host, self._port, self._path = url.hostname or "", url.port, url.path.rstrip("/")
        self._tls: ssl.SSLContext | None = tls_context(settings) if url.scheme == "https" else None
        self._timeout_s = timeout_s
        self._settings = settings
        self._contract = contract
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if settings.registry_user:
            login = f"{settings.registry_user}:{settings.registry_password.reveal()}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(login).decode()

    def fingerprint(self, schema_id: int) -> int | None:
        """Return the fingerprint of the schema a number stands for; None where the registry knows no such number."""
        status, answer = self._ask("GET", f"/schemas/ids/{schema_id}")
        if status == HTTPStatus.NOT_FOUND:
            return None
        text: Any = self._expect(status, answer, f"/schemas/ids/{schema_id}").get("schema")
        try:
            source = json.loads(text)
            # Only its canonical form counts; name and version are ours to give.
            return Schema("", 0, source).fingerprint
        except Exception:  # noqa: BLE001 -- whatever others registered, in whatever language, is none of ours
            return NO_AVRO

    def subjects(self) -> tuple[Subject, ...]:
        """Return the subjects of all records that others read."""
        return tuple(
            Subject(
                f"{self._settings.topic(kind)}-{self._contract.newest(record).full_name}",
                self._contract.versions(record),
            )
            for record, kind in _RECORDS.items()
            if record in self._contract.names
        )

    def register(self) -> dict[str, int]:
        """Register every version of every record, oldest first, and return the newest one's number by record name.

        What is registered already keeps its number. Raises KafkaTrouble when the registry refuses one.
        """
        ids = {}
        for subject in self.subjects():
            for schema in subject.versions:
                ids[schema.name] = self._register(subject, schema)
            self._done("PUT", f"/config/{quote(subject.name, safe='')}", {"compatibility": COMPATIBILITY})
        return ids

    def ids(self) -> dict[str, int]:
        """Return the number of each record's newest schema; raises KafkaTrouble when one is not registered."""
        ids = {}
        for subject in self.subjects():
            schema = subject.versions[-1]
            found = self._find(subject, schema)
            if found is None:
                raise KafkaTrouble(f"{subject.name} is not registered at {self.url}: run `tropplein schemas register`")
            ids[schema.name] = found
        return ids

    def check(self) -> list[str]:
        """Return every difference between the registry and the contract, a sentence each; none: all is well."""
        said = []
        for subject in self.subjects():
            missing = [schema.version for schema in subject.versions if self._find(subject, schema) is None]
            said += [f"{subject.name}: version {version} is not registered" for version in missing]
            status, answer = self._ask("GET", f"/config/{quote(subject.name, safe='')}?defaultToGlobal=true")
            level = answer.get("compatibilityLevel") if status == HTTPStatus.OK else "not set"
            if level != COMPATIBILITY:
                said.append(f"{subject.name}: compatibility is {level}, must be {COMPATIBILITY}")
        return said

    def _register(self, subject: Subject, schema: Schema) -> int:
        path = f"/subjects/{quote(subject.name, safe='')}/versions"
        return int(self._done("POST", path, _body(schema))["id"])

    def _find(self, subject: Subject, schema: Schema) -> int | None:
        path = f"/subjects/{quote(subject.name, safe='')}"
        status, answer = self._ask("POST", path, _body(schema))
        if status == HTTPStatus.NOT_FOUND:
            return None
        return int(self._expect(status, answer, path)["id"])

    def _done(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for something that must succeed."""
        status, answer = self._ask(method, path, body)
        return self._expect(status, answer, path)

    def _expect(self, status: int, answer: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the answer to a question that must succeed."""
        if status == HTTPStatus.OK:
            return answer
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise KafkaTrouble(f"the registry {self.url} refuses the login: check registry_user and registry_password")
        said = answer.get("message") or answer.get("title") or ""
        raise KafkaTrouble(f"the registry {self.url} refuses {path} (HTTP {status}): {said}")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Return the registry's status and answer; RegistryDown where there is none, or it has troubles of its own."""
        headers = self._headers | ({"Content-Type": "application/vnd.schemaregistry.v1+json"} if body else {})
        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        )
        try:
            connection.request(method, self._path + path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            read = answer.read()
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise RegistryDown(f"the registry {self.url} answers HTTP {answer.status}")
            found = json.loads(read) if read else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RegistryDown(f"the registry {self.url} does not answer: {error}") from None
        finally:
            connection.close()
        return answer.status, found if isinstance(found, dict) else {}


class Translations(Mapping[int, int]):
    """A table from a schema's number to its fingerprint that asks the registry about each number once.

    Without a registry it is empty. Looking a number up may raise RegistryDown.
    """

    def __init__(self, settings: Settings) -> None:
        self._registry = Registry(settings) if settings.registry_url else None
        self._known: dict[int, int] = {}

    def __getitem__(self, schema_id: int) -> int:
        if schema_id not in self._known:
            found = None if self._registry is None else self._registry.fingerprint(schema_id)
            if found is None:
                raise KeyError(schema_id)
            self._known[schema_id] = found
        return self._known[schema_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _body(schema: Schema) -> dict[str, Any]:
    return {"schema": json.dumps(schema.source), "schemaType": "AVRO"}
