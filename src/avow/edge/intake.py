"""What is let in of a request: the declared, and what HTTP itself needs.

The address of the client, the full user agent, the referrer, cookies and every header that is not on
the list are taken out of the request before any code of the service sees it. What the policy may
permit of them is kept aside here, judged where it is used: cookies by name, and of the visit its time,
its referring page and the browser's brand and version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl

from avow.edge.browser import brand_and_version, referring_page
from avow.edge.staff import Member

#: Headers that the service's code may see: what HTTP needs, and nothing that tells visitors apart.
KEPT_HEADERS = frozenset(
    {
        b"host",
        b"content-type",
        b"content-length",
        b"accept",
        b"origin",
        b"sec-fetch-site",
        b"sec-fetch-mode",
        b"if-none-match",
        b"if-modified-since",
        b"range",
    }
)

#: Bytes of the largest form that is read, and the most fields in it.
LARGEST_BODY, MOST_FIELDS = 64 * 1024, 200


@dataclass(slots=True)
class Intake:
    """One request, stripped. `channel` is `https`, `loopback` (plain, inside this machine) or `http`.

    `authorization` is looked at where staff is let in (`avow.edge.staff`) and nowhere else; `member` is who was let in.
    `session` is what the browser proves to be logged in with, where that may be looked at.
    """

    method: str
    path: str
    origin: str
    channel: str
    headers: dict[str, str]
    visit: dict[str, str | None]
    body: bytes = b""
    authorization: str | None = field(default=None, repr=False)
    member: Member | None = None
    session: str = field(default="", repr=False)
    _cookies: dict[str, str] = field(default_factory=dict)

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, unjudged; see `avow.edge.cookies`."""
        return self._cookies.get(name)

    @property
    def bound(self) -> str:
        """What a form's token is bound to: one given to staff, or to who is logged in, serves nobody else."""
        if self.member is not None:
            return f"staff {self.member.name}"
        return f"login {self.session}" if self.session else ""

    def typed(self) -> dict[str, str]:
        """The fields of a form that was sent as application/x-www-form-urlencoded; the first of each name.

        Raises:
            ValueError: it is no such form, or has too many fields.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise ValueError("the form was not sent as application/x-www-form-urlencoded")
        pairs = parse_qsl(self.body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        return dict(reversed(pairs))


def take_in(scope: Mapping[str, Any]) -> tuple[Intake, dict[str, Any]]:
    """Split a request's scope into what is kept aside and a scope that is safe to pass on."""
    raw: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name.lower() == b"cookie" and b"cookie" in raw:
            raw[b"cookie"] += b"; " + value  # HTTP/2 may send them in several lines
        raw.setdefault(name.lower(), value)
    host = raw.get(b"host", b"localhost").decode("latin-1")
    origin = f"{scope.get('scheme', 'http')}://{host}"
    referrer = raw.get(b"referer", b"").decode("latin-1")
    intake = Intake(
        method=scope["method"],
        path=scope["path"],
        origin=origin,
        channel=_channel(scope),
        headers={k.decode(): v.decode("latin-1") for k, v in raw.items() if k in KEPT_HEADERS},
        visit={
            "referrer": referring_page(referrer, origin),
            "browser": brand_and_version(raw.get(b"user-agent", b"").decode("latin-1")),
            "inside": "yes" if referrer.startswith(origin + "/") else None,
        },
        authorization=raw[b"authorization"].decode("latin-1") if b"authorization" in raw else None,
        _cookies=_cookies(raw.get(b"cookie", b"")),
    )
    kept = [(k, v) for k, v in scope["headers"] if k.lower() in KEPT_HEADERS]
    return intake, {**scope, "headers": kept, "client": None}


def _channel(scope: Mapping[str, Any]) -> str:
    """Over what the request came. Plain HTTP counts as `loopback` only when both ends are this machine."""
    if scope.get("scheme") == "https":
        return "https"
    ends = [scope.get("client"), scope.get("server")]
    return "loopback" if all(end and _is_loopback(end[0]) for end in ends) else "http"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _cookies(header: bytes) -> dict[str, str]:
    """Name and value of each cookie (RFC 6265 5.4); an odd one of somebody else does not cost the others."""
    pairs = (part.partition("=") for part in header.decode("latin-1").split(";"))
    return {name.strip(): value.strip().strip('"') for name, separator, value in pairs if separator}
