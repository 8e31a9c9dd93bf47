"""Vendors by what an order costs in all and when it arrives: low and to the left is good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import plotly.graph_objects as go

from dashboard import charts

AROUND = 0.25  # of the range of totals, as room for words above and below
NEAR = 0.12  # of the height: words closer than this would lie on each other
PADDING_DAYS = 2


@dataclass(frozen=True)
class Spot:
    """A vendor in the picture: the middle day of arrival, the one that nine of ten keep, and the total.

    `words` stand at it, `hover` says all of it.
    """

    words: str
    hover: str
    arrives_on: date
    late_on: date
    total: float
    is_recommended: bool


def figure(
    spots: Sequence[Spot],
    *,
    today: date,
    run_out: tuple[date | None, date | None] = (None, None),
    dark: bool = False,
    separators: str = ".,",
    height: int = 320,
) -> go.Figure:
    """A point for each vendor with a line to its late arrivals; the days in which stock runs out are grey.

    Args:
        spots: at least one.
        run_out: the first and the last day between which the stock is used up in 8 of 10 futures.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(height, dark=dark, separators=separators)
    first, last = today, max(spot.late_on for spot in spots)
    low, high = min(spot.total for spot in spots), max(spot.total for spot in spots)
    room = (high - low) * AROUND or max(abs(high) * AROUND, 1.0)
    # From zero a difference of a tenth could not be seen; the axis says where it begins.
    drawn.layout["yaxis"] |= {"rangemode": "normal", "range": [max(low - room, 0.0), high + room]}
    drawn.layout["hovermode"] = "closest"
    length = (last - first).days + 2 * PADDING_DAYS
    if run_out[0] is not None and run_out[0] <= last:
        end = min(run_out[1] or last, last)
        drawn.shade(
            type="rect", layer="below", xref="x", yref="paper", x0=run_out[0], x1=end + timedelta(days=1),
            y0=0, y1=1, line={"width": 0}, fillcolor=colours.shade,
        )  # fmt: skip
        is_right = (run_out[0] - first).days > length / 2
        drawn.say(**charts.above(run_out[0], "runs out", colours.muted, "right" if is_right else "left"))
    taken: list[tuple[float, float]] = []
    for spot in sorted(spots, key=lambda one: not one.is_recommended):
        colour = colours.accent if spot.is_recommended else colours.ink
        _draw(drawn, spot, colour)
        _say(drawn, spot, colour, (first, length), room / AROUND + 2 * room, taken)
    charts.show_days(drawn, first, last + timedelta(days=PADDING_DAYS))
    return drawn.figure()


def _draw(drawn: charts.Sketch, spot: Spot, colour: str) -> None:
    drawn.add(
        "scatter", x=[spot.arrives_on, spot.late_on], y=[spot.total, spot.total], mode="lines",
        line={"color": colour, "width": 2, "dash": "dot"}, hoverinfo="skip", name=spot.words,
    )  # fmt: skip
    drawn.add(
        "scatter", x=[spot.arrives_on], y=[spot.total], mode="markers", name=spot.words,
        marker={"color": colour, "size": 13 if spot.is_recommended else 10},
        hovertemplate=f"{spot.hover}<extra></extra>",
    )  # fmt: skip


def _say(
    drawn: charts.Sketch, spot: Spot, colour: str, days: tuple[date, int], span: float,
    taken: list[tuple[float, float]],
) -> None:  # fmt: skip
    """The name over its point, or under it where another name is near."""
    first, length = days
    at = (spot.arrives_on - first).days / length
    is_near = any(
        abs(at - day) < 0.5 and abs(spot.total - total) < NEAR * span for day, total in taken
    )  # fmt: skip
    taken.append((at, spot.total))
    drawn.say(
        x=spot.arrives_on, y=spot.total, text=f"<b>{spot.words}</b>" if spot.is_recommended else spot.words,
        xanchor="right" if at > 0.55 else "left", yanchor="top" if is_near else "bottom",
        yshift=-8 if is_near else 8, font={"color": colour, "size": 12.5},
    )  # fmt: skip
