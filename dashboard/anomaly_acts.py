"""What people do about a finding: repair it, say that it is real, take that back. One press, one write."""

from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.doctor import findings, repairs
from core.doctor.repairs import Repaired
from dashboard import anomaly_words, editing, looks, pressing, ui
from dashboard.editing import Answer

NOTE_CHARACTERS = 300


def desk(uid: str) -> dict[str, Any]:
    """What this session did about one finding, see `editing.desk`."""
    return editing.desk(f"finding {uid}")


def last() -> dict[str, Any]:
    """The finding that was acted on last: uid, name, its `place` in the list, and the list's address."""
    return editing.desk("anomalies")


def address() -> dict[str, str]:
    """The filters: an answer belongs to the list in which the press was made."""
    return {word: value for word, value in st.query_params.to_dict().items() if value}


def repair(uid: str, name: str, form: str, place: str) -> None:
    """Book the repair. The form's number is the key: a double click books once."""
    now = looks.now()

    def work(session: Session, person: Actor) -> Answer:
        done = repairs.accept(session, person, uid, key=form, now=now)
        return Answer(_said("Repaired", done), partial(_undo_repair, uid=uid, key=f"undo {form}"))

    _press(uid, name, form, place, work)


def dismiss(uid: str, name: str, form: str, place: str, reason: str | None = None) -> None:
    """Put it away with a reason; without one, the one that was chosen in the popover."""
    given, now = st.session_state, looks.now()
    note = None
    if reason is None:
        reason = given.get(f"reason_{uid}_{form}") or next(iter(anomaly_words.REASONS))
        note = (given.get(f"note_{uid}_{form}") or "").strip() or None

    def work(session: Session, person: Actor) -> Answer:
        findings.dismiss(session, person, uid, reason=reason, note=note, now=now)
        # Only what was real teaches to ask less: the other reasons say that it was wrong, or nothing.
        less = " Such lines are asked about less." if reason == "real" else ""
        words = f"Dismissed: {anomaly_words.REASONS[reason].lower()}.{less}"
        return Answer(words, partial(_reopen, uid=uid))

    _press(uid, name, form, place, work)


def reopen(uid: str, name: str, form: str, place: str) -> None:
    """Decide anew about a dismissed one."""
    _press(uid, name, form, place, partial(_reopen, uid=uid))


def undo_repair(uid: str, name: str, form: str, place: str) -> None:
    """Take a repair back, also one of another day."""
    _press(uid, name, form, place, partial(_undo_repair, uid=uid, key=f"undo {form}"))


def _press(uid: str, name: str, form: str, place: str, work: editing.Work) -> None:
    mine, said, where = desk(uid), last(), address()
    pressing.once(mine, form, work)
    said |= {"uid": uid, "name": name, "place": place, "address": where}


def _undo_repair(session: Session, person: Actor, *, uid: str, key: str) -> Answer:
    return Answer(_said("Taken back, it is to be decided again", repairs.undo(
        session, person, uid, key=key, now=looks.now()
    )))  # fmt: skip


def _reopen(session: Session, person: Actor, *, uid: str) -> Answer:
    findings.reopen(session, person, uid, now=looks.now())
    return Answer("Taken back: it is to be decided again.")


def _said(words: str, done: Repaired) -> str:
    """Stock before → after, of each product and place that was touched."""
    ends: dict[tuple[int, int], list[Any]] = {}
    for line in done.lines:
        ends.setdefault((line.product_id, line.warehouse_id), []).append(line)
    codes = {place.id: place.code for place in looks.places()}
    write = ui.formats()
    told = [
        editing.changed(
            f"on hand in {ui.safe_md(codes.get(place, '?'))}",
            write.quantity(lines[0].before), write.quantity(lines[-1].after),
        )
        for (_, place), lines in ends.items()
    ]  # fmt: skip
    return f"{words}: {' &nbsp; '.join(told)}" if told else f"{words}."
