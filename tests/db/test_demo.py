"""The demo shop: the same from the same seed, physically possible, and with the stories it promises."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from stdnum import ean

from db import demo
from db.demo import catalogue, demand
from db.models import Movement, Person, Posting, Product, Shop, StockLevel
from db.roles import SetupError
from db.session import reading, transaction

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def shop() -> demo.DemoShop:
    return demo.frames(TODAY)


def lines_of(shop: demo.DemoShop, story: str) -> pd.DataFrame:
    return shop.movements[shop.movements.sku == shop.specials[story]]


def demand_by_day(shop: demo.DemoShop, story: str) -> pd.Series:
    """Sales per calendar day, oldest first, from the first line to yesterday."""
    lines = lines_of(shop, story)
    sold = -lines[lines.reason_code == "sale"].groupby("day").change.sum()
    return sold.reindex(
        [day.date() for day in pd.date_range(lines.day.min(), shop.today - timedelta(1))]
    ).fillna(0)


def test_the_same_seed_makes_the_same_shop_and_another_one_another(shop):
    again, other = demo.frames(TODAY), demo.frames(TODAY, seed=7)
    for name in ("products", "barcodes", "vendor_prices", "movements", "orders"):
        pd.testing.assert_frame_equal(getattr(shop, name), getattr(again, name))
    assert shop.specials == again.specials
    assert len(other.movements) != len(shop.movements)


def test_there_are_about_300_products_with_unique_skus_and_prices_above_cost(shop):
    products = shop.products
    assert 280 <= len(products) <= 320
    assert products.sku.is_unique
    assert products.name.is_unique
    assert (products.unit_price > products.unit_cost).all()
    assert (products.reorder_threshold > 0).all()


def test_barcodes_are_valid_and_some_are_of_packs_and_of_cases(shop):
    codes = shop.barcodes
    assert codes.code.is_unique
    assert all(ean.is_valid(code) for code in codes.code)
    assert set(codes.pack_factor) == {1, 6, 12, 24}
    assert set(codes[codes.code.str.len() == 14].pack_factor) == {24}
    assert set(codes.code.str.len()) == {13, 14}


def test_about_a_dozen_products_have_no_code_yet(shop):
    without = set(shop.products.sku) - set(shop.barcodes.sku)
    assert 10 <= len(without) <= 14
    assert not without & set(shop.specials.values())


def test_the_check_digit_is_that_of_a_known_code():
    assert catalogue.gtin("400638133393") == "4006381333931"
    assert catalogue.gtin("1003600029145") == "10036000291459"


def test_prices_of_the_two_vendors_of_a_product_cross(shop):
    usual = shop.products.set_index("sku").vendor
    prices = shop.vendor_prices.assign(is_usual=lambda p: p.vendor == p.sku.map(usual))
    assert prices.vendor.nunique() == 6

    def best(quantity: int, is_usual: bool) -> pd.Series:
        steps = prices[(prices.minimum_quantity <= quantity) & (prices.is_usual == is_usual)]
        return steps.groupby("sku").unit_price.min()

    assert (best(1, True) < best(1, False)).all()
    assert (best(100, True) > best(100, False)).mean() > 0.99  # a cent apart may be the same


def test_no_shelf_ever_goes_below_zero(shop):
    assert shop.movements.groupby(["sku", "warehouse"]).change.cumsum().min() == 0


def test_dates_lie_within_400_days_and_nothing_happens_today_or_on_a_sunday(shop):
    lines = shop.movements
    assert lines.occurred_at.is_monotonic_increasing
    assert lines.day.min() >= TODAY - timedelta(days=demand.DAYS)
    assert lines.day.max() < TODAY
    assert not any(day.weekday() == 6 for day in lines.day.unique())
    local = lines.occurred_at.dt.tz_convert(catalogue.SHOP["time_zone"]).dt.date
    assert (local == lines.day).all()


def test_a_week_has_its_pattern_and_a_year_its_seasons(shop):
    sold = shop.movements[shop.movements.reason_code == "sale"]
    by_weekday = sold.groupby([day.weekday() for day in sold.day]).size()
    assert by_weekday[5] < 0.7 * by_weekday[0]
    winter, summer = (demand_by_day(shop, story) for story in ("winter", "summer"))
    cold, warm = (
        np.array([day.month in months for day in winter.index]) for months in ((12, 1, 2), (6, 7, 8))
    )
    assert winter[cold].sum() > 5 * winter[warm].sum()
    assert summer[warm].sum() > 3 * summer[cold].sum()


def test_both_legs_of_a_transfer_name_each_other_and_cancel(shop):
    lines = shop.movements
    legs = lines[lines.type == "transfer"]
    other = lines.loc[legs.counterpart_line.astype(int)]
    assert (other.counterpart_line.astype(int).to_numpy() == legs.index).all()
    assert (other.change.to_numpy() == -legs.change.to_numpy()).all()
    assert (other.warehouse.to_numpy() != legs.warehouse.to_numpy()).all()


def test_a_return_names_an_earlier_sale_of_the_same_product_and_is_no_larger(shop):
    lines = shop.movements
    back = lines[lines.reason_code == "return"]
    sale = lines.loc[back.returns_line.astype(int)]
    assert len(back) > 100
    assert (sale.reason_code == "sale").all()
    assert (sale.index < back.index).all()
    assert (sale.sku.to_numpy() == back.sku.to_numpy()).all()
    assert (back.change.to_numpy() <= -sale.change.to_numpy()).all()


def test_one_vendor_is_late_and_the_others_keep_their_word(shop):
    came = shop.orders
    days_late = (pd.to_datetime(came.arrived_on) - pd.to_datetime(came.due_on)).dt.days
    late = days_late.groupby(came.vendor).median()
    assert late.idxmax() == catalogue.LATE_VENDOR
    assert late.max() >= 5
    assert late.drop(catalogue.LATE_VENDOR).max() <= 2


def test_receipts_carry_the_number_of_their_order_and_vendor(shop):
    receipts = shop.movements[shop.movements.reason_code == "receipt"]
    assert len(receipts) == len(shop.orders)
    assert set(zip(receipts.reference_id, receipts.reason, receipts.sku, strict=True)) == set(
        zip(shop.orders.number, shop.orders.vendor, shop.orders.sku, strict=True)
    )


@pytest.mark.parametrize("today", [TODAY, date(2024, 3, 1), date(2025, 12, 29)])
def test_every_story_is_told_whatever_the_day(today):
    shop = demo.frames(today)
    assert set(shop.specials) == set(demand.SPECIALS)

    assert (today - lines_of(shop, "new").day.min()).days in (19, 20)

    dead = lines_of(shop, "dead")
    last_sale = dead[dead.reason_code == "sale"].day.max()
    assert (today - last_sale).days > 180
    assert dead.change.sum() > 0

    gap = lines_of(shop, "gap").groupby("day").change.sum().cumsum()
    gap = gap.reindex([d.date() for d in pd.date_range(gap.index[0], today - timedelta(1))]).ffill()
    assert 15 <= (gap.loc[today - timedelta(days=110) : today - timedelta(days=60)] == 0).sum() <= 32

    outlier = -lines_of(shop, "outlier").query("reason_code == 'sale'").change
    assert outlier.max() == demand.OUTLIER_QUANTITY
    assert outlier.max() > 8 * outlier.nlargest(2).iloc[1]

    wrong = shop.orders[shop.orders.sku == shop.specials["typing_error"]]
    booked = lines_of(shop, "typing_error").query("reason_code == 'receipt'").set_index("reference_id").change
    factors = booked.loc[wrong.number].to_numpy() / wrong.quantity.to_numpy()
    assert sorted(factors)[-2:] == [1, 12]

    steady, rare = demand_by_day(shop, "growing"), demand_by_day(shop, "intermittent")
    assert steady[-150:].sum() > 1.2 * steady[:150].sum()
    assert (rare > 0).mean() < 0.2


def test_some_products_are_out_and_some_have_far_too_much(shop):
    left = shop.movements.groupby("sku").change.sum()
    sold = shop.movements[
        (shop.movements.reason_code == "sale") & (shop.movements.day >= TODAY - timedelta(90))
    ]
    sold = -sold.groupby("sku").change.sum().reindex(left.index, fill_value=0)
    assert 0.02 <= ((left == 0) & (sold > 0)).mean() <= 0.08
    assert 0.05 <= (left > 2 * sold).mean() <= 0.2
    assert ((left > 0) & (left < sold / 90 * 7)).mean() >= 0.03


# `clone` is a fresh, migrated database that all doors use.
@pytest.mark.usefixtures("clone")
def test_the_shop_goes_into_an_empty_database_once_and_the_books_agree(monkeypatch):
    monkeypatch.setattr("db.demo.loading.BCRYPT_ROUNDS", 4)
    shares = []
    with transaction(seconds=600) as session:
        shop = demo.load(session, TODAY, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    with reading() as session:
        assert session.get(Shop, 1).is_demo
        assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == len(shop.products)
        assert session.scalar(sa.select(sa.func.count()).select_from(Movement)) == len(shop.movements)
        accounts = session.execute(sa.select(Person.email, Person.role).where(Person.is_demo)).all()
        assert {email: f"{role}123" for email, role in accounts} == demo.PASSWORDS
        levels = session.scalar(sa.select(sa.func.sum(StockLevel.quantity)))
        assert levels == int(shop.movements.change.sum())
        unnamed = sa.select(sa.func.count()).where(
            Movement.reason_code == "return", Movement.returns_id.is_(None)
        )
        assert session.scalar(unnamed) == 0
        bookers = sa.select(sa.func.count(Posting.actor_id.distinct()))
        assert session.scalar(bookers) == 3
    orders_agree_with_the_ledger()
    with pytest.raises(SetupError, match="empty database"), transaction() as session:
        demo.load(session, TODAY)


def orders_agree_with_the_ledger() -> None:
    """What orders received is what came in, and what is open of them is on its way."""
    with reading() as session:
        apart = session.execute(
            sa.text(
                "SELECT o.number, sum(l.received), (SELECT sum(change) FROM movement"
                " WHERE reference_type = 'purchase order' AND reference_id = o.number)"
                " FROM purchase_order AS o JOIN purchase_order_line AS l ON l.order_id = o.id"
                " GROUP BY o.id HAVING sum(l.received) <> coalesce((SELECT sum(change) FROM movement"
                " WHERE reference_type = 'purchase order' AND reference_id = o.number), 0)"
            )
        ).all()
        waiting = session.execute(
            sa.text(
                "SELECT l.id FROM purchase_order_line AS l JOIN purchase_order AS o ON o.id = l.order_id"
                " LEFT JOIN expected_receipt AS e ON e.order_line_id = l.id"
                " WHERE o.state IN ('sent', 'partly_received')"
                " AND greatest(l.quantity - l.received, 0) <> coalesce(e.quantity, 0)"
            )
        ).all()
    assert (apart, waiting) == ([], [])


def test_orders_are_numbered_by_year_without_a_gap(shop):
    numbers = pd.Series(sorted({*shop.orders.number, *shop.coming.number}))
    for _, of_year in numbers.groupby(numbers.str[3:7]):
        assert of_year.str[8:].astype(int).tolist() == list(range(1, len(of_year) + 1))


def test_some_orders_are_on_their_way_and_one_of_them_is_late(shop):
    assert (shop.coming.due_on < TODAY).any()
    assert (shop.coming.due_on > TODAY).any()
    assert set(shop.coming.number) & set(shop.orders.number), "none came in part"


def test_a_handful_of_recent_lines_are_mistyped_and_no_story_is_told_with_them(shop):
    slips, lines = shop.slips, shop.movements
    assert slips.kind.tolist() == ["price", "ten", "twice", "swapped", "price", "ten"]
    wrong = lines.loc[slips.line]
    assert not set(wrong.sku) & set(shop.specials.values())
    assert (wrong.day >= TODAY - timedelta(days=25)).all()
    by_kind = dict(tuple(slips.assign(change=wrong.change.to_numpy()).groupby("kind")))
    assert (by_kind["ten"].change == -10 * by_kind["ten"].was).all()
    assert [str(-n)[::-1] for n in by_kind["swapped"].change] == [f"{n:.0f}" for n in by_kind["swapped"].was]
    second = by_kind["twice"].line.iloc[0]
    same = ["sku", "change", "unit_price", "reference_id", "customer", "warehouse"]
    assert lines.loc[second, same].equals(lines.loc[second - 1, same])
