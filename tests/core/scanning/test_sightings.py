"""When a code that a camera reads counts."""

import pytest

from core.scanning.decoding import Seen
from core.scanning.sightings import Watcher

CORNERS = ((0, 0), (9, 0), (9, 9), (0, 9))
BARS = Seen("4006381333931", "EAN-13", CORNERS)
OTHER = Seen("96385074", "EAN-8", CORNERS)
SQUARE = Seen("loc:A-01", "QR", CORNERS)
STEP = 0.1


def counted(watcher, *pictures, start=0.0, step=STEP):
    """The texts that count, picture after picture."""
    return [[code.text for code in watcher.see(seen, start + n * step)] for n, seen in enumerate(pictures)]


def test_bars_count_at_the_second_equal_read():
    assert counted(Watcher(), [BARS], [BARS], [BARS]) == [[], [BARS.text], []]


@pytest.mark.parametrize("symbology", ["QR", "DataMatrix"])
def test_a_code_with_error_correction_counts_at_once(symbology):
    code = Seen("x", symbology, CORNERS)
    assert counted(Watcher(), [code], [code]) == [["x"], []]


def test_a_single_wrong_read_between_right_ones_never_counts():
    wrong = Seen("4006381333932", "EAN-13", CORNERS)
    assert counted(Watcher(), [BARS], [wrong], [BARS], []) == [[], [], [BARS.text], []]


def test_one_read_of_bars_asks_for_another_picture_until_it_counts_or_is_old():
    watcher = Watcher()
    asked = []
    for at, seen in ((0, [BARS]), (0.1, []), (0.2, [BARS]), (3, []), (4, [OTHER]), (6, [])):
        watcher.see(seen, at)
        asked.append(watcher.is_undecided)
    assert asked == [True, True, False, False, True, False]


def test_two_equal_reads_need_not_be_of_neighbouring_pictures():
    assert counted(Watcher(), [BARS], [], [], [BARS]) == [[], [], [], [BARS.text]]


def test_two_reads_too_far_apart_do_not_agree():
    watcher = Watcher()
    assert watcher.see([BARS], 0) == []
    assert watcher.see([BARS], 1.0) == []
    assert watcher.see([BARS], 1.1) == [BARS]


def test_a_code_that_stays_in_sight_counts_once_however_long():
    assert sum(map(len, counted(Watcher(), *[[BARS]] * 100))) == 1


def test_a_code_counts_again_a_second_and_a_half_after_it_left():
    watcher = Watcher()
    counted(watcher, [SQUARE])
    assert counted(watcher, *[[]] * 13, [SQUARE], start=0.1)[-1] == []
    # That look put it back in sight: the time begins anew.
    assert counted(watcher, *[[]] * 14, [SQUARE], start=1.5)[-1] == [SQUARE.text]


def test_whoever_counts_shows_the_next_piece_sooner_but_a_missed_picture_is_no_piece():
    watcher = Watcher(counting=True)
    assert counted(watcher, [SQUARE], [], [SQUARE], [], [], [SQUARE])[1:] == [[]] * 5
    assert counted(watcher, *[[]] * 6, [SQUARE], start=0.6)[-1] == [SQUARE.text]


def test_bars_that_come_back_need_two_reads_again():
    watcher = Watcher(counting=True)
    counted(watcher, [BARS], [BARS])
    assert counted(watcher, *[[]] * 8, [BARS], [BARS], start=0.2)[-2:] == [[], [BARS.text]]


def test_pictures_that_stopped_coming_are_not_a_code_that_left():
    watcher = Watcher()
    counted(watcher, [SQUARE])
    assert watcher.see([SQUARE], 9) == []


def test_a_camera_that_was_off_for_long_begins_anew():
    watcher = Watcher()
    counted(watcher, [SQUARE])
    assert watcher.see([SQUARE], 11) == [SQUARE]


def test_two_codes_in_one_picture_count_each_for_itself():
    watcher = Watcher()
    assert counted(watcher, [BARS, SQUARE], [BARS, OTHER, SQUARE], [OTHER]) == [
        [SQUARE.text], [BARS.text], [OTHER.text]
    ]  # fmt: skip


def test_the_same_code_twice_in_one_picture_is_one_read():
    assert counted(Watcher(), [BARS, BARS], [BARS]) == [[], [BARS.text]]


def test_what_left_is_forgotten():
    watcher = Watcher()
    for n in range(1000):
        watcher.see([Seen(str(n), "QR", CORNERS)], n * STEP)
    assert len(watcher._tracks) < 20
