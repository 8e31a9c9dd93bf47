"""How far off each method was on the past: one bar a method, the simple rule as the line to beat."""

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

ROW_PIXELS = 34  # a bar with its name over it
AROUND_PIXELS = 44


def figure(
    methods: pd.DataFrame,
    *,
    rule: float | None,
    rule_words: str,
    dark: bool = False,
    separators: str = ".,",
) -> go.Figure:
    """Bars from the best downwards; what is used in the accent, what was only judged in grey.

    Args:
        methods: one row a method, best first: title, crps (average error in days, doubt counted), words (what
            stands at its bar's end), is_used.
        rule: average error of the simple rule, in days; None when it was not judged.
        rule_words: what its line says.
    """
    colours = charts.palette(dark)
    wanted = ROW_PIXELS * len(methods) + AROUND_PIXELS
    height = next((height for height in charts.HEIGHTS if height >= wanted), charts.HEIGHTS[-1])
    drawn = charts.blank(height, dark=dark, separators=separators)
    places = list(range(len(methods)))
    far = max([*methods.crps, rule or 0.0, 1.0])
    drawn.layout["margin"] = {"l": 4, "r": 8, "t": 24, "b": 12}
    drawn.layout["xaxis"] = {
        "type": "linear", "range": [0, far * 1.02], "visible": False, "fixedrange": True,
    }  # fmt: skip
    drawn.layout["yaxis"] = {
        "visible": False, "fixedrange": True, "range": [len(methods) - 0.35, -0.75],
    }  # fmt: skip
    drawn.layout |= {"hovermode": "closest", "bargap": 0.62}
    drawn.add(
        "bar",
        orientation="h",
        x=list(methods.crps),
        y=places,
        name="average error",
        marker={"color": [colours.accent if used else colours.muted for used in methods.is_used],
                "opacity": [1.0 if used else 0.45 for used in methods.is_used], "line": {"width": 0}},
        customdata=[[title, words] for title, words in zip(methods.title, methods.words, strict=True)],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    for place, method in zip(places, methods.itertuples(), strict=True):
        name = f"<b>{method.title}</b>" if method.is_used else method.title
        drawn.say(
            x=0, y=place, xanchor="left", yanchor="bottom", yshift=5, text=f"{name}  {method.words}",
            font={"color": colours.ink if method.is_used else colours.muted, "size": 12.5},
        )  # fmt: skip
    if rule is not None:
        drawn.shade(
            type="line", layer="below", xref="x", yref="paper", x0=rule, x1=rule, y0=0, y1=1,
            line={"color": colours.ink, "width": 1, "dash": "dot"},
        )  # fmt: skip
        drawn.say(
            x=rule, y=1, yref="paper", xanchor="right" if rule > far / 2 else "left", yanchor="bottom",
            yshift=2, text=rule_words, font={"color": colours.ink, "size": 12},
        )  # fmt: skip
    return drawn.figure()
