"""A pasted list of codes: what each line means is shown first, then all of them are booked as scans."""

from dataclasses import asdict
from typing import Any

import streamlit as st

from core import auth
from core.errors import BadInput, RuleBroken, RunoutError
from core.scanning.scan_booking import BOOKING, REASONS
from dashboard import (
    editing,
    looks,
    order_words,
    pressing,
    scan_lines,
    scan_list_rows,
    scan_list_table,
    signin,
    ui,
)
from dashboard.scan_list_rows import Plan
from db.session import reading

OPEN = ("right", "trouble")  # lines that are to be booked
EVERY = 5  # lines, then the bar moves: each move is a message to the browser
HINT = (
    "One code a line. With a quantity: the code, a tab and 3, or 3 x the code. Memory scanners write CODE,3."
)


def draw(desk: dict[str, Any]) -> None:
    """The field to paste into, what the lines mean, and what became of them."""
    person, mine = signin.require(), editing.desk("scan list")
    with st.container(key="pasted-list"):
        if "list" not in mine:
            _draw_field(mine, desk)
        elif mine["list"]["step"] in ("book", "undo"):
            _work(mine["list"], person)
        elif mine["list"]["step"] == "done":
            _draw_done(mine, person)
        else:
            _draw_checked(mine, desk)


# -- The field -----------------------------------------------------------------------------------------------


def _draw_field(mine: dict[str, Any], desk: dict[str, Any]) -> None:
    form = mine["form"]
    st.text_area(
        "Codes", key=f"list_text_{form}", height=150, help=HINT, value=mine.get("text", ""),
        placeholder="4006381333931\nLAMP\t3\n12 x 4006381333948",
    )  # fmt: skip
    st.button("Check the list", key="list_check", type="primary", on_click=_check, args=(mine, desk, form))
    if "refused" in mine:
        ui.refused(mine["refused"])


def _plan(desk: dict[str, Any], *, against_orders: bool = True) -> Plan:
    """What the station stands on now. Refuses what a list cannot do."""
    mode, place, to_place = desk["mode"], desk["warehouse_id"], desk["to_warehouse_id"]
    if mode == "link":
        raise RuleBroken("A list links no codes: choose another mode, or scan them one by one.")
    places = [one.id for one in looks.places()]
    if mode in BOOKING and place is None:
        if len(places) != 1:
            raise BadInput("Choose the warehouse first: then the list is checked for it.")
        place = places[0]
    if mode != "transfer":
        to_place = None
    elif to_place in (None, place):
        others = [one for one in places if one != place]
        if len(others) != 1:
            raise BadInput("Choose where it goes first: then the list is checked for it.")
        to_place = others[0]
    reason = desk["reasons"].get(mode) or REASONS[mode][0] if mode in REASONS else None
    return Plan(mode, place, to_place, reason, against_orders, by_piece=desk["each"] == "piece")


def _check(mine: dict[str, Any], desk: dict[str, Any], form: str) -> None:
    """Look at what was pasted."""
    text = st.session_state.get(f"list_text_{form}") or ""
    _look(mine, desk, text)


def _look(mine: dict[str, Any], desk: dict[str, Any], text: str, *, against_orders: bool = True) -> None:
    """What each line of the text means now."""
    mine.pop("refused", None)
    mine["text"] = text
    try:
        person = signin.require()
        plan = _plan(desk, against_orders=against_orders)
        lines = scan_lines.split(ui.typed(text))
        if not lines:
            raise BadInput("The list is empty: paste codes first, one a line.")
        with reading() as session:
            rows = scan_list_rows.check(session, person, lines, plan)
    except RunoutError as refusal:
        mine["refused"] = refusal.sentence
    except Exception as error:
        mine["refused"] = ui.trouble(error)
    else:
        mine["list"] = {"step": "check", "plan": asdict(plan), "rows": rows}
        editing.renew(mine)


# -- Before it is booked -------------------------------------------------------------------------------------


def _draw_checked(mine: dict[str, Any], desk: dict[str, Any]) -> None:
    """What each line means, what is wrong, and one button that says what it will do."""
    listed, form = mine["list"], mine["form"]
    plan, rows = Plan(**listed["plan"]), listed["rows"]
    right = [row for row in rows if row["state"] == "right"]
    wrong = [row for row in rows if row["state"] == "wrong"]
    count = sum("order" in row for row in rows)
    if count or not plan.against_orders:
        st.toggle(
            f"Receive {order_words.count(count, 'line')} against open orders" if count
            else "Receive against open orders",
            value=plan.against_orders, key=f"list_orders_{form}", on_change=_turn_orders,
            args=(mine, desk, form),
        )  # fmt: skip
    scan_list_table.draw_over(rows)
    if wrong:
        scan_list_table.draw_wrong(wrong)
    scan_list_table.draw(rows, plan)
    if plan.mode == "look_up":
        st.button("Another list", key="list_again", on_click=_begin_anew, args=(mine,))
        return
    without = not wrong or st.checkbox(
        f"Go on without {order_words.count(len(wrong), 'line')} that cannot be booked", key=f"without_{form}"
    )
    is_stale = not _is_current(desk, plan)
    if is_stale:
        st.markdown(f":orange[This was checked for: {ui.safe_md(_does(plan, len(right)))}.]")
    with st.container(horizontal=True):
        if is_stale:
            st.button("Check it again", key="list_recheck", type="primary", on_click=_look,
                      args=(mine, desk, mine["text"]))  # fmt: skip
        elif right:
            st.button(_does(plan, len(right)), key="list_book", type="primary", disabled=not without,
                      on_click=_start, args=(mine, form, "check", "book"))  # fmt: skip
        st.button("Change the list", key="list_back", on_click=mine.pop, args=("list", None))


def _is_current(desk: dict[str, Any], plan: Plan) -> bool:
    """Whether the station still stands on what the list was checked for."""
    try:
        return _plan(desk, against_orders=plan.against_orders) == plan
    except RunoutError:
        return False


def _does(plan: Plan, count: int) -> str:
    """Take 17 lines out of WH-A."""
    code = {place.id: place.code for place in looks.places()}
    lines, here = order_words.count(count, "line"), code.get(plan.warehouse_id, "")
    return {
        "in": f"Put {lines} into {here}",
        "out": f"Take {lines} out of {here}",
        "transfer": f"Move {lines} from {here} to {code.get(plan.to_warehouse_id, '')}",
        "count": f"Book {order_words.count(count, 'count')} in {here}",
        "look_up": f"Look up {lines}",
    }[plan.mode]


def _turn_orders(mine: dict[str, Any], desk: dict[str, Any], form: str) -> None:
    _look(mine, desk, mine["text"], against_orders=bool(st.session_state.get(f"list_orders_{form}")))


def _start(mine: dict[str, Any], form: str, before: str, step: str) -> None:
    """Begin to book, or to take back; the second press finds it begun."""
    with pressing.held(form):
        if mine["form"] == form and mine.get("list", {}).get("step") == before:
            mine["list"]["step"] = step
            editing.renew(mine)


# -- While and after it is booked ----------------------------------------------------------------------------


def _work(listed: dict[str, Any], person: auth.Actor) -> None:
    """Line by line, each in its own transaction. An interrupted run is continued by the next one."""
    plan, is_undo = Plan(**listed["plan"]), listed["step"] == "undo"
    rows = [row for row in listed["rows"] if row["state"] != "wrong" and row["state"] != "with"]
    word = "taken back" if is_undo else "booked"
    todo = [row for row in reversed(rows) if row.get("can_undo")] if is_undo else [
        row for row in rows if row["state"] in OPEN
    ]  # fmt: skip
    bar = st.progress(0.0)
    for place, row in enumerate(todo):
        if place % EVERY == 0:
            bar.progress(place / len(todo), text=f"{place} of {order_words.count(len(todo), 'line')} {word}")
        if is_undo:
            scan_list_rows.undo(person, row, looks.now())
        else:
            scan_list_rows.book(person, row, plan, looks.now())
            if row["state"] == "trouble":
                break  # the database is away: each further line would only wait for it, too
    listed["step"] = "done"
    looks.forget()
    st.rerun()


def _draw_done(mine: dict[str, Any], person: auth.Actor) -> None:
    """How many lines are booked, what was refused, and the way back."""
    listed, form = mine["list"], mine["form"]
    plan, rows = Plan(**listed["plan"]), listed["rows"]
    states = [row["state"] for row in rows]
    booked, undone = states.count("booked"), states.count("undone")
    still = sum(state in OPEN for state in states)
    counts = {
        "booked": booked,
        "taken back": undone,
        "not booked yet": still,
        "left out": states.count("wrong"),
    }
    told = [f"{order_words.count(n, 'line')} {what}" for what, n in counts.items() if n] or ["Nothing booked"]
    words = ", ".join([f"**{told[0]}**", *told[1:]])
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="list-answer"):
        st.markdown(f":material/check: {words}")
        if still:
            st.button("Go on", key="list_go_on", type="primary", on_click=_start,
                      args=(mine, form, "done", "book"))  # fmt: skip
        elif any(row.get("can_undo") for row in rows) and auth.may(person, "move stock"):
            st.button("Undo all of them", key="list_undo", icon=":material/undo:", on_click=_start,
                      args=(mine, form, "done", "undo"))  # fmt: skip
    if wrong := [row for row in rows if row["state"] in ("refused", "trouble") or "stuck" in row]:
        scan_list_table.draw_wrong(wrong)
    scan_list_table.draw(rows, plan)
    # Pasted again, the list would be other scans: who leaves lines unbooked is told so by the button.
    again = f"Leave {order_words.count(still, 'line')} unbooked" if still else "Another list"
    st.button(again, key="list_again", on_click=_begin_anew, args=(mine,))


def _begin_anew(mine: dict[str, Any]) -> None:
    for name in ("list", "text", "refused"):
        mine.pop(name, None)
    editing.renew(mine)
