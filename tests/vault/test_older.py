"""What was collected under an earlier version stays under it: past data never falls under a weaker rule by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from avow.engine import Policy
from avow.errors import Refused, SealedError, StoreError
from avow.testing.clock import FrozenClock
from avow.vault.retention import carry_out
from tests.noted import entries

from .post import post

DAY = 86_400
SOURCE = (Path(__file__).parent / "post.md").read_text()

#: The second version: mailing needs no desk any more, there is a new purpose, letters stay longer.
WEAKER = (
    SOURCE.replace('version: "1"', 'version: "2"')
    .replace("purposes: {", "purposes: {selling: {label: selling, key: marketing.advertising}, ")
    .replace(
        "may open contact, letter for mailing by desk",
        "may open contact, letter for mailing by desk\nmay open contact.name for selling by desk\n"
        "may change contact at counter for mailing by desk",
    )
    .replace("You and the desk may read it.", "You and the desk may read it, and we sell with it.")
    .replace("within 90 days after arrived", "within 900 days after arrived")
)
ASKED = WEAKER + (
    "\nA newer version holds for what we have if you agree.\n\n```avow #older\n"
    "may apply version to customer when consented(version) or not weaker(version)\nnever apply version otherwise\n```\n"
)
NOT_WEAKER = SOURCE.replace('version: "1"', 'version: "3"').replace(
    "You and the desk may read it.", "The desk may read it."
)


class Years:
    """A village post that is opened under one version after another."""

    def __init__(self, tmp_path: Path, store: str, clock: FrozenClock) -> None:
        self.tmp_path, self.store, self.clock = tmp_path, store, clock
        self.site: Any = None
        self.ann = ""

    def under(self, source: str) -> Any:
        """Open it under a policy, closing what was open."""
        if self.site is not None:
            self.site.close()
        self.site = post()
        self.site.policy = Policy.parse(source, "post.md")
        self.site.open(self.tmp_path / "data", store=self.store, background=False, clock=self.clock)
        return self.site

    def collect(self, name: str) -> str:
        with self.site.acting("desk", "mailing", place="counter") as work:
            made = work.collect(self.site.Neighbour, person=work.person(), name=name, email="a@example.org")
            return str(made.person)

    def card_of_ann(self) -> None:
        """A card of hers has come in."""
        with self.site.acting("desk", "mailing", place="counter") as work:
            person = self.of(work, self.ann).avow_person
            work.collect(self.site.Card, person=person, words="under version 1", arrived=self.clock())

    def sell(self, owner: str) -> str:
        with self.site.acting("desk", "selling") as work:
            return str(self.of(work, owner).name.open())

    def of(self, work: Any, owner: str) -> Any:
        return work.select(self.site.Neighbour, self.site.Neighbour.person == owner)[0]


@pytest.fixture
def years(tmp_path: Path, store: str, clock: FrozenClock) -> Iterator[Years]:
    years = Years(tmp_path, store, clock)
    years.under(SOURCE)
    years.ann = years.collect("Ann Example")
    yield years
    years.site.close()


@pytest.mark.promise("I13", "works")
def test_what_the_old_version_permits_is_permitted_still(years: Years) -> None:
    for source in (WEAKER, ASKED, NOT_WEAKER):
        site = years.under(source)
        with site.acting("desk", "mailing") as work:
            assert years.of(work, years.ann).name.open() == "Ann Example"


@pytest.mark.promise("I13", "holds")
@pytest.mark.parametrize("source", [WEAKER, ASKED], ids=["says nothing", "asks"])
def test_a_new_purpose_does_not_reach_what_was_given_before(years: Years, source: str) -> None:
    years.under(source)
    with pytest.raises(Refused, match="collected under version 1 of the policy, which is still good for it"):
        years.sell(years.ann)
    assert years.sell(years.collect("Bob Example")) == "Bob Example"


@pytest.mark.promise("I13", "holds")
def test_a_visit_under_the_new_version_changes_nothing_for_what_was_given_before(years: Years) -> None:
    """Also where the same person gives something new: that is under the new version, what was there is not."""
    site = years.under(ASKED)
    with site.acting("desk", "mailing", place="counter") as work:
        work.collect(site.Card, person=years.of(work, years.ann).avow_person, words="I was here again")
    with pytest.raises(Refused, match="collected under version 1"):
        years.sell(years.ann)


@pytest.mark.promise("I13", "works")
def test_who_agrees_is_under_the_new_version_from_then_on(years: Years) -> None:
    site = years.under(ASKED)
    with site.acting("desk", "mailing") as work:
        work.accept(years.of(work, years.ann), "Version 2 may hold for what you have.")
    assert years.sell(years.ann) == "Ann Example"
    years.under(ASKED)
    assert years.sell(years.ann) == "Ann Example"


@pytest.mark.promise("I13", "holds")
def test_agreeing_to_one_version_is_not_agreeing_to_a_weaker_one_after_it(years: Years) -> None:
    site = years.under(ASKED)
    with site.acting("desk", "mailing") as work:
        work.accept(years.of(work, years.ann), "Version 2 may hold for what you have.")
    years.under(ASKED.replace("contact.name for selling", "contact for selling").replace('"2"', '"4"'))
    with pytest.raises(Refused, match="collected under version 1"):
        years.sell(years.ann)


@pytest.mark.promise("I13", "works")
def test_a_version_that_is_not_weaker_holds_for_everything_at_once(years: Years) -> None:
    years.under(NOT_WEAKER)
    vault = years.site.opened.vault
    assert not vault.older.weaker(Policy.parse(SOURCE).digest[:16])
    assert vault.older.stricter() == []


def test_what_the_new_version_forbids_is_forbidden_for_what_was_given_before_too(years: Years) -> None:
    site = years.under(WEAKER + "\nWe read no addresses.\n\n```avow #no-addresses\nnever open contact.email\n```\n")
    with site.acting("desk", "mailing") as work, pytest.raises(Refused, match="#no-addresses"):
        years.of(work, years.ann).email.open()


@pytest.mark.promise("I13", "holds")
def test_changing_what_was_given_before_is_judged_by_its_version(years: Years) -> None:
    site = years.under(WEAKER)
    with site.acting("desk", "mailing", place="counter") as work, pytest.raises(Refused, match="under version 1"):
        work.update(years.of(work, years.ann), name="Anna")


@pytest.mark.promise("I13", "holds")
def test_what_was_to_be_gone_sooner_is_gone_sooner(years: Years, clock: FrozenClock) -> None:
    years.card_of_ann()
    site = years.under(WEAKER)
    with site.acting("desk", "mailing", place="counter") as work:
        work.collect(site.Card, person=work.person(), words="under version 2", arrived=clock())
    clock.advance(90 * DAY)
    assert carry_out(site.opened.vault) == 1
    with site.acting("desk", "mailing") as work:
        assert [card.words.open() for card in work.select(site.Card)] == ["under version 2"]


@pytest.mark.promise("I13", "works")
def test_who_agreed_keeps_what_the_new_version_keeps(years: Years, clock: FrozenClock) -> None:
    years.card_of_ann()
    site = years.under(ASKED)
    with site.acting("desk", "mailing") as work:
        work.accept(years.of(work, years.ann), "Version 2 may hold for what you have.")
    clock.advance(90 * DAY)
    assert carry_out(site.opened.vault) == 0


@pytest.mark.promise("I13", "holds")
def test_a_value_whose_version_was_changed_in_the_database_does_not_open(years: Years) -> None:
    """Its label is authenticated: somebody who writes the newer version into it gets nothing."""
    site = years.under(WEAKER)
    old, new = (Policy.parse(source).digest[:16].encode() for source in (SOURCE, WEAKER))
    table = site.Neighbour.__table__
    with site.opened.vault.store.writing() as connection:
        [value] = connection.scalars(select(table.c.name))
        changed = table.c.name.type.stored(value._envelope.replace(old, new))
        assert changed._envelope != value._envelope
        connection.execute(table.update().values(name=changed))
    with pytest.raises(SealedError, match="does not open"):
        years.sell(years.ann)


def test_a_version_that_nobody_knows_is_told(years: Years) -> None:
    site = years.under(WEAKER)
    for version in ("0" * 16, "", "%" * 16):
        with pytest.raises(SealedError, match="a version of the policy that nobody knows"):
            site.opened.vault.older.policy(version)


@pytest.mark.promise("I13", "holds")
def test_a_version_whose_text_was_changed_in_the_database_is_not_served(years: Years) -> None:
    """SQL: whoever writes the newer rules into the older version would free what was given under it."""
    table = years.under(WEAKER).home.schema.policy
    with years.site.opened.vault.store.writing() as connection:
        connection.execute(table.update().where(table.c.version == "1").values(source=WEAKER))
    with pytest.raises(Refused, match="under version 1"):
        years.sell(years.ann)
    with pytest.raises(StoreError, match="the text of version 1 of the policy is not the one that its digest says"):
        years.under(WEAKER)


# -- what the ledger is told --------------------------------------------------------------------------


def told(years: Years, event: str, verb: str) -> set[tuple[str, tuple[str, ...]]]:
    """The versions and the sentences of the entries of one event and verb that wait."""
    found = [each for each in entries(years.site) if (each.event, each.verb) == (event, verb)]
    return {(each.policy, each.sentences) for each in found}


def test_a_refusal_is_that_of_the_version_that_refuses(years: Years) -> None:
    """Also where a sentence of the same name says something else today."""
    years.under(WEAKER)
    with pytest.raises(Refused):
        years.sell(years.ann)
    with years.site.acting("desk", "mailing", place="counter") as work, pytest.raises(Refused):
        work.update(years.of(work, years.ann), name="Anna")
    assert {policy for policy, _ in told(years, "refused", "open")} == {Policy.parse(SOURCE).digest}
    assert told(years, "refused", "change") == {(Policy.parse(SOURCE).digest, ("read",))}


def test_a_refusal_of_the_version_in_force_stays_its_own(years: Years) -> None:
    new = WEAKER + "\nWe read no addresses.\n\n```avow #no-addresses\nnever open contact.email\n```\n"
    site = years.under(new)
    with site.acting("desk", "mailing") as work, pytest.raises(Refused):
        years.of(work, years.ann).email.open()
    assert told(years, "refused", "open") == {(Policy.parse(new).digest, ("no-addresses",))}


def test_a_duty_of_an_earlier_version_is_told_beside_what_the_newer_one_permits(years: Years) -> None:
    noted = SOURCE.replace('version: "1"', 'version: "0"').replace(
        "events:", "things: {acceptance: {label: acceptance}}\nevents:"
    ) + (
        "\nWhoever reads a name notes that you agreed.\n\n"
        "```avow #noted\nmust record acceptance with open(contact.name)\n```\n"
    )
    years.under(noted)
    bob = years.collect("Bob Example")
    site = years.under(WEAKER)
    with pytest.raises(Refused, match="acceptance"), site.acting("desk", "mailing") as work:
        years.of(work, bob).name.open()
    site.opened.sequencer.run()  # so that only what comes now waits
    with site.acting("desk", "mailing") as work:
        work.unit.discharged.add(("record", "acceptance"))
        assert years.of(work, bob).name.open() == "Bob Example"
    assert told(years, "permitted", "open") == {
        (Policy.parse(noted).digest, ("noted",)),
        (Policy.parse(WEAKER).digest, ("read",)),
    }


def test_what_an_earlier_version_has_destroyed_is_told_as_its_deed(years: Years, clock: FrozenClock) -> None:
    years.card_of_ann()
    site = years.under(WEAKER)
    clock.advance(90 * DAY)
    assert carry_out(site.opened.vault) == 1
    assert told(years, "done", "destroy") == {(Policy.parse(SOURCE).digest, ("ninety",))}
