"""Scanning in a real browser: films of codes, a fast scanner, photos, phones, what is hostile."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from core import auth, catalogue
from core.labels import designs, sheets
from db import session as doors
from tests.e2e.conftest import opened, serving
from tests.e2e.fake_camera import CLEAN, DIM, SHAKY, Shot, bars, empty, film
from tests.e2e.steps import DESK, PHONE, fits, looking, settled, visit
from tests.makers import PASSWORD, a_person, a_product, a_warehouse

pytestmark = pytest.mark.browser
READ_MILLISECONDS = 30_000  # a busy machine reads late, not wrong
CLOSED_MILLISECONDS = 20_000
TARGET_PIXELS = 44
OPENING = 50
LAMP, LAMP_CODE = "Desk lamp", "4006381333931"
# What each product is scanned by: symbology, the code that it is linked to, what is printed.
KINDS = {
    LAMP: ("EAN-13", LAMP_CODE, LAMP_CODE),
    "Mains cable": ("Code 128", "CABLE-2M-16", "CABLE-2M-16"),
    "Rope": ("QR", "https://shop.example/rope", "https://shop.example/rope"),
    "Yoghurt": ("DataMatrix", "4012345678901", "(01)04012345678901(10)LOT-7(17)271231"),
    "Screws": ("ITF-14", "14012345678908", "14012345678908"),
    "Soap": ("EAN-8", "96385074", "96385074"),
    "Candle": ("UPC-A", "036000291452", "036000291452"),
}
HANDS = {"Soap": SHAKY, "Candle": DIM}
UNKNOWN = "4000417025005"


@dataclass(frozen=True)
class Shop:
    """A shop with two warehouses and a product for each kind of code, and tokens of its people by role."""

    url: str
    address: str
    tokens: dict[str, str]

    def stock(self, name: str) -> int:
        return looking(
            self.url,
            "SELECT sum(l.quantity) FROM stock_level AS l JOIN product AS p ON p.id = l.product_id"
            " WHERE p.name = :name",
            name=name,
        )[0][0]

    def movements(self) -> int:
        return looking(self.url, "SELECT count(*) FROM movement")[0][0]


def _fill(session) -> dict[str, str]:
    place = a_warehouse(session, "WH-A")
    a_warehouse(session, "WH-B")
    for name, (_, code, _) in KINDS.items():
        product = a_product(session, OPENING, warehouse=place, name=name, reorder_threshold=5)
        catalogue.add_barcode(session, auth.system_actor(session), product.id, code)
    tokens, now = {}, datetime.now(UTC)
    for role in ("manager", "user", "viewer"):
        person = a_person(session, role)
        tokens[role] = auth.sign_in(session, person.email, PASSWORD, "127.0.0.1", now).token
    return tokens


@pytest.fixture(scope="module")
def shop(make_database) -> Iterator[Shop]:
    with make_database() as url:
        engine = doors.new_engine(url)
        doors.bind(engine)
        with doors.transaction() as session:
            tokens = _fill(session)
        doors.bind(None)
        engine.dispose()
        about = {"STREAMLIT_RUNNER_ENFORCE_SERIALIZABLE_SESSION_STATE": "false", "CAMERA_SESSIONS": "1"}
        with serving(url, **about) as address:
            yield Shop(url, address, tokens)


@pytest.fixture(scope="module")
def reel(tmp_path_factory) -> Path:
    """The file that the fake camera plays; whoever starts a camera sees what was put there before."""
    return film(tmp_path_factory.mktemp("camera") / "reel.mjpeg", empty(1))


@pytest.fixture(scope="module")
def with_camera(launch, reel: Path) -> Browser:
    return launch(
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={reel}",
    )  # fmt: skip


@contextmanager
def somebody(
    browser: Browser, shop: Shop, role: str = "user", size: dict | None = None, **about
) -> Iterator[Page]:
    with opened(browser, shop.address, size or DESK, **about) as page:
        cookie = {"name": auth.COOKIE, "value": shop.tokens[role], "url": shop.address}
        page.context.add_cookies([cookie])
        yield page


@pytest.fixture
def page(browser, shop: Shop) -> Iterator[Page]:
    """A user at a machine without a camera."""
    with somebody(browser, shop) as page:
        yield page


@pytest.fixture
def camera_page(with_camera, shop: Shop) -> Iterator[Page]:
    with somebody(with_camera, shop) as page:
        yield page


def field(page: Page) -> Locator:
    return page.frame_locator("iframe[title*='scanner']").get_by_label("Scan or type a code")


def camera(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title*='runout_camera']")


def band(page: Page) -> Locator:
    return page.locator(".st-key-scan-band")


def recent(page: Page) -> Locator:
    return page.locator(".st-key-scan-recent")


def start(page: Page, address: str = "/scan") -> None:
    visit(page, address)
    camera(page).get_by_role("button", name="Use the camera").click()


def scan(page: Page, *codes: str) -> None:
    """What a hand scanner does: it types fast and blindly, and ends each code with Enter."""
    settled(page)
    field(page).click()
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")


def reads(locator: Locator, words: str | re.Pattern) -> None:
    expect(locator).to_contain_text(words, timeout=READ_MILLISECONDS)


# -- The camera ----------------------------------------------------------------------------------------------


def test_every_kind_of_code_held_to_the_camera_shows_its_product_without_a_click(with_camera, shop, reel):
    shots = [
        Shot(printed, symbology, 1.5, HANDS.get(name, CLEAN))
        for name, (symbology, _, printed) in KINDS.items()
    ]
    film(reel, *shots, empty(0.5))
    before = shop.movements()
    with somebody(with_camera, shop, "viewer") as page:
        start(page)
        for name in KINDS:
            reads(recent(page), name)
        reads(band(page), "LOT-7")  # the film goes round until it is stopped
    assert shop.movements() == before


def test_a_code_before_the_camera_books_once_and_undo_brings_it_back(camera_page, shop, reel):
    film(reel, empty(1), Shot(LAMP_CODE, seconds=2), empty(30))
    here, count = shop.stock(LAMP), shop.movements()
    start(camera_page, "/scan?mode=out&warehouse=WH-A")
    reads(band(camera_page), re.compile(rf"1 {LAMP} → {here - 1:.0f} left in WH-A"))
    reads(band(camera_page), "reorder at 5")
    camera_page.wait_for_timeout(2500)  # the code is in sight all that time, and gone at its end
    assert (shop.stock(LAMP), shop.movements()) == (here - 1, count + 1)
    band(camera_page).get_by_role("button", name="Undo").dblclick()
    reads(band(camera_page), "Taken back")
    camera_page.wait_for_timeout(500)  # the second press of the double click would have come by then
    assert (shop.stock(LAMP), shop.movements()) == (here, count + 2)


def test_an_unknown_code_is_linked_and_what_was_to_be_done_with_it_is_done(camera_page, shop, reel):
    film(reel, Shot(UNKNOWN, seconds=2), empty(40))
    here = shop.stock("Rope")
    start(camera_page, "/scan?mode=out&warehouse=WH-A")
    expect(camera_page.get_by_text(f"Not known: {UNKNOWN}")).to_be_visible(timeout=READ_MILLISECONDS)
    camera_page.get_by_label("Which product is it?").press_sequentially("rope")
    camera_page.get_by_role("button", name="Link", exact=True).dblclick()
    reads(band(camera_page), re.compile(rf"1 Rope → {here - 1:.0f} left in WH-A"))
    assert shop.stock("Rope") == here - 1
    question = "SELECT p.name FROM barcode AS b JOIN product AS p ON p.id = b.product_id WHERE b.code = :code"
    assert looking(shop.url, question, code=UNKNOWN) == [("Rope",)]


def test_a_closed_tab_gives_its_camera_to_the_next_who_waits(with_camera, shop, reel):
    film(reel, Shot(LAMP_CODE, seconds=2, hand=CLEAN))
    with somebody(with_camera, shop, "manager") as waiting:
        with somebody(with_camera, shop) as first:
            start(first)
            reads(band(first), LAMP)
            start(waiting)
            expect(waiting.get_by_text("The one camera that this server can read")).to_be_visible()
            scan(waiting, LAMP_CODE)
            reads(band(waiting), LAMP)
        # Seconds, not the half minute after which the network would notice.
        stop = camera(waiting).get_by_role("button", name="Stop the camera")
        expect(stop).to_be_visible(timeout=CLOSED_MILLISECONDS)


@pytest.mark.parametrize("why", ["denied", "none", "insecure"])
def test_a_blocked_camera_says_why_and_typing_works(browser, launch, shop, why):
    sentences = {
        "denied": "The browser may not use the camera here.",
        "none": "No camera was found.",
        "insecure": "The camera needs a secure address.",
    }
    lends = launch("--use-fake-device-for-media-stream") if why == "denied" else browser
    rights = {"permissions": ["camera"]} if why == "none" else {}
    if why == "insecure":  # the same server by an address that is not this machine's own to a browser
        shop = Shop(shop.url, shop.address.replace("127.0.0.1", "0.0.0.0"), shop.tokens)
    with somebody(lends, shop, **rights) as page:
        start(page)
        expect(page.get_by_text(sentences[why])).to_be_visible()
        scan(page, LAMP_CODE)
        reads(band(page), LAMP)


def test_a_label_of_ours_is_read_by_the_camera(camera_page, shop, reel):
    shots = [
        Shot(None, seconds=2, hand=CLEAN, printed=label) for label in map(_printed, (LAMP_CODE, "cmd:out"))
    ]
    film(reel, shots[1], empty(1), shots[0], empty(30))
    here = shop.stock(LAMP)
    start(camera_page, "/scan?mode=in&warehouse=WH-A")
    reads(band(camera_page), re.compile(rf"1 {LAMP} → {here - 1:.0f} left in WH-A"))
    expect(camera_page).to_have_url(re.compile("mode=out"))
    assert shop.stock(LAMP) == here - 1


def _printed(code: str) -> np.ndarray:
    """A label as the Labels view prints it, without its words."""
    form, dots = sheets.FORMATS["62x29"], 12
    design = designs.design(designs.Label("Label", code), form)
    wide, tall = (round(side * dots) for side in form.label)
    paper = np.full((tall, wide), 255, dtype=np.uint8)
    for x, y, width, height in design.rectangles:
        paper[round(y * dots) : round((y + height) * dots), round(x * dots) : round((x + width) * dots)] = 20
    return paper


# -- The hand scanner ----------------------------------------------------------------------------------------


def test_thirty_codes_as_fast_as_a_scanner_types_are_all_booked_once(page, shop):
    here, count = shop.stock("Soap"), shop.movements()
    page.goto("/scan?mode=in&warehouse=WH-A")
    expect(field(page)).to_be_focused()  # nobody clicks into it first
    scan(page, *["96385074"] * 30)
    reads(band(page), re.compile(rf"→ {here + 30:.0f} left in WH-A"))
    settled(page)
    assert (shop.stock("Soap"), shop.movements()) == (here + 30, count + 30)


def test_a_reload_in_the_middle_loses_and_doubles_nothing(page, shop):
    here = shop.stock("Soap")
    page.goto("/scan?mode=in&warehouse=WH-A")
    scan(page, *["96385074"] * 8)
    page.reload()
    scan(page, "96385074")
    reads(band(page), re.compile(rf"→ {here + 9:.0f} left in WH-A"))
    settled(page)
    assert shop.stock("Soap") == here + 9


def test_two_tabs_of_one_person_book_what_each_scanned(page, shop):
    here = shop.stock("Candle")
    other = page.context.new_page()
    for tab in (page, other):
        visit(tab, "/scan?mode=out&warehouse=WH-A")
    for tab in (page, other, page):
        tab.bring_to_front()
        field(tab).click()
        scan(tab, *["036000291452"] * 3)
    reads(band(page), "left in WH-A")
    settled(other)
    settled(page)
    assert shop.stock("Candle") == here - 9


def test_typed_nonsense_is_a_sentence_each_and_books_nothing(page, shop):
    count = shop.movements()
    page.goto("/scan?mode=out&warehouse=WH-A")
    hostile = ["4006381333932", "x" * 500, "<img src=x onerror=alert(1)>", "'; DROP TABLE product; --"]
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    scan(page, *hostile, "96385074\x1d")
    settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    question = "SELECT count(*) FROM scan WHERE outcome = 'booked' AND code <> '96385074' AND mode = 'out'"
    assert looking(shop.url, question + " AND scanned_at > now() - interval '5 seconds'")[0][0] == 0
    assert shop.movements() <= count + 1


# -- Photos --------------------------------------------------------------------------------------------------


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb.png": _bomb,
    "torn.png": lambda: _png(bars(LAMP_CODE, "EAN-13"))[:200],
    "page.png": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "nothing.png": lambda: _png(np.full((400, 400), 200, dtype=np.uint8)),
}


def test_hostile_photos_are_refused_with_a_sentence_and_a_good_one_is_taken(page, shop):
    count, here = shop.movements(), shop.stock(LAMP)
    visit(page, "/scan?mode=out&warehouse=WH-A")
    page.get_by_role("radio", name="Photo").click()
    photo = page.locator(".st-key-photo")
    expect(photo).to_be_visible()
    settled(page)
    said = set()
    for name, make in HOSTILE.items():
        photo.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "image/png", "buffer": make()}
        )
        refusal = photo.get_by_test_id("stAlert")
        expect(refusal).to_be_visible()
        expect(refusal).not_to_have_text(next(iter(said), ""))
        settled(page)
        said = {refusal.inner_text()}
    assert shop.movements() == count
    good = {"name": "lamp.png", "mimeType": "image/png", "buffer": _png(bars(LAMP_CODE, "EAN-13"))}
    photo.locator("input[type=file]").set_input_files(good)
    reads(band(page), re.compile(rf"1 {LAMP} → {here - 1:.0f} left in WH-A"))
    assert shop.movements() == count + 1


# -- The phone -----------------------------------------------------------------------------------------------


def test_the_station_fits_a_phone_and_a_thumb(browser, shop):
    with somebody(browser, shop, size=PHONE, has_touch=True) as page:
        page.goto("/scan?mode=out&warehouse=WH-A")
        scan(page, "96385074")
        expect(band(page).get_by_role("button", name="Undo")).to_be_visible()
        fits(page)
        main = page.get_by_test_id("stMain")
        targets = [
            *main.locator("button:visible:not([data-testid=stTooltipHoverTarget] *)").all(),
            *main.get_by_role("link").all(),
            field(page),
            camera(page).get_by_role("button", name="Use the camera"),
        ]
        small = [
            (target.inner_text(), round(box["width"]), round(box["height"]))
            for target in targets
            if (box := target.bounding_box()) and min(box["height"], box["width"]) < TARGET_PIXELS
        ]
        assert small == []
