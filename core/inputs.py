"""What people and programs hand in, checked before it reaches the database or a sentence."""

import uuid

from core.errors import BadInput, NotFound

SMALL_ID_MOST = 2**31 - 1
BIG_ID_MOST = 2**63 - 1


def can_be_kept(value: str) -> bool:
    """Whether PostgreSQL can store it: no NUL character and no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def text(value: str, what: str, most: int) -> str:
    """The text without spaces around it. Refuses one that is too long or cannot be kept."""
    if len(value) > most:
        raise BadInput(f"{what}: {len(value):,} characters are too many; at most {most:,} are kept.")
    if not can_be_kept(value):
        raise BadInput(f"{what}: '{shown(value)}' holds a NUL or a broken character, which cannot be kept.")
    return value.strip()


def shown(value: object, most: int = 60) -> str:
    """A value as a refusal quotes it: short, and without characters that no screen can show."""
    try:
        said = str(value)
    except ValueError:  # Python does not write out integers of thousands of digits
        return "a number of thousands of digits"
    said = said if len(said) <= most else f"{said[:most]}…"
    if said.isprintable():
        return said
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in said)


def small_id(value: int, what: str) -> int:
    """The id of a master row. One that no row can have is refused like one that no row has."""
    return _id(value, what, SMALL_ID_MOST)


def big_id(value: int, what: str) -> int:
    """The id of a movement; see `small_id`."""
    return _id(value, what, BIG_ID_MOST)


def uid(value: uuid.UUID | str, what: str) -> uuid.UUID:
    """A public id as an address or a program gives it. Refuses what cannot be one: `what` is "an event"."""
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
    except ValueError:
        raise NotFound(f"'{shown(value)}' is not the id of {what}.") from None


def _id(value: int, what: str, most: int) -> int:
    if not 0 <= value <= most:
        raise NotFound(f"There is no {what} {shown(value)}.")
    return value
