"""How many findings a day, how many of them by money, and whether views warn before a booking."""

from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.doctor import doctor_settings
from core.doctor.doctor_settings import Settings
from core.errors import BadInput
from dashboard import editing, ui
from dashboard.editing import Answer
from db.session import reading

FIELDS = ("findings_a_day", "money_a_day", "warns", "warn_chance")


def draw() -> None:
    """The popover, for those who may change it."""
    mine = editing.desk("anomaly settings")
    # Named after its number, so that it is closed after it was kept.
    with st.popover("Settings", icon=":material/tune:", key=f"anomaly-settings-{mine['form']}"):
        with reading() as session:
            now = doctor_settings.settings(session)
        _draw_fields(now, mine["form"])
        if "refused" in mine:
            ui.refused(mine["refused"])
        st.button("Save", key="save_anomaly_settings", type="primary", width="stretch", on_click=_save,
                  args=(mine, mine["form"]))  # fmt: skip


def draw_answer() -> None:
    """What was kept last, under the line with the popover."""
    mine = editing.desk("anomaly settings")
    if "answer" in mine:
        editing.draw_answer(mine, key="anomaly-settings")


def _draw_fields(now: Settings, form: str) -> None:
    about: dict[str, Any] = {"format": "%.12g", "step": 1.0}
    st.number_input(
        "Findings a day", value=float(now.findings_a_day), key=f"findings_a_day_{form}", **about,
        help="As many as somebody looks at. More of them find more errors, and more that are none.",
    )  # fmt: skip
    st.number_input(
        "Of which by money at stake", value=float(now.money_a_day), key=f"money_a_day_{form}", **about,
        help="Kept for what would cost most if it were wrong, however unlikely that is.",
    )  # fmt: skip
    st.toggle("Warn before a booking", now.warns, key=f"warns_{form}",
              help="It never holds up a booking: it asks, and goes on.")  # fmt: skip
    st.slider("From what chance on", 10, 100, round(now.warn_chance * 100), 5, format="%d %%",
              key=f"warn_chance_{form}")  # fmt: skip


def _save(mine: dict[str, Any], form: str) -> None:
    given = {name: st.session_state.get(f"{name}_{form}") for name in FIELDS}

    def work(session: Session, person: Actor) -> Answer:
        before = doctor_settings.settings(session)
        after = doctor_settings.change_settings(session, person, **_checked(given))
        return Answer(_said(before, after))

    editing.write(mine, work, renews=True)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: whole numbers, and a chance in 0..1."""
    for name, words in (("findings_a_day", "Findings a day"), ("money_a_day", "Of which by money at stake")):
        number = editing.needed(given[name], words, "enter how many")
        if number != int(number):
            raise BadInput(f"{words}: {number:g} is not a whole number.")
    return {
        "findings_a_day": int(given["findings_a_day"]),
        "money_a_day": int(given["money_a_day"]),
        "warns": bool(given["warns"]),
        "warn_chance": given["warn_chance"] / 100,
    }


def _said(before: Settings, after: Settings) -> str:
    told = [
        editing.changed(words, _word(getattr(before, name)), _word(getattr(after, name)))
        for name, words in (("findings_a_day", "Findings a day"), ("money_a_day", "of which by money"),
                            ("warns", "warnings"), ("warn_chance", "from a chance of"))
        if getattr(before, name) != getattr(after, name)
    ]  # fmt: skip
    return " &nbsp; ".join(told) or "Nothing was changed."


def _word(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ui.formats().share(value) if isinstance(value, float) else str(value)
