"""A plan as a table that people read."""

from rich.console import Console
from rich.table import Table

from streams.core.plan import Plan
from streams.plans import Outlook, local_time


def print_plan(plan: Plan, at: int, targets: tuple[Outlook, ...]) -> None:
    """Print a plan's head, what each target is and does at an instant, and what concerns the whole network."""
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    clock = f"{plan.clock.lower()} clock, tz {plan.tz_version}"
    table.add_row("network", plan.network, f"plan {plan.version}, times in {plan.zone}, {clock}")
    table.add_row("at", local_time(plan, at), f"calendar until {local_time(plan, plan.horizon_at)}")
    for row in targets:
        table.add_row()
        table.add_row(row.kind, row.name, row.room)
        for title, text in _lines(row):
            table.add_row("", title, text)
    table.add_row()
    for kind, name, text in _whole(plan):
        table.add_row(kind, name, text)
    Console(highlight=False).print(table)


def _lines(row: Outlook) -> list[tuple[str, str]]:
    """Write what one target is and does."""
    openings = [("openings" if number == 0 else "", text) for number, text in enumerate(row.openings)]
    chain = [("then", row.chain)] if row.chain else []
    return [("now", row.now), *openings, *chain, ("reached", row.route), ("leases", row.leases)]


def _whole(plan: Plan) -> list[tuple[str, str, str]]:
    """Write what concerns the whole network."""
    unknown = " → ".join([*(step.target for step in plan.fallback), plan.otherwise])
    rows = [("site", "any other", f"then {unknown}")]
    rows += [("trunk", trunk.name, f"{trunk.limit} channels") for trunk in plan.trunks]
    for campaign in plan.campaigns:
        limit = "no limit" if campaign.limit is None else f"limit {campaign.limit}"
        rows.append(("campaign", campaign.name, f"{limit}, dialled {', '.join(campaign.dialled) or 'nowhere'}"))
    for treatment in plan.treatments:
        line = "holds the line" if treatment.holds_line else "releases the line"
        text = f"{treatment.kind.lower()}, SIP {treatment.sip_code}, Q.850 {treatment.cause}, {line}"
        rows.append(("treatment", treatment.name, text))
    return rows
