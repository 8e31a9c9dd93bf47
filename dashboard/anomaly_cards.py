"""Findings as cards: the sentence, the repair, the evidence beside it, and what became of the last press."""

from functools import partial
from typing import Any

import streamlit as st

from core import auth
from core.auth import Actor
from core.doctor.finding_rows import Row
from dashboard import anomaly_acts, anomaly_evidence, anomaly_words, editing, looks, ui

COLOUR = {"accepted": "green", "dismissed": "gray", "lapsed": "gray"}


def draw(found: list[Row], person: Actor, listed: str) -> None:
    """The cards of one list; what became of the last press stands where its card is, or was."""
    said = anomaly_acts.last()
    if said.get("address") != anomaly_acts.address():
        said = {}
    shown = {str(row.uid) for row in found}
    is_gone = said.get("place", "").startswith(f"{listed}-") and said["uid"] not in shown
    for number, row in enumerate(found):
        if is_gone and said["place"] == f"{listed}-{number}":
            _draw_gone(said)
            is_gone = False
        _draw_card(row, f"{listed}-{number}", person, is_last=said.get("uid") == str(row.uid))
    if is_gone:
        _draw_gone(said)


def _draw_gone(said: dict[str, Any]) -> None:
    """The answer to a press whose card has left the list."""
    with st.container(key=f"gone-{said['uid']}", gap="xsmall"):
        st.markdown(f":gray[{ui.safe_md(said['name'])}]")
        editing.draw_answer(anomaly_acts.desk(said["uid"]), key=said["uid"])


def _draw_card(row: Row, place: str, person: Actor, *, is_last: bool) -> None:
    uid = str(row.uid)
    with st.container(border=True, key=f"finding-{uid}", gap="xsmall"):
        words, picture = st.columns([5, 4], gap="medium")
        with words:
            _draw_words(row)
            _draw_buttons(row, place, person, is_last=is_last)
            if is_last:
                editing.draw_answer(anomaly_acts.desk(uid), key=uid)
        with picture:
            anomaly_evidence.draw(row)


def _draw_words(row: Row) -> None:
    write, now = ui.formats(), looks.now()
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small",
        key=f"named-{row.uid}",
    ):  # fmt: skip
        st.page_link(
            "views/product.py", label=f"**{ui.safe_md(row.product_name)}**",
            query_params={"id": str(row.product_uid)},
        )  # fmt: skip
        if row.money_at_risk:
            st.markdown(f"**{ui.safe_md(write.money(row.money_at_risk))}** :gray[at risk]", width="content")
    st.markdown(f"{ui.safe_md(_sentence(row))}.")
    st.markdown(anomaly_words.repair(row))
    st.markdown(f"{badge(row)} &nbsp; {ui.safe_md(anomaly_words.chance(row.score))}")
    st.caption(anomaly_words.who(row, now))
    if row.state != "open":
        st.caption(anomaly_words.decided(row, now))


def _sentence(row: Row) -> str:
    """What is odd, without the SKU in front: the name stands above it."""
    said = row.message.removeprefix(f"{row.sku}: ").removesuffix(".")
    return f"{said[:1].upper()}{said[1:]}"


def badge(row: Row) -> str:
    """What kind of slip it would be, and what became of it, as Markdown."""
    kind = f":orange-badge[{anomaly_words.KINDS[row.kind]}]"
    if row.state == "open":
        return kind
    return f"{kind} :{COLOUR[row.state]}-badge[{anomaly_words.STATES[row.state]}]"


def _draw_buttons(row: Row, place: str, person: Actor, *, is_last: bool) -> None:
    uid, may = str(row.uid), auth.may(person, "edit catalogue")
    mine = anomaly_acts.desk(uid)
    about = (uid, row.product_name, mine["form"], place)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"acts-{uid}"):
        if may and row.state == "open":
            _draw_decide(row, about)
        elif may and row.state == "dismissed":
            _act("Decide anew", "reopen", about, anomaly_acts.reopen, icon=":material/undo:")
        elif may and row.state == "accepted" and not (is_last and "answer" in mine):
            _act("Undo the repair", "unrepair", about, anomaly_acts.undo_repair, icon=":material/undo:")
        st.page_link(
            "views/movements.py", label=f"Movement {row.movement_id}", icon=":material/swap_vert:",
            query_params={"before": str(row.movement_id + 1)},
        )  # fmt: skip


def _draw_decide(row: Row, about: tuple[str, str, str, str]) -> None:
    uid, form = about[0], about[2]
    if row.can_accept:
        _act(
            "Repair", "repair", about, anomaly_acts.repair, type="primary", icon=":material/build:",
            help="Books the opposite of this movement and what it should have been; the ledger keeps both.",
        )  # fmt: skip
    _act(
        "It is real", "real", about, partial(anomaly_acts.dismiss, reason="real"),
        help="This is how it was. Such lines of this product are asked about less.",
    )  # fmt: skip
    # Named after the form, so that it is closed after a press.
    with st.popover("Dismiss", key=f"dismiss-{uid}-{form}"):
        st.radio(
            "Why", list(anomaly_words.REASONS), format_func=anomaly_words.REASONS.get, index=1,
            key=f"reason_{uid}_{form}",
        )  # fmt: skip
        st.text_input("Note", key=f"note_{uid}_{form}", max_chars=anomaly_acts.NOTE_CHARACTERS,
                      placeholder="What was it?")  # fmt: skip
        _act("Dismiss", "put-away", about, anomaly_acts.dismiss, width="stretch")


def _act(label: str, name: str, about: tuple[str, str, str, str], press: Any, **look: Any) -> None:
    st.button(label, key=f"{name}-{about[0]}", on_click=press, args=about, **look)
