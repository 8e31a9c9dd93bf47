"""What people do, in a real browser, over a demo shop: sign in, look, adjust, undo, sign out."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import fits, looking, open_first_row, settled, sign_in, sign_in_by_form

pytestmark = pytest.mark.browser


def top_of_today(url: str):
    """The product that Today puts first among those with stock, and what it has in the default warehouse."""
    return looking(
        url,
        """SELECT p.uid, p.name, l.quantity FROM run_out AS r
           JOIN product AS p ON p.id = r.product_id
           JOIN stock_level AS l ON l.product_id = p.id
           JOIN warehouse AS w ON w.id = l.warehouse_id AND w.is_default
           WHERE r.warehouse_id IS NULL AND r.status = 'late' AND l.quantity > 3
           ORDER BY r.money_at_risk DESC LIMIT 1""",
    )[0]


def movements(url: str) -> int:
    return looking(url, "SELECT count(*) FROM movement")[0][0]


def test_sign_in_today_open_the_top_product_adjust_and_undo(page: Page, demo_shop: str):
    sign_in_by_form(page)
    expect(page.get_by_role("heading", name="What needs you today")).to_be_visible()
    tile = page.get_by_role("button", name=re.compile(r"^Late"))
    tile.click()
    expect(page).to_have_url(re.compile("status=late"))
    expect(page.get_by_role("heading", name=re.compile(r"^Late \d"))).to_be_visible()
    open_first_row(page)
    expect(page.get_by_text("Adjust stock")).to_be_visible()

    uid, name, quantity = top_of_today(demo_shop)
    page.goto(f"/product?id={uid}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    before = movements(demo_shop)
    change = page.get_by_label("Change (+ or −)")
    change.fill("-2")
    change.press("Enter")
    preview = page.get_by_text(f"{quantity:,.0f} → {quantity - 2:,.0f}")
    expect(preview.first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Book")).dblclick()
    undo = page.get_by_role("button", name="Undo")
    expect(undo.first).to_be_visible()
    settled(page)
    assert movements(demo_shop) == before + 1  # the double click booked once
    undo.first.click()
    expect(page.get_by_text(re.compile("undone|Undone|taken back", re.IGNORECASE)).first).to_be_visible()
    settled(page)
    assert movements(demo_shop) == before + 2
    assert top_of_today(demo_shop)[2] == quantity


def test_too_much_is_one_red_sentence_with_the_figures_and_changes_nothing(page: Page, demo_shop: str):
    uid, _, quantity = top_of_today(demo_shop)
    sign_in(page, "user", f"/product?id={uid}")
    before = movements(demo_shop)
    change = page.get_by_label("Change (+ or −)")
    change.fill(f"-{quantity + 1:.0f}")
    change.press("Enter")
    expect(
        page.get_by_text(re.compile(rf"{quantity + 1:.0f} asked for, {quantity:.0f} on hand"))
    ).to_be_visible()
    expect(page.get_by_role("button", name="Book")).to_be_disabled()
    assert movements(demo_shop) == before


def test_a_reload_and_a_deep_link_keep_the_sign_in(page: Page, demo_shop: str):
    uid, name, _ = top_of_today(demo_shop)
    sign_in_by_form(page, path=f"/product?id={uid}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    other_tab = page.context.new_page()
    other_tab.goto(f"/product?id={uid}")
    expect(other_tab.get_by_role("heading", name=name)).to_be_visible()


def test_sign_out_ends_it_for_a_copied_cookie_too(page: Page, browser, dashboard: str):
    sign_in_by_form(page, "viewer")
    stolen = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    thief = browser.new_context(base_url=dashboard)
    thief.add_cookies(stolen)
    there = thief.new_page()
    there.goto("/products")
    expect(there.get_by_label("E-mail")).to_be_visible()
    thief.close()


@pytest.mark.parametrize("value", ["x", "%00", "a.b.c", "x" * 3000])
def test_a_malformed_cookie_means_signed_out(browser, dashboard: str, value: str):
    context = browser.new_context(base_url=dashboard)
    context.add_cookies([{"name": "runout_sign_in", "value": value, "url": dashboard}])
    page = context.new_page()
    page.goto("/movements")
    expect(page.get_by_label("E-mail")).to_be_visible()
    context.close()


@pytest.mark.parametrize("path", ["/", "/products", "/movements", "product"])
def test_every_view_fits_a_phone(phone: Page, demo_shop: str, path: str):
    if path == "product":
        path = f"/product?id={top_of_today(demo_shop)[0]}"
    sign_in(phone, "user", path)
    phone.get_by_role("heading").first.wait_for()
    fits(phone)


@pytest.mark.parametrize(
    "path",
    [
        "/product?id=nonsense",
        "/product?id=00000000-0000-0000-0000-000000000000",
        "/products?status=lost&page=-4&sort=evil",
        "/movements?since=yesterday&person=x&type=%27%3B--",
    ],
)
def test_a_bad_address_is_one_sentence(page: Page, path: str):
    sign_in(page, "viewer", path)
    settled(page)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
