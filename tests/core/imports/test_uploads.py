"""What may be uploaded, who may, and what a person can say about a file before the worker goes on."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from core import job_runs
from core.errors import BadInput, NotAllowed, NotFound, NotSignedIn, RuleBroken
from core.imports import import_fields, import_steps, uploads
from core.imports.import_found import Found, Said, for_screen
from db.models import AuditLine, Import, ImportFile, JobRun
from tests.makers import an_actor

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLE = b"sku,name\nA1,Lamp\n"


def upload(session, actor, content: bytes = TABLE, kind: str = "products", name: str = "p.csv") -> uuid.UUID:
    return uploads.upload(session, actor, kind=kind, file_name=name, content=content, now=NOW)


def claim(session) -> job_runs.Claim:
    return job_runs.claim(session, "test", ["import"], NOW)


def read(session, actor, *headers: str, kind: str = "products") -> uuid.UUID:
    """An uploaded file whose columns are known."""
    uid = upload(session, actor, kind=kind)
    claimed = claim(session)
    step = import_steps.taken_up(session, claimed)
    guessed = {header: field for field, header in import_fields.guess(kind, headers).items()}
    columns = [{"header": h, "examples": ["x"], "guess": guessed.get(h)} for h in headers]
    about = {"columns": columns, "lines": 1, "facts": {"format": "csv"}}
    import_steps.was_read(session, claimed, step, about, NOW)
    return uid


def check(session, actor, uid, mapping, **chosen) -> None:
    uploads.check(session, actor, uid, mapping=mapping, options=chosen, now=NOW)


def test_an_upload_is_kept_and_a_run_asked_for(session):
    actor = an_actor(session)
    uid = upload(session, actor, name="../../etc/pass\x00wd\n.csv")
    shown = uploads.current(session, actor, str(uid))
    assert (shown.state, shown.kind, shown.file_size, shown.queued) == ("uploaded", "products", 17, True)
    assert "/" not in shown.file_name
    assert shown.file_name.isprintable()
    assert session.scalar(select(ImportFile.content)) == TABLE
    assert session.scalar(select(JobRun.subject)) == str(uid)
    assert "uploaded" in session.scalars(select(AuditLine.action)).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n1234", "a picture"),
        (b"%PDF-1.4", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old .xls or an encrypted workbook"),
        (b"BZh91AY", "bzip2"),
        (b"PAR1", "a Parquet file"),
        (b"x" * (50 * 2**20 + 1), "at most 50 MB"),
    ],
    ids=["empty", "PNG", "PDF", "xls", "bzip2", "Parquet", "too large"],
)
def test_what_cannot_be_a_table_is_refused_at_the_door(session, content, said):
    with pytest.raises(BadInput, match=said):
        upload(session, an_actor(session), content)
    assert session.scalar(select(func.count()).select_from(Import)) == 0


def test_an_unknown_kind_is_refused(session):
    with pytest.raises(BadInput, match="no kind of file"):
        upload(session, an_actor(session), kind="people")


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_every_verb_needs_the_right(session, role):
    uid = upload(session, an_actor(session))
    weak = an_actor(session, role)
    for verb in (
        lambda: upload(session, weak),
        lambda: uploads.current(session, weak, uid),
        lambda: uploads.listing(session, weak),
        lambda: uploads.read_again(session, weak, uid, options={}, now=NOW),
        lambda: check(session, weak, uid, {}),
        lambda: uploads.apply(session, weak, uid, without_errors=None, now=NOW),
        lambda: uploads.discard(session, weak, uid, NOW),
        lambda: uploads.issues(session, weak, uid),
        lambda: uploads.report(session, weak, uid),
    ):
        with pytest.raises(NotAllowed):
            verb()
    with pytest.raises(NotSignedIn):
        uploads.listing(session, None)


@pytest.mark.parametrize("uid", [uuid.UUID(int=7), "nonsense", ""])
def test_an_unknown_file_is_not_found(session, uid):
    with pytest.raises(NotFound):
        uploads.current(session, an_actor(session), uid)


def test_many_files_at_one_moment_have_a_run_each_until_too_many_wait(session):
    actor = an_actor(session)
    uids = [upload(session, actor) for _ in range(uploads.MOST_WAITING)]
    assert session.scalar(select(func.count()).select_from(JobRun)) == len(uids)
    with pytest.raises(RuleBroken, match="20 files wait"):
        upload(session, actor)
    uploads.discard(session, actor, uids[0], NOW)
    upload(session, actor)
    assert [shown.uid for shown in uploads.listing(session, actor, limit=2)][1] == uids[-1]


def test_columns_are_guessed_until_somebody_says_otherwise(session):
    actor = an_actor(session)
    uid = read(session, actor, "Artikelnr", "Bezeichnung", "EK", "whatever")
    shown = uploads.current(session, actor, uid)
    assert shown.state == "read"
    assert shown.mapping == {"sku": "Artikelnr", "name": "Bezeichnung", "unit_cost": "EK"}
    assert [column.guess for column in shown.columns] == ["sku", "name", "unit_cost", None]
    check(session, actor, uid, {"sku": "Artikelnr", "name": "whatever", "category": ""})
    assert uploads.current(session, actor, uid).mapping == {"sku": "Artikelnr", "name": "whatever"}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"name": "name"}, "Choose the column that holds the SKU"),
        ({"sku": "sku", "name": "sku"}, "one column cannot hold two fields"),
        ({"sku": "gone"}, "the file has no column 'gone'"),
        ({"sku": "sku", "colour": "name"}, "'colour' is not a field"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(session, mapping, said):
    actor = an_actor(session)
    uid = read(session, actor, "sku", "name")
    with pytest.raises(BadInput, match=said):
        check(session, actor, uid, mapping)
    assert uploads.current(session, actor, uid).state == "read"


@pytest.mark.parametrize(
    "chosen",
    [
        {"colour": "red"},
        {"decimal": "x"},
        {"create_new": "yes"},
        {"sheet": 7},
        {"sheet": "x" * 101},
        {"sheet": "\0"},
    ],
)
def test_options_that_do_not_exist_are_refused(session, chosen):
    actor = an_actor(session)
    uid = read(session, actor, "sku", "name")
    with pytest.raises(BadInput, match=r"option|choice"):
        check(session, actor, uid, {"sku": "sku"}, **chosen)


def test_codes_may_be_typed_in_any_way(session):
    actor = an_actor(session)
    uid = read(session, actor, "sku", "qty", "date", kind="sales")
    mapping = uploads.current(session, actor, uid).mapping
    check(session, actor, uid, mapping, non_product_codes="POST, dot;M\nX", source="till 2")
    shown = uploads.current(session, actor, uid)
    assert shown.options["non_product_codes"] == ["POST", "dot", "M", "X"]
    assert session.scalar(select(Import.source)) == "till 2"


def test_steps_wait_for_each_other(session):
    actor = an_actor(session)
    uid = upload(session, actor)
    with pytest.raises(RuleBroken, match="reading is under way"):
        check(session, actor, uid, {"sku": "sku"})
    with pytest.raises(RuleBroken, match="reading is under way"):
        uploads.apply(session, actor, uid, without_errors=None, now=NOW)
    with pytest.raises(RuleBroken, match="reading is under way"):
        uploads.read_again(session, actor, uid, options={}, now=NOW)


def test_what_was_said_is_paged_and_its_report_holds_no_formula(session):
    actor = an_actor(session)
    uid = read(session, actor, "sku", "name")
    check(session, actor, uid, {"sku": "sku"})
    claimed, said = claim(session), Said()
    step = import_steps.taken_up(session, claimed)
    for line in range(2, 7):
        said.error(line, "wrong", "sku", "=1+1", "@SUM(A1) is no SKU")
    said.skip(9, "unchanged", "known")
    found = Found({"lines with errors": 5}, said.frame())
    import_steps.was_checked(session, claimed, step, found, NOW)
    shown = uploads.current(session, actor, uid)
    assert (shown.state, shown.error_lines) == ("checked", 5)
    assert (shown.errors, shown.skipped) == ({"sku.wrong": 5}, {"unchanged": 1})
    page, total = uploads.issues(session, actor, uid, kind="error", limit=2, offset=4)
    assert (list(page["line_number"]), total) == ([6], 5)
    lines = uploads.report(session, actor, uid).splitlines()
    assert len(lines) == 7
    assert lines[1] == "2,error,sku.wrong,sku,'=1+1,'@SUM(A1) is no SKU"
    with pytest.raises(BadInput):
        uploads.issues(session, actor, uid, limit=0)


def test_an_applied_file_cannot_be_discarded(session):
    actor = an_actor(session)
    uid = upload(session, actor)
    session.scalars(select(Import)).one().state = "applied"
    session.flush()
    with pytest.raises(RuleBroken, match="was imported"):
        uploads.discard(session, actor, uid, NOW)


def test_sentences_on_screen_do_not_name_the_command():
    said = "'1.234' can be read in two ways: choose the decimal mark (--decimal . or --decimal ,)."
    assert for_screen(said) == "'1.234' can be read in two ways: choose the decimal mark."


@pytest.mark.parametrize("kind", import_fields.KINDS)
def test_every_field_is_known_by_some_header_and_guessed_once(kind):
    assert set(import_fields.KNOWN_AS[kind]) == set(import_fields.names(kind))
    headers = [field.label for field in import_fields.FIELDS[kind]]
    guessed = import_fields.guess(kind, headers)
    assert len(set(guessed.values())) == len(guessed)
    assert {field.name for field in import_fields.FIELDS[kind] if field.required} <= set(guessed)
