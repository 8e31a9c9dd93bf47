"""What else to order of a vendor now: next-needed lines that reach a limit, taken with one click."""

from datetime import date
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, basket
from core.auth import Actor
from core.basket import Filling
from dashboard import editing, looks, reorder_words, ui
from dashboard.editing import Answer
from dashboard.reorder_plan import Asked, Group
from db.session import reading


def draw(group: Group, asked: Asked, person: Actor, today: date) -> None:
    """The suggestion for the vendor of this group; nothing where none pays."""
    if group.terms is None or not auth.may(person, "buy"):
        return
    mine = editing.desk(f"filler {group.word}")
    with reading() as session:
        filling = basket.suggest(session, group.word, today, horizon_days=asked.horizon_days)
    if filling.extras:
        _draw_suggestion(filling, mine)
    editing.draw_answer(mine, key="filler")


def _draw_suggestion(filling: Filling, mine: dict[str, Any]) -> None:
    with st.container(border=True, key="filler"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/add_shopping_cart: {sentence(filling)}")
            st.button(
                f"Add {reorder_words.lines(len(filling.extras))}", key="filler_take",
                on_click=_take, args=(mine, filling),
            )  # fmt: skip
        st.markdown("\n".join(f"- {_extra(extra)}" for extra in filling.extras))


def sentence(filling: Filling) -> str:
    """What adding them reaches, saves and costs."""
    write = ui.formats()
    items = "item" if len(filling.extras) == 1 else "items"
    told = [f"Add {write.number(len(filling.extras))} next-needed {items}"]
    if filling.target:
        told.append(f"reaches {filling.target}")
    told.append(f"saves {write.money(filling.saves)}, costs {write.money(filling.holding)} to hold")
    return ui.safe_md(f"{told[0]}: {', '.join(told[1:])}.")


def _extra(extra: basket.Extra) -> str:
    write = ui.formats()
    when = f", needed {write.weekday(extra.needed_on)} anyway" if extra.needed_on else ""
    return (
        f"**{ui.safe_md(write.change(extra.added))}** {ui.safe_md(extra.name)} "
        f":gray[{ui.safe_md(extra.sku)} · {ui.safe_md(write.money(extra.value))}{ui.safe_md(when)}]"
    )


def _take(mine: dict[str, Any], filling: Filling) -> None:
    """Take the suggestion as it was shown; each line then says that it was edited."""
    now = looks.now()

    def work(session: Session, person: Actor) -> Answer:
        taken = basket.take(session, person, filling, now)
        words = editing.changed(
            f"{ui.safe_md(filling.vendor)}",
            ui.formats().money(filling.value),
            ui.formats().money(filling.filled_value),
        )
        return Answer(words, partial(_give_back, taken=taken))

    editing.write(mine, work)


def _give_back(session: Session, person: Actor, *, taken: Any) -> Answer:
    basket.undo(session, person, taken, looks.now())
    return Answer("Undone: the lines are as they were")
