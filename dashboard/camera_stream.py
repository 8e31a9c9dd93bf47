"""One running camera: the frames that arrive, a thread that reads codes in them, the picture that goes back.

The server's event loop hands frames in and takes pictures out, and does nothing else with them. A script asks
for what was read. None of the three waits for another, and none of them speaks to Streamlit.
"""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.scanning import decoding, sightings
from dashboard import camera_picture as pictures

log = logging.getLogger("runout.camera")

# Ten looks a second read a code before a hand has settled; half of that while nothing is in sight. A machine
# that is slow rests longer than it looks.
LOOK_SECONDS = 0.1
QUIET_LOOK_SECONDS = 0.2
QUIET_SECONDS = 3.0
REST = 3  # times as long as the look took
PICTURES_A_SECOND = 10
TICK_SECONDS = 0.7  # how long the picture says that something counted
MOST_WAITING = 50  # codes that nobody has asked for yet
STALE_SECONDS = 15  # what nobody asked for by then was not seen on any screen: it is not booked later
FIRST_FRAME_SECONDS = 15  # until then a connection is being made
LOST_SECONDS = 3  # without a frame: a closed tab, a phone asleep, another page


@dataclass(frozen=True)
class Owner:
    """Whose camera it is: a tab's session, the field in it, the sign-in and the role it began with."""

    session_id: str
    key: str
    token: str
    role: str


class Stream:
    """A camera from the moment it may begin until `end`."""

    def __init__(
        self,
        id_: str,
        owner: Owner,
        device: str | None,
        *,
        watcher: sightings.Watcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = id_
        self.owner = owner
        self.device = device
        self.watcher = watcher or sightings.Watcher()
        self.tracks: tuple[Any, Any] | None = None  # where frames go to, and where pictures come from
        self.offer: Any = None  # what the browser offered first
        self._hang_up: Callable[[], None] | None = None
        self._clock = clock
        self._began_at = clock()
        self._frame_at: float | None = None
        self._read_at = float("-inf")
        self._sight_at = self._began_at
        self._frame: Any = None
        self._picture = pictures.draw(None, (), has_read=False)
        self._read: deque[tuple[float, uuid.UUID, str, str]] = deque(maxlen=MOST_WAITING)
        self.has_ended = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    # -- from the event loop ---------------------------------------------------------------------------------

    def receive(self, frame: Any) -> None:
        """A frame arrived (`av.VideoFrame`). While the one before is being read, it takes its place."""
        with self._changed:
            self._frame_at, self._frame = self._clock(), frame
            if self._thread is None and not self.has_ended:
                self._thread = threading.Thread(target=self._work, name=f"camera {self.id}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def picture(self, *_: Any) -> Any:
        """What goes back now."""
        return pictures.as_frame(self._picture)

    # -- from scripts and the watch --------------------------------------------------------------------------

    def codes(self) -> list[tuple[uuid.UUID, str, str]]:
        """What counted since the last call, oldest first: (id of this reading, text, symbology)."""
        now, found = self._clock(), []
        while self._read:
            at, key, text, symbology = self._read.popleft()
            if now - at < STALE_SECONDS:
                found.append((key, text, symbology))
        return found

    @property
    def has_frames(self) -> bool:
        return self._frame_at is not None

    def is_lost(self, seconds: float = LOST_SECONDS) -> bool:
        """Whether no frame has come for so long."""
        if self._frame_at is None:
            return self._clock() - self._began_at > FIRST_FRAME_SECONDS
        return self._clock() - self._frame_at > seconds

    def end(self) -> None:
        """Let go of everything: thread, frames, connection. A second time does nothing."""
        with self._changed:
            if self.has_ended:
                return
            self.has_ended, self._frame = True, None
            self._changed.notify()
        self._close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(LOST_SECONDS)

    def connected(self, hang_up: Callable[[], None]) -> None:
        """There is a connection, which `hang_up` closes; at once when the camera has ended meanwhile."""
        self._hang_up = hang_up
        if self.has_ended:
            self._close()

    def _close(self) -> None:
        if self._hang_up is None:
            return
        try:
            self._hang_up()
        except Exception:
            log.exception("camera %s: its connection did not close", self.id)

    # -- the thread ------------------------------------------------------------------------------------------

    def _work(self) -> None:
        rest_until = float("-inf")
        turn = 0
        outlines: list[list[pictures.Point]] = []
        while (frame := self._next_frame()) is not None:
            began = self._clock()
            try:
                if began >= rest_until:
                    turn += 1
                    outlines = self._look(frame, turn)
                    rest_until = began + self._rest(began, is_quiet=not outlines)
                has_read = self._clock() - self._read_at < TICK_SECONDS
                self._picture = pictures.draw(frame, outlines, has_read=has_read)
            except Exception:
                # One bad frame is not the end of the camera; the next one comes at once.
                log.exception("camera %s: a frame was not read", self.id)
                rest_until = began + LOST_SECONDS
            self._pause(began + 1 / PICTURES_A_SECOND - self._clock())

    def _next_frame(self) -> Any:
        with self._changed:
            while self._frame is None and not self.has_ended:
                self._changed.wait()
            frame, self._frame = self._frame, None
            return None if self.has_ended else frame

    def _pause(self, seconds: float) -> None:
        """Nothing for so long; the end does not wait."""
        deadline = self._clock() + seconds
        with self._changed:
            while not self.has_ended and (left := deadline - self._clock()) > 0:
                self._changed.wait(left)

    def _rest(self, began: float, *, is_quiet: bool) -> float:
        """Seconds from the begin of one look to the begin of the next."""
        now = self._clock()
        if not is_quiet:
            self._sight_at = now
        if self.watcher.is_undecided:
            return 0
        every = QUIET_LOOK_SECONDS if now - self._sight_at > QUIET_SECONDS else LOOK_SECONDS
        return max(every, (now - began) * (1 + REST))

    def _look(self, frame: Any, turn: int) -> list[list[pictures.Point]]:
        """Read a frame; answers the outlines of the codes in the band, in shares of the window."""
        gray = pictures.to_read(frame)
        height, width = gray.shape
        aimed, outlines = [], []
        for code in decoding.decode(gray, effort="live", turn=turn):
            outline = pictures.placed(code.corners, width, height)
            if pictures.is_aimed_at(outline):
                aimed.append(code)
                outlines.append(outline)
        self._count(aimed)
        return outlines

    def _count(self, aimed: list[decoding.Seen]) -> None:
        for code in self.watcher.see(aimed, self._clock()):
            self._read_at = self._clock()
            self._read.append((self._read_at, uuid.uuid4(), code.text, code.symbology))
