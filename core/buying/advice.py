"""Advice on the whole shop: what to order, how much, from whom, by when. Worked out at once, kept as one run.

Looking and thinking need no transaction of their own to write in (`work_out`); `keep` puts what came of it
in the place of what was shown. `make` does both.
"""

import csv
import functools
import gc
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from core import auth, shop
from core.auth import Actor
from core.buying import (
    advice_inputs,
    advice_lapse,
    advice_needs,
    advice_plan,
    advice_promise,
    advice_rows,
    advice_sources,
    advice_state,
    advice_transfers,
    buying_settings,
)
from core.buying.advice_inputs import Paths, Shop
from core.buying.advice_needs import ZERO, Need, Shelf
from core.buying.advice_plan import Plan
from core.reorder import bulk, levels
from core.reorder.allocation import Allocation, Point
from core.reorder.levels import Curves
from db.models import AdviceRun

DAYS_A_YEAR = 365
KEPT_AS_JSON = ("terms", "vendors", "one_off")
Say = Callable[[int, int], None]
T = TypeVar("T")
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('advice', 0))")


@dataclass(frozen=True)
class Draft:
    """Advice that was worked out and is not kept yet: rows of the table `advice` without their run."""

    as_of: date
    rows: list[dict[str, Any]]
    goal: dict[str, Any]
    curve: list[dict[str, Any]]
    totals: dict[str, Any]
    calibration: dict[str, Any] | None


@dataclass
class Thought:
    """What the passes over the shop find out."""

    needs: list[Need]
    with_curves: list[Need]
    curves: list[Curves]
    shelves: dict[int, dict[int, Shelf]]


def make(session: Session, actor: Actor | None, now: datetime) -> AdviceRun:
    """Work out what to order, for the whole shop, and show it to everybody.

    Without an actor a job does it.
    """
    if actor is not None:
        auth.must(actor, "buy")
    return keep(session, actor, work_out(session, now), now)


def work_out(session: Session, now: datetime, say: Say | None = None) -> Draft:
    """Look at the shop and think; nothing is written. `say` hears how many products of how many are done."""
    with _nothing_collected():
        return _work_out(session, now, say)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A hundred thousand small values are made and all are kept: looking for garbage among them again and
    again takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _work_out(session: Session, now: datetime, say: Say | None) -> Draft:
    began = datetime.now(UTC)
    state = advice_state.now(session)
    given = advice_inputs.look(session, shop.today(shop.get(session), now))
    sources = advice_sources.of_products(session, given.today)
    thought = _think(session, given, sources, say)
    promise = advice_promise.of_shop(session, given)
    curves = levels.joined(thought.curves) if thought.curves else None
    plans, allocated, points = _plan(given, thought, curves, promise.ask)
    _settle(session, given, plans)
    rows = _rows(session, given, plans, thought.shelves)
    totals = _totals(given, plans, rows, allocated) | {
        "state": state,
        "seconds": round((datetime.now(UTC) - began).total_seconds(), 2),
    }
    return Draft(
        given.today,
        rows,
        {name: buying_settings.said(value) for name, value in asdict(given.settings).items()
         if name not in ("changed_by", "changed_at")},
        _curve(points),
        totals,
        advice_promise.kept(promise, given, thought.with_curves, curves, plans),
    )  # fmt: skip


def keep(session: Session, actor: Actor | None, draft: Draft, now: datetime) -> AdviceRun:
    """Show the draft instead of the run before.

    That one stays, because pages are open that show it, and so does the last one of an earlier day, which
    says what changed since; the others go, and with them choices that are overtaken.
    """
    session.execute(_ONE_AT_A_TIME)
    newest = select(AdviceRun.id).order_by(AdviceRun.id.desc()).limit(1)
    staying = [session.scalar(newest), session.scalar(newest.where(AdviceRun.as_of < draft.as_of))]
    session.execute(update(AdviceRun).where(AdviceRun.is_current).values(is_current=False))
    session.execute(delete(AdviceRun).where(AdviceRun.id.not_in([one for one in staying if one is not None])))
    run_id = session.scalar(
        insert(AdviceRun)
        .values(
            is_current=True,
            as_of=draft.as_of,
            made_at=now,
            made_by=actor and actor.id,
            goal=draft.goal,
            curve=draft.curve,
            totals=draft.totals,
            calibration=draft.calibration,
        )
        .returning(AdviceRun.id)
    )
    _copy(session, run_id, draft.rows)
    advice_lapse.let_go(session, run_id, draft.as_of)
    return session.get_one(AdviceRun, run_id)


# -- Thinking ------------------------------------------------------------------------------------------------


def _think(
    session: Session, given: Shop, sources: dict[int, list[advice_sources.Source]], say: Say | None
) -> Thought:
    thought, done = Thought([], [], [], {}), 0
    work = functools.partial(_needs_of, given, sources)
    for part, found in _beside(advice_inputs.chunks(session, given), work):
        done += len(part)
        if say is not None:
            say(done, len(given.products))
        thought.needs += found.needs
        thought.with_curves += found.with_curves
        thought.curves += found.curves
        for (product_id, place), shelf in found.shelves.items():
            thought.shelves.setdefault(product_id, {})[place] = shelf
    return thought


def _needs_of(
    given: Shop, sources: dict[int, list[advice_sources.Source]], part: Sequence[int], paths: dict[int, Paths]
) -> advice_needs.Found:
    return advice_needs.of(given, part, paths, sources)


def _beside(
    chunks: Iterable[tuple[list[int], dict[int, Paths]]], work: Callable[[Sequence[int], dict[int, Paths]], T]
) -> Iterator[tuple[list[int], T]]:
    """What work makes of chunk after chunk, while the next one is looked up and unpacked: numpy, zlib and the
    database leave the interpreter to each other. `work` has no session."""
    with ThreadPoolExecutor(1) as thread:
        before: tuple[list[int], Future[T]] | None = None
        for part, paths in chunks:
            began = thread.submit(work, part, paths)
            if before is not None:
                yield before[0], before[1].result()
            before = part, began
        if before is not None:
            yield before[0], before[1].result()


def _plan(
    given: Shop, thought: Thought, curves: Curves | None, ask: float
) -> tuple[list[Plan], Allocation | None, list[tuple[Point, int]]]:
    plans, allocated, points = [], None, []
    if curves is not None:
        allocated, points = advice_plan.allocate(given, thought.with_curves, curves, ask)
        plans += [
            advice_plan.plan(given, need, float(level), float(service))
            for need, level, service in zip(
                thought.with_curves, allocated.levels, allocated.own_service, strict=True
            )
        ]
    plans += [advice_plan.by_threshold(given, need) for need in thought.needs if not need.has_forecast]
    return plans, allocated, points


def _settle(session: Session, given: Shop, plans: Sequence[Plan]) -> None:
    """Compare vendors for what is ordered now, with the paths of those products at hand once more."""
    ordered = [made for made in plans if made.wanted > 0]
    by_product = _by_product(ordered)
    everywhere = _by_product(plans) if len(given.groups) > 1 else {}
    taken: advice_transfers.Taken = {}
    baskets = advice_plan.basket_values(ordered)

    def work(part: Sequence[int], paths: dict[int, Paths]) -> None:
        for product_id in part:
            for made in by_product[product_id]:
                known = paths.get(product_id)
                drawn = advice_needs.pooled(given, made.need.warehouse_id, known) if known else None
                advice_plan.settle(given, made, drawn, baskets)
                advice_transfers.instead(given, made, everywhere.get(product_id, ()), drawn, taken)
                if drawn is not None:
                    (made.one_off,) = bulk.one_offs(drawn[None], np.array([float(made.level)]))

    for _ in _beside(advice_inputs.chunks(session, given, sorted(by_product)), work):
        pass


def _by_product(plans: Sequence[Plan]) -> dict[int, list[Plan]]:
    found: dict[int, list[Plan]] = {}
    for made in plans:
        found.setdefault(made.need.product_id, []).append(made)
    return found


def _rows(
    session: Session, given: Shop, plans: Sequence[Plan], shelves: dict[int, dict[int, Shelf]]
) -> list[dict[str, Any]]:
    without = [made.need.product_id for made in plans if not made.need.has_forecast]
    why_not = advice_inputs.reasons(session, without) if without else {}
    rows = []
    for made in plans:
        need = made.need
        rows.append(advice_rows.of_plan(given, made, why_not.get(need.product_id)))
        if len(need.members) > 1:
            of_product = {
                place: shelf
                for place, shelf in shelves.get(need.product_id, {}).items()
                if place in need.members
            }
            moves = {
                move.shelf.need.warehouse_id: move
                for move in advice_plan.moves(given, need, made.service, of_product)
            }
            for place, shelf in of_product.items():
                if place != need.warehouse_id:
                    rows.append(advice_rows.of_move(given, shelf.need, moves.get(place), need))
    return rows


def _totals(
    given: Shop, plans: Sequence[Plan], rows: Sequence[dict[str, Any]], allocated: Allocation | None
) -> dict[str, Any]:
    orders = [row for row in rows if row["action"] == "order"]
    totals = {
        "products": len(given.products),
        "lines": len(orders),
        "value": str(sum((row["value"] for row in orders), ZERO)),
        "transfers": sum(row["action"] == "transfer" for row in rows),
        "lost_money": str(sum((row["lost_money"] for row in orders), ZERO)),
        "without_forecast": len({made.need.product_id for made in plans if not made.need.has_forecast}),
        "without_offer": len({made.need.product_id for made in plans if not made.need.sources}),
    }
    if allocated is not None:
        totals |= {
            "service_percent": round(allocated.service * 100, 2),
            "stock": round(allocated.stock, 2),
            "lost_lines": round(allocated.lost_lines * DAYS_A_YEAR, 1),
            "is_met": allocated.is_met,
        }
    return totals


def _curve(points: Sequence[tuple[Point, int]]) -> list[dict[str, Any]]:
    return [
        {
            "service_percent": round(point.service * 100, 3),
            "stock": round(point.stock, 2),
            "lost_lines": round(point.lost_lines * DAYS_A_YEAR, 1),
            "lost_money": round(point.lost_money * DAYS_A_YEAR, 2),
            "not_covered": not_covered,
        }
        for point, not_covered in points
    ]


# -- Writing -------------------------------------------------------------------------------------------------


def _copy(session: Session, run_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows the fastest way: there is one for each product and warehouse of the shop."""
    run, *names = advice_rows.COLUMNS
    text_of_rows = io.StringIO()
    csv.writer(text_of_rows, lineterminator="\n").writerows(
        [run_id, *(_json(row[name]) if name in KEPT_AS_JSON else row[name] for name in names)] for row in rows
    )
    text_of_rows.seek(0)
    with session.connection().connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY advice ({', '.join((run, *names))}) FROM STDIN WITH (FORMAT csv)", text_of_rows
        )


def _json(value: Any) -> str | None:
    return None if value is None else _ENCODER.encode(value)
