"""One press, one write: Streamlit begins the next run of a session while the one before is still at work.

The second click of a double click stops the run of the first at its next touch of Streamlit, maybe in the
middle of what it writes (which is rolled back then), and may run beside it until it gets there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dashboard import editing

# What a session holds must be pickled, so locks stand here. Sessions that share one wait for each other, for
# the time of a look-up.
_LOCKS = tuple(threading.Lock() for _ in range(64))
_held: dict[str, list] = {}  # form number -> its lock, and how many presses hold it or wait for it
_counting = threading.Lock()


def lock(mine: dict[str, Any]) -> threading.Lock:
    """The lock under which runs of one session change what a form holds."""
    return _LOCKS[id(mine) // 16 % len(_LOCKS)]


def once(mine: dict[str, Any], form: str, work: editing.Work) -> Any:
    """`editing.write` for the first press of a form that gets through; then the form is another.

    A press that comes while another is at work waits for it: where that one was refused or interrupted, the
    form stands as it was typed and this one writes. Answers None when nothing was written.
    """
    with held(form):
        return editing.write(mine, work, renews=True) if mine["form"] == form else None


@contextmanager
def held(form: str) -> Iterator[None]:
    """Other presses of this form wait until the block is over."""
    with _counting:
        entry = _held.setdefault(form, [threading.Lock(), 0])
        entry[1] += 1
    try:
        with entry[0]:
            yield
    finally:
        with _counting:
            entry[1] -= 1
            if not entry[1]:
                del _held[form]
