"""Who is signed in at the dashboard, asked by the proxy in front of it before a file passes."""

from fastapi import Request

from api.deps import Now, Public, Reading
from api.openapi import refusals
from api.routes import Router
from core import auth
from core.errors import NotSignedIn

router = Router("/api/v1/auth/browser", "auth")


@router.get("", status_code=204, dependencies=[Public], responses=refusals(401))
def browser(request: Request, session: Reading, now: Now) -> None:
    """204 when the cookie of this request is that of somebody signed in at the dashboard, else 401.

    For the proxy of `compose.yaml`: the dashboard itself hands files to anybody who knows their address.
    """
    if auth.who(session, request.cookies.get(auth.COOKIE), now) is None:
        raise NotSignedIn()
