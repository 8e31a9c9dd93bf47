"""Alerts leave the house: one mail for several of them, one call of the webhook for each. No session is open.

Whatever goes wrong is a sentence that people may read: it names the host, never the webhook's path.
"""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from http.client import HTTPException, HTTPSConnection

from core import alert_channels, alert_letters, https_call, inputs
from core.alert_channels import Channels
from core.alert_letters import News
from core.buying import order_mail
from core.errors import RunoutError
from core.https_call import Connection, Unread

SECONDS = 5  # of each step; nobody waits for it but the next alert
MOST_BYTES = 4096  # of an answer that nobody reads
PROBLEM_CHARACTERS = 120


class NotTold(RunoutError):
    """It did not arrive, or nobody knows. `is_away`: whoever should take it took nothing at all, so that a
    second message would fare no better."""

    status = 503

    def __init__(self, sentence: str, *, is_away: bool = False) -> None:
        super().__init__(sentence)
        self.is_away = is_away


def mail(
    channels: Channels, addresses: Sequence[str], news: Sequence[News], shop_name: str, now: datetime
) -> str | None:
    """Mail these alerts to all addresses at once; answers what is wrong with some of them, if anything.

    Raises:
        NotTold: no mail server is configured, it took nothing, or nobody knows whether it did.
    """
    smtp = channels.smtp
    if smtp is None:
        raise NotTold("No mail server is configured (SMTP_HOST).", is_away=True)
    words = alert_letters.letter(news, shop_name, channels.public_url)
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"], message["To"], message["Subject"] = smtp.sender, ", ".join(addresses), words.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = alert_letters.message_id(news, smtp.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday note comes back
    message.set_content(words.text)
    try:
        refused = order_mail.deliver(smtp, message)
    except order_mail.MailUncertain as trouble:
        raise NotTold(
            f"The connection to the mail server at {smtp.host} broke: nobody knows whether the mail went out."
        ) from trouble
    except order_mail.MailFailed as trouble:
        raise NotTold(trouble.sentence, is_away=True) from trouble
    return f"The mail server refused {', '.join(refused)}." if refused else None


def post(channels: Channels, url: str, one: News, *, connection: Connection = HTTPSConnection) -> None:
    """Post one alert to the webhook; an answer of 200 to 299 is that it arrived, whatever else it says.

    The host is held against the operator's list once more: the list may be shorter than when it was chosen.

    Raises:
        NotTold: not allowed, not there, too slow, or another answer; a redirect is one and is not followed.
    """
    try:
        place = alert_channels.webhook(channels, url)
    except RunoutError as refusal:
        raise NotTold(refusal.sentence, is_away=True) from refusal
    body = alert_letters.body(one, channels.public_url)
    headers = {"Content-Type": "application/json", "X-Runout-Delivery": str(one.uid)}
    if channels.webhook_secret:
        headers["X-Runout-Signature"] = alert_letters.signature(body, channels.webhook_secret)
    try:
        status, _ = https_call.call(
            "POST", place.host, place.port, place.target, headers=headers, body=body, seconds=SECONDS,
            most_bytes=MOST_BYTES, connection=connection,
        )  # fmt: skip
    except Unread as trouble:
        status = trouble.status
    except (OSError, HTTPException, ValueError) as trouble:
        raise NotTold(f"{place.host} does not answer: {_because(trouble)}.", is_away=True) from trouble
    if not 200 <= status < 300:
        raise NotTold(f"{place.host} answered {status}.")


def _because(trouble: Exception) -> str:
    said = getattr(trouble, "verify_message", None) or getattr(trouble, "strerror", None)
    return inputs.shown(said or type(trouble).__name__, PROBLEM_CHARACTERS)
