"""Rows of the ledger, and what somebody types, as the lines and the shelf that arithmetic judges.

A line comes with all the lines that are looked at for it, and with no more: a movement is judged alike
whether the whole ledger is read, or only what stood before it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import ARRAY, Row, RowMapping, String, any_, func, literal, select
from sqlalchemy.orm import Session

from core import cursors, inputs, shop
from core.anomaly import neighbours
from core.anomaly.contexts import OF_CUSTOMER, OF_DOCUMENT, OF_PAIR, OF_PRODUCT
from core.anomaly.lines import FLOW_OF_REASON, Lines, Shelf
from core.doctor import line_arrays
from core.doctor.line_arrays import Typed
from core.errors import BadInput
from db import queries
from db.models import Movement, Product, StockLevel, Warehouse

MOST_LEARNED = 250_000
"""So many of the newest movements are learned from: a year of a busy shop."""
MOST_ASKED = 10_000  # movements at once over HTTP
PIECE = 1_000
"""So many movements of a request are looked at together: each may bring 300 lines of its own along."""
LOOKED_UP_ONE_BY_ONE = 20
"""Neighbours of so few products are asked for by name; of more, all codes are read."""
REASONS = sorted(FLOW_OF_REASON)
_AFTER_EVERYTHING = 2**63 - 1
_ASKED = select(
    Movement.id, Movement.product_id, Movement.reference_type, Movement.reference_id, Movement.customer,
    Movement.reverses_id, Movement.reason_code,
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """Lines with what is known around them: those at the places `targets` are to be judged.

    `missing`: ids that were asked for and are no lines; `until_id`: the last movement that was looked at,
    line or not.
    """

    lines: Lines
    targets: np.ndarray
    shelf: Shelf
    missing: tuple[int, ...] = ()
    until_id: int = 0


def training(
    session: Session,
    today: date,
    *,
    most: int = MOST_LEARNED,
    since: date | None = None,
    until: date | None = None,
) -> Sheet:
    """The newest lines of the ledger (of these business days, both inclusive), to learn from."""
    last_id = cursors.horizon(session)
    asked = {"reasons": REASONS, "since": since, "until": until, "last_id": last_id, "most": most}
    lines = line_arrays.of_rows(session.execute(queries.sql("odd_lines"), asked).all()[::-1])
    shelf = shelf_of(session, np.unique(lines.product).tolist(), today)
    return Sheet(lines, np.arange(len(lines)), shelf, until_id=last_id)


def after(session: Session, after_id: int, last_id: int, most: int, today: date) -> Sheet:
    """The first `most` movements behind `after_id`, up to `last_id`, with all that stood before them.

    `until_id` is the last of these movements, also when it is no line.
    """
    where = _ASKED.where(Movement.id > after_id, Movement.id <= last_id)
    rows = list(session.execute(where.order_by(Movement.id).limit(most)).mappings())
    until_id = rows[-1]["id"] if rows else max(after_id, last_id)
    lines, targets, shelf = _with_contexts(session, rows, _Wanted(each=False), today)
    return Sheet(lines, targets, shelf, until_id=until_id)


def of_ids(session: Session, ids: Sequence[int], today: date) -> Sheet:
    """These movements, in booking order, each with all that stood before it.

    At most 10,000, and better `PIECE` at a time: each may bring 300 lines along.
    """
    if len(ids) > MOST_ASKED:
        raise BadInput(f"{len(ids):,} movements are too many: at most {MOST_ASKED:,} at once.")
    known = [number for number in ids if 0 < number <= inputs.BIG_ID_MOST]
    rows = list(session.execute(_ASKED.where(Movement.id.in_(known)).order_by(Movement.id)).mappings())
    lines, targets, shelf = _with_contexts(session, rows, _Wanted(each=True), today)
    there = set(lines.id[targets].tolist())
    missing = tuple(number for number in dict.fromkeys(ids) if number not in there)
    return Sheet(lines, targets, shelf, missing)


def typed(session: Session, entries: Sequence[Typed], now: datetime, *, piece: slice | None = None) -> Sheet:
    """Lines as if they were booked now, one after the other; their ids are -1, -2 and so on.

    Only those in the `piece` are to be judged; the others stand before or after them all the same.

    Refuses a reason that is no habit of anybody (opening stock, reconstructed), and a change of 0.
    """
    if len(entries) > MOST_ASKED:
        raise BadInput(f"{len(entries):,} movements are too many: at most {MOST_ASKED:,} at once.")
    for entry in entries:
        if entry.reason_code not in FLOW_OF_REASON:
            raise BadInput(f"'{inputs.shown(entry.reason_code)}' is not a reason that can be judged.")
        if entry.change == 0:
            raise BadInput("A movement with a change of 0 cannot be judged.")
    wanted, judged = _Wanted(each=False), entries[piece] if piece is not None else entries
    for entry in judged:
        wanted.add(
            entry.product_id, entry.reference_type, entry.reference_id, entry.customer, _AFTER_EVERYTHING
        )
    known = sorted({entry.product_id for entry in judged if entry.product_id is not None})
    levels = select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.quantity)
    on_hand = {
        (product, place): quantity
        for product, place, quantity in session.execute(levels.where(StockLevel.product_id.in_(known)))
    }
    places = session.execute(select(Warehouse.id, Warehouse.code, Warehouse.time_zone)).all()
    zones = {place.id: place.time_zone for place in places}
    ours = shop.get(session)
    rows = line_arrays.of_typed(entries, on_hand, zones, ours.time_zone, now)
    earlier = _earlier(session, wanted, [])
    lines = line_arrays.of_rows([*earlier, *rows])
    targets = np.arange(len(lines) - len(entries), len(lines))[piece or slice(None)]
    codes = {place.id: place.code for place in places}
    return Sheet(lines, targets, _shelf(session, known, shop.today(ours, now), codes))


def are_enough(session: Session, least: int) -> bool:
    """Whether the ledger holds so many lines."""
    some = select(Movement.id).where(Movement.reverses_id.is_(None), Movement.reason_code.in_(REASONS))
    return session.scalar(select(func.count()).select_from(some.limit(least).subquery())) >= least


def shelf_of(session: Session, product_ids: Collection[int], today: date) -> Shelf:
    """What the catalogue knows about these products and all warehouses; prices are those of `today`."""
    places = dict(session.execute(select(Warehouse.id, Warehouse.code)).all())
    return _shelf(session, product_ids, today, places)


def _shelf(session: Session, product_ids: Collection[int], today: date, places: dict[int, str]) -> Shelf:
    rows = queries.rows(session, "odd_shelf", product_ids=list(map(int, product_ids)), today=today)
    codes = {row["id"]: row["sku"] for row in rows}
    near, others = _near(session, codes)
    return Shelf(
        packs={row["id"]: tuple(row["factors"]) for row in rows if row["factors"]},
        list_price={row["id"]: row["list_price"] for row in rows if row["list_price"] is not None},
        near=near,
        codes=codes | others,
        place_codes=places,
        daily_rate={row["id"]: row["daily_rate"] for row in rows if row["daily_rate"] is not None},
    )


# -- What stood before ---------------------------------------------------------------------------------------


class _Wanted:
    """Whose earlier lines are asked for, and before which movement.

    Of movements that follow each other without a gap, the first of each product, document and customer is
    enough: what stands between it and the others is asked for anyway. Of any others `each` is needed.
    """

    def __init__(self, *, each: bool) -> None:
        self._each = each
        self._before: dict[str, dict[tuple, list[int]]] = {
            name: {} for name in ("product", "document", "customer", "pair")
        }

    def add(
        self, product: int | None, kind: str | None, reference: str | None, customer: str | None, before: int
    ) -> None:
        """Ask for what stood before the movement `before`; movements come in booking order."""
        has_customer, has_product = customer not in (None, ""), product is not None
        asked = {
            "product": (product,) if has_product else None,
            "document": (kind or "", reference) if reference not in (None, "") else None,
            "customer": (customer,) if has_customer else None,
            "pair": (customer, product) if has_customer and has_product else None,
        }
        for name, key in asked.items():
            if key is not None and (self._each or key not in self._before[name]):
                self._before[name].setdefault(key, []).append(before)

    def asked(self) -> dict[str, list]:
        """The parameters of odd_earlier.sql."""
        names = {
            "product": ("products",),
            "document": ("documents", "references"),
            "customer": ("customers",),
            "pair": ("pair_customers", "pair_products"),
        }
        told: dict[str, list] = {}
        for what, parts in names.items():
            flat = [(*key, before) for key, moments in self._before[what].items() for before in moments]
            columns = zip(*flat, strict=True) if flat else [()] * (len(parts) + 1)
            told |= dict(zip((*parts, f"{what}_before"), map(list, columns), strict=True))
        return told


def _with_contexts(
    session: Session, rows: Sequence[RowMapping], wanted: _Wanted, today: date
) -> tuple[Lines, np.ndarray, Shelf]:
    """The lines among these movements with what stood before them, and where they are."""
    rows = [row for row in rows if row["reverses_id"] is None and row["reason_code"] in FLOW_OF_REASON]
    for row in rows:
        wanted.add(row["product_id"], row["reference_type"], row["reference_id"], row["customer"], row["id"])
    ids = [row["id"] for row in rows]
    lines = line_arrays.of_rows(_earlier(session, wanted, ids))
    shelf = shelf_of(session, {row["product_id"] for row in rows}, today)
    return lines, np.flatnonzero(np.isin(lines.id, ids)), shelf


def _earlier(session: Session, wanted: _Wanted, ids: list[int]) -> Sequence[Row]:
    asked = wanted.asked() | {
        "ids": ids, "reasons": REASONS, "of_product": OF_PRODUCT, "of_document": OF_DOCUMENT,
        "of_customer": OF_CUSTOMER, "of_pair": OF_PAIR,
    }  # fmt: skip
    return session.execute(queries.sql("odd_earlier"), asked).all()


def _near(session: Session, codes: dict[int, str]) -> tuple[dict[int, tuple[int, ...]], dict[int, str]]:
    """Products one slip away from these, and the codes of those."""
    question = select(Product.id, Product.sku)
    if len(codes) <= LOOKED_UP_ONE_BY_ONE:
        slips = [slip for code in codes.values() for slip in neighbours.slips(code)]
        question = question.where(Product.sku == any_(literal(slips, ARRAY(String))))
    found = dict(session.execute(question).all()) if codes else {}
    near = neighbours.near(found | codes, codes)
    return near, {number: found[number] for numbers in near.values() for number in numbers}
