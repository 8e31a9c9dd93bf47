"""Vendors: from whom the shop buys, what is on order there, and how they keep their word."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import auth
from core.buying import vendor_list
from core.buying.vendor_list import Line
from dashboard import grid, looks, pickers, saving, signin, ui, vendor_words
from dashboard.sorting import Sorting
from db.session import reading

NARROW = {"Vendor": 164, "On order": 96, "On time": 90}
STATES = {"closed": "Deactivated too"}
SORTING = Sorting(
    {"Vendor": "name", "Products": "-offers", "On order": "-on_order", "Orders": "-orders",
     "Quoted": "quoted", "Measured": "lead", "On time": "-on_time", "Price rises": "-rises"},
    known=vendor_list.SORTS, usual="name", usual_words="they come by name",
)  # fmt: skip


def page_of(filters: dict[str, Any]) -> tuple[list[Line], int]:
    """The page that the address asks for, and how many vendors there are in all."""
    sort, descending = SORTING.asked()
    page, asked = pickers.page(), filters | {"sort": sort, "descending": descending}
    with reading() as session:
        found, total = vendor_list.listing(
            session, today, **asked, limit=pickers.ROWS_PER_PAGE, offset=(page - 1) * pickers.ROWS_PER_PAGE
        )
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = vendor_list.listing(session, today, **asked, limit=pickers.ROWS_PER_PAGE)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
    return found, total


def shown(found: list[Line]) -> pd.DataFrame:
    """The vendors as text, one column for each that the table has."""
    write = ui.formats()
    return pd.DataFrame(
        {
            "Vendor": [one.name if one.is_active else f"{one.name} (deactivated)" for one in found],
            "Products": [write.number(one.offers) for one in found],
            "On order": [write.money(one.on_order) if one.on_order else "" for one in found],
            "Orders": [orders_words(one) for one in found],
            "Quoted": [write.duration(one.quoted_days) for one in found],
            "Measured": [vendor_words.measured(one.record) for one in found],
            "On time": [vendor_words.on_time(one.record.on_time_share) for one in found],
            "Price rises": [write.number(one.rises) if one.rises else "" for one in found],
            "Offers": [offers_words(one) for one in found],
        }
    )


def orders_words(one: Line) -> str:
    if not one.orders:
        return ""
    if one.late == one.orders:
        return f"{one.late} late"
    return f"{one.orders}, {one.late} late" if one.late else f"{one.orders}"


def offers_words(one: Line) -> str:
    """What is not right with a vendor's offers."""
    parts = [(one.expired, "expired"), (one.ending, "ending soon")]
    return ", ".join(f"{ui.formats().number(number)} {word}" for number, word in parts if number)


def draw_list(found: list[Line]) -> None:
    """The vendors; a click opens one, a click on a header orders the whole list by it."""
    turn = st.session_state.setdefault("vendors_turn", 0)
    rows = hash(tuple(one.uid for one in found))
    row, column = grid.draw(
        shown(found), NARROW, config(), key=f"vendors_{turn}_{rows}", by_column=True,
        grey=[not one.is_active for one in found],
    )  # fmt: skip
    if column is not None:
        st.session_state["vendors_turn"] = turn + 1
        SORTING.turn(column)
        st.rerun()
    if row is not None:
        st.session_state["vendors_turn"] = turn + 1
        st.switch_page("views/vendor.py", query_params={"id": str(found[row].uid)})


def config() -> dict[str, Any]:
    text = SORTING.text
    return {
        "Vendor": text("Vendor", 270),
        "Products": text("Products", 90, "right", "Products that it offers today."),
        "On order": text("On order", 100, "right", "What is still to come of orders that were sent."),
        "Orders": text("Orders", 100, "left", "Orders that were sent and are not complete."),
        "Quoted": text("Quoted", 96, "right", "The lead time it quotes, the middle of its offers."),
        "Measured": text(
            "Measured", 140, "right",
            "Days from sending an order to its arrival: the middle, and what nine of ten came within.",
        ),
        "On time": text("On time", 88, "right", "Deliveries that came by the day they were promised for."),
        "Price rises": text("Price rises", 104, "right", "Prices that rose in the last 90 days or will."),
        "Offers": text("Offers", 190, "left", "Offers whose days are over, or end within a week."),
    }  # fmt: skip


def for_download(filters: dict[str, Any], day: date) -> pd.DataFrame:
    """The whole filtered set as a spreadsheet wants it."""
    sort, descending = SORTING.asked()
    with reading() as session:
        found, _ = vendor_list.listing(session, day, **filters, sort=sort, descending=descending, limit=None)
    return pd.DataFrame(
        {
            "Vendor": [one.name for one in found],
            "Active": [one.is_active for one in found],
            "Contact": [one.contact_name for one in found],
            "E-mail": [one.email for one in found],
            "Phone": [one.phone for one in found],
            "Currency": [one.currency for one in found],
            "Products offered": [one.offers for one in found],
            "Offers expired": [one.expired for one in found],
            "Offers ending within a week": [one.ending for one in found],
            "On order": [one.on_order for one in found],
            "Open orders": [one.orders for one in found],
            "Late orders": [one.late for one in found],
            "Quoted days": [one.quoted_days for one in found],
            "Measured days median": [one.record.median_days for one in found],
            "Measured days 9 of 10": [one.record.p90_days for one in found],
            "On time": [one.record.on_time_share for one in found],
            "Deliveries measured": [one.record.deliveries for one in found],
            "Prices that rose": [one.rises for one in found],
        }
    )


def nothing(filters: dict[str, Any]) -> None:
    if filters["search"] or not filters["only_active"]:
        ui.empty(
            "No vendor fits these filters.", "Take one away, or search for part of a name.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
    elif may_buy:
        ui.empty(
            "There is no vendor yet.",
            "Add one and its prices, or bring in a price list: then Runout says from whom to order.",
            button="Bring in a price list", page="views/imports.py",
        )  # fmt: skip
    else:
        ui.empty("There is no vendor yet.", "Managers add them here.")


person = signin.require()
may_buy = auth.may(person, "buy")
today = looks.today()
with ui.title_line("Vendors", "From whom you buy, and how they keep their word."):
    if may_buy:
        st.page_link("views/vendor.py", label="New vendor", icon=":material/add:", query_params={"id": "new"})
with st.container(key="filters"):
    left, right = st.columns([2.2, 1])
    with left:
        text = pickers.words("Search", "q", "Name, contact, e-mail or phone")
    with right:
        closed = pickers.choice("Vendors", "state", STATES, "Active vendors")
filters = {"search": text, "only_active": closed is None}
found, total = page_of(filters)
if total:
    with ui.heading(f"{ui.formats().number(total)} :gray[{'vendor' if total == 1 else 'vendors'}]"):
        saving.table(
            "Download", lambda: for_download(filters, today), f"runout-vendors-{today:%Y-%m-%d}.csv",
            key="download",
        )  # fmt: skip
    draw_list(found)
    pickers.page_links(total)
else:
    nothing(filters)
