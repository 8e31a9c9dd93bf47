"""Files leave by a press, with a link that works once, for a minute, in one browser."""

import csv
import io
import re

import openpyxl
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from db import session as doors
from tests.e2e.conftest import lent, opened
from tests.e2e.steps import DESK, PHONE, fits, looking, sign_in, visit

TICKETS = "/api/v1/downloads/"


def pressed(page: Page, button: str):
    """The file that a press brings."""
    with page.expect_download() as found:
        page.get_by_role("button", name=button, exact=True).click()
    return found.value


def links(page: Page) -> list[str]:
    """Links of tickets that the browser follows from now on."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if TICKETS in request.url else None)
    return seen


def test_a_press_saves_the_file_and_its_link_is_worth_nothing_afterwards(page: Page, demo_shop: str):
    sign_in(page, "viewer", "/exports")
    (count,) = looking(demo_shop, "SELECT count(*) AS movements FROM movement")
    expect(page.get_by_role("heading", name=f"{count.movements:,} rows")).to_be_visible()
    fits(page)
    followed = links(page)
    found = pressed(page, "Download CSV")
    assert re.fullmatch(r"[\w&-]+-ledger-\d{4}-\d\d-\d\d\.csv", found.suggested_filename)
    rows = csv.reader(io.StringIO(found.path().read_text(encoding="utf-8-sig"), newline=""))
    assert sum(1 for _ in rows) == count.movements + 1
    expect(page.get_by_text(f"{found.suggested_filename}: {count.movements:,} rows")).to_be_visible()
    assert page.url.endswith("/exports")
    assert len(followed) == 1
    assert page.request.get(followed[0]).status == 404

    visit(page, "/exports?table=stock")
    found = pressed(page, "Download Excel")
    sheet = openpyxl.load_workbook(io.BytesIO(found.path().read_bytes()), read_only=True).active
    assert next(sheet.iter_rows(values_only=True))[:4] == ("SKU", "Product", "Category", "Warehouse")

    # A list's own button goes the same way.
    visit(page, "/orders")
    found = pressed(page, "Download")
    assert found.suggested_filename.startswith("runout-orders-")
    assert found.path().read_bytes().startswith(b"\xef\xbb\xbfOrder,Vendor,")


def test_a_link_that_waits_is_for_its_own_browser_and_its_own_minute(
    phone: Page, browser, dashboard: str, demo_shop: str
):
    page = phone
    page.route(f"**{TICKETS}*", lambda route: route.abort())  # the browser does not fetch it by itself
    followed = links(page)
    sign_in(page, "manager", "/exports?table=products")
    page.get_by_role("button", name="Download Parquet").click()
    expect(page.get_by_text("The download has not begun by itself.")).to_be_visible()
    shown = page.frame_locator("iframe[title*='saving']").get_by_role("link", name="Save the file")
    expect(shown).to_be_visible()
    assert shown.get_attribute("href") == followed[0]
    assert shown.bounding_box()["height"] >= 44
    fits(page)
    with lent(browser, dashboard, DESK) as other:  # somebody else, with rights
        sign_in(other, "admin")
        assert other.request.get(followed[0]).status == 404
    with opened(browser, dashboard, PHONE) as nobody:
        assert nobody.request.get(followed[0]).status == 401
    mine = page.request.get(followed[0])
    assert (mine.status, mine.body()[:4]) == (200, b"PAR1")
    expect(page.get_by_text("products-20")).to_be_visible()  # the page knows that it was fetched

    page.get_by_role("button", name="Download Parquet").click()
    expect(shown).to_be_visible()
    engine = doors.new_engine(demo_shop)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE download_ticket SET expires_at = now() - interval '1 second'"))
    engine.dispose()
    expect(page.get_by_text("The link has expired. Press the button for a new one.")).to_be_visible()
    assert page.request.get(followed[1]).status == 404
