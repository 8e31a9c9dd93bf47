"""Codes from a photo: one code is taken at once, of several one chooses; each photo counts once."""

import uuid
from typing import Any

import streamlit as st

from core.auth import Actor
from core.errors import RunoutError
from core.scanning import decoding, pictures, resolver
from dashboard import editing, pressing, scan_desk, signin, ui
from db.session import reading

# Without HEIC in the list, iPhones hand over a JPEG.
KINDS = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]
MOST_CODES = 20  # of one photo, listed to choose from: a shelf, not a poster
NOT_FOUND = (
    "No code was found in this photo. Go closer, so that the code fills half of the picture, hold straight "
    "and steady, and let no light glare on it."
)


def draw(desk: dict[str, Any]) -> None:
    """The way to a photo, and what the last one showed."""
    mine = editing.desk("scan photo")
    if not decoding.can_read():
        ui.refused(str(decoding.trouble()))
        return
    form = mine["form"]
    with st.container(key="photo"):
        way = st.empty()
        with_camera = st.toggle(
            "With this device's camera", key="photo_camera", help="Browsers allow it on HTTPS pages only."
        )
        key = f"photo_{'taken' if with_camera else 'file'}_{form}"
        about = {"key": key, "on_change": _shot, "args": (mine, desk, form, key)}
        if with_camera:
            way.camera_input("Photo of a code", label_visibility="collapsed", resolution="1080p", **about)
        else:
            way.file_uploader(
                "Take or choose a photo of one code or several", type=KINDS,
                max_upload_size=pictures.LIMITS.file_bytes // 2**20, **about,
            )  # fmt: skip
        _draw_found(mine, desk)


def _shot(mine: dict[str, Any], desk: dict[str, Any], form: str, key: str) -> None:
    """Read the photo that came in, once: the field is empty afterwards."""
    photo = st.session_state.get(key)
    if photo is None:
        return
    try:
        person, data, number = signin.require(), photo.getvalue(), photo.file_id
    except RunoutError as refusal:
        mine["photo"] = {"wrong": refusal.sentence}
        return
    with pressing.held(form):
        if mine["form"] != form:
            return
        mine["photo"] = found = _read(person, data, number)
        editing.renew(mine)
    if len(found.get("codes", ())) == 1:
        _take(mine, desk, [found["codes"][0]["key"]])


def _read(person: Actor, data: bytes, number: str) -> dict[str, Any]:
    """The codes of a photo, each with its key and what it means; or in a sentence why there are none."""
    try:
        seen = decoding.decode(pictures.opened(data), effort="photo")[:MOST_CODES]
        if not seen:
            return {"wrong": NOT_FOUND}
        codes = []
        with reading() as session:
            for place, one in enumerate(seen):
                key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {place}"))
                about = {"key": key, "text": one.text, "symbology": one.symbology}
                codes.append(about | _meant(session, person, one))
        return {"codes": codes}
    except RunoutError as refusal:
        return {"wrong": refusal.sentence}
    except Exception as error:
        return {"wrong": ui.trouble(error)}


def _meant(session: Any, person: Actor, one: decoding.Seen) -> dict[str, Any]:
    """What a code stands for, in words, and whether it is worth taking."""
    try:
        found = resolver.resolve(session, person, one.text, symbology=one.symbology)
    except RunoutError as refusal:
        return {"code": one.text, "means": refusal.sentence, "known": False}
    words = {"product": lambda: found.product.product.name, "place": lambda: f"Place {found.warehouse.code}",
             "command": lambda: "A command"}  # fmt: skip
    known = found.kind in words
    means = words[found.kind]() if known else found.reason or "Not known"
    return {"code": found.reading.text, "means": means, "known": known}


def _draw_found(mine: dict[str, Any], desk: dict[str, Any]) -> None:
    """Why the last photo gave nothing, or what of its codes was not taken yet."""
    photo = mine.get("photo", {})
    if "wrong" in photo:
        ui.refused(photo["wrong"])
    codes = photo.get("codes", [])
    if not codes:
        return
    known = [code["key"] for code in codes if code["known"]]
    with ui.heading(f"{len(codes)} codes in the photo" if len(codes) > 1 else "A code in the photo"):
        if len(known) > 1:
            st.button(f"Take the {len(known)} known ones", key="photo_take_all", type="primary",
                      on_click=_take, args=(mine, desk, known))  # fmt: skip
    for place, code in enumerate(codes):
        with st.container(
            border=True, horizontal=True, wrap=False, vertical_alignment="center", key=f"photo-code-{place}"
        ):
            means = ui.safe_md(code["means"])
            about = ui.safe_md(f"{code['code']} · {code['symbology']}")
            st.markdown(f"**{means}**  \n:gray[{about}]", width="stretch")
            st.button("Take", key=f"photo_take_{code['key']}", on_click=_take,
                      args=(mine, desk, [code["key"]]))  # fmt: skip
    st.button("Leave them", key="photo_leave", on_click=mine.pop, args=("photo", None))


def _take(mine: dict[str, Any], desk: dict[str, Any], keys: list[str]) -> None:
    """Hand codes of the photo over, as if they had been scanned just now; taken again, they are the same."""
    codes = mine.get("photo", {}).get("codes", [])
    wanted = [code for code in codes if code["key"] in keys]
    scan_desk.arrive(desk, [(uuid.UUID(c["key"]), c["text"], c["symbology"]) for c in wanted], "photo")
    codes[:] = [code for code in codes if code["key"] not in keys]
