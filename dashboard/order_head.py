"""The top of an order's page, what is said about the order as a whole, and what was done to it."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import order_lines, order_looks, orders
from core.buying.order_looks import Detail
from core.posting import plain
from dashboard import editing, looks, order_open, order_words, pickers, ui
from dashboard.editing import Answer

HAPPENINGS_SHOWN = 30


def draw(detail: Detail, today: date, *, may_buy: bool, may_receive: bool, is_receiving: bool) -> None:
    """Number and vendor with the main action, then what the order comes to."""
    order, mine = detail.order, order_open.desk(detail)
    st.set_page_config(page_title=f"{order.number} · Runout")
    with ui.title_line(f"{ui.safe_md(order.number)} &nbsp; {ui.safe_md(detail.vendor.name)}"):
        if order.state == "draft" and may_buy:
            st.button(
                "Send", type="primary", icon=":material/send:", key="send_order", disabled=not detail.lines,
                on_click=order_open.open_, args=(mine, "send"),
            )  # fmt: skip
        elif order.state in order_words.IS_COMING and may_receive:
            st.button(
                "Stop receiving" if is_receiving else "Receive", key="receive_order", icon=":material/input:",
                type="secondary" if is_receiving else "primary", on_click=_receive, args=(is_receiving,),
            )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_about(detail), width="content")
        st.page_link("views/vendor.py", label="The vendor", icon=":material/storefront:",
                     query_params={"id": str(detail.vendor.uid)})  # fmt: skip
    if order.state == "cancelled" and order.cancelled_because:
        st.markdown(f":gray[Because] {ui.safe_md(order.cancelled_because)}")
    if is_receiving:
        return  # what is counted stands at the top
    _draw_facts(detail, today)
    if detail.late_days:
        _draw_late(detail)


def _receive(is_receiving: bool) -> None:
    pickers.remember("by", None if is_receiving else "list")
    pickers.remember("page", None)


def _about(detail: Detail) -> str:
    """State, who made it and who sent it, the vendor's reference."""
    order, write = detail.order, ui.formats()
    parts = [order_words.badges(order.state, detail.late_days)]
    if order.state == "cancelled":
        parts.append(f":gray[cancelled {ui.safe_md(write.moment(order.cancelled_at))} by] "
                     f"{ui.safe_md(detail.cancelled_by or '')}")  # fmt: skip
    if order.sent_on is not None:
        sent = f":gray[sent on] {ui.safe_md(write.weekday(order.sent_on))}"
        parts.append(f"{sent} :gray[by] {ui.safe_md(detail.sent_by)}" if detail.sent_by else sent)
    else:
        parts.append(f":gray[made {ui.safe_md(write.moment(order.created_at))} by] "
                     f"{ui.safe_md(detail.created_by)}")  # fmt: skip
    if order.mailed_to:
        parts.append(f":gray[mailed to] {ui.safe_md(order.mailed_to)}")
    if order.vendor_reference:
        parts.append(f":gray[their reference] {ui.safe_md(order.vendor_reference)}")
    return " &nbsp; ".join(parts)


def _draw_facts(detail: Detail, today: date) -> None:
    order, facts, write = detail.order, detail.facts, ui.formats()
    money = order_words.in_currency(order.currency)
    plain_metric = {"delta_color": "off", "delta_arrow": "off"}
    with st.container(key="facts"), st.grid(4, min_column_width=150, gap="small"):
        freight = "freight not known" if facts.freight is None else f"{money.money(facts.freight)} freight"
        own = (
            f", {write.money(facts.in_shop_currency)} in all"
            if order.currency != detail.shop_currency
            else ""
        )
        st.metric("Goods", money.money(facts.goods), f"{freight}{own}", **plain_metric)
        if order.state == "draft":
            st.metric("Arrives as quoted, if sent today", write.weekday(facts.arrives_on),
                      _sends(detail, today), **plain_metric)  # fmt: skip
            _draw_limit("To the order minimum", facts.order_minimum, facts.missing_to_minimum, money)
            _draw_limit("To free freight", facts.free_freight_from, facts.missing_to_free_freight, money)
            return
        open_lines = [line for line in detail.lines if line.open]
        due = min((line.expected_on for line in open_lines if line.expected_on), default=None)
        done = order.received_on if order.state == "received" else None
        away = write.day_from(due, today).partition("(")[2].rstrip(")") if due else None
        st.metric("Received" if done else "Expected", write.weekday(done or due), away, **plain_metric)
        st.metric("Open lines", f"{len(open_lines)} of {len(detail.lines)}", **plain_metric)
        worth = sum((line.open * line.unit_price for line in open_lines), Decimal(0))
        st.metric("Still to come", money.money(worth), "goods, without freight", **plain_metric)


def _sends(detail: Detail, today: date) -> str:
    on = detail.facts.sends_on
    return "the vendor takes orders today" if on <= today else f"taken on {ui.formats().weekday(on)}"


def _draw_limit(label: str, limit: Decimal | None, missing: Decimal | None, money: Any) -> None:
    """How far it is to one of the vendor's limits."""
    about = {"delta_color": "off", "delta_arrow": "off"}
    if limit is None or missing is None:
        st.metric(label, "none", **about)
    else:
        st.metric(label, money.money(missing) if missing else "reached", f"of {money.money(limit)}", **about)


def _draw_late(detail: Detail) -> None:
    """Whom to ask about an order that is late."""
    vendor = detail.vendor
    reach = " · ".join(ui.safe_md(part) for part in (vendor.contact_name, vendor.phone, vendor.email) if part)
    late = [line for line in detail.lines if line.late_days]
    words = f"{order_words.count(len(late), 'line')} late by up to {ui.formats().duration(detail.late_days)}."
    st.warning(f"{words} {f'Ask {reach}.' if reach else ''}", icon=":material/schedule:")


# -- About the order as a whole ------------------------------------------------------------------------------


def draw_about(detail: Detail, today: date) -> None:
    """Note, reference, and while it is a draft its day and its freight."""
    order, mine = detail.order, editing.desk(f"about {detail.order.uid}")
    form, is_draft = mine["form"], order.state == "draft"
    with st.expander(
        "Note, reference, freight" if is_draft else "Note and reference", icon=":material/edit_note:"
    ):
        if is_draft:
            left, right = st.columns(2, width=420)
            with left:
                st.date_input(
                    "Expected on (empty: by lead time)", order.expected_on, key=f"about_day_{form}",
                    min_value=min(order.expected_on or today, today), format="YYYY-MM-DD",
                    max_value=today + timedelta(days=order_lines.MOST_DAYS_AHEAD),
                )  # fmt: skip
            with right:
                editing.number_field(
                    f"Freight ({order.currency})", order.freight, key=f"about_freight_{form}",
                    placeholder="by the terms",
                )  # fmt: skip
        st.text_input("Vendor's reference", order.vendor_reference or "", key=f"about_reference_{form}",
                      max_chars=orders.REFERENCE_CHARACTERS, width=420)  # fmt: skip
        st.text_area("Note, on the papers too", order.note or "", key=f"about_note_{form}",
                     max_chars=orders.NOTE_CHARACTERS, height=90)  # fmt: skip
        st.button(
            "Save", type="primary", key="about_save", on_click=_save, args=(mine, str(order.uid), is_draft)
        )
        editing.draw_answer(mine, key="about")


def _save(mine: dict[str, Any], uid: str, is_draft: bool) -> None:
    form = mine["form"]
    fields = {
        "vendor_reference": st.session_state.get(f"about_reference_{form}") or None,
        "note": st.session_state.get(f"about_note_{form}") or None,
    }
    if is_draft:
        fields |= {
            "expected_on": st.session_state.get(f"about_day_{form}"),
            "freight": editing.number(st.session_state.get(f"about_freight_{form}")),
        }
    if editing.write(mine, partial(_change, uid=uid, fields=fields)) is not None:
        editing.renew(mine)


def _change(session: Session, person: Actor, *, uid: str, fields: dict[str, Any]) -> Answer:
    """Change what is another; the answer takes exactly that back."""
    before = order_looks.by_uid(session, uid, looks.today()).order
    olds = {name: getattr(before, name) for name in fields}
    order = orders.change(session, person, uid, looks.now(), **fields)
    news = {name: getattr(order, name) for name in fields if getattr(order, name) != olds[name]}
    if not news:
        return Answer("Nothing was changed.", is_idle=True)
    back = {name: plain(olds[name]) if isinstance(olds[name], Decimal) else olds[name] for name in news}
    return Answer("Kept.", partial(_change, uid=uid, fields=back))


# -- What was done to it -------------------------------------------------------------------------------------


def draw_history(detail: Detail) -> None:
    """Who did what, the latest first."""
    write = ui.formats()
    with st.expander("History", icon=":material/history:"):
        for one in detail.history[:HAPPENINGS_SHOWN]:
            who = one.person or "Runout"
            about = ", ".join(
                f"{name.replace('_', ' ')} {said}" for name, said in (one.after or {}).items() if said
            )
            st.markdown(
                f"{ui.safe_md(write.moment(one.at))} &nbsp; **{ui.safe_md(who)}** {ui.safe_md(one.action)}"
                f"{f' &nbsp; :gray[{ui.safe_md(about[:300])}]' if about else ''}"
            )
        if not detail.history:
            st.markdown(":gray[Nobody has done anything to it here.]")
