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
from core.tokens import Claims

_POST_EACH = text("SELECT place, answer, thresholds FROM post_stock_each(:postings)").bindparams(
    bindparam("postings", type_=JSONB)
)


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
    outcomes: dict[int, Outcome] = {}
    asked: dict[int, dict[str, Any]] = {}
    for place, one in enumerate(wanted):
        outcomes[place] = who[one.caller]
        if outcomes[place].caller is None:
            continue
        try:
            asked[place] = _asked(one, outcomes[place].caller, shelves)
        except RunoutError as refusal:
            outcomes[place] = replace(outcomes[place], refusal=refusal)
    movement_ids = {}
    crossing: set[int] = set()
    for place, answer, thresholds in _answers(session, asked):
        try:
            booked = posting.booked(answer, asked[place]["lines"], shelves.named)
        except RunoutError as refusal:
            outcomes[place] = replace(outcomes[place], refusal=refusal)
            continue
        movement_ids[place] = booked.lines[0].movement_id
        if thresholds:
            crossing |= alert_watch.crossing(booked.lines, thresholds)
    if crossing:
        alert_watch.look_at_now(session, crossing)
    for place, movement in zip(
        movement_ids, entries.several(session, list(movement_ids.values()), as_written=True), strict=True
    ):
        outcomes[place] = replace(outcomes[place], movement=movement)
    return [outcomes[place] for place in range(len(wanted))]


def _asked(one: Wanted, actor: Actor, shelves: uids.Shelves) -> dict[str, Any]:
    """What the posting function is asked for one; refuses in the order in which `book_alone` does."""
    auth.must(actor, "move stock")
    line = stock.adjustment(
        shelves.product(one.product_uid),
        shelves.warehouse(one.warehouse_uid),
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
