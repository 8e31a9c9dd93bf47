"""Which alerts the shop raises: in words for everybody, to change for those who may."""

from datetime import datetime
from typing import Any

import streamlit as st

from core import alerts, auth, job_runs
from core.auth import Actor
from core.errors import RunoutError
from dashboard import alerting, looks, signin, ui
from db.session import transact


def draw(now: alerts.Settings, person: Actor) -> None:
    """Which alerts are raised: in words for everybody, to change for those who may."""
    with st.expander("Which alerts are raised"):
        if not auth.may(person, "manage alerts"):
            st.markdown("  \n".join(_in_words(now)))
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
            st.form_submit_button("Save", on_click=save)
        told = alerting.desk().get("settings", {})
        if "refused" in told:
            ui.refused(told["refused"])
        elif told:
            st.success(ui.safe_md(told["sentence"]), icon=":material/check:")


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
    """Keep the settings and have all products looked at by them."""
    mine, given = alerting.desk(), st.session_state
    wanted = {name: given.get(name) for name in alerts.Settings.__dataclass_fields__}
    if wanted["alert_threshold_days"] is None:
        mine["settings"] = {"refused": "Near means within how many days? Enter a number."}
        return
    answer: dict[str, Any] = {}
    try:
        person, at = signin.require(), looks.now()
        transact(lambda session: _save(session, person, at, wanted))
        answer["sentence"] = "Saved. All products are looked at again by this now; that takes a minute."
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    mine["settings"] = answer


def _save(session: Any, person: Actor, at: datetime, wanted: dict[str, Any]) -> None:
    alerts.change_settings(session, person, **wanted)
    for watch in ("alerts", "auto_resolve"):
        job_runs.request(session, person, watch, at, right="manage alerts")
