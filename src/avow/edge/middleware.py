"""The edge: pure ASGI middleware around a service, and the one door through which answers leave.

For each request, in this order:

1. the request is stripped (`intake`), the name under which it asks looked at (`host`), its route's declaration found;
   who asks for a page of the staff's has to prove to be one of them, before anything else is read; the body is read
   up to a limit;
2. a form that did not come from the site itself is turned away (CSRF);
3. a unit of work is opened for the route's role, purpose and place, and the service answers within it;
   its whole answer is held back;
4. what was opened explicitly is searched for in the answer, an undeclared cookie is refused, markers are
   judged; the unit is committed; only then are markers filled in and the first byte sent.

When anything is refused on the way, the unit is rolled back and a page says so, with the sentence.
Middleware and not a dependency of a framework: there the unit's context would be lost before the
answer is written.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from anyio import CancelScope, CapacityLimiter, sleep_forever
from anyio.to_thread import run_sync
from starlette.routing import Router

from avow.edge.acts import Acts, match
from avow.edge.cookies import Cookies, cookie_term
from avow.edge.exits import check_exits
from avow.edge.headers import security_headers
from avow.edge.host import is_own_host
from avow.edge.intake import LARGEST_BODY, Intake, take_in
from avow.edge.notices import check_notices
from avow.edge.one_click import is_one_click
from avow.edge.pages import fill_answer
from avow.edge.staff import Staff, Turned
from avow.edge.visits import Visits
from avow.errors import AvowError, OnlyReads, Refused
from avow.vault.unit import Unit

log = logging.getLogger("avow.edge")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Requests that are worked on at once; the others wait before they hold anything. Fewer than anyio's 40 threads: who
#: has the database's write lock and needs a thread to give it back must find one, whoever else waits for the lock.
AT_ONCE = 32

#: Passwords of staff that are looked at at once: each takes 19 MiB and a processor.
HASHES_AT_ONCE = 2

#: Bytes of the largest answer that is held back for judging.
LARGEST_ANSWER = 8 * 1024 * 1024


class Answer:
    """What the service answered, held back until it may leave."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        """Stands in for the server's `send`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(k).lower(), bytes(v)) for k, v in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if len(self.body) > LARGEST_ANSWER:
                raise Refused("an answer is too large to be judged", help="serve large files as static files")

    def header(self, name: bytes) -> bytes:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    @property
    def kind(self) -> str:
        """What kind of text it is: the content type without parameters, in lower case."""
        return self.header(b"content-type").partition(b";")[0].strip().lower().decode("latin-1")


#: Makes the answer to a request that cannot be served: status, title, words, and the error if there is one.
ErrorPage = Callable[[int, str, str, AvowError | None], str]


class Edge:
    """Wraps a starlette-style application: anything with `routes` that declare what they are for.

    Args:
        open_unit: opens a unit for a declaration and a request; whether it only reads comes third.
        check_form: whether a form was sent from the site itself.
        session_of: what the browser proves to be logged in with, where the policy lets that be looked at; else nothing.
        base: how the site is reached from outside.
        error_page: writes the page for what cannot be served.
        staff: who lets members of staff in, to the routes that are declared for them.
        plain_refused: the policy's refusal of what is entered over an unencrypted connection, for that page.
    """

    def __init__(
        self,
        app: Router,
        *,
        open_unit: Callable[[Acts, Intake, bool], Unit],
        check_form: Callable[[Intake], bool],
        session_of: Callable[[Acts, Intake], str],
        error_page: ErrorPage,
        base: str,
        visits: Visits | None,
        staff: Staff,
        plain_refused: AvowError | None = None,
    ) -> None:
        self.app = app
        self.open_unit = open_unit
        self.check_form = check_form
        self.session_of = session_of
        self.base = base
        self.error_page = error_page
        self.visits = visits
        self.staff = staff
        self._desk = CapacityLimiter(HASHES_AT_ONCE)
        self._room = CapacityLimiter(AT_ONCE)
        self.plain_refused = plain_refused
        # The routes that have written on a GET, by the identity of their declarations.
        self._writing: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the module."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        intake, stripped = take_in(scope)
        declaration = match(self.app.routes, stripped)
        if intake.channel == "http":
            # Not a redirect: whoever followed one would have asked in the clear already.
            words = "This site answers over HTTPS only."
            answer = self._failure(intake, 426, "Use an encrypted connection", words, self.plain_refused)
            answer.headers.append((b"upgrade", b"TLS/1.2"))
        elif not is_own_host(intake.headers.get("host", ""), self.base, scope):
            words = "This site is not called what your browser asked for. Please go to its own address."
            answer = self._failure(intake, 421, "This is another site", words)
        elif declaration is None:
            answer = self._failure(intake, 404, "There is no such page", "The address leads nowhere on this site.")
        elif declaration.public:
            return await self._pass(stripped, receive, send, intake)
        else:
            intake.session = self.session_of(declaration, intake)
            turned = await self._turned(declaration, intake)
            answer = turned or await self._judged(declaration, intake, stripped, receive)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        return await send({"type": "http.response.body", "body": bytes(answer.body)})

    async def _turned(self, declaration: Acts, intake: Intake) -> Answer | None:
        """The page for who may not come to a desk; None for who may, and where there is none."""
        authorization, intake.authorization = intake.authorization, None
        if not declaration.staff:
            return None
        try:
            found = await run_sync(self.staff.admit, authorization, declaration.staff, limiter=self._desk)
        except Exception:
            log.exception("the staff cannot be let in")
            found = Turned(500, "This did not work", "Something is wrong with how this desk lets people in.")
        if not isinstance(found, Turned):
            intake.member = found
            return None
        answer = self._failure(intake, found.status, found.title, found.words)
        answer.headers += found.headers
        return answer

    async def _judged(self, declaration: Acts, intake: Intake, scope: Scope, receive: Receive) -> Answer:
        """The answer of the service as far as it may leave, or the page that says why it may not."""
        body = await _read(receive)
        if body is None:
            return self._failure(intake, 413, "Too much at once", "The form is larger than this site takes.")
        intake.body = body
        one_click = declaration.one_click and is_one_click(intake)  # its secret address shows that it may
        if intake.method not in ("GET", "HEAD", "OPTIONS") and not one_click and not self.check_form(intake):
            words = "The form was not sent from this site, or is too old. Go back, reload the page and send it again."
            return self._failure(intake, 403, "Please send the form again", words)
        async with self._room:  # not before: who sends slowly keeps nobody else waiting
            if not self._reads(declaration, intake):
                return await self._worked(declaration, intake, scope)
            try:
                return await self._worked(declaration, intake, {**scope}, reads=True)
            except OnlyReads:  # nothing was done: it is done once more, and from now on in a unit that may write
                self._writing.add(id(declaration))
                return await self._worked(declaration, intake, scope)

    def _reads(self, declaration: Acts, intake: Intake) -> bool:
        """Whether this is thought to write nothing, as most of what is asked by GET."""
        notes = self.visits is not None and not intake.visit["inside"]
        return intake.method in ("GET", "HEAD") and not notes and id(declaration) not in self._writing

    async def _worked(self, declaration: Acts, intake: Intake, scope: Scope, *, reads: bool = False) -> Answer:
        """The service's answer, made within a unit of work.

        Raises:
            OnlyReads: the unit was to read only, and something was to be written.
        """
        unit = self.open_unit(declaration, intake, reads)
        unit.enter()
        answer, cookies = Answer(), Cookies(unit, intake)
        done = False
        try:
            scope["avow"] = (unit, intake, cookies)
            await self.app(scope, _replay(intake.body), answer.take)
            await run_sync(self._finish, unit, intake, cookies, answer)
            done = True
        except OnlyReads:
            raise
        except Refused as refused:
            words = "The privacy policy of this site does not allow what this page was about to do."
            return self._failure(intake, 403, "This was not done", words, refused)
        except Exception:
            log.exception("a page failed: %s %s", intake.method, declaration.place)
            words = "Something went wrong on our side. Please look whether it was done before you try again."
            return self._failure(intake, 500, "This did not work", words)
        finally:
            unit.leave()
            with CancelScope(shield=True):  # what was refused is written down whoever hangs up
                await run_sync(_end, unit, done)
        return answer

    def _finish(self, unit: Unit, intake: Intake, cookies: Cookies, answer: Answer) -> None:
        """Judge what is about to leave, make the unit durable, and only then write the values in."""
        for name, value in answer.headers:
            if name == b"set-cookie":
                unit.judge(
                    "set", cookie_term(unit, value.partition(b"=")[0].decode("latin-1").strip()), place=unit.place
                )
                raise Refused("a cookie was set past work.set_cookie", help="use work.set_cookie: it is judged there")
        check_exits(unit, [*answer.headers, *cookies.headers()], bytes(answer.body))
        page = answer.status < 400 and answer.kind == "text/html"
        if page:
            check_notices(unit, answer.body.decode(), unit.place)
        if page and self.visits is not None:
            self.visits.note(unit, intake)
        answer.body = bytearray(fill_answer(unit, answer.kind, bytes(answer.body)))
        answer.headers = [
            (k, v) for k, v in answer.headers if k not in (b"content-length", b"server", b"etag", b"last-modified")
        ]
        answer.headers += [(b"content-length", b"%d" % len(answer.body)), *cookies.headers(), *_security(intake)]

    async def _pass(self, scope: Scope, receive: Receive, send: Send, intake: Intake) -> None:
        """Files that carry nothing personal: stripped on the way in, with the site's headers on the way out."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_security(intake, personal=False)]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def _failure(self, intake: Intake, status: int, title: str, words: str, error: AvowError | None = None) -> Answer:
        answer = Answer()
        answer.status = status
        answer.body += self.error_page(status, title, words, error).encode()
        answer.headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(answer.body)),
            *_security(intake),
        ]
        return answer


def _end(unit: Unit, done: bool) -> None:
    if not done:
        unit.rollback()
    unit.end()


def _security(intake: Intake, *, personal: bool = True) -> list[tuple[bytes, bytes]]:
    return security_headers(intake.channel == "https", personal)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than a form may be."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes) -> Receive:
    """A `receive` that gives the body once more, to applications that read it themselves."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await sleep_forever()  # a disconnect would end an answer that is streamed
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
