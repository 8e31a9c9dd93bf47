"""Passwords: which are good enough, how they are kept, and how one is compared."""

import os
import secrets
import threading

import bcrypt

from core import inputs
from core.errors import BadInput

MIN_CHARACTERS = 8
MAX_BYTES = 72  # what bcrypt reads; longer ones would be cut without a word
COMMONEST = 3000
BCRYPT_ROUNDS = 12
# A comparison takes a core for half a second: however many sign in at once, the others get the rest of them.
COMPARISONS_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)

NONE = "!"
"""In place of a hash: no password matches it, and comparing takes as long as with one."""


def check(password: str) -> None:
    """Refuse a password that is too short, too long for bcrypt, or among the commonest."""
    if len(password) < MIN_CHARACTERS:
        raise BadInput(f"The password is too short: at least {MIN_CHARACTERS} characters.")
    if not inputs.can_be_kept(password):
        raise BadInput("The password holds a character that no keyboard sends: choose another.")
    if len(password.encode()) > MAX_BYTES:
        raise BadInput(f"The password is too long: at most {MAX_BYTES} bytes.")
    # Imported here: the list is a megabyte that only this line needs.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    if password.lower() in FREQUENCY_LISTS["passwords"][:COMMONEST]:
        raise BadInput("This password is one of the commonest and guessed first: choose another.")


_comparing = threading.BoundedSemaphore(COMPARISONS_AT_ONCE)


def hashed(password: str) -> str:
    """bcrypt hash of a password of at most 72 bytes."""
    with _comparing:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()


def matches(password: str, kept: str) -> bool:
    """Compare in constant time; passwords bcrypt cannot hold never match, but cost the same."""
    given, other = password.encode("utf-8", "surrogatepass"), dummy()
    with _comparing:
        try:
            is_same = bcrypt.checkpw(given[:MAX_BYTES], kept.encode())
        except ValueError:  # not a bcrypt hash: the system's account
            bcrypt.checkpw(given[:MAX_BYTES], other.encode())
            return False
    return is_same and len(given) <= MAX_BYTES


_dummy: str | None = None


def dummy() -> str:
    """Something to compare with when there is no such account, so that the answer takes as long."""
    global _dummy
    if _dummy is None:
        _dummy = hashed(secrets.token_urlsafe(16))
    return _dummy
