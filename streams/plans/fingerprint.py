"""A plan's version: a short fingerprint of everything else in it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from streams.core.plan import Plan
from streams.plans.refusals import suggestion

_DIGITS = 16


def version_of(plan: Plan) -> str:
    """Return the fingerprint: 16 hexadecimal digits of the SHA-256 over the canonical form.

    The canonical form is JSON of every field but the version itself, keys sorted, without spaces, in ASCII.
    """
    fields = asdict(plan)
    del fields["version"]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]


def with_limits(plan: Plan, limits: Mapping[str, int]) -> Plan:
    """Return the plan with other limits at some sites, under the version that this makes it.

    Raises:
        ValueError: the plan has no such site, or the limit is negative; the text is a sentence for a planner.
    """
    known = [site.name for site in plan.sites]
    for name, limit in limits.items():
        if name not in known:
            raise ValueError(f'the plan of {plan.network} has no site "{name}"{suggestion(name, known)}')
        if limit < 0:
            raise ValueError(f"a limit counts calls, and {limit} is less than none (site {name})")
    sites = tuple(replace(site, limit=limits.get(site.name, site.limit)) for site in plan.sites)
    changed = replace(plan, sites=sites)
    return replace(changed, version=version_of(changed))
