"""What pages say: texts that were opened, values in places where browsers act on them, notices that are missing.

The stand-in's pages do what careless code does. What comes out of the door is searched for the values.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from avow.site.work import Work
from avow.testing.probing.attempts import Facts
from avow.testing.probing.bench import Bench
from avow.testing.probing.entrance import served
from avow.testing.probing.keeping import attempts_of, stand, supplied
from avow.testing.probing.showing import page_for
from avow.testing.probing.standin import Page

_EXIT = "the exit guard: avow.edge.exits, avow.edge.guard"
_MARK = "markers: avow.edge.markers, avow.edge.places"


def probe(bench: Bench) -> None:
    """Say what may not be said."""
    page = next((each for each in bench.standin.pages if not each.staff), None)
    if page is not None:
        _exits(bench, page)
        _markers(bench, page)
        _notices(bench)


def openable(bench: Bench) -> Iterator[tuple[str, str, str]]:
    """Categories that may be opened without any condition, each with a role and a purpose."""
    for attempt in attempts_of(bench, "open"):
        category = attempt.flow["object"]
        role, purpose, _ = stand(bench, attempt)
        if category in bench.standin.columns and bench.slow.decide(attempt.flow, attempt.facts).permitted:
            answer = bench.asked("open", category, {}, role=role, purpose=purpose)
            if answer.permitted and not bench.duties_in_unit(answer):
                yield category, role, purpose


def _exits(bench: Bench, page: Page) -> None:
    """What was opened in a unit is written where it may not stand."""
    found = next(
        (
            each
            for each in openable(bench)
            if not bench.asked("show", each[0], {}, purpose=page.purpose, place=page.place, role=page.role).permitted
        ),
        None,
    )
    if found is None:
        bench.report.without("the exit guard", "the policy opens nothing without a condition")
        return
    category, role, purpose = found
    column = bench.standin.columns[category]

    def opened(work: Work) -> str:
        before = work.unit.role, work.unit.purpose, work.unit.place
        work.unit.role, work.unit.purpose, work.unit.place = role, purpose, None
        try:
            return str(getattr(bench.record(work), column).open())
        finally:
            work.unit.role, work.unit.purpose, work.unit.place = before

    ways: dict[str, Callable[[Work], Response]] = {
        "in the text of a page": lambda work: bench.standin.render(work, [], opened(work)),
        "in base64, in a page": lambda work: bench.standin.render(
            work, [], b64encode(opened(work).encode()).decode()),
        "in a header": lambda work: Response("x", headers={"x-word": quote(opened(work))}),
        "in a redirect": lambda work: RedirectResponse("/?for=" + quote(opened(work))),
        "in plain text": lambda work: PlainTextResponse(opened(work)),
        "in JSON": lambda work: Response(f'{{"word": "{opened(work)}"}}', media_type="application/json"),
    }  # fmt: skip
    search = bench.search(category, who="ann")
    shown = bench.asked("show", category, {}, purpose=page.purpose, place=page.place, role=page.role)
    for what, act in ways.items():
        bench.report.tried("door.exit")
        answer = served(bench, page, act)
        left = answer.content + b"\n" + b"\n".join(key + b": " + value for key, value in answer.headers.raw)
        if search.hits(left):
            bench.let_through(
                "door.exit",
                "an answer",
                f"a text of `{category}` that was opened is written {what}",
                shown,
                "it left",
                _EXIT,
            )
    bench.report.tried("door.failure")
    answer = served(bench, page, lambda work: _raise(opened(work)))
    if search.hits(answer.content) or answer.status_code != 500:
        bench.hole(
            "door.failure",
            "a page that fails",
            f"an exception holds an opened `{category}`",
            "the answer says that something went wrong, and nothing else",
            "it said the text",
            "avow.edge.middleware",
        )


def _raise(word: str) -> Response:
    raise RuntimeError(f"no luck with {word}")


def _markers(bench: Bench, page: Page) -> None:
    """A sealed value in places where browsers would do something with it, and markers of somebody else's making."""
    shown = _shown_to_owner(bench)
    if shown is None:
        bench.report.without("markers", "the policy shows nothing to the person whose it is without a condition")
        return
    where, category, facts, fact = shown
    column = bench.standin.columns[category]
    notices = "".join(f'<i data-notice="{notice}"></i>' for notice in bench.standin.notices)
    contact = bench.standin.site.policy.contact
    ways = " ".join(filter(None, (contact.email, contact.phone, contact.address)))
    frame = f'<a href="/privacy">p</a> {ways} {notices} %s'
    places = {
        "in a script": "<script>let a = '%s'</script>",
        "in a link": '<a href="%s">a</a>',
        "in a style": "<style>%s</style>",
        "in an attribute without quotes": "<p title=%s>a</p>", "in an event handler": '<p onclick="%s">a</p>',
        "in a comment": "<!-- %s -->",
    }  # fmt: skip
    evil = "<script>alert(1)</script>\"'"
    evil_owner = bench.scratch.plant(bench.standin.record, {column: evil})

    def act(template: str, who: Any, own: bool = True) -> Callable[[Work], Response]:
        def made(work: Work) -> Response:
            record = work.db.get_one(bench.standin.record, who)
            if own:
                work.recognise(record, fact)
            return HTMLResponse(frame % (template % getattr(record, column).__html__()))

        return made

    search = bench.search(category, who="ann")
    for what, template in places.items():
        bench.report.tried("door.marker")
        if search.hits(served(bench, where, act(template, bench.planted["ann"]), facts).content):
            bench.hole(
                "door.marker", "a page", f"a sealed value stands {what}", "the page does not leave", "it left", _MARK
            )
    bench.report.tried("door.marker", 3)
    text = served(bench, where, act("<p>%s</p>", evil_owner), facts).text
    if evil in text or "<script>alert" in text:
        bench.hole(
            "door.marker", "a page", "a value that is HTML is shown", "it is escaped", "it was written as it is", _MARK
        )
    kept: list[str] = []

    def keep(work: Work) -> Response:
        record = bench.record(work)
        work.recognise(record, fact)
        kept.append(str(getattr(record, column).__html__()))
        return HTMLResponse(frame % kept[0])

    first = served(bench, where, keep, facts)

    def mark_another(work: Work) -> Response:
        record = bench.record(work)
        work.recognise(record, fact)
        getattr(record, column).__html__()  # a marker of this unit's own, which is not written
        return HTMLResponse(frame % kept[0])

    again = served(bench, where, mark_another, facts)
    if search.hits(again.content) or again.status_code < 400:
        bench.hole(
            "door.marker",
            "a page",
            "a marker that another unit of work made stands in a page",
            "the page does not leave",
            "it left",
            _MARK,
        )
    if not search.hits(first.content):
        bench.hole(
            "door.own_value",
            "a page",
            f"`{category}` is shown to its owner, which the policy permits",
            "it stands there",
            "it does not",
            _MARK,
        )


def _shown_to_owner(bench: Bench) -> tuple[Page, str, Facts, str] | None:
    """A page on which a category may be shown to its owner, under which facts, and the one that the owner shows."""
    for attempt in attempts_of(bench, "show"):
        page, category = page_for(bench, attempt), attempt.flow["object"]
        if page is None or page.staff or category not in bench.standin.columns or "as" in attempt.flow:
            continue
        facts = supplied(bench, attempt.facts)
        fact = next((name for name, known in facts.items() if known is True), "presented(link)")
        facts[fact] = True
        answer = bench.asked(
            "show",
            category,
            facts,
            purpose=page.purpose,
            place=page.place,
            role=page.role,
            audience=bench.standin.names.subject,
        )
        if answer.permitted and not bench.duties_in_unit(answer):
            return page, category, facts, fact
    return None


def _notices(bench: Bench) -> None:
    """A page that lacks a notice which its place demands."""
    for rule in bench.reading.rules:
        if rule.modal != "must" or rule.verb != "show" or any(phrase.span for phrase in rule.phrases):
            continue
        at = [("place", str(t)) for phrase in rule.phrases if phrase.preposition == "at" for t in phrase.terms]
        if {phrase.preposition for phrase in rule.phrases} != {"at"} or rule.guard is not None:
            continue
        for page in bench.standin.pages:
            if page.staff or not bench.slow.above(("place", page.place)) & {*at}:
                continue
            bench.report.tried("door.notice")
            bench.report.rules[rule.sentence.anchor, rule.text] += 1
            answer = served(bench, page, lambda work: HTMLResponse("<p>Nothing of all that.</p>"))
            if answer.status_code < 400:
                bench.hole(
                    "door.notice",
                    f"a page of {page.place}",
                    f"a page leaves without what `{rule.text}` demands",
                    "it does not leave",
                    "it left",
                    "avow.edge.notices",
                    rule.sentence.anchor,
                )
            break
