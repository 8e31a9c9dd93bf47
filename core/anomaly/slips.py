"""Slips of the hand in one number: what 12 or 2.55 becomes when somebody mistypes it.

Used to make up mistakes for training. Arithmetic: no session, no clock.
"""

from collections.abc import Sequence

import numpy as np

PACKS = (12.0, 6.0, 10.0, 24.0, 4.0, 3.0, 2.0, 8.0, 5.0, 20.0, 25.0, 48.0, 36.0, 50.0, 16.0, 144.0)
"""Common pack factors, the commonest first; a product's own are preferred where it has some."""
_PACK_WEIGHTS = np.array([(rank + 1) ** -1.3 for rank in range(len(PACKS))])
OWN_PACK_SHARE = 0.8
OF_QUANTITY = ("times_pack", "wrong_unit", "times_ten", "digit_doubled", "digits_swapped", "unknown")
MOST_PIECES = 999_999.0
HUNDRED_SHARE = 0.35
TOO_LITTLE_SHARE = 0.15
"""How often a slip of ten is a hundred, and how often it is downwards."""
WILD_FACTORS = (20.0, 2_000.0)
ELSEWHERE = (1_000.0, 999_999.0)
"""Numbers that belong elsewhere (an order's, a date's, half a bar code) are this large."""
WILD_PRICE_SHARE, ELSEWHERE_SHARE = 0.2, 0.5
_PRICE_SLIPS = ("shift", "shift", "swap", "double", "drop", "digit")


def quantity(kind: str, size: float, packs: Sequence[float], rng: np.random.Generator) -> float | None:
    """The mistyped size of a movement; None when this slip cannot happen to it."""
    match kind:
        case "times_pack":
            wrong: float | None = size * _pack(packs, rng)
        case "wrong_unit":
            wrong = _divided(size, packs, rng)
        case "times_ten":
            wrong = _ten(size, rng)
        case "digit_doubled":
            wrong = _of_digits(size, double, rng)
        case "digits_swapped":
            wrong = _of_digits(size, swap, rng)
        case _:
            wrong = _wild(size, rng)
    return wrong if wrong is not None and 0 < wrong <= MOST_PIECES else None


def price(right: float, rng: np.random.Generator, wildly: bool = False) -> float | None:
    """The mistyped price, in hundredths; None when it stays what it was."""
    cents = round(right * 100)
    if wildly:
        factor = _between(WILD_FACTORS, rng)
        return _priced(right * factor if rng.random() < 0.7 else right / factor, right)
    match rng.choice(_PRICE_SLIPS):
        case "shift":
            return _priced(right * 10.0 ** rng.choice([-2, -1, -1, 1, 1, 2]), right)
        case "swap":
            wrong = swap(str(cents), rng)
        case "double":
            wrong = double(str(cents), rng)
        case "drop":
            wrong = drop(str(cents), rng)
        case _:
            wrong = retype(str(cents), rng)
    return _priced(int(wrong) / 100, right) if wrong else None


def swap(digits: str, rng: np.random.Generator) -> str | None:
    """Two neighbours that differ change places; no number begins with a zero."""
    places = [
        at
        for at in range(len(digits) - 1)
        if digits[at] != digits[at + 1] and not (at == 0 and digits[1] == "0")
    ]
    if not places:
        return None
    at = int(rng.choice(places))
    return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]


def double(digits: str, rng: np.random.Generator) -> str | None:
    """One digit is typed twice."""
    at = int(rng.integers(len(digits)))
    return digits[: at + 1] + digits[at:]


def drop(digits: str, rng: np.random.Generator) -> str | None:
    """One digit is missing."""
    at = int(rng.integers(len(digits)))
    rest = (digits[:at] + digits[at + 1 :]).lstrip("0")
    return rest or None


def retype(digits: str, rng: np.random.Generator) -> str | None:
    """One digit is another one."""
    at = int(rng.integers(len(digits)))
    wrong = digits[:at] + str(rng.integers(1, 10)) + digits[at + 1 :]
    return wrong if wrong != digits else None


def _pack(packs: Sequence[float], rng: np.random.Generator) -> float:
    own = [float(pack) for pack in packs if pack > 1]
    if own and rng.random() < OWN_PACK_SHARE:
        return float(rng.choice(own))
    return float(rng.choice(PACKS, p=_PACK_WEIGHTS / _PACK_WEIGHTS.sum()))


def _divided(size: float, packs: Sequence[float], rng: np.random.Generator) -> float | None:
    pack = _pack(packs, rng)
    return size / pack if size % pack == 0 else None


def _ten(size: float, rng: np.random.Generator) -> float | None:
    factor = 100.0 if rng.random() < HUNDRED_SHARE else 10.0
    if rng.random() >= TOO_LITTLE_SHARE:
        return size * factor
    return size / factor if size % factor == 0 else None


def _of_digits(size: float, slip, rng: np.random.Generator) -> float | None:  # type: ignore[no-untyped-def]
    """A slip in the whole pieces; what stands behind the point stays."""
    whole, rest = divmod(size, 1)
    wrong = slip(str(int(whole)), rng) if whole else None
    return int(wrong) + rest if wrong else None


def _wild(size: float, rng: np.random.Generator) -> float | None:
    """Something else entirely: a number that belongs elsewhere. None: the price goes wild instead."""
    if rng.random() < WILD_PRICE_SHARE:
        return None
    if rng.random() < ELSEWHERE_SHARE:
        return float(round(_between(ELSEWHERE, rng)))
    wrong = size * _between(WILD_FACTORS, rng)
    return float(round(wrong)) if size % 1 == 0 else round(wrong, 2)


def _between(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """As often between 10 and 100 as between 100 and 1000."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def _priced(wrong: float, right: float) -> float | None:
    wrong = round(wrong, 2)
    return wrong if wrong > 0 and wrong != round(right, 2) else None
