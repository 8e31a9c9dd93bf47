"""Who is told of alerts outside of Runout: the fields of the form, the same in words, and how it went."""

import os
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import alert_channels, alert_settings
from core.alert_channels import Channels
from core.alert_messages import Told
from core.alert_settings import Settings
from core.errors import RunoutError
from dashboard import looks, ui

FROM = {"critical": "Critical only", "warning": "Warning and critical", "info": "All alerts"}
BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")  # a line each; a list pasted from a mail has commas
TARGETS = {"email": "E-mail", "webhook": "Webhook"}
WIDE = 480  # pixels: an address fits; on a phone as wide as the phone
FAILING = " :red-badge[Not delivered]"


def draw_fields(now: Settings) -> None:
    """Addresses, webhook and severity, and what the server lacks for them."""
    channels = _channels()
    st.markdown("**Who is told of new ones**")
    st.text_area(
        "Tell by e-mail", "\n".join(now.notify_emails), key="notify_emails", height=100,
        width=WIDE, placeholder="buyer@shop.example",
        help=f"One address a line, at most {alert_settings.MOST_EMAILS}; at most one mail a minute.",
    )  # fmt: skip
    if channels and channels.smtp is None:
        st.caption("Nothing is mailed until the server has SMTP_HOST.")
    st.text_input(
        "Tell a webhook", webhook_shown(now), key="notify_webhook", width=WIDE,
        placeholder="https://hooks.shop.example/…",
        help="Each alert is posted there as JSON. Of what is set the beginning is shown, because the rest "
        "may be a token; left as it is, it stays.",
    )  # fmt: skip
    if channels:
        hosts = ui.safe_md(", ".join(channels.webhook_hosts))
        st.caption(f"Allowed: {hosts}" if hosts else "Nothing is posted until the server has WEBHOOK_HOSTS.")
    st.selectbox(
        "Tell of", list(FROM), list(FROM).index(now.notify_severity), FROM.__getitem__, key="notify_severity",
        width=220,
    )  # fmt: skip


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields hold, as `alerts.change_settings` takes it: an empty webhook is none."""
    addresses = BETWEEN_ADDRESSES.split(fields.get("notify_emails") or "")
    return {
        "notify_emails": [address for address in addresses if address],
        "notify_webhook": (fields.get("notify_webhook") or "").strip() or None,
        "notify_severity": fields.get("notify_severity"),
    }


def webhook_shown(now: Settings) -> str:
    """The beginning of the webhook, whose path may hold a token; nothing where there is none."""
    return alert_channels.shown(now.notify_webhook) if now.notify_webhook else ""


def is_anybody(now: Settings) -> bool:
    return bool(now.notify_emails or now.notify_webhook)


def in_words(now: Settings) -> str:
    """Who is told, for those who only look: of the webhook its host."""
    if not is_anybody(now):
        return "Nobody is told by e-mail or webhook."
    told = list(now.notify_emails)
    if now.notify_webhook:
        told.append(f"webhook at {alert_channels.host(now.notify_webhook)}")
    return f"Told ({FROM[now.notify_severity].lower()}): {ui.safe_md(', '.join(told))}."


def is_failing(state: Mapping[str, Told]) -> bool:
    return any(told.failing_since for told in state.values())


def draw_state(state: Mapping[str, Told]) -> None:
    """What stands in the way of each target, and when somebody was told last."""
    write, at = ui.formats(), looks.now()
    for target, told in state.items():
        if told.failing_since:
            since = write.moment(told.failing_since)
            st.warning(
                f"{TARGETS[target]}: could not be delivered since {ui.safe_md(f'{since}: {told.problem}')}",
                icon=":material/warning:",
            )
    last = [
        f"{TARGETS[target]}: last told {ui.safe_md(write.ago(told.sent_at, at))}"
        for target, told in state.items()
        if told.sent_at
    ]
    if last:
        st.caption(" · ".join(last))


def channels() -> Channels:
    """What this server can tell with. Raises RunoutError where its environment cannot be meant."""
    return alert_channels.from_environment(os.environ)


def _channels() -> Channels | None:
    try:
        return channels()
    except RunoutError as refusal:
        ui.refused(refusal.sentence)
        return None
