"""Every page of the shop, in each of its states: at both widths, to a screen reader, and in a browser without scripts.

The pages are those that the shop declares, so one that is added and not come to fails here. `SCREENSHOTS=1` renews the
pictures of the documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from avow.cli.serve import load_site
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock

from . import journey, journey_inside
from .conftest import ROOT, SHOP, Gourmet, every_peer
from .looks import LARGEST, PICTURES, WINDOWS, Looks
from .member import member
from .statements import away_from_people, heard, reads_whole_table
from .test_gourmet_report import served
from .versions import looser, shop_under
from .walk import Stage

#: The only forms that need a script; their pages say so.
PASSKEYS = {"/login/passkey", "/account/passkeys", "/account/passkeys/remove"}

TOUR = ROOT / "docs" / "tour.md"


#: What is asked for of people whom nobody has named yet, and why there is no other way.
UNNAMED = {
    "shop_login.token =": "who is logged in: the cookie is all that is known",
    "shop_greeting.token =": "whom to greet: the cookie is all that is known",
    "shop_choice.number =": "whose choice it is: the number in the link is all that is known",
    "shop_passkey.credential_ix IN": "whose passkey it is: its blind index is all that is known",
    "shop_account.email_ix IN AND shop_account.proven IS 1": "who logs in, or has forgotten the password: by address",
    "shop_account.email_ix IN": "to whom a link to erase all belongs: by address",
    "shop_order.email_ix IN": "to whom a link to erase all belongs: by address",
    "shop_request.email_ix IN": "to whom a link to erase all belongs: by address",
    "shop_choice.email_ix IN": "what the holder of an address wants no more, whoever wrote it down",
    "shop_order.ticket =": "a form of the checkout that is sent twice orders once",
    'shop_after."order" =': "what follows an order: planned once for each",
    "shop_login.opened =": "a login that was begun by passkey, by its number",
    "shop_request.id =": "the desk opens one of the questions that wait",
    "shop_request.state =": "the questions that wait, for the desk",
    "shop_request.came_by = AND shop_request.arrived =": "how much is asked in one hour: what a desk can take",
    "shop_order.status =": "the report, which counts all that was paid",
    "avow_visit": "the report, which counts visits",
    "shop_survey_count.answer =": "the counter of an answer, which is nobody's",
    "shop_mailing.state =": "the issue that is being sent, which is nobody's",
    "shop_account.proven IS 0 AND shop_account.until <": "a job: addresses that nobody has proven go",
    "shop_after.next IN AND shop_after.due <=": "a job: what is due",
    "shop_erasure.wished IS NOT NULL AND shop_erasure.wished <=": "a job: whose week is over",
    "shop_greeting.until <": "a job: what has ended goes",
    "shop_login.until <=": "a job: what has ended goes",
}

#: Those that read the whole table: it is what they count, or has a row for each issue.
WHOLE = {"shop_order.status =", "avow_visit", "shop_mailing.state ="}


@pytest.fixture(scope="module")
def statements() -> Iterator[set[str]]:
    """What the whole module says to databases."""
    with heard() as found:
        yield found


@pytest.fixture(scope="module")
def stage(
    statements: set[str], authority: Authority, chromium: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The shop that the whole module walks through."""
    folder = tmp_path_factory.mktemp("pages")
    with every_peer(authority, folder) as peers:
        gourmet = Gourmet(load_site(SHOP), folder / "data", FrozenClock(1_795_000_000.0))
        gourmet.reopen(peers)
        with served(gourmet) as base:
            where = base.replace("127.0.0.1", "localhost")  # passkeys go with names
            yield Stage(
                gourmet, peers, where, chromium, Looks(PICTURES if os.environ.get("SCREENSHOTS") == "1" else None)
            )
        gourmet.site.close()


@pytest.fixture(scope="module")
def announced(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Another such shop whose policy is new, once that has been looked at."""
    folder, clock = tmp_path_factory.mktemp("versions"), FrozenClock(1_795_000_000.0)
    before = Gourmet(load_site(shop_under(looser, folder)), folder / "data", clock)
    before.reopen(stage.peers)
    member(before, stage.peers)
    before.site.close()
    gourmet = Gourmet(load_site(shop_under(lambda text: text, folder)), folder / "data", clock)
    gourmet.reopen(stage.peers)
    with served(gourmet) as base:
        shop = Stage(gourmet, stage.peers, base, stage.chromium, stage.looks, stage.came)
        journey.new_version(shop)
    gourmet.site.close()
    return shop


@pytest.fixture(scope="module")
def walked(stage: Stage, announced: Stage) -> Stage:
    """The shop once everything in it has been looked at."""
    journey.without_account(stage)
    journey_inside.inside(stage)
    return stage


def test_every_page_that_the_shop_declares_was_come_to(walked: Stage) -> None:
    came = {route for _, route in walked.came | walked.scripted}
    assert {route.path for route in walked.routes} - came == set()


def test_every_form_was_sent_by_a_browser_without_scripts_but_those_of_passkeys(walked: Stage) -> None:
    forms = {route.path for route in walked.routes if "POST" in (route.methods or ())}
    assert forms - {route for method, route in walked.came if method == "POST"} == PASSKEYS
    assert {route for method, route in walked.scripted if method == "POST"} >= PASSKEYS


def test_every_page_is_accessible_fits_a_phone_and_has_no_script(walked: Stage) -> None:
    assert walked.looks.faults == []


def test_statements_lead_with_the_person_but_for_a_few(walked: Stage, statements: set[str]) -> None:
    found = away_from_people(statements, walked.gourmet.site.home.records)
    assert found.keys() == UNNAMED.keys()
    tables = walked.gourmet.site.home.metadata.tables
    whole = {what for what, how in found.items() for one in how if reads_whole_table(one, tables, walked.gourmet.data)}
    assert whole == WHOLE


# -- the way there ------------------------------------------------------------------------------------


#: What somebody who comes for the first time must find within three clicks, and how they see that they have.
SOUGHT = {
    "the policy": ("/privacy", "heading", "Privacy at Quince & Barrel"),
    "the page that stops mail": ("/stop", "button", "Stop it"),
    "the objection": ("/stop", "radio", "Every use beyond my orders"),
    "the erase button": ("/erase", "button", "Send me the link to erase it"),
}


def links_on(page: Any) -> list[str]:
    """Where the links lead that one sees on a page, within the shop."""
    found = [link.get_attribute("href") for link in page.get_by_role("link").all() if link.is_visible()]
    return [href for href in dict.fromkeys(found) if href.startswith("/")]


def clicks_to(page: Any, base: str, sought: tuple[str, str, str]) -> list[str]:
    """The fewest links from the first page on which one finds it, up to three."""
    path, role, name = sought
    ways: list[list[str]] = [[]]
    seen = {"/"}
    for way in ways:  # grows while it is gone through: those that are near come first
        page.goto(urljoin(base, way[-1] if way else "/"))
        if urlsplit(page.url).path == path and page.get_by_role(role, name=name).first.is_visible():
            return way
        if len(way) < 3:
            more = [href for href in links_on(page) if urlsplit(href).path not in seen]
            seen |= {urlsplit(href).path for href in more}
            ways += [[*way, href] for href in more]
    pytest.fail(f"{name} is not found within three clicks")


@pytest.mark.parametrize("what", SOUGHT)
def test_a_first_time_visitor_finds_within_three_clicks(stage: Stage, what: str) -> None:
    path, role, name = SOUGHT[what]
    context = stage.chromium.new_context()
    page = context.new_page()
    way = clicks_to(page, stage.base, SOUGHT[what])
    context.close()
    context = stage.chromium.new_context()
    page = context.new_page()
    page.goto(stage.base)
    for href in way:
        page.locator(f'a[href="{href}"]:visible').first.click()
    assert urlsplit(page.url).path == path
    assert page.get_by_role(role, name=name).first.is_visible()
    context.close()


# -- in the documentation -----------------------------------------------------------------------------


def test_every_picture_of_the_tour_exists_and_every_picture_is_in_the_tour() -> None:
    shown = re.findall(r"\]\(screenshots/([\w-]+\.png)\)", TOUR.read_text(encoding="utf-8"))
    assert len(shown) == len(set(shown))
    assert {name: (PICTURES / name).stat().st_size <= LARGEST for name in shown} == dict.fromkeys(
        (file.name for file in PICTURES.iterdir()), True
    )


def test_the_tour_shows_each_page_at_both_widths(walked: Stage) -> None:
    assert {file.name for file in PICTURES.iterdir()} == {
        f"{name}-{width}.png" for name in walked.looks.shown for width in WINDOWS
    }
