"""API keys in words: what each right lets a machine do, how a key stands, and how it is used."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.api_key_list import Line
from dashboard import saving, ui

# A few words for the list, and what they let a machine do.
MAY = {
    "read": ("Look", "products, stock, movements, forecasts, orders, alerts, exports"),
    "move stock": ("Move stock", "sales, receipts, transfers, deliveries; teach barcodes"),
    "acknowledge alerts": ("Acknowledge alerts", "say that somebody has seen them"),
    "edit catalogue": ("Edit the catalogue", "products, warehouses, corrections; judge odd movements"),
    "train": ("Train", "make forecasts anew"),
    "buy": ("Buy", "vendors, prices, purchase orders"),
    "manage alerts": ("Manage alerts", "resolve them, change what raises them"),
    "delete catalogue": ("Delete", "products, warehouses, vendors, transactions"),
}
STATE = {"active": "Active", "expired": "Expired", "revoked": "Revoked"}
# How a key is used, by the first of these rights that it has; "..." stands for an id.
EXAMPLES = {
    "read": ("GET", "/api/v1/products?limit=5", None),
    "move stock": (
        "POST", "/api/v1/inventory/adjust", {"product_id": "...", "quantity": -1, "reason": "sold"},
    ),
    "edit catalogue": ("POST", "/api/v1/products", {"sku": "WDG-001", "name": "Widget A"}),
    "buy": ("POST", "/api/v1/vendors", {"name": "Acme Supplies"}),
    "acknowledge alerts": ("POST", "/api/v1/alerts/.../acknowledge", None),
    "manage alerts": ("POST", "/api/v1/alerts/.../resolve", None),
    "train": ("POST", "/api/v1/predictions/train", {}),
    "delete catalogue": ("DELETE", "/api/v1/products/...", None),
}  # fmt: skip


def rights(line: Line) -> str:
    """What a key may do: Look, Move stock."""
    return ", ".join(MAY[right][0] for right in line.rights)


def limit(per_minute: int | None) -> str:
    """Requests a minute; those without a figure of their own have the one that the API is set to."""
    return ui.formats().number(per_minute) if per_minute else "usual"


def last_used(line: Line, now: datetime) -> str:
    return ui.formats().ago(line.last_used_at, now) if line.last_used_at else "never"


def ends(line: Line) -> str:
    """When a key ends, or did."""
    write = ui.formats()
    if line.revoked_at is not None:
        return write.moment(line.revoked_at)
    return last_day(line.expires_at) if line.expires_at else "no end"


def last_day(expires_at: datetime) -> str:
    """The day that was typed: a key counts to its end, which is the midnight that begins the next one."""
    write = ui.formats()
    last_moment = (expires_at - timedelta(seconds=1)).astimezone(ZoneInfo(write.time_zone))
    return write.day(last_moment.date())


def in_words(line: Line, now: datetime) -> str:
    """One key as Markdown."""
    write = ui.formats()
    made = f"Made by {line.created_by}, {write.moment(line.created_at)}"
    used = f"Last used {last_used(line, now)}" if line.last_used_at else "Never used yet"
    if line.last_address:
        used += f" from {line.last_address}"
    parts = [
        f"**{ui.safe_md(line.name)}**",
        f"{STATE[line.state]} · {ui.safe_md(line.shown)}…",
        ui.safe_md(f"Acts for {line.person} ({line.role})"),
        ui.safe_md(f"May: {rights(line)}"),
        ui.safe_md(f"Requests a minute: {limit(line.per_minute)}"),
        ui.safe_md(used),
        ui.safe_md(made),
    ]
    if line.revoked_at is not None:
        parts.append(ui.safe_md(f"Revoked by {line.revoked_by}, {write.moment(line.revoked_at)}"))
    elif line.expires_at is not None:
        word = "Last day was" if line.state == "expired" else "Last day"
        parts.append(ui.safe_md(f"{word} {last_day(line.expires_at)}"))
    return "  \n".join(parts)


def example(secret: str, given: tuple[str, ...]) -> str:
    """A command that uses a key, as far as its rights go."""
    method, path, body = next(EXAMPLES[one] for one in EXAMPLES if one in given)
    parts = [f"curl '{saving.api_address()}{path}'", f"-H 'Authorization: Bearer {secret}'"]
    if body is not None:
        parts.append(f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'")
    if method != "GET" and body is None:
        parts.append(f"-X {method}")
    return " \\\n  ".join(parts)
