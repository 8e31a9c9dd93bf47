"""Adjustments that share a transaction come to the same as the same ones, each booked alone."""

import uuid
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from core import adjustments, api_keys, auth, ledger_check, tokens
from core.adjustments import Wanted
from core.errors import RunoutError
from db.models import Alert, KeyPosting, Movement, Posting, SignIn, StockDay, StockLevel
from tests import makers

CALLERS = ("user", "another", "viewer", "ended", "key", "reading key", "unknown key")
CODES = (None, "issue", "sale", "receipt", "count", "damage", "theft")
CHANGES = ("-7", "-2", "-0.5", "0", "1", "2.25", "30", "0.00001", "1e20")


@dataclass(frozen=True)
class Asked:
    """An adjustment of the test's small world, by names."""

    caller: str
    product: int
    warehouse: int | None
    change: str
    code: str | None
    reason: str
    key: int | None


ASKED = st.builds(
    Asked,
    caller=st.sampled_from(("user", "user", "user", *CALLERS)),
    product=st.integers(0, 3),  # the last two: deactivated, unknown
    warehouse=st.sampled_from((None, None, 0, 1, 2)),  # the last one: unknown
    change=st.sampled_from(CHANGES),
    code=st.sampled_from(CODES),
    reason=st.sampled_from(("Sold", "  Sold ", "", "x" * 2001)),
    key=st.sampled_from((None, None, 1, 2, 3)),
)


class World:
    """Two products with a little stock, two warehouses, and callers of every kind."""

    def __init__(self, session):
        self.session, self.now = session, datetime.now(UTC)
        places = [makers.a_warehouse(session) for _ in range(2)]
        products = [makers.a_product(session, 9, warehouse=places[0], reorder_threshold=5) for _ in range(3)]
        products[2].is_active = False
        session.flush()
        nobody = uuid.uuid4()
        self.products = [*(product.uid for product in products), nobody]
        self.warehouses = [*(place.uid for place in places), nobody]
        self.numbers = {product.uid: product.id for product in products}
        user = makers.a_person(session, "user")
        self.callers = {
            "user": self.signed_in(user),
            "another": self.signed_in(makers.a_person(session, "manager")),
            "viewer": self.signed_in(makers.a_person(session, "viewer")),
            "ended": self.signed_in(user, ended=True),
            "key": self.a_key(user, "move stock"),
            "reading key": self.a_key(user, "read"),
            "unknown key": api_keys.Given(b"?" * 32),
        }

    def signed_in(self, person, *, ended=False):
        opened = SignIn(kind="api", person_id=person.id, created_at=self.now + timedelta(seconds=1))
        opened.last_seen_at, opened.expires_at = self.now, self.now + timedelta(days=1)
        opened.ended_at = self.now if ended else None
        self.session.add(opened)
        self.session.flush()
        self.session.refresh(opened)
        self.session.refresh(person)
        return tokens.Claims(person.uid, opened.uid)

    def a_key(self, person, right):
        return api_keys.read(makers.a_key(self.session, person, [right])[1])

    def wanted(self, asked, place):
        warehouse = None if asked.warehouse is None else self.warehouses[asked.warehouse]
        return Wanted(
            self.callers[asked.caller], self.products[asked.product], warehouse, Decimal(asked.change),
            asked.reason, asked.code, f"key {asked.key}" if asked.key else f"made up {place}",
        )  # fmt: skip

    def alone(self, wanted):
        """What the usual way makes of it, in a transaction of its own."""
        with self.session.begin_nested() as mine:
            try:
                return told(adjustments.book_alone(self.session, self.actor(wanted.caller), wanted))
            except RunoutError as refusal:
                mine.rollback()
                return told(refusal)

    def actor(self, caller):
        if isinstance(caller, tokens.Claims):
            return auth.actor_of(tokens.who(self.session, caller, self.now))
        return api_keys.who(self.session, caller, self.now).actor

    def ledger(self):
        """All that is kept of what happened, without ids, which are drawn anew each time."""
        self.session.expire_all()
        movements = self.session.execute(
            sa.select(
                Movement.product_id, Movement.warehouse_id, Movement.type, Movement.reason_code,
                Movement.change, Movement.stock_before, Movement.stock_after, Movement.day,
                Movement.demand_day, Movement.reason, Posting.actor_id, Posting.kind, Posting.key,
                Posting.request_hash, KeyPosting.api_key_id,
            ).join(Posting, Posting.id == Movement.posting_id)
            .outerjoin(KeyPosting, KeyPosting.posting_id == Posting.id)
            .order_by(Movement.product_id, Movement.warehouse_id, Movement.id)
        ).all()  # fmt: skip
        levels = sa.select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.quantity)
        days = sa.select(
            StockDay.product_id, StockDay.warehouse_id, StockDay.day, StockDay.demand, StockDay.receipts,
            StockDay.other, StockDay.closing,
        )  # fmt: skip
        return movements, *(sorted(self.session.execute(question).all()) for question in (levels, days))


def told(outcome):
    """An answer or a refusal, comparable; the id is that of its place in the ledger."""
    if isinstance(outcome, RunoutError):
        return type(outcome), outcome.sentence
    return {name: value for name, value in outcome.items() if name != "id"}


@pytest.fixture
def world(session):
    return World(session)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(batches=st.lists(st.lists(ASKED, min_size=1, max_size=12), min_size=1, max_size=3))
def test_together_or_alone_answers_refusals_and_ledger_are_the_same(world, batches):
    place = 0
    wanted = []
    for batch in batches:
        wanted.append([world.wanted(asked, place := place + 1) for asked in batch])
    with world.session.begin_nested() as mine:
        together = []
        for batch in wanted:
            outcomes = adjustments.book_each(world.session, batch, world.now)
            together += [told(outcome.movement or outcome.refusal) for outcome in outcomes]
        assert ledger_check.faults(world.session) == {}
        kept = world.ledger()
        mine.rollback()
    with world.session.begin_nested() as mine:
        alone = []
        for batch in wanted:
            answers = {place: world.alone(batch[place]) for place in world_order(world, batch)}
            alone += [answers[place] for place in range(len(batch))]
        assert together == alone
        assert kept == world.ledger()
        mine.rollback()


def world_order(world, batch):
    """Those that arrive together are all on their way at once: levels come in the order of their locks."""
    return sorted(
        range(len(batch)),
        key=lambda place: (
            world.numbers.get(batch[place].product_uid, 0),
            world.warehouses.index(batch[place].warehouse_uid or world.warehouses[0]),
            place,
        ),
    )


def test_a_retry_finds_the_first_answer_whichever_way_it_comes(world):
    first, second = (world.wanted(Asked("user", 0, None, "-1", None, "Sold", key), 0) for key in (1, 2))
    (outcome,) = adjustments.book_each(world.session, [first], world.now)
    assert dict(adjustments.book_alone(world.session, outcome.caller, first)) == outcome.movement
    movement = dict(adjustments.book_alone(world.session, outcome.caller, second))
    again = adjustments.book_each(world.session, [second, first, second], world.now)
    assert [told.movement for told in again] == [movement, outcome.movement, movement]
    assert world.session.scalar(sa.select(sa.func.count()).where(Posting.kind == "adjust")) == 2
    (refused,) = adjustments.book_each(world.session, [replace(first, change=Decimal(-2))], world.now)
    assert type(refused.refusal).__name__ == "KeyReused"


def test_of_the_last_pieces_as_many_are_sold_as_there_are_and_nobody_else_is_touched(world):
    hot = [world.wanted(Asked("user", 0, None, "-2", None, "Sold", None), place) for place in range(6)]
    other = world.wanted(Asked("key", 1, None, "-1", None, "Sold", None), 6)
    outcomes = adjustments.book_each(world.session, [*hot[:3], other, *hot[3:]], world.now)
    assert Counter(type(told.refusal).__name__ for told in outcomes) == {
        "NoneType": 5,
        "InsufficientStock": 2,
    }
    assert [told.movement["stock_after"] for told in outcomes if told.movement] == [7, 5, 3, 8, 1]
    assert outcomes[-1].refusal.sentence.startswith("SKU-")
    assert outcomes[-1].refusal.sentence.split(": ")[1].startswith("2 asked for, 1 on hand in ")
    assert [told.used_key is not None for told in outcomes] == [False] * 3 + [True] + [False] * 3


def test_the_batch_that_takes_stock_below_its_threshold_raises_the_alert(world):
    low = [world.wanted(Asked("user", 1, None, "-2", None, "Sold", None), place) for place in range(3)]
    adjustments.book_each(world.session, low, world.now)
    product_id = world.numbers[world.products[1]]
    alert = world.session.scalars(sa.select(Alert).where(Alert.product_id == product_id)).one()
    assert (alert.type, alert.state) == ("low_stock", "active")


def test_a_customer_return_is_booked_for_itself(world):
    returned = world.wanted(Asked("user", 0, None, "1", "return", "Came back", None), 0)
    assert adjustments.is_for_itself(returned)
    assert not adjustments.is_for_itself(replace(returned, reason_code="receipt"))
