"""Counting by scan: each code adds to its product's count, and a press books what was counted.

A count is not in the ledger before it is booked; until then its codes stay in the browser, too.
    desk["counts"]    "product place" -> a line, the one that was scanned last at the end:
        product_id, warehouse_id, sku, name, unit, place (its code), on_hand (when it was scanned last),
        counted, step (what the last scan added), codes [{key, code, symbology, source, times, mode ...}]
"""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import posting
from core.auth import Actor
from core.errors import RuleBroken
from core.posting import plain
from core.scanning import scans
from core.scanning.resolver import Resolved
from dashboard import scan_entries, scan_facts
from db.session import transact

NOTHING = Decimal(0)


def add(desk: dict[str, Any], entry: dict[str, Any], found: Resolved, pieces: Decimal) -> None:
    """One more of a product was counted. Refuses more than can be kept; what was counted before stands."""
    product, place = found.product.product, entry["warehouse_id"]
    name = f"{product.id} {place}"
    line = desk["counts"].get(name) or {"counted": "0", "codes": []}
    level = next((level for level in found.product.levels if level.warehouse_id == place), None)
    counted = posting.exact(Decimal(line["counted"]) + pieces, "Counted")
    desk["counts"].pop(name, None)  # it goes to the end
    line |= {
        "product_id": product.id, "sku": product.sku, "name": product.name, "unit": product.unit_of_measure,
        "warehouse_id": place, "place": level.code if level else "", "step": plain(pieces),
        "on_hand": plain(level.quantity) if level else "0", "counted": plain(counted),
        "codes": [*line["codes"], entry],
    }  # fmt: skip
    desk["counts"][name] = line


def step(desk: dict[str, Any], change: Decimal) -> None:
    """So many more or less of what was counted last; refuses when nothing was."""
    if not desk["counts"]:
        raise RuleBroken("Scan a product first: nothing is counted yet.")
    name, line = next(reversed(desk["counts"].items()))
    put(desk, name, plain(max(Decimal(line["counted"]) + change, NOTHING)))
    scan_entries.tell(desk, ok=True)


def put(desk: dict[str, Any], name: str, counted: str) -> None:
    """So many were counted. Refuses what is no quantity and less than none."""
    number = posting.exact(counted, "Counted")
    if number < 0:
        raise RuleBroken(f"Nobody can count {plain(number)}.")
    if name in desk["counts"]:
        desk["counts"][name]["counted"] = plain(number)


def leave(desk: dict[str, Any], name: str) -> None:
    """A count is thrown away."""
    line = desk["counts"].pop(name, None)
    if line is not None:
        scan_entries.forget(desk, [key for code in line["codes"] for key in (code["key"], *code["also"])])


def book(desk: dict[str, Any], person: Actor, name: str, now: datetime) -> None:
    """Book what was counted of one product; a line that is booked already changes nothing."""
    line = desk["counts"].get(name)
    if line is None:
        return
    first = line["codes"][0]
    # What was counted is the key: the same count of the same codes is one booking.
    counted = f"{line['counted']} {' '.join(code['key'] for code in line['codes'])}"
    entry = first | {
        "key": str(uuid.uuid5(uuid.UUID(first["key"]), counted)),
        "quantity": line["counted"],
        "product_id": line["product_id"],
    }
    asked = scan_entries.request(entry)
    taken = transact(lambda session: scans.take(session, person, asked, now=now))
    leave(desk, name)
    desk["last"] = scan_facts.of(entry, taken)
    if taken.can_undo:
        desk["booked"] = [*desk["booked"], str(taken.scan.uid)][-scan_entries.MOST_BOOKED :]
    scan_entries.tell(desk, ok=taken.scan.outcome != "refused")
