"""Stopping mail and objecting, by link, on the page and through the staff (I9, I15); see also objections."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Gourmet, Peers, Shop
from .customer import Customer, anchors
from .subscribers import ANN, THEIR, choices, facts, link, module, ordered, seen

# -- works: by link -----------------------------------------------------------------------------------


@pytest.mark.promise("I9", "works")
@pytest.mark.promise("I15", "works")
def test_by_the_link_in_any_mail_in_a_browser(shop: Shop, page: Any) -> None:
    Customer(shop.base).order()
    [mail] = shop.peers.mail.wait_for(1)
    page.goto(f"{shop.base}{link(mail, 'stop')}")
    assert page.get_by_role("button").count() == 1
    assert page.get_by_text("Nothing has stopped yet").is_visible()
    page.get_by_label("Every use beyond my orders").check()
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("heading", name="This has stopped").wait_for()
    assert page.get_by_role("status").get_by_text("Every use beyond my orders, since").is_visible()
    page.get_by_label("All mail beyond running orders").check()
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("status").get_by_text("All mail beyond running orders, since").wait_for()
    page.get_by_role("button", name="I have changed my mind: begin again with every use").click()
    page.get_by_role("status").get_by_text("Every use beyond my orders, since").wait_for(state="detached")
    assert page.get_by_role("status").get_by_text("All mail beyond running orders, since").is_visible()


@pytest.mark.parametrize("topic", ["newsletter", "marketing", "mail", "other_uses"])
def test_each_topic_stops_and_begins_again(gourmet: Gourmet, peers: Peers, topic: str) -> None:
    path = ordered(gourmet, peers)
    fact = f"objected({topic})" if topic != "newsletter" else "withdrawn(newsletter)"
    assert not facts(gourmet, THEIR)[fact]
    assert gourmet.customer().send(path, {"what": topic}).status_code == 303
    assert facts(gourmet, THEIR)[fact]
    assert [known for known, value in facts(gourmet, THEIR).items() if value] == [fact]
    gourmet.clock.advance(1.0)
    again = gourmet.customer().send(f"{path}/again", {"what": topic}, page=path)
    if topic == "newsletter":  # begins again by its own page, with its own words
        assert again.status_code == 422
    else:
        assert again.status_code == 303
        assert not facts(gourmet, THEIR)[fact]


@pytest.mark.promise("I15", "holds")
def test_of_two_choices_of_one_moment_the_one_that_says_no_counts(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    for where in (path, f"{path}/again", path, f"{path}/again"):
        gourmet.customer().send(where, {"what": "mail"}, page=path)
    assert facts(gourmet, THEIR)["objected(mail)"]


def test_one_click_on_an_offer_ends_offers_and_surveys(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    answer = gourmet.customer().http.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert choices(gourmet, THEIR) == [("marketing", "no")]


# -- works: on the page -------------------------------------------------------------------------------


@pytest.mark.promise("I15", "works")
def test_on_the_page_without_scripts(shop: Shop, plain_page: Any) -> None:
    plain_page.goto(f"{shop.base}/stop")
    plain_page.get_by_label("Your e-mail address").fill(ANN)
    plain_page.get_by_label("Anything you want to say").fill("I have enough cheese.")
    plain_page.get_by_role("button", name="Stop it").click()
    plain_page.get_by_role("heading", name="It has stopped").wait_for()
    assert plain_page.get_by_text("All mail beyond running orders, since").is_visible()
    where = plain_page.url
    plain_page.goto(f"{shop.base}/stop")
    plain_page.get_by_label("Number of your wish").fill(where.rpartition("/")[2].lower())
    plain_page.get_by_role("button", name="Look").click()
    assert plain_page.url == where
    assert shop.peers.mail.received == ()


def test_the_answer_does_not_tell_whether_an_address_is_known(gourmet: Gourmet, peers: Peers) -> None:
    ordered(gourmet, peers)
    pages = []
    for address in (THEIR, ANN):
        answer = gourmet.customer().send("/stop", {"email": address, "what": "mail"})
        assert answer.status_code == 303
        page = seen(gourmet, answer.headers["location"])
        pages.append(re.sub(r"[A-Z2-9]{5}-[A-Z2-9]{5}|value=\"[^\"]{40,}\"", "", page))
    assert pages[0] == pages[1]
    gourmet.work_off()
    assert len(peers.mail.received) == 1


def test_a_form_that_is_not_in_order_comes_back_as_it_was_filled_in(gourmet: Gourmet) -> None:
    typed = {"email": "ann.at.example", "what": "other_uses", "words": "You <never> asked"}
    answer = gourmet.customer().send("/stop", typed)
    assert answer.status_code == 422
    assert "This does not look like an e-mail address" in answer.text
    assert 'value="ann.at.example"' in answer.text
    assert "You &lt;never&gt; asked" in answer.text
    assert re.search(r'value="other_uses" checked', answer.text)


def test_an_unknown_number_or_link_says_so(gourmet: Gourmet) -> None:
    for path in ("/stop/seen/AAAAA-22222", "/stop/seen/x", "/stop/seen?number=x"):
        assert "Nothing under this number" in seen(gourmet, path)
    assert gourmet.customer().get("/stop/nothing").status_code == 404
    program = gourmet.customer().http.post("/stop/nothing", data={"List-Unsubscribe": "One-Click"})
    assert program.status_code == 404


@pytest.mark.promise("I15", "holds")
def test_every_page_on_which_mail_is_stopped_tells_what_has_stopped(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    answer = gourmet.customer().send("/stop", {"email": ANN, "what": "mail"})
    for where in ("/stop", path, answer.headers["location"], "/stop/seen/x", "/stop/nothing"):
        assert 'data-notice="stopped"' in seen(gourmet, where), where
    gourmet.add_page("/stop-silently", lambda work: work.render("notice.html", title="x", text=[]), place="stop_page")
    refusal = gourmet.customer().get("/stop-silently")
    assert refusal.status_code == 403
    assert anchors(refusal) == {"mail-stopped"}


# -- works: through the staff -------------------------------------------------------------------------


@pytest.mark.promise("I9", "works")
def test_through_the_staff_on_the_telephone(gourmet: Gourmet) -> None:
    stop = module(gourmet, "stop")
    with gourmet.site.acting("order_desk", "ordering", place="phone", channel="https") as work:
        number = stop.object(work, ANN, ["other_uses", "mail"], "phone", "She said: no more of this.")
    assert set(choices(gourmet, ANN)) == {("other_uses", "no"), ("mail", "no")}
    assert "as you told us by telephone" in seen(gourmet, f"/stop/seen/{number}")
