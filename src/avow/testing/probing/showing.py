"""Showing: pages that would show a value, to its owner, to a stranger, to somebody else, to staff, beside the rules.

The stand-in's pages write markers. What comes out of the door is searched for the value; what the policy says of just
that showing is asked of the second interpreter.
"""

from __future__ import annotations

from base64 import b64encode

from starlette.responses import Response

from avow.site.work import Work
from avow.testing.probing.attempts import Attempt
from avow.testing.probing.bench import Bench, told
from avow.testing.probing.browser import Browser
from avow.testing.probing.keeping import attempts_of, supplied
from avow.testing.probing.scratch import MEMBER, PASSWORD
from avow.testing.probing.standin import Page

_LOOK = "what a page shows: avow.edge.pages, avow.vault.unit (show, audience), avow.edge.markers"


def probe(bench: Bench) -> None:
    """Show what rules speak of, and what lies beside."""
    made = permitted = 0
    for attempt in attempts_of(bench, "show"):
        if made >= 2 * bench.most and permitted:
            break
        page = page_for(bench, attempt)
        if page is None or attempt.flow["object"] not in bench.standin.columns or "as" in attempt.flow:
            continue
        for who in ("owner", "stranger", "other") if not page.staff else ("staff",):
            permitted += _show(bench, page, attempt, who)
            made += 1


def page_for(bench: Bench, attempt: Attempt) -> Page | None:
    """The stand-in's page on which an attempt to show something is made, if it has one."""
    words = bench.reading.front.vocabulary.words
    role, purpose, _ = bench.some
    flow = attempt.flow
    to = flow.get("to")
    staff = to in words["role"]
    by = to if staff and to else flow.get("by", role)
    return bench.standin.page_for(by, flow.get("for", purpose), flow.get("at", ""), staff=staff)


def _show(bench: Bench, page: Page, attempt: Attempt, who: str) -> bool:
    """Have a page show one value to somebody; whether it may."""
    category = attempt.flow["object"]
    facts = supplied(bench, attempt.facts)
    fact = (
        next((name for name, known in facts.items() if known is True), "presented(link)") if who != "stranger" else ""
    )
    if fact and facts.get(fact) is not True:
        facts = {**facts, fact: True} if who == "owner" else facts
    seen_by = {"owner": bench.standin.names.subject, "staff": page.role}.get(who)
    where: dict[str, str | None] = {
        "purpose": page.purpose, "audience": seen_by, "place": page.place, "role": page.role,
    }  # fmt: skip
    # What somebody else has shown of themselves opens nothing of the owner's.
    counted = {name: known for name, known in facts.items() if who != "other" or name != fact}
    answer = bench.asked("show", category, counted, **where)
    told_by_site = {name: known for name, known in facts.items() if name != fact or who == "staff"}
    if answer.permitted and bench.duties_in_unit(answer):
        return True
    bench.report.tried(f"page.{who}")

    def act(work: Work) -> Response:
        record = bench.record(work)
        if who == "owner":
            work.recognise(record, fact)
        elif who == "other":
            work.recognise(bench.record(work, "bea"), fact)
        else:
            work.regard(record)
        return bench.standin.render(work, [getattr(record, bench.standin.columns[category])])

    with bench.page(act, told_by_site):
        page_text = _ask(bench, page)
    shown = bool(bench.search(category, who="ann").hits(page_text.encode()))
    tried = f"a page of {page.place} showed `{category}` of one person to {_whom(who, page)}: " + told(
        "show", category, counted, **where
    )
    if shown and not answer.permitted:
        bench.let_through(f"page.{who}", "a page", tried, answer, "the page held the value", _LOOK)
    elif not shown and answer.permitted:
        bench.kept_out(f"page.{who}", "a page", tried, answer, "the page did not hold it", _LOOK)
    return answer.permitted


def _whom(who: str, page: Page) -> str:
    return {"owner": "that person", "stranger": "a stranger", "other": "somebody else", "staff": f"the {page.role}"}[
        who
    ]


def _ask(bench: Bench, page: Page) -> str:
    headers = staff_headers() if page.staff else {}
    if page.staff:
        bench.scratch.hire()
    browser: Browser = bench.scratch.browser()
    return browser.get(page.path, headers).text


def staff_headers(name: str = MEMBER, password: str = PASSWORD) -> dict[str, str]:
    """What a member of staff sends along."""
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}
