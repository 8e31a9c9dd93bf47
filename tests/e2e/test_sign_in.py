"""Signing out, roles, deactivation and links in a real browser: each acts on the next click in every tab."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, Page, expect

from core import auth
from db import session as doors
from tests.e2e.conftest import lent, serving
from tests.e2e.steps import DESK, PHONE, fits, settled, visit

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
NEW = "another long one"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def place(make_database) -> Iterator[tuple[str, str]]:
    """Address of a dashboard over a shop with an admin and nothing else, and the URL of its database."""
    with make_database() as url:
        _create(url, "boss@shop.example", "admin")
        with serving(url) as address:
            yield address, url


def name_of(email: str) -> str:
    return email.split("@")[0]


def _create(url: str, email: str, role: str) -> None:
    engine = doors.new_engine(url)
    doors.bind(engine)
    with doors.transaction() as session:
        auth.create_person(session, email=email, name=name_of(email), role=role, password=PASSWORD)
    doors.bind(None)
    engine.dispose()


@pytest.fixture
def somebody(place) -> Callable[[str], str]:
    """`somebody(role)`: the e-mail of a new person."""

    def make(role: str) -> str:
        email = f"{role}{next(_numbers)}@shop.example"
        _create(place[1], email, role)
        return email

    return make


@pytest.fixture
def new_browser(browser, place) -> Iterator[Callable[[], Page]]:
    """`new_browser()`: a page in a browser that knows nobody."""
    expect.set_options(timeout=15_000)
    with ExitStack() as pages:
        yield lambda: pages.enter_context(lent(browser, place[0], DESK))


def sign_in(page: Page, email: str, path: str = "/", password: str = PASSWORD) -> Page:
    page.goto(path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(signing_out(page)).to_be_attached()
    page.wait_for_function("document.cookie.includes('runout_sign_in')")
    return page


def signing_out(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_role("button", name="Sign out", exact=True)


def is_out(page: Page) -> None:
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(signing_out(page)).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def go(page: Page, view: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=view, exact=True).click()


def open_account(boss: Page, email: str) -> None:
    """The admin opens somebody's drawer by keyboard: the first row of a search for them."""
    boss.goto(f"/users?q={email}")
    expect(boss.locator(".dvn-scroller:visible").first).to_be_visible()
    settled(boss)
    boss.get_by_label("Open a row of the table").press("ArrowDown")
    boss.get_by_role("option", name=re.compile(re.escape(email))).click()
    expect(boss.get_by_role("dialog")).to_be_visible()


def demote(boss: Page, email: str, to: str) -> None:
    open_account(boss, email)
    boss.get_by_role("dialog").get_by_role("combobox", name="Role").click()
    boss.get_by_role("option", name=re.compile(f"^{to.title()}:")).click()
    boss.mouse.move(0, 0)  # what it rests on may say what it is for, over the button
    boss.get_by_role("button", name=f"Make them {to}").click()
    expect(boss.get_by_text(f"The role is {to} now")).to_be_visible()


def ask_to_deactivate(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("cannot sign in until")).to_be_visible()


def sure(page: Page) -> Locator:
    """The button that is asked for a second time."""
    return page.get_by_role("dialog").locator("button[kind=primary]")


def deactivate(boss: Page, email: str) -> None:
    open_account(boss, email)
    ask_to_deactivate(boss)
    sure(boss).click()
    expect(boss.get_by_text("Deactivated, and signed out everywhere.")).to_be_visible()


@pytest.fixture(scope="module")
def boss_cookies() -> list:
    return []


@pytest.fixture
def boss(new_browser, boss_cookies: list) -> Page:
    """The admin, signed in by the form once for all tests."""
    page = new_browser()
    if not boss_cookies:
        sign_in(page, "boss@shop.example")
        boss_cookies += page.context.cookies()
    page.context.add_cookies(boss_cookies)
    return page


def test_signing_out_in_one_tab_ends_the_other_at_its_next_click(new_browser, somebody):
    one = sign_in(new_browser(), somebody("manager"))
    other = one.context.new_page()
    other.goto("/movements")
    expect(other.get_by_role("heading", name="Movements")).to_be_visible()
    signing_out(one).click()
    is_out(one)
    go(other, "Products")
    is_out(other)
    other.reload()
    is_out(other)


def test_signing_out_everywhere_else_ends_the_other_browser(new_browser, somebody):
    email = somebody("viewer")
    here, there = sign_in(new_browser(), email), sign_in(new_browser(), email)
    here.get_by_test_id("stSidebar").get_by_role("link", name=name_of(email)).click()
    expect(here.get_by_role("heading", name="Your account")).to_be_visible()
    expect(here.get_by_text("Chrome on Linux")).to_have_count(2)
    settled(here)
    here.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.get_by_text("Signed out everywhere else.")).to_be_visible()
    go(there, "Movements")
    is_out(there)
    go(here, "Movements")
    expect(here.get_by_role("heading", name="Movements")).to_be_visible()


def test_a_new_password_ends_the_other_browser(new_browser, somebody):
    email = somebody("user")
    there = sign_in(new_browser(), email)
    here = sign_in(new_browser(), email, "/account")
    here.get_by_label("Present password").fill(PASSWORD)
    here.get_by_label("New password").fill(NEW)
    here.get_by_label("The new one again").fill(NEW)
    here.get_by_role("button", name="Change the password").click()
    expect(here.get_by_text("every other sign-in has ended")).to_be_visible()
    go(there, "Movements")
    is_out(there)
    sign_in(new_browser(), email, password=NEW)


def test_a_demoted_person_loses_views_at_the_next_click_in_every_tab(new_browser, somebody, boss):
    email = somebody("manager")
    tabs = [sign_in(new_browser(), email, "/warehouses")]
    tabs.append(tabs[0].context.new_page())
    tabs[1].goto("/import")
    expect(tabs[1].get_by_test_id("stSidebarNav").get_by_role("link", name="Import")).to_be_visible()
    demote(boss, email, "viewer")
    for tab in tabs:
        go(tab, "Warehouses")
        expect(tab.get_by_role("heading", name="What needs you today")).to_be_visible()
        expect(tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Warehouses")).to_have_count(0)
        expect(tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Import")).to_have_count(0)


def test_a_deactivated_person_is_out_at_the_next_click_and_cannot_come_back(new_browser, somebody, boss):
    email = somebody("manager")
    tab = sign_in(new_browser(), email, "/products")
    deactivate(boss, email)
    go(tab, "Movements")
    is_out(tab)
    tab.get_by_label("E-mail").fill(email)
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_text("E-mail or password is wrong.")).to_be_visible()


@pytest.mark.parametrize("how", ["demoted", "deactivated", "signed out"])
def test_a_view_that_looks_by_itself_stops_without_a_click(new_browser, somebody, boss, how):
    email = somebody("admin")
    tab = sign_in(new_browser(), email, "/jobs")
    expect(tab.get_by_role("button", name="Run now").first).to_be_visible()
    if how == "demoted":
        demote(boss, email, "manager")
        expect(tab.get_by_role("heading", name="What needs you today")).to_be_visible()
        expect(tab.get_by_role("button", name="Run now")).to_have_count(0)
    elif how == "deactivated":
        deactivate(boss, email)
        is_out(tab)
    else:
        other = tab.context.new_page()
        visit(other, "/products")
        signing_out(other).click()
        is_out(tab)


def test_an_open_drawer_of_somebody_demoted_does_nothing(new_browser, somebody, boss):
    email, victim = somebody("admin"), somebody("user")
    tab = sign_in(new_browser(), email)
    open_account(tab, victim)
    ask_to_deactivate(tab)
    demote(boss, email, "viewer")
    sure(tab).click()
    expect(tab.get_by_role("heading", name="What needs you today")).to_be_visible()
    sign_in(new_browser(), victim)


def test_an_invitation_is_opened_once_and_leaves_the_address(new_browser, boss):
    email = f"new{next(_numbers)}@shop.example"
    visit(boss, "/users")
    boss.get_by_role("button", name="Invite").click()
    drawer = boss.get_by_role("dialog")
    drawer.get_by_label("E-mail").fill(email)
    drawer.get_by_label("Name").fill("New One")
    drawer.get_by_role("button", name="Make the link").click()
    link = drawer.locator("code").inner_text()
    assert re.search(r"^http://127\.0\.0\.1:\d+/\?link=[\w-]{43}$", link)
    boss.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    assert link not in boss.content()

    page = new_browser()
    page.goto(link)
    expect(page.get_by_text(email)).to_be_visible()
    page.wait_for_url(re.compile(r"/$"))
    for password, again in (("short", "short"), (NEW, "something else")):
        page.get_by_label("New password").fill(password)
        page.get_by_label("The same again").fill(again)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_test_id("stAlert")).to_be_visible()
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("The same again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="What needs you today")).to_be_visible()
    page.wait_for_function("document.cookie.includes('runout_sign_in')")
    page.reload()
    expect(page.get_by_role("heading", name="What needs you today")).to_be_visible()

    thief = new_browser()
    thief.goto(link)
    expect(thief.get_by_text("This link does not open anything any more.")).to_be_visible()
    thief.get_by_role("button", name="To the sign-in page").click()
    is_out(thief)


def test_a_link_opened_by_somebody_signed_in_says_whose_it_is(somebody, new_browser):
    email, boss = somebody("user"), sign_in(new_browser(), "boss@shop.example")
    open_account(boss, email)
    boss.get_by_role("button", name="New password link").click()
    link = boss.get_by_role("dialog").locator("code").inner_text()
    boss.goto(link)
    expect(boss.get_by_text(f"This link is for {name_of(email)}")).to_be_visible()
    boss.get_by_role("button", name="Sign out and go on").click()
    expect(boss.get_by_label("New password")).to_be_visible()


@pytest.mark.parametrize("path", ["/users", "/audit", "/account", "/?link=x"])
def test_the_views_of_people_fit_a_phone(boss, path):
    boss.set_viewport_size(PHONE)
    if "link" in path:
        boss.context.clear_cookies()
        boss.goto(path)
        expect(boss.get_by_text("This link does not open anything any more.")).to_be_visible()
    else:
        boss.goto(path)
        boss.get_by_role("heading").first.wait_for()
    fits(boss)
