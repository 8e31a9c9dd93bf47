"""Linking a code to a product, so that the next scan knows it."""

from decimal import Decimal

from sqlalchemy.orm import Session

from core import catalogue, inputs
from core.auth import Actor
from core.errors import BadInput
from core.scanning import reading
from db.models import Barcode


def link(
    session: Session,
    actor: Actor,
    code: str,
    product_id: int,
    pack_factor: Decimal | int | str = 1,
    *,
    symbology: str | None = None,
) -> Barcode:
    """Let a scanned code mean `pack_factor` pieces of a product; linked again, it means the new number.

    Of a GS1 code or a Digital Link the product's number is linked, so that the next lot is known too. Refuses
    a label of the shop itself, a code of another product and one that is another product's SKU, by its name.
    """
    read = reading.read(code, symbology)
    if read.kind != "code":
        raise BadInput(f"'{inputs.shown(read.text)}' is a label of the shop itself: it needs no link.")
    return catalogue.add_barcode(session, actor, product_id, read.code, pack_factor)
