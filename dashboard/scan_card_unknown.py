"""The card of a code that no product has: link it to one, create one, or ignore it; then the scan goes on."""

from decimal import Decimal
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, catalogue, products
from core.auth import Actor
from core.errors import RunoutError
from core.scanning import linking, resolver, scans
from core.scanning import reading as readings
from core.scanning.reading import Reading
from dashboard import editing, looks, pressing, scan_desk, scan_entries, signin, ui
from dashboard.editing import Answer
from dashboard.formats import PIECES
from dashboard.pickers import MOST_CHARACTERS
from dashboard.product_form import UNITS
from db.session import reading

MOST_FOUND = 5  # what a thumb goes through; where more fit, another word finds it sooner
PLAIN = "No product has the"  # what the title says already
USUAL_FACTOR = Decimal(1)


def draw(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """What was read, and the ways on that this person has."""
    person, mine = signin.require(), _mine(entry)
    read = _read(entry)
    st.markdown(f"**Not known: {ui.safe_md(read.text if read else entry['code'])}**")
    sentence = entry.get("sentence") or ""
    about = ["" if sentence.startswith(PLAIN) else sentence, *_printed(read)]
    if any(about):
        st.markdown(f":gray[{ui.safe_md(' '.join(part for part in about if part))}]")
    _draw_refusals(mine, entry)
    if "linked" in mine:
        _draw_linked(desk, entry)
        return
    if not auth.may(person, "move stock"):
        st.markdown(":gray[You may look things up. Somebody who books stock can link it to a product.]")
    elif mine.get("creates") and auth.may(person, "edit catalogue"):
        _draw_create(mine, desk, entry, read)
        return
    elif _kind(read) == "code":
        _draw_link(mine, desk, entry)
    _draw_ways_out(mine, desk, entry, person, read)


def _mine(entry: dict[str, Any]) -> dict[str, Any]:
    return editing.desk(f"unknown {entry['key']}")


def _read(entry: dict[str, Any]) -> Reading | None:
    try:
        return readings.read(entry["code"], entry.get("symbology"))
    except RunoutError:
        return None


def _kind(read: Reading | None) -> str:
    """A label of the shop itself ("sku", "place") is linked to nothing."""
    return read.kind if read else "code"


def _printed(read: Reading | None) -> list[str]:
    """What a GS1 code says of the piece in hand, besides its number."""
    if read is None:
        return []
    write = ui.formats()
    said = [
        ("Lot", read.lot),
        ("Serial", read.serial),
        ("Expires", read.expires_on and write.day(read.expires_on)),
        ("Weight", read.weight_kg is not None and f"{write.quantity(read.weight_kg)} kg"),
    ]
    return [f"{label} {value}." for label, value in said if value]


def _draw_refusals(mine: dict[str, Any], entry: dict[str, Any]) -> None:
    for sentence in (mine.get("refused"), entry.get("refused")):
        if sentence:
            ui.refused(sentence)


def _draw_linked(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """It has its product by now, but what was to be booked was refused."""
    st.markdown("The code is linked. Nothing is booked yet.")
    with st.container(horizontal=True):
        st.button("Book it again", type="primary", key="unknown_again", on_click=scan_desk.go_on,
                  args=(desk, entry["key"]))  # fmt: skip
        st.button("Leave it", key="unknown_leave", on_click=scan_desk.drop, args=(desk, entry["key"]))


def _draw_ways_out(
    mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any], person: Actor, read: Reading | None
) -> None:
    is_product = _kind(read) in ("code", "sku")
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_product and auth.may(person, "edit catalogue"):
            st.button("Create a product", key="unknown_create", icon=":material/add:",
                      on_click=mine.update, kwargs={"creates": True})  # fmt: skip
        elif is_product and auth.may(person, "move stock"):
            st.markdown(":gray[Not in the catalogue? A manager can create it.]", width="content")
        st.button("Ignore", key="unknown_ignore", on_click=_ignore, args=(mine, desk, entry))


# -- Link ----------------------------------------------------------------------------------------------------


def _draw_link(mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """Which product it is: those the code hints at, or those that the words find."""
    form = mine["form"]
    typed = st.text_input(
        "Which product is it?", key=f"unknown_search_{form}", type="search", live="400ms",
        placeholder="Name, SKU or another barcode", max_chars=MOST_CHARACTERS, icon=":material/search:",
    )  # fmt: skip
    wanted = ui.typed(typed or "").replace("\x00", "").strip()
    # For the code of a case nobody but its label knows how many are in it.
    found, total = _found(wanted, entry)
    usual = None if found and not wanted else USUAL_FACTOR
    editing.number_field(
        "Pieces in one scan of it", usual, key=f"unknown_factor_{form}", placeholder="12", width=220,
        help_="1 for the code on the piece itself, 12 for the code on a carton of twelve.",
    )  # fmt: skip
    for product_id, name, sku, on_hand in found:
        key = f"unknown-found-{product_id}"
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=key):
            about = ui.safe_md(f"{sku} · {ui.formats().quantity(on_hand)} on hand")
            st.markdown(f"**{ui.safe_md(name)}**  \n:gray[{about}]", width="stretch")
            st.button("Link", key=f"unknown_link_{product_id}", icon=":material/link:", on_click=_link,
                      args=(mine, desk, entry, form, product_id))  # fmt: skip
    if wanted and not total:
        st.markdown(":gray[No product fits these words.]")
    elif total > len(found):
        more = ui.formats().number(total - len(found))
        st.markdown(f":gray[{ui.safe_md(more)} more fit: type more of the name.]")


def _found(wanted: str, entry: dict[str, Any]) -> tuple[list[tuple[int, str, str, Decimal]], int]:
    """(id, name, SKU, on hand) of what the words find, or of what the code hints at; and of how many."""
    person = signin.require()
    with reading() as session:
        if wanted:
            rows, total = products.search(session, text=wanted, sort="name", limit=MOST_FOUND)
            return [(int(r.product_id), r.name, r.sku, r.on_hand) for r in rows.itertuples()], total
        hints = resolver.resolve(session, person, entry["code"], symbology=entry.get("symbology")).candidates
        details = [products.by_uid(session, hint.uid) for hint in hints[:MOST_FOUND]]
        return [(d.product.id, d.product.name, d.product.sku, d.on_hand) for d in details], len(hints)


def _link(
    mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any], form: str, product_id: int
) -> None:
    """Give the code to a product; then what was to be done with it is done."""
    factor = editing.number(st.session_state.get(f"unknown_factor_{form}"))

    def work(session: Session, person: Actor) -> Answer:
        pieces = editing.needed(factor, "Pieces in one scan of it")
        kept = linking.link(
            session, person, entry["code"], product_id, pieces, symbology=entry.get("symbology")
        )
        return Answer(f"**{ui.safe_md(kept.code)}** is linked.")

    if pressing.once(mine, form, work) is not None:
        mine["linked"] = {"product_id": product_id, "quantity": factor}
    _go_on(mine, desk, entry)


def _go_on(mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """Where the code has its product, what the scan was for is done with the scan's own key.

    Where the second press of a double click ended the run of the first one after its write, it gets here.
    """
    if "linked" in mine:
        scan_desk.go_on(desk, entry["key"], **(mine["linked"] if entry["mode"] == "link" else {}))


def _ignore(mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """Nothing is done with the code, however often it was scanned, and the history says so."""
    keys = [one["key"] for one in (entry, *scan_entries.of_same_code(desk, entry))]

    def work(session: Session, person: Actor) -> None:
        for key in keys:
            scans.ignore(session, person, key)

    editing.write(mine, work)
    if "refused" not in mine:
        for key in keys:
            scan_desk.drop(desk, key)


# -- Create --------------------------------------------------------------------------------------------------


def _draw_create(
    mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any], read: Reading | None
) -> None:
    """The few fields without which there is no product; its page has the others."""
    form = mine["form"]
    st.text_input("Name", key=f"new_name_{form}", placeholder="What it says on the label")
    left, middle, right = st.columns(3)
    left.text_input("SKU", value=_suggested_sku(read), key=f"new_sku_{form}")
    usual = "kg" if read and read.weight_kg is not None else PIECES[0]
    middle.selectbox("Unit", UNITS, index=UNITS.index(usual), key=f"new_unit_{form}", accept_new_options=True)
    with right:
        editing.number_field("Pieces in one scan of it", USUAL_FACTOR, key=f"new_factor_{form}",
                             placeholder="1")  # fmt: skip
    with st.container(horizontal=True):
        st.button("Create and go on", type="primary", key="unknown_make", on_click=_create,
                  args=(mine, desk, entry, form))  # fmt: skip
        st.button("Back", key="unknown_back", on_click=mine.pop, args=("creates", None))


def _suggested_sku(read: Reading | None) -> str:
    """A number that is the product's own already, until somebody has a better one."""
    return "" if read is None else read.sku or read.code or ""


def _create(mine: dict[str, Any], desk: dict[str, Any], entry: dict[str, Any], form: str) -> None:
    """Make the product with the code; then what was to be done with it is done."""
    said = {name: st.session_state.get(f"new_{name}_{form}") for name in ("name", "sku", "unit", "factor")}
    kind, today, made = _kind(_read(entry)), looks.today(), []

    def work(session: Session, person: Actor) -> Answer:
        product = catalogue.create(
            session, person, sku=editing.needed((said["sku"] or "").strip(), "SKU"),
            name=editing.needed((said["name"] or "").strip(), "Name"),
            unit_of_measure=editing.needed(said["unit"], "Unit", "choose"), today=today,
        )  # fmt: skip
        pieces = editing.needed(editing.number(said["factor"]), "Pieces in one scan of it")
        if kind == "code":
            linking.link(session, person, entry["code"], product.id, pieces, symbology=entry.get("symbology"))
        made[:] = [product.id]
        return Answer(f"**{ui.safe_md(product.name)}** is in the catalogue.")

    if pressing.once(mine, form, work) is not None:
        mine["linked"] = {"product_id": made[0], "quantity": editing.number(said["factor"])}
    _go_on(mine, desk, entry)
