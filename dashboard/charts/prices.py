"""What a vendor asked for a product over time: a step for each offer, a line for each quantity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from dashboard import charts

LEAST_DAYS = 60  # a younger offer is a point without a past


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
    drawn.layout["margin"]["r"] = 96
    drawn.layout["yaxis"] |= {"tickformat": ",.2~f"}
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
                x=last, y=y[-1], xanchor="left", xshift=6, text=line.words, yanchor="middle",
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


def _start(last: date) -> date:
    """The first day of the narrowest picture."""
    return date.fromordinal(last.toordinal() - LEAST_DAYS)
