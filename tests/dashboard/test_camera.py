"""The live camera without a browser: frames in, codes and pictures out, who may, how many, what is said."""

import threading
import time
import types

import numpy as np
import pytest
import zxingcpp

from core.scanning import decoding
from dashboard import (
    camera,
    camera_connection,
    camera_picture,
    camera_register,
    camera_settings,
    camera_stream,
    camera_words,
    scan_desk,
    signin,
)
from dashboard.camera_register import Register
from dashboard.camera_stream import Owner, Stream

av = pytest.importorskip("av")

EAN = "4006381333931"
ALICE = Owner("tab 1", "scan", "token of Alice", "user")
BOB = Owner("tab 2", "scan", "token of Bob", "user")


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_frame(code=None, *, at=(0.5, 0.5), width=1280, height=720):
    """A frame of a camera: gray, with a barcode (its middle at shares of the frame), or with nothing."""
    picture = np.full((height, width), 120, np.uint8)
    if code is not None:
        made = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13)
        bars = np.kron(np.array(made.to_image(scale=1)), np.ones((3, 3), np.uint8))
        top, left = int(at[1] * height) - bars.shape[0] // 2, int(at[0] * width) - bars.shape[1] // 2
        picture[top : top + bars.shape[0], left : left + bars.shape[1]] = bars
    planes = np.concatenate([picture, np.full((height // 2, width), 128, np.uint8)])
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def shown(stream, frame, until, seconds=10):
    """Show a frame over and over, as a camera does, until something is true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it never came true"
        stream.receive(frame)
        time.sleep(0.02)


@pytest.fixture
def stream():
    running = Stream("one", ALICE, None)
    yield running
    running.end()


def camera_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("camera ")]


# -- Frames --------------------------------------------------------------------------------------------------


def test_a_code_that_is_shown_arrives_once_with_an_id_of_its_own(stream):
    got = []
    shown(stream, a_frame(EAN), lambda: got.extend(stream.codes()) or got)
    for _ in range(20):
        stream.receive(a_frame(EAN))
        time.sleep(0.02)
    assert stream.codes() == []
    ((key, text, symbology),) = got
    assert (text, symbology) == (EAN, "EAN-13")
    assert key.version == 4


def test_a_code_beside_the_band_is_not_read(stream):
    looked = []
    read = stream.watcher.see
    stream.watcher.see = lambda seen, at: looked.append(list(seen)) or read(seen, at)
    shown(stream, a_frame(EAN, at=(0.5, 0.13)), lambda: len(looked) > 3)
    assert looked[:4] == [[], [], [], []]


def test_a_frame_that_cannot_be_read_does_not_end_the_camera(stream, monkeypatch, caplog):
    decode, calls = decoding.decode, []

    def fails_first(gray, **about):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("broken")
        return decode(gray, **about)

    monkeypatch.setattr(decoding, "decode", fails_first)
    monkeypatch.setattr(camera_stream, "LOST_SECONDS", 0.1)
    shown(stream, a_frame(EAN), lambda: stream.codes())
    assert "a frame was not read" in caplog.text


def test_what_nobody_asked_for_in_time_is_not_booked_later(clock):
    stream = Stream("one", ALICE, None, clock=clock)
    stream._look(a_frame(EAN), 1)
    stream._look(a_frame(EAN), 2)
    clock.now += camera_stream.STALE_SECONDS
    assert stream.codes() == []


def test_a_run_that_ends_before_it_takes_the_codes_leaves_them_to_the_next_one(clock, monkeypatch):
    class Ended(BaseException):
        """What Streamlit raises in a run that another one replaces."""

    def ends():
        raise Ended

    stream = Stream("one", ALICE, None, clock=clock)
    stream._count([decoding.Seen("loc:1", "QR", ((400, 200),) * 4)])
    monkeypatch.setattr(camera, "_running", lambda _: stream)
    monkeypatch.setattr(signin, "require", ends)
    with pytest.raises(Ended):
        scan_desk.arrive({"form": "one"}, camera.codes("scan"), "camera")
    assert [text for _, text, _ in camera.codes("scan")] == ["loc:1"]


def test_only_so_many_codes_wait(clock):
    stream = Stream("one", ALICE, None, clock=clock)
    made = [decoding.Seen(f"loc:{n}", "QR", ((400, 200),) * 4) for n in range(80)]
    stream._count(made)
    assert [text for _, text, _ in stream.codes()] == [f"loc:{n}" for n in range(30, 80)]


def test_the_end_lets_go_of_the_thread_and_of_the_connection(stream):
    closed = []
    stream.connected(lambda: closed.append(1))
    shown(stream, a_frame(), lambda: camera_threads())
    stream.end()
    stream.end()
    stream.receive(a_frame())
    assert (camera_threads(), closed) == ([], [1])


def test_a_connection_that_comes_after_the_end_is_closed_at_once(stream):
    closed = []
    stream.end()
    stream.connected(lambda: closed.append(1))
    assert closed == [1]


def test_a_connection_that_does_not_close_keeps_nobody(stream, caplog):
    stream.connected(lambda: 1 / 0)
    stream.end()
    assert stream.has_ended
    assert "did not close" in caplog.text


def test_no_picture_goes_back_twice_since_each_has_its_own_time(stream):
    first, second = stream.picture(), stream.picture()
    first.pts = 1
    second.pts = 2
    assert first.pts == 1


# -- Pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 480), (320, 180), (1920, 1080), (401, 299)])
def test_every_shape_of_frame_comes_back_in_one_size(size):
    width, height = size
    frame = av.VideoFrame(width, height, "yuv420p")
    made = camera_picture.draw(frame, [[(0.2, 0.3), (1.4, 0.3), (0.8, 0.6), (-0.2, 0.6)]], has_read=True)
    made = camera_picture.as_frame(made)
    assert (made.width, made.height) == (camera_picture.WIDTH, camera_picture.HEIGHT)
    left, top, wide, high = camera_picture.window(width, height)
    assert left + wide <= width
    assert top + high <= height
    assert wide / high == pytest.approx(4 / 3, rel=0.02)


def test_the_band_turns_green_with_a_tick_when_a_code_counted():
    plain = camera_picture.draw(None, (), has_read=False)
    read = camera_picture.draw(None, (), has_read=True)
    height = camera_picture.HEIGHT
    assert (plain[:height] == camera_picture.WHITE[0]).any()
    assert not (read[:height] == camera_picture.WHITE[0]).any()
    assert (read[:height] == camera_picture.GREEN[0]).sum() > (
        plain[:height] == camera_picture.WHITE[0]
    ).sum()


def test_corners_of_what_was_read_are_placed_in_what_is_shown():
    frame = a_frame(EAN)
    gray = camera_picture.to_read(frame)
    height, width = gray.shape
    (code,) = decoding.decode(gray, effort="live", turn=0)
    outline = camera_picture.placed(code.corners, width, height)
    assert camera_picture.is_aimed_at(outline)
    assert sum(x for x, _ in outline) / 4 == pytest.approx(0.5, abs=0.02)


# -- How many, and for how long ------------------------------------------------------------------------------


@pytest.fixture
def register(clock):
    made = Register(1, lambda _: True, clock)
    yield made
    for owner in (ALICE, BOB):
        made.leave(owner.session_id, owner.key)


def test_the_next_one_has_to_wait_until_a_place_is_free(register):
    assert register.enter("one", ALICE, None) is register.of("tab 1", "scan")
    assert register.enter("two", BOB, None) is None
    register.leave("tab 1", "scan")
    assert register.enter("three", BOB, None) is not None
    assert register.running() == 1


def test_a_camera_without_frames_is_ended_and_its_place_is_free(register, clock):
    stream = register.enter("one", ALICE, None)
    stream.receive(a_frame())
    clock.now += camera_stream.LOST_SECONDS - 0.5
    register.sweep()
    assert not stream.has_ended
    clock.now += 1
    register.sweep()
    assert (stream.has_ended, register.running()) == (True, 0)


def test_a_connection_that_never_comes_gives_its_place_back(register, clock):
    stream = register.enter("one", ALICE, None)
    clock.now += camera_stream.FIRST_FRAME_SECONDS - 1
    register.sweep()
    assert not stream.has_ended
    clock.now += 2
    register.sweep()
    assert stream.has_ended


def test_whoever_opens_the_page_anew_has_their_place_again_sooner_than_others(register, clock):
    before = register.enter("one", ALICE, None)
    before.receive(a_frame())
    clock.now += camera_register.OWN_LOST_SECONDS + 0.5
    assert register.enter("two", BOB, None) is None
    again = Owner("tab 3", "scan", ALICE.token, ALICE.role)
    assert register.enter("three", again, None) is not None
    assert before.has_ended
    register.leave("tab 3", "scan")


def test_a_second_tab_takes_nothing_from_a_first_one_that_runs(register):
    register.enter("one", ALICE, None).receive(a_frame())
    assert register.enter("two", Owner("tab 3", "scan", ALICE.token, ALICE.role), None) is None


def test_a_sign_out_or_another_role_ends_the_camera(clock):
    still = {ALICE}
    register = Register(2, lambda owner: owner in still, clock)
    stream, other = register.enter("one", ALICE, None), register.enter("two", BOB, None)
    register.sweep()
    assert (stream.has_ended, other.has_ended) == (False, True)
    still.clear()
    register.sweep(ask=False)
    assert not stream.has_ended
    register.sweep()
    assert stream.has_ended


def test_a_database_that_is_away_signs_nobody_out(clock):
    register = Register(1, lambda _: 1 / 0, clock)
    stream = register.enter("one", ALICE, None)
    register.sweep()
    assert not stream.has_ended
    register.leave("tab 1", "scan")


def test_twenty_cameras_one_after_the_other_leave_no_thread(monkeypatch):
    monkeypatch.setattr(camera_register, "WATCH_SECONDS", 0.01)
    register = Register(1, lambda _: True)
    for n in range(20):
        stream = register.enter(str(n), ALICE, None)
        stream.receive(a_frame())
    register.leave("tab 1", "scan")
    deadline = time.monotonic() + 10
    while camera_threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert camera_threads() == []


def test_whether_somebody_may_go_on_is_asked_of_the_sign_in(monkeypatch):
    people = {"token of Alice": types.SimpleNamespace(role="user")}
    monkeypatch.setattr(camera.looks, "who", people.get)
    assert camera._may_go_on(ALICE)
    assert not camera._may_go_on(Owner("tab 1", "scan", ALICE.token, "manager"))
    assert not camera._may_go_on(BOB)


# -- Settings ------------------------------------------------------------------------------------------------


def test_without_a_setting_nobody_else_is_asked_for_the_way():
    assert camera_settings.ice_servers({}) == ([], None)


@pytest.mark.parametrize(
    ("said", "servers"),
    [
        (
            "stun:a.example:3478, turn:b.example",
            [{"urls": ["stun:a.example:3478"]}, {"urls": ["turn:b.example"]}],
        ),
        (
            '[{"urls": "turn:b.example", "username": "u", "credential": "c", "more": 1}]',
            [{"urls": ["turn:b.example"], "username": "u", "credential": "c"}],
        ),
        ('{"urls": ["turns:b.example"]}', [{"urls": ["turns:b.example"]}]),
    ],
    ids=["addresses", "list", "one"],
)
def test_helpers_of_connections_are_addresses_or_json(said, servers):
    assert camera_settings.ice_servers({"ICE_SERVERS": said}) == (servers, None)


@pytest.mark.parametrize(
    "said", ["http://a.example", "[1]", '{"urls": []}', "[", '[{"urls": [1]}]', "{}", "[" * 5000]
)
def test_a_setting_nobody_understands_is_told_and_cameras_go_on_without_it(said):
    servers, sentence = camera_settings.ice_servers({"ICE_SERVERS": said})
    assert servers == []
    assert sentence.startswith("ICE_SERVERS is neither")


@pytest.mark.parametrize(
    ("said", "cores", "most"),
    [("", 1, 1), ("", 2, 4), ("7", 2, 7), ("0", 2, 0), ("many", 2, 4), ("-1", 2, 4)],
)
def test_as_many_cameras_as_the_machine_reads_or_as_somebody_says(said, cores, most):
    assert camera_settings.most_cameras({"CAMERA_SESSIONS": said}, cores) == most


# -- What the browser says -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent", [None, 5, [], {"on": 1, "press": "x", "reason": 3, "device": "a\x00b", "late": ["x"]}], ids=repr
)
def test_nonsense_from_a_browser_is_no_wish(sent, monkeypatch):
    monkeypatch.setattr(camera.st, "session_state", {"camera_field_scan": sent})
    assert camera._told("scan") == {
        "on": False, "press": 0, "reason": None, "device": None, "visible": True, "late": None
    }  # fmt: skip


def test_a_reason_nobody_knows_is_still_a_reason(monkeypatch):
    monkeypatch.setattr(camera.st, "session_state", {"camera_field_scan": {"reason": "constructor"}})
    assert camera._told("scan")["reason"] == "other"


def test_every_reason_has_a_cause_and_a_cure():
    for panel in [*camera_words.PANELS.values(), *map(camera_words.full, (0, 1, 4))]:
        assert panel.cause.endswith(".")
        assert panel.cure.endswith(".")


def test_without_a_session_there_is_no_camera():
    assert list(camera.codes("scan")) == []
    assert camera.is_playing("scan") is False


# -- What runs when ------------------------------------------------------------------------------------------

OFF = {"on": False, "press": 0, "reason": None, "device": None, "visible": True, "late": None}
ON = {**OFF, "on": True, "press": 1}


@pytest.fixture
def wish(register, monkeypatch):
    """`wish(told)`: what the panel of Alice's tab decides after the browser said so."""
    mine = {}
    monkeypatch.setattr(camera.st, "session_state", {})
    monkeypatch.setattr(camera, "register", lambda: register)
    monkeypatch.setattr(camera, "_session_id", lambda: ALICE.session_id)
    monkeypatch.setattr(camera_connection, "began_twice", lambda _: False)
    return lambda told=ON, owner=ALICE: camera._wish("scan", mine, told, owner)


def test_nothing_runs_until_it_is_wanted_and_then_it_goes_on(wish):
    assert wish(OFF) == (None, None)
    stream, panel = wish()
    assert panel is None
    assert wish() == (stream, None)
    assert camera.is_playing("scan")


@pytest.mark.parametrize("reason", camera_words.PANELS)
def test_a_reason_is_told_and_nothing_runs(wish, reason):
    stream, _ = wish()
    assert wish({**ON, "reason": reason}) == (None, camera_words.PANELS[reason])
    assert stream.has_ended


def test_a_page_that_nobody_sees_has_no_camera_and_has_it_again_when_it_is_back(wish):
    stream, _ = wish()
    assert wish({**ON, "visible": False}) == (None, None)
    assert stream.has_ended
    again, _ = wish()
    assert again.id != stream.id


def test_another_camera_another_person_or_a_lost_one_is_another_stream(wish, register, clock):
    first, _ = wish()
    second, _ = wish({**ON, "device": "front"})
    third, _ = wish(owner=Owner(ALICE.session_id, "scan", "another token", "user"))
    clock.now += camera_stream.FIRST_FRAME_SECONDS + 1
    register.sweep()
    fourth, _ = wish()
    assert len({stream.id for stream in (first, second, third, fourth)}) == 4
    assert [stream.has_ended for stream in (first, second, third, fourth)] == [True, True, True, False]


def test_a_camera_that_comes_back_does_not_count_what_it_still_sees(wish):
    first, _ = wish()
    code = decoding.Seen("loc:A-01", "QR", ((400, 200),) * 4)
    first._count([code])
    again, _ = wish({**ON, "device": "front"})
    again._count([code])
    assert again.codes() == []


def test_a_connection_that_ended_is_forgotten_but_not_while_a_browser_may_speak_of_it(wish):
    kept = camera.st.session_state
    for press in range(6):
        stream, _ = wish({**ON, "press": press, "device": str(press)})
        kept[f"camera {stream.id}"] = press
    assert list(kept.values()) == [2, 3, 4, 5]


def test_an_offer_made_twice_is_begun_anew(wish, monkeypatch):
    first, _ = wish()
    monkeypatch.setattr(camera_connection, "began_twice", lambda _: True)
    second, _ = wish()
    assert (first.has_ended, second.id != first.id) == (True, True)


def test_a_picture_that_does_not_come_is_told_until_somebody_tries_again(wish):
    stream, _ = wish()
    late = {**ON, "late": stream.id}
    assert wish(late)[1].cause == camera_words.PANELS["connection"].cause
    assert wish(late)[0] is None
    assert wish({**late, "press": 2})[0] is not None


def test_a_setting_that_is_wrong_is_named_where_the_picture_does_not_come(wish, monkeypatch):
    monkeypatch.setenv("ICE_SERVERS", "nonsense")
    stream, _ = wish()
    assert "ICE_SERVERS is neither" in wish({**ON, "late": stream.id})[1].cure


def test_a_picture_that_came_meanwhile_is_not_late(wish):
    stream, _ = wish()
    stream.receive(a_frame())
    assert wish({**ON, "late": stream.id}) == (stream, None)


def test_the_next_one_is_told_that_all_cameras_are_in_use(wish, register):
    register.enter("one", BOB, None)
    assert wish() == (None, camera_words.full(1))
    register.leave("tab 2", "scan")
    assert wish({**ON, "press": 2})[0] is not None
