"""The OpenAPI document: what FastAPI finds out, and every status that a route can answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import examples
from api.limits import FREE
from api.schemas import InputProblem, Problem

DESCRIPTION = """\
What runs out, when, and what to order. Sign in with `POST /api/v1/auth/login` and send the `access_token`
as `Authorization: Bearer ...`. Ids are UUIDs (movements: ascending integers), times UTC, quantities and
money exact decimals of at most 15 significant digits and 4 decimals. Unknown fields and query parameters
are refused. Lists are plain arrays that page with `skip` and `limit`; the header `X-Total-Count` says how
many there are. HEAD works wherever GET does.
"""

TAGS = [
    {"name": "auth", "description": "Who you are."},
    {"name": "products", "description": "What the shop sells."},
    {"name": "items", "description": "The same products in the words of an ERP."},
    {"name": "warehouses", "description": "Where stock lies."},
    {"name": "inventory", "description": "Stock that comes and goes."},
    {"name": "inventory-transactions", "description": "The same movements in the words of an ERP."},
    {"name": "barcode", "description": "What a code means, and whose it is."},
    {"name": "predictions", "description": "When stock runs out."},
    {"name": "vendors", "description": "From whom the shop buys, and what they ask."},
    {"name": "alerts", "description": "What somebody should see."},
    {"name": "ml", "description": "Data for models of your own, and scores from the shop's."},
    {"name": "anomalies", "description": "Movements that are probably slips, and their repairs."},
    {"name": "system", "description": "How the system is."},
    {"name": "orders", "description": "What was ordered, and what arrived of it."},
    {"name": "reorder", "description": "What to order, how much, from whom, by when, and why."},
    {"name": "downloads", "description": "Files that a page of the dashboard offered."},
]

WORDS = {
    "400": "A rule of the shop says no.",
    "401": "No token, or one that does not count (any more).",
    "403": "Your role is too weak, or your API key has not that right.",
    "404": "There is no such thing.",
    "413": "The body is too large.",
    "415": "The body is not of the media type that is read here.",
    "422": "Malformed: `fields` says where.",
    "409": "An idempotency key came again with another body.",
    "429": "Too many requests within a minute, or wrong passwords; `Retry-After` says when to come back.",
    "500": "Something broke on our side; `detail` has the id it has in the log.",
    "503": "The database is away or busy; `Retry-After` says when to come back.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Statuses beyond those every route of its kind has, for `responses=`."""
    return {status: {"model": Problem, "description": WORDS[str(status)]} for status in statuses}


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for model in (Problem, InputProblem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                _complete(path, operation)
                examples.show(operation, schemas)
                if method in ("patch", "put") and "requestBody" in operation:
                    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                    for field in schemas[body.rpartition("/")[2]]["properties"].values():
                        field.pop("default", None)  # what is left out stays as it is
        order = [tag["name"] for tag in TAGS]
        made["paths"] = dict(sorted(made["paths"].items(), key=lambda path: _place(path[1], order)))
        app.openapi_schema = made
    return app.openapi_schema


def _place(operations: dict[str, Any], order: list[str]) -> int:
    """Where a path stands: groups follow one another as the tags do."""
    return order.index(next(iter(operations.values()))["tags"][0])


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Add the statuses that follow from what the route is."""
    answers = operation["responses"]
    also = ["422", "500", "503"]
    if path not in FREE:
        also.append("429")
    if operation["x-right"] != "public":
        also += ["401", "403"]  # everybody signed in may read, but not every API key
    if "{" in path:
        also.append("404")
    if "requestBody" in operation:
        also += ["400", "413", "415"]
    for status in also:
        if status == "422" or status not in answers:
            answers[status] = _problem(status)
    operation["responses"] = dict(sorted(answers.items()))


def _problem(status: str) -> dict[str, Any]:
    model = "InputProblem" if status == "422" else "Problem"
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"description": WORDS[status], "content": {"application/json": {"schema": schema}}}
