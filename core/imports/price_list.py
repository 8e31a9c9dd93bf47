"""A vendor's price list brought into the shop: what it asks from a day on, in one go.

Products are found by SKU, barcode or the vendor's own number; those that the shop does not have are skipped.
Several lines of one product are its price steps. Nothing is overwritten: what changed becomes a newer offer,
what did not is skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import barcodes, posting
from core.auth import Actor
from core.buying import offer_fields, vendor_fields
from core.errors import BadInput
from core.imports import import_cells, price_offers, price_report, price_rows
from core.imports.import_cells import Cells
from core.imports.import_found import Found, Said
from core.imports.price_lookup import Product, Products, Unknown, Vendors
from core.imports.price_offers import TERMS, Known, Line, Pair
from core.imports.table_files import TableFile
from core.inputs import shown
from db.models import Vendor

KIND = "prices"
ONE = Decimal(1)
STEP = Decimal("0.0001")


@dataclass(frozen=True)
class Plan:
    """What the list would do: `offers` are written as they stand."""

    found: Found
    offers: list[tuple[Pair, Known]]


def plan(
    session: Session, file: TableFile, mapping: Mapping[str, str], options: Mapping[str, Any], today: date
) -> Plan:
    """Lay the list beside what the vendors ask. Writes nothing.

    Raises:
        BadInput: nobody said whose prices these are, or the file's numbers or dates can be read in two ways.
    """
    said = Said()
    whose = Vendors(session, mapping, options)
    cells = _cells(file, mapping, options, said, today)
    return _List(session, cells, said, whose, mapping, _first_day(options, today)).plan(len(file.frame))


def book(session: Session, planned: Plan, *, import_id: int | None, actor: Actor) -> None:
    """Write the offers of a plan. Run-outs whose lead time is another now follow by themselves."""
    try:
        price_rows.insert(session, planned.offers, import_id=import_id, actor_id=actor.id)
    except IntegrityError as clash:
        raise BadInput(
            "Somebody deleted a product or the vendor while the file was looked at. Check the file again."
        ) from clash


# -- Cells ---------------------------------------------------------------------------------------------------


def _cells(
    file: TableFile, mapping: Mapping[str, str], options: Mapping[str, Any], said: Said, today: date
) -> Cells:
    cells = Cells(KIND, file, mapping, options.get("decimal"), said)

    def number(name: str, check=None):
        read = cells.number(name)
        return (lambda text: check(read(text))) if check else read

    cells.understand("sku", import_cells.words("sku"))
    cells.understand("vendor_sku", offer_fields.vendor_sku)
    cells.understand("barcode", barcodes.normal)
    cells.understand("unit_price", number("unit_price", _a_price))
    cells.understand("price_unit", number("price_unit", _pieces))
    cells.understand("minimum_quantity", number("minimum_quantity", _pieces))
    cells.understand("minimum_order_quantity", number("minimum_order_quantity", offer_fields.minimum))
    cells.understand("order_multiple", number("order_multiple", offer_fields.multiple))
    cells.understand("lead_time_days", number("lead_time_days"))
    day = cells.day(("valid_from", "valid_until"), options.get("date_format"))
    cells.understand("valid_from", lambda text: offer_fields.valid_from(day(text), today))
    cells.understand("valid_until", day)
    cells.understand("currency", vendor_fields.currency)
    cells.understand("vendor", lambda text: text)
    return cells


def _a_price(price: Decimal) -> Decimal:
    # In price lists it stands for "on request"; taken for a price, this vendor would always be the cheapest.
    if not price:
        raise BadInput("0 is no price: leave the line out, or enter what costs nothing by hand.")
    return price


def _pieces(number: Decimal) -> Decimal:
    number = posting.exact(number, "Pieces")
    if number <= 0:
        raise BadInput(f"{posting.plain(number)} is not above zero.")
    return number


def _first_day(options: Mapping[str, Any], today: date) -> date:
    chosen = options.get("valid_from")
    return offer_fields.valid_from(date.fromisoformat(chosen), today) if chosen else today


# -- Lines ---------------------------------------------------------------------------------------------------


class _List:
    """Walks down the lines, then over the offers that they make."""

    def __init__(
        self,
        session: Session,
        cells: Cells,
        said: Said,
        whose: Vendors,
        mapping: Mapping[str, str],
        day: date,
    ):
        self._cells, self._said, self._whose, self._day = cells, said, whose, day
        self._columns = tuple(name for name in TERMS if name in mapping)
        self._known = price_rows.known(session, whose.named(list(cells.values["vendor"])))
        self._products = Products(session, self._known)
        self._about: dict[Pair, tuple[Vendor, Product]] = {}
        self._lines: dict[Pair, dict[date, list[Line]]] = {}
        self._broken: dict[Pair, int] = {}
        self._unknown: list[tuple[int, Unknown]] = []
        self._offers: list[tuple[Pair, Known]] = []
        self._told = price_report.Report(said)

    def plan(self, lines_read: int) -> Plan:
        for at, line in enumerate(self._cells.lines):
            self._line(at, line)
        # What is wrong with a line about something that the shop does not buy matters to nobody.
        self._said.forget({line for line, _ in self._unknown})
        for line, why in self._unknown:
            self._said.skip(line, why.rule, str(why))
        for pair, by_day in self._lines.items():
            # In the order of days: each is held against the one before it, of the file too.
            for day in sorted(by_day):
                self._offer(pair, day, by_day[day])
        return Plan(self._told.found(lines_read), self._offers)

    # -- One line --

    def _line(self, at: int, line: int) -> None:
        values = {name: column[at] for name, column in self._cells.values.items()}
        field = "vendor"
        try:
            vendor = self._whose.of(values["vendor"])
            field = "sku"
            product = self._products.find(vendor, values["sku"], values["barcode"], values["vendor_sku"])
        except Unknown as why:
            self._unknown.append((line, why))
            return
        except BadInput as refused:
            if line not in self._said.wrong:
                self._said.error(line, "unclear", field, values[field], refused.sentence)
            return
        pair = vendor.id, product["id"]
        self._about.setdefault(pair, (vendor, product))
        found = self._understood(line, pair, vendor, values)
        if found is None:
            self._broken.setdefault(pair, line)
        else:
            self._lines.setdefault(pair, {}).setdefault(found.valid_from, []).append(found)

    def _understood(self, line: int, pair: Pair, vendor: Vendor, values: dict[str, Any]) -> Line | None:
        """The line as a step of an offer; None where it has an error."""
        since = values["valid_from"] or self._day
        if values["currency"] not in (None, vendor.currency):
            message = f"the prices of {vendor.name} are in {vendor.currency}: this is another currency"
            self._said.error(line, "other", "currency", values["currency"], message)
        try:
            offer_fields.valid_until(values["valid_until"], since)
        except BadInput as refused:
            message = refused.sentence.removeprefix("Valid until: ")
            self._said.error(line, "wrong", "valid_until", values["valid_until"].isoformat(), message)
        price = values["unit_price"]
        if price is None and line not in self._said.wrong:
            self._said.error(line, "empty", "unit_price", None, "there is no price")
        if line in self._said.wrong:
            return None
        each = (price / (values["price_unit"] or ONE)).quantize(STEP, ROUND_HALF_UP)
        try:
            offer_fields.check_in_shop_money(offer_fields.unit_price(each), vendor.exchange_rate)
        except BadInput as refused:
            message = refused.sentence.removeprefix("Unit price: ")
            self._said.error(line, "wrong", "unit_price", posting.plain(price), message)
            return None
        if not each:
            message = "is less than 0.0001 a piece, which cannot be kept"
            self._said.error(line, "wrong", "unit_price", posting.plain(price), message)
            return None
        least = values["minimum_quantity"] or ONE
        return Line(line, pair, since, least, each, {name: values[name] for name in TERMS})

    # -- One offer --

    def _offer(self, pair: Pair, day: date, lines: list[Line]) -> None:
        vendor, product = self._about[pair]
        steps, terms, clashes, again = price_offers.in_one(lines)
        known = self._known.setdefault(pair, [])
        before = price_offers.counting(known, day)
        offer = Known(
            day, steps, price_offers.terms_after(terms, self._columns, before, vendor.lead_time_days)
        )
        if not self._is_whole(pair, offer, lines, clashes):
            return
        for line in again:
            self._said.skip(line, "twice", "an earlier row says the same")
        numbers = [line.number for line in lines if line.number not in again]
        if before is not None and before.says_the_same(offer):
            for line in numbers:
                self._said.skip(line, "unchanged", "the vendor asks this already")
            return
        price_offers.put(known, offer)
        self._offers.append((pair, offer))
        self._told.offer(product, before, offer, lines)

    def _is_whole(
        self, pair: Pair, offer: Known, lines: list[Line], clashes: list[price_offers.Clash]
    ) -> bool:
        """Whether all lines of an offer can be taken; where one cannot, none of the others is."""
        vendor, product = self._about[pair]
        for clash in clashes:
            self._said.error(clash.line, "clash", clash.field, clash.value, clash.message)
        first = lines[0].number
        if not clashes and offer.terms["lead_time_days"] is None:
            message = f"there is no lead time, and {vendor.name} has no usual one"
            self._said.error(first, "empty", "lead_time_days", None, message)
        if not clashes and len(offer.steps) > offer_fields.MOST_STEPS:
            message = (
                f"{len(offer.steps):,} price steps of one product; at most {offer_fields.MOST_STEPS} are kept"
            )
            self._said.error(first, "many", "minimum_quantity", None, message)
        wrong = [line.number for line in lines if line.number in self._said.wrong]
        broken = self._broken.get(pair, wrong[0] if wrong else None)
        if broken is None:
            return True
        for line in lines:
            if line.number not in self._said.wrong:
                message = f"row {broken:,} of {shown(product['sku'])} has an error: an offer is taken whole"
                self._said.error(line.number, "of_an_offer_with_an_error", None, None, message)
        return False
