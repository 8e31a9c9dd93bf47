"""The list of products by how good their forecast is, the costliest errors first, and why each is so."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import forecast_report, scorecard
from dashboard import grid, pickers, saving, trust, ui
from dashboard.formats import is_missing
from dashboard.sorting import Sorting
from db.session import reading

ROWS_PER_PAGE = 10
# How a product sells (core.forecast.history names it): in the shop's words.
CLASSES = {
    "smooth": "Sells steadily",
    "erratic": "Sells often, now few now many",
    "intermittent": "Sells now and then",
    "lumpy": "Now and then, now few now many",
    "sparse": "Hardly sells",
}
STATES = {
    "ok": "With a forecast",
    "too_short": "Too little history",
    "failed": "Failed",
    "none": "Not trained yet",
}
NARROW = {"Product": 150, "Off by": 92, "Ranges right": 112}
NARROW_WITHOUT = {"Product": 150, "Why": 204}
COLUMNS = ("Product", "Off by", "Simple rule", "Ranges right", "Ran out", "In sales", "Why", "SKU")
WITHOUT = ("Product", "Why", "Sells", "History", "SKU")
# Columns: the order in SQL that a click on the header means.
SORTING = Sorting(
    {"Product": "name", "Off by": "-crps", "Simple rule": "skill", "Ranges right": "coverage",
     "Ran out": "-bias", "In sales": "-cost", "SKU": "sku"},
    known=forecast_report.SORTS, usual="-cost", usual_words="the costliest errors come first",
)  # fmt: skip
KEY = "forecast_list"


def draw(today: date) -> None:
    """Heading with its download, one row of filters, and the page of the list that the address asks for."""
    with st.container():
        title = st.container()
        filters = _filters()
    found, total = _look(today, filters)
    is_without = filters["state"] not in (None, "ok")
    words = STATES[filters["state"]] if is_without else "Where the forecast is worst"
    with title, ui.heading(f"{words} :gray[{ui.formats().number(total)}]"):
        if total:
            saving.table(
                "Download", lambda: for_download(_everything(today, filters)),
                f"runout-forecasts-{today:%Y-%m-%d}.csv", key="download",
            )  # fmt: skip
    if not total and not any(filters[name] for name in ("text", "demand_class", "state")):
        ui.empty(
            "There are no products yet.", "Bring in products and sales, and their forecasts are judged here.",
            button="See products", page="views/products.py",
        )  # fmt: skip
        return
    if not total:
        ui.empty(
            "No product fits these filters.", "Take one away, or search for part of a name or SKU.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
        return
    _draw_table(found, is_without=is_without)
    pickers.page_links(total, ROWS_PER_PAGE)


def _filters() -> dict[str, Any]:
    with st.container(key="filters"):
        row = iter(st.columns([2.2, 1, 1]))
        with next(row):
            text = pickers.words("Search", "q", "Name or SKU")
        with next(row):
            demand_class = pickers.choice("Demand", "class", CLASSES, "All kinds of demand")
        with next(row):
            state = pickers.choice("Forecast", "state", STATES, "All products")
    sort, descending = SORTING.asked()
    return {
        "text": text, "demand_class": demand_class, "state": state, "sort": sort, "descending": descending,
    }  # fmt: skip


def _look(today: date, filters: dict[str, Any]) -> tuple[pd.DataFrame, int]:
    page = pickers.page()
    asked = filters | {"today": today, "limit": ROWS_PER_PAGE}
    with reading() as session:
        skipped = min((page - 1) * ROWS_PER_PAGE, forecast_report.MOST_OFFSET)
        found, total = forecast_report.worst(session, **asked, offset=skipped)
        is_beyond = not len(found) and page > 1
        if is_beyond:
            found, total = forecast_report.worst(session, **asked, offset=0)
    if is_beyond and total:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
    return found, total


def _everything(today: date, filters: dict[str, Any]) -> pd.DataFrame:
    """The whole filtered set, for a download."""
    with reading() as session:
        return forecast_report.worst(
            session, **filters, today=today, limit=forecast_report.MOST_ROWS, offset=0
        )[0]


# -- In words ------------------------------------------------------------------------------------------------


def why(row: Any) -> str:
    """Why a product's forecast is as good or bad as it is, in the fewest words."""
    if row.state == "none":
        return "Not trained yet"
    if row.state != "ok":
        return _sentence(row.reason)
    if (
        row.issued_of >= scorecard.LEAST_RANGES
        and row.issued_right < scorecard.LEAST_COVERAGE * row.issued_of
    ):
        return f"Only {row.issued_right} of {row.issued_of} shown ranges held"
    if is_missing(row.tasks) or not row.tasks:
        return "Too little history to try it on the past"
    if row.tasks < scorecard.LEAST_TASKS:
        return f"Tried on the past only {row.tasks:.0f} times: too few to judge"
    found = []
    if row.coverage < scorecard.LEAST_COVERAGE:
        found.append("ranges often wrong")
    if abs(row.bias) >= scorecard.BIAS_DAYS:
        found.append("dates too late" if row.bias > 0 else "dates too early")
    if not is_missing(row.skill) and row.skill < scorecard.NOTICEABLE_SKILL:
        found.append("no better than the simple rule")
    return _sentence(", ".join(found) or CLASSES.get(row.demand_class))


def _sentence(words: str | None) -> str:
    words = (words or "").rstrip(".")
    return words[:1].upper() + words[1:]


def ranges_right(row: Any) -> str:
    """Of the ranges that were shown once there are enough of them, before that of the test on the past."""
    if row.issued_of >= scorecard.LEAST_RANGES:
        return f"{row.issued_right} of {row.issued_of}"
    if is_missing(row.tasks) or not row.tasks:
        return ""
    return f"{round(row.coverage * row.tasks)} of {round(row.tasks)} tested"


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """The found products as text, one column for each that a table can have."""
    write = ui.formats()
    rows = list(found.itertuples(index=False))
    return pd.DataFrame(
        {
            "Product": [row.name for row in rows],
            "Off by": ["" if is_missing(row.crps) else trust.days(row.crps) for row in rows],
            "Simple rule": ["" if is_missing(row.crps_naive) else trust.days(row.crps_naive) for row in rows],
            "Ranges right": [ranges_right(row) for row in rows],
            "Ran out": ["" if is_missing(row.bias) else trust.lean(row.bias) for row in rows],
            "In sales": ["" if is_missing(row.cost) else write.money(row.cost) for row in rows],
            "Why": [why(row) for row in rows],
            "SKU": [row.sku for row in rows],
            "Sells": [CLASSES.get(row.demand_class, "") for row in rows],
            "History": [
                "" if is_missing(row.history_days) else write.duration(row.history_days) for row in rows
            ],
        }
    )


# -- The table -----------------------------------------------------------------------------------------------


def _draw_table(found: pd.DataFrame, *, is_without: bool) -> None:
    frame = shown(found)[list(WITHOUT if is_without else COLUMNS)]
    turn = st.session_state.setdefault(f"{KEY}_turn", 0)
    rows = hash(tuple(found.product_id))
    row, column = grid.draw(
        frame, NARROW_WITHOUT if is_without else NARROW, _config(), key=f"{KEY}_{turn}_{rows}", by_column=True
    )
    if column is not None:
        st.session_state[f"{KEY}_turn"] = turn + 1
        SORTING.turn(column)
        st.rerun()
    if row is not None:
        st.switch_page("views/product.py", query_params={"id": str(found.uid.iloc[row]), "show": "trust"})


def _config() -> dict[str, Any]:
    text = SORTING.text
    return {
        "Product": text("Product", 230),
        "Off by": text("Off by", 76, "right", trust.HELP["error"]),
        "Simple rule": text("Simple rule", 92, "right", f"How far off the simple rule is: {trust.RULE}."),
        "Ranges right": text("Ranges right", 118, "left", trust.HELP["ranges"]),
        "Ran out": text("Ran out", 112, "left", f"Beside what was said. {trust.HELP['bias']}"),
        "In sales": text(
            "In sales", 92, "right",
            "How far off in days, times what it sells a day: where a better forecast is worth most.",
        ),
        "Why": text("Why", 368),
        "SKU": text("SKU", 84),
        "Sells": text("Sells", 220),
        "History": text("History", 90, "right"),
    }  # fmt: skip


def for_download(found: pd.DataFrame) -> pd.DataFrame:
    """The set as a spreadsheet wants it: plain numbers."""
    names = {
        "sku": "SKU", "name": "Product", "state": "Forecast", "demand_class": "Demand", "method": "Method",
        "tasks": "Tests", "crps": "Average error days", "crps_naive": "Simple rule error days",
        "skill": "Better than the rule", "coverage": "Ranges right", "bias": "Median minus actual days",
        "mase": "MASE", "mase_naive": "MASE of the rule", "daily_rate": "Expected per day",
        "cost": "Error in sales", "money_at_risk": "Money at risk", "issued_right": "Shown ranges right",
        "issued_of": "Shown ranges judged", "history_days": "History days", "reason": "Reason",
        "would_help": "What would help",
    }  # fmt: skip
    frame = found[list(names)].rename(columns=names)
    return frame.assign(
        Forecast=[STATES[state] for state in found.state],
        Demand=[CLASSES.get(name, "") for name in found.demand_class],
    )
