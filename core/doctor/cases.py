"""What the model says of one line, in the shop's terms: the repair, what it is worth, the figures behind it.

No session: numbers go in, values come out.
"""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.anomaly.detector import Scores
from core.anomaly.lines import FIELDS, FLOWS, KINDS
from core.doctor.ledger_lines import Sheet
from core.posting import QUANTITY_STEP, plain

COST_FLOWS = ("in", "to_vendor", "count", "loss", "transfer")
"""Flows that are worth what a product costs; the others what it is sold for."""


@dataclass(frozen=True)
class Repair:
    """What is changed: a signed change, a unit price, a product, a place; nothing for "whole" and "none"."""

    field: str
    change: Decimal | None = None
    unit_price: Decimal | None = None
    product_id: int | None = None
    warehouse_id: int | None = None

    def as_text(self) -> dict[str, str]:
        """The new values as a finding keeps them."""
        told = {
            "quantity": None if self.change is None else plain(self.change),
            "unit_price": None if self.unit_price is None else plain(self.unit_price),
            "product_id": self.product_id,
            "warehouse_id": self.warehouse_id,
        }
        return {name: str(value) for name, value in told.items() if value is not None}

    @classmethod
    def of(cls, field: str, told: dict[str, str]) -> "Repair":
        """The repair that a finding keeps."""
        return cls(
            field,
            Decimal(told["quantity"]) if "quantity" in told else None,
            Decimal(told["unit_price"]) if "unit_price" in told else None,
            int(told["product_id"]) if "product_id" in told else None,
            int(told["warehouse_id"]) if "warehouse_id" in told else None,
        )


@dataclass(frozen=True)
class Case:
    """One line with what is held to be wrong with it, as a sentence needs it.

    `other`: the code of the product or place that would be usual; `usual` and `usual_price`: what earlier
    lines (`seen` of them) had, None when nobody knows.
    """

    sku: str
    place: str
    flow: str
    change: Decimal
    unit_price: Decimal | None
    on: date
    chance: float
    kind: str
    repair: Repair
    other: str | None
    usual: Decimal | None
    usual_price: Decimal | None
    seen: int

    def figures(self) -> dict[str, Any]:
        """The figures of the sentence as JSON; `model_chance` is the chance before people had their say."""
        return {
            "usual_quantity": _text(self.usual),
            "usual_price": _text(self.usual_price),
            "seen": self.seen,
            "model_chance": round(self.chance, 6),
            "other": self.other,
        }


def of_line(
    sheet: Sheet, scores: Scores, n: int, change: Decimal, unit_price: Decimal | None, on: date
) -> Case:
    """The case of the n-th target of a sheet, with the figures as they were booked or typed."""
    line, shelf = int(sheet.targets[n]), sheet.shelf
    repair = repair_of(FIELDS[scores.field[n]], float(scores.value[n]), change, unit_price)
    if repair.product_id is not None and repair.product_id not in shelf.codes:
        repair = Repair("none")
    if repair.warehouse_id is not None and repair.warehouse_id not in shelf.place_codes:
        repair = Repair("none")
    others = {
        "product": shelf.codes.get(repair.product_id),
        "warehouse": shelf.place_codes.get(repair.warehouse_id),
    }
    return Case(
        sku=shelf.codes.get(int(sheet.lines.product[line]), ""),
        place=shelf.place_codes.get(int(sheet.lines.place[line]), ""),
        flow=FLOWS[sheet.lines.flow[line]],
        change=change,
        unit_price=unit_price,
        on=on,
        chance=float(scores.chance[n]),
        kind=KINDS[scores.kind[n]],
        repair=repair,
        other=others.get(repair.field),
        usual=_known(abs(float(scores.usual_quantity[n]))),
        usual_price=_known(float(scores.usual_price[n])),
        seen=int(scores.seen[n]),
    )  # fmt: skip


def repair_of(field: str, value: float, change: Decimal, unit_price: Decimal | None) -> Repair:
    """What the model proposes, as values the ledger can keep; "none" when it changes nothing or cannot be."""
    if field == "whole":
        return Repair("whole")
    if field == "sign":
        return Repair("sign", change=-change)
    if field == "none" or not math.isfinite(value):
        return Repair("none")
    if field == "product":
        return Repair("product", product_id=int(value))
    if field == "warehouse":
        return Repair("warehouse", warehouse_id=int(value))
    number = _known(value)
    if number is None:
        return Repair("none")
    if field == "price":
        return Repair("price", unit_price=number) if 0 <= number != unit_price else Repair("none")
    # A quantity that turns round is another repair (the sign), and none at all is the whole line.
    same_way = number * change > 0
    return Repair("quantity", change=number) if same_way and number != change else Repair("none")


def money_at_risk(case: Case, unit_cost: Decimal | None, sales_price: Decimal | None) -> Decimal:
    """What the difference between the booked and the repaired line is worth; 0 when nothing has a price.

    Of a line for which no repair is known, all of it.
    """
    first, second = (unit_cost, sales_price) if case.flow in COST_FLOWS else (sales_price, unit_cost)
    price = next((given for given in (case.unit_price, first, second) if given is not None), Decimal(0))
    repair = case.repair
    if repair.unit_price is not None:
        price = abs(repair.unit_price - (case.unit_price or Decimal(0)))
        worth = price * abs(case.change)
    elif repair.change is not None:
        worth = price * abs(repair.change - case.change)
    else:
        worth = price * abs(case.change)
    return worth.quantize(QUANTITY_STEP)


def _known(value: float) -> Decimal | None:
    """The value as the ledger keeps it; None when it is no number."""
    if not math.isfinite(value) or abs(value) >= 1e11:
        return None
    return Decimal(repr(value)).quantize(QUANTITY_STEP)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
