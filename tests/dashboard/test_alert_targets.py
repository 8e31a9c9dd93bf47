"""Who is told of alerts: the fields of the form, what they refuse, and what could not be delivered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import alerts
from dashboard import alert_targets
from db.models import Alert, AlertMessage, AuditLine, JobRun
from tests.dashboard.conftest import plain, words

NOW = datetime.now(UTC)
TOKEN = "https://hooks.shop.example/services/secret-of-ours"


@pytest.fixture
def a_server(monkeypatch):
    """One that can mail, and post to one host."""
    monkeypatch.setenv("SMTP_HOST", "mail.shop.example")
    monkeypatch.setenv("SMTP_FROM", "runout@shop.example")
    monkeypatch.setenv("WEBHOOK_HOSTS", "hooks.shop.example")


def save(app):
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception


@pytest.mark.usefixtures("a_server")
def test_who_is_told_is_kept_by_name_and_the_webhook_shown_without_its_token(browser, session):
    app = browser("manager", "alerts")
    assert not {"SMTP_HOST", "WEBHOOK_HOSTS"} & set(plain(words(app)).replace(".", " ").split())
    app.text_area(key="notify_emails").set_value(" a@shop.example\n\nb@shop.example, a@shop.example;")
    app.text_input(key="notify_webhook").set_value(f" {TOKEN} ")
    app.selectbox(key="notify_severity").set_value("warning")
    save(app)
    assert any("Saved. New alerts are told from now on." in plain(told.value) for told in app.success)
    assert session.scalars(sa.select(JobRun.job).where(JobRun.requested_by.is_not(None))).all() == []
    now = alerts.settings(session)
    assert (now.notify_emails, now.notify_webhook) == (("a@shop.example", "b@shop.example"), TOKEN)
    line = session.scalars(sa.select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line.after["notify_emails"] == ["a@shop.example", "b@shop.example"]
    assert "secret-of-ours" not in str(line.after)
    # Whoever opens it later sees where it goes, and saving something else leaves it as it is.
    app = browser("manager", "alerts")
    assert app.text_area(key="notify_emails").value == "a@shop.example\nb@shop.example"
    shown = app.text_input(key="notify_webhook").value
    assert "hooks.shop.example" in shown
    assert "secret-of-ours" not in shown
    app.selectbox(key="notify_severity").set_value("info")
    save(app)
    assert alerts.settings(session) == replace(now, notify_severity="info")
    said = plain(words(browser("viewer", "alerts")))
    assert "Told (all alerts): a@shop.example, b@shop.example, webhook at hooks.shop.example." in said
    assert "services" not in said
    app.text_area(key="notify_emails").set_value("")
    app.text_input(key="notify_webhook").set_value("")
    save(app)
    assert any("Nobody is told any more." in plain(told.value) for told in app.success)
    assert "Nobody is told by e-mail or webhook." in plain(words(browser("viewer", "alerts")))


@pytest.mark.usefixtures("a_server")
def test_whom_one_cannot_tell_is_refused_in_a_sentence_and_what_was_typed_stays(browser, session):
    app = browser("manager", "alerts")
    for field, wrong, sentence in (
        ("notify_emails", "a@shop.example\nnobody", "'nobody' is not an e-mail address."),
        ("notify_emails", "\n".join(f"a{n}@shop.example" for n in range(21)), "at most 20"),
        ("notify_webhook", "http://hooks.shop.example/x", "https://"),
        ("notify_webhook", "https://[::1/x", "https://"),
        ("notify_webhook", "https://ops.shop.example/x", "WEBHOOK_HOSTS"),
    ):
        kind = "text_area" if field == "notify_emails" else "text_input"
        getattr(app, kind)(key=field).set_value(wrong)
        save(app)
        assert [sentence in plain(error.value) for error in app.error] == [True], wrong
        assert getattr(app, kind)(key=field).value == wrong
        getattr(app, kind)(key=field).set_value("")
    assert not alert_targets.is_anybody(alerts.settings(session))


def test_the_form_says_what_the_server_lacks_and_what_could_not_be_delivered(browser, session):
    alert = Alert(type="ledger", severity="critical", figures={}, message="Posting 9 has no movements")
    session.add(alert)
    session.flush()
    app = browser("manager", "alerts")
    said = plain(words(app))
    assert "Nothing is mailed until the server has SMTP_HOST." in said
    assert "Nothing is posted until the server has WEBHOOK_HOSTS." in said
    assert "last told" not in said
    tried, sent = NOW - timedelta(minutes=2), NOW - timedelta(hours=3)
    session.add(
        AlertMessage(alert_id=alert.id, target="email", severity="critical", state="sent", sent_at=sent)
    )
    session.add(
        AlertMessage(alert_id=alert.id, target="webhook", severity="critical", attempts=1, tried_at=tried,
                     problem="hooks.shop.example answered [500](x).")
    )  # fmt: skip
    for role in ("manager", "viewer"):
        app = browser(role, "alerts")
        (expander,) = (one for one in app.expander if "who is told" in one.label)
        assert "Not delivered" in expander.label
        (warning,) = (plain(one.value) for one in app.warning if "delivered" in one.value)
        assert "Webhook: could not be delivered since" in warning
        assert "answered [500](x)." in warning
        assert "E-mail: last told" in plain(words(app))


def test_a_server_that_is_set_up_wrongly_is_said_where_one_would_need_it(browser, monkeypatch):
    monkeypatch.setenv("WEBHOOK_HOSTS", "https://hooks.shop.example/x")
    app = browser("manager", "alerts")
    assert not app.exception
    assert any("WEBHOOK_HOSTS" in plain(error.value) for error in app.error)
