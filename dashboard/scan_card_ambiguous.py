"""The card of a code that may mean several products, or one that is not sold any more: a person chooses."""

from typing import Any

import streamlit as st

from core import products
from core.errors import RunoutError
from core.scanning import resolver
from core.scanning.resolver import Candidate
from dashboard import scan_desk, signin, ui
from db.session import reading


def draw(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """The candidates with what tells them apart; what is not sold any more can only be looked at."""
    st.markdown(f"**Which one is {ui.safe_md(entry['code'])}?**")
    if entry.get("sentence"):
        st.markdown(f":gray[{ui.safe_md(entry['sentence'])}]")
    if entry.get("refused"):
        ui.refused(entry["refused"])
    for candidate, on_hand in _candidates(entry):
        key = f"candidate-{candidate.id}"
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=key):
            st.markdown(_said(candidate, on_hand), width="stretch")
            if candidate.is_active:
                st.button("Take this one", key=f"candidate_take_{candidate.id}", on_click=scan_desk.go_on,
                          args=(desk, entry["key"]), kwargs={"product_id": candidate.id})  # fmt: skip
            else:
                st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                             query_params={"id": str(candidate.uid)})  # fmt: skip
    st.button("None of them", key="ambiguous_drop", on_click=scan_desk.drop, args=(desk, entry["key"]))


def _candidates(entry: dict[str, Any]) -> list[tuple[Candidate, Any]]:
    """What the code may mean as of now, each with its stock in the whole shop."""
    person = signin.require()
    try:
        with reading() as session:
            found = resolver.resolve(session, person, entry["code"], symbology=entry.get("symbology"))
            return [(one, products.by_uid(session, one.uid).on_hand) for one in found.candidates]
    except RunoutError:
        return []


def _said(candidate: Candidate, on_hand: Any) -> str:
    write = ui.formats()
    about = f"{candidate.sku} · {write.quantity(on_hand)} on hand"
    if candidate.pieces != 1:
        about += f" · {write.quantity(candidate.pieces)} in one scan"
    words = f"**{ui.safe_md(candidate.name)}**  \n:gray[{ui.safe_md(about)}]"
    return words if candidate.is_active else f"{words} :orange-badge[not sold any more]"
