"""The live camera of the scan view: the picture with its aim band, and the codes that were read.

`draw` once a run, outside any fragment; `codes` and `is_playing` from wherever the view needs them. The
browser first tries the camera itself (`camera_field/index.html`), so that a refusal has a reason; then
streamlit-webrtc brings its picture to `camera_stream`.
"""

import functools
import gc
import importlib
import logging
import os
import sys
import threading
import uuid
from pathlib import Path
from typing import Any
from uuid import UUID

import streamlit as st
import streamlit.components.v1 as components
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import inputs
from core.scanning import decoding, readers
from dashboard import camera_settings, camera_words, looks, signin, ui
from dashboard.camera_register import Register
from dashboard.camera_stream import PICTURES_A_SECOND, Owner, Stream
from dashboard.camera_words import Panel

log = logging.getLogger("runout.camera")

CONNECT_SECONDS = 10  # then the panel says that no picture arrived
# Bars want pixels, hands want pictures; more of either costs a core and reads nothing sooner.
WANTED = {"width": {"ideal": 1280}, "height": {"ideal": 720}, "frameRate": {"ideal": 15}}
REAR = {"facingMode": {"ideal": "environment"}}
PICTURE = {
    "autoPlay": True,
    "playsInline": True,  # an iPhone would fill its screen with it
    "muted": True,
    "controls": False,
    "style": {"width": "100%", "borderRadius": "6px", "display": "block"},
}
# Thousands of bits a second: all pixels from the first picture on, and never so few that bars blur.
BITS_A_SECOND = {"x-google-start-bitrate": 1500, "x-google-min-bitrate": 600, "x-google-max-bitrate": 2500}
DEVICE_CHARACTERS = 300
NO_PICTURE = "<style>.st-key-camera_picture { position: absolute; height: 0; overflow: hidden; }</style>"

_field = components.declare_component("runout_camera", path=str(Path(__file__).parent / "camera_field"))


def draw(key: str, *, counting: bool = False) -> None:
    """The camera's panel: button, picture, choice of camera, or why there is none and what to do.

    `counting`: the same code counts again as soon as it was out of sight (see `core.scanning.sightings`).
    """
    _panel(key, counting)


def codes(key: str) -> list[tuple[UUID, str, str]]:
    """What was read since the last call, oldest first: (id of this reading, text, symbology).

    Touches nothing of Streamlit's state, so that a run that is being replaced loses none of them.
    """
    stream = _running(key)
    return stream.codes() if stream else []


def is_playing(key: str) -> bool:
    """Whether the camera is on or about to be: as long as it is, the view asks for `codes` now and then."""
    return _running(key) is not None


# -- The panel -----------------------------------------------------------------------------------------------


@st.fragment
def _panel(key: str, counting: bool) -> None:
    # Its own fragment: what browser and server agree on before the first picture runs this and nothing else.
    person = signin.still("read")
    trouble = decoding.trouble()
    if trouble and readers.zxing_library() is None and readers.zbar_library() is None:
        _blocked(Panel("No code can be read from pictures on this server.", trouble))
        return
    _make_ready()
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
    if stream is not None or _is_ready.is_set():
        # Before it is wanted as well, out of sight: what the browser has loaded then, nobody waits for.
        with picture:
            if _connect(mine, stream):
                state = "playing"
    with field:
        _field(
            state=state,
            attempt=stream.id if stream else "",
            seconds=CONNECT_SECONDS,
            wanted=WANTED,
            rear=REAR,
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
        and not _began_twice(stream)
    )
    if is_wanted and is_right:
        return stream, None
    if stream is not None:
        register().leave(owner.session_id, key)
    if stream is not None or "component" not in mine or (_said(mine["component"]) or {}).get("sdpOffer"):
        _renew(mine)
    if not is_wanted:
        return None, panel
    stream = register().enter(mine["component"], owner, told["device"])
    return stream, None if stream else camera_words.full(register().most)


def _no_connection() -> Panel:
    panel = camera_words.PANELS["connection"]
    _, wrong = camera_settings.ice_servers(os.environ)
    return Panel(panel.cause, f"{panel.cure} {wrong}" if wrong else panel.cure)


def _blocked(panel: Panel) -> None:
    with st.container(border=True, key="camera_blocked"):
        st.markdown(f":material/videocam_off: **{ui.safe_md(panel.cause)}**")
        st.markdown(f":gray[{ui.safe_md(panel.cure)}]")
        st.markdown(camera_words.OTHERWISE)


def _connect(mine: dict[str, Any], stream: Stream | None) -> bool:
    """Draw the picture, and bring browser and server together for a stream; whether they are."""
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    component = _component_key(mine["component"])
    sink, source = _tracks(stream) if stream else (None, None)
    device = {"deviceId": {"ideal": stream.device}} if stream and stream.device else REAR
    if component in st.session_state and stream is not None:
        stream.connected(functools.partial(_hang_up, st.session_state[component], source))
    context = webrtc_streamer(
        component,
        WebRtcMode.SENDRECV,
        # Never without: the library would ask a server of Google's who we are.
        rtc_configuration={"iceServers": _servers()},
        media_stream_constraints={"video": {**WANTED, **device}, "audio": False},
        # Not before it has said that it is there: while it loads, it would begin more than once.
        desired_playing_state=stream is not None and _said(mine["component"]) is not None,
        sink_video_track=sink,
        source_video_track=source,
        sendback_audio=False,
        video_html_attrs=PICTURE,
        media_toggle_controls=False,
    )
    if stream is not None:
        stream.connected(functools.partial(_hang_up, context, source))
    return context.state.playing


def _tracks(stream: Stream) -> tuple[Any, Any]:
    """Where the frames of a stream go to, and where its pictures come from."""
    from streamlit_webrtc.sink import VideoSinkTrack
    from streamlit_webrtc.source import VideoSourceTrack

    if stream.tracks is None:
        source = VideoSourceTrack(stream.picture, PICTURES_A_SECOND)
        stream.tracks = (VideoSinkTrack(stream.receive), source)
    return stream.tracks


def _said(component: str) -> dict[str, Any] | None:
    """What the connection in the browser said last; None before it is loaded."""
    if "streamlit_webrtc" not in sys.modules:
        return None
    from streamlit_webrtc.component import generate_frontend_component_key

    said = st.session_state.get(generate_frontend_component_key(_component_key(component)))
    return said if isinstance(said, dict) else None


def _began_twice(stream: Stream) -> bool:
    """Whether the browser made another offer than the one that was answered: the two would never meet."""
    offer = (_said(stream.id) or {}).get("sdpOffer")
    if not offer or stream.has_frames:
        return False
    if stream.offer is None:
        stream.offer = offer
    return stream.offer != offer


def _hang_up(context: Any, source: Any) -> None:
    """Close a connection at once; by itself it would find out after half a minute that nobody is there."""
    source.stop()
    worker = context._get_worker()
    if worker is not None:
        worker.stop()


@functools.cache
def _servers() -> list[dict[str, Any]]:
    servers, wrong = camera_settings.ice_servers(os.environ)
    if wrong:
        log.warning("%s", wrong)
    return servers


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
    """What this session knows of its camera: the component of its connection, the press that was in vain."""
    return st.session_state.setdefault(f"camera_{key}", {})


def _renew(mine: dict[str, Any]) -> None:
    """Another connection, with nothing left of the one before."""
    before = mine.get("component")
    mine["component"] = uuid.uuid4().hex[:12]
    if before is not None and _component_key(before) in st.session_state:
        del st.session_state[_component_key(before)]


def _component_key(component: str) -> str:
    return f"camera {component}"


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


_has_begun = threading.Event()
_is_ready = threading.Event()


def _make_ready() -> None:
    """Import what takes a second of the connection's library beside the first run.

    Not the library itself: as a component of Streamlit it has to be imported by a script.
    """
    if _has_begun.is_set():
        return
    _has_begun.set()
    threading.Thread(target=_import, name="camera import", daemon=True).start()


def _import() -> None:
    importlib.import_module("aiortc.contrib.media")
    codecs = importlib.import_module("aiortc.codecs").CODECS["video"]
    for codec in codecs:
        if codec.mimeType in ("video/VP8", "video/H264"):
            # Told before: else a browser begins with a quarter of the pixels, and finds out slowly.
            codec.parameters.update(BITS_A_SECOND)
    # As at the start of the process: what was imported need not be looked at after every run.
    gc.collect()
    gc.freeze()
    _is_ready.set()
