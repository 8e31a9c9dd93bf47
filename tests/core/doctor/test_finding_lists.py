"""Findings as people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import stock
from core.doctor import doctor_settings, finding_lists, findings, repairs
from core.errors import BadInput, NotAllowed, NotFound
from db.models import AuditLine
from tests.core.doctor.doctor_world import published
from tests.makers import a_finding, a_product, an_actor, the_warehouse

NOW = datetime.now(UTC)


def uids(found) -> list:
    return [row.uid for row in found[0]]


def test_the_list_has_what_is_worth_most_first_and_words_for_the_repair(session):
    product, other = a_product(session, 9_000, sku="A-1", name="Lamp"), a_product(session, 9_000, sku="B-2")
    small = a_finding(session, product, money_at_risk=5, unit_price="2.5")
    large = a_finding(session, other, -10, money_at_risk=500, kind="wrong_product", field="product",
                      repair={"product_id": str(product.id)}, listed="money")  # fmt: skip
    rows, total = finding_lists.listing(session)
    assert total == 2
    assert [row.uid for row in rows] == [large.uid, small.uid]
    first, second = rows
    assert (first.repair, first.repair_words) == ({"sku": "A-1"}, "Book it on A-1 instead")
    assert (second.repair, second.repair_words) == ({"change": "-100"}, "Book 100 instead of 1,200")
    assert (second.sku, second.product_name, second.change, second.unit_price) == (
        "A-1", "Lamp", -1200, Decimal("2.5"),
    )  # fmt: skip
    assert second.can_accept
    assert (second.person, second.decided_by, second.replaced_by_id) == ("Runout", None, None)
    assert uids(finding_lists.listing(session, sort="found_on", descending=False, limit=1, skip=1))


def test_the_list_is_filtered(session):
    actor, place = an_actor(session), the_warehouse(session)
    product, other = a_product(session, 9_000, sku="A-1", name="Lamp"), a_product(session, 9_000, sku="50%_B")
    one = a_finding(session, product, score=0.3)
    two = a_finding(
        session, other, listed="money", kind="price_typo", field="price", repair={"unit_price": "2"}
    )
    findings.dismiss(session, actor, two.uid, reason="real", now=NOW)
    today = one.found_on
    for wanted, told in (
        ({}, [one]), ({"states": None}, [one, two]), ({"states": ("dismissed", "lapsed")}, [two]),
        ({"states": None, "listed": "money"}, [two]), ({"states": None, "kind": "price_typo"}, [two]),
        ({"states": None, "product_uid": product.uid}, [one]),
        ({"states": None, "warehouse_uid": place.uid}, [one, two]),
        ({"states": None, "text": "lam"}, [one]), ({"states": None, "text": "50%_"}, [two]),
        ({"states": None, "since": today}, [one, two]),
        ({"states": None, "until": today - timedelta(days=1)}, []),
        ({"states": None, "sort": "decided_at"}, [two, one]),
    ):  # fmt: skip
        rows, total = finding_lists.listing(session, **wanted)
        assert {row.uid for row in rows} == {finding.uid for finding in told}, wanted
        assert total == len(told)
    for wrong in ({"states": ("new",)}, {"listed": "both"}, {"kind": "odd"}, {"sort": "sku"}, {"limit": 0},
                  {"limit": 1001}, {"skip": -1}, {"text": "x" * 201}):  # fmt: skip
        with pytest.raises(BadInput):
            finding_lists.listing(session, **wrong)


def test_one_finding_tells_who_decided_and_what_stands_there_now(session):
    actor, finding = an_actor(session), a_finding(session, a_product(session, 9_000))
    done = repairs.accept(session, actor, finding.uid, key="k", now=NOW)
    row = finding_lists.one(session, finding.uid)
    assert (row.state, row.decided_by, row.replaced_by_id) == ("accepted", actor.name, done.replaced_by_id)
    assert not row.can_accept
    with pytest.raises(NotFound, match="no such finding any more"):
        finding_lists.one(session, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFound, match="not the id"):
        finding_lists.one(session, "x")


def test_the_evidence_is_what_the_product_had_before_of_the_same_kind(session):
    actor, place, product = an_actor(session), the_warehouse(session), a_product(session, 9_000)
    gone = stock.remove(session, actor, product.id, place.id, 1, reason_code="sale").lines[0].movement_id
    stock.reverse(session, actor, gone)
    stock.add(session, actor, product.id, place.id, 50)
    kept = stock.remove(session, actor, product.id, place.id, 7, reason_code="sale").lines[0].movement_id
    finding = a_finding(session, product)
    stock.remove(session, actor, product.id, place.id, 8, reason_code="sale")
    found = finding_lists.evidence(session, finding.uid)
    assert list(found.movement_id) == [gone, kept, finding.movement_id]
    assert list(found.is_void) == [True, False, False]
    assert list(found.is_it) == [False, False, True]
    with pytest.raises(NotFound):
        finding_lists.evidence(session, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFound):
        finding_lists.evidence_of(session, 10**12)


def test_counts_and_how_often_the_last_ones_were_right(session):
    actor, product = an_actor(session), a_product(session, 90_000)
    assert finding_lists.precision(session) == finding_lists.Precision(0, 0, 0, None, {})
    made = [a_finding(session, product, listed="money" if n == 5 else "likely") for n in range(6)]
    repairs.accept(session, actor, made[0].uid, key="k", now=NOW)
    for finding, reason in zip(made[1:4], ("real", "corrected_elsewhere", "not_worth_it"), strict=True):
        findings.dismiss(session, actor, finding.uid, reason=reason, now=NOW)
    stock.reverse(session, actor, made[4].movement_id)
    counts = finding_lists.counts(session)
    assert counts == finding_lists.Counts(1, 0, 1, Decimal(5500), 1, 3, 1)
    precision = finding_lists.precision(session)
    assert (precision.decided, precision.right, precision.wrong) == (3, 2, 1)
    assert precision.share == pytest.approx(2 / 3)
    assert precision.by_kind == {"times_pack": (2, 3)}
    assert finding_lists.precision(session, last=1).decided == 1


def test_the_map_shows_the_newest_movements_with_the_names_of_their_clusters(shop, session, detector):
    from core.doctor import scoring
    from tests.core.doctor.doctor_world import NOW as THEN
    from tests.core.doctor.doctor_world import TODAY

    assert finding_lists.map_points(session).empty
    assert finding_lists.cluster_names(session) == {}
    loaded = published(session, detector)
    scoring.score_new(session, loaded, THEN, TODAY)
    points = finding_lists.map_points(session, most=7)
    assert list(points.movement_id) == shop.lines()[:-8:-1]
    names = finding_lists.cluster_names(session)
    assert set(points.cluster_id) <= names.keys()
    assert all(isinstance(name, str) and name for name in names.values())


# -- Settings ------------------------------------------------------------------------------------------------


def test_the_settings_are_changed_and_written_down(session):
    manager = an_actor(session)
    assert doctor_settings.settings(session) == doctor_settings.Settings(10, 3, True, 0.1)
    changed = doctor_settings.change_settings(session, manager, findings_a_day=5, warns=False)
    assert changed == doctor_settings.settings(session) == doctor_settings.Settings(5, 3, False, 0.1)
    doctor_settings.change_settings(session, manager, findings_a_day=5)
    (line,) = session.scalars(sa.select(AuditLine).where(AuditLine.subject_type == "anomaly settings"))
    assert (line.before, line.after) == (
        {"findings_a_day": 10, "warns": True}, {"findings_a_day": 5, "warns": False},
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        doctor_settings.change_settings(session, an_actor(session, "user"), warns=True)


@pytest.mark.parametrize(
    "given",
    [{"findings_a_day": -1}, {"findings_a_day": 201}, {"money_a_day": 11}, {"findings_a_day": 2},
     {"money_a_day": -1}, {"warn_chance": 0}, {"warn_chance": 1.1}, {"warn_chance": float("nan")}],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(session, given):
    with pytest.raises(BadInput):
        doctor_settings.change_settings(session, an_actor(session), **given)
