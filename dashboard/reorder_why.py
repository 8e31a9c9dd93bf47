"""Why this number: the receipt of a line, what changed since the last run, other vendors, and a later day."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st

from core.buying import advice_choices, advice_lines, comparison
from core.buying.advice_lines import Change, Detail, Line, Term
from core.errors import RunoutError
from core.reorder import comparison as costs
from dashboard import editing, looks, pickers, reorder_choices, reorder_plan, reorder_words, ui
from db.session import reading


def draw(line: Line, mine: dict[str, Any], today: date, *, may_buy: bool) -> None:
    """What is behind a line; only the one that is open is looked up."""
    try:
        with reading() as session:
            detail = advice_lines.line(session, line.uid, today)
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        return
    with st.container(border=True, key="why"):
        st.markdown(f"{ui.safe_md(line.reason)}{_goal(line)}")
        left, right = st.columns([1.15, 1], gap="medium")
        with left:
            st.markdown(receipt(detail.line, detail.terms))
            if line.one_off:
                st.caption(ui.safe_md(one_off(line)))
            _draw_changed(detail)
        with right:
            _draw_vendors(detail, mine, today, may_buy=may_buy)
        with st.container(horizontal=True, vertical_alignment="bottom", key="why-foot"):
            if may_buy and line.state == "open":
                _draw_snooze(line, mine, today)
            st.page_link(
                "views/product.py", label="Open the product", icon=":material/arrow_forward:",
                query_params={"id": str(line.product_uid)},
            )  # fmt: skip


def _goal(line: Line) -> str:
    if line.service_percent is None:
        return ""
    percent = ui.formats().number(line.service_percent, 1)
    return f" :gray[Stocked to serve {ui.safe_md(percent)} % of its order lines.]"


# -- The receipt ---------------------------------------------------------------------------------------------


def receipt(line: Line, terms: Sequence[Term]) -> str:
    """The terms as a table of Markdown; they add up to the quantity that is ordered."""
    write = ui.formats()
    noun = "move" if line.action == "transfer" else "order"
    rows = ["| | | |", "|--:|:--|:--|"]
    for term in terms:
        amount = write.change(term.amount) if term.amount else "0"
        rows.append(
            f"| {ui.safe_md(amount)} | {ui.safe_md(_first_up(term.name))} | :gray[{ui.safe_md(term.words)}] |"
        )
    total = sum((term.amount for term in terms), Decimal(0))
    words = reorder_words.quantity(line, total)
    rows.append(f"| **= {ui.safe_md(words)}** | **To {noun}** | {_covers(line)} |")
    return "\n".join(rows)


def _covers(line: Line) -> str:
    """How long the order lasts, as far as one can say."""
    if not line.daily_rate or line.daily_rate <= 0 or line.quantity <= 0:
        return ""
    days = line.quantity / line.daily_rate
    return f":gray[{ui.safe_md(ui.formats().duration(days))} of demand]"


def _first_up(words: str) -> str:
    return words[:1].upper() + words[1:]


def one_off(line: Line) -> str:
    """The bulk orders that the quantity does not prepare for."""
    write, about = ui.formats(), line.one_off or {}
    told = "Bulk orders are not prepared for"
    if (size := about.get("size_from")) is not None:
        told += f": {write.quantity(Decimal(str(size)))} or more at once"
    if (a_year := about.get("a_year")) is not None:
        often = f"about {write.number(float(a_year), 1)} times" if a_year >= 1 else "less than once"
        told += f", {often} a year"
    return f"{told}. The chance to run out counts them."


def _draw_changed(detail: Detail) -> None:
    """What is another than in the run before, as terms that add up to the difference."""
    write, line = ui.formats(), detail.line
    if detail.before_at is None:
        return
    at = ui.safe_md(write.ago(detail.before_at, looks.now()))
    if detail.before_quantity is None:
        st.caption(f"New: it was not in the advice of {at}.")
        return
    if not detail.changed:
        st.caption(f"As in the advice of {at}.")
        return
    before = reorder_words.quantity(line, detail.before_quantity)
    after = reorder_words.quantity(line, line.computed_quantity)
    st.markdown(f"Since {at} {editing.changed('', before, after).strip()}: {_changes(detail.changed)}")


def _changes(changed: Sequence[Change]) -> str:
    """Each says in its words how much it changed the quantity."""
    return "; ".join(ui.safe_md(one.words) for one in changed)


# -- Vendors -------------------------------------------------------------------------------------------------


def _draw_vendors(detail: Detail, mine: dict, today: date, *, may_buy: bool) -> None:
    """The vendors compared, best first; another one can be taken, with what that costs and gains."""
    line = detail.line
    if line.action == "transfer":
        st.markdown(f"Comes from **{ui.safe_md(line.from_warehouse or '')}**, which has more than it needs.")
        return
    offers = detail.vendors or _compared(line, today)
    if not offers:
        st.markdown("Nobody offers it yet.")
        if may_buy:
            st.page_link("views/vendors.py", label="Vendors and offers", icon=":material/arrow_forward:")
        return
    compared = (line.computed_quantity if detail.vendors else line.quantity) or line.quantity
    if compared > 0:
        words = f"In all: {reorder_words.quantity(line, compared)}, freight, holding and lost sales"
        st.caption(ui.safe_md(words))
    for row in offers:
        is_chosen = str(row.get("vendor_uid")) == str(line.vendor_uid)
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute",
            key=f"offer-{row.get('vendor_uid')}",
        ):  # fmt: skip
            st.markdown(offer(row, is_chosen=is_chosen))
            if may_buy and not is_chosen and line.state in ("open", "snoozed"):
                st.button(
                    "Take", key=f"take-{row.get('vendor_uid')}", on_click=_take, args=(mine, line, row)
                )  # fmt: skip


def _compared(line: Line, today: date) -> list[dict[str, Any]]:
    """The vendors of a line that is not to be ordered yet, compared as of now."""
    with reading() as session:
        found = comparison.of_product(
            session, line.product_id, today, line.warehouse_id, line.quantity or None
        ).rows
    return [
        told | {"vendor_uid": str(row.offer.vendor.uid), "name": row.costed.name,
                "is_expired": row.costed.is_expired}
        for row, told in zip(found, costs.stored([row.costed for row in found]), strict=True)
    ]  # fmt: skip


def offer(row: dict[str, Any], *, is_chosen: bool) -> str:
    """One vendor in two lines: its price and total, and when it comes, against the best."""
    write = ui.formats()
    name = ui.safe_md(row.get("name") or "")
    mark = ":material/check: " if is_chosen else ""
    badge = " :blue-badge[Best]" if row.get("is_recommended") else ""
    told = [f"{write.price(_decimal(row.get('unit_price')))} each"]
    if (total := _decimal(row.get("total"))) is not None:
        told.append(f"{write.money(total)} in all")
    if against := difference(row):
        told.append(against)
    if arrives := row.get("arrives_on"):
        told.append(f"arrives {write.weekday(date.fromisoformat(str(arrives)))}")
    if row.get("chance") is not None:
        told.append(f"{write.share(float(row['chance']))} chance to run out before")
    expired = " :red-badge[Price expired]" if row.get("is_expired") else ""
    why = f"  \n:gray[{ui.safe_md(row['why'])}]" if row.get("why") else ""
    return f"{mark}**{name}**{badge}{expired}  \n{ui.safe_md(' · '.join(told))}{why}"


def difference(row: dict[str, Any]) -> str:
    """Against the best vendor: what another costs more, and how many days sooner or later it comes."""
    write, told = ui.formats(), []
    if money := _decimal(row.get("more_money")):
        told.append(f"{'+' if money > 0 else ''}{write.money(money)}")
    if days := row.get("more_days"):
        told.append(f"{write.duration(abs(days))} {'later' if days > 0 else 'sooner'}")
    return ", ".join(told)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _take(mine: dict, line: Line, row: dict[str, Any]) -> None:
    """Order of another vendor; a quantity that was edited stays as far as that vendor delivers it."""
    verb = partial(advice_choices.edit, now=looks.now(), vendor_uid=row["vendor_uid"])
    words = editing.changed("Vendor", line.vendor or "none", row.get("name") or "")
    against = difference(row)
    reorder_choices.write(mine, line, verb, lambda: words + (f": {ui.safe_md(against)}" if against else ""))


# -- Not now -------------------------------------------------------------------------------------------------


def _draw_snooze(line: Line, mine: dict, today: date) -> None:
    key = f"snooze_until_{mine['form']}"
    st.date_input(
        "Snooze until", value=None, min_value=today + timedelta(days=1),
        max_value=today + timedelta(days=advice_choices.MOST_SNOOZE_DAYS), key=key, format="YYYY-MM-DD",
        width=160,
    )  # fmt: skip
    st.button("Snooze", key="why-snooze", icon=":material/snooze:", on_click=_snooze, args=(mine, line, key))


def _snooze(mine: dict, line: Line, key: str) -> None:
    until = st.session_state.get(key)
    if until is None:
        mine["about"], mine["refused"] = reorder_plan.place_of(line), "Snooze until: choose a day first."
        mine.pop("answer", None)
        return
    reorder_choices.snooze(mine, line, until)
    pickers.remember("line", None)
