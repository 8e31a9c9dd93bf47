"""One product: when it runs out, why we think so, what happened, and the form that changes its stock."""

import streamlit as st

from core import auth
from core.errors import RunoutError
from core.products import Detail
from dashboard import (
    adjusting,
    editing,
    forecast_edits,
    ledger,
    looks,
    odd_days,
    on_order,
    patterns,
    pickers,
    places,
    receipt,
    retiring,
    signin,
    trust,
    ui,
    vendor_comparison,
    what_if,
)
from dashboard.charts import demand as demand_chart
from dashboard.charts import stock as stock_chart
from dashboard.looks import ProductPage

# The sections under the stock path; only the one that is open is computed.
SECTIONS = {
    "vendors": "Vendors", "weeks": "By week", "trust": "How good", "demand": "Demand", "patterns": "Patterns",
}  # fmt: skip
USUAL_SECTION = "demand"
CHANCES = (("chance_7", "7 days"), ("chance_14", "14 days"), ("chance_30", "30 days"))


def draw_header(page: ProductPage) -> None:
    """Name and status, then what is on hand and when that ends."""
    product, outlook = page.detail.product, page.outlook
    status = outlook.verdict.status
    st.set_page_config(page_title=f"{product.name[:60]} · Runout")
    with ui.title_line(ui.safe_md(product.name)), st.container(horizontal=True, width="content"):
        chosen = {"id": str(product.uid)}
        st.page_link(
            "views/labels.py", label="Label", icon=":material/label:", query_params={"product": chosen["id"]}
        )
        if auth.may(person, "edit catalogue"):
            st.page_link("views/edit_product.py", label="Edit", icon=":material/edit:", query_params=chosen)
    parts = [ui.status_badge(status), f":gray[SKU] {ui.safe_md(product.sku)}"]
    if product.category:
        parts.append(f":gray[{ui.safe_md(product.category)}]")
    if not product.is_active:
        parts.append(":gray-badge[Not sold any more]")
    st.markdown(" &nbsp; ".join(parts))
    if not product.is_active:
        _draw_retired(page)
    with st.container(key="facts"), st.grid(4, min_column_width=150, gap="small"):
        place = next((lv for lv in page.detail.levels if warehouse and lv.warehouse_id == warehouse.id), None)
        on_hand = place.quantity if place else page.detail.on_hand
        st.metric(
            "On hand",
            f"{write.quantity(on_hand)}{ui.unit_md(product.unit_of_measure, on_hand)}",
            _where(page.detail),
            delta_color="off",
            delta_arrow="off",
        )
        likely = outlook.verdict.p50_on
        st.metric(
            "Runs out",
            _runs_out(page),
            f"most likely {write.weekday(likely)}" if likely and status != "out" else None,
            delta_color="off",
            delta_arrow="off",
            help="In 8 of 10 cases the stock is used up between these days.",
        )
        cover = outlook.passage.days_of_cover if outlook.passage else None
        rate = f"{write.rate(outlook.passage.daily_rate)} expected" if outlook.passage else None
        st.metric(
            "Cover",
            write.cover(cover, outlook.on_hand),
            rate,
            delta_color="off",
            delta_arrow="off",
            help="Stock on hand over the expected demand per day.",
        )
        by = outlook.verdict.order_by_on
        lead = f"{write.duration(outlook.lead_time_days)} until an order arrives"
        words = (
            "now"
            if by and by <= today
            else write.weekday(by)
            if by
            else "no need yet"
            if outlook.passage
            else write.day(None)
        )
        st.metric(
            "Order by",
            words,
            lead,
            delta_color="off",
            delta_arrow="off",
            help="The last day on which an order still arrives in time, 9 times out of 10.",
        )


def _draw_retired(page: ProductPage) -> None:
    """Why nothing is forecast here, and the way back."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="retired"):
        st.markdown("It is on no list and in no forecast; what happened stays readable.")
        if auth.may(person, "edit catalogue"):
            mine = editing.desk(f"retired {page.detail.product.uid}")
            st.button(
                "Reactivate", icon=":material/replay:", key="reactivate", on_click=editing.write,
                args=(mine, retiring.of_product(page.detail.product).reactivate),
            )  # fmt: skip
            editing.draw_answer(mine, key="retired")


def _where(detail: Detail) -> str | None:
    held = [f"{level.code} {write.quantity(level.quantity)}" for level in detail.levels if level.quantity]
    return ui.safe_md(" · ".join(held)) if len(detail.levels) > 1 and held else None


def _runs_out(page: ProductPage) -> str:
    verdict = page.outlook.verdict
    if verdict.status == "out":
        return "now"
    if page.outlook.passage is None:
        return "unknown"
    if verdict.p10_on is None:
        return "over 3 months"
    return write.span(verdict.p10_on, verdict.p90_on, today)


def draw_stock_path(page: ProductPage) -> None:
    verdict = page.outlook.verdict
    with ui.heading(receipt.finding(page, today)):
        if len(page.detail.levels) > 1:
            pickers.warehouse(width=180)
    if not len(page.path) and page.outlook.fan is None:
        ui.empty("Nothing has moved yet.", "Book the first stock, and its path is drawn here.")
        return
    if promise := trust.sentence(page, today, of_a_place=warehouse is not None):
        st.markdown(promise, help=trust.HELP["sentence"])
    asked = what_if.overlay(page, today)
    known = verdict.p10_on is not None and verdict.status != "out"
    about = {
        "today": today,
        "on_hand": float(page.outlook.on_hand),
        "run_out": (verdict.p10_on, verdict.p50_on, verdict.p90_on) if known else (None, None, None),
        "run_out_words": f"runs out {write.span(verdict.p10_on, verdict.p90_on, today)}" if known else "",
        "receipts": on_order.arrivals(page, today),
        "what_if": asked.picture if asked else None,
        "dark": ui.is_dark(),
        "separators": write.separators,
    }
    path, fan = page.path, page.outlook.fan
    figure = looks.picture(("stock", path, fan, about), lambda: stock_chart.figure(path, fan, **about))
    ui.picture(figure, "Stock over the last 90 days and the range of what may be left.", key="stock_path")
    _draw_chances(page)
    what_if.draw(page, asked)
    places.draw(page, today)


def _draw_chances(page: ProductPage) -> None:
    passage = page.outlook.passage
    if passage is None:
        why = page.outlook.reason.rstrip(".")
        words = "No forecast yet." if page.detail.product.is_active else "No forecast."
        ui.empty(words, f"{ui.safe_md(why[:1].upper() + why[1:])}.")
        return
    if page.outlook.verdict.status == "out":
        return
    chances = [f"in {words} **{ui.safe_md(write.share(getattr(passage, name)))}**" for name, words in CHANCES]
    before = write.share(passage.chance_before_replenishment)
    st.markdown(
        f":gray[Chance to run out] {' · '.join(chances)} · "
        f"before an order placed today arrives **{ui.safe_md(before)}**"
    )


def draw_demand(page: ProductPage) -> None:
    st.subheader("Demand of the last 90 days", anchor=False)
    if not (page.path.demand > 0).any():
        st.markdown(":gray[Nobody asked for it in these days.]")
        return
    rate = page.outlook.passage.daily_rate if page.outlook.passage else None
    about = {
        "today": today,
        "daily_rate": rate,
        "rate_words": f"expected {write.rate(rate)}" if rate is not None else "",
        "dark": ui.is_dark(),
        "separators": write.separators,
    }
    path = page.path
    figure = looks.picture(("demand", path, about), lambda: demand_chart.figure(path, **about))
    ui.picture(figure, "Demand per day of the last 90 days.", key="demand")


def draw_section(page: ProductPage) -> None:
    with st.container(key="section"):
        shown = pickers.section("Section", "show", SECTIONS, USUAL_SECTION)
        if shown == "vendors":
            vendor_comparison.draw(page, warehouse, person, today)
        elif shown == "weeks":
            forecast_edits.draw(page, person, today)
        elif shown == "trust":
            trust.draw(page, person, today)
        elif shown == "patterns":
            patterns.draw(page, person, today)
        else:
            draw_demand(page)
            odd_days.draw(page, person, today)


def draw_movements(page: ProductPage) -> None:
    with ui.heading("Last movements"):
        st.page_link(
            "views/movements.py", label="All movements", icon=":material/arrow_forward:",
            query_params={"q": page.detail.product.sku},
        )  # fmt: skip
    if not len(page.movements):
        st.markdown(":gray[Nothing has moved yet.]")
        return
    newest = page.movements.movement_id.iloc[0]
    ledger.table(page.movements, person, key=f"last_{newest}", with_product=False)


def draw(page: ProductPage) -> None:
    draw_header(page)
    may_book = auth.may(person, "move stock") and page.detail.levels
    left, right = st.columns([2.1, 1], gap="large") if may_book else (st.container(), None)
    with left:
        draw_stock_path(page)
        on_order.draw(page, person, today)
        receipt.draw(page)
    if right is not None:
        with right:
            st.subheader("Adjust stock", anchor=False)
            adjusting.draw(page.detail, warehouse.id if warehouse else None)
    draw_section(page)
    draw_movements(page)
    ui.freshness_line(today)


person = signin.require()
today, write = looks.today(), ui.formats()
warehouse = None
if "id" not in st.query_params:
    ui.title("Product")
    ui.empty(
        "No product is chosen.", "Open one from the list.", button="See all products",
        page="views/products.py",
    )  # fmt: skip
else:
    warehouse = pickers.warehouse_in_address()
    try:
        page = looks.product_page(st.query_params["id"], today, warehouse.id if warehouse else None)
    except RunoutError as refusal:
        ui.title("Product")
        ui.refused(refusal.sentence)
        st.page_link("views/products.py", label="See all products", icon=":material/arrow_forward:")
    else:
        draw(page)
