"""Anomalies: what was probably booked wrongly, each with its repair; the map; the rules of the ledger."""

from typing import Any

import streamlit as st

from core import auth
from core.auth import Actor
from core.doctor import finding_lists, model_store
from core.doctor.finding_lists import Counts, Precision
from core.doctor.finding_rows import Row
from core.doctor.model_store import About
from dashboard import (
    anomaly_cards,
    anomaly_ledger,
    anomaly_map,
    anomaly_model,
    anomaly_settings,
    anomaly_table,
    anomaly_words,
    looks,
    pickers,
    saving,
    signin,
    ui,
)
from db.session import reading

PER_PAGE = 8
LAST_DECIDED = 50
SECTIONS = {"findings": "Findings", "map": "Map", "ledger": "Ledger", "model": "Model"}
FILTERS = {"q", "state", "kind", "warehouse"}
SHAPES = {"cards": "Cards", "table": "Table"}
DECIDED = {state: word for state, word in anomaly_words.STATES.items() if state != "open"}


def draw_findings(person: Actor) -> None:
    if (uid := st.query_params.get("id")) is not None:
        draw_one(uid, person)
        return
    filters = draw_filters()
    with reading() as session:
        counts = finding_lists.counts(session)
        precision = finding_lists.precision(session, last=LAST_DECIDED)
        about = model_store.about(session)
    with ui.heading(f":gray[{headline(counts, precision)}]"), st.container(horizontal=True, gap="small"):
        shape = pickers.section("Shown as", "as", SHAPES, "cards")
        saving.table(
            "Download", lambda: anomaly_table.everything(filters | {"sort": "found_on"}),
            f"runout-anomalies-{today:%Y-%m-%d}.csv", key="download",
        )  # fmt: skip
        if auth.may(person, "manage alerts"):
            anomaly_settings.draw()
    anomaly_settings.draw_answer()
    total = draw_table(filters) if shape == "table" else draw_cards(filters, person)
    if not total:
        draw_nothing(about, person)
    pickers.page_links(total, PER_PAGE if shape == "cards" else pickers.ROWS_PER_PAGE)


def draw_filters() -> dict[str, Any]:
    with st.container(key="filters"):
        row = iter(st.columns([2, 1, 1, 1] if pickers.has_choice_of_warehouse() else [2, 1, 1]))
        with next(row):
            text = pickers.words("Search", "q", "Product, SKU, reference")
        with next(row):
            state = pickers.choice("State", "state", DECIDED, "To decide")
        with next(row):
            kind = pickers.choice("Kind", "kind", anomaly_words.KINDS, "All kinds")
        with next(row, st.container()):
            place = pickers.warehouse()
    return {
        "text": text,
        "states": (state or "open",),
        "kind": kind,
        "warehouse_uid": place.uid if place else None,
    }


def headline(counts: Counts, precision: Precision) -> str:
    """7 to decide, €4,200 at risk: 5 as most likely errors, 2 by money at stake · 14 of the last 20 ..."""
    write = ui.formats()
    words = f"{write.number(counts.open)} to decide"
    if counts.open:
        words += (
            f", {ui.safe_md(write.money(counts.money_open))} at risk: "
            f"{write.number(counts.open_likely)} as most likely errors, "
            f"{write.number(counts.open_money)} by money at stake"
        )
    if precision.decided == 1:
        words += f" · the last one decided {'was an error' if precision.right else 'was real'}"
    elif precision.decided:
        words += f" · {precision.right} of the last {precision.decided} decided were errors"
    return words


def draw_cards(filters: dict[str, Any], person: Actor) -> int:
    """One page of cards; what is to be decided in its two lists, anything else by when it was decided."""
    if filters["states"] != ("open",):
        found, total = page_of(filters | {"sort": "decided_at"}, PER_PAGE)
        anomaly_cards.draw(found, person, "decided")
        return total
    offset, left = (pickers.page() - 1) * PER_PAGE, PER_PAGE
    total = 0
    for listed, sort in (("likely", "score"), ("money", "money_at_risk")):
        with reading() as session:
            found, count = finding_lists.listing(
                session, **filters, listed=listed, sort=sort, limit=max(left, 1), skip=max(offset - total, 0)
            )
        found = found[:left]
        total += count
        left -= len(found)
        if found:
            with st.container(key=f"list-head-{listed}"):
                st.subheader(f"{anomaly_words.LISTS[listed]} ({ui.formats().number(count)})", anchor=False)
        anomaly_cards.draw(found, person, listed)
    if total and left == PER_PAGE:
        pickers.refuse("page", f"There is no page {pickers.page()}: choose one below.")
    return total


def draw_table(filters: dict[str, Any]) -> int:
    sort, descending = anomaly_table.SORTING.asked()
    found, total = page_of(filters | {"sort": sort, "descending": descending}, pickers.ROWS_PER_PAGE)
    if found:
        anomaly_table.draw(found)
    return total


def page_of(asked: dict[str, Any], per_page: int) -> tuple[list[Row], int]:
    """The page that the address asks for, and how many findings fit in all."""
    page = pickers.page()
    with reading() as session:
        found, total = finding_lists.listing(session, **asked, limit=per_page, skip=(page - 1) * per_page)
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = finding_lists.listing(session, **asked, limit=per_page, skip=0)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
        pickers.remember("page", None)
    return found, total


def draw_one(uid: str, person: Actor) -> None:
    """One finding alone, as a link opens it."""
    st.button("All findings", key="all_findings", icon=":material/arrow_back:", on_click=pickers.remember,
              args=("id", None))  # fmt: skip
    with reading() as session:
        row = finding_lists.one(session, uid)
    anomaly_cards.draw([row], person, "one")


def draw_nothing(about: About | None, person: Actor) -> None:
    if set(st.query_params) & FILTERS:
        ui.empty(
            "No finding fits these filters.",
            "Take one away, or search for something else.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    elif about is None:
        anomaly_model.draw_nothing_learned(person)
    else:
        ui.empty(
            "Nothing looks wrong.",
            "New movements are looked at within the hour; what is probably an error appears here.",
            button="See the last movements",
            page="views/movements.py",
        )


person = signin.require()
today = looks.today()
with ui.title_line(
    "Anomalies", "Movements that were probably booked wrongly, and what puts each of them right."
):
    section = pickers.section("Section", "show", SECTIONS, "findings")
if section != "ledger" and (said := anomaly_ledger.broken(anomaly_ledger.look())):
    ui.refused(f"{said} See under Ledger where.")
if section == "map":
    anomaly_map.draw()
else:
    {"findings": draw_findings, "ledger": anomaly_ledger.draw, "model": anomaly_model.draw}[section](person)
