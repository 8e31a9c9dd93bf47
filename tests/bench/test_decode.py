"""The study of bad pictures judges what it says it judges."""

import itertools

import numpy as np

from bench import decode, decode_empty, decode_pictures, decode_ways
from bench.decode_pictures import Picture


def a_shown(kind, *codes, kept=False):
    return Picture(kind, kept, np.zeros((2, 2), np.uint8), frozenset(codes))


def test_wrong_missed_and_right_reads_are_told_apart():
    shown = [a_shown("blurred", "A", "B"), a_shown("no code: print")]
    reads = {
        "pyzbar": iter([["A", "X"], []]),
        "zxing-cpp": iter([["B"], ["Y"]]),
        "photo": iter([["A", "A"], []]),
    }
    compared = {name: (lambda _, answers=answers: next(answers)) for name, answers in reads.items()}
    scores, codes = decode.judged(shown, compared)
    assert codes == {"blurred": 2, "no code: print": 0}
    assert [sum(score.right.values()) for score in scores.values()] == [1, 1, 1]
    assert scores["pyzbar"].wrong == [("blurred", "X")]
    assert scores["zxing-cpp"].wrong == [("no code: print", "Y")]
    assert scores["zxing-cpp"].wrong_pictures == 1
    assert decode.missed_by_cascade(scores, "photo") == 1


def test_half_of_the_ways_are_kept_and_all_are_there():
    for kinds in (decode_ways.WAYS, decode_empty.EMPTY):
        assert sum(kept for kept, _ in kinds.values()) == len(kinds) / 2
    codes = len(decode_ways.WAYS) * len(decode_pictures.SYMBOLOGIES) * decode_ways.LEVELS
    assert codes >= 300


def test_one_seed_gives_the_same_pictures():
    first, again = (list(itertools.islice(decode_pictures.pictures(5), 3)) for _ in range(2))
    other = next(iter(decode_pictures.pictures(6)))
    for one, two in zip(first, again, strict=True):
        assert one.codes == two.codes
        assert np.array_equal(one.gray, two.gray)
    assert other.codes != first[0].codes


def test_every_way_leaves_a_picture_of_the_same_size():
    chance = np.random.default_rng(1)
    picture = decode_pictures.drawn("96385074", "EAN-8", 2.0)
    for kind, (_, spoil) in decode_ways.WAYS.items():
        for level in range(decode_ways.LEVELS):
            assert spoil(picture, level, 2.0, chance).size == picture.size, kind


def test_the_cascade_reads_what_either_reads_of_clean_pictures(capsys):
    shown = list(itertools.islice(decode_pictures.pictures(3), 0, 32, 16))
    scores, codes = decode.judged(shown, decode.decoders())
    assert decode.missed_by_cascade(scores, "photo") == 0
    assert scores["photo"].wrong == []
    decode.show("Some", scores, codes)
    assert "clean" in capsys.readouterr().out
