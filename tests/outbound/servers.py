"""A server that says what a test tells it to, to every client: for answers that no decent peer gives."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator

from avow.testing.certificates import Authority

#: The newest version of TLS that BCP 195 forbids.
with warnings.catch_warnings():
    # Python warns of the name alone; that it is refused is what is to be shown.
    warnings.simplefilter("ignore", DeprecationWarning)
    TLS_1_1 = ssl.TLSVersion.TLSv1_1


def only(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Let a context speak nothing but an old version, with the ciphers that it needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")


def talk_tls_1_1(port: int, authority: Authority) -> str | None:
    """The version that a client of TLS 1.1 agrees with whoever listens at `port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.ca)
    only(context, TLS_1_1)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(b"\r\n")
        return client.version()


class Served:
    """Where the server is, and what it read."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.read = b""


@contextlib.contextmanager
def served(
    speak: Callable[[socket.socket], object],
    authority: Authority | None = None,
    version: ssl.TLSVersion | None = None,
    *,
    listens: bool = True,
) -> Iterator[Served]:
    """Accept clients, with TLS if an authority is given, read once (unless `listens` is off), then `speak`."""
    context: ssl.SSLContext | None = None
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("served"))
        if version is not None:
            only(context, version)
    listener = socket.create_server(("127.0.0.1", 0))
    state = Served(listener.getsockname()[1])
    clients: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                if context is not None:
                    client = context.wrap_socket(client, server_side=True)
                clients.append(client)
                if listens:
                    state.read += client.recv(65536)
                speak(client)
            client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        # Closing alone does not wake a thread that accepts or reads.
        for each in (listener, *clients):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        listener.close()
        thread.join()
