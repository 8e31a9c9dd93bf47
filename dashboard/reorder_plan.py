"""What the Reorder page works on: the lines of the horizon, by vendor, and which of them are ticked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from core.buying import advice_lines
from core.buying.advice_lines import Head, Line, Vendor
from dashboard import editing, looks, pickers, ui
from db.session import reading

MOST_LINES = 2000  # read at once; a shop that orders more in one go takes a shorter horizon
ROWS_PER_PAGE = 25
HORIZONS = {"0": "Today", "7": "7 days", "14": "14 days", "30": "30 days"}
ALL, TRANSFERS, NOBODY = "", "transfers", "none"
SHOWN = {"snoozed": "Snoozed", "drafts": "In drafts or sent", "all": "Everything"}
STATES_OF = {
    None: {"open"},
    "snoozed": {"snoozed"},
    "drafts": {"in draft", "ordered"},
    "all": {"open", "snoozed", "in draft", "ordered"},
}
URGENT = ("out", "late", "order_now")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: horizon in days, words in name or SKU, a status, and states of lines."""

    horizon_days: int
    search: str | None
    status: str | None
    show: str | None

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.status or self.show)


@dataclass(frozen=True)
class Group:
    """Lines that go together: one vendor's, the transfers, or those that nobody offers.

    `word` names it in the address. `ticked` are those that would be ordered or moved now, worth `value`.
    """

    word: str
    name: str
    lines: tuple[Line, ...]
    ticked: tuple[Line, ...]
    terms: Vendor | None

    @property
    def value(self) -> Decimal:
        return sum((line.value for line in self.ticked), Decimal(0))

    @property
    def problems(self) -> Counter:
        """How many products are out, late, or due: what ordering the ticked lines solves."""
        return Counter(line.status for line in self.ticked if line.status in URGENT)


@dataclass(frozen=True)
class Plan:
    """Everything the page shows, seen in one moment; `groups` without the one of all."""

    head: Head | None
    everything: Group
    groups: tuple[Group, ...]
    is_cut: bool

    def group(self, word: str) -> Group | None:
        """The group that the address names; all where it names none."""
        if word == ALL:
            return self.everything
        return next((group for group in self.groups if group.word == word), None)

    @property
    def sends(self) -> dict[str, date]:
        """The next day on which each vendor takes orders."""
        return {group.word: group.terms.send_on for group in self.groups if group.terms is not None}

    @property
    def ordering(self) -> tuple[Group, ...]:
        """The vendors of whom something is ticked."""
        return tuple(group for group in self.groups if group.terms is not None and group.ticked)


def desk() -> dict[str, Any]:
    """What this session holds of the page: the lines it took its tick from, and the answer to its writes."""
    mine = editing.desk("reorder")
    mine.setdefault("left_out", set())
    return mine


def look(asked: Asked, today: date) -> Plan:
    """One look at the advice. Ticks belong to the session, all else to the shop."""
    with reading() as session:
        head = advice_lines.head(session, looks.now())
        if head is None:
            return Plan(None, Group(ALL, "All", (), (), None), (), is_cut=False)
        found = advice_lines.lines(
            session, today, horizon_days=asked.horizon_days, include_snoozed=True, search=asked.search,
            limit=MOST_LINES,
        )  # fmt: skip
        vendors = advice_lines.vendors_of(session, found.rows, today)
    return build(head, found.rows, vendors, asked, desk()["left_out"], is_cut=found.total > len(found.rows))


def build(
    head: Head, lines: Sequence[Line], vendors: Sequence[Vendor], asked: Asked, left_out: set[str], *,
    is_cut: bool = False,
) -> Plan:  # fmt: skip
    """The plan of these lines: filtered as the address asks, and in groups, vendors in their given order."""
    kept = [
        line for line in lines if line.state in STATES_OF[asked.show] and asked.status in (None, line.status)
    ]
    by_word: dict[str, list[Line]] = {}
    for line in kept:
        by_word.setdefault(word_of(line), []).append(line)
    terms = {str(vendor.uid): vendor for vendor in vendors if vendor.uid}
    groups = [
        _group(word, terms[word].name, by_word.pop(word), terms[word], left_out)
        for word in terms
        if word in by_word
    ]
    names = {TRANSFERS: "Transfers", NOBODY: "No vendor yet"}
    last = [_group(word, names[word], by_word.pop(word), None, left_out) for word in names if word in by_word]
    for word, rest in by_word.items():
        groups.append(_group(word, rest[0].vendor, rest, None, left_out))
    return Plan(head, _group(ALL, "All", kept, None, left_out), tuple(groups + last), is_cut=is_cut)


def _group(word: str, name: str, lines: Iterable[Line], terms: Vendor | None, left_out: set[str]) -> Group:
    lines = tuple(lines)
    return Group(word, name, lines, tuple(li for li in lines if is_ticked(li, left_out)), terms)


def word_of(line: Line) -> str:
    """The group of a line, as the address names it."""
    if line.action == "transfer":
        return TRANSFERS
    return str(line.vendor_uid) if line.vendor_uid else NOBODY


def place_of(line: Line) -> str:
    """A line's name in the address and among the ticks: it stays when the advice is made anew."""
    return f"{line.product_uid}.{line.warehouse}"


def can_be_taken(line: Line) -> bool:
    """Whether the line can go into a draft, or be moved, as it stands."""
    has_source = line.action == "transfer" or line.vendor_uid is not None
    return line.state == "open" and line.quantity > 0 and has_source


def is_ticked(line: Line, left_out: set[str]) -> bool:
    return can_be_taken(line) and place_of(line) not in left_out


# -- The address ---------------------------------------------------------------------------------------------


def filters() -> Asked:
    """The one row of filters: horizon, search, status, and whether snoozed lines are shown."""
    with st.container(key="filters"):
        row = iter(st.columns([2.1, 2, 1.2, 1.2], vertical_alignment="center"))
        with next(row):
            horizon = pickers.section("Horizon", "days", HORIZONS, "0")
        with next(row):
            search = pickers.words("Search", "q", "Name or SKU")
        with next(row):
            status = pickers.choice("Status", "status", ui.WORD, "Any status")
        with next(row):
            show = pickers.choice("Lines", "lines", SHOWN, "To order")
    return Asked(int(horizon), search, status, show)


def group_in_address(plan: Plan) -> Group:
    """The chosen group; of one that has no lines (any more) an empty one.

    It does not fall back to all: the second half of a double click would order of all vendors.
    """
    word = st.query_params.get("vendor", ALL)
    return plan.group(word) or Group(word, "", (), (), None)


def choose(word: str) -> None:
    """Show one group; the same again shows all."""
    now = st.query_params.get("vendor", ALL)
    pickers.restart()
    pickers.remember("line", None)
    pickers.remember("vendor", None if word in (now, ALL) else word)
