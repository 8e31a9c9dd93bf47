"""Orders where they matter: on the page of a product, and on Today what is late or fell through."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from core import auth, shop
from core.auth import Actor
from core.buying import order_lists
from core.buying.order_lists import Trouble
from dashboard import order_words, ui
from dashboard.looks import ProductPage
from db.session import reading

MOST_CANCELLED = 50


@dataclass(frozen=True)
class OfProduct:
    """The orders a product is on, by the line's id, and what of them does not come."""

    orders: dict[int, dict[str, Any]]
    gone: list[Trouble]


def of_product(page: ProductPage, today: date) -> OfProduct:
    """What is ordered of a product. What is late stands in the list of what is on its way."""
    product_id = page.detail.product.id
    with reading() as session:
        orders = order_lists.of_product(session, product_id, today)
        told = order_lists.trouble(session, product_id, today)
    return OfProduct({row["line_id"]: row for row in orders}, [one for one in told if one.kind != "late"])


def draw_of_product(found: OfProduct) -> None:
    """Orders that were cancelled or given up lately, and drafts that nobody has sent yet."""
    for one in found.gone:
        _draw_line(
            f":orange-badge[Does not come] &nbsp; {ui.safe_md(one.sentence)}", one.number, str(one.order_uid)
        )
    for row in found.orders.values():
        if row["state"] == "draft":
            amount = ui.safe_md(ui.formats().quantity(row["quantity"]))
            _draw_line(
                f":gray[{amount} in a draft for {ui.safe_md(row['vendor'])}]", row["number"], str(row["uid"])
            )


def _draw_line(words: str, number: str, uid: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(words, width="content")
        link(number, uid)


def link(number: str, uid: str) -> None:
    """The way to an order."""
    st.page_link("views/order.py", label=ui.safe_md(number), icon=":material/local_shipping:",
                 query_params={"id": uid})  # fmt: skip


def draw_order_link(page: ProductPage, person: Actor) -> None:
    """A new order with this product on it, for buyers."""
    if auth.may(person, "buy") and page.detail.product.is_active:
        st.page_link(
            "views/order.py", label="Order it", icon=":material/add_shopping_cart:",
            query_params={"id": "new", "product": str(page.detail.product.uid)},
        )  # fmt: skip


# -- Today ---------------------------------------------------------------------------------------------------


def draw_today(today: date) -> None:
    """One line about orders that are late, what hurts most first, and one about those that fell through."""
    with reading() as session:
        late = order_lists.late(session, today)
        listed, _ = order_lists.listing(session, today, state="cancelled", limit=MOST_CANCELLED)
        zone = shop.get(session)
    since = today - timedelta(days=order_lists.SHOWN_DAYS)
    gone = [row for row in listed if row["sent_on"] and shop.today(zone, row["cancelled_at"]) >= since]
    if late:
        orders = len({row["number"] for row in late})
        verb = "is" if orders == 1 else "are"
        _draw_today_line(
            f":orange-badge[{order_words.LATE}] &nbsp; **{order_words.count(orders, 'order')} {verb} late:** "
            f"{_late(late[0], today)}{_more(len(late) - 1)}",
            "See late orders", {"late": "yes"}, key="late",
        )  # fmt: skip
    if gone:
        verb = "was" if len(gone) == 1 else "were"
        first = f"{gone[0]['number']} to {gone[0]['vendor']}"
        _draw_today_line(
            f":orange-badge[Does not come] &nbsp; **{order_words.count(len(gone), 'order')} {verb} cancelled "
            f"lately:** {ui.safe_md(first)}{_more(len(gone) - 1)}",
            "See cancelled orders", {"state": "cancelled"}, key="cancelled",
        )  # fmt: skip


def _late(row: Any, today: date) -> str:
    """50 Copper elbow of Costa & Mar, 9 days late; it runs out 12-19 Nov."""
    write = ui.formats()
    amount = f"{write.quantity(row['open'])} {row['product_name']} of {row['vendor']}"
    said = f"{amount}, {write.duration(row['days_late'])} late"
    if row["status"] == "out":
        said += "; none is left"
    elif row["p10_on"] is not None:
        said += f"; it runs out {write.span(row['p10_on'], row['p90_on'], today)}"
    return ui.safe_md(said)


def _more(count: int) -> str:
    return f" :gray[and {ui.formats().number(count)} more]" if count else ""


def _draw_today_line(words: str, label: str, address: dict[str, str], *, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"orders-{key}"):
        st.markdown(words, width="content")
        st.page_link("views/orders.py", label=label, icon=":material/arrow_forward:", query_params=address)
