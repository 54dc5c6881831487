"""Starting: a service that is declared wrongly does not start.

Small sites on the same policy are opened, each with one thing that nobody declared: a route, a column, a table, a
category, a keyring of another installation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, String, Table
from sqlalchemy.orm import mapped_column
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from avow.errors import AvowError, KeyringError
from avow.site.site import Site
from avow.testing.probing.bench import Bench
from avow.testing.probing.scratch import Scratch
from avow.testing.probing.standin import StandIn
from avow.vault.columns import owner, personal

Wrong = Callable[[Site, Bench], None]


def probe(bench: Bench) -> None:
    """Open each of them."""
    wrongs: dict[str, tuple[Wrong, str]] = {
        "a route that says neither role nor purpose nor place": (_route, "avow.edge.acts: check_routes"),
        "a route for a place that the policy does not know": (_place, "avow.edge.acts: check_routes"),
        "a column that is neither personal nor plain": (_column, "avow.vault.fitting"),
        "a column of a category that the policy does not know": (_category, "avow.vault.fitting"),
        "a table that says of no row whose it is": (_table, "avow.vault.fitting"),
        "a column that names a person and does not say what becomes of it": (_person, "avow.vault.fitting"),
    }
    for number, (what, (wrong, look)) in enumerate(wrongs.items()):
        bench.report.tried("start")
        folder = bench.scratch.folder / f"start{number}"
        standin = StandIn(bench.policy, bench.reading, bench.standin.names, bench.deriving, folder)
        try:
            wrong(standin.site, bench)
            Scratch(standin.site, folder, bench.scratch.peers)
        except AvowError:
            continue
        standin.site.close()
        bench.hole(
            "start", "the start of a service", f"it has {what}", "it does not start, and says why", "it started", look
        )
    _keys_of_another(bench)
    _not_reopened(bench)


def _route(site: Site, bench: Bench) -> None:
    site.routes.append(Route("/probe/undeclared", lambda request: PlainTextResponse("x")))


def _place(site: Site, bench: Bench) -> None:
    role, purpose, _ = bench.some
    site.page("/probe/nowhere", role=role, purpose=purpose, place="nowhere_at_all")(lambda work: PlainTextResponse("x"))


def _made(site: Site, **columns: Any) -> None:
    type(
        "Wrong",
        (site.Record,),
        {"__tablename__": "wrong", "__module__": __name__, "__annotations__": {}, "person": owner(), **columns},
    )


def _column(site: Site, bench: Bench) -> None:
    _made(site, word=mapped_column(String))


def _category(site: Site, bench: Bench) -> None:
    _made(site, word=personal("no_such.category", field="wrong.word"))


def _table(site: Site, bench: Bench) -> None:
    Table("wrong", site.home.metadata, Column("id", String, primary_key=True), Column("email", String))


def _person(site: Site, bench: Bench) -> None:
    from sqlalchemy import ForeignKey

    _made(site, other=mapped_column(String, ForeignKey("avow_person.id"), info={"avow": "plain", "why": "x"}))


def _keys_of_another(bench: Bench) -> None:
    """The database with the keyring of another installation."""
    bench.report.tried("start.keys")
    scratch = bench.scratch
    folder = scratch.folder / "another"
    standin = StandIn(bench.policy, bench.reading, bench.standin.names, bench.deriving, folder)
    other = Scratch(standin.site, folder, scratch.peers)
    other.close()
    path = scratch.data / "keyring"
    mine = path.read_bytes()
    scratch.close()
    path.write_bytes((other.data / "keyring").read_bytes())
    started = True
    try:
        scratch.open()
    except (KeyringError, AvowError):
        started = False
    else:
        scratch.close()
    path.write_bytes(mine)
    scratch.open()
    if started:
        bench.hole(
            "start.keys",
            "the start of a service",
            "its keyring is that of another installation",
            "it does not start",
            "it started",
            "avow.vault.vault: prepare",
        )


def _not_reopened(bench: Bench) -> None:
    """The database without its keyring is not begun anew."""
    bench.report.tried("start.keys")
    scratch = bench.scratch
    path = scratch.data / "keyring"
    mine = path.read_bytes()
    scratch.close()
    path.unlink()
    started = True
    try:
        scratch.open()
    except AvowError:
        started = False
    else:
        scratch.close()
    path.unlink(missing_ok=True)
    path.write_bytes(mine)
    path.chmod(0o600)
    scratch.open()
    if started:
        bench.hole(
            "start.keys",
            "the start of a service",
            "its keyring is gone, and its database is there",
            "it does not start",
            "it made new keys",
            "avow.site.opened",
        )
