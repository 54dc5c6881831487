"""What sealing costs: a page of five personal values, and one collect, on SQLite and on PostgreSQL.

Three sides take turns, each on a database of its own with the same settings (a commit that returned is on the disk):

- sealed: Avow's vault. A page loads one record by key with its owner, renders five markers, judges and commits them
  with their ledger entry, and fills them in. A collect makes a person and a record, judged, sealed and committed.
- audited: the same statements in plain SQLAlchemy on unsealed columns, the same template with the values escaped by
  jinja2, one audit row, a commit.
- unaudited: the same without the audit row; its page writes nothing.

Opening one value is measured beside selecting the same column in the clear. All that among many people, of whom 500 are
measured (`bench/crowd.py`). Under load, eight threads show pages at once: how many entries share a commit. What becomes
of a ledger entry afterwards, in the background, is measured by `bench/ledger.py`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from jinja2 import Environment, Template
from sqlalchemy import Column, Engine, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

from avow import Sealed, Site, owner, personal, plain
from avow.edge.pages import environment, fill_answer
from avow.site.opened import Opened
from avow.store.connection import Store
from bench.crowd import COUNTS, House, houses, ids, load, settle
from bench.figures import figure, in_turns

POLICY = Path(__file__).with_suffix(".md")
GUEST = {
    "name": "Ann Example",
    "email": "ann@guests.example",
    "address": "1 Market Lane, 12345 Exampleton",
    "phone": "+1 555 0100",
    "wishes": "a quiet room to the garden, & no feathers",
}
PAGE = """<!doctype html><title>Your stay</title><h1>Your stay</h1>
<p>{{ guest.name }}, {{ guest.address }}</p>
<dl><dt>Mail</dt><dd>{{ guest.email }}</dd><dt>Phone</dt><dd>{{ guest.phone }}</dd></dl>
<p>You wish for <q>{{ guest.wishes }}</q>. Your room: {{ guest.room }}.</p>
"""
RECORDS = 500
#: Transactions that may write, by engine: each takes a connection from its pool.
COMMITS: Counter[Engine] = Counter()
TURNS = 1000

#: Loads and renders one record that is there, or makes one; each answers with what it made.
Page = Callable[[], str]
Collect = Callable[[], tuple[str, str]]


def guest_house() -> tuple[Site, type[Any]]:
    site: Any = Site(POLICY)

    class Guest(site.Record):  # type: ignore[misc]
        __tablename__ = "guest"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="guest.name")
        email: Mapped[Sealed] = personal("contact.email", field="guest.email")
        address: Mapped[Sealed] = personal("contact.address", field="guest.address")
        phone: Mapped[Sealed] = personal("contact.phone", field="guest.phone")
        wishes: Mapped[Sealed] = personal("wishes", field="guest.wishes")
        room: Mapped[str] = plain("which room")

    return site, Guest


@contextmanager
def sealed(store: str, folder: Path, crowd: int) -> Iterator[tuple[Opened, Page, Page, Collect]]:
    site, guest = guest_house()
    opened = site.open(folder, store=store, background=False)
    if crowd:
        vault, filler = opened.vault, dict.fromkeys(GUEST, b"x" * 96)
        fill(vault.store, site.home.schema.person, guest.__table__, vault.policy.digest, crowd, values=filler)
        settle(vault.store)
    engine = opened.vault.store.engine
    event.listen(engine, "checkout", lambda *_: COMMITS.update([engine]))
    template = environment(None).from_string(PAGE)

    def collect() -> tuple[str, str]:
        with opened.unit("desk", "lodging", place="desk", channel="https") as unit:
            made = unit.collect(guest, person=unit.person(), room="7", **GUEST)
        return made.person, made.id

    def load(key: tuple[str, str]) -> str:
        with opened.unit("desk", "lodging", place="desk", channel="https", reads=reads) as unit:
            unit.viewer = key[0]
            return fill_answer(unit, "text/html", template.render(guest=unit.db.get(guest, key)).encode()).decode()

    def open_one(key: tuple[str, str]) -> str:
        with opened.unit("desk", "lodging", place="desk", channel="https", reads=reads) as unit:
            return str(unit.db.get_one(guest, key).phone.open())

    reads = opened.vault.store.dialect == "sqlite"  # as the edge has it for what is asked by GET
    try:
        yield opened, _page(load, collect), _page(open_one, collect), collect
    finally:
        site.close()


class Base(DeclarativeBase):
    """The unsealed tables: the same columns, with text where the vault has envelopes."""

    metadata = MetaData()


class Person(Base):
    """What avow_person holds."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    policy: Mapped[str] = mapped_column(String(64))


class Guest(Base):
    """What the sealed record holds, in the clear."""

    __tablename__ = "guest"
    person: Mapped[str] = mapped_column(String(32), ForeignKey("person.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    policy: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    wishes: Mapped[str] = mapped_column(Text)
    room: Mapped[str] = mapped_column(Text)
    owner: Mapped[Person] = relationship(Person, lazy="joined", innerjoin=True)


#: Whom a row is about can be told what it says, as everybody can be told of their ledger entries.
AUDIT = Table(
    "audit",
    Base.metadata,
    Column("id", String(32), primary_key=True),
    Column("person", String(32), nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)


@contextmanager
def unsealed(store: str, crowd: int, *, audited: bool) -> Iterator[tuple[Page, Page, Collect]]:
    template: Template = Environment(autoescape=True).from_string(PAGE)
    with closing(Store.open(store)) as opened:
        Base.metadata.create_all(opened.engine)
        if crowd:
            tables = Base.metadata.tables
            fill(opened, tables["person"], tables["guest"], "0" * 64, crowd, values=GUEST)
            settle(opened)
        sessions = sessionmaker(opened.engine, expire_on_commit=False)

        def audit(db: Session, what: str, person: str) -> None:
            if audited:
                body = json.dumps({"what": what, "fields": list(GUEST), "hour": int(time.time() // 3600)}).encode()
                db.execute(AUDIT.insert(), {"id": secrets.token_hex(16), "person": person, "body": body})

        def collect() -> tuple[str, str]:
            with sessions() as db:
                person = Person(id=secrets.token_hex(16), epoch=1, wrapped=secrets.token_bytes(60), policy="0" * 64)
                made = Guest(
                    person=person.id, id=secrets.token_hex(16), policy="0" * 64, room="7", owner=person, **GUEST
                )
                db.add(made)
                audit(db, "collect", person.id)
                db.commit()
            return made.person, made.id

        def load(key: tuple[str, str]) -> str:
            with sessions() as db:
                page = template.render(guest=db.get(Guest, key))
                audit(db, "show", key[0])
                db.commit()
            return page

        def open_one(key: tuple[str, str]) -> str:
            with sessions() as db:
                found = db.get_one(Guest, key).phone
                audit(db, "open", key[0])
                db.commit()
            return found

        yield _page(load, collect), _page(open_one, collect), collect


def _page(load: Callable[[tuple[str, str]], str], collect: Collect) -> Page:
    keys = [collect() for _ in range(RECORDS)]
    Random(5).shuffle(keys)
    again = cycle(keys)
    return lambda: load(next(again))  # of a cycle threads may take turns


def fill(store: Store, person: Table, guest: Table, policy: str, count: int, *, values: Mapping[str, object]) -> None:
    """Guests who make the tables large."""
    for portion in ids(count):
        load(store, person, [{"id": i, "epoch": 1, "wrapped": b"w" * 61, "policy": policy} for i in portion])
        row = {"policy": policy, "room": "7", **values}
        load(store, guest, [{"person": i, "id": secrets.token_hex(16), **row} for i in portion])


def compare(house: House) -> None:
    """Measure in one house, which is filled unless it has been."""
    store = house.store
    with (
        house.filling() as missing,
        sealed(house.address("sealed"), house.folder / "avow", missing) as (opened, page, open_one, collect),
        unsealed(house.address("audited"), missing, audited=True) as (audited_page, audited_one, audited_collect),
        unsealed(house.address("bare"), missing, audited=False) as (bare_page, bare_one, bare_collect),
    ):
        assert page() == audited_page() == bare_page() != ""
        assert open_one() == audited_one() == bare_one() == GUEST["phone"]
        for name, sides in (
            ("one value opened", {"sealed": open_one, "audited": audited_one, "bare": bare_one}),
            ("page of five sealed values", {"sealed": page, "audited": audited_page, "bare": bare_page}),
            ("collect of five values", {"sealed": collect, "audited": audited_collect, "bare": bare_collect}),
        ):
            taken = in_turns(sides, TURNS)
            for other, words in (("audited", "with one audit row"), ("bare", "without audit")):
                what = f"{name} among {house.count:,}, {store}, beside unsealed {words}"
                ours, theirs = taken["sealed"], taken[other]
                figure("vault", what, ours.wall, "µs", theirs.wall, digits=0)
                figure("vault", f"{what}, processor time", ours.processor, "µs", theirs.processor, digits=0)
        if house.count != COUNTS[0]:
            return
        under_load(store, opened, page)


def under_load(store: str, opened: Opened, page: Page) -> None:
    """Pages at once: how many by eight threads beside one, and on SQLite how many of their entries share a commit."""
    count, rates = 400, []
    for threads in (1, 8):
        before, start = COMMITS[opened.vault.store.engine], time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for answer in [pool.submit(page) for _ in range(count)]:
                answer.result()
        rates.append(count / (time.perf_counter() - start))
        if opened.vault.store.dialect == "sqlite":  # PostgreSQL's server shares commits by itself
            each = count / (COMMITS[opened.vault.store.engine] - before)
            figure("vault", f"entries per commit, {threads} threads show pages, {store}", each, "entries", 1.0)
    figure("vault", f"pages shown by 8 threads, {store}, beside one", rates[1], "pages/s", rates[0], digits=0)


def main() -> None:
    for house in houses("vault"):
        compare(house)


if __name__ == "__main__":
    main()
