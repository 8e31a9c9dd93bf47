"""Demand by day: what left the shelf, when there was nothing to sell, and what is expected from now on."""

from datetime import date, timedelta

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

MEAN_DAYS = 7
EXPECTED_DAYS = 14
LEAST_LOST = 0.05  # units a day that can be seen


def figure(
    path: pd.DataFrame,
    *,
    today: date,
    daily_rate: float | None = None,
    rate_words: str = "",
    dark: bool = False,
    separators: str = ".,",
    height: int = 240,
) -> go.Figure:
    """Bars of daily demand, their mean over 7 days, grey days without stock, the expected rate ahead.

    Args:
        path: one row a day (`demand.stock_path`): day, demand, in_stock, and if known lost.
        daily_rate: expected demand per day from today on; None without a forecast.
        rate_words: what that line says.
    """
    colours = charts.palette(dark)
    drawn = charts.blank(height, dark=dark, separators=separators)
    past = path[[day < today for day in path.day]] if len(path) else path
    demand = past.demand.astype(float).clip(lower=0)
    drawn.add(
        "bar",
        x=list(past.day),
        y=list(demand),
        name="demand",
        marker={"color": colours.muted, "opacity": 0.55, "line": {"width": 0}},
        hovertemplate="%{x|%a %-d %b}: %{y:,~f} left the shelf<extra></extra>",
    )
    drawn.add(
        "scatter",
        x=list(past.day),
        y=list(demand.rolling(MEAN_DAYS, min_periods=1).mean().round(3)),
        name="mean of 7 days",
        mode="lines",
        line={"color": colours.ink, "width": 1.5},
        hoverinfo="skip",
    )
    words, plain = "<b>—</b> mean of 7 days", "— mean of 7 days"
    if "lost" in past and (past.lost >= LEAST_LOST).any():
        _draw_lost(drawn, past, colours)
        words += f"   <span style='color:{colours.out}'>▨ lost</span>"
        plain += "   ▨ lost"
    last = today
    if daily_rate is not None:
        last = today + timedelta(days=EXPECTED_DAYS)
        words += f"   <span style='color:{colours.accent}'><b>…</b> {rate_words}</span>"
        plain += f"   … {rate_words}"
        ahead = [today + timedelta(days=n) for n in range(EXPECTED_DAYS + 1)]
        drawn.add(
            "scatter",
            x=ahead,
            y=[daily_rate] * len(ahead),
            name="expected",
            mode="lines",
            line={"color": colours.accent, "width": 2, "dash": "dot"},
            hovertemplate=f"From now on: {rate_words}<extra></extra>",
        )
    drawn.say(**charts.above(last, words, colours.ink, "right"))
    if len(past):
        first = past.day.iloc[0]
        charts.shade_days_without_stock(
            drawn, list(past.day), list(past.in_stock), dark=dark, days_shown=(last - first).days + 1,
            said=(last, plain, "right"), as_bars=True,
        )  # fmt: skip
        charts.show_days(drawn, first, last)
    return drawn.figure()


def _draw_lost(drawn: charts.Sketch, past: pd.DataFrame, colours: charts.Palette) -> None:
    """On top of what was sold: what was probably asked for and not there."""
    drawn.layout["barmode"] = "stack"
    drawn.add(
        "bar",
        x=list(past.day),
        y=[round(float(units), 2) for units in past.lost],
        name="probably lost",
        marker={"color": "rgba(0,0,0,0)", "line": {"width": 0},
                "pattern": {"shape": "/", "fgcolor": colours.out, "size": 5, "solidity": 0.35}},
        hovertemplate="%{x|%a %-d %b}: about %{y:,.1f} asked for and not there<extra></extra>",
    )  # fmt: skip
