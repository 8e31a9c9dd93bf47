"""Every question in db/queries is understood by PostgreSQL and says what it asks."""

import re

import pytest
import sqlalchemy as sa

from db import functions, queries

QUESTIONS = sorted(path.stem for path in queries.FOLDER.glob("*.sql"))
VALUES = {"limit": 10, "offset": 0, "most": 10, "product_ids": [1], "sort": "sku", "descending": False,
          "only_active": True, "code": "", "product_id": 1, "today": "2026-01-01", "until": "2026-01-01",
          "since": "2025-01-01"}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_can_be_planned_and_explains_itself(session, question):
    written = (queries.FOLDER / f"{question}.sql").read_text()
    assert re.match(r"-- .*\?", written), "the first line asks the question"
    assert "-- One row:" in written
    names = set(re.findall(r"(?<!:):(\w+)", re.sub(r"--.*", "", written)))
    params = {name: VALUES.get(name) for name in names}
    session.execute(sa.text(f"EXPLAIN {written}"), params)


@pytest.mark.parametrize("name", functions.NAMES)
def test_the_database_runs_the_function_that_is_in_the_file(session, name):
    """A change of a function's file needs a migration that creates it anew."""
    kept = session.scalar(sa.text("SELECT prosrc FROM pg_proc WHERE proname = :n"), {"n": name})
    assert kept.strip() == functions.source(name).split("$$")[1].strip()


def test_words_with_wildcards_mean_themselves():
    assert queries.like(" 50%_a\\ ") == "%50\\%\\_a\\\\%"
    assert queries.like("  ") is None
