"""What nobody needs any more of signing in, downloading and telling is deleted, piece by piece, at night.

Who signed in and what an admin ended stands in the audit; these rows only say what still counts. They are
kept a while longer than they count, so that a page can say that a link is too old, and so that a refresh
token which comes again still ends the sign-in that it belongs to.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from core import auth
from db.models import Alert, AlertMessage, DownloadTicket, PasswordLink, RefreshToken, SignIn, SignInAttempt

PIECE = 5000
"""Rows deleted in one transaction: some hundredths of a second."""
TICKETS_KEPT = timedelta(days=1)
TOKENS_KEPT = timedelta(days=1)
LINKS_KEPT = timedelta(days=30)
SIGN_INS_KEPT = timedelta(days=90)
MESSAGES_KEPT = timedelta(days=90)


def forget(session: Session, now: datetime, most: int = PIECE) -> int:
    """Delete at most `most` rows of one kind that are dead; how many, 0 when nothing is left to delete.

    What others refer to goes last: tickets and refresh tokens, then the sign-ins they belong to.
    """
    for model, dead in (
        (DownloadTicket, DownloadTicket.expires_at < now - TICKETS_KEPT),
        # Those too old to be used; none of them outlives its sign-in.
        (RefreshToken, RefreshToken.expires_at < now - TOKENS_KEPT),
        (SignIn, _is_dead(now)),
        (
            PasswordLink,
            or_(PasswordLink.used_at < now - LINKS_KEPT, PasswordLink.expires_at < now - LINKS_KEPT),
        ),
        (AlertMessage, _is_told(now)),
        (SignInAttempt, SignInAttempt.at < now - 2 * auth.THROTTLE_WINDOW),  # no throttle looks at it
    ):
        some = select(model.id).where(dead).limit(most)
        deleted = session.execute(delete(model).where(model.id.in_(some))).rowcount
        if deleted:
            return deleted
    return 0


def _is_told(now: datetime) -> ColumnElement[bool]:
    """Old, and of an alert that is over: while it is open its messages say that it was told."""
    over = select(Alert.id).where(Alert.state == "resolved")
    return and_(AlertMessage.created_at < now - MESSAGES_KEPT, AlertMessage.alert_id.in_(over))


def _is_dead(now: datetime) -> ColumnElement[bool]:
    """Ended or expired long ago; the last one of a person stays, since it says when they were last seen."""
    later = aliased(SignIn)
    seen_later = exists().where(
        later.person_id == SignIn.person_id,
        or_(
            later.last_seen_at > SignIn.last_seen_at,
            (later.last_seen_at == SignIn.last_seen_at) & (later.id > SignIn.id),
        ),
    )
    return and_(
        or_(SignIn.ended_at < now - SIGN_INS_KEPT, SignIn.expires_at < now - SIGN_INS_KEPT),
        seen_later,
        ~exists().where(DownloadTicket.sign_in_id == SignIn.id),
        ~exists().where(RefreshToken.sign_in_id == SignIn.id),
    )
