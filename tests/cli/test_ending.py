"""A command that could not do its work says why, without a traceback and without a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from avow.cli.ending import in_words
from avow.errors import StoreError


def raised(file: Path, *, reads: bool) -> DBAPIError:
    """What a database says to a name that is there already, or that it may not write."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE friend (name TEXT UNIQUE)"))
        connection.execute(text("INSERT INTO friend VALUES ('Ann Example')"))
        connection.execute(text(f"PRAGMA query_only={int(reads)}"))
        with pytest.raises(DBAPIError) as error:
            connection.execute(text("INSERT INTO friend VALUES ('Ann Example')"))
    engine.dispose()
    return error.value


def test_a_database_that_cannot_go_on_is_told_in_its_words(tmp_path: Path) -> None:
    said = in_words(raised(tmp_path / "a.db", reads=True))
    assert said is not None
    assert said.startswith(
        "the database failed: attempt to write a readonly database\n  help: nothing is left half done"
    )


def test_what_might_repeat_a_value_is_not_repeated(tmp_path: Path) -> None:
    said = in_words(raised(tmp_path / "a.db", reads=False))
    assert said is not None
    assert said.startswith("the database failed: IntegrityError\n")


def test_an_error_of_ours_is_told_and_a_fault_in_the_code_is_not_hidden() -> None:
    assert in_words(StoreError("no room", help="make some")) == "no room\n  help: make some"
    assert in_words(ZeroDivisionError("division by zero")) is None
