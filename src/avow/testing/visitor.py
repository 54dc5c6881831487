"""A visitor at a service that runs: asks for pages, fills in their forms and keeps cookies, over a connection.

    ann = Visitor("http://127.0.0.1:8000")
    ann.send("/cart/add", {"sku": "comte", "quantity": "2"}, page="/products/comte")

A form is sent with what its page has put into its hidden fields, and with the headers that browsers send. Scripts and
pictures are not loaded.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from avow.errors import AvowError

#: Seconds that the service has for an answer, and redirects that are followed in a row.
PATIENCE, REDIRECTS = 30.0, 5

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Page:
    """What was answered at last: the status, the path that led to it, and the text."""

    status: int
    path: str
    text: str


class Visitor:
    """One visitor with one browser.

    Args:
        base: how the service is reached, `https://shop.example`.
        address: host and port to connect to, where that is not what `base` says.
        certificate: a PEM file of the only certificate, or authority, that is trusted; default: the system's.
    """

    def __init__(self, base: str, *, address: tuple[str, int] | None = None, certificate: Path | None = None) -> None:
        parts = urlsplit(base)
        self.base = base
        self._name = parts.hostname or ""
        self._host = parts.netloc
        self._address = address or (self._name, parts.port or _PORTS[parts.scheme])
        self._tls = _trusting(certificate) if parts.scheme == "https" else None
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Page:
        """Ask for a page, and follow where it sends one.

        Raises:
            AvowError: the service does not answer, or sends one round in a circle.
        """
        for _ in range(REDIRECTS):
            page, onward = self._ask("GET", path)
            if onward is None:
                return page
            path = onward
        raise AvowError(f"`{_bare(path)}` leads on and on", help="see where its redirects go")

    def send(self, path: str, typed: dict[str, str], *, page: str | None = None) -> Page:
        """Fill in the form of `page` (default: of the page at `path`) that goes to `path`, send it, and go on from it.

        Raises:
            AvowError: there is no such form, the answer is a refusal, or as `get`.
        """
        source = self.get(page or path)
        form = _Form(path)
        form.feed(source.text)
        if not form.found:
            raise AvowError(
                f"the page `{_bare(page or path)}`, status {source.status}, has no form that goes to `{_bare(path)}`",
                help="look at the page in a browser",
            )
        answer, onward = self._ask("POST", path, urlencode({**form.hidden, **typed}).encode())
        if onward is not None:
            answer = self.get(onward)
        if answer.status >= 400:
            raise AvowError(f"what was sent to `{_bare(path)}` was answered with status {answer.status}")
        return answer

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[Page, str | None]:
        """One request: the answer, and where it sends one."""
        headers = {"Host": self._host, "Connection": "close"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if body is not None:
            headers |= {"Origin": self.base, "Content-Type": "application/x-www-form-urlencoded"}
        connection = HTTPConnection(self._name)
        try:
            connection.sock = self._connect()
            connection.request(method, path.partition("#")[0], body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise AvowError(f"`{_bare(path)}` was not answered: {type(error).__name__}") from None
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", ()):
            self._keep(line)
        onward = answer.getheader("Location") if answer.status in (301, 302, 303, 307, 308) else None
        return Page(answer.status, path, text), urljoin(path, onward) if onward else None

    def _connect(self) -> socket.socket:
        line = socket.create_connection(self._address, PATIENCE)
        return self._tls.wrap_socket(line, server_hostname=self._name) if self._tls else line

    def _keep(self, line: str) -> None:
        for name, cookie in SimpleCookie(line).items():
            if cookie["max-age"] == "0":
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = cookie.value


class _Form(HTMLParser):
    """The hidden fields of the form that is posted to `action`."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.found = False
        self.hidden: dict[str, str] = {}
        self._action = action
        self._within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        known = dict(attrs)
        if tag == "form":
            self._within = known.get("action") == self._action and known.get("method") == "post"
            self.found |= self._within
        elif tag == "input" and self._within and known.get("type") == "hidden":
            self.hidden[known.get("name") or ""] = known.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        if tag == "form":
            self._within = False


def _trusting(certificate: Path | None) -> ssl.SSLContext:
    """TLS that believes the system's authorities, or one certificate and nothing else."""
    context = ssl.create_default_context(cafile=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # so that it may be the service's own, signed by whomever
    return context


def _bare(path: str) -> str:
    """A path as errors may say it: what is secret in it stands behind its first part."""
    parts = path.partition("?")[0].split("/")
    return "/".join(parts[:2]) + ("/…" if len(parts) > 2 else "")
