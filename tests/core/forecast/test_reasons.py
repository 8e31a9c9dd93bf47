"""Why a forecast is as it is, and what would help it: sentences for the people who order."""

import numpy as np
import pytest

from core.forecast import reasons
from tests.core.forecast.shops import a_history

POOL = ("blocks", "occurrence", "analogs")


def series(demand, hidden=0):
    in_stock = np.arange(len(demand)) >= hidden
    (only,) = a_history(np.asarray(demand, float), in_stock)
    return only


def test_the_reason_names_the_methods_as_the_leaderboard_does_and_what_they_saw():
    seen = series(np.r_[np.zeros(61), np.ones(350)], hidden=61)
    assert reasons.reason(seen, POOL, 412) == (
        "The average of 3 methods (own weeks drawn again, chance and size of a sale, products like this one) "
        "on 412 days of history, 350 of them with demand; on 61 days demand could not be seen"
    )
    alone = reasons.reason(series(np.ones(40)), ("waking",), 41)
    assert alone == "One method (how long a pause lasts) on 41 days of history, 40 of them with demand"
    guests = reasons.reason(series(np.ones(40)), ("blocks", "prophet", "ets", "adida", "level"), 41)
    assert "(own weeks drawn again, Prophet, AutoETS, ADIDA, level with count noise)" in guests


def test_bulk_that_is_not_drawn_in_full_is_told_where_a_method_does_so():
    sold = series(np.r_[np.ones(90), 40, 30, np.ones(30)])
    told = reasons.reason(sold, POOL, 123)
    assert told.endswith("122 of them with demand; 2 days of bulk drawn as 5 usual sales at most")
    assert "bulk" not in reasons.reason(sold, ("waking",), 123)
    assert "bulk" not in reasons.reason(series(np.ones(122)), POOL, 123)


@pytest.mark.parametrize(
    ("demand", "hidden", "members", "words"),
    [
        (np.ones(412), 61, POOL, "More days in stock would help most: on 61 of 413 days"),
        (np.ones(40), 0, POOL[:2], "More history would help most: after 56 days"),
        (np.r_[np.ones(400), np.zeros(28)], 0, ("waking",), "The next sale would tell most"),
        (np.r_[np.zeros(400), np.ones(3)], 0, POOL, "It sold on 3 days only"),
        (np.ones(200), 0, POOL[:2], "More products with some months of sales would help"),
        (np.ones(200), 0, POOL, "A whole year of history would help most"),
    ],
    ids=["hidden", "young", "dormant", "rare", "few products", "no year"],
)
def test_what_would_help_is_the_one_thing_that_is_missing_most(demand, hidden, members, words):
    assert reasons.would_help(series(demand, hidden), members, len(demand) + 1).startswith(words)


def test_nothing_would_help_where_nothing_is_missing():
    assert reasons.would_help(series(np.ones(400)), POOL, 401) is None
