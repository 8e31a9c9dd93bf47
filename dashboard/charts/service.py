"""What service costs in stock: the whole shop's curve, where it is, and where the handle would put it."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

HEADROOM = 1.06  # of the dearest point, so that its dot is whole
LEAST_SERVICE = 0.5  # below it no goal can be set
TICK_STEPS = (0.02, 0.05, 0.1)  # the finest that leaves at most MOST_TICKS lines
MOST_TICKS = 6


@dataclass(frozen=True)
class Spot:
    """A place on the curve: money bound in stock on average, the share of order lines served, and words."""

    stock: float
    service: float
    words: str


def figure(
    points: pd.DataFrame,
    *,
    now: Spot | None,
    handle: Spot | None,
    money: Callable[[float], str],
    dark: bool = False,
    separators: str = ".,",
    height: int = 320,
) -> go.Figure:
    """Money bound along the bottom, order lines served upwards; above the handle is what is lost.

    Args:
        points: the curve, one row a goal: stock (money), service (0..1), words (what hovering says).
        now: where the shop's goal of today is; drawn in ink.
        handle: where another goal would put it; drawn in the accent with its share of lost lines shaded.
        money: how an amount is written.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(height, dark=dark, separators=separators)
    points = points.sort_values("stock", kind="stable")
    spots = [spot for spot in (now, handle) if spot is not None]
    most = max([*points.stock, *(spot.stock for spot in spots), 1.0]) * HEADROOM
    least = max(min([*points.service, *(spot.service for spot in spots)]), LEAST_SERVICE)
    _set_axes(drawn, most, least, money)
    if handle is not None:
        _shade_lost(drawn, handle, most, colours)
    drawn.add(
        "scatter",
        x=list(points.stock),
        y=list(points.service),
        name="curve",
        mode="lines+markers",
        line={"color": colours.muted, "width": 2, "shape": "spline", "smoothing": 0.4},
        marker={"color": colours.muted, "size": 5},
        customdata=list(points.words),
        hovertemplate="%{customdata}<extra></extra>",
    )
    if now is not None:
        _draw_spot(drawn, now, "now", colours.ink, most, below=True)
    if handle is not None:
        _draw_spot(drawn, handle, "handle", colours.accent, most, below=False)
    return drawn.figure()


def _set_axes(drawn: charts.Sketch, most: float, least: float, money: Callable[[float], str]) -> None:
    ticks = _round_amounts(most)
    drawn.layout["xaxis"] = {
        **drawn.layout["xaxis"], "type": "linear", "range": [0, most], "nticks": None, "tickvals": ticks,
        "ticktext": [money(tick) for tick in ticks], "tickformat": None,
        "title": {"text": "in stock on average", "standoff": 6, "font": {"size": 12}},
    }  # fmt: skip
    step = next((step for step in TICK_STEPS if (1 - least) / step <= MOST_TICKS), TICK_STEPS[-1])
    shares = [1 - step * n for n in range(int((1 - least) / step) + 2)]
    drawn.layout["yaxis"] = {
        **drawn.layout["yaxis"], "rangemode": "normal", "nticks": None, "tickformat": None,
        "range": [shares[-1], 1 + step / 4], "tickvals": shares,
        "ticktext": [f"{share:.0%}".replace("%", " %") for share in shares],
    }  # fmt: skip
    drawn.layout["hovermode"] = "closest"
    drawn.layout["margin"] |= {"t": 26, "b": 44, "r": 16}
    drawn.say(x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=4,
              text="↑ order lines served", font={"size": 12})  # fmt: skip


def _round_amounts(most: float) -> list[float]:
    """Three or four round amounts from nothing up to what is drawn: as many as a phone has room for."""
    size = 10.0 ** (len(str(int(most))) - 1)
    step = next((step for step in (size / 2, size, size * 2, size * 5) if most / step <= 4), size * 5)
    return [step * n for n in range(int(most / step) + 1)]


def _shade_lost(drawn: charts.Sketch, handle: Spot, most: float, colours: charts.Palette) -> None:
    """The band between what is served and all: order lines that go away empty-handed."""
    drawn.shade(
        type="rect", layer="below", xref="x", yref="y", x0=0, x1=most, y0=handle.service, y1=1,
        line={"width": 0}, fillcolor=colours.band_80,
    )  # fmt: skip
    drawn.shade(
        type="line", layer="below", xref="x", yref="paper", x0=handle.stock, x1=handle.stock, y0=0, y1=1,
        line={"color": colours.accent, "width": 1, "dash": "dot"},
    )  # fmt: skip


def _draw_spot(drawn: charts.Sketch, spot: Spot, name: str, colour: str, most: float, *, below: bool) -> None:
    drawn.add(
        "scatter", x=[spot.stock], y=[spot.service], name=name, mode="markers", cliponaxis=False,
        marker={"color": colour, "size": 12, "line": {"color": colour, "width": 2},
                "symbol": "circle-open" if below else "circle"},
        customdata=[spot.words], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    # Over the curve there is room at the left, under it at the right, as far as a phone's width goes.
    room = most * len(spot.words) * charts.PIXELS_PER_CHARACTER / charts.NARROWEST_PIXELS
    is_at_left = spot.stock > (most - room if below else room)
    drawn.say(
        x=spot.stock, y=spot.service, text=spot.words, font={"color": colour, "size": 12},
        xanchor="right" if is_at_left else "left", yanchor="top" if below else "bottom",
        xshift=-9 if is_at_left else 9, yshift=-4 if below else 4,
    )  # fmt: skip
