"""A small shop with habits, and a model that learned such a one in a second."""

import functools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import auth, stock
from core.anomaly import learner, training
from core.anomaly.detector import Detector, Judged
from core.anomaly.features import NAMES
from core.doctor import model_store
from core.doctor.model_store import Loaded
from db.models import Movement, Product, Warehouse
from tests.core.anomaly.ledgers import A_SHELF, a_ledger
from tests.makers import a_product, a_warehouse, the_warehouse

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
TODAY = NOW.date()
PRODUCTS, DOCUMENTS, DAYS = 6, 60, 40


@functools.cache
def a_small_detector() -> Detector:
    """One that learned 450 lines with few trees: it works, how well is the bench's business."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "TREES", 20)
        patch.setattr(training, "RATE", 1 / 15)
        patch.setattr(training, "ROUNDS", 3)
        return Detector.learn(a_ledger(150), A_SHELF, seed=7)


class Shop:
    """Sales of a few products to a few customers over 40 days: 12s, 24s and 36s at a steady price."""

    def __init__(self, session: Session, documents: int = DOCUMENTS) -> None:
        self.session = session
        self.here: Warehouse = the_warehouse(session)
        self.there: Warehouse = a_warehouse(session)
        began = NOW - timedelta(days=DAYS)
        self.products: list[Product] = [
            a_product(
                session, 10_000, stock_at=began, sku=f"A-10{number}", unit_cost=1,
                unit_price=Decimal("1.25") + number,
            )
            for number in range(PRODUCTS)
        ]  # fmt: skip
        rng = np.random.default_rng(1)
        rows = [
            {
                "product_id": self.products[number].id, "warehouse_id": self.here.id, "type": "out",
                "reason_code": "sale", "change": -int(rng.choice([12, 24, 36])),
                "unit_price": self.products[number].unit_price,
                "occurred_at": began + timedelta(days=DAYS * document / documents, hours=3),
                "reference_type": "invoice", "reference_id": f"I-{document}",
                "customer": f"Customer {document % 5}",
            }
            for document in range(documents)
            for number in rng.choice(PRODUCTS, 3, replace=False).tolist()
        ]  # fmt: skip
        self.actor = auth.system_actor(session)
        stock.post_lines(session, self.actor, "import", pd.DataFrame(rows), "world", b"world")

    def sell(self, number: int, quantity: Decimal | int, **about) -> Movement:
        """One more sale, an hour before now."""
        values = {"unit_price": self.products[number].unit_price, "occurred_at": NOW - timedelta(hours=1)}
        product = self.products[number]
        booked = stock.remove(
            self.session, self.actor, product.id, self.here.id, quantity, reason_code="sale",
            **(values | about),
        )  # fmt: skip
        return self.session.get_one(Movement, booked.lines[0].movement_id)

    def lines(self) -> list[int]:
        """The movements that are lines, in booking order."""
        question = select(Movement.id).where(
            Movement.reason_code != "opening", Movement.reverses_id.is_(None)
        )
        return list(self.session.scalars(question.order_by(Movement.id)))


class ByTheOdds(Detector):
    """Judges by the evidence alone: a model that learned 450 lines is sure of nothing."""

    def judge(self, features: np.ndarray, rate: float | None = None) -> Judged:
        odds = features[:, [at for at, name in enumerate(NAMES) if name.startswith("odds_")]]
        chance = 1 / (1 + np.exp((12 - odds.max(axis=1).astype(float)) / 2))
        return replace(super().judge(features, rate), chance=chance, is_anomaly=chance >= 0.5)


def published(session: Session, detector: Detector) -> Loaded:
    """The detector as the model of this shop, judging by the odds."""
    model_id = model_store.begin(session, None, NOW)
    model_store.publish(session, model_id, detector.files(), None, NOW, TODAY)
    loaded = model_store.current(session)
    assert loaded is not None
    return replace(loaded, detector=ByTheOdds(**vars(loaded.detector)))
