"""Pictures: a frame goes in, a Plotly figure comes out; nothing here has heard of Streamlit."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import plotly.graph_objects as go

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


def blank(height: int, *, dark: bool, separators: str = ".,") -> go.Figure:
    """An empty picture in the house's template.

    Args:
        height: one of HEIGHTS, in pixels.
        separators: decimal point and thousands separator of the shop's locale.
    """
    colours = palette(dark)
    figure = go.Figure()
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 44, "r": 12, "t": 26, "b": 30},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": colours.muted},
        showlegend=False,
        separators=separators,
        hovermode="x",
        hoverlabel={
            "bgcolor": colours.paper,
            "bordercolor": colours.grid,
            "font": {"color": colours.ink, "family": FONT, "size": 13},
            "align": "left",
        },
        dragmode=False,
        bargap=0.25,
        xaxis={
            "type": "date", "showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "",
            "tickformat": "%-d %b", "nticks": 7, "linecolor": colours.grid, "showline": True,
        },
        yaxis={
            "rangemode": "tozero", "gridcolor": colours.grid, "zeroline": False, "fixedrange": True,
            "nticks": 5, "ticks": "", "showline": False, "tickformat": ",~f",
        },
    )  # fmt: skip
    return figure


def shade_days_without_stock(figure: go.Figure, days: list[date], in_stock: list[bool], *, dark: bool) -> int:
    """Grey bands over each run of days on which there was nothing to sell; answers how many."""
    runs: list[list[date]] = []
    for day, was_there in zip(days, in_stock, strict=True):
        if was_there:
            continue
        if runs and runs[-1][1] + timedelta(days=1) == day:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    shapes = [
        {
            "type": "rect", "layer": "below", "xref": "x", "yref": "paper", "x0": first,
            "x1": last + timedelta(days=1), "y0": 0, "y1": 1, "line": {"width": 0},
            "fillcolor": palette(dark).shade,
        }
        for first, last in runs
    ]  # fmt: skip
    longest = max(runs, key=lambda run: run[1] - run[0], default=None)
    words = ()
    if longest and (longest[1] - longest[0]).days + 1 >= LEAST_DAYS_WITH_WORDS:
        middle = longest[0] + (longest[1] - longest[0]) / 2
        words = (above(middle, "no stock", palette(dark).muted),)
    figure.update_layout(
        shapes=[*figure.layout.shapes, *shapes], annotations=[*figure.layout.annotations, *words]
    )
    return len(runs)


def above(at: date, words: str, colour: str, xanchor: str = "center") -> dict[str, object]:
    """Words over the picture, where they hide nothing of it."""
    return {
        "x": at, "y": 1, "yref": "paper", "xanchor": xanchor, "yanchor": "bottom", "yshift": 2,
        "text": words, "showarrow": False, "font": {"color": colour, "size": 12},
    }  # fmt: skip


def show_days(figure: go.Figure, first: date, last: date) -> None:
    """Exactly these days: left alone, Plotly makes room for words and leaves a hole at the end."""
    half = timedelta(hours=14)
    start, end = (datetime.combine(day, time()) for day in (first, last))
    figure.update_layout(xaxis_range=[start - half, end + half])
