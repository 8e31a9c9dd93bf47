"""A vendor's price list: new prices beside old ones, nothing overwritten, the same file twice is once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from core.buying import offers, price_history
from core.errors import BadInput
from core.imports import import_kinds, price_list
from core.imports.import_fields import guess, options, settled
from core.imports.import_found import Found
from core.imports.import_steps import Step
from core.imports.table_files import CELLS, LINE, TableFile
from db.models import Barcode, VendorOffer
from tests.makers import a_product, a_vendor, an_actor, an_offer

TODAY = date(2026, 11, 21)
TOMORROW = TODAY + timedelta(days=1)
HEADER = "sku,price,from quantity"


@pytest.fixture
def manager(session):
    return an_actor(session, "manager")


@pytest.fixture
def vendor(session):
    return a_vendor(session, name="Nord", lead_time_days=9)


@pytest.fixture
def tea(session):
    return a_product(session, sku="TEA", name="Green tea")


@pytest.fixture
def mug(session):
    return a_product(session, sku="MUG", name="Mug")


def a_file(header: str, *lines: str) -> TableFile:
    headers = tuple(header.split(","))
    rows = [line.split(",") for line in lines]
    frame = pd.DataFrame([row[: len(headers)] for row in rows], columns=list(headers), dtype=object)
    frame[LINE], frame[CELLS] = range(2, len(rows) + 2), [len(row) for row in rows]
    return TableFile("prices.csv", "00" * 32, headers, frame, {"format": "csv"})


def look(session, whose, file: TableFile, **chosen) -> price_list.Plan:
    mapping = guess("prices", file.headers)
    about = {"vendor": str(whose.uid) if whose else None} | chosen
    return price_list.plan(session, file, mapping, options("prices", about), TODAY)


def bring(session, manager, vendor, file: TableFile, **chosen) -> Found:
    plan = look(session, vendor, file, **chosen)
    price_list.book(session, plan, import_id=None, actor=manager)
    return plan.found


def asked(session, product, day=TODAY):
    (offer,) = offers.current(session, [product.id], day)
    return offer


def steps(session, product, day=TODAY):
    return {float(least): float(price) for least, price in asked(session, product, day).steps}


def said(found: Found, kind: str) -> list[tuple]:
    chosen = found.issues[found.issues["kind"] == kind]
    rows = chosen[["line_number", "field", "message"]].astype(object).itertuples(index=False)
    return [tuple(None if pd.isna(value) else value for value in row) for row in rows]


def does(found: Found) -> dict[str, int]:
    return {words: count for words, count in found.counts.items() if count}


# -- What it does --------------------------------------------------------------------------------------------


def test_several_lines_of_a_product_are_its_steps(session, manager, vendor, tea, mug):
    found = bring(
        session, manager, vendor,
        a_file(HEADER, "TEA,1.90,50", "mug,3.80,", "TEA,2.10,1"),
    )  # fmt: skip
    assert steps(session, tea) == {1: 2.1, 50: 1.9}
    assert steps(session, mug) == {1: 3.8}
    assert asked(session, tea).lead_time_days == 9
    assert does(found) == {"lines read": 3, "prices to add": 2}
    assert [(row["line"], row["field"], row["after"], row["change"]) for row in found.preview] == [
        (4, "Price", "2.1", "new"), (2, "Price from 50", "1.9", "new"), (3, "Price", "3.8", "new"),
    ]  # fmt: skip


def test_what_changed_becomes_a_newer_offer_and_the_old_one_stays(session, manager, vendor, tea, mug):
    an_offer(session, tea, vendor, prices={1: 2, 100: "1.50"})
    an_offer(session, mug, vendor, prices={1: 4})
    found = bring(session, manager, vendor, a_file(HEADER, "TEA,2.10,1", "TEA,1.95,50", "MUG,3,1"))
    assert steps(session, tea) == {1: 2.1, 50: 1.95}
    assert len(price_history.of(session, TODAY, product_id=tea.id)["offer_uid"].unique()) == 2
    assert does(found) == {"lines read": 3, "prices to change": 2, "prices up": 1, "prices down": 1}
    assert [(row["field"], row["before"], row["after"], row["change"]) for row in found.preview] == [
        ("Price", "2", "2.1", "+5.0 %"),
        ("Price from 50", None, "1.95", ""),
        ("Price from 100", "1.5", "none", ""),
        ("Price", "4", "3", "-25.0 %"),
    ]
    assert said(found, "change") == [
        (2, "unit_price", "was 2 (+5.0 %)"),
        (3, "unit_price", "empty before, from 50"),
        (3, "unit_price", "was 1.5, from 100"),
        (4, "unit_price", "was 4 (-25.0 %)"),
    ]


@pytest.mark.usefixtures("tea")
def test_the_same_list_again_writes_nothing(session, manager, vendor):
    file = a_file("sku,price,from quantity,moq,lead time", "TEA,2.10,1,5,3", "TEA,1.90,50,,")
    bring(session, manager, vendor, file)
    found = bring(session, manager, vendor, file)
    assert does(found) == {"lines read": 2, "lines skipped": 2}
    assert said(found, "skipped") == [
        (2, None, "the vendor asks this already"), (3, None, "the vendor asks this already"),
    ]  # fmt: skip
    assert session.scalar(sa.select(sa.func.count()).select_from(VendorOffer)) == 1


def test_terms_stand_once_and_what_a_file_does_not_speak_of_stays(session, manager, vendor, tea):
    an_offer(
        session, tea, vendor, prices={1: 2}, lead_time_days=4, minimum_order_quantity=10, order_multiple=5,
        vendor_sku="V-9", valid_until=TODAY,
    )  # fmt: skip
    found = bring(session, manager, vendor, a_file("sku,price,moq,lead time", "TEA,2,,"))
    offer = asked(session, tea)
    assert (offer.minimum_order_quantity, offer.order_multiple) == (None, 5)
    assert (offer.lead_time_days, offer.vendor_sku, offer.valid_until) == (4, "V-9", None)
    assert does(found) == {"lines read": 1, "terms to change": 1}
    assert [(row["field"], row["before"], row["after"]) for row in found.preview] == [
        ("minimum_order_quantity", "10", "none"), ("valid_until", TODAY.isoformat(), "none"),
    ]  # fmt: skip


def test_all_columns_are_read(session, manager, vendor, tea):
    bring(
        session, manager, vendor,
        a_file(
            "Article,Preis,PE,ab Menge,MOQ,VPE,Lieferzeit,gültig ab,gültig bis,Currency,Supplier SKU,EAN",
            "TEA,€ 210.00,100,10,20,10,3,2026-12-01,31.12.2026,eur,N-1,",
        ),
    )  # fmt: skip
    (offer,) = offers.upcoming(session, [tea.id], TODAY)
    assert offer.steps == ((10, Decimal("2.1")),)
    assert (offer.minimum_order_quantity, offer.order_multiple, offer.lead_time_days) == (20, 10, 3)
    assert (offer.valid_from, offer.valid_until) == (date(2026, 12, 1), date(2026, 12, 31))
    assert offer.vendor_sku == "N-1"


def test_prices_of_two_days_in_one_file_are_two_offers_and_each_is_held_against_the_one_before(
    session, manager, vendor, tea
):
    an_offer(session, tea, vendor, prices={1: 2}, lead_time_days=9)
    file = a_file("sku,price,valid from", "TEA,2,2026-12-01", "TEA,3,2026-11-25")
    found = bring(session, manager, vendor, file)
    assert does(found) == {"lines read": 2, "prices to change": 2, "prices up": 1, "prices down": 1}
    assert [steps(session, tea, day)[1] for day in (TODAY, date(2026, 11, 30), date(2026, 12, 1))] == [
        2,
        3,
        2,
    ]
    assert does(bring(session, manager, vendor, file)) == {"lines read": 2, "lines skipped": 2}


def test_the_day_on_screen_counts_where_a_line_names_none(session, manager, vendor, tea):
    bring(session, manager, vendor, a_file("sku,price", "TEA,2"), valid_from=TOMORROW.isoformat())
    assert offers.current(session, [tea.id], TODAY) == []
    assert steps(session, tea, TOMORROW) == {1: 2}
    with pytest.raises(BadInput, match="more than two years ahead"):
        look(session, vendor, a_file("sku,price", "TEA,2"), valid_from="2036-01-01")


def test_a_price_corrected_for_the_same_day_counts_and_both_are_kept(session, manager, vendor, tea):
    for price in ("2", "3"):
        bring(session, manager, vendor, a_file("sku,price", f"TEA,{price}"))
    assert steps(session, tea) == {1: 3}
    assert list(price_history.of(session, TODAY, product_id=tea.id)["state"]) == ["current", "corrected"]


# -- Whose and which -----------------------------------------------------------------------------------------


def test_products_are_found_by_barcode_and_by_the_vendors_number_too(session, manager, vendor, tea, mug):
    session.add(Barcode(product_id=tea.id, code="4006381333931"))
    session.add(Barcode(product_id=tea.id, code="4006381333948", pack_factor=10))
    an_offer(session, mug, vendor, vendor_sku="N-7")
    session.flush()
    found = bring(
        session, manager, vendor,
        a_file("barcode,supplier sku,price", "4006381333931,,2", ",n-7,3", "4006381333948,,20", ",N-8,1"),
    )  # fmt: skip
    assert (steps(session, tea), steps(session, mug)) == ({1: 2}, {1: 3})
    assert [line for line, _, _ in said(found, "skipped")] == [4, 5]


@pytest.mark.usefixtures("tea")
def test_what_the_shop_does_not_sell_is_skipped_whatever_is_wrong_with_it(session, manager, vendor):
    a_product(session, sku="OLD", is_active=False)
    found = bring(session, manager, vendor, a_file("sku,price", "X,", "Y,abc", "OLD,1", "TEA,2", "Section,"))
    assert does(found) == {"lines read": 5, "prices to add": 1, "lines skipped": 4}
    assert found.by_rule("skipped") == {"not_known": 3, "not_sold": 1}


@pytest.mark.usefixtures("vendor")
def test_a_file_may_be_of_several_vendors(session, manager, tea):
    other = a_vendor(session, name="Süd", lead_time_days=2)
    closed = a_vendor(session, name="Zu", is_active=False)
    file = a_file(
        "vendor,sku,price", "Nord,TEA,2", "süd,TEA,3", ",TEA,4", "Who,TEA,5", f"{closed.name},TEA,6"
    )
    found = bring(session, manager, None, file)
    assert [(o.vendor.name, o.steps[0][1]) for o in offers.current(session, [tea.id], TODAY)] == [
        ("Nord", 2), ("Süd", 3),
    ]  # fmt: skip
    assert [message.split(":")[0] for _, _, message in said(found, "error")] == [
        "there is no vendor", "there is no vendor 'Who'", "Zu is deactivated",
    ]  # fmt: skip
    assert [o.lead_time_days for o in offers.of_vendor(session, other.id, TODAY)] == [2]


@pytest.mark.usefixtures("tea")
def test_without_a_vendor_nothing_is_looked_at(session, vendor):
    file = a_file("sku,price", "TEA,2")
    with pytest.raises(BadInput, match="Choose the vendor whose prices these are"):
        look(session, None, file)
    with pytest.raises(BadInput, match="no such vendor any more"):
        look(session, None, file, vendor="not an id")
    vendor.is_active = False
    with pytest.raises(BadInput, match="Nord is deactivated"):
        look(session, vendor, file)


def test_a_file_needs_a_column_that_names_the_product():
    with pytest.raises(BadInput, match="holds the SKU, the Vendor's SKU or the Barcode"):
        settled("prices", {"unit_price": "price"}, ["price"])
    assert settled("prices", {"unit_price": "p", "barcode": "b"}, ["p", "b"])
    with pytest.raises(BadInput, match="is not a day"):
        options("prices", {"valid_from": "soon"})


# -- What is wrong -------------------------------------------------------------------------------------------

WIDE = "sku,price,price unit,from quantity,moq,multiple,lead time,valid from,valid until,currency"


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("TEA,abc,,,,,,,,", "unit_price", "'abc' is not a number."),
        ("TEA,,,,,,,,,", "unit_price", "there is no price"),
        ("TEA,0,,,,,,,,", "unit_price", "0 is no price"),
        ("TEA,-1,,,,,,,,", "unit_price", "-1 is not between 0"),
        ("TEA,1e400,,,,,,,,", "unit_price", "'1e400' is not a number."),
        ("TEA,NaN,,,,,,,,", "unit_price", "'NaN' is not a number."),
        ("TEA,=1+1,,,,,,,,", "unit_price", "'=1+1' is not a number."),
        ("TEA,99999999999999,,,,,,,,", "unit_price", "is not a quantity Runout can keep"),
        ("TEA,0.001,1000,,,,,,,", "unit_price", "is less than 0.0001 a piece"),
        ("TEA,9999999999,0.01,,,,,,,", "unit_price", "is not a quantity Runout can keep"),
        ("TEA,9999999999,0.2,,,,,,,", "unit_price", "is not between 0 and 10,000,000,000"),
        ("TEA,1,0,,,,,,,", "price_unit", "0 is not above zero."),
        ("TEA,1,,-5,,,,,,", "minimum_quantity", "-5 is not above zero."),
        ("TEA,1,,999999999999999,,,,,,", "minimum_quantity", "is not a quantity Runout can keep"),
        ("TEA,1,,1.23456,,,,,,", "minimum_quantity", "'1.23456' is not a number with at most 4 decimals."),
        ("TEA,1,,,-1,,,,,", "minimum_order_quantity", "-1 is below zero."),
        ("TEA,1,,,,x,,,,", "order_multiple", "'x' is not a number"),
        ("TEA,1,,,,,400,,,", "lead_time_days", "400 is not a whole number of days from 0 to 365."),
        ("TEA,1,,,,,,2026-02-30,,", "valid_from", "'2026-02-30' is not a date (ymd)."),
        ("TEA,1,,,,,,2036-01-01,,", "valid_from", "2036-01-01 lies more than two years ahead."),
        ("TEA,1,,,,,,,2026-11-01,", "valid_until", "2026-11-01 lies before the first day, 2026-11-21."),
        ("TEA,1,,,,,,,,USD", "currency", "the prices of Nord are in EUR: this is another currency"),
        ("TEA,1,,,,,,,,Taler", "currency", "'Taler' is none of ISO 4217"),
        (",1,,,,,,,,", "sku", "there is no number of the product"),
        ("TEA,1,,,,,,,,,more", None, "more cells than the 10 columns of the header"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("tea", "mug")
def test_a_wrong_line_says_which_cell_and_what_to_do(session, vendor, line, field, message):
    found = look(session, vendor, a_file(WIDE, "MUG,3,,,,,,,,", line)).found
    ((number, about, says),) = said(found, "error")
    assert (number, about) == (3, field)
    assert message in says
    assert found.counts["prices to add"] == 1


def test_an_offer_is_taken_whole_or_not_at_all(session, manager, vendor, tea, mug):
    found = bring(
        session, manager, vendor, a_file(HEADER, "TEA,2,1", "TEA,oops,50", "TEA,1.8,100", "MUG,3,1")
    )
    assert offers.current(session, [tea.id], TODAY) == []
    assert steps(session, mug) == {1: 3}
    assert found.error_lines == found.counts["lines with errors"] == 3
    assert said(found, "error")[0] == (2, None, "row 3 of TEA has an error: an offer is taken whole")


@pytest.mark.parametrize(
    ("second", "field", "message"),
    [
        ("TEA,3,,1,,,,,,", "unit_price", "row 2 has another price from the same quantity on"),
        ("TEA,1,,50,,,8,,,", "lead_time_days", "row 2 of the same product says 7"),
        ("TEA,1,,50,6,,,,,", "minimum_order_quantity", "row 2 of the same product says 5"),
    ],
)
@pytest.mark.usefixtures("tea")
def test_lines_of_an_offer_that_do_not_go_together_are_errors(session, vendor, second, field, message):
    found = look(session, vendor, a_file(WIDE, "TEA,2,,1,5,,7,,,", second)).found
    errors = said(found, "error")
    assert [line for line, _, _ in errors] == [2, 3]
    assert errors[1][1] == field
    assert message in errors[1][2]


def test_a_step_said_twice_counts_once(session, manager, vendor, tea):
    found = bring(session, manager, vendor, a_file(HEADER, "TEA,2,1", "TEA,2.00,"))
    assert steps(session, tea) == {1: 2}
    assert does(found) == {"lines read": 2, "prices to add": 1, "lines skipped": 1}


@pytest.mark.usefixtures("tea")
def test_two_numbers_of_two_products_are_an_error(session, vendor, mug):
    session.add(Barcode(product_id=mug.id, code="4006381333931"))
    session.flush()
    found = look(session, vendor, a_file("sku,barcode,price", "TEA,4006381333931,2")).found
    assert said(found, "error") == [
        (2, "sku", "the SKU says TEA and the barcode says MUG: correct one of them")
    ]


def test_a_number_that_the_vendor_gave_to_two_products_is_an_error(session, vendor, tea, mug):
    an_offer(session, tea, vendor, vendor_sku="N-1")
    an_offer(session, mug, vendor, vendor_sku="N-1")
    found = look(session, vendor, a_file("supplier sku,price", "N-1,2")).found
    assert "Nord offers MUG and TEA under this number" in said(found, "error")[0][2]


@pytest.mark.usefixtures("tea")
def test_without_any_lead_time_a_new_offer_is_an_error(session):
    vendor = a_vendor(session, name="West")
    found = look(session, vendor, a_file("sku,price", "TEA,2")).found
    assert said(found, "error") == [(2, "lead_time_days", "there is no lead time, and West has no usual one")]


def test_a_price_of_another_pack_is_pointed_out(session, vendor, tea):
    an_offer(session, tea, vendor, prices={1: 2})
    found = look(session, vendor, a_file("sku,price", "TEA,200")).found
    assert said(found, "note") == [(2, "unit_price", "was 2: is the new one for another number of pieces?")]
    assert found.counts["notes"] == 1


@pytest.mark.usefixtures("tea")
def test_more_steps_than_can_be_kept_are_an_error(session, vendor):
    found = look(session, vendor, a_file(HEADER, *(f"TEA,{100 - n},{n + 1}" for n in range(60)))).found
    assert "60 price steps of one product" in said(found, "error")[0][2]
    assert found.error_lines == 60


def test_a_decimal_comma_is_found_out_or_asked_for(session, manager, vendor, tea):
    comma = a_file("sku,price", "TEA,x")
    comma.frame["price"] = ["1.234,50"]
    bring(session, manager, vendor, comma)
    assert steps(session, tea) == {1: 1234.5}
    with pytest.raises(BadInput, match="can be read in two ways"):
        look(session, vendor, a_file("sku,price", "TEA,1.234"))
    with pytest.raises(BadInput, match="day first or month first"):
        look(session, vendor, a_file("sku,price,valid from", "TEA,1.5,03/04/2026"))


# -- As a job ------------------------------------------------------------------------------------------------


def a_step(manager, vendor, without_errors=None) -> Step:
    return Step(
        import_id=None, uid=vendor.uid, kind="prices", state="applying", file_name="prices.csv",
        mapping={"sku": "sku", "unit_price": "price"}, without_errors=without_errors, actor=manager,
        options=options("prices", {"vendor": str(vendor.uid)}),
    )  # fmt: skip


@pytest.mark.usefixtures("mug")
def test_a_file_with_errors_is_stopped_unless_they_were_agreed_to(session, manager, vendor, tea):
    file, now = a_file("sku,price", "TEA,2", "MUG,x"), datetime.now(UTC)
    with pytest.raises(import_kinds.Stopped) as stopped:
        import_kinds.book(session, file, a_step(manager, vendor), now, str)
    assert stopped.value.found.error_lines == 1
    assert offers.current(session, None, now.date()) == []
    import_kinds.book(session, file, a_step(manager, vendor, 1), now, str)
    assert steps(session, tea, now.date()) == {1: 2}


def test_ten_thousand_lines_take_a_few_statements(session, manager, vendor):
    session.execute(
        sa.text("INSERT INTO product (sku, name) SELECT 'S-' || n, 'N' FROM generate_series(1, 2500) AS n")
    )
    lines = [f"S-{n},{q}.5,{q}" for n in range(1, 2501) for q in (1, 10, 50, 100)]
    file, statements = a_file(HEADER, *lines), []
    listen = event.listens_for(session.connection(), "before_cursor_execute")
    listen(lambda *about: statements.append(about[2]))
    assert does(bring(session, manager, vendor, file)) == {"lines read": 10_000, "prices to add": 2_500}
    assert len(statements) < 20
    assert does(bring(session, manager, vendor, file)) == {"lines read": 10_000, "lines skipped": 10_000}


def test_a_price_that_cannot_be_kept_in_the_shops_money_is_an_error(session, tea):
    far = a_vendor(session, currency="USD", exchange_rate=Decimal(1_000_000), lead_time_days=9)
    found = look(session, far, a_file(HEADER, "TEA,9000000,1")).found
    ((_, about, says),) = said(found, "error")
    assert about == "unit_price"
    assert "exchange rate of 1000000 is not below 10,000,000,000 in the shop's money" in says
    assert tea.sku == "TEA"
