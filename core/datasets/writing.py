"""The kinds of files that a table can be written as, and what each is good for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from core import inputs
from core.datasets import as_csv, as_parquet, as_xlsx
from core.datasets.table_types import Column, Row
from core.errors import BadInput


@dataclass(frozen=True)
class Form:
    """A kind of file. `most_rows` is None where there is no limit."""

    name: str
    title: str
    good_for: str
    extension: str
    media_type: str
    most_rows: int | None
    write: Callable[[Sequence[Column], Iterable[Row]], Iterator[bytes]]


FORMS = {
    form.name: form
    for form in (
        Form(
            "csv", "CSV", "For every spreadsheet and every program.",
            "csv", "text/csv; charset=utf-8", None, as_csv.write,
        ),
        Form(
            "xlsx", "Excel", "For working on: numbers and dates are real ones, the header stays in sight.",
            "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            as_xlsx.MOST_ROWS, as_xlsx.write,
        ),
        Form(
            "parquet", "Parquet", "For data tools such as pandas and DuckDB: small, exact, with types.",
            "parquet", "application/vnd.apache.parquet", None, as_parquet.write,
        ),
    )
}  # fmt: skip


def named(name: str) -> Form:
    """The kind of file with this name. Refuses an unknown one."""
    if name not in FORMS:
        raise BadInput(f"'{inputs.shown(name)}' is not a format; formats are {', '.join(FORMS)}.")
    return FORMS[name]


def must_hold(form: Form, rows: int) -> None:
    """Refuse more rows than the format has room for."""
    if form.most_rows is not None and rows > form.most_rows:
        raise BadInput(
            f"{form.title} holds at most {form.most_rows:,} rows and these are {rows:,}: choose a shorter "
            "period, or CSV or Parquet, which hold any number."
        )
