"""A product list brought into the shop: new products made, known ones changed, in one go.

Products are found by their SKU, whatever its case. An empty cell leaves the value as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import alert_watch, barcodes, inputs, posting
from core.errors import BadInput
from core.imports import import_cells, product_rows
from core.imports.import_cells import Cells
from core.imports.import_found import PREVIEW_ROWS, Found, Said
from core.imports.product_rows import FIELDS
from core.imports.table_files import TableFile

NUMBERS = ("unit_cost", "unit_price", "reorder_threshold", "lead_time_days")
WORDS = ("sku", "name", "description", "category", "unit_of_measure")
NEW = "new product"


@dataclass(frozen=True)
class Plan:
    """What the list would do. `new` and `changed`: whole rows of products; `codes`: (place in `new` or id of
    a product, whether it is new, barcode)."""

    found: Found
    new: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    codes: list[tuple[int, bool, str]]
    switched_off: list[int]


def plan(
    session: Session, file: TableFile, mapping: Mapping[str, str], options: Mapping[str, Any], *, lock: bool
) -> Plan:
    """Lay the list beside the shop's products. Writes nothing; with `lock` nobody else changes them.

    Raises:
        BadInput: the numbers of the file can be read in two ways.
    """
    said = Said()
    cells = _cells(file, mapping, options, said)
    return _Comparison(session, cells, said, options, lock=lock).plan(len(file.frame))


def book(session: Session, planned: Plan) -> None:
    """Make and change the products of a plan, in a few statements whatever their number."""
    try:
        ids = product_rows.insert(session, planned.new)
        product_rows.update(session, planned.changed)
        codes = [(ids[place] if is_new else place, code) for place, is_new, code in planned.codes]
        product_rows.add_barcodes(session, codes)
    except IntegrityError as clash:
        raise BadInput(
            "Somebody added the same product or barcode while the file was looked at. Check the file again."
        ) from clash
    product_rows.forget_run_outs(session, planned.switched_off)
    changed = [row["id"] for row in planned.changed]
    product_rows.mark_stale(session, changed)
    if changed:
        alert_watch.look_at_now(session, changed)


def _cells(file: TableFile, mapping: Mapping[str, str], options: Mapping[str, Any], said: Said) -> Cells:
    cells = Cells("products", file, mapping, options.get("decimal"), said)
    for name in WORDS:
        cells.understand(name, import_cells.words(name))
    for name in NUMBERS:
        cells.understand(name, cells.number(name))
    cells.understand("barcode", barcodes.normal)
    cells.understand("is_active", import_cells.yes_or_no)
    cells.need("sku", "there is no SKU: it says which product the row is about")
    return cells


class _Comparison:
    """Walks down the lines, with what the shop and the lines before have."""

    def __init__(self, session: Session, cells: Cells, said: Said, options: Mapping[str, Any], *, lock: bool):
        self._cells, self._said, self._options = cells, said, options
        self._known = product_rows.by_sku(session, lock=lock)
        self._owner = product_rows.sku_by_barcode(session)
        self._line_of_sku: dict[str, int] = {}
        self._line_of_code: dict[str, int] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._codes: list[tuple[int, bool, str]] = []
        self._switched_off: list[int] = []
        self._preview: list[dict] = []
        self._cells_changed = 0

    def plan(self, lines_read: int) -> Plan:
        for at, line in enumerate(self._cells.lines):
            sku = self._cells.values["sku"][at]
            if sku is not None:
                self._line(at, line, sku)
        frame = self._said.frame()
        counts = {
            "lines read": lines_read,
            "products to create": len(self._new),
            "products to change": len(self._changed),
            "cells to change": self._cells_changed,
            "barcodes to add": len(self._codes),
            "lines skipped": int((frame["kind"] == "skipped").sum()),
            "lines with errors": len(self._said.wrong),
        }
        found = Found(counts, frame, self._preview)
        return Plan(found, self._new, self._changed, self._codes, self._switched_off)

    def _line(self, at: int, line: int, sku: str) -> None:
        before = self._line_of_sku.setdefault(sku.casefold(), line)
        if before != line:
            message = f"row {before:,} has this SKU too: keep one of the two rows"
            self._said.error(line, "twice", "sku", sku, message)
            return
        known = self._known(sku)
        code = self._code(at, line, known["sku"] if known else None)
        if line in self._said.wrong:
            return
        given = {name: self._cells.values[name][at] for name in (*FIELDS, "is_active") if name != "sku"}
        given = {name: value for name, value in given.items() if value is not None}
        if known is None:
            self._create(line, sku, given, code)
        else:
            self._change(line, known, given, code)

    def _code(self, at: int, line: int, sku: str | None) -> str | None:
        """The barcode of the line if it is new to its product; an error if it is another product's."""
        code = self._cells.values["barcode"][at]
        if code is None:
            return None
        before = self._line_of_code.setdefault(code, line)
        if before != line:
            message = f"row {before:,} has this barcode too: a barcode belongs to one product"
            self._said.error(line, "twice", "barcode", code, message)
        owner = self._owner.get(code)
        if owner is not None and owner != sku:
            message = f"belongs to {inputs.shown(owner)}: remove it there first, or leave the cell empty"
            self._said.error(line, "taken", "barcode", code, message)
        return None if owner is not None else code

    def _create(self, line: int, sku: str, given: dict[str, Any], code: str | None) -> None:
        if not self._options.get("create_new", True):
            self._said.skip(line, "not_known", "the shop does not have it, and adding products is off")
            return
        if "name" not in given:
            self._said.error(line, "empty", "name", None, f"'{inputs.shown(sku)}' is new and needs a name")
            return
        row = dict.fromkeys(FIELDS) | {"unit_of_measure": "each", "is_active": True} | given | {"sku": sku}
        if code is not None:
            self._codes.append((len(self._new), True, code))
        self._new.append(row)
        self._show(line, sku, NEW, None, given["name"])

    def _change(self, line: int, known: dict[str, Any], given: dict[str, Any], code: str | None) -> None:
        changes = {name: value for name, value in given.items() if known[name] != value}
        if not self._options.get("update_existing", True):
            self._said.skip(line, "known", "the shop has it, and changing products is off")
            return
        if not changes and code is None:
            self._said.skip(line, "unchanged", "the shop knows all of this already")
            return
        for name, value in changes.items():
            self._told(line, known["sku"], name, _said(known[name]), _said(value))
        if code is not None:
            self._told(line, known["sku"], "barcode", None, code)
            self._codes.append((known["id"], False, code))
        if changes:
            self._changed.append(known | changes)
        if changes.get("is_active") is False:
            self._switched_off.append(known["id"])

    def _told(self, line: int, sku: str, name: str, before: str | None, after: str | None) -> None:
        self._cells_changed += 1
        self._said.change(line, name, before, after)
        self._show(line, sku, name, before, after)

    def _show(self, line: int, sku: str, name: str, before: str | None, after: str | None) -> None:
        if len(self._preview) < PREVIEW_ROWS:
            self._preview.append({"line": line, "sku": sku, "field": name, "before": before, "after": after})


def _said(value: Any) -> str | None:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return posting.plain(value) if isinstance(value, Decimal) else value if value is None else str(value)
