"""What was promised against what happened: on the diagonal the words can be taken as they are."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

LIKELY = 1.2816  # standard normal quantile: the bars hold in 8 of 10 cases, like every range here
SMALLEST, BIGGEST = 7, 14  # a dot's size in pixels grows with the number of cases behind it
EDGE = 0.03  # room for a dot that lies on the edge
SHARES = (0, 0.25, 0.5, 0.75, 1)
TICKS = {
    "tickvals": list(SHARES), "ticktext": [f"{share:.0%}".replace("%", " %") for share in SHARES],
    "range": [-EDGE, 1 + EDGE],
}  # fmt: skip


def figure(
    points: pd.DataFrame,
    *,
    names: dict[str, str],
    promised: str,
    happened: str,
    dark: bool = False,
    separators: str = ".,",
    height: int = 320,
) -> go.Figure:
    """Promised shares along the bottom, what happened upwards, one line a source, with its doubt.

    Args:
        points: one row a source and promise: source, promised and happened (0..1), tasks (cases behind it).
        names: source -> what it is called; drawn in this order, the first in the accent.
        promised: what the bottom axis says.
        happened: what the upward axis says, written over the picture.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(height, dark=dark, separators=separators)
    _set_axes(drawn, promised)
    drawn.shade(
        type="line", layer="below", xref="x", yref="y", x0=0, y0=0, x1=1, y1=1,
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    said = []
    for name, (colour, symbol) in zip(names, _looks(colours), strict=False):
        line = points[points.source == name].sort_values("promised")
        if not len(line):
            continue
        said.append(f"<span style='color:{colour}'>{'○' if 'open' in symbol else '●'} {names[name]}</span>")
        _draw_line(drawn, line, names[name], colour, symbol)
    said.append("┄ as promised")
    drawn.layout["margin"] |= {"t": 46, "b": 44}
    drawn.say(x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=20,
              text="   ".join(said), font={"size": 12, "color": colours.muted})  # fmt: skip
    drawn.say(x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=3,
              text=f"↑ {happened}", font={"size": 12, "color": colours.muted})  # fmt: skip
    return drawn.figure()


def likely_share(hits: float, cases: float) -> tuple[float, float]:
    """Where the true share lies in 8 of 10 cases, given `hits` of `cases` that each stand for themselves.

    The score interval (Wilson 1927, JASA 22, 209-212), which stays within 0..1 for few cases too.
    """
    if cases <= 0:
        return 0.0, 1.0
    square, share = LIKELY**2, hits / cases
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    spread = math.sqrt(share * (1 - share) / cases + square / (4 * cases**2))
    half = LIKELY * spread / (1 + square / cases)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _looks(colours: charts.Palette) -> tuple[tuple[str, str], ...]:
    """Colour and sign of each source: told apart without colours too."""
    return (colours.accent, "circle"), (colours.muted, "circle-open")


def _set_axes(drawn: charts.Sketch, promised: str) -> None:
    drawn.layout["xaxis"] = {
        **drawn.layout["xaxis"], **TICKS, "type": "linear", "nticks": None,
        "title": {"text": promised, "standoff": 6, "font": {"size": 12}},
    }  # fmt: skip
    drawn.layout["yaxis"] = {**drawn.layout["yaxis"], **TICKS, "rangemode": "normal", "nticks": None}
    drawn.layout["hovermode"] = "closest"


def _draw_line(drawn: charts.Sketch, line: pd.DataFrame, name: str, colour: str, symbol: str) -> None:
    ends = [likely_share(row.happened * row.tasks, row.tasks) for row in line.itertuples()]
    most = max(line.tasks.max(), 1)
    more = BIGGEST - SMALLEST if line.tasks.nunique() > 1 else 0
    sizes = [SMALLEST + more * math.sqrt(tasks / most) for tasks in line.tasks]
    about: dict[str, Any] = {
        "x": list(line.promised),
        "y": list(line.happened),
        "name": name,
        "mode": "lines+markers",
        "line": {"color": colour, "width": 1.5},
        "marker": {"color": colour, "symbol": symbol, "size": sizes, "line": {"color": colour, "width": 2}},
        "cliponaxis": False,
        "error_y": {
            "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 0,
            "array": [high - y for (_, high), y in zip(ends, line.happened, strict=True)],
            "arrayminus": [y - low for (low, _), y in zip(ends, line.happened, strict=True)],
        },
        "customdata": list(line.tasks),
        "hovertemplate": f"{name}: promised %{{x:.0%}}, happened %{{y:.0%}}<br>of %{{customdata:,.0f}} times"
        "<extra></extra>",
    }  # fmt: skip
    drawn.add("scatter", **about)
