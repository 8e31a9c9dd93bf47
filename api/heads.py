"""HEAD works wherever GET does: the same status and headers, without the body."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadIsOut(OSError):
    """What a server's `send` raises when the client is gone: makers of pieces know what to do then."""


class HeadAsGet:
    """The innermost layer: asks as GET and lets only the head of the answer out.

    An answer that comes in pieces is not made to its end: to its maker it looks as if the client went away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        is_out = False

        async def only_head(message: Message) -> None:
            nonlocal is_out
            if message["type"] == "http.response.start":
                await send(message)
            elif not is_out:
                is_out = True
                await send({"type": "http.response.body", "body": b""})
            if message.get("more_body"):
                raise _HeadIsOut

        asked = dict(scope, method="GET", is_head=True)  # for a route whose GET works once only
        try:
            await self.app(asked, receive, only_head)
        except (ClientDisconnect, _HeadIsOut):
            if not is_out:
                raise
        finally:  # the layers around this one name the route in the log
            scope.update(
                {name: asked[name] for name in ("route", "endpoint", "path_params") if name in asked}
            )
