"""Purchase orders: what was asked of whom, what is on its way, and what is late."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import streamlit as st

from core import auth
from core.buying import order_lists, vendors
from core.buying.order_lists import Totals
from dashboard import grid, order_words, pickers, saving, signin, ui
from dashboard import looks as kept
from dashboard.sorting import Sorting
from db.session import reading

MOST_VENDORS = 1_000
NARROW = {"Order": 166, "Value": 92, "State": 98}
INK = {"light": "#101828", "dark": "#E6E9EF"}
LATE = {"yes": "Late only"}
OPEN = ("draft", *order_words.IS_COMING)
ALL = {"all": "All orders"}
COLUMNS = ("Order", "Vendor", "State", "Value", "Lines", "Ordered", "Expected", "Late by")
SORTING = Sorting(
    {"Order": "-number", "Vendor": "vendor", "State": "state", "Value": "-value", "Lines": "-lines",
     "Ordered": "-sent_on", "Expected": "expected_on", "Late by": "-late"},
    known=order_lists.SORTS, usual="-number", usual_words="the newest come first",
)  # fmt: skip


def page_of(filters: dict[str, Any]) -> tuple[list[Any], Totals]:
    """The page that the address asks for, and the figures of all pages."""
    page = pickers.page()
    sort, descending = SORTING.asked()
    asked = filters | {"sort": sort, "descending": descending, "limit": pickers.ROWS_PER_PAGE}
    with reading() as session:
        offset = min((page - 1) * pickers.ROWS_PER_PAGE, order_lists.MOST_OFFSET)
        found, totals = order_lists.listing(session, today, **asked, offset=offset)
        is_beyond = not found and totals.orders > 0
        if is_beyond:
            found, totals = order_lists.listing(session, today, **asked)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
        pickers.remember("page", None)
    return [SimpleNamespace(**row) for row in found], totals


def draw_list(rows: list[Any]) -> None:
    """The orders; a click opens one, a click on a header orders the whole list by it."""
    write = ui.formats()
    frame = pd.DataFrame(
        {
            "Order": [row.number for row in rows],
            "Vendor": [row.vendor for row in rows],
            "State": [order_words.pills(row) for row in rows],
            "Value": [write.money(row.value) for row in rows],
            "Lines": [write.number(row.lines) for row in rows],
            "Ordered": [write.weekday(row.sent_on) if row.sent_on else "" for row in rows],
            "Expected": ["" if row.state in ("received", "cancelled") or not row.expected_on
                         else write.weekday(row.expected_on) for row in rows],
            "Late by": [write.duration(row.late_days) if order_words.is_late(row) else "" for row in rows],
        }
    )[list(COLUMNS)]  # fmt: skip
    # A new name after each click takes back the mark, or the click would count at every run.
    turn = st.session_state.setdefault("orders_turn", 0)
    theme = "dark" if ui.is_dark() else "light"
    words = [", ".join(order_words.pills(row)) for row in rows]
    colours = [order_words.ink(row, theme) for row in rows]
    row, column = grid.draw(
        frame, NARROW, config(), key=f"orders_{turn}_{hash(tuple(row.uid for row in rows))}", by_column=True,
        grey=[row.state == "cancelled" for row in rows],
        narrow_words={
            "Order": ([f"{row.number} {row.vendor}" for row in rows], [INK[theme]] * len(rows)),
            "State": (words, colours),
        },
    )  # fmt: skip
    if column is not None:
        st.session_state["orders_turn"] = turn + 1
        SORTING.turn(column)
        st.rerun()
    if row is not None:
        st.session_state["orders_turn"] = turn + 1
        st.switch_page("views/order.py", query_params={"id": str(rows[row].uid)})


def config() -> dict[str, Any]:
    text = SORTING.text
    return {
        "Order": text("Order", 130),
        "Vendor": text("Vendor", 240),
        "State": order_words.state_column(SORTING.label("State")),
        "Value": text("Value", 110, "right", "Goods without freight, in the shop's currency."),
        "Lines": text("Lines", 70, "right"),
        "Ordered": text("Ordered", 120, "left", "The day on which it was sent to the vendor."),
        "Expected": text("Expected", 120, "left", "The next day on which something of it is to arrive."),
        "Late by": text("Late by", 100, "right", "Since the day on which something of it was to arrive."),
    }


def headline(totals: Totals) -> str:
    """How many orders fit, how many of them are late, and what is still to come of them."""
    parts = [order_words.count(totals.orders, "order")]
    if totals.late:
        parts.append(f"{ui.formats().number(totals.late)} late")
    if totals.open_value:
        parts.append(f"{ui.formats().money(totals.open_value)} on its way")
    return ui.safe_md(", ".join(parts))


def for_download() -> pd.DataFrame:
    """The whole filtered set as a spreadsheet wants it."""
    sort, descending = SORTING.asked()
    with reading(snapshot=True) as session:
        found, _ = order_lists.listing(
            session, today, **filters, sort=sort, descending=descending, limit=order_lists.MOST_ROWS
        )
    names = {
        "number": "Order", "vendor": "Vendor", "state": "State", "lines": "Lines",
        "open_lines": "Open lines", "goods": "Goods", "currency": "Currency",
        "value": "Value in the shop's currency", "open_value": "Open in the shop's currency",
        "created_at": "Created (UTC)", "created_by": "Created by", "sent_on": "Sent",
        "expected_on": "Expected", "late_days": "Days late", "received_on": "Received",
        "vendor_reference": "Vendor's reference", "note": "Note", "cancelled_because": "Cancelled because",
    }  # fmt: skip
    shown = [
        row
        | {"created_at": f"{row['created_at']:%Y-%m-%d %H:%M:%S}", "state": order_words.STATES[row["state"]]}
        for row in map(dict, found)
    ]
    return pd.DataFrame(shown, columns=list(names)).rename(columns=names)


def nothing() -> None:
    with reading() as session:
        _, every = order_lists.listing(session, today, limit=1)
    if every.orders and not st.query_params.to_dict():
        ui.empty(
            "No order is open.", "Nothing is on its way, and nobody has begun a draft.",
            button="See all orders", on_click=lambda: pickers.remember("state", "all"),
        )  # fmt: skip
    elif st.query_params.to_dict():
        ui.empty(
            "No order fits these filters.", "Take one away, or search for something else.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
    elif may_buy:
        ui.empty(
            "There is no purchase order yet.",
            "Drafts come out of the reorder advice, or begin with New order.",
            button="New order", on_click=open_new,
        )  # fmt: skip
    else:
        ui.empty("There is no purchase order yet.", "Managers order; what they order is received here.")


def open_new() -> None:
    st.session_state["orders_open_new"] = True


person = signin.require()
if st.session_state.pop("orders_open_new", False):
    st.switch_page("views/order.py", query_params={"id": "new"})
today = kept.today()
may_buy = auth.may(person, "buy")
with ui.title_line("Purchase orders", "What was ordered from whom, what is on its way, and what is late."):
    if may_buy:
        st.button("New order", icon=":material/add:", key="new_order", on_click=open_new)
with reading() as session:
    listed, _ = vendors.listing(session, only_active=False, limit=MOST_VENDORS)
with st.container(key="filters"):
    search, state_, vendor_, late_ = st.columns([2, 1, 1, 1])
    with search:
        text = pickers.words("Search", "q", "Number, vendor, product, note")
    with state_:
        state = pickers.choice("State", "state", order_words.STATES | ALL, "Open")
    with vendor_:
        names = {str(vendor.uid): vendor.name for vendor in listed}
        vendor = pickers.choice("Vendor", "vendor", names, "All vendors")
    with late_:
        late = pickers.choice("Lateness", "late", LATE, "On time or late")
states = OPEN if state is None else None if state in ALL else state
filters = {"text": text, "state": states, "vendor_uid": vendor, "only_late": late is not None}
orders, totals = page_of(filters)
if orders:
    with ui.heading(f":gray[{headline(totals)}]"):
        saving.table("Download", for_download, f"runout-orders-{today:%Y-%m-%d}.csv", key="download")
    draw_list(orders)
    pickers.page_links(totals.orders)
else:
    nothing()
