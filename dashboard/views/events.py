"""Known events: when demand is different from usual, whom it concerns, and what it does."""

from datetime import date
from functools import partial

import pandas as pd
import streamlit as st

from core import auth, demand_events
from core.demand_events import Shown
from core.errors import RunoutError
from dashboard import editing, event_form, event_words, grid, looks, pickers, signin, ui
from db.session import reading

NARROW = {"Event": 150, "Days": 106, "Effect": 100}
WHENS = {"coming": "On or coming", "past": "Past"}


def page_of(filters: dict) -> tuple[list[Shown], int]:
    """The page of events that the address asks for, and how many there are in all."""
    page = pickers.page()
    with reading() as session:
        offset = min((page - 1) * pickers.ROWS_PER_PAGE, demand_events.MOST_OFFSET)
        asked = {"limit": pickers.ROWS_PER_PAGE, **filters}
        found, total = demand_events.listing(session, today, offset=offset, **asked)
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = demand_events.listing(session, today, **asked)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
        pickers.remember("page", None)
    return found, total


def draw_list(found: list[Shown]) -> None:
    """The events; a click opens one below."""
    lessons = [event_form.lesson(event, today) for event in found]
    frame = pd.DataFrame(
        {
            "Event": [event.name for event in found],
            "Days": [event_words.days(event, today) for event in found],
            "Effect": [
                event_words.effect(event, lesson, today) for event, lesson in zip(found, lessons, strict=True)
            ],
            "About": [event_words.about(event) for event in found],
            "Kind": [event_words.KINDS[event.kind] for event in found],
            "Added by": [event.who for event in found],
        }
    )
    # A new name after each click takes back the mark, or the click would count at every run.
    turn = st.session_state.setdefault("events_turn", 0)
    rows = hash(tuple(event.id for event in found))
    past = [event.ends_on < today for event in found]
    row, _ = grid.draw(frame, NARROW, config(), key=f"events_{turn}_{rows}", grey=past)
    if row is not None:
        st.session_state["events_turn"] = turn + 1
        open_event(str(found[row].uid))
        st.rerun()


def config() -> dict:
    def text(name: str, width: int, help_: str | None = None):
        return st.column_config.TextColumn(name, width=width, help=help_)

    return {
        "Event": text("Event", 220),
        "Days": text("Days", 130),
        "Effect": text("Effect", 110, "Change of demand on these days, as stated or as earlier ones did."),
        "About": text("About", 240),
        "Kind": text("Kind", 100),
        "Added by": text("Added by", 130),
    }


def draw_nothing() -> None:
    if set(st.query_params) - {"id"}:
        ui.empty(
            "No event fits these filters.", "Take one away, or search for something else.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
    elif not may_edit:
        ui.empty("No events yet.", "Managers add promotions and closed days here.")
    elif st.query_params.get("id") != event_form.NEW:
        ui.empty(
            "No events yet.",
            "A promotion, closed days, a fair: past ones are not taken for usual demand, and teach what "
            "coming ones do.",
            button="Add event", on_click=partial(open_event, event_form.NEW),
        )  # fmt: skip


def open_event(which: str) -> None:
    """Show one event, or the form of a new one."""
    editing.desk("events").pop("answer", None)
    pickers.remember("id", which)


def draw_one(wanted: str, today_: date) -> None:
    """The event that the address names: its form, or for viewers its words."""
    if wanted == event_form.NEW and may_edit:
        event_form.draw(editing.desk("event new"), None, today_)
        return
    if wanted == event_form.NEW:
        ui.refused("Only managers add events.")
        return
    try:
        with reading() as session:
            event = demand_events.by_uid(session, wanted)
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        return
    if may_edit:
        event_form.draw(editing.desk(f"event {event.uid}"), event, today_)
        return
    with st.container(border=True, key="event-words"):
        event_form.draw_words(event, today_)


person = signin.require()
today = looks.today()
may_edit = auth.may(person, "edit forecast")
with ui.title_line("Events", "Days on which demand is known to be different from usual, past and coming."):
    if may_edit:
        st.button("Add event", icon=":material/add:", key="add_event", on_click=open_event,
                  args=(event_form.NEW,))  # fmt: skip
with st.container(key="filters"):
    search, when_, kind_ = st.columns([2, 1, 1])
    with search:
        text = pickers.words("Search", "q", "Event, SKU or category")
    with when_:
        when = pickers.choice("When", "when", WHENS, "Past and coming")
    with kind_:
        kind = pickers.choice("Kind", "kind", event_words.KINDS, "All kinds")
events, count = page_of({"text": text, "when": when, "kind": kind})
editing.draw_answer(editing.desk("events"), key="events")
if "id" in st.query_params:
    draw_one(st.query_params["id"], today)
if events:
    st.markdown(f":gray[{ui.formats().number(count)} {'event' if count == 1 else 'events'}]")
    draw_list(events)
    pickers.page_links(count)
else:
    draw_nothing()
