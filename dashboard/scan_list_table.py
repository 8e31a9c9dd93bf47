"""The lines of a pasted list as a table: what each one means and does; and those that cannot be booked."""

from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import order_words, ui
from dashboard.scan_list_rows import Plan

MOST_WRONG = 20  # sentences; the others are of the same kind, or the wrong file was pasted
MOST_HEIGHT = 400  # pixels; then the table has its own scroll bar
ROW_HEIGHT = 37
# The list stands in the narrower of two columns; what is cut off can be scrolled to.
WIDE = {"Line": 48, "Product": 176, "Pieces": 66, "Stock": 104, "About": 200, "Code": 140}
RIGHT = ("Line", "Pieces", "Stock")
NARROW = {"Product": 150, "Pieces": 76, "Stock": 110}


def draw(rows: list[dict[str, Any]], plan: Plan) -> None:
    """The lines that mean a product, in both widths (see grid.py)."""
    known = [row for row in rows if row["state"] != "wrong"]
    if not known:
        return
    frame = pd.DataFrame(
        {
            "Line": [str(row["line"]) for row in known],
            "Product": [row["name"] for row in known],
            "Pieces": [_pieces(row, plan) for row in known],
            "Stock": [_stock(row) for row in known],
            "Code": [row["code"] for row in known],
            "About": [_about(row) for row in known],
        }
    )
    height = min((len(known) + 1) * ROW_HEIGHT + 2, MOST_HEIGHT)
    for shape, widths in (("wide", WIDE), ("narrow", NARROW)):
        config = {
            name: st.column_config.TextColumn(
                name, width=width, alignment="right" if name in RIGHT else "left"
            )
            for name, width in widths.items()
        }
        with st.container(key=f"{shape}-list"):
            st.dataframe(frame[list(widths)], hide_index=True, height=height, row_height=ROW_HEIGHT,
                         column_config=config, key=f"list_{shape}")  # fmt: skip


def _pieces(row: dict[str, Any], plan: Plan) -> str:
    """−12 out, +12 in; what was counted or is moved has no sign."""
    write, pieces = ui.formats(), Decimal(row["pieces"])
    signs = {"in": pieces, "out": -pieces}
    return write.change(signs[plan.mode]) if plan.mode in signs else write.quantity(pieces)


def _stock(row: dict[str, Any]) -> str:
    write = ui.formats()
    told = [write.quantity(Decimal(row[side])) for side in ("before", "after") if row.get(side) is not None]
    return " → ".join(told)


def _about(row: dict[str, Any]) -> str:
    """What else is to be said: the order it is part of, that it was refused or taken back."""
    if row["state"] in ("refused", "trouble", "with") or "stuck" in row:
        return row.get("stuck") or row["said"]
    said = [f"of {row['order']}"] if "order" in row else []
    if "over" in row:
        said.append(f"{ui.formats().quantity(Decimal(row['over']))} more than ordered")
    if row["state"] == "undone":
        said.append("taken back")
    return ", ".join(said)


def draw_over(rows: list[dict[str, Any]]) -> None:
    """Which lines bring more than their order expects."""
    for row in [row for row in rows if "over" in row][:MOST_WRONG]:
        st.markdown(
            f":orange[Line {row['line']}] &nbsp; {ui.safe_md(row['name'])}: {ui.safe_md(_about(row))}"
        )


def draw_wrong(rows: list[dict[str, Any]]) -> None:
    """Each line with its sentence, red; the first ones of many."""
    with st.container(key="list-wrong", gap="xsmall"):
        for row in rows[:MOST_WRONG]:
            said = ui.safe_md(row.get("stuck") or row["said"])
            st.markdown(f":red[Line {row['line']}] &nbsp; :gray[{ui.safe_md(row['code'])}] &nbsp; {said}")
        if len(rows) > MOST_WRONG:
            st.markdown(f":gray[and {order_words.count(len(rows) - MOST_WRONG, 'line')} more]")
