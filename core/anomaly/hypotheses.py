"""Which error would explain a line: for every kind, "the repaired line is usual" against "this line is real".

The odds are logarithms of likelihood ratios; how common errors are is not in them (`PRIOR` is for whoever
ranks by them alone). Arithmetic: no session, no clock.
"""

from dataclasses import dataclass

import numpy as np

from core.anomaly import guesses, likelihoods, quantity_errors, substitutes, twins
from core.anomaly.around import Around, Window, gather
from core.anomaly.contexts import Contexts
from core.anomaly.habits import LEAST_CHANCE, Habits
from core.anomaly.lines import FIELDS, KINDS, NOBODY, Lines, Shelf
from core.anomaly.quantity_errors import OF_QUANTITY, QuantityErrors

LEAST, MOST = -12.0, 30.0
"""Odds are kept between these: beyond them nothing is learned."""
MORE_THAN_THERE_IS = 6.0
"""Added where more leaves than is on hand: a real line does that hardly ever, an error upwards mostly."""
PRIOR = np.log(
    np.array([0.14, 0.08, 0.14, 0.08, 0.12, 0.12, 0.06, 0.1, 0.06, 0.1, 0.02]) / 500, dtype=np.float64
)
"""How the errors share out, one line in 500 being wrong."""
_AT = {name: place for place, name in enumerate(KINDS)}
_FIELD_OF = {
    **dict.fromkeys(OF_QUANTITY, "quantity"), "wrong_sign": "sign", "wrong_warehouse": "warehouse",
    "wrong_product": "product", "booked_twice": "whole", "price_typo": "price", "unknown": "none",
}  # fmt: skip
FIELD = np.array([FIELDS.index(_FIELD_OF[kind]) for kind in KINDS], np.int8)


@dataclass(frozen=True)
class Evidence:
    """Per line and kind; `value` is what the repair puts in: a signed change, a price, a product's or a
    warehouse's number; nan for `whole` and `none`, and where the kind cannot be."""

    log_odds: np.ndarray  # float32 (n, kinds)
    field: np.ndarray  # int8 (n, kinds)
    value: np.ndarray  # float64 (n, kinds)
    usual_quantity: np.ndarray  # float64 (n,): of the product in this flow; of its price where it is new
    usual_price: np.ndarray  # float64 (n,): nan where none is known
    seen: np.ndarray  # int64 (n,): earlier lines of the product in this flow
    around: Around
    size: likelihoods.Sizes
    price: likelihoods.Prices
    quantity: QuantityErrors
    log_size_chance: np.ndarray  # float64 (n,)
    log_price_chance: np.ndarray
    twins: twins.Twins
    log_turn: np.ndarray  # float64 (n,): the odds that a line like this goes the other way


def weigh(lines: Lines, contexts: Contexts, habits: Habits, shelf: Shelf) -> Evidence:
    """The evidence about the targets of these contexts; call it for some thousand at a time."""
    around = gather(lines, contexts)
    n = len(around)
    odds = np.full((n, len(KINDS)), LEAST)
    value = np.full((n, len(KINDS)), np.nan)
    law = likelihoods.sizes(around, habits)
    quantity = quantity_errors.weigh(around, habits, shelf, law, MORE_THAN_THERE_IS)
    real = quantity.real
    _of_quantity(quantity, around, odds, value)
    price_law = likelihoods.prices(around, habits, _list_prices(around, shelf))
    real_price, usual_price = _of_price(around, price_law, odds, value)
    log_turn = _of_sign(around, habits, real, odds, value)
    _of_place(around, habits, odds, value)
    substitutes.weigh(
        around, habits, shelf, real - np.log(law.of_all(around.size[:, None])[:, 0]), real_price, odds, value
    )
    found = twins.find(around)
    _of_twins(habits, found, odds)
    _of_unknown(around, real, real_price, odds)
    kin = (around.of_product.flow == around.flow[:, None]) & around.of_product.valid
    return Evidence(
        np.clip(odds, LEAST, MOST).astype(np.float32), np.broadcast_to(FIELD, odds.shape), value,
        _rounded(np.exp2(law.centre)), usual_price, kin.sum(axis=1),
        around, law, price_law, quantity, real, real_price, found, log_turn,
    )  # fmt: skip


def _rounded(size: np.ndarray) -> np.ndarray:
    return np.where(size >= 1, np.rint(size), np.round(size, 3)).astype(np.float64)


def _list_prices(around: Around, shelf: Shelf) -> np.ndarray:
    if not shelf.list_price:
        return np.full(len(around), np.nan)
    price = np.array([shelf.list_price.get(number, np.nan) for number in around.product.tolist()], float)
    return np.log(np.where(price > 0, price, np.nan))


def _of_quantity(found: QuantityErrors, around: Around, odds: np.ndarray, value: np.ndarray) -> None:
    for place, name in enumerate(OF_QUANTITY):
        odds[:, _AT[name]] = np.maximum(found.odds[:, place], LEAST)
        value[:, _AT[name]] = found.meant[:, place] * around.sign


WORTH_A_LOOK = -4.0
"""Below these odds a wrong sign is out of the question, however usual the size would be the other way."""


def _of_sign(
    around: Around, habits: Habits, real: np.ndarray, odds: np.ndarray, value: np.ndarray
) -> np.ndarray:
    state, turned, forward = twins.turning(around)
    chance = habits.turn[forward, state]
    log_turn = np.log(chance) - np.log1p(-chance)
    at = _AT["wrong_sign"]
    most = np.where(turned, -log_turn, log_turn) - real
    worth = np.flatnonzero(most > WORTH_A_LOOK)
    if len(worth):
        turned_round = likelihoods.sizes(around.take(worth), habits, is_flipped=True)
        most[worth] += turned_round.log_chance(around.size[worth, None])[:, 0]
    odds[:, at] = most
    odds[:, at] += MORE_THAN_THERE_IS * ((around.sign < 0) & (around.after < 0))
    value[:, at] = around.sign * around.size.astype(np.float64) * -1.0
    return log_turn


def _of_place(around: Around, habits: Habits, odds: np.ndarray, value: np.ndarray) -> None:
    """Another warehouse, where this document or product usually moves: the newest of each is tried."""
    window, document = around.of_product, around.of_document
    kin = window.valid & (window.flow == around.flow[:, None])
    others = (_elsewhere(document, document.valid, around), _elsewhere(window, kin, around))
    places = np.stack([around.place, *others])
    share = habits.place_share[around.flow, habits.row_of(habits.place_share.T, places)]
    moves = PRIOR_LINES * share + np.stack([(kin & (window.place == p[:, None])).sum(axis=1) for p in places])
    moves = moves / (PRIOR_LINES + kin.sum(axis=1))
    beside = np.stack([(document.valid & (document.place == p[:, None])).sum(axis=1) for p in places])
    in_document = document.valid.sum(axis=1)
    believed = np.where(in_document > 0, IN_ONE_PLACE, 0.0)
    chance = believed * beside / np.maximum(in_document, 1) + (1 - believed) * moves
    chance = np.where(places >= 0, np.maximum(chance, LEAST_CHANCE), LEAST_CHANCE)
    best = 1 + chance[1:].argmax(axis=0)
    rows = np.arange(len(around))
    is_possible = places[best, rows] >= 0
    at = _AT["wrong_warehouse"]
    ratio = np.log(chance[best, rows]) - np.log(chance[0])
    ratio += MORE_THAN_THERE_IS * ((around.sign < 0) & (around.after < 0))
    odds[:, at] = np.where(is_possible, ratio, LEAST)
    value[:, at] = np.where(is_possible, places[best, rows], np.nan)


def _elsewhere(window: Window, kin: np.ndarray, around: Around) -> np.ndarray:
    """The newest place of a window that is not the line's own; -1 where there is none."""
    is_other = kin & (window.place != around.place[:, None])
    at = is_other.argmax(axis=1)
    rows = np.arange(len(around))
    return np.where(is_other[rows, at], window.place[rows, at], NOBODY)


PRIOR_LINES = 0.2
"""What the habits of all products say about places counts like so many lines of this one."""
IN_ONE_PLACE = 0.97
"""How surely the lines of a document lie in one warehouse."""


def _of_twins(habits: Habits, found: twins.Twins, odds: np.ndarray) -> None:
    usual = habits.repeat[found.state, found.size_class]
    odds[:, _AT["booked_twice"]] = np.where(found.count > 0, -np.log(usual), LEAST)


def _of_price(
    around: Around, law: likelihoods.Prices, odds: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The odds of a mistyped price; hands back how likely the booked price is, and the usual one."""
    asked = np.concatenate([around.log_price[:, None], law.single], axis=1)
    log_chance = law.log_chance(asked)
    real = log_chance[:, 0]
    slip = guesses.price_slips(around.log_price, law.single)
    with np.errstate(divide="ignore"):
        each = np.where(np.isfinite(law.single), log_chance[:, 1:] + np.log(slip), -np.inf)
    best = each.argmax(axis=1)
    rows = np.arange(len(around))
    top = each[rows, best]
    at = _AT["price_typo"]
    is_possible = np.isfinite(top) & np.isfinite(around.log_price)
    odds[:, at] = np.where(is_possible, np.where(is_possible, top, 0.0) - real, LEAST)
    right = np.round(np.exp(law.single), 4)
    value[:, at] = np.where(is_possible, right[rows, best], np.nan)
    known = np.isfinite(law.single)
    first = known.argmax(axis=1)
    return real, np.where(known.any(axis=1), right[rows, first], np.nan)


def _of_unknown(around: Around, real: np.ndarray, real_price: np.ndarray, odds: np.ndarray) -> None:
    """Nothing usual: as if the size and the price had been drawn from all numbers there are."""
    any_size = np.log(ANY_SIZE) - np.log(np.maximum(around.size.astype(np.float64), 1.0))
    any_price = np.where(np.isnan(around.log_price), 0.0, np.log(ANY_PRICE))
    by_size, by_price = any_size - real, any_price - real_price
    odds[:, _AT["unknown"]] = np.logaddexp(by_size, by_price) + MORE_THAN_THERE_IS * (
        (around.sign < 0) & (around.after < 0)
    )


ANY_SIZE = 1 / 18.0
"""All doublings up to a quarter of a million are alike to a line that nothing explains."""
ANY_PRICE = 2e-3
