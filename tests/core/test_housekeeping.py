"""What is tidied at night, and what stays."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, housekeeping, people, tokens
from db.models import DownloadTicket, PasswordLink, RefreshToken, SignIn, SignInAttempt
from tests.makers import PASSWORD, a_person, an_actor

NOW = datetime(2026, 5, 4, 3, 50, tzinfo=UTC)
KEY = b"a key for tests, thirty-two bytes or more"
DAY, LONG_AGO = timedelta(days=1), NOW - timedelta(days=200)


def tidy(session, now=NOW, most=housekeeping.PIECE):
    """How many rows each piece deleted."""
    pieces = []
    while piece := housekeeping.forget(session, now, most):
        pieces.append(piece)
    return pieces


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


@pytest.fixture
def program(session):
    """A program signs in: `program(at)` answers its tokens; all of them are of one person."""
    email = a_person(session, "user").email
    lasts = timedelta(minutes=15)
    return lambda at: tokens.sign_in(session, KEY, email, PASSWORD, "here", at, lasts=lasts)


def test_old_sign_ins_go_with_what_hangs_on_them_and_the_last_stays_as_the_day_somebody_was_seen(
    session, program
):
    for days in (0, 1, 2):
        program(LONG_AGO + days * DAY)
    signed_in = sa.select(SignIn.id).order_by(SignIn.id)
    first, _, last = session.scalars(signed_in).all()
    session.add(DownloadTicket(sign_in_id=first, token_hash=b"x", asked={}, expires_at=LONG_AGO))
    session.flush()
    # A ticket, two tokens in a piece and one more, two sign-ins, one attempt a sign-in.
    assert tidy(session, most=2) == [1, 2, 1, 2, 2, 1]
    assert session.scalars(signed_in).all() == [last]
    assert (count(session, DownloadTicket), count(session, RefreshToken)) == (0, 0)
    assert tidy(session) == []


def test_what_may_still_be_asked_for_stays(session, program):
    """An open sign-in, one that ended lately, and a used refresh token whose return would end its family."""
    granted = program(NOW - 2 * DAY)
    after = tokens.refresh(session, KEY, granted.refresh_token, NOW - DAY, lasts=timedelta(minutes=15))
    program(NOW - 3 * DAY)
    session.execute(sa.update(SignIn).where(SignIn.created_at < NOW - 2 * DAY).values(ended_at=NOW - 3 * DAY))
    session.execute(sa.delete(SignInAttempt))
    assert tidy(session) == []
    again = tokens.refresh(session, KEY, granted.refresh_token, NOW, lasts=timedelta(minutes=15))
    assert again.refusal
    assert tokens.refresh(session, KEY, after.refresh_token, NOW, lasts=timedelta(minutes=15)).refusal


def test_a_sign_in_that_somebody_has_a_ticket_for_waits_for_the_next_night(session, program):
    program(LONG_AGO)
    program(LONG_AGO + DAY)
    first = session.scalars(sa.select(SignIn.id).order_by(SignIn.id)).first()
    session.add(DownloadTicket(sign_in_id=first, token_hash=b"x", asked={}, expires_at=NOW))
    session.flush()
    tidy(session)
    assert (count(session, SignIn), count(session, DownloadTicket)) == (2, 1)
    tidy(session, NOW + 2 * DAY)
    assert (count(session, SignIn), count(session, DownloadTicket)) == (1, 0)


def test_links_can_be_seen_to_be_too_old_for_a_month_and_guesses_count_for_half_an_hour(session):
    admin = an_actor(session, "admin")
    for n, days in enumerate((20, 60)):
        people.invite(session, admin, email=f"{n}@shop.example", name="", role="user", now=NOW - days * DAY)
    auth.recognise(session, "nobody@shop.example", "guess", "here", NOW - timedelta(minutes=31))
    auth.recognise(session, "nobody@shop.example", "guess", "here", NOW - timedelta(minutes=29))
    tidy(session)
    assert (count(session, PasswordLink), count(session, SignInAttempt)) == (1, 1)
