"""What does a camera cost the server, and how long from a code that is shown to its product on the page?

`python -m bench.camera [--cameras 1 2 4] [--seconds 30]`: a real dashboard, and browsers (headless Chromium)
whose cameras show one barcode after another. Processor time is that of the dashboard's process alone; the
browsers run on the same cores, so waiting times are those of a machine that is busier than a server.
"""

import argparse
import base64
import io
import json
import os
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from stdnum import ean

from bench import shop, visitor
from bench.pages import COOKIE, PASSWORD
from core import auth
from db import server
from db import session as doors

CODES = 60
START_SECONDS = 60
SETTLE_SECONDS = 5
# Every frame of a page gets this: a camera that shows the next code of the list, then none, and so on. The
# page notes when a code was shown, and when the product's name was to be read.
CAMERA = """
(() => {
  const shows = %s
  const shownMilliseconds = 1400, emptyMilliseconds = 700, frameMilliseconds = 66
  if (window === window.top) {
    window.next = 0; window.shownAt = {}; window.seenAt = {}
    setInterval(() => {
      const words = document.body ? document.body.textContent : ""
      for (const n of Object.keys(window.shownAt))
        if (!(n in window.seenAt) && words.includes(shows[n].name)) window.seenAt[n] = Date.now()
    }, 40)
  }
  if (!navigator.mediaDevices) return
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement("canvas")
    canvas.width = 1280; canvas.height = 720
    const context = canvas.getContext("2d")
    const images = await Promise.all(shows.map(async ({ picture }) => {
      const image = new Image(); image.src = picture; await image.decode(); return image
    }))
    const stream = canvas.captureStream(15)
    const [track] = stream.getVideoTracks()
    let current = null, until = 0, n = 0
    const timer = setInterval(() => {
      if (track.readyState === "ended") return clearInterval(timer)
      const now = Date.now()
      if (now >= until) {
        current = current === null ? window.top.next++ %% shows.length : null
        until = now + (current === null ? emptyMilliseconds : shownMilliseconds)
        if (current !== null) window.top.shownAt[current] = now
      }
      n += 1
      context.fillStyle = "#8A8F98"; context.fillRect(0, 0, 1280, 720)
      for (let line = 0; line < 720; line += 24) {
        context.fillStyle = `hsl(210 8%% ${45 + (line * 7 + n) %% 20}%%)`; context.fillRect(0, line, 1280, 12)
      }
      if (current !== null) {
        const image = images[current]
        const left = (1280 - image.width) / 2, top = (720 - image.height) / 2
        context.drawImage(image, left + 10 * Math.sin(n / 9), top + 6 * Math.cos(n / 7))
      }
    }, frameMilliseconds)
    return stream
  }
})()
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.camera", description=__doc__)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    for name in ("DATABASE_URL", "ICE_SERVERS"):
        os.environ.pop(name, None)
    os.environ |= {"RUNOUT_HOME": str(home), "CAMERA_SESSIONS": str(max(options.cameras))}
    server.start(home)
    try:
        with shop.a_database(home, "bench_camera") as url:
            shop.build(url, datetime.now(UTC).date(), shop.Size(products=500, warehouses=1, movements=5_000))
            app = server.url(doors.APP_ROLE, "bench_camera", home)
            engine = doors.new_engine(app)
            doors.bind(engine)
            codes = label()
            measure(app, codes, options.cameras, options.seconds)
            engine.dispose()
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def label() -> list[dict[str, str]]:
    """Give products a code that is right, and draw them: {"name", "picture" (an address with the data)}."""
    numbers = range(1, CODES + 1)
    bare = [f"40000000{n:04d}" for n in numbers]
    codes = [code + ean.calc_check_digit(code) for code in bare]
    with doors.transaction() as session:
        shop.copy(session, "barcode", pd.DataFrame({"product_id": numbers, "code": codes}))
        names = dict(session.execute(sa.text("SELECT id, name FROM product")).all())
    return [{"name": names[n], "picture": drawn(code)} for n, code in zip(numbers, codes, strict=True)]


def drawn(code: str) -> str:
    bars = np.array(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=1))
    picture = Image.fromarray(np.kron(bars, np.ones((4, 4), np.uint8)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def a_token() -> str:
    """Somebody new is signed in."""
    email = f"{uuid.uuid4().hex}@shop.example"
    with doors.transaction() as session:
        auth.create_person(session, email=email, name="Bench", role="user", password=PASSWORD)
    with doors.transaction() as session:
        return auth.sign_in(session, email, PASSWORD, "127.0.0.1", datetime.now(UTC)).token


def measure(url: str, codes: list[dict[str, str]], cameras: list[int], seconds: int) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before anything began")
    print(
        f"{'cameras':>8} {'of a core each':>15} {'shown to page, ms: p50':>23} {'p95':>6} {'read':>9} "
        f"{'first code, s':>14} {'Products, ms':>13} {'load':>6}"
    )
    with visitor.running(url) as (port, process), sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        with visitor.arriving(port, f"{COOKIE}={a_token()}") as somebody:
            for number in [0, *cameras]:
                with scanning(browser, port, codes, number) as (pages, firsts):
                    line(number, process, pages, firsts, somebody, seconds)
        browser.close()


@contextmanager
def scanning(
    browser: Browser, port: int, codes: list[dict[str, str]], number: int
) -> Iterator[tuple[list[Page], list[float]]]:
    """So many pages whose cameras run; with each its seconds from the press to the first product."""
    contexts, pages, firsts = [], [], []
    try:
        for _ in range(number):
            context = browser.new_context(viewport={"width": 390, "height": 844})
            contexts.append(context)
            address = f"http://127.0.0.1:{port}"
            context.add_cookies([{"name": COOKIE, "value": a_token(), "url": address}])
            context.add_init_script(CAMERA % json.dumps(codes))
            page = context.new_page()
            page.goto(f"{address}/scan")
            button = page.frame_locator('iframe[title*="runout_camera"]').locator("#turn")
            button.wait_for(timeout=START_SECONDS * 1000)
            page.wait_for_timeout(SETTLE_SECONDS * 1000)
            began = time.monotonic()
            button.click()
            page.wait_for_function("Object.keys(seenAt).length > 0", timeout=START_SECONDS * 1000)
            firsts.append(time.monotonic() - began)
            pages.append(page)
        yield pages, firsts
    finally:
        for context in contexts:
            context.close()
        time.sleep(SETTLE_SECONDS)


def line(
    number: int,
    process: int,
    pages: list[Page],
    firsts: list[float],
    somebody: visitor.Visitor,
    seconds: int,
) -> None:
    """One line of the table: processor time first, then how long others wait for a page meanwhile."""
    for page in pages:
        page.evaluate("window.shownAt = {}; window.seenAt = {}")
    used, began = processor_seconds(process), time.monotonic()
    time.sleep(seconds)
    share = (processor_seconds(process) - used) / (time.monotonic() - began)
    waits: list[float] = []
    reads = shows = 0
    for page in pages:
        shown, seen = page.evaluate("[shownAt, seenAt]")
        # The last one may not have had its time.
        done = sorted(shown, key=shown.get)[:-1]
        waits += [seen[n] - shown[n] for n in done if n in seen]
        reads, shows = reads + sum(n in seen for n in done), shows + len(done)
    reruns = sorted(timed(somebody) for _ in range(9))
    p50, p95 = np.percentile(waits, [50, 95]) if waits else (float("nan"), float("nan"))
    first = f"{statistics.median(firsts):.2f}" if firsts else "-"
    each = f"{share / number:.2f}" if number else f"({share:.2f} in all)"
    print(
        f"{number:8} {each:>15} {p50:23.0f} {p95:6.0f} {f'{reads}/{shows}':>9} {first:>14} "
        f"{statistics.median(reruns) * 1000:13.0f} {os.getloadavg()[0]:6.1f}",
        flush=True,
    )


def timed(somebody: visitor.Visitor) -> float:
    began = time.monotonic()
    somebody.open("products")
    return time.monotonic() - began


def processor_seconds(process: int) -> float:
    """What a process has had of the processor, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
