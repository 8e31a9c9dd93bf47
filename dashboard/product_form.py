"""The form of a product: its fields as they are typed, and what saving them did."""

import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import catalogue, posting, products, thresholds
from core.auth import Actor
from core.products import Detail
from dashboard import editing, looks, pickers, ui
from dashboard.editing import Answer
from dashboard.formats import PIECES, PLURAL

LABELS = {
    "sku": "SKU", "name": "Name", "category": "Category", "unit_of_measure": "Unit",
    "description": "Description", "unit_cost": "Unit cost", "unit_price": "Unit price",
    "reorder_threshold": "Threshold", "lead_time_days": "Lead time",
}  # fmt: skip
NUMBERS = ("unit_cost", "unit_price", "reorder_threshold", "lead_time_days")
UNITS = [PIECES[0], *sorted(PLURAL), "kg", "g", "l", "ml", "m"]


def draw_fields(mine: dict[str, Any], product: Any | None) -> None:
    """The fields, each with its unit in its label; they hold what is kept, or nothing for a new product."""
    form, currency = mine["form"], looks.the_shop().currency
    pieces = _pieces(product)

    def kept(name: str) -> Any:
        return getattr(product, name) if product else None

    left, right = st.columns([1, 2])
    left.text_input("SKU", value=kept("sku") or "", key=f"sku_{form}")
    right.text_input("Name", value=kept("name") or "", key=f"name_{form}")
    left, right = st.columns([1, 2])
    with left:
        unit = kept("unit_of_measure") or PIECES[0]
        units = UNITS if unit in UNITS else [unit, *UNITS]
        st.selectbox(
            "Unit", units, index=units.index(unit), key=f"unit_of_measure_{form}", accept_new_options=True
        )
    with right:
        category = kept("category")
        if category is not None:  # not as an index, or it could not be emptied
            st.session_state.setdefault(f"category_{form}", category)
        st.selectbox(
            "Category", looks.categories(), index=None, key=f"category_{form}", accept_new_options=True,
            placeholder="none",
        )  # fmt: skip
    st.text_area("Description", value=kept("description") or "", key=f"description_{form}", height=80)
    for column, (name, label, help_) in zip(
        st.columns(4),
        (
            ("unit_cost", f"Unit cost ({currency})", "What you pay; the value of the stock."),
            ("unit_price", f"Unit price ({currency})", "What you sell it for; what an empty shelf loses."),
            (
                "reorder_threshold",
                f"Threshold ({pieces})",
                "At or below so many in the whole shop it is low.",
            ),
            ("lead_time_days", "Lead time (days)", "Until an order arrives. Used until a vendor's is known."),
        ),
        strict=True,
    ):
        with column:
            editing.number_field(label, kept(name), key=f"{name}_{form}", help_=help_)


def _pieces(product: Any | None) -> str:
    """What a quantity of it counts."""
    return (ui.formats().unit(product.unit_of_measure) if product else "") or "pieces"


def draw_thresholds(mine: dict[str, Any], detail: Detail, kept: dict[int, Decimal]) -> None:
    """At how many pieces it is low in each warehouse, where there are several."""
    if len(detail.levels) < 2:
        return
    st.markdown(f"Threshold in one warehouse ({ui.safe_md(_pieces(detail.product))})")
    with st.grid(4, min_column_width=150, gap="small"):
        for level in detail.levels:
            key = f"low_{level.warehouse_id}_{mine['form']}"
            editing.number_field(level.code, kept.get(level.warehouse_id), key=key)


def draw_first_stock(mine: dict[str, Any]) -> None:
    """What only a new product is asked: its barcode, and what lies on the shelf already."""
    form, places = mine["form"], {place.id: place for place in looks.places()}
    code, stock, place = st.columns(3)
    code.text_input("Barcode", key=f"barcode_{form}", placeholder="none")
    with stock:
        editing.number_field("On the shelf now", None, key=f"opening_{form}", placeholder="0")
    place.selectbox(
        "In warehouse", list(places), format_func=lambda i: places[i].code, key=f"place_{form}",
        placeholder="none yet",
    )  # fmt: skip


def typed(mine: dict[str, Any]) -> dict[str, Any]:
    """The fields as they stand in the form; numbers exactly as typed."""
    said = {name: st.session_state.get(f"{name}_{mine['form']}") for name in LABELS}
    return said | {name: editing.number(said[name]) for name in NUMBERS}


def create(mine: dict[str, Any]) -> None:
    """Add the product of the form; afterwards the form is that of the new product."""
    said, form, today = typed(mine), mine["form"], looks.today()
    code = (st.session_state.get(f"barcode_{form}") or "").strip()
    opening = editing.number(st.session_state.get(f"opening_{form}"))
    place = st.session_state.get(f"place_{form}")
    made: list[str] = []

    def work(session: Session, person: Actor) -> Answer:
        product = catalogue.create(
            session, person, **said, barcodes=[code] if code else [], opening_stock=opening,
            warehouse_id=place, today=today, key=form,
        )  # fmt: skip
        made[:] = [str(product.uid)]
        shelf = (
            f", {ui.safe_md(posting.plain(Decimal(opening)))} on the shelf"
            if opening and Decimal(opening)
            else ""
        )
        return Answer(f"**{ui.safe_md(product.name)}** is in the catalogue{shelf}.")

    answer = editing.write(mine, work)
    if answer is not None:
        editing.desk(f"product {made[0]}")["answer"] = answer
        mine.pop("answer")
        editing.renew(mine)
        pickers.remember("id", made[0])


def save(mine: dict[str, Any], product: Any, kept: dict[int, Decimal], places: list[int]) -> None:
    """Keep what the form says, fields and thresholds in one transaction."""
    said = typed(mine)
    # A field left as it was found is not written: somebody else may have changed it meanwhile.
    said = {name: value for name, value in said.items() if not _is_same(value, getattr(product, name))}
    low = {}
    for place in places:
        value = editing.number(st.session_state.get(f"low_{place}_{mine['form']}"))
        if not _is_same(value, kept.get(place)):
            low[place] = value
    before = {name: getattr(product, name) for name in said}
    olds = {place: kept.get(place) for place in low}
    back = partial(_write, product.uid, before, olds, "Undone")
    answer = editing.write(mine, partial(_write, product.uid, said, low, "Saved", undo=back))
    if answer is not None:
        editing.renew(mine)


def _is_same(value: Any, kept: Any) -> bool:
    if isinstance(kept, Decimal | int) and value is not None:
        return Decimal(value) == kept
    return (value or None) == kept


def _write(
    uid: uuid.UUID,
    fields: dict[str, Any],
    low: dict[int, Any],
    word: str,
    session: Session,
    person: Actor,
    undo: editing.Work | None = None,
) -> Answer:
    """Change fields and thresholds of a product and say before -> after of each."""
    if not fields and not low:
        return Answer("Nothing was changed.")
    product = products.by_uid(session, uid).product
    before = {name: getattr(product, name) for name in fields}
    olds = thresholds.of_product(session, product.id)
    product = catalogue.change(session, person, product.id, looks.today(), **fields)
    told = [
        editing.changed(LABELS[name], _shown(before[name]), _shown(getattr(product, name))) for name in fields
    ]
    codes = {place.id: place.code for place in looks.places()}
    for place, value in low.items():
        thresholds.change(session, person, product.id, place, value)
        now = thresholds.of_product(session, product.id).get(place)
        label = f"Threshold in {ui.safe_md(codes.get(place, place))}"
        told.append(editing.changed(label, _shown(olds.get(place)), _shown(now)))
    return Answer(f"{word}: {', '.join(told)}", undo)


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return ui.formats().number(value, 4) if isinstance(value, Decimal | int) else str(value)[:60]
