"""What a write leaves behind for whoever clicked, when it is clicked twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from core.errors import RuleBroken
from dashboard import editing, pressing
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


class Stopped(BaseException):
    """What Streamlit raises in a run that makes way for the next one."""


@pytest.mark.usefixtures("write")
def test_a_press_that_ends_with_its_run_leaves_the_form_to_the_press_that_ended_it():
    mine = {"form": "first"}

    def stopped(*_):
        raise Stopped

    with pytest.raises(Stopped):
        pressing.once(mine, "first", stopped)
    assert pressing.once(mine, "first", lambda *_: DONE) is DONE
    assert mine["form"] != "first"


@pytest.mark.usefixtures("write")
def test_a_press_that_comes_while_another_writes_waits_for_it_and_writes_nothing():
    mine, wrote, is_writing, may_end = {"form": "first"}, [], threading.Event(), threading.Event()

    def slowly(*_):
        wrote.append("first")
        is_writing.set()
        may_end.wait(10)
        return DONE

    with ThreadPoolExecutor(2) as presses:
        first = presses.submit(pressing.once, mine, "first", slowly)
        assert is_writing.wait(10)
        second = presses.submit(pressing.once, mine, "first", lambda *_: wrote.append("second"))
        may_end.set()
        assert (first.result(10), second.result(10)) == (DONE, None)
    assert wrote == ["first"]


@pytest.mark.usefixtures("write")
def test_a_press_that_was_refused_leaves_the_form_as_it_was_typed():
    mine = {"form": "first"}

    def refused(*_):
        raise RuleBroken("Not today.")

    assert pressing.once(mine, "first", refused) is None
    assert (mine["form"], mine["refused"]) == ("first", "Not today.")


@pytest.mark.usefixtures("write")
def test_what_comes_after_a_write_may_end_the_run_and_the_write_is_still_answered():
    mine = {"form": "first"}

    def stopped():
        raise Stopped

    with pytest.raises(Stopped):
        pressing.once(mine, "first", lambda *_: Answer("Sent.", then=stopped))
    assert mine["answer"].words == "Sent."
    assert mine["form"] != "first"
