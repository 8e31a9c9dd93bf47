"""Findings: out of many scores the few movements that somebody is asked to look at."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from core import alert_watch
from core.anomaly import ranking
from core.anomaly.detector import Scores
from core.anomaly.lines import KINDS, NEVER
from core.anomaly.ranking import Odd
from core.doctor import cases, sentences
from core.doctor.cases import Case
from core.doctor.ledger_lines import Sheet
from db.models import AnomalySettings, Finding, Movement, Product

SPREAD_DAYS = 30
"""A movement of one of the last 30 days takes a place of its own day, an older one a place of today: a file
with years of sales does not ask for years of work."""
LOOKED_AT_FROM = ranking.LEAST_CHANCE_OF_MONEY / 10
"""What people taught lifts no chance further than that; it saves looking up all others."""
TAUGHT_DAYS = 365  # what was decided earlier is forgotten: people, packs and customers change
MEASURED = 200  # the last findings that tell how often the model is right
RIGHT = or_(Finding.state == "accepted", Finding.dismissed_as == "corrected_elsewhere")
WRONG = Finding.dismissed_as == "real"
_AS_IT_WAS = Finding.evidence["model_chance"].as_float()


@dataclass(frozen=True)
class Candidate:
    """A movement that could be shown, with what is said about it and the day whose budget it would take."""

    movement: Movement
    case: Case
    chance: float
    money: Decimal
    found_on: date


def raise_of(
    session: Session,
    model_id: int,
    sheet: Sheet,
    scores: Scores,
    is_new: np.ndarray,
    settings: AnomalySettings,
    now: datetime,
    today: date,
) -> int:
    """Raise findings of the judged targets that are new, within each day's budget; answers how many.

    Never twice of a movement, nor of one that was reversed or corrected, nor of a finding's own repair.
    """
    found = _candidates(session, sheet, scores, is_new, today)
    raised, products = 0, set()
    for day in sorted({one.found_on for one in found}):
        mine = [one for one in found if one.found_on == day]
        earlier = session.scalars(select(Finding).where(Finding.found_on == day)).all()
        chosen = ranking.choose(
            [Odd(one.chance, float(one.money)) for one in mine],
            [Odd(f.score, float(f.money_at_risk), f.listed, f.state == "open") for f in earlier],
            settings.findings_a_day,
            settings.money_a_day,
        )
        gone = [earlier[n] for n in chosen.dropped]
        # Who decides it at this moment is faster: then it stays, and the day holds one more.
        session.execute(delete(Finding).where(Finding.id.in_([f.id for f in gone]), Finding.state == "open"))
        products |= {f.product_id for f in gone}
        for n, listed in chosen.raised.items():
            session.add(_finding(mine[n], listed, model_id, now, today))
            products.add(mine[n].movement.product_id)
            raised += 1
    session.flush()
    if products:
        alert_watch.look_at_findings(session, sorted(products), now)
    return raised


def _candidates(
    session: Session, sheet: Sheet, scores: Scores, is_new: np.ndarray, today: date
) -> list[Candidate]:
    """The movements that may be shown, the likeliest first; of a transfer only one leg."""
    stands = sheet.lines.void_from[sheet.targets] == NEVER
    places = np.flatnonzero(is_new & stands & (scores.chance >= LOOKED_AT_FROM))
    places = places[np.argsort(-scores.chance[places], kind="stable")]
    ids = sheet.lines.id[sheet.targets[places]].tolist()
    movements = {m.id: m for m in session.scalars(select(Movement).where(Movement.id.in_(ids)))}
    products = {m.product_id for m in movements.values()}
    prices = _prices(session, products)
    shift_of = shifts(session, products, today)
    left_out = _known(session, movements)
    found = []
    for n, movement_id in zip(places.tolist(), ids, strict=True):
        movement = movements[movement_id]
        kind = KINDS[scores.kind[n]]
        chance = ranking.shifted(float(scores.chance[n]), shift_of(movement.product_id, kind))
        if movement.id in left_out or chance < ranking.LEAST_CHANCE_OF_MONEY:
            continue
        if movement.counterpart_id is not None:
            left_out.add(movement.counterpart_id)
        case = cases.of_line(sheet, scores, n, movement.change, movement.unit_price, movement.day)
        money = cases.money_at_risk(case, *prices[movement.product_id])
        found.append(Candidate(movement, case, chance, money, _budget_day(movement.day, today)))
    return found


def _finding(one: Candidate, listed: str, model_id: int, now: datetime, today: date) -> Finding:
    return Finding(
        movement_id=one.movement.id,
        product_id=one.movement.product_id,
        warehouse_id=one.movement.warehouse_id,
        model_id=model_id,
        found_on=one.found_on,
        listed=listed,
        kind=one.case.kind,
        field=one.case.repair.field,
        repair=one.case.repair.as_text(),
        score=one.chance,
        money_at_risk=one.money,
        message=sentences.sentence(one.case, today),
        evidence=one.case.figures(),
        raised_at=now,
    )


def _budget_day(day: date, today: date) -> date:
    return day if today - timedelta(days=SPREAD_DAYS) <= day <= today else today


def _prices(session: Session, product_ids: set[int]) -> Mapping[int, tuple[Decimal | None, Decimal | None]]:
    question = select(Product.id, Product.unit_cost, Product.unit_price).where(Product.id.in_(product_ids))
    return {number: (cost, price) for number, cost, price in session.execute(question)}


def _known(session: Session, movements: Mapping[int, Movement]) -> set[int]:
    """Movements not to ask about: with a finding, the other leg of such a one, or booked by a repair."""
    others = {m.counterpart_id for m in movements.values() if m.counterpart_id is not None}
    asked = select(Finding.movement_id).where(Finding.movement_id.in_(movements.keys() | others))
    left_out = set(session.scalars(asked))
    left_out |= {m.id for m in movements.values() if m.counterpart_id in left_out}
    postings = {m.posting_id for m in movements.values()}
    repairs = set(session.scalars(select(Finding.posting_id).where(Finding.posting_id.in_(postings))))
    return left_out | {m.id for m in movements.values() if m.posting_id in repairs}


# -- What people taught --------------------------------------------------------------------------------------


def shifts(session: Session, product_ids: Collection[int], today: date) -> Callable[[int | None, str], float]:
    """What people's decisions add to the log odds of a kind of error of one of these products."""
    if not product_ids:
        return lambda _product, _kind: 0.0
    everybody = _measured(session)
    lessons = _lessons(session, product_ids, today)
    return lambda product, kind: everybody + lessons.get((product, kind), 0.0)


def _measured(session: Session) -> float:
    """Of the log odds of all: more of the decided findings were right than was said, or fewer."""
    decided = (
        select(RIGHT.label("is_right"), _AS_IT_WAS)
        .where(or_(RIGHT, WRONG))
        .order_by(Finding.decided_at.desc())
        .limit(MEASURED)
    )
    rows = session.execute(decided).all()
    return ranking.measured(sum(bool(right) for right, _ in rows), [chance for _, chance in rows])


def _lessons(
    session: Session, product_ids: Collection[int], today: date
) -> dict[tuple[int | None, str], float]:
    """Of the log odds of a product and kind: what was decided about them in the last year."""
    counted = (
        select(
            Finding.product_id, Finding.kind, func.count().filter(RIGHT), func.count().filter(WRONG)
        )
        .where(
            Finding.product_id.in_(product_ids), or_(RIGHT, WRONG),
            Finding.decided_at >= today - timedelta(days=TAUGHT_DAYS),
        )
        .group_by(Finding.product_id, Finding.kind)
    )  # fmt: skip
    return {
        (product, kind): ranking.taught(right, wrong)
        for product, kind, right, wrong in session.execute(counted)
    }
