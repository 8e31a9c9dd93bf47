"""The vendors of one product beside each other: whom to order from, why, and what makes up each total."""

from datetime import date
from html import escape
from typing import Any

import streamlit as st

from core import auth
from core.auth import Actor
from core.buying import comparison, vendors
from core.buying.comparison import Comparison, Row
from core.errors import RunoutError
from dashboard import comparison_row, comparison_table, editing, looks, offer_form, pickers, ui
from dashboard.charts import vendors as vendors_chart
from dashboard.looks import Place, ProductPage
from db.session import reading

QUANTITY = "buy"
NEW = "new"
MOST_VENDORS = 1_000
BASIS = {
    comparison.ADVISED: "as advised",
    comparison.ASKED: "as you asked",
    comparison.UNTIL_REVIEW: "what is expected to sell until the next order",
    comparison.ONE: "a single one, for there is no forecast",
}


def draw(page: ProductPage, warehouse: Place | None, person: Actor, today: date) -> None:
    """The section: the quantity, the finding, the table, the picture, and the row that the address names."""
    product = page.detail.product
    may_buy = auth.may(person, "buy") and product.is_active
    mine = editing.desk(f"comparison {product.uid}")
    found = _look(product.id, warehouse, today)
    unit = ui.unit_md(product.unit_of_measure, found.quantity)
    with ui.heading("Vendors"):
        if may_buy and mine.get("open") != NEW:
            st.button(
                "Add offer", icon=":material/add:", key="add_offer", on_click=offer_form.open_form,
                args=(mine, NEW),
            )  # fmt: skip
    if mine.get("open") == NEW and may_buy:
        _draw_new_offer(mine, product, today)
    else:
        editing.draw_answer(mine, key="offer")
    if not found.rows:
        _draw_nothing(may_buy=may_buy)
        return
    with st.container(key="compared-quantity"):
        _draw_quantity(found, unit)
    _draw_finding(found)
    if found.split is not None:
        _draw_split(found)
    comparison_table.draw(found, today)
    chosen = st.query_params.get("vendor")
    row = next((one for one in found.rows if str(one.offer.vendor.uid) == chosen), None)
    if row is not None:
        comparison_row.draw(found, row, product, mine, today, may_buy=may_buy)
    elif chosen is not None:
        ui.refused("This vendor does not offer the product.")
    _draw_picture(found, page, today)


def _look(product_id: int, warehouse: Place | None, today: date) -> Comparison:
    """The comparison for the quantity of the address; a quantity that is none is refused, and not counted."""
    asked, place = st.query_params.get(QUANTITY), warehouse.id if warehouse else None
    refused = None
    with reading() as session:
        try:
            found = comparison.of_product(session, product_id, today, place, quantity=asked or None)
        except RunoutError as refusal:
            refused = refusal.sentence
            found = comparison.of_product(session, product_id, today, place)
    if refused is not None:
        pickers.refuse(QUANTITY, refused)
    return found


def _draw_nothing(*, may_buy: bool) -> None:
    hint = "Add what a vendor asks for it, and Runout says from whom to order."
    ui.empty("Nobody offers this product.", hint if may_buy else "Managers enter what vendors ask.")


def _draw_new_offer(mine: dict[str, Any], product: Any, today: date) -> None:
    with reading() as session:
        listed, _ = vendors.listing(session, limit=MOST_VENDORS)
    if not listed:
        ui.empty("There is no vendor yet.", "Add one first.", button="All vendors", page="views/vendors.py")
        return
    names = {one.id: f"{one.name} ({one.currency})" for one in listed}
    offer_form.draw(mine, None, currency="", today=today, product_id=product.id, vendors_to_choose=names)


def _draw_quantity(found: Comparison, unit: str) -> None:
    """How many are compared for; the address holds another number."""
    key, shown = f"compared_{found.product_id}", float(found.quantity)
    if st.session_state.get(key) != shown:
        st.session_state[key] = shown
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Quantity",
            value=None,
            step=1.0,
            format="%.12g",
            key=key,
            width=170,
            on_change=_asked,
            args=(key,),
        )
        if QUANTITY in st.query_params:
            st.button("Reset", icon=":material/replay:", key="compared_reset", on_click=_reset)
        st.markdown(f":gray[{BASIS[found.basis]}{f',{unit}' if unit else ''}]")


def _asked(key: str) -> None:
    pickers.restart()
    pickers.remember(QUANTITY, editing.number(st.session_state[key]))


def _reset() -> None:
    pickers.restart()
    pickers.remember(QUANTITY, None)


# -- The finding ---------------------------------------------------------------------------------------------


def cheapest(found: Comparison) -> Row | None:
    """The lowest price of a piece where it is not the one to take."""
    priced = [row for row in found.rows if row.costed.unit_price is not None]
    low = min(priced, key=lambda row: row.costed.unit_price, default=None)
    best = found.recommended
    if low is None or best is None or low.costed.unit_price >= best.costed.unit_price:
        return None
    return low


def finding(found: Comparison) -> str:
    """Whom to order from, in one sentence."""
    best, low = found.recommended, cheapest(found)
    if best is None:
        return "No vendor has a price for so few"
    name = best.costed.name
    if len(found.rows) == 1:
        return f"Only {name} offers it"
    if low is not None:
        return f"{name}, although {low.costed.name} asks less a piece"
    return f"{name} is cheapest in all" if best.costed.is_best else f"{name} is chosen by hand"


def _draw_finding(found: Comparison) -> None:
    st.markdown(f"#### {ui.safe_md(finding(found))}")
    best, low = found.recommended, cheapest(found)
    if best is not None:
        st.markdown(f"**{ui.safe_md(best.costed.name)}** &nbsp; {ui.safe_md(best.costed.why)}")
    if low is not None:
        st.markdown(f"**{ui.safe_md(low.costed.name)}** &nbsp; {ui.safe_md(low.costed.why)}")


def _draw_split(found: Comparison) -> None:
    split, write = found.split, ui.formats()
    parts = [
        f"**{ui.safe_md(write.quantity(part.quantity))}** from {ui.safe_md(part.name)} "
        f"({ui.safe_md(write.weekday(part.arrives_on))})"
        for part in (split.first, split.second)
    ]
    with st.container(border=True, key="split"):
        st.markdown(
            f"**Two orders cost {ui.safe_md(write.money(split.saves))} less:** {' and '.join(parts)}, "
            f"{ui.safe_md(write.money(split.total))} in all.  \n{ui.safe_md(split.why)}"
        )


# -- The picture ---------------------------------------------------------------------------------------------


def _draw_picture(found: Comparison, page: ProductPage, today: date) -> None:
    write = ui.formats()
    priced = [row.costed for row in found.rows if row.costed.total is not None]
    if len(priced) < 2:
        return
    spots = [
        vendors_chart.Spot(
            escape(one.name),
            f"{escape(one.name)}: {write.money(one.total)} in all, arrives "
            f"{write.weekday(one.arrives_on)}, nine of ten by {write.weekday(one.candidate.arrival.late_on)}",
            one.arrives_on, one.candidate.arrival.late_on, float(one.total), one.is_recommended,
        )
        for one in priced
    ]  # fmt: skip
    verdict = page.outlook.verdict
    about = {
        "today": today,
        "run_out": (verdict.p10_on, verdict.p90_on) if verdict.status != "out" else (None, None),
        "dark": ui.is_dark(),
        "separators": write.separators,
    }
    st.markdown(f"**What an order costs in all, by the day it arrives** :gray[{found.currency}]")
    figure = looks.picture(("vendors", spots, about), lambda: vendors_chart.figure(spots, **about))
    ui.picture(figure, "Total cost of an order by vendor and day of arrival.", key="vendors_chart")
