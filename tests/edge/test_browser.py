"""Of a browser only brand and main version are kept, of a referring page only origin and path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.browser import brand_and_version, referring_page

OWN = "https://shop.example"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(("agent", "said"), [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128"),
    (f"{LINUX} Chrome/126.0.0.0 Safari/537.36", "Chrome 126"),
    (f"{LINUX} Chrome/126.0.0.0 Safari/537.36 Edg/125.0.2535.67", "Edge 125"),
    (f"{LINUX} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0", "Opera 111"),
    (f"{LINUX} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "Samsung Internet 25"),
    (f"{LINUX} HeadlessChrome/126.0.0.0 Safari/537.36", "other"),
    (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari 17"),
    (f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome 126"),
    (f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "Firefox 127"),
    (f"{IPHONE} EdgiOS/125.0 Version/17.0 Mobile/15E148 Safari/604.1", "Edge 125"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) (KHTML) Version/17.4.1 Safari/605.1.15", "Safari 17"),
    ("curl/8.7.1", "other"), ("Firefox/1234567890", "other"), ("Firefox/0", "other"), ("Firefox/١٢٨", "other"),
    ("", None), ("  ", None),
])  # fmt: skip
def test_brand_and_main_version(agent: str, said: str | None) -> None:
    assert brand_and_version(agent) == said


@given(st.text() | st.text(alphabet="Firefox/Chrome0123456789 "))
def test_no_agent_tells_more_than_a_brand_and_three_digits(agent: str) -> None:
    said = brand_and_version(agent)
    brands = {"Firefox", "Chrome", "Edge", "Opera", "Samsung Internet", "Safari"}
    assert said in (None, "other") or (said.rpartition(" ")[0] in brands and 1 <= int(said.rpartition(" ")[2]) <= 999)


@pytest.mark.parametrize(("referer", "said"), [
    ("https://search.example/find?q=ann%40example.org#top", "https://search.example/find"),
    ("https://ann:secret@News.example:8443/a;jsessionid=1A/b;v=2", "https://news.example:8443/a/b"),
    ("http://search.example", "http://search.example/"),
    ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
    ("http://shop.example/", "http://shop.example/"),  # another origin
    ("https://long.example/" + "x" * 400, "https://long.example/"),
    ("https://odd.example/\u202e", "https://odd.example/"),
    ("https://shop.example/order/secret", None), ("https://SHOP.example/", None),
    ("", None), (None, None), ("about:blank", None), ("android-app://com.example", None), ("javascript:alert(1)", None),
    ("https://", None), ("https://[bad/", None), ("https://x.example:port/", None), ("//shop.example/x", None),
])  # fmt: skip
def test_origin_and_path_of_another_site(referer: str | None, said: str | None) -> None:
    assert referring_page(referer, OWN) == said


@given(st.text(st.characters(exclude_characters="/?#\\")), st.text())
def test_query_fragment_and_user_are_never_kept(name: str, query: str) -> None:
    said = referring_page(f"https://{name}@site.example/path?{query}#{query}", OWN)
    assert said is None or not set("?#@") & set(said)
