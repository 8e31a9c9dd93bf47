"""What buying is to achieve: the handle on the shop's service-against-stock curve, and what things cost."""

from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import advice_lines, buying_settings
from core.buying.advice_lines import Head, Point
from core.buying.buying_settings import NUMBERS, Settings
from dashboard import editing, looks, pickers, reorder_rules, ui
from dashboard.charts import service as service_chart
from dashboard.charts.service import Spot
from dashboard.editing import Answer
from db.session import reading

GOALS = {"service": "Service", "budget": "Stock budget", "cost": "Cost"}
WEEKS_OF_A_YEAR = Decimal(365) / 7
LEAST_PERCENT, MOST_PERCENT = 70.0, 99.9  # of the handle; the field beside it takes all that is allowed
BUDGET_STEPS = 100  # of the handle from the cheapest to the dearest point
FIELDS = {
    "review_days": ("Days between orders", "days", "Every how many days you order; 1 is continuously."),
    "holding_percent": ("Holding cost", "% a year", "What a year in stock costs, of what it cost to buy."),
    "shortage_percent": ("A missing piece costs", "% of its price", "Empty: its margin."),
    "most_cover_days": ("Never buy for more than", "days", "Not even to reach a limit or a price step."),
    "transfer_cost": ("Transfer cost", "a line", "Of moving one line between warehouses."),
    "transfer_days": ("Transfer days", "days", "How long moving between warehouses takes."),
}


def draw(head: Head, person: Actor) -> None:
    """What is aimed at in one line; opened, the curve, the costs, and what is never out."""
    with reading() as session:
        settings = buying_settings.get(session)
    is_open = st.query_params.get("goal") is not None
    with ui.heading(f"Goal: {ui.safe_md(goal_words(settings))}"):
        st.button(
            "Close" if is_open else "Goal and costs", key="goal_open", icon=":material/tune:",
            on_click=pickers.remember, args=("goal", None if is_open else 1),
        )  # fmt: skip
    mine = editing.desk("buying goal")
    if totals := totals_words(head):
        st.markdown(f":gray[{ui.safe_md(totals)}]")
    if is_open:
        may_buy = auth.may(person, "buy")
        _draw_goal(settings, mine, may_buy=may_buy)
        _draw_costs(settings, mine, may_buy=may_buy)
        if may_buy:
            st.button("Save and compute anew", type="primary", key="goal_save", on_click=_save,
                      args=(mine, settings))  # fmt: skip
        editing.draw_answer(mine, key="goal")
        reorder_rules.draw(may_buy=may_buy)
    else:
        editing.draw_answer(mine, key="goal")


def goal_words(settings: Settings) -> str:
    """The goal in a few words: serve 95 % of order lines."""
    write = ui.formats()
    if settings.goal == "budget":
        return f"at most {write.money(settings.budget)} in stock"
    if settings.goal == "cost":
        return "the least cost of stock and of missing pieces"
    return f"serve {write.number(settings.service_percent, 2)} % of order lines"


def totals_words(head: Head) -> str:
    """What the advice expects of it."""
    write, totals, told = ui.formats(), head.totals, []
    if (stock := totals.get("stock")) is not None:
        told.append(f"{write.money(float(stock))} in stock on average")
    if (percent := totals.get("service_percent")) is not None:
        told.append(f"{write.number(float(percent), 1)} % of order lines served")
    return "Expected: " + ", ".join(told) if told else ""


# -- The handle ----------------------------------------------------------------------------------------------


def _draw_goal(settings: Settings, mine: dict, *, may_buy: bool) -> None:
    """The kind of goal and its handle, the curve, and what it would leave uncovered."""
    with reading() as session:
        points = advice_lines.curve(session)
        now = _point(session, settings.goal, settings.service_percent, settings.budget)
    form, goal = mine["form"], settings.goal
    with st.container(key="goal"):
        if may_buy:
            goal = _draw_handle(settings, points, form)
        if not points:
            st.markdown(":gray[The curve is there after the first advice.]")
            return
        wanted = None
        if may_buy and goal != "cost":
            said = _said(form, settings)
            with reading() as session:
                wanted = _point(session, goal, said["service_percent"], said["budget"])
        _draw_curve(points, now, wanted)
        if goal == "cost":
            st.markdown(
                ":gray[Each product gets the level where holding one more costs as much as it saves; "
                "what that means for service and stock is shown with the next advice.]"
            )
        elif wanted or now:
            st.markdown(uncovered(wanted or now, now if wanted else None))


def _draw_handle(settings: Settings, points: list[Point], form: str) -> str:
    """The kind of goal, and a slider for it; answers the kind."""
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    with left:
        goal = st.segmented_control(
            "Aim at", list(GOALS), format_func=GOALS.get, default=settings.goal, key=f"goal_kind_{form}",
            required=True,
        )  # fmt: skip
    with right:
        if goal == "service":
            kept = float(settings.service_percent)
            st.slider(
                "Order lines served", min(LEAST_PERCENT, kept), max(MOST_PERCENT, kept), kept, step=0.1,
                format="%.1f %%", key=f"goal_service_{form}",
            )  # fmt: skip
        elif goal == "budget":
            _draw_budget(settings, points, form)
    return goal


def _draw_budget(settings: Settings, points: list[Point], form: str) -> None:
    """Money bound in stock on average, typed exactly; its steps follow the curve."""
    amounts = [point.stock for point in points] or [0.0]
    step = max(round((max(amounts) - min(amounts)) / BUDGET_STEPS), 1)
    kept = settings.budget
    if kept is None and points:
        kept = Decimal(round(points[len(points) // 2].stock))
    key = f"goal_budget_{form}"
    if kept is not None:
        st.session_state.setdefault(key, float(kept))
    st.number_input(
        f"At most in stock on average ({looks.the_shop().currency})", value=None, key=key,
        step=float(step), format="%.12g", placeholder="not set",
    )  # fmt: skip


def _said(form: str, settings: Settings) -> dict[str, Any]:
    """Goal, service and budget as the form says; what it does not show stays as it is."""
    state = st.session_state
    goal = state.get(f"goal_kind_{form}") or settings.goal
    percent, budget = state.get(f"goal_service_{form}"), state.get(f"goal_budget_{form}")
    return {
        "goal": goal,
        "service_percent": settings.service_percent if percent is None else Decimal(str(round(percent, 2))),
        "budget": settings.budget if goal != "budget" else _amount(budget),
    }


def _amount(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(editing.number(value))


def _point(session: Session, goal: str, percent: Decimal, budget: Decimal | None) -> Point | None:
    """Where a goal lies on the curve; None where it has no place there."""
    if goal == "service":
        return advice_lines.what_if_goal(session, service_percent=percent)
    if goal == "budget" and budget is not None and budget > 0:
        return advice_lines.what_if_goal(session, budget=budget)
    return None


def _draw_curve(points: list[Point], now: Point | None, wanted: Point | None) -> None:
    write = ui.formats()
    frame = pd.DataFrame(
        [
            {"stock": float(one.stock), "service": one.service_percent / 100, "words": _hover(one)}
            for one in points
        ]
    )
    spots = {
        "now": _spot(now, "now ") if now else None,
        "handle": _spot(wanted, "") if wanted and wanted != now else None,
    }
    about = spots | {"dark": ui.is_dark(), "separators": write.separators}
    figure = looks.picture(
        ("service", frame, about, write),
        lambda: service_chart.figure(frame, money=write.money, **about),
    )
    ui.picture(figure, "Share of order lines served against money in stock.", key="service_curve")


def _spot(point: Point, words: str) -> Spot:
    write = ui.formats()
    share = f"{write.number(point.service_percent, 1)} %"
    return Spot(
        float(point.stock), point.service_percent / 100, f"{words}{share}, {write.money(point.stock)}"
    )


def _hover(point: Point) -> str:
    write = ui.formats()
    return (
        f"{write.number(point.service_percent, 1)} % served with {write.money(point.stock)} in stock, "
        f"{_a_week(point.lost_lines)} order lines lost a week"
    )


def _a_week(a_year: float) -> str:
    per_week = float(a_year) / float(WEEKS_OF_A_YEAR)
    return ui.formats().number(per_week, 1 if per_week < 10 else 0)


def uncovered(point: Point, now: Point | None) -> str:
    """What a goal leaves uncovered, and against now what it costs and gains."""
    write = ui.formats()
    money = write.money(float(point.lost_money) / float(WEEKS_OF_A_YEAR))
    words = (
        f"Left uncovered: about **{ui.safe_md(_a_week(point.lost_lines))}** order lines a week, "
        f"**{ui.safe_md(money)}** of sales, with **{ui.safe_md(write.money(point.stock))}** in stock"
    )
    if now is None or now == point:
        return f"{words}."
    stock = float(point.stock) - float(now.stock)
    lost = (float(point.lost_money) - float(now.lost_money)) / float(WEEKS_OF_A_YEAR)
    more = "more" if stock > 0 else "less"
    fewer = "more" if lost > 0 else "fewer"
    return (
        f"{words}: {ui.safe_md(write.money(abs(stock)))} {more} in stock than now, "
        f"{ui.safe_md(write.money(abs(lost)))} {fewer} sales lost a week."
    )


# -- Costs ---------------------------------------------------------------------------------------------------


def _draw_costs(settings: Settings, mine: dict, *, may_buy: bool) -> None:
    """The numbers behind the goal, each with its unit."""
    form, currency = mine["form"], looks.the_shop().currency
    with st.container(key="costs"), st.grid(3, min_column_width=170, gap="small"):
        for name, (label, unit, help_) in FIELDS.items():
            unit = f"{currency} {unit}" if name == "transfer_cost" else unit
            editing.number_field(
                f"{label} ({unit})", getattr(settings, name), key=f"{name}_{form}", help_=help_,
                disabled=not may_buy,
            )  # fmt: skip


def _save(mine: dict, settings: Settings) -> None:
    """Write what differs from what was kept; the verb asks for new advice."""
    form, now = mine["form"], looks.now()
    said = _said(form, settings)
    for name in FIELDS:
        value = st.session_state.get(f"{name}_{form}")
        said[name] = editing.number(value)

    def work(session: Session, person: Actor) -> Answer:
        for name in FIELDS:
            if name not in buying_settings.MAY_BE_NONE:
                editing.needed(said[name], NUMBERS[name][3])
        before = buying_settings.get(session)
        after = buying_settings.change(session, person, now, **said)
        olds = {name: getattr(before, name) for name in said if getattr(before, name) != getattr(after, name)}
        if not olds:
            return Answer("Nothing was changed", is_idle=True)
        words = " &nbsp; ".join(_change(name, before, after) for name in olds)
        return Answer(f"{words}. New advice is asked for", partial(_back, olds=olds))

    if editing.write(mine, work) is not None:
        editing.renew(mine)


def _change(name: str, before: Settings, after: Settings) -> str:
    label = "Goal" if name == "goal" else NUMBERS[name][3]
    return editing.changed(label, *(_written(name, getattr(one, name)) for one in (before, after)))


def _written(name: str, value: Any) -> str:
    if value is None:
        return "not set"
    return GOALS[value] if name == "goal" else ui.formats().number(value, 4)


def _back(session: Session, person: Actor, *, olds: dict[str, Any]) -> Answer:
    buying_settings.change(session, person, looks.now(), **olds)
    return Answer("Undone. New advice is asked for")
