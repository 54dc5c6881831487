"""TLS towards peers: one context for every channel, always verified, never below TLS 1.2."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from avow.errors import SetupError


def client_context(ca: Path | None = None) -> ssl.SSLContext:
    """A context that verifies chain and host name, against `ca` (a PEM file) alone or the system's authorities.

    Raises SetupError when `ca` cannot be read. Not `ssl.create_default_context`: that one writes session keys to the
    file that the environment variable SSLKEYLOGFILE names. The strict flags are Python 3.13's defaults, on every
    version. BCP 195 (RFC 9325) asks for TLS 1.2 or newer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    try:
        context.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"the certificate file {ca} cannot be used: {error.strerror or 'it holds no PEM certificate'}",
            help="give the PEM file of the authority that signs the peer's certificate",
        ) from None
    return context


def why(error: BaseException) -> str:
    """What a failed connection comes down to, in words that hold nothing of what was sent or answered."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__
    match cause:
        case ssl.SSLCertVerificationError():
            return f"its certificate did not verify ({cause.verify_message.rstrip('.')})"
        case ssl.SSLError():
            return f"TLS 1.2 or newer could not be agreed ({cause.reason or 'the connection was closed'})"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "its name could not be resolved"
        case ConnectionRefusedError():
            return "nothing listens there"
        case _:
            return "the connection was lost"
