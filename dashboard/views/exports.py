"""Exports: the shop's tables as files, filtered, in the format that fits what comes next."""

from functools import partial

import streamlit as st

from core.datasets import listing, tables
from core.datasets.table_types import Filters
from core.datasets.tables import Table
from dashboard import export_files, pickers, signin, ui
from dashboard import looks as kept
from db.session import reading

USUAL = "ledger"


def draw_filters() -> tuple[Table, Filters]:
    """Which table, and of it which rows: only what the table knows can be chosen."""
    table = listing.TABLES[pickers.in_address("Table", "table", export_files.TITLES) or USUAL]
    known = [name for name in (tables.PERIOD, tables.WAREHOUSE, tables.CATEGORY) if name in table.filters]
    if tables.WAREHOUSE in known and not pickers.has_choice_of_warehouse():
        known.remove(tables.WAREHOUSE)
    since = place = category = None
    with st.container(key="filters"):
        row = iter(st.columns([1.6] + [1] * len(known) + [0.001 + 3 - len(known)] * (len(known) < 3)))
        with next(row):
            draw_tables(table)
        if tables.PERIOD in known:
            with next(row):
                since = pickers.period(today)
        if tables.WAREHOUSE in known:
            with next(row, st.container()):
                place = pickers.warehouse()
        if tables.CATEGORY in known:
            with next(row):
                category = pickers.category()
    return table, Filters(since=since, warehouse_id=place and place.id, category=category)


def draw_tables(table: Table) -> None:
    st.session_state["exports_table"] = table.name
    st.selectbox(
        "Table", list(export_files.TITLES), format_func=export_files.TITLES.get, key="exports_table",
        on_change=choose, label_visibility="collapsed",
    )  # fmt: skip


def choose() -> None:
    """Another table keeps the filters that it knows."""
    chosen = listing.TABLES[st.session_state["exports_table"]]
    pickers.restart()
    for word, name in (
        ("days", tables.PERIOD),
        ("warehouse", tables.WAREHOUSE),
        ("category", tables.CATEGORY),
    ):
        if name not in chosen.filters:
            pickers.remember(word, None)
    pickers.remember("table", None if chosen.name == USUAL else chosen.name)


def nothing(table: Table, filters: Filters) -> None:
    if filters != Filters():
        ui.empty(
            "No row fits these filters.",
            "Take one away, or choose a longer period.",
            button="Clear the filters",
            on_click=partial(clear, table),
        )
    elif table.name == USUAL:
        ui.empty("Nothing has moved yet.", "Every receipt, sale, count and correction will be in this file.",
                 button="Open the products", page="views/products.py")  # fmt: skip
    else:
        ui.empty("This table has no rows yet.", f"{table.title}: {table.what}", button="Choose another table",
                 on_click=st.query_params.clear)  # fmt: skip


def clear(table: Table) -> None:
    st.query_params.from_dict({} if table.name == USUAL else {"table": table.name})


signin.require()
today = kept.today()
ui.title(
    "Exports",
    "The shop's tables as files. What a file says is what the pages say, at the moment of the press.",
)
table, filters = draw_filters()
with reading() as session:
    rows = listing.count(session, table, filters, today)
if rows:
    write = ui.formats()
    st.subheader(f"{write.number(rows)} :gray[{'row' if rows == 1 else 'rows'}]", anchor=False)
    st.markdown(f":gray[{table.what}]")
    export_files.draw(table, filters, rows)
    export_files.draw_columns(table)
    export_files.draw_for_programs(table)
else:
    nothing(table, filters)
