"""Before something is booked: a question where it is probably not meant, silence everywhere else."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.doctor import doctor_settings, findings, ledger_lines, warning
from core.doctor.ledger_lines import Typed
from tests.core.doctor.doctor_world import NOW, published
from tests.makers import a_finding, an_actor


@pytest.fixture
def loaded(shop, session, detector):  # noqa: ARG001
    return published(session, detector)


def sale(shop, number: int, quantity: int, **about) -> Typed:
    product = shop.products[number]
    return Typed(product.id, shop.here.id, Decimal(-quantity), "sale", product.unit_price, **about)


def test_a_hundredfold_sale_is_asked_about_and_usual_ones_are_not(shop, session, loaded):
    actor = an_actor(session, "user")
    lines = [sale(shop, 0, 12), sale(shop, 1, 2400), sale(shop, 2, 24)]
    first, odd, last = warning.odd(session, loaded, actor, lines, NOW)
    assert (first, last) == (None, None)
    assert (odd.kind, odd.field, odd.suggestion, odd.suggested_id) == ("times_ten", "quantity", "24", None)
    assert odd.sentence == "2,400 out looks like two zeros too many; 24 would be usual."
    assert odd.chance > 0.5


def test_the_settings_say_whether_and_when(shop, session, loaded):
    actor, lines = an_actor(session), [sale(shop, 1, 2400)]
    doctor_settings.change_settings(session, actor, warn_chance=0.99)
    assert warning.odd(session, loaded, actor, lines, NOW) == [None]
    doctor_settings.change_settings(session, actor, warn_chance=0.5, warns=False)
    assert warning.odd(session, loaded, actor, lines, NOW) == [None]


def test_what_was_said_to_be_real_is_asked_less(shop, session, loaded):
    actor, lines = an_actor(session), [sale(shop, 1, 2400)]
    (before,) = warning.odd(session, loaded, actor, lines, NOW)
    for _ in range(3):
        finding = a_finding(session, shop.products[1], -600, kind="times_ten", evidence={"model_chance": 0.9})
        findings.dismiss(session, actor, finding.uid, reason="real", now=NOW)
    (after,) = warning.odd(session, loaded, actor, lines, NOW)
    assert before is not None
    assert after is None or after.chance < before.chance


def test_nobody_is_held_up_without_a_model_by_a_file_or_by_trouble(
    shop, session, loaded, monkeypatch, caplog
):
    actor, line = an_actor(session), sale(shop, 1, 2400)
    assert warning.odd(session, None, actor, [line], NOW) == [None]
    assert warning.odd(session, loaded, actor, [], NOW) == []
    assert warning.odd(session, loaded, actor, [line] * 51, NOW) == [None] * 51
    opening = Typed(line.product_id, line.warehouse_id, Decimal(5), "opening")
    assert warning.odd(session, loaded, actor, [opening], NOW) == [None]

    def broken(given, *_):
        given.execute(sa.text("SELECT 1 / 0"))

    monkeypatch.setattr(ledger_lines, "typed", broken)
    assert warning.odd(session, loaded, actor, [line], NOW) == [None]
    assert "Nobody was warned" in caplog.text
    assert session.scalar(sa.text("SELECT 1")) == 1
