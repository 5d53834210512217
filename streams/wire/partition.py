"""Which partition a key belongs to: Java's default partitioner, murmur2 of the key."""

from __future__ import annotations

from functools import lru_cache

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_UINT32 = 0xFFFF_FFFF
_POSITIVE = 0x7FFF_FFFF


def murmur2(key: bytes) -> int:
    """Kafka's murmur2 of the key, as an unsigned 32-bit number."""
    length = len(key)
    value = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MULTIPLIER & _UINT32
        word = (word ^ word >> 24) * _MULTIPLIER & _UINT32
        value = (value * _MULTIPLIER & _UINT32) ^ word
    if length > whole:
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _UINT32
    value = (value ^ value >> 13) * _MULTIPLIER & _UINT32
    return value ^ value >> 15


@lru_cache(maxsize=4096)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among ``partitions``; librdkafka calls it `murmur2_random`."""
    return (murmur2(key) & _POSITIVE) % partitions
