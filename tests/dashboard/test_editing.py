"""What a write leaves behind for whoever clicked, when it is clicked twice."""

from types import SimpleNamespace

import pytest

from dashboard import editing
from dashboard.editing import Answer

DONE = Answer("Changed.", undo=print)
IDLE = Answer("Changed.", is_idle=True)


@pytest.fixture
def write(monkeypatch):
    cache = SimpleNamespace(clear=lambda: None)
    monkeypatch.setattr(editing, "transact", lambda work: work(None))
    monkeypatch.setattr(editing.signin, "require", lambda: None)
    monkeypatch.setattr(editing, "looks", SimpleNamespace(forget=cache.clear, places=cache, categories=cache))
    return editing.write


def test_a_second_click_that_found_nothing_to_change_keeps_the_undo_of_the_first(write):
    mine = {}
    write(mine, lambda *_: DONE)
    assert write(mine, lambda *_: IDLE) is DONE
    assert mine["answer"] is DONE


def test_so_it_does_when_the_first_click_ends_while_the_second_is_under_way(write):
    mine = {}

    def first_ends(_session, _person):
        mine["answer"] = DONE
        return IDLE

    write(mine, first_ends)
    assert mine["answer"] is DONE


def test_where_nothing_was_done_before_an_idle_write_says_its_own_words(write):
    mine = {}
    assert write(mine, lambda *_: IDLE) is IDLE
