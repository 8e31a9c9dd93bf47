"""What the learner sees: named, explained, finite, and about the line that it says."""

import numpy as np
import pytest

from core.anomaly import features
from core.anomaly.contexts import Index
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import weigh
from core.anomaly.lines import KINDS, Lines, Shelf
from tests.core.anomaly.ledgers import A_SHELF, a_ledger
from tests.core.anomaly.test_hypotheses import with_last


@pytest.fixture(scope="module")
def ledger() -> Lines:
    return a_ledger(200)


@pytest.fixture(scope="module")
def habits(ledger) -> Habits:
    return Habits.learn(ledger, len(ledger))


def of(lines: Lines, habits: Habits, shelf: Shelf = A_SHELF) -> dict[str, np.ndarray]:
    targets = np.arange(len(lines) - 60, len(lines))
    evidence = weigh(lines, Index(lines).before(targets), habits, shelf)
    return dict(zip(features.NAMES, features.table(evidence, habits, shelf).T, strict=True))


def test_every_number_has_a_name_a_meaning_and_is_finite(ledger, habits):
    found = of(ledger, habits)
    assert set(found) == set(features.MEANINGS)
    assert all(np.isfinite(column).all() for column in found.values())
    assert all(meaning.endswith(".") for meaning in features.MEANINGS.values())


def test_the_odds_of_every_error_are_among_them(ledger, habits):
    targets = np.arange(len(ledger) - 60, len(ledger))
    evidence = weigh(ledger, Index(ledger).before(targets), habits, A_SHELF)
    found = of(ledger, habits)
    for place, kind in enumerate(KINDS):
        np.testing.assert_array_equal(found[f"odds_{kind}"], evidence.log_odds[:, place])


def test_sizes_are_held_against_product_customer_and_document(ledger, habits):
    usual, large = of(ledger, habits), of(with_last(ledger, change=ledger.change[-1] * 8), habits)
    for name in ("size", "size_against_document", "size_against_customer", "size_above_usual"):
        assert large[name][-1] == pytest.approx(usual[name][-1] + 3, abs=1e-4)
    assert large["size_seen"][-1] == 0 < usual["size_seen"][-1]
    assert large["too_much_odds"][-1] > usual["too_much_odds"][-1]


def test_prices_are_held_against_history_and_list(ledger, habits):
    product, price = int(ledger.product[-1]), float(ledger.price[-1])
    shelf = Shelf(list_price={product: price / 2})
    found = of(ledger, habits, shelf)
    assert found["price_above_newest"][-1] == 0
    assert found["price_above_list"][-1] == pytest.approx(np.log(2), abs=1e-3)


def test_the_forecast_says_how_many_weeks_a_line_is(ledger, habits):
    product, size = int(ledger.product[-1]), float(abs(ledger.change[-1]))
    found = of(ledger, habits, Shelf(daily_rate={product: size / 7}))
    assert found["size_of_forecast"][-1] == pytest.approx(0, abs=1e-5)
    assert of(ledger, habits, Shelf())["size_of_forecast"][-1] == 0


def test_windows_of_weeks_count_only_the_past(ledger, habits):
    found = of(ledger, habits)
    place = len(ledger) - 1
    age = (ledger.at[place] - ledger.at[:place]) / 86_400
    is_it = (ledger.product[:place] == ledger.product[place]) & (age <= 28)
    assert np.expm1(found["last_28_days"][-1]) == pytest.approx(
        np.abs(ledger.change[:place][is_it]).sum(), rel=1e-4
    )


def test_what_is_left_after_it_is_told_when_somebody_knows():
    lines = a_ledger(120, before=30.0)
    habits = Habits.learn(lines, len(lines))
    found = of(with_last(lines, change=-36.0), habits)
    assert found["is_short"][-1] == 1
    assert found["after"][-1] < 0
    unknown = of(with_last(lines, change=-36.0, before=np.nan), habits)
    assert unknown["is_short"][-1] == unknown["after"][-1] == 0
