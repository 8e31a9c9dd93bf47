"""Trend, weekdays, season and holidays of one product: small pictures whose titles are their findings."""

from collections.abc import Sequence
from datetime import date

import plotly.graph_objects as go

from dashboard import charts

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HEIGHT = 240
ROOM = 1.08  # above the highest bar or line
LETTERS = 22  # of a holiday's name; the whole of it is said on hover

Point = tuple[date, float, float, float]


def trend(points: Sequence[Point], *, as_of: date, dark: bool = False, separators: str = ".,") -> go.Figure:
    """Demand per day without weekdays and season, and the range of what it may do from `as_of` on.

    Args:
        points: (day, low, middle, high), in order; low and high are the middle up to `as_of`.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    ahead = [point for point in points if point[0] >= as_of] or list(points[-1:])
    edge = {"x": [point[0] for point in ahead], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    drawn.add("scatter", **edge, y=[point[3] for point in ahead], name="80 % upper")
    drawn.add(
        "scatter", **edge, y=[point[1] for point in ahead], name="80 % band", fill="tonexty",
        fillcolor=colours.band_80,
    )  # fmt: skip
    past = [point for point in points if point[0] <= as_of]
    for some, colour, dash in ((past, colours.ink, "solid"), (ahead, colours.accent, "dot")):
        drawn.add(
            "scatter",
            x=[point[0] for point in some],
            y=[point[2] for point in some],
            name="trend",
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate="%{x|%-d %b %Y}: %{y:,.2~f} a day<extra></extra>",
        )
    drawn.layout["xaxis"] |= {"nticks": 5, "tickformat": "%b<br>%Y"}
    drawn.layout["margin"] |= {"b": 40, "t": 8}
    _leave_room(drawn, [point[3] for point in points])
    return drawn.figure()


def weekdays(
    factors: Sequence[float],
    ranges: Sequence[tuple[float, float]],
    *,
    dark: bool = False,
    separators: str = ".,",
) -> go.Figure:
    """How much of a usual day is asked for on each weekday, with the range that chance leaves.

    Args:
        factors: Monday first, 1 is the week's mean.
        ranges: where 8 of 10 draws of other weeks of the same past put them.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    stands_out = [low > 1 or high < 1 for low, high in ranges]
    drawn.add(
        "bar",
        x=list(WEEKDAYS),
        y=[100 * factor for factor in factors],
        marker={"color": [colours.accent if clear else colours.muted for clear in stands_out],
                "opacity": [0.9 if clear else 0.45 for clear in stands_out]},
        error_y={
            "type": "data", "symmetric": False, "color": colours.ink, "thickness": 1, "width": 3,
            "array": [100 * (high - factor) for factor, (_, high) in zip(factors, ranges, strict=True)],
            "arrayminus": [100 * (factor - low) for factor, (low, _) in zip(factors, ranges, strict=True)],
        },
        customdata=[[100 * low, 100 * high] for low, high in ranges],
        hovertemplate="%{x}: %{y:.0f} % of the week's mean,<br>"
        "8 of 10 times %{customdata[0]:.0f} to %{customdata[1]:.0f} %<extra></extra>",
    )  # fmt: skip
    _shares(drawn, [*factors, *(high for _, high in ranges)], dark=dark)
    drawn.layout["xaxis"] |= {"type": "category", "tickformat": None, "nticks": 7}
    return drawn.figure()


def season(points: Sequence[tuple[date, float]], *, dark: bool = False, separators: str = ".,") -> go.Figure:
    """How much of a usual day is asked for over the year; `points` are (day, factor), 1 is the mean."""
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    drawn.add(
        "scatter",
        x=[day for day, _ in points],
        y=[100 * factor for _, factor in points],
        mode="lines",
        line={"color": colours.ink, "width": 2, "shape": "spline"},
        hovertemplate="%{x|%-d %b}: %{y:.0f} % of the year's mean<extra></extra>",
    )
    _shares(drawn, [factor for _, factor in points], dark=dark)
    drawn.layout["xaxis"] |= {"tickformat": "%b", "nticks": 7}
    return drawn.figure()


def holidays(
    effects: Sequence[tuple[str, float]], *, dark: bool = False, separators: str = ".,"
) -> go.Figure:
    """What public holidays change, the strongest on top; `effects` are (name, share), 0.3: 30 % more."""
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    names = [name for name, _ in effects][::-1]
    shares = [100 * share for _, share in effects][::-1]
    drawn.add(
        "bar",
        x=shares,
        y=[name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…" for name in names],
        orientation="h",
        customdata=names,
        marker={"color": [colours.accent if share > 0 else colours.muted for share in shares]},
        hovertemplate="%{customdata}: %{x:+.0f} %<extra></extra>",
    )
    drawn.layout["xaxis"] |= {
        "type": "linear", "tickformat": "+.0f", "ticksuffix": " %", "nticks": 4, "zeroline": True,
        "zerolinecolor": colours.muted,
    }  # fmt: skip
    drawn.layout["yaxis"] |= {"type": "category", "automargin": True, "tickformat": None, "nticks": None}
    drawn.layout["hovermode"] = "closest"
    drawn.layout["margin"] |= {"t": 8}
    return drawn.figure()


def _shares(drawn: charts.Sketch, values: Sequence[float], *, dark: bool) -> None:
    """An axis in per cent of the mean, which is a dotted line."""
    drawn.shade(
        type="line", layer="below", xref="paper", yref="y", x0=0, x1=1, y0=100, y1=100,
        line={"color": charts.palette(dark).muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    drawn.layout["yaxis"] |= {"tickformat": ".0f", "ticksuffix": " %"}
    drawn.layout["margin"] |= {"t": 8}
    _leave_room(drawn, [100 * value for value in (*values, 1.0)])


def _leave_room(drawn: charts.Sketch, values: Sequence[float]) -> None:
    drawn.layout["yaxis"] |= {"range": [0, max([*values, 1e-3]) * ROOM], "rangemode": "normal"}
