"""Training from a click to its log, in a real browser, with the scheduler at work."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from db import session as doors
from tests.e2e.conftest import ROOT, serving
from tests.e2e.steps import sign_in

pytestmark = pytest.mark.browser
TRAINING_MILLISECONDS = 240_000
PRODUCTS = 60


@pytest.fixture
def shop(make_database, demo_template: str) -> Iterator[str]:
    """A demo shop that sells few things only, so that its training is over soon."""
    with make_database(demo_template) as url:
        engine = doors.new_engine(url)
        with engine.begin() as connection:
            few = "SELECT id FROM product WHERE is_active ORDER BY id LIMIT :n"
            connection.execute(
                sa.text(f"UPDATE product SET is_active = false WHERE id NOT IN ({few})"), {"n": PRODUCTS}
            )
        engine.dispose()
        yield url


@pytest.fixture
def dashboard(shop: str) -> Iterator[str]:
    with serving(shop) as address:
        yield address


@pytest.fixture
def scheduler(shop: str) -> Iterator[None]:
    """The clock, over that shop."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "schedule"], cwd=ROOT, env=os.environ | {"DATABASE_URL": shop}
    )
    yield
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("scheduler")
def test_train_now_shows_how_far_it_is_and_leaves_its_log(page: Page):
    sign_in(page, "admin", "/jobs")
    card = page.locator(".st-key-job-train")
    # A scheduler that finds the last slot undone does it at once; a click then finds that run.
    button = card.get_by_role("button", name="Run now")
    cancel = card.get_by_role("button", name="Cancel")
    expect(button.or_(cancel)).to_be_visible()
    if button.is_visible():
        with suppress(PlaywrightTimeout):  # the button of a run that has just begun is gone
            button.click(timeout=5000)
    expect(cancel).to_be_visible()
    expect(card).to_contain_text(re.compile(r"\d of \d+, .* left"), timeout=TRAINING_MILLISECONDS)
    card.get_by_role("button", name="Log").first.click()
    log = card.get_by_test_id("stCode").first  # while a card is drawn anew, its old log stands beside it
    expect(log).to_contain_text(f"{PRODUCTS} products are active")
    expect(card).to_contain_text("done in", timeout=TRAINING_MILLISECONDS)
    expect(log).to_contain_text("run-outs published")
    expect(button).to_be_visible()
    # The log stays open while the view looks again every two seconds, and closes when asked to.
    page.wait_for_timeout(2500)
    expect(log).to_be_visible()
    card.get_by_role("button", name="Hide log").click()
    expect(log).to_have_count(0)
