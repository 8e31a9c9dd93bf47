"""Words added beside a movement later: the newest are shown, the movement stays as it was written."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core import audit, auth, inputs, posting
from core.auth import Actor
from core.errors import NotFound
from db.models import Movement, MovementNote

NOTED = ("notes", "reference_type", "reference_id")


def annotate(
    session: Session,
    actor: Actor,
    movement_id: int,
    *,
    notes: str | None = None,
    reference_type: str | None = None,
    reference_id: str | None = None,
) -> None:
    """Write words beside a movement: what is given is shown from now on, an empty text clears it.

    The movement stays as it was written. The other leg of a transfer gets the same words. Words that are
    shown already leave no trace.
    """
    auth.must(actor, "edit catalogue")
    words = {
        name: inputs.text(value, name.replace("_", " ").capitalize(), posting.TEXT_CHARACTERS[kept])
        for name, kept, value in (
            ("notes", "reason", notes),
            ("reference_type", "reference_type", reference_type),
            ("reference_id", "reference_id", reference_id),
        )
        if value is not None
    }
    movement = session.get(Movement, inputs.big_id(movement_id, "movement"))
    if movement is None:
        raise NotFound(f"There is no movement {movement_id}.")
    shown = newest(session, movement.id)
    changed = {name: value for name, value in words.items() if value != (shown[name] or "")}
    if not changed:
        return
    for leg_id in filter(None, (movement.id, movement.counterpart_id)):
        session.add(MovementNote(movement_id=leg_id, actor_id=actor.id, **changed))
    session.flush()
    before = {name: shown[name] for name in changed}
    audit.note(session, actor.id, "annotated", "movement", movement.id, before=before, after=changed)


def newest(session: Session, movement_id: int) -> dict[str, str | None]:
    """Notes and reference of a movement as they are shown: the newest that somebody added, else its own."""
    row = session.execute(
        select(*(shown(name).label(name) for name in NOTED)).where(Movement.id == movement_id)
    ).one()
    return dict(row._mapping)


def shown(name: str) -> ColumnElement[str | None]:
    """The column of `notes`, `reference_type` or `reference_id` as it is shown; null when empty."""
    own = Movement.reason if name == "notes" else getattr(Movement, name)
    added = (
        select(getattr(MovementNote, name))
        .where(MovementNote.movement_id == Movement.id, getattr(MovementNote, name).is_not(None))
        .order_by(MovementNote.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.nullif(func.coalesce(added, own), "")
