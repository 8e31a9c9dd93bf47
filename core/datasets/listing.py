"""All tables that people can take along, how many rows each has now, and its file."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy.orm import Session

from core import inputs
from core.datasets import ledger_table
from core.datasets.buying_tables import ADVICE, ORDERS, PRICES
from core.datasets.ledger_table import LEDGER
from core.datasets.stock_tables import FORECASTS, PRODUCTS, STOCK
from core.datasets.table_types import Filters, rows
from core.datasets.tables import Table
from core.datasets.watch_tables import ALERTS, ANOMALIES, SCANS
from core.datasets.writing import Form
from core.errors import BadInput

TABLES = {
    table.name: table
    for table in (LEDGER, STOCK, FORECASTS, ADVICE, ORDERS, PRICES, PRODUCTS, ALERTS, ANOMALIES, SCANS)
}


def named(name: str) -> Table:
    """The table with this name. Refuses an unknown one."""
    if name not in TABLES:
        raise BadInput(f"'{inputs.shown(name)}' is not a table; tables are {', '.join(TABLES)}.")
    return TABLES[name]


def count(session: Session, table: Table, filters: Filters, day: date) -> int:
    """How many rows the file would have now."""
    _must_fit(filters)
    return table.count(session, filters, day)


def written(
    reading: Callable[..., AbstractContextManager[Session]],
    table: Table,
    form: Form,
    filters: Filters,
    day: date,
    seconds: int,
) -> Iterator[bytes]:
    """The file in pieces, all from one moment; its look at the database ends with it, or when it is closed.

    Args:
        seconds: how long one question may take.
    """
    if table is LEDGER:
        yield from ledger_table.written(form, filters)
        return
    with reading(seconds, snapshot=True) as session:
        yield from form.write(table.columns, rows(table.columns, table.items(session, filters, day)))


def _must_fit(filters: Filters) -> None:
    if filters.since and filters.until and filters.since > filters.until:
        raise BadInput(f"The period ends on {filters.until}, before it begins on {filters.since}.")
