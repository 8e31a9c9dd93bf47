"""Sending a purchase order: its words to copy or mail, its papers, and the click that marks it as sent."""

import os
from functools import partial
from typing import Any
from urllib.parse import quote

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import order_looks, order_mail, order_papers, orders
from core.buying.order_looks import Detail
from core.buying.order_mail import Letter, Smtp
from core.errors import RunoutError
from dashboard import editing, looks, pressing, saving, signin, ui
from dashboard.editing import Answer
from db.session import reading, transaction

# Longer addresses are cut by mail programs and browsers; the text is there to be copied.
MOST_OF_A_LINK = 1_900


def draw_papers(detail: Detail) -> None:
    """PDF and table of the order as it is when the button is pressed."""
    uid, number = str(detail.order.uid), detail.order.number
    with st.container(horizontal=True, key="papers"):
        saving.file(
            "PDF", partial(_paper, uid, order_papers.pdf), f"{number}.pdf", "application/pdf", key="pdf"
        )
        saving.file("CSV", partial(_paper, uid, order_papers.table), f"{number}.csv", "text/csv", key="csv")


def _paper(uid: str, make: Any) -> bytes:
    with reading() as session:
        detail = order_looks.by_uid(session, uid, looks.today())
    return make(detail)


def draw(detail: Detail, person: Actor, mine: dict[str, Any]) -> None:
    """The step between a draft and an order that was sent; for one that was sent, mailing it."""
    letter = order_mail.letter(detail, person.name)
    is_draft = detail.order.state == "draft"
    server = _server()
    with st.container(border=True, key="sending"):
        words = "Send it to" if is_draft else "The words for"
        st.markdown(f"**{words} {ui.safe_md(detail.vendor.name)}**")
        if is_draft:
            _draw_hints(detail)
        st.markdown(f":gray[Subject] {ui.safe_md(letter.subject)}")
        st.code(letter.text, language=None, wrap_lines=True, height=260)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.link_button("Open in my mail program", _link(letter), icon=":material/mail:", key="mailto")
            st.markdown(
                f":gray[to {ui.safe_md(letter.to)}]" if letter.to else ":gray[The vendor has no address.]",
                width="content",
            )
        if server is not None:
            st.text_input("Mail it to", letter.to or "", key=f"mail_to_{mine['form']}", width=320,
                          placeholder="orders@vendor.example")  # fmt: skip
        with st.container(horizontal=True):
            _draw_buttons(detail, mine, server)


def _draw_buttons(detail: Detail, mine: dict[str, Any], server: Smtp | None) -> None:
    uid, form, is_draft = str(detail.order.uid), mine["form"], detail.order.state == "draft"
    if server is not None:
        again = bool(detail.order.mailed_at or detail.order.mailing_at)
        label = "Mail it and mark as sent" if is_draft else "Mail it again" if again else "Mail it"
        st.button(
            label, type="primary", key="mail_order", icon=":material/send:",
            on_click=_send if is_draft else _mail, args=(mine, form, uid, is_draft or again),
        )  # fmt: skip
    if is_draft:
        st.button(
            "Mark as sent", type="secondary" if server else "primary", key="mark_sent", on_click=_send,
            args=(mine, form, uid, False), help="You have sent it yourself: from now on it is on its way.",
        )  # fmt: skip
    st.button("Not yet" if is_draft else "Close", key="sending_close", on_click=close, args=(mine,))


def _draw_hints(detail: Detail) -> None:
    """What is odd about it: warned about, never refused."""
    said = [ui.safe_md(hint.sentence) for hint in detail.facts.hints]
    if said:
        st.warning("  \n".join(said), icon=":material/info:")


def _server() -> Smtp | None:
    try:
        return order_mail.settings(os.environ)
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        return None


def _link(letter: Letter) -> str:
    """A link that opens the mail in the person's own program; a long text is left to be pasted."""
    link = f"mailto:{quote(letter.to or '')}?subject={quote(letter.subject)}"
    full = f"{link}&body={quote(letter.text)}"
    return full if len(full) <= MOST_OF_A_LINK else link


def close(mine: dict[str, Any]) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


def _send(mine: dict[str, Any], form: str, uid: str, is_mailed: bool) -> None:
    """Mark it as sent, then mail it where that was asked for: it is sent whatever the mail server says."""
    now, to = looks.now(), st.session_state.get(f"mail_to_{form}")

    def work(session: Session, person: Actor) -> Answer:
        if is_mailed:
            order_mail.address(editing.needed(to, "Mail it to"))
        order = orders.send(session, person, uid, now)
        day = ui.formats().day_from(order.expected_on, looks.today())
        words = f"Sent. It is expected on **{ui.safe_md(day)}**."
        if is_mailed:
            return Answer(words, None, partial(_mailed, person, uid=uid, to=to))
        return Answer(words, partial(_unsend, uid=uid))

    if pressing.once(mine, form, work) is not None:
        mine.pop("open", None)


def _unsend(session: Session, person: Actor, *, uid: str) -> Answer:
    order = orders.unsend(session, person, uid, looks.now())
    return Answer(f"{ui.safe_md(order.number)} is a draft again; nothing of it is on its way.")


def _mailed(person: Actor, *, uid: str, to: str, again: bool = False) -> str:
    """Mail an order that was sent; what goes wrong is said, and the order stays sent."""
    try:
        server = order_mail.settings(os.environ)
        reached = order_mail.send_mail(transaction, person, server, uid, now=looks.now(), to=to, again=again)
    except RunoutError as refusal:
        return f" :red[{ui.safe_md(refusal.sentence)}]"
    except Exception as error:
        ui.trouble(error)
        return " :red[The mail did not go out. The log says why.]"
    return f" Mailed to {ui.safe_md(reached)}."


def _mail(mine: dict[str, Any], form: str, uid: str, again: bool) -> None:
    """Mail an order that was sent before."""
    to, person = st.session_state.get(f"mail_to_{form}") or "", signin.require()
    with pressing.held(form):
        if mine["form"] != form:
            return
        editing.renew(mine)
        close(mine)
        mine["answer"] = Answer(_mailed(person, uid=uid, to=to, again=again).strip())
