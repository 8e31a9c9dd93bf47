"""How known events are said: their days, whom they are about, and what they do to demand."""

from datetime import date
from decimal import Decimal

from core.demand_events import Shown
from core.event_effects import Lesson
from dashboard import ui

KINDS = {"promotion": "Promotion", "closed": "Closed", "other": "Other"}
EVERYTHING = "All products"
EVERYWHERE = "All warehouses"


def days(event: Shown, today: date) -> str:
    """24-30 Nov, or one day."""
    write = ui.formats()
    if event.starts_on == event.ends_on:
        return write.weekday(event.starts_on)
    return write.span(event.starts_on, event.ends_on, today)


def about(event: Shown) -> str:
    """All products, Lamps, or SKU-17 Desk lamp; with the warehouse where it is one."""
    whom = f"{event.sku} {event.product_name}" if event.sku else event.category or EVERYTHING
    return f"{whom}, {event.warehouse}" if event.warehouse else whom


def percent(change: Decimal | float) -> str:
    """+38 %, −12.5 %."""
    write = ui.formats()
    rounded = Decimal(str(round(float(change), 1)))
    return "as usual" if not rounded else f"{write.change(rounded)} %"


def effect(event: Shown, lesson: Lesson | None, today: date) -> str:
    """What it does to demand, in the fewest words."""
    if event.kind == "closed":
        return "no demand"
    if event.effect_percent is not None:
        return percent(event.effect_percent)
    if event.ends_on < today:
        return ""
    if lesson is None or not lesson.days:
        return "not known"
    return f"{percent(round(100 * (lesson.factor - 1)))} learned"


def learned(event: Shown, lesson: Lesson | None, today: date) -> str:
    """Where the effect comes from, as a sentence."""
    if event.kind == "closed":
        return "Nothing is sold, and the days are not learned from."
    if event.ends_on < today:
        return "Not taken for usual demand; later ones of this name learn from it."
    if event.effect_percent is not None:
        return f"{percent(event.effect_percent)} as stated."
    return lesson_words(lesson)


def lesson_words(lesson: Lesson | None) -> str:
    """+38 % learned from 12 days of 2 earlier ones."""
    if lesson is None or not lesson.days:
        return (
            "Nothing to learn from: no earlier day of this name and kind. It counts as usual until an effect "
            "is stated."
        )
    write = ui.formats()
    days_, ones = write.number(lesson.days), write.number(lesson.events)
    noun = "day" if lesson.days == 1 else "days"
    earlier = "1 earlier one" if lesson.events == 1 else f"{ones} earlier ones"
    return f"{percent(round(100 * (lesson.factor - 1)))} learned from {days_} {noun} of {earlier}."
