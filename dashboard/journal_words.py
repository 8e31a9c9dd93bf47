"""How decisions about buying are put in words: what was ordered, what came of it, what it was based on."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.buying import decision_tally
from core.buying.decision_tally import Entry, Sums
from dashboard import ui
from dashboard.formats import MINUS
from db.session import reading

KINDS = {"taken": "As advised", "edited": "Edited", "ignored": "Ignored", "own": "Own"}
OUTCOMES = {
    "better": "Better than the advice", "worse": "Worse than the advice", "same": "As the advice",
    "open": "Not over yet",
}  # fmt: skip
PILLS = {"better": "Better", "worse": "Worse", "same": "Same", "open": "Not over", None: "Not compared"}
TINT = {
    "light": {"Better": "#D5F5EC", "Worse": "#FFE6D5", "Same": "#EAECF0", "Not over": "#EAECF0",
              "Not compared": "#EAECF0"},
    "dark": {"Better": "#12453F", "Worse": "#5A3417", "Same": "#2F3849", "Not over": "#2F3849",
             "Not compared": "#2F3849"},
}  # fmt: skip
INK = {
    "light": {"Better": "#0F766E", "Worse": "#C2410C", "Same": "#475467", "Not over": "#475467",
              "Not compared": "#475467"},
    "dark": {"Better": "#2DD4BF", "Worse": "#FB923C", "Same": "#98A2B3", "Not over": "#98A2B3",
             "Not compared": "#98A2B3"},
}  # fmt: skip
HELP = {
    "better": "In money: sales lost and stock held in the days the order was for, against what the advised "
    "quantity would have given under the same demand.",
    "decisions": "Orders as advised, edited, your own, and advice that was let pass.",
    "served": "Pieces sold of those that were wanted; what an empty shelf lost is estimated.",
    "without": "Days with nothing to sell, of the days that the orders were for.",
    "left": "What lay there at the end of these days, at its cost.",
    "saved": "Against the advice: above zero the decision was better.",
}


def outcome(entry: Entry) -> str:
    return PILLS[entry.verdict]


def outcome_column() -> Any:
    """Column of a table whose cells are `[outcome]`, shown as pills."""
    tints = TINT["dark" if ui.is_dark() else "light"]
    return st.column_config.MultiselectColumn(
        "Outcome", width=112, options=list(tints), color=list(tints.values()), help=HELP["better"]
    )


def served(sums: Sums) -> str:
    """A counted share: 0 and 100 may be said."""
    share = sums.served
    return "" if share is None else f"{ui.formats().number(share * 100, 1)} %"


def saved(amount: Decimal | None) -> str:
    """Money against the advice with its sign; nothing where it is the same."""
    if not amount:
        return ""
    sign = "+" if amount > 0 else MINUS
    return f"{sign}{ui.formats().money(abs(amount))}"


def ordered(entry: Entry) -> str:
    """What was ordered beside what was advised, in the fewest words."""
    write = ui.formats()
    chosen, advised = write.quantity(entry.chosen), write.quantity(entry.advised)
    if entry.kind == "ignored":
        return f"none of {advised}"
    if entry.kind == "own":
        return f"{chosen}, own"
    return chosen if entry.chosen == entry.advised else f"{chosen} for {advised}"


def receipt(entry: Entry, today: date) -> list[str]:
    """What was known on the day of the decision, and what happened then, as lines of Markdown."""
    write = ui.formats()
    span = write.span(entry.covers_from, entry.covers_until, today)
    told = [f"**Decided** {write.day_from(entry.decided_on, today)}, for {span} in {entry.warehouse}"]
    said = entry.forecast
    if said.get("p50") is not None:
        low, middle, high = (write.number(Decimal(said[name]), 1) for name in ("p10", "p50", "p90"))
        told.append(f"**Expected for these days** {low} to {high}, most likely {middle}")
    stock = [
        f"{write.quantity(Decimal(said[name]))} {words}"
        for name, words in (("on_hand", "on hand"), ("due", "on their way"))
        if said.get(name) is not None
    ]
    if stock:
        told.append(f"**Then** {', '.join(stock)}")
    if said.get("chance") is not None:
        told.append(f"**Chance to run out before it came** {write.share(said['chance'])}")
    result = entry.outcome
    if result is None:
        return [_safe(line) for line in [*told, f"**Judged** after {write.weekday(entry.covers_until)}"]]
    if result["delivered_on"]:
        arrived = write.weekday(date.fromisoformat(result["delivered_on"]))
        told.append(f"**Arrived** {write.quantity(Decimal(result['delivered']))}, first on {arrived}")
    told.append(f"**What happened** {_facts(result, Decimal(result['demand']))}")
    if result["advice"] is not None:
        told.append(f"**With the advised {write.quantity(entry.advised)}** {_facts(result['advice'], None)}")
    if entry.saved:
        told.append(f"**Against the advice** {saved(entry.saved)}")
    return [_safe(line) for line in told]


def _facts(facts: dict[str, Any], demand: Decimal | None) -> str:
    write = ui.formats()
    parts = [f"{write.quantity(demand)} sold"] if demand is not None else []
    parts.append(f"{facts['days_without']} {'day' if facts['days_without'] == 1 else 'days'} without stock")
    lost = Decimal(facts["lost"])
    parts.append(f"about {write.number(lost, 1)} lost" if lost >= decision_tally.LEAST_LOST else "none lost")
    return f"{', '.join(parts)}, {write.quantity(Decimal(facts['left']))} left at the end"


def _safe(line: str) -> str:
    """A line whose words in bold are ours, and the rest may be people's."""
    label, rest = line.removeprefix("**").split("**", 1)
    return f"**{ui.safe_md(label)}** {ui.safe_md(rest)}"


def for_download(filters: dict[str, Any], reader_id: int) -> pd.DataFrame:
    """The whole filtered set as a spreadsheet wants it."""
    with reading() as session:
        found, _ = decision_tally.listing(session, **filters, limit=decision_tally.MOST_ROWS)
    results = [one.outcome or {} for one in found]
    return pd.DataFrame(
        {
            "Decided": [one.decided_on for one in found],
            "By": [one.decided_by for one in found],
            "Kind": [KINDS[one.kind] for one in found],
            "SKU": [one.sku for one in found],
            "Product": [one.product for one in found],
            "Warehouse": [one.warehouse for one in found],
            "Order": [one.order_number for one in found],
            "Advised": [one.advised for one in found],
            "Ordered": [one.chosen for one in found],
            "Advised vendor": [one.advised_vendor for one in found],
            "Vendor": [one.chosen_vendor for one in found],
            "From": [one.covers_from for one in found],
            "Until": [one.covers_until for one in found],
            "Demand": [result.get("demand") for result in results],
            "Days without stock": [result.get("days_without") for result in results],
            "Lost": [result.get("lost") for result in results],
            "Left": [result.get("left") for result in results],
            "Against the advice": [one.saved for one in found],
            "Outcome": [decision_tally.sentence(one, reader_id) for one in found],
        }
    )
