"""Adjustments that arrive together, booked in one transaction; each is judged and answered for itself.

Rules, words and keys are those of `stock.adjust`: a retry that comes the other way finds the first answer.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core import alert_watch, api_keys, auth, entries, posting, stock, tokens, uids
from core.api_keys import Given, Known
from core.auth import Actor
from core.errors import NotSignedIn, RunoutError
from core.posting import BookedLine
from core.tokens import Claims

_POST_EACH = text(
    "SELECT place, answer, thresholds, occurred_at, recorded_at FROM post_stock_each(:postings)"
).bindparams(bindparam("postings", type_=JSONB))
# What `entries.listing` also tells and no adjustment has.
_NOTHING = dict.fromkeys(
    ("unit_price", "reference_type", "reference_id", "customer", "counterpart_id", "reverses_id",
     "reversed_by_id", "replaces_id", "replaced_by_id")
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """An adjustment as a program sent it: ids are public ones, `caller` is what its token or API key says.

    `key` is the client's, or one made up for this request, so that it can be tried again either way.
    """

    caller: Claims | Given
    product_uid: uuid.UUID
    warehouse_uid: uuid.UUID | None
    change: Decimal
    reason: str
    reason_code: str | None
    key: str


@dataclass(frozen=True)
class Outcome:
    """What came of one: the movement as written (columns as in `entries.listing`), or a refusal.

    `caller` is who asked, None where that is what was refused; `used_key` with which API key.
    """

    caller: Actor | None
    used_key: Known | None = None
    movement: Mapping[str, Any] | None = None
    refusal: RunoutError | None = None


def is_for_itself(wanted: Wanted) -> bool:
    """Whether it cannot be among others: a customer return looks for the sale that it equals."""
    return wanted.reason_code == "return"


def book_alone(session: Session, actor: Actor, wanted: Wanted) -> RowMapping:
    """Book one in a transaction of its own; the movement as written. Refuses as `stock.adjust` does."""
    auth.must(actor, "move stock")
    booked = stock.adjust(
        session,
        actor,
        uids.product(session, wanted.product_uid),
        uids.warehouse(session, wanted.warehouse_uid),
        wanted.change,
        reason_code=wanted.reason_code,
        reason=wanted.reason,
        key=wanted.key,
    )
    return entries.one(session, booked.lines[0].movement_id, as_written=True)


def book_each(session: Session, wanted: Sequence[Wanted], now: datetime) -> list[Outcome]:
    """Book those that can be, in their order; one outcome each.

    None of them may be for itself. A refusal leaves no trace and touches no other. A database error undoes
    them all: book them alone then.
    """
    who = _who_ask(session, wanted, now)
    shelves = uids.shelves(session, {w.product_uid for w in wanted}, {w.warehouse_uid for w in wanted})
    outcomes = [who[one.caller] for one in wanted]
    asked = {}
    for place, one in enumerate(wanted):
        actor = outcomes[place].caller
        if actor is None:
            continue
        try:
            asked[place] = _asked(one, actor, shelves)
        except RunoutError as refusal:
            outcomes[place] = replace(outcomes[place], refusal=refusal)
    crossed: set[int] = set()
    for told in _answers(session, asked):
        one, outcome = wanted[told.place], outcomes[told.place]
        (line,) = asked[told.place]["lines"]
        product, warehouse = shelves.product(one.product_uid), shelves.warehouse(one.warehouse_uid)
        try:
            booked = posting.booked(told.answer, [line], lambda *_, p=product, w=warehouse: (p.code, w.code))
        except RunoutError as refusal:
            outcomes[told.place] = replace(outcome, refusal=refusal)
            continue
        movement = _as_written(told, booked.lines[0], line, product, warehouse, outcome.caller)
        outcomes[told.place] = replace(outcome, movement=movement)
        if told.thresholds:
            crossed |= alert_watch.crossing(booked.lines, told.thresholds)
    if crossed:
        alert_watch.look_at_now(session, crossed)
    return outcomes


def _asked(one: Wanted, actor: Actor, shelves: uids.Shelves) -> dict[str, Any]:
    """What the posting function is asked for one; refuses in the order in which `book_alone` does."""
    auth.must(actor, "move stock")
    line = stock.adjustment(
        shelves.product(one.product_uid).id,
        shelves.warehouse(one.warehouse_uid).id,
        one.change,
        one.reason_code,
        {"reason": one.reason},
    )
    return posting.asked(actor, "adjust", [line], one.key) | {"api_key": actor.api_key_id}


def _answers(session: Session, asked: Mapping[int, dict[str, Any]]) -> Sequence[Row]:
    if not asked:
        return ()
    postings = [
        {**one, "place": place, "hash": one["hash"].hex(), "line": one["lines"][0]}
        for place, one in asked.items()
    ]
    return session.execute(_POST_EACH, {"postings": postings}).all()


def _as_written(
    told: Row, booked: BookedLine, line: dict[str, Any], product: Row, warehouse: Row, actor: Actor
) -> dict[str, Any]:
    """What `entries.one` would read, from what is known already."""
    return _NOTHING | {
        "id": booked.movement_id,
        "product_uid": product.uid,
        "sku": product.code,
        "product_name": product.name,
        "warehouse_uid": warehouse.uid,
        "warehouse_code": warehouse.code,
        "type": line["type"],
        "reason_code": line["reason_code"],
        "change": booked.change,
        "stock_before": booked.before,
        "stock_after": booked.after,
        "occurred_at": told.occurred_at,
        "recorded_at": told.recorded_at,
        "reason": line.get("reason"),
        "notes": line.get("reason"),
        "person_uid": actor.uid,
        "person": actor.name,
    }


def _who_ask(session: Session, wanted: Sequence[Wanted], now: datetime) -> dict[Claims | Given, Outcome]:
    """Of each token and API key: an outcome with who is behind it, or with the refusal."""
    of_tokens = tokens.who_are(session, {w.caller for w in wanted if isinstance(w.caller, Claims)}, now)
    found = {claims: Outcome(actor) for claims, actor in of_tokens.items()}
    for caller in {w.caller for w in wanted} - found.keys():
        try:
            if isinstance(caller, Claims):
                raise NotSignedIn(tokens.ENDED)
            known = api_keys.who(session, caller, now)
            found[caller] = Outcome(known.actor, used_key=known)
        except NotSignedIn as refusal:
            found[caller] = Outcome(None, refusal=refusal)
    return found
