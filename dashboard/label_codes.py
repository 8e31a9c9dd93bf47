"""The button that gives codes of the shop's own to products without one."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.labels import internal_codes
from dashboard import editing, ui
from dashboard.editing import Answer


def draw(mine: dict[str, Any], product_ids: Sequence[int]) -> None:
    """The button; nothing where every product has a code."""
    if not product_ids:
        return
    chosen = tuple(product_ids[: internal_codes.MOST_AT_ONCE])
    count = ui.formats().number(len(chosen))
    st.button(
        f"Give codes to the {count} without one" if len(chosen) > 1 else "Give a code to the one without",
        key="give_codes", icon=":material/add:", on_click=editing.write,
        args=(mine, partial(_give, product_ids=chosen)),
        help="Numbers that GS1 keeps for use within a company: nobody else's product has them.",
    )  # fmt: skip


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
