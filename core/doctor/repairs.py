"""The repair of a finding, booked in one click and taken back in another.

The ledger only grows: a repair is a reversal and, unless the movement should not be there at all, a new entry
in its place. Undone, the figures it was booked with stand there again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import alert_watch, auth, corrections, predictions, rebooking, shop
from core.auth import Actor
from core.doctor import findings, sentences
from core.doctor.cases import Repair
from core.errors import AlreadyReversed, RuleBroken
from core.posting import Booked, BookedLine
from db.models import Finding, Movement, Posting, Product, Replacement, Warehouse


@dataclass(frozen=True)
class Repaired:
    """What a repair, or its undoing, booked.

    `movement_id` is the movement that was answered, `replaced_by_id` the one that stands in its place (None
    when it was taken back whole); `replayed`: this press had been booked before.
    """

    finding_uid: uuid.UUID
    posting_id: int
    movement_id: int
    replaced_by_id: int | None
    lines: tuple[BookedLine, ...]
    replayed: bool
    sentence: str


def accept(
    session: Session, actor: Actor, finding_uid: uuid.UUID | str, *, key: str, now: datetime
) -> Repaired:
    """Book the repair of a finding. The same key finds the first answer again.

    Refuses one that was decided or settled elsewhere, one without a known repair, what a purchase order
    counts as received (unless it is taken back whole: then it is awaited again), and a repair for which
    there is too little on hand, with the figures.
    """
    auth.must(actor, "edit catalogue")
    finding = findings.locked(session, finding_uid)
    if (told := _repaired_before(session, actor, finding, key)) is not None:
        return told
    findings.must_be_open(session, finding)
    repair = Repair.of(finding.field, finding.repair)
    try:
        booked = _booked(session, actor, finding, repair, key, now)
    except AlreadyReversed as faster:
        raise AlreadyReversed(findings.settled_elsewhere(finding)) from faster
    finding.state, finding.posting_id = "accepted", booked.posting_id
    findings.decide(session, actor, finding, now)
    new_id = rebooking.replacement_of(session, finding.movement_id)
    findings.note_down(
        session, actor, "repaired", finding, after={"posting": booked.posting_id, "movement_now": new_id}
    )
    _follow(session, finding, booked, now)
    return _told(session, finding, booked, finding.movement_id, new_id)


def undo(
    session: Session, actor: Actor, finding_uid: uuid.UUID | str, *, key: str, now: datetime
) -> Repaired:
    """Book the figures as they were, and open the finding again: it then speaks of the new entry.

    The same key finds the first answer again. Refuses one that was not repaired, a repair that was itself
    corrected or reversed since, and what was taken back from a purchase order (it is awaited there again).
    """
    auth.must(actor, "edit catalogue")
    finding = findings.locked(session, finding_uid)
    if finding.state == "open" and (told := _undone_before(session, actor, finding, key)) is not None:
        return told
    if finding.state != "accepted":
        raise RuleBroken("There is no repair of this to undo.")
    standing = rebooking.replacement_of(session, finding.movement_id)
    try:
        if standing is None:
            booked = rebooking.book_again(session, actor, finding.movement_id, key=key)
        else:
            booked = rebooking.put_back(session, actor, standing, key=key)
    except AlreadyReversed as faster:
        raise AlreadyReversed(
            f"The repair (movement {standing or finding.movement_id}) was corrected since: correct it there."
        ) from faster
    answered = standing or finding.movement_id
    again = rebooking.replacement_of(session, answered)
    finding.state, finding.posting_id, finding.movement_id = "open", None, again
    finding.decided_by = finding.decided_at = None
    session.flush()
    findings.note_down(session, actor, "undid the repair", finding, after={"posting": booked.posting_id})
    _follow(session, finding, booked, now)
    return _told(session, finding, booked, answered, again)


# -- How -----------------------------------------------------------------------------------------------------


def _booked(
    session: Session, actor: Actor, finding: Finding, repair: Repair, key: str, now: datetime
) -> Booked:
    movement_id = finding.movement_id
    if repair.field == "whole":
        return corrections.undo(session, actor, movement_id, now=now, key=key)
    if repair.field == "none" or not finding.repair:
        raise RuleBroken(
            f"No repair of movement {movement_id} is known: correct it in the ledger, or dismiss it."
        )
    if repair.field == "price":
        return corrections.correct(session, actor, movement_id, unit_price=repair.unit_price, key=key)
    if repair.field == "quantity":
        movement = session.get_one(Movement, movement_id)
        quantity = repair.change if movement.type == "adjust" else abs(repair.change)
        return corrections.correct(session, actor, movement_id, quantity=quantity, key=key)
    return rebooking.rebook(
        session, actor, movement_id, change=repair.change, product_id=repair.product_id,
        warehouse_id=repair.warehouse_id, key=key,
    )  # fmt: skip


def _follow(session: Session, finding: Finding, booked: Booked, now: datetime) -> None:
    """Bring run-outs and alerts of what moved up to date."""
    products = sorted({line.product_id for line in booked.lines} | {finding.product_id})
    predictions.refresh(session, products, shop.today(shop.get(session), now))
    alert_watch.look_at_findings(session, products, now)


def _told(
    session: Session, finding: Finding, booked: Booked, movement_id: int, new_id: int | None
) -> Repaired:
    levels: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}
    for line in booked.lines:
        level = (line.product_id, line.warehouse_id)
        levels[level] = (levels.get(level, (line.before,))[0], line.after)
    skus = _words(session, Product.id, Product.sku, {product for product, _ in levels})
    codes = _words(session, Warehouse.id, Warehouse.code, {place for _, place in levels})
    moved = [
        f"{skus[product]} in {codes[place]}: {sentences.number(before)} → {sentences.number(after)} on hand"
        for (product, place), (before, after) in levels.items()
    ]
    return Repaired(
        finding.uid, booked.posting_id, movement_id, new_id, booked.lines, booked.replayed,
        "; ".join(moved) + ".",
    )  # fmt: skip


def _words(session: Session, number: Any, word: Any, ids: set[int]) -> dict[int, str]:
    return dict(session.execute(select(number, word).where(number.in_(ids))).all())


def _repaired_before(session: Session, actor: Actor, finding: Finding, key: str) -> Repaired | None:
    """What the same press of the same person was told, when it booked this repair."""
    if finding.posting_id is None:
        return None
    kept = session.get_one(Posting, finding.posting_id)
    if (kept.actor_id, kept.key) != (actor.id, key):
        return None
    new_id = rebooking.replacement_of(session, finding.movement_id)
    return _told(session, finding, _again(kept), finding.movement_id, new_id)


def _undone_before(session: Session, actor: Actor, finding: Finding, key: str) -> Repaired | None:
    """What the same press was told, when it undid the repair of this finding."""
    found = select(Posting).where(Posting.actor_id == actor.id, Posting.key == key)
    kept = session.scalar(found.join(Movement, Movement.posting_id == Posting.id).where(
        Movement.id == finding.movement_id
    ))  # fmt: skip
    answered = session.scalar(
        select(Replacement.replaces_id).where(Replacement.movement_id == finding.movement_id)
    )
    if kept is None or answered is None:
        return None
    return _told(session, finding, _again(kept), answered, finding.movement_id)


def _again(kept: Posting) -> Booked:
    """A posting as it was told when it was booked."""
    lines = tuple(
        BookedLine(
            line["movement_id"], line["product_id"], line["warehouse_id"],
            *(Decimal(line[name]) for name in ("change", "before", "after")),
        )
        for line in kept.answer["lines"]
    )  # fmt: skip
    return Booked(kept.id, lines, replayed=True)
