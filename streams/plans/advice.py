"""What a plan says that it probably does not mean: remarks for the planner, never refusals."""

from streams.core.plan import Partner, Plan, Site, Trunk


def remarks(plan: Plan) -> tuple[str, ...]:
    """Return one sentence for each thing worth a second look."""
    targets: list[Site | Partner] = [*plan.sites, *plan.partners]
    chains = [site.overflow for site in plan.sites] + [plan.fallback]
    reached = {step.target: None for chain in chains for step in chain}
    found = [
        f'partner "{partner.name}" stands in no overflow list and not in the fallback: no call is sent there'
        for partner in plan.partners
        if partner.name not in reached
    ]
    for target in targets:
        if target.name in reached and target.route.by == "TRANSFER":
            found += _channels(target, plan.trunks)
    return tuple(found)


def _channels(target: Site | Partner, trunks: tuple[Trunk, ...]) -> list[str]:
    """Compare what passing on calls by transfer needs with what the trunks have: two channels a call, in and out."""
    calls = _calls(target)
    if calls is None:
        return []
    out = target.route.trunk
    needs = 2 * calls if out is None else calls
    return [
        f'overflow by transfer of {calls} calls to "{target.name}" needs {needs} channels of trunk "{trunk.name}", '
        f"which has {trunk.limit}"
        for trunk in trunks
        if out in {None, trunk.name} and needs > trunk.limit
    ]


def _calls(target: Site | Partner) -> int | None:
    """Return how many calls a target takes at most, None without a limit."""
    if isinstance(target, Site):
        return target.limit
    return None if target.seats is None else target.seats - target.reserved
