"""Somebody's log: what happened to what is theirs, in words, the latest first, to nobody but them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from avow.errors import Refused, SealedError
from avow.language.happened import Happening, happened
from avow.ledger.entry import commitment
from avow.testing.clock import FrozenClock
from avow.vault.my_log import MyLog, my_entry, my_log

LINK = "presented(link)"


def read(site: Any, whose: tuple[str, str], **page: int) -> MyLog:
    with site.acting("desk", "lending", place="shelf") as work:
        member = work.db.get(site.Member, whose)
        work.unit.recognise(member, LINK)
        return my_log(work.unit, [member], LINK, **page)


def another(site: Any, name: str) -> tuple[str, str]:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        made = work.collect(site.Member, person=work.person(), name=name, email=f"{name}@example.org")
        return (made.person, made.id)


def test_what_happened_is_told_in_words_the_latest_first(site: Any, ann: tuple[str, str], clock: FrozenClock) -> None:
    clock.now += 3600
    with site.acting("desk", "lending", place="hall") as work:
        work.db.get(site.Member, ann).name.open()
    clock.now += 24 * 3600
    with suppress(Refused), site.acting("desk", "lending", place="hall") as work:
        work.db.get(site.Member, ann).email.open()
    log = read(site, ann)
    assert [(line.text, [sentence.anchor for sentence in line.because]) for line in log.lines if line.refused] == [
        ("Our policy kept us from reading contact email by our software at the hall, for lending.", ["read"])
    ]
    assert [line.hour for line in log.lines] == sorted((line.hour for line in log.lines), reverse=True)
    texts = [line.text for line in log.lines]
    assert texts.index("Contact name was read by our software at the hall, for lending.") > 0
    kept = "Contact address, contact email, contact name and wishes were stored"
    assert any(text.startswith(kept) for text in texts)
    first = log.lines[-1]
    assert (first.version, first.in_force, first.record, len(first.entries)) == ("1", True, "Member", 1)
    assert (log.count, log.page, log.pages) == (4, 1, 1)


def test_a_line_says_the_day_and_the_hour_and_no_more(site: Any, ann: tuple[str, str]) -> None:
    line = read(site, ann).lines[0]
    assert (line.day.isoformat(), line.hours) == ("2026-11-18", "11 and 12 h UTC")


def test_who_at_a_desk_it_was_is_told_by_role(site: Any, ann: tuple[str, str]) -> None:
    with site.opened.unit("desk", "lending", place="hall", staff=True) as unit:
        unit.db.get(site.Member, ann).name.open()
    assert "Contact name was read by the desk at the hall, for lending." in [
        line.text for line in read(site, ann).lines
    ]


def test_of_a_line_about_several_people_each_is_told_what_is_theirs(site: Any, ann: tuple[str, str]) -> None:
    bob = another(site, "bob")
    with site.acting("desk", "lending") as work:
        work.db.get(site.Member, ann).address.open()
        work.db.get(site.Member, bob).name.open()
    assert "Contact address was read by our software, for lending." in [line.text for line in read(site, ann).lines]
    assert "Contact name was read by our software, for lending." in [line.text for line in read(site, bob).lines]


def test_nobody_is_told_who_has_not_shown_whose_it_is(site: Any, ann: tuple[str, str]) -> None:
    bob = another(site, "bob")
    with site.acting("desk", "lending", place="shelf") as work:
        member = work.db.get(site.Member, ann)
        with pytest.raises(Refused, match="nobody has shown"):
            my_log(work.unit, [member], LINK)
        work.unit.recognise(work.db.get(site.Member, bob), LINK)
        with pytest.raises(Refused, match="somebody else"):
            my_log(work.unit, [member], LINK)


def test_pages_hold_every_line_once(site: Any, ann: tuple[str, str], clock: FrozenClock) -> None:
    for _ in range(7):
        clock.now += 3600
        with site.acting("desk", "lending") as work:
            work.db.get(site.Member, ann).name.open()
    whole = read(site, ann)
    pages = [read(site, ann, page=number, size=4) for number in (1, 2, 3)]
    lines = [line for page in pages for line in page.lines]  # of one hour there is no order across pages
    assert sorted(lines, key=repr) == sorted(whole.lines, key=repr)
    assert [line.hour for line in lines] == sorted((line.hour for line in lines), reverse=True)
    assert {page.pages for page in pages} == {3}
    assert read(site, ann, page=99, size=4).page == 3
    assert read(site, ann, page=-5, size=4).page == 1


def test_a_line_leads_to_its_entry_once_that_is_in_the_log(site: Any, ann: tuple[str, str]) -> None:
    before = {entry.commitment: (entry.number, line.text) for line in read(site, ann).lines for entry in line.entries}
    assert {number for number, _ in before.values()} == {None}
    site.opened.sequencer.run()
    after = {entry.commitment: (entry.number, line.text) for line in read(site, ann).lines for entry in line.entries}
    assert {leaf: text for leaf, (_, text) in after.items()} == {leaf: text for leaf, (_, text) in before.items()}
    entry = site.home.schema.entry
    with site.opened.vault.store.reading() as connection:
        bodies = {row.number: bytes(row.body) for row in connection.execute(entry.select())}
    assert after == {leaf: (number, text) for leaf, (number, text) in after.items() if number is not None}
    assert all(commitment(bodies[number or 0]).hex() == leaf for leaf, (number, _) in after.items())


def test_an_entry_that_is_gone_is_told_as_such(site: Any, ann: tuple[str, str]) -> None:
    with site.opened.vault.store.writing() as connection:
        connection.execute(site.home.schema.pending.delete())
    log = read(site, ann)
    assert log.count == 2
    [line] = log.lines
    assert (line.text, [entry.number for entry in line.entries]) == ("", [None, None])


def test_an_entry_is_given_to_whom_it_is_about_and_to_nobody_else(site: Any, ann: tuple[str, str]) -> None:
    bob = another(site, "bob")
    [written, *_] = read(site, ann).lines[0].entries
    for chained in (False, True):
        if chained:
            site.opened.sequencer.run()
        with site.acting("desk", "lending") as work:
            mine, other = (work.db.get(site.Member, whose) for whose in (ann, bob))
            with pytest.raises(Refused, match="nobody has shown"):
                my_entry(work.unit, [mine], LINK, written.commitment)
            work.unit.recognise(other, LINK)
            with pytest.raises(Refused, match="somebody else"):
                my_entry(work.unit, [mine], LINK, written.commitment)
            assert my_entry(work.unit, [other], LINK, written.commitment) is None
            assert my_entry(work.unit, [other], LINK, "0" * 64) is None
            work.unit.recognise(mine, LINK)
            found = my_entry(work.unit, [mine], LINK, written.commitment)
            assert found is not None
            assert commitment(found.body).hex() == written.commitment
            assert (found.number is not None) is chained


def test_a_trace_of_somebody_else_stops_the_log(site: Any, ann: tuple[str, str]) -> None:
    bob = another(site, "bob")
    trace = site.home.schema.trace
    with site.opened.vault.store.writing() as connection:
        connection.execute(trace.update().where(trace.c.owner == ann[0]).values(owner=bob[0]))
    with pytest.raises(SealedError, match="belongs to another person"):
        read(site, bob)


def test_the_same_within_an_hour_is_told_once_with_how_often(site: Any, ann: tuple[str, str]) -> None:
    for _ in range(3):
        with site.acting("desk", "lending") as work:
            work.db.get(site.Member, ann).name.open()
    [line] = [line for line in read(site, ann).lines if "read" in line.text]
    assert len({entry.commitment for entry in line.entries}) == 3


def test_looking_into_a_log_adds_nothing_to_it(site: Any, ann: tuple[str, str]) -> None:
    assert read(site, ann).count == read(site, ann).count


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            Happening("permitted", "share", ("contact.address",), recipient="binder", purpose="lending"),
            "Contact address was allowed to go out to the bookbinder, for lending.",
        ),
        (
            Happening("attempted", "share", ("binder",), recipient="binder", purpose="lending"),
            "We began to send it to the bookbinder, for lending.",
        ),
        (Happening("done", "share", ("binder",), recipient="binder"), "What was sent to the bookbinder has arrived."),
        (
            Happening("unknown", "share", ("bank",), recipient="bank"),
            "It is not known yet whether what was sent to the bank has arrived.",
        ),
        (Happening("permitted", "send", ("notice",)), "A mail to you was allowed to go out: the notice."),
        (
            Happening("done", "send", ("notice",), recipient="notice"),
            "The notice has arrived at your mail service.",
        ),
        (
            Happening("permitted", "show", ("wishes", "contact.name"), place="hall", own=True),
            "Wishes and contact name were shown to you at the hall.",
        ),
        (Happening("permitted", "show", ("wishes",), role="desk"), "Wishes was shown to the desk."),
        (
            Happening("refused", "keep", ("card.number",), place="hall"),
            "Our policy kept us from storing card number at the hall.",
        ),
        (
            Happening("permitted", "set", ("cookie.shelf",), purpose="lending"),
            "Your browser was given the cookie “shelf”, for lending.",
        ),
        (
            Happening("consented", "apply", ("version",)),
            "You agreed to the version of our policy that was in force.",
        ),
        (Happening("permitted", "unlock", ("wishes",)), "Wishes: unlock, permitted."),
        (
            Happening("refused", "unlock", ("wishes",)),
            "Our policy kept us from the act “unlock” with wishes.",
        ),
        (Happening("permitted", "open", ()), "Something of yours was read by our software."),
    ],
)
def test_what_happened_is_one_sentence(site: Any, what: Happening, words: str, tmp_path: Path) -> None:
    assert happened(what, site.opened.vault.policy.vocabulary) == words
