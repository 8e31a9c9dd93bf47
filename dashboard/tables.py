"""Tables of products: one look for Today and Products, ordered in SQL, a click opens the product."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.buying import advice_lines
from core.products import SORTS
from dashboard import grid, looks, pickers, saving, ui
from dashboard.formats import is_missing
from dashboard.sorting import Sorting
from db.session import reading

NARROW = {"Product": 160, "Runs out": 106, "Status": 88}
SORTING = Sorting(
    {"Product": "name", "Runs out": "p50_on", "Status": "priority", "On hand": "-on_hand",
     "Cover": "-days_of_cover", "Order by": "order_by_on", "At risk": "-money_at_risk",
     "Value": "-stock_value", "SKU": "sku"},
    known=SORTS, usual="priority", usual_words="the most urgent come first",
)  # fmt: skip


def run_out(row: Any, today: date) -> str:
    """When it runs out, in the fewest words: a range of days, `now`, or that it is far away."""
    if row.status == "unknown":
        return "unknown"
    if row.status == "out":
        return "now"
    if is_missing(row.p10_on):
        return "over 3 months"
    return ui.formats().span(row.p10_on, row.p90_on, today)


def shown(found: pd.DataFrame, today: date) -> pd.DataFrame:
    """The found products as text, one column for each that a table can have."""
    write = ui.formats()
    rows = list(found.itertuples(index=False))
    frame = pd.DataFrame(
        {
            "Product": [row.name for row in rows],
            "Runs out": [run_out(row, today) for row in rows],
            "Status": [[ui.WORD[row.status]] for row in rows],
            "On hand": [write.quantity(row.on_hand) for row in rows],
            "Cover": [write.cover(row.days_of_cover, row.on_hand) for row in rows],
            "Order by": [_order_by(row, today) for row in rows],
            "At risk": [write.money(row.money_at_risk) if row.money_at_risk else "" for row in rows],
            "Value": [write.money(row.stock_value) for row in rows],
            "SKU": [row.sku for row in rows],
            "Category": [row.category or "" for row in rows],
        }
    )
    if "sparkline" in found:
        frame["90 days"] = list(found.sparkline)
    return frame


def _advised(found: pd.DataFrame) -> list[str | None]:
    """Order 24, where the advice says so; None leaves the cell empty."""
    write = ui.formats()
    with reading() as session:
        much = advice_lines.quantities(session, [int(i) for i in found.product_id])
    return [
        f"Order {write.quantity(much[row.product_id])}" if row.product_id in much else None
        for row in found.itertuples()
    ]


def _order_by(row: Any, today: date) -> str:
    if is_missing(row.order_by_on):
        return ""
    return "now" if row.order_by_on <= today else ui.formats().weekday(row.order_by_on)


def look(today: date, **filters: Any) -> tuple[pd.DataFrame, int]:
    """The page of products that the address asks for, and how many there are in all."""
    sort, descending = SORTING.asked()
    page = pickers.page()
    asked = filters | {"sort": sort, "descending": descending, "limit": pickers.ROWS_PER_PAGE}
    found, total = looks.products_page(today, offset=(page - 1) * pickers.ROWS_PER_PAGE, **asked)
    if not len(found) and page > 1:
        found, total = looks.products_page(today, offset=0, **asked)
        if total:
            pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
    return found, total


def download(filters: dict[str, Any], file_name: str, *, key: str) -> None:
    """A button for the whole filtered set, in the order of the screen."""
    sort, descending = SORTING.asked()
    filters = {name: value for name, value in filters.items() if name != "with_sparklines"}
    asked = filters | {"sort": sort, "descending": descending}
    saving.table("Download", lambda: for_download(looks.all_products(**asked)), file_name, key=key)


def draw(found: pd.DataFrame, columns: tuple[str, ...], today: date, *, key: str) -> None:
    """The table. A click on a row opens the product, one on a header orders the whole set by it, one on what
    is advised to order opens that line of the advice."""
    frame = shown(found, today)
    if "Order" in columns:
        frame["Order"] = _advised(found)
    frame = frame[list(columns)]
    # A new name after each change of order takes back the marked header.
    turn = st.session_state.setdefault(f"{key}_turn", 0)
    # Other rows make another table: the browser would lose the first click on rows that came in under a name.
    rows = hash(tuple(found.product_id))
    colours = ui.INK["dark" if ui.is_dark() else "light"]
    order_key = f"{key}_order"
    row, column = grid.draw(
        frame, NARROW, _config(order_key), key=f"{key}_{turn}_{rows}", by_column=True,
        narrow_words={"Status": ([ui.WORD[s] for s in found.status], [colours[s] for s in found.status])},
    )  # fmt: skip
    if ordered := st.session_state.get(order_key):
        line = {"line": str(found.uid.iloc[ordered.row]), "q": found.sku.iloc[ordered.row]}
        st.switch_page("views/reorder.py", query_params=line)
    if column is not None:
        st.session_state[f"{key}_turn"] = turn + 1
        SORTING.turn(column)
        st.rerun()
    if row is not None:
        st.switch_page("views/product.py", query_params={"id": str(found.uid.iloc[row])})


def _config(order_key: str) -> dict[str, Any]:
    text = SORTING.text
    return {
        "Product": text("Product", 260),
        "Runs out": text("Runs out", 112, help_="In 8 of 10 cases the stock is used up between these days."),
        "Status": ui.status_column(width=88),
        "On hand": text("On hand", 84, "right"),
        "Cover": text("Cover", 84, "right", "Stock on hand over the expected demand per day."),
        "Order by": text("Order by", 100, "left", "The last day to order in time, 9 times of 10."),
        "Order": st.column_config.ButtonColumn(
            "Order",
            width=96,
            alignment="left",
            type="tertiary",
            key=order_key,
            help="What is advised to order now; opens the line with its reasons.",
        ),
        "At risk": text("At risk", 92, "right", "Sales likely lost before an order of today arrives."),
        "Value": text("Value", 92, "right", "Stock on hand at its cost."),
        "SKU": text("SKU", 100),
        "Category": text("Category", 130),
        "90 days": st.column_config.LineChartColumn(
            "90 days", width=130, y_min=0, color="#667085", help="Demand of each of the last 90 days."
        ),
    }


def for_download(found: pd.DataFrame) -> pd.DataFrame:
    """The set as a spreadsheet wants it: plain numbers and ISO dates."""
    names = {
        "sku": "SKU", "name": "Product", "category": "Category", "unit_of_measure": "Unit",
        "status": "Status",
        "on_hand": "On hand", "p10_on": "Runs out from", "p50_on": "Runs out most likely",
        "p90_on": "Runs out until", "chance_before_replenishment": "Chance before replenishment",
        "days_of_cover": "Days of cover", "daily_rate": "Expected per day",
        "lead_time_days": "Lead time days",
        "order_by_on": "Order by", "expected_lost": "Expected lost", "money_at_risk": "Money at risk",
        "stock_value": "Stock value", "forecast_reason": "Forecast",
    }  # fmt: skip
    frame = found[list(names)].rename(columns=names)
    return frame.assign(Status=[ui.WORD[status] for status in found.status])
