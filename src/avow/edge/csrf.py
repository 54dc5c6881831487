"""Requests that another site made the browser send: told by a token in the form, and by what the browser says itself.

The token is stateless: expiry ‖ random ‖ HMAC-SHA256 over both and over what it is bound to, in base64url. `binding` is
the value of the session or cart cookie, so that a token taken from one browser serves in no other; a visitor without a
cookie has the empty binding. The random part keeps the token from being guessed through compression (BREACH).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

#: How long a form may stay open, in seconds.
LIFETIME = 8 * 60 * 60

_DOMAIN = b"avow csrf 1\0"  # the secret may serve nothing else, and if it does, not with this text
_HEAD, _MAC = 5 + 11, 32  # expiry in seconds, random bytes; together a multiple of 3, so base64 needs no padding
_PORTS = {"http": 80, "https": 443}


def issue(secret: bytes, binding: str, now: float) -> str:
    """A token for one form, good until `now` (Unix seconds) + LIFETIME."""
    head = int(now + LIFETIME).to_bytes(5, "big") + secrets.token_bytes(11)
    return base64.urlsafe_b64encode(head + _mac(secret, binding, head)).decode()


def verify(secret: bytes, binding: str, token: str, now: float) -> bool:
    """True when `token` was issued with this secret for this binding and has not expired. Never raises."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    head, mac = raw[:_HEAD], raw[_HEAD:]
    genuine = hmac.compare_digest(mac, _mac(secret, binding, head))
    return genuine and now < int.from_bytes(head[:5], "big")


def same_origin(headers: Mapping[str, str], own_origin: str) -> bool:
    """Whether the browser says that the request comes from a page of `own_origin` ("https://shop.example").

    `headers` has lower-case names. `Sec-Fetch-Site` and `Origin` must both agree where they are sent, and one of them
    must be: every browser sends `Origin` with a POST. `Sec-Fetch-Site: none` is the person's own act (a reload).
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or (_origin(origin) is not None and _origin(origin) == _origin(own_origin))


def _mac(secret: bytes, binding: str, head: bytes) -> bytes:
    # the binding comes last, after parts of fixed length, so that no two inputs make the same text
    return hmac.digest(secret, _DOMAIN + head + binding.encode(errors="surrogatepass"), "sha256")


def _origin(text: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):  # "null", a port that is none, another scheme
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
