"""Pieces every view is made of: title, status words, empty states, refusals, downloads, how fresh it is."""

import functools
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import streamlit as st

from core import job_runs, triage
from core.errors import RunoutError
from dashboard import charts, looks
from dashboard.formats import Formats
from dashboard.style import STYLE, WORDMARK_DARK, WORDMARK_LIGHT
from db.session import ServerError, is_passing

log = logging.getLogger("runout.dashboard")

WORD = {
    "out": "Out",
    "late": "Late",
    "order_now": "Order now",
    "fine": "Fine",
    "excess": "Excess",
    "unknown": "No forecast",
}
# Names of the theme's colours (.streamlit/config.toml), which differ in light and dark.
COLOUR = {
    "out": "red",
    "late": "orange",
    "order_now": "yellow",
    "fine": "green",
    "excess": "violet",
    "unknown": "gray",
}
TINT = {
    "light": {"Out": "#FEE4E2", "Late": "#FFE6D5", "Order now": "#FEF0C3", "Fine": "#D5F5EC",
              "Excess": "#E0E7FF", "No forecast": "#EAECF0"},
    "dark": {"Out": "#5B2523", "Late": "#5A3417", "Order now": "#544710", "Fine": "#12453F",
             "Excess": "#343A70", "No forecast": "#2F3849"},
}  # fmt: skip

# The same colours for words in a table, which knows no theme colours by name.
INK = {
    "light": {"out": "#B42318", "late": "#C2410C", "order_now": "#A16207", "fine": "#0F766E",
              "excess": "#4F46E5", "unknown": "#475467"},
    "dark": {"out": "#F97066", "late": "#FB923C", "order_now": "#FACC15", "fine": "#2DD4BF",
             "excess": "#A5B4FC", "unknown": "#98A2B3"},
}  # fmt: skip

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&\"'=^])")


def formats() -> Formats:
    """The shop's way to write figures and dates."""
    settings = looks.the_shop()
    return _formats(settings.locale, settings.currency, settings.time_zone)


@functools.lru_cache(8)
def _formats(locale: str, currency: str, time_zone: str) -> Formats:
    return Formats(locale, currency, time_zone)


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def wordmark() -> str:
    """Runout's name as a picture in the colours of the theme."""
    return WORDMARK_DARK if is_dark() else WORDMARK_LIGHT


def safe_md(text: object) -> str:
    """Text that somebody typed, so that Markdown shows it and does nothing else with it."""
    flat = " ".join(str(text).split())
    # Addresses become links even when their characters are escaped; an invisible joiner stops that.
    flat = flat.replace("://", ":\u2060//").replace("www.", "www\u2060.").replace("@", "\u2060@")
    return MARKDOWN.sub(r"\\\1", flat)


def typed(text: str) -> str:
    """Text that may have been copied off a page: without the joiner that `safe_md` puts into addresses."""
    return text.replace("\u2060", "")


# -- The page ------------------------------------------------------------------------------------------------


def title(words: str, sentence: str | None = None) -> None:
    """The one title line: what this page answers; the sentence hides behind a small "?"."""
    st.html(STYLE)
    st.title(words, anchor=False, help=sentence)


@contextmanager
def title_line(words: str, sentence: str | None = None) -> Iterator[None]:
    """The title with the one main action at its right end; draw the action inside."""
    st.html(STYLE)
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    line.title(words, anchor=False, help=sentence)
    with line.container(width="content"):
        yield


def scheduler_banner() -> None:
    """Nobody does the nightly work: say so on every view, once a scheduler has ever run here."""
    seen_at, now = looks.scheduler_seen_at(), looks.now()
    if seen_at is not None and now - seen_at > job_runs.HEARTBEAT_STALE:
        st.warning(
            f"The scheduler was last seen {formats().ago(seen_at, now)}: forecasts and run-outs are not "
            "brought up to date until it runs again.",
            icon=":material/schedule:",
        )


@contextmanager
def heading(words: str) -> Iterator[None]:
    """A heading with its button at the right end; draw the button inside."""
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
    line.subheader(words, anchor=False)
    with line.container(width="content"):
        yield


def unit_md(unit_of_measure: str, quantity: Any = None) -> str:
    """The unit behind a quantity for Markdown, with its space; nothing where pieces are counted."""
    word = formats().unit(unit_of_measure, quantity)
    return f" {safe_md(word)}" if word else ""


def status_badge(status: str) -> str:
    """A status as Markdown: its word on its colour."""
    return f":{COLOUR[status]}-badge[{WORD[status]}]"


def status_column(label: str = "Status", width: int = 96) -> Any:
    """Column of a table whose cells are `[word]`, shown as pills."""
    tints = TINT["dark" if is_dark() else "light"]
    return st.column_config.MultiselectColumn(
        label, width=width, options=list(tints), color=list(tints.values()), help=_status_help()
    )


@functools.cache
def _status_help() -> str:
    return "  \n".join(f"**{WORD[status]}**: {meaning}" for status, meaning in triage.MEANING.items())


def picture(figure: Any, words: str, *, key: str) -> None:
    """A chart; `words` say what it shows to those who cannot see it."""
    st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=words, key=key)


def empty(
    words: str,
    hint: str | None = None,
    *,
    button: str | None = None,
    page: str | None = None,
    on_click: Callable[[], Any] | None = None,
) -> None:
    """A designed nothing: why it is empty, and the one button that helps; it opens `page` or calls."""
    with st.container(border=True, key=f"empty-{abs(hash((words, hint))) % 10_000}"):
        st.markdown(f"**{words}**")
        if hint:
            st.markdown(f":gray[{hint}]")
        if button and page:
            st.page_link(page, label=button, icon=":material/arrow_forward:")
        elif button and on_click:
            st.button(button, key="help", on_click=on_click)


def freshness_line(day: date) -> None:
    """How fresh what is shown is: training, last movement, products without a forecast, shifted dates."""
    fresh, write, at = looks.freshness(day), formats(), looks.now()
    parts = []
    if fresh["trained_at"] is None:
        parts.append("No forecasts yet")
    else:
        trained, as_of = write.ago(fresh["trained_at"], at), write.day(fresh["as_of"])
        parts.append(f"Forecasts trained {trained} on data up to {as_of}")
    if fresh["last_movement_at"] is not None:
        parts.append(f"last movement booked {write.ago(fresh['last_movement_at'], at)}")
    if fresh["without_forecast"] and fresh["trained_at"] is not None:
        count, noun = fresh["without_forecast"], "product" if fresh["without_forecast"] == 1 else "products"
        why = "less than 30 days of history, or fewer than two days with demand"
        failed = f" ({fresh['failed']} failed and will be tried again)" if fresh["failed"] else ""
        parts.append(f"{write.number(count)} {noun} without a forecast: {why}{failed}")
    if fresh["stale"]:
        more = "or more " if fresh["stale"] >= 1000 else ""
        parts.append(f"{write.number(fresh['stale'])} {more}being brought up to date")
    if fresh["shift_days"]:
        weeks = write.number(fresh["shift_days"] // 7)
        parts.append(f"imported sales were moved {weeks} weeks forward, so that they end now")
    st.caption(" · ".join(safe_md(part) for part in parts), help="When what you see was computed.")


# -- Refusals and errors -------------------------------------------------------------------------------------


def refused(sentence: str) -> None:
    st.error(safe_md(sentence), icon=":material/error:")


def trouble(error: Exception) -> str:
    """The sentence for an error nobody expected; the log has it in full under the same number."""
    number = secrets.token_hex(4).upper()
    log.error("error %s", number, exc_info=error)
    if isinstance(error, ServerError) or is_passing(error):
        return f"The database does not answer. Try again in a moment. (Error {number})"
    return f"Something went wrong on this page, and nothing was changed. The log explains error {number}."


def page_failed(error: Exception) -> None:
    """A page that broke: a refusal as its sentence, anything else as a number for the log."""
    refused(error.sentence if isinstance(error, RunoutError) else trouble(error))
    if st.button("Try again", icon=":material/refresh:", key="try_again"):
        st.rerun()
