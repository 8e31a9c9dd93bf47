"""One scan at a time: what a code that was read does to the shop, and how that is taken back."""

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import auth, corrections, inputs, posting, uids, warehouses
from core.auth import Actor
from core.errors import BadInput, KeyReused, NotAllowed, NotFound, RuleBroken, RunoutError
from core.scanning import linking, resolver, scan_answers, scan_booking
from core.scanning.resolver import Resolved
from core.scanning.scan_answers import Taken
from core.scanning.scan_booking import BOOKING, Request
from db.models import SCAN_MODES, SCAN_SOURCES, Person, Scan, Warehouse

RIGHTS = {"look_up": "read"}  # every other mode: "move stock"
CODE_CHARACTERS = 100
SYMBOLOGY_CHARACTERS = 40
# Nothing was done for these yet: the same scan may come again when somebody has said what the code means.
OPEN = ("unknown", "ambiguous")
# What a row says where nothing else is said; one that was open is written anew.
EMPTY = dict.fromkeys((
    "warehouse_id", "to_warehouse_id", "product_id", "quantity", "pack_factor", "lot", "serial",
    "expires_on", "posting_id", "said",
))  # fmt: skip
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('scan ' || :person || ' ' || :key, 4))")


# -- Taking --------------------------------------------------------------------------------------------------


def take(
    session: Session, actor: Actor, request: Request, *, now: datetime, resolved: Resolved | None = None
) -> Taken:
    """Do what one scan means, once, and write it down.

    A product is looked up, booked in, out or elsewhere, counted, linked, or received of a purchase order;
    places and commands are only answered. The same key again answers what it answered before, also when
    both come at once. A code that was unknown or ambiguous may come again with the same key, whatever is to
    be done with it by then: its row tells what became of it in the end.

    Args:
        resolved: what the code means, where the caller has asked that already.

    Refuses what the ledger refuses (nothing is booked or written then, see `note_refused`), an unreadable
    code, a key that was used for another scan, and whoever may not do it: looking up is everybody's.
    """
    request = _checked(request)
    auth.must(actor, RIGHTS.get(request.mode, "move stock"))
    # First the lock: a copy of this request that is still being answered is waited for here.
    kept = _kept(session, actor, request.key)
    found = resolved or resolver.resolve(session, actor, request.code, symbology=request.symbology)
    if kept is not None and kept.outcome not in OPEN:
        taken = scan_answers.of(session, kept, found, replayed=True)
        _refuse_other_request(request, taken, found)
        return taken
    if kept is not None and kept.code != found.reading.text:
        raise KeyReused("This key was used before for another code.")
    if request.product_id is not None and request.mode != "link":
        found = _chosen(session, request.product_id, found)
    return _write(session, actor, request, _done(session, actor, request, found, now), kept, found, now)


def note_refused(session: Session, actor: Actor, request: Request, sentence: str) -> None:
    """Write down a scan that `take` refused, in a transaction of its own: nothing of the first one is left.

    One that was answered otherwise meanwhile stays as it is.
    """
    request = _checked(request)
    auth.must(actor, "read")
    kept = _kept(session, actor, request.key)
    if kept is not None and kept.outcome not in OPEN:
        return
    found, values = None, {"code": inputs.shown(request.code.strip(), CODE_CHARACTERS)}
    # Whatever was wrong with it is left out: this is only to say that it was tried.
    with suppress(RunoutError):
        found = resolver.resolve(session, actor, request.code, symbology=request.symbology)
        values |= _meaning(found)
    with suppress(RunoutError):
        values |= _ids(*_places(session, request))
    with suppress(RunoutError):
        values["quantity"] = _quantity(request)
    values |= {"outcome": "refused", "said": sentence}
    _write(session, actor, request, values, kept, found, None)


def ignore(session: Session, actor: Actor, key: uuid.UUID | str) -> None:
    """Let a code that nobody knows be; one of which something became meanwhile stays as it is."""
    auth.must(actor, "read")
    mine = (Scan.person_id == actor.id, Scan.key == inputs.uid(key, "a scan"), Scan.outcome.in_(OPEN))
    session.execute(update(Scan).where(*mine).values(outcome="ignored"))


# -- Taking back ---------------------------------------------------------------------------------------------


def undo(session: Session, actor: Actor, scan_uid: uuid.UUID | str, *, now: datetime) -> Taken:
    """Take back what a scan booked, once: both legs of a transfer, what an order had received, a count.

    Asked again, it answers the same. Refuses a scan that booked nothing, one of somebody else (managers may),
    what was reversed or corrected elsewhere, and stock that has left the shelf meanwhile, with the figures.
    """
    auth.must(actor, "move stock")
    scan = uids.locked(session, Scan, scan_uid, "a scan", "There is no such scan.")
    if scan.person_id != actor.id and not auth.may(actor, "edit catalogue"):
        name = session.get_one(Person, scan.person_id).name
        raise NotAllowed(f"This was scanned by {name}: only they, or a manager, may take it back.")
    if scan.undone_at is not None:
        return scan_answers.of_undo(session, scan, replayed=True)
    legs = scan_answers.movements(session, scan.posting_id)
    if not legs:
        raise RuleBroken("This scan booked nothing: there is nothing to take back.")
    corrections.undo(session, actor, legs[0].id, now=now)
    scan_booking.refresh(session, legs[0].product_id, now)
    scan.undone_at = now
    session.flush()
    return scan_answers.of_undo(session, scan)


# -- What it does --------------------------------------------------------------------------------------------


def _done(session: Session, actor: Actor, request: Request, found: Resolved, now: datetime) -> dict[str, Any]:
    """Do it; the columns of the scan's row that say what was done."""
    place, to_place = _places(session, request)
    values = _meaning(found) | _ids(place, to_place)
    values["quantity"] = _quantity(request)
    if request.mode == "link" and request.product_id is not None:
        pieces = request.quantity if request.quantity is not None else 1
        barcode = linking.link(
            session, actor, request.code, request.product_id, pieces, symbology=request.symbology
        )
        linked = {"product_id": barcode.product_id, "pack_factor": barcode.pack_factor}
        return values | linked | {"outcome": "linked", "quantity": None}
    if found.kind in OPEN:
        return values | {"outcome": found.kind, "said": found.reason}
    if found.warehouse is not None:
        return values | {"outcome": "found", "warehouse_id": found.warehouse.id, "quantity": None}
    if found.product is None or request.mode not in BOOKING:
        return values | {"outcome": "found", "quantity": None}
    place = place or warehouses.default(session)
    quantity, booked = scan_booking.book(session, actor, request, found, place, to_place, now=now)
    outcome = (
        {"outcome": "found"} if booked is None else {"outcome": "booked", "posting_id": booked.posting_id}
    )
    return values | outcome | {"quantity": quantity, "warehouse_id": place.id}


def _meaning(found: Resolved) -> dict[str, Any]:
    """What a code says, as the row keeps it."""
    read = found.reading
    return {
        "code": read.text,
        "lot": read.lot,
        "serial": read.serial,
        "expires_on": read.expires_on,
        "product_id": found.product.product.id if found.product else None,
        "pack_factor": found.pack_factor if found.product else None,
    }


def _ids(place: Warehouse | None, to_place: Warehouse | None) -> dict[str, int | None]:
    return {"warehouse_id": place and place.id, "to_warehouse_id": to_place and to_place.id}


def _write(
    session: Session,
    actor: Actor,
    request: Request,
    values: dict[str, Any],
    kept: Scan | None,
    found: Resolved | None,
    now: datetime | None,
) -> Taken:
    """Write the row, or what became of the one that was open; the answer to it."""
    scan = kept or Scan(uid=uuid.uuid4(), person_id=actor.id, key=request.key, scanned_at=now)
    about = {"mode": request.mode, "source": request.source, "symbology": request.symbology}
    for name, value in (EMPTY | about | values).items():
        setattr(scan, name, value)
    try:
        taken = scan_answers.of(session, scan, found)
        scan.said = taken.said
        session.add(scan)
        session.flush()
    except IntegrityError as gone:
        if getattr(gone.orig, "pgcode", None) != posting.NAMES_NOTHING:
            raise
        raise NotFound("The product or warehouse was deleted at this moment.") from gone
    return taken


# -- What is checked -----------------------------------------------------------------------------------------


def _checked(request: Request) -> Request:
    """The request with its key as such. Refuses words that are none of ours."""
    for word, known, what in ((request.mode, SCAN_MODES, "mode"), (request.source, SCAN_SOURCES, "source")):
        if word not in known:
            raise BadInput(f"'{inputs.shown(word)}' is not a {what}; they are {', '.join(known)}.")
    symbology = inputs.text(request.symbology or "", "Symbology", SYMBOLOGY_CHARACTERS) or None
    return replace(request, key=inputs.uid(request.key, "a scan"), symbology=symbology)


def _kept(session: Session, actor: Actor, key: uuid.UUID) -> Scan | None:
    """The row of this scan, if it came before; who else brings it waits until this transaction ends."""
    session.execute(_ONE_AT_A_TIME, {"person": actor.id, "key": str(key)})
    mine = select(Scan).where(Scan.person_id == actor.id, Scan.key == key)
    return session.scalar(mine.execution_options(populate_existing=True))


def _chosen(session: Session, product_id: int, found: Resolved) -> Resolved:
    """What the code means to somebody who sees this product before them; refused when that is over."""
    if found.kind == "ambiguous":
        return resolver.choose(session, found, product_id)
    if found.product is not None and found.product.product.id != product_id:
        sku = found.product.product.sku
        raise RuleBroken(f"{inputs.shown(found.reading.text)} means {sku} by now: read it again.")
    return found


def _quantity(request: Request) -> Decimal | None:
    if request.quantity is None:
        return None
    number = posting.exact(request.quantity, "Quantity")
    if number < 0:
        raise BadInput(f"Quantity: {posting.plain(number)} is below zero.")
    return number


def _places(session: Session, request: Request) -> tuple[Warehouse | None, Warehouse | None]:
    """Where, and where to; the latter of transfers only."""
    wanted = (request.warehouse_id, request.to_warehouse_id if request.mode == "transfer" else None)
    return tuple(None if place_id is None else _place(session, place_id) for place_id in wanted)


def _place(session: Session, warehouse_id: int) -> Warehouse:
    place = session.get(Warehouse, inputs.small_id(warehouse_id, "warehouse"))
    if place is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    return place


def _refuse_other_request(request: Request, taken: Taken, found: Resolved) -> None:
    """Refuse a key that comes again with something else; what is not named this time may be anything."""
    scan = taken.scan
    asked: list[tuple[Any, Any]] = [(request.mode, scan.mode), (found.reading.text, scan.code)]
    if scan.quantity is not None:
        asked.append((_quantity(request), scan.quantity))
    if scan.posting_id is not None:
        line_uid = request.order_line_uid if request.mode == "in" else None
        asked += [
            (request.warehouse_id, scan.warehouse_id),
            (request.product_id, scan.product_id),
            (request.to_warehouse_id if request.mode == "transfer" else None, scan.to_warehouse_id),
            (line_uid and inputs.uid(line_uid, "a line of an order"), taken.order_line_uid),
        ]
        if request.mode in scan_booking.REASONS and taken.order_number is None:
            asked.append((request.reason_code, taken.reason_code))
    if any(said is not None and said != kept for said, kept in asked):
        raise KeyReused("This key was used before for another scan: read the code again.")
