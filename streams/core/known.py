"""What is known beside the calls: of each switch, and of how many calls may be remembered."""

from __future__ import annotations

SWITCHES_MAX = 1000
"""Switches remembered in a network: a producer that invents names may not fill the state."""


class Memory:
    """What the networks of a partition share: how many calls they may remember, whether anybody wants records."""

    __slots__ = ("calls_max", "known", "records")

    def __init__(self, calls_max: int, *, records: bool = True) -> None:
        self.calls_max = calls_max
        self.records = records
        self.known = 0


class Switch:
    """What is known of one switch."""

    __slots__ = ("clamped", "epoch")

    def __init__(self, epoch: int | None = None, clamped: int = 0) -> None:
        self.epoch = epoch
        self.clamped = clamped
