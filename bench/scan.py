"""How long from the press on "Use the camera" until the product is on the page?

`python -m bench.scan [--starts 10]`: a real dashboard and headless Chromium, whose camera is a film of a
clean code (tests/e2e/fake_camera.py: drawn by zxing-cpp, held by a steady hand). Each start is a page of its
own that has just been opened. The first start of a process loads the camera's libraries: it is told apart.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from bench import shop, visitor
from bench.camera import START_SECONDS, a_token
from bench.pages import COOKIE
from db import server
from db import session as doors
from tests.e2e.fake_camera import CLEAN, Shot, film

GOAL_SECONDS = 3
CODES = {"EAN-13": "4006381333931", "Code 128": "CABLE-2M-16", "QR": "https://shop.example/rope"}
SIZE = shop.Size(products=500, warehouses=1, movements=5_000)
PHONE = {"width": 390, "height": 844}
IS_SHOWN = "name => document.querySelector('.st-key-scan-band')?.textContent.includes(name)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description=__doc__)
    parser.add_argument("--starts", type=int, default=10, help="of each kind of code")
    starts = parser.parse_args().starts
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    for name in ("DATABASE_URL", "ICE_SERVERS"):
        os.environ.pop(name, None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_scan") as url:
            shop.build(url, datetime.now(UTC).date(), SIZE)
            app = server.url(doors.APP_ROLE, "bench_scan", home)
            engine = doors.new_engine(app)
            doors.bind(engine)
            measure(app, home / "reel.mjpeg", starts)
            engine.dispose()
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def label() -> dict[str, str]:
    """Give a product to each code; symbology -> name of the product."""
    ids = range(1, len(CODES) + 1)
    with doors.transaction() as session:
        shop.copy(session, "barcode", pd.DataFrame({"product_id": ids, "code": list(CODES.values())}))
        names = dict(session.execute(sa.text("SELECT id, name FROM product")).all())
    return {kind: names[n] for kind, n in zip(CODES, ids, strict=True)}


def measure(url: str, reel: Path, starts: int) -> None:
    """One line for each kind of code."""
    names, cold = label(), []
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before anything began; seconds")
    print(f"{'code':<10} {'median':>7} {'least':>6} {'most':>6} {'starts':>7}  goal under {GOAL_SECONDS}")
    with visitor.running(url) as (port, _), sync_playwright() as playwright:
        camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        play = f"--use-file-for-fake-video-capture={reel}"
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", *camera, play]
        )
        address, cookie = f"http://127.0.0.1:{port}", a_token()
        for kind, code in CODES.items():
            film(reel, Shot(code, kind, 3, CLEAN))
            if not cold:
                cold.append(one(browser, address, cookie, names[kind]))
            taken = [one(browser, address, cookie, names[kind]) for _ in range(starts)]
            middle = statistics.median(taken)
            print(f"{kind:<10} {middle:7.2f} {min(taken):6.2f} {max(taken):6.2f} {starts:7}", flush=True)
        browser.close()
    print(f"first start of the process: {cold[0]:.2f}; load {os.getloadavg()[0]:.1f} at the end")


def one(browser: Browser, address: str, cookie: str, name: str) -> float:
    """Seconds from the press to the product, in a page that was opened for it."""
    context = browser.new_context(viewport=PHONE)
    context.set_default_timeout(START_SECONDS * 1000)
    try:
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/scan")
        button = page.frame_locator('iframe[title*="runout_camera"]').get_by_role(
            "button", name="Use the camera"
        )
        button.wait_for()
        page.get_by_text("Your last scans").wait_for()
        began = time.monotonic()
        button.click()
        page.wait_for_function(IS_SHOWN, arg=name)
        return time.monotonic() - began
    finally:
        context.close()


if __name__ == "__main__":
    main()
