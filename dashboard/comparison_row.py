"""One vendor of a comparison in full: the terms of its total, what it asks, and what can be done."""

from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from core.buying.comparison import Comparison, Row
from core.posting import plain
from dashboard import offer_form, pickers, ui, vendor_choice, vendor_words

HARDLY_ANY = 0.05  # pieces, which a figure with one decimal would call none


def draw(
    found: Comparison, row: Row, product: Any, mine: dict[str, Any], today: date, *, may_buy: bool
) -> None:
    """The box under the table for the vendor that the address names."""
    offer, costed = row.offer, row.costed
    with st.container(border=True, key="compared-row"):
        st.subheader(ui.safe_md(costed.name), anchor=False)
        st.markdown(ui.safe_md(costed.why))
        left, right = st.columns([1.2, 1])
        with left:
            st.markdown(receipt(row, found))
        with right:
            st.markdown("\n".join(f"- {line}" for line in facts(row, today)))
        _draw_actions(row, product, mine, may_buy=may_buy)
        if may_buy and mine.get("open") == str(offer.vendor.uid):
            offer_form.draw(
                mine, offer, currency=offer.vendor.currency, today=today, vendor_id=offer.vendor_id,
                product_id=product.id,
            )  # fmt: skip


def terms(row: Row, quantity: Decimal) -> list[tuple[str, Decimal]]:
    """What makes up the total, by name; the amounts add up to it exactly."""
    costed, write = row.costed, ui.formats()
    if costed.total is None:
        return []
    price = vendor_words.price(costed.unit_price.quantize(Decimal("0.0001")), write.currency)
    told = [(f"{write.quantity(quantity)} at {price}", costed.goods), ("Freight", costed.freight)]
    told.append(("Work of an order", costed.order_cost))
    if costed.excess:
        told.append((f"Keeping {write.quantity(costed.excess)} more until they sell", costed.holding))
    elif costed.holding:
        told.append(("Keeping stock", costed.holding))
    if costed.shortage is not None:
        few = costed.lost < HARDLY_ANY
        lost = "hardly any" if few else f"about {write.number(costed.lost, 1)}"
        told.append((f"Sales lost until the order after it could arrive, {lost}", costed.shortage))
    return told


def receipt(row: Row, found: Comparison) -> str:
    """The total as a table of Markdown."""
    write = ui.formats()
    told = terms(row, found.quantity)
    if not told:
        return f":gray[{ui.safe_md(' '.join(row.costed.missing))}]"
    lines = [f"| {ui.safe_md(name)} | {ui.safe_md(_exact(amount))} |" for name, amount in told]
    total = f"| **Total** | **{ui.safe_md(_exact(row.costed.total))}** |"
    head = f"| What it costs in all | {ui.safe_md(write.currency)} |\n| :--- | ---: |"
    said = "\n".join([head, *lines, total])
    if row.costed.missing:
        said += f"\n\n:gray[{ui.safe_md(' '.join(row.costed.missing))}]"
    return said


def _exact(amount: Decimal) -> str:
    """To the cent, so that the column can be added up by hand."""
    return ui.formats().price(amount)


def facts(row: Row, today: date) -> list[str]:
    """What it asks and how it kept its word, as lines of Markdown."""
    offer, costed, write = row.offer, row.costed, ui.formats()
    currency, record, arrival = offer.vendor.currency, offer.record, costed.candidate.arrival
    told = [
        ("Prices", vendor_words.steps(offer.steps, currency)),
        ("Minimum", "none" if offer.minimum_order_quantity is None else plain(offer.minimum_order_quantity)),
        ("Multiple", "none" if offer.order_multiple is None else plain(offer.order_multiple)),
        ("Sent", write.day_from(arrival.sent_on, today)),
        ("Takes orders on", vendor_words.weekdays(offer.vendor.order_weekdays)),
        ("Arrives", f"{write.weekday(arrival.on)}, nine of ten by {write.weekday(arrival.late_on)}"),
        ("Quoted", write.duration(offer.lead_time_days)),
        ("Measured", _measured(record)),
        ("To pay now", "no price" if costed.outlay is None else write.money(costed.outlay)),
        ("Holds", f"since {write.day(offer.valid_from)}, {vendor_words.holds(offer.valid_until, today)}"),
    ]  # fmt: skip
    if costed.below_minimum:
        told.append(("Below its order minimum by", write.money(costed.below_minimum)))
    if offer.vendor.exchange_rate != 1:
        told.append(("Exchange rate", f"1 {currency} = {plain(offer.vendor.exchange_rate)} {write.currency}"))
    return [f"**{label}** {ui.safe_md(value)}" for label, value in told]


def _measured(record: Any) -> str:
    if not record.deliveries:
        return "nothing yet"
    whose = "of this product" if record.is_of_product else "of all it sells"
    share = vendor_words.on_time(record.on_time_share)
    on_time = f", {share} on time" if share else ""
    return (
        f"{vendor_words.days(record.median_days)}, nine of ten within {vendor_words.days(record.p90_days)}"
        f"{on_time} ({record.deliveries} deliveries {whose})"
    )


def _draw_actions(row: Row, product: Any, mine: dict[str, Any], *, may_buy: bool) -> None:
    offer = row.offer
    with st.container(horizontal=True, vertical_alignment="center"):
        if may_buy:
            about = {"id": "new", "product": str(product.uid), "vendor": str(offer.vendor.uid)}
            st.page_link(
                "views/order.py", label=f"Order {plain(row.costed.quantity)} here",
                icon=":material/add_shopping_cart:",
                query_params=about | {"quantity": plain(row.costed.quantity)},
            )  # fmt: skip
            if offer.is_preferred:
                st.button(
                    "Buy from whom it is best", icon=":material/balance:", key="unprefer",
                    on_click=vendor_choice.prefer, args=(mine, product.id, None),
                )  # fmt: skip
            else:
                st.button(
                    "Always buy it here", icon=":material/push_pin:", key="prefer",
                    on_click=vendor_choice.prefer, args=(mine, product.id, offer.vendor_id),
                )  # fmt: skip
            st.button(
                "Enter a new price", icon=":material/edit:", key="new_price",
                on_click=offer_form.open_form, args=(mine, str(offer.vendor.uid)),
            )  # fmt: skip
        st.page_link(
            "views/vendor.py", label="Open the vendor", icon=":material/storefront:",
            query_params={"id": str(offer.vendor.uid), "product": str(product.uid)},
        )  # fmt: skip
        st.button("Close", icon=":material/close:", key="close_row", on_click=_close, args=(mine,))


def _close(mine: dict[str, Any]) -> None:
    pickers.remember("vendor", None)
    mine.pop("open", None)
