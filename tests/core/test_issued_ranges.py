"""Ranges are promised once a morning, and held against what was booked since."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import issued_ranges, stock
from core.forecast import packing
from core.issued_ranges import NOT_SOLD
from db.models import Forecast, IssuedRange, ModelRun, RunOut, Shop, Warehouse
from tests.makers import a_product, a_warehouse, an_actor, the_warehouse

TODAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def day(number: int) -> date:
    """Day 1 is the day of issue."""
    return TODAY + timedelta(days=number - 1)


def at(number: int) -> datetime:
    return NOON + timedelta(days=number - 1)


def forecast_of(session, product, *, p10=4, p50=6, p90=9, today=TODAY, **about):
    """A forecast and a run-out of today, as a training and the refresh leave them."""
    run = ModelRun(state="published", as_of=today - timedelta(days=1), engine={})
    session.add(run)
    session.flush()
    kept = Forecast(
        model_run_id=run.id, product_id=product.id, is_current=True, as_of=today - timedelta(days=1),
        state="ok", reason="for a test", method="pool", demand_class="smooth", history_days=90,
        demand_days=80, paths=packing.encode([[1.0] * 120]),
    )  # fmt: skip
    session.add(kept)
    session.flush()
    on_hand = sum(level.quantity for level in stock_levels(session, product))
    days = {name: today + timedelta(days=n - 1) if n else None
            for name, n in (("p10_on", p10), ("p50_on", p50), ("p90_on", p90))}  # fmt: skip
    values = {"status": "fine", "chance_14": 0.9, "lead_time_days": 7, "on_hand": on_hand, **days} | about
    said = RunOut(product_id=product.id, forecast_id=kept.id, as_of=today, **values)
    session.add(said)
    session.flush()
    return said


def stock_levels(session, product):
    from db.models import StockLevel

    return session.scalars(
        sa.select(StockLevel)
        .where(StockLevel.product_id == product.id)
        .execution_options(populate_existing=True)
    ).all()


def promised(session, product, *, p10=4, p50=6, p90=9, on_hand=10, issued_on=TODAY, **about):
    """A range that was issued on day 1."""
    values = {"method": "pool", "demand_class": "smooth", "until": issued_on + timedelta(days=119)}
    values |= {"chance_14": 0.9, "on_hand": on_hand, "issued_on": issued_on, **about}
    days = {name: issued_on + timedelta(days=n - 1) if n else None
            for name, n in (("p10_on", p10), ("p50_on", p50), ("p90_on", p90))}  # fmt: skip
    kept = IssuedRange(product_id=product.id, **days, **values)
    session.add(kept)
    session.flush()
    return kept


def stocked(session, quantity=10, **about):
    """A product whose stock came the evening before day 1."""
    return a_product(session, quantity, stock_at=at(0), **about)


def sold(session, product, number, quantity=1, warehouse=None):
    place = warehouse or the_warehouse(session)
    return stock.remove(
        session, an_actor(session), product.id, place.id, quantity, reason_code="sale", occurred_at=at(number)
    )


def came(session, product, number, quantity):
    return stock.add(
        session, an_actor(session), product.id, the_warehouse(session).id, quantity, occurred_at=at(number)
    )


def scored(session, known, product_ids=None):
    """Score in the morning after day `known`."""
    return issued_ranges.score(session, day(known + 1), day(known), product_ids)


def now_of(session, kept):
    session.refresh(kept)
    return kept.state, kept.ran_out_on, kept.why


def all_ranges(session):
    return session.scalars(
        sa.select(IssuedRange).order_by(IssuedRange.product_id, IssuedRange.issued_on)
    ).all()


# -- Issued --------------------------------------------------------------------------------------------------


def test_a_range_is_kept_as_it_is_shown_once_a_day(session):
    product = stocked(session)
    forecast_of(session, product, due=[["2026-06-12", "5"]])
    assert not issued_ranges.is_issued(session, TODAY)
    assert issued_ranges.issue(session, TODAY) == 1
    assert issued_ranges.is_issued(session, TODAY)
    assert issued_ranges.issue(session, TODAY) == 0
    (kept,) = all_ranges(session)
    assert (kept.p10_on, kept.p50_on, kept.p90_on) == (day(4), day(6), day(9))
    assert (kept.on_hand, kept.due, kept.state) == (10, [["2026-06-12", "5"]], "open")
    assert (kept.method, kept.demand_class, kept.until) == ("pool", "smooth", day(120))


@pytest.mark.parametrize(
    ("later", "new_p50", "issued"), [(1, 6, 0), (6, 6, 0), (7, 6, 1), (1, 7, 1), (1, None, 1)]
)
def test_the_same_is_said_again_after_a_week_and_news_at_once(session, later, new_p50, issued):
    product = stocked(session)
    said = forecast_of(session, product)
    issued_ranges.issue(session, TODAY)
    said.as_of = TODAY + timedelta(days=later)
    said.p50_on = day(new_p50) if new_p50 else None
    session.flush()
    assert issued_ranges.issue(session, TODAY + timedelta(days=later)) == issued


@pytest.mark.parametrize(
    "about",
    [{"status": "out"}, {"p10": None, "p50": None, "p90": None}, {"chance_14": None},
     {"as_of": TODAY - timedelta(days=1)}],
    ids=["out", "beyond the horizon", "no forecast", "not of today"],
)  # fmt: skip
def test_nothing_is_promised_where_nothing_is_known(session, about):
    said = forecast_of(session, stocked(session), **{k: v for k, v in about.items() if k != "as_of"})
    said.as_of = about.get("as_of", TODAY)
    session.flush()
    assert issued_ranges.issue(session, TODAY) == 0


def test_nothing_is_promised_of_a_product_that_is_not_sold_any_more_nor_of_one_warehouse(session):
    gone, other = stocked(session), stocked(session)
    forecast_of(session, gone)
    gone.is_active = False
    said = forecast_of(session, other)
    said.warehouse_id = the_warehouse(session).id
    session.flush()
    assert issued_ranges.issue(session, TODAY) == 0


def test_in_an_empty_shop_nothing_happens(session):
    assert issued_ranges.issue(session, TODAY) == 0
    assert scored(session, 5) == {"inside": 0, "early": 0, "late": 0, "void": 0}
    assert issued_ranges.open_products(session) == []


def test_a_range_issued_at_noon_speaks_of_the_stock_of_the_morning(session):
    product = stocked(session)
    sold(session, product, 1, 2)
    forecast_of(session, product)
    issued_ranges.issue(session, TODAY)
    (kept,) = all_ranges(session)
    assert kept.on_hand == 10
    sold(session, product, 4, 8)
    scored(session, 4)
    assert now_of(session, kept) == ("inside", day(4), None)


def test_no_range_is_issued_after_stock_came_or_was_counted_that_morning(session):
    received, counted, moved = stocked(session), stocked(session), stocked(session)
    elsewhere = a_warehouse(session)
    came(session, received, 1, 5)
    stock.adjust(session, an_actor(session), counted.id, the_warehouse(session).id, -1, reason_code="damage",
                 occurred_at=at(1))  # fmt: skip
    stock.transfer(session, an_actor(session), moved.id, the_warehouse(session).id, elsewhere.id, 4,
                   occurred_at=at(1))  # fmt: skip
    for product in (received, counted, moved):
        forecast_of(session, product)
    assert issued_ranges.issue(session, TODAY) == 1
    (kept,) = all_ranges(session)
    assert (kept.product_id, kept.on_hand) == (moved.id, 10)


def test_what_was_promised_more_than_a_year_ago_is_forgotten_once_it_is_decided(session):
    product, long_ago = stocked(session), TODAY - timedelta(days=issued_ranges.KEPT_DAYS + 1)
    states = ("inside", "open", "void")
    for number, state in enumerate(states):
        promised(session, product, issued_on=long_ago - timedelta(days=number), state=state,
                 closed_on=None if state == "open" else long_ago)  # fmt: skip
    promised(session, product, issued_on=long_ago + timedelta(days=1), state="late", closed_on=TODAY)
    assert issued_ranges.forget_old(session, TODAY, most=1) == 1
    assert issued_ranges.forget_old(session, TODAY) == 1
    assert sorted(one.state for one in all_ranges(session)) == ["late", "open"]


# -- Held against what happened ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used_up_on", "state"), [(3, "early"), (4, "inside"), (6, "inside"), (9, "inside"), (10, "late")]
)
def test_the_days_of_both_ends_are_inside(session, used_up_on, state):
    product = stocked(session)
    kept = promised(session, product)
    sold(session, product, used_up_on, 10)
    scored(session, 10)
    expected = None if state == "late" else day(used_up_on)
    assert now_of(session, kept) == (state, expected, None)
    assert kept.closed_on == day(11)


def test_it_stays_open_until_something_is_known(session):
    product = stocked(session)
    kept = promised(session, product)
    sold(session, product, 2, 4)
    scored(session, 8)
    assert now_of(session, kept)[0] == "open"
    scored(session, 9)
    assert now_of(session, kept)[0] == "late"


def test_the_second_run_of_a_night_changes_nothing(session):
    product = stocked(session)
    kept = promised(session, product)
    sold(session, product, 5, 10)
    assert scored(session, 6)["inside"] == 1
    assert scored(session, 6) == {"inside": 0, "early": 0, "late": 0, "void": 0}
    assert kept.closed_on is None
    assert now_of(session, kept) == ("inside", day(5), None)


def test_a_sale_booked_late_counts_while_the_range_is_open_and_not_after(session):
    product = stocked(session)
    kept = promised(session, product)
    came(session, product, 1, 30)
    scored(session, 6)
    assert now_of(session, kept)[0] == "open"
    sold(session, product, 2, 10)  # it happened on day 2, and is booked now
    scored(session, 7)
    assert now_of(session, kept)[:2] == ("early", day(2))
    other = promised(session, product, issued_on=day(2), on_hand=40)
    scored(session, 10)
    assert now_of(session, other)[0] == "late"
    sold(session, product, 8, 30)
    assert scored(session, 11) == {"inside": 0, "early": 0, "late": 0, "void": 0}


def test_a_return_takes_the_demand_of_its_sale_back(session):
    product, actor = stocked(session), an_actor(session)
    kept = promised(session, product)
    sold(session, product, 2, 9)
    place = the_warehouse(session)
    stock.add(session, actor, product.id, place.id, 9, reason_code="return", occurred_at=at(3))
    scored(session, 3)
    assert now_of(session, kept)[0] == "open"
    sold(session, product, 5, 9)
    scored(session, 9)
    assert now_of(session, kept)[0] == "late"


def test_deliveries_that_came_and_that_did_not(session):
    due = [[day(3).isoformat(), "10"]]
    served, waiting = stocked(session), stocked(session)
    good, bad = promised(session, served, due=due), promised(session, waiting, due=due)
    came(session, served, 3, 10)
    sold(session, served, 2, 9), sold(session, served, 7, 11)
    sold(session, waiting, 2, 10)
    # The delivery was due on day 3: until then the empty shelf is the run-out itself.
    scored(session, 8)
    assert now_of(session, good)[:2] == ("inside", day(7))
    assert now_of(session, bad)[:2] == ("early", day(2))
    later = stocked(session)
    late = promised(session, later, due=due)
    sold(session, later, 4, 10)
    scored(session, 8)
    assert now_of(session, late)[0] == "void"
    assert "did not come" in now_of(session, late)[2]


def test_overdue_deliveries_count_from_the_first_day(session):
    product = stocked(session)
    kept = promised(session, product, due=[[day(-3).isoformat(), "10"]])
    came(session, product, 1, 10)
    sold(session, product, 5, 15), sold(session, product, 6, 5)
    scored(session, 6)
    assert now_of(session, kept)[:2] == ("inside", day(6))


def test_lost_stock_makes_it_void_and_a_transfer_does_not(session):
    lost, moved, actor = stocked(session), stocked(session), an_actor(session)
    first, second = promised(session, lost), promised(session, moved)
    home, elsewhere = the_warehouse(session), a_warehouse(session)
    stock.adjust(session, actor, lost.id, home.id, -8, reason_code="damage", occurred_at=at(2))
    sold(session, lost, 5, 2)
    stock.transfer(session, actor, moved.id, home.id, elsewhere.id, 10, occurred_at=at(2))
    sold(session, moved, 5, 10, elsewhere)
    scored(session, 6)
    assert now_of(session, first)[0] == "void"
    assert "lost" in now_of(session, first)[2]
    assert now_of(session, second) == ("inside", day(5), None)


def test_both_warehouses_use_the_stock_up_together(session):
    product, elsewhere = stocked(session, 6), a_warehouse(session)
    stock.add(session, an_actor(session), product.id, elsewhere.id, 4, occurred_at=at(0))
    kept = promised(session, product)
    sold(session, product, 2, 6), sold(session, product, 5, 4, elsewhere)
    scored(session, 5)
    assert now_of(session, kept) == ("inside", day(5), None)


def test_a_product_that_is_not_sold_any_more_is_judged_no_further(session):
    decided, undecided = stocked(session), stocked(session)
    first, second = promised(session, decided), promised(session, undecided)
    sold(session, decided, 4, 10)
    decided.is_active = undecided.is_active = False
    session.flush()
    scored(session, 5)
    assert now_of(session, first)[0] == "inside"
    assert now_of(session, second) == ("void", None, NOT_SOLD)


def test_a_history_brought_in_for_another_warehouse_decides_nothing(session):
    product, elsewhere = stocked(session), a_warehouse(session)
    kept, actor = promised(session, product), an_actor(session)
    stock.add(session, actor, product.id, elsewhere.id, 50, reason_code="reconstructed", occurred_at=at(-20))
    stock.remove(session, actor, product.id, elsewhere.id, 20, reason_code="sale", occurred_at=at(2))
    scored(session, 5)
    assert now_of(session, kept)[0] == "void"
    assert "more on the shelf" in now_of(session, kept)[2]


def test_ranges_of_several_days_are_judged_each_by_its_own_morning(session):
    product = stocked(session, 30)
    first = promised(session, product, on_hand=30, p10=2, p90=4)
    second = promised(session, product, on_hand=20, p10=2, p90=4, issued_on=day(3))
    sold(session, product, 2, 10), sold(session, product, 5, 15), sold(session, product, 6, 5)
    assert scored(session, 6) == {"inside": 1, "early": 0, "late": 1, "void": 0}
    assert (now_of(session, first)[0], now_of(session, second)[:2]) == ("late", ("inside", day(6)))


def test_many_products_go_in_chunks_and_each_gets_its_own(session, monkeypatch):
    monkeypatch.setattr(issued_ranges, "CHUNK_PRODUCTS", 2)
    products = [stocked(session) for _ in range(5)]
    kept = [promised(session, product) for product in products]
    for product in products[::2]:
        sold(session, product, 5, 10)
    assert scored(session, 5, issued_ranges.open_products(session)) == {
        "inside": 3, "early": 0, "late": 0, "void": 0,
    }  # fmt: skip
    assert [now_of(session, one)[0] for one in kept] == ["inside", "open"] * 2 + ["inside"]


@pytest.mark.parametrize(
    ("zone", "shop_zone", "hour", "last"),
    [("UTC", "UTC", 12, day(0)), ("Asia/Tokyo", "Asia/Tokyo", 16, day(1)),
     ("America/New_York", "Europe/Berlin", 3, day(-1))],
    ids=["here", "already tomorrow there", "a warehouse where it is still yesterday"],
)  # fmt: skip
def test_a_day_is_over_when_it_is_over_in_every_warehouse(session, zone, shop_zone, hour, last):
    session.execute(sa.update(Shop).values(time_zone=shop_zone))
    sold(session, stocked(session), 2)
    session.execute(sa.update(Warehouse).values(time_zone=shop_zone))
    a_warehouse(session, time_zone=zone)
    assert issued_ranges.last_known_day(session, NOON.replace(hour=hour)) == last


@pytest.mark.parametrize(("last_sale", "known"), [(1, 1), (13, 13), (14, 14), (15, 14), (None, -21)], ids=str)
def test_days_whose_sales_are_not_booked_yet_are_not_known(session, last_sale, known):
    """The morning of day 15. Sales come in with a file once a week; deliveries are booked as they come."""
    product = stocked(session)
    came(session, product, 14, 5)
    if last_sale is not None:
        sold(session, product, last_sale)
    assert issued_ranges.last_known_day(session, at(15)) == day(known)


def test_pieces_and_kilograms_are_added_up_exactly_enough(session):
    product = stocked(session, Decimal("0.3"))
    kept = promised(session, product, on_hand=Decimal("0.3"))
    for number in (4, 5, 6):
        sold(session, product, number, Decimal("0.1"))
    scored(session, 6)
    assert now_of(session, kept)[:2] == ("inside", day(6))
