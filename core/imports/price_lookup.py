"""Which vendor and which product a line of a price list is about."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.errors import BadInput
from core.imports import price_rows
from core.imports.price_offers import Known, Pair
from core.inputs import shown
from db.models import Vendor

Product = Mapping[str, Any]
"""id, sku, name, is_active."""


class Vendors:
    """Whose price a line is: the chosen vendor's, or that of its cell."""

    def __init__(self, session: Session, mapping: Mapping[str, str], options: Mapping[str, Any]):
        everybody = price_rows.vendors(session)
        self._by_name = {vendor.name.casefold(): vendor for vendor in everybody}
        self.chosen = self._choose(everybody, options.get("vendor"))
        if self.chosen is None and "vendor" not in mapping:
            raise BadInput("Choose the vendor whose prices these are, or the column that names it.")

    def of(self, cell: str | None) -> Vendor:
        if cell is None:
            if self.chosen is None:
                raise BadInput("there is no vendor: choose one for lines that name none")
            return self.chosen
        vendor = self._by_name.get(cell.casefold())
        if vendor is None:
            raise BadInput(f"there is no vendor '{shown(cell)}': add it first")
        if not vendor.is_active:
            raise BadInput(f"{vendor.name} is deactivated: reactivate it first")
        return vendor

    def named(self, cells: list[str | None]) -> set[int]:
        """The ids of the vendors that the file is about."""
        found = {
            self._by_name[cell.casefold()].id for cell in cells if cell and cell.casefold() in self._by_name
        }
        return found | ({self.chosen.id} if self.chosen else set())

    @staticmethod
    def _choose(everybody: list[Vendor], wanted: str | None) -> Vendor | None:
        if not wanted:
            return None
        try:
            uid = uuid.UUID(wanted)
        except ValueError:
            uid = None
        vendor = next((one for one in everybody if one.uid == uid), None)
        if vendor is None:
            raise BadInput("Vendor: there is no such vendor any more. Choose another.")
        if not vendor.is_active:
            raise BadInput(f"Vendor: {vendor.name} is deactivated. Reactivate it, or choose another.")
        return vendor


class Unknown(Exception):
    """The line is about nothing that the shop buys; `rule` and the sentence say why."""

    def __init__(self, rule: str, sentence: str):
        super().__init__(sentence)
        self.rule = rule


class Products:
    """Finds the product of a line by any of its numbers."""

    def __init__(self, session: Session, known: Mapping[Pair, list[Known]]):
        self._exact: dict[str, Product] = {}
        self._folded: dict[str, Product] = {}
        self._by_id: dict[int, Product] = {}
        for product in price_rows.products(session):
            self._exact[product["sku"]] = self._by_id[product["id"]] = product
            self._folded.setdefault(product["sku"].casefold(), product)
        self._by_code = {code: self._by_id[owner] for code, owner in price_rows.barcodes(session)}
        self._by_vendor_sku: dict[tuple[int, str], list[Product]] = {}
        for (vendor_id, product_id), offers in known.items():
            if number := offers[-1].terms["vendor_sku"]:
                place = vendor_id, number.casefold()
                self._by_vendor_sku.setdefault(place, []).append(self._by_id[product_id])

    def find(self, vendor: Vendor, sku: str | None, barcode: str | None, number: str | None) -> Product:
        """The product that the line names. Raises BadInput where its numbers name two, Unknown where none."""
        if not (sku or barcode or number):
            raise BadInput("there is no number of the product: SKU, barcode or the vendor's SKU")
        named = {
            "SKU": (self._exact.get(sku) or self._folded.get(sku.casefold())) if sku else None,
            "barcode": self._by_code.get(barcode) if barcode else None,
        }
        if not any(named.values()) and number:
            named["vendor's SKU"] = self._offered_as(vendor, number)
        found = {what: product for what, product in named.items() if product}
        if len({product["id"] for product in found.values()}) > 1:
            both = " and ".join(f"the {what} says {shown(one['sku'])}" for what, one in found.items())
            raise BadInput(f"{both}: correct one of them")
        if not found:
            raise Unknown("not_known", "the shop does not have it")
        product = next(iter(found.values()))
        if not product["is_active"]:
            raise Unknown("not_sold", f"{shown(product['sku'])} is not sold any more")
        return product

    def _offered_as(self, vendor: Vendor, number: str) -> Product | None:
        offered = self._by_vendor_sku.get((vendor.id, number.casefold()), [])
        if len(offered) > 1:
            skus = " and ".join(sorted(shown(product["sku"]) for product in offered)[:2])
            raise BadInput(f"{vendor.name} offers {skus} under this number: use the SKU")
        return offered[0] if offered else None
