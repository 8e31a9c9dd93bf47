"""The pages that show the OpenAPI document, `/docs` and `/redoc`, without the internet.

Their scripts come from a package that is installed with us (fastapi-offline), never from another host. No
script stands in a page itself, so that the policy of the page can forbid those.
"""

import json
from importlib.util import find_spec
from os import PathLike, stat_result
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FILES = "/docs/files"
START = "/docs/start.js"
# The libraries write their styles into the page as they draw it; ReDoc searches in a worker made of a text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{files}/favicon.png">
{styles}
</head>
<body>
<noscript>This page is drawn by a script. The same without one: <a href="{document}">{document}</a></noscript>
{body}
</body>
</html>
"""


class _Files(StaticFiles):
    """Files that a browser keeps and asks about: after an upgrade it sees the new ones."""

    def file_response(
        self, full_path: PathLike[str] | str, stat: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        answer = super().file_response(full_path, stat, scope, status_code)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def install(app: FastAPI) -> None:
    """Let the app show its document at `/docs` and `/redoc`."""

    def shown(name: str, styles: str, body: str) -> HTMLResponse:
        about = {"title": f"{app.title}: {name}", "files": FILES, "document": app.openapi_url}
        text = _PAGE.format(styles=styles, body=body.format(**about), **about)
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})

    async def docs(_request: Request) -> Response:
        return shown(
            "the API to try out",
            f'<link rel="stylesheet" href="{FILES}/swagger-ui.css">',
            f'<div id="api"></div>\n<script src="{FILES}/swagger-ui-bundle.js"></script>\n'
            f'<script src="{START}"></script>',
        )

    async def start(_request: Request) -> Response:
        chosen = {"url": app.openapi_url, "dom_id": "#api", "deepLinking": True, "docExpansion": "none",
                  "displayRequestDuration": True, "filter": True, "validatorUrl": None}  # fmt: skip
        return Response(f"SwaggerUIBundle({json.dumps(chosen)});\n", media_type="text/javascript")

    async def redoc(_request: Request) -> Response:
        return shown(
            "the API to read",
            "<style>body { margin: 0 }</style>",
            '<redoc spec-url="{document}"></redoc>\n<script src="{files}/redoc.standalone.js"></script>',
        )

    app.add_route("/docs", docs)
    app.add_route(START, start)
    app.add_route("/redoc", redoc)
    app.mount(FILES, _Files(directory=_folder()))


def _folder() -> Path:
    """Where the package keeps its files, found without importing it."""
    found = find_spec("fastapi_offline")
    if found is None or found.origin is None:
        raise RuntimeError("The package fastapi-offline is missing: install the requirements.")
    return Path(found.origin).parent / "static"
