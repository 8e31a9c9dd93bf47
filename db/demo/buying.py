"""How the demo shop buys: its vendors' terms, what they ask now and asked before, and its purchase orders."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.demo import catalogue
from db.demo.ledger import DemoShop
from db.models import (
    ExpectedReceipt,
    OrderReceipt,
    OrderYear,
    PriceStep,
    PurchaseOrder,
    PurchaseOrderLine,
    Vendor,
    VendorOffer,
    VendorShutdown,
)

TERMS = ["name", "email", "phone", "contact_name", "address", "currency", "exchange_rate", "lead_time_days",
         "order_minimum", "free_freight_from", "freight_cost"]  # fmt: skip
ORDER_COST = Decimal("6")  # an order's own work, in the vendor's money
# What a vendor confirms is a little later than what it quotes.
MARGIN = timedelta(days=2)
# One vendor asks more than it did.
RAISED = ("Brennhof Werkzeuge", Decimal("1.06"), 40)
# And one closes for its holidays, so many days from now.
CLOSES = ("Delta Harbour Imports", 26, 41, "Yearly closure")
# How cheap things are packed: at a unit cost below the first number in multiples of the second.
PACKED = ((Decimal("0.5"), 50), (Decimal(2), 10))
SECOND_MINIMUM = ((Decimal(5), 20), (Decimal(50), 4))


def vendors(session: Session, today: date) -> dict[str, int]:
    """Write vendors and their terms; ids by name."""
    rows = []
    for place, row in enumerate(catalogue.VENDORS[TERMS].astype(object).to_dict("records")):
        plain = {name: None if pd.isna(value) else value for name, value in row.items()}
        money = {name: None if plain[name] is None else Decimal(str(plain[name])) for name in TERMS[-3:]}
        rows.append(
            plain | money | {
                "exchange_rate": Decimal(row["exchange_rate"]),
                "order_cost": (ORDER_COST / Decimal(row["exchange_rate"])).quantize(Decimal("0.01")),
                "order_weekdays": [place % 5 + 1],
            }
        )  # fmt: skip
    session.execute(insert(Vendor), rows)
    ids = {name: number for number, name in session.execute(select(Vendor.id, Vendor.name))}
    name, first, last, note = CLOSES
    days = {"starts_on": today + timedelta(days=first), "ends_on": today + timedelta(days=last)}
    session.execute(insert(VendorShutdown), [{"vendor_id": ids[name], "note": note} | days])
    return ids


def offers(session: Session, shop: DemoShop, ids: dict[str, int], skus: dict[str, int], today: date) -> None:
    """Write one offer a vendor and product, with its price steps, and the dearer one that followed it."""
    since = shop.movements.day.iloc[0]
    rate = {row.name: Decimal(row.exchange_rate) for row in catalogue.VENDORS.itertuples(index=False)}
    raised, factor, days_ago = RAISED
    for vendor, prices in shop.vendor_prices.groupby("vendor", sort=False):
        about = [
            _terms(row, shop) | {"vendor_id": ids[vendor], "product_id": skus[row.sku]}
            for row in prices.drop_duplicates("sku").itertuples()
        ]
        if vendor == raised:
            _offered(session, prices, skus, about, since, 1 / factor)
            since_then = today - timedelta(days=days_ago)
            _offered(session, prices, skus, about, since_then, Decimal(1))
        else:
            _offered(session, prices, skus, about, since, 1 / rate[vendor])


def _terms(row: Any, shop: DemoShop) -> dict[str, Any]:
    product = shop.products.loc[shop.products.sku == row.sku].iloc[0]
    cost, is_usual = Decimal(str(product.unit_cost)), product.vendor == row.vendor
    return {
        "lead_time_days": row.lead_time_days,
        "order_multiple": _below(PACKED, cost) if is_usual else None,
        "minimum_order_quantity": None if is_usual else _below(SECOND_MINIMUM, cost),
    }


def _offered(
    session: Session,
    prices: pd.DataFrame,
    skus: dict[str, int],
    about: list[dict[str, Any]],
    valid_from: date,
    share: Decimal,
) -> None:
    """What one vendor asks from a day on, as a share of its prices in euro."""
    made = session.execute(
        insert(VendorOffer).returning(VendorOffer.product_id, VendorOffer.id),
        [row | {"valid_from": valid_from} for row in about],
    )
    offer = {row.product_id: row.id for row in made}
    steps = [
        {
            "offer_id": offer[skus[row.sku]],
            "minimum_quantity": row.minimum_quantity,
            "unit_price": (Decimal(str(row.unit_price)) * share).quantize(Decimal("0.0001")),
        }
        for row in prices.itertuples()
    ]
    session.execute(insert(PriceStep), steps)


def _below(steps: tuple[tuple[Decimal, int], ...], cost: Decimal) -> int | None:
    return next((number for limit, number in steps if cost < limit), None)


# -- Purchase orders -----------------------------------------------------------------------------------------


def orders(
    session: Session,
    shop: DemoShop,
    movement_ids: np.ndarray,
    ids: dict[str, int],
    skus: dict[str, int],
    warehouse_id: int,
    people: tuple[int, int],
) -> None:
    """Write the orders behind the ledger's deliveries, and those that are on their way.

    `people`: who sends, and who receives.
    """
    buyer, receiver = people
    came = shop.orders.assign(change=shop.movements.change.to_numpy()[shop.orders.line.to_numpy()])
    coming = shop.coming.assign(due_on=shop.coming.due_on.map(lambda day: day + MARGIN), change=0)
    came = came.assign(due_on=came.due_on.map(lambda day: day + MARGIN))
    asked = pd.concat([came, coming], ignore_index=True)
    heads = asked.groupby("number", sort=True).agg(
        vendor=("vendor", "first"), ordered_on=("ordered_on", "first"), due_on=("due_on", "max"),
        arrived_on=("arrived_on", "max"), received=("change", "sum"),
    )  # fmt: skip
    is_open = heads.index.isin(shop.coming.number)
    terms = catalogue.VENDORS.set_index("name")
    session.execute(
        insert(PurchaseOrder),
        [
            {
                "number": head.Index,
                "vendor_id": ids[head.vendor],
                "state": _state(opened, head.received),
                "currency": terms.currency[head.vendor],
                "exchange_rate": Decimal(terms.exchange_rate[head.vendor]),
                "expected_on": head.due_on,
                "created_by": buyer,
                "created_at": _at(head.ordered_on, 9),
                "sent_by": buyer,
                "sent_at": _at(head.ordered_on, 10),
                "sent_on": head.ordered_on,
                "received_on": None if opened else head.arrived_on,
            }
            for head, opened in zip(heads.itertuples(), is_open, strict=True)
        ],
    )
    last = heads.groupby(heads.index.str[3:7]).size()
    session.execute(
        insert(OrderYear), [{"year": int(year), "last_number": int(n)} for year, n in last.items()]
    )
    order_ids = {n: number for number, n in session.execute(select(PurchaseOrder.id, PurchaseOrder.number))}
    lines = _lines(session, asked, order_ids, skus, warehouse_id, frozenset(heads.index[is_open]))
    session.execute(
        insert(OrderReceipt),
        [
            {
                "line_id": lines[row.number, row.sku],
                "movement_id": int(movement_ids[row.line]),
                "quantity": row.change,
                "received_on": row.arrived_on,
                "received_by": receiver,
                "received_at": _at(row.arrived_on, 7),
            }
            for row in came.itertuples()
        ],
    )
    session.execute(
        insert(ExpectedReceipt),
        [
            {
                "product_id": skus[row.sku],
                "warehouse_id": warehouse_id,
                "quantity": row.quantity,
                "expected_on": row.due_on,
                "order_line_id": lines[row.number, row.sku],
                "created_by": buyer,
            }
            for row in coming.itertuples()
        ],
    )


def _lines(
    session: Session,
    asked: pd.DataFrame,
    order_ids: dict[str, int],
    skus: dict[str, int],
    warehouse_id: int,
    open_numbers: frozenset[str],
) -> dict[tuple[str, str], int]:
    """Write the lines of the orders, one a product; their ids by number and SKU."""
    rates = {row.name: Decimal(row.exchange_rate) for row in catalogue.VENDORS.itertuples(index=False)}
    lines = asked.groupby(["number", "sku"], sort=False).agg(
        quantity=("quantity", "sum"), received=("change", "sum"), price=("price", "first"),
        vendor=("vendor", "first"), due_on=("due_on", "max"),
    )  # fmt: skip
    rows = [
        {
            "order_id": order_ids[number],
            "product_id": skus[sku],
            "warehouse_id": warehouse_id,
            "quantity": line.quantity,
            "unit_price": (Decimal(str(line.price)) / rates[line.vendor]).quantize(Decimal("0.0001")),
            "expected_on": line.due_on,
            "promised_on": line.due_on,
            "received": line.received,
            "given_up": 0 if number in open_numbers else max(line.quantity - line.received, 0),
        }
        for (number, sku), line in lines.iterrows()
    ]
    session.execute(insert(PurchaseOrderLine), rows)
    named = {number: name for name, number in order_ids.items()}
    products = {number: sku for sku, number in skus.items()}
    made = session.execute(
        select(PurchaseOrderLine.id, PurchaseOrderLine.order_id, PurchaseOrderLine.product_id)
    )
    return {(named[order], products[product]): line for line, order, product in made}


def _state(is_open: bool, received: int) -> str:
    if not is_open:
        return "received"
    return "partly_received" if received else "sent"


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)
