"""The order of a list in its address: read, turned by a click on a header, and drawn as an arrow there."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import pickers


@dataclass(frozen=True)
class Sorting:
    """How a list can be ordered.

    `columns`: by column of the table the order in SQL, with a minus in front where the first click means
    descending. `known`: all orders there are. `usual`: the one without a word in the address, and
    `usual_words` what it puts first.
    """

    columns: Mapping[str, str]
    known: Container[str]
    usual: str
    usual_words: str

    def asked(self) -> tuple[str, bool]:
        """The order the address asks for: (sort, descending). One that does not exist is said and ignored."""
        given = st.query_params.get("sort", self.usual)
        if given.removeprefix("-") not in self.known:
            pickers.refuse("sort", f"There is no order '{given[:60]}', so {self.usual_words}.")
            given = self.usual
        return given.removeprefix("-"), given.startswith("-")

    def turn(self, column: str) -> None:
        """A click on a header orders the whole list by it; a second one turns the order round."""
        if column not in self.columns:
            return
        first = self.columns[column]
        turned = first.removeprefix("-") if first.startswith("-") else f"-{first}"
        wanted = turned if st.query_params.get("sort", self.usual) == first else first
        pickers.restart()
        pickers.remember("sort", None if wanted == self.usual else wanted)

    def label(self, column: str) -> str:
        """The header of a column, with an arrow where the list is ordered by it."""
        sort, descending = self.asked()
        is_it = self.columns.get(column, "").removeprefix("-") == sort
        return f"{column} {'↓' if descending else '↑'}" if is_it else column

    def text(self, column: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        """A column of text under such a header."""
        return st.column_config.TextColumn(self.label(column), width=width, alignment=alignment, help=help_)
