"""What else to order of a vendor now: next-needed lines that reach a limit, taken with one click."""

from datetime import date
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import basket
from core.buying.basket import Filling, Taken
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
        about = {"horizon_days": asked.horizon_days, "left_out": _left_out(group)}
        filling = basket.suggest(session, group.word, today, **about)
    if filling.extras:
        _draw_suggestion(filling, mine, about, today)
    editing.draw_answer(mine, key="filler")


def _draw_suggestion(filling: Filling, mine: dict[str, Any], about: dict[str, Any], today: date) -> None:
    with st.container(border=True, key="filler"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/add_shopping_cart: {sentence(filling)}")
            st.button(
                f"Add {reorder_words.lines(len(filling.extras))}", key="filler_take",
                on_click=_take, args=(mine, filling, about),
            )  # fmt: skip
        st.markdown("\n".join(f"- {_extra(extra, today)}" for extra in filling.extras))


def sentence(filling: Filling) -> str:
    """What adding them reaches, saves and costs."""
    write = ui.formats()
    items = "item" if len(filling.extras) == 1 else "items"
    told = []
    if filling.target:
        limit = f" of {write.money(filling.target_value)}" if filling.target_value else ""
        told.append(f"reaches the {filling.target}{limit}")
    if filling.saves:
        told.append(f"saves {write.money(filling.saves)}")
    told.append(f"costs {write.money(filling.holding)} to hold")
    return ui.safe_md(f"Add {write.number(len(filling.extras))} next-needed {items}: {', '.join(told)}.")


def _extra(extra: basket.Extra, today: date) -> str:
    """What is added to a line that is ordered today anyway says no day: it is on top of what is needed."""
    write, needed_on = ui.formats(), extra.needed_on
    is_later = needed_on is not None and needed_on > today
    when = f", needed {write.weekday(needed_on)} anyway" if is_later else ", on top of what is ordered"
    return (
        f"**{ui.safe_md(write.change(extra.added))}** {ui.safe_md(extra.name)} "
        f":gray[{ui.safe_md(extra.sku)} · {ui.safe_md(write.money(extra.value))}{ui.safe_md(when)}]"
    )


def _left_out(group: Group) -> list[str]:
    """The lines without a tick: they are no part of the order."""
    ticked = {line.uid for line in group.ticked}
    return [str(line.uid) for line in group.lines if line.uid not in ticked]


def _take(mine: dict[str, Any], filling: Filling, about: dict[str, Any]) -> None:
    """Add what is suggested; each line then says that it was edited."""
    now, today = looks.now(), looks.today()

    def work(session: Session, person: Actor) -> Answer:
        taken = basket.take(session, person, filling.vendor_uid, now, today, **about)
        amounts = [ui.formats().money(value) for value in (filling.value, filling.filled_value)]
        return Answer(editing.changed(ui.safe_md(filling.vendor), *amounts), partial(_give_back, taken=taken))

    editing.write(mine, work)


def _give_back(session: Session, person: Actor, *, taken: Taken) -> Answer:
    basket.undo(session, person, taken, looks.now())
    return Answer("Undone: the lines are as they were")
