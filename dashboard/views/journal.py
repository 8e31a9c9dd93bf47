"""Decisions: what buyers made of the advice, one by one and added up, and what came of it."""

from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core.buying import decision_tally
from core.buying.decision_tally import Entry, Sums, Tally
from core.errors import RunoutError
from dashboard import grid, journal_words, looks, pickers, saving, signin, ui
from dashboard.journal_words import KINDS, OUTCOMES
from db.session import reading

NARROW = {"Product": 140, "Ordered": 112, "Outcome": 100}
MOST_OFFSET = 100_000


def page_of(filters: dict[str, Any]) -> tuple[list[Entry], int]:
    """The page of decisions that the address asks for, and how many there are in all."""
    page, asked = pickers.page(), filters | {"limit": pickers.ROWS_PER_PAGE}
    with reading() as session:
        offset = min((page - 1) * pickers.ROWS_PER_PAGE, MOST_OFFSET)
        found, total = decision_tally.listing(session, **asked, offset=offset)
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = decision_tally.listing(session, **asked)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
    return found, total


def draw_tally(tally: Tally) -> None:
    """What all of them came to: the finding, the figures, and by kind and person."""
    write, total = ui.formats(), tally.total
    edited = tally.kinds["edited"]
    if (headline := decision_tally.headline(edited)) is not None:
        st.subheader(ui.safe_md(headline), anchor=False, help=journal_words.HELP["better"])
        money = write.money(abs(edited.saved))
        what = "saved" if edited.saved > 0 else "cost"
        if edited.saved:
            st.markdown(f":gray[Together they {what} {ui.safe_md(money)} against the advice.]")
    elif total.decisions:
        st.subheader("Too early to say who knew better", anchor=False, help=journal_words.HELP["better"])
        st.markdown(":gray[A decision is judged when the days that its order was for are over.]")
    with st.container(key="facts"), st.grid(4, min_column_width=150, gap="small"):
        for label, value, beside, help_ in (
            ("Decisions", write.number(total.decisions), f"{write.number(total.settled)} judged",
             "decisions"),
            ("Served", journal_words.served(total), "of what was wanted in their days", "served"),
            ("Without stock", f"{write.number(total.days_without)} days",
             f"of {write.number(total.days)} days", "without"),
            ("Left over", write.money(total.left_money), "at the end of their days", "left"),
        ):  # fmt: skip
            st.metric(label, value, beside, delta_color="off", delta_arrow="off",
                      help=journal_words.HELP[help_])  # fmt: skip
    with st.expander("By kind and by person", icon=":material/table_rows:"):
        draw_sums([(KINDS[kind], sums) for kind, sums in tally.kinds.items()], "Kind", "by_kind")
        if tally.people:
            draw_sums([(one.name, one.sums) for one in tally.people], "Person", "by_person")


def draw_sums(rows: list[tuple[str, Sums]], first: str, key: str) -> None:
    write = ui.formats()
    frame = pd.DataFrame(
        {
            first: [name for name, _ in rows],
            "Decisions": [write.number(one.decisions) for _, one in rows],
            "Judged": [write.number(one.settled) for _, one in rows],
            "Served": [journal_words.served(one) for _, one in rows],
            "Days without stock": [
                f"{write.number(one.days_without)} of {write.number(one.days)}" if one.days else ""
                for _, one in rows
            ],
            "Left over": [write.money(one.left_money) if one.settled else "" for _, one in rows],
            "Better than the advice": [
                f"{write.number(one.better)} of {write.number(one.compared)}" if one.compared else ""
                for _, one in rows
            ],
            "In money": [journal_words.saved(one.saved) if one.compared else "" for _, one in rows],
        }
    )

    def column(name: str, width: int = 110, alignment: str = "right") -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment)

    config = {name: column(name) for name in frame} | {
        first: column(first, 210, "left"), "Days without stock": column("Days without stock", 140),
        "Better than the advice": column("Better than the advice", 160),
    }  # fmt: skip
    grid.draw(frame, {first: 136, "Decisions": 90, "Better than the advice": 126}, config, key=key)


def draw_list(found: list[Entry]) -> None:
    """The decisions; a click opens one below."""
    write = ui.formats()
    outcomes = [journal_words.outcome(one) for one in found]
    colours = journal_words.INK["dark" if ui.is_dark() else "light"]
    frame = pd.DataFrame(
        {
            "Product": [one.product for one in found],
            "Decided": [write.day(one.decided_on) for one in found],
            "Ordered": [journal_words.ordered(one) for one in found],
            "Outcome": [[outcome] for outcome in outcomes],
            "What came of it": [decision_tally.sentence(one, person.id) for one in found],
            "In money": [journal_words.saved(one.saved) for one in found],
        }
    )

    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    config = {
        "Product": text("Product", 210),
        "Decided": text("Decided", 84),
        "Ordered": text("Ordered", 116, "left", "What was ordered, and what was advised where it differs."),
        "Outcome": journal_words.outcome_column(),
        "What came of it": text("What came of it", 470),
        "In money": text("In money", 100, "right", journal_words.HELP["saved"]),
    }
    turn = st.session_state.setdefault("journal_turn", 0)
    row, _ = grid.draw(
        frame, NARROW, config, key=f"journal_{turn}_{hash(tuple(one.uid for one in found))}",
        grey=[one.outcome is None for one in found],
        narrow_words={"Outcome": (outcomes, [colours[outcome] for outcome in outcomes])},
    )  # fmt: skip
    if row is not None:
        st.session_state["journal_turn"] = turn + 1
        pickers.remember("id", found[row].uid)
        st.rerun()


def draw_one(entry: Entry) -> None:
    """One decision in full: what was known then, what happened, and where to look further."""
    with st.container(border=True, key="decision"):
        st.subheader(ui.safe_md(entry.product), anchor=False)
        st.markdown(ui.safe_md(decision_tally.sentence(entry, person.id)))
        st.markdown("\n".join(f"- {line}" for line in journal_words.receipt(entry, today)))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                "views/product.py", label="Open the product", icon=":material/package_2:",
                query_params={"id": str(entry.product_uid)},
            )  # fmt: skip
            if entry.order_uid is not None:
                st.page_link(
                    "views/order.py", label=f"Open {entry.order_number}", icon=":material/local_shipping:",
                    query_params={"id": str(entry.order_uid)},
                )  # fmt: skip
            st.button("Close", key="close_decision", on_click=lambda: pickers.remember("id", None))


def draw_nothing(tally: Tally) -> None:
    if tally.total.decisions or set(st.query_params) - {"id"}:
        ui.empty(
            "No decision fits these filters.", "Take one away, or look at all time.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
        return
    ui.empty(
        "No decisions yet.",
        "When you order as advised, order something else or let advice pass, it is noted here with the "
        "forecast of that day. Once the days that the order was for are over, it says what came of it.",
        button="See what to order", page="views/reorder.py",
    )  # fmt: skip


def one_of(session: Session, uid: str | None) -> Entry | None:
    """The decision that the address names, as far as there is one."""
    try:
        return decision_tally.by_uid(session, uid) if uid is not None else None
    except RunoutError:
        return None


def filters_of() -> dict[str, Any]:
    with st.container(key="filters"):
        row = iter(st.columns([1.8, 1, 1, 1, 1]))
        with next(row):
            text = pickers.words("Search", "q", "Name, SKU or order")
        with next(row):
            kind = pickers.choice("Decision", "kind", KINDS, "Any decision")
        with next(row):
            verdict = pickers.choice("Outcome", "outcome", OUTCOMES, "Any outcome")
        with next(row):
            people = {uid: name for uid, (_, name) in looks.people().items()}
            who = pickers.choice("Person", "person", people, "Anybody")
        with next(row):
            since = pickers.period(today)
    return {"search": text, "kind": kind, "verdict": verdict, "person_uid": who, "since": since}


person = signin.require()
today = looks.today()
ui.title("Did you know better than the advice?", "What was made of the advice, and what came of it.")
filters = filters_of()
wanted = st.query_params.get("id")
with reading() as session:
    everything = decision_tally.tally(session, since=filters["since"])
    chosen = one_of(session, wanted)
found, total = page_of(filters)
if everything.total.decisions:
    draw_tally(everything)
if chosen is not None:
    draw_one(chosen)
elif wanted is not None:
    ui.refused("There is no such decision; its draft may have been cancelled.")
if total:
    with ui.heading(f"{ui.formats().number(total)} :gray[{'decision' if total == 1 else 'decisions'}]"):
        saving.table(
            "Download", lambda: journal_words.for_download(filters, person.id),
            f"runout-decisions-{today:%Y-%m-%d}.csv", key="download",
        )  # fmt: skip
    draw_list(found)
    pickers.page_links(total)
else:
    draw_nothing(everything)
