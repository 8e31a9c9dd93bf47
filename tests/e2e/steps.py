"""What every story in the browser does: sign in, wait until the page is done, look into the database."""

import re

import sqlalchemy as sa
from playwright.sync_api import Page, TimeoutError, expect

from db import session as doors

SIGN_IN_MILLISECONDS = 40_000  # with the whole first page, the first of its process
QUIET_MILLISECONDS = 250  # a click's run has begun by then
LOOK_MILLISECONDS = 50  # by default Playwright looks at each frame, and has it drawn for that
# Streamlit says on its outermost element whether a run is under way.
QUIET = """(milliseconds) => {
    const app = document.querySelector('[data-testid=stApp]');
    if (app?.dataset.testScriptState !== 'notRunning') window.quietSince = undefined;
    else window.quietSince ??= performance.now();
    return performance.now() - window.quietSince >= milliseconds;
}"""
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_kept: dict[tuple[str, str], list] = {}


def sign_in(page: Page, role: str = "manager", path: str = "/") -> None:
    """Open a page as one of the demo's people: by the form once per dashboard, then with its cookie."""
    place = page.request.get("/_stcore/health").url  # the page's address is empty before its first page
    if (place, role) not in _kept:
        sign_in_by_form(page, role, path)
        _kept[place, role] = page.context.cookies()
        return
    page.context.add_cookies(_kept[place, role])
    page.goto(path)
    expect(page.get_by_role("button", name="Sign out")).to_be_attached(timeout=SIGN_IN_MILLISECONDS)
    settled(page)


def sign_in_by_form(page: Page, role: str = "manager", path: str = "/") -> None:
    """A sign-in of its own: for who signs out later, which ends it for every copy of the cookie."""
    page.goto(path)
    page.get_by_label("E-mail").fill(f"{role}@erp.example.com")
    page.get_by_label("Password", exact=True).fill(f"{role}123")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_attached(timeout=SIGN_IN_MILLISECONDS)
    page.wait_for_function("document.cookie.includes('runout_sign_in')")
    settled(page)


def visit(page: Page, path: str) -> None:
    """Open a view to click in it: while it is still being drawn, a click may meet what is drawn anew."""
    page.goto(path)
    settled(page)


def settled(page: Page) -> None:
    """Wait until no run has been under way for a moment."""
    page.evaluate("window.quietSince = undefined")
    page.wait_for_function(QUIET, arg=QUIET_MILLISECONDS, polling=LOOK_MILLISECONDS)


def fits(page: Page) -> None:
    """Nothing on the settled page is wider than the screen."""
    settled(page)
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width


def looking(url: str, question: str, **params):
    """The rows that answer an SQL question."""
    engine = doors.new_engine(url)
    with engine.connect() as connection:
        answer = connection.execute(sa.text(question), params).all()
    engine.dispose()
    return answer


def open_first_row(page: Page) -> None:
    """Click the first row of the list, which is drawn on a canvas: it lies under the header.

    A click on a table that is just being replaced goes nowhere, for people too: they click again.
    """
    for _ in range(4):
        settled(page)
        page.locator(".dvn-scroller:visible").first.click(position={"x": 80, "y": 55})
        try:
            page.wait_for_url(re.compile(r"/product\?id="), timeout=5000)
        except TimeoutError:
            continue
        return
    raise AssertionError("A click on the first row opens no product.")
