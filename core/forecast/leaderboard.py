"""Every method judged on the shop's own past, all on the same tasks, and who is let into the pool by that."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.forecast import backtest, contenders, exams, outliers, standings
from core.forecast.admission import Ballot
from core.forecast.exams import Answers, Exam
from core.forecast.history import History
from core.forecast.models import DEFAULT, Pool
from core.forecast.standings import NAIVE, POOL, Board
from core.forecast.verdicts import Report

HORIZON_DAYS = 56
PATHS = 100
SEED = 11
MOST_ORIGINS = 3
SLOW_ORIGINS = 2  # the newest ones only
MOST_PRODUCTS = 1000
CHEAP_PRODUCTS = 300
SLOW_PRODUCTS = 60  # a minute or less for all three slow ones on both origins
BATCH_PRODUCTS = 25
Run = Callable[..., Iterable[Any]]
"""`run(work, batches, frozen)`: `work(batch, frozen)` of every batch, in their order."""


@dataclass(frozen=True)
class Judged:
    """The report to keep, and the pool's scores of every task (as `backtest.score` gives them)."""

    report: dict[str, Any]
    scores: pd.DataFrame

    @property
    def line_up(self) -> tuple[str, ...] | None:
        """Members to draw with; None when the default stands."""
        return Report.of(self.report).line_up


@dataclass(frozen=True)
class Batch:
    """Some products at one origin. `cheap` and `slow` (products,) tell which of them more methods are asked.

    `pool` is the place of the origin's pool among what is frozen.
    """

    exam: Exam
    pool: int
    cheap: np.ndarray
    slow: np.ndarray
    n_paths: int
    seed: int
    country: str | None


@dataclass(frozen=True)
class Sheet:
    """The answers of every method to one batch: by name the rows that were asked, and what was said."""

    exam: Exam
    answers: dict[str, tuple[np.ndarray, Answers]]
    scores: pd.DataFrame


def judge(
    history: History,
    make_pool: Callable[[History], Pool],
    *,
    happened: History | None = None,
    run: Run | None = None,
    progress: Callable[[int, int], None] | None = None,
    most_products: int = MOST_PRODUCTS,
    cheap_products: int = CHEAP_PRODUCTS,
    slow_products: int = SLOW_PRODUCTS,
    most_origins: int = MOST_ORIGINS,
    country: str | None = None,
) -> Judged:
    """Rolling-origin back-test of the pool, its members, the simple rule and the contenders.

    The pool is judged on at most `most_products`, members and cheap contenders on `cheap_products` of these,
    Prophet, AutoETS and Theta on `slow_products` of those and the newest two origins: evenly picked, so the
    same every time. The report is the same whoever works through the batches, but for the milliseconds.

    Args:
        history: the days as they are learned from.
        happened: the same products on the same days as they were, which the answers are held against: on days
            that nobody learns from, a promotion or closed doors, stock is used up too. None: the history.
        make_pool: the default pool from what was known at an origin, one-off outliers limited as in training.
        run: works through batches, see `Run`; here and now without.
        progress: called with the number of products judged (once per origin) and of how many.
    """
    happened = history if happened is None else happened
    origins = exams.origins(history, HORIZON_DAYS, most_origins)
    known = [history.before(origin) for origin in origins]
    learned = [outliers.limit(then)[0] for then in known]
    asked = [
        exams.set_exam(happened, origin, HORIZON_DAYS, known=then, learned=seen)
        for origin, then, seen in zip(origins, known, learned, strict=True)
    ]
    judged = _evenly(sorted({unique_id for exam in asked for unique_id in exam.known.ids}), most_products)
    cheap = _evenly(judged, cheap_products)
    slow = set(_evenly(cheap, slow_products))
    batches = list(_batches(asked, set(judged), set(cheap), slow, country))
    pools = tuple(make_pool(seen) for seen in learned)
    total, done, sheets = sum(len(batch.exam) for batch in batches), 0, []
    for sheet in (run or _here)(score_batch, batches, pools) if batches else ():
        sheets.append(sheet)
        done += len(sheet.exam)
        if progress is not None:
            progress(done, total)
    tables = [sheet.scores for sheet in sheets]
    scores = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=backtest.COLUMNS)
    sample = {"of_products": len(history), "products": len(judged), "cheap_products": len(cheap),
              "slow_products": len(slow), "tasks": len(scores), "horizon_days": HORIZON_DAYS, "paths": PATHS,
              "covers": list(exams.COVERS)}  # fmt: skip
    days = tuple(str(origin.date()) for origin in origins)
    found = standings.report(_board(sheets), sample, days) if sheets else Report((), (), (), sample, days)
    return Judged(found.plain(), scores)


def score_batch(batch: Batch, pools: Sequence[Pool]) -> Sheet:
    """All answers to one batch; the only function that workers run. Depends on its arguments alone."""
    pool = pools[batch.pool]
    everything = np.arange(len(batch.exam))
    answers = {POOL: (everything, exams.sit(batch.exam, pool, batch.n_paths, batch.seed))}
    scores = backtest.marks(batch.exam, answers[POOL][1])
    cheap, slow = np.flatnonzero(batch.cheap), np.flatnonzero(batch.slow)
    line_ups = [{member.name for member in pool.line_up(series)} for series in batch.exam.learned]
    asked = [(name, [row for row in cheap if name in line_ups[row]]) for name in DEFAULT]
    asked += [(name, cheap) for name in contenders.CHEAP]
    asked += [(name, slow) for name in contenders.SLOW]
    for name, some in asked:
        rows = np.array(some, int)
        if len(rows):
            # Through the pool, so that each is judged with all that the pool does around its members.
            alone = replace(pool, admitted=(name,), name=name, country=batch.country)
            answers[name] = rows, exams.sit(batch.exam.take(rows), alone, batch.n_paths, batch.seed)
    return Sheet(batch.exam, answers, scores)


def _batches(
    asked: Sequence[Exam], judged: set[str], cheap: set[str], slow: set[str], country: str | None
) -> Iterator[Batch]:
    for place, exam in enumerate(asked):
        of_all = exam.take(np.flatnonzero([unique_id in judged for unique_id in exam.known.ids]))
        is_new = place >= len(asked) - SLOW_ORIGINS
        for part in of_all.chunks(BATCH_PRODUCTS):
            ids = part.known.ids
            yield Batch(
                part,
                place,
                np.array([unique_id in cheap for unique_id in ids]),
                np.array([is_new and unique_id in slow for unique_id in ids]),
                PATHS,
                SEED,
                country,
            )


def _here(work: Callable[..., Sheet], batches: Iterable[Batch], frozen: Any) -> Iterator[Sheet]:
    return (work(batch, frozen) for batch in batches)


def _evenly(ids: Sequence[str], most: int) -> list[str]:
    return [ids[place] for place in np.linspace(0, len(ids) - 1, min(len(ids), most)).astype(int)]


def _board(sheets: Sequence[Sheet]) -> Board:
    """The sheets put together: one row a task, in one table for all methods."""
    asked = (name for sheet in sheets for name in sheet.answers)
    names = list(dict.fromkeys((POOL, *DEFAULT, *asked)))
    reached: dict[str, list[np.ndarray]] = {name: [] for name in (*names, NAIVE)}
    actual, naive, ids = [], [], []
    for sheet in sheets:
        exam = sheet.exam
        shape = (*exam.stocks().shape, exam.horizon_days + 1)
        for name in names:
            told = np.full(shape, np.nan)
            if name in sheet.answers:
                rows, answers = sheet.answers[name]
                told[rows] = answers.reached
            reached[name].append(told.reshape(-1, shape[-1]))
        actual.append(exam.actual().ravel())
        naive.append(backtest.naive_days(exam).ravel())
        ids += [unique_id for unique_id in exam.known.ids for _ in exam.covers]
        reached[NAIVE].append((np.arange(shape[-1]) >= naive[-1][:, None]).astype(float))
    return Board(
        Ballot(
            {name: np.concatenate(parts) for name, parts in reached.items()},
            np.concatenate(actual),
            np.unique(ids, return_inverse=True)[1],
            PATHS,
        ),
        np.concatenate(naive),
        {name: _ms(sheets, name) for name in names},
        {name: len({product for sheet in sheets if name in sheet.answers
                    for product in sheet.answers[name][1].failed}) for name in names},
    )  # fmt: skip


def _ms(sheets: Sequence[Sheet], name: str) -> float:
    asked = [sheet.answers[name] for sheet in sheets if name in sheet.answers]
    return 1000 * sum(told.seconds for _, told in asked) / max(sum(len(rows) for rows, _ in asked), 1)
