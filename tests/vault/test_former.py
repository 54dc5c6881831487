"""What is gone while its owner lives: told outside the database, and taken out of a database that is put back."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import delete, event
from sqlalchemy.exc import DatabaseError

from avow.errors import SealedError, StoreError
from avow.testing.clock import FrozenClock
from avow.testing.postgres import Server
from avow.vault.former import FormerFile, take_back, token_of, vault_file

from .office import Office


def letter(office: Office, **values: Any) -> tuple[str, str]:
    with office.site.acting("desk", "mailing", place="counter") as work:
        made = work.collect(office.site.Letter, person=work.person(), words="dear Bob", **values)
        return made.owner_id, made.id


def tokens(office: Office) -> set[bytes]:
    return vault_file(office.vault).read()


def test_a_record_that_was_removed_does_not_come_back_and_others_do(office: Office, tmp_path: Path) -> None:
    gone, kept = letter(office), letter(office)
    backup = office.back_up(tmp_path / "backup")
    with office.site.acting("desk", "mailing") as work:
        work.db.delete(work.db.get_one(office.site.Letter, gone))
    office.put_back(backup)
    with office.site.acting("desk", "mailing") as work:
        assert [(one.owner_id, one.id) for one in work.select(office.site.Letter)] == [kept]
        assert work.select(office.site.Letter)[0].words.open() == "dear Bob"
    assert office.events().count("done") == 1


def test_a_value_that_was_taken_out_does_not_come_back_and_its_index_neither(office: Office, tmp_path: Path) -> None:
    key = letter(office, answer="ann@example.org")
    backup = office.back_up(tmp_path / "backup")
    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
    office.put_back(backup)
    with office.site.acting("desk", "mailing") as work:
        one = work.db.get_one(office.site.Letter, key)
        assert (one.answer, one.words.open()) == (None, "dear Bob")
        assert work.select(office.site.Letter, office.site.Letter.answer == "ann@example.org") == []


def test_a_database_is_searched_once_and_not_at_every_start(office: Office, tmp_path: Path) -> None:
    letter(office)
    backup = office.back_up(tmp_path / "backup")
    office.put_back(backup)
    before = len(office.events())
    office.site.close()
    (office.data / "former").write_bytes(b"no such file\n")  # what is not read cannot be damaged
    office.open()
    assert len(office.events()) == before


def test_a_change_whose_commit_failed_is_taken_back_by_who_looks(office: Office) -> None:
    key = letter(office, answer="ann@example.org")

    def fail(*_: Any) -> None:
        assert len(tokens(office)) == 1  # told before it is committed
        raise ZeroDivisionError

    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
        event.listen(work.db, "before_commit", fail)
        with pytest.raises(ZeroDivisionError):
            work.commit()
        work.unit.rollback()
    assert len(tokens(office)) == 1
    office.site.opened.background.round()
    assert tokens(office) == set()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_value_whose_commit_was_not_answered_does_not_come_back_if_it_is_gone(
    postgres: Server, tmp_path: Path, clock: FrozenClock, arrived: bool
) -> None:
    """The connection is cut while it commits: before the server has done so, or before it can say that it has."""
    office = Office(tmp_path / "data", postgres.fresh_database(), clock, postgres.fresh_database)
    key = letter(office, answer="ann@example.org")
    backup = office.back_up(tmp_path / "backup")

    def cut(connection: Any) -> None:
        with socket.socket(fileno=os.dup(connection.connection.dbapi_connection.pgconn.socket)) as end:
            end.shutdown(socket.SHUT_RD if arrived else socket.SHUT_RDWR)

    with suppress(DatabaseError), office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
        work.db.flush()
        event.listen(office.vault.store.engine, "commit", cut, once=True)
        work.commit()
        raise AssertionError("the commit was answered")
    assert len(tokens(office)) == 1
    office.site.opened.background.round()
    assert len(tokens(office)) == (1 if arrived else 0)
    assert not office.vault.unsure
    office.put_back(backup)
    with office.site.acting("desk", "mailing") as work:
        assert (work.db.get_one(office.site.Letter, key).answer is None) == arrived
    office.site.close()


def test_a_change_is_told_though_a_savepoint_after_it_was_rolled_back(office: Office) -> None:
    key = letter(office, answer="ann@example.org")
    with office.site.acting("desk", "mailing") as work:
        one = work.db.get_one(office.site.Letter, key)
        one.answer = None
        with suppress(ZeroDivisionError), work.db.begin_nested():
            work.db.delete(one)
            work.db.flush()
            raise ZeroDivisionError
    assert len(tokens(office)) == 1  # its answer, and not its words


def test_a_change_within_a_savepoint_is_taken_back_with_what_is_around_it(office: Office) -> None:
    key = letter(office, answer="ann@example.org")
    with suppress(ZeroDivisionError), office.site.acting("desk", "mailing") as work:
        with work.db.begin_nested(), work.db.begin_nested():
            work.db.get_one(office.site.Letter, key).answer = None
        assert len(tokens(office)) == 1
        raise ZeroDivisionError
    assert tokens(office) == set()
    with office.site.acting("desk", "mailing") as work, work.db.begin_nested(), work.db.begin_nested():
        work.db.get_one(office.site.Letter, key).answer = None
    assert len(tokens(office)) == 1


def test_values_are_not_deleted_by_a_statement_that_tells_of_none(office: Office) -> None:
    letter(office)
    with office.site.acting("desk", "mailing") as work, pytest.raises(SealedError, match="not deleted by bulk"):
        work.db.execute(delete(office.site.Letter))


def test_a_value_whose_change_died_before_its_commit_is_not_taken_from_its_owner(
    office: Office, tmp_path: Path
) -> None:
    kept, gone = letter(office, answer="ann@example.org"), letter(office, answer="bob@example.org")
    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, gone).answer = None
        envelope = work.db.get_one(office.site.Letter, kept).answer._envelope
    vault_file(office.vault).add([token_of(office.vault, envelope)])  # all that a process did that died after that
    assert len(tokens(office)) == 2
    backup = office.back_up(tmp_path / "backup")
    assert len(tokens(office)) == 1
    office.put_back(backup)
    with office.site.acting("desk", "mailing") as work:
        assert work.db.get_one(office.site.Letter, kept).answer.open() == "ann@example.org"
        assert work.db.get_one(office.site.Letter, gone).answer is None


def test_a_value_that_is_being_changed_is_not_taken_for_one_that_is_there(office: Office) -> None:
    """The change has been told of, and is committed a moment later."""
    key = letter(office, answer="ann@example.org")
    looker = Thread(target=take_back, args=(office.vault,))

    def look(*_: Any) -> None:
        assert len(tokens(office)) == 1
        looker.start()
        looker.join(0.5)
        assert looker.is_alive()

    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
        event.listen(work.db, "before_commit", look)
    looker.join(30)
    assert len(tokens(office)) == 1


def test_the_file_holds_nothing_that_leads_to_anybody(office: Office) -> None:
    key = letter(office, answer="ann@example.org")
    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
    lines = (office.data / "former").read_text().splitlines()
    assert lines[0] == "avow-former 1"
    assert len(lines) == 2
    assert len(lines[1]) == 65


@pytest.mark.parametrize("content", [b"x\n", b"avow-former 1\n+12\n", b"avow-former 1\n" + b"+" + b"0" * 63 + b"g\n"])
def test_a_damaged_file_is_told_with_its_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "former").write_bytes(content)
    with pytest.raises(StoreError, match="damaged at line"):
        FormerFile(tmp_path / "former").read()


def test_what_a_crash_left_of_a_line_is_no_line(tmp_path: Path) -> None:
    file = FormerFile(tmp_path / "former")
    file.add([b"a" * 32])
    with file.path.open("ab") as end:
        end.write(b"+1234")
    assert file.read() == {b"a" * 32}
    file.add([b"b" * 32])
    file.add([b"a" * 32], "-")
    assert file.read() == {b"b" * 32}
