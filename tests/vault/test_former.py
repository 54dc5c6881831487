"""What is gone while its owner lives: told outside the database, and taken out of a database that is put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from avow.errors import StoreError
from avow.testing.clock import FrozenClock
from avow.vault.former import FormerFile, vault_file

from .test_backup import Office


@pytest.fixture
def office(store: str, tmp_path: Path, clock: FrozenClock, another_store: Callable[[], str]) -> Iterator[Office]:
    office = Office(tmp_path / "data", store, clock, another_store)
    yield office
    office.site.close()


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


def test_a_change_whose_commit_failed_is_taken_back(office: Office) -> None:
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
    assert tokens(office) == set()


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
