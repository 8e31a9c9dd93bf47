"""What was known before a line was booked: the newest lines of its product, document and customer."""

from dataclasses import replace

import numpy as np

from core.anomaly.contexts import OF_PRODUCT, Index
from core.anomaly.lines import NEVER, NOBODY
from tests.core.anomaly.ledgers import a_ledger


def known(row: np.ndarray) -> list[int]:
    return [int(place) for place in row if place >= 0]


def test_a_line_sees_the_earlier_lines_of_its_product_newest_first():
    lines = a_ledger(30)
    target = len(lines) - 1
    same = [place for place in range(target) if lines.product[place] == lines.product[target]]
    assert known(Index(lines).before(np.array([target])).of_product[0]) == same[::-1]


def test_a_line_sees_what_its_customer_took_of_the_product_before():
    lines = a_ledger(60)
    target = len(lines) - 1
    before = np.arange(target)
    same = before[(lines.product[:-1] == lines.product[-1]) & (lines.customer[:-1] == lines.customer[-1])]
    assert known(Index(lines).before(np.array([target])).of_pair[0]) == same[::-1][:8].tolist()


def test_the_first_line_of_all_has_nothing_before_it():
    contexts = Index(a_ledger(5)).before(np.array([0]))
    for window in (contexts.of_product, contexts.of_document, contexts.of_customer, contexts.of_pair):
        assert known(window[0]) == []


def test_lines_without_customer_or_document_have_none_in_common():
    lines = a_ledger(20)
    nobody = np.full(len(lines), NOBODY, np.int32)
    contexts = Index(replace(lines, customer=nobody, document=nobody)).before(np.array([len(lines) - 1]))
    assert (
        known(contexts.of_customer[0]) == known(contexts.of_document[0]) == known(contexts.of_pair[0]) == []
    )
    assert known(contexts.of_product[0])


def test_a_line_reversed_before_is_forgotten_but_one_reversed_later_was_still_believed():
    lines = a_ledger(40)
    target = len(lines) - 1
    newest = known(Index(lines).before(np.array([target])).of_product[0])[0]
    void_from = np.full(len(lines), NEVER)
    void_from[newest] = target
    is_known = known(Index(replace(lines, void_from=void_from)).before(np.array([target])).of_product[0])
    assert newest not in is_known
    void_from = void_from.copy()
    void_from[newest] = target + 1
    is_known = known(Index(replace(lines, void_from=void_from)).before(np.array([target])).of_product[0])
    assert newest in is_known


def test_no_more_than_the_newest_lines_are_looked_at():
    lines = a_ledger(900)
    lines = replace(lines, product=np.zeros(len(lines), np.int32))
    window = Index(lines).before(np.array([len(lines) - 1])).of_product[0]
    assert known(window) == list(range(len(lines) - 2, len(lines) - 2 - OF_PRODUCT, -1))
