"""Another product for a draft: looked for as one types, then how much of it, and where to."""

from datetime import date
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import products
from core.auth import Actor
from core.buying import order_lines
from core.buying.order_lines import Quote
from core.buying.order_looks import Detail
from core.reorder.quantities import Terms
from dashboard import editing, looks, order_words, pressing, ui
from dashboard.editing import Answer
from dashboard.pickers import MOST_CHARACTERS
from db.session import reading

MOST_FOUND = 6
USUAL_QUANTITY = 1


def draw(detail: Detail, today: date) -> None:
    """The search, what it found, and the form of the product that was chosen."""
    mine = editing.desk(f"adding {detail.order.uid}")
    st.markdown("**Add a product**")
    key = f"add_search_{mine['form']}"
    typed = st.text_input(
        "Add a product", key=key, type="search", placeholder="Name, SKU or barcode", live="400ms",
        max_chars=MOST_CHARACTERS, label_visibility="collapsed", icon=":material/search:", width=420,
    )  # fmt: skip
    wanted = ui.typed(typed or "").replace("\x00", "").strip()
    if wanted:
        _draw_found(mine, detail, wanted, today)
    editing.draw_answer(mine, key="adding")


def _draw_found(mine: dict[str, Any], detail: Detail, wanted: str, today: date) -> None:
    with reading() as session:
        found, total = products.search(session, text=wanted, sort="name", limit=MOST_FOUND)
        ids = [int(number) for number in found.product_id]
        asked = order_lines.quotes(session, detail.vendor.id, ids, today)
    if not total:
        st.markdown(":gray[No product fits these words.]")
        return
    for row in found.itertuples(index=False):
        quote = asked.get(int(row.product_id))
        with st.container(border=True, key=f"found-{row.uid}"):
            with st.container(horizontal=True, vertical_alignment="center",
                              horizontal_alignment="distribute"):  # fmt: skip
                st.markdown(_said(detail, row, quote), width="content")
                st.button("Add", key=f"choose-{row.uid}", icon=":material/add:", on_click=_choose,
                          args=(mine, str(row.uid)))  # fmt: skip
            if mine.get("open") == str(row.uid):
                _draw_form(mine, detail, row, quote, today)
    if total > len(found):
        st.markdown(f":gray[{order_words.count(total - len(found), 'more')} fit: type more of the name.]")


def _said(detail: Detail, row: Any, quote: Quote | None) -> str:
    write = order_words.in_currency(detail.order.currency)
    asks = f"{write.price(quote.steps[0][1])} each" if quote and quote.steps else "no offer of this vendor"
    about = f"{row.sku} · {write.quantity(row.on_hand)} on hand · {asks}"
    return f"**{ui.safe_md(row.name)}** &nbsp; :gray[{ui.safe_md(about)}]"


def _draw_form(mine: dict[str, Any], detail: Detail, row: Any, quote: Quote | None, today: date) -> None:
    """How much, at which price, where to."""
    product_id = int(row.product_id)
    form, places = mine["form"], {place.id: place.code for place in looks.places()}
    usual = detail.lines[0].warehouse_id if detail.lines else next(iter(places), None)
    least = Terms(quote.minimum, quote.multiple, quote.steps).least if quote else USUAL_QUANTITY
    left, middle, right = st.columns(3)
    with left:
        editing.number_field("Quantity", least, key=f"add_quantity_{form}_{product_id}", placeholder="0")
    with middle:
        editing.number_field(
            f"Unit price ({detail.order.currency})", None, key=f"add_price_{form}_{product_id}",
            placeholder="the offer's" if quote else "0.00",
        )  # fmt: skip
    with right:
        st.selectbox(
            "To warehouse", list(places), format_func=places.get, key=f"add_place_{form}_{product_id}",
            index=list(places).index(usual) if usual in places else 0,
        )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Put it on the order", type="primary", key="add_line", on_click=_add,
            args=(mine, form, str(detail.order.uid), product_id, (row.sku, row.unit_of_measure), today),
        )  # fmt: skip
        st.button("Close", key="add_close", on_click=_choose, args=(mine, None))


def _choose(mine: dict[str, Any], uid: str | None) -> None:
    mine["open"] = uid
    mine.pop("answer", None)
    mine.pop("refused", None)


def _add(
    mine: dict[str, Any], form: str, order_uid: str, product_id: int, about: tuple[str, str], today: date
) -> None:
    said = {name: st.session_state.get(f"add_{name}_{form}_{product_id}") for name in ("quantity", "price")}
    place = st.session_state.get(f"add_place_{form}_{product_id}")

    def work(session: Session, person: Actor) -> Answer:
        order_words.refuse_parts(*about, editing.number(said["quantity"]))
        line = order_lines.add(
            session, person, order_uid, product_id=product_id,
            warehouse_id=editing.needed(place, "Warehouse", "choose"),
            quantity=editing.needed(editing.number(said["quantity"]), "Quantity"),
            unit_price=editing.number(said["price"]), today=today,
        )  # fmt: skip
        write = ui.formats()
        words = f"**{ui.safe_md(write.quantity(line.quantity))}** are on the order now."
        return Answer(words, partial(_take_off, line_uid=str(line.uid)))

    if pressing.once(mine, form, work) is not None:
        mine.pop("open", None)


def _take_off(session: Session, person: Actor, *, line_uid: str) -> Answer:
    order_lines.remove(session, person, line_uid)
    return Answer("Taken off again.")
