"""Products and categories that are to be never out: more is asked of them than of the rest of the shop."""

from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import products
from core.auth import Actor
from core.buying import service_rules
from core.buying.service_rules import Rule
from dashboard import editing, looks, ui
from dashboard.editing import Answer
from db.session import reading

CATEGORY, PRODUCT = "One category", "One product"
NEVER_OUT = Decimal("99.5")  # what a new rule suggests: with 100 there would be no end to the stock
KEY = "service rules"


def draw(*, may_buy: bool) -> None:
    """The rules, each with the way to end it, and the form for another."""
    mine = editing.desk(KEY)
    with reading() as session:
        rules = service_rules.listing(session)
    with ui.heading("Never out"):
        if may_buy and not mine.get("open"):
            st.button("Add a product or category", icon=":material/add:", key="rule_add", on_click=_open,
                      args=(mine,))  # fmt: skip
    if not rules and not mine.get("open"):
        st.markdown(":gray[Every product follows the shop's goal. Ask for more of those you may never miss.]")
    for rule in rules:
        _draw_rule(rule, mine, may_buy=may_buy)
    if mine.get("open"):
        _draw_form(mine)
    editing.draw_answer(mine, key="rules")


def _draw_rule(rule: Rule, mine: dict, *, may_buy: bool) -> None:
    write = ui.formats()
    percent = f"{write.number(rule.service_percent, 2)} %"
    with st.container(horizontal=True, vertical_alignment="center", key=f"rule-{rule.uid}"):
        st.markdown(
            f"**{ui.safe_md(name_of(rule))}** at least **{ui.safe_md(percent)}** of order lines "
            f":gray[{ui.safe_md(rule.set_by)}, {ui.safe_md(write.moment(rule.set_at))}]"
        )
        if may_buy:
            st.button("Remove", key=f"rule-remove-{rule.uid}", icon=":material/close:", on_click=_remove,
                      args=(mine, rule))  # fmt: skip


def name_of(rule: Rule) -> str:
    return f"Category {rule.category}" if rule.category else f"{rule.name} ({rule.sku})"


def _draw_form(mine: dict) -> None:
    form = mine["form"]
    with st.container(border=True, key="rule-form"):
        about, which, percent = st.columns([1, 1.6, 1])
        with about:
            what = st.selectbox("About", [PRODUCT, CATEGORY], key=f"rule_about_{form}")
        with which:
            if what == CATEGORY:
                st.selectbox("Category", looks.categories(), index=None, key=f"rule_category_{form}",
                             placeholder="Choose one")  # fmt: skip
            else:
                st.text_input("SKU", key=f"rule_sku_{form}", placeholder="SKU of the product")
        with percent:
            editing.number_field("At least (% of order lines)", NEVER_OUT, key=f"rule_percent_{form}")
        with st.container(horizontal=True):
            st.button("Save", type="primary", key="rule_save", on_click=_save, args=(mine,))
            st.button("Close", key="rule_close", on_click=_close, args=(mine,))


def _open(mine: dict) -> None:
    editing.renew(mine)
    mine["open"] = True
    mine.pop("answer", None)
    mine.pop("refused", None)


def _close(mine: dict) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


# -- Writes --------------------------------------------------------------------------------------------------


def _save(mine: dict) -> None:
    """Put the rule in place of what was asked of it before."""
    form, now, state = mine["form"], looks.now(), st.session_state
    is_category = state.get(f"rule_about_{form}") == CATEGORY
    category, sku = state.get(f"rule_category_{form}"), (state.get(f"rule_sku_{form}") or "").strip()
    percent = editing.number(state.get(f"rule_percent_{form}"))

    def work(session: Session, person: Actor) -> Answer:
        wanted = editing.needed(percent, "Service goal")
        if is_category:
            about: dict[str, Any] = {"category": editing.needed(category, "Category", "choose")}
        else:
            about = {"product_id": products.by_sku(session, editing.needed(sku, "SKU")).id}
        before = _percents(session)
        uid = service_rules.put(session, person, now, wanted, **about)
        (rule,) = (one for one in service_rules.listing(session) if one.uid == uid)
        was = before.get(uid)
        if was == rule.service_percent:
            return Answer("It is asked for already", is_idle=True)
        undo = partial(_put_back, about=about, percent=was) if was else partial(_take_away, uid=uid)
        words = editing.changed(name_of(rule), _percent(was), _percent(rule.service_percent))
        return Answer(f"{words}. New advice is asked for", undo)

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _remove(mine: dict, rule: Rule) -> None:
    now = looks.now()

    def work(session: Session, person: Actor) -> Answer:
        about = (
            {"category": rule.category}
            if rule.category
            else {"product_id": products.by_sku(session, rule.sku).id}
        )
        service_rules.remove(session, person, rule.uid, now)
        words = editing.changed(name_of(rule), _percent(rule.service_percent), _percent(None))
        undo = partial(_put_back, about=about, percent=rule.service_percent)
        return Answer(f"{words}. New advice is asked for", undo)

    editing.write(mine, work)


def _put_back(session: Session, person: Actor, *, about: dict[str, Any], percent: Decimal) -> Answer:
    service_rules.put(session, person, looks.now(), percent, **about)
    return Answer("Undone. New advice is asked for")


def _take_away(session: Session, person: Actor, *, uid: Any) -> Answer:
    service_rules.remove(session, person, uid, looks.now())
    return Answer("Undone. New advice is asked for")


def _percents(session: Session) -> dict[Any, Decimal]:
    return {rule.uid: rule.service_percent for rule in service_rules.listing(session)}


def _percent(value: Decimal | None) -> str:
    return "as the shop" if value is None else f"{ui.formats().number(value, 2)} %"
