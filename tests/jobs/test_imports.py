"""Uploaded files are read, checked and applied by the worker: once, whole, and never stuck."""

import gzip
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import job_runs
from core.auth import Actor
from core.errors import BadInput, RuleBroken
from core.imports import uploads
from core.imports.uploads import Shown
from core.job_runs import Claim
from db.models import (
    Barcode,
    ImportFile,
    ImportLine,
    JobRun,
    Movement,
    Person,
    Posting,
    Product,
    StockLevel,
    Warehouse,
)
from db.session import reading, transact, transaction
from jobs import imports, work
from tests.core.imports.test_table_files import HOSTILE, a_workbook, saved
from tests.makers import a_product, an_actor

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("clone")

SALES = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
    b"1,A1,Lamp,2,2026-02-02 10:00,5.00,7\n2,A1,Lamp,3,2026-02-03 10:00,5.00,8\n"
    b"3,POST,Postage,1,2026-02-03 11:00,9.00,8\n"
)
STOCK = b"sku,warehouse,on hand,cost,name\nA1,MAIN,10,2.50,Lamp\nB2,MAIN,4,1.25,Rope\n"
PRODUCTS = (
    b"sku,name,category,unit cost,unit price,lead time\nA1,Lamp,Light,2.50,5.00,14\nB2,Rope,Deck,1,3,7\n"
)
FILES = {"sales": SALES, "stock": STOCK, "products": PRODUCTS}
KEPT = (Product, Warehouse, Movement, Posting, StockLevel, ImportLine)


@pytest.fixture
def actor(clone) -> Actor:  # noqa: ARG001 (the database comes first)
    with transaction() as session:
        return an_actor(session)


def now() -> datetime:
    return datetime.now(UTC)


def uploaded(actor: Actor, kind: str, content: bytes | None = None, name: str = "file.csv") -> uuid.UUID:
    content = FILES[kind] if content is None else content
    return transact(lambda s: uploads.upload(s, actor, kind=kind, file_name=name, content=content, now=now()))


def claimed() -> Claim | None:
    return transact(lambda session: job_runs.claim(session, "test", ["import"], now()))


def work_off() -> int:
    """Do what waits; how many runs that were."""
    done = 0
    while claim := claimed():
        work.do(claim)
        done += 1
    return done


def seen(actor: Actor, uid: uuid.UUID) -> Shown:
    with reading() as session:
        return uploads.current(session, actor, uid)


def check(actor: Actor, uid: uuid.UUID, **options) -> Shown:
    shown = seen(actor, uid)
    transact(
        lambda s: uploads.check(
            s, actor, uid, mapping=shown.mapping, options=shown.options | options, now=now()
        )
    )
    work_off()
    return seen(actor, uid)


def apply(actor: Actor, uid: uuid.UUID, without_errors: int | None = None) -> Shown:
    transact(lambda s: uploads.apply(s, actor, uid, without_errors=without_errors, now=now()))
    work_off()
    return seen(actor, uid)


def brought_in(actor: Actor, kind: str, content: bytes | None = None, **options) -> Shown:
    """Upload, check and apply one file that has no errors."""
    uid = uploaded(actor, kind, content)
    work_off()
    assert check(actor, uid, **options).state == "checked", seen(actor, uid)
    return apply(actor, uid)


def counted() -> dict[str, int]:
    with reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in KEPT
        }


def on_hand(sku: str) -> float:
    with reading() as session:
        return float(
            session.scalar(
                select(func.coalesce(func.sum(StockLevel.quantity), 0))
                .join(Product, Product.id == StockLevel.product_id)
                .where(Product.sku == sku)
            )
        )


# -- The way of a file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_checked_and_applied_step_by_step(actor, kind):
    uid = uploaded(actor, kind)
    first = seen(actor, uid)
    assert (first.state, first.queued, first.progress) == ("uploaded", True, None)
    assert work_off() == 1
    read = seen(actor, uid)
    assert (read.state, read.problem, read.lines) == ("read", None, FILES[kind].count(b"\n") - 1)
    assert read.columns[0].examples[0] in ("1", "A1")
    before = counted()
    checked = check(actor, uid)
    assert (checked.state, checked.error_lines, checked.problem) == ("checked", 0, None)
    assert checked.preview
    assert counted() == before
    applied = apply(actor, uid)
    assert (applied.state, applied.problem, applied.by) == ("applied", None, actor.name)
    assert applied.finished_at is not None
    assert counted()["product"] == (1 if kind == "sales" else 2)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportFile)) == 0
        assert set(session.scalars(select(JobRun.state).where(JobRun.job == "import"))) == {"done"}


def test_the_same_file_again_has_no_effect(actor):
    for kind in FILES:
        brought_in(actor, kind)
        before = counted()
        again = brought_in(actor, kind)
        assert again.state == "applied"
        assert counted() == before, kind
        assert again.counts["lines skipped"] == FILES[kind].count(b"\n") - 1


def test_sales_ask_for_forecasts_at_once(actor):
    brought_in(actor, "sales")
    with reading() as session:
        assert session.scalar(select(JobRun.state).where(JobRun.job == "refresh")) == "queued"


def test_opening_stock_and_sales_of_the_past_come_out_alike_in_either_order(actor):
    brought_in(actor, "stock")
    opened = on_hand("A1")
    done = brought_in(actor, "sales")
    assert done.counts["sales"] > 0
    assert on_hand("A1") == opened  # counted after those sales, so they are not taken off it again


def test_a_file_with_errors_is_applied_only_without_exactly_that_many_lines(actor):
    uid = uploaded(actor, "products", PRODUCTS + b"C3,,,abc,1,400\nD4,Bell,,1,2,3\n")
    work_off()
    checked = check(actor, uid)
    assert (checked.state, checked.error_lines) == ("checked", 1)
    for agreed in (None, 0, 2):
        with pytest.raises(RuleBroken, match=r"1 line has errors.*exactly these 1"), transaction() as session:
            uploads.apply(session, actor, uid, without_errors=agreed, now=now())
    assert apply(actor, uid, without_errors=1).state == "applied"
    with reading() as session:
        assert set(session.scalars(select(Product.sku))) == {"A1", "B2", "D4"}
        found, total = uploads.issues(session, actor, uid, kind="error")
    assert total == 2
    assert list(found["message"]) == [
        "400 is not a whole number of days from 0 to 365.",
        "'abc' is not a number.",
    ]


def test_other_errors_than_were_agreed_to_refuse_the_whole_file(actor):
    uid = uploaded(actor, "products", b"sku,name,barcode\nA1,Lamp,X-1\n")
    work_off()
    check(actor, uid)
    with transaction() as session:
        session.add(Barcode(product_id=a_product(session).id, code="X-1"))
    refused = apply(actor, uid)
    assert (refused.state, refused.error_lines) == ("refused", 1)
    assert refused.problem == "Nothing was imported: by now 1 line has an error. Check the file again."
    assert counted()["product"] == 1
    assert check(actor, uid).state == "checked"


def test_reading_with_another_delimiter_or_sheet_starts_over(actor):
    uid = uploaded(actor, "stock", saved([["nothing"], ["here"]]), "stock.xlsx")
    work_off()
    assert seen(actor, uid).state == "read"
    transact(lambda s: uploads.read_again(s, actor, uid, options={"sheet": "Other"}, now=now()))
    work_off()
    failed = seen(actor, uid)
    assert (failed.state, failed.columns) == ("failed", [])
    assert failed.problem == "'stock.xlsx': there is no sheet 'Other'; there are 'Sheet'."
    transact(lambda s: uploads.read_again(s, actor, uid, options={"sheet": None}, now=now()))
    work_off()
    assert seen(actor, uid).state == "read"


# -- Twice, together, and taken back -------------------------------------------------------------------------


def test_a_double_click_on_apply_books_once(actor):
    uid = uploaded(actor, "stock")
    work_off()
    check(actor, uid)
    with ThreadPoolExecutor(8) as people:
        clicks = [
            people.submit(transact, lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
            for _ in range(8)
        ]
        assert [click.exception() for click in clicks] == [None] * 8
    assert work_off() == 1
    assert on_hand("A1") == 10
    with pytest.raises(RuleBroken, match="it is applied"), transaction() as session:
        uploads.apply(session, actor, uid, without_errors=None, now=now())


def test_two_people_with_the_same_file_book_it_once(actor):
    with transaction() as session:
        other = an_actor(session, "admin")
    files = [(who, uploaded(who, "sales")) for who in (actor, other)]
    work_off()
    for who, uid in files:
        check(who, uid)
    for who, uid in files:
        transact(lambda s, who=who, uid=uid: uploads.apply(s, who, uid, without_errors=None, now=now()))
    claims = [claimed(), claimed()]
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work.do, claims))
    states = sorted(seen(who, uid).state for who, uid in files)
    assert states in (["applied", "applied"], ["applied", "checked"])
    for who, uid in files:
        if seen(who, uid).state == "checked":
            assert seen(who, uid).problem.startswith("Another import is under way")
            apply(who, uid)
    with reading() as session:
        assert session.scalar(select(func.count()).where(Movement.reason_code == "sale")) == 2


def test_a_discarded_file_is_gone_and_its_waiting_run_cancelled(actor):
    uid = uploaded(actor, "stock")
    transact(lambda s: uploads.discard(s, actor, uid, now()))
    assert work_off() == 0
    gone = seen(actor, uid)
    assert (gone.state, gone.queued) == ("discarded", False)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportFile)) == 0
        assert session.scalar(select(JobRun.state)) == "cancelled"
    transact(lambda s: uploads.discard(s, actor, uid, now()))
    with pytest.raises(RuleBroken), transaction() as session:
        uploads.check(session, actor, uid, mapping={}, options={}, now=now())


def test_discarding_while_it_is_being_applied_leaves_nothing_behind(actor, monkeypatch):
    uid = uploaded(actor, "stock")
    work_off()
    check(actor, uid)
    transact(lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
    before = counted()
    last = imports.import_steps.was_applied

    def discarded_at_the_last_moment(*arguments):
        transact(lambda s: uploads.discard(s, actor, uid, now()))
        last(*arguments)

    monkeypatch.setattr(imports.import_steps, "was_applied", discarded_at_the_last_moment)
    work_off()
    assert seen(actor, uid).state == "discarded"
    assert counted() == before
    with reading() as session:
        assert session.scalars(select(JobRun.state).order_by(JobRun.id.desc())).first() == "cancelled"


def test_a_run_that_was_given_to_another_writes_nothing(actor):
    uid = uploaded(actor, "stock")
    work_off()
    check(actor, uid)
    transact(lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
    slow = claimed()
    transact(lambda s: job_runs.reap(s, now() + 2 * job_runs.LEASE))
    work.do(slow)
    assert counted()["movement"] == 0
    work_off()
    assert seen(actor, uid).state == "applied"
    assert on_hand("A1") == 10


def test_whoever_may_not_import_any_more_applies_nothing(actor):
    uid = uploaded(actor, "stock")
    work_off()
    check(actor, uid)
    transact(lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
    with transaction() as session:
        session.get_one(Person, actor.id).is_active = False
        chief = an_actor(session, "admin")
    work_off()
    back = seen(chief, uid)
    assert back.state == "checked"
    assert "is not active any more" in back.problem
    assert counted()["movement"] == 0


# -- Never stuck ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "back"), [(0, "failed"), (1, "read"), (2, "checked")], ids=["reading", "checking", "applying"]
)
def test_a_step_whose_run_failed_is_not_stuck(actor, steps, back):
    uid = uploaded(actor, "stock")
    if steps:
        work_off()
        shown = seen(actor, uid)
        transact(lambda s: uploads.check(s, actor, uid, mapping=shown.mapping, options={}, now=now()))
    if steps == 2:
        work_off()
        transact(lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
    claim = claimed()
    transact(lambda s: job_runs.fail(s, claim, now(), "Its process ended with code -9."))
    shown = seen(actor, uid)
    assert shown.state == back
    assert shown.problem.endswith("changed nothing: Its process ended with code -9. Try again.")
    if back == "failed":
        transact(lambda s: uploads.read_again(s, actor, uid, options={}, now=now()))
        work_off()
        assert seen(actor, uid).state == "read"
    elif back == "read":
        assert check(actor, uid).state == "checked"
    else:
        assert apply(actor, uid).state == "applied"
        assert on_hand("A1") == 10


KILLED_LINES = 1500  # enough to be killed in the middle of


@pytest.mark.parametrize("kind", ["sales", "stock"])
def test_killed_at_any_moment_it_is_tried_again_and_applied_once(actor, clone, kind):
    rows = {
        "sales": lambda n: f"{n},S{n % 300},Thing,1,2026-02-{n % 28 + 1:02} 10:00,2.00,\n",
        "stock": lambda n: f"S{n},MAIN,{n % 9 + 1},2,Thing\n",
        "products": lambda n: f"S{n},Thing {n},Deck,1,{n % 7 + 1},7\n",
    }[kind]
    content = (
        FILES[kind][: FILES[kind].index(b"\n") + 1] + "".join(map(rows, range(1, KILLED_LINES + 1))).encode()
    )
    uid = uploaded(actor, kind, content)
    dice, killed = random.Random(kind), 0
    deadline = time.monotonic() + 240
    while (shown := seen(actor, uid)).state != "applied" and time.monotonic() < deadline:
        if shown.state == "failed":
            transact(lambda s: uploads.read_again(s, actor, uid, options={}, now=now()))
        elif shown.state == "read":
            chosen = shown.mapping
            transact(lambda s, m=chosen: uploads.check(s, actor, uid, mapping=m, options={}, now=now()))
        elif shown.state == "checked":
            assert counted()["movement"] == 0
            transact(lambda s: uploads.apply(s, actor, uid, without_errors=None, now=now()))
        claim = claimed()
        child = in_child(claim, clone)
        try:
            # The first tries are killed: one while it still wakes up, others in the middle of their work.
            child.wait(0.3 if not killed else dice.uniform(0.8, 3.5) if killed < 4 else 60)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.wait()
        with transaction() as session:
            job_runs.reap(session, now() + 2 * job_runs.LEASE)
    assert seen(actor, uid).state == "applied"
    assert killed
    made = {"sales": ("sale", KILLED_LINES), "stock": ("opening", KILLED_LINES)}.get(kind)
    with reading() as session:
        if made:
            of_file = select(func.count()).where(Movement.reason_code == made[0])
            assert session.scalar(of_file) == made[1]
        products = session.scalar(select(func.count()).select_from(Product))
        assert products == (300 if kind == "sales" else KILLED_LINES)


def in_child(claim: Claim, database: str) -> subprocess.Popen:
    """The process that the scheduler starts for a run."""
    words = [str(claim.run_id), claim.job, claim.slot.isoformat(), str(claim.fence), str(claim.subject)]
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", "work", *words],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database},
        stderr=subprocess.DEVNULL,
    )


def test_a_file_that_needs_too_much_memory_ends_as_a_sentence(actor, monkeypatch):
    uid = uploaded(actor, "sales")
    limited = imports.table_files.Limits(memory_bytes=40 * 2**20)
    monkeypatch.setattr(imports.table_files.read, "__kwdefaults__", {
        **imports.table_files.read.__kwdefaults__, "limits": limited,
    })  # fmt: skip
    work_off()
    shown = seen(actor, uid)
    assert shown.state == "failed"
    assert "memory" in shown.problem


# -- Hostile files -------------------------------------------------------------------------------------------

# Packed megabytes in a row are one packed file.
ZEROS = gzip.compress(b"0" * 2**20)
LINES = gzip.compress((b"0" * 1023 + b"\n") * 2**10)

HARD = {
    "zip bomb": ("a.xlsx", lambda: a_workbook(" " * 300_000_000), "unpacked the workbook has 286 MB"),
    "gzip bomb": ("a.csv.gz", lambda: gzip.compress(b"a,b\n") + ZEROS * 501, "more than 500 MB"),
    "gzip bomb of short lines": (
        "a.csv.gz", lambda: gzip.compress(b"a,b\n") + LINES * 501, "more than 500 MB",
    ),
    "UTF-16 without a mark": ("a.csv", lambda: "sku,qty\nA,1\n".encode("utf-16-le"), "NUL"),
    "PNG": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture"),
    "PDF": ("a.csv", lambda: b"%PDF-1.7" + bytes(99), "a PDF document"),
    "zip of a csv": ("a.xlsx", lambda: HOSTILE["a zip of something else"][1](), "a zip file, not a workbook"),
} | {
    name: HOSTILE[name]
    for name in (
        "cells A1 and XFD1048576", "one cell at the very end", "sizes that lie", "old .xls",
        "encrypted entries", "65,000 entries", "NUL in a field", "200,000 columns", "unclosed quote",
        "empty", "header only", "two equal headers", "one field of 40 MB",
    )
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_a_hostile_file_ends_as_a_sentence_and_changes_nothing(actor, name):
    file_name, make, said = HARD[name]
    before = counted()
    try:
        uid = uploaded(actor, "products", make(), file_name)
    except BadInput as refused:
        sentence = refused.sentence
    else:
        work_off()
        shown = seen(actor, uid)
        assert (shown.state, shown.columns) == ("failed", [])
        sentence = shown.problem
        with reading() as session:
            assert session.scalar(select(JobRun.state)) == "done"
    assert file_name in sentence
    assert re.search(said, sentence), sentence
    assert "--" not in sentence
    assert counted() == before


def test_utf_16_with_its_mark_is_read(actor):
    done = brought_in(actor, "products", "sku\tname\nA1\tLämpchen\n".encode("utf-16"))
    assert done.counts["products to create"] == 1


def test_formulas_stay_text_and_the_report_is_safe(actor):
    content = b"sku,name,unit cost\n=1+1,=cmd|' /C calc'!A0,@x\nB2,+Rope,1\n"
    uid = uploaded(actor, "products", content)
    work_off()
    check(actor, uid)
    apply(actor, uid, without_errors=1)
    with reading() as session:
        assert session.scalars(select(Product.name)).all() == ["+Rope"]
        lines = uploads.report(session, actor, uid).splitlines()
    assert lines[0] == "line_number,kind,rule,field,value,message"
    assert lines[1].startswith("2,error,unit_cost.wrong,unit_cost,'@x,")
