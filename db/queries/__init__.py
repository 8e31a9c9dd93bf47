"""The questions in SQL, one file each: a comment with the question and what one row means, then the query."""

import functools
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

FOLDER = Path(__file__).parent


@functools.cache
def sql(question: str) -> TextClause:
    """The text of `question`.sql."""
    return text((FOLDER / f"{question}.sql").read_text(encoding="utf-8"))


def rows(session: Session, question: str, **params: Any) -> list[RowMapping]:
    """Answer rows as mappings from column name to value; Decimals stay Decimals."""
    return list(session.execute(sql(question), params).mappings())


def frame(session: Session, question: str, **params: Any) -> pd.DataFrame:
    """Answer as a frame with the columns of the SQL, Decimals and dates kept as objects."""
    answer = session.execute(sql(question), params)
    return pd.DataFrame(answer.fetchall(), columns=list(answer.keys()))


def like(words: str | None) -> str | None:
    """A pattern for ILIKE that finds `words` anywhere; %, _ and \\ in them mean themselves."""
    if not words or not words.strip():
        return None
    escaped = words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
