"""From an empty shop to the first run-out date, and opening stock with a bad line, in a real browser."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core import auth
from db import session as doors
from tests.e2e.conftest import opened, serving
from tests.e2e.steps import DESK, PHONE, fits, open_first_row, settled

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "ada@shop.example", "correct horse battery"
WORK_SECONDS = 120  # a child process starts, reads, checks or trains, on a busy machine
SALES = {"TEA-100": ("Green tea 100 g", 3), "MUG-200": ("Mug, white", 2), "POT-300": ("Teapot", 1)}


@pytest.fixture
def shop(make_database) -> Iterator[str]:
    """An empty shop with its first admin, a scheduler and a dashboard; yields the dashboard's address."""
    with make_database() as url:
        engine = doors.new_engine(url)
        doors.bind(engine)
        with doors.transaction() as session:
            auth.create_person(session, email=EMAIL, name="Ada", role="admin", password=PASSWORD)
        doors.bind(None)
        engine.dispose()
        clock = subprocess.Popen(
            [sys.executable, "-m", "jobs", "schedule"], cwd=ROOT, env=os.environ | {"DATABASE_URL": url},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            with serving(url, with_api=True) as address:
                yield address
        finally:
            clock.send_signal(signal.SIGTERM)
            said, _ = clock.communicate(timeout=30)
            assert "Traceback" not in said, said[-4000:]


@pytest.fixture
def page(request, browser, shop: str) -> Iterator[Page]:
    """Worked with at the width that the test asks for; `fits_both` looks at it in the other one too."""
    with opened(browser, shop, request.param) as page:
        page.set_default_timeout(30_000)
        yield page


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_attached(timeout=30_000)
    page.wait_for_function("document.cookie.includes('runout_sign_in')")


def make_warehouse(page: Page) -> None:
    seen(page.get_by_text("Three steps to your first run-out dates"))
    page.get_by_label("Name", exact=True).fill("Shop at the corner")
    page.get_by_role("button", name="Create the warehouse").click()
    seen(page.get_by_text("Shop at the corner"))


def bring(page: Page, kind: str, name: str, content: str) -> None:
    """Choose a file; its page opens when it was read."""
    expect(page.get_by_role("radio", name=kind)).to_be_checked(timeout=30_000)
    settled(page)  # while the page is still drawn, the field that takes the file may be drawn anew
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name=f"Read {kind.lower()}").click()
    seen(page.get_by_role("button", name="Check the file"), WORK_SECONDS)
    expect(page).to_have_url(re.compile(r"/import\?id="), timeout=30_000)


def check(page: Page, button: str) -> None:
    page.get_by_role("button", name="Check the file").click()
    seen(page.get_by_role("button", name=button), WORK_SECONDS)


def seen(locator: Locator, seconds: int = 30) -> None:
    """Playwright's own five seconds are few where three processes share a small machine."""
    expect(locator).to_be_visible(timeout=seconds * 1000)


def fits_both(page: Page) -> None:
    here = page.viewport_size
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        fits(page)
    page.set_viewport_size(here)


def sold_daily(days: int = 75) -> str:
    """Sales of the last days, in a file with headers and dates as a German till writes them."""
    today, lines = datetime.now(UTC).date(), ["Belegnr;Artikelnr;Bezeichnung;Menge;Datum;Preis"]
    for n in range(days, 0, -1):
        day = today - timedelta(days=n)
        for sku, (name, quantity) in SALES.items():
            lines.append(f"R-{n};{sku};{name};{quantity + n % 2};{day:%d.%m.%Y};4,90")
    return "\n".join([*lines, "R-0;PORTO;Porto;1;" + f"{today - timedelta(days=1):%d.%m.%Y};3,00", ""])


@pytest.mark.parametrize("page", [PHONE], ids=["phone"], indirect=True)
def test_an_empty_shop_comes_to_its_first_run_out_date(page: Page):
    sign_in(page)
    make_warehouse(page)
    fits_both(page)
    page.get_by_role("link", name="Bring in past sales").click()
    bring(page, "Sales history", "kasse.csv", sold_daily())
    seen(page.get_by_text("TEA-100 · MUG-200 · POT-300"))
    fits_both(page)
    check(page, "Book 225 sales")
    fits_both(page)

    # The page may be left and found again.
    page.goto("/")
    page.goto("/import")
    seen(page.get_by_role("heading", name="Last imports"))
    page.go_back()
    page.go_back()
    seen(page.get_by_role("button", name="Book 225 sales"))

    page.get_by_role("button", name="Book 225 sales").dblclick()
    seen(page.get_by_text(re.compile("^Imported")), WORK_SECONDS)
    page.get_by_role("button", name="Train now").click()
    seen(page.get_by_text("3 products have their run-out date."), WORK_SECONDS)
    fits_both(page)
    page.get_by_role("link", name="See what runs out").click()
    seen(page.get_by_role("button", name=re.compile("^Late")))
    page.goto("/products")
    seen(page.get_by_role("heading", name="3 products"))
    fits_both(page)


@pytest.mark.parametrize("page", [DESK], ids=["desk"], indirect=True)
def test_opening_stock_with_a_bad_line_is_brought_in_without_it(page: Page):
    sign_in(page)
    make_warehouse(page)
    page.get_by_role("link", name="Bring in opening stock").click()
    stock = (
        "SKU,Name,Quantity,Unit cost\nTEA-100,Green tea,48,2.10\nMUG-200,Mug,abc,3.80\nPOT-300,Teapot,7,\n"
    )
    bring(page, "Opening stock", "shelves.csv", stock)
    check(page, "Import without this line")
    seen(page.get_by_text("1 line has an error"))
    fits_both(page)
    with page.expect_download() as report:
        page.get_by_role("button", name="Download the report").click()
    said = Path(report.value.path()).read_text(encoding="utf-8-sig")
    assert re.search(r"^3,error,.*quantity.*abc", said, re.MULTILINE)
    page.get_by_role("button", name="Import without this line").click()
    seen(page.get_by_text(re.compile("^Imported")), WORK_SECONDS)
    seen(page.get_by_text("Shelves opened"))

    page.goto("/products?q=TEA-100")
    seen(page.get_by_role("heading", name="1 product"))
    open_first_row(page)
    seen(page.get_by_role("heading", name="Green tea"))
    seen(page.get_by_test_id("stMetricValue").filter(has_text=re.compile("^48$")))
