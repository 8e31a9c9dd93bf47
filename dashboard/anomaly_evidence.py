"""The evidence of a finding, drawn: what is usual for its product, this booking, and its repair."""

from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.doctor import finding_lists
from core.doctor.finding_rows import Row
from dashboard import looks, order_words, ui
from dashboard.charts import evidence
from dashboard.charts.evidence import Mark
from dashboard.formats import MINUS, is_missing
from db.session import reading


def draw(row: Row) -> None:
    """The picture of one finding, with what it shows in words under it."""
    with reading() as session:
        found = finding_lists.evidence(session, row.uid)
    history = _history(row, found)
    booked, repaired = _marks(row)
    what = "a piece" if _is_by_price(row) else ui.formats().unit(row.unit_of_measure) or "pieces"
    about = (history, row.occurred_at, booked, repaired, what, ui.is_dark(), ui.formats().separators)
    figure = looks.picture(("evidence", *about), lambda: _figure(*about))
    ui.picture(figure, _words(len(history), booked, repaired), key=f"evidence-{row.uid}")
    st.caption(_caption(row, len(history)))


def _figure(
    history: pd.DataFrame, at: Any, booked: Mark, repaired: Mark | None, what: str, dark: bool, signs: str
) -> Any:
    return evidence.figure(history, at, booked, repaired, what=what, dark=dark, separators=signs)


def _history(row: Row, found: pd.DataFrame) -> pd.DataFrame:
    """The earlier bookings as the picture wants them: prices, signed changes, or quantities."""
    earlier = found[~found.is_it & ~found.is_void]
    if _is_by_price(row):
        earlier = earlier[[not is_missing(price) for price in earlier.unit_price]]
        values = [float(price) for price in earlier.unit_price]
    else:
        values = [_drawn(row, change) for change in earlier.change]
    return pd.DataFrame({"at": list(earlier.occurred_at), "value": values})


def _is_by_price(row: Row) -> bool:
    """Whether the price is what is odd: another product is told by it, where the line has one."""
    return row.field == "price" or (row.field == "product" and row.unit_price is not None)


def _drawn(row: Row, change: Decimal) -> float:
    return float(change) if row.field == "sign" else float(abs(change))


def _marks(row: Row) -> tuple[Mark, Mark | None]:
    """What was booked, and what would be instead; nothing where the line goes, or stands elsewhere."""
    write = ui.formats()
    if row.field == "price":
        was, new = row.unit_price or Decimal(0), Decimal(row.repair["unit_price"])
        return Mark(float(was), f"{write.price(was)} booked"), Mark(
            float(new), f"{write.price(new)} repaired"
        )
    if _is_by_price(row):
        return Mark(float(row.unit_price), f"{write.price(row.unit_price)} booked"), None
    booked = Mark(_drawn(row, row.change), f"{_quantity(row, row.change)} booked")
    if row.field not in ("quantity", "sign"):
        return booked, None
    wanted = Decimal(row.repair["change"])
    return booked, Mark(_drawn(row, wanted), f"{_quantity(row, wanted)} repaired")


def _quantity(row: Row, change: Decimal) -> str:
    words = ui.formats().quantity(abs(change))
    return f"{MINUS if change < 0 else '+'}{words}" if row.field == "sign" else words


def _caption(row: Row, earlier: int) -> str:
    """What the dots are, in the fewest words."""
    what = "price" if _is_by_price(row) else "booking"
    if not earlier:
        return f"No earlier {what} of this kind: it is held against other products."
    band = "; 8 of 10 lie in the blue band" if earlier >= evidence.LEAST_USUAL else ""
    return f"Grey: its {order_words.count(earlier, what)} of this kind before{band}."


def _words(earlier: int, booked: Mark, repaired: Mark | None) -> str:
    """The picture for those who cannot see it."""
    instead = f", {repaired.words}" if repaired else ""
    return f"{booked.words}{instead}, against {earlier} earlier ones"
