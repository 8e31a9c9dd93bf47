"""The forecast by week on a product's page: what is computed, what people add to it or put in its place."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import auth, forecast_edits, predictions
from core.auth import Actor
from core.forecast_edits import FIELDS, Change, Row
from core.posting import plain
from dashboard import editing, looks, tables, ui
from dashboard.editing import Answer
from dashboard.formats import MINUS
from dashboard.looks import ProductPage
from db.session import reading

LABELS = {"computed": "Computed", "adds": "Adds", "replaces": "Replaces", "result": "Result"}
SIGN = {"adds": "+", "replaces": "="}  # in an empty field
ONE_DECIMAL_BELOW = 10
MARK = {
    "light": "background-color: #FEF0C3; color: #101828",
    "dark": "background-color: #544710; color: #E6E9EF",
}
HELP = (
    "Units a week, all warehouses together. What you add comes on top of the computed forecast; what you put "
    "in its place wins. Each warehouse changes by the same factor. Of this week only the days still to come "
    "are shown and count."
)


def draw(page: ProductPage, person: Actor, today: date) -> None:
    """The grid, who changed what of it, and for managers the form that changes it."""
    product = page.detail.product
    mine = editing.desk(f"forecast edits {product.uid}")
    with reading() as session:
        rows = forecast_edits.grid(session, product.id, today)
    may_edit = auth.may(person, "edit forecast") and bool(rows)
    is_open = may_edit and mine.get("open", False)
    with ui.heading("Forecast by week"):
        if may_edit and not is_open:
            st.button("Change", icon=":material/edit:", key="weeks_change", on_click=_open, args=(mine,))
    if not rows:
        if product.is_active:
            ui.empty("No forecast yet.", "Weeks can be changed as soon as there is one.")
        else:
            ui.empty("No forecast.", "Nothing is forecast of a product that is not sold any more.")
        return
    st.markdown(":gray[Units a week]", help=HELP)
    if is_open:
        _draw_form(mine, rows, product.id)
    else:
        _draw_grid(rows)
    editing.draw_answer(mine, key="weeks")
    _draw_lines(mine, rows, product.id, may_edit=may_edit)


def _draw_grid(rows: Sequence[Row]) -> None:
    """Weeks as columns, and on a phone as rows; what people changed is marked."""
    weeks = pd.DataFrame(
        [_cells(row) for row in rows], columns=list(LABELS), index=[_week(row) for row in rows]
    )
    weeks.columns = list(LABELS.values())
    marks = pd.DataFrame("", index=weeks.index, columns=weeks.columns)
    theme = MARK["dark" if ui.is_dark() else "light"]
    for place, row in enumerate(rows):
        for name in FIELDS:
            if getattr(row, name) is not None:
                marks.iloc[place, marks.columns.get_loc(LABELS[name])] = theme
                marks.iloc[place, marks.columns.get_loc(LABELS["result"])] = theme
    for shape, frame, marked in (("wide", weeks.T, marks.T), ("narrow", weeks, marks)):
        with st.container(key=f"{shape}-weeks"):
            st.dataframe(
                frame.style.apply(lambda _, marked=marked: marked, axis=None),
                key=f"weeks_{shape}",
                height="content",
                row_height=37,
                column_config={
                    "_index": st.column_config.TextColumn("Week" if shape == "narrow" else "", width=92),
                    **{
                        name: st.column_config.TextColumn(name, alignment="right", width=64)
                        for name in frame.columns
                    },
                },
            )


def _cells(row: Row) -> list[str]:
    write = ui.formats()
    return [
        _amount(row.computed),
        "" if row.adds is None else write.change(row.adds),
        "" if row.replaces is None else write.quantity(row.replaces),
        _amount(row.result),
    ]


def _amount(units: float) -> str:
    return ui.formats().number(units, 1 if units < ONE_DECIMAL_BELOW else 0)


def _week(row: Row) -> str:
    """23 Nov; of this week the days that are left of it."""
    write = ui.formats()
    return (
        write.day(row.week_on)
        if row.first_on == row.week_on
        else write.span(row.first_on, row.last_on, row.first_on)
    )


def _draw_lines(mine: dict, rows: Sequence[Row], product_id: int, *, may_edit: bool) -> None:
    """Who changed which week, when and why; each goes back to computed, or all do."""
    write, edited = ui.formats(), [row for row in rows if row.is_edited]
    for row in edited:
        said = [
            f"{LABELS[name].lower()} **{ui.safe_md(shown)}**"
            for name, shown in zip(FIELDS, _cells(row)[1:3], strict=True)
            if shown
        ]
        words = (
            f"**{ui.safe_md(_week(row))}** &nbsp; {', '.join(said)} &nbsp; "
            f":gray[computed {ui.safe_md(_amount(row.computed))} · {ui.safe_md(row.by)}, "
            f"{ui.safe_md(write.moment(row.at))}{f' · {ui.safe_md(row.note)}' if row.note else ''}]"
        )
        with st.container(horizontal=True, vertical_alignment="center", key=f"edited-week-{row.week_on}"):
            st.markdown(words)
            if may_edit:
                st.button(
                    "Reset", key=f"reset-{row.week_on}", icon=":material/replay:", on_click=_reset,
                    args=(mine, product_id, row.week_on, f"Week of {_week(row)}"),
                )  # fmt: skip
    if may_edit and len(edited) > 1:
        st.button(
            "Reset all to computed", key="reset_weeks", icon=":material/replay:", on_click=_reset,
            args=(mine, product_id, None, f"{len(edited)} weeks"),
        )  # fmt: skip


# -- The form ------------------------------------------------------------------------------------------------


def _draw_form(mine: dict, rows: Sequence[Row], product_id: int) -> None:
    """The same grid with fields. A field that is emptied is computed again."""
    form = mine["form"]
    with st.form(f"weeks_{form}", border=False, enter_to_submit=True):
        with st.container(key="weeks-form"):
            names, *columns = st.columns(len(rows) + 1, gap="xxsmall")
            with names:
                for label in (f"Week  \n:gray[{LABELS['computed']}]", *list(LABELS.values())[1:]):
                    st.markdown(label)
            for column, row in zip(columns, rows, strict=True):
                with column:
                    _draw_week(row, form)
        st.text_input(
            "Note on the change", key=f"weeks_note_{form}", placeholder="Why, if it is worth knowing"
        )
        with st.container(horizontal=True):
            st.form_submit_button("Save", key="weeks_save", on_click=_save, args=(mine, rows, product_id))
            st.form_submit_button("Close", key="weeks_close", on_click=_close, args=(mine,))


def _draw_week(row: Row, form: str) -> None:
    week = _week(row)
    st.markdown(f"**{ui.safe_md(week)}**  \n:gray[{ui.safe_md(_amount(row.computed))}]")
    for name in FIELDS:
        kept = getattr(row, name)
        key = f"{name}_{row.week_on}_{form}"
        st.session_state.setdefault(key, _text(kept))
        with st.container(key=f"{'edited' if kept is not None else 'cell'}-{name}-{row.week_on}"):
            st.text_input(
                f"Week of {week}, {name}", key=key, placeholder=SIGN[name], label_visibility="collapsed",
                max_chars=20,
            )  # fmt: skip
    st.markdown(f"**{ui.safe_md(_amount(row.result))}**")


def _text(kept: Decimal | None) -> str:
    return "" if kept is None else plain(kept)


def _open(mine: dict) -> None:
    editing.renew(mine)
    mine["open"] = True
    mine.pop("answer", None)
    mine.pop("refused", None)


def _close(mine: dict) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


def _save(mine: dict, rows: Sequence[Row], product_id: int) -> None:
    """Write the cells that were changed, all of them or none."""
    form = mine["form"]
    wanted: dict[date, dict[str, str | None]] = {}
    for row in rows:
        for name in FIELDS:
            typed = (st.session_state.get(f"{name}_{row.week_on}_{form}") or "").strip()
            if typed != _text(getattr(row, name)):
                wanted.setdefault(row.week_on, {})[name] = meant(typed, ui.formats().separators) or None
    note = st.session_state.get(f"weeks_note_{form}")
    what = (
        f"Week of {_week(next(row for row in rows if row.week_on in wanted))}"
        if len(wanted) == 1
        else (f"{len(wanted)} weeks")
    )
    if not wanted:
        _close(mine)
        return
    if (
        _write(mine, product_id, f"{what} changed", forecast_edits.change, wanted=wanted, note=note)
        is not None
    ):
        mine.pop("open", None)


def meant(typed: str, separators: str) -> str:
    """A quantity as the shop writes it, in plain digits: 1,000 is a thousand, in a German shop 1.000 is.

    `separators` are the decimal point and the thousands separator, as the page writes them. What is no number
    stays as it was typed, to be refused by name.
    """
    point, thousands = separators
    plain_text = "".join(typed.split()).replace(MINUS, "-")
    grouped = rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+(?:{re.escape(point)}\d+)?"
    if re.fullmatch(grouped, plain_text):
        plain_text = plain_text.replace(thousands, "")
    digits = plain_text.replace(point, ".")
    return digits if re.fullmatch(r"[+-]?\d*\.?\d*", digits) else typed


def _reset(mine: dict, product_id: int, week_on: date | None, what: str) -> None:
    if _write(mine, product_id, f"{what} as computed", forecast_edits.reset, week_on=week_on) is not None:
        editing.renew(mine)


def _write(mine: dict, product_id: int, what: str, verb: Any, **about: Any) -> Any:
    now, today = looks.now(), looks.today()

    def work(session: Session, person: Actor) -> Answer:
        before = predictions.outlook(session, product_id, today).verdict
        done = verb(session, person, product_id, now=now, **about)
        undo = partial(_undo, product_id=product_id, done=done) if done.weeks else None
        words = ui.safe_md(what) + _effect(session, product_id, before, today)
        return Answer(words, undo, is_idle=not done.weeks)

    return editing.write(mine, work)


def _undo(session: Session, person: Actor, *, product_id: int, done: Change) -> Answer:
    now, today = looks.now(), looks.today()
    before = predictions.outlook(session, product_id, today).verdict
    forecast_edits.undo(session, person, product_id, done, now=now)
    return Answer("Undone" + _effect(session, product_id, before, today))


def _effect(session: Session, product_id: int, before: Any, today: date) -> str:
    """What a write did to the run-out: before -> after."""
    after = predictions.outlook(session, product_id, today).verdict
    then, now = tables.run_out(before, today), tables.run_out(after, today)
    return ": runs out as before" if then == now else f" &nbsp; {editing.changed('runs out', then, now)}"
