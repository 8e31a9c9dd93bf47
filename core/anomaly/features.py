"""What the learner sees of a line: one definition for training, scoring, the export and every endpoint.

The odds of each error, summaries of them that know no kind, and plain numbers about the line, its product,
document and customer, all from before it. Arithmetic: no session, no clock.
"""

import hashlib
import json

import numpy as np

from core.anomaly.around import DAY, Around, Window, is_somebody, known, same_price
from core.anomaly.feature_meanings import MEANINGS, WITNESSES
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import PRIOR, Evidence
from core.anomaly.lines import KINDS, Shelf
from core.anomaly.quantity_errors import OF_QUANTITY, Best

NAMES = tuple(MEANINGS)
_BEHIND = 1
"""Raised when a number is worked out in another way under the same name."""
VERSION = hashlib.sha256(json.dumps([_BEHIND, MEANINGS]).encode()).hexdigest()[:16]
FAR = 12.0
"""Differences of logarithms are kept within this."""
MOST = 1e6
LONG_AGO = 999.0
"""Days since the last movement of a product that never moved."""


def table(evidence: Evidence, habits: Habits, shelf: Shelf) -> np.ndarray:
    """float32 (n, len(NAMES)), never nan or infinite; a number that nobody knows is 0."""
    around = evidence.around
    columns = {
        **_of_odds(evidence),
        **_of_size(around, evidence),
        **_of_habits(around, evidence),
        **_of_shape(around),
        **_of_price(around, evidence),
        **_of_document(around, evidence),
        **_of_time(around, habits, shelf),
    }
    result = np.empty((len(around), len(NAMES)), np.float32)
    for place, name in enumerate(NAMES):
        result[:, place] = columns[name]
    return known(np.clip(result, -MOST, MOST))


def _of_odds(evidence: Evidence) -> dict[str, np.ndarray]:
    likely = evidence.log_odds + PRIOR
    ordered = np.sort(likely, axis=1)
    return {
        **{f"odds_{kind}": evidence.log_odds[:, place] for place, kind in enumerate(KINDS)},
        "likely_best": ordered[:, -1],
        "likely_second": ordered[:, -2],
        "likely_all": _summed(likely),
        "likely_of_quantity": _summed(likely[:, [KINDS.index(name) for name in OF_QUANTITY]]),
    }


def _summed(logs: np.ndarray) -> np.ndarray:
    top = logs.max(axis=1)
    return top + np.log(np.exp(logs - top[:, None]).sum(axis=1))


def _of_size(around: Around, evidence: Evidence) -> dict[str, np.ndarray]:
    law = evidence.size
    window = around.of_product
    kin = _kin(window, around)
    count = kin.sum(axis=1)
    exact = kin & (window.size == around.size[:, None])
    at_price = kin & (same_price(window.log_price, around.log_price[:, None]))
    first = kin.argmax(axis=1)
    rows = np.arange(len(around))
    newest = np.where(count > 0, window.log_size[rows, first], law.centre)
    largest = np.where(count > 0, np.where(kin, window.log_size, -99).max(axis=1), law.centre)
    at_price_count = at_price.sum(axis=1)
    at_price_mean = (window.log_size * at_price).sum(axis=1) / np.maximum(at_price_count, 1)
    above = around.log_size - law.plain
    return {
        "size": around.log_size,
        "size_chance": evidence.log_size_chance,
        "size_chance_all": np.log(np.maximum(law.of_all(around.size[:, None])[:, 0], 1e-12)),
        "size_above_usual": above,
        "size_deviation": _far(above / law.spread),
        "size_above_newest": _far(around.log_size - newest),
        "size_above_largest": _far(around.log_size - largest),
        "size_of_product": law.plain,
        "size_seen": exact.sum(axis=1) / (count + 1),
        "size_seen_at_price": (exact & at_price).sum(axis=1) / (at_price_count + 1),
        "size_larger": (kin & (window.size >= around.size[:, None])).sum(axis=1) / (count + 1),
        "size_at_price": np.where(at_price_count > 0, _far(at_price_mean - law.centre), 0.0),
        "packs_of_product": _share(kin, _is_pack(window.size)),
        "ones_of_product": _share(kin, window.size == 1),
        "seen": np.log1p(count),
        "flow": around.flow,
        "is_in": around.sign > 0,
    }


def _of_habits(around: Around, evidence: Evidence) -> dict[str, np.ndarray]:
    """Against the customer and the document so far."""
    document, customer, pair = around.of_document, around.of_customer, around.of_pair
    in_document, of_customer, of_pair = _kin(document, around), _kin(customer, around), _kin(pair, around)
    document_mean, document_spread = _mean(document, in_document)
    customer_mean, _ = _mean(customer, of_customer)
    pair_mean, _ = _mean(pair, of_pair)
    rows = np.arange(len(around))
    first = of_pair.argmax(axis=1)
    has_pair = of_pair.any(axis=1)
    return {
        "size_against_customer": np.where(of_customer.any(axis=1), around.log_size - customer_mean, 0.0),
        "size_against_document": np.where(in_document.any(axis=1), around.log_size - document_mean, 0.0),
        "size_against_pair": np.where(has_pair, around.log_size - pair.log_size[rows, first], 0.0),
        "size_against_pair_mean": np.where(has_pair, around.log_size - pair_mean, 0.0),
        "lean": evidence.size.leans,
        "size_above_lean": around.log_size - evidence.size.centre,
        **_of_meant("too_much", evidence.quantity.too_much, evidence, document_mean),
        **_of_meant("too_little", evidence.quantity.too_little, evidence, document_mean),
        **{f"chance_{name}": evidence.quantity.said[:, at] for at, name in enumerate(WITNESSES)},
        "document_size": document_mean,
        "document_spread": document_spread,
        "customer_size": customer_mean,
        "customer_lines": np.log1p(customer.valid.sum(axis=1)),
        "is_anonymous": ~is_somebody(around.customer),
        "pair_lines": of_pair.sum(axis=1),
        "pair_days": np.where(has_pair, np.log1p(pair.days[rows, first]), 0.0),
        "packs_in_document": _share(in_document, _is_pack(document.size)),
        "ones_in_document": _share(in_document, document.size == 1),
    }


def _of_meant(side: str, best: Best, evidence: Evidence, document_mean: np.ndarray) -> dict[str, np.ndarray]:
    """What the line would be like if its likeliest right quantity had been booked."""
    doublings = np.log2(np.maximum(best.meant, 1e-6))
    return {
        **{f"{side}_by_{name}": best.said[:, at] for at, name in enumerate(WITNESSES)},
        f"{side}_odds": best.odds,
        f"{side}_size": doublings,
        f"{side}_from_usual": doublings - evidence.size.centre,
        f"{side}_from_document": doublings - document_mean,
    }


def _of_shape(around: Around) -> dict[str, np.ndarray]:
    size = around.size.astype(np.float64)
    zeros = sum((size % 10.0**power == 0).astype(int) for power in (1, 2, 3))
    return {
        "multiple_12": size % 12 == 0,
        "multiple_10": size % 10 == 0,
        "multiple_6": size % 6 == 0,
        "last_digits_zero": zeros,
    }


def _of_price(around: Around, evidence: Evidence) -> dict[str, np.ndarray]:
    law = evidence.price
    weight = law.recent
    total = weight.sum(axis=1)
    mean = (known(law.window.log_price) * weight).sum(axis=1) / np.maximum(total, 1e-9)
    same = same_price(law.window.log_price, around.log_price[:, None])
    newest, listed = law.single[:, 1], law.single[:, 3]
    money = known(around.log_price) + np.log(2.0) * around.log_size
    window = around.of_document
    others = np.where(window.valid, np.exp(known(window.log_price)) * window.size, 0.0).sum(axis=1)
    return {
        "log_price": known(around.log_price),
        "price_chance": evidence.log_price_chance,
        "price_above_newest": _far(known(around.log_price - newest)),
        "price_above_mean": np.where(total > 0, _far(known(around.log_price - mean)), 0.0),
        "price_above_list": _far(known(around.log_price - listed)),
        "price_seen": (weight * same).sum(axis=1) / (total + 0.1),
        "money": money,
        "money_in_document": np.where(others > 0, _far(money - np.log(np.maximum(others, 1e-9))), 0.0),
    }


def _of_document(around: Around, evidence: Evidence) -> dict[str, np.ndarray]:
    window = around.of_document
    count = window.valid.sum(axis=1)
    turned = (window.valid & (window.sign != around.sign[:, None])).sum(axis=1)
    twins = evidence.twins
    return {
        "turn": evidence.log_turn,
        "document_turned": turned / (count + 0.5),
        "document_lines": np.log1p(count),
        "twins": twins.count,
        "twin_gap": twins.gap,
        "alike": twins.alike,
        "repeats": twins.repeats,
        "fellows": twins.fellows,
        "twin_far": np.where(twins.gap >= 0, (twins.gap + 1) / (count + 1), 0.0),
        "product_twins": twins.habitual,
        "customer_twins": twins.of_customer,
        "twin_and_more": (twins.count > 0) & (twins.repeats == 0) & (around.size > 1),
    }


def _of_time(around: Around, habits: Habits, shelf: Shelf) -> dict[str, np.ndarray]:
    window = around.of_product
    kin = _kin(window, around)
    since = np.where(
        window.valid.any(axis=1), np.where(window.valid, window.days, LONG_AGO).min(axis=1), LONG_AGO
    )
    sums = {days: np.where(kin & (window.days <= days), window.size, 0.0).sum(axis=1) for days in (7, 28, 90)}
    rate = np.zeros(len(around))
    if shelf.daily_rate:
        rate = np.array([shelf.daily_rate.get(number, 0.0) for number in around.product.tolist()])
    place_hour, place_day = (
        habits.row_of(habits.hour, around.place),
        habits.row_of(habits.weekday, around.place),
    )
    size = np.maximum(around.size, 1e-3)
    return {
        "since_movement": np.log1p(since),
        "after": np.tanh(known(around.after / size) / 10),
        "is_short": (around.sign < 0) & (around.after < 0),
        "hour": np.log(habits.hour[place_hour, (around.at // 3600 % 24).astype(np.int64)]),
        "weekday": np.log(habits.weekday[place_day, ((around.at // DAY + 3) % 7).astype(np.int64)]),
        **{f"last_{days}_days": np.log1p(total) for days, total in sums.items()},
        "size_of_week": _far(np.log(size / (sums[28] / 4 + 1))),
        "size_of_forecast": np.where(rate > 0, _far(np.log(size / np.maximum(7 * rate, 1e-3))), 0.0),
    }


def _kin(window: Window, around: Around) -> np.ndarray:
    return window.valid & (window.flow == around.flow[:, None]) & (window.sign == around.sign[:, None])


def _mean(window: Window, kin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = np.maximum(kin.sum(axis=1), 1)
    mean = (window.log_size * kin).sum(axis=1) / count
    return mean, np.sqrt(((window.log_size - mean[:, None]) ** 2 * kin).sum(axis=1) / count)


def _share(kin: np.ndarray, holds: np.ndarray) -> np.ndarray:
    return (kin & holds).sum(axis=1) / (kin.sum(axis=1) + 1)


def _is_pack(size: np.ndarray) -> np.ndarray:
    return (np.rint(size / 6) * 6 == size) | (np.rint(size / 10) * 10 == size)


def _far(value: np.ndarray) -> np.ndarray:
    return np.clip(value, -FAR, FAR)
