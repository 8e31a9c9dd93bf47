"""Forecasts: how good they are, where they are worst and why, which methods make them, and Train now."""

from datetime import date

import streamlit as st

from core import auth, forecast_report
from core.forecast.verdicts import Report
from core.forecast_report import Shop, Training
from dashboard import forecast_list, forecasting, looks, signin, trust, ui, waiting
from db.session import reading

TRAIN = {"key": "train_forecasts", "about": "forecasts"}


def look(today: date) -> Shop:
    with reading() as session:
        return forecast_report.of_shop(session, today)


def draw_title() -> None:
    words = (
        "How good are the forecasts?",
        "How often ranges were right, and where they can be trusted less.",
    )
    if not auth.may(person, "train"):
        ui.title(*words)
        return
    with ui.title_line(*words):
        waiting.train_button(**TRAIN)
    waiting.train_progress(**TRAIN)


def draw_headline(shop: Shop) -> None:
    """How often ranges were right, and the figures beside it."""
    write, training = ui.formats(), shop.training
    st.subheader(forecasting.headline(shop), anchor=False, help=trust.HELP["sentence"])
    st.markdown(f":gray[{ui.safe_md(forecasting.source_words(shop))}]")
    scores = training.scores or {}
    with st.container(key="facts"), st.grid(4, min_column_width=150, gap="small"):
        if scores.get("crps") is not None:
            beside = f"the simple rule {trust.days(scores.get('crps_naive'))}"
            draw_figure("Off by, on average", trust.days(scores["crps"]), beside, trust.HELP["error"])
            better = write.share(scores.get("skill"))
            draw_figure(
                "Less error than the rule",
                better,
                "in the test on the past",
                f"The simple rule: {trust.RULE}.",
            )
        products = products_by_state(shop)
        done = f"{write.number(products.get('ok', 0))} of {write.number(sum(products.values()))}"
        draw_figure(
            "Products with a forecast",
            done,
            without_words(products),
            "The list below says why the others have none.",
        )
        trained = write.ago(training.finished_at, looks.now())
        draw_figure("Trained", trained, f"on data up to {write.day(training.as_of)}", "When, on which data.")


def draw_figure(label: str, value: str, beside: str, help_: str) -> None:
    st.metric(label, value, ui.safe_md(beside), delta_color="off", delta_arrow="off", help=help_)


def products_by_state(shop: Shop) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in shop.classes:
        counts[one.state] = counts.get(one.state, 0) + one.products
    return counts


def without_words(products: dict[str, int]) -> str:
    """How many products have no forecast, by why."""
    parts = [
        f"{ui.formats().number(products[state])} {word}"
        for state, word in (("too_short", "too short"), ("failed", "failed"), ("none", "not trained"))
        if products.get(state)
    ]
    return ", ".join(parts) or "all of them"


def draw_training(training: Training) -> None:
    """When the forecasts were made, by whom and of what, in small print."""
    write = ui.formats()
    ended = training.finished_at or training.started_at
    by = f" by {training.started_by}" if training.started_by else ""
    st.caption(
        ui.safe_md(
            f"Trained {write.moment(ended)}{by} on data up to {write.day(training.as_of)}: "
            f"{write.number(training.trained)} forecasts, {write.number(training.too_short)} with too little "
            f"history, {write.number(training.failed)} failed. All are trained every Sunday night, what "
            "moved every night."
        ),
        help="Products and their warehouses have a forecast each.",
    )


def draw_nothing() -> None:
    if auth.may(person, "train"):
        ui.empty(
            "No forecasts yet.",
            "They are made every Sunday night. Train now to have them in a minute; a product needs 30 days "
            "of history and two days with sales.",
        )
    else:
        ui.empty("No forecasts yet.", "They are made every Sunday night, or when a manager trains them.")


person = signin.require()
today = looks.today()
draw_title()
shop = look(today)
if shop.training is None:
    draw_nothing()
else:
    report = Report.of(shop.training.report) if shop.training.report else None
    draw_headline(shop)
    forecast_list.draw(today)
    forecasting.draw_pictures(shop, report)
    forecasting.draw_methods(report)
    draw_training(shop.training)
