"""What a log hands over: a run of records of one partition."""

from __future__ import annotations

from typing import NamedTuple


class Batch(NamedTuple):
    """Records of one partition in offset order (holes are legal), as four lists of one length.

    ``appended_at`` is the broker's append time in microseconds since 1970.
    """

    offsets: list[int]
    appended_at: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
