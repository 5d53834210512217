"""What must never change once it landed: the schema files and, for each, bytes that were written with it.

`python -m tests.schemas.landed` enters what is new: it adds, and never replaces.
"""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from streams.core import decisions
from streams.core.events import ControlEvent
from streams.wire import state
from streams.wire.contract import CONTRACT, FOLDER, Schema
from streams.wire.dead_letters import DeadLetter
from streams.wire.encoders import encoder
from tests.wire import test_state as stored
from tests.wire.samples import EVENT, FULL
from tests.wire.test_encoders import BODIES, PLAN
from tests.wire.test_ledger import DECISION, RECORD, STATE

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
FINGERPRINTS = HERE / "fingerprints.json"

HASH = bytes(range(32))
BEHIND = (3, 1 << 40, 1, 300, HASH, HASH[::-1])
DECIDED = DECISION._replace(
    call_ref="7f3k", treatment="busy", considered=(decisions.Considered("paris", "SITE_FULL", 0),)
)
RECORDED = RECORD._replace(
    attempts=(stored.ATTEMPT,), resources=(decisions.Held("SEAT", "transcom", 5, 1_762_160_000_000_000),)
)
LETTER = DeadLetter(3, 9, 0, 5, b"k", "BAD_FRAMING", "a sentence", None, None, 2, False, HASH, b"{}", None)
SEALED = LETTER._replace(schema_id=7, fingerprint=b"f" * 8, sealed=True, sha256=None, value=None, sealed_value=b"s")
HEAD = state._stored_head(stored.HEAD, stored.HASHES)
MARKER = state.StateMarker(
    *(9, 7, "topic", 12, 1, 1, "0.1.0", (state.OutputCount("decisions", 3, 9, 1),), ()),
)
BUCKET = state.StateBucket("msf", 3, (stored.CALL,))

VALUES: dict[str, dict[str, Any]] = {
    "CallEvent": {"least": EVENT, "full": FULL},
    "ControlEvent": {
        "partition_tick": ControlEvent(None, None, BODIES[10]),
        **{type(body).__name__: ControlEvent("msf", 5, body) for body in BODIES},
    },
    "Decision": {"least": (*DECISION, *BEHIND), "full": (*DECIDED, *BEHIND)},
    "CallRecord": {"least": (*RECORD, *BEHIND[:4]), "full": (*RECORDED, *BEHIND[:4])},
    "SiteState": {"one": (*STATE, *BEHIND[:2])},
    "DeadLetter": {"plain": LETTER, "sealed": SEALED},
    "StateHead": {"one": HEAD},
    "StatePlan": {"one": state.StatePlan("msf", PLAN)},
    "StateBucket": {"one": BUCKET},
    "StateMarker": {"one": MARKER},
    "StateSchemaId": {"one": state.StateSchemaId(7, b"f" * 8)},
    "Checkpoint": {
        "head": state.CheckpointPart("msf", 3, 9, 0, 2, HASH, HEAD),
        "bucket": state.CheckpointPart("msf", 3, 9, 1, 2, None, BUCKET),
    },
}
"""Values of the newest version of each record; a new version needs its own."""


def stem(schema: Schema) -> str:
    """The name of a schema's file, without its ending."""
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in schema.name)
    return f"{words[1:]}.v{schema.version}"


def meaning(schema: Any) -> Any:
    """A schema without its documentation, which may be put better."""
    if isinstance(schema, dict):
        return {key: meaning(value) for key, value in schema.items() if key != "doc"}
    return [meaning(item) for item in schema] if isinstance(schema, list) else schema


def fingerprint(path: Path) -> str:
    """SHA-256 of a schema file's meaning: types, names, order, defaults and logical types."""
    return hashlib.sha256(json.dumps(meaning(json.loads(path.read_text()))).encode()).hexdigest()


def read(schema: Schema, body: bytes) -> Any:
    """A body's fields, with the record's name where a union holds several."""
    stream = BytesIO(body)
    found = fastavro.schemaless_reader(
        stream, schema.parsed, None, return_record_name=True, return_record_name_override=True
    )
    assert stream.tell() == len(body)
    return found


def plain(value: Any) -> Any:
    """Read fields in the words of JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def enter() -> None:
    """Add the fingerprints and golden bytes that are missing."""
    known = json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.exists() else {}
    known = {**{path.name: fingerprint(path) for path in FOLDER.glob("*.avsc")}, **known}
    FINGERPRINTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    GOLDEN.mkdir(exist_ok=True)
    for name, values in VALUES.items():
        schema = CONTRACT.newest(name)
        for case, value in values.items():
            path = GOLDEN / f"{stem(schema)}.{case}.bin"
            if not path.exists():
                body = encoder(name)(value)
                path.write_bytes(body)
                path.with_suffix(".json").write_text(json.dumps(plain(read(schema, body)), indent=1) + "\n")


if __name__ == "__main__":
    enter()
