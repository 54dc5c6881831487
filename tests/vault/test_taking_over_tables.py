"""What is declared of old tables is held against the record, the policy and the database before a row is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from avow import Sealed, owner, personal, plain
from avow.errors import SetupError
from avow.vault.taking_over_tables import old_tables

from .club import club
from .library import Library, declare

SAID = {"role": "desk", "purpose": "lending", "place": "hall"}


@pytest.fixture
def site(store: str, tmp_path: Path) -> Iterator[Any]:
    """As in the other tests, with a record of one optional value."""
    site: Any = club()

    class Wish(site.Record):  # type: ignore[misc]
        __tablename__ = "club_wish"
        person: Mapped[str] = owner()
        words: Mapped[Sealed | None] = personal("wishes", field="wish.words", optional=True)
        stars: Mapped[int | None] = plain("how much it is wished for")

    class Rated(site.Record):  # type: ignore[misc]
        __tablename__ = "club_rated"
        person: Mapped[str] = owner()
        words: Mapped[Sealed | None] = personal("wishes", field="rated.words", optional=True)
        stars: Mapped[int] = plain("how good it was")

    site.Wish, site.Rated = Wish, Rated
    site.open(tmp_path / "data", store=store, background=False)
    yield site
    site.close()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"columns": {"mail": "email"}}, "`Member` cannot take over `mail`"),
        ({"columns": {"person": "id"}}, "`Member` cannot take over `person`"),
        ({"columns": {"shelf": "shelf"}}, "nothing personal is taken over from `reader` into `Member`"),
        ({"columns": {"name": "name"}}, "`Member` needs `email`, and no column of `reader` is named for it"),
        ({"role": "dsk"}, "did you mean `desk`?"),
        ({"place": "cellar"}, "with the place `cellar`, which the policy does not know"),
        ({"purpose": "selling"}, "with the purpose `selling`, which the policy does not know"),
    ],
)
def test_what_does_not_fit_record_or_policy_is_refused_where_it_is_declared(
    site: Any, declared: dict[str, Any], said: str
) -> None:
    with pytest.raises(SetupError) as error:
        declare(site, **declared)
    assert said in str(error.value)
    assert site.taking_over == []


def test_a_plain_column_that_the_record_needs_is_asked_for(site: Any) -> None:
    with pytest.raises(SetupError, match="`Rated` needs `stars`"):
        site.take_over(site.Rated, table="t", key="id", columns={"words": "words"}, **SAID)


def fault(site: Any, store: str, ddl: str, **declared: Any) -> str:
    """What is said of an old table that was made by `ddl`, and is taken over as wishes."""
    old = Library(store)
    if ddl:
        old.run(ddl)
    about = {"table": "wish", "key": "id", "columns": {"words": "words"}, **SAID, **declared}
    site.take_over(site.Wish, **about)
    with pytest.raises(SetupError) as error:
        old_tables(site.opened.vault, site.taking_over)
    return str(error.value)


COLUMNS = "CREATE TABLE wish (id INTEGER PRIMARY KEY, words TEXT, other TEXT NOT NULL UNIQUE, count INTEGER NOT NULL)"


@pytest.mark.parametrize(
    ("ddl", "declared", "said"),
    [
        ("", {"table": "readr"}, "there is no table `readr` in the database; did you mean `reader`?"),
        ("", {"table": "avow_person"}, "`avow_person` is a table of Avow or of a record"),
        ("", {"table": "club_wish"}, "`club_wish` is a table of Avow or of a record"),
        (COLUMNS, {"columns": {"words": "word"}}, "no column `word` for `Wish.words`; did you mean `words`?"),
        (COLUMNS, {"key": "ix"}, "`wish` has no column `ix` for `key`"),
        (COLUMNS, {"person": "who"}, "`wish` has no column `who` for `person`"),
        (COLUMNS, {"key": "count"}, "`wish.count` does not tell its rows apart"),
        (COLUMNS, {"columns": {"words": "id"}}, "`wish.id` says which row or whose it is, and cannot be emptied"),
        (COLUMNS, {"columns": {"words": "other"}}, "NOT NULL, and no two rows may have the same; let it be NULL"),
        (COLUMNS, {"columns": {"words": "count"}}, "NOT NULL, and an empty text is nothing that it takes"),
        ("CREATE TABLE wish (a INTEGER, b INTEGER, words TEXT, PRIMARY KEY (a, b))", {"key": "a"}, "tell its rows"),
        ("CREATE TABLE wish (id INTEGER UNIQUE, words TEXT)", {}, "`wish.id` may be empty, and then names no row"),
        ("CREATE TABLE wish (id NUMERIC(9, 2) PRIMARY KEY, words TEXT)", {}, "`wish.id` is no key that can be taken"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_database_is_named(
    site: Any, store: str, ddl: str, declared: dict[str, Any], said: str
) -> None:
    assert said in fault(site, store, ddl, **declared)


def test_bytes_are_not_taken_for_text(site: Any, store: str) -> None:
    kind = "BLOB" if store.startswith("sqlite") else "BYTEA"
    said = fault(site, store, f"CREATE TABLE wish (id INTEGER PRIMARY KEY, words {kind})")
    assert "`wish.words` holds bytes, and only text is sealed" in said


def test_a_column_that_is_taken_twice_is_named_with_both(site: Any, store: str) -> None:
    Library(store)
    declare(site)
    site.take_over(site.Wish, table="reader", key="id", columns={"words": "note"}, **SAID)
    with pytest.raises(SetupError, match=r"taken over twice, into `Member.wishes` and into `Wish.words`"):
        old_tables(site.opened.vault, site.taking_over)


def test_all_faults_are_told_at_once(site: Any, store: str) -> None:
    said = fault(site, store, COLUMNS, columns={"words": "wrods", "stars": "starz"}, key="count")
    assert said.count("\n  - ") == 3


def test_a_site_without_old_tables_is_told_so(site: Any) -> None:
    with pytest.raises(SetupError, match="the site declares no old table"):
        old_tables(site.opened.vault, site.taking_over)


def test_what_fits_says_how_each_column_is_emptied(site: Any, store: str) -> None:
    Library(store).run(
        "CREATE TABLE wish (id INTEGER NOT NULL UNIQUE, words TEXT NOT NULL, stars INTEGER)",
    )
    site.take_over(site.Wish, table="wish", key="id", columns={"words": "words", "stars": "stars"}, **SAID)
    (found,) = old_tables(site.opened.vault, site.taking_over)
    assert found.nothing == {"words": ""}
    assert found.texts == {"words"}
    assert found.shows_keys
