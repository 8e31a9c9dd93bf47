"""The movement map: what is alike lies together, coloured by cluster; what is odd has a ring."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

HEIGHT = 420
DOT, RING = 6, 11  # sizes in pixels
# Colours of the theme; with the shape they tell 18 clusters apart.
LIGHT = ("#155EEF", "#0F766E", "#C2410C", "#4F46E5", "#A16207", "#667085")
DARK = ("#84ADFF", "#2DD4BF", "#FB923C", "#A5B4FC", "#FACC15", "#98A2B3")
COLOURS = ("blue", "green", "orange", "violet", "yellow", "gray")
"""The same by the names that Markdown knows."""
SHAPES = ("circle", "square", "triangle-up")
ROOM = 0.06  # around the points, as a share of their span
LEAST_FOR_MIDDLE = 20  # in the midst of fewer dots the number would hide them
BESIDE = 18  # pixels above the middle
ODD = "odd"
"""The name of the trace with the odd ones."""


def figure(
    points: pd.DataFrame,
    names: Mapping[int, str],
    *,
    chosen: int | None = None,
    dark: bool = False,
    separators: str = ".,",
) -> go.Figure:
    """One dot a movement, its cluster's number in the middle of each cluster.

    Args:
        points: movement_id, x, y, cluster_id, is_anomaly, and `words` for the hover.
        names: what each cluster is called, by its number.
        chosen: the movement that is looked at.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(HEIGHT, dark=dark, separators=separators)
    bare = {"type": "linear", "showticklabels": False, "showgrid": False, "showline": False}
    bare |= {"rangemode": "normal"}
    for axis, column in (("xaxis", "x"), ("yaxis", "y")):
        drawn.layout[axis] |= bare | {"range": _span(points[column])}
    drawn.layout["margin"] = {"l": 4, "r": 4, "t": 8, "b": 8}
    drawn.layout |= {"hovermode": "closest", "clickmode": "event+select"}
    shades = DARK if dark else LIGHT
    clusters = sorted(points.cluster_id.unique())
    for cluster in clusters:
        some = points[points.cluster_id == cluster]
        name = names.get(int(cluster), f"Cluster {cluster + 1}")
        _draw_dots(
            drawn, some, name,
            {"color": shades[cluster % len(shades)], "size": DOT, "opacity": 0.55, "symbol": shape(cluster)},
        )  # fmt: skip
    _draw_dots(
        drawn, points[points.is_anomaly], ODD,
        {"color": colours.out, "size": RING, "symbol": "circle-open", "line": {"width": 2}},
    )  # fmt: skip
    _draw_dots(
        drawn, points[points.movement_id == chosen], "chosen",
        {"color": colours.ink, "size": RING + 6, "symbol": "circle-open", "line": {"width": 3}},
    )  # fmt: skip
    for cluster in clusters:
        some = points[points.cluster_id == cluster]
        drawn.say(
            x=float(some.x.median()), y=float(some.y.median()), text=f"<b>{cluster + 1}</b>",
            font={"color": colours.ink, "size": 13}, bgcolor=colours.paper, opacity=0.85, borderpad=2,
            captureevents=False, yshift=0 if len(some) >= LEAST_FOR_MIDDLE else BESIDE,
        )  # fmt: skip
    return drawn.figure()


def shape(cluster: int) -> str:
    """The shape of a cluster's dots: another one when the colours begin anew."""
    return SHAPES[cluster // len(LIGHT) % len(SHAPES)]


def _draw_dots(drawn: charts.Sketch, some: pd.DataFrame, name: str, marker: dict) -> None:
    if not len(some):
        return
    faded = {"marker": {"opacity": marker.get("opacity", 1.0)}}  # a chosen point does not dim the others
    drawn.add(
        "scatter", x=[round(float(x), 4) for x in some.x], y=[round(float(y), 4) for y in some.y], name=name,
        mode="markers", marker=marker, customdata=[int(i) for i in some.movement_id],
        hovertext=list(some.words), hovertemplate=f"%{{hovertext}}<br>{name}<extra></extra>",
        selected=faded, unselected=faded,
    )  # fmt: skip


def _span(values: pd.Series) -> list[float]:
    low, high = float(values.min()), float(values.max())
    edge = (high - low or 1.0) * ROOM
    return [low - edge, high + edge]
