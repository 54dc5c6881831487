"""Code of a service that opens everything and lets it out wherever it can: nothing opened gets past the exits.

The shop, with a sentence that permits the opening, and pages and hooks that put what they opened into messages, log
lines, headers, cookies, redirects, SQL, warnings, threads, and the variables of the frames that fail.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.campaigns.purchases import SHOP, Peers, Service, buying, judge, wait_for

pytestmark = pytest.mark.usefixtures("mended")

CARELESS_SENTENCE = """
We read what you tell us when something goes wrong.

```avow #careless ours
may open contact, order for ordering, payment, shipping, communication
```
"""

CARELESS_CODE = '''

import logging

_settled, _labelled, _place = ordering.settled, ordering.labelled, site.routes
_armed: set[str] = set()


def burst(work: Work, order: Order, step: str) -> None:
    """Open everything, then fail with it in the message, in a log line and in the variables of the frame."""
    if step not in _armed:
        return
    texts = {name: getattr(order, name).open() for name in ("name", "email", "street", "unit", "city", "note")}
    logging.getLogger("careless").error("%s for %s, %r", step, texts["email"], texts, extra={"who": texts["name"]})
    raise ValueError(f"{step} failed for {texts}") from KeyError(texts["note"])


@site.settled("processor")
def careless_settled(work: Work, order: Order, reply: Any) -> None:
    """As `settled`, and then a fault."""
    _settled(work, order, reply)
    burst(work, order, "settled")


@site.shared("ups")
def careless_labelled(work: Work, order: Order, reply: Any) -> None:
    """As `labelled`, and then a fault."""
    _labelled(work, order, reply)
    burst(work, order, "labelled")


@site.page("/careless/arm/{step}", place="shop", role="storefront", purpose="ordering")
def arm(work: Work) -> Response:
    """From now on the hook of that name fails."""
    _armed.clear()
    _armed.add(work.path["step"])
    return work.redirect("/")


@site.page("/careless/{token}/{step}", place="order_page", role="storefront", purpose="ordering")
def careless(work: Work) -> Response:
    """Let what was opened out by one of the ways that a page has."""
    order = work.presented(Order, work.path["token"])
    step = work.path["step"]
    _armed.add(step)
    text = order.email.open()
    match step:
        case "raises":
            burst(work, order, step)
        case "redirects":
            return work.redirect(f"/?{text}")
        case "sets a cookie":
            work.set_cookie("cart", text.encode().hex())
        case "sets a header":
            return Response("done", headers={"X-Name": text[::-1]})
        case "names a template":
            return work.render(f"{text}.html")
        case "calls wrongly":
            return work.render("notice.html", **{text: 1}, title=int(text))
        case "breaks SQL":
            from sqlalchemy import text as sql

            work.db.execute(sql("SELECT no_such_column FROM shop_order WHERE id = :it"), {"it": text})
        case "warns":
            import warnings

            warnings.warn(f"deprecated for {text}", stacklevel=1)
        case "fails in a thread":
            import threading

            def fail() -> None:
                raise RuntimeError(text)

            thread = threading.Thread(target=fail)
            thread.start()
            thread.join()
    return work.redirect("/")
'''


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory, peers: Peers) -> Iterator[Service]:
    """The shop with code in it that lets out whatever it gets hold of, and a sentence that lets it open things."""
    folder = tmp_path_factory.mktemp("careless")
    site = shutil.copytree(SHOP, folder / "careless_shop", ignore=shutil.ignore_patterns("__pycache__", "static"))
    (site / "static").mkdir()
    for file, more in (("policy.md", CARELESS_SENTENCE), ("app.py", CARELESS_CODE)):
        with (site / file).open("a") as end:
            end.write(more)
    service = Service(folder, peers, site)
    service.start()
    yield service
    service.stop()


WAYS = {
    "raises": 500,
    "redirects": 403,
    "sets a cookie": 403,
    "sets a header": 403,
    "names a template": 500,
    "calls wrongly": 500,
    "breaks SQL": 500,
    "warns": 303,
    "fails in a thread": 303,
}


def test_nothing_opened_gets_out_by_a_page(careless: Service) -> None:
    with buying(careless) as buyer:
        location = buyer.checkout().headers["location"]
        for way, status in WAYS.items():
            answer = buyer.customer.get(f"/careless/{location.removeprefix('/order/')}/{way}")
            assert (way, answer.status_code) == (way, status)
            judge(buyer, careless)
        careless.wait_until_quiet()
        judge(buyer, careless)
        said = careless.left(buyer.since)["log and output"]
        for trace in (b"raises failed for", b"RuntimeError: <sealed contact.email>", b"deprecated for <sealed"):
            assert trace in said  # it was told, and only the value is missing


@pytest.mark.parametrize("hook", ["settled", "labelled"])
def test_nothing_opened_gets_out_by_a_hook_that_fails(careless: Service, hook: str) -> None:
    with buying(careless) as buyer:
        buyer.customer.get(f"/careless/arm/{hook}")
        assert buyer.checkout().status_code == 303  # what was paid or sent is not undone by it
        wait_for(lambda: b"%s failed for" % hook.encode() in careless.left(buyer.since)["log and output"])
        judge(buyer, careless)
        buyer.customer.get("/careless/arm/nothing")
