"""Transfer: people go from one installation to another, and what they gave stays under the policy of then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import Refused, SetupError, StoreError
from avow.site.safekeeping import copy_kept
from avow.site.transfer import hand_over, open_package, write_card
from avow.testing.clock import FrozenClock
from avow.vault.erasure import erase
from avow.vault.retention import carry_out
from avow.vault.transfer_layout import GO, STAY

from .moving import GOING, LOOSER, Side, Two, with_choices
from .post import post

DAY = 86_400


@pytest.fixture
def two(tmp_path: Path, another_store: Callable[[], str], clock: FrozenClock) -> Iterator[Two]:
    two = Two(tmp_path, another_store, clock)
    yield two
    two.close()


def write_letter(side: Side, writer: str, reader: str, words: str, **more: Any) -> None:
    with side.site.acting("desk", "mailing", place="counter") as work:
        person = work.db.get(side.site.person_class, writer)
        work.collect(side.site.Letter, person=person, reader=reader, words=words, **more)


@pytest.mark.promise("I10", "works")
def test_people_go_along_with_all_that_is_theirs(two: Two) -> None:
    ann, bob = two.post.settle("Ann Example", "Bob Example")
    write_letter(two.post, ann, bob, "dear Bob", answer="ann@example.org", stamp="blue")
    two.clock.advance(5 * DAY)
    taken = two.take(two.pack())
    assert (taken.people, taken.records) == (2, 5) == (two.packed.people, two.packed.records)
    assert two.depot.names() == ["Ann Example", "Bob Example"] == two.post.names()
    site = two.depot.site
    with site.acting("desk", "mailing") as work:
        [letter] = work.select(site.Letter, site.Letter.answer == "ann@example.org")
        assert (letter.writer, letter.reader, letter.stamp) == (ann, bob, "blue")
        assert letter.words.open() == "dear Bob"
        [neighbour] = work.select(site.Neighbour, site.Neighbour.email == "Bob@example.org")
        label = neighbour.name.label()
        assert (label.place, label.collected) == ("counter", int(two.clock()) // 3600 - 5 * 24)
        assert label.version == two.post.site.policy.digest[:16]
        choices = work.select(site.Choice)
        assert [choice.state for choice in choices] == ["yes", "yes"]
        assert all(choice.mark == site.mark(work, choice) for choice in choices)


@pytest.mark.promise("I10", "works")
def test_both_ledgers_tell_of_each_person_and_neither_who_they_are(two: Two) -> None:
    ann, _ = two.post.settle("Ann Example", "Bob Example")
    two.take(two.pack())
    went, came = two.post.entries("packed"), two.depot.entries("brought")
    assert [(e.verb, e.object, e.recipient, e.sentences) for e in went] == [
        ("share", "contact.email, contact.name, letter", "successor", ("going",))
    ] * 2
    assert [(e.verb, e.object, e.sentences) for e in came] == [
        ("keep", "contact.email, contact.name, letter", ("ask",))
    ] * 2
    assert not any(ann in repr(entry) or "Ann" in repr(entry) for entry in (*went, *came))


@pytest.mark.promise("I10", "works")
def test_a_package_shows_nothing_of_anybody(two: Two) -> None:
    [ann] = two.post.settle("Ann Example")
    package = two.pack()
    content = package.read_bytes()
    assert all(part.encode() not in content for part in (ann, "Ann", "ann@example.org", "Sundays", "Privacy at"))
    assert package.stat().st_mode & 0o077 == 0


@pytest.mark.promise("I10", "works")
def test_many_people_go_in_one_package(two: Two) -> None:
    """More than one portion on both sides, and more than one chunk."""
    names = [f"N{number} Example" for number in range(230)]
    two.post.settle(*names)
    package = two.pack()
    assert package.stat().st_size > 2 * (1 << 16)
    assert two.take(package).people == 230
    assert two.depot.names() == sorted(names)


@pytest.mark.promise("I10", "holds")
def test_the_looser_rule_of_who_receives_is_not_applied(two: Two) -> None:
    two.post.settle("Ann Example")
    two.take(two.pack())
    two.depot.settle("Cleo Example")
    assert two.depot.sell("cleo") == "Cleo Example"
    with pytest.raises(Refused, match="collected under version 1 of the policy of post, which is still good for it"):
        two.depot.sell("ann")
    two.depot.open(LOOSER)
    with pytest.raises(Refused, match="collected under version 1 of the policy of post"):
        two.depot.sell("ann")


AGREED = """
A newer version holds for what we have if you agree.

```avow #older
may apply version to customer when consented(version) or not weaker(version)
never apply version otherwise
```
"""


@pytest.mark.promise("I10", "holds")
def test_who_agreed_to_a_version_there_has_agreed_to_none_here(two: Two) -> None:
    """Though the policy of this site protects no less than the one that they agreed to."""
    two.post.settle("Ann Example")
    later = GOING.replace("purposes: {", "purposes: {selling: {label: selling, key: marketing.advertising}, ")
    later = later.replace("mailing by desk", "mailing by desk\nmay open contact.name for selling by desk") + AGREED
    two.post.open(later.replace('version: "1"', 'version: "2"'))
    with two.post.site.acting("desk", "mailing", place="counter") as work:
        work.accept(work.select(two.post.site.Neighbour)[0], "You may sell with it.")
    assert two.post.sell("ann") == "Ann Example"
    two.depot.open(later.replace("site: post", "site: depot"))
    two.take(two.pack())
    with pytest.raises(Refused, match="collected under version 1 of the policy of post"):
        two.depot.sell("ann")
    with two.depot.site.acting("desk", "mailing", place="counter") as work:
        [neighbour] = work.select(two.depot.site.Neighbour)
        assert work.question(neighbour).earlier == ("1",)
        work.accept(neighbour, "The depot may sell with it.")
    assert two.depot.sell("ann") == "Ann Example"


def test_who_agreed_to_the_very_version_that_is_in_force_here_has_agreed(two: Two) -> None:
    """As when one installation becomes two; and nobody has who only has a row in the database that says so."""
    ann, bob = two.post.settle("Ann Example", "Bob Example")
    later = GOING.replace("mailing by desk", "mailing by desk\nmay open contact.name for selling by desk") + AGREED
    later = later.replace("purposes: {", "purposes: {selling: {label: selling, key: marketing.advertising}, ")
    two.post.open(later.replace('version: "1"', 'version: "2"'))
    two.depot.open(later.replace('version: "1"', 'version: "2"'), formerly="depot")
    with two.post.site.acting("desk", "mailing", place="counter") as work:
        [neighbour] = work.select(two.post.site.Neighbour, two.post.site.Neighbour.person == ann)
        work.accept(neighbour, "You may sell with it.")
    table = two.post.site.home.schema.standing
    with two.post.site.opened.vault.store.writing() as connection:
        row = dict(connection.execute(select(table)).one()._mapping)
        connection.execute(table.insert().values({**row, "owner": bob}))
    two.take(two.pack())
    assert two.depot.sell("ann") == "Ann Example"
    with pytest.raises(Refused, match="collected under version 1 of the policy"):
        two.depot.sell("bob")


@pytest.mark.promise("I10", "holds")
@pytest.mark.parametrize("restart", [False, True])
def test_what_was_to_be_gone_sooner_is_gone_sooner(two: Two, restart: bool) -> None:
    [ann] = two.post.settle("Ann Example")
    for side, person in ((two.post, ann), (two.depot, two.depot.settle("Cleo Example")[0])):
        with side.site.acting("desk", "mailing", place="counter") as work:
            owner = work.db.get(side.site.person_class, person)
            work.collect(side.site.Card, person=owner, words=side.folder.name, arrived=two.clock())
    two.take(two.pack())
    if restart:
        two.depot.open(LOOSER)
    two.clock.advance(90 * DAY)
    assert carry_out(two.depot.vault) == 1
    with two.depot.site.acting("desk", "mailing") as work:
        assert [card.words.open() for card in work.select(two.depot.site.Card)] == ["depot"]


@pytest.mark.promise("I10", "holds")
def test_who_is_not_bound_gets_nothing(two: Two) -> None:
    two.post.settle("Ann Example")
    two.post.write_card()
    two.depot.write_card()
    file = two.file()
    with pytest.raises(Refused, match="#bound") as refused:
        hand_over(two.post.site.opened, two.depot.card, file)
    assert "`depot` has not bound itself to version 1" in str(refused.value)
    assert not file.exists()
    assert [entry.sentences for entry in two.post.entries("refused")] == [("bound",)]
    two.depot.write_card(two.post)
    second = GOING.replace('version: "1"', 'version: "2"')
    two.post.open(second)
    with pytest.raises(Refused, match="has not bound itself to version 2"):
        hand_over(two.post.site.opened, two.depot.card, file)


@pytest.mark.promise("I10", "holds")
def test_nothing_goes_without_what_people_want(two: Two) -> None:
    two.post.settle("Ann Example")
    with pytest.raises(Refused, match="#bound") as refused:
        two.pack(without=("post_choice",))
    assert "leave nothing out that holds choices: post_choice" in str(refused.value)


@pytest.mark.promise("I10", "holds")
@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"purpose": "mailing"}, "going"),
        ({"role": "desk"}, "going"),
        ({"channel": "smtps"}, "going"),
    ],
)
def test_one_refused_value_stops_the_whole_package(two: Two, terms: dict[str, str], sentence: str) -> None:
    two.post.settle("Ann Example")
    with pytest.raises(Refused, match=f"#{sentence}"):
        two.pack(terms=terms)
    assert not list(two.folder.glob("package*"))
    assert two.post.rows()["avow_transfer"] == 0


@pytest.mark.promise("I10", "holds")
def test_what_the_policy_does_not_list_for_the_recipient_does_not_go(two: Two) -> None:
    two.post.settle("Ann Example")
    two.post.open(GOING.replace("fields: [contact, letter]", "fields: [contact]"))
    with pytest.raises(Refused, match=r"holds `letter`, which is not among the fields that the policy lists"):
        two.pack()


@pytest.mark.promise("I10", "holds")
def test_what_came_before_under_a_policy_that_lets_nothing_go_does_not_go(two: Two) -> None:
    two.post.open(GOING.replace("may share contact, letter with", "may share letter with"))
    two.post.settle("Ann Example")
    two.post.open(GOING.replace('version: "1"', 'version: "2"'))
    with pytest.raises(Refused, match="collected under version 1"):
        two.pack()


@pytest.mark.promise("I10", "holds")
def test_who_was_erased_does_not_travel_and_outstanding_wishes_do(two: Two) -> None:
    ann, _ = two.post.settle("Ann Example", "Bob Example")
    with two.post.site.acting("desk", "mailing", place="counter") as work:
        [bob] = work.select(two.post.site.Neighbour, two.post.site.Neighbour.email == "bob@example.org")
        work.update(bob, asked=two.clock())
    erase(two.post.vault, ann)
    two.take(two.pack())
    assert two.depot.names() == ["Bob Example"]
    assert two.depot.rows()["avow_tombstone"] == 0
    two.clock.advance(8 * DAY)
    assert carry_out(two.depot.vault) == 1
    assert two.depot.names() == []


@pytest.mark.promise("I10", "works")
def test_some_people_go_and_the_others_stay(two: Two) -> None:
    ann, bob, _ = two.post.settle("Ann Example", "Bob Example", "Cleo Example")
    write_letter(two.post, ann, bob, "dear Bob")
    with pytest.raises(SetupError, match="`post_letter` is shared with somebody who stays"):
        two.pack(people=frozenset({ann}))
    two.take(two.pack(people=frozenset({ann, bob})))
    assert two.depot.names() == ["Ann Example", "Bob Example"]
    with pytest.raises(SetupError, match="somebody who was named is not there"):
        two.pack(people=frozenset({ann, "0" * 32}))


@pytest.mark.promise("I10", "works")
def test_what_stays_by_its_declaration_stays(two: Two) -> None:
    [ann] = two.post.settle("Ann Example")
    with two.post.site.acting("desk", "mailing", place="counter") as work:
        work.collect(two.post.site.Visit, person=work.db.get(two.post.site.person_class, ann), seen="Ann")
        work.collect(two.post.site.Visit, person=work.person(), seen="somebody")
    assert two.take(two.pack()).people == 1
    assert two.depot.rows()["post_visit"] == 0


@pytest.mark.promise("I10", "holds")
def test_a_choice_that_was_written_into_the_database_goes_as_a_no(two: Two) -> None:
    two.post.settle("Ann Example")
    with two.post.vault.store.writing() as connection:
        connection.execute(two.post.site.Choice.__table__.update().values(mark="made up"))
    two.take(two.pack())
    with two.depot.site.acting("desk", "mailing") as work:
        assert [choice.state for choice in work.select(two.depot.site.Choice)] == ["no"]


@pytest.mark.promise("I10", "works")
def test_the_versions_that_came_along_are_no_versions_of_this_site(two: Two) -> None:
    two.post.settle("Ann Example")
    two.take(two.pack())
    site = two.depot.open(LOOSER)
    assert [version.version for version in site.opened.versions.all] == ["1"]
    assert site.opened.versions.announced is None
    with site.acting("desk", "mailing", facts={"shown": True}) as work:
        [neighbour] = work.select(site.Neighbour)
        [item] = [item for item in work.holdings(neighbour, fact="shown").items if item.kind.startswith("Neigh")]
        assert {value.version for value in item.values} == {"1 (post)"}
    # Should this site one day be under the very same policy, it is one of its own from then on.
    site = two.depot.open(GOING, formerly="depot")
    assert {version.source for version in site.opened.versions.all} == {GOING, LOOSER}


@pytest.mark.promise("I10", "holds")
def test_who_goes_on_from_there_is_under_the_first_policy_still(two: Two) -> None:
    two.post.settle("Ann Example")
    two.take(two.pack())
    depot, third = two.depot, two.third(LOOSER.replace("site: depot", "site: third"))
    going = GOING.replace("site: post", "site: depot").replace('version: "1"', 'version: "7"')
    depot.open(going)
    card = third.folder / "depot.card"
    write_card(depot.site.opened, card)
    write_card(third.site.opened, third.card, card)
    package = two.file()
    hand_over(depot.site.opened, third.card, package)
    open_package(third.site.opened, package, card)
    with pytest.raises(Refused, match="collected under version 1 of the policy of post"):
        third.sell("ann")
    third.site.close()


@pytest.mark.promise("I10", "works")
def test_every_table_of_avow_says_whether_it_goes_along(two: Two) -> None:
    tables = {name for name in two.post.site.home.metadata.tables if name.startswith("avow_")}
    assert tables - GO.keys() - STAY.keys() == set()
    assert GO.keys() & STAY.keys() == set()
    assert all(reason for reason in (*GO.values(), *STAY.values()))


def test_what_opens_packages_is_copied_with_what_opens_backups(two: Two, tmp_path: Path) -> None:
    two.post.settle("Ann Example")
    package = two.pack()
    copy_kept(two.depot.folder / "data", tmp_path / "safe")
    (two.depot.folder / "data" / "transfer").unlink()
    shutil.copy(tmp_path / "safe" / "transfer", two.depot.folder / "data")
    assert two.take(package).people == 1


def test_a_package_is_not_written_over_another_file(two: Two) -> None:
    two.post.settle("Ann Example")
    file = two.file()
    file.write_text("mine")
    two.cards()
    with pytest.raises(StoreError, match=r"there is a `.*package 1` already"):
        hand_over(two.post.site.opened, two.depot.card, file)
    assert file.read_text() == "mine"


def test_what_cannot_be_packed_is_told(two: Two) -> None:
    with pytest.raises(SetupError, match="nobody is there to go"):
        two.pack()
    with pytest.raises(SetupError, match="`post_visit` is no table whose records go along"):
        two.pack(without=("post_visit",))
    with pytest.raises(SetupError, match="declares no recipient `ups`"):
        two.pack(terms={"recipient": "ups"})
    two.post.open(LOOSER, formerly="post")
    with pytest.raises(SetupError, match="does not say the recipient"):
        two.pack()
    assert not list(two.folder.glob("package*"))


def test_the_post_is_served_while_it_packs(two: Two) -> None:
    """Nothing is locked: somebody may come while a package is half written, and is not in it."""
    two.post.settle("Ann Example")
    came: list[str] = []

    def busy(done: int, total: int) -> None:
        if not came:
            with ThreadPoolExecutor(1) as thread:
                came.extend(thread.submit(two.post.settle, "Late Example").result())

    assert two.take(two.pack(progress=busy)).people == 1
    assert two.post.names() == ["Ann Example", "Late Example"]
    assert two.depot.names() == ["Ann Example"]


def test_choices_are_the_same_on_both_sides(two: Two) -> None:
    two.post.settle("Ann Example")
    two.post.open(GOING, lambda: with_choices(post(), say_so=False))
    with pytest.raises(SetupError, match="`post_choice` holds choices on one side and not on the other"):
        two.take(two.pack())
