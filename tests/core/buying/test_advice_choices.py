"""Buyers edit, snooze and draft what is advised; two of them at once order nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import stock
from core.buying import advice_choices, advice_lines, basket, drafts, order_lines, orders
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AdviceChoice, AuditLine, Decision, Movement, PurchaseOrder, PurchaseOrderLine
from db.session import transaction
from tests.core.advice_world import NOW, TODAY, a_forecast, advised, line_of, sold
from tests.makers import a_product, a_vendor, a_warehouse, an_actor, an_offer, on_hand, the_warehouse


@pytest.fixture
def buyer(session):
    return an_actor(session, "manager")


def choices(session):
    return session.scalar(sa.select(sa.func.count()).select_from(AdviceChoice))


# -- Edits ---------------------------------------------------------------------------------------------------


def test_another_quantity_counts_until_it_is_reset_and_the_receipt_says_so(session, buyer):
    product = sold(session, 10, 2.0)
    advised(session)
    line = line_of(session, product)
    advice_choices.edit(session, buyer, line.uid, NOW, quantity=line.quantity + 5)
    edited = advice_lines.line(session, line.uid, TODAY)
    assert edited.line.is_edited
    assert edited.line.edited_by == buyer.name
    assert edited.line.quantity == line.quantity + 5
    assert edited.line.computed_quantity == line.quantity
    assert edited.line.value == edited.line.quantity * 2
    assert edited.terms[-1].name == "edited by hand"
    assert sum(term.amount for term in edited.terms) == edited.line.quantity
    advised(session)
    assert line_of(session, product).quantity == line.quantity + 5, "it survives new advice"
    advice_choices.reset(session, buyer, line.uid, NOW)
    assert not line_of(session, product).is_edited
    assert choices(session) == 0


def test_the_computed_quantity_is_no_edit(session, buyer):
    product = sold(session, 10, 2.0)
    advised(session)
    line = line_of(session, product)
    advice_choices.edit(session, buyer, line.uid, NOW, quantity=line.quantity)
    assert choices(session) == 0


def test_a_quantity_that_the_vendor_does_not_sell_is_refused_with_one_that_it_does(session, buyer):
    product = sold(session, 10, 2.0, order_multiple=12, minimum_order_quantity=24)
    advised(session)
    line = line_of(session, product)
    with pytest.raises(BadInput, match="25 is not a multiple of 12: 36 would be"):
        advice_choices.edit(session, buyer, line.uid, NOW, quantity=25)
    with pytest.raises(BadInput, match="12 is less than the vendor sells: at least 24"):
        advice_choices.edit(session, buyer, line.uid, NOW, quantity=12)
    for wrong in ("-24", "many", "NaN", "1e30"):
        with pytest.raises(BadInput, match="Quantity"):
            advice_choices.edit(session, buyer, line.uid, NOW, quantity=wrong)
    advice_choices.edit(session, buyer, line.uid, NOW, quantity=0)
    assert line_of(session, product).quantity == 0


def test_another_vendor_brings_its_price_and_its_packs(session, buyer):
    product = sold(session, 10, 2.0)
    other = a_vendor(session, name="Other")
    an_offer(session, product, other, prices={1: 3, 100: "2.5"}, order_multiple=100)
    advised(session)
    line = line_of(session, product)
    assert line.vendor != "Other"
    advice_choices.edit(session, buyer, line.uid, NOW, vendor_uid=other.uid)
    changed = line_of(session, product)
    assert (changed.vendor, changed.computed_vendor) == ("Other", line.vendor)
    assert (changed.quantity, changed.unit_cost) == (100, Decimal("2.5"))
    assert advice_lines.lines(session, TODAY, vendor_uid=other.uid).total == 1
    stranger = a_vendor(session)
    with pytest.raises(RuleBroken, match="does not offer"):
        advice_choices.edit(session, buyer, line.uid, NOW, vendor_uid=stranger.uid)
    with pytest.raises(NotFound):
        advice_choices.edit(session, buyer, line.uid, NOW, vendor_uid="nonsense")


def test_what_is_chosen_can_be_taken_back(session, buyer):
    product = sold(session, 10, 2.0)
    advised(session)
    line = line_of(session, product)
    advice_choices.edit(session, buyer, line.uid, NOW, quantity=50)
    before = advice_choices.edit(session, buyer, line.uid, NOW, quantity=60)
    assert before.quantity == 50
    advice_choices.restore(session, buyer, line.uid, before, NOW)
    assert line_of(session, product).quantity == 50
    told = session.scalars(sa.select(AuditLine.action).where(AuditLine.subject_id == str(product.uid))).all()
    assert told.count("chose about advice") == 3


def test_a_page_that_is_open_while_new_advice_is_made_still_works_once(session, buyer):
    product = sold(session, 10, 2.0)
    advised(session)
    old = line_of(session, product).uid
    advised(session)
    advice_choices.edit(session, buyer, old, NOW, quantity=77)
    assert line_of(session, product).quantity == 77
    advised(session)
    with pytest.raises(NotFound, match="Load the page again"):
        advice_choices.edit(session, buyer, old, NOW, quantity=78)


def test_only_buyers_choose(session):
    product = sold(session, 10, 2.0)
    advised(session)
    user, uid = an_actor(session, "user"), line_of(session, product).uid
    for refused in (
        lambda: advice_choices.edit(session, user, uid, NOW, quantity=1),
        lambda: advice_choices.reset(session, user, uid, NOW),
        lambda: advice_choices.snooze(session, user, uid, NOW),
        lambda: advice_choices.wake(session, user, uid, NOW),
        lambda: drafts.create(session, user, NOW, key="k", advice_uids=[uid]),
    ):
        with pytest.raises(NotAllowed):
            refused()


# -- Snoozing ------------------------------------------------------------------------------------------------


def test_a_snooze_ends_on_its_day(session, buyer):
    product = sold(session, 30, 2.0)
    advised(session)
    line = line_of(session, product)
    back = TODAY + timedelta(days=3)
    advice_choices.snooze(session, buyer, line.uid, NOW, until=back)
    assert line_of(session, product).state == "snoozed"
    assert advice_lines.lines(session, TODAY).total == 0
    assert advice_lines.lines(session, TODAY, include_snoozed=True).total == 1
    assert advice_lines.vendors_summary(session, TODAY)[0].snoozed == 1
    assert advice_lines.lines(session, back).rows[0].state == "open"
    advice_choices.wake(session, buyer, line.uid, NOW)
    assert line_of(session, product).state == "open"


def test_a_snooze_ends_when_the_chance_rose_by_15_points(session, buyer):
    product = sold(session, 22, 2.0)
    advised(session)
    line = line_of(session, product)
    assert line.chance < 0.2
    advice_choices.snooze(session, buyer, line.uid, NOW)
    stock.remove(session, buyer, product.id, the_warehouse(session).id, 1)
    advised(session)
    assert line_of(session, product).state == "snoozed"
    stock.remove(session, buyer, product.id, the_warehouse(session).id, 8)
    advised(session)
    assert line_of(session, product).chance > line.chance + 0.15
    assert line_of(session, product).state == "open"


def test_a_risk_that_cannot_rise_is_not_waited_for(session, buyer):
    gone = sold(session, 0, 2.0)
    unknown = a_product(session, 1, reorder_threshold=5)
    advised(session)
    for product in (gone, unknown):
        uid = line_of(session, product).uid
        with pytest.raises(BadInput, match="would never come back"):
            advice_choices.snooze(session, buyer, uid, NOW)
        advice_choices.snooze(session, buyer, uid, NOW, until=TODAY + timedelta(days=1))
    assert choices(session) == 2


def test_snoozing_until_yesterday_or_for_years_is_refused(session, buyer):
    product = sold(session, 10, 2.0)
    advised(session)
    for days in (0, -1, 366):
        with pytest.raises(BadInput, match="Snooze until"):
            advice_choices.snooze(
                session, buyer, line_of(session, product).uid, NOW, until=TODAY + timedelta(days=days)
            )


# -- Drafts --------------------------------------------------------------------------------------------------


def test_one_draft_for_each_vendor_and_nothing_is_sent(session, buyer):
    vendors = [a_vendor(session), a_vendor(session)]
    products = [sold(session, 0, 2.0, vendor=vendors[n % 2]) for n in range(4)]
    advised(session)
    advice_choices.edit(session, buyer, line_of(session, products[0]).uid, NOW, quantity=99)
    out = drafts.create(session, buyer, NOW, key="one", vendor_uids=[vendor.uid for vendor in vendors])
    assert [made.lines for made in out.drafts] == [2, 2]
    assert set(session.scalars(sa.select(PurchaseOrder.state))) == {"draft"}
    quantities = dict(
        session.execute(sa.select(PurchaseOrderLine.product_id, PurchaseOrderLine.quantity)).all()
    )
    assert quantities[products[0].id] == 99
    kinds = dict(session.execute(sa.select(Decision.product_id, Decision.kind)).all())
    assert [kinds[product.id] for product in products] == ["edited", "taken", "taken", "taken"]
    assert choices(session) == 0, "what was ordered begins anew"
    line = line_of(session, products[0])
    assert (line.state, line.order_number) == ("in draft", out.drafts[0].number) or line.state == "in draft"
    assert advice_lines.lines(session, TODAY).total == 0
    with pytest.raises(RuleBroken, match="change it there"):
        advice_choices.edit(session, buyer, line.uid, NOW, quantity=5)


def test_what_one_order_cannot_hold_becomes_two(session, buyer, monkeypatch):
    monkeypatch.setattr(order_lines, "MOST_LINES", 2)
    vendor = a_vendor(session)
    for _ in range(3):
        sold(session, 0, 2.0, vendor=vendor)
    advised(session)
    made = drafts.create(session, buyer, NOW, key="k", vendor_uids=[vendor.uid])
    assert [(draft.vendor, draft.lines) for draft in made.drafts] == [(vendor.name, 2), (vendor.name, 1)]
    assert drafts.create(session, buyer, NOW, key="k", vendor_uids=[vendor.uid]).drafts == made.drafts


def test_the_same_press_twice_drafts_once(session, buyer):
    product = sold(session, 0, 2.0)
    advised(session)
    uid = line_of(session, product).uid
    first = drafts.create(session, buyer, NOW, key="press", advice_uids=[uid, uid])
    again = drafts.create(session, buyer, NOW, key="press", advice_uids=[uid])
    assert again.replayed
    assert again.drafts == first.drafts
    with pytest.raises(RuleBroken, match=f"Nothing is left to draft.*{first.drafts[0].number}"):
        drafts.create(session, buyer, NOW, key="another press", advice_uids=[uid])


def test_what_cannot_be_drafted_is_left_out_with_a_reason(session, buyer):
    good, asleep, zero, nobody = (sold(session, 0, 2.0, **about) for about in ({}, {}, {}, {"vendor": None}))
    advised(session)
    advice_choices.snooze(session, buyer, line_of(session, asleep).uid, NOW, until=TODAY + timedelta(days=3))
    advice_choices.edit(session, buyer, line_of(session, zero).uid, NOW, quantity=0)
    uids = [line_of(session, product).uid for product in (good, asleep, zero, nobody)]
    out = drafts.create(session, buyer, NOW, key="k", advice_uids=uids)
    assert sum(made.lines for made in out.drafts) == 1
    assert dict(out.left_out) == {
        asleep.sku: "it is snoozed",
        zero.sku: "nothing is to be ordered",
        nobody.sku: "nobody offers it: add an offer",
    }
    for key in ("", "x" * 300, "a\0b"):
        with pytest.raises(BadInput, match="key"):
            drafts.create(session, buyer, NOW, key=key, advice_uids=uids)


def test_a_sent_line_is_not_proposed_again_before_new_advice_is_made(session, buyer):
    product = sold(session, 0, 2.0)
    advised(session)
    line = line_of(session, product)
    made = drafts.create(session, buyer, NOW, key="k", advice_uids=[line.uid]).drafts[0]
    orders.send(session, buyer, made.order_uid, NOW + timedelta(minutes=1))
    sent = line_of(session, product)
    assert (sent.state, sent.order_number, sent.has_moved) == ("ordered", made.number, True)
    advised(session, NOW + timedelta(minutes=2))
    after = line_of(session, product)
    assert after.computed_quantity == 0
    assert after.due == line.quantity
    assert after.state == "open"


def test_a_cancelled_draft_gives_its_lines_free(session, buyer):
    product = sold(session, 0, 2.0)
    advised(session)
    line = line_of(session, product)
    made = drafts.create(session, buyer, NOW, key="k", advice_uids=[line.uid]).drafts[0]
    orders.cancel(session, buyer, made.order_uid, NOW, because="not yet")
    assert line_of(session, product).state == "open"
    assert advice_lines.lines(session, TODAY).total == 1


@pytest.mark.usefixtures("clone")
def test_two_people_who_press_at_once_order_it_once():
    with transaction() as session:
        uids = [line.uid for line in _lines_of_a_shop(session, 6)]
        buyers = [an_actor(session, "manager") for _ in range(4)]

    def press(buyer):
        try:
            with transaction() as session:
                return drafts.create(session, buyer, NOW, key=f"press of {buyer.id}", advice_uids=uids)
        except RuleBroken:
            return None

    with ThreadPoolExecutor(4) as people:
        made = [one for one in people.map(press, buyers) if one is not None]
    assert len(made) == 1
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PurchaseOrderLine)) == 6


def _lines_of_a_shop(session, number):
    vendor = a_vendor(session)
    products = [sold(session, 0, 2.0, vendor=vendor) for _ in range(number)]
    advised(session)
    return [line_of(session, product) for product in products]


# -- Transfers -----------------------------------------------------------------------------------------------


def a_branch(session):
    main = the_warehouse(session)
    branch = a_warehouse(session, supplied_by_id=main.id)
    product = sold(session, 100, 4.0)
    a_forecast(session, product, 3.0, warehouse=main)
    a_forecast(session, product, 1.0, warehouse=branch)
    advised(session)
    return product, main, branch


def test_transfers_are_booked_at_once_and_only_once(session, buyer):
    product, main, branch = a_branch(session)
    line = line_of(session, product, branch)
    assert drafts.move(session, buyer, NOW, key="m", advice_uids=[line.uid]) == 1
    assert on_hand(session, product, branch) == line.quantity
    assert on_hand(session, product, main) == 100 - line.quantity
    assert drafts.move(session, buyer, NOW, key="m", advice_uids=[line.uid]) == 0
    with pytest.raises(RuleBroken, match="moved since"):
        drafts.move(session, buyer, NOW, key="n", advice_uids=[line.uid])
    assert session.scalar(sa.select(sa.func.count()).where(Movement.type == "transfer")) == 2


def test_what_is_to_be_ordered_is_not_moved_and_nothing_is_moved_without_right(session, buyer):
    product, main, branch = a_branch(session)
    with pytest.raises(BadInput, match="1 to 500"):
        drafts.move(session, buyer, NOW, key="m", advice_uids=[])
    with pytest.raises(NotAllowed):
        drafts.move(
            session, an_actor(session, "viewer"), NOW, key="m",
            advice_uids=[line_of(session, product, branch).uid],
        )  # fmt: skip
    other = sold(session, 0, 2.0)
    advised(session)
    with pytest.raises(RuleBroken, match="to be ordered, not moved"):
        drafts.move(session, buyer, NOW, key="m", advice_uids=[line_of(session, other).uid])
    line = line_of(session, product, branch)
    with pytest.raises(BadInput, match="can spare"):
        advice_choices.edit(session, buyer, line.uid, NOW, quantity=line.quantity + 1)
    assert main.id != branch.id


# -- The basket ----------------------------------------------------------------------------------------------


def test_the_basket_is_filled_with_what_is_needed_next_when_it_pays(session, buyer):
    vendor = a_vendor(session, free_freight_from=150, freight_cost=40)
    now = sold(session, 0, 2.0, vendor=vendor)
    next_ones = [sold(session, stock, 2.0, vendor=vendor, order_multiple=20) for stock in (50, 52, 300)]
    advised(session)
    filling = basket.suggest(session, vendor.uid, TODAY)
    assert filling.target == "free freight"
    assert filling.extras
    assert filling.gain > 0
    assert filling.filled_value >= 150 > filling.value
    taken = basket.take(session, buyer, vendor.uid, NOW, TODAY)
    asked = {line.product_id for line in advice_lines.lines(session, TODAY).rows}
    assert now.id in asked
    assert len(asked) == 1 + len(filling.extras)
    assert next_ones[2].id not in asked
    assert advice_lines.vendors_summary(session, TODAY)[0].to_free_freight == 0
    basket.undo(session, buyer, taken, NOW)
    assert advice_lines.lines(session, TODAY).total == 1


def test_the_basket_says_why_nothing_is_added(session, buyer):
    plain, minimum = a_vendor(session), a_vendor(session, order_minimum=10_000)
    for vendor in (plain, minimum):
        sold(session, 0, 2.0, vendor=vendor)
    advised(session)
    assert "reaches every limit" in basket.suggest(session, plain.uid, TODAY).sentence
    filling = basket.suggest(session, minimum.uid, TODAY)
    assert filling.extras == ()
    assert "short of the order minimum" in filling.sentence
    with pytest.raises(RuleBroken, match="short of the order minimum"):
        basket.take(session, buyer, minimum.uid, NOW, TODAY)
    nothing = a_vendor(session, order_minimum=5)
    an_offer(session, a_product(session, 4), nothing)
    assert "Nothing is to be ordered" in basket.suggest(session, nothing.uid, TODAY).sentence


# -- Lists ---------------------------------------------------------------------------------------------------


def test_lists_are_searched_sorted_and_paged(session):
    products = [sold(session, 0, 2.0, name=name) for name in ("Lamp 50%", "Mug", "Lamp shade")]
    sold(session, 48, 2.0, name="Later")
    advised(session)
    assert advice_lines.lines(session, TODAY, search="lamp").total == 2
    assert advice_lines.lines(session, TODAY, search="50%").total == 1
    assert advice_lines.lines(session, TODAY).total == 3
    assert advice_lines.lines(session, TODAY, horizon_days=60).total == 4
    page = advice_lines.lines(session, TODAY, sort="name", limit=2, offset=1)
    assert [line.name for line in page.rows] == ["Lamp shade", "Mug"]
    assert page.total == 3
    assert advice_lines.lines(session, TODAY, action="transfer").rows == []
    for sort in advice_lines.SORTS:
        assert advice_lines.lines(session, TODAY, sort=sort).total == len(products)
    with pytest.raises(BadInput, match="Sort"):
        advice_lines.lines(session, TODAY, sort="colour")
    with pytest.raises(BadInput, match="Action"):
        advice_lines.lines(session, TODAY, action="none")
    with pytest.raises(NotFound):
        advice_lines.lines(session, TODAY, vendor_uid="nobody")
