"""Pictures: a frame goes in, a Plotly figure comes out; nothing here has heard of Streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go
import plotly.io

# The house has a template of its own; Plotly's costs milliseconds a picture.
plotly.io.templates.default = None

HEIGHTS = (240, 320, 420)
FONT = "Source Sans, Source Sans Pro, sans-serif"
LEAST_DAYS_WITH_WORDS = 8  # a narrower grey band need not say that there was no stock
LEAST_LOST = 0.5  # less than half a piece is not worth words
NARROWEST_PIXELS = 300  # the drawing's width on a phone
PIXELS_PER_CHARACTER = 6.2
WORDS_PIXELS = 16  # the height of a line of words
NO_STOCK_WORDS = "no stock"
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
    what_if: str
    what_if_band: str


LIGHT = Palette(
    ink="#101828", muted="#667085", grid="#EAECF0", accent="#155EEF", band_80="rgba(21,94,239,0.12)",
    band_50="rgba(21,94,239,0.22)", out="#B42318", shade="rgba(102,112,133,0.14)", paper="#FFFFFF",
    what_if="#A3189B", what_if_band="rgba(163,24,155,0.10)",
)  # fmt: skip
DARK = Palette(
    ink="#E6E9EF", muted="#98A2B3", grid="#232B3A", accent="#84ADFF", band_80="rgba(132,173,255,0.16)",
    band_50="rgba(132,173,255,0.28)", out="#F97066", shade="rgba(152,162,179,0.16)", paper="#0F1420",
    what_if="#F38DEB", what_if_band="rgba(243,141,235,0.14)",
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
            "automargin": "left",  # a million needs more room than the margin has
        },
        "shapes": [],
        "annotations": [],
    }  # fmt: skip
    return Sketch(layout)


@dataclass(frozen=True)
class Gap:
    """Days in a row on which there was nothing to sell, and what was probably asked for on them."""

    first: date
    last: date
    lost: float

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def middle(self) -> date:
        return self.first + (self.last - self.first) / 2


def shade_days_without_stock(
    drawn: Sketch,
    days: Sequence[date],
    in_stock: Sequence[bool],
    lost: Sequence[float] | None = None,
    *,
    dark: bool,
    days_shown: int,
    said: tuple[date, str, str] | None = None,
    as_bars: bool = False,
) -> list[Gap]:
    """Grey bands over each run of days on which there was nothing to sell; answers the runs.

    Each says how much was probably `lost` on it (units a day), or that there was no stock, as far as there is
    room for words on a phone; the most lost first.

    Args:
        days_shown: how many days the whole picture has.
        said: words that stand over the picture already: (day, words, xanchor).
        as_bars: a day is a bar with its date in the middle, not a step that begins at it.
    """
    gaps = _gaps(days, in_stock, lost if lost is not None else [0.0] * len(days))
    half = timedelta(hours=12) if as_bars else timedelta(0)
    for gap in gaps:
        first, end = (
            datetime.combine(day, time()) - half for day in (gap.first, gap.last + timedelta(days=1))
        )
        drawn.shade(
            type="rect", layer="below", xref="x", yref="paper", x0=first, x1=end, y0=0, y1=1,
            line={"width": 0}, fillcolor=palette(dark).shade,
        )  # fmt: skip
    if gaps:
        _say_gaps(drawn, gaps, days[0], days_shown, said, dark=dark)
    return gaps


def _say_gaps(
    drawn: Sketch,
    gaps: Sequence[Gap],
    first: date,
    days_shown: int,
    said: tuple[date, str, str] | None,
    *,
    dark: bool,
) -> None:
    """The words over the grey bands, on two rows where one is too narrow."""
    rows: list[list[tuple[float, float]]] = [[], []]
    if said:
        rows[0].append(_span_of_words(said[0], said[1], days_shown, said[2]))
    for gap in sorted(gaps, key=lambda gap: (-round(gap.lost), -gap.days)):
        lost = lost_words(gap.lost, drawn.layout["separators"])
        if not lost and gap.days < LEAST_DAYS_WITH_WORDS:
            continue
        words, at, xanchor = lost or NO_STOCK_WORDS, gap.middle, "center"
        start, end = _span_of_words(at, words, days_shown)
        if start < first.toordinal():
            at, xanchor = gap.first, "left"
            start, end = _span_of_words(at, words, days_shown, xanchor)
        free = [
            n for n, row in enumerate(rows) if not any(start < right and left < end for left, right in row)
        ]
        if not free:
            continue
        rows[free[0]].append((start, end))
        about = above(at, words, palette(dark).muted, xanchor)
        drawn.say(**about | {"yshift": about["yshift"] + free[0] * WORDS_PIXELS})
    if rows[1]:
        drawn.layout["margin"]["t"] += WORDS_PIXELS


def lost_words(units: float, separators: str = ".,") -> str:
    """An estimate as such: about 14 lost; nothing where hardly anything was."""
    if units < LEAST_LOST:
        return ""
    return f"about {whole(units, separators)} lost"


def whole(value: float, separators: str) -> str:
    """A whole number with the shop's separator of thousands."""
    return f"{max(round(value), 1):,}".replace(",", separators[1:2])


def _gaps(days: Sequence[date], in_stock: Sequence[bool], lost: Sequence[float]) -> list[Gap]:
    gaps: list[Gap] = []
    for day, was_there, units in zip(days, in_stock, lost, strict=True):
        if was_there:
            continue
        if gaps and gaps[-1].last + timedelta(days=1) == day:
            gaps[-1] = Gap(gaps[-1].first, day, gaps[-1].lost + float(units))
        else:
            gaps.append(Gap(day, day, float(units)))
    return gaps


def _span_of_words(at: date, words: str, days_shown: int, xanchor: str = "center") -> tuple[float, float]:
    """From which to which day words over the picture take room, on the narrowest screen."""
    width = len(words) * PIXELS_PER_CHARACTER * days_shown / NARROWEST_PIXELS
    start = at.toordinal() - width * {"left": 0.0, "center": 0.5, "right": 1.0}[xanchor]
    return start, start + width


def above(at: date, words: str, colour: str, xanchor: str = "center") -> dict[str, Any]:
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
