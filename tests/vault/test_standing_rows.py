"""Agreeing when asked, and the rows that prove how somebody stands to a version: on both stores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from avow.errors import Refused, SetupError
from avow.site.safekeeping import backup, restore

from .helpline import CIRCLE, HELPLINE, newer
from .helpline.acts import LOGGED_IN, OLD, deliver, gives, of, research

SECOND = newer(HELPLINE)
CIRCLE_2 = newer(CIRCLE, research="contact")
ASKS = SECOND.replace(
    "mailed(version) and not bounced(version) and resubmitted(version)", "consented(version)"
).replace("must announce version to customer before apply(version)\n", "")
WORDS = "Version 2 may hold for what you know about me."


@pytest.mark.promise("I13", "works")
def test_a_question_waits_until_it_is_answered_and_the_answer_is_proof(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(ASKS)
    assert deliver(lanyard) == [], "who is asked on a page is not written to"
    with site.acting("website", "support", place="profile") as work:
        customer = of(work, site.Customer, lanyard.ann)
        question = work.question(customer)
        assert (question.version, question.earlier) == ("2", ("1",))
        work.accept(customer, WORDS)
        assert work.question(customer) is None
        assert work.question(of(work, site.Customer, lanyard.bo)) is not None
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"
    table = site.home.schema.standing
    with site.opened.vault.store.reading() as connection:
        [row] = connection.execute(select(table)).all()
    assert (row.owner, row.policy, row.way, row.place) == (lanyard.ann, site.policy.digest, "consented", "profile")
    assert (row.hour, row.seen) == (site.opened.vault.hour(), hashlib.sha256(WORDS.encode()).hexdigest())


@pytest.mark.promise("I13", "holds")
def test_nobody_agrees_to_nothing(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(ASKS)
    acting = site.acting("website", "support", place="profile")
    with acting as work, pytest.raises(SetupError, match="nobody agrees to nothing"):
        work.accept(of(work, site.Customer, lanyard.ann), " ")
    assert lanyard.versions.standings() == []
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


@pytest.mark.promise("I13", "holds")
def test_that_one_agreed_says_nothing_of_another(lanyard: Any) -> None:
    """Also where another rule asks for it, so that it is known in the unit of who was dealt with before."""
    more = "\nWe write letters.\n\n```avow #letters\nmay publish request at profile when consented(version)\n```\n"
    site: Any = lanyard.versions.under(ASKS + more)
    with site.acting("website", "support", place="profile", channel="https") as work:
        work.accept(of(work, site.Customer, lanyard.bo), WORDS)
        work.regard(of(work, site.Customer, lanyard.bo))
        assert work.unit.facts["consented(version)"] is True
        with pytest.raises(Refused, match=OLD):
            work.unit.open(of(work, site.Device, lanyard.ann).make, "research")


def test_nobody_is_asked_what_makes_no_difference(lanyard: Any) -> None:
    same = HELPLINE.replace('version: "1"', 'version: "1a"').replace("We look at it to help you.", "We look, to help.")
    not_weaker = same.replace("mailed(version) and not bounced(version) and resubmitted(version)", "consented(version)")
    for source, waits in ((same, False), (not_weaker, False), (SECOND, False), (ASKS, True)):
        site: Any = lanyard.versions.under(source)
        with site.acting("website", "support", place="profile") as work:
            asked = work.question(of(work, site.Customer, lanyard.ann))
        assert (asked is not None) == waits


def test_an_acceptance_is_judged_where_the_policy_has_a_word_for_it(hedgerow: Any) -> None:
    site: Any = hedgerow.versions.under(CIRCLE_2.replace("returned(version)", "consented(version)"))
    acting = site.acting("website", "unsubscribing", place="unsubscribe_page")
    with acting as work, pytest.raises(Refused, match="#not-going-on"):
        work.accept(of(work, site.Member, hedgerow.ann), "Yes.")


# -- the rows -----------------------------------------------------------------------------------------


def test_the_rows_are_told_to_whom_they_are_about_and_erased_with_them(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    with site.acting("website", "support", place="profile", channel="https") as work:
        customer = of(work, site.Customer, lanyard.ann)
        work.recognise(customer, LOGGED_IN)
        held = work.holdings(customer, fact=LOGGED_IN)
        assert {(each.what, each.version, each.place) for each in held.standings} == {
            ("you were told of it by mail", "2", ""),
            ("you gave something new after you were told of it", "2", "your profile page"),
        }
        assert {each.hour for each in held.standings} == {site.opened.vault.hour()}
        assert (held.accepted, held.others) == (("2",), {})
        told = work.export(held, "mine.json").body.decode()
        assert '"what": "you were told of it by mail"' in told
    with site.acting("website", "support") as work:
        work.erase(of(work, site.Customer, lanyard.ann).avow_person)
    assert lanyard.versions.standings() == []


def test_a_backup_brings_the_rows_back_into_either_kind_of_store(
    lanyard: Any, other_store: Callable[[], str], tmp_path: Path
) -> None:
    versions, data = lanyard.versions, tmp_path / "data"
    site: Any = versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    site.opened.sequencer.run()
    store, told = str(site.opened.settings.store), versions.standings()
    site.close()
    backup(site, data, store, tmp_path / "backup", None, lambda done, total: None)
    again = other_store()
    restore(site, data, again, tmp_path / "backup", lambda done, total: None)
    versions.settings["store"] = again
    versions.under(SECOND)
    assert versions.standings() == told == [("2", "mailed", ""), ("2", "resubmitted", "profile")]
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"
    assert deliver(lanyard) == ["ann@example.org"], "nobody is written to again"


def test_the_ledger_says_what_came_about_and_of_nobody(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    site.opened.sequencer.run()
    with site.opened.vault.store.reading() as connection:
        bodies = [bytes(body) for body in connection.scalars(select(site.home.schema.entry.c.body))]
    for way in (b"mailed", b"resubmitted"):
        assert sum(b'"event":"' + way in body for body in bodies) == 1
    assert not any(lanyard.ann.encode() in body for body in bodies)


def _row(site: Any, owner: str) -> dict[str, Any]:
    table = site.home.schema.standing
    with site.opened.vault.store.reading() as connection:
        return dict(connection.execute(select(table).where(table.c.owner == owner)).one()._mapping)


@pytest.mark.promise("I13", "holds")
def test_who_can_write_rows_has_no_version_hold_for_anybody(lanyard: Any) -> None:
    """With the mark of another person's row, none, one of their own, or that of the row as it was."""
    site: Any = lanyard.versions.under(ASKS)
    with site.acting("website", "support", place="profile") as work:
        for person in (lanyard.ann, lanyard.bo):
            work.accept(of(work, site.Customer, person), WORDS)
    table, hers, his = site.home.schema.standing, _row(site, lanyard.ann), _row(site, lanyard.bo)
    for forged in (
        {**his, "owner": lanyard.ann},
        {**hers, "mark": None},
        {**hers, "mark": bytes(32)},
        {**hers, "hour": hers["hour"] - 1},
        {**hers, "place": "counter"},
        {**hers, "seen": "0" * 64},
    ):
        with site.opened.vault.store.writing() as connection:
            connection.execute(table.delete())
            connection.execute(table.insert().values(forged))
        with pytest.raises(Refused, match=OLD):
            research(lanyard, "Device", "make", lanyard.ann)
        with site.acting("website", "support", place="profile") as work:
            assert work.question(of(work, site.Customer, lanyard.ann)) is not None
    with site.opened.vault.store.writing() as connection:
        connection.execute(table.update().values(hers))
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"


def test_a_forged_row_does_not_keep_anybody_from_agreeing(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(ASKS)
    row = {"owner": lanyard.ann, "policy": site.policy.digest, "way": "consented", "hour": 1, "place": "", "seen": ""}
    with site.opened.vault.store.writing() as connection:
        connection.execute(site.home.schema.standing.insert().values(row))
    with site.acting("website", "support", place="profile") as work:
        work.accept(of(work, site.Customer, lanyard.ann), WORDS)
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"
    first = _row(site, lanyard.ann)
    assert (first["hour"], first["place"]) == (site.opened.vault.hour(), "profile")
    with site.acting("website", "support", place="profile") as work:
        work.accept(of(work, site.Customer, lanyard.ann), "Other words.")
    assert _row(site, lanyard.ann) == first, "what happened first stays"


def test_nothing_is_read_of_anybody_where_no_version_has_changed(lanyard: Any) -> None:
    table = lanyard.versions.site.home.schema.standing
    with lanyard.versions.site.acting("website", "support") as work:
        of(work, lanyard.versions.site.Device, lanyard.ann).make.open()
        assert work.db.info == {}
        assert work.db.scalar(select(func.count()).select_from(table)) == 0
