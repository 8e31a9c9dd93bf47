"""Alerts as cards: what they say, what may be done about them, and what became of the last click."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core import alert_rules, alert_undo, alerts, auth
from core.alerts import Shown
from core.auth import Actor
from core.errors import RunoutError
from dashboard import looks, signin, ui
from db.session import transact

STATES = {
    "active": "Active",
    "acknowledged": "Acknowledged",
    "snoozed": "Snoozed",
    "resolved": "Resolved",
}
TYPES = {
    "low_stock": "Low stock",
    "predicted_depletion": "Runs out soon",
    "anomaly": "Odd movements",
    "ledger": "Broken ledger",
}
ODD = (alert_rules.ANOMALY, alert_rules.LEDGER)  # looked into and put right on the page of odd movements
CHANCE = {"anomaly": "chance of an error"}
WORSE = {"anomaly": "there are more, or its severity rises"}
USUAL_CHANCE = "chance to run out"
THE_LEDGER = "The ledger"
SEVERITIES = {"critical": "Critical", "warning": "Warning", "info": "Info"}
COLOUR = {"critical": "red", "warning": "orange", "info": "gray"}
USUAL_SNOOZE_DAYS = 7
POINTS = round(alert_rules.CHANCE_STEP * 100)


def desk() -> dict[str, Any]:
    """What became of the last click: `answer`, and of the settings: `settings` (dashboard/alert_form.py).

    One dictionary that is fetched before a write and changed after it: a touch of session_state may end the
    run in favour of the next one, and the answer to a committed write must not get lost.
    """
    return st.session_state.setdefault("alerts_desk", {})


# -- Acting --------------------------------------------------------------------------------------------------


def acknowledge(uid: str, place: int) -> None:
    _say(
        uid, place, "Acknowledged: it stays here, and speaks up again when it gets worse.", alerts.acknowledge
    )


def resolve(uid: str, place: int) -> None:
    _say(uid, place, "Resolved: quiet until it clears or gets worse.", alerts.resolve)


def snooze_until(uid: str, place: int, key: str) -> None:
    day = st.session_state.get(key)
    _say(
        uid, place, f"Snoozed until {ui.formats().weekday(day)}.",
        lambda session, person, uid, now: alerts.snooze(session, person, uid, now, until=day),
    )  # fmt: skip


def snooze_until_worse(uid: str, place: int) -> None:
    _say(
        uid, place, f"Snoozed until it gets worse: its chance by {POINTS} points, or its severity.",
        lambda session, person, uid, now: alerts.snooze(session, person, uid, now, until_worse=True),
    )  # fmt: skip


def take_back(uid: str, place: int) -> None:
    _say(uid, place, "Taken back: it is active again.",
         lambda session, person, uid, _: alert_undo.take_back(session, person, uid), undo=False)  # fmt: skip


def _say(uid: str, place: int, sentence: str, verb: Callable[..., Shown], *, undo: bool = True) -> None:
    mine, view = desk(), _view()
    answer: dict[str, Any] = {"uid": uid, "place": place, "view": view}
    try:
        person = signin.require()
        shown = transact(lambda session: verb(session, person, uid, looks.now()))
        answer |= {"sentence": sentence, "name": subject(shown), "undo": undo}
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    mine["answer"] = answer
    looks.critical_alerts.clear()


def _view() -> dict[str, Any]:
    """The filters: an answer belongs to the list in which the click was made."""
    return {word: value for word, value in st.query_params.to_dict().items() if value}


# -- Drawing -------------------------------------------------------------------------------------------------


def draw(found: list[Shown], person: Actor) -> None:
    """The alerts as cards; what became of the last click stands where its card is, or was."""
    answer = desk().get("answer")
    if answer and answer["view"] != _view():
        answer = None
    listed = {str(alert.uid) for alert in found}
    for place, alert in enumerate(found):
        if answer and answer["place"] == place and answer["uid"] not in listed:
            _draw_answer(answer)
        _draw_card(alert, place, person, answer if answer and answer["uid"] == str(alert.uid) else None)
    if answer and answer["uid"] not in listed and answer["place"] >= len(found):
        _draw_answer(answer)


def _draw_card(alert: Shown, place: int, person: Actor, answer: dict[str, Any] | None) -> None:
    uid, write = str(alert.uid), ui.formats()
    with st.container(border=True, key=f"alert-{uid}", gap="xsmall"):
        with _line():
            with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
                st.markdown(badge(alert), width="content")
                _draw_subject(alert)
            if alert.money_at_risk:
                st.markdown(f"{ui.safe_md(write.money(alert.money_at_risk))} :gray[at risk]", width="content")
        st.markdown(f"{ui.safe_md(alert.message)}.")
        with _line():
            st.caption(" · ".join(ui.safe_md(part) for part in history(alert)), width="content")
            if alert.state != "resolved":
                _draw_buttons(alert, place, person)
        if answer:
            _draw_answer(answer, in_card=True)


def subject(alert: Shown) -> str:
    """What the alert is about, by name."""
    return alert.product_name or THE_LEDGER


def _draw_subject(alert: Shown) -> None:
    """The way to where something can be done about it."""
    label = f"**{ui.safe_md(subject(alert))}**"
    if alert.type in ODD:
        st.page_link("views/anomalies.py", label=label, query_params={"q": alert.sku} if alert.sku else {})
    else:
        st.page_link("views/product.py", label=label, query_params={"id": str(alert.product_uid)})


def _line() -> Any:
    """What belongs left and right in one line; on a phone one under the other."""
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")


def badge(alert: Shown) -> str:
    """How serious it is as Markdown: the word on its colour, or on grey when it is over."""
    colour = "gray" if alert.state == "resolved" else COLOUR[alert.severity]
    return f":{colour}-badge[{SEVERITIES[alert.severity]}]"


def history(alert: Shown) -> list[str]:
    """What kind it is, since when, and what people said about it."""
    write, now = ui.formats(), looks.now()
    parts = [TYPES[alert.type], f"since {write.ago(alert.raised_at, now)}"]
    if alert.changed_at - alert.raised_at > timedelta(minutes=1):
        parts.append(f"changed {write.ago(alert.changed_at, now)}")
    if alert.state == "acknowledged":
        parts.append(f"seen by {alert.acknowledged_by} {write.ago(alert.acknowledged_at, now)}")
    if alert.state == "snoozed":
        parts.append(f"sleeps until {_sleep(alert)}")
    if alert.state == "resolved":
        who = alert.resolved_by or "itself"
        parts.append(f"resolved by {who} {write.ago(alert.resolved_at, now)}: {alert.resolved_because}")
    return parts


def _sleep(alert: Shown) -> str:
    write = ui.formats()
    ends = []
    if alert.snoozed_until is not None:
        ends.append(write.weekday(alert.snoozed_until))
    if alert.snoozed_chance is not None and alert.type == alert_rules.LEDGER:
        ends.append("more of it is broken")
    elif alert.snoozed_chance is not None:
        worse = alert.snoozed_chance + alert_rules.CHANCE_STEP
        reaches = f"reaches {write.share(worse)}" if worse < 1 else "is 100 %"
        ends.append(
            f"the {_chance(alert)}, then {write.share(alert.snoozed_chance)}, {reaches}"
            if alert.snoozed_chance < 1
            else WORSE.get(alert.type, "its severity rises")
        )
    return " or ".join(ends)


def _chance(alert: Shown) -> str:
    return CHANCE.get(alert.type, USUAL_CHANCE)


def _draw_buttons(alert: Shown, place: int, person: Actor) -> None:
    uid = str(alert.uid)
    may_manage = auth.may(person, "manage alerts")
    may_acknowledge = auth.may(person, "acknowledge alerts") and alert.state != "acknowledged"
    if not (may_manage or may_acknowledge):
        return
    with st.container(horizontal=True, width="content", gap="small"):
        if may_acknowledge:
            st.button(
                "Acknowledge", key=f"acknowledge-{uid}", on_click=acknowledge, args=(uid, place),
                help="I have seen it. It stays in the list.",
            )  # fmt: skip
        if may_manage:
            _draw_snooze(alert, place)
            st.button(
                "Resolve", key=f"resolve-{uid}", on_click=resolve, args=(uid, place),
                help="Done. It stays quiet until it clears or gets worse.",
            )  # fmt: skip


def _draw_snooze(alert: Shown, place: int) -> None:
    uid, tomorrow = str(alert.uid), looks.today() + timedelta(days=1)
    # Named after its state, so that it is closed after a click.
    with st.popover("Snooze", key=f"snooze-{uid}-{alert.state}-{alert.snoozed_until}"):
        key = f"until-{uid}"
        st.date_input(
            "Until", looks.today() + timedelta(days=USUAL_SNOOZE_DAYS), min_value=tomorrow,
            max_value=looks.today() + alerts.LONGEST_SNOOZE, key=key, format="YYYY-MM-DD",
        )  # fmt: skip
        st.button(
            "Snooze until that day", key=f"sleep-{uid}", on_click=snooze_until, args=(uid, place, key),
            width="stretch",
        )  # fmt: skip
        if _can_get_worse(alert):
            st.button(
                f"Snooze until {_worse(alert)}", key=f"worse-{uid}", on_click=snooze_until_worse,
                args=(uid, place), width="stretch",
            )  # fmt: skip


def _can_get_worse(alert: Shown) -> bool:
    """Whether a sleep until it gets worse can ever end: not at the top of both scales.

    Of odd movements and broken rules there can always be more.
    """
    return alert.type in ODD or alert.severity != "critical" or (alert.chance or 0.0) < 1


def _worse(alert: Shown) -> str:
    if alert.type == alert_rules.LEDGER:
        return "more is broken"
    is_near_certain = (alert.chance or 0.0) + alert_rules.CHANCE_STEP > 1
    return "the chance is 100 %" if is_near_certain else f"the chance rises by {POINTS} points"


def _draw_answer(answer: dict[str, Any], *, in_card: bool = False) -> None:
    if "refused" in answer:
        ui.refused(answer["refused"])
        return
    told = ui.safe_md(answer["sentence"])
    with st.container(border=not in_card, key="answer"), _line():
        st.markdown(
            f":green[{told}]" if in_card else f"**{ui.safe_md(answer['name'])}**: :green[{told}]",
            width="stretch",
        )
        if answer["undo"]:
            st.button(
                "Undo", key="undo_alert", icon=":material/undo:", on_click=take_back,
                args=(answer["uid"], answer["place"]),
            )  # fmt: skip


# -- Download ------------------------------------------------------------------------------------------------


def for_download(found: list[Shown]) -> pd.DataFrame:
    """The alerts as a spreadsheet wants them."""

    def at(moment: datetime | None) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""

    return pd.DataFrame(
        {
            "SKU": [alert.sku or "" for alert in found],
            "Product": [subject(alert) for alert in found],
            "Type": [TYPES[alert.type] for alert in found],
            "Severity": [SEVERITIES[alert.severity] for alert in found],
            "State": [STATES[alert.state] for alert in found],
            "Message": [alert.message for alert in found],
            "Money at risk": [f"{alert.money_at_risk:.2f}" for alert in found],
            "Chance": [alert.chance for alert in found],
            "Raised (UTC)": [at(alert.raised_at) for alert in found],
            "Changed (UTC)": [at(alert.changed_at) for alert in found],
            "Acknowledged by": [alert.acknowledged_by or "" for alert in found],
            "Snoozed until": [str(alert.snoozed_until or "") for alert in found],
            "Resolved (UTC)": [at(alert.resolved_at) for alert in found],
            "Resolved by": [alert.resolved_by or "" for alert in found],
            "Resolved because": [alert.resolved_because or "" for alert in found],
        }
    )
