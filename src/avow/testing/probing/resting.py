"""At rest: what lies in the files of the installation, in its backups, and after an erasure.

Canaries and keys are searched for in every file and in several encodings; a sealed value that was moved to another row
or column must not open; whoever was erased is nowhere, and no old backup brings them back; a ledger that was changed
behind the service's back is found out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select, text

from avow.errors import AvowError, LedgerError, SealedError
from avow.ledger.verify import verify
from avow.testing.probing.bench import Bench
from avow.vault.backup import back_up
from avow.vault.columns import INDEX_SUFFIX
from avow.vault.erasure import erase

#: What opens things: the only files in which keys may be.
_KEYS = ("keyring", "keys", "tombstones")


def probe(bench: Bench) -> None:
    """Look at everything that lies there, then change and erase."""
    _sealed(bench, "the files of the installation", bench.scratch.files())
    _keys(bench)
    _blind(bench)
    _modes(bench)
    _moved(bench)
    _ledger(bench)
    folder = bench.scratch.folder / "backup"
    _backup(bench, folder)
    _erase(bench)
    _restored(bench, folder)


# -- sealed -------------------------------------------------------------------------------------------


def _sealed(bench: Bench, where: str, files: dict[str, bytes]) -> None:
    by = bench.duty_anchors("encrypt")
    bench.covers("encrypt")
    bench.report.tried("rest.sealed", len(files))
    for name, content in files.items():
        hits = bench.search().hits(content)
        if hits:
            field, encoding = min(hits)
            bench.hole(
                "rest.sealed",
                f"{where}: {name}",
                f"search {name} for the values that were stored",
                "none is there in any encoding",
                f"`{field.partition('.')[2]}` is there ({encoding})",
                "what seals: avow.vault.record, avow.vault.envelope, avow.keys",
                *by,
            )


def _keys(bench: Bench) -> None:
    """Nothing that opens anything lies beside what it opens."""
    keyring = bench.scratch.data / "keyring"
    found = [bytes.fromhex(word.decode()) for word in re.findall(rb"\b[0-9a-f]{64}\b", keyring.read_bytes())]
    found += [bench.scratch.opened.keyring.secret(name) for name in ("blind", "link", "csrf", "tombstone")]
    with bench.scratch.opened.vault.store.reading() as connection:
        person = bench.standin.site.home.schema.person
        rows = connection.execute(select(person.c.id, person.c.epoch, person.c.wrapped)).all()
    vault = bench.scratch.opened.vault
    found += [vault.key_of(vault.person_class(id=r.id, epoch=r.epoch, wrapped=r.wrapped, policy="")) for r in rows[:4]]
    bench.report.tried("rest.keys", len(found))
    for name, content in bench.scratch.files().items():
        if name.partition(".")[0] in _KEYS or name.startswith("peers"):
            continue
        for key in found:
            if any(form in content for form in (key, key.hex().encode(), key.hex().upper().encode())):
                bench.hole(
                    "rest.keys",
                    f"the files of the installation: {name}",
                    f"search {name} for the keys",
                    "no key lies in or beside the database",
                    "a key is there",
                    "avow.keys: where keys are written",
                    *bench.duty_anchors("encrypt"),
                )


def _blind(bench: Bench) -> None:
    """An index tells nothing to who can hash: not a digest of the value, with or without the names around it."""
    address = bench.standin.names.address
    if address not in bench.standin.columns:
        return
    value = bench.value(address).encode()
    field = f"probe.{address}".encode()
    guesses = {d(part).digest() for d in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b)
               for part in (value, value.lower(), field + value, field + b"\0" + value)}  # fmt: skip
    guesses |= {hmac.digest(key, value, "sha256") for key in (b"", field, b"blind", bytes(32))}
    column = bench.standin.record.__table__.c[bench.standin.columns[address] + INDEX_SUFFIX]
    with bench.scratch.opened.vault.store.reading() as connection:
        kept = [bytes(index) for index in connection.scalars(select(column)) if index is not None]
    bench.report.tried("rest.index", len(guesses))
    if guesses & {*kept} or any(value in index for index in kept):
        bench.hole(
            "rest.index",
            "the database",
            f"guess the index of a known `{address}` by hashing it",
            "it takes a key that is not in the database",
            "a plain digest of the value is the index",
            "avow.vault.blind",
            *bench.duty_anchors("encrypt"),
        )


def _modes(bench: Bench) -> None:
    """Only the service's own user reads the keys."""
    for path in (bench.scratch.data, bench.scratch.data / "keyring"):
        bench.report.tried("rest.modes")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            bench.hole(
                "rest.modes",
                "the data folder",
                f"look who may read `{path.name}`",
                "only its owner may",
                f"its mode is {stat.S_IMODE(path.stat().st_mode):o}",
                "avow.keys.keyring, avow.site.opened",
            )


def _moved(bench: Bench) -> None:
    """Somebody with the database moves sealed values: to another row, another column, another person."""
    table = bench.standin.record.__table__
    categories = list(bench.standin.columns)
    one, other = bench.standin.columns[categories[0]], bench.standin.columns[categories[-1]]
    ann, bea = (table.c.id == bench.planted[who][1] for who in ("ann", "bea"))
    vault = bench.scratch.opened.vault
    for what, source, of, target in (
        ("to another person's row", ann, one, bea),
        ("to another column", ann, other, ann),
    ):
        bench.report.tried("rest.moved")
        with vault.store.driver() as driver:
            cursor = driver.cursor()
            name = table.name
            ids = [bench.planted["ann" if each is ann else "bea"][1] for each in (source, target)]
            cursor.execute(f"SELECT {of} FROM {name} WHERE id = ?", (ids[0],))  # noqa: S608  # our own names
            [envelope] = cursor.fetchone()
            cursor.execute(f"SELECT {one} FROM {name} WHERE id = ?", (ids[1],))  # noqa: S608
            [before] = cursor.fetchone()
            cursor.execute(f"UPDATE {name} SET {one} = ? WHERE id = ?", (envelope, ids[1]))  # noqa: S608
            driver.commit()
        role, purpose, _ = bench.some
        opened: str | None = None
        try:
            with bench.standin.site.acting(role, purpose) as work:
                opened = getattr(bench.record(work, "ann" if target is ann else "bea"), one)._reveal()
        except SealedError:
            pass
        with vault.store.driver() as driver:
            driver.cursor().execute(f"UPDATE {table.name} SET {one} = ? WHERE id = ?", (before, ids[1]))  # noqa: S608
            driver.commit()
        if opened is not None:
            bench.hole(
                "rest.moved",
                "the database",
                f"a sealed value is moved {what}",
                "it does not open there",
                "it opened",
                "avow.vault.envelope: what a seal is bound to",
                *bench.duty_anchors("encrypt"),
            )


# -- the ledger ---------------------------------------------------------------------------------------


def _ledger(bench: Bench) -> None:
    """An entry that was changed, or taken out, is found out."""
    scratch, log = bench.scratch, bench.scratch.opened.sequencer
    log.run()
    entry = bench.standin.site.home.schema.entry
    with scratch.opened.vault.store.reading() as connection:
        rows = connection.execute(select(entry).order_by(entry.c.number)).all()
    bench.report.tried("ledger.tampering", 2)
    if not rows:
        bench.hole(
            "ledger.tampering",
            "the ledger",
            "integrate what was noted",
            "there are entries",
            "there is none",
            "avow.ledger.sequencer",
        )
        return
    last = rows[-1]
    changes = {
        "changed": (entry.update().where(entry.c.number == last.number).values(body=last.body.replace(b"0", b"1"))),
        "taken out": entry.delete().where(entry.c.number == last.number),
    }
    for what, statement in changes.items():
        with scratch.opened.vault.store.writing() as connection:
            connection.execute(statement)
        found = True
        try:
            verify(scratch.opened.vault.store, bench.standin.site.home.schema, log.file, log.signer.key)
        except LedgerError:
            found = False
        with scratch.opened.vault.store.writing() as connection:
            connection.execute(entry.delete().where(entry.c.number == last.number))
            connection.execute(entry.insert().values(**last._mapping))
        if found:
            bench.hole(
                "ledger.tampering",
                "the ledger",
                f"the last entry is {what} in the database",
                "`avow ledger verify` says which entry does not fit",
                "it verifies",
                "avow.ledger.verify",
            )


# -- backup, erasure, restore -------------------------------------------------------------------------


def _backup(bench: Bench, folder: Path) -> None:
    back_up(bench.scratch.opened.vault, folder)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    _sealed(bench, "a backup", files)
    with bench.scratch.opened.vault.store.reading() as connection:
        wrapped = [bytes(key) for key in connection.scalars(select(bench.standin.site.home.schema.person.c.wrapped))]
    bench.report.tried("backup.keys", len(files))
    for name, content in files.items():
        if any(b64encode(key) in content or key in content or key.hex().encode() in content for key in wrapped):
            bench.hole(
                "backup.keys",
                f"a backup: {name}",
                "search a backup for people's wrapped keys",
                "a backup holds no key, so that no old one opens whom it was erased since",
                "a person's key is there",
                "avow.vault.backup",
            )


def _erase(bench: Bench) -> None:
    """Nothing of Bea is left, and everything of Ann."""
    vault, home = bench.scratch.opened.vault, bench.standin.site.home
    owner, _ = bench.planted["bea"]
    role, purpose, _ = bench.some
    with bench.standin.site.acting(role, purpose) as work:
        work.secret(bench.record(work, "bea"))
    receipt = erase(vault, owner)
    bench.covers("erase")
    bench.report.tried("erase")
    by = bench.duty_anchors("erase")
    for table, column in _rows_of(bench, owner):
        bench.hole(
            "erase",
            f"the database: {table}",
            "erase a person",
            "no row names them any more",
            f"`{table}.{column}` still does",
            "avow.vault.erasure",
            *by,
        )
    with vault.store.reading() as connection:
        left = connection.execute(select(bench.standin.record.__table__.c.id)).scalars().all()
        told = connection.scalar(select(home.schema.tombstone.c.hour))
    if bench.planted["ann"][1] not in left:
        bench.hole(
            "erase.others",
            "the database",
            "erase a person",
            "what is others' stays",
            "somebody else's row is gone",
            "avow.vault.erasure",
            *by,
        )
    with bench.standin.site.acting(role, purpose) as work:
        known = work.erased(receipt)
    if told is None or known is None:
        bench.hole(
            "erase.receipt",
            "work.erased",
            "ask by the receipt whether somebody was erased",
            "it says so",
            "it knows nothing of it",
            "avow.vault.erasure: tombstones",
            *by,
        )
    if not any(b'"verb":"erase"' in body for body in bench.scratch.bodies()):
        bench.hole(
            "ledger.erase",
            "the ledger",
            "erase a person",
            "an entry says that it was done",
            "there is none",
            "avow.vault.erasure",
            *by,
        )


def _rows_of(bench: Bench, owner: str) -> Iterator[tuple[str, str]]:
    """The tables and columns of the whole database in which an id stands."""
    with bench.scratch.opened.vault.store.reading() as connection:
        names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for name in names:
            columns = [row[1] for row in connection.execute(text(f'PRAGMA table_info("{name}")'))]
            for column in columns:
                statement = text(f'SELECT count(*) FROM "{name}" WHERE instr(CAST("{column}" AS TEXT), :id)')  # noqa: S608
                if connection.scalar(statement, {"id": owner}):
                    yield name, column


def _restored(bench: Bench, folder: Path) -> None:
    """The backup from before the erasure is put back: Bea stays erased."""
    from avow.site.safekeeping import restore

    scratch = bench.scratch
    owner, _ = bench.planted["bea"]
    scratch.opened.sequencer.run()
    scratch.close()
    for path in scratch.data.glob("site.db*"):
        path.unlink()
    bench.report.tried("restore")
    by = bench.duty_anchors("erase")
    look = "avow.vault.restoring, avow.vault.erasure (replay), avow.vault.tombstones"
    failed: AvowError | None = None
    try:
        restore(bench.standin.site, scratch.data, None, folder, lambda done, total: None)
    except AvowError as error:
        failed = error
    scratch.open()
    if failed is not None:
        bench.hole(
            "restore",
            "a backup that is put back",
            "put back a backup from before an erasure",
            "it is put back, without who was erased",
            f"it failed: {str(failed).splitlines()[0]}",
            look,
            *by,
        )
        return
    rows = [place for place in _rows_of(bench, owner) if place[0] != "avow_aside"]
    if rows:
        bench.hole(
            "restore",
            "a backup that is put back",
            "put back a backup from before an erasure",
            "whoever was erased since is erased again",
            f"`{rows[0][0]}` names them again",
            look,
            *by,
        )
    role, purpose, _ = bench.some
    with bench.standin.site.acting(role, purpose) as work:
        ann = bench.record(work)
        opens = ann is not None and all(
            getattr(ann, column)._reveal() == bench.value(category)
            for category, column in list(bench.standin.columns.items())[:3]
        )
    if not opens:
        bench.hole(
            "restore.others",
            "a backup that is put back",
            "open what was not erased",
            "it opens",
            "it is gone, or does not open",
            look,
        )
    shutil.rmtree(folder)
