"""The ledger of one partition: the one place where outputs are numbered, hashed and encoded.

The worker and a replay both write through it, so what they publish is the same to the last byte.

- `sequence` counts the decisions, the call records and the dead letters of the partition, each from 0.
- `index` numbers the outputs of one offset, over decisions and call records, wanted or not.
- `input_hash` runs over the accepted events of a network: SHA-256 of the previous one, the number of events folded
  in, their lengths (each number 4 bytes, big-endian) and their values as they stand in the log, framing included.
  Events are folded in at every decision, when `PENDING_MOST` are waiting, and at one longer than `PENDING_BYTES`:
  by the log alone, never by when a snapshot is taken.
- `chain` is the SHA-256 of the network's previous chain and of the decision's Avro body with `chain` zeroed. It stands
  last in the body.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from streams.core.decisions import CallRecord, Decision, Output, SiteState
from streams.wire.dead_letters import Seal, Source, dead_letter, headers
from streams.wire.encoders import encoder
from streams.wire.framing import FramingWriter
from streams.wire.refusals import Refusal

DECISIONS: Final = "decisions"
CALL_RECORDS: Final = "call-records"
DEAD_LETTERS: Final = "dead-letters"
SITE_STATE: Final = "site-state"
ALL_OUTPUTS: Final = frozenset({DECISIONS, CALL_RECORDS, SITE_STATE})
"""Kinds a setting may leave out; dead letters are always written."""

PENDING_MOST: Final = 32
PENDING_BYTES: Final = 1_024
NOTHING: Final = bytes(32)
"""The first previous hash, and what stands for `chain` while it is computed."""

_sha256 = hashlib.sha256


class Message(NamedTuple):
    """One record to publish: ``kind`` names the topic, ``value`` is framed Avro; None deletes the key."""

    kind: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


_message = partial(tuple.__new__, Message)
"""A message from a tuple of all its fields, at half the cost of naming them."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many records of a kind the partition ever got, and the source of the last (-1, -1: there was none)."""

    count: int
    offset: int
    index: int


class HashState(NamedTuple):
    """A network's running hashes. ``pending``: values accepted since the last fold, in order."""

    input_hash: bytes
    pending: tuple[bytes, ...]
    chain: bytes


class _Hashes:
    """A network's running hashes, in use."""

    __slots__ = ("chain", "input_hash", "key", "pending")

    def __init__(self, network: str, state: HashState) -> None:
        self.key = network.encode()
        self.input_hash, self.chain = state.input_hash, state.chain
        self.pending = list(state.pending)

    def fold(self) -> bytes:
        """Take the pending values into the input hash and return it."""
        pending = self.pending
        if pending:
            count = len(pending)
            lengths = struct.pack(f">{count + 1}I", count, *map(len, pending))
            self.input_hash = _sha256(b"".join((self.input_hash, lengths, *pending))).digest()
            pending.clear()
        return self.input_hash


class _Counter:
    """A kind's count, in use."""

    __slots__ = ("count", "index", "offset")

    def __init__(self, state: Count) -> None:
        self.count, self.offset, self.index = state.count, state.offset, state.index


_NONE: Final = Count(0, -1, -1)
_NEW: Final = HashState(NOTHING, (), NOTHING)


class Ledger:
    """Numbers, hashes and encodes the outputs of one partition.

    ``kinds`` are those to write: others are neither encoded nor counted. ``seal`` encrypts dead letters that may
    hold a telephone number; without it their values are dropped.
    """

    def __init__(
        self,
        partition: int,
        framing: FramingWriter,
        *,
        kinds: Iterable[str] = ALL_OUTPUTS,
        seal: Seal | None = None,
    ) -> None:
        wanted = frozenset(kinds)
        if not wanted <= ALL_OUTPUTS:
            raise ValueError(f"no such output: {', '.join(sorted(wanted - ALL_OUTPUTS))}")
        self._partition = partition
        self._prefixes = {name: framing.prefix(name) for name in ("Decision", "CallRecord", "SiteState", "DeadLetter")}
        self._decision_prefix = self._prefixes["Decision"]
        self._wants_decisions = DECISIONS in wanted
        self._wants_records = CALL_RECORDS in wanted
        self._seal = seal
        self._networks: dict[str, _Hashes] = {}
        self._decisions, self._records, self._letters = (_Counter(_NONE) for _ in range(3))
        self._encode_decision = encoder("Decision")
        self._encode_record = encoder("CallRecord")
        self._encode_state = encoder("SiteState")
        self._encode_letter = encoder("DeadLetter")

    def accept(self, network: str, value: bytes) -> None:
        """Note an accepted event of a network: once for each, in the order of the log, before its outputs."""
        hashes = self._networks.get(network)
        if hashes is None:
            hashes = self._networks[network] = _Hashes(network, _NEW)
        hashes.pending.append(value)
        if len(hashes.pending) >= PENDING_MOST or len(value) > PENDING_BYTES:
            hashes.fold()

    def write(self, offset: int, outputs: Sequence[Output], index: int = 0) -> list[Message]:
        """The messages of outputs that follow from one offset; ``index`` is how many of that offset came before."""
        messages = []
        for output in outputs:
            if type(output) is Decision:
                if self._wants_decisions:
                    messages.append(self._decision(offset, index, output))
            elif type(output) is CallRecord and self._wants_records:
                messages.append(self._record(offset, index, output))
            index += 1
        return messages

    def _decision(self, offset: int, index: int, output: Decision) -> Message:
        """Number, hash and encode a decision."""
        hashes = self._networks[output.network]
        counter = self._decisions
        body = self._encode_decision((*output, self._partition, offset, index, counter.count, hashes.fold(), NOTHING))
        hashes.chain = chain = _sha256(hashes.chain + body).digest()
        counter.count += 1
        counter.offset = offset
        counter.index = index
        return _message((DECISIONS, hashes.key, b"".join((self._decision_prefix, body[:-32], chain)), ()))

    def _record(self, offset: int, index: int, output: CallRecord) -> Message:
        """Number and encode a call record."""
        counter = self._records
        body = self._encode_record((*output, self._partition, offset, index, counter.count))
        counter.count += 1
        counter.offset = offset
        counter.index = index
        return Message(CALL_RECORDS, self._networks[output.network].key, self._prefixes["CallRecord"] + body)

    def dead_letter(
        self, offset: int, appended_at: int, key: bytes | None, value: bytes | None, refusal: Refusal
    ) -> Message:
        """Number and encode the dead letter of a refused record."""
        counter = self._letters
        source = Source(self._partition, offset, appended_at, key, value)
        letter = dead_letter(source, refusal, counter.count, self._seal)
        counter.count += 1
        counter.offset = offset
        counter.index = 0
        return Message(
            DEAD_LETTERS, letter.key, self._prefixes["DeadLetter"] + self._encode_letter(letter), headers(letter)
        )

    def site_state(self, state: SiteState, offset: int) -> Message:
        """The message of a site's state as of an offset. Site states are not counted."""
        body = self._encode_state((*state, self._partition, offset))
        return Message(SITE_STATE, site_key(state.network, state.site), self._prefixes["SiteState"] + body)

    @property
    def counts(self) -> dict[str, Count]:
        """Count and last source of decisions, call records and dead letters."""
        found = ((DECISIONS, self._decisions), (CALL_RECORDS, self._records), (DEAD_LETTERS, self._letters))
        return {kind: Count(counter.count, counter.offset, counter.index) for kind, counter in found}

    def hashes(self, network: str) -> HashState:
        """A network's running hashes, as its head stores them; those of the beginning for a network not yet seen."""
        hashes = self._networks.get(network)
        return _NEW if hashes is None else HashState(hashes.input_hash, tuple(hashes.pending), hashes.chain)

    def restore_counts(self, counts: Mapping[str, Count]) -> None:
        """Count on from a marker's counts."""
        self._decisions = _Counter(counts.get(DECISIONS, _NONE))
        self._records = _Counter(counts.get(CALL_RECORDS, _NONE))
        self._letters = _Counter(counts.get(DEAD_LETTERS, _NONE))

    def restore_hashes(self, network: str, state: HashState) -> None:
        """Hash on from a head's hashes."""
        self._networks[network] = _Hashes(network, state)


def site_key(network: str, site: str) -> bytes:
    """The key of a site's state."""
    return f"{network}/{site}".encode()
