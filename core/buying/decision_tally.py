"""What all decisions about buying came to, one by one and added up, in words too."""

import uuid
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric, Select, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from core import inputs
from core.errors import BadInput
from core.posting import plain
from db import queries
from db.models import (
    DECISION_KINDS,
    Decision,
    Person,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    Vendor,
    Warehouse,
)

VERDICTS = ("better", "worse", "same", "open")
MOST_ROWS = 100_000
LEAST_LOST = Decimal("0.1")  # pieces, of an estimate
WHOLE_FROM = 10


@dataclass(frozen=True)
class Sums:
    """What some decisions add up to. `settled`: those whose period is over; the rest is about them: units
    sold (`demand`) and `lost`, `days` and those without stock, money left over at the end, and of those held
    against the advice how many were better, worse or the same in money, and what they `saved`."""

    decisions: int = 0
    settled: int = 0
    demand: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    days: int = 0
    days_without: int = 0
    left_money: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    better: int = 0
    worse: int = 0
    same: int = 0

    @property
    def served(self) -> Decimal | None:
        """Share of what was wanted that was there; None where nothing was."""
        wanted = self.demand + self.lost
        return self.demand / wanted if wanted else None

    @property
    def compared(self) -> int:
        """How many were held against the advice."""
        return self.better + self.worse + self.same

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Sums)))


@dataclass(frozen=True)
class Of:
    """The sums of one person."""

    uid: uuid.UUID
    name: str
    sums: Sums
    edited: Sums


@dataclass(frozen=True)
class Tally:
    """The sums by kind (each there), and by person who decided anything, the most decisions first."""

    kinds: dict[str, Sums]
    people: tuple[Of, ...]

    @property
    def total(self) -> Sums:
        return sum(self.kinds.values(), Sums())


@dataclass(frozen=True)
class Entry:
    """One decision as it is read; `forecast` and `outcome` as in `db.models.Decision`."""

    uid: uuid.UUID
    kind: str
    decided_on: date
    decided_by_id: int | None
    decided_by: str | None
    product_uid: uuid.UUID
    sku: str
    product: str
    unit_of_measure: str
    warehouse: str
    order_uid: uuid.UUID | None
    order_number: str | None
    advised: Decimal
    chosen: Decimal
    advised_vendor: str | None
    chosen_vendor: str | None
    covers_from: date
    covers_until: date
    forecast: dict[str, Any]
    outcome: dict[str, Any] | None

    @property
    def saved(self) -> Decimal | None:
        """Money against the advice, above 0 where the decision was better; None where nothing is known."""
        saved = self.outcome and self.outcome["saved"]
        return None if saved is None else Decimal(saved)

    @property
    def verdict(self) -> str | None:
        """One of VERDICTS; None where there is nothing to hold it against."""
        if self.outcome is None:
            return "open"
        if self.saved is None:
            return None
        return "same" if not self.saved else "better" if self.saved > 0 else "worse"


def tally(session: Session, since: date | None = None) -> Tally:
    """What the decisions since a day (None: all) came to."""
    kinds = dict.fromkeys(DECISION_KINDS, Sums())
    people: dict[uuid.UUID, Of] = {}
    for row in queries.rows(session, "decision_tally", since=since):
        sums = Sums(**{one.name: row[one.name] for one in fields(Sums)})
        kinds[row["kind"]] += sums
        if row["uid"] is not None:
            before = people.get(row["uid"], Of(row["uid"], row["name"], Sums(), Sums()))
            edited = before.edited + sums if row["kind"] == "edited" else before.edited
            people[row["uid"]] = Of(row["uid"], row["name"], before.sums + sums, edited)
    return Tally(kinds, tuple(sorted(people.values(), key=lambda one: (-one.sums.decisions, one.name))))


def listing(
    session: Session,
    *,
    since: date | None = None,
    kind: str | None = None,
    verdict: str | None = None,
    person_uid: uuid.UUID | str | None = None,
    search: str | None = None,
    product_id: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Entry], int]:
    """Decisions, the newest first, and how many there are. `search` looks in code, name and order number."""
    if kind is not None and kind not in DECISION_KINDS:
        raise BadInput(f"Kind: '{inputs.shown(kind)}' is none of {', '.join(DECISION_KINDS)}.")
    question = _question()
    if since is not None:
        question = question.where(Decision.decided_on >= since)
    if kind is not None:
        question = question.where(Decision.kind == kind)
    if verdict is not None:
        question = question.where(_has(verdict))
    if person_uid is not None:
        question = question.where(Person.uid == inputs.uid(person_uid, "a person"))
    if product_id is not None:
        question = question.where(Decision.product_id == inputs.small_id(product_id, "product"))
    if like := queries.like(search):
        question = question.where(
            or_(Product.sku.ilike(like), Product.name.ilike(like), PurchaseOrder.number.ilike(like))
        )
    total = session.scalar(select(func.count()).select_from(question.subquery()))
    page = question.order_by(Decision.decided_on.desc(), Decision.id.desc())
    rows = session.execute(page.limit(min(limit, MOST_ROWS)).offset(max(offset, 0)))
    return [Entry(*row) for row in rows], total


def by_uid(session: Session, uid: uuid.UUID | str) -> Entry | None:
    """The decision with this public id; None where there is none any more. Refuses a malformed id."""
    found = session.execute(_question().where(Decision.uid == inputs.uid(uid, "a decision"))).first()
    return Entry(*found) if found else None


def _question() -> Select:
    advised, chosen = aliased(Vendor), aliased(Vendor)
    columns = (
        Decision.uid, Decision.kind, Decision.decided_on, Decision.decided_by, Person.name, Product.uid,
        Product.sku, Product.name, Product.unit_of_measure, Warehouse.code, PurchaseOrder.uid,
        PurchaseOrder.number, Decision.advised, Decision.chosen, advised.name, chosen.name,
        Decision.covers_from, Decision.covers_until, Decision.forecast, Decision.outcome,
    )  # fmt: skip
    names = [one.name for one in fields(Entry)]
    return (
        select(*(column.label(name) for name, column in zip(names, columns, strict=True)))
        .join(Product, Product.id == Decision.product_id)
        .join(Warehouse, Warehouse.id == Decision.warehouse_id)
        .outerjoin(Person, Person.id == Decision.decided_by)
        .outerjoin(PurchaseOrderLine, PurchaseOrderLine.id == Decision.order_line_id)
        .outerjoin(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .outerjoin(advised, advised.id == Decision.advised_vendor_id)
        .outerjoin(chosen, chosen.id == Decision.chosen_vendor_id)
    )


def _has(verdict: str) -> Any:
    if verdict not in VERDICTS:
        raise BadInput(f"Outcome: '{inputs.shown(verdict)}' is none of {', '.join(VERDICTS)}.")
    saved = cast(Decision.outcome["saved"].astext, Numeric)
    return {
        "better": saved > 0,
        "worse": saved < 0,
        "same": saved == 0,
        "open": Decision.outcome.is_(None),
    }[verdict]


# -- Words ---------------------------------------------------------------------------------------------------


def sentence(entry: Entry, reader_id: int | None = None) -> str:
    """What was decided and what came of it: "You ordered 40 instead of 60: out on 3 of 7 days, about 12 not
    sold. With the advice it would have been there every day, 9 left." """
    what = _decided(entry, reader_id)
    if entry.outcome is None:
        return f"{what}."
    if entry.outcome["is_cancelled"]:
        return f"{what}. The order was cancelled."
    said = f"{what}: {_course(entry.outcome)}."
    advice = entry.outcome["advice"]
    if advice is None or (not entry.saved and advice["days_without"] == entry.outcome["days_without"]):
        return said
    return f"{said} {_instead(entry.outcome, advice)}"


def _decided(entry: Entry, reader_id: int | None) -> str:
    is_reader = reader_id is not None and reader_id == entry.decided_by_id
    who = "You" if is_reader else entry.decided_by or "Nobody"
    advised, chosen = plain(entry.advised), plain(entry.chosen)
    if entry.kind == "ignored":
        return f"Nobody ordered the {advised} that were advised"
    if entry.kind == "own":
        return f"{who} ordered {chosen} that no advice asked for"
    if entry.kind == "taken":
        return f"{who} ordered {chosen} as advised"
    instead = [] if entry.advised == entry.chosen else [advised]
    if entry.advised_vendor and entry.advised_vendor != entry.chosen_vendor:
        instead.append(f"from {entry.advised_vendor}")
        return f"{who} ordered {chosen} from {entry.chosen_vendor} instead of {' '.join(instead)}"
    return f"{who} ordered {chosen} instead of {' '.join(instead) or advised}"


def _course(facts: dict[str, Any]) -> str:
    late = ", nothing delivered by then" if facts["ordered"] != "0" and facts["delivered"] == "0" else ""
    lost = f", about {_about(facts['lost'])} not sold" if Decimal(facts["lost"]) >= LEAST_LOST else ""
    if facts["days_without"]:
        return f"out on {facts['days_without']} of {_days(facts['days'])}{lost}{late}"
    every = f"all {facts['days']} days" if facts["days"] != 1 else "its day"
    return f"in stock on {every}{lost}, {_about(facts['left'])} left{late}"


def _instead(was: dict[str, Any], advice: dict[str, Any]) -> str:
    """What the advice would have given, where that was something else."""
    if advice["days_without"] == was["days_without"]:
        return f"The advice would have left {_about(advice['left'])}."
    if advice["days_without"]:
        return f"With the advice it would have been out on {_days(advice['days_without'])}."
    return f"With the advice it would have been there every day, {_about(advice['left'])} left."


def _about(quantity: str) -> str:
    """A quantity in a sentence: an estimate needs no more than this."""
    number = Decimal(quantity)
    return plain(number.quantize(Decimal(1) if number >= WHOLE_FROM else Decimal("0.1")))


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def headline(sums: Sums) -> str | None:
    """ "Edited decisions were better than the advice 12 of 20 times"; None where none was compared."""
    if not sums.compared:
        return None
    times = "time" if sums.compared == 1 else "times"
    return f"Edited decisions were better than the advice {sums.better} of {sums.compared} {times}"
