"""Alerts are told once to each target, again when they get worse, and never lost to whatever goes wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from core import alert_channels, alert_messages, alert_sending, alerts, housekeeping, job_runs
from core.alert_channels import Channels
from core.alert_messages import MOST_ATTEMPTS, PAUSES, SENDING_LASTS
from core.alert_sending import NotTold
from core.errors import BadInput, NotAllowed
from core.job_runs import Claim
from db.models import Alert, AlertMessage, AuditLine, JobRun
from db.session import reading, transaction
from jobs import notify, work
from tests.makers import a_product, an_actor

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
HOOK = "https://hooks.example.com/services/token"
ALLOWED = Channels(webhook_hosts=("hooks.example.com",))


@pytest.fixture
def boss(session):
    return an_actor(session)


def choose(session, boss, at=NOW, **about):
    return alerts.change_settings(session, boss, channels=ALLOWED, now=at, **about)


def an_alert(session, severity="critical", at=NOW + MINUTE) -> Alert:
    alert = Alert(
        product_id=a_product(session).id, type="low_stock", severity=severity, message="Low", figures={},
        raised_at=at, changed_at=at,
    )  # fmt: skip
    session.add(alert)
    session.flush()
    return alert


def worsen(session, alert, severity, at):
    alert.severity, alert.changed_at = severity, at
    session.flush()


def told(session) -> list[tuple[str, str, str]]:
    question = sa.select(AlertMessage.target, AlertMessage.severity, AlertMessage.state)
    return [tuple(row) for row in session.execute(question.order_by(AlertMessage.id))]


# -- Who is chosen -------------------------------------------------------------------------------------------


def test_targets_are_kept_as_they_count_and_the_audit_holds_no_secret(session, boss):
    given = [" a@shop.example", "b@shop.example", "A@shop.example", " "]
    said = choose(session, boss, notify_emails=given, notify_webhook=f" {HOOK} ", notify_severity="warning")
    assert said.notify_emails == ("A@shop.example", "b@shop.example")
    assert (said.notify_webhook, said.notify_severity) == (HOOK, "warning")
    assert alerts.settings(session) == said
    line = session.scalars(sa.select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line.after["notify_webhook"].startswith(alert_channels.shown(HOOK))
    assert "token" not in str(line.after)
    assert choose(session, boss, notify_webhook=alert_channels.shown(HOOK)).notify_webhook == HOOK
    assert choose(session, boss, alert_threshold_days=9).notify_webhook == HOOK
    nobody = choose(session, boss, notify_emails=[], notify_webhook=None)
    assert (nobody.notify_emails, nobody.notify_webhook) == ((), None)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"notify_emails": ["a@shop.example, b@shop.example"]}, "not an e-mail"),
        ({"notify_emails": ["a@shop.example\nBcc: b@evil.example"]}, "not an e-mail"),
        ({"notify_emails": ["Ann <a@shop.example>"]}, "not an e-mail"),
        ({"notify_emails": [f"p{n}@shop.example" for n in range(21)]}, "at most 20"),
        ({"notify_webhook": "https://evil.example/x"}, "WEBHOOK_HOSTS"),
        ({"notify_webhook": "http://hooks.example.com/x"}, "https"),
        ({"notify_severity": "fatal"}, "severity"),
    ],
    ids=["list", "header", "name", "too many", "host", "http", "severity"],
)
def test_what_is_no_target_is_refused_and_changes_nothing(session, boss, wrong, why):
    before = alerts.settings(session)
    with pytest.raises(BadInput, match=why):
        choose(session, boss, **wrong)
    assert alerts.settings(session) == before
    with pytest.raises(NotAllowed):
        choose(session, an_actor(session, "user"), notify_emails=[])


# -- What is told --------------------------------------------------------------------------------------------


def test_an_alert_is_told_once_to_each_target_and_again_when_it_gets_worse_only(session, boss):
    choose(session, boss, notify_emails=["a@shop.example"], notify_webhook=HOOK, notify_severity="warning")
    alert = an_alert(session, "warning")
    an_alert(session, "info")
    assert alert_messages.queue(session, NOW) == 2
    assert alert_messages.queue(session, NOW) == 0
    for target in ("email", "webhook"):
        (one,) = alert_messages.take(session, target, NOW, 9)
        assert (one.alert_uid, one.severity, one.message) == (alert.uid, "warning", "Low")
        alert_messages.sent(session, [one.id], NOW)
    worsen(session, alert, "critical", NOW + 2 * MINUTE)
    assert alert_messages.queue(session, NOW) == 2
    for target in ("email", "webhook"):
        alert_messages.sent(session, [one.id for one in alert_messages.take(session, target, NOW, 9)], NOW)
    worsen(session, alert, "warning", NOW + 3 * MINUTE)
    assert alert_messages.queue(session, NOW) == 0  # better is no news
    worsen(session, alert, "critical", NOW + 4 * MINUTE)
    assert alert_messages.queue(session, NOW) == 0  # told before


def test_who_is_added_later_is_not_told_of_old_alerts(session, boss):
    old = an_alert(session, "warning", at=NOW - MINUTE)
    choose(session, boss, notify_emails=["a@shop.example"])
    weak = an_alert(session, "info")
    assert alert_messages.queue(session, NOW) == 0
    choose(session, boss, at=NOW + 2 * MINUTE, notify_severity="info")
    assert alert_messages.queue(session, NOW) == 0
    worsen(session, old, "critical", NOW + 3 * MINUTE)
    worsen(session, weak, "warning", NOW + 3 * MINUTE)
    assert alert_messages.queue(session, NOW) == 2


def test_nobody_who_was_told_misses_an_alert_because_somebody_is_added(session, boss):
    choose(session, boss, notify_emails=["a@shop.example"])
    an_alert(session)
    choose(session, boss, at=NOW + 2 * MINUTE, notify_webhook=HOOK)
    assert told(session) == [("email", "critical", "waiting"), ("webhook", "critical", "given_up")]
    late = an_alert(session)  # a watch had it in hand when the webhook was added
    assert alert_messages.queue(session, NOW) == 2
    choose(session, boss, at=NOW + 3 * MINUTE, notify_emails=["a@shop.example", "b@shop.example"])
    an_alert(session)
    assert alert_messages.queue(session, NOW) == 2
    worsen(session, late, "critical", NOW + 4 * MINUTE)
    assert alert_messages.queue(session, NOW) == 0
    assert alert_messages.state(session)["webhook"].failing_since is None


def test_what_is_over_seen_or_changed_before_it_is_sent_is_not_told(session, boss):
    choose(session, boss, notify_emails=["a@shop.example"], notify_webhook=HOOK)
    resolved, seen, asleep = (an_alert(session) for _ in range(3))
    alert_messages.queue(session, NOW)
    alerts.resolve(session, boss, resolved.uid, NOW)
    alerts.acknowledge(session, boss, seen.uid, NOW)
    alerts.snooze(session, boss, asleep.uid, NOW, until_worse=True)
    assert alert_messages.take(session, "email", NOW, 9) == []
    alert_messages.queue(session, NOW)
    assert told(session) == []
    an_alert(session)
    alert_messages.queue(session, NOW)
    choose(session, boss, notify_webhook=None)
    alert_messages.queue(session, NOW)
    assert told(session) == [("email", "critical", "waiting")]


# -- When it does not arrive ---------------------------------------------------------------------------------


def test_it_is_tried_again_after_longer_and_longer_pauses_and_then_given_up(session, boss):
    choose(session, boss, notify_webhook=HOOK)
    an_alert(session)
    alert_messages.queue(session, NOW)
    at, deliveries = NOW, set()
    for number in range(MOST_ATTEMPTS):
        (one,) = alert_messages.take(session, "webhook", at, 9)
        deliveries.add(one.uid)
        given_up = alert_messages.failed(session, [one.id], at, "hooks.example.com answered 500.")
        assert given_up == (number == MOST_ATTEMPTS - 1)
        if not given_up:
            at += PAUSES[number]
            assert alert_messages.take(session, "webhook", at - timedelta(seconds=1), 9) == []
    assert len(deliveries) == 1
    assert alert_messages.take(session, "webhook", at + timedelta(days=9), 9) == []
    state = alert_messages.state(session)["webhook"]
    assert (state.sent_at, state.waiting, state.failing_since) == (None, 0, NOW)
    assert state.problem == "hooks.example.com answered 500."
    an_alert(session)
    alert_messages.queue(session, at)
    alert_messages.sent(session, [alert_messages.take(session, "webhook", at, 9)[0].id], at + MINUTE)
    well = alert_messages.state(session)["webhook"]
    assert (well.sent_at, well.failing_since, well.problem) == (at + MINUTE, None, None)


def test_one_who_died_between_sending_and_noting_leaves_it_to_be_sent_again_under_the_same_id(session, boss):
    choose(session, boss, notify_webhook=HOOK)
    an_alert(session)
    alert_messages.queue(session, NOW)
    (first,) = alert_messages.take(session, "webhook", NOW, 9)
    assert alert_messages.take(session, "webhook", NOW + SENDING_LASTS - MINUTE, 9) == []
    (second,) = alert_messages.take(session, "webhook", NOW + SENDING_LASTS, 9)
    assert second.uid == first.uid


def test_messages_are_forgotten_when_they_are_old_and_their_alert_is_over(session, boss):
    choose(session, boss, at=NOW - timedelta(days=99), notify_webhook=HOOK)
    then = NOW - timedelta(days=91)
    over, open_ = an_alert(session, at=then), an_alert(session, at=then)
    alert_messages.queue(session, then)
    alerts.resolve(session, boss, over.uid, NOW)
    assert housekeeping.forget(session, NOW) == 1
    assert session.scalars(sa.select(AlertMessage.alert_id)).all() == [open_.id]
    assert alert_messages.queue(session, NOW) == 0


# -- The job -------------------------------------------------------------------------------------------------


class World:
    """A shop that tells one address and a webhook, and what they got; `trouble` is raised instead."""

    def __init__(self, monkeypatch) -> None:
        self.mails, self.posts, self.trouble, self.gate = [], [], {}, None
        monkeypatch.setattr(alert_sending, "mail", self._mail)
        monkeypatch.setattr(alert_sending, "post", self._post)
        with transaction() as session:
            choose(session, an_actor(session), notify_emails=["a@shop.example"], notify_webhook=HOOK)

    def _mail(self, _channels, addresses, news, _shop, _now):
        if self.gate:
            self.gate.wait(5)
        self._raise("mail")
        self.mails.append((tuple(addresses), [one.uid for one in news]))

    def _post(self, _channels, url, one):
        self._raise("post")
        self.posts.append((url, one.uid))

    def _raise(self, what):
        if what in self.trouble:
            raise self.trouble[what]

    def tick(self) -> JobRun:
        with transaction() as session:
            job_runs.enqueue(session, "notify", NOW + timedelta(seconds=len(self.claims())))
            claim = job_runs.claim(session, "test", ["notify"], NOW)
        work.do(claim)
        with reading() as session:
            return session.get(JobRun, claim.run_id)

    def claims(self):
        with reading() as session:
            return session.scalars(sa.select(JobRun.id).where(JobRun.job == "notify")).all()

    def raise_alerts(self, number):
        with transaction() as session:
            for _ in range(number):
                an_alert(session)

    def again(self):
        """Time passes: whatever waits is due."""
        with transaction() as session:
            session.execute(sa.update(AlertMessage).values(next_try_at=NOW))

    def states(self):
        with reading() as session:
            return sorted((target, state) for target, _, state in told(session))


@pytest.fixture
def world(clone, monkeypatch) -> World:  # noqa: ARG001
    return World(monkeypatch)


def test_the_job_sends_one_mail_for_all_and_a_post_for_each_and_then_nothing(world, monkeypatch):
    world.raise_alerts(3)
    assert world.tick().result == {"queued": 6, "mailed": 3, "posted": 3}
    assert [(to, len(news)) for to, news in world.mails] == [(("a@shop.example",), 3)]
    assert len({uid for _, uid in world.posts}) == 3
    assert {url for url, _ in world.posts} == {HOOK}
    assert world.tick().result == {"queued": 0, "mailed": 0, "posted": 0}
    assert (len(world.mails), len(world.posts)) == (1, 3)
    monkeypatch.setattr(notify, "MOST", 2)
    world.raise_alerts(3)
    assert world.tick().result == {"queued": 6, "mailed": 2, "posted": 2}
    assert world.tick().result == {"queued": 0, "mailed": 1, "posted": 1}


def test_trouble_with_one_target_keeps_nothing_from_the_other_and_what_failed_comes_again(world):
    world.raise_alerts(2)
    world.trouble = {"mail": NotTold("The mail server refused."), "post": NotTold("away", is_away=True)}
    run = world.tick()
    assert (run.state, run.result) == ("done", {"queued": 4, "mailed": 0, "posted": 0})
    with reading() as session:
        state = alert_messages.state(session)
    assert (state["email"].problem, state["email"].waiting) == ("The mail server refused.", 2)
    with reading() as session:  # who is away is asked once in a run
        assert (
            session.scalars(sa.select(AlertMessage.attempts).where(AlertMessage.target == "webhook"))
            .all()
            .count(1)
            == 1
        )
    del world.trouble["mail"]
    world.again()
    assert world.tick().result == {"queued": 0, "mailed": 2, "posted": 0}
    world.trouble["post"] = NotTold("hooks.example.com answered 400.")
    world.again()
    world.tick()  # each by itself: one that is refused holds up no other
    world.trouble.clear()
    world.again()
    assert world.tick().result == {"queued": 0, "mailed": 0, "posted": 2}
    assert {state for _, state in world.states()} == {"sent"}


def test_a_crash_after_sending_sends_again_under_the_same_id(world, monkeypatch):
    world.raise_alerts(1)
    with monkeypatch.context() as crash:
        crash.setattr(alert_messages, "sent", lambda *_: (_ for _ in ()).throw(OSError("the power went")))
        assert world.tick().state == "failed"
    assert world.tick().result["mailed"] == 0  # it is still held to be under way
    world.again()
    world.tick()
    assert len(world.mails) == 2
    assert world.mails[0] == world.mails[1]
    assert {state for _, state in world.states()} == {"sent"}


def test_two_at_once_send_once(world):
    world.raise_alerts(4)
    gate = Barrier(2)

    def one(number):
        with transaction() as session:
            job_runs.enqueue(session, "notify", NOW + timedelta(hours=number))
        with transaction() as session:
            run_id = session.scalar(
                sa.select(JobRun.id).where(
                    JobRun.job == "notify", JobRun.slot == NOW + timedelta(hours=number)
                )
            )
            session.execute(
                sa.update(JobRun).where(JobRun.id == run_id)
                .values(state="running", fence=1, worker="test", lease_until=NOW + timedelta(hours=9))
            )  # fmt: skip
        gate.wait(5)
        notify.tell(Claim(run_id, "notify", NOW + timedelta(hours=number), 1, None))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, (1, 2)))
    assert sum(len(news) for _, news in world.mails) == 4
    assert len(world.posts) == len({uid for _, uid in world.posts}) == 4


def test_a_setting_that_cannot_be_meant_fails_the_run_with_its_name(world, monkeypatch):
    monkeypatch.setenv("WEBHOOK_HOSTS", "https://hooks.example.com")
    world.raise_alerts(1)
    run = world.tick()
    assert run.state == "failed"
    assert "WEBHOOK_HOSTS" in run.message
    assert world.mails == []
