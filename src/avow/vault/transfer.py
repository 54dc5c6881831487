"""Packing people who go to another installation: with all that is theirs, under the policy that they gave it under.

A package is lines of JSON, each an object with one key, in this order:

    manifest   what comes: versions by digest, record classes with their shape and number of rows, number of people
    policy     one line for each version that something may be under, with its full text
    person     one line for each person: id, the version that they came under, and their rows of Avow's own tables
    record     one line for each record, those of one person together: table, id, owner, version, parties, plain
               columns, and each value with its label and its text
    end        the number of people and of records that have come

Every value is judged as shared with the one who takes over, by the version in force and by the one that it was
collected under, for every record with what the site knows of it. One refusal and there is no package. Two facts are
found here and by nobody else, unless the policy has code of its own for them:

    bound(RECIPIENT)     the card of the receiver binds it to each version that something may be under here
    complete(package)    no record class that holds choices is left out

All is read as of one moment, while the service goes on. In the ledger is an entry for each person, by the time that the
file is there.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from avow.errors import AvowError, Refused, SetupError, StoreError
from avow.keys.transfer_stream import Head, write_package
from avow.store.files import replace_durably
from avow.values import Verdict
from avow.vault.backup import Progress, encoder_of
from avow.vault.lines import Lines
from avow.vault.transfer_layout import choices, going, shape_of

if TYPE_CHECKING:
    from avow.keys.transfer import Card, TransferKeys
    from avow.vault.columns import Field
    from avow.vault.record import Record
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

FORMAT = 1

#: People whose records are held in memory at a time.
PORTION = 100

#: What somebody goes along with, or comes with: kinds of information, each with the verdict on it.
Held = frozenset[tuple[str, Verdict | None]]


@dataclass(frozen=True, slots=True)
class Errand:
    """To whom people go and on which terms.

    Attributes:
        recipient: who takes over, by its name in the policy.
        channel: over what the package will be handed over.
        without: tables of record classes that are left out.
        people: the ids of who goes; None for everybody.
        leaving: gives plain columns of a record as they are to go, where that differs from how they are here.
    """

    recipient: str
    channel: str
    without: tuple[str, ...] = ()
    people: frozenset[str] | None = None
    leaving: Callable[[Unit, Any], Mapping[str, Any]] = lambda unit, record: {}


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that was made: its id, and how many people and records are in it."""

    id: str
    people: int
    records: int


def pack(
    unit: Unit,
    keys: TransferKeys,
    to: Card,
    file: Path,
    errand: Errand,
    progress: Progress = lambda done, total: None,
) -> Packed:
    """Write a package for the holder of a card into a new `file`; `unit` acts in the role that may share.

    Raises:
        Refused: a value may not go there. Nothing was written.
        SetupError: nobody is to go, or somebody who goes shares a record with somebody who stays.
        StoreError: there is such a file already, or it cannot be written.
    """
    if file.exists():
        raise StoreError(f"there is a `{file}` already", help="name a new file for each package")
    packing = _Packing(unit, to, errand, progress)
    try:
        replace_durably(file, packing.pieces(keys))
    except AvowError:  # a refusal is an OSError too
        raise
    except OSError as error:
        raise StoreError(
            f"the package `{file}` cannot be written: {error.strerror}", help="free space, or name another place"
        ) from None
    finally:
        with suppress(OSError):
            file.with_name(file.name + ".new").unlink()
    return Packed(packing.id, packing.people, sum(packing.counts.values()))


def versions_of(vault: Vault) -> dict[str, str]:
    """The versions of the policy that something may be under: digest to version, with the site of one brought along."""
    table = vault.home.schema.policy
    with vault.store.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.since, table.c.digest)).all()
    return {row.digest: f"{row.version} ({row.brought})" if row.brought else row.version for row in rows}


def write_held(vault: Vault, connection: Any, event: str, verb: str, held: Counter[Held], **words: str | None) -> None:
    """Write an entry for the ledger for each person of whom something went or came, by what that was."""
    portion: list[tuple[str, bytes]] = []
    for objects, count in held.items():
        for _ in range(count):
            lines = Lines()
            for category, verdict in objects or ((vault.subject, None),):
                lines.add(event, verb, category, words.get("purpose"), words.get("recipient"), verdict)
            portion += vault.sealed_rows(lines.lines(vault.policy.digest, vault.hour()))
            if len(portion) >= PORTION:
                vault.pending.add(connection, portion)
                portion = []
    if portion:
        vault.pending.add(connection, portion)


class _Packing:
    """One package while it is made."""

    def __init__(self, unit: Unit, to: Card, errand: Errand, progress: Progress) -> None:
        self.id = secrets.token_hex(16)
        self.people = 0
        self.counts: dict[str, int] = {}
        self._unit, self._vault = unit, unit.vault
        self._to, self._errand, self._progress = to, errand, progress
        self._kinds = going(unit.vault.home, errand.without)
        self._held: Counter[Held] = Counter()
        self._versions = versions_of(unit.vault)
        self._unbound = [v for digest, v in self._versions.items() if digest not in to.bound]
        names = {kind.__table__.name for kind in self._kinds}
        self._missing = [name for name in choices(unit.vault.home) if name not in names]
        own = {f"bound({errand.recipient})": not self._unbound, "complete(package)": not self._missing}
        answered = unit.vault.policy.predicates
        self._facts = {name: fact for name, fact in own.items() if name.partition("(")[0] not in answered}

    def pieces(self, keys: TransferKeys) -> Iterator[bytes]:
        """The bytes of the package. The ledger tells of it before the last of them is on the disk, not after."""
        policy, serial = self._vault.policy, self._serial()
        words = (self._vault.tenant, policy.site, self._to.tenant, self._to.receive.hex(), keys.verify.hex())
        with self._vault.store.one_moment() as connection, self._vault.session(on=connection) as db:
            # What the site knows of a record is read as of the same moment, and takes no lock from who writes.
            self._unit._db = db
            try:
                yield from write_package(keys, self._to, Head(self.id, serial, *words), self._lines(db))
            finally:
                self._unit._db = None
        self._note(serial)

    def _lines(self, db: Session) -> Iterator[bytes]:
        self._count(db)
        shapes = {kind.__table__.name: shape_of(kind) for kind in self._kinds}
        manifest = {"format": FORMAT, "policies": sorted(self._versions), "people": self.people}
        yield _line("manifest", {**manifest, "shapes": shapes, "counts": self.counts})
        table, person = self._vault.home.schema.policy, self._vault.home.schema.person
        for row in db.execute(select(table).order_by(table.c.since, table.c.digest)):
            site = row.brought or self._vault.policy.site
            words = {"digest": row.digest, "version": row.version, "effective": row.effective, "source": row.source}
            yield _line("policy", {**words, "since": row.since, "site": site})
        for ids in self._people(db):
            stood = self._standings(db, ids)
            found = select(person.c.id, person.c.policy).where(person.c.id.in_(ids)).order_by(person.c.id)
            for row in db.execute(found):
                yield _line("person", [row.id, row.policy, stood[row.id]])
        done = 0
        for ids in self._people(db):
            yield from self._records(db, ids)
            db.expunge_all()
            done += len(ids)
            self._progress(done, self.people)
        yield _line("end", {"people": self.people, "records": sum(self.counts.values())})

    def _people(self, db: Session) -> Iterator[list[str]]:
        """The ids of those who go: who owns something that goes, or is a party to it."""
        columns = [
            kind.__table__.c[name] for kind in self._kinds for name in (kind.__layout__.owner, *kind.__layout__.parties)
        ]
        if not columns:
            return
        found = union(*(select(column.label("id")).where(column.is_not(None)) for column in columns)).order_by("id")
        chosen = self._errand.people
        with db.connection().execute(found, execution_options={"yield_per": PORTION}) as result:
            for portion in result.partitions():
                ids = [row.id for row in portion if chosen is None or row.id in chosen]
                if ids:
                    yield ids

    def _standings(self, db: Session, ids: list[str]) -> dict[str, dict[str, list[Any]]]:
        """How these people stand to versions, by person, under the name of the table; only what was noted here goes."""
        found: dict[str, dict[str, list[Any]]] = {identity: {} for identity in ids}
        table = self._vault.home.schema.standing
        encoders = {column.name: encoder_of(column) for column in table.columns if column.name not in ("owner", "mark")}
        for row in db.execute(select(table).where(table.c.owner.in_(ids)).order_by(*table.primary_key.columns)):
            if self._vault.standing.vouched(row):
                cells = {name: encode(row._mapping[name]) for name, encode in encoders.items()}
                found[row.owner].setdefault(table.name, []).append(cells)
        return found

    def _count(self, db: Session) -> None:
        """Count who and what goes, before the first line says so."""
        self.counts = dict.fromkeys((kind.__table__.name for kind in self._kinds), 0)
        for ids in self._people(db):
            self.people += len(ids)
            for kind in self._kinds:
                table = kind.__table__
                owned = select(func.count()).select_from(table).where(table.c[kind.__layout__.owner].in_(ids))
                self.counts[table.name] += db.scalar(owned) or 0
        chosen = self._errand.people
        if not self.people or (chosen is not None and self.people != len(chosen)):
            absent = (
                "nobody is there to go" if chosen is None else "somebody who was named is not there, or owns nothing"
            )
            raise SetupError(absent, help="name people by their ids, or take everybody along")
        self._progress(0, self.people)

    def _records(self, db: Session, ids: list[str]) -> Iterator[bytes]:
        owned: defaultdict[str, list[Any]] = defaultdict(list)
        for kind in self._kinds:
            for record in db.scalars(
                select(kind).where(getattr(kind, kind.__layout__.owner).in_(ids)).order_by(kind.id)
            ):
                owned[record.owner_id].append(record)
        for identity in ids:
            held: set[tuple[str, Verdict | None]] = set()
            for record in owned[identity]:
                yield self._record(record, held)
            self._held[frozenset(held)] += 1

    def _record(self, record: Record, held: set[tuple[str, Verdict | None]]) -> bytes:
        """A record as a line, once each of its values has been judged."""
        layout, table = record.__layout__, record.__table__  # type: ignore[attr-defined]
        self._unit.regard(record, self._errand.recipient)
        self._unit.facts.update(self._facts)
        values = {}
        for name, field in layout.fields.items():
            value = getattr(record, name)
            if value is not None:
                held.add((field.category, self._judge(field, value)))
                label, text = record._seal().unseal(field.id, value._envelope)
                values[field.id] = [*label, text.decode()]
        parties = {name: getattr(record, name) for name in layout.parties if getattr(record, name) is not None}
        chosen = self._errand.people
        if chosen is not None and not chosen.issuperset(parties.values()):
            raise SetupError(
                f"a record of `{table.name}` is shared with somebody who stays",
                help="take along whoever else a record concerns, or leave its table out",
            )
        plain = {name: getattr(record, name) for name in layout.plain} | dict(self._errand.leaving(self._unit, record))
        cells = {name: encoder_of(table.columns[name])(cell) for name, cell in plain.items()}
        return _line("record", [table.name, record.id, record.owner_id, record.policy, parties, cells, values])

    def _judge(self, field: Field, value: Any) -> Verdict:
        unit, errand = self._unit, self._errand
        whom: dict[str, Any] = {
            "recipient": errand.recipient,
            "channel": errand.channel,
            "role": unit.role,
            "purpose": unit.purpose,
        }
        verdict = unit.verdict("share", field.category, unit.known(), value, **whom)
        listed = unit.vault.policy.recipients[errand.recipient].fields
        if not verdict.permitted:
            try:
                unit.judge("share", field.category, value=value, **whom)  # notes the refusal, and raises
            except Refused as refused:
                raise Refused(refused.args[0], refused.verdict, help=self._remedy()) from None
        if not any(unit.vault.policy.vocabulary.covers("category", wide, field.category) for wide in listed):
            raise Refused(
                f"`{field.id}` holds `{field.category}`, which is not among the fields that the policy lists for "
                f"`{errand.recipient}`",
                verdict,
                help="add it to the recipient's fields in the policy, or leave its table out",
            )
        for duty in verdict.duties:
            if duty.timing == "with" and (duty.verb, duty.object) not in unit.discharged:
                raise Refused(
                    f"`{duty.text}` goes with it, and a package cannot do that\n"
                    f"  sentence: “{duty.sentence.text}” (#{duty.sentence.anchor})",
                    verdict,
                )
        return verdict

    def _remedy(self) -> str:
        """What to do about a refusal, as far as that is known here."""
        if self._missing:
            return f"leave nothing out that holds choices: {', '.join(self._missing)}"
        if self._unbound:
            versions = ", ".join(self._unbound)
            return (
                f"`{self._to.site}` has not bound itself to version {versions}: give them the present card of this "
                "installation for `avow transfer key … --bind CARD`, and take theirs anew"
            )
        return "leave out the table that holds it, or let a sentence of the policy permit it"

    def _serial(self) -> int:
        """A number above that of every package before. It is the time, so that a restored database stays above too."""
        table = self._vault.home.schema.transfer
        with self._vault.store.reading() as connection:
            last = connection.scalar(select(func.max(table.c.serial)).where(table.c.way == "out"))
        return max(int(self._vault.clock()), (last or 0) + 1)

    def _note(self, serial: int) -> None:
        vault, unit = self._vault, self._unit
        words = {"purpose": unit.purpose, "recipient": self._errand.recipient}
        with vault.store.writing() as connection:
            row = {"id": self.id, "way": "out", "peer": self._to.tenant, "serial": serial}
            table = vault.home.schema.transfer
            connection.execute(table.insert().values(**row, hour=vault.hour(), people=self.people))
            write_held(vault, connection, "packed", "share", self._held, **words)
        vault.after_commit()


def _line(kind: str, body: Any) -> bytes:
    return json.dumps({kind: body}, separators=(",", ":")).encode() + b"\n"
