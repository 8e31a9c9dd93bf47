"""An alert from the shelf and back, in a real browser: raised by an adjust, seen, and over again."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from core import job_runs
from db import session as doors
from jobs import work
from tests.e2e.steps import fits, looking, settled, sign_in, visit

pytestmark = pytest.mark.browser


def a_product_with_enough(url: str):
    """A product above its threshold whose default warehouse holds what is too much: (uid, sku, surplus)."""
    return looking(
        url,
        """SELECT p.uid, p.sku, (SELECT sum(quantity) FROM stock_level WHERE product_id = p.id)
                                 - p.reorder_threshold AS surplus
           FROM product AS p
           JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL AND r.status = 'fine'
           JOIN stock_level AS l ON l.product_id = p.id
           JOIN warehouse AS w ON w.id = l.warehouse_id AND w.is_default
           WHERE p.reorder_threshold >= 4 AND r.daily_rate > 0.1
             AND NOT EXISTS (SELECT FROM alert AS a WHERE a.product_id = p.id AND a.state <> 'resolved')
             AND (SELECT sum(quantity) FROM stock_level WHERE product_id = p.id) - p.reorder_threshold
                 BETWEEN 1 AND l.quantity - 1
           ORDER BY p.id LIMIT 1""",
    )[0]


def book(page: Page, uid, change: str) -> None:
    visit(page, f"/product?id={uid}")
    field = page.get_by_label("Change (+ or −)")
    field.fill(change)
    field.press("Enter")
    page.get_by_role("button", name=re.compile(r"^Book .")).click()
    expect(page.get_by_role("button", name="Undo").first).to_be_visible()
    settled(page)


def answer(page: Page, sentence: str):
    """What became of the last click."""
    return page.locator(".st-key-answer", has_text=sentence).last  # an old one may stand there for a moment


def run_job(url: str, job: str) -> None:
    """What the scheduler does at the job's slot."""
    engine = doors.new_engine(url)
    doors.bind(engine)
    try:
        now = datetime.now(UTC)
        with doors.transaction() as session:
            job_runs.enqueue(session, job, now)
            claimed = job_runs.claim(session, "test", [job], now)
        work.do(claimed)
    finally:
        doors.bind(None)
        engine.dispose()


def test_an_alert_is_raised_by_an_adjust_acknowledged_and_resolves_itself(page: Page, demo_shop: str):
    uid, sku, surplus = a_product_with_enough(demo_shop)
    sign_in(page)
    page.wait_for_function("document.cookie.includes('runout_sign_in')")
    book(page, uid, f"-{surplus:f}")
    card = page.locator("[class*='st-key-alert-']")
    page.goto(f"/alerts?q={sku}&type=low_stock")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("at or below the threshold of")
    expect(card).to_contain_text("since today")

    card.get_by_role("button", name="Acknowledge").dblclick()
    expect(card).to_contain_text("seen by")
    expect(card.get_by_role("button", name="Undo")).to_be_visible()
    expect(card.get_by_role("button", name="Acknowledge")).to_have_count(0)

    book(page, uid, f"{surplus:f}")
    run_job(demo_shop, "auto_resolve")
    page.goto(f"/alerts?q={sku}&type=low_stock")
    expect(page.get_by_text("No alert fits these filters.")).to_be_visible()
    page.goto(f"/alerts?q={sku}&type=low_stock&state=resolved")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("resolved by itself today")
    expect(card).to_contain_text("on hand again, above the threshold of")


def test_snooze_and_resolve_leave_the_list_and_undo_brings_back(page: Page, demo_shop: str):
    run_job(demo_shop, "alerts")
    sign_in(page, path="/alerts")
    card = page.locator("[class*='st-key-alert-']")
    first = card.first.inner_text()
    card.first.get_by_role("button", name="Snooze").click()
    page.get_by_role("button", name="Snooze until that day").click()
    answer(page, "Snoozed until").get_by_role("button", name="Undo").click()
    expect(answer(page, "Taken back")).to_be_visible()
    expect(card.first).to_contain_text(first.splitlines()[1])

    settled(page)
    card.first.get_by_role("button", name="Resolve").click()
    expect(answer(page, "Resolved: quiet until it clears or gets worse.")).to_be_visible()
    answer(page, "Resolved").get_by_role("button", name="Undo").click()
    expect(answer(page, "Taken back")).to_be_visible()
    # The link of a card leads to its product.
    card.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/product\?id="))


def test_a_viewer_on_a_phone_reads_alerts_and_finds_no_buttons(phone: Page, demo_shop: str):
    run_job(demo_shop, "alerts")
    sign_in(phone, "viewer", "/alerts")
    card = phone.locator("[class*='st-key-alert-']")
    expect(card.first).to_be_visible()
    for name in ("Acknowledge", "Snooze", "Resolve"):
        expect(phone.get_by_role("button", name=name)).to_have_count(0)
    fits(phone)
