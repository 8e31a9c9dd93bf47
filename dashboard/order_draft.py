"""The lines of a draft: each field writes when it is left, with what was there before and Undo."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import order_lines
from core.buying.order_looks import Detail, Line
from core.posting import plain
from dashboard import editing, looks, order_words, pickers, ui
from dashboard.editing import Answer

LINES_PER_PAGE = 25
LABELS = {"quantity": "Quantity", "unit_price": "Unit price"}


def draw(detail: Detail, today: date) -> None:
    """The lines with their fields; what became of a write stands at its line."""
    mine = editing.desk(f"draft {detail.order.uid}")
    if not detail.lines:
        st.markdown(":gray[Nothing is on it yet: add the first product.]")
    pages = max(1, -(-len(detail.lines) // LINES_PER_PAGE))
    first = (min(pickers.page(), pages) - 1) * LINES_PER_PAGE
    shown = detail.lines[first : first + LINES_PER_PAGE]
    if shown:
        with st.container(key="order-rows", gap="xsmall"):
            _draw_head(detail)
            for line in shown:
                _draw_row(mine, detail, line, today)
        pickers.page_links(len(detail.lines), LINES_PER_PAGE)
    if mine.get("at") not in {str(line.uid) for line in shown}:
        editing.draw_answer(mine, key="draft")  # its line was removed, or is on another page


def _columns() -> list[Any]:
    return st.columns([4.2, 1.3, 1.4, 1.2, 1.7, 0.9], vertical_alignment="center")


def _draw_head(detail: Detail) -> None:
    with st.container(key="order-head"):
        words = ("Product", "Quantity", f"Unit price ({detail.order.currency})", "Value", "Expected", "")
        for column, word in zip(_columns(), words, strict=True):
            column.markdown(f":gray[{ui.safe_md(word)}]")


def _draw_row(mine: dict[str, Any], detail: Detail, line: Line, today: date) -> None:
    uid, write = str(line.uid), order_words.in_currency(detail.order.currency)
    with st.container(key=f"order-row-{uid}"):
        name, quantity, price, value, expected, more = _columns()
        with name:
            st.markdown(f"{order_words.product(line)}{_said_below(detail, line)}")
        with quantity:
            _draw_field(mine, line, "quantity")
        with price:
            _draw_field(mine, line, "unit_price")
        value.markdown(f"**{ui.safe_md(write.money(line.value))}**")
        day = line.expected_on or detail.order.expected_on
        words = write.weekday(day) if day else ":gray[by lead time]"
        expected.markdown(
            f"{ui.safe_md(words) if day else words}  \n:gray[to {ui.safe_md(line.warehouse_code)}]"
        )
        with more:
            st.button(
                "More", key=f"more-{uid}", width="stretch", on_click=_open, args=(mine, uid),
                help="Day, warehouse, note, or take it off.",
            )  # fmt: skip
    if mine.get("open") == uid:
        _draw_more(mine, line, str(detail.order.uid), today)
    if mine.get("at") == uid:
        editing.draw_answer(mine, key=f"draft-{uid}")


def _said_below(detail: Detail, line: Line) -> str:
    """What a buyer should know about a line before it is sent, and its next price step."""
    said = [
        hint.sentence.removeprefix(f"{line.sku}: ")
        for hint in detail.facts.hints
        if hint.line_uid == line.uid
    ]
    below = [f"  \n:orange[{ui.safe_md(one[:1].upper() + one[1:])}]" for one in said]
    if line.quote is not None:
        write = order_words.in_currency(detail.order.currency)
        step = next(((n, price) for n, price in line.quote.steps if n > line.quantity), None)
        if step:
            words = f"From {write.quantity(step[0])}: {write.price(step[1])}"
            below.append(f"  \n:gray[{ui.safe_md(words)}]")
    if line.note:
        below.append(f"  \n:gray[{ui.safe_md(line.note)}]")
    return "".join(below)


def _draw_field(mine: dict[str, Any], line: Line, name: str) -> None:
    """A number that is written when it is left. It shows what is kept: what was refused is gone again."""
    key, kept = f"{name}_{line.uid}", float(getattr(line, name))
    if st.session_state.get(key) != kept:
        st.session_state[key] = kept
    st.number_input(
        f"{LABELS[name]} of {line.sku}", value=None, step=1.0 if name == "quantity" else 0.01, format="%.12g",
        key=key, label_visibility="collapsed", on_change=_changed, args=(mine, line, name, key),
    )  # fmt: skip


def _changed(mine: dict[str, Any], line: Line, name: str, key: str) -> None:
    typed = editing.number(st.session_state.get(key))
    mine["at"] = str(line.uid)

    def work(session: Session, person: Actor) -> Answer:
        value = editing.needed(typed, f"{line.sku}, {LABELS[name].lower()}")
        if name == "quantity":
            order_words.refuse_parts(line.sku, line.unit_of_measure, value)
        return _write(session, person, line_uid=str(line.uid), before=_kept(line), fields={name: value})

    editing.write(mine, work)


def _kept(line: Line) -> dict[str, Any]:
    """What a line said when it was drawn."""
    about = {name: getattr(line, name) for name in ("warehouse_id", "expected_on", "note")}
    return about | {name: plain(getattr(line, name)) for name in LABELS}


def _write(
    session: Session, person: Actor, *, line_uid: str, before: dict[str, Any], fields: dict[str, Any]
) -> Answer:
    """Change a line; its answer says every field that is another now, as the price follows the quantity."""
    now, today = looks.now(), looks.today()
    line = order_lines.change(session, person, line_uid, now, today, **fields)
    after = {name: getattr(line, name) for name in before}
    after |= {name: plain(after[name]) for name in LABELS}
    news = {name: value for name, value in after.items() if value != before[name]}
    write, words = ui.formats(), []
    for name, label in LABELS.items():
        if name in news:
            old, new = write.quantity(Decimal(before[name])), write.quantity(Decimal(after[name]))
            words.append(editing.changed(label, old, new))
    if "expected_on" in news:
        words.append(editing.changed("Expected", *(_day(one["expected_on"]) for one in (before, after))))
    if "warehouse_id" in news:
        codes = {place.id: place.code for place in looks.places()}
        old, new = (codes.get(one["warehouse_id"], "?") for one in (before, after))
        words.append(editing.changed("To", old, new))
    if "note" in news:
        words.append("The note is kept" if after["note"] else "The note is gone")
    olds = {name: before[name] for name in news}
    undo = partial(_write, line_uid=line_uid, before=after, fields=olds) if news else None
    return Answer(" &nbsp; ".join(words) or "Nothing was changed.", undo, is_idle=not news)


def _day(day: date | None) -> str:
    return ui.formats().weekday(day) if day else "by lead time"


# -- One line ------------------------------------------------------------------------------------------------


def _open(mine: dict[str, Any], uid: str) -> None:
    mine["open"] = None if mine.get("open") == uid else uid
    editing.renew(mine)
    mine.pop("answer", None)
    mine.pop("refused", None)


def _draw_more(mine: dict[str, Any], line: Line, order_uid: str, today: date) -> None:
    form, places = mine["form"], {place.id: place.code for place in looks.places()}
    with st.container(border=True, key="order-more"):
        left, middle, right = st.columns([1, 1, 2])
        with left:
            st.date_input(
                "Expected on (empty: by lead time)", line.expected_on, key=f"line_day_{form}",
                min_value=min(line.expected_on or today, today),
                max_value=today + timedelta(days=order_lines.MOST_DAYS_AHEAD), format="YYYY-MM-DD",
            )  # fmt: skip
        with middle:
            st.selectbox(
                "To warehouse", list(places), format_func=lambda i: places.get(i, line.warehouse_code),
                index=list(places).index(line.warehouse_id) if line.warehouse_id in places else 0,
                key=f"line_place_{form}",
            )  # fmt: skip
        with right:
            st.text_input("Note", line.note or "", key=f"line_note_{form}",
                          max_chars=order_lines.NOTE_CHARACTERS)  # fmt: skip
        with st.container(horizontal=True):
            st.button("Save", type="primary", key="line_save", on_click=_save, args=(mine, line))
            st.button("Offer's price", key="line_price", icon=":material/sell:", on_click=_offer_price,
                      args=(mine, line), disabled=line.quote is None)  # fmt: skip
            st.button("Take it off", key="line_remove", icon=":material/delete:", on_click=_remove,
                      args=(mine, line, order_uid))  # fmt: skip
            st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                         query_params={"id": str(line.product_uid)})  # fmt: skip


def _save(mine: dict[str, Any], line: Line) -> None:
    form = mine["form"]
    said = {
        name: st.session_state.get(f"line_{field}_{form}")
        for name, field in (("expected_on", "day"), ("warehouse_id", "place"), ("note", "note"))
    }
    said["note"] = said["note"] or None
    before = _kept(line)
    # Only what is another now: a day that is over may stay.
    news = {name: value for name, value in said.items() if value != before[name]}
    _do(mine, line, news)


def _offer_price(mine: dict[str, Any], line: Line) -> None:
    _do(mine, line, {"unit_price": None})


def _do(mine: dict[str, Any], line: Line, fields: dict[str, Any]) -> None:
    mine["at"] = str(line.uid)
    work = partial(_write, line_uid=str(line.uid), before=_kept(line), fields=fields)
    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _remove(mine: dict[str, Any], line: Line, order_uid: str) -> None:
    mine["at"] = None

    def work(session: Session, person: Actor) -> Answer:
        order_lines.remove(session, person, line.uid)
        about = {"product_id": line.product_id} | _kept(line)
        back = partial(_put_back, order_uid=order_uid, about=about)
        return Answer(f"{order_words.product(line)} is off the order.", back)

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _put_back(session: Session, person: Actor, *, order_uid: str, about: dict[str, Any]) -> Answer:
    line = order_lines.add(session, person, order_uid, today=looks.today(), **about)
    return Answer(f"{ui.safe_md(plain(line.quantity))} of it are on the order again.")
