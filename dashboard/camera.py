"""The live camera of the scan view: the picture with its aim band, and the codes that were read.

`draw` once a run, outside any fragment; `codes` and `is_playing` from wherever the view needs them. The
browser first tries the camera itself (`camera_field/index.html`), so that a refusal has a reason; then
streamlit-webrtc brings its picture to `camera_stream`.
"""

import functools
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import streamlit as st
import streamlit.components.v1 as components
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import inputs
from core.scanning import decoding
from dashboard import camera_connection, camera_settings, camera_words, looks, signin, ui
from dashboard.camera_register import Register
from dashboard.camera_stream import Owner, Stream
from dashboard.camera_words import Panel

CONNECT_SECONDS = 10  # then the panel says that no picture arrived
DEVICE_CHARACTERS = 300
CONNECTIONS_KEPT = 3
NO_PICTURE = "<style>.st-key-camera_picture { position: absolute; height: 0; overflow: hidden; }</style>"

_field = components.declare_component("runout_camera", path=str(Path(__file__).parent / "camera_field"))


def draw(key: str, *, counting: bool = False) -> None:
    """The camera's panel: button, picture, choice of camera, or why there is none and what to do.

    `counting`: the same code counts again as soon as it was out of sight (see `core.scanning.sightings`).
    """
    _panel(key, counting)


def codes(key: str) -> Iterator[tuple[UUID, str, str]]:
    """What was read since the last time, oldest first: (id of this reading, text, symbology).

    Touches nothing of Streamlit's state, and takes nothing before the first one is asked for: a run that is
    replaced before it gets there leaves them to the next one.
    """
    stream = _running(key)
    if stream is not None:
        yield from stream.codes()


def is_playing(key: str) -> bool:
    """Whether the camera is on or about to be: as long as it is, the view asks for `codes` now and then."""
    return _running(key) is not None


# -- The panel -----------------------------------------------------------------------------------------------


@st.fragment
def _panel(key: str, counting: bool) -> None:
    # Its own fragment: what browser and server agree on before the first picture runs this and nothing else.
    person = signin.still("read")
    trouble = decoding.trouble()
    if not decoding.can_read():
        _blocked(Panel("No code can be read from pictures on this server.", trouble))
        return
    camera_connection.make_ready()
    mine, told = _desk(key), _told(key)
    stream, panel = _wish(key, mine, told, Owner(_session_id(), key, signin.token() or "", person.role))
    picture, field, below = st.container(key="camera_picture"), st.container(), st.container()
    state = "off"
    if panel is not None:
        is_full = register().most > 0 and panel == camera_words.full(register().most)
        state = "full" if is_full else "blocked"
    if stream is not None:
        stream.watcher.counting = counting
        state = "connecting"
    if stream is not None or camera_connection.is_ready():
        # Before it is wanted as well, out of sight: what the browser has loaded then, nobody waits for.
        with picture:
            if camera_connection.connect(mine["component"], stream):
                state = "playing"
    with field:
        _field(
            state=state,
            attempt=stream.id if stream else "",
            seconds=CONNECT_SECONDS,
            wanted=camera_connection.WANTED,
            rear=camera_connection.REAR,
            key=_field_key(key),
            default={},
        )
    with below:
        if stream is None:
            st.html(NO_PICTURE)
        if panel is not None:
            _blocked(panel)
        elif trouble:
            st.caption(ui.safe_md(trouble))


def _wish(
    key: str, mine: dict[str, Any], told: dict[str, Any], owner: Owner
) -> tuple[Stream | None, Panel | None]:
    """The camera that shall run now, begun if need be, or the panel that says why there is none."""
    stream, panel = _running(key), None
    if stream is not None and told["late"] == stream.id and not stream.has_frames:
        mine["gave_up"] = told["press"]
    if told["reason"]:
        panel = camera_words.PANELS[told["reason"]]
    elif told["on"] and mine.get("gave_up") == told["press"]:
        panel = _no_connection()
    is_wanted = told["on"] and told["visible"] and panel is None
    is_right = (
        stream is not None
        and stream.owner == owner
        and stream.device == told["device"]
        and stream.id == mine.get("component")
        and not camera_connection.began_twice(stream)
    )
    if is_wanted and is_right:
        return stream, None
    if stream is not None:
        register().leave(owner.session_id, key)
    if "component" not in mine or mine.get("used") == mine["component"]:
        _renew(mine)
    if not is_wanted:
        return None, panel
    stream = register().enter(mine["component"], owner, told["device"], mine.get("watcher"))
    if stream is None:
        return None, camera_words.full(register().most)
    mine["used"], mine["watcher"] = stream.id, stream.watcher
    return stream, None


def _no_connection() -> Panel:
    panel = camera_words.PANELS["connection"]
    _, wrong = camera_settings.ice_servers(os.environ)
    return Panel(panel.cause, f"{panel.cure} {wrong}" if wrong else panel.cure)


def _blocked(panel: Panel) -> None:
    with st.container(border=True, key="camera_blocked"):
        st.markdown(f":material/videocam_off: **{ui.safe_md(panel.cause)}**")
        st.markdown(f":gray[{ui.safe_md(panel.cure)}]")
        st.markdown(camera_words.OTHERWISE)


# -- What is known -------------------------------------------------------------------------------------------


@functools.cache
def register() -> Register:
    """The cameras of this process."""
    return Register(camera_settings.most_cameras(os.environ), _may_go_on)


def _may_go_on(owner: Owner) -> bool:
    person = looks.who(owner.token)
    return person is not None and person.role == owner.role


def _session_id() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _running(key: str) -> Stream | None:
    return register().of(_session_id(), key)


def _desk(key: str) -> dict[str, Any]:
    """What this session knows of its camera.

    component: the connection that is drawn; used: the one that a camera had, which is good for no other;
    before: the ones that ended; gave_up: the press that was in vain; watcher: what was in sight.
    """
    return st.session_state.setdefault(f"camera_{key}", {})


def _renew(mine: dict[str, Any]) -> None:
    """Another connection. A browser may still speak of the last ones, so they are forgotten later."""
    before = [*mine.get("before", []), mine.get("component")]
    for id_ in filter(None, before[:-CONNECTIONS_KEPT]):
        camera_connection.forget(id_)
    mine["before"] = before[-CONNECTIONS_KEPT:]
    mine["component"] = uuid.uuid4().hex[:12]


def _field_key(key: str) -> str:
    return f"camera_field_{key}"


def _told(key: str) -> dict[str, Any]:
    """What the field in the browser said last; it may send anything.

    on: the camera is wanted; press: how often it was; reason: why there is none; device: its id; visible:
    whether the page is on the screen; late: the camera whose picture did not come.
    """
    given = st.session_state.get(_field_key(key))
    given = given if isinstance(given, dict) else {}
    words = {name: given.get(name) for name in ("reason", "device", "late")}
    reason, device, late = (
        word if isinstance(word, str) and word.isprintable() and 0 < len(word) <= DEVICE_CHARACTERS else None
        for word in words.values()
    )
    press = given.get("press")
    return {
        "on": given.get("on") is True,
        "press": press if isinstance(press, int) else 0,
        "reason": None if reason is None else reason if reason in camera_words.PANELS else "other",
        "device": device if device and inputs.can_be_kept(device) else None,
        "visible": given.get("visible") is not False,
        "late": late,
    }
