"""What a file was found to do, or did: figures, what was said about its lines, and some of what changes."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from core.imports.table_text import ISSUE_COLUMNS

PREVIEW_ROWS = 200
# Sentences are also shown to people who have never seen the command: its options stand in brackets.
_OF_THE_COMMAND = re.compile(r" \(--[^)]*\)")


@dataclass(frozen=True)
class Found:
    """`counts`: numbers of lines and things, in words. `issues`: `ISSUE_COLUMNS`. `preview`: some changes.

    Days are business days; `mode` and `shift_days` are about sales only.
    """

    counts: dict[str, int]
    issues: pd.DataFrame
    preview: list[dict] = field(default_factory=list)
    mode: str = ""
    shift_days: int = 0
    first_on: date | None = None
    last_on: date | None = None
    facts: dict[str, str] = field(default_factory=dict)

    def by_rule(self, kind: str) -> dict[str, int]:
        """How many lines each rule of a kind ("skipped", "error") is about."""
        named = self.issues.loc[self.issues["kind"] == kind, "rule"]
        return {str(rule): int(number) for rule, number in named.value_counts().items()}

    @property
    def error_lines(self) -> int:
        return int(self.issues.loc[self.issues["kind"] == "error", "line_number"].nunique())


class Said:
    """Collects what is said about lines, any number of things about each."""

    def __init__(self) -> None:
        self._rows: list[tuple] = []
        self.wrong: set[int] = set()

    def error(self, line: int, rule: str, field_name: str | None, value: object, message: str) -> None:
        """The line cannot be taken; `message` says why and what to do."""
        self.wrong.add(line)
        # One line may have the same trouble in several cells.
        named = f"{field_name}.{rule}" if field_name else rule
        self._rows.append((line, "error", named, field_name, value, message))

    def skip(self, line: int, rule: str, message: str) -> None:
        """The line has no effect."""
        self._rows.append((line, "skipped", rule, None, None, message))

    def change(
        self, line: int, field_name: str, before: str | None, after: str | None, more: str = ""
    ) -> None:
        """The line changes what is known already; `more` goes behind what was."""
        was = ("empty before" if before is None else f"was {before}") + more
        self._rows.append((line, "change", f"{field_name}.changed", field_name, after, was))

    def note(self, line: int, rule: str, field_name: str, value: object, message: str) -> None:
        self._rows.append((line, "note", rule, field_name, value, message))

    def forget(self, lines: Collection[int]) -> None:
        """Nothing was said about these lines."""
        self._rows = [row for row in self._rows if row[0] not in lines]
        self.wrong.difference_update(lines)

    def frame(self) -> pd.DataFrame:
        """`ISSUE_COLUMNS`, by line."""
        found = pd.DataFrame(self._rows, columns=ISSUE_COLUMNS)
        return found.sort_values("line_number", kind="stable", ignore_index=True)


def for_screen(sentence: str) -> str:
    """The sentence without the command's options."""
    return _OF_THE_COMMAND.sub("", sentence)
