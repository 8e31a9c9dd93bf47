"""The formats of a table side by side, the columns of its file, and how a program gets the same."""

from datetime import datetime
from functools import partial

import streamlit as st

from core import downloads
from core.auth import Actor
from core.datasets import listing, writing
from core.datasets.table_types import Filters
from core.datasets.tables import Table
from core.datasets.writing import Form
from core.downloads import Ticket
from core.errors import RunoutError
from dashboard import saving, ui
from db.session import transact

TITLES = {name: table.title for name, table in listing.TABLES.items()}
KEY = "export"
KINDS = {
    "text": "text", "whole": "whole number", "quantity": "quantity", "money": "money", "number": "number",
    "share": "share, 0 to 1", "yes": "yes or no", "day": "day", "moment": "time in UTC",
}  # fmt: skip


def draw(table: Table, filters: Filters, rows: int) -> None:
    """A card for each format, and under them what became of the last press."""
    with st.container(key="export-files"), st.grid(3, min_column_width=260, gap="small"):
        for form in writing.FORMS.values():
            _card(form, table, filters, rows)
    saving.follow(KEY)
    if (ticket := saving.taken(KEY)) is not None:
        count = (
            ""
            if ticket.rows is None
            else f": {ui.formats().number(ticket.rows)} {'row' if ticket.rows == 1 else 'rows'}"
        )
        st.markdown(f":material/check: {ui.safe_md(ticket.file_name)}{count}")


def _card(form: Form, table: Table, filters: Filters, rows: int) -> None:
    too_many = _refusal(form, rows)
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{form.title}**  \n:gray[{ui.safe_md(too_many or form.good_for)}]")
        saving.button(
            f"Download {form.title}", partial(_offer, table.name, form.name, filters),
            key=f"export_{form.name}", of=KEY, disabled=too_many is not None,
        )  # fmt: skip


def _refusal(form: Form, rows: int) -> str | None:
    try:
        writing.must_hold(form, rows)
    except RunoutError as refusal:
        return refusal.sentence
    return None


def _offer(table: str, form: str, filters: Filters, person: Actor, token: str, now: datetime) -> Ticket:
    return transact(lambda session: downloads.offer_table(session, person, token, table, form, filters, now))


def draw_columns(table: Table) -> None:
    """What stands in the file, for whoever wants to know before."""
    with st.expander(f"{len(table.columns)} columns", icon=":material/view_column:"):
        lines = [
            f"| {ui.safe_md(one.header)} | {ui.safe_md(one.name)} | {KINDS[one.kind]} |"
            for one in table.columns
        ]
        st.markdown("\n".join(["| CSV and Excel | Parquet | |", "|---|---|---|", *lines]))


def draw_for_programs(table: Table) -> None:
    """The ledger is what programs pull day after day: they need no press."""
    if table is listing.LEDGER:
        st.caption("A program pulls the same without a press: GET /api/v1/ml/export, with an API key.")
