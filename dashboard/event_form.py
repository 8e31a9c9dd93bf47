"""The form of a known event: its fields as they are typed, and what saving them did to the forecasts."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import demand_events, event_effects, event_fields, products
from core.auth import Actor
from core.demand_events import Shown
from dashboard import editing, event_words, looks, pickers, remaking, ui
from dashboard.editing import Answer

NEW = "new"
EVERYTHING, CATEGORY, PRODUCT = "All products", "One category", "One product"
LABELS = {
    "name": "Name", "kind": "Kind", "starts_on": "from", "ends_on": "until", "effect_percent": "Effect",
}  # fmt: skip


def lesson(event: Shown, today: date) -> event_effects.Lesson | None:
    """What earlier ones of its name taught, where its effect is learned."""
    if event.kind == "closed" or event.effect_percent is not None or event.ends_on < today:
        return None
    return looks.lesson(event.name, event.kind, today)


def draw_words(event: Shown, today: date) -> None:
    """What it is, whom it is about, and where its effect comes from."""
    write = ui.formats()
    st.subheader(ui.safe_md(event.name), anchor=False)
    span = write.day_from(event.starts_on, today)
    if event.ends_on != event.starts_on:
        span += f" to {write.weekday(event.ends_on)}"
    parts = [event_words.KINDS[event.kind], span, event_words.about(event)]
    st.markdown(" · ".join(ui.safe_md(part) for part in parts))
    st.markdown(
        f"{ui.safe_md(event_words.learned(event, lesson(event, today), today))} "
        f":gray[Added by {ui.safe_md(event.who)}, {ui.safe_md(write.day(event.at.date()))}.]"
    )


def draw(mine: dict[str, Any], event: Shown | None, today: date) -> None:
    """The fields; they hold what is kept, or nothing for a new event."""
    form = mine["form"]
    with st.container(border=True, key="event-form"):
        if event is None:
            st.subheader("New event", anchor=False)
        else:
            draw_words(event, today)
        name, kind = st.columns([2, 1])
        name.text_input(
            "Name", event.name if event else "", key=f"event_name_{form}", placeholder="Spring sale",
            max_chars=event_fields.NAME_CHARACTERS,
            help="Events of the same name and kind teach each other.",
        )  # fmt: skip
        kinds = list(event_words.KINDS)
        kind.selectbox(
            "Kind of event", kinds, kinds.index(event.kind) if event else 0, key=f"event_kind_{form}",
            format_func=event_words.KINDS.get,
        )  # fmt: skip
        _draw_days(form, event, today)
        if event is None:
            _draw_scope(form)
        with st.container(horizontal=True):
            st.button(
                "Save" if event else "Add", type="primary", key="event_save", on_click=_save,
                args=(mine, event, today),
            )  # fmt: skip
            if event is not None:
                st.button(
                    "Remove", key="event_remove", icon=":material/delete:", on_click=_remove,
                    args=(mine, event, today),
                )  # fmt: skip
            st.button("Close", key="event_close", on_click=_close, args=(mine,))
        editing.draw_answer(mine, key="event")


def _draw_days(form: str, event: Shown | None, today: date) -> None:
    first, last, effect = st.columns(3)
    about = {
        "min_value": today - timedelta(days=event_fields.YEARS_BACK * event_fields.DAYS_A_YEAR),
        "max_value": today + timedelta(days=event_fields.YEARS_AHEAD * event_fields.DAYS_A_YEAR),
        "format": "YYYY-MM-DD",
    }
    first.date_input("From", event.starts_on if event else None, key=f"event_from_{form}", **about)
    last.date_input(
        "Until (empty: one day)", event.ends_on if event else None, key=f"event_until_{form}", **about
    )
    with effect:
        editing.number_field(
            "Effect in %", event.effect_percent if event else None, key=f"event_effect_{form}",
            placeholder="learned from earlier ones",
            help_="50: half as much again. -100: nothing. Closed days have none.",
        )  # fmt: skip


def _draw_scope(form: str) -> None:
    about, which, where = st.columns(3)
    whom = about.selectbox("About", [EVERYTHING, CATEGORY, PRODUCT], key=f"event_about_{form}")
    if whom == CATEGORY:
        which.selectbox(
            "Category", looks.categories(), index=None, key=f"event_category_{form}",
            placeholder="Choose a category",
        )  # fmt: skip
    elif whom == PRODUCT:
        which.text_input("SKU", key=f"event_sku_{form}", placeholder="SKU of the product")
    if pickers.has_choice_of_warehouse():
        places = {place.id: place.code for place in looks.places()}
        where.selectbox(
            "Warehouse", [None, *places], key=f"event_place_{form}",
            format_func=lambda place: places[place] if place else event_words.EVERYWHERE,
        )  # fmt: skip


def _close(mine: dict[str, Any]) -> None:
    mine.pop("answer", None)
    mine.pop("refused", None)
    pickers.remember("id", None)


# -- Writes --------------------------------------------------------------------------------------------------


def _save(mine: dict[str, Any], event: Shown | None, today: date) -> None:
    """Add the event of the form, or keep what is another than before."""
    form = mine["form"]
    said = {
        field: st.session_state.get(f"event_{field}_{form}")
        for field in ("name", "kind", "from", "until", "effect", "about", "category", "sku", "place")
    }
    values = {
        "name": said["name"] or "",
        "kind": said["kind"],
        "starts_on": said["from"],
        "ends_on": said["until"] or said["from"],
        "effect_percent": editing.number(said["effect"]),
    }
    if event is not None:
        if editing.write(mine, partial(_change, event_uid=str(event.uid), fields=values, today=today)):
            editing.renew(mine)
        return
    if editing.write(mine, partial(_add, values=values, said=said, today=today)) is not None:
        editing.desk("events")["answer"] = mine.pop("answer")
        editing.renew(mine)
        pickers.remember("id", None)


def _add(session: Session, person: Actor, *, values: dict, said: dict, today: date) -> Answer:
    scope: dict[str, Any] = {"warehouse_id": said["place"]}
    if said["about"] == CATEGORY:
        scope["category"] = editing.needed(said["category"], "Category", "choose")
    if said["about"] == PRODUCT:
        scope["product_id"] = products.by_sku(session, editing.needed((said["sku"] or "").strip(), "SKU")).id
    event = demand_events.add(session, person, today, **values, **scope)
    undo = partial(_take_back, event_uid=str(event.uid), today=today)
    return Answer(f"**{ui.safe_md(event.name)}** is added.", undo, _then(session, str(event.uid), today))


def _change(session: Session, person: Actor, *, event_uid: str, fields: dict, today: date) -> Answer:
    kept = demand_events.by_uid(session, event_uid)
    before = {name: getattr(kept, name) for name in fields}
    event = demand_events.change(session, person, event_uid, today, **fields)
    told = [
        editing.changed(LABELS[name], _written(name, before[name]), _written(name, getattr(event, name)))
        for name in fields
        if before[name] != getattr(event, name)
    ]
    if not told:
        return Answer("Nothing was changed.")
    undo = partial(_change, event_uid=event_uid, fields=before, today=today)
    return Answer(", ".join(told) + ".", undo, _then(session, event_uid, today))


def _written(name: str, value: str | date | Decimal | None) -> str:
    if name == "effect_percent":
        return "learned" if value is None else event_words.percent(value)
    if name == "kind":
        return event_words.KINDS[value]
    return ui.formats().weekday(value) if isinstance(value, date) else str(value)


def _remove(mine: dict[str, Any], event: Shown, today: date) -> None:
    if editing.write(mine, partial(_take_back, event_uid=str(event.uid), today=today)) is not None:
        editing.desk("events")["answer"] = mine.pop("answer")
        pickers.remember("id", None)


def _take_back(session: Session, person: Actor, *, event_uid: str, today: date) -> Answer:
    event = demand_events.remove(session, person, event_uid)
    undo = partial(_restore, event_uid=event_uid, today=today)
    return Answer(f"**{ui.safe_md(event.name)}** is removed.", undo, _then(session, event_uid, today))


def _restore(session: Session, person: Actor, *, event_uid: str, today: date) -> Answer:
    event = demand_events.restore(session, person, event_uid)
    return Answer(f"**{ui.safe_md(event.name)}** is there again.", None, _then(session, event_uid, today))


def _then(session: Session, event_uid: str, today: date) -> partial[str]:
    """After the commit: the forecasts of those it is about, made anew."""
    return partial(remaking.anew, demand_events.concerned(session, event_uid), today)
