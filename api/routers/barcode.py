"""Barcodes: what a code means here, whose it is from now on, and the codes in a picture."""

import threading
import uuid
from typing import Annotated, Any

from fastapi import Depends, File, UploadFile

from api import deps
from api.deps import Needs, NeedsAlone, Now, Writing
from api.openapi import refusals
from api.routes import Router
from api.schemas_barcode import CodeRead, Link, Meaning, Picture, meaning, unread
from api.settings import Settings
from core import uids
from core.auth import Actor
from core.errors import BadInput, TooMany
from core.scanning import decoding, outside, pictures, resolver, scans
from core.scanning.resolver import Resolved
from core.scanning.scans import Request
from db.session import reading, transact

router = Router("/api/v1/barcode", "barcode")

# What a multipart body has beside the picture itself: boundaries and the headers of its part.
AROUND_A_PICTURE = 100_000
MOST_BYTES = pictures.LIMITS.file_bytes + AROUND_A_PICTURE
# Looking for codes keeps a processor busy; others wait a moment for their turn, and no longer.
AT_ONCE = 2
WAIT_SECONDS = 5
MOST_CODES = 100  # of one picture
Chosen = Annotated[Settings, Depends(deps.settings)]
_looking = threading.BoundedSemaphore(AT_ONCE)


@router.post("/scan", response_model=Meaning, responses=refusals(400))
def scan(actor: Annotated[Actor, NeedsAlone("move stock")], chosen: Chosen, now: Now, code: CodeRead) -> Any:
    """What a code means: EAN, UPC, GTIN-14, a GS1 code, a Digital Link, a SKU, or a label of the shop.

    It enters the history of scans. A code that nobody knows is an answer with `found` false; one whose last
    digit is wrong is refused.
    """
    asked = Request(uuid.uuid4(), "look_up", code.barcode, "http", symbology=code.symbology)
    taken = transact(lambda session: scans.take(session, actor, asked, now=now))
    return _with_others(chosen, taken.resolved)


@router.get("/lookup/{barcode:path}", response_model=Meaning)
def look_up(actor: Annotated[Actor, NeedsAlone("read")], chosen: Chosen, barcode: str) -> Any:
    """The same without a trace. A code with a question mark in it must be percent-encoded."""
    with reading() as session:
        found = resolver.resolve(session, actor, barcode)
    return _with_others(chosen, found)


@router.post("/link", response_model=Meaning, responses=refusals(400, 404))
def link(session: Writing, actor: Annotated[Actor, Needs("move stock")], now: Now, wanted: Link) -> Any:
    """Let a code mean a product, or so many pieces of it; of a GS1 code the product's number is kept.

    A code of another product, and another product's SKU, are refused.
    """
    asked = Request(
        uuid.uuid4(), "link", wanted.barcode, "http", symbology=wanted.symbology,
        quantity=wanted.pack_factor, product_id=uids.product(session, wanted.product_id),
    )  # fmt: skip
    scans.take(session, actor, asked, now=now)
    return meaning(resolver.resolve(session, actor, wanted.barcode, symbology=wanted.symbology))


@router.post("/decode", response_model=Picture, responses=refusals(400, 429))
def decode(
    actor: Annotated[Actor, NeedsAlone("move stock")],
    file: Annotated[UploadFile, File(description="A photo: PNG, JPEG, WebP, GIF or BMP.")],
) -> Any:
    """The codes in a photo and what each means; nothing is booked and nothing is kept."""
    gray = pictures.opened(file.file.read())
    if not _looking.acquire(timeout=WAIT_SECONDS):
        raise TooMany("Other pictures are being read just now: try again in a moment.", WAIT_SECONDS)
    try:
        seen = decoding.decode(gray, effort="photo")[:MOST_CODES]
    finally:
        _looking.release()
    codes = []
    with reading() as session:
        for one in seen:
            try:
                told = meaning(resolver.resolve(session, actor, one.text, symbology=one.symbology))
            except BadInput as refusal:
                told = unread(one, refusal.sentence)
            codes.append(told | {"symbology": one.symbology, "corners": one.corners})
    height, width = gray.shape
    nothing = None if codes else "No code was found: hold it straight, closer, and in more light."
    return {"width": width, "height": height, "codes": codes, "reason": nothing or decoding.trouble()}


def _with_others(chosen: Settings, found: Resolved) -> dict[str, Any]:
    """The answer; of a code that nobody here knows with what others say, where that is configured."""
    told = meaning(found)
    if found.kind == "unknown":
        told["external_info"] = outside.ask(chosen.barcodes_outside, found.reading.code)
    return told
