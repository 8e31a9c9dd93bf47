"""What a receipt by scan is part of: the orders that are being received, and what is loose stock.

The answer of the card (`scan_card_order`) holds for the delivery: other products of the same order are
received against it without a question, and what is loose stays loose, until the delivery is over (`forget`).

    desk["delivery"]   {"orders": uid -> number,
                        "lines": product and place -> [number of its order, pieces ordered there],
                        "loose": [product and place]}
"""

from typing import Any

from sqlalchemy.orm import Session

from core.buying import order_looks
from core.buying.order_looks import OpenLine
from core.posting import plain

ASK = "ask"


def question(desk: dict[str, Any], session: Session, product_id: int, warehouse_id: int) -> str | None:
    """Against which line of an order (its uid) a receipt is booked; ASK where a person decides, None: loose.

    Once the line of this delivery is complete, what comes on top of it is asked about as well.
    """
    mine, here = _of(desk), _here(product_id, warehouse_id)
    if here in mine["loose"]:
        return None
    lines = order_looks.open_lines(session, product_id, warehouse_id)
    for line in lines:
        if str(line.order_uid) in mine["orders"]:
            _remember(mine, here, line)
            return str(line.line_uid)
    return ASK if lines or here in mine["lines"] else None


def receive(desk: dict[str, Any], product_id: int, line: OpenLine) -> None:
    """From now on what this order expects is received against it."""
    mine = _of(desk)
    mine["orders"][str(line.order_uid)] = line.number
    _remember(mine, _here(product_id, line.warehouse_id), line)


def keep_loose(desk: dict[str, Any], product_id: int, warehouse_id: int) -> None:
    """From now on this product is of no order here."""
    mine, here = _of(desk), _here(product_id, warehouse_id)
    if here not in mine["loose"]:
        mine["loose"].append(here)


def before(desk: dict[str, Any], product_id: int, warehouse_id: int) -> tuple[str, str] | None:
    """The order against which this delivery's pieces were received so far, and how many it had ordered."""
    return _of(desk)["lines"].get(_here(product_id, warehouse_id))


def deliveries(desk: dict[str, Any]) -> dict[str, str]:
    """The orders that are being received: uid -> number, for the chips."""
    return dict(_of(desk)["orders"])


def forget(desk: dict[str, Any]) -> None:
    """The delivery is over: the next receipt is asked about anew."""
    desk.pop("delivery", None)


def _of(desk: dict[str, Any]) -> dict[str, Any]:
    return desk.setdefault("delivery", {"orders": {}, "lines": {}, "loose": []})


def _here(product_id: int, warehouse_id: int) -> str:
    return f"{product_id} {warehouse_id}"


def _remember(mine: dict[str, Any], here: str, line: OpenLine) -> None:
    mine["lines"][here] = (line.number, plain(line.quantity))
