"""The desk of the Scan view: what codes do, in which order and how often, and how they are taken back."""

import pickle
import uuid

import pytest
import sqlalchemy as sa

from core import stock
from core.errors import RuleBroken
from core.scanning import scans
from dashboard import scan_counts, scan_desk, scan_entries, scan_undo, scan_work
from db.models import Movement, Scan
from tests.dashboard.test_orders import NOW, an_order
from tests.makers import a_warehouse, an_actor, on_hand, the_warehouse

EAN, CARTON, OTHER, STRANGER = "4006381333931", "4006381333948", "0036000291452", "8710398501233"


class Station:
    """A desk and the person at it."""

    def __init__(self, session, role="user", **chosen):
        self.session, self.person = session, an_actor(session, role)
        self.desk = scan_entries.begin({"form": uuid.uuid4().hex}) | chosen

    def arrive(self, codes, about=None):
        self.session.commit()
        for code in codes:
            scan_entries.put(self.desk, code, "wedge", about)
        scan_work.work(self.desk, self.person, NOW)

    def scan(self, *codes):
        self.arrive([code_of(text) for text in codes])

    def answer(self, **changes):
        scan_entries.answer(self.desk, scan_desk.card(self.desk)["key"], changes)
        self.arrive([])

    @property
    def last(self):
        return self.desk["last"]


def code_of(text, **about):
    return scan_desk.Code(uuid.uuid4(), text, **about)


@pytest.fixture
def station(session, lamp):  # noqa: ARG001  (what is scanned)
    return lambda mode="out", role="user", **chosen: Station(
        session, role, **{"mode": mode, "warehouse_id": the_warehouse(session).id, **chosen}
    )


def outcomes(session):
    return session.scalars(sa.select(Scan.outcome).order_by(Scan.id)).all()


def booked(session):
    return session.scalar(
        sa.select(sa.func.count()).select_from(Movement).where(Movement.reference_type == "scan")
    )


# -- Once, and in order --------------------------------------------------------------------------------------


def test_thirty_codes_of_a_quick_scanner_are_each_taken_once_in_their_order(station, session, lamp, bolt):
    mine = station("in")
    mine.scan(*[EAN, OTHER, CARTON] * 10)
    assert (on_hand(session, lamp), on_hand(session, bolt)) == (41 + 10 + 120, 18)
    assert session.scalars(sa.select(Scan.code).order_by(Scan.id)).all() == [EAN, OTHER, CARTON] * 10
    assert mine.desk["told"] == {"n": 30, "ok": True}
    assert not mine.desk["waiting"]


def test_the_same_key_books_once_however_often_it_arrives(station, session, lamp):
    mine, code = station(), code_of(EAN)
    mine.arrive([code, code])
    mine.arrive([code])
    assert on_hand(session, lamp) == 40
    mine.desk = station().desk  # the page was loaded again, and the browser sends what it kept
    mine.arrive([code])
    assert on_hand(session, lamp) == 40
    assert mine.last["after"] == "40"
    assert mine.desk["booked"] == [mine.last["uid"]]


def test_what_the_shop_refuses_is_said_and_written_down_and_the_next_code_goes_on(
    station, session, lamp, bolt
):
    mine = station()
    mine.scan(*[OTHER] * 9, EAN, "4006381333930")
    assert (on_hand(session, bolt), on_hand(session, lamp)) == (0, 40)
    assert outcomes(session) == ["booked"] * 8 + ["refused", "booked", "refused"]
    assert mine.last["kind"] == "refused"
    assert "the last digit should be" in mine.last["said"]
    assert mine.desk["told"]["ok"] is False


def test_a_code_waits_until_its_write_is_done_and_tried_again_it_books_once(
    station, session, lamp, monkeypatch
):
    def away(*_, **__):
        raise ConnectionError("gone")

    mine = station()
    monkeypatch.setattr(scans, "take", away)
    mine.scan(EAN, EAN)
    assert [entry["kind"] for entry in mine.desk["waiting"]] == ["trouble", None]
    monkeypatch.undo()
    mine.arrive([])
    assert on_hand(session, lamp) == 41  # nobody pressed yet
    scan_entries.answer(mine.desk, mine.desk["waiting"][0]["key"], {})
    mine.arrive([])
    assert on_hand(session, lamp) == 39


def test_a_write_of_which_nobody_heard_is_not_booked_again(station, session, lamp, monkeypatch):
    mine, real = station(), scans.take
    heard = []

    def lost(open_session, *about, **named):
        taken = real(open_session, *about, **named)
        if not heard:
            heard.append(taken)
            open_session.commit()
            raise ConnectionError("the answer got lost")
        return taken

    monkeypatch.setattr(scans, "take", lost)
    mine.scan(EAN)
    scan_entries.answer(mine.desk, mine.desk["waiting"][0]["key"], {})
    mine.arrive([])
    assert on_hand(session, lamp) == 40
    assert mine.last["kind"] == "booked"


# -- What is chosen ------------------------------------------------------------------------------------------


def test_without_a_place_codes_wait_for_one_and_go_on_in_their_order(station, session, lamp):
    mine = station(warehouse_id=None)
    mine.scan(EAN, CARTON)
    assert [entry["kind"] for entry in mine.desk["waiting"]] == ["place", None]
    assert booked(session) == 0
    mine.scan(f"loc:{the_warehouse(session).code}")
    assert on_hand(session, lamp) == 28
    assert mine.desk["warehouse_id"] == the_warehouse(session).id


def test_an_unknown_place_and_an_unknown_sku_are_refused_and_ask_nothing(station):
    mine = station()
    for label in ("loc:nowhere", "sku:nothing", "cmd:fly"):
        mine.scan(label)
        assert mine.last["kind"] == "refused"
        assert not mine.desk["waiting"]


def test_labels_switch_the_mode_for_what_comes_after_them(station, session, lamp):
    mine = station()
    mine.scan(EAN, "cmd:in", EAN, EAN)
    assert on_hand(session, lamp) == 42
    assert mine.desk["mode"] == "in"
    mine.scan("cmd:look_up", EAN)
    assert mine.last["kind"] == "found"


def test_a_viewer_looks_up_and_no_label_lets_them_book(station, session, lamp):
    mine = station("look_up", role="viewer")
    mine.scan(EAN)
    assert (mine.last["kind"], mine.last["on_hand"]) == ("found", "41")
    mine.scan("cmd:out", EAN, "cmd:undo")
    assert mine.desk["mode"] == "look_up"
    mine.desk["mode"] = "out"
    mine.scan(EAN)
    assert mine.last["kind"] == "refused"
    assert on_hand(session, lamp) == 41


def test_a_pack_counts_as_one_piece_where_that_is_chosen_and_a_list_says_how_often(station, session, lamp):
    mine = station(each="piece")
    mine.scan(CARTON)
    assert on_hand(session, lamp) == 40
    mine.desk["each"] = "code"
    mine.arrive([code_of(CARTON, times="2")])
    assert on_hand(session, lamp) == 16


def test_asked_for_each_scan_the_quantity_comes_first_and_enter_takes_what_is_proposed(
    station, session, lamp
):
    mine = station(each="ask")
    mine.scan(EAN, EAN, EAN)
    assert scan_desk.card(mine.desk)["pieces"] == "3"
    mine.answer(quantity="500")
    assert "500 asked for" in scan_desk.card(mine.desk)["refused"]
    mine.answer(quantity="2")
    assert on_hand(session, lamp) == 39
    mine.scan(CARTON)
    mine.scan(scan_work.ENTER)
    assert on_hand(session, lamp) == 27
    mine.scan(scan_work.ENTER)  # nothing is asked
    assert on_hand(session, lamp) == 27


# -- More, less, back ----------------------------------------------------------------------------------------


def test_one_more_of_a_scan_is_booked_once_for_each_scan(station, session, lamp):
    mine = station()
    mine.scan(CARTON)
    first = mine.last
    for _ in range(2):  # the second press comes from the page as it was before the first
        scan_undo.again(mine.desk, mine.person, first["uid"], "1", NOW)
    assert on_hand(session, lamp) == 28
    mine.desk["last"] = first  # or its answer got lost
    scan_undo.again(mine.desk, mine.person, first["uid"], "1", NOW)
    assert on_hand(session, lamp) == 28


def test_another_number_takes_the_booking_back_and_books_it_anew_or_neither(station, session, lamp):
    mine = station()
    mine.scan(CARTON)
    scan_undo.correct(mine.desk, mine.person, mine.last["uid"], "5", NOW)
    assert (on_hand(session, lamp), mine.last["change"]) == (36, "-5")
    with pytest.raises(RuleBroken, match="500 asked for"):
        scan_undo.correct(mine.desk, mine.person, mine.last["uid"], "500", NOW)
    session.rollback()
    assert on_hand(session, lamp) == 36
    scan_undo.correct(mine.desk, mine.person, mine.last["uid"], "0", NOW)
    assert (on_hand(session, lamp), mine.last["kind"]) == (41, "undone")
    assert mine.desk["booked"] == []


def test_labels_undo_and_add(station, session, lamp):
    mine = station()
    mine.scan(EAN, "cmd:add10", "cmd:add1", "cmd:undo")
    assert on_hand(session, lamp) == 30
    mine.scan("cmd:remove1")
    assert "Scan a product first" in mine.last["said"]  # what the band shows was taken back
    mine.scan("cmd:undo", "cmd:undo")
    assert on_hand(session, lamp) == 41
    mine.scan("cmd:undo")
    assert "Nothing was booked here" in mine.last["said"]
    mine.scan(CARTON, "cmd:remove1")
    assert on_hand(session, lamp) == 30


def test_what_has_left_the_shelf_meanwhile_cannot_be_taken_back(station, session, bolt):
    mine = station("in")
    mine.scan(OTHER)
    stock.remove(session, an_actor(session), bolt.id, the_warehouse(session).id, 9)
    mine.scan("cmd:undo")
    assert mine.last["kind"] == "refused"
    assert on_hand(session, bolt) == 0


# -- Counting ------------------------------------------------------------------------------------------------


def test_counting_adds_up_and_books_nothing_before_it_is_said(station, session, lamp, bolt):  # noqa: ARG001
    mine = station("count")
    mine.scan(CARTON, CARTON, EAN, OTHER, EAN)
    assert booked(session) == 0
    name = f"{lamp.id} {the_warehouse(session).id}"
    line = mine.desk["counts"][name]
    assert (line["counted"], line["on_hand"]) == ("26", "41")
    mine.scan("cmd:add10", "cmd:remove1")
    for _ in range(2):
        scan_counts.book(mine.desk, mine.person, name, NOW)
    assert on_hand(session, lamp) == 35
    assert len(mine.desk["counts"]) == 1
    mine.scan("cmd:undo")
    assert on_hand(session, lamp) == 41


def test_what_nobody_can_have_counted_is_refused(station):
    mine = station("count")
    mine.scan("cmd:add1")
    assert "Scan a product first" in mine.last["said"]
    mine.scan(EAN, "cmd:remove1", "cmd:remove1")
    (name, line), *_ = mine.desk["counts"].items()
    assert line["counted"] == "0"
    with pytest.raises(RuleBroken, match="Nobody can count"):
        scan_counts.put(mine.desk, name, "-1")


def test_a_code_that_cannot_be_counted_leaves_what_was_counted(station, lamp):
    mine = station("count")
    mine.scan(EAN, EAN)
    mine.arrive([code_of(CARTON, times="99999999999999")])
    assert mine.last["kind"] == "refused"
    assert [(line["sku"], line["counted"]) for line in mine.desk["counts"].values()] == [(lamp.sku, "2")]


def test_counted_codes_come_again_after_a_reload_as_what_they_were(station, session, lamp):
    mine = station("count")
    mine.scan(EAN, CARTON)
    (line,) = mine.desk["counts"].values()
    again = station("out")  # the page that was loaded again stands on another mode
    for code in line["codes"]:
        again.arrive([scan_desk.Code(uuid.UUID(code["key"]), code["code"])], scan_entries.about(code))
    assert on_hand(session, lamp) == 41
    assert [line["counted"] for line in again.desk["counts"].values()] == ["13"]


@pytest.mark.parametrize(
    "about",
    [
        "x",
        "[]",
        "{}",
        '["out", "1", null, null, "1"]',
        '["out", 1, null, "gift", "1"]',
        '["out", 1, null, null, "-4"]',
    ],
    ids=["text", "empty", "object", "place", "reason", "times"],
)
def test_what_a_browser_hands_back_means_nothing_unless_it_is_ours(station, session, about):
    mine = station("look_up")
    mine.arrive([code_of(EAN)], about)
    assert booked(session) == 0
    assert mine.last["kind"] == "found"


# -- Cards ---------------------------------------------------------------------------------------------------


def test_an_unknown_code_is_put_aside_and_the_next_ones_go_on(station, session, lamp):
    mine = station()
    mine.scan(STRANGER, EAN)
    assert on_hand(session, lamp) == 40
    assert scan_desk.card(mine.desk)["code"] == STRANGER
    scan_entries.drop(mine.desk, scan_desk.card(mine.desk)["key"])
    assert scan_desk.card(mine.desk) is None


def test_a_transfer_always_asks_and_the_same_code_again_is_one_more(station, session, lamp):
    second = a_warehouse(session, "WH-9")
    mine = station("transfer")
    mine.scan("loc:WH-9", EAN, EAN, CARTON)
    assert mine.desk["to_warehouse_id"] == second.id
    assert scan_desk.card(mine.desk)["pieces"] == "2"
    assert booked(session) == 0
    mine.scan(scan_work.ENTER)
    assert (on_hand(session, lamp), on_hand(session, lamp, second)) == (41, 2)
    assert (mine.last["before"], mine.last["after"], mine.last["to_after"]) == ("41", "39", "2")
    assert scan_desk.card(mine.desk)["pieces"] == "12"  # the next one in the row asks
    mine.scan("cmd:undo")  # closes the card, and takes nothing back
    assert scan_desk.card(mine.desk) is None
    assert on_hand(session, lamp, second) == 2


def test_a_receipt_of_an_open_order_is_asked_about_once(station, session, lamp):
    order = an_order(session, product=lamp, quantity=40, sent_days_ago=3)
    mine = station("in")
    mine.scan(CARTON)
    assert scan_desk.card(mine.desk)["kind"] == "order"
    line = session.scalars(sa.text("SELECT uid FROM purchase_order_line")).one()
    mine.desk["delivery"] = {"orders": {str(order.uid): order.number}, "lines": {}, "loose": []}
    mine.answer(order_line_uid=str(line))
    assert (mine.last["order_number"], mine.last["order_left"]) == (order.number, "28")
    mine.scan(EAN)
    assert (on_hand(session, lamp), mine.last["order_left"]) == (54, "27")


def test_an_answer_that_comes_twice_is_one(station, session, lamp):
    mine = station(each="ask")
    mine.scan(EAN)
    key = scan_desk.card(mine.desk)["key"]
    for _ in range(2):
        scan_entries.answer(mine.desk, key, {"quantity": "4"})
        mine.arrive([])
    assert on_hand(session, lamp) == 37


def test_what_the_desk_holds_is_plain(station):
    mine = station(each="ask")
    mine.scan(STRANGER, EAN)
    mine.answer()
    mine.scan("cmd:count", EAN)
    assert pickle.loads(pickle.dumps(mine.desk)) == mine.desk
