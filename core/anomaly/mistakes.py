"""Mistakes made up for training: believable slips put into real lines, with the truth beside them.

They are more varied than any one shop's: many factors, every flow, slips of price, sign, place and code. What
a learner sees only in one form it finds only in that form.

Arithmetic: no session, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.anomaly import slips
from core.anomaly.lines import FLOWS, KINDS, NEVER, NOBODY, Lines, Shelf

RIGHT = -1
"""The kind of a line that is as it was."""
SHARES = {"unknown": 0.2, "digit_doubled": 0.5}
"""How often a kind is made up, against 1 for the others. Whatever one cannot explain looks like real life
too: a learner that sees much of it takes every odd number for an error."""
TRIES = 25
"""A slip that cannot happen to a line (no digits to swap) is tried at others this often."""
WHOLE_DOCUMENT_SHARE = 0.1
"""This share of the double bookings books the whole document again; the others one line."""
MOST_DOCUMENT = 12
LATER_SHARE = 0.15
"""This share of the doubled lines carries a later moment; the others that of the document."""
LATER_SECONDS = (5.0, 900.0)
NEW_PRICE_SHARE = 0.5
"""With another product booked by mistake, its own price comes with it this often."""
_OTHER_SIGN = {"out": "back", "back": "out", "in": "to_vendor", "to_vendor": "in", "count": "count"}


@dataclass(frozen=True)
class Simulated:
    """Lines with mistakes in them. `kind`: `RIGHT` or place in KINDS; the rest is what would be true.

    `origin`: the place of the line in the lines given; a copy has that of what it copies.
    """

    lines: Lines
    kind: np.ndarray  # int8
    change: np.ndarray
    price: np.ndarray
    product: np.ndarray
    place: np.ndarray
    origin: np.ndarray


def simulate(
    lines: Lines,
    shelf: Shelf,
    rng: np.random.Generator,
    rate: float,
    kinds: Sequence[str] = KINDS,
    first: int = 0,
) -> Simulated:
    """The lines with about `rate` of those from place `first` on gone wrong, the kinds by their `SHARES`.

    What the ledger would have refused (more than is on hand) does not happen. A kind that is impossible
    here (one warehouse only) is left out.
    """
    draft = _Draft(lines, shelf, rng, first)
    wanted = max(1, round(rate * (len(lines) - first)))
    possible = [kind for kind in kinds if kind != "wrong_warehouse" or len(draft.places) > 1]
    shares = np.array([SHARES.get(kind, 1.0) for kind in possible])
    drawn = (
        rng.choice(len(possible), wanted, p=shares / shares.sum()) if possible and first < len(lines) else ()
    )
    for kind in drawn:
        for _ in range(TRIES):
            if draft.go_wrong(possible[kind], int(rng.integers(first, len(lines)))):
                break
    return draft.finish()


class _Draft:
    """The lines while mistakes are put in: changed columns, and copies to be put between them."""

    def __init__(self, lines: Lines, shelf: Shelf, rng: np.random.Generator, first: int) -> None:
        self.lines, self.shelf, self.rng, self.first = lines, shelf, rng, first
        self.columns = {f.name: getattr(lines, f.name).copy() for f in fields(Lines)}
        self.kind = np.full(len(lines), RIGHT, np.int8)
        self.places = np.unique(lines.place)
        self.copies: list[tuple[float, int, float, int]] = []  # booked after, of, at, document
        self._next_document = int(lines.document.max(initial=0)) + 1
        self._of_document = _Groups(lines.document)
        self._of_product = _Groups(lines.product)

    def go_wrong(self, kind: str, line: int) -> bool:
        """Whether this slip happened to this line."""
        if self.kind[line] != RIGHT:
            return False
        if kind == "booked_twice":
            return self._book_twice(line)
        if self.lines.flow[line] == FLOWS.index("transfer") and kind not in slips.OF_QUANTITY:
            return False
        slip = {
            "wrong_sign": self._turn_sign,
            "wrong_warehouse": self._move_place,
            "wrong_product": self._swap_product,
            "price_typo": self._mistype_price,
        }.get(kind)
        done = slip(line) if slip else self._mistype(kind, line)
        if done:
            self.kind[line] = KINDS.index(kind)
        return done

    def finish(self) -> Simulated:
        """All columns in the new booking order."""
        n = len(self.lines)
        of = np.array([copy[1] for copy in self.copies], np.int64)
        origin = np.r_[np.arange(n), of]
        behind = np.r_[np.arange(n), [copy[0] for copy in self.copies]]
        order = np.lexsort((np.r_[self.lines.at, [copy[2] for copy in self.copies]], behind))
        columns = {name: np.r_[column, column[of]] for name, column in self.columns.items()}
        columns["id"][n:] = -1 - np.arange(len(of))
        columns["void_from"][n:] = NEVER
        columns["at"][n:] = [copy[2] for copy in self.copies]
        columns["document"][n:] = [copy[3] for copy in self.copies]
        new_place = np.empty(n + len(of), np.int64)
        new_place[order] = np.arange(n + len(of))
        is_void = columns["void_from"] < n
        columns["void_from"][is_void] = new_place[columns["void_from"][is_void]]
        kind = np.r_[self.kind, np.full(len(of), KINDS.index("booked_twice"), np.int8)]
        truth = {
            name: getattr(self.lines, name)[origin][order] for name in ("change", "price", "product", "place")
        }
        taken = Lines(**{name: column[order] for name, column in columns.items()})
        return Simulated(taken, kind[order], **truth, origin=origin[order])

    def _mistype(self, kind: str, line: int) -> bool:
        change = float(self.lines.change[line])
        packs = self.shelf.packs.get(int(self.lines.product[line]), ())
        size = slips.quantity(kind, abs(change), packs, self.rng)
        if kind == "unknown" and size is None:
            return self._mistype_price(line, wildly=True)
        if size is None or size == abs(change):
            return False
        legs = self._legs(line)
        signs = np.sign(self.lines.change[legs])
        if any(self._is_refused(leg, sign * size) for leg, sign in zip(legs, signs, strict=True)):
            return False
        for leg, sign in zip(legs, signs, strict=True):
            self._set_change(leg, sign * size)
            self.kind[leg] = KINDS.index(kind)
        return True

    def _legs(self, line: int) -> list[int]:
        """The line, and the other leg of its transfer: people type one quantity for both."""
        flow, change = self.lines.flow[line], self.lines.change[line]
        if flow != FLOWS.index("transfer"):
            return [line]
        for other in (line - 1, line + 1):
            if 0 <= other < len(self.lines) and self.lines.flow[other] == flow:
                same = self.lines.product[other] == self.lines.product[line]
                if same and self.lines.change[other] == -change and self.kind[other] == RIGHT:
                    return [line, other]
        return [line]

    def _set_change(self, line: int, change: float) -> None:
        """Books another change; what was on hand afterwards follows, as far as the ledger would allow."""
        delta = change - self.columns["change"][line]
        self.columns["change"][line] = change
        of_product = self._of_product.after(int(self.lines.product[line]), line)
        later = of_product[self.lines.place[of_product] == self.lines.place[line]]
        before = self.columns["before"]
        before[later] = np.maximum(before[later] + delta, np.maximum(0.0, -self.columns["change"][later]))

    def _is_refused(self, line: int, change: float) -> bool:
        before = self.columns["before"][line]
        return bool(np.isfinite(before) and before + change < 0)

    def _turn_sign(self, line: int) -> bool:
        flow = _OTHER_SIGN.get(FLOWS[self.lines.flow[line]])
        change = -float(self.lines.change[line])
        if flow is None or self._is_refused(line, change):
            return False
        self.columns["flow"][line] = FLOWS.index(flow)
        self._set_change(line, change)
        return True

    def _move_place(self, line: int) -> bool:
        place = int(self.rng.choice(self.places[self.places != self.lines.place[line]]))
        return self._put_elsewhere(line, int(self.lines.product[line]), place)

    def _swap_product(self, line: int) -> bool:
        product = int(self.lines.product[line])
        near = self.shelf.near.get(product, ())
        if len(near) and self.rng.random() < 0.5:
            other = int(self.rng.choice(np.asarray(near)))
        else:  # what is booked often is booked by mistake often
            other = int(self.lines.product[self.rng.integers(max(0, line - 20_000), line + 1)])
        if other == product:
            return False
        earlier = self._of_product.before(other, line)
        priced = earlier[np.isfinite(self.lines.price[earlier])] if len(earlier) else earlier
        if not self._put_elsewhere(line, other, int(self.lines.place[line])):
            return False
        if len(priced) and self.rng.random() < NEW_PRICE_SHARE and np.isfinite(self.lines.price[line]):
            self.columns["price"][line] = self.lines.price[priced[-1]]
        return True

    def _put_elsewhere(self, line: int, product: int, place: int) -> bool:
        """The line at another shelf, unless too little was there."""
        earlier = self._of_product.before(product, line)
        there = earlier[self.lines.place[earlier] == place]
        before = np.nan
        if np.isfinite(self.lines.before[line]):
            before = float(self.lines.before[there[-1]] + self.lines.change[there[-1]]) if len(there) else 0.0
            if before + self.lines.change[line] < 0:
                return False
        self.columns["product"][line], self.columns["place"][line] = product, place
        self.columns["before"][line] = before
        return True

    def _mistype_price(self, line: int, wildly: bool = False) -> bool:
        price = float(self.lines.price[line])
        wrong = slips.price(price, self.rng, wildly) if np.isfinite(price) and price > 0 else None
        if wrong is None:
            return False
        self.columns["price"][line] = wrong
        return True

    def _book_twice(self, line: int) -> bool:
        """Books the line again further down in its document, or the whole document some minutes later."""
        document = int(self.lines.document[line])
        mates = np.array([line]) if document == NOBODY else self._of_document.all(document)
        at, later = float(self.lines.at[line]), 0.0
        if self.rng.random() < LATER_SHARE:
            later = float(np.exp(self.rng.uniform(*np.log(LATER_SECONDS))))
        if len(mates) <= MOST_DOCUMENT and self.rng.random() < WHOLE_DOCUMENT_SHARE:
            after = self._moment(float(self.lines.at[mates[-1]]) + later, int(mates[-1]))
            again = NOBODY if document == NOBODY else self._next_document
            self._next_document += 1
            self.copies += [(after, int(m), float(self.lines.at[m]) + later, again) for m in mates]
        elif later:
            self.copies.append((self._moment(at + later, line), line, at + later, document))
        else:
            after = int(self.rng.choice(mates[mates >= line]))
            self.copies.append((after + self.rng.random() / 4, line, at, document))
        return True

    def _moment(self, at: float, earliest: int) -> float:
        """Where a line of that moment stands in booking order."""
        ahead = self.lines.at[earliest : earliest + 2_000]
        return earliest + int(np.searchsorted(np.maximum.accumulate(ahead), at, side="right")) - 0.5


class _Groups:
    """The places of the lines with one value of a column, in booking order."""

    def __init__(self, column: np.ndarray) -> None:
        self._order = np.argsort(column, kind="stable")
        self._sorted = column[self._order]

    def all(self, value: int) -> np.ndarray:
        start, stop = np.searchsorted(self._sorted, [value, value + 1])
        return self._order[start:stop]

    def after(self, value: int, line: int) -> np.ndarray:
        found = self.all(value)
        return found[np.searchsorted(found, line, side="right") :]

    def before(self, value: int, line: int) -> np.ndarray:
        found = self.all(value)
        return found[: np.searchsorted(found, line)]
