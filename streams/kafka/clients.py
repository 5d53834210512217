"""Client configurations, for librdkafka and for aiokafka, from one Settings; and what a client's troubles mean.

librdkafka hides a wrong password, an untrusted certificate or a broker that is away behind a time-out. It tells the
cause only to the client's ``error_cb``, so every client here has a Trouble that keeps it, and whoever meets the
time-out raises ``trouble.error(…)`` instead: a sentence that says what to put right.
"""

import logging
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.settings import Settings

QUEUE_MESSAGES: Final = 20_000
QUEUE_KIB: Final = 32 * 1024
"""The bound of every producer's queue, in messages and KiB: librdkafka's default of 100,000 and 1 GiB is no bound."""

MESSAGE_BYTES: Final = 1_048_588
"""The largest record, on the topic and in the producer alike (Kafka's own default)."""

TRANSACTION_TIMEOUT_S: Final = 10
"""After a kill without a successor, readers of committed records wait this long and the broker's sweep (10 s)."""

REACH_S: Final = 10
"""How long brokers that do not answer are asked again."""

Config = dict[str, Any]


class KafkaTrouble(Exception):  # noqa: N818 -- also a broker that is away for a moment, which is no error of anybody's
    """Kafka cannot be used as the settings say; the text is a sentence that says what to put right.

    ``retriable`` tells whether waiting may help (a broker is away) or somebody must act (a wrong password).
    """

    def __init__(self, sentence: str, *, retriable: bool = False) -> None:
        super().__init__(sentence)
        self.retriable = retriable


class Trouble:
    """The ``error_cb`` of one client: keeps the last error that says more than "no broker is up"."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.last: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        """Keep an error that the client reports."""
        # "All brokers down" follows every other error and says nothing about why.
        if self.last is None or error.name() != "_ALL_BROKERS_DOWN":
            self.last = error

    @property
    def final(self) -> bool:
        """Whether the last error is one that waiting does not cure."""
        return self.last is not None and _final(self.last)

    def error(self, doing: str, error: KafkaError | None = None) -> KafkaTrouble:
        """Return what to raise when ``doing`` (a gerund: "reading decisions") failed with ``error``."""
        cause = error
        if self.last is not None and (error is None or error.name() in _VAGUE):
            cause = self.last
        if cause is None:
            return KafkaTrouble(f"{doing}: no answer from {self._settings.brokers}; is Kafka up?", retriable=True)
        return KafkaTrouble(f"{doing}: {_sentence(cause, self._settings)}", retriable=not _final(cause))


def producer_config(settings: Settings, trouble: Trouble | None = None, *, linger_ms: int = 5) -> Config:
    """Return the configuration of an idempotent producer that waits for every copy and has a bounded queue."""
    return {
        **_common(settings, trouble),
        # Java's default, so that every client in the world puts a network into the same partition.
        "partitioner": "murmur2_random",
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": linger_ms,
        "compression.type": "lz4",
        "queue.buffering.max.messages": QUEUE_MESSAGES,
        "queue.buffering.max.kbytes": QUEUE_KIB,
        "message.max.bytes": MESSAGE_BYTES,
    }


def transactional_config(settings: Settings, partition: int, trouble: Trouble | None = None) -> Config:
    """Return the configuration of the one producer of an input partition; a new one fences the one before."""
    return {
        # Readers that do not wait for the commit (the gateway) see a decision as soon as it is sent.
        **producer_config(settings, trouble, linger_ms=1),
        "transactional.id": transactional_id(settings, partition),
        "transaction.timeout.ms": TRANSACTION_TIMEOUT_S * 1000,
    }


def transactional_id(settings: Settings, partition: int) -> str:
    """Return the transactional id of an input partition, the same for whichever worker owns it."""
    return f"{settings.app}-p{partition}"


def consumer_config(settings: Settings, trouble: Trouble | None = None, *, committed: bool = True) -> Config:
    """Return the configuration of a consumer with assigned partitions: it joins no group and commits no offset."""
    return {
        **_common(settings, trouble),
        # librdkafka asks for a group even where none is joined; brokers check rights on it only when it is used.
        "group.id": settings.app,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed" if committed else "read_uncommitted",
        # At the end of a log the default makes every look wait 500 ms for more.
        "fetch.wait.max.ms": 10,
        # After it has fetched enough ahead, a partition rests this long; the default of 1 s is a stall.
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": QUEUE_KIB,
    }


def admin_config(settings: Settings, trouble: Trouble | None = None) -> Config:
    """Return the configuration of an administrator's client."""
    return _common(settings, trouble)


def aiokafka_options(settings: Settings) -> Config:
    """Return the arguments by which an aiokafka client reaches the brokers; they hold the password in clear."""
    options: Config = {
        "bootstrap_servers": [broker.strip() for broker in settings.brokers.split(",")],
        "security_protocol": settings.protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.sasl:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.reveal()
    return options


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context for aiokafka, Faust and HTTP, which verifies host names; None where TLS is not used."""
    return tls_context(settings) if settings.tls else None


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return a verifying TLS context with the settings' authority and certificate, TLS 1.2 or newer."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file, settings.key_password.reveal() or None)
    except (ssl.SSLError, OSError) as error:
        raise KafkaTrouble(f"ca_file, cert_file or key_file cannot be used: {error}") from None
    return context


class Cluster(NamedTuple):
    """What the brokers say of themselves: how many there are, and of each topic (partitions, replicas)."""

    brokers: int
    topics: dict[str, tuple[int, int]]


class Client(Protocol):
    """What any librdkafka client can do, whatever else it is for."""

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        """Return the metadata of all topics or of one."""
        ...

    def poll(self, timeout: float = -1) -> Any:
        """Serve the client's callbacks."""
        ...


def reach(settings: Settings, *, timeout_s: float = REACH_S) -> Cluster:
    """Ask the brokers what there is: the check before any other client is started.

    Raises KafkaTrouble at once where waiting cannot help (password, certificate), else after ``timeout_s``.
    """
    trouble = Trouble(settings)
    return cluster(AdminClient(admin_config(settings, trouble)), trouble, timeout_s=timeout_s)


def cluster(client: Client, trouble: Trouble, *, timeout_s: float = REACH_S) -> Cluster:
    """Return what the brokers say to this client; raises as `reach`."""
    found = _metadata(client, trouble, None, timeout_s)
    topics = {
        name: (len(topic.partitions), min((len(each.replicas) for each in topic.partitions.values()), default=0))
        for name, topic in found.topics.items()
    }
    return Cluster(len(found.brokers), topics)


def partitions(client: Client, trouble: Trouble, topic: str, *, timeout_s: float = REACH_S) -> tuple[int, ...]:
    """Return a topic's partitions; raises as `reach`, and where the topic is missing or this login may not see it."""
    found = _metadata(client, trouble, topic, timeout_s).topics[topic]
    if found.error is not None:
        raise trouble.error(f"looking for {topic}", found.error)
    return tuple(sorted(found.partitions))


def _metadata(client: Client, trouble: Trouble, topic: str | None, timeout_s: float) -> Any:
    """Ask for metadata in short steps, so that a refused login ends the asking at once."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            return client.list_topics(topic, timeout=min(1.0, timeout_s))
        except KafkaException as error:
            client.poll(0)
            if trouble.final or time.monotonic() >= until:
                raise trouble.error("reaching Kafka", error.args[0]) from None


def _common(settings: Settings, trouble: Trouble | None) -> Config:
    """Return what every librdkafka client needs: where the brokers are and how to log in."""
    config: Config = {
        "bootstrap.servers": settings.brokers,
        "security.protocol": settings.protocol,
        "client.id": settings.app,
        "allow.auto.create.topics": False,
        # What goes wrong is told by the Trouble; librdkafka's own lines would go to stderr past every format.
        "logger": _SILENT,
    }
    if trouble is not None:
        config["error_cb"] = trouble
    if settings.sasl:
        config["sasl.mechanism"] = settings.sasl_mechanism
        config["sasl.username"] = settings.sasl_username
        config["sasl.password"] = settings.sasl_password.reveal()
    if settings.tls:
        for key, value in (
            ("ssl.ca.location", settings.ca_file),
            ("ssl.certificate.location", settings.cert_file),
            ("ssl.key.location", settings.key_file),
            ("ssl.key.password", settings.key_password.reveal()),
        ):
            if value:
                config[key] = value
    return config


def _final(error: KafkaError) -> bool:
    """Tell whether somebody must act before it can work; a handshake cut by a restarting broker is none of these."""
    return error.name() in _FINAL or (error.name() == "_SSL" and "certificate" in error.str())


def _sentence(error: KafkaError, settings: Settings) -> str:
    """Return an error as a sentence that names the setting to look at."""
    text = error.str()
    hint = _HINTS.get(error.name(), "")
    if not hint:
        return text
    return f"{hint.format(brokers=settings.brokers, user=settings.sasl_username, prefix=settings.prefix)} ({text})"


_SILENT = logging.getLogger("streams.kafka.librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_VAGUE: Final = frozenset({"_TIMED_OUT", "_MSG_TIMED_OUT", "_TRANSPORT", "_ALL_BROKERS_DOWN"})
"""Errors that say less than what the client told its error_cb."""

_HINTS: Final[Mapping[str, str]] = {
    "_AUTHENTICATION": "the brokers refuse the login of {user!r}: check sasl_username, sasl_password and "
    "sasl_mechanism",
    "_SSL": "TLS with {brokers} failed: check ca_file, and that the brokers' certificate names their host",
    "_RESOLVE": "the name of a broker in {brokers} is unknown: check brokers",
    "_TRANSPORT": "{brokers} cannot be reached: is Kafka up, and is security_protocol the one it speaks?",
    "_ALL_BROKERS_DOWN": "{brokers} cannot be reached: is Kafka up, and is security_protocol the one it speaks?",
    "TOPIC_AUTHORIZATION_FAILED": "the login {user!r} has no right to a topic: ask for an ACL",
    "GROUP_AUTHORIZATION_FAILED": "the login {user!r} has no right to the consumer group: ask for an ACL",
    "CLUSTER_AUTHORIZATION_FAILED": "the login {user!r} has no right to administer: use an administrator's",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": "the login {user!r} has no right to the transactional ids: ask for an ACL",
    "UNKNOWN_TOPIC_OR_PART": "a topic is missing: run `tropplein topics create`, or check prefix ({prefix!r})",
    "_UNKNOWN_TOPIC": "a topic is missing: run `tropplein topics create`, or check prefix ({prefix!r})",
    "_UNKNOWN_PARTITION": "a partition is missing: run `tropplein topics check`",
}

_FINAL: Final = frozenset(
    {
        "_AUTHENTICATION",
        "TOPIC_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "UNSUPPORTED_SASL_MECHANISM",
        "SASL_AUTHENTICATION_FAILED",
        "UNKNOWN_TOPIC_OR_PART",
        "_UNKNOWN_TOPIC",
        "_UNKNOWN_PARTITION",
    }
)
"""Errors that waiting does not cure."""
