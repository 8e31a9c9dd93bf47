"""The barcodes of a product: a row for each with Remove, and one to add another."""

from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import catalogue
from core.auth import Actor
from core.posting import plain
from core.products import Detail
from core.scanning import linking
from dashboard import editing, ui
from dashboard.editing import Answer


def draw(detail: Detail) -> None:
    """Each code with the pieces a scan of it means."""
    product_id, mine = detail.product.id, editing.desk(f"barcodes {detail.product.uid}")
    form = mine["form"]
    st.subheader("Barcodes", anchor=False)
    if not detail.barcodes:
        st.markdown(":gray[No barcode yet: scan one into the field below.]")
    for code, factor in detail.barcodes:
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-{product_id}-{hash(code)}"):
            unit = ui.formats().unit(detail.product.unit_of_measure, factor)
            pieces = f"{ui.formats().quantity(factor)} {unit or ('piece' if factor == 1 else 'pieces')}"
            st.markdown(f"**{ui.safe_md(code)}** &nbsp; :gray[{ui.safe_md(pieces)}]", width="content")
            st.button(
                "Remove", key=f"remove-{code}", icon=":material/close:", on_click=editing.write,
                args=(mine, partial(_remove, product_id=product_id, code=code, factor=plain(factor))),
            )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Barcode", key=f"code_{form}", width=220, placeholder="4006381333931")
        editing.number_field(
            "Pieces", 1, key=f"factor_{form}", placeholder="1", width=170,
            help_="How many pieces one scan means: 12 for the code on a carton of twelve.",
        )  # fmt: skip
        st.button(
            "Add barcode", key="add_barcode", icon=":material/add:", on_click=_add_typed,
            args=(mine, product_id),
        )  # fmt: skip
    editing.draw_answer(mine, key="barcodes")


def _add_typed(mine: dict[str, Any], product_id: int) -> None:
    """Add the code of the form; the field is empty again when it was taken."""
    code = (st.session_state.get(f"code_{mine['form']}") or "").strip()
    factor = editing.number(st.session_state.get(f"factor_{mine['form']}"))
    if editing.write(mine, partial(_add, product_id=product_id, code=code, factor=factor)) is not None:
        editing.renew(mine)


def _add(session: Session, person: Actor, *, product_id: int, code: str, factor: str | None) -> Answer:
    editing.needed(code, "Barcode")
    kept = linking.link(session, person, code, product_id, editing.needed(factor, "Pieces"))
    words = f"**{ui.safe_md(kept.code)}** means {ui.safe_md(plain(kept.pack_factor))} of it."
    back = partial(_remove, product_id=product_id, code=kept.code, factor=plain(kept.pack_factor))
    return Answer(words, back)


def _remove(session: Session, person: Actor, *, product_id: int, code: str, factor: str) -> Answer:
    catalogue.remove_barcode(session, person, product_id, code)
    back = partial(_add, product_id=product_id, code=code, factor=factor)
    return Answer(f"**{ui.safe_md(code)}** is taken off.", back)
