"""Codes that a slip of the finger turns into each other: one sign mistyped, or two neighbours swapped.

Arithmetic: no session, no clock.
"""

import string
from collections.abc import Collection, Iterator, Mapping

MOST = 16
"""So many neighbours of a product are looked at: in a catalogue numbered without gaps each has dozens."""
_SORTS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)


def slips(code: str) -> Iterator[str]:
    """Every code that is one slip away: a digit for a digit, a letter for a letter, or two signs swapped."""
    for place, sign in enumerate(code):
        for others in _SORTS:
            if sign in others:
                yield from (f"{code[:place]}{other}{code[place + 1 :]}" for other in others if other != sign)
        following = code[place + 1 : place + 2]
        if following and following != sign:
            yield f"{code[:place]}{following}{sign}{code[place + 2 :]}"


def near(codes: Mapping[int, str], of: Collection[int] | None = None) -> dict[int, tuple[int, ...]]:
    """The products one slip away from each of `of` (all of them when not given), in order of their numbers.

    A product without a neighbour is left out.
    """
    known: dict[str, int] = {code: product for product, code in codes.items()}
    found = {}
    for product in codes if of is None else of:
        others = sorted({known[slip] for slip in slips(codes[product]) if slip in known} - {product})
        if others:
            found[product] = tuple(others[:MOST])
    return found
