"""Why a record of call-events is not accepted."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class RefusalReason(StrEnum):
    """One word per way in which a record's bytes, key or partition can be wrong."""

    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    BAD_FRAMING = "BAD_FRAMING"
    BAD_AVRO = "BAD_AVRO"
    TOO_LARGE = "TOO_LARGE"
    EMPTY = "EMPTY"
    WRONG_KEY = "WRONG_KEY"
    WRONG_PARTITION = "WRONG_PARTITION"
    BAD_ID = "BAD_ID"
    BAD_CALLER = "BAD_CALLER"
    BAD_TIME = "BAD_TIME"
    BAD_VALUE = "BAD_VALUE"
    RESERVED = "RESERVED"


class Refusal(NamedTuple):
    """A record that is not accepted. ``text`` quotes no value; ``sealed``: its bytes may hold a telephone number."""

    reason: str
    text: str
    sealed: bool


class Refused(Exception):  # noqa: N818 -- an answer on its way to the decoder, not a fault of ours
    """Raised where a check finds a refusal; holds its reason and text."""

    def __init__(self, reason: RefusalReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


_NUMBER = r"(?<![0-9])(?:0[1-9][0-9]{8}|(?:00)?33[1-9][0-9]{8})(?![0-9])"
_NUMBER_TEXT = re.compile(_NUMBER)
_NUMBER_BYTES = re.compile(_NUMBER.encode())


def looks_like_number(value: str) -> bool:
    """Whether a whole run of digits in an id looks like a French telephone number."""
    return _NUMBER_TEXT.search(value) is not None


def may_hold_number(value: bytes | None) -> bool:
    """Whether a whole run of digits anywhere in some bytes looks like a French telephone number."""
    return value is not None and _NUMBER_BYTES.search(value) is not None
