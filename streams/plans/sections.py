"""The parts of a plan: sites, partners, trunks, campaigns and treatments, from their sections to the core's values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from streams.core.plan import (
    SECOND_US,
    Campaign,
    Dial,
    Hours,
    Leases,
    Partner,
    Route,
    ServiceLevel,
    Site,
    Step,
    Treatment,
    Trunk,
)
from streams.plans.document import Section, Value, decimal_of
from streams.plans.hours import ALWAYS, HoursReader, Schedule
from streams.plans.keywords import SECTIONS, TREATMENTS
from streams.plans.refusals import suggestion

_NUMBER = re.compile(r"\+?[0-9*#]{2,20}")
_DIAL_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Names:
    """What a plan defines, by kind and in its order: what its references may name."""

    targets: tuple[str, ...]
    trunks: tuple[str, ...]
    switches: tuple[str, ...]
    treatments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A site or partner before its calendar is compiled."""

    target: Site | Partner
    schedule: Schedule


DEFAULT_LEASES = Leases(*(int(word.default or 0) * SECOND_US for word in SECTIONS["leases"]))
"""The leases of a target that states none."""

_UNCOMPILED = Hours(always=True, positions=None, windows=(), weekly=())


def site(name: str, value: Value, names: Names, otherwise: str) -> Draft:
    """Read one site; ``otherwise`` is the network's."""
    section = Section(value, "site")
    from_level, places = _priority(section)
    chain = section.get("overflow")
    last = section.get("otherwise")
    draft = Site(
        name=name,
        limit=section.whole("limit"),
        waiting_places=section.whole("waiting_places") or 0,
        wrap_up_us=section.duration_us("wrap_up_s"),
        hours=_UNCOMPILED,
        leases=_leases(section),
        switches=switches(section),
        route=_route(section, names),
        overflow=() if chain is None else steps(chain, names, name),
        otherwise=otherwise if last is None else reference(last, "treatment", names.treatments) or otherwise,
        priority_from=from_level,
        priority_places=places,
        service_level=_service_level(section),
    )
    return Draft(draft, _schedule(section, partner=False))


def partner(name: str, value: Value, names: Names) -> Draft:
    """Read one partner."""
    section = Section(value, "partner")
    seats = section.whole("seats")
    reserved = section.whole("reserved") or 0
    if (at := section.get("reserved")) is not None and reserved:
        if section.get("seats") is None:
            at.refuse("reserves seats of a contract without a number of seats; give seats too")
        elif seats is not None and reserved > seats:
            at.refuse(f"reserves {reserved} of {seats} seats")
    draft = Partner(
        name=name,
        seats=seats,
        reserved=reserved,
        wrap_up_us=section.duration_us("wrap_up_s"),
        hours=_UNCOMPILED,
        leases=_leases(section),
        switches=switches(section),
        route=_route(section, names),
        service_level=_service_level(section),
    )
    return Draft(draft, _schedule(section, partner=True))


def trunk(name: str, value: Value) -> Trunk:
    """Read one trunk."""
    return Trunk(name, Section(value, "trunk").whole("limit") or 0)


def campaigns(values: dict[str, Value]) -> tuple[Campaign, ...]:
    """Read the campaigns; a number belongs to one of them."""
    owners: dict[str, str] = {}
    found: list[Campaign] = []
    for name, value in values.items():
        section = Section(value, "campaign")
        dialled = section.get("dialled")
        numbers: list[str] = []
        for item in [] if dialled is None else dialled.items("numbers"):
            text = item.text("a dialled number")
            number = re.sub(r"[\s.()/-]", "", text or "")
            if text is None:
                continue
            if not _NUMBER.fullmatch(number):
                item.refuse(f'"{text}" is no number that can be dialled: 2 to 20 digits, + before them if need be')
            elif number in owners:
                item.refuse(f'"{text}" already belongs to campaign {owners[number]}')
            else:
                owners[number] = name
                numbers.append(number)
        found.append(Campaign(name, section.whole("limit"), tuple(numbers)))
    return tuple(found)


def treatments(values: dict[str, Value]) -> tuple[Treatment, ...]:
    """Read the treatments; `busy` is there even if the plan does not define it."""
    found = [_treatment(name, value) for name, value in values.items()]
    if "busy" not in values:
        found.append(Treatment("busy", "BUSY", *TREATMENTS["busy"]))
    return tuple(found)


def _treatment(name: str, value: Value) -> Treatment:
    """Read one treatment: its kind gives what it does not say."""
    section = Section(value, "treatment")
    kind = section.choice("kind")
    sending = TREATMENTS[kind.lower()]
    code = section.whole("sip_code")
    cause = section.whole("cause")
    at = section.get("sip_code")
    if code == 503 and at is not None:
        at.refuse(
            "503 tells the exchange before us that the whole trunk is out of order, and it stops sending calls; use 486"
        )
    return Treatment(
        name=name,
        kind=kind,
        sip_code=sending.sip_code if code is None else code,
        cause=sending.cause if cause is None else cause,
        holds_line=section.yes("holds_line", default=sending.holds_line),
    )


def steps(value: Value, names: Names, own: str | None) -> tuple[Step, ...]:
    """Read a chain of targets; ``own`` is the site it belongs to, which cannot overflow into itself."""
    found: dict[str, None] = {}
    for item in value.items("targets"):
        name = reference(item, "site or partner", names.targets)
        if name is None:
            continue
        if name == own:
            item.refuse(f'"{name}" overflows into itself')
        elif name in found:
            item.refuse(f'"{name}" stands in this list twice')
        else:
            found[name] = None
    return tuple(Step(name) for name in found)


def reference(value: Value, what: str, known: Iterable[str]) -> str | None:
    """Return a name that the plan defines, or refuse it."""
    text = value.text(f"the name of a {what}")
    if text is None or text in known:
        return text
    value.refuse(f'names {what} "{text}", which the plan does not define{suggestion(text, known)}')
    return None


def switches(section: Section) -> tuple[str, ...]:
    """Read the switches that count a target's calls."""
    value = section.get("switches")
    found: dict[str, None] = {}
    for item in [] if value is None else value.items("switches"):
        name = item.name("a switch")
        if name in found:
            item.refuse(f'"{name}" stands in this list twice')
        elif name is not None:
            found[name] = None
    return tuple(found)


def _schedule(section: Section, *, partner: bool) -> Schedule:
    """Read when a target is open; a partner is always, unless it says otherwise."""
    value = section.get("hours")
    return ALWAYS if value is None else HoursReader(value, partner=partner).read()


def _leases(section: Section) -> Leases:
    """Read how long a call may stay silent."""
    value = section.get("leases")
    if value is None:
        return DEFAULT_LEASES
    leases = Section(value, "leases")
    return Leases(
        waiting_us=leases.duration_us("waiting_s"),
        talking_us=leases.duration_us("talking_s"),
        diverted_us=leases.duration_us("diverted_s"),
        hard_limit_us=leases.duration_us("hard_limit_s"),
    )


def _route(section: Section, names: Names) -> Route:
    """Read how calls reach a target; without a route by transfer, over the trunk they came in on."""
    value = section.get("route")
    if value is None:
        return Route("TRANSFER", None, ())
    route = Section(value, "route")
    by = route.choice("by")
    trunk_at = route.get("trunk")
    dial = route.get("dial")
    dials: list[Dial] = []
    for switch, item in ({} if dial is None else dial.pairs("what is dialled, by switch")).items():
        if switch not in names.switches:
            item.refuse(f'names switch "{switch}", which no site or partner lists{suggestion(switch, names.switches)}')
        text = item.text("a number or a URI")
        if text is not None and len(text) > _DIAL_CHARACTERS_MAX:
            item.refuse(f"is longer than {_DIAL_CHARACTERS_MAX} characters")
        dials.append(Dial(switch, text or ""))
    return Route(by, None if trunk_at is None else reference(trunk_at, "trunk", names.trunks), tuple(dials))


def _priority(section: Section) -> tuple[int | None, int]:
    """Read which calls may go beyond the limit and the staffed positions, and by how many."""
    value = section.get("priority")
    if value is None:
        return None, 0
    priority = Section(value, "priority")
    return priority.whole("from"), priority.whole("places") or 0


def _service_level(section: Section) -> ServiceLevel | None:
    """Read the service level that is aimed at."""
    value = section.get("service_level")
    if value is None:
        return None
    level = Section(value, "service level")
    ratio = level.get("target")
    text = None if ratio is None else ratio.text("a share above 0, at most 1, as in 0.80")
    ppm = decimal_of(text or "", 1_000_000)
    if ratio is not None and text is not None and (ppm is None or not 0 < ppm <= 1_000_000):
        ratio.refuse(f'wants a share above 0, at most 1, as in 0.80, not "{text}"')
    return ServiceLevel(
        threshold_us=level.duration_us("threshold_s"),
        target_ratio_ppm=ppm or 0,
        formula=level.choice("formula"),
        short_abandon_us=level.duration_us("short_abandon_s"),
    )
