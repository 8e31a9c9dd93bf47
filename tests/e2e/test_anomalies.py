"""Odd movements in a real browser: repaired in one click, taken back, dismissed; a point of the map."""

import re

import pytest
from playwright.sync_api import Page, expect

from db import session as doors
from db.models import MovementScore
from tests.e2e.steps import fits, looking, settled, sign_in
from tests.makers import a_finding, a_model, a_product

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def slips(demo_shop: str) -> tuple[str, str]:
    """Two findings about a product of their own, both on the map: their uids."""
    engine = doors.new_engine(demo_shop)
    doors.bind(engine)
    try:
        with doors.transaction() as session:
            model = a_model(session, manifest={"clusters": ["small sales", "large sales"]})
            lamp = a_product(session, 5000, sku="SLIP", name="Slipped lamp")
            found = [a_finding(session, lamp, change, model_id=model.id) for change in (-1200, -240)]
            for number, finding in enumerate(found):
                session.add(
                    MovementScore(
                        movement_id=finding.movement_id, model_id=model.id, score=0.9, kind="times_pack",
                        is_anomaly=True, cluster_id=number, x=number, y=number,
                    )
                )  # fmt: skip
            return str(found[0].uid), str(found[1].uid)
    finally:
        doors.bind(None)
        engine.dispose()


def stands(url: str, uid: str) -> tuple[str, str]:
    """State of a finding, and what is on hand of its product."""
    question = """SELECT f.state, trim_scale(l.quantity)::text FROM finding AS f
                  JOIN stock_level AS l USING (product_id, warehouse_id) WHERE f.uid = :uid"""
    return tuple(looking(url, question, uid=uid)[0])


def card(page: Page, uid: str):
    return page.locator(f".st-key-finding-{uid}")


def test_repaired_in_one_click_taken_back_and_dismissed(page: Page, demo_shop: str, slips):
    first, second = slips
    sign_in(page, path="/anomalies?q=SLIP")
    expect(page.get_by_role("heading", name="Most likely errors (2)")).to_be_visible()
    expect(card(page, first)).to_contain_text("1,200 → 100 out")
    expect(card(page, first).locator(".js-plotly-plot .points path").first).to_be_visible()
    settled(page)
    card(page, first).get_by_role("button", name="Repair").dblclick()
    gone = page.locator(f".st-key-gone-{first}")
    expect(gone).to_contain_text("3,560 → 4,660")
    assert stands(demo_shop, first) == ("accepted", "4660")
    settled(page)
    gone.get_by_role("button", name="Undo").click()
    expect(card(page, first)).to_contain_text("Taken back, it is to be decided again")
    assert stands(demo_shop, first) == ("open", "3560")

    settled(page)
    card(page, second).get_by_role("button", name="Dismiss").click()
    page.get_by_text("Wrong, but not worth a repair").click()
    page.get_by_label("Note").fill("a gift")
    page.get_by_role("button", name="Dismiss", exact=True).last.click()
    expect(page.locator(f".st-key-gone-{second}")).to_contain_text("Dismissed")
    assert stands(demo_shop, second)[0] == "dismissed"
    page.goto("/anomalies?q=SLIP&state=dismissed")
    expect(card(page, second)).to_contain_text("a gift")


def test_a_point_of_the_map_opens_its_movement_and_a_phone_has_room(phone: Page, slips):
    first, _ = slips
    sign_in(phone, "viewer", "/anomalies?q=SLIP")
    expect(card(phone, first)).to_be_visible()
    expect(phone.get_by_role("button", name="Repair")).to_have_count(0)
    fits(phone)
    phone.goto("/anomalies?show=map")
    expect(phone.get_by_text("large sales").first).to_be_visible()
    settled(phone)
    point = phone.locator(".js-plotly-plot .points path").first.bounding_box()
    phone.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    expect(phone.locator(".st-key-chosen-movement")).to_contain_text("of Slipped lamp")
    expect(phone).to_have_url(re.compile(r"movement=\d+"))
    fits(phone)
