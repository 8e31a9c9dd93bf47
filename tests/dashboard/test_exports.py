"""Exports: the table, its filters in the address, how many rows, and what becomes of a press."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, downloads
from core.datasets import as_xlsx, listing, writing
from dashboard import saving
from db.models import AuditLine, DownloadFile, DownloadTicket, Person
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.makers import a_product, a_warehouse, the_warehouse


@pytest.fixture
def shop(session):
    the_warehouse(session)
    a_warehouse(session, "FAR")
    a_product(session, 3, sku="LAMP", category="Light", stock_at=datetime.now(UTC) - timedelta(days=60))
    a_product(session, 4, sku="ROPE", category="Deck")


def told(app):
    assert not app.exception
    return plain(words(app))


def ticket(app, key="export"):
    return app.session_state["desks"][f"saving {key}"].get("ticket")


def take(session, app, key="export"):
    """What the browser does: fetch the link with its cookie."""
    token = app.session_state["sign_in"]["token"]
    brought = downloads.take(session, ticket(app, key).token, token, datetime.now(UTC))
    session.commit()
    return brought


def test_an_empty_shop_has_nothing_to_take_along_and_says_so_for_every_table(browser, session):
    the_warehouse(session)
    app = browser("viewer", "exports")
    assert "Nothing has moved yet." in told(app)
    for name, table in listing.TABLES.items():
        app.selectbox(key="exports_table").select(name).run()
        expected = "Nothing has moved yet." if name == "ledger" else "This table has no rows yet."
        assert expected in told(app), table.title
        assert not [button for button in app.button if button.label.startswith("Download")]


def test_rows_are_counted_beforehand_and_each_table_has_the_filters_it_knows(browser, shop):  # noqa: ARG001
    app = browser("viewer", "exports", table="ledger", category="Light")
    assert "1 :gray[row]" in told(app)
    app = browser("viewer", "exports", days="30")
    assert "1 :gray[row]" in told(app)
    assert {box.label for box in app.selectbox} == {"Table", "Period", "Warehouse", "Category"}
    app.selectbox(key="exports_table").select("prices").run()
    assert dict(app.query_params) == {"table": "prices"}  # it knows no period
    assert {box.label for box in app.selectbox} == {"Table", "Category"}
    app = browser("viewer", "exports", category="Light", warehouse="FAR")
    assert "No row fits these filters." in told(app)
    press(app, "Clear the filters")
    assert "2 :gray[rows]" in told(app)
    app = browser("viewer", "exports", table="people")
    assert "there is no 'people'" in app.error[0].value.replace("\\", "")


def test_a_press_makes_a_ticket_for_this_sign_in_and_the_page_learns_that_it_was_used(browser, session, shop):  # noqa: ARG001
    app = press(browser("viewer", "exports", table="products"), "Download CSV")
    assert ticket(app).rows == 2
    brought = take(session, app)
    app.run()
    assert ticket(app) is None
    assert f":material/check: {brought.file_name}: 2 rows" in told(app)
    app = press(app, "Download Excel")
    session.execute(sa.update(DownloadTicket).values(expires_at=datetime.now(UTC)))
    app.run()
    assert "The link has expired. Press the button for a new one." in told(app)


def test_a_link_that_nobody_followed_is_shown_with_its_reason(browser, session, shop, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv("API_PORT", "9")  # nobody listens there
    monkeypatch.setattr(saving, "LATE", timedelta(0))
    app = press(browser("viewer", "exports"), "Download Parquet")
    assert "The file comes from the API, which does not run at http://localhost:9." in told(app)
    monkeypatch.setenv("API_PUBLIC_URL", "https://api.shop.example/")
    assert saving.api_address() == "https://api.shop.example"
    app.run()
    assert "The download has not begun by itself." in told(app)


def test_whoever_lost_the_right_gets_no_ticket_and_a_list_s_button_goes_the_same_way(browser, session, shop):  # noqa: ARG001
    app = press(browser("viewer", "movements"), "Download")
    assert session.scalar(sa.select(sa.func.count()).select_from(DownloadFile)) >= 1
    brought = take(session, app, "download")
    assert (brought.media_type, brought.file_name[:17]) == ("text/csv", "runout-movements-")
    line = session.scalars(sa.select(AuditLine).where(AuditLine.action == "downloaded")).all()[-1]
    assert line.after["file"] == brought.file_name
    app = browser("manager", "exports")
    person = session.scalars(sa.select(Person.id).order_by(Person.id.desc()).limit(1)).one()
    session.execute(sa.update(Person).where(Person.id == person).values(is_active=False))
    before = session.scalar(sa.select(sa.func.count()).select_from(DownloadTicket))
    next(button for button in app.button if button.label == "Download CSV").click().run()
    assert not app.exception
    assert session.scalar(sa.select(sa.func.count()).select_from(DownloadTicket)) == before


def test_more_rows_than_excel_holds_leave_the_other_formats(browser, session, shop, monkeypatch):  # noqa: ARG001
    full = writing.Form(**(vars(writing.FORMS["xlsx"]) | {"most_rows": 1}))
    monkeypatch.setitem(writing.FORMS, "xlsx", full)
    app = browser("viewer", "exports")
    assert "Excel holds at most 1 rows and these are 2" in told(app)
    disabled = {button.label: button.disabled for button in app.button if button.label.startswith("Download")}
    assert disabled == {"Download CSV": False, "Download Excel": True, "Download Parquet": False}
    assert as_xlsx.MOST_ROWS == 1_048_575


@pytest.mark.parametrize(
    ("page", "public", "address"),
    [
        ("http://localhost:8501/exports", None, "http://localhost:8000"),
        ("http://192.168.1.7:8501/exports?table=stock", None, "http://192.168.1.7:8000"),
        ("http://[::1]:8501/", None, "http://[::1]:8000"),
        ("https://stock.example.com/exports", "https://stock.example.com", "https://stock.example.com"),
        ("http://localhost:8501/", "https://stock.example.com", "http://localhost:8000"),
        (None, None, "http://localhost:8000"),
    ],
)
def test_the_browser_finds_the_api_beside_the_page_or_behind_the_same_proxy(
    monkeypatch, page, public, address
):
    for name, value in (("PUBLIC_URL", public), ("API_PUBLIC_URL", None), ("API_PORT", None)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    monkeypatch.setattr(type(saving.st.context), "url", property(lambda _: page))
    assert saving.api_address() == address


def test_a_viewer_may_take_every_table_along():
    assert {table.right for table in listing.TABLES.values()} == {"read"}
    assert auth.RIGHTS["read"] == "viewer"
