"""How movements are shown: as a table, one of them in words, and Undo where it may be done."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from core import auth, corrections, predictions
from core.auth import Actor
from core.errors import RunoutError
from core.posting import Booked, plain
from dashboard import grid, looks, signin, ui
from dashboard.formats import is_missing
from db.session import transact

KIND = {"in": "In", "out": "Out", "adjust": "Adjustment", "transfer": "Transfer"}
NARROW_WITH_PRODUCT = {"Product": 150, "Change": 74, "Reason": 130}
NARROW = {"When": 124, "Change": 84, "Reason": 146}


def state(row: Any) -> str:
    """What a later or earlier booking has to say about this one."""
    if not is_missing(row.reversed_by_id):
        return "Reversed"
    if not is_missing(row.reverses_id):
        return "Reversal"
    return ""


def shown(found: pd.DataFrame, *, with_product: bool) -> pd.DataFrame:
    """Movements as text, newest first."""
    write, at = ui.formats(), looks.now()
    rows = list(found.itertuples(index=False))
    columns = {
        "Product": [row.product_name for row in rows],
        "Change": [write.change(row.change) for row in rows],
        "Reason": [_reason(row) for row in rows],
        "When": [write.ago(row.occurred_at, at) for row in rows],
        "Stock": [f"{write.quantity(row.stock_before)} → {write.quantity(row.stock_after)}" for row in rows],
        "Where": [row.warehouse_code for row in rows],
        "By": [_by(row) for row in rows],
        "Reference": ["" if is_missing(row.reference_id) else row.reference_id for row in rows],
        "Note": ["" if is_missing(row.reason) else row.reason for row in rows],
        "Number": [str(row.movement_id) for row in rows],
    }
    if not with_product:
        del columns["Product"]
        columns = {name: columns[name] for name in ("When", "Change", "Reason", *list(columns)[3:])}
    return pd.DataFrame(columns)


def _by(row: Any) -> str:
    """Who booked it, and in brackets the API key of the machine that did it for them."""
    return row.person if is_missing(row.api_key) else f"{row.person} ({row.api_key})"


def _reason(row: Any) -> str:
    told = state(row)
    return f"{row.reason_label} ({told.lower()})" if told else row.reason_label


def table(found: pd.DataFrame, person: Actor, *, key: str, with_product: bool) -> None:
    """The table; a click opens the movement. Reversed pairs are grey: together they change nothing."""
    frame = shown(found, with_product=with_product)
    undone = [bool(state(row)) for row in found.itertuples(index=False)]
    # A new name after each click takes back the mark, or the drawer would open at every run.
    turn = st.session_state.setdefault(f"{key}_turn", 0)
    narrow = NARROW_WITH_PRODUCT if with_product else NARROW
    place, _ = grid.draw(frame, narrow, _config(), key=f"{key}_{turn}", grey=undone)
    if place is not None:
        st.session_state[f"{key}_turn"] = turn + 1
        details(found.iloc[place], person, with_product)


def _config() -> dict[str, Any]:
    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    return {
        "Product": text("Product", 220),
        "Change": text("Change", 76, "right"),
        "Reason": text("Reason", 168),
        "When": text("When", 118),
        "Stock": text("Stock", 110, "right", "On hand in this warehouse before and after."),
        "Where": text("Where", 70),
        "By": text("By", 104),
        "Reference": text("Reference", 100),
        "Note": text("Note", 110),
        "Number": text("Number", 74, "right"),
    }


def in_words(row: Any) -> str:
    """One movement as a sentence, ready for Markdown."""
    write = ui.formats()
    amount = ui.safe_md(write.change(row.change)) + ui.unit_md(row.unit_of_measure, abs(row.change))
    parts = [
        f"**{amount}** of {ui.safe_md(row.product_name)} in {ui.safe_md(row.warehouse_code)}, "
        f"{ui.safe_md(row.reason_label.lower())}: {ui.safe_md(write.quantity(row.stock_before))} before, "
        f"{ui.safe_md(write.quantity(row.stock_after))} after.",
        f"Happened {ui.safe_md(write.moment(row.occurred_at))}, booked by {ui.safe_md(_by(row))} "
        f"{ui.safe_md(write.moment(row.recorded_at))} as movement {row.movement_id}.",
    ]
    if not is_missing(row.unit_price):
        worth = write.price(abs(row.total))
        parts.append(ui.safe_md(f"{write.price(row.unit_price)} a piece, {worth} together."))
    for label, value in (("Reference", row.reference_id), ("Customer", row.customer), ("Note", row.reason)):
        if not is_missing(value) and value:
            parts.append(f"{label}: {ui.safe_md(value)}.")
    if not is_missing(row.counterpart_id):
        parts.append(f"The other leg of this transfer is movement {int(row.counterpart_id)}.")
    if not is_missing(row.reversed_by_id):
        parts.append(f"Reversed by movement {int(row.reversed_by_id)}.")
    if not is_missing(row.reverses_id):
        parts.append(f"Reverses movement {int(row.reverses_id)}.")
    return "  \n".join(parts)


@st.dialog("Movement", position="right", width="small", on_dismiss="rerun")
def details(row: Any, person: Actor, with_product: bool) -> None:
    """One movement in words in a drawer, with Undo for whoever may book."""
    with st.container(key="movement"):
        st.markdown(in_words(row))
    movement_id = int(row.movement_id)
    answer = desk().get("undone", {})
    is_answered = answer.get("movement") == movement_id
    if is_answered:
        undo_answer()
    if auth.may(person, "move stock") and not state(row) and not (is_answered and "after" in answer):
        undo_button(movement_id, str(row.product_uid), key="undo_movement")
    if with_product:
        st.page_link(
            "views/product.py", label="Open the product", icon=":material/package_2:",
            query_params={"id": str(row.product_uid)},
        )  # fmt: skip


def undo_button(movement_id: int, product_uid: str, *, key: str) -> None:
    st.button(
        "Undo", key=key, icon=":material/undo:", on_click=undo, args=(movement_id, product_uid),
        help="Books the opposite movement; the ledger keeps both.",
    )  # fmt: skip


def desk() -> dict[str, Any]:
    """What this session booked last, `booked` and `undone`, and the open `form` of each product.

    One dictionary that is fetched before a booking and changed after it: a touch of session_state may end
    the run in favour of the next one, and the answer to a committed booking must not get lost.
    """
    return st.session_state.setdefault("desk", {})


def undo(movement_id: int, product_uid: str) -> None:
    """Reverse a movement; the second click of a double click finds the first one's answer."""
    mine, today, now = desk(), looks.today(), looks.now()
    answer: dict[str, Any] = {"movement": movement_id, "product": product_uid}
    try:
        person = signin.require()
        booked = transact(lambda session: _reverse(session, person, movement_id, today, now))
        line = booked.lines[0]
        answer |= {"before": plain(line.before), "after": plain(line.after)}
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    mine["undone"] = answer
    if "after" in answer:
        mine.pop("booked", None)
    looks.forget()


def _reverse(session: Any, person: Actor, movement_id: int, today: date, now: datetime) -> Booked:
    booked = corrections.undo(session, person, movement_id, now=now)
    predictions.refresh(session, sorted({line.product_id for line in booked.lines}), today)
    return booked


def undo_answer() -> None:
    """What became of the last Undo, shown where it was pressed."""
    answer = desk().get("undone")
    if not answer:
        return
    if "refused" in answer:
        ui.refused(answer["refused"])
    else:
        st.success(ui.safe_md(f"Undone: {answer['before']} → {answer['after']}."), icon=":material/undo:")
