"""Taking back, one more, another quantity: what the band's buttons and the labels for them do."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from core import posting
from core.auth import Actor
from core.errors import RuleBroken
from core.posting import plain
from core.scanning import scans
from core.scanning.scan_answers import Taken
from dashboard import scan_counts, scan_entries, scan_facts
from db.session import transact

# Labels that act on what was done last -> how much more or less they mean.
ADDS = {"add1": Decimal(1), "add10": Decimal(10), "remove1": Decimal(-1)}
UNDO = "undo"
NOTHING = Decimal(0)


def do(desk: dict[str, Any], person: Actor, command: str, now: datetime) -> None:
    """What a label means: undo, or so much more or less of the last scan. Refuses when there is none."""
    if command == UNDO:
        if not desk["booked"]:
            raise RuleBroken("Nothing was booked here that could be taken back.")
        undo(desk, person, desk["booked"][-1], now)
    elif desk["mode"] == "count":
        scan_counts.step(desk, ADDS[command])
    elif (last := _booked(desk)) is None:
        raise RuleBroken("Scan a product first: this label adds to the last booking or takes away from it.")
    elif ADDS[command] > 0:
        again(desk, person, last["uid"], plain(ADDS[command]), now)
    else:
        correct(
            desk, person, last["uid"], plain(max(Decimal(last["quantity"]) + ADDS[command], NOTHING)), now
        )


def undo(desk: dict[str, Any], person: Actor, uid: str, now: datetime) -> None:
    """Take a booked scan back. Done before, it is answered in the same way."""
    taken = transact(lambda session: scans.undo(session, person, uid, now=now))
    desk["booked"] = [other for other in desk["booked"] if other != uid]
    desk["last"] = scan_facts.undone(taken)
    scan_entries.tell(desk, ok=True)


def again(desk: dict[str, Any], person: Actor, uid: str, quantity: str, now: datetime) -> None:
    """Book `quantity` more of the same. The key follows from the scan before: once for each."""
    last = _booked(desk)
    if last is None or last["uid"] != uid:
        return
    entry = _like(last, quantity, f"+{quantity}")
    show(desk, entry, transact(lambda session: _take(session, person, entry, now)))


def correct(desk: dict[str, Any], person: Actor, uid: str, quantity: str, now: datetime) -> None:
    """Book `quantity` instead of what the last scan booked, in one transaction; 0 takes it back only."""
    last = _booked(desk)
    if last is None or last["uid"] != uid or quantity == last["quantity"]:
        return
    if posting.exact(quantity, "Quantity") == 0:
        undo(desk, person, uid, now)
        return
    entry = _like(last, quantity, f"={quantity}")

    def work(session: Session) -> Taken:
        scans.undo(session, person, uid, now=now)
        return _take(session, person, entry, now)

    taken = transact(work)
    desk["booked"] = [other for other in desk["booked"] if other != uid]
    show(desk, entry, taken)


def show(desk: dict[str, Any], entry: dict[str, Any], taken: Taken) -> None:
    """The band says what a scan did."""
    desk["last"] = scan_facts.of(entry, taken)
    uid = str(taken.scan.uid)
    if taken.can_undo and uid not in desk["booked"]:
        desk["booked"] = [*desk["booked"], uid][-scan_entries.MOST_BOOKED :]
    scan_entries.tell(desk, ok=taken.scan.outcome != "refused")


def _booked(desk: dict[str, Any]) -> dict[str, Any] | None:
    """The last scan, if it booked something that stands."""
    last = desk.get("last")
    return last if last and last["kind"] == "booked" and last["can_undo"] else None


def _like(last: dict[str, Any], quantity: str, what: str) -> dict[str, Any]:
    """An entry like the last scan, of another quantity; the same press makes the same key."""
    key = str(uuid.uuid5(uuid.UUID(last["uid"]), what))
    return {name: last[name] for name in scan_facts.ASKED} | {"key": key, "quantity": quantity}


def _take(session: Session, person: Actor, entry: dict[str, Any], now: datetime) -> Taken:
    return scans.take(session, person, scan_entries.request(entry), now=now)
