"""Takes the pictures of the README from the demo shop that `make run` serves, so that they stay true."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.e2e import fake_camera
from tests.e2e.fake_camera import Shot

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
    # Where a part of the page is still being loaded, a grey box stands for it.
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(500)


def take_scan(playwright: Playwright, program: str, arguments: list[str], code: str) -> None:
    """The Scan view on a phone whose camera sees a product."""
    with tempfile.TemporaryDirectory() as folder:
        film = fake_camera.film(Path(folder) / "film.mjpeg", Shot(code))
        camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                  f"--use-file-for-fake-video-capture={film}"]  # fmt: skip
        browser = playwright.chromium.launch(executable_path=program, args=[*arguments, *camera])
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="light")
        sign_in(page)
        settled(page)
        page.goto(f"{ADDRESS}/scan?mode=out&warehouse=WH-A")
        page.frame_locator("iframe[title*='camera']").get_by_role("button", name="Use the camera").click()
        page.locator(".st-key-scan-band").get_by_role("button", name="Undo").wait_for()
        settled(page)
        page.screenshot(path=FOLDER / "scan.png")
        # The demo shop stays as it was.
        page.locator(".st-key-scan-band").get_by_role("button", name="Undo").click()
        settled(page)
        browser.close()


def main() -> int:
    program = shutil.which("chromium")
    if program is None:
        print("Chromium is missing. Type: sudo apt-get install -y chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        arguments = ["--disable-gpu", *sandbox]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
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
        for view in ("reorder", "anomalies", "exports"):
            page.goto(f"{ADDRESS}/{view}")
            settled(page)
            page.screenshot(path=FOLDER / f"{view}.png")
        # One that is well stocked can be taken from the shelf.
        page.goto(f"{ADDRESS}/products?status=excess")
        settled(page)
        page.locator(".dvn-scroller").first.click(position={"x": 80, "y": 55})
        page.wait_for_url(re.compile(r"/product\?id="))
        page.goto(page.url.replace("/product?", "/edit-product?"))
        settled(page)
        code = re.search(r"\b\d{13}\b", page.inner_text("body")).group()
        browser.close()
        take_scan(playwright, program, arguments, code)
    print(f"Pictures are in {FOLDER}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
