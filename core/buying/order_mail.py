"""A purchase order by mail: the words ready to send, and sending them where a mail server is configured.

A mail must not be lost without a word, nor go out twice because somebody clicked twice. So it is mailed after
the order was sent, in three steps: one transaction notes that somebody begins (who comes second is refused),
then the mail server is spoken to, then a second transaction notes what came of it. When nobody can know what
came of it (the machine died, or the connection broke after the mail was handed over), the first note stays:
the order says so, and a person decides whether to mail it again.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from sqlalchemy.orm import Session

from core import auth, inputs, shop
from core.auth import Actor
from core.buying import order_looks, order_papers, order_state
from core.buying.order_looks import Detail
from core.errors import BadInput, RuleBroken, RunoutError
from db.models import PurchaseOrder

PORT = 587  # where mail servers take mail of people who sign in
TLS_PORT = 465  # encrypted from the first byte
TIMEOUT_SECONDS = 20  # of each step; the person waits for it
# Longer than all steps of one mail together. Within it a second mail of the same order is a second click.
ONE_MAIL_LASTS = timedelta(minutes=3)
RETRY_SECONDS = 60  # when a program may ask again; by then a mail server that was restarted is there
ADDRESS_CHARACTERS = 254
# What a header, a list of addresses or a mail server could take for something else has no place in it.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")

Write = Callable[[], AbstractContextManager[Session]]
"""`db.session.transaction`, handed in by whoever opens the door."""


class MailFailed(RunoutError):
    """The mail did not go out; the order stays sent."""

    status = 503
    retry_after_seconds = RETRY_SECONDS


class MailUncertain(RunoutError):
    """Nobody knows whether the mail went out; the order says so."""

    status = 503
    retry_after_seconds = RETRY_SECONDS


@dataclass(frozen=True)
class Smtp:
    """How to reach the mail server. `sender` is who the mail is from; without a user nobody signs in."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    starttls: bool


@dataclass(frozen=True)
class Letter:
    """An order in words, ready to be sent or copied. `to` is None where the vendor has no address."""

    to: str | None
    subject: str
    text: str


def settings(environment: Mapping[str, str]) -> Smtp | None:
    """How to reach the mail server, from SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASSWORD, SMTP_FROM and
    SMTP_STARTTLS; None without a host. Refuses what cannot work, and a password sent in the clear."""
    host = (environment.get("SMTP_HOST") or "").strip()
    if not host:
        return None
    port = (environment.get("SMTP_PORT") or str(PORT)).strip()
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise RuleBroken("SMTP_PORT is not a port: correct the setting.")
    user = environment.get("SMTP_USER") or None
    said = (environment.get("SMTP_STARTTLS") or "on").strip().lower()
    if said not in ("on", "off"):
        raise RuleBroken("SMTP_STARTTLS is neither on nor off: correct the setting.")
    if user and said == "off" and int(port) != TLS_PORT:
        raise RuleBroken("SMTP_USER with SMTP_STARTTLS=off would send the password in the clear.")
    sender = environment.get("SMTP_FROM") or user or ""
    if not ADDRESS.fullmatch(sender):
        raise RuleBroken("SMTP_FROM is not an e-mail address: set it to the one that orders come from.")
    return Smtp(host, int(port), user, environment.get("SMTP_PASSWORD") or None, sender, said == "on")


def address(given: str) -> str:
    """One e-mail address as it stands in a header. Refuses lists, names and whatever else it cannot be."""
    said = inputs.text(given, "E-mail", ADDRESS_CHARACTERS)
    if not ADDRESS.fullmatch(said):
        raise BadInput(f"'{inputs.shown(said)}' is not an e-mail address.")
    return said


def letter(detail: Detail, person: str) -> Letter:
    """The words of an order, from `person`; also for copying where no mail server is configured."""
    order, vendor = detail.order, detail.vendor
    greeting = f"Dear {_line(vendor.contact_name)}," if vendor.contact_name else "Dear Sir or Madam,"
    wanted = [
        f"- {order_papers.quantity(line)} x {_line(line.vendor_sku or line.sku)} {_line(line.name)}, "
        f"{order_papers.money(line.unit_price)} each = {order_papers.money(line.value)} {order.currency}, "
        f"to {line.warehouse_code}"
        for line in detail.lines
    ]
    places = [f"- {said}" for said in order_papers.places(detail)]
    freight = detail.facts.freight
    totals = [f"Goods: {order_papers.money(detail.facts.goods)} {order.currency}"]
    if freight is not None:
        totals.append(f"Freight: {order_papers.money(freight)} {order.currency}")
        totals.append(f"Total: {order_papers.money(detail.facts.total)} {order.currency}")
    day = f"We expect it on {detail.facts.arrives_on}." if detail.facts.arrives_on else ""
    parts = [
        greeting,
        f"please deliver what our order {order.number} asks for:",
        "\n".join(wanted),
        "\n".join(totals),
        day,
        "Deliver to:\n" + "\n".join(places) if places else "",
        order.note or "",
        f"Kind regards\n{_line(person)}\n{_line(detail.shop_name)}",
    ]
    return Letter(
        to=vendor.email,
        subject=f"Order {order.number} of {_line(detail.shop_name)}",
        text="\n\n".join(part for part in parts if part) + "\n",
    )


def send_mail(
    write: Write,
    actor: Actor,
    smtp: Smtp | None,
    order_uid: uuid.UUID | str,
    *,
    now: datetime,
    to: str | None = None,
    again: bool = False,
) -> str:
    """Mail an order that was sent, with its PDF, to the vendor or to `to`; answers the address.

    Opens transactions of its own, so it is called outside of any. Refuses an order that is not awaited, one
    that is being mailed, and one that was mailed before unless `again`.

    Raises:
        MailFailed: it did not go out; the order is noted as not mailed.
        MailUncertain: it was handed over and nobody knows what came of it; the order is noted so.
    """
    if smtp is None:
        raise RuleBroken("No mail server is configured (SMTP_HOST): copy the text and send it yourself.")
    with write() as session:
        detail, target = _begin(session, actor, order_uid, to, now, again=again)
    try:
        message = compose(smtp, actor, detail, target, now)
        deliver(smtp, message)
    except MailUncertain:
        raise
    except Exception as trouble:
        said = trouble.sentence if isinstance(trouble, RunoutError) else type(trouble).__name__
        with write() as session:
            _end(session, actor, detail.order, "could not mail", {"to": target, "because": said})
        raise
    with write() as session:
        order = _end(session, actor, detail.order, "mailed", {"to": target})
        order.mailed_to, order.mailed_at = target, now
    return target


def compose(smtp: Smtp, actor: Actor, detail: Detail, to: str, now: datetime) -> EmailMessage:
    """The mail itself. Answers go to the person who sends it; the id is the same for the same click."""
    words = letter(detail, actor.name)
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"], message["To"], message["Subject"] = smtp.sender, address(to), words.subject
    if ADDRESS.fullmatch(actor.email):
        message["Reply-To"] = actor.email
    message["Date"] = format_datetime(now)
    host = smtp.sender.rpartition("@")[2]
    message["Message-ID"] = f"<{detail.order.uid}.{int(now.timestamp())}@{host}>"
    message.set_content(words.text)
    message.add_attachment(
        order_papers.pdf(detail), maintype="application", subtype="pdf", filename=f"{detail.order.number}.pdf"
    )
    return message


def _begin(
    session: Session, actor: Actor, order_uid: uuid.UUID | str, to: str | None, now: datetime, *, again: bool
) -> tuple[Detail, str]:
    """Note that somebody mails the order from now on."""
    auth.must(actor, "buy")
    order = order_state.locked(session, order_uid)
    order_state.must_be(order, *order_state.AWAITED, what="only one that is awaited is mailed.")
    if order.mailing_at is not None and now - order.mailing_at < ONE_MAIL_LASTS:
        raise RuleBroken(f"{order.number} is being mailed at this moment: wait for what comes of it.")
    if order.mailed_at is not None and now - order.mailed_at < ONE_MAIL_LASTS:
        raise RuleBroken(f"{order.number} was mailed to {order.mailed_to} a moment ago.")
    if order.mailing_at is not None and not again:
        raise RuleBroken(
            f"Nobody knows whether the mail of {order.number} from {order.mailing_at:%Y-%m-%d %H:%M} UTC "
            "went out: ask the vendor, or mail it again."
        )
    if order.mailed_at is not None and not again:
        raise RuleBroken(
            f"{order.number} was mailed to {order.mailed_to} before: mail it again if you want to."
        )
    detail = order_looks.detail(session, order, shop.today(shop.get(session), now))
    given = to or detail.vendor.email
    if not given:
        raise BadInput(f"{detail.vendor.name} has no e-mail address: enter one.")
    target = address(given)
    order.mailing_at = now
    session.flush()
    order_state.note(session, actor, "began to mail", order, after={"to": target})
    return detail, target


def _end(session: Session, actor: Actor, order: PurchaseOrder, action: str, after: dict) -> PurchaseOrder:
    kept = order_state.locked(session, order.uid)
    kept.mailing_at = None
    order_state.note(session, actor, action, kept, after=after)
    return kept


def deliver(smtp: Smtp, message: EmailMessage) -> tuple[str, ...]:
    """Hand the mail to the server; answers the addresses that it refused while it took the mail for others.

    Raises MailFailed while it is certain that it did not take it, else MailUncertain.
    """
    import smtplib
    import ssl

    refused = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
    trust = ssl.create_default_context()
    server = None
    try:
        if smtp.port == TLS_PORT:
            server = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS, context=trust)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS)
            if smtp.starttls:
                server.starttls(context=trust)
        if smtp.user:
            server.login(smtp.user, smtp.password or "")
    except (OSError, smtplib.SMTPException) as trouble:
        if server is not None:
            server.close()
        raise MailFailed(
            f"The mail server at {smtp.host} does not take mail: {_because(trouble)}"
        ) from trouble
    try:
        return tuple(server.send_message(message))
    except refused as trouble:
        raise MailFailed(f"The mail server refused the mail: {_because(trouble)}") from trouble
    except (OSError, smtplib.SMTPException) as trouble:
        raise MailUncertain(
            "The connection to the mail server broke: nobody knows whether the mail went out. Ask the "
            "vendor, or mail it again."
        ) from trouble
    finally:
        # It is done either way: a server that does not say goodbye changes nothing.
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _because(trouble: Exception) -> str:
    """What the server said, in short; never what it was told."""
    said = getattr(trouble, "smtp_error", None)
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    return f"{inputs.shown(said or trouble or type(trouble).__name__, 120)}."


def _line(text: str) -> str:
    """A text on one line, as headers need it."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
