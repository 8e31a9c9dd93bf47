"""Takes the pictures of the README from the demo shop that `make run` serves, so that they stay true."""

import os
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
ADDRESS = f"http://127.0.0.1:{os.environ.get('PORT') or 8501}"
ACCOUNT, PASSWORD = "manager@erp.example.com", "manager123"


def sign_in(page: Page) -> None:
    page.goto(ADDRESS)
    page.get_by_label("E-mail").fill(ACCOUNT)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="What needs you today").wait_for()


def settled(page: Page) -> None:
    """Wait until the script has run and nothing moves any more."""
    page.locator("[data-testid='stStatusWidget']").wait_for(state="detached")
    page.wait_for_timeout(1500)


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("Chromium is missing. Type: sudo apt-get install -y chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu", *sandbox])
        page = browser.new_page(viewport={"width": 1360, "height": 850}, color_scheme="light")
        sign_in(page)
        settled(page)
        page.screenshot(path=FOLDER / "today.png")
        # A product that is about to run out tells more than one that is out already.
        page.goto(f"{ADDRESS}/?status=late")
        settled(page)
        page.locator(".dvn-scroller").first.click(position={"x": 80, "y": 55})
        page.wait_for_url(re.compile(r"/product\?id="))
        settled(page)
        page.screenshot(path=FOLDER / "product.png")
        page.goto(f"{ADDRESS}/reorder")
        settled(page)
        page.screenshot(path=FOLDER / "reorder.png")
        browser.close()
    print(f"Pictures are in {FOLDER}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
