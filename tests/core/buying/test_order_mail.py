"""Orders by mail: never lost without a word, never twice for a double click, nothing slips into a header."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from core.buying import order_looks, order_mail, order_state, orders
from core.buying.order_mail import MailFailed, MailUncertain, Smtp
from core.errors import BadInput, NotAllowed, RuleBroken, RunoutError
from db.models import AuditLine, PurchaseOrder
from db.session import reading, transaction
from tests import mail_server
from tests.mail_server import MailServer
from tests.makers import a_product, a_vendor, a_warehouse, an_actor

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def post_office() -> Iterator[MailServer]:
    with mail_server.running() as server:
        yield server


@pytest.fixture
def smtp(post_office) -> Smtp:
    return Smtp("127.0.0.1", post_office.server_address[1], None, None, "orders@shop.example", starttls=False)


class World:
    def __init__(self) -> None:
        with transaction() as session:
            a_warehouse(session, "MAIN", location="Dock 7")
            self.actor = an_actor(session, "manager")
            product = a_product(session, sku="SKU-1", name="Kerze\r\nBcc: x@evil.example")
            vendor = a_vendor(
                session, name="Łódź", email="orders@vendor.example", contact_name="Ms\nBcc: x@evil.example"
            )
            place = session.scalar(sa.text("SELECT id FROM warehouse"))
            lines = [{"product_id": product.id, "warehouse_id": place, "quantity": 3, "unit_price": "1.5"}]
            order = orders.draft(session, self.actor, vendor.id, lines, NOW.date(), note="Ramp 2")
            self.uid = order.uid
            orders.send(session, self.actor, order.uid, NOW)

    def mail(self, smtp, now=NOW, **about):
        return order_mail.send_mail(transaction, self.actor, smtp, self.uid, now=now, **about)

    def order(self) -> PurchaseOrder:
        with reading() as session:
            return session.scalars(sa.select(PurchaseOrder).where(PurchaseOrder.uid == self.uid)).one()

    def told(self) -> list[str]:
        with reading() as session:
            question = sa.select(AuditLine.action).where(AuditLine.subject_id == str(self.uid))
            return list(session.scalars(question.order_by(AuditLine.id)))


@pytest.fixture
def world(clone) -> World:  # noqa: ARG001
    return World()


# -- Sending -------------------------------------------------------------------------------------------------


def test_the_vendor_gets_the_words_and_the_paper(world, smtp, post_office):
    assert world.mail(smtp) == "orders@vendor.example"
    (raw,) = post_office.mails
    mail = message_from_bytes(raw, policy=default)
    assert (mail["From"], mail["To"]) == ("orders@shop.example", "orders@vendor.example")
    assert mail["Subject"] == "Order PO-2026-0001 of Runout"
    assert (mail["Reply-To"], mail["Bcc"], mail["Cc"]) == (world.actor.email, None, None)
    assert mail["Message-ID"].startswith(f"<{world.uid}.")
    text = mail.get_body(("plain",)).get_content()
    for part in ("Dear Ms Bcc: x@evil.example,", "- 3 x SKU-1 Kerze Bcc: x@evil.example, 1.50 each = 4.50",
                 "MAIN: MAIN, Dock 7", "Ramp 2", world.actor.name):  # fmt: skip
        assert part in text, part
    (paper,) = mail.iter_attachments()
    assert paper.get_filename() == "PO-2026-0001.pdf"
    assert paper.get_content().startswith(b"%PDF-")
    order = world.order()
    assert (order.mailed_to, order.mailed_at, order.mailing_at) == ("orders@vendor.example", NOW, None)
    assert world.told()[-2:] == ["began to mail", "mailed"]


def test_a_second_click_mails_nothing(world, smtp, post_office):
    world.mail(smtp)
    for again in (False, True):
        with pytest.raises(RuleBroken, match=r"was mailed to orders@vendor.example a moment ago"):
            world.mail(smtp, NOW + timedelta(seconds=5), again=again)
    with pytest.raises(RuleBroken, match=r"was mailed to orders@vendor.example before"):
        world.mail(smtp, LATER)
    assert len(post_office.mails) == 1
    assert world.mail(smtp, LATER, again=True, to="boss@vendor.example") == "boss@vendor.example"
    assert (len(post_office.mails), world.order().mailed_to) == (2, "boss@vendor.example")


def test_two_clicks_at_the_same_moment_are_one_mail(world, smtp, post_office):
    post_office.gate.clear()

    def click(_):
        try:
            return world.mail(smtp)
        except RunoutError as refusal:
            post_office.gate.set()
            return refusal.sentence

    with ThreadPoolExecutor(2) as threads:
        answers = set(threads.map(click, range(2)))
    assert answers == {
        "orders@vendor.example", "PO-2026-0001 is being mailed at this moment: wait for what comes of it."
    }  # fmt: skip
    assert len(post_office.mails) == 1


@pytest.mark.parametrize("step", ["RCPT", "MAIL", "DATA"])
def test_a_mail_that_is_refused_is_told_and_can_be_sent_again(world, smtp, post_office, step):
    post_office.trouble = step
    with pytest.raises(MailFailed, match="refused the mail") as refusal:
        world.mail(smtp)
    assert "\n" not in refusal.value.sentence
    order = world.order()
    assert (order.state, order.mailed_at, order.mailing_at, order.mailed_to) == ("sent", None, None, None)
    assert world.told()[-1] == "could not mail"
    post_office.trouble = ""
    assert world.mail(smtp, NOW + timedelta(seconds=9)) == "orders@vendor.example"


def test_a_server_that_is_away_is_told(world, smtp, post_office):
    post_office.shutdown()
    post_office.server_close()
    with pytest.raises(MailFailed, match="does not take mail"):
        world.mail(smtp)
    with pytest.raises(MailFailed, match="does not take mail"):
        world.mail(replace(smtp, starttls=True), NOW + timedelta(seconds=1))
    assert world.order().mailing_at is None


def test_a_server_that_cannot_encrypt_gets_neither_password_nor_mail(world, smtp, post_office):
    with pytest.raises(MailFailed, match="does not take mail"):
        world.mail(replace(smtp, starttls=True, user="me", password="secret"))
    assert post_office.mails == []


def test_when_nobody_knows_whether_it_went_out_the_order_says_so(world, smtp, post_office):
    post_office.trouble = "silence"
    with pytest.raises(MailUncertain, match="nobody knows"):
        world.mail(smtp)
    order = world.order()
    assert (order.mailed_at, order.mailing_at) == (None, NOW)
    post_office.trouble = ""
    with pytest.raises(RuleBroken, match="is being mailed at this moment"):
        world.mail(smtp, NOW + timedelta(seconds=9), again=True)
    with pytest.raises(RuleBroken, match="Nobody knows whether the mail"):
        world.mail(smtp, LATER)
    with pytest.raises(RuleBroken, match="was mailed to the vendor: cancel it"), transaction() as session:
        orders.unsend(session, world.actor, world.uid, LATER)
    world.mail(smtp, LATER, again=True)
    assert world.order().mailed_at == LATER


def test_a_server_that_does_not_say_goodbye_has_the_mail_all_the_same(world, smtp, post_office):
    post_office.trouble = "QUIT"
    assert world.mail(smtp) == "orders@vendor.example"


def test_a_paper_that_cannot_be_made_leaves_the_order_unmailed(world, smtp, monkeypatch):
    monkeypatch.setattr("core.buying.order_papers.pdf", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.mail(smtp)
    assert world.order().mailing_at is None
    assert world.told()[-1] == "could not mail"


def test_only_what_is_awaited_is_mailed_by_those_who_buy(world, smtp, post_office):
    with pytest.raises(RuleBroken, match="No mail server is configured"):
        world.mail(None)
    with transaction() as session:
        staff = an_actor(session, "user")
    with pytest.raises(NotAllowed):
        order_mail.send_mail(transaction, staff, smtp, world.uid, now=NOW)
    with transaction() as session:
        order_state.locked(session, world.uid)
        orders.cancel(session, world.actor, world.uid, NOW)
    with pytest.raises(RuleBroken, match="was cancelled"):
        world.mail(smtp)
    with transaction() as session:
        orders.reopen(session, world.actor, world.uid, NOW)
        session.execute(sa.text("UPDATE vendor SET email = NULL"))
    with pytest.raises(BadInput, match="has no e-mail address"):
        world.mail(smtp)
    assert post_office.mails == []


# -- Addresses, words and settings ---------------------------------------------------------------------------

NO_ADDRESSES = [
    "", "x", "a@b@c", "a b@c.de", "a@b.de\nBcc: c@d.de", "a@b.de\r\nDATA", "a@b.de, c@d.de", "a@b.de;c@d.de",
    "<a@b.de>", "A <a@b.de>", "a@", "@b.de", "ä@b.de", "a@bücher.de", "a@b..de", "a\x00@b.de", "a@b.de>",
    '"a b"@c.de', "a" * 65 + "@b.de", "a@" + "b" * 260,
]  # fmt: skip


@pytest.mark.parametrize("given", NO_ADDRESSES, ids=range(len(NO_ADDRESSES)))
def test_what_is_not_one_address_is_refused(given):
    with pytest.raises(BadInput):
        order_mail.address(given)


def test_one_address_is_taken():
    assert (
        order_mail.address(" first.last+po@mail.example-shop.co.uk ")
        == "first.last+po@mail.example-shop.co.uk"
    )


def test_the_words_can_be_copied_without_any_mail_server(world):
    with reading() as session:
        detail = order_looks.by_uid(session, world.uid, NOW.date())
    letter = order_mail.letter(detail, "Mona")
    assert (letter.to, letter.subject) == ("orders@vendor.example", "Order PO-2026-0001 of Runout")
    assert letter.text.endswith("Kind regards\nMona\nRunout\n")


def test_the_settings_are_those_of_the_environment():
    given = {"SMTP_HOST": " mail.shop.example ", "SMTP_USER": "me@shop.example", "SMTP_PASSWORD": "x y"}
    smtp = order_mail.settings(given)
    assert smtp == Smtp("mail.shop.example", 587, "me@shop.example", "x y", "me@shop.example", starttls=True)
    assert "x y" not in repr(smtp)
    assert order_mail.settings({}) is order_mail.settings({"SMTP_HOST": " "}) is None
    plain = order_mail.settings(
        {"SMTP_HOST": "h", "SMTP_FROM": "a@b.de", "SMTP_STARTTLS": "OFF", "SMTP_PORT": "25"}
    )
    assert (plain.user, plain.port, plain.starttls, plain.sender) == (None, 25, False, "a@b.de")


@pytest.mark.parametrize(
    ("change", "name"),
    [({"SMTP_PORT": "x"}, "SMTP_PORT"), ({"SMTP_PORT": "0"}, "SMTP_PORT"), ({"SMTP_PORT": "²"}, "SMTP_PORT"),
     ({"SMTP_STARTTLS": "maybe"}, "SMTP_STARTTLS"), ({"SMTP_STARTTLS": "off"}, "SMTP_USER"),
     ({"SMTP_FROM": "a@b.de\nBcc: c@d.de"}, "SMTP_FROM"), ({"SMTP_USER": "", "SMTP_FROM": ""}, "SMTP_FROM")],
    ids=range(7),
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_by_name(change, name):
    with pytest.raises(RuleBroken, match=name):
        order_mail.settings({"SMTP_HOST": "h", "SMTP_USER": "a@b.de"} | change)
