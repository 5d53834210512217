"""When a site's state is written: once per transaction, at most five times a second, at once when it fills or frees.

A value that was withheld is written as soon as its turn comes, input or not, so the last value per key is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from streams.core.decisions import SiteState

EVERY_S = 0.2


class Sites(Protocol):
    """What a network tells of its sites and partners."""

    def changed_sites(self) -> list[str]:
        """Return the names whose state changed since the last call."""
        ...

    def site_state(self, name: str) -> SiteState | None:
        """Return a state; None for a name that left the plan."""
        ...


class Due(NamedTuple):
    """One state to write now; ``state`` None: the name left the plan, its last value is deleted."""

    network: str
    name: str
    state: SiteState | None


class _Written(NamedTuple):
    at: float
    full: bool


class SiteStates:
    """The pace of one partition's site states. ``due_at``: when a withheld one has its turn (monotonic seconds)."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._written: dict[tuple[str, str], _Written] = {}
        self._withheld: dict[tuple[str, str], None] = {}
        self.due_at: float | None = None

    def collect(
        self, networks: Mapping[str, Sites], touched: Iterable[str], now: float, *, last: bool = False
    ) -> list[Due]:
        """Return what is to be written now; ``last`` withholds nothing (the engine closes)."""
        candidates, self._withheld = self._withheld, {}
        for network in touched:
            for name in networks[network].changed_sites():
                candidates[network, name] = None
        due = []
        for network, name in candidates:
            state = networks[network].site_state(name)
            if state is None:
                self._written.pop((network, name), None)
                due.append(Due(network, name, None))
                continue
            full = not state.open or state.places_free == 0 or state.positions_free == 0
            before = self._written.get((network, name))
            if last or before is None or before.full != full or now >= before.at + self._every_s:
                self._written[network, name] = _Written(now, full)
                due.append(Due(network, name, state))
            else:
                self._withheld[network, name] = None
        self.due_at = min((self._written[key].at for key in self._withheld), default=None)
        if self.due_at is not None:
            self.due_at += self._every_s
        return due
