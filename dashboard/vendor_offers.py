"""What a vendor offers: the list, and of one product its price history, a new price, the end of it."""

import uuid
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import auth, products
from core.auth import Actor
from core.buying import price_history
from core.buying.vendor_page import Offered, VendorPage
from core.errors import RunoutError
from core.products import Detail
from dashboard import editing, grid, looks, offer_form, pickers, ui, vendor_rises, vendor_words
from dashboard.charts import prices as prices_chart
from db.session import reading

NEW = "new"
ROWS_PER_PAGE = 25
MOST_LINES = 4  # price steps that a picture can hold apart
NARROW = {"Product": 160, "Unit price": 100, "Validity": 94}
NARROW_HISTORY = {"From": 92, "Prices": 176, "State": 86}
STATES = {
    "current": "Counts", "upcoming": "To come", "past": "Past", "corrected": "Corrected",
    "withdrawn": "Withdrawn",
}  # fmt: skip
URGENCY = {"expired": 0, "ending": 1, "valid": 2}


def draw(page: VendorPage, person: Actor, today: date) -> None:
    """The section: the list with its search, and what the address names of it."""
    vendor = page.vendor
    may_buy = auth.may(person, "buy") and vendor.is_active
    mine = editing.desk(f"offers {vendor.uid}")
    rows = sorted(
        page.offered, key=lambda one: (URGENCY[vendor_words.validity(one.offer.valid_until, today)], one.name)
    )
    with ui.heading(f"{ui.formats().number(len(rows))} :gray[{'offer' if len(rows) == 1 else 'offers'}]"):
        if may_buy and mine.get("open") != NEW:
            st.button(
                "Add offer", icon=":material/add:", key="add_offer", on_click=offer_form.open_form,
                args=(mine, NEW),
            )  # fmt: skip
    if mine.get("open") == NEW and may_buy:
        offer_form.draw(mine, None, currency=vendor.currency, today=today, vendor_id=vendor.id)
    elif "product" not in st.query_params:
        editing.draw_answer(mine, key="offer")
    if "product" in st.query_params:
        _draw_product(page, mine, today, may_buy=may_buy)
    elif rows:
        vendor_rises.draw(vendor, today)
        _draw_list(rows, vendor, today)
    else:
        _nothing(vendor, may_buy=may_buy)


def _nothing(vendor: Any, *, may_buy: bool) -> None:
    if not vendor.is_active:
        ui.empty("Its offers do not count while it is deactivated.", "They are kept, and count again then.")
    elif may_buy:
        ui.empty("It offers nothing yet.", "Add an offer, or bring in its price list.",
                 button="Bring in a price list", page="views/imports.py")  # fmt: skip
    else:
        ui.empty("It offers nothing yet.", "Managers enter what it asks.")


# -- The list ------------------------------------------------------------------------------------------------


def _draw_list(rows: list[Offered], vendor: Any, today: date) -> None:
    if len(rows) > ROWS_PER_PAGE or "q" in st.query_params:
        text = (pickers.words("Search", "q", "Name or SKU") or "").lower()
        rows = [one for one in rows if text in one.name.lower() or text in one.sku.lower()]
    if not rows:
        ui.empty("No offer fits this search.", button="Clear the search", on_click=_clear)
        return
    pages = -(-len(rows) // ROWS_PER_PAGE)
    start = (min(pickers.page(), pages) - 1) * ROWS_PER_PAGE
    page = rows[start : start + ROWS_PER_PAGE]
    asked = [one.offer for one in page]
    states = [vendor_words.validity(offer.valid_until, today) for offer in asked]
    holds = [vendor_words.holds(offer.valid_until, today) for offer in asked]
    frame = pd.DataFrame(
        {
            "Product": [one.name for one in page],
            "Unit price": [vendor_words.price(offer.steps[0][1], vendor.currency) for offer in asked],
            "Steps": [vendor_words.steps(offer.steps[1:], vendor.currency, most=1) for offer in asked],
            "Minimum": [_quantity(offer.minimum_order_quantity) for offer in asked],
            "Multiple": [_quantity(offer.order_multiple) for offer in asked],
            "Lead time": [ui.formats().duration(offer.lead_time_days) for offer in asked],
            "Validity": [[vendor_words.STATES[state]] for state in states],
            "Holds": holds,
            "SKU": [one.sku for one in page],
        }
    )
    turn = st.session_state.setdefault("offers_turn", 0)
    ink = vendor_words.INK["dark" if ui.is_dark() else "light"]
    row, _ = grid.draw(
        frame, NARROW, _config(), key=f"offers_{turn}_{hash(tuple(offer.uid for offer in asked))}",
        narrow_words={"Validity": (holds, [ink[state] for state in states])},
    )  # fmt: skip
    if row is not None:
        st.session_state["offers_turn"] = turn + 1
        pickers.remember("product", page[row].product_uid)
        st.rerun()
    pickers.page_links(len(rows), ROWS_PER_PAGE)


def _clear() -> None:
    st.query_params.pop("q", None)


def _quantity(value: Any) -> str:
    return "" if value is None else ui.formats().quantity(value)


def _config() -> dict[str, Any]:
    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    return {
        "Product": text("Product", 230),
        "Unit price": text("Unit price", 96, "right", "Of the smallest quantity."),
        "Steps": text("Steps", 260, "left", "Cheaper from these quantities on."),
        "Minimum": text("Minimum", 84, "right", "The least that is sold at once."),
        "Multiple": text("Multiple", 80, "right", "Quantities are multiples of it."),
        "Lead time": text("Lead time", 88, "right", "As it quotes."),
        "Validity": vendor_words.validity_column(),
        "Holds": text("Holds", 130),
        "SKU": text("SKU", 100),
    }


# -- One product ---------------------------------------------------------------------------------------------


def _draw_product(page: VendorPage, mine: dict[str, Any], today: date, *, may_buy: bool) -> None:
    vendor = page.vendor
    try:
        with reading() as session:
            detail = products.by_uid(session, st.query_params["product"])
            history = price_history.of(session, today, vendor_id=vendor.id, product_id=detail.product.id)
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        st.button(
            "All its offers", icon=":material/arrow_back:", key="close_product", on_click=_close_product
        )
        return
    product = detail.product
    offer = next((one.offer for one in page.offered if one.offer.product_id == product.id), None)
    st.subheader(ui.safe_md(product.name), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "All its offers", icon=":material/arrow_back:", key="close_product", on_click=_close_product
        )
        if may_buy and product.is_active:
            st.button(
                "Enter a new price", icon=":material/edit:", key="new_price",
                on_click=offer_form.open_form, args=(mine, str(product.uid)),
            )  # fmt: skip
        if may_buy and offer is not None:
            st.button(
                "Withdraw", icon=":material/block:", key="withdraw", on_click=offer_form.withdraw,
                args=(mine, vendor.id, product.id, product.name),
            )  # fmt: skip
        st.page_link(
            "views/product.py", label="Compare vendors", icon=":material/balance:",
            query_params={"id": str(product.uid), "show": "vendors"},
        )  # fmt: skip
    if may_buy and mine.get("open") == str(product.uid):
        offer_form.draw(
            mine, offer, currency=vendor.currency, today=today, vendor_id=vendor.id, product_id=product.id
        )
    else:
        editing.draw_answer(mine, key="offer")
    draw_history(history, vendor.currency, detail, today)


def _close_product() -> None:
    st.query_params.pop("product", None)


def draw_history(history: pd.DataFrame, currency: str, detail: Detail, today: date) -> None:
    """What was asked when: the picture, and every offer there ever was."""
    if history.empty:
        ui.empty(f"It never offered {ui.safe_md(detail.product.name)}.")
        return
    told = history[history.state.isin(["current", "past", "upcoming"])]
    if len(told):
        lines = _lines(told, currency)
        points = [point for point in lines[0].points if point[1] is not None]
        st.markdown(f"**{prices_chart.finding(points, today)}**")
        about = {"today": today, "dark": ui.is_dark(), "separators": ui.formats().separators}
        figure = looks.picture(("prices", lines, about), lambda: prices_chart.figure(lines, **about))
        ui.picture(figure, "Unit price by day and quantity.", key="prices")
    _draw_offers(history, currency)


def _lines(told: pd.DataFrame, currency: str) -> list[prices_chart.Line]:
    """The unit price over time at each quantity that the newest offer names."""
    by_offer: dict[uuid.UUID, tuple[date, dict[Any, Any]]] = {}
    for row in told.itertuples():
        by_offer.setdefault(row.offer_uid, (row.valid_from, {}))[1][row.minimum_quantity] = row.unit_price
    oldest_first = sorted(by_offer.values(), key=lambda one: one[0])
    wanted = sorted(oldest_first[-1][1])[:MOST_LINES]
    lines = []
    for quantity in wanted:
        points = [(day, _price_at(quantity, prices)) for day, prices in oldest_first]
        newest = vendor_words.price(oldest_first[-1][1][quantity], currency)
        name = newest if len(wanted) == 1 else f"{ui.formats().quantity(quantity)}+ {newest}"
        lines.append(prices_chart.Line(name, points))
    return lines


def _price_at(quantity: Any, prices: dict[Any, Any]) -> float | None:
    sold = [least for least in prices if least <= quantity]
    return float(prices[max(sold)]) if sold else None


def _draw_offers(history: pd.DataFrame, currency: str) -> None:
    write = ui.formats()
    rows = [group for _, group in history.groupby("offer_uid", sort=False)]
    heads = [group.iloc[0] for group in rows]
    pairs = [list(zip(group.minimum_quantity, group.unit_price, strict=True)) for group in rows]
    frame = pd.DataFrame(
        {
            "From": [write.day(head.valid_from) for head in heads],
            "Until": [write.day(head.until) if head.until else "" for head in heads],
            "Prices": [
                vendor_words.price(pair[0][1], currency)
                + (f", {vendor_words.steps(pair[1:], currency)}" if len(pair) > 1 else "")
                for pair in pairs
            ],
            "Lead time": [write.duration(head.lead_time_days) for head in heads],
            "Minimum": [_quantity(head.minimum_order_quantity) for head in heads],
            "Multiple": [_quantity(head.order_multiple) for head in heads],
            "State": ["Expired" if head.is_expired else STATES[head.state] for head in heads],
            "Entered": [
                f"{head.entered_by or head.file or 'Runout'}, {write.day(head.entered_at.date())}"
                for head in heads
            ],
        }
    )  # fmt: skip

    def text(name: str, width: int, alignment: str = "left") -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment)

    config = {
        "From": text("From", 100), "Until": text("Until", 100), "Prices": text("Prices", 330),
        "Lead time": text("Lead time", 90, "right"), "Minimum": text("Minimum", 84, "right"),
        "Multiple": text("Multiple", 80, "right"), "State": text("State", 96),
        "Entered": text("Entered", 220),
    }  # fmt: skip
    grey = [head.state not in ("current", "upcoming") for head in heads]
    grid.draw(frame, NARROW_HISTORY, config, key=f"history_{hash(tuple(h.offer_uid for h in heads))}",
              grey=grey)  # fmt: skip
