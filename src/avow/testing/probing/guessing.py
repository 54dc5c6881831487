"""Guessing: secret links that were made up, forged or given for another use, and passwords of staff."""

from __future__ import annotations

from starlette.responses import Response

from avow.site.links import digest_of
from avow.site.work import Work
from avow.testing.probing.bench import Bench
from avow.testing.probing.browser import Browser
from avow.testing.probing.scratch import MEMBER, PASSWORD, random_word
from avow.testing.probing.showing import staff_headers
from avow.testing.probing.standin import Page


def probe(bench: Bench) -> None:
    """Guess links, and passwords of a desk."""
    _links(bench)
    desk = next((each for each in bench.standin.pages if each.staff), None)
    if desk is not None:
        _desk(bench, desk)
    else:
        bench.report.without("desks", "the policy shows nothing to a role")


def _links(bench: Bench) -> None:
    """Secrets that were guessed, forged into the database, or given for another use."""
    opened = bench.scratch.opened
    role, purpose, _ = bench.some
    owner, identity = bench.planted["ann"]
    with bench.standin.site.acting(role, purpose) as work:
        secret = work.secret(bench.record(work))
        other = work.secret(bench.record(work), "stop")
    forged = random_word()
    link = bench.standin.site.home.schema.link
    with opened.vault.store.writing() as connection:
        connection.execute(
            link.insert().values(
                token=digest_of(forged),
                owner=owner,
                record_id=identity,
                record_table=bench.standin.record.__table__.name,
            )
        )
    tries = {"a guess": random_word(), "the id of the record": identity, "the id of its owner": owner,
             "a secret whose hash somebody wrote into the database": forged, "the secret of another use": other,
             "a part of it": secret[:-3]}  # fmt: skip
    with bench.standin.site.acting(role, purpose) as work:
        for what, token in tries.items():
            bench.report.tried("door.link")
            if work.presented(bench.standin.record, token) is not None:
                bench.hole(
                    "door.link",
                    "a secret link",
                    f"a link with {what}",
                    "it leads nowhere",
                    "it led to the record",
                    "avow.site.links",
                )
        bench.report.tried("door.link")
        if work.presented(bench.standin.record, secret) is None:
            bench.hole(
                "door.link",
                "a secret link",
                "the record's own secret",
                "it leads to the record",
                "it leads nowhere",
                "avow.site.links",
            )
    lying = [name for name, content in bench.scratch.files().items() if secret.encode() in content]
    if lying:
        bench.hole(
            "door.link",
            f"the files of the installation: {lying[0]}",
            "search them for a secret link",
            "a hash of it is kept, and nothing else",
            "it is there in the clear",
            "avow.site.links",
        )


def _desk(bench: Bench, desk: Page) -> None:
    """Who may come to a desk, and who may not."""
    reached: list[str] = []

    def act(work: Work) -> Response:
        reached.append("")
        return bench.standin.render(work, [])

    bench.scratch.hire()
    file = bench.scratch.opened.staff_file
    others = [role for role in bench.reading.front.vocabulary.words["role"] if role != desk.role]
    wrong: dict[str, dict[str, str]] = {
        "nobody": {}, "a member with a wrong password": staff_headers(MEMBER, "wrong"),
        "somebody who is no member": staff_headers("nobody", PASSWORD),
    }  # fmt: skip
    if others:
        file.add("another", PASSWORD, (others[0],))
        wrong["a member with another role"] = staff_headers("another", PASSWORD)
    with bench.page(act):
        browser: Browser = bench.scratch.browser()
        for who, headers in wrong.items():
            bench.report.tried("door.staff")
            browser.get(desk.path, headers)
            if reached:
                bench.hole(
                    "door.staff",
                    f"a desk of the {desk.role}",
                    f"{who} asks for it",
                    "it is not served",
                    "it was served",
                    "avow.edge.staff, avow.edge.middleware",
                )
                reached.clear()
        browser.get(desk.path, staff_headers())
        if not reached:
            bench.hole(
                "door.own_desk",
                f"a desk of the {desk.role}",
                "a member with the role asks for it",
                "it is served",
                "it was not",
                "avow.edge.staff",
            )
        reached.clear()
        for _ in range(8):
            answer = browser.get(desk.path, staff_headers(MEMBER, "wrong"))
        bench.report.tried("door.guessing")
        if answer.status_code != 429:
            bench.hole(
                "door.guessing",
                f"a desk of the {desk.role}",
                "a password is guessed eight times in a row",
                "the name has to wait",
                "the next guess is looked at",
                "avow.edge.staff",
            )
        bench.scratch.clock.advance(3600)
