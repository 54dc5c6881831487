"""The security headers of every response.

Scripts, styles, images and fonts come from the site itself or not at all, forms go to the site itself, nobody frames
it, and other sites learn nothing from its links. Source: OWASP ASVS 5.0.0, V3.4.
"""

from __future__ import annotations

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation",
    "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # the address of an order page holds its secret
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{feature}=()" for feature in _FEATURES).encode()),
]
#: Two years, as the browsers' preload list asks; ASVS V3.4.1 asks for one, and for the subdomains.
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def security_headers(https: bool, personal: bool = True) -> list[tuple[bytes, bytes]]:
    """Header names (lower case) and values for one response.

    `https`: the request came over TLS; only then is the browser told to come back no other way. `personal`: the
    response may carry personal information and is kept by no cache; pass False for static files only.
    """
    policy = f"{_POLICY}; upgrade-insecure-requests" if https else _POLICY
    headers = [(b"content-security-policy", policy.encode()), *_ALWAYS]
    if https:
        headers.append(_HSTS)
    if personal:
        headers.append((b"cache-control", b"no-store"))
    return headers
