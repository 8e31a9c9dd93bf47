"""A line of the advice in words: when it runs out, what it costs, when it comes, and what state it is in."""

from datetime import date
from decimal import Decimal
from typing import Any

from core.buying.advice_lines import Line
from dashboard import tables, ui

UNKNOWN = "unknown"  # nothing is forecast of it


def product(line: Line) -> str:
    """Its name, and under it the SKU and the warehouse."""
    return f"**{ui.safe_md(line.name)}**  \n:gray[{ui.safe_md(f'{line.sku} · {line.warehouse}')}]"


def stock(line: Line) -> str:
    """What is on hand, and under it what is on its way."""
    write = ui.formats()
    words = ui.safe_md(quantity(line, line.on_hand))
    return f"{words}  \n:gray[{ui.safe_md(write.change(line.due))} due]" if line.due else words


def run_out(line: Line, today: date) -> str:
    """When it runs out, and under it the status with the chance to run out before an order arrives."""
    told = []
    if line.status or not _is_foreseen(line):
        told.append(ui.status_badge(line.status or UNKNOWN))
    if line.chance is not None:
        told.append(f":gray[{ui.safe_md(ui.formats().share(line.chance))}{'' if line.status else ' risk'}]")
    return f"{ui.safe_md(_run_out(line, today))}  \n{' '.join(told)}"


def _run_out(line: Line, today: date) -> str:
    if line.on_hand <= 0 and line.status == "out":
        return "now"
    return tables.run_out(line, today) if _is_foreseen(line) else "unknown"


def _is_foreseen(line: Line) -> bool:
    """A transfer that is in time has no status, and is forecast all the same."""
    return bool(line.status) or line.chance is not None


def cost(line: Line, *, with_vendor: bool) -> str:
    """What the line costs, at which price, of whom."""
    write = ui.formats()
    if line.action == "transfer":
        return f"from {ui.safe_md(line.from_warehouse or '')}  \n:gray[transfer]"
    if line.vendor_uid is None:
        return ":gray[no vendor yet]"
    unit = _unit(line, 1)
    price = f"{write.price(line.unit_cost)}{' a ' + unit if unit else ' each'}"
    vendor = f"  \n:gray[{ui.safe_md(line.vendor or '')}]" if with_vendor else ""
    return f"{ui.safe_md(write.money(line.value))} :gray[{ui.safe_md(price)}]{vendor}"


def when(line: Line, today: date, sends_on: date | None = None) -> str:
    """Until when it is to be ordered, and when it would arrive.

    `sends_on`: the next day on which its vendor takes orders; "now" is that day.
    """
    write = ui.formats()
    by, first = line.order_by_on, max(sends_on or today, today)
    is_later = by is not None and by > first
    if not is_later:
        by = first
    words = ui.safe_md("now" if by == today else write.weekday(by))
    if line.arrives_on is None:
        return words
    arrives = ui.safe_md(write.day(line.arrives_on))
    return f"{words}  \n:gray[{f'if now: {arrives}' if is_later else f'arrives {arrives}'}]"


def quantity(line: Line, amount: Decimal | None = None) -> str:
    """A quantity of the line with its unit: 24 pairs; pieces have no word."""
    amount = line.quantity if amount is None else amount
    unit = _unit(line, amount)
    return f"{ui.formats().quantity(amount)}{' ' + unit if unit else ''}"


def state(line: Line) -> str | None:
    """What is special about the line, as a badge; None for one that is as computed."""
    write = ui.formats()
    if line.state == "snoozed":
        until = f"until {write.weekday(line.snoozed_until)}" if line.snoozed_until else "until the risk rises"
        return f":gray-badge[Snoozed {ui.safe_md(until)}]"
    if line.state == "in draft":
        return f":blue-badge[In draft {ui.safe_md(line.order_number or '')}]"
    if line.state == "ordered":
        return f":green-badge[Ordered {ui.safe_md(line.order_number or '')}]"
    if line.is_edited:
        return f":yellow-badge[Edited] :gray[{ui.safe_md(computed(line))}]"
    return None


def computed(line: Line) -> str:
    """What stood there before somebody edited it."""
    words = f"computed {quantity(line, line.computed_quantity)}"
    if line.vendor_uid != line.computed_vendor_uid and line.computed_vendor:
        words += f" of {line.computed_vendor}"
    return words


def problems(counts: Any) -> str:
    """How many products are out, late or due, each with its word and colour; nothing where none is."""
    return " · ".join(
        f":{ui.COLOUR[name]}[{ui.formats().number(counts[name])} {ui.WORD[name].lower()}]"
        for name in ("out", "late", "order_now")
        if counts[name]
    )


def lines(count: int) -> str:
    return f"{ui.formats().number(count)} {'line' if count == 1 else 'lines'}"


def _unit(line: Line, amount: Decimal | int) -> str:
    return ui.formats().unit(line.unit, amount)
