"""What is done with the codes on the desk: one transaction each, in the order in which they came.

Streamlit is not touched here, so that no run can be ended in the middle.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.doctor.line_arrays import Typed
from core.errors import BadInput, RunoutError
from core.posting import plain
from core.scanning import reading as readings
from core.scanning import resolver, scans
from core.scanning.resolver import Resolved
from core.scanning.scan_answers import Taken
from core.scanning.scan_booking import BOOKING, REASONS
from dashboard import anomaly_warning, scan_counts, scan_delivery, scan_entries, scan_facts, scan_undo, ui
from dashboard.scan_entries import BLOCKS, CARDS, tell
from db.session import reading, transact

ADDS_UP = ("transfer", "quantity")  # scanned again while its card is open, it is one more
ENTER = "\r"  # Enter in the empty field: yes to what the card proposes
RECEIPT = "receipt"
OURS = ("place", "sku")  # labels of the shop, which are linked to nothing


@dataclass(frozen=True)
class Asked:
    """A code that cannot be taken before a person has said more."""

    kind: str
    found: Resolved


def work(desk: dict[str, Any], person: Actor, now: datetime) -> None:
    """Do what can be done: places and modes at once, the others behind what came before them."""
    for entry in [one for one in desk["waiting"] if one["mode"] is None and one["kind"] is None]:
        _look(desk, person, entry)
    blocked: dict[str, Any] | None = None
    for entry in list(desk["waiting"]):
        if entry["kind"] in BLOCKS:
            blocked = blocked or entry
        elif entry["kind"] is None and blocked is None:
            _do(desk, person, entry, now)
            blocked = entry if entry["kind"] in BLOCKS else None
        elif entry["kind"] is None and _behind(desk, blocked, entry):
            blocked = None


def switch(desk: dict[str, Any], person: Actor, mode: str) -> None:
    """Change the mode, where this person may book."""
    if mode != "look_up" and not auth.may(person, "move stock"):
        desk["last"] = scan_facts.refused("You may look up, not book: your role does not move stock.")
        tell(desk, ok=False)
        return
    desk["mode"] = mode
    desk["last"] = scan_facts.chosen("mode", mode)
    tell(desk, ok=True)


def _look(desk: dict[str, Any], person: Actor, entry: dict[str, Any]) -> None:
    """A place and a mode count from here on; everything else is for what is chosen now."""
    scan_entries.stamp(desk, entry)
    if entry["code"] == ENTER:
        scan_entries.finish(desk, entry)
        if waits := next((one for one in desk["waiting"] if one["kind"] in ADDS_UP), None):
            scan_entries.answer(desk, waits["key"], {"quantity": waits["quantity"] or waits["pieces"]})
        return
    try:
        read = readings.read(entry["code"], entry["symbology"])
        entry["command"] = read.command
        if read.kind == "command" and read.command not in (scan_undo.UNDO, *scan_undo.ADDS):
            switch(desk, person, read.command)
            scan_entries.finish(desk, entry)
        elif read.kind == "place":
            with reading() as session:
                found = resolver.resolve(session, person, entry["code"], symbology=entry["symbology"])
            if found.warehouse is not None:
                _be_at(desk, found.warehouse.id, found.warehouse.code)
                scan_entries.finish(desk, entry)
    except BadInput:
        pass  # `_do` says so, and writes it down
    except Exception as error:
        entry |= {"kind": "trouble", "sentence": ui.trouble(error), "mode": None}  # looked at again
        tell(desk, ok=False)


def _be_at(desk: dict[str, Any], place: int, code: str) -> None:
    """A scanned place: where one is; in a transfer the second one is where it goes."""
    here = desk["warehouse_id"]
    is_target = desk["mode"] == "transfer" and here is not None and place != here
    desk["to_warehouse_id" if is_target else "warehouse_id"] = place
    desk["last"] = scan_facts.chosen("to" if is_target else "place", code)
    tell(desk, ok=True)
    scan_entries.fill_places(desk)


def _behind(desk: dict[str, Any], waits: dict[str, Any], entry: dict[str, Any]) -> bool:
    """A code that came while a card is open; answers whether the card is gone.

    The same code again is one more of what the card asks about; "undo" closes it; others wait.
    """
    if waits["kind"] in ADDS_UP and (waits["code"], waits["mode"]) == (entry["code"], entry["mode"]):
        scan_entries.add_up(desk, waits, entry)
        tell(desk, ok=True)
    elif entry.get("command") == scan_undo.UNDO and waits["kind"] in CARDS:
        scan_entries.finish(desk, entry)
        scan_entries.finish(desk, waits)
        return True
    return False


# -- One code ------------------------------------------------------------------------------------------------


def _do(desk: dict[str, Any], person: Actor, entry: dict[str, Any], now: datetime) -> None:
    """Take one code; afterwards it is done, or it waits with a kind."""
    command = entry.get("command")
    if command is None and entry["mode"] in BOOKING and entry["warehouse_id"] is None:
        entry["kind"] = "place"
        tell(desk, ok=False)
        return
    try:
        if command:
            scan_undo.do(desk, person, command, now)
            scan_entries.finish(desk, entry)
        elif entry["mode"] == "count":
            _count(desk, person, entry, now)
        else:
            _take(desk, person, entry, now)
    except RunoutError as refusal:
        _refuse(desk, person, entry, refusal.sentence)
    except Exception as error:
        entry |= {"kind": "trouble", "sentence": ui.trouble(error)}
        tell(desk, ok=False)


def _take(desk: dict[str, Any], person: Actor, entry: dict[str, Any], now: datetime) -> None:
    outcome = transact(lambda session: _taken(desk, session, person, entry, now))
    if isinstance(outcome, Asked):
        _wait(desk, entry, outcome.kind, outcome.found)
    elif outcome.scan.outcome in scans.OPEN and outcome.resolved.reading.kind not in OURS:
        _wait(desk, entry, outcome.scan.outcome, outcome.resolved)
    elif outcome.scan.outcome in scans.OPEN:
        scan_entries.finish(desk, entry)
        desk["last"] = scan_facts.refused(outcome.resolved.reason, entry["code"])
        tell(desk, ok=False)
    else:
        scan_entries.finish(desk, entry)
        scan_undo.show(desk, entry, outcome)


def _taken(
    desk: dict[str, Any], session: Session, person: Actor, entry: dict[str, Any], now: datetime
) -> Asked | Taken:
    """Inside the transaction: what one code means, what has to be asked about it, else it is taken."""
    found = _meant(session, person, entry)
    asked = scan_entries.request(entry)
    if found.kind == "product":
        line = entry["order_line_uid"]
        if entry["mode"] == "in" and line is None and entry["reason_code"] in (None, RECEIPT):
            line = scan_delivery.question(desk, session, found.product.product.id, entry["warehouse_id"])
        if kind := _question(desk, entry, line):
            return Asked(kind, found)
        quantity = entry["quantity"]
        if quantity is None and entry["mode"] in REASONS:
            quantity = _pieces(desk, entry, found)
        asked = replace(asked, quantity=quantity, order_line_uid=line)
        entry["odd"] = _odd(session, person, entry, found.product.product.id, quantity)
    return scans.take(session, person, asked, now=now, resolved=found)


def _odd(
    session: Session, person: Actor, entry: dict[str, Any], product_id: int, quantity: Decimal | str | None
) -> dict[str, str | None] | None:
    """What is odd about a scan that is booked next, for the band: the question, and what was likely meant."""
    if entry["mode"] not in REASONS or quantity is None:
        return None
    code = entry["reason_code"] or REASONS[entry["mode"]][0]
    change = Decimal(quantity) if entry["mode"] == "in" else -Decimal(quantity)
    line = Typed(product_id, entry["warehouse_id"], change, code)
    if (odd := anomaly_warning.inside(session, person, line)) is None:
        return None
    wanted = anomaly_warning.amount(odd)
    return {"sentence": odd.sentence, "instead": None if wanted is None else plain(wanted)}


def _meant(session: Session, person: Actor, entry: dict[str, Any]) -> Resolved:
    """What a code means, with the choice of a person where it is ambiguous."""
    found = resolver.resolve(session, person, entry["code"], symbology=entry["symbology"])
    if found.kind == "ambiguous" and entry["product_id"] is not None and entry["mode"] != "link":
        return resolver.choose(session, found, entry["product_id"])
    return found


def _question(desk: dict[str, Any], entry: dict[str, Any], line: str | None) -> str | None:
    """The card that comes before this scan is booked, if any: how much, or of which order."""
    mode, quantity = entry["mode"], entry["quantity"]
    if mode == "transfer" and (quantity is None or entry["to_warehouse_id"] is None):
        return "transfer"
    if mode in REASONS and desk["each"] == "ask" and quantity is None:
        return "quantity"
    return "order" if line == scan_delivery.ASK else None


def _pieces(desk: dict[str, Any], entry: dict[str, Any], found: Resolved) -> Decimal:
    """How many pieces the code stands for, as often as it was read."""
    one = Decimal(1) if desk["each"] == "piece" else found.pieces
    return one * Decimal(entry["times"])


def _wait(desk: dict[str, Any], entry: dict[str, Any], kind: str, found: Resolved) -> None:
    """A person is asked about this code."""
    entry |= {"kind": kind, "sentence": found.reason, "pieces": plain(_pieces(desk, entry, found))}
    if found.product is not None:
        product = found.product.product
        entry |= {"name": product.name, "sku": product.sku, "unit": product.unit_of_measure}
        entry["product_id"] = product.id
    if kind in scans.OPEN or (desk.get("last") or {}).get("kind") == "refused":
        desk["last"] = None  # a green band beside it, or a red one, would look like its answer
    tell(desk, ok=kind not in scans.OPEN)


def _count(desk: dict[str, Any], person: Actor, entry: dict[str, Any], now: datetime) -> None:
    """Counting books nothing yet: the code is one more of its product on the list."""
    with reading() as session:
        found = _meant(session, person, entry)
    if found.kind != "product":
        _take(desk, person, entry, now)
        return
    scan_counts.add(desk, entry, found, _pieces(desk, entry, found))
    scan_entries.remove(desk, entry)
    desk["last"] = None
    tell(desk, ok=True)


def _refuse(desk: dict[str, Any], person: Actor, entry: dict[str, Any], sentence: str) -> None:
    """A rule said no: the card that was answered says so, else the band; its row tells of it later."""
    tell(desk, ok=False)
    if entry.get("asked") in CARDS:
        entry |= {"kind": entry["asked"], "refused": sentence}
        return
    scan_entries.finish(desk, entry)
    desk["last"] = scan_facts.refused(sentence, entry["code"])
    if entry.get("command"):
        return
    try:
        asked = scan_entries.request(entry)
        transact(lambda session: scans.note_refused(session, person, asked, sentence))
    except RunoutError:
        pass  # a key of another scan: the band has said it, and there is no row to write
    except Exception as error:
        ui.trouble(error)
