"""The detector as a whole: it learns a ledger, finds what was planted, and trusts no changed file."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from core.anomaly import learner, training
from core.anomaly.detector import Detector
from core.anomaly.lines import FIELDS, KINDS, Lines
from core.errors import BadInput
from tests.core.anomaly.ledgers import A_SHELF, a_ledger


@pytest.fixture(scope="module", autouse=True)
def _small_learning():
    """Few trees and rows: the tests ask whether it works, the bench how well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "TREES", 20)
        patch.setattr(training, "RATE", 1 / 8)
        patch.setattr(training, "ROUNDS", 4)
        yield


@pytest.fixture(scope="module")
def lines() -> Lines:
    return a_ledger(200)


@pytest.fixture(scope="module")
def detector(lines) -> Detector:
    return Detector.learn(lines, A_SHELF, seed=7)


@pytest.fixture(scope="module")
def files(detector) -> dict[str, bytes]:
    return detector.files()


def last(lines: Lines, count: int = 30) -> np.ndarray:
    return np.arange(len(lines) - count, len(lines))


def with_last(lines: Lines, **columns: float) -> Lines:
    """The lines, the last of them booked otherwise."""
    changed = {name: getattr(lines, name).copy() for name in columns}
    for name, value in columns.items():
        changed[name][-1] = value
    return replace(lines, **changed)


def test_a_planted_error_is_found_with_its_repair(detector, lines):
    assert detector.learner.trees is not None
    right = float(lines.change[-1])
    scores = detector.score(with_last(lines, change=right * 100), last(lines), A_SHELF)
    assert scores.chance.argmax() == len(scores.chance) - 1
    assert scores.is_anomaly[-1]
    assert KINDS[scores.kind[-1]] == "times_ten"
    assert FIELDS[scores.field[-1]] == "quantity"
    assert scores.value[-1] == right


def test_a_line_gets_the_same_score_alone_and_among_others(detector, lines):
    together = detector.score(lines, last(lines), A_SHELF)
    alone = detector.score(lines, last(lines)[4:5], A_SHELF)
    assert alone.chance[0] == pytest.approx(together.chance[4], rel=1e-5)
    assert alone.kind[0] == together.kind[4]


def test_nothing_of_the_future_changes_a_score(detector, lines):
    past = lines.take(np.arange(300))
    then, now = (detector.score(seen, np.arange(270, 300), A_SHELF) for seen in (past, lines))
    np.testing.assert_allclose(then.chance, now.chance, rtol=1e-5)


def test_scoring_nothing_answers_nothing(detector, lines):
    assert len(detector.score(lines, np.zeros(0, int), A_SHELF).chance) == 0


def test_where_errors_are_rarer_the_chances_are_lower_but_the_same_lines_stand_out(detector, lines):
    often, rarely = (detector.score(lines, last(lines), A_SHELF, rate=rate) for rate in (1 / 100, 1 / 5_000))
    assert (often.chance > rarely.chance).all()
    np.testing.assert_array_equal(often.is_anomaly, rarely.is_anomaly)


def test_the_files_give_the_same_detector_again(detector, files, lines):
    again = Detector.from_files(files)
    one, two = (each.score(lines, last(lines), A_SHELF) for each in (detector, again))
    for name, column in vars(one).items():
        np.testing.assert_array_equal(column, getattr(two, name), err_msg=name)
    assert again.files() == files


@pytest.mark.parametrize("name", ["habits.npz", "learner.npz", "map.npz"])
def test_a_file_that_was_changed_or_is_missing_is_refused(files, name):
    changed = files | {name: files[name][:-1] + bytes([files[name][-1] ^ 1])}
    with pytest.raises(BadInput, match=name):
        Detector.from_files(changed)
    with pytest.raises(BadInput, match=name):
        Detector.from_files({other: content for other, content in files.items() if other != name})


@pytest.mark.parametrize(
    "manifest", [None, b"", b"[]", b"{}", b"\xff"], ids=["none", "empty", "list", "bare", "bytes"]
)
def test_without_a_readable_manifest_nothing_is_loaded(files, manifest):
    broken = {name: content for name, content in files.items() if name != "manifest.json"}
    with pytest.raises(BadInput):
        Detector.from_files(broken | ({} if manifest is None else {"manifest.json": manifest}))


def test_a_model_of_other_features_is_refused(files):
    manifest = json.loads(files["manifest.json"]) | {"feature_version": "another"}
    with pytest.raises(BadInput, match="another version"):
        Detector.from_files(files | {"manifest.json": json.dumps(manifest).encode()})


def test_a_manifest_that_names_too_few_files_is_refused(files):
    manifest = json.loads(files["manifest.json"])
    del manifest["sha256"]["map.npz"]
    with pytest.raises(BadInput, match="do not fit"):
        Detector.from_files(files | {"manifest.json": json.dumps(manifest).encode()})


def test_the_files_hold_no_pickle(files):
    for name in ("habits.npz", "learner.npz", "map.npz"):
        with np.load(io.BytesIO(files[name]), allow_pickle=False) as arrays:
            assert all(arrays[key].dtype.kind in "biufU" for key in arrays.files)


def test_the_same_seed_learns_the_same_whatever_the_workers(lines, files):
    assert Detector.learn(lines, A_SHELF, seed=7, workers=2).files() == files


def test_the_three_steps_of_a_training_elsewhere_give_the_same_judgement(detector, lines):
    table = training.training_table(lines, A_SHELF, 7)
    features = detector.look(lines, last(lines), A_SHELF).features
    fitted = Detector.fit(table, detector.habits, 7)
    np.testing.assert_array_equal(fitted.judge(features).chance, detector.judge(features).chance)


def test_real_lines_stand_in_the_table_for_all_of_their_kind(lines):
    table = training.training_table(lines, A_SHELF, 7)
    right = table.weight[table.kind == -1].sum()
    wrong = (table.kind != -1).sum()
    assert wrong / (right + wrong) == pytest.approx(training.RATE, rel=0.35)
    assert (table.id[table.kind == -1] > 0).all()


def test_a_kind_that_is_left_out_is_not_made_up(lines):
    kinds = tuple(kind for kind in KINDS if kind != "wrong_sign")
    table = training.training_table(lines, A_SHELF, 7, kinds=kinds)
    assert (table.kind != KINDS.index("wrong_sign")).all()


def test_a_kind_that_nobody_showed_the_learner_is_found_all_the_same(lines):
    kinds = tuple(kind for kind in KINDS if kind != "digits_swapped")
    unprepared = Detector.learn(lines, A_SHELF, kinds=kinds)
    assert not unprepared.learner.blind.seen[KINDS.index("digits_swapped")]
    scores = unprepared.score(with_last(lines, change=-42.0), last(lines), A_SHELF)
    assert scores.chance.argmax() == len(scores.chance) - 1
    assert (KINDS[scores.kind[-1]], scores.value[-1]) == ("digits_swapped", -24.0)


def test_what_nothing_real_ever_came_near_is_likelier_wrong_the_more_was_seen(detector, lines):
    of_learner = detector.learner
    columns, highest, seen = of_learner.limits
    features = detector.look(lines, last(lines, 1), A_SHELF).features.copy()
    features[0, int(columns[0])] = highest[0] + 1.5
    often = replace(of_learner, limits=np.stack((columns, highest, seen * 1_000)))
    assert often.chance(features)[0] > 0.9
    assert often.chance(features)[0] > of_learner.chance(features)[0]


def test_a_table_of_other_features_is_refused(detector):
    table = training.training_table(a_ledger(20), A_SHELF, 7)
    with pytest.raises(BadInput, match="features"):
        Detector.fit(replace(table, features=table.features[:, :-1]), detector.habits)


@pytest.mark.parametrize("documents", [1, 10])
def test_a_shop_with_hardly_any_movements_goes_by_the_evidence_alone(documents):
    lines = a_ledger(documents)
    young = Detector.learn(lines, A_SHELF)
    assert young.learner.trees is None
    chances = young.score(lines, np.arange(len(lines)), A_SHELF).chance
    assert ((chances >= 0) & (chances <= 1)).all()
    again = Detector.from_files(young.files())
    np.testing.assert_array_equal(again.score(lines, np.arange(len(lines)), A_SHELF).chance, chances)


def test_a_shop_without_movements_is_told_so():
    with pytest.raises(BadInput, match="no movements"):
        Detector.learn(a_ledger(0), A_SHELF)


def test_judging_needs_no_learning_library(files, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    code = (
        "import sys, pathlib, numpy as np\n"
        "from core.anomaly.detector import Detector\n"
        "from core.anomaly.features import NAMES\n"
        "files = {path.name: path.read_bytes() for path in pathlib.Path(sys.argv[1]).iterdir()}\n"
        "Detector.from_files(files).judge(np.zeros((2, len(NAMES)), np.float32))\n"
        "assert not {'lightgbm', 'sklearn', 'pandas', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
