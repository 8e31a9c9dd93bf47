"""The demo shop as frames: catalogue, prices, purchase orders and every line of its ledger, from one seed."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from db.demo import catalogue, demand, endings, shelves, slips

SEED = 20260
# Vendors with an order on its way: one that is in time, one of which a part came, one that is late.
ON_THEIR_WAY = ("Brennhof Werkzeuge", "Lagan Fastener Company", catalogue.LATE_VENDOR)
LINES_COMING = 4
KINDS = {
    "opening": ("in", "opening"),
    "receipt": ("in", "receipt"),
    "transfer": ("transfer", "transfer"),
    "sale": ("out", "sale"),
    "return": ("in", "return"),
    "count": ("adjust", "count"),
    "damage": ("adjust", "damage"),
    "loss": ("adjust", "loss"),
}
REFERENCES = {
    "opening": "opening",
    "receipt": "purchase order",
    "transfer": "transfer",
    "sale": "invoice",
    "return": "credit_note",
    "count": "count",
}


@dataclass(frozen=True)
class DemoShop:
    """The whole shop. `products`, `barcodes`, `vendor_prices`, `vendors`, `warehouses`: see `catalogue`.

    `movements`: one row per line of the ledger in booking order: day, occurred_at (UTC), sku, warehouse,
    type, reason_code, change, unit_price, reason, reference_type, reference_id, customer, returns_line,
    counterpart_line (row numbers of this frame, or NA). `orders`: what was ordered and came: number, vendor,
    sku, ordered_on, due_on, arrived_on, quantity (as ordered), price (EUR) and line (row of `movements`).
    `coming`: what is on its way: number, vendor, sku, ordered_on, due_on, quantity, price. `specials`: sku by
    story. `slips`: lines that were mistyped, see `slips.made`.
    """

    today: date
    warehouses: pd.DataFrame
    vendors: pd.DataFrame
    products: pd.DataFrame
    barcodes: pd.DataFrame
    vendor_prices: pd.DataFrame
    movements: pd.DataFrame
    orders: pd.DataFrame
    coming: pd.DataFrame
    specials: dict[str, str]
    slips: pd.DataFrame


def frames(today: date, seed: int = SEED) -> DemoShop:
    """The shop as it stands on the morning of `today`, with the 400 days before; no database needed."""
    rng = np.random.default_rng(seed)
    products = catalogue.products(rng)
    habit = demand.habits(products, rng)
    lines_a_day = demand.expected_lines(products, habit, today, rng)
    lines = demand.order_lines(habit, lines_a_day, today, rng)
    vendor = products.vendor.map({name: n for n, name in enumerate(catalogue.VENDORS.name)}).to_numpy()
    shop = shelves.Shelves(
        habit=habit,
        lead_days=products.lead_time_days.to_numpy(),
        vendor=vendor,
        calendar=demand.days_of(today),
        lines=lines,
        expected=lines_a_day * demand.pieces_a_line(habit)[:, None],
        rng=rng,
    )
    shelves.simulate(shop)
    rates = shop.expected[:, demand.DAYS - 28 : demand.DAYS + 28].mean(axis=1)
    level = rates * (products.lead_time_days + endings.REVIEW_DAYS)
    products = products.assign(reorder_threshold=np.maximum(np.ceil(level), 1).astype(int))
    log = _log(shop)
    orders = _orders(log, products, shop)
    orders, coming = _numbered(orders, _coming(orders, products, shop))
    specials = {story: products.sku[n] for n, story in enumerate(habit.story) if story}
    movements = _movements(log, orders, products, shop, rng)
    movements, mistyped = slips.made(movements, today, set(specials.values()), seed)
    return DemoShop(
        today=today,
        warehouses=catalogue.WAREHOUSES,
        vendors=catalogue.VENDORS,
        products=products,
        barcodes=catalogue.barcodes(products.sku, rng),
        vendor_prices=catalogue.vendor_prices(products),
        movements=movements,
        coming=coming,
        orders=orders.assign(line=_lines_of(log, orders)).drop(columns="serial"),
        specials=specials,
        slips=mistyped,
    )


def _log(shop: shelves.Shelves) -> pd.DataFrame:
    """Sales and everything else that happened, in booking order; `serial` names a line for links."""
    served = shop.lines.assign(
        change=-shop.served, kind="sale", serial=np.arange(len(shop.lines)), about=None
    )
    served = served[served.change < 0]
    other = pd.DataFrame(
        shop.log, columns=["day", "minute", "kind", "product", "warehouse", "change", "about"]
    )
    other["serial"] = len(shop.lines) + np.arange(len(other))
    # Deliveries of a day come one after the other before the doors open.
    is_receipt = (other.kind == "receipt").to_numpy()
    nth = other[is_receipt].groupby("day").cumcount().to_numpy()
    other.loc[is_receipt, "minute"] = 400.0 + np.minimum(nth, 50)
    log = pd.concat([served.drop(columns="quantity"), other], ignore_index=True)
    return log.sort_values(["day", "minute"], kind="stable", ignore_index=True)


def _orders(log: pd.DataFrame, products: pd.DataFrame, shop: shelves.Shelves) -> pd.DataFrame:
    """Purchase orders of all deliveries: what one vendor was asked for on one day has one number."""
    came = log[log.kind == "receipt"]
    product = came["product"].to_numpy()
    ordered, quantity = (np.array([about[n] for about in came.about], int) for n in (0, 1))
    first = shop.calendar[0].toordinal()

    def dates(days: np.ndarray) -> list[date]:
        return [date.fromordinal(first + int(day)) for day in days]

    share = np.select([quantity >= step for step, _ in reversed(catalogue.USUAL_STEPS)],
                      [share for _, share in reversed(catalogue.USUAL_STEPS)], 1.0)  # fmt: skip
    return pd.DataFrame(
        {
            "vendor": products.vendor.to_numpy()[product],
            "sku": products.sku.to_numpy()[product],
            "ordered_on": dates(ordered),
            "due_on": dates(ordered + shop.lead_days[product]),
            "arrived_on": dates(came.day),
            "quantity": quantity,
            "price": (products.unit_cost.to_numpy()[product] * share).round(4),
            "serial": came.serial.to_numpy(),
        }
    ).sort_values(["ordered_on", "vendor", "arrived_on"], kind="stable", ignore_index=True)


def _numbered(came: pd.DataFrame, coming: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders with their numbers: what one vendor was asked for on one day has one, counted by year."""
    key = ["ordered_on", "vendor"]
    asked = pd.concat([came[key], coming[key]]).drop_duplicates().sort_values(key, ignore_index=True)
    year = asked.ordered_on.map(lambda day: day.year)
    nth = asked.groupby(year).cumcount() + 1
    asked["number"] = [f"PO-{y}-{n:04}" for y, n in zip(year, nth, strict=True)]
    numbered = [lines.merge(asked, how="left", on=key) for lines in (came, coming)]
    return tuple(lines[["number", *lines.columns.drop("number")]] for lines in numbered)


def _coming(came: pd.DataFrame, products: pd.DataFrame, shop: shelves.Shelves) -> pd.DataFrame:
    """What is on its way this morning: a late order of the late vendor for shelves that are empty, one that
    is due in some days, and the rest of one of which a part came."""
    hand = pd.Series(shop.hand.sum(axis=1), products.sku)
    rate = pd.Series(shop.sold[:, -56:].mean(axis=1), products.sku)
    by_vendor = {name: hand[products.vendor.to_numpy() == name] for name in catalogue.VENDORS.name}
    on_time, partly, late = ON_THEIR_WAY
    empty = by_vendor[late].index[(by_vendor[late] == 0) & (rate[by_vendor[late].index] > 0)][:LINES_COMING]
    cover = (by_vendor[on_time] / rate[by_vendor[on_time].index].replace(0, np.nan)).dropna().sort_values()
    rows = [(late, sku, _order_day(shop, late, 17)) for sku in empty]
    rows += [(on_time, sku, _order_day(shop, on_time, 6)) for sku in cover[cover > 0].index[:LINES_COMING]]
    lead, cost = (products.set_index("sku")[name] for name in ("lead_time_days", "unit_cost"))
    today = shop.calendar[-1] + timedelta(days=1)
    lines = [
        (vendor, sku, day, day + timedelta(days=int(lead[sku])), int(np.ceil(rate[sku] * 30 / 10) * 10))
        for vendor, sku, day in rows
    ]
    last = came[came.vendor == partly].sort_values("arrived_on").iloc[-1]
    lines.append((partly, last.sku, last.ordered_on, today + timedelta(days=2), max(last.quantity // 2, 1)))
    frame = pd.DataFrame(lines, columns=["vendor", "sku", "ordered_on", "due_on", "quantity"])
    return frame.assign(price=cost[frame.sku].to_numpy())


def _order_day(shop: shelves.Shelves, vendor: str, days_ago: int) -> date:
    """The vendor's weekday, about so many days ago."""
    weekday = catalogue.VENDORS.name.tolist().index(vendor) % 5
    return next(day for day in reversed(shop.calendar[:-days_ago]) if day.weekday() == weekday)


def _lines_of(log: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    """Row of the ledger with which each line of an order came in."""
    return pd.Series(log.index, index=log.serial).loc[orders.serial].to_numpy()


def _movements(
    log: pd.DataFrame,
    orders: pd.DataFrame,
    products: pd.DataFrame,
    shop: shelves.Shelves,
    rng: np.random.Generator,
) -> pd.DataFrame:
    kind = log.kind
    order = orders.set_index("serial").reindex(log.serial)
    sale_of = _sale_of(log)
    local = pd.DatetimeIndex(shop.calendar)[log.day] + pd.to_timedelta((log.minute * 60).round(), unit="s")
    return pd.DataFrame(
        {
            "day": np.array(shop.calendar, dtype=object)[log.day],
            "occurred_at": pd.DatetimeIndex(local).tz_localize(catalogue.SHOP["time_zone"]).tz_convert("UTC"),
            "sku": products.sku.to_numpy()[log["product"]],
            "warehouse": catalogue.WAREHOUSES.code.to_numpy()[log.warehouse],
            "type": kind.map({name: pair[0] for name, pair in KINDS.items()}),
            "reason_code": kind.map({name: pair[1] for name, pair in KINDS.items()}),
            "change": log.change.astype(int),
            "unit_price": _prices(log, order, sale_of, products, shop, rng).round(2),
            "reason": _texts(log, order),
            "reference_type": kind.map(REFERENCES),
            "reference_id": _references(log, order, sale_of, shop.calendar),
            "customer": _customers(log, sale_of),
            "returns_line": sale_of,
            "counterpart_line": _counterparts(log),
        }
    )


def _sale_of(log: pd.DataFrame) -> pd.Series:
    """Row of the sale that a customer return takes back, NA elsewhere."""
    rows = pd.Series(log.index, index=log.serial)
    named = pd.Series(pd.NA, index=log.index, dtype="Int64")
    is_return = log.kind == "return"
    named[is_return] = rows.loc[log.about[is_return].astype(int)].to_numpy()
    return named


def _counterparts(log: pd.DataFrame) -> pd.Series:
    """Row of the other leg of a transfer; the two legs are written one after the other."""
    rows = pd.Series(pd.NA, index=log.index, dtype="Int64")
    legs = np.flatnonzero(log.kind == "transfer")
    rows.iloc[legs] = legs.reshape(-1, 2)[:, ::-1].ravel()
    return rows


def _texts(log: pd.DataFrame, order: pd.DataFrame) -> pd.Series:
    text = pd.Series(order.vendor.to_numpy(), index=log.index, dtype=object)
    is_told = log.kind.isin(["count", "damage", "loss"])
    text[is_told] = log.about[is_told]
    text[log.kind == "opening"] = "Stock taken over"
    return text.where(text.notna(), None)


def _customers(log: pd.DataFrame, sale_of: pd.Series) -> pd.Series:
    number = log.customer.where(sale_of.isna(), log.customer.reindex(sale_of.fillna(-1)).to_numpy())
    named = (number >= 0).to_numpy()
    customer = pd.Series(None, index=log.index, dtype=object)
    customer[named] = "C-" + (1001 + number[named].astype(int)).astype(str)
    return customer


def _references(
    log: pd.DataFrame, order: pd.DataFrame, sale_of: pd.Series, calendar: list[date]
) -> pd.Series:
    """The number of the paper behind each line."""
    stamp = np.array([f"{day:%y%m%d}" for day in calendar])[log.day]
    document = log.document.where(sale_of.isna(), log.document.reindex(sale_of.fillna(-1)).to_numpy())
    document = (100001 + document.fillna(0).astype(int)).astype(str)
    # The van is named after where it goes, on both legs.
    goes_to = np.maximum(log.warehouse, pd.to_numeric(log.about.where(log.kind == "transfer")).fillna(0))
    papers = {
        "sale": "INV-" + document,
        "return": "CRN-" + document,
        "receipt": pd.Series(order.number.to_numpy(), index=log.index),
        "transfer": "TR-" + stamp + goes_to.map({0.0: "A", 1.0: "B", 2.0: "C"}),
        "count": pd.Series("CC-" + stamp.astype(object), index=log.index),
        "opening": pd.Series("OPEN-" + stamp.astype(object), index=log.index),
    }
    reference = pd.Series(None, index=log.index, dtype=object)
    for kind, paper in papers.items():
        reference[log.kind == kind] = paper[log.kind == kind]
    return reference


def _prices(
    log: pd.DataFrame,
    order: pd.DataFrame,
    sale_of: pd.Series,
    products: pd.DataFrame,
    shop: shelves.Shelves,
    rng: np.random.Generator,
) -> pd.Series:
    """What was paid for a piece: by the customer, or by us; nothing for what only changes place."""
    price = pd.Series(order.price.to_numpy(), index=log.index)
    is_opening, is_sale = log.kind == "opening", log.kind == "sale"
    price[is_opening] = products.unit_cost.to_numpy()[log["product"][is_opening]]
    price[is_sale] = _sale_prices(log[is_sale], products, shop, rng)
    return price.where(sale_of.isna(), price.reindex(sale_of.fillna(-1)).to_numpy())


def _sale_prices(
    sold: pd.DataFrame, products: pd.DataFrame, shop: shelves.Shelves, rng: np.random.Generator
) -> np.ndarray:
    """The list price of the year, less what the customer has agreed."""
    agreed = rng.choice([0.0, 0.0, 0.03, 0.05, 0.08], demand.CUSTOMERS + 1)
    agreed[-1] = 0.0  # cash
    year = shop.calendar[-1].year
    now = np.array([day.year == year for day in shop.calendar])[sold.day.to_numpy()]
    listed = products.unit_price.to_numpy()[sold["product"].to_numpy()] * np.where(now, 1.0, 0.97)
    return listed * (1 - agreed[sold.customer.to_numpy().astype(int)])
