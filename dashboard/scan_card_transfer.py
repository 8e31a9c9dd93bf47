"""The card of a transfer: how much goes from here to there, and what is left on both sides."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import streamlit as st

from core.doctor.line_arrays import Typed
from core.errors import RunoutError
from core.posting import plain, positive
from core.products import Level
from core.scanning import resolver
from dashboard import anomaly_warning, editing, looks, order_words, scan_desk, signin, ui
from db.session import reading


def draw(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """From, to, how much; the default is what the code stands for, and the button says what it will do."""
    key = entry["key"]
    levels = _levels(entry)
    here = levels.get(entry["warehouse_id"])
    st.markdown(f"**Move {ui.safe_md(entry['name'])}** &nbsp; :gray[{ui.safe_md(entry['sku'])}]")
    others = {place: level for place, level in levels.items() if place != entry["warehouse_id"]}
    if here is None or not others:
        ui.refused("A transfer needs two warehouses in use: there is none to move it to.")
        st.button("Close", key="transfer_drop", on_click=scan_desk.drop, args=(desk, key))
        return
    there = _where_to(entry, others)
    # Scanned again while the card is open, it begins with more.
    field = f"transfer_quantity_{key}_{entry['pieces']}"
    editing.number_field(
        f"How much goes from {ui.safe_md(here.code)}", Decimal(entry["quantity"] or entry["pieces"]),
        key=field, placeholder="0", width=260,
    )  # fmt: skip
    quantity, problem = _asked(st.session_state.get(field), here, entry)
    if problem or entry.get("refused"):
        ui.refused(problem or entry["refused"])
    if quantity is not None and problem is None:
        st.markdown(_before_after(here, there, quantity))
        _draw_odd(entry, here, field, quantity)
    with st.container(horizontal=True):
        label = f"Move {ui.formats().quantity(quantity)} to {there.code}" if quantity is not None else "Move"
        st.button(
            label, key="transfer_book", type="primary", disabled=quantity is None or problem is not None,
            on_click=scan_desk.go_on, args=(desk, key),
            kwargs={"quantity": plain(quantity or Decimal(0)), "to_warehouse_id": there.warehouse_id},
        )  # fmt: skip
        st.button("Cancel", key="transfer_drop", on_click=scan_desk.drop, args=(desk, key))


def _draw_odd(entry: dict[str, Any], here: Level, field: str, quantity: Decimal) -> None:
    """What is odd about it, with what it was probably meant to be; it can be moved all the same."""
    (odd,) = anomaly_warning.of([Typed(entry["product_id"], here.warehouse_id, -quantity, "transfer")])
    if odd is None:
        return
    wanted = anomaly_warning.amount(odd)
    anomaly_warning.draw(
        odd.sentence, wanted, key="transfer", on_click=_take_instead,
        args=(field, None if wanted is None else float(wanted)),
    )  # fmt: skip


def _take_instead(field: str, quantity: float) -> None:
    st.session_state[field] = quantity


def _levels(entry: dict[str, Any]) -> Mapping[int, Level]:
    """What is on hand in each warehouse in use."""
    person = signin.require()
    with reading() as session:
        found = resolver.resolve(session, person, entry["code"], symbology=entry.get("symbology"))
        if found.kind == "ambiguous":
            found = resolver.choose(session, found, entry["product_id"])
        detail = found.product
    if detail is None:
        return {}  # the code was taken from its product a moment ago
    in_use = {place.id for place in looks.places()}
    return {level.warehouse_id: level for level in detail.levels if level.warehouse_id in in_use}


def _where_to(entry: dict[str, Any], others: Mapping[int, Level]) -> Level:
    """The other side: as the chip says, the only other one, or as it is chosen here."""
    if entry["to_warehouse_id"] in others:
        return others[entry["to_warehouse_id"]]
    if len(others) == 1:
        return next(iter(others.values()))
    chosen = st.segmented_control(
        "To", list(others), format_func=lambda place: others[place].code, default=next(iter(others)),
        key=f"transfer_to_{entry['key']}", required=True,
    )  # fmt: skip
    return others[chosen]


def _asked(typed: float | None, here: Level, entry: dict[str, Any]) -> tuple[Decimal | None, str | None]:
    """What was typed as a quantity, and why it cannot be moved."""
    if typed is None:
        return None, None
    try:
        quantity = positive(editing.number(typed))
    except RunoutError as refusal:
        return None, refusal.sentence
    try:
        order_words.refuse_parts(entry["sku"], entry["unit"], plain(quantity))
    except RunoutError as refusal:
        return None, refusal.sentence
    if quantity > here.quantity:
        return quantity, (
            f"{entry['sku']}: {plain(quantity)} asked for, {plain(here.quantity)} on hand in {here.code}."
        )
    return quantity, None


def _before_after(here: Level, there: Level, quantity: Decimal) -> str:
    """WH-A 41 → 29 · WH-B 3 → 15."""
    write = ui.formats()
    sides = ((here, here.quantity - quantity), (there, there.quantity + quantity))
    return " &nbsp; ".join(
        editing.changed(ui.safe_md(level.code), write.quantity(level.quantity), write.quantity(after))
        for level, after in sides
    )
