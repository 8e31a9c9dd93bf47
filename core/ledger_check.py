"""Is the ledger what it promises to be? Stock on hand is the sum of its movements, everywhere."""

from sqlalchemy.orm import Session

from db import queries


def faults(session: Session) -> dict[str, int]:
    """How often each rule of the ledger is broken, the broken ones only: {} on a sound ledger.

    Reads every movement: a job for the night.
    """
    (row,) = queries.rows(session, "ledger_faults")
    return {rule: count for rule, count in row.items() if count}
