"""What a vendor asked for a product over time: a step for each offer, a line for each quantity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from dashboard import charts

LEAST_DAYS = 60  # a younger offer is a point without a past
AROUND = 0.35  # of the range of prices, as room above and below


@dataclass(frozen=True)
class Line:
    """The unit price from one quantity on: (first day, price), the oldest first; `words` stand at its end.

    A price of None: from that day on nothing was asked for so many."""

    words: str
    points: Sequence[tuple[date, float | None]]


def finding(points: Sequence[tuple[date, float]], today: date) -> str:
    """What the price of one piece did, in one sentence."""
    known = [(day, price) for day, price in points if day <= today]
    if len(known) < 2 or not known[-2][1]:
        return "What it asked so far"
    (_, before), (_, price) = known[-2:]
    percent = round((price / before - 1) * 100, 1)
    if not percent:
        return "The price is what it was"
    return f"{'Rose' if percent > 0 else 'Fell'} {abs(percent):g} % with the last change"


def figure(
    lines: Sequence[Line], *, today: date, dark: bool = False, separators: str = ".,", height: int = 240
) -> go.Figure:
    """A step line for each quantity, the smallest one in ink; days to come are dotted.

    Args:
        lines: at least one, smallest quantity first.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(height, dark=dark, separators=separators)
    days = [day for line in lines for day, _ in line.points]
    first, last = min(days), max(today, *days)
    first = min(first, _start(last))
    prices = [price for line in lines for _, price in line.points if price is not None]
    low, high = min(prices), max(prices)
    room = (high - low) * AROUND or max(high * AROUND, 1.0)
    drawn.layout["margin"]["r"] = 100
    # From zero a rise of a few percent could not be seen; the axis says where it begins.
    drawn.layout["yaxis"] |= {
        "tickformat": ",.2f", "rangemode": "normal", "range": [max(low - room, 0.0), high + room],
    }  # fmt: skip
    heights = _apart([line.points[-1][1] for line in lines], high - low + 2 * room, height)
    for place, line in enumerate(lines):
        colour = colours.ink if not place else colours.muted
        x, y = [day for day, _ in line.points], [price for _, price in line.points]
        drawn.add(
            "scatter", x=[*x, last], y=[*y, y[-1]], mode="lines", name=line.words,
            line={"color": colour, "width": 2 if not place else 1.5, "shape": "hv"},
            hovertemplate=f"{line.words}: %{{y}} from %{{x|%-d %b %Y}} on<extra></extra>",
        )  # fmt: skip
        if y[-1] is not None:
            drawn.say(
                x=last, y=heights[place], xanchor="left", xshift=6, text=line.words, yanchor="middle",
                font={"color": colour, "size": 12},
            )  # fmt: skip
    if last > today:
        drawn.shade(
            type="line", xref="x", yref="paper", x0=today, x1=today, y0=0, y1=1,
            line={"color": colours.muted, "width": 1, "dash": "dot"},
        )  # fmt: skip
        drawn.say(**charts.above(today, "today", colours.muted))
    charts.show_days(drawn, first, last)
    return drawn.figure()


def _apart(prices: Sequence[float | None], span: float, height: int) -> list[float | None]:
    """Where the words of each line stand: at its price, moved down where two would lie on each other."""
    least = span * charts.WORDS_PIXELS / height * 1.3
    placed: dict[int, float] = {}
    above: float | None = None
    known = [place for place, price in enumerate(prices) if price is not None]
    for place in sorted(known, key=lambda place: -prices[place]):
        at = prices[place] if above is None else min(prices[place], above - least)
        placed[place] = above = at
    return [placed.get(place) for place in range(len(prices))]


def _start(last: date) -> date:
    """The first day of the narrowest picture."""
    return date.fromordinal(last.toordinal() - LEAST_DAYS)
