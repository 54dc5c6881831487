"""Opening a package of people who come from another installation: all of it in one transaction, or nothing.

What comes keeps its label: the version of the sender's policy that it was collected under, where and when. Its values
are sealed anew under this installation's keys, and its blind indexes are made anew. The sender's versions go beside
those of this installation, marked as brought along: they judge what came under them, together with the version in
force here (`avow.vault.older`), and have that destroyed in time which they said would be. Whatever somebody agreed to
there counts for those versions and for none of this installation's.

What is refused: another layout, an unknown category, a version that the package does not hold; a value of which no
sentence here permits that it is kept; a package that was opened before, or an older one of the same sender; somebody
who is here already, or was erased here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from avow.engine import Policy
from avow.engine.compare import compare
from avow.errors import AvowError, PolicyError, SetupError, StoreError
from avow.values import Verdict
from avow.vault.backup import Progress, decoder_of
from avow.vault.columns import INDEX_SUFFIX
from avow.vault.envelope import Label
from avow.vault.keeping import inspect_text
from avow.vault.published import check_text
from avow.vault.publishing import begin_again
from avow.vault.retention import earlier_tasks, tasks
from avow.vault.standing import DIGITS
from avow.vault.tombstones import token_of
from avow.vault.transfer import FORMAT, Held, write_held
from avow.vault.transfer_layout import check_shapes

if TYPE_CHECKING:
    from avow.keys.transfer_stream import Package
    from avow.vault.record import Record
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

#: Lines that are written to the database at a time.
PORTION = 200

#: The kinds of lines in their order.
_ORDER = ("manifest", "policy", "person", "record", "end")

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came: how many people and records, and the versions of a policy that judge it, as digest and version."""

    people: int
    records: int
    versions: dict[str, str]


def take(
    unit: Unit,
    package: Package,
    arrived: Callable[[Unit, Any], None] = lambda unit, record: None,
    progress: Progress = lambda done, total: None,
) -> Taken:
    """Write what a package holds into the database, in the transaction of `unit`.

    Args:
        arrived: called for each record before it is written: a site brings in order what was bound to the sender.

    Raises:
        StoreError: the package is damaged, was opened before, is older than one that was, or does not go into the
            database; somebody in it is here already, or was erased here.
        SetupError: it does not fit the records of this installation, or what its policy has destroyed cannot be here.
        Refused: no sentence here permits to keep something of it.
    """
    taking = _Taking(unit, package, arrived, progress)
    steps: dict[str, Callable[[list[Any]], None]] = {
        "manifest": taking.manifest,
        "policy": taking.policies,
        "person": taking.persons,
        "record": taking.records,
        "end": taking.end,
    }
    seen: list[str] = []
    try:
        for kind, lines in groupby(_read(package), key=lambda line: line[0]):
            if kind not in steps or _ORDER.index(kind) <= max(map(_ORDER.index, seen), default=-1):
                _unfit(package, f"its lines `{kind}` are not where they should be")
            seen.append(kind)
            for portion in _portions(body for _, body in lines):
                steps[kind](portion)
    except DatabaseError as error:
        raise StoreError(
            f"the package does not go into the database: {type(error.orig).__name__}",
            help="a value that may be there only once is there already; nothing was taken from the package",
        ) from None
    except AvowError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError):
        _unfit(package, f"a line `{seen[-1] if seen else 'manifest'}` is not as it should be")
    if seen[-1:] != ["end"]:
        _unfit(package, "it has no end")
    return taking.settle()


class _Taking:
    """One package while it is opened."""

    def __init__(self, unit: Unit, package: Package, arrived: Callable[[Unit, Any], None], progress: Progress) -> None:
        self._unit, self._vault, self._package = unit, unit.vault, package
        self._arrived, self._progress = arrived, progress
        self._kinds = {kind.__table__.name: kind for kind in unit.vault.home.records}
        self._said: dict[str, Any] = {}
        self._versions: dict[str, Policy] = {}
        self._labels: frozenset[str] = frozenset()
        self._people: set[bytes] = set()  # 16 bytes each: of all that is held here, the one thing that grows with them
        self._counts: Counter[str] = Counter()
        self._kept: dict[str, Verdict] = {}
        self._held: Counter[Held] = Counter()
        self._whose, self._theirs = "", set[tuple[str, Verdict | None]]()
        self._ended = False
        self._check_new()

    # -- line by line -----------------------------------------------------------------------------

    def manifest(self, lines: list[Any]) -> None:
        """What the package says is in it."""
        [self._said] = lines
        if self._said["format"] != FORMAT:
            raise StoreError(
                f"the package `{self._package.path}` is of format {self._said['format']}, and this version of Avow "
                f"reads {FORMAT}"
            )
        check_shapes(self._vault.home, self._said["shapes"])
        self._progress(0, self._said["people"])

    def policies(self, lines: list[Any]) -> None:
        """The versions that come along: of a policy that is not this installation's, or is one of its own."""
        table = self._vault.home.schema.policy
        for line in lines:
            self._versions[line["digest"]] = _policy_of(line)
            known = select(table.c.digest).where(table.c.digest == line["digest"])
            if self._unit.db.scalar(known) is None:
                words = {name: str(line[name]) for name in ("digest", "version", "source")}
                effective = date.fromisoformat(line["effective"]).isoformat()
                row = {**words, "effective": effective, "since": int(line["since"]), "brought": str(line["site"])}
                self._unit.db.execute(table.insert().values(**row))
        self._labels = frozenset(digest[:DIGITS] for digest in self._versions)

    def persons(self, lines: list[Any]) -> None:
        """Who comes: by the same id, under a key of this installation."""
        self._check_policies()
        person, tombstone = self._vault.home.schema.person.c, self._vault.home.schema.tombstone.c
        ids = [identity for identity, *_ in lines if _ID.fullmatch(identity)]
        tokens = [token_of(self._vault.receipt_of(identity)) for identity in ids]
        if len(set(ids)) != len(lines):
            _unfit(self._package, "somebody in it has no id of their own")
        if self._unit.db.scalar(select(func.count()).where(person.id.in_(ids))):
            raise StoreError(
                "somebody in the package is here already",
                help="have only those packed who are not here yet; nothing was taken from this package",
            )
        if self._unit.db.scalar(select(func.count()).where(tombstone.token.in_(tokens))):
            raise StoreError(
                "somebody in the package was erased here",
                help="who was erased does not come back; have the others packed without them",
            )
        for identity, policy, _ in lines:
            self._unit.db.add(self._vault.new_person(identity, self._version(policy)))
            self._people.add(bytes.fromhex(identity))
        self._write()
        table, stood = self._vault.home.schema.standing, []
        decoders = {column.name: decoder_of(column) for column in table.columns if column.name != "mark"}
        for one, _, rows in lines:
            for cells in rows.get(table.name, ()):
                self._version(cells["policy"])
                row = {name: decoders[name](cell) for name, cell in {**cells, "owner": one}.items()}
                stood.append(self._vault.standing.mark(row))
        if stood:
            self._unit.db.execute(table.insert(), stood)

    def records(self, lines: list[Any]) -> None:
        """What is theirs, each value sealed under a key of this installation with its label as it was."""
        person = self._vault.person_class
        owners = {line[2] for line in lines}
        found = {one.id: one for one in self._unit.db.scalars(select(person).where(person.id.in_(owners)))}
        for table, identity, owner, policy, parties, cells, values in lines:
            if not _ID.fullmatch(identity) or not all(
                bytes.fromhex(one) in self._people for one in (owner, *parties.values())
            ):
                _unfit(self._package, f"a record of `{table}` is of somebody who is not in it")
            shape, kind = self._said["shapes"][table], self._kinds[table]
            if not (values.keys() <= shape["fields"].keys() and cells.keys() <= shape["plain"].keys()):
                _unfit(self._package, f"a record of `{table}` has more than its manifest says")
            columns = kind.__table__.columns
            record = kind(
                id=identity,
                policy=self._version(policy),
                avow_person=found[owner],
                **{kind.__layout__.owner: owner},
                **{name: parties.get(name) for name in kind.__layout__.parties},
                **{name: decoder_of(columns[name])(cell) for name, cell in cells.items()},
            )
            self._next_owner(owner)
            self._seal(record, values)
            self._unit.db.add(record)
            self._arrived(self._unit, record)
            self._counts[table] += 1
        self._write()

    def end(self, lines: list[Any]) -> None:
        """What was said at the beginning has come."""
        self._ended = True
        said = {name: count for name, count in self._said["counts"].items() if count}
        if (len(self._people), dict(self._counts)) != (self._said["people"], said):
            _unfit(self._package, "less came than its manifest says")

    # -- at the end -------------------------------------------------------------------------------

    def settle(self) -> Taken:
        """Note what came: that there was this package, and an entry for each person; who has to be told is, of all."""
        self._check_policies()
        self._next_owner("")
        self._held[frozenset()] += len(self._people) - self._held.total()  # who is only a party to something
        db, schema, head = self._unit.db, self._vault.home.schema, self._package.head
        row = {"id": head.id, "way": "in", "peer": head.sender, "serial": head.serial, "hour": self._vault.hour()}
        db.execute(schema.transfer.insert().values(**row, people=len(self._people)))
        write_held(self._vault, db.connection(), "brought", "keep", self._held)
        begin_again(db.connection(), self._vault)
        versions = {digest: policy.version for digest, policy in self._versions.items()}
        return Taken(len(self._people), self._counts.total(), versions)

    def _seal(self, record: Record, values: dict[str, Any]) -> None:
        for field in record.__layout__.fields.values():
            if field.id not in values:
                if not field.optional:
                    _unfit(self._package, f"a record lacks `{field.id}`")
                continue
            category, version, place, hour, text = values[field.id]
            if version not in self._labels:
                self._no_version(version)
            self._theirs.add((field.category, self._may_keep(field.category)))
            inspect_text(self._unit, text)
            setattr(record, field.name, record._sealed(field, text, Label(category, version, place, hour)))
            if field.blind is not None:
                setattr(record, field.name + INDEX_SUFFIX, field.blind(text))

    def _may_keep(self, category: str) -> Verdict:
        """The verdict that this installation may keep a category, for some purpose of its policy.

        Raises:
            Refused: for none.
        """
        if category not in self._kept:
            unit, whose = self._unit, self._vault.subject
            for purpose in (unit.purpose, *self._vault.policy.vocabulary.words["purpose"]):
                verdict = unit.verdict("keep", category, unit.known(), None, subject=whose, purpose=purpose)
                if verdict.permitted:
                    self._kept[category] = verdict
                    return verdict
            unit.judge("keep", category, subject=whose)
        return self._kept[category]

    def _next_owner(self, owner: str) -> None:
        if owner != self._whose:
            if self._whose:
                self._held[frozenset(self._theirs)] += 1
                self._progress(self._held.total(), self._said["people"])
            self._whose, self._theirs = owner, set()

    def _write(self) -> None:
        """Write what was gathered, and let go of it."""
        self._unit.db.flush()
        self._unit.db.expunge_all()

    # -- what has to fit --------------------------------------------------------------------------

    def _check_new(self) -> None:
        """Each package is opened once, and none after a later one of the same sender, which may know of objections."""
        table, head = self._vault.home.schema.transfer, self._package.head
        came = select(table.c.serial).where(table.c.way == "in", table.c.peer == head.sender)
        if self._unit.db.scalar(select(table.c.hour).where(table.c.id == head.id)) is not None:
            raise StoreError(
                f"the package `{self._package.path}` was opened here before", help="there is nothing to do"
            )
        if max(self._unit.db.scalars(came), default=-1) >= head.serial:
            raise StoreError(
                f"the package `{self._package.path}` is older than one of `{head.site}` that was opened here",
                help="objections since would be lost: have it packed anew",
            )

    def _check_policies(self) -> None:
        """Every version that the manifest names has come, and what it has destroyed in time can be destroyed here."""
        if self._people or not self._said:
            return
        for digest in self._said["policies"]:
            if digest not in self._versions:
                self._no_version(digest)
        for digest, policy in self._versions.items():
            if digest != self._vault.policy.digest and compare(policy, self._vault.policy).verdict != "not weaker":
                tasks(self._vault.home, policy)

    def _version(self, digest: str) -> str:
        if digest not in self._versions:
            self._no_version(digest)
        return digest

    def _no_version(self, digest: str) -> NoReturn:
        _unfit(self._package, f"it lacks the version {digest[:DIGITS]} of the policy, under which something in it is")


def bind(vault: Vault) -> None:
    """Let the versions that came along have destroyed what they said would be, from now on; after the commit."""
    vault.tasks = [*tasks(vault.home, vault.policy), *earlier_tasks(vault.home, vault.older)]


def _policy_of(line: dict[str, Any]) -> Policy:
    """The policy of a line, whose text is the one that the digest says."""
    check_text(line["version"], line["digest"], line["source"])
    try:
        return Policy.parse(line["source"], f"version {line['version']} of {line['site']}")
    except PolicyError as error:
        raise SetupError(
            f"version {line['version']} of the policy does not read with this version of Avow: "
            f"{error.diagnostics[0].message}",
            help="open the package with a version of Avow like the sender's",
        ) from None


def _read(package: Package) -> Iterator[tuple[str, Any]]:
    for line in package.lines():
        [(kind, body)] = json.loads(line).items()
        yield kind, body


def _portions(lines: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(lines)
    while portion := list(islice(rest, PORTION)):
        yield portion


def _unfit(package: Package, how: str) -> NoReturn:
    raise StoreError(
        f"the package `{package.path}` is not as it should be: {how}", help="nothing was taken from it; ask its sender"
    )
