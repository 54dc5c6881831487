"""The report (I3, I4): what is asked for and where visits come from, and no figure of fewer than ten people."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from avow.errors import Refused, SetupError

from .conftest import Gourmet
from .customer import CONTACT, anchors
from .staff import PASSWORD, at_desk, basic, hire

DAY = 24 * 3600
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


def visit(gourmet: Gourmet, count: int, *, browser: str = FIREFOX, referrer: str = "") -> None:
    """So many visits from elsewhere."""
    headers = {"User-Agent": browser, **({"Referer": referrer} if referrer else {})}
    for _ in range(count):
        assert gourmet.customer(headers=headers).get("/").status_code == 200


def order(gourmet: Gourmet, count: int, items: str, *, person: Any = None, status: str = "paid") -> Any:
    """So many paid orders by as many people, or by one."""
    with gourmet.acting() as work:
        for _ in range(count):
            whose = person or work.person()
            made = work.collect(
                gourmet.Order,
                person=whose,
                **CONTACT,
                items=f"{items}\nUPS Ground: $8.50",
                cents=1000,
                carrier="ups",
                status=status,
                ticket=f"ticket {work.person().id}",
            )
            work.update(made, source="processor", last4="6467", authorisation="abc")
    return whose


COMTE = "2 × Comté, aged 24 months (250 g): $37.00"
TROUT = "1 × Oak-smoked trout (200 g, whole fillet): $16.90"
HONEY = "3 × Chestnut honey (400 g jar): $41.40"


def report(gourmet: Gourmet, later: int = 1, who: str = "berta") -> str:
    """The report as the desk sees it, some days later."""
    gourmet.clock.advance(later * DAY)
    answer = at_desk(gourmet, who).get("/desk/report")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def rows(page: str) -> dict[str, int]:
    """The figures on it, by what they count."""
    found = re.findall(r'<th scope="row">([^<]*)</th><td>([0-9,]+)</td>', page)
    return {label: int(count.replace(",", "")) for label, count in found}


@contextmanager
def served(gourmet: Gourmet) -> Iterator[str]:
    """The opened shop behind a real server, with its clock standing still."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(gourmet.opened.app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I3", "works")
@pytest.mark.promise("I4", "works")
def test_visits_and_orders_show_in_the_report(gourmet: Gourmet, chromium: Any) -> None:
    hire(gourmet)
    visit(gourmet, 17, referrer="https://food.example/cheese?who=ann")
    visit(gourmet, 12, browser=CHROME)
    order(gourmet, 18, COMTE)
    order(gourmet, 12, f"{TROUT}\n{HONEY}")
    with served(gourmet) as base:
        visitor = chromium.new_context(extra_http_headers={"Referer": "https://food.example/cheese"})
        visitor.new_page().goto(f"{base}/")
        visitor.close()
        gourmet.clock.advance(DAY)
        desk = chromium.new_context(http_credentials={"username": "otto", "password": PASSWORD})
        page = desk.new_page()
        page.goto(f"{base}/desk")
        page.get_by_role("main").get_by_role("link", name="Report").click()
        page.wait_for_url("**/desk/report")
        assert page.get_by_role("heading", level=1).inner_text() == "Report"
        found = rows(page.content())
        desk.close()
    assert found["Comté, aged 24 months"] == 18
    assert found["Oak-smoked trout"] == found["Chestnut honey"] == 12
    assert found["food.example"] == 18
    assert found["Firefox 128"] == 17
    assert found["18 November 2026"] == 30
    assert "who=ann" not in str(found)


# -- holds --------------------------------------------------------------------------------------------


@pytest.mark.promise("I4", "holds")
@pytest.mark.promise("I3", "holds")
def test_no_figure_tells_of_fewer_than_ten(gourmet: Gourmet) -> None:
    visit(gourmet, 9, referrer="https://nine.example/")
    visit(gourmet, 21, browser=CHROME, referrer="https://many.example/")
    order(gourmet, 9, TROUT)
    order(gourmet, 21, COMTE)
    page = report(gourmet)
    assert "nine.example" not in page
    assert "Firefox" not in page
    assert "trout" not in page
    assert (
        rows(page) == {"everything else": 30, "18 November 2026": 30} | {"Comté, aged 24 months": 21}
        or min(rows(page).values()) >= 10
    )
    assert "many.example" not in page, "what is left of thirty would be nine"


@pytest.mark.promise("I4", "holds")
@pytest.mark.promise("I3", "holds")
def test_a_period_that_is_not_over_or_too_small_is_not_shown(gourmet: Gourmet) -> None:
    visit(gourmet, 29)
    order(gourmet, 29, COMTE)
    assert rows(report(gourmet)) == {}
    visit(gourmet, 40)
    order(gourmet, 40, COMTE)
    assert rows(report(gourmet, 0)) == {}, "the day is not over"
    assert rows(report(gourmet)) != {}


@pytest.mark.promise("I4", "holds")
@pytest.mark.promise("I3", "holds")
def test_two_looks_show_nothing_of_what_came_in_between(gourmet: Gourmet) -> None:
    visit(gourmet, 30)
    order(gourmet, 30, COMTE)
    first = report(gourmet)
    visit(gourmet, 1, browser=CHROME)
    order(gourmet, 1, COMTE)
    order(gourmet, 1, TROUT)
    assert rows(report(gourmet, 0)) == rows(first)
    assert rows(report(gourmet, 3)) == rows(first)


@pytest.mark.promise("I3", "holds")
def test_an_order_that_is_paid_later_does_not_change_what_was_shown(gourmet: Gourmet) -> None:
    order(gourmet, 30, COMTE)
    with gourmet.acting() as work:
        late = work.collect(
            gourmet.Order,
            person=work.person(),
            **CONTACT,
            items=COMTE,
            cents=1,
            carrier="ups",
            status="unpaid",
            ticket="t",
        )
        identity = late.customer, late.id
    first = rows(report(gourmet))
    with gourmet.acting() as work:
        late = work.db.get(gourmet.Order, identity)
        work.update(late, source="processor", last4="6467", authorisation="late", status="paid")
    assert rows(report(gourmet)) == first


@pytest.mark.promise("I3", "holds")
def test_thirty_orders_of_three_people_are_three_people(gourmet: Gourmet) -> None:
    order(gourmet, 40, COMTE, status="unpaid")
    for _ in range(3):
        with gourmet.acting() as work:
            person = work.person()
            for _ in range(12):
                made = work.collect(
                    gourmet.Order,
                    person=person,
                    **CONTACT,
                    items=COMTE,
                    cents=1,
                    carrier="ups",
                    status="paid",
                    ticket=work.fingerprint(f"{person.id}{len(work.select(gourmet.Order))}"),
                )
                work.update(made, source="processor", last4="6467", authorisation="abc")
    assert rows(report(gourmet)) == {}


@pytest.mark.promise("I3", "holds")
@pytest.mark.promise("I4", "holds")
def test_no_program_counts_smaller_groups_or_other_things(gourmet: Gourmet) -> None:
    visit(gourmet, 30)
    order(gourmet, 30, COMTE)
    gourmet.clock.advance(DAY)
    with gourmet.opened.unit("order_desk", "selection", place="report", staff=True) as unit:
        from avow.site import Work

        work = Work(gourmet.opened, unit)
        orders, visits = work.select(gourmet.Order), work.select(gourmet.site.visit)
        attempts = [
            (2, "storefront", orders, lambda o: o.items, "use-selection"),
            (9, "storefront", visits, lambda v: v.browser, "use-selection"),
            (10, "storefront", orders, lambda o: o.email, "use-selection"),
            (10, "storefront", orders, lambda o: o.last4, "use-selection"),
            (10, "order_desk", orders, lambda o: o.items, "use-selection"),
        ]
        for group, by, records, what, anchor in attempts:
            with pytest.raises(Refused) as refusal:
                work.counts("demand", group=group, by=by).by(records, what=what, cells=lambda text: [text])
            assert anchors(refusal.value) == {anchor}, (group, by)
        with pytest.raises(SetupError):
            work.counts("demand", group=1, by="storefront")
        with pytest.raises(SetupError):
            work.counts("demand", group=10, by="storefront").periods(orders, when=lambda o: o.items, least=9)
        for value in (orders[0].items, visits[0].browser):
            with pytest.raises(Refused):
                value.open()
        [row] = work.counts("demand", group=10, by="storefront").by(
            orders, what=lambda o: o.items, cells=lambda t: ["x"]
        )
        assert (str(row.people), str(row.label)) == ("<sealed demand>", "<sealed demand>")


@pytest.mark.promise("I3", "holds")
@pytest.mark.promise("I4", "holds")
def test_a_figure_is_shown_to_these_two_desks_there_and_nowhere_else(gourmet: Gourmet) -> None:
    visit(gourmet, 30)
    gourmet.clock.advance(DAY)

    def careless(work: Any) -> Any:
        counts = work.counts("demand", group=10, by="storefront")
        kept = counts.by(work.select(gourmet.site.visit), what=lambda v: v.browser, cells=lambda text: [text])
        return work.render("notice.html", title="Visits", text=[kept[0].people])

    hire(gourmet)
    for place, purpose in (("shop", "selection"), ("privacy", "selection")):
        gourmet.site.page("/careless", role="storefront", purpose=purpose, place=place)(careless)
        gourmet.opened.app.app.routes.append(gourmet.site.routes.pop())
        answer = gourmet.customer().get("/careless")
        assert answer.status_code == 403
        assert ">30<" not in answer.text
        gourmet.opened.app.app.routes.pop()
    for stranger in (
        gourmet.customer(),
        gourmet.customer(headers={"Authorization": basic("berta", "kettle")}),
        at_desk(gourmet, "lena"),
    ):
        assert stranger.get("/desk/report").status_code in (401, 403)


@pytest.mark.promise("I4", "holds")
def test_a_row_of_the_database_moved_elsewhere_is_no_figure(gourmet: Gourmet) -> None:
    """A time that somebody put there, to move one visit into another period, does not open."""
    visit(gourmet, 30)
    gourmet.clock.advance(DAY)
    visit(gourmet, 1)
    with sqlite3.connect(gourmet.data / "site.db") as database:
        earlier = "(SELECT time FROM avow_visit ORDER BY rowid LIMIT 1)"
        moved = f"UPDATE avow_visit SET time = {earlier} WHERE rowid = (SELECT max(rowid) FROM avow_visit)"
        assert database.execute(moved).rowcount == 1
    database.close()
    answer = at_desk(gourmet, "berta").get("/desk/report")
    assert answer.status_code == 500
    assert rows(answer.text) == {}


@pytest.mark.promise("I4", "holds")
def test_the_ledger_says_that_it_was_counted_and_shown_and_logs_say_nothing(
    gourmet: Gourmet, caplog: pytest.LogCaptureFixture
) -> None:
    visit(gourmet, 30, referrer="https://food.example/kingfisher")
    report(gourmet)
    entries = [
        entry for entry in gourmet.entries() if entry["verb"] in ("derive", "show") and entry["object"] == "demand"
    ]
    assert {(entry["verb"], entry["role"], *entry["sentences"]) for entry in entries} == {
        ("derive", "order_desk", "use-selection"),
        ("show", "order_desk", "use-selection"),
    }
    assert "food.example" not in caplog.text + json.dumps(gourmet.entries())
