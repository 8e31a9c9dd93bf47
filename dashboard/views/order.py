"""One purchase order: a draft to be edited and sent, or what was ordered to be received."""

from datetime import date

import streamlit as st

from core import auth
from core.auth import Actor
from core.buying import order_looks
from core.buying.order_looks import Detail
from core.errors import RunoutError
from dashboard import (
    editing,
    looks,
    order_adding,
    order_deliveries,
    order_draft,
    order_head,
    order_new,
    order_open,
    order_sending,
    order_words,
    pickers,
    receiving,
    signin,
    ui,
)
from db.session import reading

NEW = "new"


def draw(detail: Detail, person: Actor, today: date) -> None:
    state = detail.order.state
    may_buy, may_receive = auth.may(person, "buy"), auth.may(person, "move stock")
    way = pickers.in_address("By", "by", receiving.WAYS) if may_receive else None
    mine = order_open.desk(detail)
    is_receiving = way is not None and state in order_words.IS_COMING
    order_head.draw(detail, today, may_buy=may_buy, may_receive=may_receive, is_receiving=is_receiving)
    editing.draw_answer(mine, key="order")
    is_sending = state == "draft" and mine.get("open") == "send"
    if may_buy and (is_sending or (state in order_words.IS_COMING and mine.get("open") == "mail")):
        order_sending.draw(detail, person, mine)
    if is_receiving:
        receiving.draw(detail, way)
    receiving.draw_answer(detail)
    if not is_receiving:
        with ui.heading("Lines"):
            order_sending.draw_papers(detail)
        if state == "draft" and may_buy:
            order_draft.draw(detail, today)
            order_adding.draw(detail, today)
        else:
            order_open.draw_lines(detail, person, today)
    order_deliveries.draw(detail, person)
    if is_receiving:
        return
    if may_buy:
        order_head.draw_about(detail, today)
        order_open.draw_changes(detail, today)
    order_head.draw_history(detail)


person = signin.require()
today = looks.today()
wanted = st.query_params.get("id")
if wanted is None:
    ui.title("Order")
    ui.empty("No order is chosen.", "Open one from the list.", button="See all orders",
             page="views/orders.py")  # fmt: skip
elif wanted == NEW and auth.may(person, "buy"):
    order_new.draw(today)
elif wanted == NEW:
    ui.title("New order")
    ui.refused("Only managers make orders.")
else:
    try:
        with reading() as session:
            found = order_looks.by_uid(session, wanted, today)
    except RunoutError as refusal:
        ui.title("Order")
        ui.refused(refusal.sentence)
        st.page_link("views/orders.py", label="See all orders", icon=":material/arrow_forward:")
    else:
        draw(found, person, today)
