"""Learns `Habits` from lines: counts, a small regression and the weights of the witnesses.

The weights come from expectation and maximisation over a sample of the newest lines, each held against what
was known before it. Arithmetic: no session, no clock.
"""

from dataclasses import replace

import numpy as np

from core.anomaly import likelihoods
from core.anomaly.around import Around, gather, logs
from core.anomaly.contexts import Index
from core.anomaly.habits import (
    BANDS,
    CLASSES,
    EXPLAINS,
    IN_DOCUMENT,
    NOVEL,
    PACKS,
    POINTS,
    PRICED,
    REPEAT_SIZES,
    REPEAT_STATES,
    RESIDUALS,
    TABLED,
    TURN_STATES,
    Habits,
)  # fmt: skip
from core.anomaly.lines import FLOWS, NOBODY, Lines

SAMPLE = 32_000
"""So many of the newest lines are held against their past to learn whom to believe."""
CHUNK = 2_048
TAIL_LINES = 5.0
"""The tail of large sizes falls with the square, as if so many lines had said so."""
ODD_SHARE = 0.02
"""So often a line has any size that the shop has, whatever is usual for it."""
NOVEL_LINES = 1_000.0
"""What stores in general say about new sizes counts like so many lines."""
LEAST_PACK, TOLD = 6.0, 0.8
"""What is no pack yet; and how far the shop's sizes are believed about its packs."""
RECENT_LINES = 40_000.0
"""After so many lines an earlier one counts half for what is popular, and at which price."""
STEPS = 25
DAY_SECONDS, HOUR_SECONDS = 86_400, 3_600


def learn(lines: Lines, upto: int) -> Habits:
    """All tables, in the order in which they need each other."""
    known = _first(lines, upto)
    habits = Habits.default()
    if upto == 0:
        return habits
    customers = np.unique(known.customer)
    habits = replace(habits, customers=customers[customers != NOBODY])
    known = habits.numbered(known)
    habits = _of_sizes(habits, known)
    habits = _of_prices(habits, known)
    habits = _of_places(habits, known)
    habits = _of_packs(habits, known)
    chunks = _sample(known)
    habits = _of_tilt(_of_leaning(habits, chunks), chunks)
    return _of_mixes(habits, chunks)


def _first(lines: Lines, upto: int) -> Lines:
    return lines if upto >= len(lines) else lines.take(np.arange(upto))


def _sample(lines: Lines) -> list[Around]:
    """The newest lines with their windows, in chunks."""
    index = Index(lines)
    start = max(0, len(lines) - SAMPLE)
    targets = np.arange(start, len(lines))
    return [gather(lines, index.before(targets[at : at + CHUNK])) for at in range(0, len(targets), CHUNK)]


def _of_sizes(habits: Habits, lines: Lines) -> Habits:
    """Bands of prices, and the sizes in them: a band leans on its flow, and that on stores in general."""
    log_price = logs(lines.price)
    is_priced = np.isfinite(log_price)
    edges = habits.edges
    if is_priced.sum() > 10 * BANDS:
        edges = np.quantile(log_price[is_priced], np.arange(1, BANDS) / BANDS)
    habits = replace(habits, edges=np.asarray(edges, np.float64))
    band = habits.band(log_price)
    size = np.abs(lines.change)
    cell = np.where(size <= TABLED, np.maximum(np.rint(size), 1), 0).astype(np.int64)
    counts = np.zeros((len(FLOWS), BANDS + 1, TABLED + 1))
    np.add.at(counts, (lines.flow, band, cell), 1.0)
    base = habits.size[0, 0] / habits.size[0, 0].sum()
    of_all = _backed(counts.sum(axis=(0, 1)), base, 20.0)
    of_flow = _backed(counts.sum(axis=1), of_all, 20.0)
    table = _backed(counts, of_flow[:, None, :], 50.0)
    level = np.zeros((len(FLOWS), BANDS + 1, 2))
    np.add.at(
        level, (lines.flow, band), np.stack([np.log2(np.maximum(size, 1e-6)), np.ones(len(lines))], axis=1)
    )
    of_flow_level = (level[..., 0].sum(axis=1) + 2 * 2.0) / (level[..., 1].sum(axis=1) + 2)
    mean = (level[..., 0] + 10 * of_flow_level[:, None]) / (level[..., 1] + 10)
    beyond = np.log(size[size > TABLED] / TABLED)
    power = np.clip((len(beyond) + 2 * TAIL_LINES) / (beyond.sum() + TAIL_LINES), 0.5, 4.0)
    novel = _novel(counts.sum(axis=(0, 1)), base) + (ODD_SHARE * of_all).astype(np.float32)
    habits = replace(habits, size=table.astype(np.float32), level=mean, tail=np.array([power]), novel=novel)
    above = np.log2(np.maximum(size, 1e-6)) - mean[lines.flow, band]
    row = np.where(lines.customer >= 0, lines.customer, lines.customer.max(initial=-1) + 1)
    count, total = np.bincount(row), np.bincount(row, weights=above)
    if row.max() == lines.customer.max(initial=-1):
        count, total = np.r_[count, 0], np.r_[total, 0.0]
    return replace(habits, customer_lean=(total / (count + 5)).astype(np.float32))


def _novel(counts: np.ndarray, base: np.ndarray) -> np.ndarray:
    """As many new sizes are to come as were seen once (Good and Turing), spread over the rare ones."""
    share = ((counts == 1).sum() + NOVEL * NOVEL_LINES) / (counts.sum() + NOVEL_LINES)
    rare = np.where(counts <= 1, base, 0.0)
    rare[0] = base[0]
    return (share * rare / rare.sum()).astype(np.float32)


def _backed(counts: np.ndarray, behind: np.ndarray, strength: float) -> np.ndarray:
    return (counts + strength * behind) / (counts.sum(axis=-1, keepdims=True) + strength)


def _of_prices(habits: Habits, lines: Lines) -> Habits:
    """The spread of prices, and which products are usual at which price."""
    log_price = logs(lines.price)
    is_priced = np.isfinite(log_price)
    recent = np.exp2((np.arange(len(lines)) - len(lines)) / RECENT_LINES)
    popularity = np.bincount(lines.product, weights=recent) / recent.sum()
    habits = replace(habits, popularity=popularity)
    if is_priced.sum() < 2:
        return habits
    middle = np.median(log_price[is_priced])
    spread = max(float(np.abs(log_price[is_priced] - middle).mean()), 0.3)
    cents = np.rint(lines.price[is_priced] * 100).astype(np.int64)
    product = lines.product[is_priced].astype(np.int64)
    weight = recent[is_priced]
    pair, which = np.unique(np.stack([cents, product]), axis=1, return_inverse=True)
    count = np.bincount(which.ravel(), weights=weight)
    share = count / np.maximum(np.bincount(product, weights=weight)[pair[1]], 1e-12)
    order = np.lexsort((-count, pair[0]))
    cents_sorted = pair[0][order]
    first = np.r_[True, cents_sorted[1:] != cents_sorted[:-1]]
    group = np.cumsum(first) - 1
    rank = np.arange(len(order)) - np.flatnonzero(first)[group]
    points = cents_sorted[first]
    products, shares = np.full((len(points), PRICED), -1, np.int32), np.zeros((len(points), PRICED))
    kept = rank < PRICED
    products[group[kept], rank[kept]] = pair[1][order][kept]
    shares[group[kept], rank[kept]] = share[order][kept]
    commonest = np.sort(np.argsort(-np.bincount(group, weights=count[order]), kind="stable")[:POINTS])
    is_above = points[commonest] > 0
    commonest = commonest[is_above]
    return replace(
        habits, price_level=np.array([middle, spread]), price_points=np.log(points[commonest] / 100),
        point_products=products[commonest], point_share=shares[commonest],
    )  # fmt: skip


def _of_places(habits: Habits, lines: Lines) -> Habits:
    """Where things happen, and at which hours and weekdays."""
    places = int(lines.place.max(initial=0)) + 1
    at = np.maximum(lines.place, 0)
    share = np.zeros((len(FLOWS), places + 1))
    np.add.at(share, (lines.flow, at), 1.0)
    known = len(np.unique(at))
    share = (share + 1.0) / (share.sum(axis=1, keepdims=True) + known + 1)
    hour = _rhythm(at, (lines.at // HOUR_SECONDS % 24).astype(np.int64), places, 24)
    weekday = _rhythm(at, ((lines.at // DAY_SECONDS + 3) % 7).astype(np.int64), places, 7)
    return replace(habits, place_share=share, hour=hour, weekday=weekday)


def _rhythm(place: np.ndarray, slot: np.ndarray, places: int, slots: int) -> np.ndarray:
    """How many times the mean slot each slot is used; a place leans on all places."""
    counts = np.zeros((places + 1, slots))
    np.add.at(counts, (place, slot), 1.0)
    counts[-1] = counts.sum(axis=0)
    of_all = _backed(counts[-1], np.full(slots, 1 / slots), 2.0 * slots)
    return _backed(counts, of_all, 2.0 * slots) * slots


def _of_packs(habits: Habits, lines: Lines) -> Habits:
    """Which of the usual factors this shop sells in: by how often a size is that factor.

    Small ones are sizes like any other and say nothing of packs.
    """
    size = np.abs(lines.change)
    factors = np.array(PACKS)
    counts = np.where(factors >= LEAST_PACK, [(size == factor).sum() for factor in factors], 0.0)
    if not counts.any():
        return habits
    both = habits.pack_share * counts
    share = TOLD * both / both.sum() + (1 - TOLD) * habits.pack_share
    return replace(habits, packs=factors, pack_share=share)


def _of_leaning(habits: Habits, chunks: list[Around]) -> Habits:
    """How document and customer lean a size."""
    parts: list[tuple[np.ndarray, ...]] = []
    for around in chunks:
        plain = likelihoods.sizes(around, habits).plain
        parts.append((*likelihoods.explained(around, habits, around.flow), around.log_size - plain))
    signs, in_document, apart = (np.concatenate(column) for column in zip(*parts, strict=True))
    classes = range(len(IN_DOCUMENT) + 1)
    return replace(
        habits, leaning=np.stack([_ridge(signs[in_document == c], apart[in_document == c]) for c in classes])
    )


def _of_tilt(habits: Habits, chunks: list[Around]) -> Habits:
    """How much likelier each distance from usual becomes by leaning."""
    parts: list[tuple[np.ndarray, ...]] = []
    for around in chunks:
        law = likelihoods.sizes(around, habits)
        residual = np.searchsorted(RESIDUALS, around.log_size - law.centre)
        parts.append((law.lean, residual, around.flow, law.band))
    lean, residual, flow, band = (np.concatenate(column) for column in zip(*parts, strict=True))
    counts = np.zeros((CLASSES, len(RESIDUALS) + 1))
    np.add.at(counts, (lean, residual), 1.0)
    usual = _backed(counts.sum(axis=0), np.full(counts.shape[1], 1 / counts.shape[1]), 5.0)
    of_lean = _backed(counts.reshape(len(IN_DOCUMENT) + 1, -1, counts.shape[1]).sum(axis=0), usual, 50.0)
    tilt = _backed(counts, np.tile(of_lean, (len(IN_DOCUMENT) + 1, 1)), 50.0) / usual
    seen = np.zeros((len(FLOWS), BANDS + 1, len(RESIDUALS) + 1))
    np.add.at(seen, (flow, band, residual), 1.0)
    seen = _backed(seen, usual, 20.0)
    return replace(habits, tilt=tilt, tilt_of_all=np.einsum("fbr,lr->lfb", seen, tilt))


def _ridge(signs: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """What each sign of leaning adds to the doublings above usual; sixteenfold is the most."""
    return np.linalg.solve(signs.T @ signs + 10 * np.eye(EXPLAINS), signs.T @ np.clip(apart, -4, 4))


def _of_mixes(habits: Habits, chunks: list[Around]) -> Habits:
    """Whom to believe about sizes and prices; which way lines go; how usual exact repeats are."""
    from core.anomaly import twins

    said: dict[str, list[np.ndarray]] = {"size": [], "size gate": [], "price": [], "price gate": []}
    turns, repeats = np.zeros((len(FLOWS), TURN_STATES, 2)), np.zeros((REPEAT_STATES, REPEAT_SIZES, 3))
    for around in chunks:
        law = likelihoods.sizes(around, habits)
        said["size"].append(law.witnesses(around.size[:, None])[:, 0])
        said["size gate"].append(law.gate)
        prices = likelihoods.prices(around, habits, np.full(len(around), np.nan))
        is_priced = np.isfinite(around.log_price)
        said["price"].append(prices.witnesses(around.log_price[:, None])[is_priced, 0])
        said["price gate"].append(prices.gate[is_priced])
        state, turned, forward = twins.turning(around)
        np.add.at(turns, (forward, state), np.stack([turned, ~turned], axis=1).astype(float))
        twin = twins.find(around)
        np.add.at(
            repeats,
            (twin.state, twin.size_class),
            np.stack([twin.count > 0, np.ones(len(around)), np.zeros(len(around))], axis=1),
        )
    size_mix = _mixed(said["size"], said["size gate"], habits.size_mix)
    price_mix = _mixed(said["price"], said["price gate"], habits.price_mix)
    of_flow = (turns[..., 0].sum(axis=1) + 0.6) / (turns.sum(axis=(1, 2)) + 20)
    turn = (turns[..., 0] + 5 * of_flow[:, None]) / (turns.sum(axis=2) + 5)
    return replace(habits, size_mix=size_mix, price_mix=price_mix, turn=turn, repeat=_repeats(repeats))


def _repeats(counts: np.ndarray) -> np.ndarray:
    """The chance of a repeat of a size class in a state, over the share of that size class in the state."""
    base = (counts[..., 0].sum() + 0.1) / (counts[..., 1].sum() + 10)
    of_size = (counts[..., 0].sum(axis=0) + 5 * base) / (counts[..., 1].sum(axis=0) + 5)
    return (counts[..., 0] + 20 * of_size) / (counts[..., 1] + 20)


def _mixed(said: list[np.ndarray], gates: list[np.ndarray], start: np.ndarray) -> np.ndarray:
    """Weights that make what happened likeliest, by gate; gates with few lines lean on all."""
    chance, gate = np.concatenate(said), np.concatenate(gates)
    if not len(chance):
        return start
    of_all = start[0]
    for _ in range(STEPS):
        of_all = _backed(_responsible(chance, of_all).sum(axis=0), start[0], 5.0)
    mix = np.tile(of_all, (len(start), 1))
    for _ in range(STEPS):
        part = _responsible(chance, mix[gate])
        counts = np.stack(
            [np.bincount(gate, weights=column, minlength=len(start)) for column in part.T], axis=1
        )
        mix = _backed(counts, of_all, 20.0)
    return mix


def _responsible(chance: np.ndarray, mix: np.ndarray) -> np.ndarray:
    part = chance * mix + 1e-300
    return part / part.sum(axis=1, keepdims=True)
