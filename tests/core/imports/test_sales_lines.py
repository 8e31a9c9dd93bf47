"""Lines of a file are sales, returns, skipped by a named rule, or errors with line, field and value."""

from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.imports import sales_booking, sales_history, sales_lines, table_dialect
from core.imports.sales_lines import Choices, Lines
from core.imports.table_dialect import SCALE
from core.imports.table_files import TableFile

NOW = datetime(2026, 1, 31, 12)  # noqa: DTZ001 (local time of the warehouse)
HEADERS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
SALE = {
    "InvoiceNo": "536365", "StockCode": "85123A", "Description": "LANTERN", "Quantity": "6",
    "InvoiceDate": "2026-01-05 08:26:00", "UnitPrice": "2.55", "CustomerID": "17850",
}  # fmt: skip


def a_file(*changes: dict[str, str], headers=HEADERS, **facts) -> TableFile:
    """A file whose lines are `SALE` with these changes."""
    frame = pd.DataFrame([SALE | change for change in changes])[list(headers)]
    frame = frame.assign(line_number=range(2, len(frame) + 2), cells=len(headers))
    return TableFile("a.csv", "0" * 64, tuple(headers), frame, {"format": "csv"} | facts)


def understand(*changes: dict[str, str], **choices) -> Lines:
    return sales_lines.understand(a_file(*changes), Choices(**choices), NOW)


def said(lines: Lines) -> list[tuple]:
    return list(
        lines.issues[["line_number", "kind", "rule", "field", "value"]].itertuples(index=False, name=None)
    )


def test_a_sale_lowers_stock_by_exactly_what_the_file_says():
    line = understand({"Quantity": "2.5", "UnitPrice": "2.55"}).frame.iloc[0]
    assert (line["change"], line["unit_price"]) == (-25_000, 25_500)
    assert (line["document"], line["code"], line["customer"]) == ("536365", "85123A", "17850")
    assert line["moment"] == pd.Timestamp("2026-01-05 08:26:00")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"StockCode": "POST"}, "non_product_code"),
        ({"StockCode": "bank charges"}, "non_product_code"),
        ({"StockCode": "gift_0001_20"}, "non_product_code"),
        ({"StockCode": "DCGSSBOY"}, "non_product_code"),
        ({"Quantity": "0"}, "zero_quantity"),
        ({"Quantity": "-0"}, "zero_quantity"),
        ({"UnitPrice": "0.00"}, "zero_price"),
        ({"UnitPrice": "-11062.06"}, "negative_price"),
        ({"UnitPrice": "0", "Quantity": "-20", "Description": "damaged?"}, "write_off"),
    ],
)
def test_a_line_that_is_no_sale_is_skipped_by_a_named_rule(change: dict, rule: str):
    lines = understand(*[{"StockCode": f"A{n}"} for n in range(30)], change)
    assert lines.issues[["line_number", "kind", "rule"]].values.tolist() == [[32, "skipped", rule]]
    assert len(lines.frame) == 30


def test_letters_alone_are_a_product_where_other_codes_have_no_digits_either():
    assert len(understand({"StockCode": "WIDGET"}, {"StockCode": "GADGET"}, {"StockCode": "A1"}).frame) == 3


def test_the_user_may_keep_a_code_or_skip_another():
    lines = understand(
        {"StockCode": "POST"}, {"StockCode": "X1"}, product_codes=frozenset({"post"}),
        non_product_codes=frozenset({"x1"}),
    )  # fmt: skip
    assert lines.frame["code"].tolist() == ["POST"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"StockCode": "  "}, (2, "error", "empty", "code", "")),
        ({"Quantity": ""}, (2, "error", "empty", "quantity", "")),
        ({"InvoiceDate": ""}, (2, "error", "empty", "moment", "")),
        ({"Quantity": "NaN"}, (2, "error", "not_a_number", "quantity", "NaN")),
        ({"Quantity": "Infinity"}, (2, "error", "not_a_number", "quantity", "Infinity")),
        ({"Quantity": "1e400"}, (2, "error", "not_a_number", "quantity", "1e400")),
        ({"Quantity": "1_000"}, (2, "error", "not_a_number", "quantity", "1_000")),
        ({"Quantity": "１２３"}, (2, "error", "not_a_number", "quantity", "１２３")),
        ({"Quantity": "#REF!"}, (2, "error", "not_a_number", "quantity", "#REF!")),
        ({"Quantity": "=1+1"}, (2, "error", "not_a_number", "quantity", "=1+1")),
        ({"Quantity": "0.00001"}, (2, "error", "not_a_number", "quantity", "0.00001")),
        ({"Quantity": str(2**63)}, (2, "error", "not_a_number", "quantity", str(2**63))),
        ({"Quantity": "1000000001"}, (2, "error", "too_large", "quantity", "1000000001")),
        ({"UnitPrice": "cheap"}, (2, "error", "not_a_number", "unit_price", "cheap")),
        ({"UnitPrice": "99999999999"}, (2, "error", "too_large", "unit_price", "99999999999")),
        ({"InvoiceDate": "2026-02-30"}, (2, "error", "not_a_date", "moment", "2026-02-30")),
        ({"InvoiceDate": "45000.5"}, (2, "error", "not_a_date", "moment", "45000.5")),
        ({"InvoiceDate": "2026-01-05 25:00"}, (2, "error", "not_a_date", "moment", "2026-01-05 25:00")),
        ({"InvoiceDate": "0001-01-01"}, (2, "error", "too_early", "moment", "0001-01-01")),
        ({"InvoiceDate": "2026-02-01"}, (2, "error", "in_the_future", "moment", "2026-02-01")),
        ({"InvoiceDate": "9999-12-31"}, (2, "error", "in_the_future", "moment", "9999-12-31")),
        ({"StockCode": "x" * 101}, (2, "error", "too_long", "code", "x" * 101)),
    ],
)
def test_what_cannot_be_read_is_an_error_with_line_field_and_value(change: dict, error: tuple):
    lines = understand(change, {"InvoiceNo": "2"})
    assert said(lines) == [error]
    assert lines.frame["document"].tolist() == ["2"]


def test_a_half_file_is_noticed_at_its_last_line():
    file = a_file({}, {"InvoiceNo": "2"})
    file.frame.loc[1, ["cells", "UnitPrice", "CustomerID"]] = [5, "", ""]
    assert said(sales_lines.understand(file, Choices(), NOW)) == [(3, "error", "cut_off", None, None)]


def test_more_cells_than_columns_are_an_error():
    file = a_file({}, {"InvoiceNo": "2"})
    file.frame.loc[0, "cells"] = 9
    assert said(sales_lines.understand(file, Choices(), NOW)) == [(2, "error", "cells", None, None)]


def test_formulas_and_markup_in_names_are_just_text():
    lines = understand({"Description": '=HYPERLINK("http://x")', "CustomerID": "<script>"})
    assert lines.names == {"85123A": '=HYPERLINK("http://x")'}
    assert lines.frame["customer"].tolist() == ["<script>"]


@pytest.mark.parametrize(
    "spelled", ["85123a", " 85123A ", "85123A\u200b", "\u202e85123A", "85123\u00ad A".replace(" ", "")]
)
def test_codes_that_look_alike_are_one_product_and_reported(spelled: str):
    lines = understand({}, {}, {"StockCode": spelled})
    assert set(lines.frame["code"]) == {"85123A"}
    assert lines.issues["rule"].tolist() == ([] if spelled.strip() == "85123A" else ["spelling"])


def test_composed_and_decomposed_letters_are_one_code():
    lines = understand({"StockCode": "CAFÉ1"}, {"StockCode": "CAFE\u03011"})
    assert lines.frame["code"].nunique() == 1


def test_the_name_is_the_one_most_sales_carry():
    lines = understand(
        {"Description": "rare"}, {"Description": " USUAL  NAME "}, {"Description": "USUAL NAME"}
    )
    assert lines.names == {"85123A": "USUAL NAME"}


def test_the_occurrence_of_a_code_in_its_document_is_counted_over_all_lines():
    lines = understand({}, {"UnitPrice": "0"}, {}, {"InvoiceNo": "2"})
    assert lines.frame["occurrence"].tolist() == [1, 3, 1]


def test_a_negative_quantity_is_a_return():
    assert understand({"Quantity": "-3", "InvoiceNo": "C536379"}).frame["change"].tolist() == [3 * SCALE]


def test_a_cancellation_counts_as_a_return_where_few_documents_are_marked_so():
    lines = understand({}, {"InvoiceNo": "7"}, {"InvoiceNo": "C8", "Quantity": "3"})
    assert lines.frame["change"].tolist() == [-6 * SCALE, -6 * SCALE, 3 * SCALE]


def test_a_c_before_every_number_means_nothing():
    assert understand({"InvoiceNo": "C1"}, {"InvoiceNo": "C2"}).frame["change"].tolist() == [-60_000, -60_000]


# --- The dialect: numbers, dates, columns


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1,234.50", ".", "1234.5"), ("1.234,50", ",", "1234.5"), ("1'234.50", ".", "1234.5"),
        ("1 234,50", ",", "1234.5"), ("1\u00a0234\u00a0567,5", ",", "1234567.5"),
        ("12.345.678", ",", "12345678"),
        ("-5", ".", "-5"), ("5-", ".", "-5"), ("(5.25)", ".", "-5.25"), ("−7", ".", "-7"), ("+3", ".", "3"),
        ("£2.55", ".", "2.55"), ("2,55 €", ",", "2.55"), (".5", ".", "0.5"), ("5.", ".", "5"),
        ("0.12340000", ".", "0.1234"),
        ("12,34.5", ".", None), ("1.2.3", ".", None), ("1 2", ".", None), ("", ".", None), ("-", ".", None),
        ("--5", ".", None), ("1e5", ".", None), ("0x10", ".", None), ("٣", ".", None), ("1,5", ".", None),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly_or_not_at_all(text: str, mark: str, number: str | None):
    read = table_dialect.number(text, mark)
    assert (None if read is None else Decimal(read) / SCALE) == (None if number is None else Decimal(number))


@settings(deadline=None, max_examples=60)
@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from([".", ","]))
def test_every_number_survives_writing_and_reading(value: Decimal, mark: str):
    text = f"{value:,.4f}" if mark == "." else f"{value:,.4f}".translate(str.maketrans(",.", ".,"))
    assert table_dialect.number(text, mark) == int(value * SCALE)
    assert Decimal(sales_booking.exact_text(np.array([int(value * SCALE)]))[0]) == value


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=12), st.sampled_from([".", ","]))
def test_any_text_is_a_number_or_none(text: str, mark: str):
    read = table_dialect.number(text, mark)
    assert read is None or abs(read) < 10**20


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_is_a_moment_or_none(texts: list[str]):
    at, _ = table_dialect.moments(texts, "dmy")
    assert len(at) == len(texts)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [(["1", "2.55"], "."), (["1", "2,55"], ","), (["1,234", "0.5"], "."), (["1.234", "0,5"], ","),
     (["1,234,567"], "."), (["1.234,5"], ","), (["7"], "."), (["1234.567"], "."), (["0.125"], ".")],
)  # fmt: skip
def test_the_decimal_mark_is_decided_by_all_numbers_together(texts: list[str], mark: str):
    assert table_dialect.decimal_mark(texts) == mark


@pytest.mark.parametrize("texts", [["1.234"], ["1,234", "5"], ["1.5", "1,5"]])
def test_a_doubtful_decimal_mark_names_the_option(texts: list[str]):
    with pytest.raises(BadInput, match="--decimal"):
        table_dialect.decimal_mark(texts)
    assert table_dialect.decimal_mark(texts, ",") == ","


@pytest.mark.parametrize(
    ("texts", "order"),
    [(["2026-01-05"], "ymd"), (["05.01.2026"], "dmy"), (["13/01/2026", "01/02/2026"], "dmy"),
     (["01/13/2026", "01/02/2026"], "mdy"), (["12/1/2010 8:26", "12/13/2010 9:00"], "mdy")],
)  # fmt: skip
def test_the_order_of_dates_is_decided_by_the_whole_column(texts: list[str], order: str):
    assert table_dialect.date_order(texts) == order


@pytest.mark.parametrize("texts", [["03/04/2025", "05/06/2025"], ["13/01/2026", "01/13/2026"]])
def test_doubtful_dates_are_refused_and_the_option_named(texts: list[str]):
    with pytest.raises(BadInput, match="--date-format"):
        table_dialect.date_order(texts)
    assert table_dialect.date_order(texts, "mdy") == "mdy"


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2026-01-05T08:26:00Z", "ymd", "2026-01-05T08:26"),
        ("2026-01-05 08:26+02:00", "ymd", "2026-01-05T06:26"),
        ("5.1.2026 8:26", "dmy", "2026-01-05T08:26"), ("1/5/26 8:26 PM", "mdy", "2026-01-05T20:26"),
        ("20260105", "ymd", "2026-01-05T00:00"), ("20260105T0826", "ymd", "2026-01-05T08:26"),
        ("05-Jan-2026", "%d-%b-%Y", "2026-01-05T00:00"), ("2026/1/5", "dmy", "2026-01-05T00:00"),
    ],
)  # fmt: skip
def test_moments_of_many_kinds_are_read(text: str, order: str, moment: str):
    assert table_dialect.moments([text], order)[0][0] == np.datetime64(moment, "us")


def test_an_offset_makes_a_moment_one_of_utc_in_a_pattern_too():
    at, is_utc = table_dialect.moments(["05-Jan-2026 08:26 +0200"], "%d-%b-%Y %H:%M %z")
    assert (at[0], bool(is_utc[0])) == (np.datetime64("2026-01-05T06:26", "us"), True)
    assert np.isnat(table_dialect.moments(["2026-01-05 08:26+99:00"], "ymd")[0][0])


def test_headers_are_known_in_several_languages_and_a_map_wins():
    german = sales_lines.column_map(["Beleg-Nr", "Artikel", "Menge", "Datum", "Preis"], {})
    assert german == {
        "document": "Beleg-Nr",
        "code": "Artikel",
        "quantity": "Menge",
        "moment": "Datum",
        "unit_price": "Preis",
    }
    mapped = sales_lines.column_map(["Code", "Old code", "Qty", "Date"], {"code": "old code"})
    assert mapped["code"] == "Old code"


@pytest.mark.parametrize(
    ("given_map", "sentence"),
    [
        ({}, r"No column is known to hold the quantity.*--map quantity="),
        ({"quantity": "Weight"}, "the file has no column 'Weight'. It has 'sku', 'date', 'n'"),
        ({"amount": "n"}, "'amount' is not a field"),
        ({"quantity": "n", "code": "n"}, "cannot hold two fields"),
    ],
)
def test_an_unsettled_column_is_refused_with_what_to_type(given_map: dict, sentence: str):
    with pytest.raises(BadInput, match=sentence):
        sales_lines.column_map(["sku", "date", "n"], given_map)


# --- Returns and reconstructed receipts


def events(*rows: tuple) -> pd.DataFrame:
    """(day, change in pieces, customer) of one pair; days count from a Monday."""
    monday = 20_458  # 5 January 2026
    frame = pd.DataFrame(rows, columns=["day", "change", "customer"])
    frame["at"] = (frame["day"] + monday).to_numpy().astype("datetime64[D]").astype("datetime64[us]")
    return frame.assign(pair=0, day=frame["day"] + monday, change=frame["change"] * SCALE)


@pytest.mark.parametrize(
    ("rows", "partner"),
    [
        ([(0, -5, "a"), (14, 5, "a")], [-1, 0]),
        ([(0, -5, "a"), (15, 5, "a")], [-1, -1]),
        ([(0, -5, "a"), (1, 5, "b")], [-1, -1]),
        ([(0, -5, "a"), (1, 4, "a")], [-1, -1]),
        ([(0, -5, ""), (1, 5, "")], [-1, 0]),
        ([(0, 5, "a"), (1, -5, "a")], [-1, -1]),
        ([(0, 5, "a"), (0, -5, "a")], [1, -1]),
        ([(0, -5, "a"), (1, -5, "a"), (2, 5, "a"), (3, 5, "a"), (4, 5, "a")], [-1, -1, 1, 0, -1]),
    ],
)
def test_a_return_takes_back_the_latest_equal_sale_of_14_days(rows: list, partner: list):
    assert sales_history.match_returns(events(*rows)).tolist() == partner


def shelf(lines: pd.DataFrame, came: pd.DataFrame) -> pd.Series:
    """Stock at the end of each day."""
    into = came.groupby("day")["quantity"].sum()
    return (
        pd.concat([lines.groupby("day")["change"].sum(), into], axis=1).fillna(0).sum(axis=1).cumsum() / SCALE
    )


def test_reconstructed_stock_never_ends_and_stays_near_three_weeks_of_demand():
    rows = [(day, -2, "a") for day in range(200) if day % 7 < 5]
    lines = events(*rows)
    stock = shelf(lines, sales_history.reconstruct(lines))
    assert stock.min() >= 1
    assert stock.iloc[60:].max() <= 3 * 10


def test_one_bulk_order_does_not_fill_the_shelf():
    lines = events(*[(day, -1000 if day == 70 else -1, "a") for day in range(120)])
    came = sales_history.reconstruct(lines)
    stock = shelf(lines, came)
    assert stock.min() >= 1
    assert stock.iloc[80:].max() <= 3 * 7 + 1


def test_the_first_day_finds_the_demand_of_the_first_21_days():
    lines = events((0, -3, "a"), (20, -4, "a"), (21, -50, "a"))
    first = sales_history.reconstruct(lines).iloc[0]
    assert (first["quantity"], first["why"]) == (8 * SCALE, sales_history.OPENING)


def test_stock_of_fractions_is_bought_in_whole_units():
    came = sales_history.reconstruct(events((0, -0.25, "a"), (30, -0.5, "a")).astype({"change": "int64"}))
    assert (came["quantity"] % SCALE == 0).all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(-40, 15).filter(bool)), min_size=1, max_size=60))
def test_no_line_ever_finds_the_shelf_empty(rows: list[tuple[int, int]]):
    lines = events(*sorted(((day, change, "") for day, change in rows), key=lambda row: row[0]))
    came = sales_history.reconstruct(lines)
    steps = pd.concat(
        [
            came.assign(rank=0, change=came["quantity"])[["day", "rank", "change"]],
            lines.assign(rank=1)[["day", "rank", "change"]],
        ]
    ).sort_values(["day", "rank"], kind="stable")
    assert steps["change"].cumsum().min() >= 0


def test_lines_that_stock_does_not_cover_are_left_out_or_corrected():
    pair, change, level = np.zeros(4, int), np.array([-3, -3, 2, -2]) * SCALE, np.array([4]) * SCALE
    assert (sales_history.cover(pair, change, level, correct=False) // SCALE).tolist() == [0, 2, 0, 0]
    assert (sales_history.cover(pair, change, level, correct=True) // SCALE).tolist() == [0, 2, 0, 0]


def test_the_shift_is_a_multiple_of_364_that_ends_yesterday_or_before():
    day = np.datetime64("2011-12-09T12:50", "us")
    for today in ("2026-11-21", "2026-11-20", "2011-12-10"):
        shift = sales_booking.shift_days(day, np.datetime64(today, "D"))
        moved = day.astype("datetime64[D]") + shift
        assert shift % 364 == 0
        assert moved < np.datetime64(today, "D") <= moved + 364
    assert sales_booking.shift_days(day, np.datetime64("2011-12-09", "D")) == 0
