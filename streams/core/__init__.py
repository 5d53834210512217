"""The pure core: a deterministic state machine from events to decisions. Standard library only, no clock, no I/O."""

from __future__ import annotations

RULES = 1
"""The version of the decision semantics this code writes; every released one is kept."""
