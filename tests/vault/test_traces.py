"""What leads a person to the ledger entries about them: under their key, gone with them, silent to everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from avow.errors import KeyringError, Refused, SealedError
from avow.keys.hierarchy import unwrap_person
from avow.ledger.entry import Entry, commitment
from avow.site.safekeeping import backup, restore
from avow.testing.clock import FrozenClock
from avow.testing.postgres import Server
from avow.vault.erasure import erase, remove
from avow.vault.lines import About, Lines, Whom
from avow.vault.shredding import _batch, shred
from avow.vault.traces import OBJECTS, Trace, TraceSeal
from tests.noted import waiting

from .post import post

HEX = st.binary(min_size=16, max_size=16).map(bytes.hex)
WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", fullmatch=True)
KEY, TENANT, ANN, BOB, ROW = bytes(range(32)), "7e" * 16, "aa" * 16, "bb" * 16, "cc" * 16
TRACES = st.builds(
    Trace,
    own=st.booleans(),
    hour=st.integers(0, 2**32 - 1),
    commitment=st.binary(min_size=32, max_size=32),
    pending=HEX,
    objects=st.integers(0, 2**OBJECTS - 1),
    place=st.just("") | WORD,
    record=st.none() | st.tuples(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), HEX),
)
ONE = Trace(True, 498_765, bytes(32), ROW, 5, "checkout", ("shop_order", BOB))


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = post()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


def settle(site: Any, *names: str) -> list[tuple[str, str]]:
    with site.acting("desk", "mailing", place="counter") as work:
        made = [
            work.collect(site.Neighbour, person=work.person(), name=f"{name} Example", email=f"{name}@example.org")
            for name in names
        ]
        return [(each.person, each.id) for each in made]


def rows(site: Any) -> list[tuple[str, str, bytes]]:
    with site.opened.vault.store.reading() as connection:
        found = connection.execute(select(site.home.schema.trace))
        return [(row.owner, row.id, bytes(row.sealed)) for row in found]


def bodies(site: Any) -> dict[bytes, Entry]:
    """The entries of the ledger and what waits for it, by their commitments."""
    with site.opened.vault.store.reading() as connection:
        logged = [bytes(body) for body in connection.scalars(select(site.home.schema.entry.c.body))]
    return {commitment(body): Entry.decode(body) for body in (*waiting(site), *logged)}


def traced(site: Any, owner: str) -> list[tuple[Trace, Entry]]:
    """What the traces of somebody tell, with the entries that they lead to."""
    entries = bodies(site)
    with site.opened.vault.session() as db:
        seal = site.opened.vault.trace_seal(db.get_one(site.person_class, owner))
    told = [seal.unseal(identity, sealed) for whose, identity, sealed in rows(site) if whose == owner]
    return [(trace, entries[trace.commitment]) for trace in told]


def theirs(trace: Trace, entry: Entry) -> set[str]:
    return {name for bit, name in enumerate(entry.object.split(", ")) if trace.objects >> bit & 1}


# -- the seal -----------------------------------------------------------------------------------------


@given(TRACES)
def test_a_trace_opens_as_it_was_sealed_and_has_the_same_length_whatever_it_tells(trace: Trace) -> None:
    seal = TraceSeal(KEY, TENANT, ANN)
    sealed = seal.seal(ROW, trace)
    assert len(sealed) == len(seal.seal(ROW, ONE)) == 253
    found = seal.unseal(ROW, sealed)
    if len(trace.place) + len(trace.record[0] if trace.record else "") > 121:  # there is no room for both
        assert found.record is None
    else:
        assert found.record == trace.record
    assert (found.own, found.hour, found.commitment, found.pending, found.objects, found.place) == (
        trace.own, trace.hour, trace.commitment, trace.pending, trace.objects, trace.place
    )  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        (TraceSeal(KEY, TENANT, BOB), ROW),
        (TraceSeal(KEY, "7f" * 16, ANN), ROW),
        (TraceSeal(KEY, TENANT, ANN), ANN),
        (TraceSeal(bytes(32), TENANT, ANN), ROW),
        (TraceSeal(KEY, TENANT + ANN[:2], ANN[2:]), ROW),
    ],
    ids=["another person", "another installation", "another row", "another key", "moved border"],
)
def test_a_trace_opens_nowhere_else(other: tuple[TraceSeal, str]) -> None:
    sealed = TraceSeal(KEY, TENANT, ANN).seal(ROW, ONE)
    with pytest.raises(SealedError, match="does not open"):
        other[0].unseal(other[1], sealed)


def test_every_bit_of_a_trace_counts() -> None:
    seal = TraceSeal(KEY, TENANT, ANN)
    sealed = seal.seal(ROW, ONE)
    for bit in range(len(sealed) * 8):
        harmed = bytearray(sealed)
        harmed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealedError):
            seal.unseal(ROW, bytes(harmed))
    for cut in (b"", sealed[:-1], sealed + b"\0"):
        with pytest.raises(SealedError):
            seal.unseal(ROW, cut)


def test_an_entry_with_more_objects_than_a_trace_tells_apart_becomes_several() -> None:
    lines = Lines()
    for number in range(OBJECTS + 3):
        lines.add("permitted", "keep", f"c{number:03d}", None, None, None, about=About(Whom(ANN), None, False))
    made = list(lines.lines("0" * 64, 498_765))
    assert [len(Entry.decode(line.body).object.split(", ")) for line in made] == [OBJECTS, 3]
    assert [line.traces[ANN].objects for line in made] == [2**OBJECTS - 1, 0b111]
    assert all(line.traces[ANN].commitment == commitment(line.body) for line in made)


# -- what is noted ------------------------------------------------------------------------------------


def test_each_person_is_led_to_the_entries_about_them_with_what_is_theirs(site: Any) -> None:
    [ann, bob] = settle(site, "ann", "bob")
    with site.acting("desk", "mailing", place="counter") as work:
        work.db.get(site.Neighbour, ann).name.open()
        work.db.get(site.Neighbour, bob).name.open()
        work.db.get(site.Neighbour, bob).email.open()
    for who, opened in ((ann, {"contact.name"}), (bob, {"contact.name", "contact.email"})):
        found = {entry.verb: (trace, entry) for trace, entry in traced(site, who[0])}
        assert set(found) == {"collect", "keep", "open"}
        trace, entry = found["open"]
        assert entry.object == "contact.email, contact.name", "one entry for both"
        assert theirs(trace, entry) == opened
        assert (trace.hour, trace.place, trace.record, trace.own) == (
            entry.hour, "counter", ("post_neighbour", who[1]), False,
        )  # fmt: skip


def test_a_refusal_is_traced_and_what_was_rolled_back_is_not(site: Any) -> None:
    [ann] = settle(site, "ann")
    before = len(rows(site))
    with suppress(ZeroDivisionError), site.acting("desk", "mailing", place="counter") as work:
        work.collect(site.Neighbour, person=work.person(), name="Cid", email="cid@example.org")
        with pytest.raises(Refused):
            work.update(work.db.get(site.Neighbour, ann), name="Anna Example")
        raise ZeroDivisionError
    assert len(rows(site)) == before + 1
    [(trace, entry)] = [(trace, entry) for trace, entry in traced(site, ann[0]) if entry.event == "refused"]
    assert (theirs(trace, entry), entry.verb) == ({"contact.name"}, "change")


def test_a_refusal_of_somebody_who_never_came_to_be_leaves_no_trace(site: Any) -> None:
    with suppress(Refused), site.acting("desk", "mailing", place="counter") as work:
        made = work.collect(site.Neighbour, person=work.person(), name="Cid", email="cid@example.org")
        work.update(made, name="Cidney Example")
    assert [entry.event for entry in bodies(site).values()] == ["refused"]
    assert rows(site) == []


def test_a_unit_that_only_reads_leaves_traces(site: Any) -> None:
    [ann] = settle(site, "ann")
    before = len(rows(site))
    with site.opened.unit("desk", "mailing", place="counter", reads=True) as unit:
        unit.db.get(site.Neighbour, ann).name.open()
    assert len(rows(site)) == before + 1


@pytest.mark.parametrize("reads", [True, False])
def test_who_is_erased_while_somebody_reads_leaves_no_trace_and_the_entry_is_written(site: Any, reads: bool) -> None:
    if not reads and site.opened.vault.store.dialect == "sqlite":
        reads = True  # whoever may write keeps everybody else from writing
    [ann, bob] = settle(site, "ann", "bob")
    with site.opened.unit("desk", "mailing", place="counter", reads=reads) as unit:
        for who in (ann, bob):
            unit.db.get(site.Neighbour, who).name.open()
        erase(site.opened.vault, ann[0])
    assert {owner for owner, _, _ in rows(site)} == {bob[0]}
    assert "open" in {entry.verb for _, entry in traced(site, bob[0])}


def test_what_is_written_while_its_person_is_being_erased_waits_for_nobody(tmp_path: Path, postgres: Server) -> None:
    """On PostgreSQL, where two write at once: whoever erases may wait for what this unit holds, such as a send."""
    site = post()
    site.open(tmp_path / "data", store=postgres.fresh_database(), background=False)
    [ann, bob] = settle(site, "ann", "bob")
    vault = site.opened.vault
    with vault.session() as db:
        remove(db, vault, ann[0])
        with site.opened.unit("desk", "mailing", place="counter") as unit:
            unit.db.execute(text("SET LOCAL lock_timeout = '5s'"))
            for who in (ann, bob):
                unit.db.get(site.Neighbour, who).name.open()
        db.commit()
    assert {owner for owner, _, _ in rows(site)} == {bob[0]}
    assert "open" in {entry.verb for _, entry in traced(site, bob[0])}
    site.close()


def test_traces_are_written_while_keys_are_wrapped_again(tmp_path: Path, postgres: Server) -> None:
    """On PostgreSQL, where two write at once: nobody who lives counts as being erased."""
    site = post()
    site.open(tmp_path / "data", store=postgres.fresh_database(), background=False)
    [ann] = settle(site, "ann")
    before = len(rows(site))
    vault = site.opened.vault
    with vault.store.writing() as connection:
        assert _batch(connection, vault, vault.keyring.create_epoch()) == 1
        with site.opened.unit("desk", "mailing", place="counter") as unit:
            unit.db.execute(text("SET LOCAL lock_timeout = '5s'"))
            unit.db.get(site.Neighbour, ann).name.open()
    assert len(rows(site)) == before + 1
    assert len(traced(site, ann[0])) == before + 1
    site.close()


def test_without_a_key_nothing_is_done_and_what_was_refused_is_evidence_all_the_same(site: Any) -> None:
    [ann] = settle(site, "ann")
    before, count = rows(site), len(bodies(site))

    def attempt(*, refused: bool) -> None:
        with site.acting("desk", "mailing", place="counter") as work:
            mine = work.db.get(site.Neighbour, ann)
            work.unit.note("attempted", "share", "x", whom=work.unit.whom(mine), purpose="mailing")
            work.unit.people[ann[0]] = (1, b"x" * 61)  # a key that does not unwrap
            if refused:
                work.update(mine, name="Anna Example")

    with pytest.raises(KeyringError):
        attempt(refused=False)
    assert len(bodies(site)) == count
    with pytest.raises(Refused):
        attempt(refused=True)
    assert len(bodies(site)) == count + 1
    assert rows(site) == before


# -- the end of a person ------------------------------------------------------------------------------


def test_a_trace_that_was_moved_to_another_person_does_not_open(site: Any) -> None:
    [ann, bob] = settle(site, "ann", "bob")
    trace = site.home.schema.trace
    with site.opened.vault.store.writing() as connection:
        connection.execute(trace.update().where(trace.c.owner == ann[0]).values(owner=bob[0]))
    with pytest.raises(SealedError, match="belongs to another person"):
        traced(site, bob[0])


def test_erasing_a_person_erases_their_traces_and_nobody_elses(site: Any) -> None:
    [ann, bob] = settle(site, "ann", "bob")
    count = len(rows(site))
    erase(site.opened.vault, ann[0])
    assert {owner for owner, _, _ in rows(site)} == {bob[0]}
    assert len(rows(site)) == count / 2


def test_traces_open_after_the_keys_were_wrapped_again(site: Any) -> None:
    [ann] = settle(site, "ann")
    before = traced(site, ann[0])
    assert shred(site.opened.vault) == (1,)
    assert traced(site, ann[0]) == before


def test_traces_are_in_a_backup_and_those_of_the_erased_open_from_none(
    site: Any, store: str, tmp_path: Path, clock: FrozenClock, another_store: Callable[[], str]
) -> None:
    [ann, bob] = settle(site, "ann", "bob")
    kept, theirs_kept = rows(site), {who: traced(site, who) for who in (ann[0], bob[0])}
    person = site.home.schema.person
    with site.opened.vault.store.reading() as connection:
        stolen = {row.id: (row.epoch, bytes(row.wrapped)) for row in connection.execute(select(person))}
    site.close()
    backup(site, tmp_path / "data", store, tmp_path / "backup", None, lambda done, total: None)
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    erase(site.opened.vault, ann[0])
    shred(site.opened.vault)
    site.close()
    restore(site, tmp_path / "data", another := another_store(), tmp_path / "backup", lambda done, total: None)
    site.open(tmp_path / "data", store=another, background=False, clock=clock)
    assert {row for row in kept if row[0] == bob[0]} == set(rows(site)), "Ann's are gone again"
    assert traced(site, bob[0]) == theirs_kept[bob[0]]
    with pytest.raises(KeyringError):  # whoever kept rows and wrapped keys has nothing that opens them
        unwrap_person(site.opened.keyring, site.opened.vault.tenant, ann[0], *stolen[ann[0]])


def test_the_rows_tell_nobody_without_the_key_what_happened(site: Any) -> None:
    """No column but the owner's differs by what it was: ids are random, and all are equally long."""
    [ann, bob] = settle(site, "ann", "bob")
    with suppress(Refused), site.acting("desk", "mailing", place="counter") as work:
        work.db.get(site.Neighbour, bob).name.open()
        work.update(work.db.get(site.Neighbour, ann), name="Anna Example")
    with site.acting("desk", "mailing") as work:
        one = work.db.get(site.Neighbour, ann)
        work.unit.note("attempted", "share", "x", whom=work.unit.whom(one), purpose="mailing")
    assert {entry.event for entry in bodies(site).values()} == {"permitted", "refused", "attempted"}
    found = rows(site)
    assert {column.name for column in site.home.schema.trace.columns} == {"owner", "id", "sealed"}
    assert {len(sealed) for _, _, sealed in found} == {253}
    assert {sealed[0] for _, _, sealed in found} == {1}
    everything = b"".join(sealed for _, _, sealed in found)
    for leaf in bodies(site):
        assert leaf not in everything
    assert not {identity for _, identity, _ in found} & set(pending_ids(site)), "no id is an entry's"


def pending_ids(site: Any) -> list[str]:
    with site.opened.vault.store.reading() as connection:
        return list(connection.scalars(select(site.home.schema.pending.c.id)))
