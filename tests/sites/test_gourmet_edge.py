"""What is let in at the gourmet shop and what is said to visitors: version (I1), visits (I4), cookies (I6), encryption
on the way (I12), how to reach the shop (I14)."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from html import unescape
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy.exc import IntegrityError

from avow.edge.intake import take_in
from avow.engine import Policy
from avow.errors import PolicyError, Refused, SealedError, SetupError
from avow.vault.envelope import read_label

from .conftest import SHOP, Gourmet, Peers
from .customer import CARD, CONTACT, anchors

FIREFOX = "Mozilla/5.0 (X11; Canary-OS 7.31; rv:128.0) Gecko/20100101 Firefox/128.0"
PLACES = ("/", "/products/comte", "/cart", "/checkout", "/privacy")


# -- I1: under the version in force -------------------------------------------------------------------


@pytest.mark.promise("I1", "works")
def test_each_visit_and_each_order_is_tied_to_the_version_in_force(gourmet: Gourmet) -> None:
    gourmet.customer().order()
    digest = gourmet.site.policy.digest
    with gourmet.acting() as work:
        records = [record for kind in gourmet.site.home.records for record in work.select(kind)]
        # After: what may be offered later
        assert {type(record).__name__ for record in records} == {"Visit", "Order", "After"}
        for record in records:
            assert record.policy == record.avow_person.policy == digest
            for name in record.__layout__.fields:
                if (value := getattr(record, name)) is not None:
                    assert read_label(value._envelope).version == digest[:16]
    assert {entry["policy"] for entry in gourmet.entries()} == {digest}
    schema = gourmet.site.home.schema.policy
    with gourmet.opened.vault.store.reading() as connection:
        [row] = connection.execute(schema.select())
    assert (row.digest, row.source) == (digest, (SHOP / "policy.md").read_text())


@pytest.mark.promise("I1", "holds")
def test_no_program_makes_a_record_without_the_version(gourmet: Gourmet) -> None:
    gourmet.customer().order()
    digest = gourmet.site.policy.digest
    with gourmet.acting() as work, pytest.raises(SetupError, match="`policy`"):
        work.collect(gourmet.Order, person=work.person(), policy="none")
    for version in (None, "of our own making"):
        work = gourmet.acting().__enter__()
        work.select(gourmet.Order)[0].policy = version
        with pytest.raises(IntegrityError):
            work.commit()
        work.unit.__exit__(ValueError, None, None)
    with gourmet.acting() as work:
        assert [order.policy for order in work.select(gourmet.Order)] == [digest]
    for category in ("contact", "order.items", "card", "visit.time"):
        with gourmet.acting() as work, pytest.raises(Refused) as refused:
            work.unit.judge("publish", category, place="shop")
        assert anchors(refused.value) == {"private"}


@pytest.mark.promise("I1", "holds")
def test_the_database_takes_no_record_without_a_version_and_seals_it_into_each_value(gourmet: Gourmet) -> None:
    path = gourmet.customer().order()
    with sqlite3.connect(gourmet.data / "site.db") as database:
        database.execute("PRAGMA foreign_keys = ON")
        for table in ("shop_order", "avow_visit", "avow_person"):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            assert "policy" in columns
            with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
                database.execute(f"UPDATE {table} SET policy = NULL")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            database.execute("UPDATE shop_order SET policy = 'older'")
        [(sealed,)] = database.execute("SELECT street FROM shop_order").fetchall()
        version = gourmet.site.policy.digest[:16].encode()
        assert version in sealed
        database.execute("UPDATE shop_order SET street = ?", (sealed.replace(version, b"0123456789abcdef"),))
    database.close()
    assert gourmet.customer().get(path).status_code == 500
    with gourmet.acting() as work, pytest.raises(SealedError):
        work.select(gourmet.Order)[0].street._reveal()


@pytest.mark.promise("I1", "holds")
def test_every_page_links_the_policy_or_does_not_leave(gourmet: Gourmet) -> None:
    from starlette.responses import HTMLResponse

    customer = gourmet.customer()
    path = customer.order(policy="0" * 64, version="0", customer="0" * 32, id="0" * 32)
    with gourmet.acting() as work:
        [order] = work.select(gourmet.Order)
        assert order.policy == gourmet.site.policy.digest, "no form chooses the version"
        assert "0" * 32 not in (order.id, order.customer)
    customer.put_into_cart()
    for page in (*PLACES, path):
        assert 'href="/privacy"' in customer.get(page).text
    gourmet.add_page("/bare", lambda work: HTMLResponse("<!doctype html><title>Bare</title><p>Nothing.</p>"))
    answer = customer.get("/bare")
    assert answer.status_code == 403
    assert anchors(answer) == {"policy-on-every-page"}


# -- I4: what is noted of a visit ---------------------------------------------------------------------


@pytest.mark.promise("I4", "works")
def test_time_referring_page_and_browser_of_a_visit_are_noted(gourmet: Gourmet) -> None:
    gourmet.customer().get("/", **{"Referer": "https://food.example/best?q=1#x", "User-Agent": FIREFOX})
    texts = gourmet.texts()
    assert texts["visit.time"] == ["2026-11-18T11:06Z"]
    assert texts["visit.referrer"] == ["https://food.example/best"]
    assert texts["visit.browser"] == ["Firefox 128"]


@pytest.mark.promise("I4", "holds")
def test_nothing_else_that_a_browser_sends_is_stored_or_logged(
    gourmet: Gourmet, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {
        "User-Agent": FIREFOX,
        "Referer": "https://user:canary-pass@food.example/best?secret=canary-query#canary-part",
        "Accept-Language": "xx-canary-language",
        "X-Forwarded-For": "203.0.113.77",
        "Forwarded": "for=203.0.113.77",
        "Sec-CH-UA": '"Canary-Brand";v="7"',
        "Cookie": "tracker=canary-cookie",
        "Authorization": "Basic canary-basic",
        "ETag": "canary-etag",
    }
    with caplog.at_level(logging.DEBUG):
        customer = gourmet.customer(client="203.0.113.77")
        for path in (*PLACES, "/static/shop.css", "/nowhere"):
            customer.get(path, **secrets)
    own = "\n".join(line for line in caplog.text.splitlines() if "httpx" not in line)
    kept = "\n".join(text for texts in gourmet.texts().values() for text in texts)
    for seen in (own, kept, gourmet.stored().decode("latin-1"), json.dumps(gourmet.entries())):
        assert not re.search(r"(?i)canary|203\.0\.113\.77", seen)
    before = gourmet.texts()
    assert set(before) == {"visit.time", "visit.referrer", "visit.browser"}
    customer.get("/cart", Referer="https://shop.example/products/comte")
    assert gourmet.texts() == before, "the way through the shop is not noted"


@pytest.mark.promise("I4", "holds")
def test_the_shops_own_code_does_not_get_to_see_it() -> None:
    sent = {
        "host": "shop.example", "user-agent": FIREFOX, "referer": "https://food.example/best?canary", "cookie": "a=b",
        "x-forwarded-for": "203.0.113.77", "accept-language": "xx", "dnt": "1", "sec-ch-ua": "x", "origin": "null",
    }  # fmt: skip
    scope = {
        "type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("203.0.113.77", 4000), "server": ("198.51.100.1", 443),
    }  # fmt: skip
    intake, passed_on = take_in(scope)
    assert {name for name, _ in passed_on["headers"]} == {b"host", b"origin"}
    assert passed_on["client"] is None
    assert intake.headers.keys() == {"host", "origin"}
    assert intake.visit == {"referrer": "https://food.example/best", "browser": "Firefox 128", "inside": None}


@pytest.mark.promise("I4", "holds")
def test_no_program_notes_more_or_for_another_end(gourmet: Gourmet) -> None:
    with gourmet.acting("selection", place="shop") as work:
        for verb, category, more in (
            ("log", "visit.address", {}),
            ("log", "visit.agent", {}),
            ("log", "visit.time", {"purpose": "profiling"}),
            ("log", "visit.browser", {"place": "mail"}),
            ("keep", "visit.address", {}),
            ("keep", "visit.agent", {"subject": "visitor"}),
        ):
            with pytest.raises(Refused) as refusal:
                work.unit.judge(verb, category, **{"place": "shop", **more} if verb == "log" else more)
            assert anchors(refusal.value) == {"visit-nothing-else"}
        visit = gourmet.site.visit
        with pytest.raises(Refused) as refusal:
            work.collect(visit, person=work.person(), time="now", browser=FIREFOX, referrer="203.0.113.77")
        assert anchors(refusal.value)
    with sqlite3.connect(gourmet.data / "site.db") as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(avow_visit)")}
    database.close()
    assert columns == {"visitor", "id", "policy", "time", "referrer", "browser"}


# -- I6: one cookie -----------------------------------------------------------------------------------


@pytest.mark.promise("I6", "works")
def test_the_cart_is_the_one_cookie_and_goes_with_the_order(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    added = customer.send("/cart/add", {"sku": "comte", "quantity": "2"}, page="/products/comte")
    assert added.headers["set-cookie"] == "cart=comte-2; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"
    customer.order()
    assert not list(customer.http.cookies.jar)


@pytest.mark.promise("I6", "holds")
def test_no_code_path_sets_another_cookie(gourmet: Gourmet) -> None:
    from starlette.responses import HTMLResponse, RedirectResponse

    def declared_nowhere(work: Any) -> Any:
        work.set_cookie("tracker", "1")
        return work.redirect("/")

    def raw(work: Any) -> Any:
        answer = work.render("notice.html", title="x", text=["x"])
        answer.set_cookie("tracker", "1")
        return answer

    def raw_cart(work: Any) -> Any:
        answer = RedirectResponse("/", 303)
        answer.set_cookie("cart", "comte-1")
        return answer

    def raw_header(work: Any) -> Any:
        return HTMLResponse('<a href="/privacy">x</a>', headers={"SET-COOKIE": "tracker=1"})

    def smuggled(work: Any) -> Any:
        work.set_cookie("cart", "1; tracker=1\r\nSet-Cookie: tracker=2")
        return work.redirect("/")

    for number, handler in enumerate((declared_nowhere, raw, raw_header, raw_cart, smuggled)):
        gourmet.add_page(f"/careless/{number}", handler)
        answer = gourmet.customer().get(f"/careless/{number}")
        assert "set-cookie" not in answer.headers
        assert answer.status_code == (500 if handler is smuggled else 403)
        if number < 3:
            assert anchors(answer) == {"no-other-cookie"}
    for path in (*PLACES, "/static/shop.css", "/nowhere"):
        assert "set-cookie" not in gourmet.customer().get(path).headers


@pytest.mark.promise("I6", "holds")
def test_the_cart_is_read_and_set_for_shopping_only(gourmet: Gourmet) -> None:
    def read(work: Any) -> Any:
        return work.render("notice.html", title="You like", text=[work.cookie("cart")])

    def write(work: Any) -> Any:
        work.set_cookie("cart", "comte-1")
        return work.redirect("/")

    customer = gourmet.customer()
    customer.put_into_cart()
    for number, (handler, purpose, place) in enumerate(
        [
            (read, "profiling", "shop"),
            (read, "selection", "shop"),
            (write, "marketing", "shop"),
            (write, "shopping", "mail"),
        ]
    ):
        gourmet.add_page(f"/careless/{number}", handler, purpose=purpose, place=place)
        answer = customer.get(f"/careless/{number}")
        assert answer.status_code == 403
        assert anchors(answer) == {"no-other-cookie"}
    assert gourmet.refused("open") == [("no-other-cookie",)] * 2
    with gourmet.acting() as work, pytest.raises(Refused, match="no browser here"):
        work.cookie("cart")


@pytest.mark.promise("I6", "holds")
def test_who_keeps_no_cookies_is_told_and_cannot_shop(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    customer.send("/cart/add", {"sku": "comte", "quantity": "2"}, page="/products/comte")
    customer.http.cookies.clear()
    page = customer.get("/cart?added=comte").text
    assert "Your browser keeps no cookies" in page
    assert "without cookies one cannot shop" in page
    assert 'href="/privacy#cookies-off"' in page
    assert customer.get("/checkout").headers["location"] == "/cart"
    assert 'data-notice="cookies_notice"' in gourmet.customer().get("/cart").text

    gourmet.add_page("/bare", lambda work: work.render("notice.html", title="Cart", text=["x"]), place="cart")
    assert anchors(gourmet.customer().get("/bare")) == {"cookies-off"}


# -- I12: encrypted on the way ------------------------------------------------------------------------


@pytest.mark.promise("I12", "holds")
def test_no_program_takes_what_came_unencrypted(gourmet: Gourmet) -> None:
    for channel in ("http", None):
        with gourmet.acting(channel=channel) as work, pytest.raises(Refused) as refusal:
            work.collect(
                gourmet.Order, person=work.person(), **{**CONTACT, "items": "x", "cents": 1, "carrier": "ups"},
                status="unpaid", ticket="t",
            )  # fmt: skip
        assert anchors(refusal.value) == {"in-transit"}
    assert ("in-transit",) in gourmet.refused("collect")
    assert not gourmet.texts()


@pytest.mark.promise("I12", "holds")
def test_plain_http_gets_no_page_no_redirect_and_leaves_nothing(
    gourmet: Gourmet, caplog: pytest.LogCaptureFixture
) -> None:
    plain = gourmet.customer("http://shop.example")
    forged = {
        "X-Forwarded-Proto": "https",
        "Forwarded": "proto=https",
        "X-Forwarded-For": "127.0.0.1",
        "Host": "127.0.0.1",
    }
    token = re.search(r'name="csrf" value="([^"]+)"', gourmet.customer().get("/products/comte").text)
    assert token
    before = gourmet.texts()
    with caplog.at_level(logging.DEBUG):
        for customer in (plain, gourmet.customer("http://127.0.0.1", client="203.0.113.9")):
            for answer in (
                customer.get("/"),
                customer.get("/checkout", **forged),
                customer.http.post("/checkout", data={**CONTACT, **CARD, "csrf": token[1]}, headers=forged),
            ):
                assert answer.status_code == 426
                assert "location" not in answer.headers
                assert "set-cookie" not in answer.headers
                assert anchors(answer) == {"in-transit"}
    assert gourmet.texts() == before
    assert not [text for text in CONTACT.values() if text in caplog.text]


@pytest.mark.promise("I12", "holds")
def test_encrypted_pages_keep_browsers_on_encrypted_ways(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    path = customer.order()
    customer.put_into_cart()
    for page in (*PLACES, path, "/nowhere", "/static/shop.css"):
        answer = customer.get(page)
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
        assert "upgrade-insecure-requests" in answer.headers["content-security-policy"]
        assert not re.findall(r'(?:src|href|action|srcset)="http:', answer.text)
        assert "http://" not in answer.headers.get("location", "")
    assert all(cookie.secure for cookie in customer.http.cookies.jar)


# -- I14: how to reach the shop -----------------------------------------------------------------------


@pytest.mark.promise("I14", "works")
def test_the_policys_page_and_each_mail_say_how_to_reach_the_shop(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.order()
    gourmet.work_off()
    contact = gourmet.site.policy.contact
    for text in (unescape(customer.get("/privacy").text), peers.mail.received[0].text):
        assert all(way in text for way in (contact.email, contact.phone, contact.address))


@pytest.mark.promise("I14", "holds")
def test_the_policy_does_not_build_without_the_ways_to_reach_the_shop() -> None:
    source = (SHOP / "policy.md").read_text()
    for put in ("", "contact: {}\n"):
        changed, count = re.subn(r"(?m)^contact:\n(  .*\n)+", put, source)
        assert count == 1
        with pytest.raises(PolicyError, match="no contact data to show"):
            Policy.parse(changed)


@pytest.mark.promise("I14", "holds")
def test_a_policy_page_or_mail_without_them_does_not_leave(gourmet: Gourmet, peers: Peers) -> None:
    bare = '<!doctype html><title>x</title><a href="/privacy">our policy</a>'
    templates = gourmet.opened.templates
    letter = "Subject: Thank you\n\nDear {{ order.name }}, {{ policy.contact.email }} it is: {{ link }}\n"
    ours = DictLoader({"privacy.html": bare, "mail/confirmation.txt": letter})
    templates.loader = ChoiceLoader([ours, templates.loader])
    answer = gourmet.customer().get("/privacy")
    assert anchors(answer) == {"questions"}
    gourmet.customer().order()
    gourmet.work_off()
    assert not peers.mail.received
    with sqlite3.connect(gourmet.data / "site.db") as database:
        [(state, note)] = database.execute("SELECT state, note FROM avow_outbox WHERE kind = 'send'").fetchall()
    database.close()
    assert state == "refused"
    assert "contact_details" in note
    unit = gourmet.acting().__enter__().unit
    unit.judge("send", "confirmation", audience="contact.email", channel="smtps")
    unit.discharge("offer", "stop_link")
    with pytest.raises(Refused, match="#questions"):
        unit.commit()
    unit.__exit__(ValueError, None, None)
