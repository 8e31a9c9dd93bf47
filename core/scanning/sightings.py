"""Arithmetic: what a camera read, picture after picture -> each code once, when it is certain and new.

A camera that looks at one label reads it ten times a second, and now and then reads something that is not
there. Nobody may be booked for either.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.scanning.decoding import Seen

# Codes with error correction, where one read is enough. Bars have a check digit at best: two equal reads.
SURE_AT_ONCE = frozenset({"QR", "DataMatrix"})
READS_OF_BARS = 2
AGREE_SECONDS = 1.0  # between two equal reads of bars; a hand that trembles misses a few pictures
# A code counts again when it was out of sight for so long. Whoever counts shows the same code piece by piece.
AWAY_SECONDS = 1.5
AWAY_SECONDS_COUNTING = 0.7
# And so many pictures without it: a connection that stood still, or a machine that is busy, hides nothing.
AWAY_LOOKS = 3
# A camera that was off for longer begins anew: whoever then shows the same code means it.
OFF_SECONDS = 10


@dataclass
class _Track:
    """One code: when it was last read, how often, and how many pictures since were without it."""

    last_at: float
    reads: int = 0
    looks_without: int = 0
    has_counted: bool = False


class Watcher:
    """Decides which reads count. `counting` may change between two pictures."""

    def __init__(self, counting: bool = False) -> None:
        self.counting = counting
        self._looked_at = float("-inf")
        self._tracks: dict[str, _Track] = {}

    def see(self, seen: Iterable[Seen], at: float) -> list[Seen]:
        """What counts now of the codes of one picture, taken `at` seconds of a clock that never goes back.

        To be told of pictures without any code as well: they say what is out of sight.
        """
        read = {code.text: code for code in seen}
        if at - self._looked_at > OFF_SECONDS:
            self._tracks.clear()
        self._looked_at = at
        self._forget_what_left(read, at)
        return [code for code in read.values() if self._counts(code, at)]

    @property
    def is_undecided(self) -> bool:
        """Whether something was read that the next picture may confirm."""
        return any(not track.has_counted for track in self._tracks.values())

    def _forget_what_left(self, read: dict[str, Seen], at: float) -> None:
        away = AWAY_SECONDS_COUNTING if self.counting else AWAY_SECONDS
        for text, track in list(self._tracks.items()):
            longest = away if track.has_counted else AGREE_SECONDS
            has_left = at - track.last_at >= longest and (
                track.looks_without >= AWAY_LOOKS or not track.has_counted
            )
            if has_left:
                del self._tracks[text]
            elif text not in read:
                track.looks_without += 1

    def _counts(self, code: Seen, at: float) -> bool:
        track = self._tracks.setdefault(code.text, _Track(last_at=at))
        track.last_at, track.looks_without = at, 0
        track.reads += 1
        needed = 1 if code.symbology in SURE_AT_ONCE else READS_OF_BARS
        if track.has_counted or track.reads < needed:
            return False
        track.has_counted = True
        return True
