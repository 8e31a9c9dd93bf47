"""Mistakes made up for training: every kind happens, nothing else changes, the truth stays known."""

from dataclasses import fields, replace

import numpy as np
import pytest

from core.anomaly import slips
from core.anomaly.lines import FLOWS, KINDS, NEVER, Lines, Shelf
from core.anomaly.mistakes import RIGHT, simulate
from tests.core.anomaly.ledgers import A_SHELF, a_ledger


def made(lines: Lines, *, kinds: tuple[str, ...] = KINDS, rate: float = 0.2, first: int = 0, seed: int = 1):
    return simulate(lines, A_SHELF, np.random.default_rng(seed), rate, kinds, first)


def test_every_kind_happens_the_unexplained_one_seldom():
    simulated = made(a_ledger(places=2), rate=0.6)
    counts = np.bincount(simulated.kind[simulated.kind != RIGHT], minlength=len(KINDS))
    assert counts.min() >= 1
    assert counts[KINDS.index("unknown")] < counts[KINDS.index("times_ten")] / 2


def test_right_lines_are_as_they_were_and_in_their_order():
    lines = a_ledger()
    simulated = made(lines)
    right = simulated.kind == RIGHT
    kept = simulated.lines.take(right)
    for field in fields(Lines):
        if field.name != "void_from":
            np.testing.assert_array_equal(
                getattr(kept, field.name), getattr(lines, field.name)[simulated.origin[right]]
            )
    assert (np.diff(simulated.origin[right]) > 0).all()


def test_a_wrong_line_differs_from_the_truth_in_what_its_kind_says():
    simulated = made(a_ledger(places=2))
    lines = simulated.lines
    differs = {
        "digits_swapped": lines.change != simulated.change,
        "wrong_sign": lines.change == -simulated.change,
        "price_typo": lines.price != simulated.price,
        "wrong_product": lines.product != simulated.product,
        "wrong_warehouse": lines.place != simulated.place,
    }
    for kind, is_wrong in differs.items():
        assert is_wrong[simulated.kind == KINDS.index(kind)].all(), kind


def test_a_copy_stands_behind_what_it_copies_and_is_the_wrong_one():
    simulated = made(a_ledger(), kinds=("booked_twice",))
    for copy in np.flatnonzero(simulated.kind != RIGHT):
        original = np.flatnonzero((simulated.origin == simulated.origin[copy]) & (simulated.kind == RIGHT))
        assert original[0] < copy
        assert simulated.lines.id[copy] < 0
    assert (np.diff(simulated.lines.at) >= 0).all()


def test_a_line_stays_void_from_the_same_line_on_when_copies_come_between():
    lines = a_ledger()
    void_from = np.full(len(lines), NEVER)
    void_from[3] = 200
    simulated = made(replace(lines, void_from=void_from), kinds=("booked_twice",))
    place = simulated.lines.void_from[(simulated.origin == 3) & (simulated.kind == RIGHT)][0]
    assert simulated.origin[place] == 200


def test_lines_before_the_first_are_left_alone():
    simulated = made(a_ledger(), first=300)
    assert (simulated.origin[simulated.kind != RIGHT] >= 300).all()


def test_nothing_leaves_the_shelf_that_was_not_there():
    simulated = made(a_ledger(before=30.0), kinds=("times_ten", "times_pack", "unknown"))
    lines = simulated.lines
    assert (lines.before + lines.change >= 0)[lines.change != simulated.change].all()
    assert (lines.change != simulated.change).any()


def test_both_legs_of_a_transfer_carry_the_same_slip():
    lines = a_ledger(30)
    transfer = np.full(len(lines), FLOWS.index("transfer"), np.int8)
    change = np.where(np.arange(len(lines)) % 2, 12.0, -12.0)
    legs = replace(
        lines, flow=transfer, change=change, product=np.repeat(lines.product[::2], 2)[: len(lines)]
    )
    simulated = made(legs, kinds=("times_ten",))
    assert simulated.lines.change.sum() == 0
    assert (simulated.kind != RIGHT).sum() % 2 == 0


def test_with_one_warehouse_no_wrong_one_is_booked():
    assert (made(a_ledger()).kind != KINDS.index("wrong_warehouse")).all()


def test_the_same_seed_makes_the_same_mistakes():
    one, two = made(a_ledger()), made(a_ledger())
    np.testing.assert_array_equal(one.kind, two.kind)
    np.testing.assert_array_equal(one.lines.change, two.lines.change)


@pytest.mark.parametrize("lines", [a_ledger(0), a_ledger(1)], ids=["none", "three"])
def test_hardly_any_lines_are_no_trouble(lines: Lines):
    simulated = simulate(lines, Shelf(), np.random.default_rng(1), 0.01)
    assert len(simulated.lines) >= len(lines)


def test_digits_that_are_swapped_never_begin_with_a_zero():
    rng = np.random.default_rng(1)
    assert slips.swap("10", rng) is None
    assert slips.swap("11", rng) is None
    assert slips.swap("21", rng) == "12"
    assert {slips.swap("102", rng) for _ in range(20)} == {"120"}
