"""The button that gives codes of the shop's own to products without one."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.labels import internal_codes
from dashboard import editing, pickers, ui
from dashboard.editing import Answer

MOST_IN_ADDRESS = 50  # products that one link names


def draw(mine: dict[str, Any], products: Mapping[int, str]) -> None:
    """The button for products without a code, public id by inner one; nothing where there is none."""
    if not products:
        return
    chosen = dict(list(products.items())[: internal_codes.MOST_AT_ONCE])
    count = ui.formats().number(len(chosen))
    st.button(
        f"Give codes to the {count} without one" if len(chosen) > 1 else "Give a code to the one without",
        key="give_codes", icon=":material/add:", on_click=_press, args=(mine, chosen),
        help="Numbers that GS1 keeps for use within a company: nobody else's product has them.",
    )  # fmt: skip


def _press(mine: dict[str, Any], chosen: dict[int, str]) -> None:
    """Give the codes, and keep in sight whom they were given to: their labels are printed next."""
    if editing.write(mine, partial(_give, product_ids=tuple(chosen))) is None:
        return
    if "without" in st.query_params:
        pickers.remember("without", None)
        if len(chosen) <= MOST_IN_ADDRESS:
            pickers.remember("product", ",".join(chosen.values()))


def _give(session: Session, person: Actor, *, product_ids: tuple[int, ...]) -> Answer:
    given = internal_codes.give(session, person, product_ids)
    if not given:
        return Answer("All of them have a code by now.", is_idle=True)
    codes = sorted(given.values())
    if len(codes) == 1:
        words = f"Gave it the code **{codes[0]}**."
    else:
        words = f"Gave {len(codes)} products a code: **{codes[0]}** to **{codes[-1]}**."
    return Answer(words, partial(_take_back, given=given))


def _take_back(session: Session, person: Actor, *, given: dict[int, str]) -> Answer:
    internal_codes.take_back(session, person, given)
    many = len(given) > 1
    return Answer(f"{len(given)} codes are taken off again." if many else "The code is taken off again.")
