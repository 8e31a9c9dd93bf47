"""COPY of a question in `db/queries`, whole answers at once, without a Python object for a row."""

import io
from contextlib import suppress
from typing import Any

import numpy as np
import psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db import queries

# PostgreSQL's binary COPY: a head of 19 bytes, each row a number of fields and before each field its length,
# a tail of 2 bytes (postgresql.org/docs/current/sql-copy.html, "Binary Format").
HEAD_BYTES, TAIL_BYTES = 19, 2


def record(**fields: str | np.dtype) -> np.dtype:
    """How a row of these fields lies in a binary COPY; each has a fixed width (">i8", ">i4" ...)."""
    laid: list[tuple[str, str | np.dtype]] = [("count", ">i2")]
    for name, kind in fields.items():
        laid += [(f"{name} length", ">i4"), (name, kind)]
    return np.dtype(laid)


class Copier:
    """COPY on the connection of a session. One thread at a time, except for `cancel`."""

    def __init__(self, session: Session) -> None:
        connection = session.connection()
        self._dialect = connection.dialect
        self._connection = connection.connection
        self._cursor = self._connection.cursor()

    def records(self, question: str, laid: np.dtype, **asked: Any) -> np.ndarray:
        """The answer as records of `laid`, no field null.

        Raises ValueError when the question answers in other fields than these.
        """
        answer = self._copied(question, "binary", asked)
        rows = np.frombuffer(answer, dtype=laid, offset=HEAD_BYTES, count=_count(answer, laid))
        if len(rows) and not (_fits(rows[0], laid) and _fits(rows[-1], laid)):
            raise ValueError(f"{question}.sql does not answer in the fields {laid.names}.")
        return rows

    def csv(self, question: str, **asked: Any) -> memoryview:
        """The answer as CSV with a head; a null is an empty field without quotes."""
        return self._copied(question, "csv, HEADER", asked)

    def cancel(self) -> None:
        """Ask PostgreSQL to end what runs on this connection now; from any thread."""
        with suppress(psycopg2.Error):  # the server is gone, and so is what ran there
            if (connection := self._connection.dbapi_connection) is not None:
                connection.cancel()

    def _copied(self, question: str, form: str, asked: dict[str, Any]) -> memoryview:
        statement = str(queries.sql(question).compile(dialect=self._dialect))
        answer = io.BytesIO()
        try:
            # COPY takes no parameters: psycopg2 writes the values into the statement, quoted.
            select = self._cursor.mogrify(statement, asked).decode()
            self._cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT {form})", answer)
        except psycopg2.Error as trouble:
            raise DBAPIError.instance(
                f"COPY {question}.sql",
                None,
                trouble,
                psycopg2.Error,
                hide_parameters=True,
                dialect=self._dialect,
            ) from trouble
        return answer.getbuffer()


def _count(answer: memoryview, laid: np.dtype) -> int:
    count, rest = divmod(len(answer) - HEAD_BYTES - TAIL_BYTES, laid.itemsize)
    if rest:
        raise ValueError(f"Rows of {laid.itemsize} bytes were expected; {rest} bytes are left over.")
    return count


def _fits(row: np.void, laid: np.dtype) -> bool:
    names = [name for name in laid.names or () if not name.endswith("length") and name != "count"]
    widths = all(row[f"{name} length"] == laid[name].itemsize for name in names)
    return bool(row["count"] == len(names) and widths)
