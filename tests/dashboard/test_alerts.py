"""The Alerts view: what each role sees and may do, filters in the address, answers where they belong."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import alerts
from dashboard import alerting
from db.models import Alert, AlertSettings, JobRun
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, an_actor

NOW = datetime.now(UTC)


@pytest.fixture
def an_alert(session):
    """`an_alert(money, severity=...)`: one about a product of its own."""

    def make(money: int = 100, name: str | None = None, **about) -> Alert:
        product = a_product(session, **({"name": name} if name else {}))
        values = {"type": "low_stock", "severity": "critical", "figures": {}, "chance": 0.4} | about
        message = f"{product.sku}: 3 on hand, at or below the threshold of 8"
        alert = Alert(product_id=product.id, money_at_risk=Decimal(money), message=message, **values)
        session.add(alert)
        session.flush()
        session.refresh(alert)
        return alert

    return make


def buttons(app, alert) -> set[str]:
    """What may be done about an alert."""
    keys = (button.key for button in app.button if button.key and button.key.endswith(str(alert.uid)))
    return {key.split("-")[0] for key in keys}


def links(app) -> list[str]:
    return [plain(link.proto.label) for link in app.get("page_link")]


def test_the_most_money_at_risk_comes_first_with_what_it_says(browser, an_alert):
    an_alert(5, name="Small", severity="info")
    an_alert(5000, name="Big [x](http://evil.example)")
    app = browser("viewer", "alerts")
    assert not app.exception
    assert links(app)[:2] == ["**Big [x](http:\u2060//evil.example)**".replace("\u2060", ""), "**Small**"]
    said = plain(words(app))
    assert "2 alerts: 1 critical, 1 info" in said
    assert ":red-badge[Critical]" in said
    assert "3 on hand, at or below the threshold of 8." in said
    assert "5,000 :gray[at risk]" in said


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("viewer", set()),
        ("user", {"acknowledge"}),
        ("manager", {"acknowledge", "resolve", "sleep", "worse"}),
    ],
)
def test_each_role_finds_the_buttons_it_may_use(browser, an_alert, role, may):
    alert = an_alert()
    app = browser(role, "alerts")
    assert buttons(app, alert) == may
    assert any("Near means" in field.label for field in app.number_input) == (role == "manager")


def test_acknowledged_where_it_stands_and_taken_back(browser, an_alert, session):
    alert = an_alert(name="Anvil")
    app = browser("user", "alerts")
    app.button(key=f"acknowledge-{alert.uid}").click().run()
    said = plain(words(app))
    assert "Acknowledged: it stays here" in said
    assert "seen by User" in said
    app.button(key="undo_alert").click().run()
    assert "Taken back: it is active again." in plain(words(app))
    session.expire_all()
    assert alert.state == "active"
    assert not app.exception


def test_resolved_leaves_the_list_and_the_answer_stands_where_it_was(browser, an_alert, session):
    first, alert = an_alert(300, name="First"), an_alert(200, name="Second")
    an_alert(100, name="Third")
    app = browser("manager", "alerts")
    app.button(key=f"resolve-{alert.uid}").click().run()
    assert links(app)[:2] == ["**First**", "**Third**"]
    shown = [plain(markdown.value) for markdown in app.main.markdown]
    told = shown.index("**Second**: :green[Resolved: quiet until it clears or gets worse.]")
    risks = [n for n, text in enumerate(shown) if "at risk" in text]
    assert risks[0] < told < risks[1]
    session.expire_all()
    assert alert.state == "resolved"
    app.query_params["state"] = "resolved"
    app.run()
    assert "resolved by Manager" in plain(words(app))
    assert "By hand" in plain(words(app))
    assert buttons(app, alert) == set()
    assert "Resolved: quiet" not in plain(words(app))  # another list
    app.query_params.clear()
    app.run()
    app.button(key="undo_alert").click().run()
    session.expire_all()
    assert (alert.state, first.state) == ("active", "active")
    assert not app.exception


def test_snoozed_until_a_day_and_until_the_chance_rises(browser, an_alert, session):
    one, other = an_alert(2), an_alert(1)
    app = browser("manager", "alerts")
    day = NOW.date() + timedelta(days=30)
    app.date_input(key=f"until-{one.uid}").set_value(day)
    app.button(key=f"sleep-{one.uid}").click().run()
    app.button(key=f"worse-{other.uid}").click().run()
    session.expire_all()
    assert (one.state, one.snoozed_until) == ("snoozed", day)
    assert (other.state, other.snoozed_until, other.snoozed_chance) == ("snoozed", None, pytest.approx(0.4))
    app.query_params["state"] = "snoozed"
    app.run()
    said = plain(words(app))
    assert "sleeps until" in said
    assert "the chance to run out, then 40 %, reaches 55 %" in said
    assert not app.exception


def test_a_sleep_that_could_never_end_is_not_offered(browser, an_alert):
    certain, nearly = an_alert(2, chance=1.0), an_alert(1, chance=0.94)
    app = browser("manager", "alerts")
    assert "worse" not in buttons(app, certain)
    assert app.button(key=f"worse-{nearly.uid}").label == "Snooze until the chance is 100 %"
    app.button(key=f"worse-{nearly.uid}").click().run()
    app.query_params["state"] = "snoozed"
    app.run()
    assert "then 94 %, is 100 %" in plain(words(app))


def test_an_alert_that_somebody_else_resolved_meanwhile_is_refused_in_words(browser, an_alert, session):
    alert = an_alert()
    app = browser("manager", "alerts")
    alerts.resolve(session, an_actor(session, "manager"), alert.uid, NOW)
    session.commit()
    app.button(key=f"acknowledge-{alert.uid}").click().run()
    assert any("This alert is resolved" in plain(error.value) for error in app.error)
    assert not app.exception


def test_who_lost_the_right_meanwhile_is_refused(browser, an_alert, session):
    alert = an_alert()
    app = browser("manager", "alerts")
    session.execute(sa.text("UPDATE person SET role = 'viewer' WHERE role = 'manager'"))
    session.commit()
    app.button(key=f"resolve-{alert.uid}").click().run()
    assert app.error
    session.expire_all()
    assert alert.state == "active"


def test_filters_come_from_the_address_and_nonsense_in_it_is_said(browser, an_alert):
    an_alert(name="Hidden", severity="info")
    an_alert(name="Found", type="predicted_depletion", severity="warning")
    app = browser("viewer", "alerts", type="predicted_depletion", severity="warning", q="foun")
    assert links(app)[0] == "**Found**"
    assert "**Hidden**" not in links(app)
    app = browser("viewer", "alerts", state="odd", page="7")
    said = [plain(error.value) for error in app.error]
    assert any("there is no 'odd'" in sentence for sentence in said)
    assert any("There is no page 7" in sentence for sentence in said)
    assert len(links(app)) >= 2
    assert not browser("viewer", "alerts", q="\x00'%_", page="99999999999999999").exception


def test_odd_movements_lead_to_where_they_are_repaired(browser, an_alert):
    odd = an_alert(900, name="Lamp", type="anomaly", chance=0.8)
    app = browser("manager", "alerts")
    assert not app.exception
    link = app.get("page_link")[0]
    assert plain(link.proto.label) == "**Lamp**"
    assert link.proto.page == "anomalies"
    assert link.proto.query_string.startswith("q=")
    assert "Odd movements · since" in plain(words(app))
    app.button(key=f"worse-{odd.uid}").click().run()
    assert (
        plain(words(browser("manager", "alerts", state="snoozed"))).count("the chance of an error, then 80")
        == 1
    )


def test_a_broken_ledger_is_an_alert_about_no_product(browser, session):
    alert = Alert(type="ledger", severity="critical", figures={}, message="Posting 9 has no movements")
    session.add(alert)
    session.flush()
    session.refresh(alert)
    app = browser("manager", "alerts")
    assert not app.exception
    link = app.get("page_link")[0]
    assert (plain(link.proto.label), link.proto.page) == ("**The ledger**", "anomalies")
    assert "at risk" not in words(app)
    app.button(key=f"worse-{alert.uid}").click().run()
    assert "The ledger" in plain(words(app))
    assert "sleeps until more of it is broken" in plain(words(browser("manager", "alerts", state="snoozed")))
    kept = alerting.for_download(alerts.listing(session, state=None, today=NOW.date())[0])
    assert kept[["SKU", "Product", "Type"]].values.tolist() == [["", "The ledger", "Broken ledger"]]


def test_an_empty_list_says_why(browser, session):
    assert "No alert is open" in words(browser("viewer", "alerts"))
    assert "No alert fits these filters." in words(browser("viewer", "alerts", q="nothing like it"))
    session.execute(
        sa.update(AlertSettings).values(
            low_stock_enabled=False, predicted_depletion_enabled=False, anomaly_enabled=False
        )
    )
    assert "No alerts are raised." in words(browser("viewer", "alerts"))


def test_many_alerts_come_in_pages(browser, an_alert):
    for n in range(25):
        an_alert(n)
    app = browser("viewer", "alerts")
    assert sum("threshold of 8" in m.value for m in app.markdown) == 20
    app = browser("viewer", "alerts", page="2")
    assert sum("threshold of 8" in m.value for m in app.markdown) == 5


def test_settings_are_changed_and_the_watch_looks_again(browser, an_alert, session):
    an_alert()
    app = browser("manager", "alerts")
    app.number_input(key="alert_threshold_days").set_value(30)
    app.toggle(key="low_stock_enabled").set_value(False)
    next(button for button in app.button if button.label == "Save").click().run()
    assert any("Saved." in plain(told.value) for told in app.success)
    assert alerts.settings(session) == alerts.Settings(30, False, True, True, (), None, "critical")
    asked = session.scalars(sa.select(JobRun.job).where(JobRun.requested_by.is_not(None))).all()
    assert set(asked) == {"alerts", "auto_resolve"}
    app.number_input(key="alert_threshold_days").set_value(500)
    next(button for button in app.button if button.label == "Save").click().run()
    assert any("500 is not between 1 and 120" in plain(error.value) for error in app.error)
    assert not app.exception


def test_the_download_has_every_alert_as_plain_figures(session, an_alert):
    alert = an_alert(1234)
    (shown,), _ = alerts.listing(session, today=NOW.date())
    frame = alerting.for_download([shown])
    assert frame["Money at risk"].tolist() == ["1234.00"]
    assert frame["Severity"].tolist() == ["Critical"]
    assert frame["Message"].tolist() == [alert.message]
    assert uuid.UUID(str(shown.uid)) == alert.uid
