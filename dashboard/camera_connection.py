"""The way of a picture from a browser's camera to a `Stream` and back, through streamlit-webrtc."""

import functools
import gc
import importlib
import logging
import os
import sys
import threading
from types import SimpleNamespace
from typing import Any

import streamlit as st

from dashboard import camera_settings
from dashboard.camera_stream import PICTURES_A_SECOND, Stream

log = logging.getLogger("runout.camera")

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
# They write down every address a browser may be reached at, and every frame that came late.
TALKATIVE = ("streamlit_webrtc", "aiortc", "aioice")
# Thousands of bits a second: all pixels from the first picture on, and never so few that bars blur.
BITS_A_SECOND = {"x-google-start-bitrate": 1500, "x-google-min-bitrate": 600, "x-google-max-bitrate": 2500}

_has_begun = threading.Event()
_is_ready = threading.Event()


def make_ready() -> None:
    """Import what takes a second of the connection's library beside the first run.

    Not the library itself: as a component of Streamlit it has to be imported by a script.
    """
    if _has_begun.is_set():
        return
    _has_begun.set()
    threading.Thread(target=_import, name="camera import", daemon=True).start()


def is_ready() -> bool:
    """Whether a connection can be drawn without a wait."""
    return _is_ready.is_set()


def _import() -> None:
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
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


def connect(id_: str, stream: Stream | None) -> bool:
    """Draw the picture, and bring browser and server together for a stream; whether they are.

    Without a stream nothing begins: the browser only loads what it needs.
    """
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    component = _name(id_)
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
        desired_playing_state=stream is not None and _said(id_) is not None,
        sink_video_track=sink,
        # As a source track it would be passed on by a task that never ends.
        player_factory=lambda: SimpleNamespace(video=source, audio=None),
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


def _said(id_: str) -> dict[str, Any] | None:
    """What the connection in the browser said last; None before it is loaded."""
    if "streamlit_webrtc" not in sys.modules:
        return None
    from streamlit_webrtc.component import generate_frontend_component_key

    value = st.session_state.get(generate_frontend_component_key(_name(id_)))
    return value if isinstance(value, dict) else None


def forget(id_: str) -> None:
    """A connection that ended some time ago leaves nothing in the session."""
    if _name(id_) in st.session_state:
        del st.session_state[_name(id_)]


def began_twice(stream: Stream) -> bool:
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


def _name(id_: str) -> str:
    return f"camera {id_}"
