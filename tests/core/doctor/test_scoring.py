"""Scores of new movements and the findings they become: within the budget, once, and taught by people."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import corrections, stock
from core.anomaly import ranking
from core.doctor import doctor_settings, findings, ledger_lines, model_store, repairs, scoring
from core.errors import RuleBroken
from db.models import Alert, AnomalySettings, Finding, MovementScore
from tests.core.doctor.doctor_world import DAYS, NOW, TODAY, published
from tests.makers import an_actor


@pytest.fixture
def loaded(shop, session, detector):  # noqa: ARG001
    return published(session, detector)


def score_all(session, loaded, today=TODAY) -> int:
    """Judge what is new; answers how many findings were raised."""
    raised, is_done = 0, False
    while not is_done:
        step = scoring.score_new(session, loaded, NOW, today, 100)
        raised, is_done = raised + step.raised, step.is_done
    return raised


def found(session) -> list[Finding]:
    return list(session.scalars(sa.select(Finding).order_by(Finding.id)))


def of(session, movement) -> Finding | None:
    return session.scalar(sa.select(Finding).where(Finding.movement_id == movement.id))


def test_every_line_gets_a_score_and_a_hundredfold_sale_becomes_a_finding(shop, session, loaded):
    usual, wrong = shop.sell(0, 12), shop.sell(1, 2400)
    score_all(session, loaded)
    scores = {row.movement_id: row for row in session.scalars(sa.select(MovementScore))}
    assert sorted(scores) == shop.lines()
    assert scores[wrong.id].is_anomaly
    assert scores[wrong.id].score > 10 * scores[usual.id].score
    finding = of(session, wrong)
    assert (finding.kind, finding.field, finding.repair) == ("times_ten", "quantity", {"quantity": "-24"})
    assert finding.message == ("A-101: 2,400 out on 30 Jun looks like two zeros too many; 24 would be usual.")
    assert finding.money_at_risk == (2400 - 24) * Decimal("2.25")
    assert (finding.found_on, finding.listed, finding.state) == (TODAY, "likely", "open")
    assert finding.evidence["seen"] > 5
    assert of(session, usual) is None
    alert = session.scalar(sa.select(Alert).where(Alert.type == "anomaly"))
    assert alert.product_id == wrong.product_id


def test_nothing_is_looked_at_twice_and_the_next_look_goes_on_behind(shop, session, loaded):
    wrong = shop.sell(1, 2400)
    assert score_all(session, loaded) >= 1
    count = len(found(session))
    assert scoring.score_new(session, loaded, NOW, TODAY) == scoring.Step(0, 0, is_done=True)
    settings = session.get(AnomalySettings, 1, populate_existing=True)
    assert settings.scored_to == wrong.id
    settings.scored_to = 0
    score_all(session, loaded)
    assert len(found(session)) == count


def test_a_new_model_places_all_on_its_map_and_raises_nothing_that_was_passed(
    shop, session, loaded, detector
):
    shop.sell(1, 2400)
    doctor_settings.change_settings(session, an_actor(session), findings_a_day=0, money_a_day=0)
    assert score_all(session, loaded) == 0
    doctor_settings.change_settings(session, an_actor(session), findings_a_day=10)
    later = published(session, detector)
    assert score_all(session, later) == 0
    assert set(session.scalars(sa.select(MovementScore.model_id))) == {later.id}
    shop.sell(2, 3600)
    assert score_all(session, later) == 1


def test_a_day_holds_so_many_and_a_stronger_one_drives_out_the_weakest(shop, session, loaded):
    doctor_settings.change_settings(session, an_actor(session), findings_a_day=1, money_a_day=0)
    score_all(session, loaded)
    session.execute(sa.delete(Finding))
    weak = shop.sell(1, 240)
    score_all(session, loaded)
    assert of(session, weak) is not None
    session.execute(sa.update(Finding).values(score=0.15))
    strong = shop.sell(2, 3600)
    score_all(session, loaded)
    assert (of(session, weak), of(session, strong) is not None) == (None, True)
    findings.dismiss(session, an_actor(session), of(session, strong).uid, reason="not_worth_it", now=NOW)
    session.execute(sa.update(Finding).values(score=0.15))
    assert score_all(session, loaded) == 0
    shop.sell(3, 3600)
    assert score_all(session, loaded) == 0


def test_each_day_has_a_budget_of_its_own_and_old_days_share_that_of_today(shop, session, loaded):
    doctor_settings.change_settings(session, an_actor(session), findings_a_day=1, money_a_day=0)
    score_all(session, loaded)
    session.execute(sa.delete(Finding))
    yesterday = [shop.sell(n, 3600, occurred_at=NOW - timedelta(days=1)) for n in (0, 1)]
    old = [shop.sell(n, 3600, occurred_at=NOW - timedelta(days=DAYS - 1)) for n in (2, 3)]
    assert score_all(session, loaded) == 2
    days = sorted(finding.found_on for finding in found(session))
    assert days == [TODAY - timedelta(days=1), TODAY]
    assert sum(of(session, movement) is not None for movement in yesterday) == 1
    assert sum(of(session, movement) is not None for movement in old) == 1


def test_what_was_reversed_or_corrected_before_is_not_asked_about(shop, session, loaded):
    gone, right = shop.sell(1, 2400), shop.sell(2, 2400)
    stock.reverse(session, shop.actor, gone.id)
    corrections.correct(session, an_actor(session), right.id, quantity=24)
    score_all(session, loaded)
    assert (of(session, gone), of(session, right)) == (None, None)


def test_a_finding_whose_movement_was_put_right_elsewhere_lapses(shop, session, loaded):
    wrong = shop.sell(1, 2400)
    score_all(session, loaded)
    assert findings.lapse(session, NOW) == 0
    stock.reverse(session, shop.actor, wrong.id)
    assert findings.lapse(session, NOW) == 1
    session.expire_all()
    assert of(session, wrong).state == "lapsed"


def test_neither_a_repair_nor_what_stands_there_again_is_asked_about(shop, session, loaded):
    wrong, actor = shop.sell(1, 2400), an_actor(session)
    score_all(session, loaded)
    uid = of(session, wrong).uid
    repairs.accept(session, actor, uid, key="a", now=NOW)
    repairs.undo(session, actor, uid, key="b", now=NOW)
    before = len(found(session))
    score_all(session, loaded)
    assert len(found(session)) == before


def test_of_a_transfer_one_leg_is_asked_about(shop, session, loaded):
    for _ in range(3):
        stock.transfer(session, shop.actor, shop.products[0].id, shop.here.id, shop.there.id, 12)
    legs = stock.transfer(session, shop.actor, shop.products[0].id, shop.here.id, shop.there.id, 7777).lines
    score_all(session, loaded)
    asked = {finding.movement_id for finding in found(session)}
    assert len(asked & {leg.movement_id for leg in legs}) <= 1


def test_what_was_said_to_be_real_is_asked_less_of_that_product_and_kind_only(shop, session, loaded):
    first = shop.sell(1, 2400)
    score_all(session, loaded)
    kind, said = of(session, first).kind, of(session, first).evidence["model_chance"]
    findings.dismiss(session, an_actor(session), of(session, first).uid, reason="real", now=NOW)
    second, other = shop.sell(1, 2400), shop.sell(2, 2400)
    score_all(session, loaded)
    session.expire_all()
    taught, untaught = of(session, second), of(session, other)
    told = float(session.get(MovementScore, second.id).score)
    assert untaught.kind == kind
    expected = ranking.shifted(told, ranking.taught(0, 1) + ranking.measured(0, [said]))
    if taught is None:
        assert expected < ranking.LEAST_CHANCE_OF_MONEY
    else:
        assert taught.score == pytest.approx(expected, abs=1e-6)
    assert untaught.score > expected


def test_somebody_who_was_faster_is_not_overrun(session, loaded, monkeypatch):
    start = session.get(AnomalySettings, 1, populate_existing=True).scored_to
    look = ledger_lines.after

    def slow(*given):
        sheet = look(*given)
        session.execute(sa.update(AnomalySettings).values(scored_to=start + 3))
        return sheet

    monkeypatch.setattr(ledger_lines, "after", slow)
    assert scoring.score_new(session, loaded, NOW, TODAY) == scoring.Step(0, 0, is_done=False)
    assert session.scalar(sa.select(sa.func.count()).select_from(MovementScore)) == 0


def test_the_first_model_looks_back_a_month_and_no_further_than_the_map_reaches(
    shop, session, detector, monkeypatch
):
    ids = shop.lines()
    monkeypatch.setattr(model_store, "MAPPED", 10)
    published(session, detector)
    start = session.get(AnomalySettings, 1, populate_existing=True).scored_to
    recent = session.scalar(
        sa.text("SELECT min(id) FROM movement WHERE day >= :day"), {"day": TODAY - timedelta(days=30)}
    )
    assert ids[0] < start == recent - 1 < ids[-10]
    session.execute(sa.update(AnomalySettings).values(scored_to=ids[-1]))
    published(session, detector)
    assert session.get(AnomalySettings, 1, populate_existing=True).scored_to == ids[-11]


# -- The model's files ---------------------------------------------------------------------------------------


def test_a_model_whose_files_were_changed_is_refused_and_the_one_before_judges(
    session, detector, loaded, caplog
):
    second = model_store.begin(session, None, NOW)
    model_store.publish(session, second, detector.files(), None, NOW, TODAY)
    session.execute(
        sa.text("UPDATE anomaly_file SET content = 'x' WHERE model_id = :id AND name = 'map.npz'"),
        {"id": second},
    )
    with caplog.at_level(logging.ERROR):
        assert model_store.current(session).id == loaded.id
        assert model_store.current(session).id == loaded.id
    assert caplog.text.count("is not what was published") == 1
    assert model_store.newest(session)[0] == second


def test_only_the_files_of_the_newest_models_are_kept(session, detector):
    ids = [published(session, detector).id for _ in range(5)]
    kept = session.scalars(sa.text("SELECT DISTINCT model_id FROM anomaly_file ORDER BY 1")).all()
    assert kept == ids[-3:]
    assert model_store.current(session).id == ids[-1]


def test_a_training_that_was_overtaken_is_not_published_and_one_that_failed_says_why(
    session, detector, loaded
):
    slow, fast = (model_store.begin(session, None, NOW) for _ in range(2))
    with pytest.raises(RuleBroken, match="Another training began"):
        model_store.publish(session, slow, detector.files(), None, NOW, TODAY)
    # Killed, it says nothing; tried again every time, it would take the processor all day.
    assert model_store.tried_in_vain_since(session, NOW - timedelta(days=1))
    model_store.fail(session, fast, "It hailed.", NOW)
    assert model_store.about(session).problem == "It hailed."
    assert model_store.tried_in_vain_since(session, NOW - timedelta(days=1))
    assert not model_store.tried_in_vain_since(session, NOW)
    assert model_store.current(session).id == loaded.id


def test_a_shop_without_a_model_has_none(session):
    assert (model_store.current(session), model_store.newest(session), model_store.about(session)) == (
        None, None, None,
    )  # fmt: skip
