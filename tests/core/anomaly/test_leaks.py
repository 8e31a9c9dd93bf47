"""Nothing of the future, and nothing of the neighbours in a batch, reaches a line's evidence."""

import numpy as np
import pytest

from core.anomaly import features
from core.anomaly.contexts import Index
from core.anomaly.habits import Habits
from core.anomaly.hypotheses import weigh
from core.anomaly.lines import FLOWS, Lines
from tests.core.anomaly.ledgers import A_SHELF, a_ledger
from tests.core.anomaly.test_hypotheses import with_last

CUT = 420


@pytest.fixture(scope="module")
def ledger() -> Lines:
    return a_ledger(200, places=2, before=400.0)


@pytest.fixture(scope="module")
def habits(ledger) -> Habits:
    return Habits.learn(ledger, CUT)


def seen(lines: Lines, habits: Habits, targets: np.ndarray) -> np.ndarray:
    evidence = weigh(lines, Index(lines).before(targets), habits, A_SHELF)
    return np.hstack([features.table(evidence, habits, A_SHELF), evidence.log_odds, evidence.value])


def test_a_line_looks_the_same_to_the_bit_when_all_later_ones_are_gone(ledger, habits):
    targets = np.arange(CUT, 500)
    np.testing.assert_array_equal(
        seen(ledger, habits, targets), seen(ledger.take(np.arange(500)), habits, targets)
    )


def test_a_changed_line_changes_no_earlier_one(ledger, habits):
    earlier = np.arange(CUT, len(ledger) - 1)
    changed = with_last(ledger, change=9999.0, price=77.0, flow=FLOWS.index("back"), product=3, customer=4)
    np.testing.assert_array_equal(seen(ledger, habits, earlier), seen(changed, habits, earlier))


def test_a_line_looks_the_same_to_the_bit_whoever_is_asked_beside_it(ledger, habits):
    targets = np.arange(CUT, CUT + 64)
    together = seen(ledger, habits, targets)
    for size in (1, 7):
        for at in range(0, len(targets), size * 3):
            part = targets[at : at + size]
            np.testing.assert_array_equal(seen(ledger, habits, part), together[at : at + size])


def test_habits_of_the_past_know_nothing_of_what_came_after(ledger):
    alone = Habits.learn(ledger.take(np.arange(CUT)), CUT).to_arrays()
    for name, table in Habits.learn(ledger, CUT).to_arrays().items():
        np.testing.assert_array_equal(table, alone[name], err_msg=name)


def test_only_its_own_windows_are_needed_to_weigh_a_line(ledger, habits):
    """What a request reads from the ledger is enough: the line's windows, and nothing else."""
    target = np.array([len(ledger) - 1])
    found = Index(ledger).before(target)
    windows = (found.of_product, found.of_document, found.of_customer, found.of_pair)
    needed = np.unique(np.concatenate([w[w >= 0] for w in windows] + [target]))
    few = ledger.take(needed)
    np.testing.assert_array_equal(
        seen(ledger, habits, target), seen(few, habits, np.array([len(needed) - 1]))
    )
