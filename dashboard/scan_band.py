"""The band: what became of the last code, in words and colour, with Undo and more or less of it."""

from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from core.posting import plain
from dashboard import anomaly_warning, editing, scan_desk, ui

LEVELS_SHOWN = 6
NOTHING = Decimal(0)
ONE = Decimal(1)
ICONS = {
    "booked": ":material/check_circle:",
    "found": ":material/search:",
    "linked": ":material/link:",
    "undone": ":material/undo:",
    "refused": ":material/error:",
    "chosen": ":material/tune:",
    "ignored": ":material/block:",
}


def draw(desk: dict[str, Any], *, can_book: bool) -> None:
    """The band, full width; nothing before the first code."""
    if "refused" in desk:
        ui.refused(desk["refused"])
    facts = desk.get("last")
    if not facts:
        return
    with st.container(key="scan-band"), st.container(key=f"scan-tone-{_tone(facts)}"):
        st.markdown(f"{ICONS[facts['kind']]} {_words(facts)}")
        about = _about(facts)
        if about:
            st.markdown(" &nbsp; ".join(about))
        if facts["kind"] == "found" and facts["product_uid"]:
            st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                         query_params={"id": facts["product_uid"]})  # fmt: skip
        if can_book and facts["kind"] == "booked" and facts["can_undo"]:
            _draw_odd(desk, facts)
            _draw_keys(desk, facts)


def _tone(facts: dict[str, Any]) -> str:
    """Which colour the band has; its icon and words say the same."""
    if facts["kind"] == "refused":
        return "no"
    if facts.get("is_low") or (facts["kind"] == "booked" and facts.get("odd")):
        return "low"
    return "yes" if facts["kind"] in ("booked", "linked") else "calm"


# -- Words ---------------------------------------------------------------------------------------------------


def _words(facts: dict[str, Any]) -> str:
    kind = facts["kind"]
    if kind == "chosen":
        return _chosen(facts)
    if kind == "booked" or (kind == "undone" and facts["change"] is not None):
        return _moved(facts)
    if kind == "found" and facts.get("name"):
        return _found(facts)
    return f"**{ui.safe_md(facts.get('said') or 'Known before: nothing was booked again.')}**"


def _chosen(facts: dict[str, Any]) -> str:
    what, word = facts["what"], facts["word"]
    if what == "mode":
        return f"**{scan_desk.MODES[word]}** from here on"
    return f"**{'To' if what == 'to' else 'In'} {ui.safe_md(word)}** from here on"


def _moved(facts: dict[str, Any]) -> str:
    """−1 M6 bolt → 41 left in WH-A."""
    write, name = ui.formats(), ui.safe_md(facts["name"])
    back = "Taken back: " if facts["kind"] == "undone" else ""
    change, after = Decimal(facts["change"]), _quantity(facts["after"])
    if facts["to_after"] is not None:
        moved = ui.safe_md(write.quantity(abs(change))) + ui.unit_md(facts["unit"], abs(change))
        here = editing.changed(ui.safe_md(facts["warehouse_code"]), *_pair(facts["before"], facts["after"]))
        there = editing.changed(
            ui.safe_md(facts["to_warehouse_code"]), *_pair(facts["to_before"], facts["to_after"])
        )
        sides = f"{here} &nbsp; {there}".replace(" → ", "&nbsp;→ ")  # 19 → 16 is one word to a phone
        return f"{back}**{moved} {name}** &nbsp; {sides}"
    place = ui.safe_md(facts["warehouse_code"])
    if facts["mode"] == "count" and not back:
        return f"**{name}** counted: **{_quantity(facts['before'])} → {after}** in {place}"
    amount = ui.safe_md(write.change(change)) + ui.unit_md(facts["unit"], abs(change))
    return f"{back}**{amount} {name} → {after}** left in {place}"


def _found(facts: dict[str, Any]) -> str:
    name, sku = ui.safe_md(facts["name"]), ui.safe_md(facts["sku"])
    if facts["mode"] == "count":
        place = ui.safe_md(facts["warehouse_code"])
        return f"**{name}** counted: **{_quantity(facts['after'])}** in {place}, as in the books"
    if facts["mode"] == "link":
        return f"**Known already: {name}** &nbsp; :gray[{sku}]"
    on_hand = _quantity(facts["on_hand"]) + ui.unit_md(facts["unit"], Decimal(facts["on_hand"]))
    return f"**{name}** &nbsp; :gray[{sku}] &nbsp; **{on_hand}** on hand"


def _about(facts: dict[str, Any]) -> list[str]:
    """The smaller words under the line: threshold, order, pack, lot and expiry, what lies where."""
    told = []
    if facts.get("reorder_threshold") is not None and facts["kind"] in ("booked", "found"):
        at = _quantity(facts["reorder_threshold"])
        is_of_all = facts["threshold_of"] == "shop" and facts.get("warehouse_code")
        where = " in all warehouses" if is_of_all else ""
        if facts["is_low"]:
            told.append(f":orange-badge[Low: reorder at {at}{where}]")
        else:
            told.append(f":gray[reorder at {at}{where}]")
    if facts.get("order_number"):
        left = Decimal(facts["order_left"] or NOTHING)
        came = f"{_quantity(left)} still to come" if left else "all of it is here"
        told.append(f"**{ui.safe_md(facts['order_number'])}**: {came}")
    if facts.get("pack_factor") and Decimal(facts["pack_factor"]) != ONE:
        told.append(f":gray[1 pack = {_quantity(facts['pack_factor'])} pieces]")
    if facts.get("lot"):
        told.append(f"Lot **{ui.safe_md(facts['lot'])}**")
    if facts.get("serial"):
        told.append(f"Serial **{ui.safe_md(facts['serial'])}**")
    if facts.get("expires_on"):
        told.append(f"Expires **{ui.safe_md(ui.formats().day(date.fromisoformat(facts['expires_on'])))}**")
    if facts["kind"] == "found" and facts["mode"] == "look_up":
        told += [
            f":gray[{ui.safe_md(code)}] {_quantity(lies)}"
            for code, lies in facts["levels"][:LEVELS_SHOWN]
            if len(facts["levels"]) > 1
        ]
    return told


def _quantity(value: str | Decimal) -> str:
    return ui.safe_md(ui.formats().quantity(Decimal(value)))


def _pair(before: str, after: str) -> tuple[str, str]:
    write = ui.formats()
    return write.quantity(Decimal(before)), write.quantity(Decimal(after))


# -- More or less of it --------------------------------------------------------------------------------------


def _draw_odd(desk: dict[str, Any], facts: dict[str, Any]) -> None:
    """What was odd about it, with what it was probably meant to be as one tap: that is booked instead."""
    if not (odd := facts.get("odd")):
        return
    wanted = odd["instead"]
    anomaly_warning.draw(
        odd["sentence"], None if wanted is None else Decimal(wanted), key="scan",
        on_click=scan_desk.correct, args=(desk, facts["uid"], wanted),
    )  # fmt: skip


def _draw_keys(desk: dict[str, Any], facts: dict[str, Any]) -> None:
    """Back, one less, one more, another pack, or a number: always of the scan that the band shows."""
    uid, quantity = facts["uid"], Decimal(facts["quantity"])
    with st.container(key="scan-keys", horizontal=True, gap="small"):
        st.button("Undo", key="band_undo", icon=":material/undo:", on_click=scan_desk.undo, args=(desk, uid))
        if facts["mode"] != "count":
            less = plain(max(quantity - ONE, NOTHING))
            st.button("−1", key="band_less", on_click=scan_desk.correct, args=(desk, uid, less))
            st.button("+1", key="band_more", on_click=scan_desk.again, args=(desk, uid, "1"))
            pack = Decimal(facts["pack_factor"] or ONE)
            if pack != ONE:
                st.button(f"+{_quantity(pack)}", key="band_pack", on_click=scan_desk.again,
                          args=(desk, uid, plain(pack)))  # fmt: skip
        with st.popover("Number", key=f"scan_number_{uid}"):
            typed = editing.number(
                st.number_input("It was so many", value=float(quantity), step=1.0, format="%.12g",
                                key=f"band_number_{uid}")
            )  # fmt: skip
            st.button(
                f"Book {_quantity(typed)} instead", key="band_correct", type="primary",
                disabled=Decimal(typed) == quantity, on_click=scan_desk.correct, args=(desk, uid, typed),
            )  # fmt: skip
