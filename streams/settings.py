"""The settings: one frozen value from the environment and one TOML file, the same names in both.

``brokers`` is ``TROPPLEIN_BROKERS`` in the environment and ``brokers`` in the file that ``TROPPLEIN_SETTINGS`` (or
``--settings``) names; the environment wins. A secret may also be given as ``<name>_file``, a file that holds it and
nothing else. Whatever is wrong is said as a sentence that names the setting, all of it at once.
"""

import dataclasses
import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

PREFIX: Final = "TROPPLEIN_"
FILE: Final = "TROPPLEIN_SETTINGS"
"""The environment variable that names the settings file; no setting itself."""

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
OUTPUTS: Final = ("decisions", "call-records", "site-state")

_WORD = re.compile(r"[a-zA-Z0-9._-]+")


class SettingsError(Exception):
    """The settings cannot be used; ``refusals`` holds one sentence for each thing that is wrong."""

    def __init__(self, refusals: tuple[str, ...]) -> None:
        super().__init__("\n".join(refusals))
        self.refusals = refusals


class Secret:
    """A string that shows itself only when asked: not in a repr, a log line, a traceback or a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret. Hand it to the client that needs it and keep it nowhere else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


NO_SECRET: Final = Secret("")


def _setting(default: Any, meaning: str) -> Any:
    """Declare a setting: its default and the sentence that `tropplein config` prints."""
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Raises SettingsError when the values cannot be used together."""

    brokers: str = _setting("127.0.0.1:9092", "Kafka brokers to start from, host:port, separated by commas")
    security_protocol: str = _setting(
        "", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; must be stated unless every broker is on this machine"
    )
    sasl_mechanism: str = _setting("SCRAM-SHA-512", "SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN")
    sasl_username: str = _setting("", "name to log in to the brokers with")
    sasl_password: Secret = field(default=NO_SECRET, metadata={"meaning": "password to log in to the brokers with"})
    ca_file: str = _setting("", "PEM file of the authority that signed the brokers' (and registry's) certificates")
    cert_file: str = _setting("", "PEM file of this client's certificate (mutual TLS)")
    key_file: str = _setting("", "PEM file of this client's private key (mutual TLS)")
    key_password: Secret = field(default=NO_SECRET, metadata={"meaning": "password of the private key"})

    prefix: str = _setting("", "put before every topic name, so that several topic sets can share a cluster")
    partitions: int = _setting(12, "partitions of every topic; fixed for the life of a topic set")
    replication: int = _setting(3, "copies of every partition that `topics create` asks for")
    min_insync: int = _setting(2, "copies that must have a record before it counts as written")
    retention_s: int = _setting(34_560_000, "seconds that events and outputs are kept: the audit period; -1 for ever")
    dlq_retention_s: int = _setting(1_209_600, "seconds that dead letters are kept; -1 for ever")

    registry_url: str = _setting("", "Schema Registry (Confluent API); empty: Avro single-object encoding, no registry")
    registry_user: str = _setting("", "name to log in to the registry with")
    registry_password: Secret = field(
        default=NO_SECRET, metadata={"meaning": "password to log in to the registry with"}
    )

    app: str = _setting("tropplein", "the consumer group, and the beginning of every transactional id")
    outputs: tuple[str, ...] = _setting(OUTPUTS, "what the worker writes: decisions, call-records, site-state")
    transaction_ms: int = _setting(100, "milliseconds a transaction stays open while there is input")
    snapshot_s: float = _setting(1.0, "seconds between snapshots of changed networks; longer when they are large")
    session_timeout_s: float = _setting(6.0, "seconds without a heartbeat after which another worker takes over")
    calls_max: int = _setting(400_000, "live and remembered calls of one partition, over all its networks")
    metrics_host: str = _setting("127.0.0.1", "address the metrics and health pages listen on")
    metrics_port: int = _setting(9464, "port the metrics and health pages listen on; 0: any free port")
    metrics_token: Secret = field(
        default=NO_SECRET, metadata={"meaning": "token that /metrics asks for (Authorization: Bearer …); empty: none"}
    )
    data_dir: str = _setting("", "folder for what a process keeps on disk; empty: nothing is kept")

    def __post_init__(self) -> None:
        refusals = (*_log_refusals(self), *_security_refusals(self), *_other_refusals(self))
        if refusals:
            raise SettingsError(refusals)

    @property
    def protocol(self) -> str:
        """The security protocol in force: as stated, else PLAINTEXT (to this machine only)."""
        return self.security_protocol or "PLAINTEXT"

    @property
    def tls(self) -> bool:
        """Whether the brokers are reached over TLS."""
        return self.protocol in {"SSL", "SASL_SSL"}

    @property
    def sasl(self) -> bool:
        """Whether this client logs in with a name and a password."""
        return self.protocol.startswith("SASL_")

    def topic(self, kind: str) -> str:
        """Return the full name of a topic: ``decisions`` with the prefix ``test.`` is ``test.decisions``."""
        return self.prefix + kind


class Reading(NamedTuple):
    """Settings and, by name, where each value came from; ``ignored``: variables that look like settings but are none."""

    settings: Settings
    sources: dict[str, str]
    ignored: tuple[str, ...]


def load(*, file: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force. Raises SettingsError with every refusal."""
    return read(file=file, environ=environ).settings


def read(*, file: str | None = None, environ: Mapping[str, str] | None = None) -> Reading:
    """Read the environment (the process's own by default) and the file; raises SettingsError with every refusal.

    A variable ``TROPPLEIN_…`` that is no setting is reported, not refused: orchestrators make such variables of their
    own out of the names of services. A key of the file that is no setting is refused: nobody else writes into it.
    """
    environ = os.environ if environ is None else environ
    refusals: list[str] = []
    given: dict[str, tuple[Any, str]] = {}
    path = file or environ.get(FILE, "")
    for key, value in _file_entries(path, refusals):
        given[key] = (value, path)
    ignored = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name != FILE):
        key = variable.removeprefix(PREFIX).lower()
        if key not in _KEYS:
            ignored.append(variable)
            continue
        if key in _SECRETS:
            # The environment wins over the file as a whole: its own way of giving a secret replaces the file's.
            _drop_other_way(given, key)
        given[key] = (environ[variable], variable)
    values, sources = _parsed(given, refusals)
    if refusals:
        raise SettingsError(tuple(refusals))
    return Reading(Settings(**values), sources, tuple(ignored))


def meanings() -> dict[str, str]:
    """Return each setting's name and meaning, in the order `tropplein config` prints them."""
    return {name: each.metadata["meaning"] for name, each in _FIELDS.items()}


def nearest(name: str) -> str | None:
    """Return the setting a misspelt name probably meant."""
    return next(iter(difflib.get_close_matches(name.removeprefix(PREFIX).lower(), sorted(_KEYS), 1)), None)


_FIELDS: Final = {each.name: each for each in dataclasses.fields(Settings)}
_SECRET_FIELDS: Final = frozenset(name for name, each in _FIELDS.items() if each.type is Secret)
_SECRETS: Final = _SECRET_FIELDS | {f"{name}_file" for name in _SECRET_FIELDS}
_KEYS: Final = frozenset(_FIELDS) | _SECRETS


def _drop_other_way(given: dict[str, tuple[Any, str]], key: str) -> None:
    """Forget what the settings file says of a secret that the environment gives in the other of its two ways."""
    other = key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"
    if other in given and not given[other][1].startswith(PREFIX):
        del given[other]


def _file_entries(path: str, refusals: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the settings file's keys and values; refuse what is no setting."""
    if not path:
        return
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        refusals.append(f"the settings file {path} cannot be read: {error.strerror}")
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        refusals.append(f"the settings file {path} is not TOML: {error}")
        return
    for key, value in table.items():
        if key in _KEYS:
            yield key, value
        else:
            meant = nearest(key)
            hint = f"; did you mean {meant}?" if meant else "; `tropplein config` lists the settings"
            refusals.append(f"{path}: {key} is no setting{hint}")


def _parsed(given: dict[str, tuple[Any, str]], refusals: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Turn what was given into typed values and their sources; append a sentence for each that cannot be."""
    values: dict[str, Any] = {}
    sources = dict.fromkeys(_FIELDS, "default")
    for key, (raw, where) in given.items():
        name = key.removesuffix("_file") if key in _SECRETS else key
        if name in values:
            refusals.append(f"{name} and {name}_file are both set in {where}: keep one")
            continue
        try:
            values[name] = _PARSERS[_FIELDS[name].type](raw if key == name else _secret_file(raw))
            sources[name] = where if key == name else f"{where} ({raw})"
        except ValueError as error:
            refusals.append(f"{key} ({where}) {error}")
    return values, sources


def _secret_file(path: str) -> str:
    """Return the one line a secret's file holds."""
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"names a file that cannot be read: {error}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 -- one kind of error for whatever a file can hold
    return value.strip()


def _whole(value: Any) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", str(value)):
        raise ValueError("must be a whole number")
    return int(value)


def _number(value: Any) -> float:
    if not re.fullmatch(r"-?[0-9]{1,18}([.][0-9]*)?", str(value)):
        raise ValueError("must be a number")
    return float(value)


def _words(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("must be words separated by commas")
    return tuple(word.strip() for word in words if word.strip())


def _secret(value: Any) -> Secret:
    # The sentence may not quote the value, whatever it is.
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 -- as _text
    return Secret(value)


_PARSERS: Final[dict[Any, Callable[[Any], Any]]] = {
    str: _text,
    int: _whole,
    float: _number,
    tuple[str, ...]: _words,
    Secret: _secret,
}


def _log_refusals(settings: Settings) -> Iterator[str]:
    """Say what is wrong with where the log is and how it is laid out."""
    if not all(_host_port(broker) for broker in settings.brokers.split(",")):
        yield f"brokers is {settings.brokers!r}: give host:port, several separated by commas"
    if settings.prefix and not _WORD.fullmatch(settings.prefix):
        yield f"prefix is {settings.prefix!r}: a topic name has letters, digits, dots, hyphens and underscores only"
    if not 1 <= settings.partitions <= 10_000:
        yield f"partitions is {settings.partitions}: it must be between 1 and 10000"
    if not 1 <= settings.min_insync <= settings.replication:
        yield (
            f"min_insync is {settings.min_insync} and replication {settings.replication}: at least 1 copy must be in "
            "sync, and no more than there are"
        )
    for name in ("retention_s", "dlq_retention_s"):
        seconds = getattr(settings, name)
        if seconds < 1 and seconds != -1:
            yield f"{name} is {seconds}: it must be 1 second or more, or -1 to keep records for ever"


def _security_refusals(settings: Settings) -> Iterator[str]:
    """Say what is wrong with how the brokers and the registry are reached."""
    stated = settings.security_protocol
    if stated and stated not in PROTOCOLS:
        yield f"security_protocol is {stated!r}: it must be one of {', '.join(PROTOCOLS)}"
        return
    away = [broker for broker in settings.brokers.split(",") if not _loopback(_host_port(broker))]
    if away and not stated:
        yield (
            f"brokers names {away[0].strip()}, which is not this machine, and security_protocol is not stated: state "
            "SASL_SSL or SSL, or PLAINTEXT if nobody else can reach the network between"
        )
    if settings.sasl and not (settings.sasl_username and settings.sasl_password):
        yield f"security_protocol is {stated}: set sasl_username and sasl_password (or sasl_password_file)"
    if not settings.sasl and (settings.sasl_username or settings.sasl_password):
        yield f"sasl_username or sasl_password is set but the protocol is {settings.protocol}: state SASL_SSL"
    if settings.sasl_mechanism not in MECHANISMS:
        yield f"sasl_mechanism is {settings.sasl_mechanism!r}: it must be one of {', '.join(MECHANISMS)}"
    if bool(settings.cert_file) != bool(settings.key_file):
        yield "cert_file and key_file belong together: set both or neither"
    if settings.cert_file and not settings.tls:
        yield f"cert_file is set but the protocol is {settings.protocol}: state SSL or SASL_SSL"
    for name in ("ca_file", "cert_file", "key_file"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            yield f"{name} is {path}: there is no such file"
    if settings.registry_url and not re.fullmatch(r"https?://[^/\s]+\S*", settings.registry_url):
        yield f"registry_url is {settings.registry_url!r}: it must begin with http:// or https://"
    if bool(settings.registry_user) != bool(settings.registry_password):
        yield "registry_user and registry_password belong together: set both or neither"
    if settings.registry_user and settings.registry_url.startswith("http://"):
        host = urlsplit(settings.registry_url).hostname or ""
        if not _loopback(host):
            yield f"registry_password would go to {host} in clear: use https:// in registry_url"


def _other_refusals(settings: Settings) -> Iterator[str]:
    """Say what is wrong with the worker's own settings."""
    if not _WORD.fullmatch(settings.app):
        yield f"app is {settings.app!r}: it must be letters, digits, dots, hyphens and underscores"
    unknown = [output for output in settings.outputs if output not in OUTPUTS]
    if unknown or not settings.outputs:
        yield f"outputs is {','.join(settings.outputs)!r}: it must be one or more of {', '.join(OUTPUTS)}"
    for name, lowest, highest in (
        ("transaction_ms", 10, 5_000),
        ("snapshot_s", 0.1, 600),
        ("session_timeout_s", 1, 300),
        ("calls_max", 1, 100_000_000),
        ("metrics_port", 0, 65_535),
    ):
        value = getattr(settings, name)
        if not lowest <= value <= highest:
            yield f"{name} is {value}: it must be between {lowest} and {highest}"


def _host_port(broker: str) -> str:
    """Return the host of ``host:port`` or ``[address]:port``, or an empty string where it is neither."""
    match = re.fullmatch(r"\s*(?:\[([0-9a-fA-F:.]+)\]|([^\s:/\[\]]+)):(\d{1,5})\s*", broker)
    return (match[1] or match[2]) if match else ""


def _loopback(host: str) -> bool:
    """Tell whether a host is surely this machine; an unusable one is refused elsewhere."""
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
