"""What the edge lets in and out of a running site."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.noted import entries
from tests.site.conftest import OUTSIDE, Browser


def refusals(site: Any) -> list[tuple[str, str]]:
    return [(entry.verb, entry.object) for entry in entries(site) if entry.event == "refused"]


def test_a_form_becomes_a_record_and_a_page_shows_it_to_its_owner(site: Any, browser: Browser) -> None:
    data = {"csrf": browser.token("/join"), "name": "Ann <b>", "email": "ann@example.org", "books": "2"}
    answer = browser.post("/join", data)
    assert answer.status_code == 303
    shown = browser.get(answer.headers["location"].replace("/card/", "/own/")).text
    assert "Ann &lt;b&gt;" in shown
    assert 'value="ann@example.org"' in shown


def test_a_form_that_is_not_in_order_comes_back_filled_without_the_card(site: Any, browser: Browser) -> None:
    data = {
        "csrf": browser.token("/join"),
        "name": "Ann",
        "email": "not an address",
        "books": "77",
        "wishes": "card 4242424242424242",
        "card": "4242 4242 4242 4243",
    }
    answer = browser.post("/join", data)
    assert answer.status_code == 422
    for expected in ('value="Ann"', 'value="not an address"', 'value="77"', "whole number from 1 to 9", "One digit"):
        assert expected in answer.text
    assert "never keep" in answer.text
    assert "4242 4242" not in answer.text
    assert refusals(site) == [("keep", "card.number")]


def test_the_echo_of_a_card_number_in_a_free_text_is_withheld(site: Any, browser: Browser) -> None:
    data = {"csrf": browser.token("/join"), "name": "4242 4242 4242 4242", "email": "a@example.org", "books": "1"}
    answer = browser.post("/join", data)
    assert answer.status_code == 422
    assert "4242 4242" not in answer.text


def test_a_handler_may_find_a_field_wrong(browser: Browser) -> None:
    data = {"csrf": browser.token("/join"), "name": "Ann", "email": "a@example.org", "books": "9"}
    answer = browser.post("/join", data)
    assert (answer.status_code, "Nine are gone." in answer.text) == (422, True)


@pytest.mark.parametrize("wrong", ["no token", "forged token", "foreign origin", "null origin", "json", "empty"])
def test_a_form_from_elsewhere_is_turned_away(site: Any, browser: Browser, wrong: str) -> None:
    data = {"csrf": browser.token("/join"), "name": "Ann", "email": "ann@example.org", "books": "2"}
    origin, headers = None, {}
    if wrong == "no token":
        del data["csrf"]
    elif wrong == "forged token":
        data["csrf"] = data["csrf"][:-1] + ("B" if data["csrf"].endswith("A") else "A")
    elif wrong == "foreign origin":
        origin = "http://evil.example"
    elif wrong == "null origin":
        origin = "null"
    elif wrong == "json":
        headers["content_type"] = "application/json"
    else:
        data = {}
    assert browser.post("/join", data, origin=origin, **headers).status_code == 403
    with site.acting("desk", "lending") as work:
        assert work.select(site.Member) == []


def test_too_large_a_form_is_not_read(browser: Browser) -> None:
    assert browser.post("/join", {"name": "x" * 70_000}).status_code == 413


def test_a_value_is_shown_to_its_owner_only(site: Any, browser: Browser, ann: str) -> None:
    assert "Ann Example" in browser.get(f"/own/{ann}").text
    answer = browser.get("/stranger")
    assert answer.status_code == 403
    assert "Ann" not in answer.text
    assert "You see what we know in the hall." in answer.text  # the nearest sentence, in words
    assert "Ann" not in browser.get(f"/own/{ann[::-1]}").text


def test_formatting_a_sealed_value_shows_nothing_where_a_marker_shows_it(browser: Browser, ann: str) -> None:
    page = browser.get(f"/card/{ann}").text
    assert "<p><sealed contact.name></p><p>Ann Example</p>" in page


@pytest.mark.parametrize("path", ["/opened", "/header", "/location", "/script", "/card-number"])
def test_what_was_opened_does_not_slip_out(site: Any, browser: Browser, ann: str, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 403
    everything = answer.text + repr(answer.headers)
    assert not [leak for leak in ("Ann", "Example", "4242") if leak in everything]


def test_a_failing_page_says_nothing_in_log_or_answer(
    browser: Browser, ann: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = browser.get("/fails")
    assert answer.status_code == 500
    assert "Ann Example" not in answer.text + caplog.text
    assert "no luck with <sealed contact.name>" in caplog.text


@pytest.mark.parametrize("name", ["tracker", "shelf", "a=b"])
def test_a_cookie_set_past_the_policy_is_refused(site: Any, browser: Browser, name: str) -> None:
    answer = browser.get(f"/cookie?name={name}" if "=" not in name else "/cookie?name=x%20y")
    assert (answer.status_code, "set-cookie" in answer.headers) == (403 if "=" not in name else 500, False)


def test_declared_cookies_are_set_and_read_undeclared_ones_are_not(site: Any, browser: Browser) -> None:
    answer = browser.get("/declared", cookie="shelf=C; tracker=1")
    assert "<p>C</p>" in answer.text
    assert answer.headers["set-cookie"] == "shelf=B; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"
    assert browser.get("/undeclared").status_code == 403
    assert refusals(site) == [("set", "cookie")]


def test_the_service_sees_no_address_agent_referrer_or_cookie(browser: Browser) -> None:
    shown = browser.get(
        "/sees",
        user_agent="Secret/1",
        referer="https://secret.example/secret",
        cookie="shelf=Secret; other=Secret",
        x_forwarded_for="192.0.2.7",
        forwarded="for=192.0.2.7",
        x_real_ip="192.0.2.7",
        from_="secret@example.org",
        accept_language="secret",
        sec_ch_ua="Secret",
        authorization="Bearer secret",
        x_custom="secret",
    ).text
    assert "ecret" not in shown
    assert "192.0.2.7" not in shown
    assert "host" in shown


def test_plain_http_from_another_machine_gets_nothing(site: Any, ann: str) -> None:
    for client, base in (("192.0.2.7", "http://127.0.0.1"), ("127.0.0.1", "http://shop.example")):
        answer = Browser(site.opened.app, client, base).get("/join")
        assert answer.status_code == 426
        assert "csrf" not in answer.text


def test_https_pages_bind_the_browser_to_https(site: Any) -> None:
    answer = Browser(site.opened.app, "192.0.2.7", OUTSIDE).get("/declared")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_name_that_is_not_the_sites_gets_no_page_and_no_file(site: Any, browser: Browser) -> None:
    """DNS rebinding: a page of somebody else that is served under a name of theirs, which leads here by now."""
    token = browser.token("/join")
    for host in ("rebound.example", "127.0.0.1.rebound.example", "club.example.rebound.example", "club.example:1", ""):
        for path in ("/", "/join", "/privacy", "/avow/pages.css", "/nothing"):
            answer = browser.get(path, host=host)
            assert answer.status_code == 421
            assert "This is another site" in answer.text
        sent = {"csrf": token, "name": "Ann", "email": "ann@example.org", "books": "1"}
        assert browser.post("/join", sent, origin=f"http://{host}", host=host).status_code == 421
    for host in ("localhost:8000", "[::1]", "127.0.0.1:8000"):
        assert browser.get("/", host=host).status_code == 200
    outside = Browser(site.opened.app, "192.0.2.7", OUTSIDE)
    assert outside.get("/").status_code == 200
    assert outside.get("/", host="localhost").status_code == 421
    with site.acting("desk", "lending") as work:
        assert not work.select(site.Member)


def test_every_answer_carries_the_security_headers(browser: Browser) -> None:
    for path in ("/", "/nothing", "/undeclared", "/privacy"):
        headers = browser.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_unknown_paths_and_methods_are_answered_plainly(browser: Browser) -> None:
    assert browser.get("/nothing").status_code == 404
    assert browser.get("/%2e%2e/etc/passwd").status_code == 404
    assert browser.post("/", {"csrf": browser.token("/join")}).status_code == 405


def test_the_privacy_page_unfolds_rules_and_counts_that_show_nobody(site: Any, browser: Browser, ann: str) -> None:
    browser.get("/stranger")
    site.opened.sequencer.run()
    page = browser.get("/privacy").text
    assert "may collect contact, wishes from customer at hall" in page
    tallies = dict(re.findall(r'id="([a-z-]+)">.*?class="tally">([^;<]*)', page, re.DOTALL))
    assert tallies["ask"] == "Permitted fewer than 10 times, refused fewer than 10 times."
    for _ in range(12):
        browser.get("/stranger")
    site.opened.sequencer.run()
    page = browser.get("/privacy").text
    tallies = dict(re.findall(r'id="([a-z-]+)">.*?class="tally">([^<]*)', page, re.DOTALL))
    assert tallies["see"].startswith("Permitted fewer than 10 times, refused some 10 times; last risen in ")  # 13


def test_a_database_that_fails_midway_gives_an_error_page_and_keeps_nothing(site: Any, browser: Browser) -> None:
    token = browser.token("/join")
    with site.opened.vault.store.writing() as connection:
        connection.execute(text("DROP TABLE avow_pending"))
    answer = browser.post("/join", {"csrf": token, "name": "Ann", "email": "a@example.org", "books": "1"})
    assert answer.status_code == 500
    with site.opened.vault.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM club_member")).scalar() == 0


@pytest.mark.parametrize("kind", ["", "Text/HTML", "application/xml", "application/problem+json", "image/png"])
def test_an_opened_value_leaves_in_no_kind_of_answer(browser: Browser, ann: str, kind: str) -> None:
    answer = browser.get(f"/kinds?kind={kind.replace('/', '.').replace('+', '%2B')}")
    assert (answer.status_code, "Ann" in answer.text) == (403, False)


@pytest.mark.parametrize(
    ("kind", "status", "shown"),
    [
        ("text.plain", 200, 'Ann "<b>" \\'),
        ("application.json", 200, '{"name": "Ann \\"<b>\\" \\\\"}'),
        ("text.javascript", 403, ""),
        ("application.xml", 403, ""),
    ],
)
def test_values_are_escaped_for_the_kind_of_answer(
    site: Any, browser: Browser, kind: str, status: int, shown: str
) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Member, person=work.person(), name='Ann "<b>" \\', email="b@example.org")
        secret = work.secret(bob)
    answer = browser.get(f"/typed/{secret}?kind={kind}")
    assert answer.status_code == status
    if status == 200:
        assert shown in answer.text
    else:
        assert "Ann" not in answer.text


def test_a_streamed_answer_arrives_whole(browser: Browser) -> None:
    assert browser.get("/streamed").text == "onetwo"


def test_an_odd_cookie_does_not_cost_the_others(browser: Browser) -> None:
    for odd in ('x={"y":1}', "foo[1]=2", "junk", "path=/"):
        assert "<p>C</p>" in browser.get("/declared", cookie=f"{odd}; shelf=C").text


def test_a_link_that_somebody_wrote_into_the_database_leads_nowhere(site: Any, browser: Browser, ann: str) -> None:
    import hashlib

    link = site.home.schema.link
    with site.opened.vault.store.writing() as connection:
        row = connection.execute(select(link)).one()
        forged = hashlib.sha256(b"avow link\0letmein").digest()
        connection.execute(
            link.insert().values(token=forged, owner=row.owner, record_table=row.record_table, record_id=row.record_id)
        )
    assert "Ann" not in browser.get("/own/letmein").text


def test_one_persons_opened_text_is_not_shown_to_the_next(site: Any, browser: Browser, ann: str) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")
        secret = work.secret(bob)
    answer = browser.get(f"/two/{ann}?other={secret}")
    assert (answer.status_code, "Ann Example" in answer.text) == (403, False)
