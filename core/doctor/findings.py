"""What people decide about findings: dismissed with a reason, opened again; settled elsewhere, they lapse."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from core import alert_watch, audit, auth, inputs, uids
from core.auth import Actor
from core.errors import AlreadyReversed, BadInput, RuleBroken
from db.models import DISMISSALS, ERROR_KINDS, FINDING_LISTS, FINDING_STATES, Finding, Movement, Person

STATES, LISTS, KINDS = FINDING_STATES, FINDING_LISTS, ERROR_KINDS
NOTE_CHARACTERS = 500
MISSING = "There is no such finding any more: a clearer one of its day took its place, or the link is old."
SUBJECT = "finding"  # of audit lines
_undone = aliased(Movement)
IS_SETTLED_ELSEWHERE = (Finding.state == "open") & exists().where(_undone.reverses_id == Finding.movement_id)
"""Open, but its movement was reversed or corrected by other means: nothing is left to decide."""


def dismiss(
    session: Session,
    actor: Actor,
    finding_uid: uuid.UUID | str,
    *,
    reason: str,
    note: str | None = None,
    now: datetime,
) -> Finding:
    """It is no error that needs a repair here. The same again changes nothing.

    `reason`: "real" (the movement is right; the same is asked less), "corrected_elsewhere", "not_worth_it",
    "other". Refuses one that was repaired, and another reason than the one it was dismissed with before.
    """
    auth.must(actor, "edit catalogue")
    if reason not in DISMISSALS:
        raise BadInput(f"'{inputs.shown(reason)}' is not a reason; they are {', '.join(DISMISSALS)}.")
    words = inputs.text(note or "", "Note", NOTE_CHARACTERS) or None
    finding = locked(session, finding_uid)
    if finding.state == "dismissed" and (finding.dismissed_as, finding.note) == (reason, words):
        return finding
    must_be_open(session, finding)
    finding.state, finding.dismissed_as, finding.note = "dismissed", reason, words
    decide(session, actor, finding, now)
    after = {"dismissed_as": reason, "note": words}
    note_down(session, actor, "dismissed", finding, after=after)
    alert_watch.look_at_findings(session, [finding.product_id], now)
    return finding


def reopen(session: Session, actor: Actor, finding_uid: uuid.UUID | str, *, now: datetime) -> Finding:
    """Take a dismissal back. The second click changes nothing; a repaired one is undone, not opened."""
    auth.must(actor, "edit catalogue")
    finding = locked(session, finding_uid)
    if finding.state == "open":
        return finding
    if finding.state != "dismissed":
        raise RuleBroken(_words(session, finding))
    before = {"dismissed_as": finding.dismissed_as, "note": finding.note}
    finding.state, finding.dismissed_as, finding.note = "open", None, None
    finding.decided_by = finding.decided_at = None
    session.flush()
    note_down(session, actor, "reopened", finding, before=before)
    alert_watch.look_at_findings(session, [finding.product_id], now)
    return finding


def lapse(session: Session, now: datetime) -> int:
    """Close the findings whose movement was reversed or corrected elsewhere; answers how many."""
    statement = (
        update(Finding)
        .where(IS_SETTLED_ELSEWHERE)
        .values(state="lapsed", decided_at=now)
        .returning(Finding.product_id)
        .execution_options(synchronize_session=False)
    )
    products = session.scalars(statement).all()
    if products:
        alert_watch.look_at_findings(session, sorted(set(products)), now)
    return len(products)


# -- What decisions share ------------------------------------------------------------------------------------


def locked(session: Session, finding_uid: uuid.UUID | str) -> Finding:
    """The finding as it is now; who else decides it waits."""
    return uids.locked(session, Finding, finding_uid, "a finding", MISSING)


def must_be_open(session: Session, finding: Finding) -> None:
    """Refuse what was decided before, or settled elsewhere, with who did it."""
    if finding.state != "open":
        raise RuleBroken(_words(session, finding))
    if is_reversed(session, finding.movement_id):
        raise AlreadyReversed(settled_elsewhere(finding))


def is_reversed(session: Session, movement_id: int) -> bool:
    """Whether a movement was taken back or corrected."""
    return session.scalar(select(Movement.id).where(Movement.reverses_id == movement_id)) is not None


def settled_elsewhere(finding: Finding) -> str:
    return f"Movement {finding.movement_id} was reversed or corrected meanwhile: nothing is left to decide."


def decide(session: Session, actor: Actor, finding: Finding, now: datetime) -> None:
    """Write down who decided, and when."""
    finding.decided_by, finding.decided_at = actor.id, now
    session.flush()


def note_down(
    session: Session,
    actor: Actor,
    action: str,
    finding: Finding,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """An audit line about the finding that names its movement."""
    told = {"movement": finding.movement_id, "kind": finding.kind} | (after or {})
    audit.note(session, actor.id, action, SUBJECT, finding.uid, before=before, after=told)


def _words(session: Session, finding: Finding) -> str:
    who = session.scalar(select(Person.name).where(Person.id == (finding.decided_by or 0)))
    by = f" by {who}" if who else ""
    if finding.state == "accepted":
        return f"This was repaired before{by}: undo the repair first."
    if finding.state == "dismissed":
        return f"This was dismissed before{by}: open it again first."
    return settled_elsewhere(finding)
