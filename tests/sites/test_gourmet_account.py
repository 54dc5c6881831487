"""Accounts at the gourmet shop: opened by a mailed link, told to nobody else, and a password that nobody can read."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from avow.errors import Refused

from .conftest import Gourmet, Peers
from .customer import anchors, spellings
from .member import EMAIL, NAME, OTHER, PASSWORD, is_in, links, log_in, member


def accounts(gourmet: Gourmet, work: Any) -> list[Any]:
    return list(work.select(next(kind for kind in gourmet.site.home.records if kind.__name__ == "Account")))


def keeping(gourmet: Gourmet, place: str = "profile") -> Any:
    return gourmet.acting("account_keeping", place=place)


# -- opening one --------------------------------------------------------------------------------------


def test_an_account_counts_once_the_mailed_link_was_followed_and_the_button_pressed(
    gourmet: Gourmet, peers: Peers
) -> None:
    customer = gourmet.customer()
    customer.send("/signup", {"name": NAME, "email": EMAIL, "password": PASSWORD})
    gourmet.work_off()
    [mail] = peers.mail.received
    assert mail.recipients == (EMAIL,)
    assert f"Dear {NAME}," in mail.text
    [link] = links(peers.mail, "/signup")
    assert customer.get(link).status_code == 200, "who only looks at the link proves nothing"
    assert log_in(customer).status_code == 422
    answer = customer.send(link, {})
    assert answer.headers["location"] == "/account?new"
    page = customer.get("/account").text
    assert NAME in page
    assert EMAIL in page
    assert customer.send(link, {"csrf": "x"}).status_code == 403
    assert gourmet.customer().get(link).status_code == 404, "the link has served"


def test_the_link_ends_after_a_day_and_what_was_typed_in_goes(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.send("/signup", {"name": NAME, "email": EMAIL, "password": PASSWORD})
    gourmet.work_off(later=24 * 3600 + 1)
    assert customer.get(links(peers.mail, "/signup")[0]).status_code == 404
    customer.send("/signup", {"name": "Bo", "email": "bo@example.org", "password": PASSWORD})
    with keeping(gourmet) as work:
        assert [account.name._reveal() for account in accounts(gourmet, work)] == ["Bo"]


def test_the_page_does_not_say_whether_an_address_has_an_account(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    stranger = gourmet.customer()
    for path, typed in (
        ("/signup", {"name": "Eve", "password": OTHER}),
        ("/login/forgotten", {}),
    ):
        answers = [stranger.send(path, {**typed, "email": email}) for email in (EMAIL, "nobody@example.org")]
        assert len({(answer.status_code, answer.headers["location"], answer.text) for answer in answers}) == 1
    gourmet.work_off()
    told = [mail for mail in peers.mail.received if mail.recipients == (EMAIL,)]
    assert any("There is one already" in " ".join(mail.text.split()) for mail in told)
    with keeping(gourmet) as work:
        mine = [account for account in accounts(gourmet, work) if account.email._reveal() == EMAIL]
        assert [account.name._reveal() for account in mine] == [NAME]
    assert log_in(gourmet.customer(), password=OTHER).status_code == 422


def test_of_two_sign_ups_with_one_address_the_first_to_be_proven_counts(gourmet: Gourmet, peers: Peers) -> None:
    eve, ann = gourmet.customer(), gourmet.customer()
    for who, password in ((eve, OTHER), (ann, PASSWORD)):
        who.send("/signup", {"name": NAME, "email": EMAIL, "password": password})
    gourmet.work_off()
    first, second = links(peers.mail, "/signup")
    assert ann.send(second, {}).headers["location"] == "/account?new"
    assert ann.send(first, {}).headers["location"] == "/login"
    assert log_in(gourmet.customer(), password=OTHER).status_code == 422
    assert log_in(gourmet.customer()).status_code == 303


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 12 characters, you typed 5"),
        ("x" * 12, "guessed first"),
        ("abcabcabcabc", "guessed first"),
        ("Password 1234", "guessed first"),
        ("Quince & Barrel", "guessed first"),
        ("é" * 129, "at most 128 characters, you typed 129"),
    ],
)
def test_a_password_has_12_to_128_characters_and_is_none_of_the_commonest(
    gourmet: Gourmet, password: str, said: str
) -> None:
    answer = gourmet.customer().send("/signup", {"name": NAME, "email": EMAIL, "password": password})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{NAME}"' in answer.text
    assert f'value="{password}"' not in answer.text


@pytest.mark.parametrize(
    "password", ["twelve chars", "ünï çødé 密码 ok", "            padded inside   x", "p" + "q" * 127]
)
def test_any_other_password_of_that_length_will_do(gourmet: Gourmet, peers: Peers, password: str) -> None:
    member(gourmet, peers, password=password)
    assert log_in(gourmet.customer(), password=password).status_code == 303


# -- logging in and out -------------------------------------------------------------------------------


@pytest.mark.promise("I6", "works")
def test_logging_in_sets_the_declared_cookies_and_logging_out_takes_them_back(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    customer = gourmet.customer()
    answer = log_in(customer)
    first = customer.http.cookies["login"]
    cookies = sorted(answer.headers.get_list("set-cookie"))
    assert [re.sub(r"=[\w-]{43};", "=…;", cookie) for cookie in cookies] == [
        "greeting=…; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure",
        "login=…; Path=/; HttpOnly; SameSite=Lax; Secure",
    ]
    log_in(customer)
    assert customer.http.cookies["login"] != first, "each log-in gets a number of its own"
    assert is_in(customer)
    stale = gourmet.customer()
    stale.http.cookies.set("login", first, domain="shop.example")
    assert not is_in(stale)
    customer.send("/logout", {})
    assert "login" not in customer.http.cookies
    assert not is_in(customer)
    assert "Welcome back" in customer.get("/").text
    customer.send("/logout", {"forget": "yes"})
    assert not list(customer.http.cookies.jar)
    assert "Welcome back" not in customer.get("/").text


def test_a_session_ends_after_twelve_idle_hours_and_goes_on_while_it_is_used(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    for _ in range(4):
        gourmet.clock.advance(11.8 * 3600)
        assert is_in(customer)
    gourmet.clock.advance(12 * 3600)
    assert not is_in(customer)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    answers = [
        log_in(gourmet.customer(), email=email, password=OTHER) for email in (EMAIL, "nobody@canary-mail.example")
    ]
    texts = [re.sub(r'value="[^"]*"|data-challenge="[^"]*"', "", answer.text) for answer in answers]
    assert texts[0] == texts[1]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert "do not belong together" in texts[0]


def test_an_unknown_address_costs_a_hash_as_well(gourmet: Gourmet, peers: Peers, monkeypatch: Any) -> None:
    """The hash is what takes the time: it is made for both, with the same parameters."""
    import sys

    made: list[str] = []
    module = sys.modules["gourmet.password"]
    real = module.password_fits

    def counted(text: str, stored: str) -> bool:
        made.append(stored)
        return bool(real(text, stored))

    monkeypatch.setattr(module, "password_fits", counted)
    member(gourmet, peers)
    for email in (EMAIL, "nobody@canary-mail.example"):
        log_in(gourmet.customer(), email=email, password=OTHER)
    assert [hash.rsplit("$", 2)[0] for hash in made] == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


def test_attempts_are_slowed_down_by_address_whether_or_not_it_is_known(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    for email in (EMAIL, "nobody@canary-mail.example"):
        for _ in range(5):
            assert "belong together" in log_in(gourmet.customer(), email=email, password=OTHER).text
        answer = log_in(gourmet.customer(), email=email.upper())
        assert "Too many attempts with this address. Please wait 1 minute." in answer.text
    gourmet.clock.advance(31)
    assert log_in(gourmet.customer()).status_code == 303
    assert "belong together" in log_in(gourmet.customer(), password=OTHER).text, "a right one forgets the wrong ones"


def test_a_hash_made_with_less_is_made_anew_when_the_password_is_at_hand(gourmet: Gourmet, peers: Peers) -> None:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    weak = Argon2id(salt=b"0" * 16, length=32, iterations=1, lanes=1, memory_cost=8192)
    member(gourmet, peers)
    with keeping(gourmet) as work:
        [account] = accounts(gourmet, work)
        old = weak.derive_phc_encoded(PASSWORD.encode())
        work.update(account, password=work.derive("account.password_hash", [given(PASSWORD)], lambda text: old))
    assert log_in(gourmet.customer()).status_code == 303
    with keeping(gourmet) as work:
        assert accounts(gourmet, work)[0].password._reveal().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert log_in(gourmet.customer()).status_code == 303


def given(text: str) -> Any:
    from avow.vault.sealed import Given

    return Given("account.password", text)


# -- a forgotten password -----------------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_by_a_mailed_link_once(gourmet: Gourmet, peers: Peers) -> None:
    logged_in = member(gourmet, peers)
    customer = gourmet.customer()
    customer.send("/login/forgotten", {"email": EMAIL.upper()})
    gourmet.work_off()
    [link] = links(peers.mail, "/login/reset")
    assert customer.send(link, {"password": "short"}).status_code == 422
    answer = customer.send(link, {"password": OTHER})
    assert answer.headers["location"] == "/account?password"
    assert is_in(customer)
    assert not is_in(logged_in), "every other browser is logged out"
    assert "Welcome back" not in logged_in.get("/").text
    assert gourmet.customer().get(link).status_code == 404
    assert log_in(gourmet.customer()).status_code == 422
    assert log_in(gourmet.customer(), password=OTHER).status_code == 303
    gourmet.work_off()
    assert "was changed" in str(peers.mail.received[-1].message["subject"])


def test_the_link_is_good_for_an_hour_and_ends_with_a_newer_one(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    customer = gourmet.customer()
    customer.send("/login/forgotten", {"email": EMAIL})
    gourmet.work_off(later=60)
    customer.send("/login/forgotten", {"email": EMAIL})
    gourmet.work_off()
    first, second = links(peers.mail, "/login/reset")
    assert customer.get(first).status_code == 404
    assert customer.get(second).status_code == 200
    gourmet.clock.advance(3600)
    assert customer.get(second).status_code == 404
    with sqlite3.connect(gourmet.data / "site.db") as database:
        database.execute("UPDATE shop_account SET until = until + 7200")
    database.close()
    assert customer.get(second).status_code == 404, "its end is a part of what it is bound to"


def test_links_serve_only_what_they_were_mailed_for(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    [proof] = links(peers.mail, "/signup")
    secret = proof.rpartition("/")[2]
    for path in ("/login/reset", "/order", "/account/email", "/signup"):
        assert gourmet.customer().get(f"{path}/{secret}").status_code in (303, 404)
    assert customer.get(f"/login/reset/{secret}").status_code == 404


def test_nobodys_mailbox_is_filled_from_here(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    customer = gourmet.customer()
    for _ in range(20):
        customer.send("/login/forgotten", {"email": EMAIL})
        customer.send("/signup", {"name": "Eve", "email": EMAIL, "password": OTHER})
    gourmet.work_off()
    assert len(peers.mail.received) <= 1 + 5


# -- what lies in the database, and what the policy holds ---------------------------------------------


def test_neither_password_nor_hash_nor_number_can_be_read_anywhere(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        customer = member(gourmet, peers)
        log_in(gourmet.customer(), password=OTHER)
        log_in(gourmet.customer())
        customer.get("/account")
    own = "\n".join(line for line in caplog.text.splitlines() if "httpx" not in line).encode()
    with keeping(gourmet) as work:
        kept = accounts(gourmet, work)[0].password._reveal()
    numbers = [customer.http.cookies["login"], customer.http.cookies["greeting"]]
    for place in (gourmet.stored(), own, repr(gourmet.entries()).encode()):
        for secret in (PASSWORD, OTHER, EMAIL, NAME, kept, kept.rpartition("$")[2], *numbers):
            assert not [form for form in spellings(secret) if form in place]


@pytest.mark.promise("I6", "holds")
def test_a_row_moved_to_another_customer_logs_nobody_in_there(gourmet: Gourmet, peers: Peers) -> None:
    """Whoever writes into the database takes over no account: neither by a session, nor by an index, nor by a hash."""
    member(gourmet, peers, name="Ann Victim", email="ann@canary-mail.example", password=OTHER)
    mallory = member(gourmet, peers)
    with sqlite3.connect(gourmet.data / "site.db") as database:
        rows = dict(database.execute("SELECT email_ix, customer FROM shop_account").fetchall())
        with keeping(gourmet) as work:
            mine = next(account.customer for account in accounts(gourmet, work) if account.name._reveal() == NAME)
        victim = next(person for person in rows.values() if person != mine)
        for table in ("shop_login", "shop_greeting"):
            database.execute(f"UPDATE {table} SET customer = ? WHERE customer = ?", (victim, mine))
    database.close()
    assert not is_in(mallory)
    assert "Welcome back" not in mallory.get("/").text
    with sqlite3.connect(gourmet.data / "site.db") as database:
        [hash] = database.execute("SELECT password FROM shop_account WHERE customer = ?", (mine,)).fetchone()
        database.execute("UPDATE shop_account SET password = ? WHERE customer = ?", (hash, victim))
    database.close()
    answer = log_in(gourmet.customer(), email="ann@canary-mail.example", password=PASSWORD)
    assert answer.status_code == 500, "a hash that was sealed for somebody else does not open"
    assert "set-cookie" not in answer.headers


def test_no_program_reads_keeps_or_shows_a_password(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    with keeping(gourmet) as work:
        [account] = accounts(gourmet, work)
        work.recognise(account, "logged_in(subject)")
        attempts: list[tuple[Callable[[], object], str]] = [
            (lambda: given(PASSWORD).open(), "no-other-use"),
            (lambda: account.password.open(purpose="marketing"), "no-other-use"),
            (lambda: work.update(account, password=given(PASSWORD)), "password"),
            (lambda: work.derive("account.password_hash", [account.name], str.upper), "no-other-use"),
        ]
        for attempt, anchor in attempts:
            with pytest.raises(Refused) as refused:
                attempt()
            assert anchor in anchors(refused.value)

    def careless(work: Any) -> Any:
        found = accounts(gourmet, work)[0]
        work.recognise(found, "logged_in(subject)")
        return work.render("notice.html", title="Yours", text=[found.password])

    gourmet.add_page("/careless", careless, place="profile", purpose="account_keeping")
    assert anchors(gourmet.customer().get("/careless")) == {"password"}


def test_the_form_of_one_who_is_logged_in_serves_nobody_else(gourmet: Gourmet, peers: Peers) -> None:
    """A token from another browser, or from before logging in, is not taken: nobody logs a victim in as themselves."""
    customer = member(gourmet, peers)
    stranger = gourmet.customer()
    token = re.search(r'name="csrf" value="([^"]+)"', stranger.get("/logout").text)
    assert token
    assert customer.send("/account/erase", {"csrf": token[1], "do": "ask"}).status_code == 403
    assert customer.send("/account/erase", {"do": "ask"}).status_code == 303
    mine = re.search(r'name="csrf" value="([^"]+)"', customer.get("/account/erase").text)
    assert mine
    assert stranger.send("/login", {"csrf": mine[1], "email": EMAIL, "password": PASSWORD}).status_code == 403
    assert customer.send("/cart/add", {"sku": "comte", "quantity": "1"}, page="/products/comte").status_code == 303
