"""How far one may read the ledger by id without passing a movement that is still being written."""

from sqlalchemy.orm import Session

from db import queries


def horizon(session: Session) -> int:
    """The last movement before which no other can appear any more; 0 in an empty ledger.

    Ids are drawn before commit: a movement with a lower id can become visible after one with a higher id.
    Whoever remembers the last id seen (cursor, offset) stops here. Ask before the movements are read, in
    READ COMMITTED (each statement sees its own moment), or before the snapshot they are read from.
    """
    (row,) = queries.rows(session, "ledger_horizon")
    return row["horizon"]
