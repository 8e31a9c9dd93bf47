"""From advice to the shelf, in a real browser: edited, drafted, sent, half received by scan."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import fits, looking, settled, sign_in, visit
from tests.e2e.test_alerts import run_job

pytestmark = pytest.mark.browser

MOST_SCANS = 40


def to_order(url: str):
    """A product below its threshold that is to be ordered by the piece and has a barcode of one piece."""
    return looking(
        url,
        """SELECT p.uid, p.sku, p.name, a.quantity, b.code, l.quantity AS on_hand, p.reorder_threshold,
                  w.code AS place, r.p50_on, greatest(o.minimum_order_quantity, 1) AS minimum
           FROM advice AS a
           JOIN advice_run AS run ON run.id = a.run_id AND run.is_current
           JOIN product AS p ON p.id = a.product_id
           JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
           JOIN vendor_offer AS o ON o.id = a.offer_id AND o.order_multiple IS NULL
           JOIN barcode AS b ON b.product_id = p.id AND b.pack_factor = 1
           JOIN warehouse AS w ON w.id = a.warehouse_id
           JOIN stock_level AS l ON l.product_id = p.id AND l.warehouse_id = w.id
           WHERE a.action = 'order' AND r.status IN ('out', 'late') AND a.quantity < :most
             AND l.quantity = (SELECT sum(quantity) FROM stock_level WHERE product_id = p.id)
             AND p.reorder_threshold - l.quantity BETWEEN 1 AND :most - 2
             AND NOT EXISTS (SELECT FROM expected_receipt AS e
                             WHERE e.product_id = p.id AND e.closed_at IS NULL)
             AND EXISTS (SELECT FROM alert AS t WHERE t.product_id = p.id AND t.type = 'low_stock'
                         AND t.state = 'active')
           ORDER BY p.sku LIMIT 1""",
        most=MOST_SCANS,
    )[0]


def kept(url: str, sku: str):
    """What the database knows of it: on hand, on its way, run-out, open alerts, what orders booked."""
    return looking(
        url,
        """SELECT (SELECT sum(quantity) FROM stock_level WHERE product_id = p.id) AS on_hand,
                  (SELECT sum(quantity) FROM expected_receipt
                   WHERE product_id = p.id AND closed_at IS NULL) AS coming,
                  r.p50_on, r.status,
                  (SELECT count(*) FROM alert WHERE product_id = p.id AND type = 'low_stock'
                   AND state <> 'resolved') AS alerts,
                  (SELECT count(*) FROM movement WHERE product_id = p.id AND reference_type = 'purchase order'
                   AND occurred_at > now() - interval '1 hour') AS booked
           FROM product AS p JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
           WHERE p.sku = :sku""",
        sku=sku,
    )[0]


def fill(page: Page, label: str, value: Decimal) -> None:
    field = page.get_by_label(label)
    field.fill(f"{value:.0f}")
    field.press("Enter")
    settled(page)


def test_advice_is_edited_drafted_sent_and_half_received_by_scan(page: Page, demo_shop: str):
    run_job(demo_shop, "alerts")
    run_job(demo_shop, "advice")
    wanted = to_order(demo_shop)
    short = wanted.reorder_threshold - wanted.on_hand + 1  # what lifts it over its threshold
    half = max(short, -(-max(wanted.quantity + 1, wanted.minimum) // 2))
    before = kept(demo_shop, wanted.sku)
    assert (before.coming, before.alerts) == (None, 1)

    # Advice -> edit -> draft.
    sign_in(page, path=f"/reorder?q={wanted.sku}")
    fill(page, f"Order of {wanted.name}", 2 * half)
    page.get_by_role("button", name="Create 1 draft order").dblclick()
    link = page.locator(".st-key-drafted").get_by_role("link")
    expect(link).to_have_count(1)
    number = re.search(r"PO-\d{4}-\d+", link.inner_text()).group()
    link.click()
    expect(page.get_by_role("heading", name=re.compile(number))).to_be_visible()
    expect(page.get_by_label(f"Quantity of {wanted.sku}")).to_have_value(f"{2 * half:.0f}")
    assert kept(demo_shop, wanted.sku).coming is None  # a draft is a wish

    # Draft -> sent.
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text(f"our order {number} asks for")).to_be_visible()
    page.get_by_role("button", name="Mark as sent").dblclick()
    expect(page.get_by_text("Sent. It is expected on")).to_be_visible()
    assert kept(demo_shop, wanted.sku).coming == 2 * half
    with page.expect_download() as paper:
        page.get_by_role("button", name="PDF").click()
    assert paper.value.suggested_filename == f"{number}.pdf"
    assert paper.value.path().read_bytes().startswith(b"%PDF")

    # Half of it arrives, counted by somebody who types as fast as a scanner, and as blindly.
    page.get_by_role("button", name="Receive").click()
    page.get_by_text("By scan").click()
    field = page.frame_locator("iframe[title*='scanner']").get_by_label("Scan or type a code")
    expect(field).to_be_focused()
    for code in [*[wanted.code] * int(half), "4006381333930"]:
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Not counted: .*4006381333930"))).to_be_visible()
    expect(page.locator(".st-key-last-scan")).to_contain_text(f"{half:.0f} of {2 * half:.0f}")
    assert kept(demo_shop, wanted.sku).on_hand == before.on_hand
    page.get_by_role("button", name="Book what was scanned").dblclick()
    change = re.compile(rf"{before.on_hand:,.0f} → {before.on_hand + half:,.0f}")
    expect(page.get_by_text(change).first).to_be_visible()
    settled(page)

    # Stock, forecast and alert follow.
    after = kept(demo_shop, wanted.sku)
    assert (after.on_hand, after.coming, after.booked) == (before.on_hand + half, half, 1)
    assert after.p50_on is None or after.p50_on > before.p50_on
    run_job(demo_shop, "auto_resolve")
    assert kept(demo_shop, wanted.sku).alerts == 0
    page.goto(f"/product?id={wanted.uid}")
    expect(page.get_by_role("link", name=number)).to_be_visible()
    page.goto(f"/movements?q={wanted.sku}")
    expect(page.get_by_role("heading", name="Movements", exact=True)).to_be_visible()

    # The delivery was not ours after all: Undo, from where it stands on the order.
    visit(page, "/orders?state=partly_received")
    visit(page, f"/product?id={wanted.uid}")
    page.get_by_role("link", name=number).click()
    page.locator("[class*='st-key-delivery-']").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("on the way again")).to_be_visible()
    settled(page)
    undone = kept(demo_shop, wanted.sku)
    assert (undone.on_hand, undone.coming) == (before.on_hand, 2 * half)


@pytest.mark.parametrize("path", ["/orders", "/order?id=new", "order", "receiving"])
def test_orders_fit_a_phone(phone: Page, demo_shop: str, path: str):
    if "/" not in path:
        uid = looking(demo_shop, "SELECT uid FROM purchase_order WHERE state = 'sent' ORDER BY id LIMIT 1")[
            0
        ][0]
        path = f"/order?id={uid}{'&by=list' if path == 'receiving' else ''}"
    sign_in(phone, "manager", path)
    fits(phone)
