"""Exact live call counts and overflow decisions for call centres, from a log of call events."""

__version__ = "0.1.0"
