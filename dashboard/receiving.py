"""Receiving a purchase order: what arrived is counted by list or by scan, and booked at once.

Both ways fill the same counts; a code may come from anywhere (`take`). Nothing is in the ledger before Book.
"""

from decimal import Decimal
from typing import Any

import streamlit as st

from core import posting
from core.buying import order_receipts, order_scans
from core.buying.order_looks import Detail, Line
from core.doctor.line_arrays import Typed
from core.errors import RuleBroken, RunoutError
from core.posting import plain
from dashboard import (
    anomaly_warning,
    counting,
    editing,
    order_words,
    pickers,
    pressing,
    receiving_list,
    scanner,
    signin,
    ui,
)
from db.session import reading

WAYS = {"list": "By list", "scan": "By scan"}
SCANS_SHOWN = 10
NOTHING = Decimal(0)
COUNTED = "counted"  # what the browser keeps of a code that was counted and not booked


def draw(detail: Detail, way: str) -> None:
    """Count what arrived, one way or the other, and book it."""
    mine = counting.desk(detail)
    if not counting.counts(mine):
        counting.look(mine, detail)
    with ui.heading("What arrived"):
        st.segmented_control(
            "How", list(WAYS), format_func=WAYS.get, default=way, key=f"way_{mine['form']}", required=True,
            label_visibility="collapsed", on_change=_switch, args=(f"way_{mine['form']}",),
        )  # fmt: skip
    lines = _draw_place(mine, detail)
    if way == "scan":
        _draw_scan(mine, detail, lines)
    else:
        receiving_list.draw(mine, lines)
    _draw_book(mine, detail, way)


def draw_answer(detail: Detail) -> None:
    """What was booked last, with Undo: it stands when nothing is left to receive, too."""
    editing.draw_answer(counting.desk(detail), key="receiving")


def _switch(key: str) -> None:
    pickers.remember("by", st.session_state[key])
    pickers.remember("page", None)


def _draw_place(mine: dict[str, Any], detail: Detail) -> list[Line]:
    """Where one stands, for an order that goes to several warehouses; answers the lines for there."""
    awaited = [line for line in detail.lines if line.open > 0 or counting.counted(mine, line)]
    places = {line.warehouse_id: line.warehouse_code for line in awaited}
    if len(places) < 2:
        return awaited
    chosen = st.segmented_control(
        "Warehouse", list(places), format_func=places.get, default=next(iter(places)), required=True,
        key=f"receiving_place_{mine['form']}",
    )  # fmt: skip
    return [line for line in awaited if line.warehouse_id == chosen]


# -- By scan -------------------------------------------------------------------------------------------------


def _draw_scan(mine: dict[str, Any], detail: Detail, lines: list[Line]) -> None:
    """The field, what became of the last code, and the codes before it."""
    key = f"scanner_{mine['form']}"
    codes = scanner.arrived(key)
    # Two runs may overlap: each code is counted by one of them.
    with pressing.lock(mine):
        known = mine.setdefault("known", {})
        for code in codes:
            if (number := str(code.key)) not in known:
                take(mine, detail, lines, code.text, key=number)
                known[number] = code.about is not None
    _draw_field(mine, detail, key, codes)
    scans = mine.get("scans", [])
    if not scans:
        st.markdown(
            ":gray[Each code counts what its barcode stands for. Nothing is booked before you say so.]"
        )
    by_uid = {str(line.uid): line for line in lines}
    last = next((scan for scan in reversed(scans) if "line" in scan), None)
    with st.container(key="scans", gap="xsmall"):
        for place, scan in enumerate(reversed(scans[-SCANS_SHOWN:])):
            if "wrong" in scan:
                _draw_wrong(scan, is_new=place == 0)
            elif scan is last:
                _draw_last(mine, scan, by_uid.get(scan["line"]))
            else:
                st.markdown(f":gray[{ui.safe_md(scan['code'])}] &nbsp; {_words(scan)}")
    if len(scans) > SCANS_SHOWN:
        st.markdown(f":gray[and {order_words.count(len(scans) - SCANS_SHOWN, 'scan')} before]")


def _draw_field(mine: dict[str, Any], detail: Detail, key: str, codes: list[scanner.Arrived]) -> None:
    """The field. What is counted and not booked stays in the browser, too: a page may be loaded again."""
    kept = [
        scanner.Kept(scan["key"], scan["code"], "wedge", COUNTED)
        for scan in mine.get("scans", [])
        if "line" in scan
    ]
    counted = {code.key for code in kept}
    scanner.draw(
        "Scan or type a code", "Code, then Enter", key=key, kept=kept,
        store=f"receiving {signin.require().uid} {detail.order.uid}",
        done=[str(code.key) for code in codes if str(code.key) not in counted],
    )  # fmt: skip
    again = sum(mine["known"][number] for number in counted)
    if again:
        st.info(
            f"{order_words.count(again, 'code')} scanned before this page was loaded again "
            f"{'is' if again == 1 else 'are'} counted below. Start again where they are booked already.",
            icon=":material/history:",
        )


def _words(scan: dict[str, Any]) -> str:
    pieces = ui.formats().change(Decimal(scan["pieces"]))
    return f"**{ui.safe_md(pieces)}** {ui.safe_md(scan['name'])}"


def _draw_wrong(scan: dict[str, Any], *, is_new: bool) -> None:
    """A code that counted nothing; it stays in the list, as the next one may come before anybody looks."""
    if is_new:
        ui.refused(f"Not counted: {scan['wrong']}")
    else:
        st.markdown(f":red[{ui.safe_md(scan['code'])} &nbsp; not counted: {ui.safe_md(scan['wrong'])}]")


def _draw_last(mine: dict[str, Any], scan: dict[str, Any], line: Line | None) -> None:
    """The last code that counted, what its line has now, and the way back."""
    words, write = _words(scan), ui.formats()
    if line is not None:
        now = ui.safe_md(write.quantity(counting.counted(mine, line)))
        of = ui.safe_md(write.quantity(line.open))
        words += f" &nbsp; **{now}** :gray[of {of}]{counting.over(mine, line)}"
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute",
        key="last-scan",
    ):  # fmt: skip
        st.markdown(words, width="content")
        st.button("Undo", key="undo_scan", icon=":material/undo:", on_click=_undo_scan, args=(mine,))


def take(mine: dict[str, Any], detail: Detail, lines: list[Line], code: str, *, key: str) -> None:
    """Count a code, wherever it comes from; one that fits no line counts nothing, and says so.

    `key` is the UUID it got where it was read.
    """
    mine.pop("answer", None)
    try:
        line, pieces = _meant(detail, lines, code)
        counting.put(mine, str(line.uid), posting.exact(counting.counted(mine, line) + pieces, line.sku))
    except Exception as error:
        sentence = error.sentence if isinstance(error, RunoutError) else ui.trouble(error)
        mine.setdefault("scans", []).append({"wrong": sentence, "code": code, "key": key})
        return
    scan = {"line": str(line.uid), "pieces": plain(pieces), "name": line.name, "code": code, "key": key}
    mine.setdefault("scans", []).append(scan)


def _meant(detail: Detail, lines: list[Line], code: str) -> tuple[Line, Decimal]:
    """The line and the pieces that a code means."""
    place = {line.warehouse_id for line in lines}
    by_uid = {line.uid: line for line in lines}
    person = signin.require()
    with reading() as session:
        found = order_scans.match(
            session, person, detail.order.uid, code,
            warehouse_id=next(iter(place)) if len(place) == 1 else None,
        )  # fmt: skip
    if found.line_uid not in by_uid:
        raise RuleBroken(f"{found.sku} is for {found.warehouse_code}: choose that warehouse first.")
    return by_uid[found.line_uid], found.pieces


def _undo_scan(mine: dict[str, Any]) -> None:
    """Take back the last scan that counted, with what it counted."""
    with pressing.lock(mine):
        _undo_last(mine)


def _undo_last(mine: dict[str, Any]) -> None:
    scans = mine.get("scans") or []
    place = next((place for place in reversed(range(len(scans))) if "line" in scans[place]), None)
    if place is None:
        return
    scan = scans.pop(place)
    left = Decimal(counting.counts(mine).get(scan["line"], "0")) - Decimal(scan["pieces"])
    counting.put(mine, scan["line"], max(left, NOTHING))


# -- Booking -------------------------------------------------------------------------------------------------


def _draw_book(mine: dict[str, Any], detail: Detail, way: str) -> None:
    counts = counting.counts(mine)
    _draw_odd(mine, detail)
    with st.container(horizontal=True, vertical_alignment="center", key="book-line"):
        st.button(
            "Book what was scanned" if way == "scan" else "Book what arrived", type="primary", key="book_in",
            disabled=not counts, on_click=counting.book, args=(mine, mine["form"], str(detail.order.uid)),
        )  # fmt: skip
        if counts:
            st.button("Start again", key="count_anew", on_click=counting.begin, args=(mine, detail))
            st.markdown(_summary(mine, detail), width="content")


def _draw_odd(mine: dict[str, Any], detail: Detail) -> None:
    """What is odd about what was counted, with what it probably was; it can be booked all the same."""
    lines = [line for line in detail.lines if counting.counted(mine, line)]
    typed = [
        Typed(
            line.product_id, line.warehouse_id, counting.counted(mine, line), "receipt", line.unit_price,
            reference_type=order_receipts.REFERENCE, reference_id=detail.order.number,
        )
        for line in lines
    ]  # fmt: skip
    for line, odd in zip(lines, anomaly_warning.of(typed), strict=True):
        if odd is not None:
            wanted = anomaly_warning.amount(odd)
            anomaly_warning.draw(
                f"{line.name}: {odd.sentence}", wanted, key=f"receive-{line.uid}", on_click=_take_instead,
                args=(mine, str(line.uid), wanted),
            )  # fmt: skip


def _take_instead(mine: dict[str, Any], line_uid: str, quantity: Decimal) -> None:
    counting.put(mine, line_uid, quantity)


def _summary(mine: dict[str, Any], detail: Detail) -> str:
    """What would be booked: 24 pieces on 3 lines, one of them with more than ordered."""
    lines = [line for line in detail.lines if counting.counted(mine, line)]
    words = order_words.count(len(lines), "line")
    if all(not ui.formats().unit(line.unit_of_measure) for line in lines):
        pieces = sum((counting.counted(mine, line) for line in lines), NOTHING)
        words = f"{ui.formats().quantity(pieces)} {'piece' if pieces == 1 else 'pieces'} on {words}"
    more = sum(counting.counted(mine, line) > line.open for line in lines)
    said = f"**{ui.safe_md(words)}**"
    return said + (f" &nbsp; :orange-badge[{order_words.count(more, 'line')} over]" if more else "")
