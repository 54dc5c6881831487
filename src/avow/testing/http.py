"""Just enough of an HTTP server for peers: one request a connection, parsed by h11, nothing logged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import h11

from avow.errors import AvowError
from avow.testing.peer import BACKLOG, Peer

#: Bytes of the longest request body that is read.
BODY_LIMIT = 64 * 1024

#: Seconds that a client has to send its request.
PATIENCE = 10.0

NONSENSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>It works!</h1>"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


#: Takes a request; gives an answer, the bytes to send as they are, or None to hang up.
Answer = Callable[[Request], Awaitable[Response | bytes | None]]


class Malformed(AvowError):
    """A request that is not of the peer's protocol. The message names the fault, never a value."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def reply(status: int, /, **values: Any) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(values).encode())


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises Malformed."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value


async def read_request(reader: asyncio.StreamReader, connection: h11.Connection) -> Request | None:
    """The next request, or None when the client went away. Raises h11.RemoteProtocolError, Malformed (too large)."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT:
                raise Malformed(f"the body is larger than {BODY_LIMIT:,} bytes", 413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("latin-1"), head.target.decode("latin-1"), headers, body)
        else:
            return None


def write_response(connection: h11.Connection, response: Response) -> bytes:
    """The bytes of an answer after which the connection closes."""
    headers = {"Content-Type": response.kind, "Content-Length": str(len(response.body)), "Connection": "close"}
    head = h11.Response(status_code=response.status, headers=list({**headers, **response.headers}.items()))
    parts = (head, h11.Data(data=response.body), h11.EndOfMessage())
    return b"".join(part for part in map(connection.send, parts) if part)


async def serve(answer: Answer, port: int, context: ssl.SSLContext | None = None) -> asyncio.Server:
    """Listen on 127.0.0.1 and give every request to `answer`; without a context, plain HTTP."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that hangs up, or talks anything but HTTP, is no news: these peers are there to be tested against.
        with contextlib.suppress(OSError, h11.ProtocolError):
            await _talk(answer, reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return await asyncio.start_server(connected, "127.0.0.1", port, ssl=context, backlog=BACKLOG)


async def _talk(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h11.Connection(h11.SERVER)
    try:
        async with asyncio.timeout(PATIENCE):
            request = await read_request(reader, connection)
        response = None if request is None else await answer(request)
    except Malformed as error:
        response = reply(error.status, error=str(error))
    if isinstance(response, Response):
        response = write_response(connection, response)
    if response is not None:
        writer.write(response)
        await writer.drain()


class HttpsPeer(Peer[T]):
    """A peer that takes JSON over HTTPS. Subclasses say what they answer."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Take one request. Raises Malformed."""

    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener."""
        return await serve(self._answer, port, self.context)

    async def _answer(self, request: Request) -> Response | bytes | None:
        response = self.answer(request)
        await asyncio.sleep(self.slow)
        if self.fails_midway:
            return None
        if self.nonsense:
            return NONSENSE if self.nonsense is True else self.nonsense
        return response
