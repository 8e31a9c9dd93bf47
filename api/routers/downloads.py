"""Files that a page of the dashboard offered: one link, one download, in the browser that asked for it."""

from collections.abc import Generator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Request, Response

from api import streaming
from api.deps import Now, Public
from api.openapi import refusals
from api.routes import Router
from core import auth, downloads, file_names
from core.datasets import writing
from db.session import reading, transaction

router = Router("/api/v1/downloads", "downloads")

# The page fetches it in a hidden frame, which may stand at another port: what is saved is never shown in it.
_FRAMED = "default-src 'none'; frame-ancestors *; base-uri 'none'; form-action 'none'"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FOUND = {
    "description": "The file; `Content-Disposition` has its name.",
    "content": {form.media_type.partition(";")[0]: _FILE for form in writing.FORMS.values()}
    | {"application/pdf": _FILE},
}


@router.get(
    "/{ticket}",
    dependencies=[Public],
    response_class=Response,
    responses={200: _FOUND} | refusals(401, 403, 404),
)
def download(
    request: Request,
    ticket: Annotated[
        str, Path(max_length=downloads.TOKEN_CHARACTERS, description="What the page of the dashboard made.")
    ],
    now: Now,
) -> Any:
    """The file of a ticket: it works once, for 60 seconds, and only with the cookie of its sign-in.

    No access token is asked for: the dashboard's cookie says who it is. A ticket that is unknown, used,
    expired or somebody else's is a 404, all in the same words.
    """
    cookie = request.cookies.get(auth.COOKIE)
    with reading() as session:
        offered = downloads.look_at(session, ticket, cookie, now)
    request.state.person = str(offered.person)
    headers = {
        "Content-Disposition": file_names.content_disposition(offered.file_name),
        "Content-Security-Policy": _FRAMED,
    }
    if request.scope.get("is_head"):  # to look does not use it up
        return Response(media_type=offered.media_type, headers=headers)
    if offered.is_made:
        with transaction() as session:
            content = b"".join(downloads.take(session, ticket, cookie, now).pieces(reading))
        return Response(content, media_type=offered.media_type, headers=headers)
    return streaming.Pieces(_pieces(ticket, cookie, now), offered.media_type, headers)


def _pieces(ticket: str, cookie: str | None, now: datetime) -> Generator[bytes, None, None]:
    """The ticket is used up first, in a transaction that is over before the table is read."""
    with transaction() as session:
        taken = downloads.take(session, ticket, cookie, now)
    yield from taken.pieces(reading)
