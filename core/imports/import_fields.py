"""What an imported file can say: the fields of each kind, their usual headers, and the options of reading.

Arithmetic: headers in, guesses out. Data, so that a view can draw forms from it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.errors import BadInput
from core.imports.import_headers import KNOWN_AS
from core.inputs import can_be_kept, shown

KINDS = {
    "sales": "Sales history",
    "stock": "Opening stock",
    "products": "Product list",
    "prices": "Vendor's price list",
}


@dataclass(frozen=True)
class Field:
    """Something a column can hold; `help` is half a sentence about what belongs there."""

    name: str
    label: str
    help: str
    required: bool = False


@dataclass(frozen=True)
class Option:
    """Something a person can settle about a file.

    `kind`: "text", "yes" (a tick box), "choice" (one of `choices`, value and label), "warehouse" (the code of
    one of the shop's), "vendor" (the public id of one), "day" (2026-04-03), "codes" (product codes).
    The value None means: find out, or the usual.
    """

    name: str
    label: str
    help: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()
    default: object = None


FIELDS: dict[str, tuple[Field, ...]] = {
    "sales": (
        Field("code", "Product code", "the SKU that was sold", required=True),
        Field("quantity", "Quantity", "pieces sold; below zero is a return", required=True),
        Field("moment", "Date", "day, or day and time, of the sale", required=True),
        Field("document", "Document", "invoice or order number"),
        Field("description", "Description", "becomes the name of new products"),
        Field("unit_price", "Unit price", "price of one piece; 0 is no sale"),
        Field("customer", "Customer", "number or name"),
        Field("warehouse", "Warehouse", "code of the place the goods left"),
    ),
    "stock": (
        Field("product", "Product", "SKU or barcode", required=True),
        Field("quantity", "Quantity", "pieces on the shelf now", required=True),
        Field("warehouse", "Warehouse", "code or name of the place"),
        Field("unit_cost", "Unit cost", "what one piece cost"),
        Field("name", "Name", "for products the shop does not know yet"),
        Field("category", "Category", "for products the shop does not know yet"),
    ),
    "products": (
        Field("sku", "SKU", "the product's own code; finds the product to change", required=True),
        Field("name", "Name", "needed for new products"),
        Field("description", "Description", "at most 2,000 characters"),
        Field("category", "Category", "groups products in lists"),
        Field("unit_of_measure", "Unit", "what one piece is: each, kg, box"),
        Field("unit_cost", "Unit cost", "what one piece costs"),
        Field("unit_price", "Unit price", "what one piece sells for"),
        Field("reorder_threshold", "Threshold", "low at or below this many pieces"),
        Field("lead_time_days", "Lead time", "days from order to arrival, 0 to 365"),
        Field("barcode", "Barcode", "the code printed on one piece"),
        Field("is_active", "Active", "yes or no"),
    ),
    "prices": (
        Field("sku", "SKU", "the product's own code"),
        Field("vendor_sku", "Vendor's SKU", "the vendor's number; finds products it offered before"),
        Field("barcode", "Barcode", "the code printed on one piece"),
        Field("unit_price", "Unit price", "in the vendor's currency", required=True),
        Field("price_unit", "Price is for", "how many pieces the price is for; 1 otherwise"),
        Field("minimum_quantity", "From quantity", "a line for each price step; 1 otherwise"),
        Field("minimum_order_quantity", "Minimum order", "the least that is sold; empty or 0: no minimum"),
        Field("order_multiple", "Order multiple", "sold in multiples of this; empty or 0: any quantity"),
        Field("lead_time_days", "Lead time", "days from order to arrival; empty: as before"),
        Field("valid_from", "Valid from", "first day of the price"),
        Field("valid_until", "Valid until", "last day of the price"),
        Field("currency", "Currency", "is held against the vendor's"),
        Field("vendor", "Vendor", "its name, where the file is of several"),
    ),
}
ONE_OF = {"prices": ("sku", "vendor_sku", "barcode")}
"""Fields of which a file needs at least one."""

_DATES = Option(
    "date_format", "Order of dates", "how the file writes 3 April", "choice",
    (("ymd", "2026-04-03"), ("dmy", "03/04/2026 (day first)"), ("mdy", "04/03/2026 (month first)")),
)  # fmt: skip
_READING = (
    Option(
        "decimal", "Decimal mark", "how the file writes 1½", "choice",
        ((".", "Point: 1.5"), (",", "Comma: 1,5")),
    ),
    Option(
        "encoding", "Encoding", "where letters look wrong", "choice",
        (("utf-8", "UTF-8"), ("cp1252", "Windows, western Europe"), ("cp1250", "Windows, central Europe"),
         ("cp1251", "Windows, Cyrillic"), ("cp1253", "Windows, Greek"), ("cp1254", "Windows, Turkish"),
         ("utf-16", "UTF-16")),
    ),
    Option(
        "delimiter", "Between columns", "of a CSV file", "choice",
        ((",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "|")),
    ),
    Option("sheet", "Sheet", "of a workbook; the first visible one otherwise", "text"),
)  # fmt: skip
READING = ("encoding", "delimiter", "sheet")
"""The options that change which columns a file has."""

OPTIONS: dict[str, tuple[Option, ...]] = {
    "sales": (
        Option("warehouse", "Warehouse", "where lines that name none left the shelf", "warehouse"),
        _DATES,
        Option(
            "counted_corrections", "Book missing stock as counted",
            "where more was sold than is on hand, instead of an error", "yes", default=False,
        ),
        Option(
            "shift_to_today", "Move old days to end yesterday",
            "by whole years of 364 days; for trying Runout out", "yes", default=False,
        ),
        Option("non_product_codes", "Not products", "codes to skip, such as POST", "codes", default=()),
        Option("product_codes", "Always products", "codes never to skip", "codes", default=()),
        Option("source", "Source", "where the lines come from; part of each line's key", "text",
               default="sales"),
        *_READING,
    ),
    "stock": (
        Option("warehouse", "Warehouse", "for lines that name none", "warehouse"),
        Option("create_products", "Add unknown products", "otherwise they are errors", "yes", default=True),
        *_READING,
    ),
    "products": (
        Option("update_existing", "Change products the shop has", "otherwise they are skipped", "yes",
               default=True),
        Option("create_new", "Add products the shop does not have", "otherwise they are skipped", "yes",
               default=True),
        *_READING,
    ),
    "prices": (
        Option("vendor", "Vendor", "whose prices these are, where no column says so", "vendor"),
        Option("valid_from", "Valid from", "of lines that name no day; today otherwise", "day"),
        _DATES,
        *_READING,
    ),
}  # fmt: skip


def names(kind: str) -> tuple[str, ...]:
    """The names of a kind's fields."""
    return tuple(field.name for field in FIELDS[kind])


def label(kind: str, name: str) -> str:
    """What people call a field."""
    return next(field.label for field in FIELDS[kind] if field.name == name)


def guess(kind: str, headers: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field -> header: what is given, and the fields that some other header is known for; no header twice."""
    found = dict(given or {})
    plain = {_bare(header): header for header in headers}
    for field in KNOWN_AS[kind]:
        for name in KNOWN_AS[kind][field].split():
            if field not in found and name in plain and plain[name] not in found.values():
                found[field] = plain[name]
    return found


def settled(kind: str, mapping: Mapping[str, str], headers: Sequence[str]) -> dict[str, str]:
    """The mapping (field -> header) as a person chose it, held against the file; empty choices left out.

    Raises:
        BadInput: an unknown field or header, a column used twice, or a required field without a column.
    """
    chosen = {field: header for field, header in mapping.items() if header}
    fields = {field.name: field for field in FIELDS[kind]}
    for field, header in chosen.items():
        if field not in fields:
            raise BadInput(f"'{field}' is not a field. Fields are {', '.join(fields)}.")
        if header not in headers:
            raise BadInput(f"{fields[field].label}: the file has no column '{header}'.")
    for field, header in chosen.items():
        for other, again in chosen.items():
            if other != field and again == header:
                raise BadInput(
                    f"'{header}' is chosen for {fields[field].label} and {fields[other].label}: "
                    "one column cannot hold two fields."
                )
    missing = [field.label for field in FIELDS[kind] if field.required and field.name not in chosen]
    if missing:
        raise BadInput(f"Choose the column that holds the {' and the '.join(missing)}.")
    if kind in ONE_OF and not chosen.keys() & set(ONE_OF[kind]):
        labels = [fields[name].label for name in ONE_OF[kind]]
        raise BadInput(f"Choose the column that holds the {', the '.join(labels[:-1])} or the {labels[-1]}.")
    return chosen


def options(kind: str, given: Mapping[str, object]) -> dict[str, object]:
    """All options of a kind as they are kept: what was given, else the default.

    Raises:
        BadInput: an option that does not exist, or a value that it cannot have.
    """
    known = {option.name: option for option in OPTIONS[kind]}
    for name in given:
        if name not in known:
            raise BadInput(f"'{name}' is not an option. Options are {', '.join(known)}.")
    return {name: _value(option, given.get(name)) for name, option in known.items()}


def _value(option: Option, given: object) -> object:
    if given is None or given == "":
        return list(option.default) if isinstance(option.default, tuple) else option.default
    if option.kind == "yes" and isinstance(given, bool):
        return given
    if option.kind == "codes":
        codes = re.split(r"[,;\s]+", given) if isinstance(given, str) else given
        if isinstance(codes, list | tuple) and all(
            isinstance(code, str) and can_be_kept(code) for code in codes
        ):
            return [code for code in codes if code]
    elif option.kind == "day":
        return _day(option, given)
    elif option.kind != "yes" and isinstance(given, str) and len(given) <= 100 and can_be_kept(given):
        if not option.choices or given in {value for value, _ in option.choices}:
            return given
        if option.name in ("encoding", "delimiter", "date_format"):
            return given  # rarer ones work too; the reader says when they do not
    raise BadInput(f"{option.label}: '{shown(given)}' is not a choice.")


def _day(option: Option, given: object) -> str:
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError:
        raise BadInput(f"{option.label}: '{shown(given)}' is not a day such as 2026-04-03.") from None


def _bare(header: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", header).casefold())
