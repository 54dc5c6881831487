"""The ledger's log over HTTP, on every site: `/log/checkpoint`, `/log/tile/…`, `/log/key`.

Nothing of it is personal, so that no unit of work is opened, nothing is judged, and no cookie is read or set. It is the
same for everybody, and whoever likes may keep a copy of it.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.responses import PlainTextResponse, Response

from avow.errors import AvowError, LogError
from avow.ledger.public import Given

if TYPE_CHECKING:
    from avow.edge.middleware import Receive, Send
    from avow.site.site import Site

log = logging.getLogger("avow.log")

#: Where the log is served.
PATH: Final = "/log"

#: Requests that are worked on at once: who copies a log must not take the threads that pages need.
_AT_ONCE: Final = 4

_WHAT: Final = (
    "This is the log of this site's ledger, a transparency log (C2SP tlog-tiles): /log/checkpoint, /log/key, "
    "/log/tile/0/000, /log/tile/entries/000 and so on.\n"
)


class LogPages:
    """The ASGI application that gives out the log of an opened site."""

    __avow_public__ = True

    def __init__(self, site: Site) -> None:
        self._site = site
        self._room = CapacityLimiter(_AT_ONCE)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).removeprefix("/")
        if scope["method"] in ("GET", "HEAD"):
            answer = await run_sync(self._answer, path, limiter=self._room)
        else:
            answer = PlainTextResponse("The log is only read.\n", 405, {"allow": "GET, HEAD"})
        await answer(scope, receive, send)

    def _answer(self, path: str) -> Response:
        try:
            given = self._site.opened.log.give(path)
        except LogError as error:
            return PlainTextResponse(f"{error}\n\n{_WHAT}", 404, {"cache-control": "no-cache"})
        except AvowError:
            log.exception("the log cannot be given out")
            words = "The log cannot be given out just now. Please try again later.\n"
            return PlainTextResponse(words, 503, {"cache-control": "no-store"})
        return Response(given.body, 200, {"cache-control": _caching(given)}, given.kind)


def _caching(given: Given) -> str:
    return "public, max-age=31536000, immutable" if given.lasting else "no-cache"
