"""The Import view: every state of a file, what its buttons ask for, and who may see it."""

import uuid
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
import streamlit as st

from core import auth, job_runs
from core.buying import offers
from core.imports import import_fields, uploads
from dashboard import importing, saving
from db.models import Import, ImportIssue, JobRun, Person
from jobs.imports import bring_in
from tests.dashboard.conftest import plain, words
from tests.makers import a_person, a_product, a_vendor, a_warehouse, an_offer, the_warehouse

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HEADERS = {
    "columns": [
        {"header": "Artikel", "examples": ["TEA-100", "[x](http://evil.example)", "MUG"], "guess": "code"},
        {"header": "Menge", "examples": ["2", "1", "-1"], "guess": "quantity"},
        {"header": "Datum", "examples": ["01.11.2026"], "guess": "moment"},
        {"header": "Bemerkung", "examples": [], "guess": None},
    ],
    "lines": 3,
    "facts": {"delimiter": ";"},
}
COUNTS = {"lines read": 6, "sales": 3, "products to create": 2, "lines skipped": 1, "lines with errors": 0}


@pytest.fixture
def a_file(session):
    """`a_file(state="checked")`: an import that stands where a test wants it."""

    def make(state: str = "read", kind: str = "sales", **about) -> Import:
        person = session.scalar(sa.select(Person).limit(1)) or a_person(session)
        values = {
            "actor_id": person.id, "kind": kind, "source": "", "file_name": "till_[1].csv", "file_size": 2048,
            "file_sha256": uuid.uuid4().hex, "headers": HEADERS, "options": import_fields.options(kind, {}),
            "started_at": NOW,
        }  # fmt: skip
        row = Import(state=state, **(values | about))
        session.add(row)
        session.flush()
        session.refresh(row)
        return row

    return make


def an_issue(session, file, line=3, kind="error", **about):
    values = {"rule": f"rule{line}", "field": "quantity", "value": "abc", "message": "'abc' is not a number"}
    session.add(ImportIssue(import_id=file.id, line_number=line, kind=kind, **(values | about)))
    session.flush()


def work(session):
    """What the scheduler would do next."""
    at = datetime.now(UTC)
    bring_in(job_runs.claim(session, "a", ["import"], at))
    session.commit()


def runs(session):
    session.expire_all()
    return session.execute(sa.select(JobRun.job, JobRun.subject, JobRun.state)).all()


def opened(browser, file, role="manager", **address):
    app = browser(role, "imports", id=str(file.uid), **address)
    assert not app.exception
    return app


def button(app, key):
    return app.button(key=key)


def has_button(app, key):
    return any(found.key == key for found in app.button)


def state(session, file):
    session.expire_all()
    return session.scalar(sa.select(Import.state).where(Import.id == file.id))


# -- Choosing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(importing.KINDS))
def test_every_header_of_a_template_is_known(browser, session, kind):
    place = the_warehouse(session)
    browser("viewer")
    frame = importing.template(kind)
    assert set(import_fields.guess(kind, list(frame.columns))) == set(import_fields.names(kind))
    assert len(frame) == 2
    if "Warehouse" in frame:
        assert set(frame["Warehouse"]) == {place.code}


@pytest.mark.parametrize("kind", list(importing.KINDS))
def test_a_template_goes_through_the_check_as_it_is(browser, session, kind):
    the_warehouse(session)
    a_product(session, sku="TEA-100")  # the only kind that makes none is that of prices
    app = browser("manager", "imports", kind=kind, vendor=str(a_vendor(session).uid))
    app.file_uploader[0].upload(f"{kind}.csv", saving.as_csv(importing.template(kind)), "text/csv").run()
    button(app, "upload").click().run()
    work(session)
    app.run()
    button(app, "check").click().run()
    work(session)
    app.run()
    assert not app.exception
    assert not app.error
    assert {metric.label: metric.value for metric in app.metric}["Lines with errors"] == "0"
    assert has_button(app, "apply")


def test_a_price_list_belongs_to_the_vendor_that_was_chosen(browser, session):
    the_warehouse(session)
    vendor, product = a_vendor(session, name="Nord"), a_product(session, sku="TEA-100", name="Green tea")
    an_offer(session, product, vendor)
    app = browser("manager", "imports", kind="prices")
    assert app.selectbox[0].options == ["A column of the file says so", "Nord"]
    app.selectbox[0].select(str(vendor.uid))
    app.file_uploader[0].upload("prices.csv", b"SKU,Price\nTEA-100,3.00\n", "text/csv").run()
    button(app, "upload").click().run()
    work(session)
    app.run()
    assert next(box for box in app.selectbox if box.label == "Vendor").value == str(vendor.uid)
    button(app, "check").click().run()
    work(session)
    app.run()
    assert not app.error
    assert "+50.0 %" in str(app.dataframe[0].value.iloc[0].to_dict())
    button(app, "apply").click().run()
    work(session)
    app.run()
    assert state(session, session.scalars(sa.select(Import)).one()) == "applied"
    assert [o.steps[0][1] for o in offers.current(session, [product.id], datetime.now(UTC).date())] == [3]


@pytest.mark.usefixtures("session")
def test_without_vendors_a_price_list_has_to_wait(browser):
    app = browser("manager", "imports", kind="prices")
    assert "The shop has no vendor yet." in words(app)


def test_a_file_is_kept_once_and_its_page_opens(browser, session):
    app = browser("manager", "imports")
    assert not app.exception
    assert button(app, "upload").disabled
    app.file_uploader[0].upload("sales.csv", b"sku,qty,date\nA,1,2026-11-02\n", "text/csv").run()
    app.radio[0].set_value("stock").run()
    button(app, "upload").click().run()
    assert not app.exception
    file = session.scalars(sa.select(Import)).one()
    assert (file.kind, file.file_name, file.state) == ("stock", "sales.csv", "uploaded")
    assert app.query_params["id"] == str(file.uid)
    assert runs(session) == [("import", str(file.uid), "queued")]
    assert "No scheduler runs, so this waits" in app.warning[0].value


def test_a_double_click_keeps_the_file_once(browser, session):
    app = browser("manager", "imports")
    form = app.session_state["import_desk"]["form"]
    app.file_uploader[0].upload("sales.csv", b"sku,qty\nA,1\n", "text/csv").run()
    button(app, "upload").click().run()
    # The second click still carries the form of the first.
    assert app.session_state["import_desk"]["form"] != form
    assert session.scalar(sa.select(sa.func.count()).select_from(Import)) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.csv", b""), ("some.csv", b"%PDF-1.7 ..."), ("pic.csv", b"\x89PNG\r\n\x1a\n0000")],
)
def test_what_is_no_table_is_refused_beside_the_button(browser, session, name, content):
    app = browser("manager", "imports")
    app.file_uploader[0].upload(name, content, "text/csv").run()
    button(app, "upload").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert name in plain(app.error[0].value)
    assert session.scalar(sa.select(sa.func.count()).select_from(Import)) == 0


def test_the_address_can_choose_the_kind(browser):
    assert browser("manager", "imports", kind="stock").radio[0].value == "stock"
    app = browser("manager", "imports", kind="<b>")
    assert app.radio[0].value == "sales"
    assert "there is no" in plain(app.error[0].value)


@pytest.mark.parametrize("wanted", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_file_is_one_sentence_and_the_list(browser, wanted):
    app = browser("manager", "imports", id=wanted)
    assert not app.exception
    assert len(app.error) == 1
    assert app.radio


# -- Columns -------------------------------------------------------------------------------------------------


def test_columns_are_guessed_and_show_what_they_hold(browser, a_file):
    app = opened(browser, a_file())
    chosen = {box.label: box.value for box in app.selectbox}
    assert (chosen["Product code"], chosen["Quantity"], chosen["Date"]) == ("Artikel", "Menge", "Datum")
    assert chosen["Document"] == ""
    assert "TEA-100" in plain(words(app))
    assert "[x](http://evil" not in words(app)  # nothing typed becomes a link
    assert words(app).count(":gray-badge[needed]") == 3


def test_check_remembers_what_is_on_screen(browser, session, a_file):
    a_warehouse(session, "MAIN")
    a_warehouse(session, "B2")
    file = a_file()
    app = opened(browser, file)
    boxes = {box.label: box for box in app.selectbox}
    boxes["Description"].set_value("Bemerkung")
    boxes["Warehouse"]  # two of them: the column and the option
    app.selectbox(key=f"option_{file.uid}_warehouse").set_value("B2")
    app.selectbox(key=f"option_{file.uid}_date_format").set_value("dmy")
    app.text_input(key=f"option_{file.uid}_non_product_codes").set_value("POST, FEE")
    app.checkbox(key=f"option_{file.uid}_counted_corrections").set_value(True)
    app.run()
    button(app, "check").click().run()
    assert not app.exception
    assert not app.error
    assert state(session, file) == "checking"
    row = session.get(Import, file.id)
    assert row.column_map == {
        "code": "Artikel", "quantity": "Menge", "moment": "Datum", "description": "Bemerkung",
    }  # fmt: skip
    assert row.options["warehouse"] == "B2"
    assert row.options["date_format"] == "dmy"
    assert row.options["non_product_codes"] == ["POST", "FEE"]
    assert row.options["counted_corrections"] is True
    assert row.options["decimal"] is None
    assert runs(session) == [("import", str(file.uid), "queued")]


@pytest.mark.parametrize(
    ("field", "header", "sentence"),
    [("quantity", "", "Choose the column that holds the Quantity"),
     ("quantity", "Artikel", "'Artikel' is chosen for Product code and Quantity")],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_refused_beside_the_button(
    browser, session, a_file, field, header, sentence
):
    file = a_file()
    app = opened(browser, file)
    app.selectbox(key=f"column_{file.uid}_{field}").set_value(header)
    button(app, "check").click().run()
    assert sentence in plain(app.error[0].value)
    assert state(session, file) == "read"
    assert runs(session) == []


def test_another_encoding_reads_the_file_again(browser, session, a_file):
    file = a_file("failed", problem="till.csv: line 3 is not UTF-8.")
    app = opened(browser, file)
    assert "is not UTF-8" in plain(app.error[0].value)
    app.selectbox(key=f"option_{file.uid}_encoding").set_value("cp1252")
    button(app, "read_again").click().run()
    assert not app.exception
    assert state(session, file) == "reading"
    assert session.get(Import, file.id).options["encoding"] == "cp1252"


# -- Waiting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "said"),
    [("uploaded", "Reading the file"), ("checking", "Checking every line"), ("applying", "Importing")],
)
def test_a_step_that_is_under_way_shows_how_far_it_is(browser, session, a_file, where, said):
    file = a_file(where)
    at = datetime.now(UTC)
    job_runs.alive(session, "a", at)
    actor = auth.system_actor(session)
    job_runs.request(session, actor, "import", at, subject=str(file.uid), right="read")
    app = opened(browser, file)
    assert app.get("progress")[0].proto.text == f"{said}: waits for a worker"
    job_runs.beat(session, job_runs.claim(session, "a", ["import"], at), at, 1, 4)
    app = opened(browser, file)
    assert app.get("progress")[0].proto.text == f"{said}: step 2 of 4"
    assert app.get("progress")[0].proto.value == 25
    button(app, "discard").click().run()
    assert state(session, file) == "discarded"
    assert "it changed nothing" in plain(words(app))


# -- Deciding ------------------------------------------------------------------------------------------------


def test_what_would_happen_is_figures_period_and_a_button_that_says_it(browser, session, a_file):
    file = a_file(
        "checked", counts=COUNTS | {"sales": 428_746}, first_on=date(2026, 9, 1), last_on=date(2026, 11, 2),
        preview=[{"warehouse": None, "code": "TEA", "line": 2, "day": "2026-09-01", "quantity": "3"}],
    )  # fmt: skip
    an_issue(session, file, kind="skipped", message="no product: postage", field=None, value="POST")
    app = opened(browser, file)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Sales"] == "428,746"
    assert figures["Products to create"] == "2"
    assert figures["Lines skipped"] == "1"
    assert "1 Sept – 2 Nov · 6 lines read" in plain(words(app))
    assert app.dataframe[0].value.to_dict("records") == [
        {"Line": "2", "Day": "2026-09-01", "Document": "", "Code": "TEA", "Quantity": "3", "Warehouse": ""}
    ]
    assert button(app, "apply").label == "Book 428,746 sales"
    button(app, "apply").click().run()
    assert not app.exception
    assert state(session, file) == "applying"
    assert session.get(Import, file.id).options["without_errors"] is None


@pytest.mark.parametrize(
    ("kind", "counts", "label"),
    [
        ("sales", {"sales": 1, "returns": 2}, "Book 1 sale and 2 returns"),
        (
            "stock",
            {"shelves to open": 3, "shelves counted": 1, "products to create": 3},
            "Book stock on 4 shelves",
        ),
        ("stock", {"unit costs to change": 3}, "Import 3 unit costs to change"),
        ("products", {"products to create": 1, "products to change": 12}, "Add 1 and change 12 products"),
        ("products", {"products to change": 1}, "Change 1 product"),
        ("products", {"barcodes to add": 2}, "Import 2 barcodes to add"),
        ("products", {"products to create": 9, "lines with errors": 1}, "Import without this line"),
    ],
)
def test_the_button_says_what_it_does(browser, a_file, kind, counts, label):
    app = opened(browser, a_file("checked", kind, counts=counts))
    assert button(app, "apply").label == label


def test_errors_are_listed_and_left_out_only_by_their_number(browser, session, a_file):
    file = a_file("checked", counts=COUNTS | {"lines with errors": 2})
    an_issue(session, file, 3)
    an_issue(session, file, 5, value="=1+1")
    an_issue(session, file, 6, kind="skipped", field=None, message="postage")
    app = opened(browser, file)
    assert "2 lines have errors" in plain(words(app))
    table = app.dataframe[0].value
    assert table.Line.tolist() == ["3", "5", "6"]
    assert table.Field.tolist() == ["Quantity", "Quantity", ""]
    assert "'abc' is not a number" in table.What.tolist()
    assert button(app, "apply").label == "Import without these 2 lines"
    button(app, "apply").click().run()
    assert state(session, file) == "applying"
    assert session.get(Import, file.id).options["without_errors"] == 2


def test_issues_can_be_narrowed_to_a_kind_and_paged(browser, session, a_file):
    file = a_file("checked", counts=COUNTS | {"lines with errors": 60})
    for line in range(1, 61):
        an_issue(session, file, line)
    an_issue(session, file, 61, kind="note")
    app = opened(browser, file, page="2")
    assert app.dataframe[0].value.Line.tolist() == [str(line) for line in range(51, 62)]
    app = opened(browser, file, said="note")
    assert app.dataframe[0].value.Line.tolist() == ["61"]
    app = opened(browser, file, said="change")
    assert "No line is of this kind" in plain(words(app))
    app = opened(browser, file, said="nonsense", page="-3")
    assert len(app.error) == 2


def test_a_file_that_changes_nothing_has_no_button_to_apply(browser, a_file):
    file = a_file("checked", counts={"lines read": 3, "lines skipped": 3, "lines with errors": 0})
    app = opened(browser, file)
    assert "Nothing to import" in plain(words(app))
    assert not has_button(app, "apply")


def test_columns_can_be_chosen_again_after_the_check(browser, session, a_file):
    file = a_file(
        "checked", counts=COUNTS, column_map={"code": "Artikel", "quantity": "Menge", "moment": "Datum"}
    )
    app = opened(browser, file)
    button(app, "columns_again").click().run()
    assert app.query_params["step"] == "columns"
    button(app, "check").click().run()
    assert not app.exception
    assert state(session, file) == "checking"
    assert "step" not in app.query_params


def test_a_refused_file_says_why_and_is_checked_again(browser, session, a_file):
    file = a_file("refused", counts=COUNTS | {"lines with errors": 1}, problem="Other errors than agreed to.")
    an_issue(session, file)
    app = opened(browser, file)
    assert "Other errors than agreed to" in plain(app.error[0].value)
    assert not has_button(app, "apply")
    button(app, "check").click().run()
    assert not app.error
    assert state(session, file) == "checking"


def test_a_step_whose_worker_died_stands_where_it_was_with_a_sentence(browser, a_file):
    file = a_file("checking", counts={})
    app = opened(browser, file)
    assert "ended early and changed nothing" in plain(app.error[0].value)
    assert has_button(app, "check")


# -- Done ----------------------------------------------------------------------------------------------------


def test_what_was_imported_and_what_is_next(browser, session, a_file):
    file = a_file("applied", counts=COUNTS, finished_at=NOW)
    app = opened(browser, file)
    assert "**Imported**" in words(app)
    assert {metric.label for metric in app.metric} >= {"Sales", "Products created"}
    button(app, "train").click().run()
    assert not app.exception
    assert ("train", None, "queued") in runs(session)
    assert not has_button(app, "train")


def test_one_of_a_kind_is_said_as_one(browser, a_file):
    counts = {"lines read": 1, "sales": 1, "receipts reconstructed": 1, "shelves counted": 1}
    app = opened(browser, a_file("applied", counts=counts, finished_at=NOW))
    assert "1 line read · 1 shelf counted · 1 receipt reconstructed" in plain(words(app))


def test_a_later_file_is_not_told_the_training_of_an_earlier_one(browser, session, a_file):
    first, later = (a_file("applied", counts=COUNTS, finished_at=NOW) for _ in range(2))
    app = opened(browser, first)
    button(app, "train").click().run()
    now = datetime.now(UTC)
    job_runs.finish(session, job_runs.claim(session, "a", ["train"], now), now, {"ok": 3})
    session.commit()
    app.run()
    assert "products have their run-out date" in plain(words(app))
    app.query_params["id"] = str(later.uid)
    app.run()
    assert "run-out date." not in plain(words(app))
    assert has_button(app, "train")


def test_after_a_product_list_comes_stock(browser, a_file):
    file = a_file("applied", "products", counts={"lines read": 2, "products to create": 2}, finished_at=NOW)
    app = opened(browser, file)
    assert not has_button(app, "train")
    button(app, "next_stock").click().run()
    assert not app.exception
    assert app.radio[0].value == "stock"


def test_a_discarded_file_says_that_it_changed_nothing(browser, a_file):
    app = opened(browser, a_file("discarded", finished_at=NOW))
    assert "it changed nothing" in plain(words(app))
    button(app, "help").click().run()
    assert app.radio


def test_the_last_files_are_listed_newest_first(browser, a_file):
    a_file("applied", counts=COUNTS, finished_at=NOW, file_name="first.csv")
    a_file("checked", "stock", counts={"lines with errors": 3}, file_name="second.xlsx")
    app = browser("manager", "imports")
    table = app.dataframe[0].value
    assert table.File.tolist() == ["second.xlsx", "first.csv"]
    assert table.State.tolist() == ["To decide", "Imported"]
    assert table.Result.tolist() == ["", "3 sales, 2 products created"]
    assert table.Errors.tolist() == ["3", ""]


# -- Who -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_import_does_not_find_the_view(browser, role):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        browser(role, "imports")


def test_somebody_demoted_meanwhile_is_refused_by_the_next_click(browser, session, a_file, monkeypatch):
    file = a_file("checked", counts=COUNTS)
    app = opened(browser, file)
    monkeypatch.setitem(auth.RIGHTS, "import", "admin")
    button(app, "apply").click().run()
    assert not app.exception
    assert state(session, file) == "checked"
    assert runs(session) == []


def test_the_limit_on_screen_is_the_one_that_holds():
    assert st.config.get_option("server.maxUploadSize") * 2**20 >= uploads.MOST_BYTES
