"""Numbers and moments are written exactly, and in the shortest way."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ledger_export import lettering

WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(pieces):
    return ["".join(parts) for parts in zip(*(piece.to_pylist() for piece in pieces), strict=True)]


def plain(value, digits):
    text = format(Decimal(value).scaleb(-digits), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.mark.parametrize(("digits", "group"), [(4, 4), (8, 4), (6, 3)])
@settings(deadline=None)
@given(st.lists(WHOLE | st.integers(-20_000, 20_000), min_size=1))
def test_a_number_is_the_shortest_plain_decimal(digits, group, values):
    wanted = [plain(value, digits) for value in values]
    assert written(lettering.number(np.array(values), digits, group)) == wanted


def test_numbers_that_are_easily_got_wrong():
    values = [0, 1, -1, -5_000, 10_000, 100_000, 125_000, -10_001, 10_050]
    assert written(lettering.number(np.array(values), 4, 4)) == [
        "0", "0.0001", "-0.0001", "-0.5", "1", "10", "12.5", "-1.0001", "1.005",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.integers(-(10**32), 10**32), min_size=1))
def test_a_number_of_more_than_64_bits_is_as_exact(values):
    with_zeros = [*values, 0, 10**30]
    found = lettering.long_number(np.array(with_zeros, dtype=object), 8).to_pylist()
    assert [Fraction(text) * 10**8 for text in found] == with_zeros
    assert not any(text.endswith(".") or ("." in text and text.endswith("0")) for text in found)


@settings(deadline=None)
@given(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=1))  # noqa: DTZ001
def test_a_moment_has_microseconds_and_z(moments):
    values = [(moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for moment in moments]
    wanted = [f"{moment.isoformat(timespec='microseconds')}Z" for moment in moments]
    assert lettering.moment(np.array(values)).to_pylist() == wanted
