"""What was counted of a purchase order that arrives, until it is booked: kept in the session, booked at once.

Nothing is in the ledger before Book.
"""

from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import order_looks, order_receipts
from core.buying.order_looks import Detail, Line
from core.errors import RuleBroken
from core.posting import plain
from dashboard import editing, looks, order_words, pressing, ui
from dashboard.editing import Answer

LINES_IN_ANSWER = 8
NOTHING = Decimal(0)


def desk(detail: Detail) -> dict[str, Any]:
    """What this session counts of an order. Its form number is the key of the booking."""
    return editing.desk(f"receiving {detail.order.uid}")


def begin(mine: dict[str, Any], detail: Detail) -> None:
    """Start counting anew."""
    mine["counts"], mine["scans"] = {}, []
    look(mine, detail)


def look(mine: dict[str, Any], detail: Detail) -> None:
    """Counting starts from what the order says now; whoever books in between is noticed."""
    mine["seen"] = {str(line.uid): plain(line.received) for line in detail.lines}


def counts(mine: dict[str, Any]) -> dict[str, str]:
    """What was counted, by the uid of the line."""
    return mine.get("counts") or {}


def counted(mine: dict[str, Any], line: Line) -> Decimal:
    """How much of a line was counted and is not booked yet."""
    return Decimal(counts(mine).get(str(line.uid), "0"))


def put(mine: dict[str, Any], line_uid: str, quantity: Decimal) -> None:
    """So much of a line was counted."""
    kept = mine.setdefault("counts", {})
    if quantity:
        kept[line_uid] = plain(quantity)
    else:
        kept.pop(line_uid, None)


def over(mine: dict[str, Any], line: Line) -> str:
    """The word for more than is open, which may be booked all the same."""
    more = counted(mine, line) - line.open
    if more <= 0:
        return ""
    return f" &nbsp; :orange-badge[{ui.safe_md(ui.formats().quantity(more))} more than ordered]"


def book(mine: dict[str, Any], form: str, order_uid: str) -> None:
    """Book what was counted. The form's number is the key: a double click books once."""
    arrived, seen, now, today = dict(counts(mine)), dict(mine.get("seen") or {}), looks.now(), looks.today()

    def work(session: Session, person: Actor) -> Answer:
        booked = order_receipts.receive(session, person, order_uid, arrived, key=form, now=now)
        detail = order_looks.by_uid(session, order_uid, today)
        if not booked.replayed:
            _refuse_what_others_booked(detail, arrived, seen)
        posting_id = booked.posting_id
        return Answer(_said(detail, booked.lines), partial(_take_back, posting_id=posting_id, uid=order_uid))

    if pressing.once(mine, form, work) is not None:
        mine.pop("wrong", None)
        mine["counts"], mine["scans"] = {}, []


def _refuse_what_others_booked(detail: Detail, arrived: dict[str, str], seen: dict[str, str]) -> None:
    """Two people may have counted the same delivery: the second one is told before it is booked twice."""
    for line in detail.lines:
        uid = str(line.uid)
        if uid in arrived and line.received - Decimal(arrived[uid]) != Decimal(seen.get(uid, "0")):
            came = line.received - Decimal(arrived[uid])
            raise RuleBroken(
                f"{line.sku}: somebody else booked some in while you counted, {plain(came)} in all so far. "
                "Look whether that was this delivery, then start again."
            )


def _said(detail: Detail, booked: Any) -> str:
    """Each line's stock before and after."""
    names = {(line.product_id, line.warehouse_id): line for line in detail.lines}
    told = []
    for one in list(booked)[:LINES_IN_ANSWER]:
        line = names[one.product_id, one.warehouse_id]
        label = f"{ui.safe_md(line.name)} in {ui.safe_md(line.warehouse_code)}"
        write = ui.formats()
        told.append(editing.changed(label, write.quantity(one.before), write.quantity(one.after)))
    if len(booked) > LINES_IN_ANSWER:
        told.append(f"and {order_words.count(len(booked) - LINES_IN_ANSWER, 'line')} more")
    return "  \n".join(told)


def _take_back(session: Session, person: Actor, *, posting_id: int, uid: str) -> Answer:
    undone = order_receipts.undo_booking(session, person, posting_id, now=looks.now())
    detail = order_looks.by_uid(session, uid, looks.today())
    lines = [line for booked in undone for line in booked.lines]
    return Answer(f"Undone, it is on its way again:  \n{_said(detail, lines)}" if lines else "Undone before.")
