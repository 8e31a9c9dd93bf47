"""Pictures: a frame goes in, a Plotly figure comes out; nothing here has heard of Streamlit."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go
import plotly.io

# The house has a template of its own; Plotly's costs milliseconds a picture.
plotly.io.templates.default = None

HEIGHTS = (240, 320, 420)
FONT = "Source Sans, Source Sans Pro, sans-serif"
LEAST_DAYS_WITH_WORDS = 8  # a narrower grey band has no room for its words
# What the browser may not draw over a picture, and no zooming by accident on a phone.
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}


@dataclass(frozen=True)
class Palette:
    """The colours of LOOK.md for one theme: the same thing has the same colour on every page."""

    ink: str
    muted: str
    grid: str
    accent: str
    band_80: str
    band_50: str
    out: str
    shade: str
    paper: str


LIGHT = Palette(
    ink="#101828", muted="#667085", grid="#EAECF0", accent="#155EEF", band_80="rgba(21,94,239,0.12)",
    band_50="rgba(21,94,239,0.22)", out="#B42318", shade="rgba(102,112,133,0.14)", paper="#FFFFFF",
)  # fmt: skip
DARK = Palette(
    ink="#E6E9EF", muted="#98A2B3", grid="#232B3A", accent="#84ADFF", band_80="rgba(132,173,255,0.16)",
    band_50="rgba(132,173,255,0.28)", out="#F97066", shade="rgba(152,162,179,0.16)", paper="#0F1420",
)  # fmt: skip


def palette(dark: bool) -> Palette:
    return DARK if dark else LIGHT


@dataclass
class Sketch:
    """A picture in plain dictionaries: Plotly checks it once at the end, much faster than bit by bit."""

    layout: dict[str, Any]
    traces: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, **about: Any) -> None:
        """A trace of Plotly's: `scatter` or `bar`."""
        self.traces.append({"type": kind, **about})

    def say(self, **about: Any) -> None:
        """Words on the picture: an annotation without an arrow."""
        self.layout["annotations"].append({"showarrow": False, **about})

    def shade(self, **about: Any) -> None:
        """A shape behind or on the picture."""
        self.layout["shapes"].append(about)

    def figure(self) -> go.Figure:
        return go.Figure({"data": self.traces, "layout": self.layout})


def blank(height: int, *, dark: bool, separators: str = ".,") -> Sketch:
    """An empty picture in the house's template.

    Args:
        height: one of HEIGHTS, in pixels.
        separators: decimal point and thousands separator of the shop's locale.
    """
    colours = palette(dark)
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 44, "r": 12, "t": 26, "b": 30},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": colours.muted},
        "showlegend": False,
        "separators": separators,
        "hovermode": "x",
        "hoverlabel": {
            "bgcolor": colours.paper,
            "bordercolor": colours.grid,
            "font": {"color": colours.ink, "family": FONT, "size": 13},
            "align": "left",
        },
        "dragmode": False,
        "bargap": 0.25,
        "xaxis": {
            "type": "date", "showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "",
            "tickformat": "%-d %b", "nticks": 7, "linecolor": colours.grid, "showline": True,
        },
        "yaxis": {
            "rangemode": "tozero", "gridcolor": colours.grid, "zeroline": False, "fixedrange": True,
            "nticks": 5, "ticks": "", "showline": False, "tickformat": ",~f",
        },
        "shapes": [],
        "annotations": [],
    }  # fmt: skip
    return Sketch(layout)


def shade_days_without_stock(drawn: Sketch, days: list[date], in_stock: list[bool], *, dark: bool) -> int:
    """Grey bands over each run of days on which there was nothing to sell; answers how many."""
    runs: list[list[date]] = []
    for day, was_there in zip(days, in_stock, strict=True):
        if was_there:
            continue
        if runs and runs[-1][1] + timedelta(days=1) == day:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    for first, last in runs:
        drawn.shade(
            type="rect", layer="below", xref="x", yref="paper", x0=first, x1=last + timedelta(days=1), y0=0,
            y1=1, line={"width": 0}, fillcolor=palette(dark).shade,
        )  # fmt: skip
    longest = max(runs, key=lambda run: run[1] - run[0], default=None)
    if longest and (longest[1] - longest[0]).days + 1 >= LEAST_DAYS_WITH_WORDS:
        middle = longest[0] + (longest[1] - longest[0]) / 2
        drawn.say(**above(middle, "no stock", palette(dark).muted))
    return len(runs)


def above(at: date, words: str, colour: str, xanchor: str = "center") -> dict[str, object]:
    """Words over the picture, where they hide nothing of it."""
    return {
        "x": at, "y": 1, "yref": "paper", "xanchor": xanchor, "yanchor": "bottom", "yshift": 2,
        "text": words, "font": {"color": colour, "size": 12},
    }  # fmt: skip


def show_days(drawn: Sketch, first: date, last: date) -> None:
    """Exactly these days: left alone, Plotly makes room for words and leaves a hole at the end."""
    half = timedelta(hours=14)
    start, end = (datetime.combine(day, time()) for day in (first, last))
    drawn.layout["xaxis"]["range"] = [start - half, end + half]
