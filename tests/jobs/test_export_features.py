"""The training channel: what is in the files, what is in none of them, and what a training makes of it."""

import hashlib
import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from core import stock
from core.anomaly import features, looking, training
from core.anomaly.habits import Habits
from core.doctor import ledger_lines, training_channel
from core.errors import BadInput, RuleBroken
from jobs import export_features
from jobs.__main__ import main
from tests.makers import a_product, an_actor, the_warehouse
from tests.sold import SECRETS, a_shop_that_sells

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch):
    monkeypatch.setattr(training, "ROUNDS", 2)


def export(out, since=None, until=None):
    return export_features.export(out, since, until, NOW, lambda *_: None)


def test_every_movement_is_there_once_with_the_features_that_judge_it(session, tmp_path, monkeypatch):
    monkeypatch.setattr(export_features, "PAGE", 100)
    a_shop_that_sells(session)
    manifest = export(tmp_path / "out")

    sheet = ledger_lines.training(session, NOW.date())
    habits = Habits.learn(sheet.lines, len(sheet.lines))
    found = pd.read_parquet(tmp_path / "out" / "movements").sort_values("transaction_id")
    assert found["transaction_id"].tolist() == sheet.lines.id.tolist()
    assert found["month"].astype(str).unique().tolist() == ["2026-09", "2026-10"]
    told = looking.look(sheet.lines, sheet.targets, sheet.shelf, habits).features
    np.testing.assert_allclose(found[list(features.NAMES)].to_numpy(), told, rtol=1e-5, atol=1e-5)
    assert manifest["rows"]["movements"] == len(sheet.lines) == 390


def test_a_training_reads_the_rows_that_the_local_training_learns_from(session, tmp_path):
    a_shop_that_sells(session)
    export(tmp_path / "out")
    channel = training_channel.read(tmp_path / "out")

    sheet = ledger_lines.training(session, NOW.date())
    habits = Habits.learn(sheet.lines, len(sheet.lines))
    table = training.training_table(sheet.lines, sheet.shelf, export_features.SEED)
    for name, column in vars(table).items():
        assert np.array_equal(getattr(channel.table, name), column), name
    for name, array in habits.to_arrays().items():
        assert np.array_equal(channel.habits.to_arrays()[name], array), name


def test_weeks_have_what_moved_in_them_and_in_the_weeks_before(session, tmp_path):
    product, actor = a_product(session, sku="A"), an_actor(session)
    place = the_warehouse(session)
    a_shop_that_sells(session)
    for day, quantity in ((7, 10), (14, 20), (16, 5)):
        at = datetime(2026, 9, day, 12, tzinfo=UTC)
        stock.add(session, actor, product.id, place.id, quantity, unit_price="2", occurred_at=at)
    stock.remove(session, actor, product.id, place.id, 8, reason_code="sale",
                 occurred_at=datetime(2026, 10, 13, 12, tzinfo=UTC))  # fmt: skip
    export(tmp_path / "out")
    weeks = pd.read_parquet(tmp_path / "out" / "aggregates").query("item_sku == 'A'").set_index("week")
    assert [f"{day}" for day in weeks.index] == ["2026-09-07", "2026-09-14", "2026-10-12"]
    assert weeks["quantity_in"].tolist() == [10, 25, 0]
    assert weeks["quantity_in_4_weeks"].tolist() == [0, 10, 25]
    assert weeks["quantity_in_13_weeks"].tolist() == [0, 10, 35]
    assert weeks["largest_quantity_13_weeks"].iloc[2] == 20
    assert weeks["value"].tolist() == [20, 50, 0]
    assert weeks["quantity_out"].tolist() == [0, 0, 8]
    assert weeks["stock_after"].tolist() == [10, 35, 27]


def test_days_bound_the_rows_and_nothing_later_is_known_to_them(session, tmp_path):
    a_shop_that_sells(session)
    export(tmp_path / "short", until=date(2026, 10, 20))
    export(tmp_path / "late", since=date(2026, 10, 1), until=date(2026, 10, 20))
    short, late = (pd.read_parquet(tmp_path / name / "movements") for name in ("short", "late"))
    at = pd.to_datetime(late["at"], unit="s")
    assert (f"{at.min():%F}", f"{at.max():%F}") == ("2026-10-01", "2026-10-20")
    both = late.merge(short, on="transaction_id")
    assert len(both) == len(late)
    for name in features.NAMES:
        assert np.array_equal(both[f"{name}_x"], both[f"{name}_y"]), name
    assert (pd.read_parquet(tmp_path / "late" / "train")["at"] >= at.min().timestamp() - 86_400).all()
    weeks = pd.read_parquet(tmp_path / "late" / "aggregates")
    assert (weeks["week"].min(), weeks["week"].max()) == (date(2026, 9, 28), date(2026, 10, 19))
    sold = short["transaction_id"][pd.to_datetime(short["at"], unit="s") >= "2026-10-19"]
    assert weeks[weeks["week"] == date(2026, 10, 19)]["movements"].sum() == len(sold)


def test_the_dictionary_names_every_column_and_the_manifest_every_file(session, tmp_path):
    a_shop_that_sells(session)
    manifest, out = export(tmp_path / "out"), tmp_path / "out"
    told = pd.read_csv(out / "data_dictionary.csv")
    assert told.to_dict("records") == json.loads((out / "data_dictionary.json").read_text())
    assert told.notna().all(axis=None)
    for table in ("train", "movements", "aggregates"):
        found = pd.read_parquet(next((out / table).rglob("*.parquet")))
        assert told.query("table == @table")["name"].tolist() == list(found.columns)
    assert json.loads((out / "manifest.json").read_text()) == manifest
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    assert set(manifest["sha256"]) == set(files) - {"manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest
    assert manifest["feature_version"] == features.VERSION


def test_no_person_customer_or_document_leaves(session, tmp_path):
    a_shop_that_sells(session)
    export(tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.parquet"):
        words = pd.read_parquet(path).select_dtypes(["object", "string"]).to_csv()
        assert not any(secret in words for secret in SECRETS), path
        assert b"Anna" not in path.read_bytes()


def test_an_older_export_is_replaced_and_nothing_else_is_touched(session, tmp_path):
    a_shop_that_sells(session)
    out = tmp_path / "out"
    (tmp_path / ".out.new").mkdir()  # of an export that was killed
    (tmp_path / ".out.new" / "rest").write_text("x")
    export(out)
    (out / "stray").write_text("of the older one")
    export(out, until=date(2026, 10, 20))
    assert not (out / "stray").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("x")
    with pytest.raises(RuleBroken, match="something else"):
        export(mine)
    assert (mine / "letter.txt").exists()


def test_a_failed_export_leaves_the_older_one_whole(session, tmp_path, monkeypatch):
    a_shop_that_sells(session)
    manifest = export(tmp_path / "out")
    monkeypatch.setattr(export_features.feature_export, "weeks", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(tmp_path / "out")
    assert training_channel.read(tmp_path / "out").manifest == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "too few to learn from"),
        (["--since", "2026-10-02", "--until", "2026-10-01"], "is after the last one"),
        (["--since", "2027-01-01"], "earlier first day"),
    ],
)
def test_refusals_are_one_sentence_and_leave_nothing(session, tmp_path, capsys, options, why):
    a_shop_that_sells(session, documents=130 if options else 20)
    assert main(["export-features", "--out", str(tmp_path / "out"), *options]) == 1
    assert why in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["export-features", "--out", str(tmp_path / "no" / "where")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_a_channel_that_was_changed_on_its_way_is_refused(session, tmp_path):
    a_shop_that_sells(session)
    out = tmp_path / "data" / "training"
    out.parent.mkdir()
    with pytest.raises(BadInput, match="no channel"):
        training_channel.find(tmp_path / "data")
    export(out)
    assert training_channel.find(tmp_path / "data") == out
    told = json.loads((out / "manifest.json").read_text())

    (out / "manifest.json").write_text(json.dumps(told | {"feature_version": "0"}))
    with pytest.raises(BadInput, match="another version"):
        training_channel.read(out)
    outside = told | {"sha256": told["sha256"] | {"train/../../../secret": "x"}}
    (out / "manifest.json").write_text(json.dumps(outside))
    with pytest.raises(BadInput, match="missing"):
        training_channel.read(out)
    (out / "manifest.json").write_text(json.dumps(told))
    part = next((out / "train").rglob("*.parquet"))
    part.write_bytes(part.read_bytes() + b"x")
    with pytest.raises(BadInput, match="not as it was exported"):
        training_channel.read(out)
    part.unlink()
    with pytest.raises(BadInput, match="is missing"):
        training_channel.read(out)
