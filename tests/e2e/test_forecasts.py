"""How good the forecasts are, in a real browser over the demo shop: the page, a scorecard, a phone."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import opened
from tests.e2e.steps import PHONE, fits, open_first_row, settled, sign_in

pytestmark = pytest.mark.browser


def no_error(page: Page) -> None:
    expect(page.get_by_text("Something went wrong")).to_have_count(0)


def test_the_forecasts_page_leads_to_the_scorecard_of_the_worst_product(page: Page):
    sign_in(page, "viewer", "/forecasts")
    expect(page.get_by_role("heading", name="How good are the forecasts?")).to_be_visible()
    expect(
        page.get_by_role("heading", name=re.compile("In a test on the past right|^Right "))
    ).to_be_visible()
    expect(page.get_by_text("Products with a forecast")).to_be_visible()
    expect(page.get_by_role("button", name="Train now")).to_have_count(0)
    no_error(page)
    open_first_row(page)
    expect(page).to_have_url(re.compile(r"/product\?id=.*show=trust"))
    expect(
        page.get_by_role("heading", name=re.compile("simple rule|too little to judge", re.I))
    ).to_be_visible()
    expect(page.get_by_text("Ranges as they were shown")).to_be_visible()
    page.get_by_role("link", name="All forecasts").click()
    expect(page.get_by_role("heading", name="How good are the forecasts?")).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_text("Ranges as they were shown")).to_be_visible()
    no_error(page)


def test_filters_are_in_the_address_together(page: Page):
    sign_in(page, "viewer", "/forecasts?class=lumpy&sort=name")
    heading = page.get_by_role("heading", name=re.compile(r"Where the forecast is worst \d"))
    expect(heading).to_be_visible()
    before = heading.inner_text()
    page.get_by_placeholder("Name or SKU").press_sequentially("bolt")
    expect(heading).not_to_have_text(before)
    expect(page).to_have_url(re.compile("class=lumpy.*q=bolt"))
    no_error(page)


def test_a_section_of_the_product_is_chosen_by_hand_and_kept_in_the_address(page: Page):
    sign_in(page, "viewer", "/products?status=late")
    open_first_row(page)
    sentence = re.compile(r"most likely .*; (in a test on the past|ranges|nobody knows)")
    expect(page.get_by_text(sentence).first).to_be_visible()
    page.get_by_role("radio", name="How good").click()
    expect(page).to_have_url(re.compile("show=trust"))
    expect(page.get_by_text("Ranges as they were shown")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Ranges as they were shown")).to_be_visible()
    no_error(page)


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, dashboard: str):
    with opened(browser, dashboard, PHONE, color_scheme="dark") as page:
        sign_in(page, "viewer", "/forecasts")
        expect(page.get_by_text("Products with a forecast")).to_be_visible()
        expect(page.get_by_text("Trained", exact=True)).to_be_visible()
        fits(page)
        no_error(page)
