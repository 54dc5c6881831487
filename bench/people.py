"""What it costs to find, tell or erase a person with rows in eleven tables, among ten and a hundred thousand people.

Three sides take turns, as in `vault`: Avow's access (everything held, found by ownership, judged value by value, as
the JSON file that they take along) and its first stage of erasing (rows, key, links, sends, tombstone in the database
and in its file, ledger entry, commit); the same SELECTs and DELETEs in plain SQLAlchemy with one audit row and a
commit; and without the audit row. Among how many people, see `bench/crowd.py`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, LargeBinary, MetaData, String, Table, select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal
from avow.edge.export import exported
from avow.edge.pages import fill_answer
from avow.site.opened import Opened
from avow.store.connection import Store
from avow.vault.columns import INDEX_SUFFIX
from avow.vault.erasure import erase
from avow.vault.holdings import holdings
from bench.crowd import House, houses, ids, load, settle
from bench.figures import figure, in_turns

TABLES = 11
TURNS = 100
INDEX = f"mail{INDEX_SUFFIX}"
POLICY = Path(__file__).with_name("vault.md")


def records() -> Any:
    """A site whose people have one row in each of eleven tables, and are found by the mail address in the first."""
    site: Any = Site(POLICY)
    for number in range(TABLES):
        body: dict[str, Any] = {
            "__tablename__": f"kind_{number:02d}",
            "__annotations__": {"person": Mapped[str], "name": Mapped[Sealed], "wishes": Mapped[Sealed]},
            "person": owner(),
            "name": personal("contact.name", field=f"kind{number}.name"),
            "wishes": personal("wishes", field=f"kind{number}.wishes"),
        }
        if not number:
            body["__annotations__"]["mail"] = Mapped[Sealed]
            body["mail"] = personal("contact.email", field="kind.mail", lookup="email")
        type(f"Kind{number:02d}", (site.Record,), body)
    return site


def plain_tables() -> tuple[MetaData, list[Table], Table, Table]:
    """The same tables without seals, and one for the audit."""
    metadata = MetaData()
    person = Table("person", metadata, Column("id", String(32), primary_key=True), Column("wrapped", LargeBinary))
    kinds = [
        Table(
            f"kind_{number:02d}",
            metadata,
            Column("person", String(32), ForeignKey("person.id"), primary_key=True),
            Column("id", String(32), primary_key=True),
            Column("name", LargeBinary),
            Column("wishes", LargeBinary),
            *([] if number else [Column("mail", String(60), index=True)]),
        )
        for number in range(TABLES)
    ]
    audit = Table("audit", metadata, Column("id", String(32), primary_key=True), Column("body", LargeBinary))
    return metadata, kinds, person, audit


def crowd(site: Any, count: int) -> None:
    """People who make the tables large."""
    vault = site.opened.vault
    person, digest = site.home.schema.person, vault.policy.digest
    for portion in ids(count):
        load(vault.store, person, [{"id": i, "epoch": 1, "wrapped": b"w" * 61, "policy": digest} for i in portion])
        for record in site.home.records:
            filler = {"policy": digest, "name": b"x" * 96, "wishes": b"x" * 96}
            rows = [{"person": i, "id": secrets.token_hex(16), **filler} for i in portion]
            if record is site.home.records[0]:
                rows = [{**row, "mail": b"x" * 96, INDEX: secrets.token_bytes(32)} for row in rows]
            load(vault.store, record.__table__, rows)


def plain_crowd(store: Store, kinds: list[Table], person: Table, count: int) -> None:
    for portion in ids(count):
        plain_people(store, kinds, person, portion)


def plain_people(store: Store, kinds: list[Table], person: Table, portion: list[str]) -> None:
    load(store, person, [{"id": i, "wrapped": b"w" * 61} for i in portion])
    for table in kinds:
        rows = [{"person": i, "id": secrets.token_hex(16), "name": b"x" * 96, "wishes": b"x" * 96} for i in portion]
        if table is kinds[0]:
            rows = [{**row, "mail": address_of(str(row["person"]))} for row in rows]
        load(store, table, rows)


def address_of(person: str) -> str:
    return f"{person}@guests.example"


def someone(opened: Opened) -> str:
    """A real person with a row in each table; their id."""
    with opened.unit("desk", "lodging", place="desk", channel="https") as unit:
        person = unit.person()
        for kind in opened.vault.home.records:
            mail = {"mail": address_of(person.id)} if kind is opened.vault.home.records[0] else {}
            unit.collect(kind, person=person, name="Ann Example", wishes="a quiet room", **mail)
        return str(person.id)


def taking_along(opened: Opened, people: list[str]) -> Callable[[], object]:
    """One of `people` after the other takes along everything that is held about them."""
    kind, again = opened.vault.home.records[0], cycle(people)

    def access() -> bytes:
        with opened.unit("desk", "lodging", place="desk", channel="https", facts={"logged_in(subject)": True}) as unit:
            unit.viewer = next(again)
            [mine] = unit.db.scalars(select(kind).where(kind.person == unit.viewer))
            held = holdings(unit, [mine], fact="logged_in(subject)", purpose="lodging")
            text = exported(held, opened.policy, opened.vault.hour())
            return bytes(fill_answer(unit, "application/json", text.encode()))

    assert access().count(b"Ann Example") == TABLES
    return access


def selecting(store: Store, kinds: list[Table], audit: Table | None, ids: list[str]) -> Callable[[], object]:
    """The same rows in the clear, as the same kind of file."""
    again = cycle(ids)

    def access() -> bytes:
        identity = next(again)
        with store.writing() as connection:
            rows = [
                {name: value.decode() if isinstance(value, bytes) else value for name, value in row._mapping.items()}
                for table in kinds
                for row in connection.execute(table.select().where(table.c.person == identity))
            ]
            _note(connection, audit, "access")
        return json.dumps(rows, indent=1).encode()

    return access


def finding(opened: Opened, people: list[str]) -> Callable[[], object]:
    """One of `people` after the other is found by the mail address that they give."""
    kind, again = opened.vault.home.records[0], cycle(people)

    def find() -> str:
        with opened.unit("desk", "lodging", place="desk", channel="https") as unit:
            [mine] = unit.db.scalars(select(kind).where(kind.mail == address_of(next(again))))
            return str(mine.person)

    assert find() == people[0]
    return find


def finding_plain(store: Store, kind: Table, people: list[str]) -> Callable[[], object]:
    """The same in the clear."""
    again = cycle(people)

    def find() -> object:
        with store.writing() as connection:
            [row] = connection.execute(kind.select().where(kind.c.mail == address_of(next(again))))
        return row.person

    return find


def compare(house: House) -> None:
    """Measure in one house, which is filled unless it has been."""
    site = records()
    opened = site.open(house.folder / "avow", store=house.address("sealed"), background=False)
    metadata, kinds, person, audit = plain_tables()
    plain = Store.open(house.address("plain"))
    try:
        metadata.create_all(plain.engine)
        with house.filling() as missing:
            if missing:
                crowd(site, missing)
                plain_crowd(plain, kinds, person, missing)
                for each in (opened.vault.store, plain):
                    settle(each)
        waiting = [someone(opened) for _ in range(TURNS + 40)]
        erasing: dict[str, Callable[[], object]] = {"avow": lambda: erase(opened.vault, waiting.pop())}
        telling: dict[str, Callable[[], object]] = {"avow": taking_along(opened, waiting)}
        looking: dict[str, Callable[[], object]] = {"avow": finding(opened, waiting)}
        for name, noted in (("audited", audit), ("bare", None)):
            others = [secrets.token_hex(16) for _ in range(TURNS + 40)]
            plain_people(plain, kinds, person, others)
            erasing[name] = _deleting(plain, kinds, person, noted, others)
            telling[name] = selecting(plain, kinds, noted, others)
        looking["bare"] = finding_plain(plain, kinds[0], others)
        for verb, sides in (("find by mail address", looking), ("access to", telling), ("erase", erasing)):
            taken = in_turns(sides, TURNS)
            what = f"{verb} a person with rows in {TABLES} tables among {house.count:,}, {house.store}"
            for other, words in (("audited", "with one audit row"), ("bare", "without audit")):
                if other in sides:
                    figure("people", f"{what}, beside {words}", taken["avow"].wall, "µs", taken[other].wall, digits=0)
            figure("people", f"{what}, of 10 ms", taken["avow"].wall / 1000, "ms", 10.0)
        with opened.vault.store.reading() as connection:
            left = connection.scalar(select(site.home.schema.tombstone.c.token).limit(1))
        assert left is not None
    finally:
        site.close()
        plain.close()


def _deleting(
    store: Store, kinds: list[Table], person: Table, audit: Table | None, ids: list[str]
) -> Callable[[], object]:
    def delete() -> None:
        identity = ids.pop()
        with store.writing() as connection:
            for table in kinds:
                connection.execute(table.delete().where(table.c.person == identity))
            connection.execute(person.delete().where(person.c.id == identity))
            _note(connection, audit, "erase")

    return delete


def _note(connection: Connection, audit: Table | None, what: str) -> None:
    if audit is not None:
        body = f'{{"what":"{what}","hour":{int(time.time() // 3600)}}}'.encode()
        connection.execute(audit.insert(), {"id": secrets.token_hex(16), "body": body})


def main() -> None:
    for house in houses("people"):
        compare(house)


if __name__ == "__main__":
    main()
