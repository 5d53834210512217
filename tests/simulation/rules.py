"""What each event of a call does in the auditor's books, and the decision it should get. Imports nothing of `streams`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.books import Books, Line

if TYPE_CHECKING:
    from tests.simulation.auditor import Auditor

Row = dict[str, Any]
SECOND_US = 1_000_000


def clamp(books: Books, row: Row, now: int) -> tuple[int, bool]:
    """The event's instant within its bounds, and whether it was outside."""
    waited: int = row["waited_us"] or 0
    if books.plan is not None and books.plan["clock"] == "EVENTS":
        return row["occurred_at"], False
    back: int = books.plan["clock_back_us"] if books.plan else 60 * SECOND_US
    latest = row["occurred_at"] + waited
    within = min(max(latest, now - back), now + 5 * SECOND_US)
    return (row["occurred_at"], False) if within == latest else (max(within - waited, 0), True)


def follow(auditor: Auditor, row: Row, now: int) -> list[Row]:
    """Take the event into the books; return the decisions it should get."""
    books = auditor.books
    at, clamped = clamp(books, row, now)
    auditor.see_epoch(row["switch"], row["epoch"])
    call = books.calls.get(row["call_id"])
    if call is None:
        call, refused = meet(books, row, at)
        if call is None:
            return refused
    changed, decisions = happen(auditor, call, row, at, books.clock if clamped else at)
    if changed:
        call.seen_at = books.clock
        if call.over_at is None:
            books.renew(call)
    elif call.due_at is None and call.over_at is None:
        del books.calls[call.call_id]
    return decisions


def happen(auditor: Auditor, call: Line, row: Row, at: int, judged_at: int) -> tuple[bool, list[Row]]:
    """What the event does: whether it said anything new, and the decisions it should get."""
    books, kind, alive = auditor.books, row["type"], call.over_at is None
    if kind == "OFFERED":
        return offer(auditor, call, row, at, judged_at)
    if kind == "RETURNED":
        return give_back(auditor, call, row, judged_at)
    if kind == "PLACED":
        return place(books, call, row, at), []
    if kind == "ENDED":
        return alive and end(books, call, row), []
    if kind == "WRAPPED_UP":
        return wrap_up(books, call), []
    if kind in {"QUEUED", "RINGING"}:
        name = f"{kind.lower()}_at"
        earlier = getattr(call, name) is None or at < getattr(call, name)
        if earlier:
            setattr(call, name, at)
        return earlier, []
    if kind in {"HELD", "RESUMED"}:
        return hold(call, kind, at), []
    if kind == "ANSWERED":
        moved = alive and claim(books, call, row["target"], at)
        first = call.answered_at is None
        earlier = call.answered_at is None or at < call.answered_at
        call.answered_at = at if call.answered_at is None else min(call.answered_at, at)
        return first or earlier or moved, []
    if kind == "TRANSFERRED":
        return alive and claim(books, call, row["target"], at), []
    return alive and not call.diverted and divert(books, call, row["target"], at), []


def offer(auditor: Auditor, call: Line, row: Row, at: int, judged_at: int) -> tuple[bool, list[Row]]:
    """The call is there; with `asks`, somebody wants to know where it goes."""
    books, known = auditor.books, call.offered_at
    attempt = row["attempt"] or 1
    asked = row["asks"] and attempt > call.asked
    if asked and call.asked == 0:
        call.site, call.switch, call.epoch = row["site"], row["switch"], row["epoch"]
    if asked or known is None:
        learn(call, row)
        if call.place is not None and call.over_at is None and not call.diverted:
            books.come_in(call)
    call.offered_at = at if known is None else min(known, at)
    if not row["asks"] and known is None and call.asked == 0 and call.over_at is None and not call.diverted:
        books.come_in(call)
    changed = asked or (not row["asks"] and (known is None or at < known))
    if changed:
        call.tombstone = False
    return changed, ask(auditor, call, row, attempt, judged_at) if asked else []


def learn(call: Line, row: Row) -> None:
    call.trunk = call.trunk or row["trunk"]
    call.campaign = call.campaign or row["campaign"]
    call.priority = row["priority"] if call.priority is None else call.priority


def hold(call: Line, kind: str, at: int) -> bool:
    """Whether a hold or its end says something new; a hold may be overtaken by its end."""
    seen = call.hold_seen_at
    if seen is None or at > seen:
        call.hold_seen_at = at
        if kind == "HELD":
            call.held = True
        elif call.held:
            call.held = False
        else:
            call.resumed_at = at
        return True
    if kind == "HELD" and call.resumed_at == seen and at < seen:
        call.resumed_at = None
        return True
    return False


def meet(books: Books, row: Row, at: int) -> tuple[Line | None, list[Row]]:
    """A call we did not know: late, too many, of an epoch that is over, or new."""
    remember_us = books.plan["remember_us"] if books.plan else 6 * 3600 * SECOND_US
    if books.clock - at > remember_us:
        return None, []
    if len(books.calls) >= (books.plan["calls_max"] if books.plan else 100_000):
        attempt = row["attempt"] or 1
        return None, [{"reason": "CALLS_MAX", "verdict": "BLOCK", "attempt": attempt}] if row["asks"] else []
    call = Line(row["call_id"], row["site"], row["switch"], row["epoch"])
    learn(call, row)
    books.calls[call.call_id] = call
    known = books.epochs.get(row["switch"])
    if row["epoch"] is not None and known is not None and row["epoch"] < known:
        books.over(call)
        call.tombstone = True
    return call, []


def ask(auditor: Auditor, call: Line, row: Row, attempt: int, judged_at: int) -> list[Row]:
    """The decision this question should get; what it gives is taken."""
    books = auditor.books
    auditor.questions += 1
    placed = call.attempt if call.attempt and call.attempt["attempt"] == attempt else None
    left = call.attempt and placed is None and call.claimed_at is None and call.place is not None
    if left and call.place is not None and call.over_at is None:
        if call.answered_at is None and call.place not in call.returned:
            call.returned.append(call.place)
        books.leave(call)
    call.asked = attempt
    busy = books.places(call.site)
    target = treatment = verdict = None
    considered: list[tuple[str, str, int | None]] | None = None
    if call.over_at is not None:
        reason = "CALL_ENDED"
    elif placed is not None:
        reason, verdict = "DECIDED_BY_EDGE", placed["verdict"]
        target = placed["target"] if placed["target"] in books.targets() else None
        treatment = placed["treatment"]
    elif (
        row["waited_us"] is not None
        and row["waited_us"] > (books.plan or {"max_ask_age_us": 10_000_000})["max_ask_age_us"]
    ):
        reason = "TOO_LATE"
    elif books.plan is None:
        reason, verdict = "NO_PLAN", "BLOCK"
        books.treat(call, None)
    else:
        verdict, target, treatment, reason, considered = choose(books, call, judged_at)
        if judged_at >= books.plan["horizon_at"]:
            reason = "PLAN_EXPIRED"
        take(auditor, call, target, treatment, considered)
    call.attempt = {"attempt": attempt, "by_edge": bool(placed and placed["by_edge"]), "target": target, "gone": None}
    call.attempt |= {
        "verdict": verdict,
        "treatment": treatment,
        "real": placed["real"] if placed else None,
        "was": None,
    }
    expected = {"attempt": attempt, "verdict": verdict, "target": target, "treatment": treatment, "reason": reason}
    if considered is not None:
        expected |= {"considered": considered, "in_progress": busy}
    return [expected]


def take(
    auditor: Auditor, call: Line, target: str | None, treatment: str | None, seen: list[tuple[str, str, int | None]]
) -> None:
    """Take what was chosen; and see that nothing was full."""
    books = auditor.books
    if call.claimed_at is not None and call.place is not None:
        return
    if target is None:
        books.treat(call, treatment)
        return
    books.come_in(call)
    books.sit(call, target)
    for trunk, limit in books.limits("trunks").items():
        if limit is not None and trunk in {call.trunk, call.outgoing} and books.channels(trunk) > limit:
            auditor.fault(f"{call.call_id} was put on trunk {trunk}, which is full")
    limit = books.limits("campaigns").get(call.campaign or "")
    if limit is not None and books.units(call.campaign or "") > limit:
        auditor.fault(f"{call.call_id} was let into campaign {call.campaign}, which is full")
    room = seen[-1][2]
    if room is not None and room <= 0 and seen[-1][1] != "PRIORITY":
        auditor.fault(f"{call.call_id} was put at {target}, which is full")


def choose(
    books: Books, call: Line, at: int
) -> tuple[str, str | None, str | None, str, list[tuple[str, str, int | None]]]:
    """Its own site, then the chain in its order, then a treatment."""
    trunk_limit = books.limits("trunks").get(call.trunk or "")
    if trunk_limit is not None and books.channels(call.trunk or "", call) - outgoing(call) >= trunk_limit:
        return treated(books, call, "TRUNK_FULL", [])
    limit = books.limits("campaigns").get(call.campaign or "")
    if limit is not None and books.units(call.campaign or "", call) >= limit:
        return treated(books, call, "CAMPAIGN_FULL", [])
    spec = books.targets().get(call.site)
    own = spec is not None and not books.is_partner(call.site)
    if not own or spec is None:
        first, room = "UNKNOWN_SITE", None
        chain = books.plan["fallback"] if books.plan else []
    else:
        chain = spec["overflow"]
        first, room = ("RETURNED", None) if call.site in call.returned else books.free(call.site, at, call)
        if first == "ROOM":
            return "ADMIT", call.site, None, "ROOM", [(call.site, "ROOM", room)]
        if first in {"SITE_FULL", "NO_POSITION"} and goes_before(books, call, spec, at):
            return "ADMIT", call.site, None, "PRIORITY", [(call.site, "PRIORITY", room)]
    seen = [(call.site, first, room)]
    for name in [step["target"] for step in chain]:
        why, room = ("RETURNED", None) if name in call.returned else books.free(name, at, call)
        if why == "ROOM" and not can_get_out(books, call, name):
            why, room = "TRUNK_FULL", 0
        seen.append((name, why, room))
        if why == "ROOM":
            return "OVERFLOW", name, None, first, seen
    shut = {"OUT_OF_HOURS", "RETURNED", "UNKNOWN_SITE"}
    return treated(books, call, "NO_TARGET" if {why for _, why, _ in seen} <= shut else "TARGETS_FULL", seen)


def outgoing(call: Line) -> int:
    return 0 if call.outgoing is None or call.outgoing != call.trunk else -1


def goes_before(books: Books, call: Line, spec: Row, at: int) -> bool:
    """Whether the call's priority opens one of the places beyond the limit."""
    start, extra = spec["priority_from"], spec["priority_places"]
    if start is None or call.priority is None or call.priority < start:
        return False
    _, people, _ = books.window(spec["name"], at)
    capacity, until = books.capacity.get(spec["name"], (0, 0))
    staffed = capacity if books.clock < until else people
    roomy = spec["limit"] is None or books.places(spec["name"]) < spec["limit"] + extra
    return roomy and (staffed is None or books.people(spec["name"]) < staffed + spec["waiting_places"] + extra)


def can_get_out(books: Books, call: Line, name: str) -> bool:
    trunk = books.way_out(call, name)
    if trunk is None:
        return True
    limit = books.limits("trunks")[trunk]
    return limit is None or books.channels(trunk, call) + 1 + (trunk == call.trunk) <= limit


def treated(books: Books, call: Line, reason: str, seen: Any) -> tuple[str, None, str | None, str, Any]:
    spec = books.targets().get(call.site)
    plan = books.plan or {}
    name = spec["otherwise"] if spec is not None and "otherwise" in spec else plan["otherwise"]
    found = books.treatment(name)
    if found is not None and found["holds_line"] and reason == "TRUNK_FULL":
        found = next((each for each in plan["treatments"] if not each["holds_line"]), None)
    return "BLOCK", None, found["name"] if found else None, reason, seen


def claim(books: Books, call: Line, name: str | None, at: int) -> bool:
    """A fact says where the call is; the newest wins. Whether the call moved."""
    if name not in books.targets() or (call.claimed_at is not None and at < call.claimed_at):
        return False
    call.claimed_at = at
    if call.place == name:
        return False
    books.leave(call)
    books.sit(call, name or "")
    return True


def divert(books: Books, call: Line, name: str | None, at: int) -> bool:
    """Our switch handed the call away."""
    claim(books, call, name, at)
    call.incoming = False
    if call.place is None or call.place == call.site:
        books.over(call)
    else:
        call.outgoing = None
        call.diverted = True
    return True


def place(books: Books, call: Line, row: Row, at: int) -> bool:
    """Somebody put the call where it is, whatever was decided; the edge's first word wins."""
    attempt = row["attempt"] or call.asked or 1
    current = call.attempt
    if current is None or attempt > current["attempt"]:
        current = {"attempt": attempt, "by_edge": False, "target": None, "real": None, "gone": None, "was": None}
        call.attempt = current
    by_edge = row["by"] == "EDGE"
    if attempt < current["attempt"] or (by_edge and current["by_edge"]):
        return False
    target = row["target"] or (call.site if row["verdict"] == "ADMIT" else None)
    verdict = row["verdict"] or ("BLOCK" if target is None else "OVERFLOW")
    word = (verdict, target, row["treatment"], row["by"], row["why"])
    if word == current["was"] and (call.over_at is not None or call.claimed_at is None or at <= call.claimed_at):
        return False
    current |= {"by_edge": by_edge, "real": (target,), "was": word}
    current |= {"verdict": verdict, "target": target, "treatment": row["treatment"]}
    if call.over_at is not None:
        if call.offered_at is not None:
            call.tombstone = False
    elif target is not None:
        books.come_in(call)
        claim(books, call, target, at)
    else:
        call.claimed_at = at
        books.leave(call)
        books.treat(call, row["treatment"])
    return True


def give_back(auditor: Auditor, call: Line, row: Row, judged_at: int) -> tuple[bool, list[Row]]:
    """The target gave the call back; with `asks`, the next attempt is asked at once."""
    current = call.attempt
    if current is None or row["attempt"] != current["attempt"] or current["gone"]:
        return False, []
    current["gone"] = True
    if call.over_at is not None:
        return True, []
    was = current["real"][0] if current["real"] else current["target"]
    if was is not None and was not in call.returned:
        call.returned.append(was)
    if was is not None and call.place == was:
        auditor.books.leave(call)
    call.claimed_at = None
    if row["asks"] and row["attempt"] >= call.asked:
        return True, ask(auditor, call, row, row["attempt"] + 1, judged_at)
    return True, []


def end(books: Books, call: Line, row: Row) -> bool:
    """The call is over, unless another switch has it now."""
    call.tombstone = call.seen_at is None and call.offered_at is None
    if call.place not in {None, row["site"], call.site}:
        if call.diverted:
            return False
        if books.targets()[call.place or ""]["route"]["by"] != "TRANSFER":
            return divert(books, call, None, 0)
    books.over(call)
    return True


def wrap_up(books: Books, call: Line) -> bool:
    """The person is free."""
    if call.done_at is not None or call.wrapped_up:
        return False
    call.wrapped_up = True
    if call.over_at is not None:
        call.done_at = call.people_until = books.clock
    return True
