"""Everything that the gourmet shop holds about somebody: shown to them, given to them as a file, and to nobody else."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from html import unescape
from typing import Any

import pytest

from avow.errors import Refused, SealedError

from .conftest import Gourmet, Peers, Shop
from .customer import CARD, CONTACT, Customer, anchors, spellings
from .member import ADDRESS, EMAIL, NAME, OTHER, PASSWORD, member
from .subscribers import BOB, module, subscribe
from .test_gourmet_member_browser import sign_up

QUESTION, ELSE = "Is the Comté from summer milk?", "Do you hire?"
#: What others may hold in the same words.
SAME_FOR_MANY = {"order.items", "order.lines", "subscription", "erasure", "membership", "card.last4"}
ORDERED = {"name": "Wilhelmina X.", "email": EMAIL, "note": "Quietly at the quillback door", **ADDRESS}


def taken(customer: Customer, path: str = "/account/data.json") -> Any:
    """What somebody takes along."""
    answer = customer.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def texts(export: Any) -> list[str]:
    """Every value that is told in it."""
    return [value["text"] for record in export["records"] for value in record["values"] if "text" in value]


def kinds(export: Any) -> set[str]:
    return {record["what"] for record in export["records"]}


def held(gourmet: Gourmet, *persons: str) -> dict[str, list[str]]:
    """Everything that lies sealed in a record of these people, opened with the keys at hand, by category."""
    found: dict[str, list[str]] = {}
    with gourmet.acting() as work:
        for kind in gourmet.site.home.records:
            for record in work.select(kind):
                for name, field in kind.__layout__.fields.items():
                    value = getattr(record, name)
                    if value is not None and record.owner_id in persons:
                        found.setdefault(field.category, []).append(value._reveal())
    return found


def persons(gourmet: Gourmet, address: str) -> list[str]:
    """Whoever is known by an address."""
    with gourmet.acting() as work:
        return [record.owner_id for record in module(gourmet, "erasure").known_by(work, address)]


def customer_with_everything(gourmet: Gourmet, peers: Peers) -> tuple[Customer, str]:
    """A member who has ordered, asked, subscribed, objected and wished; and the path of the order."""
    customer = member(gourmet, peers)
    customer.send("/account/details", {"name": NAME, **ADDRESS})
    order = customer.order(**ORDERED)
    for text in (QUESTION, ELSE):
        assert gourmet.customer().send("/contact", {"email": EMAIL, "text": text}).status_code == 303
    subscribe(gourmet, peers, EMAIL)
    customer.send("/stop", {"email": EMAIL, "words": "no more offers", "what": "marketing"})
    customer.send("/account/email", {"email": "new@canary-mail.example", "password": PASSWORD})
    customer.send("/account/erase", {"do": "ask"})
    gourmet.work_off()
    return customer, order


# -- works --------------------------------------------------------------------------------------------


def test_who_is_logged_in_sees_everything_in_a_browser_and_takes_it_along(shop: Shop, page: Any) -> None:
    sign_up(page, shop, shop.base)
    page.get_by_role("link", name="See everything we hold, or take it with you").click()
    account = page.get_by_role("article", name="Your account", exact=True)
    assert account.get_by_text(EMAIL).is_visible()
    assert "Stays closed" in account.inner_text()
    account.get_by_text("What our software notes with it").click()
    assert account.get_by_text("How often the password was set").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it with you").click()
    assert download.value.suggested_filename == "quince-and-barrel.json"
    export = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert {NAME, EMAIL} <= set(texts(export))
    assert export["policy"]["title"] == "Privacy at Quince & Barrel"
    assert EMAIL not in shop.log.read_text()


def test_a_guest_sees_and_takes_what_came_with_an_order(shop: Shop, plain_page: Any) -> None:
    order = Customer(shop.base).order()
    page = plain_page
    page.goto(f"{shop.base}{order}")
    page.get_by_role("link", name="See everything we hold, or take it with you").click()
    shown = page.get_by_role("article", name="An order", exact=True).inner_text()
    assert all(text in shown for text in CONTACT.values())
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it with you").click()
    export = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert {*CONTACT.values(), CARD["card_number"][-4:]} <= set(texts(export))


def test_a_question_is_taken_back_in_a_browser(shop: Shop, plain_page: Any) -> None:
    page = plain_page
    sign_up(page, shop, shop.base)
    for text in (QUESTION, ELSE):
        Customer(shop.base).send("/contact", {"email": EMAIL, "text": text})
    page.goto(f"{shop.base}/account")
    page.get_by_role("listitem").filter(has_text=QUESTION).get_by_role("button", name="Take it back").click()
    assert page.get_by_role("status").inner_text() == "Your question is removed, and our answer with it."
    assert QUESTION not in page.content()
    assert ELSE in page.content()


@pytest.mark.promise("I1", "holds")
def test_every_value_that_may_be_shown_is_in_the_file_and_on_the_page(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    mine = held(gourmet, *persons(gourmet, EMAIL))
    closed = [*mine.pop("account.password_hash")]
    assert {"contact.name", "request", "subscription", "objection", "erasure", "card.last4", "membership"} <= set(mine)
    export = taken(customer)
    assert sorted(texts(export)) == sorted(text for found in mine.values() for text in found)
    assert not [text for text in closed if text in json.dumps(export)]
    page = unescape(customer.get("/account/data").text)
    assert not [text for found in mine.values() for text in found if text not in page]
    assert not [text for text in closed if text in page]


def test_it_says_when_where_and_under_which_version_in_words(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    export = taken(customer)
    [order] = [record for record in export["records"] if record["what"] == "An order"]
    [note] = [value for value in order["values"] if value["category"] == "order.note"]
    assert note == {
        "what": "your note to our packers",
        "category": "order.note",
        "collected": "2026-11-18T11:00Z",
        "at": "the checkout",
        "version": "1",
        "text": ORDERED["note"],
    }
    [tracking] = [value for value in order["values"] if value["category"] == "parcel.tracking"]
    assert tracking["at"] == "our dispatch desk"
    said = {(each["as"], each["what"], each["state"]) for each in export["sent"]}
    assert ("mail", "the order confirmation", "was sent") in said
    assert ("share", "UPS", "was sent") in said
    assert ("exchange", "the card processor", "was sent") in said


def test_every_record_of_the_shop_is_called_in_words(gourmet: Gourmet) -> None:
    """But those that are the house's own, of whom nothing is known."""
    own = {"Mailing", "Count"}
    silent = [kind.__name__ for kind in gourmet.site.home.records if not getattr(kind, "__label__", "")]
    assert set(silent) - own == {"Visit"} & set(silent)


# -- holds: whose it is -------------------------------------------------------------------------------


def test_who_is_not_logged_in_gets_nothing(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers)
    for path in ("/account/data", "/account/data.json"):
        answer = gourmet.customer().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?to=account")
    for path in ("/order/nowhere/data", "/order/nowhere/data.json"):
        assert gourmet.customer().get(path).headers["location"] == "/order/nowhere"
    assert gourmet.customer().send("/account/questions/remove", {"id": "x"}, page="/contact").status_code == 303


@pytest.mark.promise("I1", "holds")
def test_nobody_else_s_login_or_link_gives_anything_of_it(gourmet: Gourmet, peers: Peers) -> None:
    _, order = customer_with_everything(gourmet, peers)
    found = held(gourmet, *persons(gourmet, EMAIL))
    mine = [text for category in sorted(found.keys() - SAME_FOR_MANY) for text in found[category]]
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)
    guest = gourmet.customer().order(email="third@example.org")
    gourmet.work_off()
    for customer, path in ((other, "/account/data"), (gourmet.customer(), f"{guest}/data")):
        seen = customer.get(path).text + json.dumps(taken(customer, f"{path}.json"), ensure_ascii=False)
        assert not [text for text in mine if text in seen]
    # nor does the link to an order give what is held with the account that it was placed with
    for path in (f"{order}/data", f"{order}/data.json"):
        answer = gourmet.customer().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/data")


@pytest.mark.promise("I1", "holds")
def test_a_question_is_taken_back_by_nobody_else(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    identity = re.findall(r'name="id" value="([0-9a-f]{32})"', customer.get("/account").text)[0]
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)
    other.send("/account/questions/remove", {"id": identity}, page="/account")
    assert len(held(gourmet, *persons(gourmet, EMAIL))["request"]) == 2
    customer.send("/account/questions/remove", {"id": identity}, page="/account")
    assert len(held(gourmet, *persons(gourmet, EMAIL))["request"]) == 1


def test_what_was_taken_back_appears_nowhere_and_its_answer_does_not_leave(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    customer.send("/contact", {"email": EMAIL, "text": QUESTION})
    request = module(gourmet, "request").Request
    with gourmet.site.acting("service_desk", "answers", place="desk", channel="https") as work:
        [asked] = work.select(request)
        work.update(asked, source="service_desk", answer="From summer milk only.", state="answered")
        work.send("answer", asked)
    customer.send("/account/questions/remove", {"id": asked.id}, page="/account")
    before = len(peers.mail.received)
    gourmet.work_off()
    assert len(peers.mail.received) == before
    assert not {QUESTION, "From summer milk only."} & set(texts(taken(customer)))
    assert "A question" not in kinds(taken(customer))
    assert request.__tablename__ not in json.dumps(gourmet.entries())


@pytest.mark.promise("I1", "holds")
def test_no_program_shows_it_to_who_has_shown_nothing(gourmet: Gourmet, peers: Peers) -> None:
    """Python API: the record alone entitles to nothing, nor does a place or purpose that no sentence names."""
    customer_with_everything(gourmet, peers)
    account = module(gourmet, "account").Account
    with gourmet.acting("account_keeping", place="data_page") as work, pytest.raises(Refused, match="nobody has shown"):
        work.holdings(work.select(account)[0], fact="logged_in(subject)")
    with gourmet.acting("marketing", place="data_page") as work:
        [mine] = work.select(account)
        work.recognise(mine, "logged_in(subject)")
        found = work.holdings(mine, fact="logged_in(subject)")
        assert not [value.label for item in found.items for value in item.values if value.sealed is not None]
    with gourmet.acting("account_keeping", place="data_page") as work, pytest.raises(Refused) as refused:
        work.remove(work.select(module(gourmet, "request").Request)[0])
    assert anchors(refused.value) & {"correct", "take-back"}


@pytest.mark.promise("I1", "holds")
def test_a_careless_page_puts_none_of_it_before_a_stranger(gourmet: Gourmet, peers: Peers) -> None:
    """HTTP: who was recognised is one person, and what is asked for is another's."""
    customer_with_everything(gourmet, peers)
    account = module(gourmet, "account").Account
    login = module(gourmet, "login")

    def careless(work: Any) -> Any:
        login.who(work)
        [found] = [one for one in work.select(account) if work.unit.viewer != one.owner_id]
        return work.export(work.holdings(found, fact="logged_in(subject)"), "x.json")

    gourmet.add_page("/careless", careless, place="data_page", purpose="account_keeping")
    answer = gourmet.customer().get("/careless")
    assert answer.status_code == 403
    assert NAME not in answer.text


# -- holds: stored bytes, logs ------------------------------------------------------------------------


@pytest.mark.promise("I1", "holds")
@pytest.mark.parametrize("table", ["shop_request", "shop_choice", "shop_part", "shop_order"])
def test_a_row_that_was_given_to_somebody_else_in_the_database_is_not_told(
    gourmet: Gourmet, peers: Peers, table: str
) -> None:
    """Raw SQL: the thief gets no page at all, and no value of it."""
    customer, _ = customer_with_everything(gourmet, peers)
    customer.order(**{**ORDERED, "email": EMAIL})
    thief = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)
    [bob] = persons(gourmet, BOB)
    column = "person" if table == "shop_choice" else "customer"
    if table == "shop_part":
        goods = gourmet.customer()
        goods.put_into_cart("trout")
        goods.order(**ORDERED)
    gourmet.work_off()
    with sqlite3.connect(gourmet.data / "site.db") as database:
        row = f"SELECT id FROM {table} WHERE {column} != ? LIMIT 1"
        found = database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ({row})", (bob, bob))
        assert found.rowcount == 1
    database.close()
    for path in ("/account/data", "/account/data.json"):
        answer = thief.get(path)
        assert answer.status_code == 500
        assert not [text for text in (*ORDERED.values(), QUESTION, EMAIL) if text in answer.text]
    with gourmet.acting("account_keeping", place="data_page") as work:
        mine = module(gourmet, "account").find(work, BOB)
        work.recognise(mine, "logged_in(subject)")
        with pytest.raises(SealedError):
            work.holdings(mine, fact="logged_in(subject)")


def test_stored_bytes_logs_and_ledger_hold_no_word_of_it(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        customer, _ = customer_with_everything(gourmet, peers)
        customer.get("/account/data")
        taken(customer)
    written = gourmet.stored() + caplog.text.encode() + json.dumps(gourmet.entries()).encode()
    for text in (EMAIL, QUESTION, ORDERED["note"], ADDRESS["street"]):
        assert not [form for form in spellings(text) if form in written], text


def test_the_file_is_kept_by_no_cache_and_shown_by_no_page(gourmet: Gourmet, peers: Peers) -> None:
    head = member(gourmet, peers).get("/account/data.json").headers
    assert head["cache-control"] == "no-store"
    assert head["content-disposition"] == 'attachment; filename="quince-and-barrel.json"'
