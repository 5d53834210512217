"""A planner's YAML in, a compiled plan out, or every reason why not, each with file, line and path.

    compile_plan ── document: nodes with lines ── sections, hours: the language of `keywords`
         │                                             │
         ├── calendars ── zones: local time to UTC     └── refusals: all at once
         └── fingerprint: the version

The only home of YAML, of time zones and of public holidays: what leaves here are integers.
"""

from streams.plans.advice import remarks
from streams.plans.compiler import (
    COMPILED_BYTES_MAX,
    HORIZON_DAYS,
    HORIZON_DAYS_APPLIED_MIN,
    compile_plan,
    midnight,
)
from streams.plans.fingerprint import version_of, with_limits
from streams.plans.outlook import Outlook, local_time, outlooks
from streams.plans.refusals import PlanError, Refusal

__all__ = [
    "COMPILED_BYTES_MAX",
    "HORIZON_DAYS",
    "HORIZON_DAYS_APPLIED_MIN",
    "Outlook",
    "PlanError",
    "Refusal",
    "compile_plan",
    "local_time",
    "midnight",
    "outlooks",
    "remarks",
    "version_of",
    "with_limits",
]
