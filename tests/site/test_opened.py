"""Opening a site: everything that is wrong is said before anything is served, and nothing is half begun."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, Text
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from avow import Site
from avow.edge.acts import acts
from avow.errors import KeyringError, LedgerError, SetupError, StoreError
from avow.testing.clock import FrozenClock
from tests.vault.club import club


def collect(site: Any) -> None:
    """One more member."""
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")


def test_an_installation_is_made_and_found_again(tmp_path: Path) -> None:
    for _ in range(2):
        site = club()
        site.open(tmp_path, background=False)
        with site.acting("desk", "lending", place="hall", channel="https") as work:
            work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")
        site.opened.sequencer.run()
        site.close()
    site.open(tmp_path, background=False)
    with site.acting("desk", "lending") as work:
        assert [member.name.open() for member in work.select(site.Member)] == ["Ann", "Ann"]
    site.close()


def _eventually(true: Callable[[], object]) -> None:
    """Wait until something is true; the suite's own time limit ends a wait in vain."""
    while not true():
        time.sleep(0.02)


def test_background_work_is_done_by_itself(tmp_path: Path) -> None:
    """The ledger is integrated once an hour: at the first look, what hours before have left, then when one is over."""
    site, clock = club(), FrozenClock()
    site.open(tmp_path, clock=clock)
    log = site.opened.log
    collect(site)
    assert log.give("checkpoint").body.split(b"\n")[1] == b"0"
    assert site.opened.evidence.figures() == {}
    clock.advance(3600)
    _eventually(site.opened.evidence.figures)
    assert site.opened.evidence.figures()["ask"].permitted == 2
    _eventually(lambda: log.give("checkpoint").body.split(b"\n")[1] == b"2")
    collect(site)
    site.close()
    clock.advance(3600)
    site.open(tmp_path, clock=clock)
    _eventually(lambda: site.opened.evidence.figures()["ask"].permitted == 4)
    site.close()


@pytest.mark.parametrize("every", [0, -1.0, float("inf"), float("nan")])
def test_an_interval_in_which_the_ledger_cannot_be_integrated_is_refused(tmp_path: Path, every: float) -> None:
    with pytest.raises(SetupError, match="cannot be integrated every"):
        club().open(tmp_path, ledger_every=every)


def test_the_ledger_of_an_earlier_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    """It was a chain: no commitments, no tiles, and a head that was not signed."""
    site = club()
    site.open(tmp_path / "head", background=False)
    site.close()
    (tmp_path / "head" / "ledger.checkpoint").rename(tmp_path / "head" / "ledger.head")
    with pytest.raises(LedgerError, match="is the head of a hash chain"):
        site.open(tmp_path / "head", background=False)
    site.open(tmp_path / "table", background=False)
    with site.opened.vault.store.writing() as connection:
        connection.exec_driver_sql("DROP TABLE avow_entry")
        connection.exec_driver_sql("CREATE TABLE avow_entry (number INTEGER PRIMARY KEY, body BLOB, root BLOB)")
    site.close()
    with pytest.raises(LedgerError, match="is a hash chain"):
        site.open(tmp_path / "table", background=False)


def test_the_log_keeps_its_name_and_key_when_the_policy_calls_the_site_otherwise(tmp_path: Path) -> None:
    keys = []
    for name in ("club", "society"):
        site = club()
        site.policy.site = name
        site.open(tmp_path, background=False)
        keys.append(site.opened.sequencer.signer.key)
        collect(site)
        site.opened.sequencer.run()
        site.close()
    assert keys[0] == keys[1]
    assert keys[0].name == "club/ledger"


def _spoil(folder: Path, name: str) -> None:
    if name == "keyring missing":
        (folder / "keyring").unlink()
    elif name == "keyring of another":
        (folder / "other").mkdir()
        other = club()
        other.open(folder / "other", background=False)
        other.close()
        (folder / "other" / "keyring").replace(folder / "keyring")
    elif name == "database damaged":
        (folder / "site.db").write_bytes(b"x" * 10_000)
        for side in ("site.db-wal", "site.db-shm"):
            (folder / side).unlink(missing_ok=True)
    elif name == "ledger checkpoint missing":
        (folder / "ledger.checkpoint").unlink()
    elif name == "database exchanged for an empty one":
        for side in ("site.db", "site.db-wal", "site.db-shm"):
            (folder / side).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("keyring missing", KeyringError),
        ("keyring of another", KeyringError),
        ("database damaged", StoreError),
        ("ledger checkpoint missing", LedgerError),
        ("database exchanged for an empty one", StoreError),
    ],
)
def test_an_installation_that_does_not_fit_together_is_not_served(
    tmp_path: Path, name: str, kind: type[Exception]
) -> None:
    site = club()
    site.open(tmp_path, background=False)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")
    site.opened.sequencer.run()
    site.close()
    _spoil(tmp_path, name)
    with pytest.raises(kind) as caught:
        site.open(tmp_path, background=False)
    assert getattr(caught.value, "help", None)
    with pytest.raises(SetupError, match="not open"):
        site.acting("desk", "lending")


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ({"printer": "https://127.0.0.1/"}, "`printer`, which the policy does not declare"),
        ({"bank": "https://127.0.0.1/"}, "no address is configured for `binder`, `mail`"),
    ],
)
def test_endpoints_must_fit_the_policy(tmp_path: Path, endpoints: dict[str, str], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        club().open(tmp_path, endpoints=endpoints)


def test_routes_must_say_what_they_are_for(tmp_path: Path) -> None:
    site: Any = club()
    site.routes.append(Route("/hidden", lambda request: PlainTextResponse("x")))
    with pytest.raises(SetupError, match="`/hidden`"):
        site.open(tmp_path)
    for kind, (role, purpose, place) in {
        "role": ("boss", "lending", "hall"),
        "purpose": ("desk", "fun", "hall"),
        "place": ("desk", "lending", "attic"),
    }.items():
        site = club()
        endpoint = acts(role, purpose, place)(lambda request: PlainTextResponse("x"))
        site.routes.append(Route("/wrong", endpoint))
        with pytest.raises(SetupError, match=f"names the {kind}"):
            site.open(tmp_path)


def test_a_site_is_open_once_and_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    site = club()
    site.open(tmp_path, background=False)
    with pytest.raises(SetupError, match="open already"):
        site.open(tmp_path)
    site.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        site.open(tmp_path / "file" / "data")


def test_no_endpoint_is_needed_to_look_around_but_to_send(tmp_path: Path) -> None:
    site = club()
    site.open(tmp_path, background=False)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="A", email="a@example.org", address="1 Lane")
        with pytest.raises(SetupError, match="no address is configured for `mail`"):
            work.send("notice", member)
    site.close()


def test_a_table_that_is_no_record_is_refused(tmp_path: Path) -> None:
    site = club()
    Table("leads", site.Record.metadata, Column("email", Text))
    with pytest.raises(SetupError, match="`leads` is no record"):
        site.open(tmp_path)


def test_a_timeout_longer_than_what_silence_is_taken_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"timeout of 60\.0 s"):
        club().open(tmp_path, timeout=60.0)


def test_a_checkpoint_that_a_crash_left_behind_is_caught_up(tmp_path: Path) -> None:
    site = club()
    site.open(tmp_path, background=False)
    old = (tmp_path / "ledger.checkpoint").read_bytes()
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")
    site.opened.sequencer.run()
    new = (tmp_path / "ledger.checkpoint").read_bytes()
    site.close()
    (tmp_path / "ledger.checkpoint").write_bytes(old)
    site.open(tmp_path, background=False)
    site.close()
    assert (tmp_path / "ledger.checkpoint").read_bytes() == new != old


def test_a_secret_opens_what_it_was_made_for_and_nothing_else(tmp_path: Path) -> None:
    site = club()
    site.open(tmp_path, background=False)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")
        uses = ("", "stop", "reset:1", "reset:2")
        secrets = [work.secret(member, use) for use in uses]
        assert len(set(secrets)) == 4
        for use in uses:
            for secret, made_for in zip(secrets, uses, strict=True):
                assert (work.found(site.Member, secret, use) is member) == (use == made_for)
    with site.acting("desk", "lending", place="hall") as work:
        assert work.presented(site.Member, secrets[1], "stop", fact="done(stop)").id == member.id
        assert work.unit.viewer == member.person
        assert work.unit.facts == {"done(stop)": True}
    with site.acting("desk", "lending") as work, pytest.raises(SetupError, match="no link `stop`"):
        site.opened.link(work, member, "stop")
    site.close()


@pytest.mark.parametrize("kind", ["roles", "purposes"])
def test_a_policy_without_roles_or_purposes_serves_no_site(tmp_path: Path, kind: str) -> None:
    front = {"roles": "roles: {desk: {label: the desk}}", "purposes": "purposes: {one: {label: one}}"}
    del front[kind]
    (tmp_path / "policy.md").write_text(
        "---\nsite: bare\ntitle: Bare\nversion: '1'\neffective: 2026-11-22\n"
        "contact: {email: a@b.example}\ncategories: {name: user.name}\nsubjects: {customer: customer}\n"
        f"{front.popitem()[1]}\n---\n\n# Bare\n\nWe keep your name.\n\n"
        "```avow #name\nmay keep name about customer\n```\n"
    )
    with pytest.raises(SetupError, match=f"declares no {kind.removesuffix('s')}"):
        Site(tmp_path / "policy.md")


def test_visits_are_noted_for_a_purpose_of_the_policy() -> None:
    """A policy that knows all the fields of a visit, and calls what they are noted for something else."""
    policy = Path(__file__).parents[2] / "sites" / "mailhost" / "policy.md"
    with pytest.raises(SetupError, match="`selection`, which is no purpose of the policy") as refusal:
        Site(policy)
    assert refusal.value.help
    assert Site(policy, visits_for="traffic").visit is not None
