"""JSON over HTTPS to one declared peer.

What is known afterwards is exact, because the moment of the first byte is: a failure before it is `Unreachable`,
one after it `OutcomeUnknown`. One request uses one connection: a kept one may have been closed by the peer a moment
ago, and then nobody could tell whether a payment went out. httpcore is httpx's own transport, without what must not
happen here anyway: redirects, proxies taken from the environment, cookies, decompression.

    channel = HttpsChannel("https://carrier.example/labels")
    channel.post({"reference": "7"}, idempotency="7")        # {"tracking": "…"}
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import httpcore

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, SetupError, Unreachable
from avow.outbound.endpoint import Deadline, Endpoint
from avow.outbound.tls import client_context, why

#: Bytes of the longest answer that is read.
ANSWER_LIMIT = 64 * 1024

#: Refusals that may pass: timeout, same key still in progress (draft-ietf-httpapi-idempotency-key-header), too
#: early, too many requests. The outbox tries again, with the same key.
_NOT_FOR_GOOD = frozenset({408, 409, 425, 429})

# At debug level httpcore writes out the peer's status line and headers, and a peer may quote there what it was sent.
for _name in ("connection", "http11"):
    # A filter stays: `disabled` and a level are reset by whoever configures logging later, such as uvicorn.
    logging.getLogger(f"httpcore.{_name}").addFilter(lambda record: False)

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class HttpsChannel:
    """One peer that takes JSON over HTTPS. Safe to share between threads.

    `ca` is the PEM file of the only authority to trust, or None for the system's. `timeout` is seconds for a
    whole exchange, from connecting to the last byte of the answer. Raises SetupError for any URL that is not https.
    """

    #: The schemes that an address may have, with their usual ports.
    SCHEMES: ClassVar[Mapping[str, int]] = {"https": 443}

    def __init__(self, url: str, ca: Path | None = None, timeout: float = 10.0) -> None:
        self.endpoint = Endpoint.parse(url, self.SCHEMES)
        self.timeout = timeout
        self._context = client_context(ca)

    def post(self, body: Mapping[str, Any], *, idempotency: str) -> dict[str, Any]:
        """Send `body` to the channel's URL and return the peer's JSON object.

        `idempotency` names the attempt: a peer that has seen it answers as before and does nothing twice. Raises
        Unreachable (nothing was sent), Rejected (4xx), or OutcomeUnknown (sent, and no usable answer: timeout,
        redirect, 5xx, not a JSON object, larger than ANSWER_LIMIT).
        """
        if not _TOKEN.fullmatch(idempotency):
            raise SetupError("an idempotency key is 1 to 128 letters, digits, dots, dashes, underscores or tildes")
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency}
        content = json.dumps(body, allow_nan=False).encode()
        status, answer = self._talk("POST", self.endpoint.path or "/", headers, content)
        if answer is None:
            raise self._refusal(status)
        return answer

    def get(self, path: str) -> dict[str, Any] | None:
        """The JSON object at `path` below the channel's URL, or None when the peer knows none (404).

        `path` is data: it is quoted, and cannot leave the channel's URL. Errors as for `post`.
        """
        if not path or any(step in {"", ".", ".."} for step in path.split("/")):
            raise SetupError("a path below a peer's address has no empty, `.` or `..` steps")
        status, answer = self._talk("GET", f"{self.endpoint.path}/{quote(path)}", {}, b"")
        if answer is None and status != 404:
            raise self._refusal(status)
        return answer

    def _talk(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, dict[str, Any] | None]:
        line = _Line(Deadline(self.timeout))
        try:
            return self._exchange(line, method, target, headers, content)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            reason = why(error)
        except _Nonsense as error:
            reason = str(error)
        # Raised outside of the handler: the parser's own error may quote the answer, and must not hang on to ours.
        failure: DeliveryError
        if line.sent:
            failure = OutcomeUnknown(f"{self.endpoint} was sent the request, but {reason}")
        else:
            failure = Unreachable(f"{self.endpoint} could not be reached: {reason}; nothing was sent")
        raise failure

    def _exchange(
        self, line: _Line, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, dict[str, Any] | None]:
        url = httpcore.URL(scheme="https", host=self.endpoint.host, port=self.endpoint.port, target=target)
        sent = {"Host": self.endpoint.authority, "Accept": "application/json", "Connection": "close", **headers}
        with (
            httpcore.HTTPConnection(url.origin, ssl_context=self._context, network_backend=line) as connection,
            connection.stream(method, url, headers=list(sent.items()), content=content) as response,
        ):
            if not 200 <= response.status < 300:
                return response.status, None
            answer = b""
            for chunk in response.iter_stream():
                answer += chunk
                if len(answer) > ANSWER_LIMIT:
                    raise _Nonsense(f"its answer is larger than {ANSWER_LIMIT:,} bytes")
            return response.status, _json_object(answer)

    def _refusal(self, status: int) -> DeliveryError:
        if 400 <= status < 500 and status not in _NOT_FOR_GOOD:
            return Rejected(f"{self.endpoint} refused the request with {status}; the same again is refused again")
        if 300 <= status < 400:
            return OutcomeUnknown(f"{self.endpoint} answered {status}, a redirect, and redirects are not followed")
        return OutcomeUnknown(f"{self.endpoint} answered {status}; what it did with the request is not known")


class _Nonsense(Exception):
    """An answer that cannot be used. Its text never quotes the answer."""


def _json_object(answer: bytes) -> dict[str, Any]:
    try:
        value = json.loads(answer)
        # NaN and lone surrogates parse, and would fail later, wherever the answer is stored.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _Nonsense("its answer is not a JSON object")
    return value


class _Line(httpcore.NetworkBackend):
    """Connects under one deadline and remembers whether a byte of the request went out."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.sent = False
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._backend.connect_tcp(host, port, self.deadline.left()), self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, line: _Line) -> None:
        self._stream = stream
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._line.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._line.sent = True
        self._stream.write(buffer, self._line.deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._line.deadline.left()), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
