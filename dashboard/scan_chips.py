"""What a scan does and where: the modes, and what is sticky as chips that can be taken off."""

from functools import partial
from typing import Any

import streamlit as st

from core.auth import Actor
from core.scanning.scan_booking import BOOKING, REASONS
from dashboard import looks, scan_delivery, scan_desk, ui

SHOWN = ("mode", "warehouse_id", "to_warehouse_id", "reasons", "each")


def shown(desk: dict[str, Any]) -> str:
    """What the chips say, to see whether they have to be drawn anew."""
    return repr([[desk[name] for name in SHOWN], scan_delivery.deliveries(desk)])


def draw(desk: dict[str, Any], person: Actor) -> None:
    """The modes this person has, then the chips of the chosen one."""
    desk["shown"] = shown(desk)
    if scan_desk.may_book(person):
        _draw_modes(desk)
    with st.container(key="scan-chips", horizontal=True, vertical_alignment="center", gap="small"):
        _draw_places(desk)
        if desk["mode"] in REASONS:
            _draw_reason(desk)
        if desk["mode"] in (*REASONS, "count"):
            _draw_each(desk)
        for uid, number in scan_delivery.deliveries(desk).items():
            _chip(f"Receiving {number}", f"delivery_{uid}", partial(scan_delivery.forget, desk))


def _draw_modes(desk: dict[str, Any]) -> None:
    """The modes. They get a new name where something else chose, as a label that switches the mode.

    With each run the browser says what its controls hold, several times a second while the camera plays. Of
    the old name it may still say the old mode: under the same name that would be a press that switches back.
    """
    turn = desk.get("mode_turn", 0)
    if st.session_state.get(f"scan_mode_{turn}", desk["mode"]) != desk["mode"]:
        desk["mode_turn"] = turn = turn + 1
    key = f"scan_mode_{turn}"
    st.session_state[key] = desk["mode"]
    with st.container(key="scan-modes"):
        st.segmented_control(
            "What a scan does", list(scan_desk.MODES), format_func=scan_desk.MODES.get, key=key,
            required=True, width="stretch", label_visibility="collapsed", on_change=_switch, args=(desk, key),
        )  # fmt: skip


def _switch(desk: dict[str, Any], key: str) -> None:
    scan_desk.choose(desk, mode=st.session_state[key])


def _draw_places(desk: dict[str, Any]) -> None:
    """Where one is, and where a transfer goes."""
    codes = {place.id: place.code for place in looks.places()}
    if desk["mode"] not in BOOKING or len(codes) < 2:
        return
    is_transfer = desk["mode"] == "transfer"
    for name, label in (("warehouse_id", "From"), ("to_warehouse_id", "To"))[: 2 if is_transfer else 1]:
        if desk[name] in codes:
            words = f"{label} {codes[desk[name]]}" if is_transfer else codes[desk[name]]
            _chip(words, name, partial(scan_desk.choose, desk, **{name: None}))
        else:
            others = [place for place in codes if not is_transfer or place not in _other(desk, name)]
            words = f"{label} where?" if is_transfer else "Where are you?"
            st.markdown(f"**{words}**", width="content")
            _pick(words, name, desk, others, codes)


def _other(desk: dict[str, Any], name: str) -> tuple[int | None, ...]:
    return (desk["to_warehouse_id" if name == "warehouse_id" else "warehouse_id"],)


def _draw_reason(desk: dict[str, Any]) -> None:
    """Why stock comes or goes: a chip when it is not the usual reason."""
    mode, labels = desk["mode"], looks.reasons()
    usual, chosen = REASONS[mode][0], desk["reasons"].get(mode)
    if chosen is not None and chosen != usual:
        _chip(labels.get(chosen, chosen), "reason", partial(scan_desk.choose, desk, reason=None))
        return
    with st.popover(labels.get(usual, usual), key="scan_reasons"):
        _pick("Why", "reason", desk, list(REASONS[mode]), labels)


def _draw_each(desk: dict[str, Any]) -> None:
    """What one scan counts: a chip when it is not what the code stands for."""
    if desk["each"] != "code":
        words = "Each scan: ask me" if desk["each"] == "ask" else "Each scan: 1 piece"
        _chip(words, "each", partial(scan_desk.choose, desk, each="code"))
        return
    with st.popover("Each scan: its pack", key="scan_each"):
        kinds = {name: words for name, words in scan_desk.EACH.items() if _can_be(desk, name)}
        _pick("What one scan counts", "each", desk, list(kinds), kinds, now="code")


def _can_be(desk: dict[str, Any], each: str) -> bool:
    return each != "ask" or desk["mode"] in REASONS


def _chip(words: str, name: str, take_off: Any) -> None:
    """A chip; a press takes it off."""
    st.button(ui.safe_md(words), key=f"chip_{name}", icon=":material/close:", on_click=take_off)


def _pick(label: str, name: str, desk: dict[str, Any], options: list, words: dict, now: Any = None) -> None:
    """Something to choose from; the choice becomes a chip."""
    key = f"pick_{name}"
    st.session_state[key] = now

    def chosen() -> None:
        if (value := st.session_state[key]) is not None:
            scan_desk.choose(desk, **{name: value})

    st.pills(
        label, options, format_func=lambda one: ui.safe_md(words.get(one, one)), key=key, on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip
