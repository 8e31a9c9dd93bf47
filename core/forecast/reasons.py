"""Why a forecast is as it is, and what would make it better, in words for the people who order by it."""

from collections.abc import Sequence

from core.forecast.analogs import PAST_DAYS
from core.forecast.contenders import DORMANT_DAYS, is_dormant
from core.forecast.history import BULK_SIZES, Series
from core.forecast.standings import TITLES

HIDDEN_SHARE = 0.1  # of the days, from which what could not be seen is what is missing most
YEAR_DAYS = 365
DRAW_BULK_SMALLER = {"blocks", "occurrence"}  # members
FEW_SALES = 20  # days with demand below which a further one says more than a further month


def reason(series: Series, members: Sequence[str], history_days: int) -> str:
    """Which methods drew it, on what: one sentence without its full stop, since pages go on from there."""
    names = ", ".join(_lower(TITLES.get(name, name)) for name in members)
    who = f"The average of {len(members)} methods ({names})" if len(members) > 1 else f"One method ({names})"
    sold, hidden = int((series.demand > 0).sum()), hidden_days(series)
    seen = f"; on {_days(hidden)} demand could not be seen" if hidden else ""
    bulk = bulk_days(series) if DRAW_BULK_SMALLER & {*members} else 0
    less = f"; {_days(bulk)} of bulk drawn as {BULK_SIZES:.0f} usual sales at most" if bulk else ""
    return f"{who} on {_days(history_days)} of history, {sold} of them with demand{seen}{less}"


def would_help(series: Series, members: Sequence[str], history_days: int) -> str | None:
    """The one thing that would make this forecast better; None when nothing is missing."""
    sold, hidden = int((series.demand > 0).sum()), hidden_days(series)
    if hidden >= HIDDEN_SHARE * series.days:
        return (
            f"More days in stock would help most: on {hidden} of {_days(history_days)} the shelf was empty "
            "or the day was left out, and nobody knows what would have sold."
        )
    if history_days <= PAST_DAYS:
        return f"More history would help most: after {PAST_DAYS} days products like this one join in."
    if is_dormant(series):
        return f"The next sale would tell most: nothing was sold in the last {DORMANT_DAYS} days in stock."
    if sold < FEW_SALES:
        return f"It sold on {_days(sold)} only, and each further one makes the size of a sale surer."
    if "analogs" not in members:
        return "More products with some months of sales would help: then those like this one join in."
    if history_days < YEAR_DAYS:
        return "A whole year of history would help most: then its season can be seen."
    return None


def hidden_days(series: Series) -> int:
    """Days that say nothing about demand: without stock, or left out by somebody."""
    return int((~series.in_stock).sum())


def bulk_days(series: Series) -> int:
    """Days whose demand is not drawn in full, see `Series.without_bulk`."""
    return int((series.demand > series.without_bulk.demand).sum())


def _lower(title: str) -> str:
    """A title inside a sentence; names such as Prophet, ADIDA or AutoETS stay as they are."""
    first = title.split()[0]
    is_word = first[1:].islower() and first not in ("Prophet", "Croston", "Theta")
    return title[0].lower() + title[1:] if is_word else title


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
