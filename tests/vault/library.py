"""What the reading club had before Avow: a library's tables in plain text, and the code that writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event, text

from avow.vault.taking_over_rows import Taken, take_over
from avow.vault.taking_over_tables import old_tables

TABLES = (
    """CREATE TABLE reader (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, address TEXT, note TEXT,
    shelf TEXT)""",
    'CREATE TABLE "order" (number TEXT PRIMARY KEY, reader_id INTEGER, name TEXT, copies INTEGER)',
)

#: Who is in the library, by number.
READERS = {
    1: ("Ann Example", "ann@example.org", "1 Lane of Bees", "novels about bees", "B"),
    2: ("Bob Example", "bob@example.org", None, "", "A"),
    3: ("Cid Example", "cid@example.org", "3 Lane of Crows", "card 4111 1111 1111 1111", "C"),
}
ORDERS = {"o-1": (1, "Ann Example at work", 2), "o-2": (None, "Guest Example", 1), "o-3": (2, None, 7)}


class Library:
    """The old service's own connection to a store: plain statements, and on SQLite nothing is overwritten."""

    def __init__(self, store: str, *, make: bool = True) -> None:
        self.engine: Engine = create_engine(store, poolclass=NullPool)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", lambda driver, _: driver.execute("PRAGMA secure_delete=OFF"))
        if make:
            self.run(*TABLES)

    def run(self, *statements: str, **values: Any) -> list[Any]:
        """Carry out statements in one transaction; the rows of the last."""
        with self.engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def read(self, number: int, *reader: str | None) -> None:
        """Write a new reader down: number; name, email, address, note, shelf."""
        values = dict(zip(("name", "email", "address", "note", "shelf"), reader, strict=True))
        self.run("INSERT INTO reader VALUES (:id, :name, :email, :address, :note, :shelf)", id=number, **values)

    def fill(self) -> Library:
        """Write down `READERS` and `ORDERS`."""
        for number, reader in READERS.items():
            self.read(number, *reader)
        for key, (reader_id, name, copies) in ORDERS.items():
            self.run('INSERT INTO "order" VALUES (:n, :r, :a, :c)', n=key, r=reader_id, a=name, c=copies)
        return self

    def readers(self) -> dict[int, tuple[Any, ...]]:
        """The rows of `reader`, by number."""
        return {row[0]: row[1:] for row in self.run("SELECT * FROM reader ORDER BY id")}

    def orders(self) -> dict[str, tuple[Any, ...]]:
        """The rows of `order`, by number."""
        return {row[0]: row[1:] for row in self.run('SELECT * FROM "order" ORDER BY number')}


def declare(site: Any, **other: Any) -> tuple[Any, Any]:
    """Declare both tables on the club's site; `other` in place of what is said of readers."""
    columns = {"name": "name", "email": "email", "address": "address", "wishes": "note", "shelf": "shelf"}
    said = {"role": "desk", "purpose": "lending", "place": "hall", "channel": "https"}
    about = {"table": "reader", "key": "id", "person": "id", "columns": columns, **said, **other}
    readers = site.take_over(site.Member, **about)
    orders = site.take_over(
        site.Loan, table="order", key="number", person="reader_id", columns={"name": "name"}, **said
    )
    return readers, orders


def take(site: Any, batch: int = 2, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Taken]:
    """Take over everything, as `avow seal` does."""
    vault = site.opened.vault
    return take_over(vault, old_tables(vault, site.taking_over), batch=batch, progress=progress)


def members(site: Any) -> list[dict[str, Any]]:
    """What lies sealed, unjudged: the texts of each member by attribute, with id and owner; by name."""
    with site.acting("desk", "lending") as work:
        found = [
            {name: getattr(one, name)._reveal() for name in one.__layout__.fields if getattr(one, name) is not None}
            | {"id": one.id, "owner": one.owner_id, "shelf": one.shelf}
            for one in work.select(site.Member)
        ]
    return sorted(found, key=lambda one: str(one["name"]))


def loans(site: Any) -> dict[str, str]:
    """The owner of each loan, by the name that lies sealed in it."""
    with site.acting("desk", "lending") as work:
        return {loan.name._reveal(): loan.owner_id for loan in work.select(site.Loan)}


def refused_words(error: BaseException) -> str:
    """Everything that an error shows, causes included."""
    shown: list[str] = []
    each: BaseException | None = error
    while each is not None:
        shown.append(str(each))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\n".join(shown)
