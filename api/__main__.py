"""`python -m api`: print `docs/api.md`, made from the OpenAPI document."""

import sys
from collections.abc import Iterator
from typing import Any

from api.main import app


def page(document: dict[str, Any]) -> str:
    """The page that lists every endpoint, grouped as the document groups them."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield "# The API"
    yield ""
    yield "<!-- Made by `python -m api > docs/api.md`; a test holds it against the code. -->"
    yield ""
    yield document["info"]["description"].strip()
    yield ""
    yield "The same in full, with schemas and examples: `/docs` and `/openapi.json` of a running API."
    for tag in document["tags"]:
        found = [
            (path, method, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if operation["tags"] == [tag["name"]]
        ]
        if found:
            yield from ("", f"## {tag['name']}", "", tag["description"], "")
            yield "| Endpoint | What it does | Right | Parameters | Answers |"
            yield "|---|---|---|---|---|"
            for path, method, operation in found:
                yield _row(document, path, method, operation)


def _row(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    first = operation.get("description", "").strip().split("\n\n")[0].replace("\n", " ")
    cells = (
        f"`{method.upper()} {path}`",
        first,
        operation["x-right"],
        "<br>".join([*_parameters(operation), *_fields(document, operation)]),
        " ".join(operation["responses"]),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _parameters(operation: dict[str, Any]) -> list[str]:
    found: dict[str, list[str]] = {"query": [], "header": []}
    for parameter in operation.get("parameters", ()):
        found.get(parameter["in"], []).append(f"`{parameter['name']}`")
    return [f"{kind}: {', '.join(names)}" for kind, names in found.items() if names]


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    kind, told = next(iter(content.items()), ("", {}))
    body = told.get("schema", {})
    if "$ref" not in body:
        return []
    schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    names = [f"`{name}`" + ("" if name in required else "?") for name in schema.get("properties", ())]
    what = "form" if kind.startswith("multipart/") else "body"
    return [f"{what}: {', '.join(names)}"] if names else []


if __name__ == "__main__":
    sys.stdout.write(page(app.openapi()))
