"""Shredding: who was erased cannot be opened from any copy, and everybody else can."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import KeyringError, StoreError
from avow.keys.hierarchy import unwrap_person
from avow.keys.keyring import FileKeyring
from avow.keys.keytable import NAME, alone_with, read_key_table
from avow.ledger.entry import Entry
from avow.site.safekeeping import copy_kept
from avow.testing.clock import FrozenClock
from avow.testing.postgres import Server
from avow.vault import backup, shredding
from avow.vault.tombstones import token_of

from .post import post


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = post()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


def settle(site: Any, count: int) -> list[str]:
    """New neighbours, called `Name 0 Example` and so on; their ids."""
    with site.acting("desk", "mailing", place="counter") as work:
        people = [work.person() for _ in range(count)]
        for number, person in enumerate(people):
            work.collect(site.Neighbour, person=person, name=f"Name {number} Example", email=f"n{number}@example.org")
        return [person.id for person in people]


def erase(site: Any, identity: str) -> str:
    with site.acting("desk", "mailing") as work:
        receipt: str = work.erase(work.db.get(site.person_class, identity))
        return receipt


def keys_of(site: Any) -> dict[str, tuple[int, bytes]]:
    person = site.home.schema.person
    with site.opened.vault.store.reading() as connection:
        return {row.id: (row.epoch, bytes(row.wrapped)) for row in connection.execute(select(person))}


def names(site: Any) -> list[str]:
    with site.acting("desk", "mailing") as work:
        return sorted(neighbour.name.open() for neighbour in work.select(site.Neighbour))


def reopen(site: Any, store: str, tmp_path: Path, clock: FrozenClock) -> None:
    site.close()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)


def test_everybody_opens_under_the_new_epoch_and_nobody_needs_the_old_one(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    settle(site, 7)
    before = names(site)
    assert shredding.shred(site.opened.vault) == (1,)
    assert {epoch for epoch, _ in keys_of(site).values()} == {2}
    assert names(site) == before
    reopen(site, store, tmp_path, clock)  # with nothing in memory
    assert names(site) == before


def test_the_key_of_who_was_erased_unwraps_nowhere(site: Any) -> None:
    ann, *_ = settle(site, 3)
    vault = site.opened.vault
    epoch, wrapped = keys_of(site)[ann]
    erase(site, ann)
    assert unwrap_person(vault.keyring, vault.tenant, ann, epoch, wrapped)  # a copy of it would still do
    shredding.shred(vault)
    with pytest.raises(KeyringError, match="key epoch 1 is not in the keyring"):
        unwrap_person(vault.keyring, vault.tenant, ann, epoch, wrapped)


def test_the_key_table_holds_the_living_and_nobody_else(site: Any) -> None:
    ann, bob, cid = settle(site, 3)
    erase(site, ann)
    vault = site.opened.vault
    shredding.shred(vault)
    table = {key.person: (key.epoch, key.wrapped) for key in read_key_table(vault.data / NAME, vault.tenant)}
    assert table == keys_of(site)
    assert set(table) == {bob, cid}


def test_nothing_is_destroyed_while_the_key_table_cannot_be_written(site: Any) -> None:
    settle(site, 2)
    vault = site.opened.vault
    (vault.data / f"{NAME}.new").mkdir()
    with pytest.raises(KeyringError, match="no key was destroyed"):
        shredding.shred(vault)
    assert vault.keyring.status().epochs == (1, 2)
    assert len(names(site)) == 2


def test_nothing_is_destroyed_while_a_key_in_the_table_does_not_unwrap(site: Any) -> None:
    ann, _ = settle(site, 2)
    vault = site.opened.vault
    shredding.rotate(vault)
    with vault.store.writing() as connection:
        connection.execute(
            site.home.schema.person.update().where(site.home.schema.person.c.id == ann).values(wrapped=b"x")
        )
    with pytest.raises(KeyringError, match="not one of this format"):
        shredding.destroy_up_to(vault, 1)
    assert vault.keyring.status().epochs == (1, 2)


def test_who_is_written_after_the_new_epoch_is_under_it(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    """Their key was made before: wrapped under the old epoch they would be lost with it."""
    with site.acting("desk", "mailing", place="counter") as work:
        person = work.unit.vault.new_person()
        site.opened.vault.keyring.create_epoch()
        work.db.add(person)
        work.collect(site.Neighbour, person=person, name="Late Example", email="late@example.org")
    assert keys_of(site)[person.id][0] == 2
    assert shredding.destroy_up_to(site.opened.vault, 1) == (1,)
    reopen(site, store, tmp_path, clock)
    assert names(site) == ["Late Example"]


def test_who_is_being_written_while_an_epoch_is_destroyed_is_not_lost(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    """A transaction that wrote a person under the old epoch is still open when the destroyer comes."""
    settle(site, 1)
    vault = site.opened.vault
    gone: list[tuple[int, ...]] = []
    with site.acting("desk", "mailing", place="counter") as work:
        work.collect(site.Neighbour, person=work.person(), name="Slow Example", email="slow@example.org")
        work.db.flush()
        vault.keyring.create_epoch()
        destroyer = threading.Thread(target=lambda: gone.append(shredding.destroy_up_to(vault, 1)))
        destroyer.start()
        destroyer.join(0.5)
        assert destroyer.is_alive()  # it waits for this unit
    destroyer.join(30)
    assert gone == [(1,)]
    reopen(site, store, tmp_path, clock)
    assert "Slow Example" in names(site)


def test_no_epoch_ends_between_the_look_of_a_backup_and_the_key_table_that_it_writes(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys that it has seen would unwrap nowhere, and the table in which they did would be gone."""
    settle(site, 3)
    vault = site.opened.vault
    destroyer = threading.Thread(target=shredding.shred, args=(vault,))
    write_people = backup.write_people

    def interrupted(vault: Any, connection: Any) -> int:
        monkeypatch.undo()
        connection.execute(select(site.home.schema.person)).all()
        destroyer.start()
        destroyer.join(0.5)
        return write_people(vault, connection)

    monkeypatch.setattr(backup, "write_people", interrupted)
    backup.back_up(vault, tmp_path / "backup")
    destroyer.join(30)
    assert vault.keyring.status().epochs == (2,)
    keys = list(read_key_table(tmp_path / "data" / NAME, vault.tenant))
    assert len([unwrap_person(vault.keyring, vault.tenant, *key) for key in keys]) == 3


def test_nothing_is_destroyed_while_somebody_is_written_and_does_not_end(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's writers do not wait for each other: who destroys asks for the table, and not for ever."""
    monkeypatch.setattr(shredding, "PATIENCE", 0.2)
    site = post()
    vault = site.open(tmp_path / "data", store=postgres.fresh_database(), background=False).vault
    with site.acting("desk", "mailing", place="counter") as work:
        work.collect(site.Neighbour, person=work.person(), name="Slow Example", email="slow@example.org")
        work.db.flush()
        vault.keyring.create_epoch()
        with pytest.raises(StoreError, match="not committed yet: nothing was destroyed"):
            shredding.destroy_up_to(vault, 1)
        assert vault.keyring.status().epochs == (1, 2)
    assert shredding.destroy_up_to(vault, 1) == (1,)
    assert names(site) == ["Slow Example"]
    site.close()


@pytest.mark.parametrize(("go_on", "goes_on_to"), [(shredding.shred, (1,)), (shredding.rotate, 2)])
def test_a_run_that_died_half_way_is_gone_on_with(
    site: Any, go_on: Any, goes_on_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(site, 5)
    vault = site.opened.vault
    monkeypatch.setattr(shredding, "BATCH", 2)
    seen: list[tuple[int, int]] = []

    def die(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        shredding.rotate(vault, die)
    assert seen == [(0, 5), (2, 5), (4, 5)]
    assert sorted(epoch for epoch, _ in keys_of(site).values()) == [1, 2, 2, 2, 2]
    assert len(names(site)) == 5
    assert go_on(vault) == goes_on_to, "with the epoch that is there"
    assert vault.keyring.status().current == 2
    assert sorted(epoch for epoch, _ in keys_of(site).values()) == [2] * 5
    assert len(names(site)) == 5


def test_who_was_erased_after_the_new_epoch_began_needs_another(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    """Their key was wrapped under the new epoch too: destroying the old one would not reach it."""
    settle(site, 2)
    vault = site.opened.vault
    shredding.rotate(vault)
    first = min(keys_of(site))
    with site.acting("desk", "mailing") as work:
        work.erase(work.db.get_one(site.person_class, first))
    assert shredding.shred(vault) == (1, 2)
    assert shredding.waiting(vault) == 0
    reopen(site, store, tmp_path, clock)
    assert len(names(site)) == 1


def test_the_tombstone_and_the_ledger_tell_both_stages(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _ = settle(site, 2)
    token = token_of(erase(site, ann))
    vault, table = site.opened.vault, site.home.schema.tombstone

    def shredded() -> int | None:
        with site.opened.vault.store.reading() as connection:
            found: int | None = connection.scalar(select(table.c.shredded).where(table.c.token == token))
            return found

    assert shredded() is None
    with monkeypatch.context() as dying:  # after the keys were destroyed, before that was written down
        dying.setattr(shredding, "note_shredded", lambda vault: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shredding.shred(vault)
    assert shredded() is None
    reopen(site, store, tmp_path, clock)
    assert shredded() == site.opened.vault.hour()
    site.opened.sequencer.run()
    with site.opened.vault.store.reading() as connection:
        entries = [Entry.decode(bytes(b)) for b in connection.scalars(select(site.home.schema.entry.c.body))]
    assert sorted((e.event, e.verb, e.sentences) for e in entries if e.verb == "erase") == [
        ("done", "erase", ("erase",)),
        ("shredded", "erase", ("erase",)),
    ]


def test_it_is_due_a_day_after_somebody_was_erased(site: Any, clock: FrozenClock) -> None:
    ann, _ = settle(site, 2)
    vault = site.opened.vault
    assert not shredding.is_due(vault)
    erase(site, ann)
    assert not shredding.is_due(vault)
    clock.advance(shredding.SHRED_AFTER * 3600)
    assert shredding.is_due(vault)
    site.opened.background.round()  # as the service does by itself
    assert not shredding.is_due(vault)
    assert vault.keyring.status().epochs == (2,)


def test_the_copy_of_the_keys_is_renewed_when_epochs_were_destroyed(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    """An old one would still open what was erased."""
    ann, _ = settle(site, 2)
    site.close()
    site.open(tmp_path / "data", store=store, background=False, clock=clock, safe=tmp_path / "safe")
    erase(site, ann)
    site.opened.background.round()
    assert not (tmp_path / "safe").exists()
    clock.advance(shredding.SHRED_AFTER * 3600)
    site.opened.background.round()
    for name in ("keyring", NAME, "tombstones"):
        assert (tmp_path / "safe" / name).read_bytes() == (tmp_path / "data" / name).read_bytes()


def test_the_copy_opens_for_everybody_before_an_epoch_is_destroyed_and_after(site: Any, tmp_path: Path) -> None:
    """If the machine is lost in between, the copy and the backups are all there is."""
    vault, safe, held = site.opened.vault, tmp_path / "safe", []
    settle(site, 3)

    def copy() -> None:
        copy_kept(vault.data, safe)
        keyring = FileKeyring.open(safe / "keyring")
        opened = [unwrap_person(keyring, vault.tenant, *key) for key in read_key_table(safe / NAME, vault.tenant)]
        held.append((len(opened), keyring.status().epochs))

    assert shredding.shred(vault, copy=copy) == (1,)
    assert held == [(3, (1, 2)), (3, (2,))]


def test_nothing_is_destroyed_while_the_copy_cannot_be_written(site: Any, tmp_path: Path) -> None:
    vault = site.opened.vault
    settle(site, 2)
    (tmp_path / "safe").write_text("a file, and no folder")
    with pytest.raises(StoreError, match="cannot be copied"):
        shredding.shred(vault, copy=lambda: copy_kept(vault.data, tmp_path / "safe"))
    assert vault.keyring.status().epochs == (1, 2)


def test_a_copy_that_still_has_the_destroyed_epochs_is_told_of(site: Any, tmp_path: Path) -> None:
    vault, times = site.opened.vault, []
    settle(site, 2)

    def copy() -> None:
        times.append(len(vault.keyring.status().epochs))
        if times[-1] == 1:
            (tmp_path / "file").write_text("no folder")
            copy_kept(vault.data, tmp_path / "file")

    with pytest.raises(StoreError, match="the epochs were destroyed here, but the keys cannot be copied"):
        shredding.shred(vault, copy=copy)
    assert times == [2, 1]


def test_keyring_and_key_table_are_copied_as_they_belong_together(site: Any, tmp_path: Path) -> None:
    """Whoever destroys an epoch holds the key table meanwhile; of one from before and one from after nothing opens."""
    data, safe = tmp_path / "data", tmp_path / "safe"
    copier = threading.Thread(target=copy_kept, args=(data, safe))
    with alone_with(data / NAME):
        copier.start()
        copier.join(0.5)
        assert copier.is_alive()
        assert not (safe / "keyring").exists()
    copier.join(30)
    assert (safe / "keyring").read_bytes() == (data / "keyring").read_bytes()


def test_no_wrapped_key_of_the_erased_is_left_in_the_files_of_sqlite(site: Any, store: str, tmp_path: Path) -> None:
    if not store.startswith("sqlite"):
        return  # PostgreSQL keeps dead rows and its own log: there only the destroyed epoch helps, see above
    people = settle(site, 30)
    wrapped = [keys_of(site)[identity][1] for identity in people[:20]]
    for identity in people[:20]:
        erase(site, identity)
    shredding.shred(site.opened.vault)
    file = Path(store.removeprefix("sqlite:///"))
    held = b"".join(path.read_bytes() for path in file.parent.iterdir() if path.name.startswith(file.name))
    held += b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert [key for key in wrapped if key in held] == []
    assert keys_of(site)[people[25]][1] in held  # the search would have found it
