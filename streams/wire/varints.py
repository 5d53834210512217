"""Avro's numbers: zigzag varints, from tables."""

from __future__ import annotations

from typing import Final

LOW_BITS: Final = 14
LOW_MASK: Final = (1 << LOW_BITS) - 1
TWO_GROUPS: Final = 1 << (LOW_BITS - 1)
"""Numbers from here on, and below FOUR_GROUPS, take three or four bytes."""
FOUR_GROUPS: Final = 1 << (2 * LOW_BITS - 1)
"""Numbers from here on take more than four bytes."""
INT_MAX: Final = (1 << 31) - 1
LONG_MAX: Final = (1 << 63) - 1
CACHED: Final = 2048


def _varint(value: int) -> bytes:
    """An unsigned number in groups of seven bits, lowest first; all but the last have the top bit set."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Cache(dict[int, bytes]):
    """Varints by their value, made when missing; emptied when full, so that it stays small whatever comes."""

    def __missing__(self, value: int) -> bytes:
        """Encode a value that is not held."""
        if len(self) >= CACHED:
            self.clear()
        made = self[value] = _varint(value)
        return made


SMALL: Final = tuple(_varint(value) for value in range(1 << LOW_BITS))
"""Varints below 2 ** 14, whole."""
LOW: Final = tuple(bytes((value & 0x7F | 0x80, value >> 7 | 0x80)) for value in range(1 << LOW_BITS))
"""The lowest 14 bits of a longer varint: two bytes with more to come."""
HIGH: Final = Cache()
"""What lies above 28 bits: of instants it changes about every two minutes, so few are held."""


def long(value: int) -> bytes:
    """An Avro int or long. OverflowError beyond 64 bits."""
    zigzag = value << 1 if value >= 0 else ~(value << 1)
    if zigzag <= LOW_MASK:
        return SMALL[zigzag]
    rest = zigzag >> LOW_BITS
    if rest <= LOW_MASK:
        return LOW[zigzag & LOW_MASK] + SMALL[rest]
    if zigzag >> 64:
        raise OverflowError(f"{value} does not fit into 64 bits")
    return LOW[zigzag & LOW_MASK] + LOW[rest & LOW_MASK] + HIGH[rest >> LOW_BITS]


def text(value: str) -> bytes:
    """An Avro string: its length in UTF-8, then its bytes."""
    encoded = value.encode()
    return long(len(encoded)) + encoded


def binary(value: bytes) -> bytes:
    """Avro bytes: their length, then the bytes."""
    return long(len(value)) + value
