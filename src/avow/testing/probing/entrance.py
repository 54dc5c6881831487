"""The entrance: what comes in over the web and what goes back, whatever the policy says.

Browsers that are strangers, that lie about where a form comes from, that ask under another name or over plain HTTP,
that guess a password or a secret; and pages that say too much: in a header, in a script, in a cookie, in a failure.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
from starlette.responses import Response

from avow.site.work import Work
from avow.testing.probing.bench import Bench, Known, told
from avow.testing.probing.scratch import random_word
from avow.testing.probing.standin import Page

#: What every answer says, and what of it is looked for.
HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=()",
    "strict-transport-security": "max-age=",
    "cache-control": "no-store",
}
#: Beside its first part, what the content security policy must say.
CONTENT_POLICY = ("script-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'")


def probe(bench: Bench) -> None:
    """Come to the door in every way."""
    page = next((each for each in bench.standin.pages if not each.staff), None)
    if page is None:
        bench.report.without("pages", "the policy has no place")
        return
    _headers(bench, page)
    _forged(bench, page)
    _channels(bench, page)
    _cookies(bench)
    _stripped(bench, page)


def served(
    bench: Bench, page: Page, act: Callable[[Work], Response], facts: Known | None = None, **headers: str
) -> httpx.Response:
    """What a browser gets when a page of the stand-in does this."""
    with bench.page(act, facts):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return bench.scratch.browser().get(page.path, sent)


def _fine(bench: Bench) -> Callable[[Work], Response]:
    return lambda work: bench.standin.render(work, [])


def _headers(bench: Bench, page: Page) -> None:
    answers = {
        "a page": served(bench, page, _fine(bench)),
        "a page that is not there": bench.scratch.browser().get("/x"),
    }
    with bench.page(_fails("no such thing")):
        answers["a page that fails"] = bench.scratch.browser().get(page.path)
    for which, answer in answers.items():
        said = answer.headers.get("content-security-policy", "")
        lacking = [name for name, value in HEADERS.items() if value not in answer.headers.get(name, "")]
        lacking += [f"content-security-policy: {part}" for part in CONTENT_POLICY if part not in said]
        bench.report.tried("door.headers", len(HEADERS) + len(CONTENT_POLICY))
        for name in lacking:
            bench.hole(
                "door.headers",
                which,
                f"ask for {which}",
                f"its headers say `{name}`",
                "they do not",
                "avow.edge.headers, avow.edge.middleware",
                *bench.duty_anchors("attach", "security_headers"),
            )


def _fails(word: str) -> Callable[[Work], Response]:
    def act(work: Work) -> Response:
        raise RuntimeError(word)

    return act


def _forged(bench: Bench, page: Page) -> None:
    """A form that another site sends, or that carries no token or a stale one."""
    done: list[str] = []

    def act(work: Work) -> Response:
        if work._intake is not None and work._intake.method == "POST":
            done.append("sent")
        response: Response = bench.standin.render(work, [], work.csrf)
        return response

    browser = bench.scratch.browser()
    with bench.page(act):
        token = browser.token(browser.get(page.path))
        tries: dict[str, tuple[dict[str, str], dict[str, str]]] = {
            "without a token": ({}, {}),
            "with a token of its own making": ({"csrf": "A" * len(token)}, {}),
            "with a token that was changed": ({"csrf": token[:-8] + "AAAAAAAA"}, {}),
            "from another site": ({"csrf": token}, {"origin": "https://evil.example"}),
            "from another site, as the browser says": ({"csrf": token}, {"sec-fetch-site": "cross-site"}),
            "from nowhere": ({"csrf": token}, {"origin": ""}),
        }
        for what, (typed, headers) in tries.items():
            bench.report.tried("door.forged")
            browser.post(page.path, typed, headers)
            if done:
                bench.hole(
                    "door.forged",
                    "a form",
                    f"a form is sent {what}",
                    "the page that was meant does not do it",
                    "it did",
                    "avow.edge.csrf; Site: check_form",
                    *bench.duty_anchors("attach", "security_headers"),
                )
                done.clear()
        bench.scratch.clock.advance(9 * 3600)
        bench.report.tried("door.forged")
        browser.post(page.path, {"csrf": token}, {})
        if done:
            bench.hole(
                "door.forged",
                "a form",
                "a form is sent nine hours after it was given out",
                "its token is too old",
                "it was taken",
                "avow.edge.csrf",
            )
        done.clear()
        browser.post(page.path, {"csrf": browser.token(browser.get(page.path))}, {})
    if not done:
        bench.hole(
            "door.own_form",
            "a form",
            "the site's own form is sent with its token",
            "it is taken",
            "it was turned away",
            "avow.edge.csrf; Site: check_form",
        )


def _channels(bench: Bench, page: Page) -> None:
    """Plain HTTP from elsewhere, and another name."""
    reached: list[str] = []

    def act(work: Work) -> Response:
        reached.append("")
        return bench.standin.render(work, [])

    ways = {
        "over plain HTTP from another machine": bench.scratch.browser(base="http://probe.example"),
        "under the name of another site": bench.scratch.browser(base="https://other.example"),
    }
    for what, browser in ways.items():
        bench.report.tried("door.channel")
        with bench.page(act):
            browser.get(page.path)
        if reached:
            bench.hole(
                "door.channel",
                "a page",
                f"a page is asked for {what}",
                "it is turned away",
                "it was served",
                "avow.edge.middleware, avow.edge.intake, avow.edge.host",
            )
            reached.clear()


# -- cookies ------------------------------------------------------------------------------------------


def _cookies(bench: Bench) -> None:
    """Each declared cookie on each page, one that nobody declared, and one past `work`."""
    words = bench.reading.front.vocabulary.words
    names = [name.partition(".")[2] for name in words["cookie"] if name != "cookie"]
    pages = [page for page in bench.standin.pages if not page.staff]
    look = "avow.edge.cookies, avow.edge.middleware"
    for page in pages[: bench.most]:
        for name in [*names, "undeclared_tracker"]:
            term = f"cookie.{name}" if name in names else "cookie"
            where: dict[str, str | None] = {"purpose": page.purpose, "place": page.place}
            may_set = bench.asked("set", term, {}, **where)
            may_read = bench.asked("open", term, {}, role=page.role, **where)
            bench.report.tried("door.cookie", 2)

            def write(work: Work, name: str = name) -> Response:
                work.set_cookie(name, "1")
                return bench.standin.render(work, [])

            def read(work: Work, name: str = name) -> Response:
                return bench.standin.render(work, [], f"[[{work.cookie(name)}]]")

            written = name in served(bench, page, write).headers.get("set-cookie", "")
            value = random_word()
            seen = value in served(bench, page, read, cookie=f"{name}={value}").text
            for answer, happened, verb in ((may_set, written, "set"), (may_read, seen, "open")):
                tried = told(verb, term, {}, **where) + f" (`{name}`)"
                if happened and not answer.permitted:
                    bench.let_through("door.cookie", "a page", tried, answer, "it was done", look)
                elif answer.permitted and not happened and not bench.duties_in_unit(answer) and name in names:
                    bench.kept_out("door.cookie", "a page", tried, answer, "it was refused", look)

    def past(work: Work) -> Response:
        response = bench.standin.render(work, [])
        response.set_cookie("undeclared_tracker", "1")
        return response

    bench.report.tried("door.cookie")
    for page in pages[:1]:
        if "set-cookie" in served(bench, page, past).headers:
            refused = bench.asked("set", "cookie", {}, purpose=page.purpose, place=page.place)
            bench.hole(
                "door.cookie",
                "a page",
                "the framework sets a cookie that the policy does not declare",
                "the page does not leave",
                "it left with the cookie",
                look,
                *bench.anchors(refused)[:2],
            )


# -- what is let in --------------------------------------------------------------------------------------


def _stripped(bench: Bench, page: Page) -> None:
    """What browsers send along reaches no page of the site, unless the policy reads it."""
    words = {name: random_word() for name in ("agent", "referrer", "header", "cookie", "language")}
    seen: list[str] = []

    def act(work: Work) -> Response:
        intake = work._intake
        assert intake is not None
        seen.append(repr((intake.headers, work.query, work.path)))
        return bench.standin.render(work, [])

    headers = {
        "user-agent": f"Mozilla/5.0 ({words['agent']}) Firefox/128.0",
        "referer": f"https://elsewhere.example/{words['referrer']}?q={words['referrer']}",
        "x-forwarded-for": words["header"], "cookie": f"odd={words['cookie']}", "accept-language": words["language"],
    }  # fmt: skip
    bench.report.tried("door.stripped", len(words))
    with bench.page(act):
        for each in {page.place: page for page in bench.standin.pages if not page.staff}.values():
            bench.scratch.browser().get(each.path, headers)
    for name, word in words.items():
        if any(word in each for each in seen):
            bench.hole(
                "door.stripped",
                "what a page is given",
                f"a browser sends its {name} along",
                "no code of the site sees it",
                "it does",
                "avow.edge.intake",
            )
    _visits(bench, words)


def _visits(bench: Bench, words: dict[str, str]) -> None:
    """Of a visit nothing is noted but what the policy lets be noted."""
    visit, names = bench.standin.site.visit, bench.standin.names
    if visit is None:
        bench.report.without("visits", "the policy does not have the categories of a visit, so none is noted")
        return
    with bench.standin.site.acting(*bench.some[:2]) as work:
        visits = work.select(visit)
        texts = [
            (field.category, getattr(each, name)._reveal())
            for each in visits
            for name, field in visit.__layout__.fields.items()
            if getattr(each, name) is not None
        ]
    for category, text in texts:
        bench.report.tried("door.visit")
        places = {page.place for page in bench.standin.pages}
        answers = [bench.asked("log", category, {}, subject=names.visitor, place=place, purpose=names.visits_for)
                   for place in places]  # fmt: skip
        if not any(answer.permitted for answer in answers):
            bench.let_through(
                "door.visit",
                "the note of a visit",
                f"note `{category}`",
                answers[0],
                "it was noted",
                "avow.edge.visits",
            )
        if words["agent"] in text or text.count(words["referrer"]) > 1:
            bench.hole(
                "door.visit",
                "the note of a visit",
                "a browser introduces itself at length",
                "brand and version are noted at most, and of a referring page no question",
                f"`{category}` held more",
                "avow.edge.browser, avow.edge.visits",
            )
