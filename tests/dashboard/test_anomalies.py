"""The Anomalies view: what each role sees and may do, the map, the ledger's rules, what was learned."""

import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core import corrections, job_runs, stock
from core.doctor import findings, model_store, repairs
from core.doctor.model_store import Loaded
from dashboard import anomaly_acts, anomaly_model, anomaly_words
from db.models import AnomalySettings, JobRun, LedgerFault, Movement, MovementScore
from tests.dashboard.conftest import plain, words
from tests.makers import a_finding, a_model, a_product, an_actor, on_hand, the_warehouse

NOW = datetime.now(UTC)
MANIFEST = {
    "rows": 8000, "wrong": 300, "data_from": 1.7e9, "data_to": 1.75e9,
    "metrics": {"recall_at_10": 0.683, "recall_price_typo": 0.99, "recall_wrong_unit": 0.3},
}  # fmt: skip


@pytest.fixture
def lamp(session):
    """1,340 on hand, of which 1,200 will be gone by mistake."""
    return a_product(session, 1340, sku="LAMP", name="Desk *lamp*")


@pytest.fixture
def finding(session, lamp):
    return a_finding(session, lamp)


def press(app, name, finding):
    return app.button(key=f"{name}-{finding.uid}").click().run()


def acts(app, finding) -> set[str]:
    """What may be done about a finding."""
    return {
        b.key.removesuffix(f"-{finding.uid}")
        for b in app.button
        if b.key and b.key.endswith(str(finding.uid))
    }


def state_of(session, finding) -> str:
    session.expire_all()
    return finding.state


# -- Findings ------------------------------------------------------------------------------------------------


def test_a_finding_says_what_is_odd_what_it_costs_and_what_the_repair_does(browser, finding):
    app = browser("viewer", "anomalies")
    assert not app.exception
    said = plain(words(app))
    assert "at risk: 1 as most likely errors, 0 by money at stake" in said
    assert "1200 out is 12 times the usual 100." in said
    assert "**1,200 → 100 out**" in said
    assert "back on hand] +1,100" in said
    assert "5,500" in said
    assert "92 %, almost certainly an error" in said
    assert "booked by" in said
    assert len(app.get("plotly_chart")) == 1
    assert acts(app, finding) == set()


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_repair_finds_no_buttons(browser, finding, role):
    assert acts(browser(role, "anomalies"), finding) == set()


@pytest.mark.usefixtures("judging")
def test_repaired_in_one_press_and_undone_in_another(browser, session, lamp, finding):
    app = browser("manager", "anomalies")
    assert acts(app, finding) == {"repair", "real", "put-away"}
    press(app, "repair", finding)
    assert not app.exception
    assert "on hand in" in plain(words(app))
    assert "140 → 1,240" in plain(words(app))
    assert (state_of(session, finding), on_hand(session, lamp)) == ("accepted", 1240)
    assert "Nothing looks wrong" in plain(words(app))
    press(app, "undo", finding)
    assert "Taken back, it is to be decided again" in plain(words(app))
    assert (state_of(session, finding), on_hand(session, lamp)) == ("open", 140)
    press(app, "repair", finding)
    assert (state_of(session, finding), on_hand(session, lamp)) == ("accepted", 1240)


def test_a_double_click_repairs_once(browser, session, lamp, finding, monkeypatch):
    app = browser("manager", "anomalies")
    form = app.session_state["desks"][f"finding {finding.uid}"]["form"]
    press(app, "repair", finding)
    moved = session.scalar(sa.select(sa.func.count()).select_from(Movement))
    mine = app.session_state["desks"][f"finding {finding.uid}"]
    monkeypatch.setattr(anomaly_acts, "desk", lambda _: mine)
    monkeypatch.setattr(anomaly_acts, "last", dict)
    monkeypatch.setattr(anomaly_acts, "address", dict)
    # The second click of a double click brings the form of the first.
    anomaly_acts.repair(str(finding.uid), "Desk lamp", form, "likely-0")
    assert "refused" not in mine
    assert session.scalar(sa.select(sa.func.count()).select_from(Movement)) == moved
    assert on_hand(session, lamp) == 1240


def test_too_little_on_hand_is_said_with_figures_and_the_finding_stays(browser, session, lamp):
    came = a_finding(session, lamp, 1200, reason_code="receipt", repair={"quantity": "100"})
    place = the_warehouse(session)
    stock.remove(session, an_actor(session), lamp.id, place.id, 2000)
    app = browser("manager", "anomalies")
    press(app, "repair", came)
    assert "LAMP: 1100 less asked for, 540 on hand" in plain(words(app))
    assert state_of(session, came) == "open"
    assert "repair" in acts(app, came)


def test_corrected_meanwhile_by_somebody_else_is_said(browser, session, finding):
    app = browser("manager", "anomalies")
    corrections.correct(session, an_actor(session), finding.movement_id, quantity=90)
    session.commit()
    press(app, "repair", finding)
    assert not app.exception
    assert "was reversed or corrected meanwhile" in plain(words(app))


def test_repaired_meanwhile_by_somebody_else_is_said_with_who(browser, session, finding):
    app = browser("manager", "anomalies")
    other = an_actor(session)
    repairs.accept(session, other, finding.uid, key=uuid.uuid4().hex, now=NOW)
    session.commit()
    press(app, "real", finding)
    assert f"This was repaired before by {other.name}" in plain(words(app))


def test_real_is_one_press_and_can_be_taken_back(browser, session, finding):
    app = browser("manager", "anomalies")
    press(app, "real", finding)
    session.expire_all()
    assert (finding.state, finding.dismissed_as) == ("dismissed", "real")
    press(app, "undo", finding)
    assert state_of(session, finding) == "open"


def test_dismissed_with_a_reason_and_a_note(browser, session, finding):
    app = browser("manager", "anomalies")
    app.radio[0].set_value("not_worth_it")
    note = next(field for field in app.text_input if field.label == "Note")
    note.set_value("<b>2 cents</b>")
    press(app, "put-away", finding)
    session.expire_all()
    assert (finding.dismissed_as, finding.note) == ("not_worth_it", "<b>2 cents</b>")
    app = browser("manager", "anomalies", state="dismissed")
    said = plain(words(app))
    assert "wrong, but not worth a repair. <b>2 cents</b>" in said
    press(app, "reopen", finding)
    assert state_of(session, finding) == "open"


def test_a_repair_of_another_day_is_undone_from_the_list_of_the_repaired(browser, session, lamp, finding):
    repairs.accept(session, an_actor(session), finding.uid, key=uuid.uuid4().hex, now=NOW)
    app = browser("manager", "anomalies", state="accepted")
    assert acts(app, finding) == {"unrepair"}
    press(app, "unrepair", finding)
    assert (state_of(session, finding), on_hand(session, lamp)) == ("open", 140)


def test_what_was_settled_elsewhere_is_shown_as_lapsed(browser, session, finding):
    corrections.correct(session, an_actor(session), finding.movement_id, quantity=90)
    findings.lapse(session, NOW)
    said = plain(words(browser("viewer", "anomalies", state="lapsed")))
    assert "the movement was reversed or corrected elsewhere" in said


def test_a_finding_without_a_known_repair_offers_none(browser, session, lamp):
    odd = a_finding(session, lamp, kind="unknown", field="none", repair={})
    app = browser("manager", "anomalies")
    assert acts(app, odd) == {"real", "put-away"}
    assert "No repair is known" in plain(words(app))


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"kind": "wrong_sign", "field": "sign", "repair": {"quantity": "1200"}}, "**1,200 out → 1,200 in**"),
        ({"kind": "price_typo", "field": "price", "repair": {"unit_price": "6.5"}, "unit_price": 649.5},
         "**€649.50 → €6.50 a piece**"),
        ({"kind": "booked_twice", "field": "whole", "repair": {}}, "**1,200 out → not booked**"),
    ],
    ids=["sign", "price", "whole"],
)  # fmt: skip
def test_each_kind_of_repair_is_said_before_and_after(browser, session, lamp, about, said):
    a_finding(session, lamp, **about)
    app = browser("viewer", "anomalies")
    assert not app.exception
    assert said in plain(words(app)).replace("£", "€").replace("$", "€")


def test_the_two_lists_stand_one_under_the_other_and_share_the_pages(browser, session, lamp):
    a_finding(session, lamp, -12, money_at_risk=9)
    a_finding(session, lamp, -24, listed="money", money_at_risk=99_999, score=0.1)
    app = browser("viewer", "anomalies")
    assert [head.value for head in app.subheader][-2:] == ["Most likely errors (1)", "Money at stake (1)"]
    assert "10 %, odd, but maybe real" in plain(words(app))


def test_filters_are_in_the_address_and_a_wrong_one_is_said(browser, session):
    a_finding(session, a_product(session, 500, name="Rope"), -120, kind="price_typo", field="none", repair={})
    assert "Rope" in page_links(browser("viewer", "anomalies", kind="price_typo"))
    assert "Rope" not in page_links(browser("viewer", "anomalies", kind="times_pack"))
    assert "Rope" in page_links(browser("viewer", "anomalies", q="rop"))
    app = browser("viewer", "anomalies", q="nothing like it", kind="bogus", page="0")
    assert not app.exception
    said = plain(words(app))
    assert "there is no 'bogus'" in said
    assert "No finding fits these filters." in said


def page_links(app) -> str:
    return plain("\n".join(str(link.proto.label) for link in app.get("page_link")))


@pytest.mark.usefixtures("finding")
def test_a_page_beyond_the_last_is_answered(browser):
    app = browser("viewer", "anomalies", page="7")
    assert not app.exception
    assert "There is no page 7" in plain(words(app))


@pytest.mark.usefixtures("finding")
def test_the_table_has_a_row_for_each_finding(browser):
    app = browser("viewer", "anomalies", **{"as": "table"})
    assert not app.exception
    frame = app.dataframe[0].value
    assert frame["Repair"].tolist() == ["1,200 → 100 out"]
    assert frame["What"].tolist() == ["Too much by a pack"]


def test_a_link_shows_one_finding_and_an_old_one_is_said(browser, finding):
    app = browser("viewer", "anomalies", id=str(finding.uid))
    assert "1200 out is 12 times" in plain(words(app))
    app = browser("viewer", "anomalies", id=str(uuid.uuid4()))
    assert not app.exception
    assert app.error


def test_how_often_findings_were_right_is_in_the_headline(browser, session, lamp):
    right, wrong = a_finding(session, lamp, -120), a_finding(session, lamp, -240)
    boss = an_actor(session)
    repairs.accept(session, boss, right.uid, key="k", now=NOW)
    findings.dismiss(session, boss, wrong.uid, reason="real", now=NOW)
    assert "1 of the last 2 decided were errors" in plain(words(browser("viewer", "anomalies")))


def test_a_wrong_product_is_held_against_the_prices_that_told_it(browser, session, lamp):
    about = {"reason_code": "sale", "unit_price": "2.5"}
    a_finding(session, lamp, -1, **about)
    other = a_product(session).id
    told = a_finding(
        session, lamp, -1, kind="wrong_product", field="product", repair={"product_id": str(other)},
        message=f"{lamp.sku}: 1 out at 2.50 is unusual.", **about,
    )  # fmt: skip
    app = browser("viewer", "anomalies", id=str(told.uid))
    assert not app.exception
    assert "price of this kind before" in plain(words(app))


# -- Nothing there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("findings", "Nothing has been learned yet."),
        ("map", "No movement is on the map yet."),
        ("ledger", "The ledger has not been checked yet."),
        ("model", "Nothing has been learned yet."),
    ],
)
def test_an_empty_shop_says_why_each_section_is_empty(browser, show, said):
    app = browser("viewer", "anomalies", show=show)
    assert not app.exception
    assert said in plain(words(app))


@pytest.mark.parametrize("show", ["findings", "model"])
def test_while_the_first_model_learns_that_is_said(browser, session, show):
    job_runs.enqueue(session, "anomaly_train", NOW)
    app = browser("viewer", "anomalies", show=show)
    assert not app.exception
    said = plain(words(app))
    assert "It is learning from your movements." in said
    assert "Nothing has been learned yet." not in said


@pytest.fixture
def judging(session, monkeypatch):
    """A model that has learned and is loaded, as far as pages look at it."""
    model = a_model(session)
    loaded = Loaded(model.id, uuid.uuid4(), MANIFEST, None, NOW)
    monkeypatch.setattr(model_store, "current", lambda _: loaded)
    return model


@pytest.mark.usefixtures("judging")
def test_all_decided_looks_calm(browser):
    assert "Nothing looks wrong." in plain(words(browser("viewer", "anomalies")))


# -- The map -------------------------------------------------------------------------------------------------


@pytest.fixture
def mapped(session, finding):
    """The movement of the finding and another one lie on the map."""
    model_id = finding.model_id
    for number, movement_id in enumerate(session.scalars(sa.select(Movement.id)).all()):
        session.add(
            MovementScore(
                movement_id=movement_id, model_id=model_id, score=0.9, kind="times_pack",
                is_anomaly=movement_id == finding.movement_id, cluster_id=number, x=number, y=-number,
            )
        )  # fmt: skip
    session.flush()
    return finding


@pytest.mark.usefixtures("mapped")
def test_the_map_names_its_clusters_and_counts_what_is_odd(browser):
    app = browser("viewer", "anomalies", show="map")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    said = plain(words(app))
    assert "looks like an error (1)" in said
    assert ":blue-badge[1]" in said


def test_a_movement_of_the_map_is_opened_by_the_address(browser, mapped):
    said = plain(words(browser("viewer", "anomalies", show="map", movement=str(mapped.movement_id))))
    assert "−1,200** of Desk *lamp*" in said
    app = browser("viewer", "anomalies", show="map", movement="999999999")
    assert "There is no movement 999999999." in plain(words(app))


# -- Is the ledger sound? ------------------------------------------------------------------------------------


def a_check(session, *, result=None):
    session.add(
        JobRun(
            job="check_ledger", slot=NOW, state="failed" if result else "done", started_at=NOW,
            finished_at=NOW, result=result,
        )
    )  # fmt: skip
    session.flush()


def test_a_sound_ledger_is_a_green_sentence(browser, session):
    a_check(session)
    app = browser("viewer", "anomalies", show="ledger")
    assert any("Sound" in green.value for green in app.success)
    assert not [button for button in app.button if button.label == "Check now"]


def test_a_broken_rule_is_said_with_where_and_since_when_on_every_section(browser, session, lamp):
    a_check(session, result={"broken_chain": 3})
    session.add(
        LedgerFault(
            rule="broken_chain", product_id=lamp.id, warehouse_id=the_warehouse(session).id, movement_id=7,
            message="LAMP in WH: movement 7 starts from 4, the one before it ended with 5.", figures={},
        )
    )  # fmt: skip
    session.flush()
    app = browser("viewer", "anomalies", show="ledger")
    said = plain(words(app))
    assert "1 rule of the ledger is broken." in said
    assert "movement 7 starts from 4" in said
    assert "and 2 places more" in said
    assert "1 rule of the ledger is broken." in plain(words(browser("viewer", "anomalies")))


def test_an_admin_has_the_ledger_checked_now_and_sees_that_it_waits(browser, session):
    app = browser("admin", "anomalies", show="ledger")
    next(button for button in app.button if button.label == "Check now").click().run()
    assert not app.exception
    assert session.scalar(sa.select(JobRun.state).where(JobRun.job == "check_ledger")) == "queued"
    assert "No scheduler runs, so this waits." in plain(words(app))


# -- The model -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("judging")
def test_the_model_card_says_what_it_learned_from_and_what_it_finds(browser):
    app = browser("viewer", "anomalies", show="model")
    assert not app.exception
    said = plain(words(app))
    assert "**8,000** examples, 300 of them made-up errors" in said
    assert "found **68** within ten findings a day" in said
    assert app.dataframe[0].value["Found"].tolist() == ["99 of 100", "30 of 100"]
    assert not [button for button in app.button if button.label == "Learn again"]


@pytest.mark.usefixtures("judging")
def test_a_manager_has_it_learn_again(browser, session):
    app = browser("manager", "anomalies", show="model")
    app.button(key="ask-anomaly_train").click().run()
    assert not app.exception
    assert session.scalar(sa.select(JobRun.job)) == "anomaly_train"
    assert app.button(key="ask-anomaly_train").disabled


@pytest.mark.parametrize(("share", "said"), [(1.0, "nearly all"), (0.5, "about half"), (0.0, "few")])
def test_a_recall_has_words(share, said):
    assert anomaly_model.how_often(share) == said


# -- Settings ------------------------------------------------------------------------------------------------


def test_settings_are_kept_and_said_before_and_after(browser, session):
    app = browser("manager", "anomalies")
    field = next(field for field in app.number_input if field.label == "Findings a day")
    field.set_value(25.0)
    app.button(key="save_anomaly_settings").click().run()
    assert "Findings a day **10 → 25**" in plain(words(app))
    session.expire_all()
    assert session.get_one(AnomalySettings, 1).findings_a_day == 25


@pytest.mark.parametrize(
    ("typed", "said"), [(2.5, "2.5 is not a whole number"), (1.0, "For money at stake"), (999.0, "0 and 200")]
)
def test_settings_that_cannot_be_are_refused(browser, typed, said):
    app = browser("manager", "anomalies")
    next(field for field in app.number_input if field.label == "Findings a day").set_value(typed)
    app.button(key="save_anomaly_settings").click().run()
    assert said in plain(words(app))


def test_only_a_manager_may_change_settings(browser):
    assert not browser("user", "anomalies").number_input


def test_all_kinds_and_reasons_have_words():
    assert set(anomaly_words.KINDS) == set(findings.KINDS)
    assert set(anomaly_words.STATES) == set(findings.STATES)
    assert set(anomaly_words.LISTS) == set(findings.LISTS)
    assert anomaly_acts.NOTE_CHARACTERS <= findings.NOTE_CHARACTERS
