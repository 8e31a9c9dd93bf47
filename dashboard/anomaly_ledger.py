"""Is the ledger sound? What the last check found broken, where, and since when."""

from itertools import groupby

import streamlit as st

from core import auth, ledger_check
from core.auth import Actor
from core.ledger_check import JOB, Fault, Report
from dashboard import anomaly_asking, looks, order_words, ui
from db.session import reading

RIGHT = "see jobs"
PLACES_SHOWN = 20  # of one rule; the check itself keeps a hundred


def draw(person: Actor) -> None:
    """The answer in one sentence, each broken rule with its places, and what is promised."""
    report = look()
    with ui.heading("Is the ledger sound?"):
        if auth.may(person, RIGHT):
            anomaly_asking.button("Check now", JOB, RIGHT, icon=":material/fact_check:")
    if auth.may(person, RIGHT):
        anomaly_asking.progress(JOB, "Checking the ledger", RIGHT)
    _draw_answer(report)
    for rule, faults in groupby(report.faults, key=lambda fault: fault.rule):
        _draw_rule(rule, list(faults), report.totals.get(rule, 0))
    with st.expander("What is checked every night"):
        st.markdown("\n".join(f"- {ui.safe_md(promise)}" for promise in ledger_check.RULES.values()))


def look() -> Report:
    with reading() as session:
        return ledger_check.report(session)


def broken(report: Report) -> str | None:
    """2 rules of the ledger are broken: for the other sections; None where nothing is to be said."""
    if not report.faults:
        return None
    rules = len({fault.rule for fault in report.faults})
    return f"{order_words.count(rules, 'rule')} of the ledger {'is' if rules == 1 else 'are'} broken."


def _draw_answer(report: Report) -> None:
    if report.checked_at is None:
        ui.empty("The ledger has not been checked yet.", "It is checked every night at 03:30 UTC.")
        return
    at = ui.safe_md(ui.formats().ago(report.checked_at, looks.now()))
    if report.faults or report.is_sound is False:
        ui.refused(broken(report) or "The last check found the ledger broken.")
        st.caption(f"Checked {at}. Nothing is repaired by itself: stock is counted, and booked as counted.")
    else:
        st.success(
            f"Sound: on hand is the sum of its movements, everywhere. Checked {at}.",
            icon=":material/check_circle:",
        )


def _draw_rule(rule: str, faults: list[Fault], total: int) -> None:
    """What is promised, and each place where it does not hold."""
    with st.container(border=True, key=f"rule-{rule}", gap="xsmall"):
        st.markdown(f":red-badge[Broken] &nbsp; **{ui.safe_md(ledger_check.RULES.get(rule, rule))}**")
        for fault in faults[:PLACES_SHOWN]:
            _draw_fault(fault)
        more = max(total, len(faults)) - min(len(faults), PLACES_SHOWN)
        if more > 0:
            st.caption(f"and {order_words.count(more, 'place')} more")


def _draw_fault(fault: Fault) -> None:
    since = ui.safe_md(ui.formats().ago(fault.first_seen_at, looks.now()))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"fault-{fault.uid}"):
        st.markdown(f"{ui.safe_md(fault.message)} &nbsp; :gray[since {since}]", width="content")
        if fault.product_uid is not None:
            st.page_link(
                "views/product.py", label="Product", icon=":material/package_2:",
                query_params={"id": str(fault.product_uid)},
            )  # fmt: skip
        if fault.movement_id is not None:
            st.page_link(
                "views/movements.py", label=f"Movement {fault.movement_id}", icon=":material/swap_vert:",
                query_params={"before": str(fault.movement_id + 1)},
            )  # fmt: skip
