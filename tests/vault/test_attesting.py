"""Signatures: what hangs on one is refused without it, and it lapses when it should."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import Refused, SetupError
from avow.ledger.entry import Entry
from avow.testing.clock import FrozenClock

from .club import club

HERE = Path(__file__).parent
DAY = 24 * 3600.0
SIGNED = """
The desk reads your address in a room that can be locked.

```avow #locked
may open contact.email for lending by desk
attested by desk every 12 months
```

The courier has addresses read out only while that is so.

```avow #read-out
may open contact.email for lending by courier when attested(locked)
```
"""


@pytest.fixture
def room(tmp_path: Path, store: str, clock: FrozenClock) -> Iterator[Any]:
    """Opens the club with a policy that has `SIGNED` in it, or other words; `state` is the one sentence's."""
    folder = tmp_path / "data"
    opened: list[Any] = []

    def under(words: str = SIGNED) -> Any:
        for each in opened:
            each.close()
        file = tmp_path / f"{len(opened)}.md"
        file.write_text((HERE / "club.md").read_text() + words)
        site = club(file)
        site.open(folder, store=store, background=False, clock=clock)
        opened.append(site)
        return site

    yield under
    for each in opened:
        each.close()


@pytest.fixture
def held(room: Callable[..., Any]) -> Any:
    site = room()
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann", email="a@example.org")
        key = (member.person, member.id)
    return SimpleNamespace(site=site, key=key, attesting=site.opened.vault.attesting)


def reads(site: Any, key: tuple[str, str], role: str = "desk") -> bool:
    try:
        with site.acting(role, "lending") as work:
            return bool(work.unit.db.get(site.Member, key).email.open() == "a@example.org")
    except Refused:
        return False


def test_what_hangs_on_a_signature_is_refused_until_somebody_signs(held: Any) -> None:
    assert not reads(held.site, held.key)
    assert not reads(held.site, held.key, "courier")
    held.attesting.sign("locked", role="desk", name="berta")
    assert reads(held.site, held.key)
    assert reads(held.site, held.key, "courier")


def test_it_lapses_when_its_time_is_over_and_is_given_again(held: Any, clock: FrozenClock) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    clock.advance(359 * DAY)  # a month has thirty days
    assert reads(held.site, held.key)
    clock.advance(2 * DAY)
    assert not reads(held.site, held.key)
    held.attesting.sign("locked", role="desk", name="carl")
    assert reads(held.site, held.key)
    assert [each.name for each in held.attesting.history()] == ["carl", "berta"]


def test_it_lapses_when_it_is_withdrawn(held: Any) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    assert held.attesting.withdraw("locked", role="desk")
    assert not reads(held.site, held.key)
    assert not held.attesting.withdraw("locked", role="desk")
    (ended,) = held.attesting.history()
    assert ended.until == ended.since


def test_it_lapses_when_the_sentence_says_something_else(held: Any, room: Callable[..., Any]) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    again = room()
    assert reads(again, held.key)
    changed = room(SIGNED.replace("a room that can be locked", "two rooms that can be locked"))
    assert not reads(changed, held.key)
    assert [each.signature for each in changed.opened.vault.attesting.states()] == [None]


def test_it_lapses_when_another_role_is_asked_for(held: Any, room: Callable[..., Any]) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    changed = room(SIGNED.replace("attested by desk", "attested by courier"))
    assert not reads(changed, held.key)


def test_a_running_service_learns_that_another_process_signed(
    held: Any, tmp_path: Path, store: str, clock: FrozenClock
) -> None:
    assert not reads(held.site, held.key)
    other = club(tmp_path / "0.md")
    other.open(tmp_path / "data", store=store, background=False, clock=clock)
    other.opened.vault.attesting.sign("locked", role="desk", name="berta")
    other.close()
    clock.advance(31)
    assert reads(held.site, held.key)


FORGED = {"id": "0" * 32, "anchor": "locked", "role": "desk", "name": "berta", "since": 0, "until": 2**31 - 1}


@pytest.mark.parametrize("mark", [None, b"", bytes(32)])
def test_who_can_only_write_rows_signs_for_nothing(held: Any, mark: bytes | None, clock: FrozenClock) -> None:
    table = held.site.home.schema.attestation
    said = hashlib.sha256(held.site.policy.sentence("locked").text.encode()).hexdigest()
    with held.site.opened.vault.store.writing() as connection:
        connection.execute(table.insert().values(**FORGED, said=said, mark=mark))
    clock.advance(31)
    assert not reads(held.site, held.key)
    assert held.attesting.history() == ()
    held.attesting.sign("locked", role="desk", name="berta")
    assert len(held.attesting.history()) == 1


@pytest.mark.parametrize("change", [{"until": 2**31 - 1}, {"name": "anna"}, {"since": 1}, {"anchor": "read-out"}])
def test_a_signature_that_was_changed_is_none(held: Any, change: dict[str, Any], clock: FrozenClock) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    assert reads(held.site, held.key)
    table = held.site.home.schema.attestation
    with held.site.opened.vault.store.writing() as connection:
        connection.execute(table.update().values(**change))
    clock.advance(31)
    assert not reads(held.site, held.key)


def test_the_ledger_tells_in_which_role_and_never_who(held: Any) -> None:
    held.attesting.sign("locked", role="desk", name="berta")
    held.attesting.withdraw("locked", role="desk")
    held.site.opened.sequencer.run()
    entry = held.site.opened.vault.home.schema.entry
    with held.site.opened.vault.store.reading() as connection:
        bodies = [bytes(body) for body in connection.scalars(select(entry.c.body))]
    told = [each for each in map(Entry.decode, bodies) if each.verb == "attest"]
    assert sorted((each.event, each.role, each.sentences) for each in told) == [
        ("signed", "desk", ("locked",)),
        ("withdrawn", "desk", ("locked",)),
    ]
    assert not any(b"berta" in body for body in bodies)


@pytest.mark.parametrize(
    ("anchor", "role", "why"),
    [
        ("locked", "courier", "is given and withdrawn by `desk`, not by `courier`"),
        ("lockt", "desk", "did you mean `locked`"),
        ("ask", "desk", "no sentence `#ask` of the policy needs a signature"),
    ],
)
def test_nobody_signs_for_what_is_not_theirs(held: Any, anchor: str, role: str, why: str) -> None:
    with pytest.raises(SetupError, match=why.replace("(", r"\(")) as caught:
        held.attesting.sign(anchor, role=role, name="berta")
    assert held.attesting.history() == (), caught.value


def test_a_signature_is_not_supplied_as_a_fact(held: Any) -> None:
    with (
        pytest.raises(SetupError, match="a signature is nothing else"),
        held.site.acting("desk", "lending", facts={"attested(locked)": True}),
    ):
        pass
    assert not reads(held.site, held.key)
