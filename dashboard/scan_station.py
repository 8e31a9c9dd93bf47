"""The station: codes come in from the field and the camera, and what became of them is said at once."""

from decimal import Decimal
from typing import Any

import streamlit as st

from core.auth import Actor
from dashboard import (
    camera,
    editing,
    looks,
    order_words,
    scan_band,
    scan_cards,
    scan_chips,
    scan_counting,
    scan_desk,
    scan_entries,
    scan_list,
    scan_photo,
    scan_recent,
    scan_work,
    scanner,
    signin,
    ui,
)

CAMERA = "scan"
FIELD = "scan_field"
TICK_SECONDS = 0.3  # how often codes of the camera are asked for while it plays
WAYS = {"camera": "Camera", "photo": "Photo", "list": "Paste a list"}
NOTES = {
    "look_up": "A code shows its product. Nothing is booked.",
    "in": "Each code is booked in at once, with Undo.",
    "out": "Each code is booked out at once, with Undo.",
    "transfer": "Each code asks how many go where.",
    "count": "Each code adds to the count of its product. Nothing is booked before you say so.",
    "link": "A code that is not known is linked to the product you choose.",
}


def draw_sources(desk: dict[str, Any]) -> None:
    """The other ways in, besides the field: outside the fragment, where they keep what they hold."""
    with st.container(key="scan-ways"):
        way = st.segmented_control(
            "Source", list(WAYS), format_func=WAYS.get, default="camera", key="scan_way", required=True,
            width="stretch", label_visibility="collapsed",
        )  # fmt: skip
    if way == "camera":
        camera.draw(CAMERA, counting=desk["mode"] == "count")
    elif way == "photo":
        scan_photo.draw(desk)
    else:
        scan_list.draw(desk)


def draw(desk: dict[str, Any]) -> None:
    """The field, the band and the last scans; while the camera plays, somebody listens for its codes."""
    _draw(desk)
    if camera.is_playing(CAMERA):
        _listen(desk)


@st.fragment(run_every=TICK_SECONDS)
def _listen(desk: dict[str, Any]) -> None:
    """Take what the camera has read, and draw the page when there was something.

    It is a fragment of its own: drawn anew every third of a second, the fields of a card could not be used.
    """
    signin.still("read")
    scan_desk.arrive(desk, camera.codes(CAMERA), "camera")
    if desk["told"]["n"] != desk.get("drawn"):
        st.rerun()


@st.fragment
def _draw(desk: dict[str, Any]) -> None:
    person = signin.still("read")
    _take(desk)
    if desk.get("shown") != scan_chips.shown(desk):
        st.rerun()  # a label chose something: the chips outside show it
    answered = desk["told"]["n"]
    _draw_field(desk, person)
    with st.container(key=_sheet()):
        if is_held := _is_held(desk):
            _draw_asked(desk)
        scan_band.draw(desk, can_book=scan_desk.may_book(person))
        if not is_held:
            _draw_asked(desk)
        scan_counting.draw(desk)
    if not desk.get("last") and not desk["waiting"] and not desk["counts"]:
        st.markdown(f":gray[{NOTES[desk['mode']]}]")
    scan_recent.draw(desk, person)
    desk["drawn"] = answered


def _is_held(desk: dict[str, Any]) -> bool:
    """Something holds up the codes after it: it comes first, else what became of the last code does."""
    return any(entry["kind"] in scan_entries.BLOCKS for entry in desk["waiting"])


def _draw_asked(desk: dict[str, Any]) -> None:
    scan_cards.draw(desk)
    _draw_waiting(desk)


def _sheet() -> str:
    """Where the answers stand: under the field; on a phone whose camera plays at the bottom of the screen."""
    if not camera.is_playing(CAMERA):
        return "scan-answers"
    return "scan-sheet-dark" if ui.is_dark() else "scan-sheet-light"


def _take(desk: dict[str, Any]) -> None:
    """Everything that came in since the last run, and what an interrupted run has left."""
    scan_desk.arrive_kept(desk, scanner.arrived(FIELD))
    scan_desk.arrive(desk, camera.codes(CAMERA), "camera")


def _draw_field(desk: dict[str, Any], person: Actor) -> None:
    asked = any(entry["kind"] in scan_work.ADDS_UP for entry in desk["waiting"])
    held = [*desk["waiting"], *(code for line in desk["counts"].values() for code in line["codes"])]
    kept = [
        scanner.Kept(key, entry["code"], entry["source"], scan_entries.about(entry))
        for entry in held
        for key in (entry["key"], *entry["also"])
    ]
    scanner.draw(
        "Scan or type a code", "Enter says yes" if asked else "Code, then Enter", key=FIELD,
        store=f"scan {person.uid}", kept=kept, told=desk["told"], enter=scan_work.ENTER if asked else None,
        done=[str(code.key) for code in scanner.arrived(FIELD) if str(code.key) in desk["finished"]],
    )  # fmt: skip


# -- What waits for a word -----------------------------------------------------------------------------------


def _draw_waiting(desk: dict[str, Any]) -> None:
    """What the first code that holds up the others asks, where no card asks it, and how many wait behind."""
    first = next((entry for entry in desk["waiting"] if entry["kind"] in scan_entries.BLOCKS), None)
    if first is None:
        return
    if first["kind"] in ASKS:
        with st.container(border=True, key="scan-asks"):
            ASKS[first["kind"]](desk, first)
    behind = sum(entry["kind"] is None for entry in desk["waiting"])
    if behind:
        noun = order_words.count(behind, "more code")
        st.markdown(f":gray[{noun} {'waits' if behind == 1 else 'wait'} behind this one.]")


def _ask_place(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    places = {place.id: place for place in looks.places()}
    if not places:
        ui.refused("There is no warehouse yet: nothing can be booked.")
    else:
        st.markdown(f"**Where are you?** &nbsp; :gray[{ui.safe_md(entry['code'])} waits for it.]")
    with st.container(horizontal=True, gap="small"):
        for place in places.values():
            st.button(
                ui.safe_md(place.code), key=f"here_{place.id}",
                on_click=scan_desk.choose, args=(desk,), kwargs={"warehouse_id": place.id},
            )  # fmt: skip
        _draw_drop(desk, entry)


def _ask_quantity(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """How many, before it is booked; Enter in the empty field takes what is proposed."""
    word = "go out" if entry["mode"] == "out" else "come in"
    st.markdown(f"**How many {ui.safe_md(entry['name'])} {word}?** &nbsp; :gray[{ui.safe_md(entry['sku'])}]")
    if entry["refused"]:
        ui.refused(entry["refused"])
    field = f"ask_{entry['key']}_{entry['pieces']}"
    editing.number_field(
        "Quantity", Decimal(entry["quantity"] or entry["pieces"]), key=field, placeholder="0"
    )
    typed = editing.number(st.session_state.get(field))
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Book {ui.safe_md(ui.formats().quantity(Decimal(typed)))}", key="ask_book", type="primary",
            on_click=scan_desk.go_on, args=(desk, entry["key"]), kwargs={"quantity": typed},
        )  # fmt: skip
        _draw_drop(desk, entry)


def _ask_again(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    ui.refused(entry["sentence"])
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Try again", key="try_scan_again", type="primary", on_click=scan_desk.go_on,
            args=(desk, entry["key"]),
        )  # fmt: skip
        _draw_drop(desk, entry)


def _draw_drop(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    st.button(
        "Leave it", key="leave_scan", type="tertiary", on_click=scan_desk.drop, args=(desk, entry["key"])
    )


ASKS = {"place": _ask_place, "quantity": _ask_quantity, "trouble": _ask_again}
