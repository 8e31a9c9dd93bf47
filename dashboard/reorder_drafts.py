"""From ticked lines to draft orders and booked transfers: one press, one set, and links to what was made."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import drafts
from core.buying.advice_lines import Line
from core.buying.drafts import Outcome
from dashboard import editing, looks, reorder_words, saving, ui, vendor_words
from dashboard.reorder_plan import NOBODY, TRANSFERS, Group, Plan

LEFT_OUT_SHOWN = 3
CENT = Decimal("0.01")


def desk() -> dict[str, Any]:
    """The number of the next press, and what came of the last one."""
    return editing.desk("reorder drafts")


def draw_button(plan: Plan, chosen: Group, person: Actor) -> None:
    """The main action for what is shown: draft the ticked orders, or book the ticked transfers."""
    if chosen.word == TRANSFERS:
        if auth.may(person, "move stock"):
            count = len(chosen.ticked)
            st.button(
                f"Book {_counted(count, 'transfer')}", type="primary", key="book_transfers",
                icon=":material/swap_horiz:", disabled=not count, on_click=_move,
                args=(tuple(str(line.uid) for line in chosen.ticked), desk()["form"]),
            )  # fmt: skip
        return
    if not auth.may(person, "buy") or chosen.word == NOBODY:
        return
    groups = ordering(plan, chosen)
    uids = tuple(str(line.uid) for group in groups for line in group.ticked)
    st.button(
        f"Create {_counted(len(groups), 'draft order')}", type="primary", key="create_drafts",
        icon=":material/receipt_long:", disabled=not uids, on_click=_create, args=(uids, desk()["form"]),
        help="One draft for each vendor. Nothing is sent.",
    )  # fmt: skip


def ordering(plan: Plan, chosen: Group) -> Sequence[Group]:
    """The vendors that a press orders of: the chosen one, or all."""
    return [group for group in plan.ordering if chosen.word in ("", group.word)]


def draw_outcome() -> None:
    """The drafts that were made, with their links, and which lines are in none."""
    mine = desk()
    if "refused" in mine:
        ui.refused(mine["refused"])
    outcome = mine.get("answer")
    if isinstance(outcome, Outcome):
        _draw_drafts(outcome)
    elif isinstance(outcome, int):
        with st.container(border=True, key="moved"):
            st.markdown(f":material/check: {_counted(outcome, 'transfer')} booked.")
            st.page_link("views/movements.py", label="See the movements", icon=":material/arrow_forward:")


def _draw_drafts(outcome: Outcome) -> None:
    write = ui.formats()
    with st.container(border=True, key="drafted"):
        st.markdown(f":material/check: {_counted(len(outcome.drafts), 'draft order')} made, none sent.")
        for draft in outcome.drafts:
            value = vendor_words.price(draft.value.quantize(CENT), draft.currency)
            st.page_link(
                "views/order.py",
                label=f"{ui.safe_md(draft.number)} · {ui.safe_md(draft.vendor)} · "
                f"{ui.safe_md(reorder_words.lines(draft.lines))} · {ui.safe_md(value)}",
                icon=":material/arrow_forward:", query_params={"id": str(draft.order_uid)},
            )  # fmt: skip
        if outcome.left_out:
            shown = [f"{sku}: {why}" for sku, why in outcome.left_out[:LEFT_OUT_SHOWN]]
            more = len(outcome.left_out) - len(shown)
            rest = f", and {write.number(more)} more" if more else ""
            st.caption(ui.safe_md(f"Not in a draft: {'; '.join(shown)}{rest}."))


def draw_footer(plan: Plan, chosen: Group, person: Actor, file_name: str) -> None:
    """What the ticks come to, or for who has none the lines; and the lines as a file."""
    word = "Ticked" if auth.may(person, "move stock") else "To order"
    write, groups = ui.formats(), ordering(plan, chosen)
    lines = [line for group in groups for line in group.ticked]
    told = []
    if lines:
        value = sum((line.value for line in lines), Decimal(0))
        told.append(
            f"**{ui.safe_md(reorder_words.lines(len(lines)))}** of {_counted(len(groups), 'vendor')}: "
            f"**{ui.safe_md(write.money(value))}**"
        )
    if moved := [line for line in chosen.ticked if line.action == "transfer"]:
        told.append(f"**{_counted(len(moved), 'transfer')}**")
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="reorder-total"
    ):  # fmt: skip
        st.markdown(f"{word}: {' and '.join(told)}" if told else ":gray[Nothing is ticked.]")
        saving.table("Download", lambda: for_download(chosen.lines), file_name, key="download")


def for_download(lines: Sequence[Line]) -> pd.DataFrame:
    """The lines as a spreadsheet wants them: plain numbers and ISO dates."""
    return pd.DataFrame(
        [
            {
                "SKU": line.sku, "Product": line.name, "Warehouse": line.warehouse,
                "Action": line.action, "State": line.state,
                "Status": ui.WORD[line.status or reorder_words.UNKNOWN],
                "Runs out from": line.p10_on, "Runs out until": line.p90_on,
                "Chance to run out": line.chance, "On hand": line.on_hand, "On its way": line.due,
                "Order up to": line.level, "Quantity": line.quantity, "Unit": line.unit,
                "Computed quantity": line.computed_quantity, "Vendor": line.vendor,
                "From warehouse": line.from_warehouse, "Unit price": line.unit_cost, "Value": line.value,
                "Order by": line.order_by_on, "Arrives on": line.arrives_on,
                "Snoozed until": line.snoozed_until, "Order number": line.order_number,
                "Why": line.reason,
            }
            for line in lines
        ]
    )  # fmt: skip


def _counted(count: int, noun: str) -> str:
    """3 draft orders; without their number where there is none."""
    return f"{ui.formats().number(count)} {noun if count == 1 else noun + 's'}" if count else f"{noun}s"


# -- Writes --------------------------------------------------------------------------------------------------


def _create(uids: tuple[str, ...], key: str) -> None:
    if not uids:  # the second half of a double click, on the page that the first one left
        return
    now = looks.now()
    _press(key, lambda session, person: drafts.create(session, person, now, key=key, advice_uids=uids))


def _move(uids: tuple[str, ...], key: str) -> None:
    if not uids:
        return
    now = looks.now()

    def work(session: Session, person: Actor) -> int:
        return drafts.move(session, person, now, key=key, advice_uids=uids)

    _press(key, work)


def _press(key: str, work: editing.Work) -> None:
    """Do it once for a number: the second half of a double click finds what the first one did."""
    mine = desk()
    earlier = mine.get("answer")
    if editing.write(mine, work) is not None:
        mine["done"] = key
        editing.renew(mine)
    elif mine.get("done") == key:
        mine.pop("refused", None)
        mine["answer"] = earlier
