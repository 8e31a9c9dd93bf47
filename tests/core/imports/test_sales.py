"""A file of sales goes into the ledger whole or not at all, once, and with the receipts it needed."""

import argparse
import csv
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import ledger_check, shop
from core.errors import BadInput, NotAllowed, RuleBroken, RunoutError
from core.imports import sales, table_files
from core.imports.sales import ImportStopped, Options, Outcome
from core.imports.sales_lines import Choices
from db.models import (
    AuditLine,
    Import,
    ImportIssue,
    ImportLine,
    Movement,
    Posting,
    Product,
    StockDay,
    StockLevel,
    Warehouse,
)
from db.session import reading, transaction
from jobs import import_sales
from tests.core.imports.test_table_files import HOSTILE
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = datetime(2026, 2, 1, tzinfo=UTC)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
KEPT = (Product, Warehouse, Movement, Posting, StockLevel, StockDay, Import, ImportLine, ImportIssue)


@pytest.fixture
def bring(session: Session, tmp_path: Path) -> Callable[..., Outcome]:
    """Import lines such as "1,A1,Lamp,2,2026-02-02 10:00,5.00,7" as a manager."""
    actor = an_actor(session)

    def bring_in(*lines: str, now: datetime = NOW, dry: bool = False, **options) -> Outcome:
        path = tmp_path / "sales.csv"
        path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
        file = table_files.read(path)
        if dry:
            return sales.look(session, file, Options(**options), now)
        return sales.book(session, actor, file, Options(**options), now)

    return bring_in


def counted(session: Session) -> dict[str, int]:
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in KEPT}


def moved(session: Session, sku: str = "A1") -> list[tuple]:
    """Reason, change and business day of each movement of a product, in booking order."""
    rows = session.execute(
        select(Movement.reason_code, Movement.change, Movement.day)
        .join(Product, Product.id == Movement.product_id)
        .where(Product.sku == sku)
        .order_by(Movement.id)
    )
    return [(reason, float(change), f"{day:%m-%d}") for reason, change, day in rows]


def on_hand(session: Session, sku: str = "A1") -> Decimal:
    return session.scalar(
        select(func.sum(StockLevel.quantity))
        .join(Product, Product.id == StockLevel.product_id)
        .where(Product.sku == sku)
    )


def demand(session: Session) -> dict[str, float]:
    rows = session.execute(select(StockDay.day, StockDay.demand).where(StockDay.demand != 0))
    return {f"{day:%m-%d}": float(quantity) for day, quantity in rows}


SALE = "1,A1,Lamp,2,2026-02-02 10:00,5.00,7"


def test_a_sale_creates_product_warehouse_and_the_stock_it_came_from(session, bring):
    outcome = bring(SALE)
    product = session.scalar(select(Product).where(Product.sku == "A1"))
    assert (product.name, product.unit_price, product.category) == ("Lamp", 5, None)
    place = session.scalar(select(Warehouse))
    assert (place.code, place.time_zone, place.is_default) == ("MAIN", shop.get(session).time_zone, True)
    assert moved(session) == [("reconstructed", 3, "02-02"), ("sale", -2, "02-02")]
    assert (outcome.mode, outcome.applied, outcome.new_products) == ("history", True, ["A1"])
    sale = session.scalar(select(Movement).where(Movement.reason_code == "sale"))
    assert (sale.reference_id, sale.customer, sale.unit_price) == ("1", "7", 5)
    assert sale.occurred_at == datetime(2026, 2, 2, 10, tzinfo=UTC)


def test_invented_rows_are_not_demand(session, bring):
    bring(SALE)
    assert demand(session) == {"02-02": 2}


def test_the_same_file_again_has_no_effect(session, bring):
    bring(SALE, SALE)
    before = counted(session)
    again = bring(SALE, SALE)
    assert counted(session) == before
    assert (again.applied, again.skipped) == (False, {"already_imported": 2})


def test_a_file_with_more_lines_adds_only_those_and_true_duplicates_stay(session, bring):
    bring(SALE)
    bring(SALE, SALE, counted_corrections=True)
    assert [change for reason, change, _ in moved(session) if reason == "sale"] == [-2, -2]
    assert session.scalar(select(func.count()).select_from(ImportLine)) == 2


def test_another_source_is_other_sales(bring):
    bring(SALE)
    assert bring(SALE, source="web", counted_corrections=True).counts["sales"] == 1


def test_a_dry_run_reports_and_changes_nothing(session, bring):
    before = counted(session)
    outcome = bring(SALE, "2,POST,Postage,1,2026-02-02,3.00,7", "3,A2,Vase,many,2026-02-02,1.00,7", dry=True)
    assert counted(session) == before
    assert outcome.counts["sales"] == 1
    assert (outcome.skipped, outcome.errors) == ({"non_product_code": 1}, {"not_a_number": 1})
    assert (outcome.new_products, outcome.first_on) == (["A1"], date(2026, 2, 2))


def test_an_error_stops_the_whole_file(session, bring):
    before = counted(session)
    with pytest.raises(
        ImportStopped, match=r"line 3, quantity 'many': not a number.*--without-errors 1"
    ) as stopped:
        bring(SALE, "2,A1,Lamp,many,2026-02-02,5.00,7")
    assert counted(session) == before
    assert stopped.value.outcome.error_lines == 1


def test_the_user_may_import_without_exactly_the_lines_that_have_errors(session, bring):
    bad = "2,A1,Lamp,many,2026-02-02,5.00,7"
    with pytest.raises(ImportStopped, match="not 2"):
        bring(SALE, bad, without_errors=2)
    bring(SALE, bad, without_errors=1)
    assert session.scalar(select(ImportIssue.kind).where(ImportIssue.line_number == 3)) == "error"


def test_a_file_of_nothing_but_errors_left_out_books_nothing(session, bring):
    a_product(session, 1, sku="A1", stock_at=BEFORE)
    before = counted(session)
    assert not bring(SALE, without_errors=1).applied
    assert counted(session) == before


def test_a_typing_error_undone_on_its_day_leaves_nothing_on_the_shelf(session, bring):
    bring(SALE, "5,A1,Lamp,74215,2026-02-03 10:01,5.00,9", "C6,A1,Lamp,-74215,2026-02-03 10:17,5.00,9")
    assert on_hand(session) == 1
    assert demand(session) == {"02-02": 2}
    assert moved(session)[2:] == [
        ("reconstructed", 74215, "02-03"), ("sale", -74215, "02-03"),
        ("return", 74215, "02-03"), ("reconstructed", -74215, "02-03"),
    ]  # fmt: skip
    reversal = session.scalars(select(Movement).order_by(Movement.id.desc())).first()
    assert session.get(Movement, reversal.reverses_id).change == 74215


def test_a_sale_undone_days_later_never_puts_a_day_below_zero(session, bring):
    bring(SALE, "5,A1,Lamp,500,2026-02-03 10:01,5.00,9", "C6,A1,Lamp,-500,2026-02-10 10:17,5.00,9")
    assert on_hand(session) == 1
    assert demand(session) == {"02-02": 2}
    assert session.scalar(select(func.min(StockDay.closing))) >= 0


def test_a_return_of_no_known_sale_changes_stock_but_not_demand(session, bring):
    bring(SALE, "C6,A1,Lamp,-1,2026-02-10 10:17,5.00,9")
    assert on_hand(session) == 2
    assert demand(session) == {"02-02": 2}


def test_a_return_next_week_finds_its_sale_in_the_ledger(session, bring):
    bring(SALE)
    bring("C9,A1,Lamp,-2,2026-02-09 10:00,5.00,7")
    assert demand(session) == {}
    returned = session.scalar(select(Movement).where(Movement.reason_code == "return"))
    assert session.get(Movement, returned.returns_id).reason_code == "sale"


def test_going_on_books_against_the_stock_that_is_there(session, bring):
    product = a_product(session, 10, sku="A1", stock_at=datetime(2026, 2, 1, tzinfo=UTC))
    outcome = bring(SALE)
    assert (outcome.mode, outcome.new_products) == ("going on", [])
    assert on_hand(session) == 8
    assert (
        session.scalar(select(func.count()).where(Movement.product_id == product.id).select_from(Movement))
        == 2
    )


def test_what_was_sold_before_the_opening_stock_is_its_past_and_not_taken_off_it_again(session, bring):
    a_product(session, 100, sku="A1", stock_at=datetime(2026, 2, 20, 15, tzinfo=UTC))
    past = [f"{n},A1,Lamp,30,2026-02-{n:02d} 10:00,5.00,7" for n in range(2, 9)]
    other = ["x,B2,Vase,1,2026-03-01 10:00,5.00,7"]  # Mondays after the opening are in the file too
    outcome = bring(*past, *other, "n,A1,Lamp,4,2026-02-20 17:00,5.00,7")
    assert (outcome.errors, outcome.mode) == ({}, "mixed")
    assert on_hand(session) == 96
    days = session.execute(
        select(StockDay.day, StockDay.demand, StockDay.closing)
        .join(Product, Product.id == StockDay.product_id)
        .where(Product.sku == "A1")
        .order_by(StockDay.day)
    ).all()
    assert demand(session)["02-02"] == 30
    assert all(closing > 0 for _, _, closing in days)
    assert (days[-1].day, days[-1].closing) == (date(2026, 2, 20), 96)
    assert ledger_check.faults(session) == {}


def test_an_older_file_after_a_newer_one_leaves_the_stock_as_it_is(session, bring):
    bring("2,A1,Lamp,5,2026-02-16 10:00,5.00,7")
    before = on_hand(session)
    assert bring("1,A1,Lamp,40,2026-01-12 10:00,5.00,7").errors == {}
    assert on_hand(session) == before
    assert demand(session) == {"01-12": 40, "02-16": 5}
    assert ledger_check.faults(session) == {}


def test_going_on_refuses_to_go_below_zero_with_the_figures(session, bring):
    a_product(session, 1, sku="A1", stock_at=BEFORE)
    with pytest.raises(ImportStopped, match="A1: 2 sold, 1 missing"):
        bring(SALE)
    assert on_hand(session) == 1


def test_a_counted_correction_is_booked_first_and_reported_where_the_user_chose_it(session, bring):
    a_product(session, 1, sku="A1", stock_at=datetime(2026, 2, 1, tzinfo=UTC))
    outcome = bring(SALE, counted_corrections=True)
    assert moved(session) == [("opening", 1, "02-01"), ("count", 1, "02-02"), ("sale", -2, "02-02")]
    assert outcome.issues[["kind", "rule"]].values.tolist() == [["note", "counted_correction"]]
    assert demand(session) == {"02-02": 2}


def test_one_file_may_go_on_with_one_product_and_begin_another(session, bring):
    a_product(session, 10, sku="A1", stock_at=BEFORE)
    assert bring(SALE, "2,B2,Vase,3,2026-02-03 10:00,1.00,7").mode == "mixed"
    assert (on_hand(session, "A1"), on_hand(session, "B2")) == (8, 1)


def test_a_known_product_is_found_whatever_the_case(session, bring):
    a_product(session, 10, sku="a1", stock_at=BEFORE)
    assert bring(SALE).new_products == []
    assert on_hand(session, "a1") == 8


def test_days_are_those_of_the_warehouse(session, bring):
    a_warehouse(session, time_zone="America/New_York")
    bring("1,A1,Lamp,2,2026-02-02 23:30,5.00,7")
    sale = session.scalar(select(Movement).where(Movement.reason_code == "sale"))
    assert (sale.day, sale.occurred_at) == (date(2026, 2, 2), datetime(2026, 2, 3, 4, 30, tzinfo=UTC))


def test_lines_may_name_their_warehouse_and_an_unknown_one_is_an_error(session, tmp_path):
    a_warehouse(session, "NORTH")
    a_warehouse(session, "SOUTH")
    path = tmp_path / "a.csv"
    path.write_text(
        "order,sku,qty,date,store\n1,A1,2,2026-02-02,south\n2,A1,2,2026-02-02,\n3,A1,1,2026-02-02,EAST\n"
    )
    outcome = sales.book(session, an_actor(session), table_files.read(path), Options(without_errors=1), NOW)
    assert outcome.errors == {"unknown_warehouse": 1}
    places = session.execute(select(Warehouse.code, StockLevel.quantity).join(StockLevel)).all()
    assert sorted(places) == [("NORTH", 1), ("SOUTH", 1)]


def test_old_days_are_moved_to_end_before_today_and_the_shift_is_kept(session, bring):
    outcome = bring("1,A1,Lamp,2,2011-12-09 10:00,5.00,7", shift_to_today=True)
    kept = session.scalar(select(Import))
    assert outcome.shift_days == kept.shift_days
    assert kept.shift_days % 364 == 0
    assert NOW.date() - timedelta(days=365) <= kept.last_on < NOW.date()
    assert kept.last_on.weekday() == date(2011, 12, 9).weekday()


def test_a_moved_source_keeps_its_shift_and_is_not_imported_unmoved(bring):
    first, more = "1,A1,Lamp,2,2011-12-09 10:00,5.00,7", "2,A1,Lamp,1,2011-12-12 10:00,5.00,7"
    shift = bring(first, shift_to_today=True).shift_days
    later = bring(first, more, shift_to_today=True, now=NOW + timedelta(days=700), counted_corrections=True)
    assert (later.shift_days, later.counts["sales"]) == (shift, 1)
    with pytest.raises(BadInput, match="--shift-to-today"):
        bring(first, more)


def test_only_who_may_import_does(session, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + SALE)
    with pytest.raises(NotAllowed):
        sales.book(session, an_actor(session, "user"), table_files.read(path), Options(), NOW)


def test_what_was_imported_is_in_the_audit_trail(session, bring):
    outcome = bring(SALE)
    line = session.scalar(select(AuditLine).where(AuditLine.action == "imported"))
    assert (line.subject_id, line.after["sales"]) == (str(outcome.import_uid), 1)


def test_a_dialect_nobody_mapped_before(session, tmp_path):
    rows = [
        "Beleg-Nr;Artikel-Nr;Bezeichnung;Menge;Datum;Einzelpreis;Kunde;Bemerkung",
        "R-1;K-01;Käse, jung;1.250,5;05.01.2026 08:15;12,50;Müller & Söhne;",
        "R-2;K-02;Öl;-0,25;06.01.2026;7,00;;zurück",
    ]
    path = tmp_path / "Umsätze.csv"
    path.write_bytes("\r\n".join(rows).encode("utf-16"))
    a_warehouse(session, time_zone="Europe/Berlin")
    outcome = sales.book(session, an_actor(session), table_files.read(path), Options(), NOW)
    assert outcome.facts == {
        "format": "csv", "encoding": "utf-16", "delimiter": ";", "decimal": ",", "dates": "dmy",
    }  # fmt: skip
    lines = session.execute(
        select(Product.name, Movement.change, Movement.unit_price, Movement.customer, Movement.occurred_at)
        .join(Product, Product.id == Movement.product_id)
        .where(Movement.reason_code.in_(("sale", "return")))
        .order_by(Movement.id)
    ).all()
    assert lines == [
        (
            "Käse, jung",
            Decimal("-1250.5"),
            Decimal("12.5"),
            "Müller & Söhne",
            datetime(2026, 1, 5, 7, 15, tzinfo=UTC),
        ),
        ("K-02", Decimal("0.25"), Decimal(7), None, datetime(2026, 1, 5, 23, tzinfo=UTC)),
    ]


def test_a_workbook_is_imported_like_a_text_file(session, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Order ID", "SKU", "Qty", "Order date", "Price"])
    book.active.append([1001, 4711.0, 2, datetime(2026, 2, 2, 10), 9.99])  # noqa: DTZ001
    path = tmp_path / "a.xlsx"
    book.save(path)
    sales.book(session, an_actor(session), table_files.read(path), Options(), NOW)
    assert moved(session, "4711") == [("reconstructed", 3, "02-02"), ("sale", -2, "02-02")]


@pytest.mark.parametrize("case", [name for name in HOSTILE if "MB" not in name and "65" not in name])
def test_a_hostile_file_leaves_no_trace(case: str, session, tmp_path):
    name, make, _ = HOSTILE[case]
    path = tmp_path / name
    path.write_bytes(make())
    actor, before = an_actor(session), counted(session)
    with pytest.raises(RunoutError):
        sales.book(session, actor, table_files.read(path), Options(), NOW)
    assert counted(session) == before


def test_a_source_or_file_of_any_name_is_imported_or_refused(session, tmp_path):
    actor = an_actor(session)
    path = tmp_path / os.fsdecode(b"\xff\x1b[31m.csv")  # no UTF-8, and a colour for the terminal
    path.write_text(HEADER + "1,A1,Lamp,2,2026-02-02 10:00,5.00,7\n", encoding="utf-8")
    file = table_files.read(path)
    for source in ("", "  ", "a\0", "a\udcff", "x" * 10_000):
        with pytest.raises(BadInput, match="source"):
            sales.book(session, actor, file, Options(source=source), NOW)
    assert sales.book(session, actor, file, Options(), NOW).applied


def test_what_a_line_says_reaches_no_terminal_as_a_command(bring):
    outcome = bring('1,A1,Lamp,"two\n\\.\n\x1b[2J",2026-02-02 10:00,5.00,7', dry=True)
    (value,) = outcome.issues["value"]
    assert value.isprintable()


def test_the_command_settles_where_its_report_goes_before_it_books(session, tmp_path, capsys):
    a_warehouse(session)
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + "1,A1,Lamp,2,2026-02-02 10:00,5.00,7\n", encoding="utf-8")
    for arguments in (
        [str(path), str(path), "--report", str(tmp_path / "report.csv")],
        [str(path), "--report", str(tmp_path / "nowhere" / "report.csv")],
        [str(path), "--report", str(tmp_path)],
        [str(path), "--delimiter", "ab"],
        [str(path), "--encoding", "hex"],
        [str(path), "--date-format", "%Q"],
    ):
        assert run(*arguments) == 1
        assert "Traceback" not in capsys.readouterr().out
    assert session.scalar(select(func.count()).select_from(Movement)) == 0


def test_the_report_is_safe_to_open_in_a_spreadsheet(bring):
    outcome = bring(SALE, "2,A1,Lamp,\"=cmd|'/c calc'!A1\",2026-02-02,5.00,7", dry=True)
    row = next(csv.DictReader(sales.report(outcome).splitlines()))
    assert row["value"] == "'=cmd|'/c calc'!A1"
    assert (row["line_number"], row["field"], row["rule"]) == ("3", "quantity", "not_a_number")


def test_level_is_the_sum_of_movements_and_of_the_roll_up_after_many_lines(session, bring):
    lines = []
    for n in range(1, 400):
        quantity = -(n % 5) if n % 11 == 0 else n % 9 + 1
        at = f"2026-0{1 + n % 2}-{1 + n % 28:02d} 1{n % 10}:00"
        lines.append(f"{n},S{n % 7},Thing {n % 7},{quantity},{at},2.50,{n % 3}")
    bring(*lines)
    wrong = session.scalar(
        text("""
            SELECT count(*) FROM stock_level AS l
            WHERE l.quantity <> (SELECT sum(change) FROM movement AS m WHERE m.product_id = l.product_id)
               OR l.quantity <> (SELECT closing FROM stock_day AS s WHERE s.product_id = l.product_id
                                 ORDER BY day DESC LIMIT 1)
        """)
    )
    assert wrong == 0
    assert session.scalar(select(func.min(StockDay.closing))) >= 0


@pytest.mark.usefixtures("clone")
def test_two_imports_of_one_file_at_once_have_the_effect_of_one(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + "\n".join(SALE.replace("1,", f"{n},", 1) for n in range(50)) + "\n")
    file = table_files.read(path)
    with transaction() as session:
        actor = an_actor(session)

    def bring_in(_: int) -> bool:
        try:
            with transaction() as session:
                return sales.book(session, actor, file, Options(), NOW).applied
        except RuleBroken:  # another import is under way
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(bring_in, range(3))) == [False, False, True]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportLine)) == 50
        assert on_hand(session) == 1


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    import_sales.add_arguments(parser)
    return import_sales.main(parser.parse_args(arguments))


def test_the_command_reports_imports_and_finds_nothing_to_do_the_second_time(session, tmp_path, capsys):
    path, report = tmp_path / "sales.csv", tmp_path / "report.csv"
    path.write_text(HEADER + SALE + "\n2,POST,Postage,1,2026-02-02,3.00,7\n")
    assert run(str(path), "--dry-run", "--report", str(report)) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert "non_product_code" in report.read_text()
    assert run(str(path)) == 0
    assert on_hand(session) == 1
    assert run(str(path)) == 0
    assert "Nothing to do" in capsys.readouterr().out


@pytest.mark.usefixtures("session")
def test_the_command_ends_with_1_and_one_sentence_when_the_file_is_refused(tmp_path, capsys):
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + SALE.replace("2026-02-02", "2026-02-31"))
    assert run(str(path)) == 1
    assert "not a date" in capsys.readouterr().out.replace("\n", " ")
    assert run(str(path), "--map", "quantity=Weight") == 1
    assert "no column 'Weight'" in capsys.readouterr().out.replace("\n", " ")


def test_options_of_the_command_reach_the_import(session, tmp_path):
    the_warehouse(session)
    path = tmp_path / "sales.csv"
    path.write_text("Doc;What;Number;When\n1;A1;1.234;03/04/2025\n")
    columns = ("document=Doc", "code=What", "quantity=Number", "moment=When")
    mapped = [word for column in columns for word in ("--map", column)]
    assert run(str(path), *mapped, "--decimal", ",", "--date-format", "mdy") == 0
    assert moved(session)[-1] == ("sale", -1234, "03-04")
    kept = session.scalar(select(Import))
    assert kept.column_map == {"document": "Doc", "code": "What", "quantity": "Number", "moment": "When"}
    assert Choices(**kept.options["choices"]).decimal == ","
