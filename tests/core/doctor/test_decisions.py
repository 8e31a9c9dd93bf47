"""Whatever people press in whatever order: stock is the sum of its movements, and findings tell the truth."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import corrections, ledger_check, rebooking, stock
from core.auth import Actor
from core.doctor import findings, repairs
from core.errors import RunoutError
from db.models import Finding, Movement, Product, Warehouse
from tests.makers import a_finding, a_product, a_warehouse, an_actor, on_hand, the_warehouse

NOW = datetime.now(UTC)
STEPS = (
    "accept",
    "press again",
    "undo",
    "dismiss",
    "reopen",
    "correct",
    "reverse",
    "sell",
    "lapse",
    "return",
)
FIELDS = ("quantity", "price", "product", "warehouse", "sign", "whole", "none")
PIECES = 100


class World:
    """Three findings, and two people who do not talk to each other."""

    def __init__(self, session: Session, fields: list[str], change: Decimal) -> None:
        self.session = session
        self.people: list[Actor] = [an_actor(session), an_actor(session)]
        self.here: Warehouse = the_warehouse(session)
        self.there: Warehouse = a_warehouse(session)
        self.products: list[Product] = [a_product(session, PIECES) for _ in range(2)]
        told = {
            "quantity": {"quantity": str(change / 4)}, "price": {"unit_price": "0.5"},
            "product": {"product_id": str(self.products[1].id)},
            "warehouse": {"warehouse_id": str(self.there.id)}, "sign": {"quantity": str(-change)},
        }  # fmt: skip
        self.findings: list[Finding] = [
            a_finding(session, self.products[0], change, reason_code=reason, field=field,
                      repair=told.get(field, {}))
            for field, reason in zip(fields, (_reason(change), "count", "loss"), strict=True)
        ]  # fmt: skip
        self.keys: Iterator[str] = (f"key {n}" for n in range(1000))
        self.last: Callable[[], Any] | None = None

    def do(self, step: str, which: int, who: int) -> None:
        finding, actor = self.findings[which], self.people[who]
        key = next(self.keys)
        work: Callable[[], Any] | None = {
            "accept": lambda: repairs.accept(self.session, actor, finding.uid, key=key, now=NOW),
            "undo": lambda: repairs.undo(self.session, actor, finding.uid, key=key, now=NOW),
            "dismiss": lambda: findings.dismiss(self.session, actor, finding.uid, reason="real", now=NOW),
            "reopen": lambda: findings.reopen(self.session, actor, finding.uid, now=NOW),
            "lapse": lambda: findings.lapse(self.session, NOW),
            "correct": lambda: corrections.correct(self.session, actor, self.standing(finding), quantity=3),
            "reverse": lambda: stock.reverse(self.session, actor, self.standing(finding)),
            "sell": lambda: stock.remove(
                self.session, actor, self.products[which % 2].id, self.here.id, 60, reason_code="sale"
            ),
            "return": lambda: stock.add(
                self.session, actor, self.products[0].id, self.here.id, abs(self.change(finding)),
                reason_code="return",
            ),
            "press again": self.last,
        }[step]  # fmt: skip
        if work is None:
            return
        try:
            with self.session.begin_nested():
                work()
        except RunoutError:
            self.session.expire_all()
        if step in ("accept", "undo"):
            self.last = work

    def standing(self, finding: Finding) -> int:
        """The movement that counts now in the place of the finding's."""
        number = finding.movement_id
        while (later := rebooking.replacement_of(self.session, number)) is not None:
            number = later
        return number

    def change(self, finding: Finding) -> Decimal:
        return self.session.get_one(Movement, finding.movement_id).change


def _reason(change: Decimal) -> str:
    return "sale" if change < 0 else "receipt"


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(
    st.lists(st.sampled_from(FIELDS), min_size=3, max_size=3),
    st.sampled_from([Decimal(-8), Decimal("-0.5"), Decimal(20), Decimal("-33.3332")]),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.integers(0, 1)), max_size=25),
)
def test_whatever_is_pressed_the_ledger_is_sound_and_findings_agree_with_it(session, fields, change, steps):
    with session.begin_nested() as trial:
        world = World(session, fields, change)
        for step in steps:
            world.do(*step)
            for finding in world.findings:
                session.refresh(finding)
                if finding.state == "accepted":
                    assert findings.is_reversed(session, finding.movement_id)
        assert ledger_check.faults(session) == {}
        for product in world.products:
            assert all(on_hand(session, product, place) >= 0 for place in (world.here, world.there))
        trial.rollback()
    session.expire_all()
