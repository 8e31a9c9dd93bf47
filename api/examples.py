"""Examples of answers, made from their schemas: every field has a value that could be true.

The same names mean the same things all over the API, so most values are found by name; what has none is shown
by its type. Bodies of requests bring examples of their own (`schemas.example`).
"""

from typing import Any

DEEPEST = 8  # no schema of ours is nested so deeply; it only ends what would go round in circles

_MOMENT, _DAY, _UID = "2026-11-22T08:05:00Z", "2026-12-04", "3fa85f64-5717-4562-b3fc-2c963f66afa6"
BY_FORMAT = {"date-time": _MOMENT, "date": _DAY, "uuid": _UID, "binary": "(bytes)"}
BY_TYPE = {"string": "text", "integer": 1, "number": 12.5, "boolean": True, "null": None}

BY_NAME: dict[str, Any] = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9...", "action": "order",
    "address": "123 Main St", "age_seconds": 12, "alert_type": "low_stock", "barcode": "012345678905",
    "because": "Sold out at the vendor", "brand": "Acme", "category": "Electronics", "code": "BER",
    "command": None,
    "contact_email": "sales@acme.example", "contact_name": "Ada Smith", "contact_phone": "+1-555-0100",
    "counterpart_id": None, "currency": "EUR", "current_stock": 100, "demand_class": "smooth",
    "description": "A widget, blue", "detail": "The database answers.", "email": "user@example.com",
    "expires_in": 900, "expires_on": None, "full_name": "John Doe", "history_days": 401,
    "item_category": "Electronics", "item_sku": "WDG-001", "kind": "product", "location": "Hall 4",
    "message": "Widget A: 9 on hand, reorder at 20.", "model": "pool", "movement_type": "out",
    "name": "Widget A", "note": "Ramp 2", "notes": "Second delivery",
    "notify_emails": ["buyer@shop.example"], "notify_webhook": "https://hooks.shop.example/…",
    "number": "PO-2026-0042",
    "order_weekdays": [1, 3], "product_name": "Widget A", "product_sku": "WDG-001", "quantity": 10,
    "reason": "Sold to customer", "reason_code": "issue", "reference_id": "D-1007",
    "reference_type": "delivery", "refresh_token": "5yUEhSZlXWq3...", "replaced_by_id": None,
    "replaces_id": None, "reversed_by_id": None, "reverses_id": None, "role": "user",
    "service_percent": 95, "severity": "critical", "sku": "WDG-001", "status": "fine",
    "time_zone": "Europe/Berlin", "token_type": "bearer", "total_amount": 129.9, "unit_cost": 12.99,
    "unit_of_measure": "each", "unit_price": 19.9, "vendor_name": "Acme Supplies", "vendor_sku": "AC-4711",
    "warehouse_code": "BER",
}  # fmt: skip
# By how a name begins or ends, where the whole of it is not known.
BY_START: dict[str, Any] = {"chance": 0.12, "is_": True, "has_": True}
BY_END: dict[str, Any] = {
    "_by": "John Doe", "_days": 7, "_share": 0.92, "_because": "The stock is back.", "_id": 4711,
}  # fmt: skip
# What a field of that name is in one schema alone.
BY_PLACE: dict[tuple[str, str], Any] = {
    ("Alert", "status"): "active", ("Candidate", "name"): "Widget A, box of 12",
    ("Done", "detail"): "Signed out.", ("Health", "status"): "healthy", ("Movement", "quantity"): -10,
    ("Movement", "previous_stock"): 100, ("Movement", "new_stock"): 90, ("PartAnswer", "state"): "ok",
    ("Vendor", "name"): "Acme Supplies", ("Warehouse", "name"): "Berlin",
    ("ReorderVendor", "name"): "Acme Supplies", ("Transaction", "quantity"): 10,
    ("Transaction", "change"): -10, ("Transaction", "transaction_type"): "out",
}  # fmt: skip


PROBLEMS: dict[str, dict[str, Any]] = {
    status: {"error": error, "detail": detail, "type": kind}
    for status, error, detail, kind in (
        ("400", "Bad Request", "WDG-001: 9 asked for, 5 on hand.", "InsufficientStock"),
        ("401", "Unauthorized", "The access token has expired: refresh it.", "NotSignedIn"),
        ("403", "Forbidden", "Your role (viewer) may not move stock: ask a user.", "NotAllowed"),
        ("404", "Not Found", "There is no product with this id.", "NotFound"),
        ("409", "Conflict", "The key came again with another request.", "KeyReused"),
        ("413", "Content Too Large", "The body is too large.", "ContentTooLarge"),
        ("415", "Unsupported Media Type", "The body must be application/json.", "UnsupportedMediaType"),
        ("422", "Unprocessable Content", "body.unit_cost: must have at most 4 decimals", "ValidationError"),
        ("429", "Too Many Requests", "Too many requests: try again in 12 seconds.", "TooMany"),
        (
            "500",
            "Internal Server Error",
            "Something broke on our side; it is in the log as 5f3c.",
            "InternalError",
        ),
        (
            "503",
            "Service Unavailable",
            "The database is away or busy: try again in a moment.",
            "ServiceUnavailable",
        ),
    )
}
PROBLEMS["422"]["fields"] = [{"field": "body.unit_cost", "message": "must have at most 4 decimals"}]


def show(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give each answer in JSON, and each body, an example where it has none."""
    for status, answer in operation["responses"].items():
        told = answer.get("content", {}).get("application/json")
        if told is not None and not {"example", "examples"} & set(told):
            schema = told.get("schema", {})
            is_problem = schema.get("$ref", "").endswith("Problem")
            told["example"] = PROBLEMS[status] if is_problem else of(schema, schemas)
    for told in operation.get("requestBody", {}).get("content", {}).values():
        if not {"example", "examples"} & set(told):
            told["example"] = of(told["schema"], schemas)


def of(schema: dict[str, Any], schemas: dict[str, Any], depth: int = DEEPEST) -> Any:
    """A value that the schema allows; `schemas` are those it may refer to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _of_model(name, schemas[name], schemas, depth)
    for given in ("examples", "example"):
        if given in schema:
            return schema[given][0] if given == "examples" else schema[given]
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            kinds = schema[several]
            return of(next((one for one in kinds if one.get("type") != "null"), kinds[0]), schemas, depth)
    return _of_type(schema, schemas, depth)


def _of_type(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return [of(one, schemas, depth - 1) for one in schema["prefixItems"]]
        least = schema.get("minItems", 1)
        return (
            [of(schema["items"], schemas, depth - 1)] * max(least, 1) if depth and "items" in schema else []
        )
    if kind == "object":
        if "properties" in schema:
            return _of_model("", schema, schemas, depth)
        more = schema.get("additionalProperties")
        return {"name": of(more, schemas, depth - 1)} if isinstance(more, dict) and more else {}
    if kind == "string" and schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    value = BY_TYPE.get(kind or "null")
    return max(value, schema["minimum"]) if "minimum" in schema and value is not None else value


def _of_model(name: str, model: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    if model.get("examples"):
        return model["examples"][0]
    if "properties" not in model:
        return of(model, schemas, depth)
    return (
        {
            field: _of_field(name, field, schema, schemas, depth)
            for field, schema in model["properties"].items()
        }
        if depth
        else {}
    )


def _of_field(name: str, field: str, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    known = [BY_PLACE[name, field]] if (name, field) in BY_PLACE else []
    known += [BY_NAME[field]] if field in BY_NAME else []
    known += [value for start, value in BY_START.items() if field.startswith(start)]
    known += [value for end, value in BY_END.items() if field.endswith(end)]
    fitting = [value for value in known if _may_be(schema, value)]
    return fitting[0] if fitting else of(schema, schemas, depth - 1)


_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
}


def _may_be(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value found by its name is one that this field can have."""
    if "anyOf" in schema:
        return any(_may_be(one, value) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type", "")
    if kind == "string" and (schema.get("format") or "const" in schema):
        return False
    return isinstance(value, _TYPES.get(kind, ())) and (kind == "boolean" or not isinstance(value, bool))
