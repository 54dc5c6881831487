"""What a request tells of the visitor's browser, cut down to what a policy can name: brand, main version, last page.

The full `User-Agent` and `Referer` identify; they are read here and go no further.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Most brands also name the ones whose pages they want to be served, so the order matters.
_BRANDS = (
    ("Edge", re.compile(r"\bEdg(?:A|iOS)?/(\d+)", re.ASCII)),
    ("Opera", re.compile(r"\bOPR/(\d+)", re.ASCII)),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d+)", re.ASCII)),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)", re.ASCII)),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS)/(\d+)", re.ASCII)),
    ("Safari", re.compile(r"\bVersion/(\d+)\S* (?:Mobile/\S+ )?Safari/", re.ASCII)),
)
_LONGEST_AGENT, _LONGEST_PAGE = 1_000, 300


def brand_and_version(user_agent: str) -> str | None:
    """Brand and main version ("Firefox 128"), "other" for what is not known, None where nothing was sent.

    A version of more than three digits is "other" too: a number of one's own making identifies.
    """
    if not user_agent.strip():
        return None
    for brand, pattern in _BRANDS:
        if match := pattern.search(user_agent[:_LONGEST_AGENT]):
            version = match[1]
            return f"{brand} {version}" if len(version) <= 3 and version[0] != "0" else "other"
    return "other"


def referring_page(referer: str | None, own_origin: str) -> str | None:
    """Origin and path of the page of another site that led here; None for our own, for none, and for nonsense.

    Query, fragment, user name, password and path parameters (`;jsessionid=…`) are left out. A path that is too long
    to be a page's address is left out as well.
    """
    try:
        page, own = urlsplit((referer or "").strip()), urlsplit(own_origin)
        port, same = page.port, (page.scheme, page.hostname, page.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return None
    if page.scheme not in ("http", "https") or not page.hostname or same:
        return None
    host = f"[{page.hostname}]" if ":" in page.hostname else page.hostname
    origin = f"{page.scheme}://{host}" + (f":{port}" if port else "")
    path = re.sub(r";[^/]*", "", page.path) or "/"
    return origin + (path if len(origin + path) <= _LONGEST_PAGE and path.isprintable() else "/")
