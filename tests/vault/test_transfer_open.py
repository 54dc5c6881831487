"""Opening a package: all of it or nothing, and only one that is whole, new, and from who it should be from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from avow import owner, plain
from avow.errors import AvowError, KeyringError, Refused, SetupError, StoreError
from avow.keys.transfer import NAME
from avow.site.transfer import open_package
from avow.testing.clock import FrozenClock
from avow.vault.erasure import erase
from avow.vault.publishing import next_batch

from .moving import GOING, LOOSER, Two, with_choices
from .post import post

Lines = list[dict[str, Any]]


@pytest.fixture
def two(tmp_path: Path, another_store: Callable[[], str], clock: FrozenClock) -> Iterator[Two]:
    two = Two(tmp_path, another_store, clock)
    two.post.settle("Ann Example", "Bob Example")
    yield two
    two.close()


def refused(two: Two, package: Path, error: type[AvowError], words: str) -> None:
    """Opening it fails so, and nothing was written."""
    before = two.depot.rows()
    with pytest.raises(error, match=words):
        two.take(package)
    assert two.depot.rows() == before
    assert two.depot.entries("brought") == []


def test_those_who_came_are_looked_at_for_what_the_version_in_force_has_to_tell_them(two: Two) -> None:
    def told() -> list[str] | None:
        with two.depot.site.opened.unit("desk", "mailing") as unit:
            return next_batch(unit)

    while told() is not None:
        pass
    two.take(two.pack())
    assert told() is not None
    while told() is not None:
        pass


# -- what is on the outside ---------------------------------------------------------------------------


@pytest.mark.promise("I10", "holds")
def test_a_package_with_a_changed_bit_is_refused_wherever_it_is(two: Two) -> None:
    package = two.pack()
    content = package.read_bytes()
    places = [0, 20, 300, len(content) // 3, len(content) // 2, len(content) - 70, len(content) - 1]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        package.write_bytes(changed)
        refused(two, package, StoreError, "damaged, or no package")
    package.write_bytes(content)
    two.take(package)


@pytest.mark.promise("I10", "holds")
def test_a_package_that_was_cut_or_put_in_another_order_is_refused(two: Two) -> None:
    two.post.settle(*(f"N{number} Example" for number in range(230)))
    package = two.pack()
    content = package.read_bytes()
    head = content.index(b"\n", content.index(b"\n") + 1) + 1 + 64
    chunks, at = [], head
    while at < len(content) - 64:
        size = 4 + int.from_bytes(content[at : at + 4], "big")
        chunks.append(content[at : at + size])
        at += size
    assert len(chunks) > 2
    first, second, *rest = chunks
    end = content[-64:]
    for parts in (
        [second, first, *rest, end],
        [first, *rest, end],
        [first, first, second, *rest, end],
        [*chunks[:-1], end],
        chunks[:-1],
        chunks,
        [*chunks, end, b"x"],
        [*chunks, end[::-1]],
        [],
    ):
        package.write_bytes(content[:head] + b"".join(parts))
        refused(two, package, StoreError, "damaged, or no package")


@pytest.mark.promise("I10", "holds")
def test_a_package_for_somebody_else_is_refused(two: Two) -> None:
    package = two.pack()
    (two.depot.folder / "data" / NAME).unlink()
    refused(two, package, KeyringError, "sealed for another installation")
    third = two.third(LOOSER)
    with pytest.raises(KeyringError, match="sealed for another installation"):
        open_package(third.site.opened, package, two.post.card)
    third.site.close()


@pytest.mark.promise("I10", "holds")
def test_a_package_from_somebody_else_is_refused(two: Two) -> None:
    package, third = two.pack(), two.third(GOING)
    third.settle("Eve Example")
    third.write_card()
    with pytest.raises(KeyringError, match="is not from `post`, whose card was named"):
        open_package(two.depot.site.opened, package, third.card)
    # Somebody else's package under the post's name: what it says of itself is theirs to write, its signature is not.
    content = package.read_bytes()
    line = content.index(b"\n", content.index(b"\n") + 1) + 1
    package.write_bytes(content[:line] + third.keys.signing.sign(content[:line]) + content[line + 64 :])
    refused(two, package, StoreError, "its signature does not fit")
    third.site.close()


@pytest.mark.promise("I10", "holds")
def test_the_same_package_twice_adds_nobody_twice(two: Two) -> None:
    package = two.pack()
    two.take(package)
    before = two.depot.rows()
    with pytest.raises(StoreError, match="was opened here before"):
        two.take(package)
    with pytest.raises(StoreError, match="somebody in the package is here already"):
        two.take(two.pack())
    assert two.depot.rows() == before


@pytest.mark.promise("I10", "holds")
def test_an_older_package_does_not_come_after_a_newer_one(two: Two) -> None:
    """Objections that came between the two would be lost."""
    [ann, bob] = two.post.settle("Cleo Example", "Dan Example")
    older = two.pack(people=frozenset({ann}))
    two.take(two.pack(people=frozenset({bob})))
    before = two.depot.rows()
    with pytest.raises(StoreError, match="is older than one of `post` that was opened here"):
        two.take(older)
    assert two.depot.rows() == before


@pytest.mark.promise("I10", "holds")
def test_who_was_erased_here_does_not_come_back(two: Two) -> None:
    [ann] = two.post.settle("Cleo Example")
    two.take(two.pack(people=frozenset({ann})))
    erase(two.depot.vault, ann)
    with pytest.raises(StoreError, match="somebody in the package was erased here"):
        two.take(two.pack(people=frozenset({ann})))
    assert two.depot.names() == []


# -- what is inside -----------------------------------------------------------------------------------


def body(lines: Lines, kind: str) -> list[Any]:
    return [line[kind] for line in lines if kind in line]


def without_policy(lines: Lines) -> Lines:
    return [line for line in lines if "policy" not in line]


def without_policy_anywhere(lines: Lines) -> Lines:
    body(lines, "manifest")[0]["policies"] = []
    return without_policy(lines)


def without_a_choice(lines: Lines) -> Lines:
    lines.remove(next(line for line in lines if line.get("record", [""])[0] == "post_choice"))
    return lines


def without_choices(lines: Lines) -> Lines:
    for said in ("shapes", "counts"):
        del body(lines, "manifest")[0][said]["post_choice"]
    return [line for line in lines if line.get("record", [""])[0] != "post_choice"]


def another_text(lines: Lines) -> Lines:
    [policy] = body(lines, "policy")
    policy["source"] = policy["source"].replace("by desk", "by desk, legal")
    return lines


def another_label(lines: Lines) -> Lines:
    body(lines, "record")[0][6]["neighbour.name"][1] = "0" * 16
    return lines


def another_version(lines: Lines) -> Lines:
    body(lines, "record")[0][3] = hashlib.sha256(b"").hexdigest()
    return lines


def under_another_version(lines: Lines) -> Lines:
    body(lines, "person")[0][1] = hashlib.sha256(b"").hexdigest()
    return lines


def one_person_less(lines: Lines) -> Lines:
    lines.remove(next(line for line in lines if "person" in line))
    return lines


def cut(lines: Lines) -> Lines:
    return lines[:-1]


def another_manifest(lines: Lines) -> Lines:
    first = json.loads(json.dumps(lines[0]))
    first["manifest"]["counts"]["post_choice"] -= 1
    return [*without_a_choice(lines)[:-1], first, lines[-1]]


def one_field_more(lines: Lines) -> Lines:
    body(lines, "record")[0][6]["neighbour.shoe"] = ["letter", "0" * 16, "", 1, "44"]
    return lines


def nonsense(lines: Lines) -> Lines:
    lines[-2] = {"record": {"no": "record"}}
    return lines


@pytest.mark.promise("I10", "holds")
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (without_policy_anywhere, StoreError, "it lacks the version [0-9a-f]{16} of the policy"),
        (without_a_choice, StoreError, "less came than its manifest says"),
        (without_choices, SetupError, "the package has no `post_choice`, which holds what people want"),
        (another_text, StoreError, "the text of version 1 of the policy is not the one that its digest says"),
        (another_label, StoreError, "it lacks the version 0000000000000000 of the policy"),
        (another_version, StoreError, "it lacks the version e3b0c44298fc1c14 of the policy"),
        (under_another_version, StoreError, "it lacks the version e3b0c44298fc1c14 of the policy"),
        (one_person_less, StoreError, "of somebody who is not in it|less came"),
        (cut, StoreError, "it has no end"),
        (another_manifest, StoreError, "its lines `manifest` are not where they should be"),
        (one_field_more, StoreError, "a record of `post_neighbour` has more than its manifest says"),
    ],
)
def test_a_package_that_lacks_something_is_refused(
    two: Two, change: Callable[[Lines], Lines], error: type[AvowError], words: str
) -> None:
    """As a sender would sign it whose program is another."""
    refused(two, two.forged(change), error, words)


@pytest.mark.promise("I10", "holds")
def test_nobody_who_is_here_already_is_given_a_record(two: Two) -> None:
    [cleo] = two.depot.settle("Cleo Example")

    def of_cleo(lines: Lines) -> Lines:
        body(lines, "record")[0][2] = cleo
        return lines

    refused(two, two.forged(of_cleo), StoreError, "is of somebody who is not in it")


def test_a_package_of_nonsense_is_told(two: Two) -> None:
    refused(two, two.forged(without_policy), StoreError, "it lacks the version [0-9a-f]{16} of the policy")
    refused(two, two.forged(nonsense), StoreError, "a line `record` is not as it should be")


@pytest.mark.promise("I10", "holds")
def test_each_version_that_the_manifest_names_has_to_come(two: Two) -> None:
    """Also one that nothing is under by now."""
    two.post.open(GOING.replace('version: "1"', 'version: "2"'))

    def one_less(lines: Lines) -> Lines:
        return [line for line in lines if "policy" not in line or line["policy"]["version"] == "1"]

    refused(two, two.forged(one_less), StoreError, "it lacks the version [0-9a-f]{16} of the policy")


def test_a_forged_package_that_lacks_nothing_is_opened(two: Two) -> None:
    assert two.take(two.forged(lambda lines: lines)).people == 2


@pytest.mark.promise("I10", "holds")
def test_what_nobody_here_may_keep_is_not_taken(two: Two) -> None:
    two.depot.open(LOOSER.replace("may keep contact, letter about", "may keep contact about"))
    refused(two, two.pack(), Refused, "keep letter")


def test_other_records_are_refused_with_the_place_named(two: Two) -> None:
    def with_badges() -> Any:
        site = with_choices(post())

        class Badge(site.Record):  # type: ignore[misc,name-defined]
            """A badge."""

            __tablename__ = "post_badge"
            person: Mapped[str] = owner()
            number: Mapped[int] = plain("its number")

        return site

    two.post.open(GOING, with_badges)
    refused(two, two.pack(), SetupError, "`post_badge` of the package is no record here")


def other_shape(change: Callable[[dict[str, Any]], None]) -> Callable[[Lines], Lines]:
    def changed(lines: Lines) -> Lines:
        change(body(lines, "manifest")[0]["shapes"]["post_neighbour"])
        return lines

    return changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["fields"].update({"neighbour.shoe": ["shoe", "", False]}), "no field `neighbour.shoe` here"),
        (lambda s: s["fields"].pop("neighbour.name"), "no field `neighbour.name`, which `post_neighbour` needs"),
        (
            lambda s: s["fields"].update({"neighbour.name": ["shoe", "", False]}),
            "`neighbour.name` holds `shoe` in the package, and `contact.name` here",
        ),
        (
            lambda s: s["fields"].update({"neighbour.name": ["contact.name", "", True]}),
            "`neighbour.name` may be missing in the package, and may not here",
        ),
        (lambda s: s["plain"].update({"shoe": ["str", False]}), "`post_neighbour` has no column `shoe` here"),
        (
            lambda s: s["plain"].update({"asked": ["str", True]}),
            r"`post_neighbour.asked` is str in the package, and float here",
        ),
        (lambda s: s.update(parties=["other"]), "`post_neighbour` concerns other parties here"),
    ],
)
def test_another_layout_is_refused_with_the_place_named(
    two: Two, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    refused(two, two.forged(other_shape(change)), SetupError, words)


def test_what_may_be_there_only_once_is_told(two: Two) -> None:
    def twice(lines: Lines) -> Lines:
        records = body(lines, "record")
        first = next(record for record in records if record[0] == "post_neighbour")
        second = next(r for r in records if r[0] == "post_neighbour" and r is not first)
        second[1], second[2] = first[1], first[2]
        return lines

    refused(two, two.forged(twice), StoreError, "the package does not go into the database")


def test_a_deadline_that_cannot_be_kept_here_is_told(two: Two) -> None:
    """The sender's policy has something destroyed of which no record here says when it came."""
    more = GOING.replace("arrived: {", "sealed: {label: it was sealed}, arrived: {")
    two.post.open(
        more.replace("```avow #ninety\n", "```avow #ninety\nmust destroy letter within 9 days after arrived\n")
    )

    def other(lines: Lines) -> Lines:
        [policy] = [p for p in body(lines, "policy") if "within 9 days" in p["source"]]
        old = policy["digest"]
        policy["source"] = policy["source"].replace("9 days after arrived", "9 days after sealed")
        policy["digest"] = hashlib.sha256(policy["source"].encode()).hexdigest()
        [manifest] = body(lines, "manifest")
        manifest["policies"] = [policy["digest"] if one == old else one for one in manifest["policies"]]
        return lines

    refused(two, two.forged(other), SetupError, "no record says when that is")
