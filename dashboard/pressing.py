"""One press, one write: Streamlit begins the next run of a session while the one before is still at work."""

import threading
from typing import Any

from dashboard import editing

# What a session holds must be pickled, so locks stand here. Sessions that share one wait for each other, for
# the time of a look-up.
_LOCKS = tuple(threading.Lock() for _ in range(64))


def lock(mine: dict[str, Any]) -> threading.Lock:
    """The lock under which runs of one session change what a form holds."""
    return _LOCKS[id(mine) // 16 % len(_LOCKS)]


def claim(mine: dict[str, Any], form: str) -> bool:
    """Whether this is the first press of a form; from then on the form is another. See `give_back`."""
    with lock(mine):
        if mine["form"] != form:
            return False
        editing.renew(mine)
        return True


def give_back(mine: dict[str, Any], form: str) -> None:
    """What was pressed was refused: the form stands as it was typed, and may be pressed again."""
    mine["form"] = form
