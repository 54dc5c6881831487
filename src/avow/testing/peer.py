"""What every peer has in common: a listener in a thread of its own, a certificate, and ways to misbehave.

with Carrier() as carrier:
    channel = HttpsChannel(carrier.url, ca=carrier.ca)
    carrier.fails_midway = True  # takes what comes, and hangs up instead of answering
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import deque
from pathlib import Path
from typing import Generic, Self, TypeVar

from avow.errors import SetupError
from avow.testing.certificates import Authority, Issued

#: How many of the latest arrivals a peer keeps. They are kept in memory only.
LATEST = 200

#: Connections that may wait to be accepted.
BACKLOG = 512

T = TypeVar("T")


class Listener(ABC):
    """A server on 127.0.0.1 with an event loop and a thread of its own, open between `with` and its end.

    `port` 0 takes a free one. Raises SetupError on entering when the port is taken.
    """

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self._port = port
        self._listener: asyncio.Server | None = None
        self._failure: OSError | None = None

    @abstractmethod
    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener on 127.0.0.1."""

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before it opens, if a free one was asked for."""
        return self._port

    @property
    def down(self) -> bool:
        """True while nothing listens at the port."""
        return self._listener is None

    @down.setter
    def down(self, down: bool) -> None:
        if down != self.down:
            turned = asyncio.run_coroutine_threadsafe(self._close() if down else self._open(), self._loop)
            turned.result()

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=f"peer {self.name}", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise SetupError(
                f"{self.name} cannot listen on 127.0.0.1:{self._port}: {self._failure.strerror}",
                help="choose another port, or 0 for a free one",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            await self._open()
        except OSError as error:
            self._failure = error
            return
        finally:
            ready.set()
        await self._stop.wait()
        await self._close()

    async def _open(self) -> None:
        self._listener = await self.listen(self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


class Receiver(Listener, Generic[T]):
    """A listener that keeps what arrives. `received` holds what it took, oldest first.

    The switches may be turned while it runs: `slow` (seconds before each answer), `down` (nothing listens), `nonsense`
    (True, or the very bytes to send in place of an answer), `fails_midway` (hangs up in place of an answer). A slow,
    nonsensical or failing peer has *taken* what it was sent: that is what makes it hard on a sender.
    """

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(name, port)
        self.slow = 0.0
        self.nonsense: bool | bytes = False
        self.fails_midway = False
        self._latest: deque[T] = deque(maxlen=LATEST)
        self._count = 0
        self._arrived = threading.Condition()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is reached, scheme and path included."""

    @property
    def received(self) -> tuple[T, ...]:
        """The latest arrivals, oldest first."""
        with self._arrived:
            return tuple(self._latest)

    def wait_for(self, count: int, timeout: float = 10.0) -> tuple[T, ...]:
        """`received`, once `count` have arrived in all. Raises TimeoutError that says how many did."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._count >= count, timeout):
                raise TimeoutError(f"{self.name} got {self._count} of {count} within {timeout} s")
            return tuple(self._latest)

    def take(self, arrival: T) -> None:
        """Keep one arrival."""
        with self._arrived:
            self._latest.append(arrival)
            self._count += 1
            self._arrived.notify_all()


class Peer(Receiver[T]):
    """A receiver with a certificate.

    Without an `authority` it makes one in a temporary folder; `ca` is the file to trust. `certificate` replaces the
    one that the authority would issue (an expired one, say).
    """

    def __init__(
        self, authority: Authority | None = None, *, name: str, port: int = 0, certificate: Issued | None = None
    ) -> None:
        super().__init__(name, port)
        if authority is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="avow-peer-")
            authority = Authority.create(Path(self._scratch.name))
        self.ca = authority.ca
        self.context = _server_context(certificate or authority.issue(name))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def _server_context(issued: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(issued.certificate, issued.key)
    return context
