"""Alerts: what is low, runs out soon or looks wrong, what people do about it, and who is told."""

from typing import Any

import pandas as pd
import streamlit as st

from core import alert_messages, alerts
from dashboard import alert_form, alerting, looks, pickers, saving, signin, ui
from db.session import reading

PER_PAGE = 20
MOST_ROWS = 20_000
OPEN = ("active", "acknowledged")


def page_of(filters: dict[str, Any]) -> tuple[list[alerts.Shown], int, dict, alerts.Settings, dict]:
    """The page that the address asks for, how many alerts fit in all, how many are open, the settings, and
    how telling people goes."""
    page = pickers.page()
    with reading() as session:
        about = alerts.counts(session, today), alerts.settings(session), alert_messages.state(session)
        offset = min((page - 1) * PER_PAGE, alerts.MOST_OFFSET)
        found, total = alerts.listing(session, **filters, limit=PER_PAGE, offset=offset)
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = alerts.listing(session, **filters, limit=PER_PAGE)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
        pickers.remember("page", None)
    return found, total, *about


def everything(filters: dict[str, Any]) -> pd.DataFrame:
    """The whole filtered set, for a download."""
    found: list[alerts.Shown] = []
    with reading(snapshot=True) as session:
        while len(found) < MOST_ROWS:
            more, _ = alerts.listing(session, **filters, limit=alerts.MOST_ROWS, offset=len(found))
            found += more
            if len(more) < alerts.MOST_ROWS:
                break
    return alerting.for_download(found)


def headline(total: int, counts: dict[tuple[str, str], int]) -> str:
    """How many alerts fit; without filters also 50 critical, 22 warning, 28 info, and 3 snoozed."""
    write = ui.formats()
    found = f"{write.number(total)} {'alert' if total == 1 else 'alerts'}"
    if set(st.query_params) - {"page"}:
        return found
    parts = []
    for severity, word in alerting.SEVERITIES.items():
        if count := sum(counts.get((state, severity), 0) for state in OPEN):
            parts.append(f"{write.number(count)} {word.lower()}")
    asleep = sum(count for (state, _), count in counts.items() if state == "snoozed")
    return f"{found}: {', '.join(parts)}" + (f" ({write.number(asleep)} more snoozed)" if asleep else "")


def draw_nothing(settings: alerts.Settings) -> None:
    if st.query_params.to_dict():
        ui.empty(
            "No alert fits these filters.",
            "Take one away, or search for something else.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    elif not (settings.low_stock_enabled or settings.predicted_depletion_enabled or settings.anomaly_enabled):
        ui.empty("No alerts are raised.", "All kinds but a broken ledger are switched off below.")
    else:
        ui.empty(
            "No alert is open.",
            "Low stock raises one at once; what is about to run out or looks wrong is looked for every hour.",
            button="See what runs out next",
            page="views/today.py",
        )


def draw_filters() -> dict[str, Any]:
    with st.container(key="filters"):
        row = iter(st.columns([2, 1, 1, 1]))
        with next(row):
            text = pickers.words("Search", "q", "Product or SKU")
        with next(row):
            state = pickers.choice("State", "state", alerting.STATES, "Open")
        with next(row):
            kind = pickers.choice("Type", "type", alerting.TYPES, "All types")
        with next(row):
            severity = pickers.choice("Severity", "severity", alerting.SEVERITIES, "Any severity")
    return {"text": text, "state": state or OPEN, "type": kind, "severity": severity, "today": today}


person = signin.require()
today = looks.today()
ui.title("Alerts", "What is low, runs out soon or looks wrong, the most money at risk first.")
filters = draw_filters()
found, total, counts, settings, state = page_of(filters)
if found:
    with ui.heading(f":gray[{headline(total, counts)}]"):
        saving.table(
            "Download", lambda: everything(filters), f"runout-alerts-{today:%Y-%m-%d}.csv", key="download"
        )
    alerting.draw(found, person)
    pickers.page_links(total, PER_PAGE)
else:
    alerting.draw([], person)
    draw_nothing(settings)
alert_form.draw(settings, state, person)
