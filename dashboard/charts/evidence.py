"""One booking against its product's history: where it lies, and where its repair would lie."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

LOG_FROM = 30  # times: further apart than this, the usual ones would lie in one line at the bottom
USUAL = (0.1, 0.9)  # 8 of 10 lie between these shares
LEAST_USUAL = 5  # fewer points have no usual range worth drawing
HEIGHT = 240
DOT, MARKED = 6, 12  # sizes in pixels
ROOM = 0.12  # around the points, as a share of their span
NICE = (1, 2, 5)  # what the labels of a log scale begin with
MOST_TICKS = 6


@dataclass(frozen=True)
class Mark:
    """A value (signed where the history is) and the words beside it."""

    value: float
    words: str


def figure(
    history: pd.DataFrame,
    at: datetime,
    booked: Mark,
    repaired: Mark | None,
    *,
    what: str,
    dark: bool = False,
    separators: str = ".,",
) -> go.Figure:
    """The history as grey dots with the range of 8 in 10, the booking in red, its repair in the accent.

    Args:
        history: `at` and `value` of the bookings that this one is held against, without it.
        at: when the booking happened.
        repaired: what would be booked instead; None where nothing would, or nobody knows.
        what: what a value is, behind its number on hover: "pieces out", "a piece".
    """
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    values = [float(value) for value in history.value]
    marks = [booked, *([repaired] if repaired else [])]
    is_log = _is_log([*values, *(mark.value for mark in marks)])
    _draw_usual(drawn, values, colours)
    drawn.add(
        "scatter", x=list(history["at"]), y=values, name="earlier", mode="markers",
        marker={"color": colours.muted, "size": DOT, "opacity": 0.6},
        hovertemplate=f"%{{x|%-d %b %Y}}: %{{y:,~f}} {what}<extra></extra>",
    )  # fmt: skip
    if repaired:
        _draw_mark(drawn, at, repaired, colours.accent, "circle-open", what)
    _draw_mark(drawn, at, booked, colours.out, "diamond", what)
    _scale(drawn, [*values, *(mark.value for mark in marks)], is_log=is_log)
    _place_words(drawn, at, booked, repaired, colours, is_log=is_log)
    drawn.layout["xaxis"] |= {"nticks": 5, "range": _days([*history["at"], at])}
    drawn.layout["hovermode"] = "closest"
    drawn.layout["margin"] |= {"t": 14, "r": 16}
    return drawn.figure()


def _is_log(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > LOG_FROM


def _draw_usual(drawn: charts.Sketch, values: list[float], colours: charts.Palette) -> None:
    """The band in which 8 of 10 lie."""
    if len(values) < LEAST_USUAL:
        return
    low, high = (float(pd.Series(values).quantile(share)) for share in USUAL)
    drawn.shade(
        type="rect", layer="below", xref="paper", yref="y", x0=0, x1=1, y0=low, y1=high,
        line={"width": 0}, fillcolor=colours.band_80,
    )  # fmt: skip


def _draw_mark(drawn: charts.Sketch, at: datetime, mark: Mark, colour: str, symbol: str, what: str) -> None:
    drawn.add(
        "scatter", x=[at], y=[mark.value], name=mark.words, mode="markers",
        marker={"color": colour, "size": MARKED, "symbol": symbol, "line": {"color": colour, "width": 2}},
        hovertemplate=f"%{{x|%-d %b %Y}}, {mark.words}: %{{y:,~f}} {what}<extra></extra>",
    )  # fmt: skip


def _scale(drawn: charts.Sketch, values: list[float], *, is_log: bool) -> None:
    axis = drawn.layout["yaxis"]
    if is_log:
        low, high = math.log10(min(values)), math.log10(max(values))
        edge = (high - low) * ROOM
        ticks = _log_ticks(min(values), max(values))
        words = [_short(tick, drawn.layout["separators"]) for tick in ticks]
        axis |= {"type": "log", "range": [low - edge, high + edge], "tickvals": ticks, "ticktext": words}
        return
    low, high = min(0.0, *values), max(0.0, *values)
    edge = (high - low or 1.0) * ROOM
    axis |= {"range": [low - (edge if low < 0 else 0), high + edge], "rangemode": "normal"}
    if low < 0:
        axis |= {"zeroline": True, "zerolinecolor": axis["gridcolor"], "zerolinewidth": 2}


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, few enough to be read."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    many = [first * 10.0**power for power in powers for first in NICE if low <= first * 10.0**power <= high]
    if len(many) <= MOST_TICKS:
        return many
    tens = [10.0**power for power in powers if low <= 10.0**power <= high]
    return tens[:: math.ceil(len(tens) / MOST_TICKS)]


def _short(value: float, separators: str) -> str:
    """1,000 or 0.05, in the shop's own signs."""
    text = f"{value:,.0f}" if value >= 1 else f"{value:g}"
    return text.translate(str.maketrans(".,", separators))


def _place_words(
    drawn: charts.Sketch,
    at: datetime,
    booked: Mark,
    repaired: Mark | None,
    colours: charts.Palette,
    *,
    is_log: bool,
) -> None:
    """The words at the left of their marks, which lie near the right edge; never on each other."""
    axis = drawn.layout["yaxis"]["range"]
    near = False
    if repaired:
        places = [math.log10(mark.value) if is_log else mark.value for mark in (booked, repaired)]
        near = abs(places[0] - places[1]) < (axis[1] - axis[0]) * ROOM
    above_it = repaired is None or booked.value >= repaired.value
    for mark, colour, up in ((booked, colours.out, above_it), (repaired, colours.accent, not above_it)):
        if mark is None:
            continue
        shift = (charts.WORDS_PIXELS if up else -charts.WORDS_PIXELS) * 0.6 if near else 0
        drawn.say(
            x=at, y=math.log10(mark.value) if is_log else mark.value, xanchor="right", yanchor="middle",
            xshift=-MARKED, yshift=shift, text=f"<b>{mark.words}</b>", font={"color": colour, "size": 12},
            bgcolor=colours.paper, opacity=0.9,
        )  # fmt: skip


def _days(moments: Sequence[datetime]) -> list[datetime]:
    """From the first to the last of them, with room at both ends."""
    first, last = min(moments), max(moments)
    edge = (last - first) * ROOM / 2 or pd.Timedelta(days=1)
    return [first - edge, last + edge]
