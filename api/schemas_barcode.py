"""Bodies and answers of barcodes: what a code means, and what is read in a picture."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictStr

from api.schemas import Amount, Answer, Body, Id, Number, OwnId, example, line
from core.scanning import reading
from core.scanning.decoding import Seen
from core.scanning.resolver import Resolved

# A code of GS1 holds control characters between its parts; `core.scanning.reading` refuses any others.
Read = Annotated[StrictStr, Field(min_length=1, max_length=reading.CHARACTERS)]
Symbology = line(40, 1)
Kind = Literal["product", "place", "command", "unknown", "ambiguous"]
Corner = tuple[int, int]


class CodeRead(Body):
    """A code as a scanner gave it. `symbology` ("ITF-14", "UPC-E" ...) where the reader knows it."""

    barcode: Read
    symbology: Symbology | None = None

    model_config = example(barcode="012345678905")


class Link(CodeRead):
    """`pack_factor`: how many pieces a scan of the code means."""

    product_id: Id
    pack_factor: Number = Decimal(1)

    model_config = example(
        barcode="012345678905", product_id="6f1f9bb0-6f0e-4c55-9d7a-0a4d4f7d9a10", pack_factor=12
    )


class Candidate(Answer):
    """A product that an ambiguous code may mean, or one whose case an unknown code may be."""

    id: OwnId
    sku: str
    name: str
    is_active: bool
    pieces: Amount


class ExternalInfo(Answer):
    """What somebody outside says about a code; `source` is their host. A hint, not checked and not kept."""

    source: str
    name: str
    brand: str | None
    category: str | None


class Meaning(Answer):
    """What a code means. `found` is whether it is one product; if not, `reason` says why in a sentence.

    `current_stock` is that of all warehouses, `pieces` what one scan stands for; lot, serial and date are
    those of a GS1 code. `warehouse_code` and `command` are what a label of the shop itself names.
    `external_info`: what the configured service outside says about a code that nobody here knows; null
    without one, and when it does not answer.
    """

    barcode: str
    found: bool
    kind: Kind
    product_id: Id | None = None
    product_name: str | None = None
    sku: str | None = None
    current_stock: Amount | None = None
    pack_factor: Amount | None = None
    pieces: Amount | None = None
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    warehouse_code: str | None = None
    command: str | None = None
    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None
    external_info: ExternalInfo | None = None


class InPicture(Meaning):
    """A code of a picture, and where it is: four corners in pixels of the picture as it was read."""

    symbology: str
    corners: list[Corner]


class Picture(Answer):
    """What was read in a picture of so many pixels; `reason` says why nothing was, where nothing was."""

    width: int
    height: int
    codes: list[InPicture]
    reason: str | None = None


def meaning(found: Resolved) -> dict:
    """The fields of `Meaning`."""
    said = found.reading
    told = {
        "barcode": said.text, "found": found.product is not None, "kind": found.kind, "lot": said.lot,
        "serial": said.serial, "expires_on": said.expires_on, "command": found.command,
        "warehouse_code": found.warehouse and found.warehouse.code, "candidates": found.candidates,
        "reason": found.reason,
    }  # fmt: skip
    if found.product is None:
        return told
    product = found.product.product
    return told | {
        "product_id": product.uid, "product_name": product.name, "sku": product.sku,
        "current_stock": found.product.on_hand, "pack_factor": found.pack_factor, "pieces": found.pieces,
    }  # fmt: skip


def unread(seen: Seen, sentence: str) -> dict:
    """The fields of a code that was seen and cannot be right: a slip of the reader, or no code of a shop."""
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in seen.text)
    return {"barcode": text[: reading.CHARACTERS], "found": False, "kind": "unknown", "reason": sentence}
