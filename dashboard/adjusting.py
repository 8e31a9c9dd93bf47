"""The form that changes the stock of one product: preview, one booking per form, the answer with Undo."""

import uuid
from decimal import Decimal
from typing import Any

import streamlit as st

from core import predictions, stock
from core.doctor.line_arrays import Typed
from core.errors import BadInput, RunoutError
from core.posting import exact, plain
from core.products import Detail, Level
from dashboard import anomaly_warning, ledger, looks, signin, ui
from dashboard.formats import PIECES, PLURAL
from db.session import transact

MODES = {"change": "Add or take away", "count": "Counted"}
# Reason codes that a change of each sign can have, the usual one first.
TAKES_AWAY = ("issue", "sale", "damage", "loss", "vendor_return", "correction")
ADDS = ("receipt", "return", "correction")
WHOLE_UNITS = {*PIECES, *PLURAL}
LONGEST_NOTE = 200


def draw(detail: Detail, warehouse_id: int | None) -> None:
    """The form. Its number is the idempotency key, made when it is first drawn: it can book once only."""
    form = ledger.desk().setdefault("forms", {}).setdefault(str(detail.product.uid), uuid.uuid4().hex)
    mode = st.segmented_control(
        "What happened", list(MODES), format_func=MODES.get, default="change", key=f"mode_{form}",
        required=True, width="stretch",
    )  # fmt: skip
    levels = {level.warehouse_id: level for level in detail.levels}
    places = list(levels)
    left, right = st.columns(2)
    with left:
        place = st.selectbox(
            "Warehouse", places, format_func=lambda i: levels[i].code, key=f"place_{form}",
            index=places.index(warehouse_id) if warehouse_id in levels else 0,
        )  # fmt: skip
    with right:
        whole = detail.product.unit_of_measure in WHOLE_UNITS
        quantity = st.number_input(
            "Counted" if mode == "count" else "Change (+ or −)", value=None, step=1.0 if whole else 0.1,
            format="%.12g", key=f"quantity_{form}", placeholder="0",
        )  # fmt: skip
    if mode == "change":
        labels = looks.reasons()
        st.selectbox(
            "Reason", _codes(quantity), format_func=lambda code: labels.get(code, code),
            key=_reason_field(form, quantity),
        )  # fmt: skip
    st.text_input("Note", key=f"note_{form}", placeholder="Why, if it is worth knowing")
    before = levels[place].quantity
    after, change = _preview(mode, quantity, before)
    problem = _problem(detail, mode, quantity, after, levels[place])
    unit = ui.unit_md(detail.product.unit_of_measure, after)
    if after is None:
        st.markdown(":gray[Enter a quantity to see what it will be.]")
    elif problem:
        ui.refused(problem)
    else:
        st.markdown(f"**{_write(before)} → {_write(after)}**{unit} in {ui.safe_md(levels[place].code)}")
        if change:
            _draw_odd(detail.product.id, form, mode, place, change)
    st.button(
        f"Book {ui.formats().change(change)}" if change and not problem else "Book",
        type="primary", key=f"book_{form}", width="stretch", on_click=book,
        args=(str(detail.product.uid), detail.product.id, form, mode, place),
        disabled=not change or problem is not None,
    )  # fmt: skip
    _answer(detail)


def _draw_odd(product_id: int, form: str, mode: str, place: int, change: Decimal) -> None:
    """What is odd about it, with what it was probably meant to be; it can be booked all the same."""
    code = "count" if mode == "count" else st.session_state[_reason_field(form, change)]
    (odd,) = anomaly_warning.of([Typed(product_id, place, change, code)])
    if odd is None:
        return
    wanted = anomaly_warning.amount(odd) if mode == "change" else None
    anomaly_warning.draw(
        odd.sentence, wanted, key="adjust", on_click=_take_instead,
        args=(form, float(wanted.copy_sign(change)) if wanted is not None else None),
    )  # fmt: skip


def _take_instead(form: str, quantity: float) -> None:
    st.session_state[f"quantity_{form}"] = quantity


def _codes(quantity: Decimal | float | None) -> tuple[str, ...]:
    """The reasons that a change of this sign can have."""
    return ADDS if quantity is not None and quantity > 0 else TAKES_AWAY


def _reason_field(form: str, quantity: Decimal | float | None) -> str:
    return f"reason_{form}_{_codes(quantity)[0]}"


def _preview(mode: str, quantity: float | None, before: Decimal) -> tuple[Decimal | None, Decimal]:
    """Stock after, and the change that leads there."""
    if quantity is None:
        return None, Decimal(0)
    amount = Decimal(repr(quantity))
    after = amount if mode == "count" else before + amount
    return after, after - before


def _problem(
    detail: Detail, mode: str, quantity: float | None, after: Decimal | None, level: Level
) -> str | None:
    """Why what was typed cannot be booked. The field itself has no limits: the browser would keep what breaks
    them to itself, and the quantity before it would be booked."""
    if quantity is None:
        return None
    sku, typed = detail.product.sku, Decimal(repr(quantity))
    try:
        exact(typed, "Counted" if mode == "count" else "Change")
    except RunoutError as refusal:
        return refusal.sentence
    if detail.product.unit_of_measure in WHOLE_UNITS and typed != typed.to_integral_value():
        return f"{sku} is counted in whole numbers: {plain(typed)} is not one."
    if mode == "count" and typed < 0:
        return f"{sku}: nobody can count {plain(typed)}."
    if after < 0:
        return f"{sku}: {plain(-typed)} asked for, {plain(level.quantity)} on hand in {level.code}."
    return None


def book(uid: str, product_id: int, form: str, mode: str, place: int) -> None:
    """Book what the form says. A double click or a rerun carries the same form, so it is booked once."""
    mine, today = ledger.desk(), looks.today()
    typed = st.session_state.get(f"quantity_{form}")
    code = st.session_state.get(_reason_field(form, typed)) or _codes(typed)[0]
    about = {"reason": (st.session_state.get(f"note_{form}") or "").strip() or None, "key": form}

    def work(session):
        if mode == "count":
            booked = stock.set_to(session, person, product_id, place, exact(typed, "Counted"), **about)
        else:
            change = exact(typed, "Change")
            booked = stock.adjust(session, person, product_id, place, change, reason_code=code, **about)
        predictions.refresh(session, [product_id], today)
        return booked

    answer: dict[str, Any] = {"product": uid}
    try:
        person = signin.require()
        if typed is None:
            raise BadInput("Enter a quantity first.")
        if len(about["reason"] or "") > LONGEST_NOTE:
            raise BadInput(f"Note: {len(about['reason'])} characters, and at most {LONGEST_NOTE} fit.")
        booked = transact(work)
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    else:
        mine["forms"][uid] = uuid.uuid4().hex
        if booked is not None:
            (line,) = booked.lines
            answer |= {
                "before": plain(line.before),
                "after": plain(line.after),
                "movement": line.movement_id,
                "place": line.warehouse_id,
            }
    mine["booked"] = answer
    mine.pop("undone", None)
    looks.forget()


def _answer(detail: Detail) -> None:
    """What became of the last booking: before, after and Undo."""
    answer = ledger.desk().get("booked")
    if not answer or answer["product"] != str(detail.product.uid):
        if ledger.desk().get("undone", {}).get("product") == str(detail.product.uid):
            ledger.undo_answer()
        return
    if "refused" in answer:
        ui.refused(answer["refused"])
        return
    if "movement" not in answer:
        st.info("The count is what was on hand already: nothing to book.", icon=":material/check:")
        return
    code = next(level.code for level in detail.levels if level.warehouse_id == answer["place"])
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="booked_line"):
        change = f"{_write(answer['before'])} → {_write(answer['after'])}"
        st.markdown(f":material/check: **{change}** in {ui.safe_md(code)}")
        ledger.undo_button(answer["movement"], str(detail.product.uid), key="undo_booked")
    if ledger.desk().get("undone", {}).get("movement") == answer["movement"]:
        ledger.undo_answer()  # refused: what was done still stands, and so does its Undo


def _write(quantity: Decimal | str) -> str:
    return ui.safe_md(ui.formats().quantity(Decimal(quantity)))
