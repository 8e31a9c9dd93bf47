"""The proof of the search for odd movements: errors put in, measures by hand, one command for any lines."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench import anomaly, anomaly_injector, anomaly_lines, anomaly_rivals, anomaly_score, anomaly_shipped
from bench.anomaly_score import Marked, Ranking
from bench.anomaly_shop import an_invented_shop
from core.anomaly import learner, training
from core.anomaly.lines import FLOWS, NOBODY

CUT = pd.Timestamp("2024-02-12", tz="UTC")


@pytest.fixture(scope="module")
def shop():
    return an_invented_shop(days=56)


@pytest.fixture(scope="module")
def made(shop):
    return anomaly_injector.inject(shop, CUT, 1 / 10, seed=3)


@pytest.fixture(scope="module", autouse=True)
def little_learning():
    """What is asked here is that the command works, not how well it finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "TREES", 10)
        patch.setattr(training, "ROUNDS", 1)
        yield


def lines_of(*rows, columns=anomaly_lines.COLUMNS):
    return pd.DataFrame(rows, columns=list(columns), dtype=str)


def a_line(**changes):
    line = {
        "InvoiceNo": "1", "StockCode": "P100", "Quantity": "3", "InvoiceDate": "2024-01-02 09:00:00",
        "UnitPrice": "1.5", "CustomerID": "A",
    }  # fmt: skip
    return list((line | changes).values())


# What is put in


def test_the_true_values_put_back_give_the_lines_as_they_were(shop, made):
    frame = made.frame.copy()
    is_copy = ((made.truth["column"] == "Quantity") & (made.truth["value"] == "0")).to_numpy()
    for line, column, value in made.truth.loc[~is_copy, ["line", "column", "value"]].itertuples(index=False):
        frame.at[line, column] = value
    # The price of a wrong product goes with the product; the repair named for it is the product.
    frame = frame.drop(made.truth.loc[is_copy, "line"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(frame.drop(columns="UnitPrice"), shop.drop(columns="UnitPrice"))


def test_every_kind_is_put_into_sales_from_the_cut_on(shop, made):
    assert set(made.truth["kind"]) == set(anomaly_injector.KINDS)
    assert (pd.to_datetime(made.frame["InvoiceDate"].iloc[made.truth["line"]], utc=True) >= CUT).all()
    later = shop[pd.to_datetime(shop["InvoiceDate"], utc=True) >= CUT]
    sales = (later["Quantity"].astype(float) > 0).sum()
    assert len(made.truth) == pytest.approx(sales / 10, rel=0.3)


def test_a_copy_carries_the_moment_of_its_invoice_and_stands_somewhere_behind_its_line(made):
    copies = made.truth.loc[made.truth["kind"] == "booked twice", "line"]
    assert len(copies)
    for line in copies:
        copy = made.frame.iloc[line]
        before = made.frame.iloc[:line]
        assert (before == copy).all(axis=1).any()
        assert made.frame["InvoiceNo"].iloc[line - 1] == copy["InvoiceNo"]


def test_errors_of_another_seed_are_others_and_of_the_same_seed_the_same(shop, made):
    again = anomaly_injector.inject(shop, CUT, 1 / 10, seed=3)
    pd.testing.assert_frame_equal(again.frame, made.frame)
    assert not anomaly_injector.inject(shop, CUT, 1 / 10, seed=4).truth.equals(made.truth)


def test_the_injector_shares_nothing_with_the_detector():
    tree = ast.parse(Path(anomaly_injector.__file__).read_text())
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in named if name.startswith(("core", "bench"))]


# What is read


def test_lines_are_read_without_looking_at_the_letter_of_a_return():
    frame = lines_of(
        a_line(),
        a_line(InvoiceNo="C2", Quantity="-1.5", CustomerID=""),
        a_line(InvoiceNo="2", StockCode="gift_0001_20"),
        a_line(InvoiceNo="3", UnitPrice="", InvoiceDate="2024-01-03T10:00"),
        a_line(InvoiceNo="3", Quantity="0", InvoiceDate="2024-01-03T10:00"),
    )
    stream = anomaly_lines.stream(frame, pd.Timestamp("2024-01-03", tz="UTC"))
    assert stream.rows.tolist() == [0, 1, 3]
    assert stream.lines.change.tolist() == [-3, 1.5, -3]
    assert stream.lines.flow.tolist() == [FLOWS.index("out"), FLOWS.index("back"), FLOWS.index("out")]
    assert stream.lines.customer.tolist() == [0, NOBODY, 0]
    assert np.isnan(stream.lines.price).tolist() == [False, False, True]
    assert (stream.start, stream.later.tolist()) == (2, [2])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"InvoiceDate": "first of May"}, "Line 1, InvoiceDate: 'first of May' is not a moment such as"),
        ({"Quantity": ""}, "Line 1, Quantity: '' is not a number"),
        ({"Quantity": "1,5"}, "Line 1, Quantity: '1,5' is not a number"),
        ({"UnitPrice": "free"}, "Line 1, UnitPrice: 'free' is not a number"),
    ],
)
def test_refuses_what_cannot_be_read_and_names_the_line(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        anomaly_lines.stream(lines_of(a_line(), a_line(**changes)), CUT)


def test_near_codes_differ_by_a_digit_or_two_swapped_ones():
    codes = ["22630", "22631", "26230", "22630A", "32631", "P1"]
    assert anomaly_lines.near(codes) == {0: [1, 2], 1: [0, 4], 2: [0], 4: [1]}


# What is measured


def test_measures_by_hand():
    # Two days; ten lines; three errors, of which two lead their days and one comes last.
    one = Marked(
        score=np.array([9, 5, 1, 0, 2.0, 8, 7, 6, 4, 3]),
        day=np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
        kind=np.array(["x12", "", "", "price", "", "x12", "", "", "", ""], object),
        money=np.array([60.0, 0, 0, 10, 0, 30, 0, 0, 0, 0]),
        is_exact=np.array([True, *[False] * 9]),
        at_stake=np.ones(10),
    )
    found = anomaly_score.figures(one)
    assert found["ap"] == pytest.approx((1 + 1 + 3 / 10) / 3)
    assert found["r_precision"] == pytest.approx(2 / 3)
    assert found["precision@3"] == pytest.approx(2 / 6)
    assert found["recall@3"] == pytest.approx(2 / 3)
    assert found["money@3"] == pytest.approx(0.9)
    assert found["recall_at_p90"] == pytest.approx(2 / 3)
    assert found["found_and_exact@10"] == pytest.approx(1 / 3)
    assert found["shared: recall@10"] == 1
    assert found["threshold@3"] == 4
    assert anomaly_score.clean_a_day(found, np.array([5, 4, 3.0]), np.array([0, 1, 1]))["clean a day@3"] == 1
    assert anomaly_score.by_kind(one).loc["x12", ["n", "top_r", "exact"]].tolist() == [2, 2, 1]


def test_a_repair_is_right_when_it_restores_the_cell(shop):
    made = anomaly_injector.inject(shop, CUT, 1 / 50, seed=5, mix={"price": 1, "wrong sign": 1})
    rows = np.arange(len(made.frame))
    column, value = np.full(len(rows), "", object), np.full(len(rows), "", object)
    column[made.truth["line"]] = made.truth["column"]
    value[made.truth["line"]] = made.truth["value"]
    known = Ranking(rows, np.zeros(len(rows)), column, column, value)
    one = anomaly_score.marked(made.frame, known, made.truth)
    assert (one.is_exact == one.is_wrong).all()
    assert one.at_stake[made.truth["line"]] == pytest.approx(made.truth["money"])
    value[made.truth["line"]] = "77.77"
    assert not anomaly_score.marked(made.frame, known, made.truth).is_exact.any()


def test_sales_taken_back_within_the_hour_are_the_natural_labels():
    frame = lines_of(
        a_line(),
        a_line(InvoiceNo="2", StockCode="P101"),
        a_line(InvoiceNo="3", Quantity="-3", InvoiceDate="2024-01-02 09:40:00"),
        a_line(InvoiceNo="4", StockCode="P101", Quantity="-3", InvoiceDate="2024-01-02 11:40:00"),
    )
    assert anomaly_score.undone(frame, np.arange(4)).tolist() == [True, False, False, False]


def test_rivals_know_nothing_of_later_lines(made):
    whole = anomaly_rivals.features(anomaly_lines.stream(made.frame, CUT).lines)
    part = anomaly_rivals.features(anomaly_lines.stream(made.frame[:2000], CUT).lines)
    pd.testing.assert_frame_equal(whole[:2000], part)


# The stable entry point


def run(folder, frame, cut="2024-02-12", name="lines.csv"):
    frame.to_csv(folder / name, index=False)
    anomaly.main(["--lines", str(folder / name), "--cut", cut, "--out", str(folder / "out.csv")])
    return pd.read_csv(folder / "out.csv", dtype={"field": str, "repaired_value": str})


def test_every_later_line_gets_a_score_and_nothing_of_the_future_is_in_it(made, tmp_path):
    whole = run(tmp_path, made.frame.assign(Country="UK"), name="lines.csv.gz")
    assert list(whole.columns) == ["line", "score", "kind", "field", "repaired_value"]
    later = pd.to_datetime(made.frame["InvoiceDate"], utc=True) >= CUT
    assert whole["line"].tolist() == np.flatnonzero(later).tolist()
    assert whole["score"].between(0, 1).all()
    assert set(whole["field"].dropna()) <= {"Quantity", "UnitPrice", "StockCode"}
    rest = run(tmp_path, made.frame[:-300])
    pd.testing.assert_frame_equal(whole[: len(rest)], rest)


def test_a_repair_speaks_of_the_column_as_it_stands():
    codes = anomaly_lines.Shelf(codes={4: "P104"})
    assert anomaly_shipped.repair("quantity", -12.0, codes) == ("Quantity", "12")
    assert anomaly_shipped.repair("sign", 3.0, codes) == ("Quantity", "-3")
    assert anomaly_shipped.repair("price", 2.1, codes) == ("UnitPrice", "2.1")
    assert anomaly_shipped.repair("product", 4.0, codes) == ("StockCode", "P104")
    assert anomaly_shipped.repair("whole", np.nan, codes) == ("Quantity", "0")
    assert anomaly_shipped.repair("none", np.nan, codes) == ("", "")


def test_fees_and_lines_of_no_quantity_are_listed_with_score_zero(tmp_path):
    frame = lines_of(
        *[a_line(StockCode=f"P{100 + at}") for at in range(30)],
        a_line(StockCode="POST"),
        a_line(Quantity="0"),
    )
    told = run(tmp_path, frame, cut="2024-01-01")
    assert told["score"].iloc[-2:].tolist() == [0, 0]
    assert told["line"].tolist() == list(range(32))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"CustomerID": ""}, id="nobody known"),
        pytest.param({"CustomerID": "A", "InvoiceNo": "1"}, id="one customer, one invoice"),
        pytest.param({"StockCode": "P1"}, id="one product"),
        pytest.param({"UnitPrice": "0"}, id="no prices"),
    ],
)
def test_a_shop_with_nothing_before_the_cut_is_still_ranked(shop, tmp_path, changed):
    told = run(tmp_path, shop[:150].assign(**changed), cut="2023-01-01")
    assert told["line"].tolist() == list(range(150))
    assert told["score"].notna().all()


def test_learns_on_the_way_where_nothing_is_before_the_cut(shop):
    stream = anomaly_lines.stream(shop[:1500], pd.Timestamp("2023-01-01", tz="UTC"))
    assert [(known, len(targets)) for known, targets in anomaly_shipped.stages(stream)] == [
        (0, 1000),
        (1000, 500),
    ]


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        (["--cut", "2024-02-12"], "--lines needs --cut DATE and --out FILE"),
        (["--cut", "soon", "--out", "o.csv"], "--cut 'soon' is not a date"),
    ],
)
def test_refuses_with_a_sentence(shop, tmp_path, wishes, sentence):
    shop[:5].to_csv(tmp_path / "lines.csv", index=False)
    with pytest.raises(SystemExit, match=sentence):
        anomaly.main(["--lines", str(tmp_path / "lines.csv"), *wishes])


def test_refuses_a_file_that_lacks_a_column(shop, tmp_path):
    with pytest.raises(SystemExit, match=r"lines\.csv has no column UnitPrice"):
        run(tmp_path, shop.drop(columns="UnitPrice"))
