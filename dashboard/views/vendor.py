"""One vendor: its terms, what it offers and offered, how it delivered, and what is on its way."""

from typing import Any

import pandas as pd
import streamlit as st

from core import auth
from core.buying import vendor_page, vendor_records
from core.buying.vendor_page import VendorPage
from core.errors import RunoutError
from dashboard import (
    editing,
    grid,
    looks,
    order_words,
    pickers,
    retiring,
    signin,
    ui,
    vendor_closing,
    vendor_form,
    vendor_offers,
    vendor_words,
)
from db.session import reading

SECTIONS = {"offers": "Offers", "deliveries": "Deliveries", "orders": "Open orders", "terms": "Terms"}
USUAL_SECTION = "offers"
NARROW_DELIVERIES = {"Order": 130, "Arrived": 116, "Against promise": 108}
NARROW_ORDERS = {"Order": 130, "Open": 112, "State": 112}


def draw_header(page: VendorPage) -> None:
    """Name and contacts, then the figures that say what it is to the shop."""
    vendor = page.vendor
    st.set_page_config(page_title=f"{vendor.name[:60]} · Runout")
    with (
        ui.title_line(ui.safe_md(vendor.name)),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        if may_buy:
            if vendor.is_active:
                st.page_link(
                    "views/order.py", label="New order", icon=":material/add:",
                    query_params={"id": "new", "vendor": str(vendor.uid)},
                )  # fmt: skip
            st.button("Edit", icon=":material/edit:", key="edit_vendor", on_click=open_form)
    parts = [":gray-badge[Deactivated]"] if not vendor.is_active else []
    parts += [ui.safe_md(text) for text in (vendor.contact_name, vendor.email, vendor.phone) if text]
    if parts:
        st.markdown(" &nbsp; ".join(parts))
    with st.container(key="facts"), st.grid(4, min_column_width=150, gap="small"):
        for label, value, beside, help_ in figures(page):
            st.metric(label, value, beside, delta_color="off", delta_arrow="off", help=help_)


def figures(page: VendorPage) -> list[tuple[str, str, str | None, str]]:
    """Label, value, what stands under it, and its help."""
    write, record, currency = ui.formats(), page.record, page.vendor.currency
    states = [vendor_words.validity(one.offer.valid_until, today) for one in page.offered]
    parts = [(states.count(name), word) for name, word in (("expired", "expired"), ("ending", "ending soon"))]
    coming = [order for order in page.orders if order["state"] != "draft"]
    late = sum(bool(order["late_days"]) for order in coming)
    quoted = sorted(one.offer.lead_time_days for one in page.offered)
    middle = quoted[len(quoted) // 2] if quoted else page.vendor.lead_time_days
    on_order = sum(order["open_value"] for order in coming)
    orders = f"{order_words.count(len(coming), 'order')}{f', {late} late' if late else ''}"
    deliveries = "deliveries measured" if record.deliveries != 1 else "delivery measured"
    share = vendor_words.on_time(record.on_time_share)
    return [
        ("Products offered", write.number(len(page.offered)),
         ", ".join(f"{number} {word}" for number, word in parts if number) or None, "What it asks today."),
        ("On order", vendor_words.money(on_order, currency) if on_order else write.money(0), orders,
         "What is still to come of orders that were sent."),
        ("Lead time", vendor_words.days(record.median_days) if record.deliveries else write.duration(middle),
         f"9 of 10 in {write.number(record.p90_days, 1)}, quoted {write.duration(middle)}"
         if record.deliveries else "quoted, nothing measured yet",
         "From sending an order to its arrival: the middle of what was measured."),
        ("On time", share or write.share(None),
         f"{write.number(record.deliveries)} {deliveries}" if record.deliveries else None,
         "Deliveries that came by the day they were promised for; what is overdue counts as late."),
    ]  # fmt: skip


def open_form() -> None:
    editing.desk(f"vendor {st.query_params.get('id')}").pop("answer", None)
    pickers.remember("edit", "1")


# -- Sections ------------------------------------------------------------------------------------------------


def draw_deliveries(page: VendorPage) -> None:
    """What the measured figures are made of."""
    write = ui.formats()
    if not page.deliveries:
        ui.empty(
            "Nothing was delivered yet.",
            "Lead times are measured from the day an order is sent to the day it is received.",
        )
        return
    rows = page.deliveries
    frame = pd.DataFrame(
        {
            "Order": [one.number for one in rows],
            "Sent": [write.day(one.sent_on) for one in rows],
            "Promised": [write.day(one.promised_on) if one.promised_on else "no day" for one in rows],
            "Arrived": [write.day(one.received_on) if one.received_on else "still missing" for one in rows],
            "Days": [write.number(one.days) for one in rows],
            "Against promise": [lateness(one.late_days) for one in rows],
            "Lines": [write.number(one.lines) for one in rows],
        }
    )

    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    config = {
        "Order": text("Order", 150), "Sent": text("Sent", 120), "Promised": text("Promised", 120),
        "Arrived": text("Arrived", 130), "Days": text("Days", 80, "right", "From sending to arrival."),
        "Against promise": text("Against promise", 140), "Lines": text("Lines", 70, "right"),
    }  # fmt: skip
    years = vendor_records.LOOKS_BACK.days // 365
    st.caption(f"At most the newest {vendor_records.NEWEST} of the last {years} years count.")
    turn = st.session_state.setdefault("deliveries_turn", 0)
    row, _ = grid.draw(frame, NARROW_DELIVERIES, config, key=f"deliveries_{turn}")
    if row is not None:
        st.session_state["deliveries_turn"] = turn + 1
        st.switch_page("views/order.py", query_params={"id": str(rows[row].order_uid)})


def lateness(late_days: int | None) -> str:
    if late_days is None:
        return ""
    if not late_days:
        return "on the day"
    words = ui.formats().duration(abs(late_days))
    return f"{words} {'late' if late_days > 0 else 'early'}"


def draw_orders(page: VendorPage) -> None:
    write = ui.formats()
    if not page.orders:
        ui.empty("No order is open.", "What is sent and not complete is shown here.")
    else:
        rows, currency = page.orders, page.vendor.currency
        theme = "dark" if ui.is_dark() else "light"
        as_orders = [_Order(row["state"], row["late_days"]) for row in rows]
        frame = pd.DataFrame(
            {
                "Order": [row["number"] for row in rows],
                "State": [order_words.pills(one) for one in as_orders],
                "Open": [vendor_words.money(row["open_value"], currency) for row in rows],
                "Value": [vendor_words.money(row["value"], currency) for row in rows],
                "Lines": [write.number(row["lines"]) for row in rows],
                "Sent": [write.day(row["sent_on"]) if row["sent_on"] else "" for row in rows],
                "Expected": [
                    write.day_from(row["expected_on"], today) if row["expected_on"] else "" for row in rows
                ],
            }
        )

        def text(name: str, width: int, alignment: str = "left") -> Any:
            return st.column_config.TextColumn(name, width=width, alignment=alignment)

        config = {
            "Order": text("Order", 150), "State": order_words.state_column("State"),
            "Open": text("Open", 110, "right"), "Value": text("Value", 110, "right"),
            "Lines": text("Lines", 70, "right"), "Sent": text("Sent", 110), "Expected": text("Expected", 220),
        }  # fmt: skip
        words = [", ".join(order_words.pills(one)) for one in as_orders]
        colours = [order_words.ink(one, theme) for one in as_orders]
        turn = st.session_state.setdefault("open_orders_turn", 0)
        row, _ = grid.draw(
            frame, NARROW_ORDERS, config, key=f"open_orders_{turn}", narrow_words={"State": (words, colours)}
        )
        if row is not None:
            st.session_state["open_orders_turn"] = turn + 1
            st.switch_page("views/order.py", query_params={"id": str(rows[row]["uid"])})
    st.page_link(
        "views/orders.py", label="All its orders", icon=":material/arrow_forward:",
        query_params={"vendor": str(page.vendor.uid)},
    )  # fmt: skip


class _Order:
    """What the words of an order are made of."""

    def __init__(self, state: str, late_days: int) -> None:
        self.state, self.late_days = state, late_days


def draw_terms(page: VendorPage) -> None:
    """What it asks beside prices, when it is closed, and the end of buying from it."""
    vendor, write = page.vendor, ui.formats()
    told = [
        ("Currency", vendor.currency),
        ("Exchange rate", "" if vendor.exchange_rate == 1 else f"1 {vendor.currency} = "
         f"{write.number(vendor.exchange_rate, 4)} {looks.the_shop().currency}"),
        ("Usual lead time", write.duration(vendor.lead_time_days)),
        ("Order minimum", vendor_words.money(vendor.order_minimum, vendor.currency) or "none"),
        ("Freight", vendor_words.money(vendor.freight_cost, vendor.currency) or "none"),
        ("Free freight from", vendor_words.money(vendor.free_freight_from, vendor.currency) or "never"),
        ("Cost of an order", vendor_words.money(vendor.order_cost, vendor.currency) or "not known"),
        ("Takes orders on", vendor_words.weekdays(vendor.order_weekdays)),
        ("Address", vendor.address or ""),
        ("Note", vendor.note or ""),
    ]  # fmt: skip
    lines = [f"**{label}** &nbsp; {ui.safe_md(value)}" for label, value in told if value]
    st.markdown("  \n".join(lines))
    vendor_closing.draw_shutdowns(vendor, page.shutdowns, today, may_buy=may_buy and vendor.is_active)
    if may_buy:
        st.subheader("Buy from it no more" if vendor.is_active else "Buy from it again", anchor=False)
        mine = editing.desk(f"retiring {vendor.uid}")
        retiring.draw(mine, vendor_closing.of_vendor(vendor, today), person)


def draw(page: VendorPage) -> None:
    draw_header(page)
    mine = editing.desk(f"vendor {page.vendor.uid}")
    if may_buy and "edit" in st.query_params:
        vendor_form.draw(mine, page.vendor)
    else:
        editing.draw_answer(mine, key="vendor")
    with st.container(key="section"):
        section = pickers.section("Section", "show", SECTIONS, USUAL_SECTION)
        if section == "deliveries":
            draw_deliveries(page)
        elif section == "orders":
            draw_orders(page)
        elif section == "terms":
            draw_terms(page)
        else:
            vendor_offers.draw(page, person, today)


def draw_new() -> None:
    ui.title("New vendor", "A name is enough to begin with; the rest can follow.")
    vendor_form.draw(editing.desk("vendor new"), None)


def draw_refused(sentence: str) -> None:
    ui.title("Vendor")
    ui.refused(sentence)
    st.page_link("views/vendors.py", label="See all vendors", icon=":material/arrow_forward:")


person = signin.require()
may_buy = auth.may(person, "buy")
today = looks.today()
wanted = st.query_params.get("id")
gone = editing.desk("vendor gone")
if wanted is None:
    ui.title("Vendor")
    if "answer" in gone:
        editing.draw_answer(gone, key="gone")
    ui.empty(
        "No vendor is chosen.", "Open one from the list.", button="See all vendors", page="views/vendors.py"
    )
elif wanted == vendor_form.NEW and not may_buy:
    draw_refused("Only managers add vendors.")
elif wanted == vendor_form.NEW:
    gone.pop("answer", None)
    draw_new()
else:
    gone.pop("answer", None)
    try:
        with reading() as session:
            page = vendor_page.of(session, wanted, today)
    except RunoutError as refusal:
        draw_refused(refusal.sentence)
    else:
        draw(page)
