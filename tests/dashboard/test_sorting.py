"""The order of a list in its address."""

import pytest
import streamlit as st

from dashboard import pickers
from dashboard.sorting import Sorting

LIST = Sorting(
    {"Name": "name", "Value": "-value"},
    known=("name", "value"),
    usual="name",
    usual_words="they come by name",
)


@pytest.fixture
def address(monkeypatch):
    """The words of an address, and what was refused of them."""
    words, refused = {}, {}
    monkeypatch.setattr(st, "query_params", words)
    monkeypatch.setattr(pickers, "refuse", lambda word, sentence: refused.update({word: sentence}))
    monkeypatch.setattr(pickers, "restart", lambda: words.pop("page", None))
    monkeypatch.setattr(
        pickers,
        "remember",
        lambda word, value: words.pop(word, None) if value is None else words.update({word: value}),
    )
    return words, refused


def test_a_click_orders_a_second_one_turns_round_and_the_usual_order_has_no_word(address):
    words, _ = address
    LIST.turn("Value")
    assert words == {"sort": "-value"}
    LIST.turn("Value")
    assert words == {"sort": "value"}
    LIST.turn("Name")
    assert words == {}
    LIST.turn("Name")
    assert words == {"sort": "-name"}


def test_the_first_page_comes_first_in_another_order_and_other_columns_do_nothing(address):
    words, _ = address
    words["page"] = "3"
    LIST.turn("Picture")
    assert words == {"page": "3"}
    LIST.turn("Value")
    assert "page" not in words


def test_the_column_that_orders_has_an_arrow(address):
    words, _ = address
    words["sort"] = "-value"
    assert [LIST.label(name) for name in ("Name", "Value", "Picture")] == ["Name", "Value ↓", "Picture"]


def test_an_order_that_does_not_exist_is_said_and_ignored(address):
    words, refused = address
    words["sort"] = "-nonsense"
    assert LIST.asked() == ("name", False)
    assert refused == {"sort": "There is no order '-nonsense', so they come by name."}
