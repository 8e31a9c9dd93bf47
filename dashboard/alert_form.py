"""Which alerts the shop raises and who is told: in words for everybody, to change for those who may."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from core import alerts, auth, job_runs
from core.alert_channels import Channels
from core.alert_messages import Told
from core.auth import Actor
from core.errors import RunoutError
from dashboard import alert_targets, alerting, looks, signin, ui
from db.session import transact

RAISED_BY = (
    "alert_threshold_days",
    "low_stock_enabled",
    "predicted_depletion_enabled",
    "anomaly_enabled",
)


def draw(now: alerts.Settings, state: Mapping[str, Told], person: Actor) -> None:
    """Which alerts are raised and who is told: in words for everybody, to change for those who may."""
    failing = alert_targets.FAILING if alert_targets.is_failing(state) else ""
    with st.expander(f"Which alerts are raised, and who is told{failing}"):
        if not auth.may(person, "manage alerts"):
            st.markdown("  \n".join([*_in_words(now), alert_targets.in_words(now)]))
            alert_targets.draw_state(state)
            return
        with st.form("alert_settings", border=False, enter_to_submit=False):
            st.toggle(
                "Low stock: at or below the threshold of the product, or of the product in a warehouse",
                now.low_stock_enabled, key="low_stock_enabled",
            )  # fmt: skip
            st.toggle(
                "Runs out soon: the most likely run-out is near", now.predicted_depletion_enabled,
                key="predicted_depletion_enabled",
            )  # fmt: skip
            st.toggle(
                "Odd movements: probably typing errors, to be repaired or dismissed", now.anomaly_enabled,
                key="anomaly_enabled", help="A broken ledger is always said.",
            )  # fmt: skip
            st.number_input(
                "Near means within so many days", value=now.alert_threshold_days, step=1, width=220,
                key="alert_threshold_days", help=f"1 to {alerts.MOST_ALERT_DAYS}: the forecast's horizon.",
            )  # fmt: skip
            alert_targets.draw_fields(now)
            st.form_submit_button("Save", on_click=save)
        told = alerting.desk().get("settings", {})
        if "refused" in told:
            ui.refused(told["refused"])
        elif told:
            st.success(ui.safe_md(told["sentence"]), icon=":material/check:")
        alert_targets.draw_state(state)


def _in_words(now: alerts.Settings) -> list[str]:
    low = "on hand at or below the threshold" if now.low_stock_enabled else "switched off"
    near = (
        f"the most likely run-out is within {now.alert_threshold_days} days"
        if now.predicted_depletion_enabled
        else "switched off"
    )
    odd = "probably typing errors" if now.anomaly_enabled else "switched off"
    return [
        f"Low stock: {low}.",
        f"Runs out soon: {near}.",
        f"Odd movements: {odd}.",
        "Broken ledger: a rule of the ledger does not hold.",
    ]


def save() -> None:
    """Keep the settings, and have all products looked at by them where they raise others than before."""
    mine, given = alerting.desk(), st.session_state
    wanted = {name: given.get(name) for name in RAISED_BY} | alert_targets.given(given)
    if wanted["alert_threshold_days"] is None:
        mine["settings"] = {"refused": "Near means within how many days? Enter a number."}
        return
    answer: dict[str, Any] = {}
    try:
        person, at, channels = signin.require(), looks.now(), alert_targets.channels()
        answer["sentence"] = transact(lambda session: _save(session, person, at, channels, wanted))
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    mine["settings"] = answer


def _save(session: Any, person: Actor, at: datetime, channels: Channels, wanted: dict[str, Any]) -> str:
    before = alerts.settings(session)
    after = alerts.change_settings(session, person, channels=channels, now=at, **wanted)
    if before != after and all(getattr(before, name) == getattr(after, name) for name in RAISED_BY):
        anybody = alert_targets.is_anybody(after)
        return f"Saved. {'New alerts are told from now on.' if anybody else 'Nobody is told any more.'}"
    for watch in ("alerts", "auto_resolve"):
        job_runs.request(session, person, watch, at, right="manage alerts")
    return "Saved. All products are looked at again by this now; that takes a minute."
