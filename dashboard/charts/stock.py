"""The stock path: what was on the shelf, and the fan of what may be left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts

SEEN_AHEAD_DAYS = 30
LEAST_PAST_DAYS = 45
PAST_PER_DAY_AHEAD = 1.5
BEYOND_RUN_OUT_DAYS = 14
BEYOND_RECEIPT_DAYS = 7
TODAY_WORDS = "today"
WHAT_IF_MARGIN = 70  # pixels under the picture for two lines of words
LINES = ("p10", "p25", "p50", "p75", "p90")

Arrivals = Sequence[tuple[date, float, str]]
RunOutDays = tuple[date | None, date | None, date | None]


@dataclass(frozen=True)
class WhatIf:
    """A scenario beside what is: fan, run-out days and words like those of `figure`, and what it orders."""

    fan: pd.DataFrame
    run_out: RunOutDays
    words: str
    order: Arrivals


def figure(
    path: pd.DataFrame,
    fan: pd.DataFrame | None,
    *,
    today: date,
    on_hand: float,
    run_out: RunOutDays = (None, None, None),
    run_out_words: str = "",
    receipts: Arrivals = (),
    what_if: WhatIf | None = None,
    dark: bool = False,
    separators: str = ".,",
    height: int = 320,
) -> go.Figure:
    """History as a solid line, then 80 % and 50 % of the futures, and the run-out as a bracket on the axis.

    What is on its way is an up-step of the futures with its words on it.

    Args:
        path: one row a day (`demand.stock_path`): day, closing, in_stock, and if known lost (units that were
            probably asked for while there was nothing to sell).
        fan: one row a day from today (`Outlook.fan`): day, p10 .. p90 of the stock left, or None.
        on_hand: the stock of this moment, where both meet.
        run_out: days by which 10, 50 and 90 % of the futures have run out; None beyond the horizon.
        run_out_words: what the bracket says.
        receipts: (day from today on, quantity, what its step says), already counted in the fan.
        what_if: a scenario that is drawn over it, in its own colour.
    """
    drawn = charts.blank(height, dark=dark, separators=separators)
    past = path[[day < today for day in path.day]] if len(path) else path
    last = today
    if fan is not None and len(fan):
        days = _days_ahead(fan, today, on_hand, run_out[2], receipts)
        if what_if is not None:
            coming = [*receipts, *what_if.order]
            days = max(days, _days_ahead(fan, today, on_hand, what_if.run_out[2], coming))
        ahead = _ahead(fan, today, on_hand, receipts, days)
        last = ahead.day.iloc[-1]
        past = _recent(past, today, last)
        _draw_fan(drawn, ahead, dark=dark)
        _say_receipts(drawn, receipts, ahead, charts.palette(dark).accent)
        if what_if is not None:
            supposed = _ahead(what_if.fan, today, on_hand, coming, days)
            _draw_what_if(drawn, what_if, supposed, dark=dark)
            _say_receipts(drawn, what_if.order, supposed, charts.palette(dark).what_if)
    first = past.day.iloc[0] if len(past) else today
    lost = list(past.lost) if "lost" in past else None
    charts.shade_days_without_stock(
        drawn, list(past.day), list(past.in_stock), lost, dark=dark, days_shown=(last - first).days + 1,
        said=(today, TODAY_WORDS, "right" if last == today else "center"),
    )  # fmt: skip
    _draw_history(drawn, past, today, on_hand, dark=dark)
    if last > today:
        _draw_bracket(drawn, run_out, first, last, run_out_words, dark=dark)
    if last > first:
        charts.show_days(drawn, first, last)
    _mark_today(drawn, today, is_last=last == today, dark=dark)
    return drawn.figure()


def _recent(past: pd.DataFrame, today: date, last: date) -> pd.DataFrame:
    """As much of the past as leaves room for what comes: a near run-out needs a closer look."""
    days = max(LEAST_PAST_DAYS, round(PAST_PER_DAY_AHEAD * (last - today).days))
    return past.tail(days)


def _days_ahead(
    fan: pd.DataFrame, today: date, on_hand: float, p90_on: date | None, receipts: Arrivals
) -> int:
    """How much of the fan is worth seeing."""
    days = SEEN_AHEAD_DAYS
    if on_hand > 0:
        days = max(days, (p90_on - today).days + BEYOND_RUN_OUT_DAYS if p90_on else len(fan))
    coming = [(day - today).days + BEYOND_RECEIPT_DAYS for day, _, _ in receipts]
    return max([days, *coming])


def _ahead(fan: pd.DataFrame, today: date, on_hand: float, receipts: Arrivals, days: int) -> pd.DataFrame:
    """So many days of the fan, from the stock of this moment on; receipts are upright steps."""
    later = fan[[day > today for day in fan.day]].head(days)
    rows = [{"day": today} | dict.fromkeys(LINES, on_hand)]
    arriving: dict[date, float] = {}
    for day, quantity, _ in receipts:
        arriving[day] = arriving.get(day, 0.0) + quantity
    if arriving.get(today):
        rows.append({"day": today} | dict.fromkeys(LINES, on_hand + arriving[today]))
    for row in later.to_dict("records"):
        if row["day"] in arriving:  # first the foot of the step: what the day before left
            rows.append(rows[-1] | {"day": row["day"]})
        rows.append({name: row[name] for name in ("day", *LINES)})
    return pd.DataFrame(rows)


def _say_receipts(drawn: charts.Sketch, receipts: Arrivals, ahead: pd.DataFrame, colour: str) -> None:
    """Each receipt's words on top of its step; neighbours stand one above the other."""
    tops = ahead.groupby("day").p90.max()
    apart = max((ahead.day.iloc[-1] - ahead.day.iloc[0]).days / 6, 1)
    before, height = None, 0
    for day, _, words in sorted(receipts, key=lambda receipt: receipt[0]):
        if day not in tops:
            continue
        height = height + 1 if before is not None and (day - before).days < apart else 0
        before = day
        drawn.shade(
            type="line", xref="x", yref="y", x0=day, x1=day, y0=0, y1=float(tops[day]),
            line={"color": colour, "width": 1, "dash": "dot"},
        )  # fmt: skip
        drawn.say(
            x=day, y=float(tops[day]), xanchor="left", yanchor="bottom", xshift=2, yshift=2 + 15 * height,
            text=words, font={"color": colour, "size": 12},
        )  # fmt: skip


def _draw_fan(drawn: charts.Sketch, fan: pd.DataFrame, *, dark: bool) -> None:
    colours = charts.palette(dark)
    days = list(fan.day)
    for low, high, colour, name in (
        ("p10", "p90", colours.band_80, "80 %"),
        ("p25", "p75", colours.band_50, "50 %"),
    ):
        edge = {"x": days, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        drawn.add("scatter", **edge, y=list(fan[high]), name=f"{name} upper")
        drawn.add("scatter", **edge, y=list(fan[low]), name=f"{name} band", fill="tonexty", fillcolor=colour)
    drawn.add(
        "scatter",
        x=days,
        y=list(fan.p50),
        name="most likely",
        mode="lines",
        line={"color": colours.accent, "width": 2},
        customdata=fan[["p10", "p90"]].to_numpy(),
        hovertemplate="%{x|%a %-d %b}: most likely %{y:,.0f} left,<br>"
        "8 of 10 times %{customdata[0]:,.0f} to %{customdata[1]:,.0f}<extra></extra>",
    )


def _draw_what_if(drawn: charts.Sketch, what_if: WhatIf, fan: pd.DataFrame, *, dark: bool) -> None:
    """The scenario: a pale band, a dashed line, and its run-out a little above the axis."""
    colours, days = charts.palette(dark), list(fan.day)
    edge = {"x": days, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    drawn.add("scatter", **edge, y=list(fan.p90), name="what if upper")
    drawn.add(
        "scatter", **edge, y=list(fan.p10), name="what if band", fill="tonexty",
        fillcolor=colours.what_if_band,
    )  # fmt: skip
    drawn.add(
        "scatter", x=days, y=list(fan.p50), name="what if", mode="lines",
        line={"color": colours.what_if, "width": 2, "dash": "dash"},
        customdata=fan[["p10", "p90"]].to_numpy(),
        hovertemplate="What if: most likely %{y:,.0f} left,<br>"
        "8 of 10 times %{customdata[0]:,.0f} to %{customdata[1]:,.0f}<extra></extra>",
    )  # fmt: skip
    first_on, _, late_on = what_if.run_out
    start, end = first_on or days[-1], late_on or days[-1]
    height = 0.045  # of the picture: above the bracket of what is
    if first_on is not None:
        drawn.shade(
            type="line", xref="x", yref="paper", x0=start, x1=end, y0=height, y1=height,
            line={"color": colours.what_if, "width": 4},
        )  # fmt: skip
    is_right = (end - days[0]) * 2 > days[-1] - days[0]
    # Under the words of what is, where they hide nothing.
    drawn.layout["margin"]["b"] = WHAT_IF_MARGIN
    drawn.say(
        x=end if is_right else start, xanchor="right" if is_right else "left", y=0,
        yanchor="top", yshift=-42, text=what_if.words, font={"color": colours.what_if, "size": 13},
    )  # fmt: skip


def _draw_history(
    drawn: charts.Sketch, past: pd.DataFrame, today: date, on_hand: float, *, dark: bool
) -> None:
    drawn.add(
        "scatter",
        x=[*past.day, today],
        y=[*past.closing, on_hand],
        name="on hand",
        mode="lines",
        line={"color": charts.palette(dark).ink, "width": 2, "shape": "hv"},
        text=[*_lost_words(past, drawn.layout["separators"]), ""],
        hovertemplate="%{x|%a %-d %b}: %{y:,~f} on hand%{text}<extra></extra>",
    )


def _lost_words(past: pd.DataFrame, separators: str) -> list[str]:
    """What a day's hover adds where something was probably lost."""
    if "lost" not in past:
        return [""] * len(past)
    words = [charts.lost_words(units, separators) for units in past.lost]
    return [f", {said}" if said else "" for said in words]


def _draw_bracket(
    drawn: charts.Sketch,
    run_out: RunOutDays,
    first: date,
    last: date,
    words: str,
    *,
    dark: bool,
) -> None:
    """From the 10 % to the 90 % day on the time axis; open to the right when the end is out of sight."""
    first_on, likely_on, late_on = run_out
    if first_on is None:
        return
    colours = charts.palette(dark)
    end = late_on or last
    symbols = ["line-ns", "line-ns" if late_on else "triangle-right"]
    drawn.add(
        "scatter",
            x=[first_on, end],
            y=[0, 0],
            name="runs out",
            mode="lines+markers",
            cliponaxis=False,
            line={"color": colours.out, "width": 4},
            marker={"symbol": symbols, "size": 14, "color": colours.out,
                    "line": {"width": 3, "color": colours.out}},
            hoverinfo="skip",
    )  # fmt: skip
    if likely_on is not None:
        drawn.add(
            "scatter",
            x=[likely_on],
            y=[0],
            name="most likely run-out",
            mode="markers",
            cliponaxis=False,
            marker={"size": 11, "color": colours.paper, "line": {"width": 3, "color": colours.out}},
            hovertemplate="Most likely used up on %{x|%a %-d %b}<extra></extra>",
        )
    # Under the dates, where it hides nothing; on the right half it grows to the left, which has room.
    is_right = (end - first) * 2 > last - first
    drawn.layout["margin"]["b"] = max(drawn.layout["margin"]["b"], 52)
    drawn.say(
        x=end if is_right else first_on, xanchor="right" if is_right else "left", y=0,
        yanchor="top", yshift=-24, text=words, font={"color": colours.out, "size": 13},
    )  # fmt: skip


def _mark_today(drawn: charts.Sketch, today: date, *, is_last: bool, dark: bool) -> None:
    colours = charts.palette(dark)
    drawn.shade(
        type="line", xref="x", yref="paper", x0=today, x1=today, y0=0, y1=1,
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    drawn.say(**charts.above(today, TODAY_WORDS, colours.muted, "right" if is_last else "center"))
