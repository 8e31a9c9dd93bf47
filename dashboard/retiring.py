"""The end of a product or a warehouse: deactivated with a way back, or erased, each asked about first."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, catalogue, warehouses
from core.auth import Actor
from dashboard import editing, looks, ui
from dashboard.editing import Answer, Work


@dataclass(frozen=True)
class Retiring:
    """What can be done to one thing, and the words that ask about it."""

    name: str
    is_active: bool
    deactivating: str
    deactivate: Work
    reactivate: Work
    delete: Work
    gone: str  # name of the desk that says so when the thing is no more


def draw(mine: dict[str, Any], thing: Retiring, person: Actor) -> None:
    """Its buttons and what became of the last click; what cannot be taken back is confirmed first."""
    st.space("xxsmall")
    with st.container(horizontal=True, key="retiring"):
        if thing.is_active:
            with st.popover("Deactivate", icon=":material/block:", key=f"deactivating_{mine['form']}"):
                st.markdown(thing.deactivating)
                st.button("Deactivate it", key="deactivate", on_click=_do, args=(mine, thing.deactivate))
        else:
            st.button(
                "Reactivate", key="reactivate", icon=":material/replay:", on_click=editing.write,
                args=(mine, thing.reactivate),
            )  # fmt: skip
        if auth.may(person, "delete catalogue"):
            with st.popover("Delete", icon=":material/delete:", key=f"deleting_{mine['form']}"):
                st.markdown(
                    f"{ui.safe_md(thing.name)} is erased for good when nothing ever happened to it; "
                    "otherwise it is deactivated, so that its history stays."
                )
                st.button("Delete it", key="delete", on_click=_delete, args=(mine, thing))
    editing.draw_answer(mine, key="retiring")


def _do(mine: dict[str, Any], work: Work) -> Any:
    """The write, after which the question is folded away: it would cover the answer."""
    answer = editing.write(mine, work)
    editing.renew(mine)
    return answer


def _delete(mine: dict[str, Any], thing: Retiring) -> None:
    answer = _do(mine, thing.delete)
    if answer is not None and answer.undo is None:  # erased: there is no way back, and no page any more
        editing.desk(thing.gone)["answer"] = mine.pop("answer")
        st.query_params.pop("id", None)


def of_product(product: Any) -> Retiring:
    """A product: it leaves lists and forecasts, its page stays."""
    about = {"product_id": product.id, "name": product.name}
    return Retiring(
        product.name,
        product.is_active,
        "It leaves every list, run-out and forecast. Its page and history stay, and you can reactivate it.",
        partial(_deactivate_product, **about),
        partial(_reactivate_product, **about),
        partial(_delete_product, **about),
        "product gone",
    )


def of_warehouse(place: Any) -> Retiring:
    """A warehouse: nothing is booked there any more, what happened stays."""
    about = {"warehouse_id": place.id, "name": place.code}
    return Retiring(
        place.code,
        place.is_active,
        "Nobody can choose it any more. Its movements stay, and you can reactivate it.",
        partial(_deactivate_warehouse, **about),
        partial(_reactivate_warehouse, **about),
        partial(_delete_warehouse, **about),
        "warehouse gone",
    )


def _deactivate_product(session: Session, person: Actor, *, product_id: int, name: str) -> Answer:
    catalogue.deactivate(session, person, product_id)
    back = partial(_reactivate_product, product_id=product_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** is not sold any more.", back)


def _reactivate_product(session: Session, person: Actor, *, product_id: int, name: str) -> Answer:
    catalogue.reactivate(session, person, product_id, looks.today())
    back = partial(_deactivate_product, product_id=product_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** is sold again.", back)


def _delete_product(session: Session, person: Actor, *, product_id: int, name: str) -> Answer:
    if catalogue.delete(session, person, product_id) == "erased":
        return Answer(f"**{ui.safe_md(name)}** is erased.")
    back = partial(_reactivate_product, product_id=product_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** has a history, so it was deactivated.", back)


def _deactivate_warehouse(session: Session, person: Actor, *, warehouse_id: int, name: str) -> Answer:
    warehouses.deactivate(session, person, warehouse_id)
    back = partial(_reactivate_warehouse, warehouse_id=warehouse_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** is not in use any more.", back)


def _reactivate_warehouse(session: Session, person: Actor, *, warehouse_id: int, name: str) -> Answer:
    warehouses.reactivate(session, person, warehouse_id)
    back = partial(_deactivate_warehouse, warehouse_id=warehouse_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** is in use again.", back)


def _delete_warehouse(session: Session, person: Actor, *, warehouse_id: int, name: str) -> Answer:
    if warehouses.delete(session, person, warehouse_id) == "erased":
        return Answer(f"**{ui.safe_md(name)}** is erased.")
    back = partial(_reactivate_warehouse, warehouse_id=warehouse_id, name=name)
    return Answer(f"**{ui.safe_md(name)}** has a history, so it was deactivated.", back)
