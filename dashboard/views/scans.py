"""What was scanned: by whom, where, what it meant and what became of it, newest first."""

from datetime import datetime, time
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.scanning import scan_history, scans
from dashboard import editing, grid, leafing, looks, pickers, saving, scan_words, signin, ui
from dashboard.editing import Answer
from dashboard.formats import is_missing
from db.session import reading

NARROW = {"Product": 146, "Result": 98, "When": 106}
WIDTHS = {
    "Product": 230, "Result": 124, "When": 120, "Where": 120, "Mode": 92, "By": 120, "Code": 150, "How": 76,
    "Said": 260,
}  # fmt: skip


def looked_up(**about: Any) -> pd.DataFrame:
    with reading() as session:
        return scan_history.history(session, **filters, **about)


def table(found: pd.DataFrame) -> None:
    """The scans; a click opens one in words. What was taken back is grey."""
    write, at = ui.formats(), looks.now()
    rows = list(found.itertuples(index=False))
    frame = pd.DataFrame(
        {
            "Product": [scan_words.product(row) for row in rows],
            "Result": [_result(row) for row in rows],
            "When": [write.ago(row.scanned_at, at) for row in rows],
            "Where": [scan_words.where(row) for row in rows],
            "Mode": [scan_words.MODE[row.mode] for row in rows],
            "By": [row.person for row in rows],
            "Code": [row.code for row in rows],
            "How": [scan_words.SOURCE[row.source] for row in rows],
            "Said": ["" if is_missing(row.said) else row.said for row in rows],
        }
    )
    config = {name: st.column_config.TextColumn(name, width=width) for name, width in WIDTHS.items()}
    # A new name after each click takes back the mark, or the drawer would open at every run.
    shown = st.session_state.setdefault("scans_turn", 0)
    grey = [scan_words.is_undone(row) for row in rows]
    place, _ = grid.draw(frame, NARROW, config, key=f"scans_{found.scan_id.iloc[0]}_{shown}", grey=grey)
    if place is not None:
        st.session_state["scans_turn"] = shown + 1
        details(rows[place])


def _result(row: Any) -> str:
    words = scan_words.became(row)
    return f"{words}, taken back" if scan_words.is_undone(row) else words


@st.dialog("Scan", position="right", width="small", on_dismiss="rerun")
def details(row: Any) -> None:
    """One scan in words, with Undo for whoever may take it back."""
    who = signin.still("read")
    mine, uid = editing.desk("scan history"), str(row.scan_uid)
    with st.container(key="scan-details"):
        st.markdown(scan_words.in_words(row))
    is_done = mine.get("uid") == uid and "answer" in mine
    if mine.get("uid") == uid:
        editing.draw_answer(mine, key="scan")
    if row.can_undo and not is_done and may_undo(who, row):
        st.button("Undo", key="undo_scan", icon=":material/undo:", on_click=undo, args=(mine, uid),
                  help="Books the opposite movement; the ledger keeps both.")  # fmt: skip
    if not is_missing(row.product_uid):
        st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                     query_params={"id": str(row.product_uid)})  # fmt: skip


def may_undo(who: Actor, row: Any) -> bool:
    """One's own scans; those of others are a manager's to take back."""
    return auth.may(who, "move stock") and (row.person_id == who.id or auth.may(who, "edit catalogue"))


def undo(mine: dict[str, Any], uid: str) -> None:
    mine["uid"] = uid
    editing.write(mine, partial(take_back, uid=uid))


def take_back(session: Session, who: Actor, *, uid: str) -> Answer:
    taken = scans.undo(session, who, uid, now=looks.now())
    write = ui.formats()
    label = f"Taken back in {ui.safe_md(taken.warehouse_code)}:"
    return Answer(editing.changed(label, write.quantity(taken.before), write.quantity(taken.after)))


def nothing() -> None:
    if st.query_params.to_dict():
        ui.empty(
            "No scan fits these filters.",
            "Take one away, or choose a longer period.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    else:
        ui.empty(
            "Nothing has been scanned yet.",
            "Every code that is scanned will be listed here, with what became of it.",
            button="Open Scan",
            page="views/scan.py",
        )


signin.require()
today = looks.today()
ui.title("Scan history", "Every code that somebody scanned, and what became of it.")
with st.container(key="filters"):
    row = iter(st.columns([2, 1, 1, 1, 1, 1] if pickers.has_choice_of_warehouse() else [2, 1, 1, 1, 1]))
    with next(row):
        text = pickers.words("Search", "q", "Product, SKU, code")
    with next(row):
        since = pickers.period(today)
    with next(row):
        mode = pickers.choice("Mode", "mode", scan_words.MODE, "All modes")
    with next(row):
        outcome = pickers.choice("Outcome", "outcome", scan_words.OUTCOME, "All outcomes")
    with next(row):
        scanned_by = pickers.person()
    with next(row, st.container()):
        place = pickers.warehouse()
filters = {
    "text": text,
    "since": since and datetime.combine(since, time(), ZoneInfo(looks.the_shop().time_zone)),
    "mode": mode,
    "outcome": outcome,
    "person_id": scanned_by,
    "warehouse_id": place.id if place else None,
}
found, has_newer, has_older = leafing.page(looked_up)
if len(found):
    with ui.heading(f":gray[Scans {found.scan_id.iloc[-1]} to {found.scan_id.iloc[0]}]"):
        saving.table(
            "Download",
            lambda: scan_words.for_download(looked_up(limit=scan_history.MOST_ROWS)),
            f"runout-scans-{today:%Y-%m-%d}.csv",
            key="download",
            help_=f"The newest {ui.formats().number(scan_history.MOST_ROWS)} of them at most.",
        )
    table(found)
    leafing.draw(int(found.scan_id.iloc[0]), int(found.scan_id.iloc[-1]), has_newer, has_older)
else:
    nothing()
