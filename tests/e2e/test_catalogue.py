"""A manager adds a product, plans a delivery, receives it and retires the product, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import fits, looking, settled, sign_in

pytestmark = pytest.mark.browser


def fill(page: Page, role: str, name: str, value: str) -> None:
    field = page.get_by_role(role, name=name, exact=True)
    field.fill(value)
    field.press("Tab")
    settled(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settled(page)


def test_a_product_from_its_form_to_its_end(page: Page, demo_shop: str):
    sign_in(page, "manager", "/edit-product")
    expect(page.get_by_role("heading", name="Add product")).to_be_visible()
    fill(page, "textbox", "SKU", "E2E-1")
    fill(page, "textbox", "Name", "Lamp <b>*bold*</b>")
    fill(page, "spinbutton", "On the shelf now", "5")
    press(page, "Add product")
    expect(page.get_by_text("is in the catalogue, 5 on the shelf")).to_be_visible()
    expect(page).to_have_url(re.compile(r"id=[0-9a-f-]{36}"))
    expect(page.get_by_role("heading", name="Edit Lamp <b>*bold*</b>")).to_be_visible()

    fill(page, "spinbutton", "Lead time (days)", "9")
    press(page, "Save")
    expect(page.get_by_text("not set → 9")).to_be_visible()
    fill(page, "spinbutton", "Lead time (days)", "")
    press(page, "Save")
    expect(page.get_by_text("9 → not set")).to_be_visible()
    fill(page, "spinbutton", "Unit cost (EUR)", "-3")
    press(page, "Save")
    expect(page.get_by_test_id("stAlert")).to_contain_text("Unit cost: -3 is not between 0")
    expect(page.get_by_role("spinbutton", name="Unit cost (EUR)")).to_have_value("-3")

    page.get_by_role("link", name="Open the product").click()
    expect(page.get_by_role("heading", name="On order")).to_be_visible()
    press(page, "Add stock on its way")
    fill(page, "spinbutton", "Quantity", "40")
    press(page, "Add")
    press(page, "Receive")
    fill(page, "spinbutton", "Arrived", "15")
    press(page, "Book it in")
    expect(page.locator("strong", has_text="5 → 20")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("20")
    page.get_by_test_id("stButton").get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Undone: 20 → 5")).to_be_visible()
    question = (
        "SELECT e.quantity FROM expected_receipt AS e JOIN product AS p ON p.id = e.product_id"
        " WHERE p.sku = 'E2E-1' AND e.closed_at IS NULL"
    )
    assert [row[0] for row in looking(demo_shop, question)] == [40]

    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("button", name="Deactivate").click()
    press(page, "Deactivate it")
    expect(page.get_by_text("is not sold any more.")).to_be_visible()
    page.get_by_role("link", name="Open the product").click()
    expect(page.get_by_text("what happened stays readable")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/edit-product", "/edit-product?id={}", "/product?id={}", "/warehouses?id=new"]
)
def test_every_form_fits_a_phone(phone: Page, demo_shop: str, path: str):
    uid = looking(demo_shop, "SELECT uid FROM product ORDER BY id LIMIT 1")[0][0]
    sign_in(phone, "admin", path.format(uid))
    phone.get_by_role("heading").first.wait_for()
    fits(phone)


def test_a_bad_address_of_a_form_is_one_sentence(page: Page):
    sign_in(page, "manager", "/edit-product?id=nonsense")
    expect(page.get_by_test_id("stAlert").first).to_contain_text("is not the id of a product")
    page.goto("/warehouses?id=nonsense")
    expect(page.get_by_test_id("stAlert").first).to_contain_text("is not the id of a warehouse")
    expect(page.get_by_test_id("stException")).to_have_count(0)
