"""What lies on the shelves, brought in as a list: opening stock where nothing moved yet, else a count.

A product and warehouse without movements gets its quantity as opening stock. Where something moved already
the list is a count: the difference to what is on hand is booked, which is nothing the second time.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import posting, shop, stock, warehouses
from core.auth import Actor
from core.errors import BadInput, BulkRefused, NotFound
from core.imports import import_cells, product_rows
from core.imports.import_cells import Cells
from core.imports.import_found import PREVIEW_ROWS, Found, Said
from core.imports.product_rows import FIELDS
from core.imports.sales_plan import FIRST_WAREHOUSE, NOT_YET
from core.imports.table_files import TableFile
from core.inputs import shown
from core.scanning import reading
from db.models import Movement, StockLevel

OPENING, COUNTED = "opening stock", "counted"
NAMED = 8  # warehouses in a sentence
MOST_FIRST = 50  # warehouses that a list may bring into a shop without any


@dataclass(frozen=True)
class Plan:
    """What the list would do. `new`, `changed`: whole rows of products; `places`: warehouses to make, by the
    number that stands for their id.

    `shelves`: one row per line that changes stock: product (place in `new` or id), is_new, warehouse_id,
    why, change, after, unit_cost.
    """

    found: Found
    new: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    places: dict[int, str]
    shelves: pd.DataFrame


def plan(
    session: Session, file: TableFile, mapping: Mapping[str, str], options: Mapping[str, Any], *, lock: bool
) -> Plan:
    """Lay the list beside the shelves. Writes nothing; with `lock` nobody else changes products.

    Raises:
        BadInput: the numbers of the file can be read in two ways.
        NotFound: the warehouse of the options does not exist, or none is the default one.
    """
    said = Said()
    cells = Cells("stock", file, mapping, options.get("decimal"), said)
    cells.understand("product", import_cells.words("sku"))
    cells.understand("warehouse", import_cells.words("name"))
    cells.understand("name", import_cells.words("name"))
    cells.understand("category", import_cells.words("category"))
    cells.understand("quantity", _not_below_zero(cells))
    cells.understand("unit_cost", cells.number("unit_cost"))
    cells.need("product", "there is no product: give its SKU or barcode")
    cells.need("quantity", "there is no quantity: 0 means that the shelf is empty")
    return _Comparison(session, cells, said, options, lock=lock).plan(len(file.frame))


def book(session: Session, actor: Actor, planned: Plan, uid: uuid.UUID) -> None:
    """Make what is missing and book every shelf as one posting; again with the same uid it has no effect.

    Raises:
        BadInput: stock moved after the plan was made.
    """
    ids = product_rows.insert(session, planned.new)
    product_rows.update(session, planned.changed)
    product_rows.mark_stale(session, [row["id"] for row in planned.changed])
    shelves = planned.shelves
    if shelves.empty:
        return
    zone = shop.get(session).time_zone
    made = {
        number: warehouses.create(session, actor, code=code, name=code, time_zone=zone).id
        for number, code in planned.places.items()
    }
    products = zip(shelves["product"], shelves["is_new"], strict=True)
    product_id = [ids[number] if is_new else number for number, is_new in products]
    is_opening = (shelves["why"] == OPENING).to_numpy()
    lines = pd.DataFrame(
        {
            "line_no": np.arange(len(shelves)),
            "product_id": product_id,
            "warehouse_id": [made.get(place, place) for place in shelves["warehouse_id"]],
            "type": np.where(is_opening, "in", "adjust"),
            "reason_code": np.where(is_opening, "opening", "count"),
            "change": [str(change) for change in shelves["change"]],
            "unit_price": [None if cost is None else str(cost) for cost in shelves["unit_cost"]],
            "reference_type": "import",
            "reference_id": str(uid),
        }
    )
    said = hashlib.sha256(lines.to_csv(index=False).encode()).digest()
    moved = "Nothing was imported: stock moved while the file was looked at. Check it again."
    try:
        answer = stock.post_lines(session, actor, "import", lines, f"import {uid}", said)
    except BulkRefused as refused:
        raise BadInput(moved) from refused
    # Under the locks of the posting: what was counted must be what is on hand now.
    after = session.scalars(
        select(Movement.stock_after).where(Movement.posting_id == answer["posting_id"]).order_by(Movement.id)
    ).all()
    if list(after) != list(shelves["after"]):
        raise BadInput(moved)


def _not_below_zero(cells: Cells) -> import_cells.Parse:
    read = cells.number("quantity")

    def parse(text: str) -> Decimal:
        quantity = posting.exact(read(text), "Quantity")
        if quantity < 0:
            raise BadInput(f"{posting.plain(quantity)} is below zero: a shelf holds 0 or more.")
        return quantity

    return parse


class _Comparison:
    """Walks down the lines, with what the shop and the lines before have."""

    def __init__(self, session: Session, cells: Cells, said: Said, options: Mapping[str, Any], *, lock: bool):
        self._cells, self._said, self._options = cells, said, options
        self._known = product_rows.by_sku(session, lock=lock)
        self._sku_of_code = product_rows.sku_by_barcode(session)
        moved = select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.quantity).where(
            StockLevel.last_movement_id.is_not(None)
        )
        self._levels = {(product, place): on_hand for product, place, on_hand in session.execute(moved)}
        named = [name for name in dict.fromkeys(cells.values["warehouse"]) if name is not None]
        self._places = _places(session, options.get("warehouse"), named)
        self._line_of: dict[tuple[str, int], int] = {}
        self._cost_of: dict[str, tuple[int, Decimal]] = {}
        self._place_in_new: dict[str, int] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: dict[int, dict[str, Any]] = {}
        self._shelves: list[tuple] = []
        self._preview: list[dict] = []

    def plan(self, lines_read: int) -> Plan:
        for at, line in enumerate(self._cells.lines):
            if line not in self._said.wrong:
                self._line(at, line)
        frame = self._said.frame()
        columns = ["product", "is_new", "warehouse_id", "why", "change", "after", "unit_cost"]
        shelves = pd.DataFrame(self._shelves, columns=columns, dtype=object)
        why = shelves["why"].value_counts()
        places = {each["id"]: each["code"] for each in self._places.values() if each["id"] < 0}
        used = set(shelves["warehouse_id"])
        places = {place: code for place, code in places.items() if place in used}
        counts = {
            "lines read": lines_read,
            "shelves to open": int(why.get(OPENING, 0)),
            "shelves counted": int(why.get(COUNTED, 0)),
            "products to create": len(self._new),
            "unit costs to change": len(self._changed),
            "warehouses to create": len(places),
            "lines skipped": int((frame["kind"] == "skipped").sum()),
            "lines with errors": len(self._said.wrong),
        }
        found = Found(counts, frame, self._preview)
        return Plan(found, self._new, list(self._changed.values()), places, shelves)

    def _line(self, at: int, line: int) -> None:
        cell = {name: values[at] for name, values in self._cells.values.items()}
        place = self._place(line, cell["warehouse"])
        known = self._product(cell["product"])
        sku = known["sku"] if known else cell["product"]
        if place is None or not self._is_sold(line, known, sku) or not self._is_first(line, sku, place):
            return
        if not self._same_cost(line, sku, cell["unit_cost"]):
            return
        if known is None:
            self._create(line, sku, cell)
            self._shelve(line, sku, self._place_in_new[sku.casefold()], place, cell, None, is_new=True)
        else:
            changed = self._costs(line, known, cell["unit_cost"])
            on_hand = self._levels.get((known["id"], place["id"]))
            self._shelve(line, sku, known["id"], place, cell, on_hand, is_new=False, has_changed=changed)

    def _place(self, line: int, named: str | None) -> dict[str, Any] | None:
        place = self._places.get((named or "").casefold())
        if place is None:
            known = sorted({each["code"] for each in self._places.values()})
            listed = ", ".join(known[:NAMED]) + (" ..." if len(known) > NAMED else "")
            message = f"there is no such warehouse; there are {listed}"
            self._said.error(line, "unknown", "warehouse", named, message)
        return place

    def _product(self, named: str) -> dict[str, Any] | None:
        known = self._known(named)
        if known is None:
            sku = self._sku_of_code.get(named) or self._sku_of_code.get(reading.spoken(named))
            known = self._known(sku) if sku is not None else None
        return known

    def _is_sold(self, line: int, known: dict[str, Any] | None, sku: str) -> bool:
        if known is None and not self._options.get("create_products", True):
            message = "the shop does not have this product: add it first, or let unknown ones be added"
            self._said.error(line, "unknown", "product", shown(sku), message)
            return False
        if known is not None and not known["is_active"]:
            self._said.error(line, "inactive", "product", shown(sku), "is not active: activate it first")
            return False
        return True

    def _is_first(self, line: int, sku: str, place: dict[str, Any]) -> bool:
        before = self._line_of.setdefault((sku.casefold(), place["id"]), line)
        if before != line:
            message = f"row {before:,} is about this product and warehouse too: add them up into one row"
            self._said.error(line, "twice", "product", shown(sku), message)
        return before == line

    def _same_cost(self, line: int, sku: str, cost: Decimal | None) -> bool:
        if cost is None:
            return True
        before, other = self._cost_of.setdefault(sku.casefold(), (line, cost))
        if other != cost:
            message = f"row {before:,} says {posting.plain(other)} for the same product: give one cost"
            self._said.error(line, "differs", "unit_cost", posting.plain(cost), message)
        return other == cost

    def _create(self, line: int, sku: str, cell: dict[str, Any]) -> None:
        if sku.casefold() in self._place_in_new:
            return
        self._place_in_new[sku.casefold()] = len(self._new)
        self._new.append(
            dict.fromkeys(FIELDS)
            | {"sku": sku, "name": cell["name"] or sku, "category": cell["category"]}
            | {"unit_of_measure": "each", "is_active": True, "unit_cost": cell["unit_cost"]}
        )
        self._said.note(line, "new_product", "product", shown(sku), "is added to the shop")

    def _costs(self, line: int, known: dict[str, Any], cost: Decimal | None) -> bool:
        if cost is None or cost == known["unit_cost"]:
            return False
        before = known["unit_cost"]
        if known["id"] not in self._changed:
            was = None if before is None else posting.plain(before)
            self._said.change(line, "unit_cost", was, posting.plain(cost))
            self._changed[known["id"]] = known | {"unit_cost": cost}
        return True

    def _shelve(
        self,
        line: int,
        sku: str,
        product: int,
        place: dict[str, Any],
        cell: dict[str, Any],
        on_hand: Decimal | None,
        *,
        is_new: bool,
        has_changed: bool = False,
    ) -> None:
        after: Decimal = cell["quantity"]
        change = after - (on_hand or Decimal(0))
        if change == 0:
            if not is_new and not has_changed:
                self._said.skip(line, "unchanged", f"{posting.plain(after)} on hand already")
            return
        why = OPENING if on_hand is None else COUNTED
        cost = cell["unit_cost"] if why == OPENING else None
        self._shelves.append((product, is_new, place["id"], why, change, after, cost))
        before = None if on_hand is None else posting.plain(on_hand)
        if why == COUNTED:
            self._said.change(line, "quantity", before, posting.plain(after))
        if len(self._preview) < PREVIEW_ROWS:
            self._preview.append(
                {
                    "line": line, "sku": sku, "name": cell["name"], "warehouse": place["code"],
                    "before": before, "after": posting.plain(after), "change": posting.plain(change),
                    "why": why,
                }
            )  # fmt: skip


def _places(session: Session, chosen: str | None, named: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Active warehouses by code and, where no code is the same, by name; "" is meant where none is named."""
    found: dict[str, dict[str, Any]] = {}
    listed = warehouses.listing(session)
    for by in ("name", "code"):
        found |= {getattr(each, by).casefold(): {"id": each.id, "code": each.code} for each in listed}
    if chosen is not None:
        default = warehouses.by_code(session, chosen)
    elif listed:
        default = warehouses.default(session)
    else:
        return _first_places(named)
    if not default.is_active:
        raise NotFound(f"Warehouse {default.code} is not active any more: choose another.")
    return found | {"": {"id": default.id, "code": default.code}}


def _first_places(named: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What a shop without any warehouse will have: those that the list names, numbered below zero."""
    if len(named) > MOST_FIRST:
        raise BadInput(f"The shop has no warehouse yet and the file names {len(named):,}: create them first.")
    codes = [name[: warehouses.CODE_CHARACTERS].strip() for name in named]
    made = {code.casefold(): {"id": NOT_YET - at, "code": code} for at, code in enumerate(codes)}
    found = {name.casefold(): made[code.casefold()] for name, code in zip(named, codes, strict=True)}
    return {"": {"id": NOT_YET - len(codes), "code": FIRST_WAREHOUSE}} | found
