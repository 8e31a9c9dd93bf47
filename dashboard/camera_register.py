"""The cameras that run in this process: how many may, whose they are, and the watch that ends lost ones."""

import logging
import threading
import time
from collections.abc import Callable

from core.scanning.sightings import Watcher
from dashboard.camera_stream import Owner, Stream

log = logging.getLogger("runout.camera")

WATCH_SECONDS = 0.5
OWN_LOST_SECONDS = 1  # without a frame of the same sign-in
ASK_SECONDS = 3  # between two questions whether somebody is still signed in


class Register:
    """As many cameras as the machine can read at once. `may_go_on(owner)`: still signed in, same role."""

    def __init__(
        self,
        most: int,
        may_go_on: Callable[[Owner], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self._may_go_on = may_go_on
        self._clock = clock
        self._streams: dict[tuple[str, str], Stream] = {}
        self._lock = threading.Lock()
        self._watch: threading.Thread | None = None

    def enter(
        self, id_: str, owner: Owner, device: str | None, watcher: Watcher | None = None
    ) -> Stream | None:
        """A camera for this owner, in place of the one before; None when all are taken.

        With the watcher of the one before, what was counted and is still in sight is not counted again.

        Whoever opens the page anew need not wait for the watch to find out that the page before is gone.
        """
        self.leave(owner.session_id, owner.key)
        for mine in [other for other in list(self._streams.values()) if other.owner.token == owner.token]:
            if len(self._streams) >= self.most and mine.is_lost(OWN_LOST_SECONDS):
                self._end(mine)
        with self._lock:
            if len(self._streams) >= self.most:
                return None
            stream = Stream(id_, owner, device, watcher=watcher, clock=self._clock)
            self._streams[owner.session_id, owner.key] = stream
            if self._watch is None:
                self._watch = threading.Thread(target=self._keep_watch, name="camera watch", daemon=True)
                self._watch.start()
            return stream

    def of(self, session_id: str, key: str) -> Stream | None:
        """The running camera of this tab."""
        return self._streams.get((session_id, key))

    def leave(self, session_id: str, key: str) -> None:
        """End the camera of this tab, if there is one."""
        with self._lock:
            stream = self._streams.pop((session_id, key), None)
        if stream is not None:
            stream.end()

    def running(self) -> int:
        return len(self._streams)

    def sweep(self, *, ask: bool = True) -> None:
        """End every camera that sends nothing any more, or whose owner has left or become another."""
        for stream in list(self._streams.values()):
            if stream.is_lost() or (ask and not self._is_allowed(stream.owner)):
                self._end(stream)

    def _is_allowed(self, owner: Owner) -> bool:
        try:
            return self._may_go_on(owner)
        except Exception:
            # A database that is away for a moment signs nobody out; what is read is refused by itself.
            log.warning("camera: nobody could be asked whether its owner is signed in", exc_info=True)
            return True

    def _end(self, stream: Stream) -> None:
        with self._lock:
            place = (stream.owner.session_id, stream.owner.key)
            if self._streams.get(place) is stream:
                del self._streams[place]
        stream.end()

    def _keep_watch(self) -> None:
        asked_at = self._clock()
        while True:
            time.sleep(WATCH_SECONDS)
            ask = self._clock() - asked_at >= ASK_SECONDS
            if ask:
                asked_at = self._clock()
            self.sweep(ask=ask)
            with self._lock:
                if not self._streams:
                    self._watch = None
                    return
