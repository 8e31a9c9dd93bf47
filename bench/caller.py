"""Somebody who is signed in at the API that a bench has started."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from core import tokens
from db import session as doors
from db.models import Person, SignIn

TOKEN_KEY = b"a key for the bench, thirty-two bytes or more"


def a_token(lasts: timedelta) -> str:
    """An access token, signed with `TOKEN_KEY`, of the first person there is; their sign-in is committed."""
    now = datetime.now(UTC)
    with doors.transaction() as session:
        person = session.scalars(sa.select(Person).limit(1)).one()
        person.is_active = True  # the system's own, whom nobody can sign in as
        opened = SignIn(
            kind="api",
            person_id=person.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=1),
        )
        session.add(opened)
        session.flush()
        session.refresh(opened)
        return tokens.issue(TOKEN_KEY, person.uid, opened.uid, now, lasts)
