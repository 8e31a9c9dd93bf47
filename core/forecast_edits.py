"""Weeks of a forecast that people change: units on top of what was computed, or in the place of it.

Stored paths stay as they are; `core.forecast.edits` works the changes in wherever paths are used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core import audit, auth, catalogue, inputs, paths, posting, predictions, shop
from core.auth import Actor
from core.errors import BadInput, RuleBroken
from core.forecast.edits import WEEK_DAYS, Week, monday
from db.models import Forecast, ForecastEdit, Person, Product

WEEKS = 12  # this one and the next eleven: what a buyer plans, and what the horizon of 120 days holds
NOTE_CHARACTERS = 300
FIELDS = ("adds", "replaces")


@dataclass(frozen=True)
class Row:
    """One week of the grid: what is computed, what people said, and what counts.

    `computed` and `result` speak of the days from `first_on` to `last_on`: of this week only those still to
    come. `by` and `at` say who changed it last, None where nobody did.
    """

    week_on: date
    first_on: date
    last_on: date
    computed: float
    adds: Decimal | None
    replaces: Decimal | None
    result: float
    note: str | None
    by: str | None
    at: datetime | None

    @property
    def is_edited(self) -> bool:
        return self.by is not None


@dataclass(frozen=True)
class Kept:
    """One week as it is kept: the fields of `forecast_edit`."""

    week_on: date
    adds: Decimal | None
    replaces: Decimal | None
    note: str | None
    edited_by: int
    edited_at: datetime


@dataclass(frozen=True)
class Change:
    """What one write changed: the weeks concerned, as they were and as they are; a week without a row is
    computed. Plain values, so that it can wait for its undo."""

    weeks: tuple[date, ...]
    before: tuple[Kept, ...]
    after: tuple[Kept, ...]


def grid(session: Session, product_id: int, today: date) -> list[Row]:
    """This week and the next eleven of a whole product, as far as its forecast reaches; empty without one."""
    line, _ = paths.one(session, product_id, today)
    if line["paths"] is None:
        return []
    kept = _kept(session, product_id)
    people = select(Person.id, Person.name).where(Person.id.in_({week.edited_by for week in kept.values()}))
    names = dict(session.execute(people).all())
    return [_row(week, kept.get(week.week_on), names, today) for week in paths.weeks(line, today, WEEKS)]


def change(
    session: Session,
    actor: Actor,
    product_id: int,
    wanted: Mapping[date, Mapping[str, Any]],
    *,
    note: str | None = None,
    now: datetime,
) -> Change:
    """Change weeks of a product's forecast, and work out its run-outs anew.

    Args:
        wanted: by Monday, `adds` or `replaces` or both; None makes that cell computed again.
        note: why; kept with the weeks that change.

    Refuses all of it when one value is wrong, naming its week.
    """
    product, today = _product(session, actor, product_id, now)
    note = inputs.text(note or "", "Note", NOTE_CHARACTERS) or None
    values = {week_on: _values(week_on, given, today) for week_on, given in sorted(wanted.items())}
    kept = _kept(session, product_id)
    rows = {}
    for week_on, given in values.items():
        was = kept.get(week_on)
        old = {name: getattr(was, name, None) for name in FIELDS}
        if old | given != old:
            rows[week_on] = Kept(week_on, **(old | given), note=note or getattr(was, "note", None),
                                 edited_by=actor.id, edited_at=now)  # fmt: skip
    return _write(session, actor, product, kept, rows, "changed the forecast of", today)


def reset(
    session: Session, actor: Actor, product_id: int, week_on: date | None = None, *, now: datetime
) -> Change:
    """Back to what is computed: one week, or all from this one on."""
    product, today = _product(session, actor, product_id, now)
    kept = _kept(session, product_id)
    weeks = [day for day in kept if day >= monday(today)] if week_on is None else [week_on]
    computed = {day: Kept(day, None, None, None, actor.id, now) for day in weeks if day in kept}
    return _write(session, actor, product, kept, computed, "reset the forecast of", today)


def undo(session: Session, actor: Actor, product_id: int, done: Change, *, now: datetime) -> Change:
    """Take back one write: its weeks are as they were, with who said so and when.

    Refuses when somebody changed one of them since.
    """
    product, today = _product(session, actor, product_id, now)
    kept, after = _kept(session, product_id), {week.week_on: week for week in done.after}
    for week_on in done.weeks:
        if kept.get(week_on) != after.get(week_on):
            raise RuleBroken(f"{_week(week_on)} was changed again since: look at it before you change it.")
    before = {week.week_on: week for week in done.before}
    rows = {day: before.get(day) or Kept(day, None, None, None, actor.id, now) for day in done.weeks}
    return _write(session, actor, product, kept, rows, "undid a change of the forecast of", today)


def _row(week: Week, said: Kept | None, names: Mapping[int, str], today: date) -> Row:
    return Row(
        week_on=week.week_on,
        first_on=today + timedelta(days=week.days.start),
        last_on=today + timedelta(days=week.days.stop - 1),
        computed=week.computed,
        adds=said.adds if said else None,
        replaces=said.replaces if said else None,
        result=week.result,
        note=said.note if said else None,
        by=names[said.edited_by] if said else None,
        at=said.edited_at if said else None,
    )


# -- What is checked -----------------------------------------------------------------------------------------


def _product(session: Session, actor: Actor, product_id: int, now: datetime) -> tuple[Product, date]:
    """The product, whose forecast nobody else changes until this transaction ends; and the shop's day."""
    auth.must(actor, "edit forecast")
    product = catalogue.locked(session, product_id)
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is deactivated: reactivate it before you change its forecast.")
    has_forecast = select(Forecast.id).where(
        Forecast.product_id == product_id,
        Forecast.warehouse_id.is_(None),
        Forecast.is_current,
        Forecast.state == "ok",
    )
    if session.scalar(has_forecast) is None:
        raise RuleBroken(f"{product.sku} has no forecast yet, so there is none to change.")
    return product, shop.today(shop.get(session), now)


def _values(week_on: date, given: Mapping[str, Any], today: date) -> dict[str, Decimal | None]:
    """The cells of a week as they are kept. An unknown one is a TypeError."""
    unknown = given.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    last = monday(today) + timedelta(days=(WEEKS - 1) * WEEK_DAYS)
    if week_on.weekday() != 0:
        raise BadInput(f"{_week(week_on)}: this is not a Monday, and weeks begin on one.")
    if week_on < monday(today):
        raise BadInput(f"{_week(week_on)} is over.")
    if week_on > last:
        raise BadInput(f"{_week(week_on)} is too far away: the last one to change is that of {_day(last)}.")
    values = {name: None if value is None else posting.exact(value, f"{_week(week_on)}, {name}")
              for name, value in given.items()}  # fmt: skip
    if values.get("replaces") is not None and values["replaces"] < 0:
        said = posting.plain(values["replaces"])
        raise BadInput(f"{_week(week_on)}, replaces: {said} is less than 0.")
    if values.get("adds") == 0:  # which is what is computed
        values["adds"] = None
    return values


# -- How it is kept ------------------------------------------------------------------------------------------


def _kept(session: Session, product_id: int) -> dict[date, Kept]:
    columns = (ForecastEdit.week_on, ForecastEdit.adds, ForecastEdit.replaces, ForecastEdit.note,
               ForecastEdit.edited_by, ForecastEdit.edited_at)  # fmt: skip
    found = session.execute(select(*columns).where(ForecastEdit.product_id == product_id))
    return {row.week_on: Kept(*row) for row in found}


def _write(
    session: Session,
    actor: Actor,
    product: Product,
    kept: Mapping[date, Kept],
    rows: Mapping[date, Kept],
    action: str,
    today: date,
) -> Change:
    """Put these weeks in the place of what is kept of them; one that says nothing is kept no more."""
    written = [row for row in rows.values() if (row.adds, row.replaces) != (None, None)]
    done = Change(tuple(rows), tuple(kept[day] for day in rows if day in kept), tuple(written))
    if not rows:
        return done
    gone = set(rows) - {row.week_on for row in written}
    mine = ForecastEdit.product_id == product.id
    session.execute(delete(ForecastEdit).where(mine, ForecastEdit.week_on.in_(gone)))
    if written:
        statement = upsert(ForecastEdit)
        changed = {name: statement.excluded[name] for name in (*FIELDS, "note", "edited_by", "edited_at")}
        session.execute(
            statement.on_conflict_do_update(index_elements=["product_id", "week_on"], set_=changed),
            [{"product_id": product.id, **vars(row)} for row in written],
        )
    audit.note(session, actor.id, action, "product", product.uid,
               before=_said(done.before), after=_said(done.after))  # fmt: skip
    session.flush()
    predictions.refresh(session, [product.id], today)
    return done


def _said(weeks: Iterable[Kept]) -> dict[str, Any]:
    """Weeks as the audit tells them: {"week of 2026-11-23": "replaces 35 (fair)"}."""
    told = {}
    for week in weeks:
        said = [
            f"{name} {posting.plain(getattr(week, name))}"
            for name in FIELDS
            if getattr(week, name) is not None
        ]
        told[f"week of {week.week_on}"] = ", ".join(said) + (f" ({week.note})" if week.note else "")
    return told


def _week(week_on: date) -> str:
    return f"Week of {_day(week_on)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
