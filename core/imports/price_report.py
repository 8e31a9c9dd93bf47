"""What a price list does to offers, told: figures, changes by line, and the first of them beside what was."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from core import posting
from core.imports.import_found import PREVIEW_ROWS, Found, Said
from core.imports.price_offers import TERMS, Known, Line, Step, steps_beside

COUNTS = ("prices to add", "prices to change", "terms to change", "prices up", "prices down")
NEW = "new"
NOTHING = "none"
FIRST = Decimal(1)


class Report:
    """Collects what becomes of each offer."""

    def __init__(self, said: Said):
        self._said = said
        self._counts = dict.fromkeys(COUNTS, 0)
        self._notes = 0
        self._preview: list[dict] = []

    def offer(
        self, product: Mapping[str, Any], before: Known | None, after: Known, lines: Sequence[Line]
    ) -> None:
        """An offer is new, or another than the one before it."""
        at = {line.minimum_quantity: line.number for line in reversed(lines)}
        steps = steps_beside(before, after.steps, at, lines[-1].number)
        self._count(before, steps)
        for step in steps:
            self._step(product, step, is_new=before is None)
        if before is not None:
            self._terms(product, before, after, lines)

    def found(self, lines_read: int) -> Found:
        frame = self._said.frame()
        counts = {"lines read": lines_read} | self._counts | {
            "notes": self._notes,
            "lines skipped": int((frame["kind"] == "skipped").sum()),
            "lines with errors": len(self._said.wrong),
        }  # fmt: skip
        return Found(counts, frame, self._preview)

    def _count(self, before: Known | None, steps: Sequence[Step]) -> None:
        changed = "prices to change" if steps else "terms to change"
        self._counts["prices to add" if before is None else changed] += 1
        ways = {step.percent > 0 for step in steps if step.percent}
        if len(ways) == 1:  # one that is dearer here and cheaper there is neither
            self._counts["prices up" if ways.pop() else "prices down"] += 1

    def _step(self, product: Mapping[str, Any], step: Step, *, is_new: bool) -> None:
        was, now, percent = _said(step.before), _said(step.after), step.percent
        change = NEW if is_new else "" if percent is None else f"{percent:+} %"
        field = "Price" if step.minimum_quantity == FIRST else f"Price from {_said(step.minimum_quantity)}"
        self._show(step.line, product, field, was, now, change)
        if is_new:
            return
        more = "" if step.minimum_quantity == FIRST else f", from {_said(step.minimum_quantity)}"
        self._said.change(step.line, "unit_price", was, now, more + (f" ({change})" if change else ""))
        if step.is_far_off:
            self._notes += 1
            message = f"was {was}: is the new one for another number of pieces?"
            self._said.note(step.line, "far_off", "unit_price", now, message)

    def _terms(self, product: Mapping[str, Any], before: Known, after: Known, lines: Sequence[Line]) -> None:
        for name in TERMS:
            if before.terms[name] != after.terms[name]:
                was, now = _said(before.terms[name]), _said(after.terms[name])
                line = next((one.number for one in lines if one.terms[name] is not None), lines[0].number)
                self._said.change(line, name, was, now)
                self._show(line, product, name, was, now, "")

    def _show(
        self, line: int, product: Mapping[str, Any], field: str, was: str | None, now: str | None, change: str
    ) -> None:
        if len(self._preview) < PREVIEW_ROWS:
            row = {"line": line, "sku": product["sku"], "name": product["name"], "field": field}
            self._preview.append(
                row | {"before": was, "after": NOTHING if now is None else now, "change": change}
            )


def _said(value: Any) -> str | None:
    """A value as people write it."""
    if isinstance(value, date):
        return value.isoformat()
    return posting.plain(value) if isinstance(value, Decimal) else value if value is None else str(value)
