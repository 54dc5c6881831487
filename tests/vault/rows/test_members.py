"""S6: what members give is theirs to see and change; nobody else, nor a thief of the database, reads or forges it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from avow import password_fits
from avow.errors import SealedError
from avow.vault.sealed import Given

from .hedgerow import hedgerow, join
from .service import Service, refuses, shown

PASSWORD = "a hedgehog under the hawthorn"


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(hedgerow())


@pytest.fixture(scope="module")
def hazel(service: Service) -> str:
    return join(service, "hazel", PASSWORD)


def own(service: Service, work: Any, kind: Any, person: str) -> Any:
    """A record of a person, who is the one who is here."""
    record = service.of(work, kind, person)
    work.recognise(record, "logged_in(subject)")
    return record


@pytest.mark.promise("S6", "works")
def test_a_member_logs_in_by_a_slow_hash_or_a_passkey_and_sees_what_is_theirs(service: Service, hazel: str) -> None:
    site = service.site
    with service.acting("website", "operation", "profile") as work:
        member = own(service, work, site.Member, hazel)
        assert member.passkey.open() == "half-key of hazel"
        assert shown(work, member.email, member.username) == ["hazel@hedge.example", "hazel"]
        stored = member.password._reveal()
        assert stored.startswith("$argon2id$")
        assert password_fits(PASSWORD, stored)
        assert not password_fits(PASSWORD + ".", stored)


@pytest.mark.promise("S6", "works")
def test_a_backup_brings_back_what_an_intruder_destroyed(service: Service, tmp_path: Path) -> None:
    site, person = service.site, join(service, "rowan", PASSWORD)
    folder = service.back_up(tmp_path / "backup")
    service.sql("DELETE FROM hedgerow_order")
    service.sql("UPDATE hedgerow_member SET email = :nonsense", nonsense=b"nonsense")
    service.put_back(folder)
    with service.acting("website", "operation", "orders") as work:
        assert shown(work, own(service, work, site.Order, person).items) == ["seeds for rowan"]
        assert shown(work, own(service, work, site.Member, person).email) == ["rowan@hedge.example"]


@pytest.mark.promise("S6", "works")
def test_a_member_changes_their_address(service: Service) -> None:
    site, person = service.site, join(service, "alder", PASSWORD)
    with service.acting("website", "operation", "profile", submitted__form=True) as work:
        own(service, work, site.Member, person)
        assert work.unit.judge("change", "contact.email", role="member", place="profile").permitted


@pytest.mark.promise("S6", "holds")
def test_another_member_a_visitor_and_unassigned_staff_see_nothing(service: Service, hazel: str) -> None:
    site, other = service.site, join(service, "sorrel", PASSWORD)
    for kind, name in ((site.Member, "email"), (site.Member, "username"), (site.Order, "items")):
        with service.acting("website", "operation", "profile") as work:
            own(service, work, site.Member, other)
            with refuses("own-record"):
                shown(work, getattr(service.of(work, kind, hazel), name))
        with service.acting("website", "operation", "profile") as work, refuses("own-record"):
            shown(work, getattr(service.of(work, kind, hazel), name))
        for role in ("support", "editor"):
            with service.desk(role, "customer_service", "console") as work:
                value = getattr(service.of(work, kind, hazel), name)
                with refuses("own-record"):
                    shown(work, value)
                with refuses("staff"):
                    value.open()


@pytest.mark.promise("S6", "holds")
def test_the_hash_is_shown_to_nobody_and_the_password_kept_nowhere(service: Service, hazel: str) -> None:
    site = service.site
    with service.acting("website", "operation", "profile") as work:
        member = own(service, work, site.Member, hazel)
        with refuses("password"):
            shown(work, member.password)
    with refuses("password"), service.acting("website", "operation", "registration", submitted__form=True) as work:
        given = Given("account.password", PASSWORD)
        work.collect(site.Member, person=work.person(), email="a@b.example", password=given)
    with (
        refuses("no-other-purpose"),
        service.acting("website", "operation", "registration", submitted__form=True) as work,
    ):
        work.derive("account.username", [Given("account.password", PASSWORD)], str.upper)


@pytest.mark.promise("S6", "holds")
def test_nothing_is_taken_over_an_open_line(service: Service) -> None:
    site = service.site
    facts = {"submitted(form)": True}
    with (
        refuses("encrypted"),
        site.acting("website", "operation", place="registration", channel="http", facts=facts) as work,
    ):
        work.collect(site.Member, person=work.person(), email="a@b.example", password="x")


@pytest.mark.promise("S6", "holds")
def test_only_the_member_changes_or_deletes_what_is_theirs(service: Service, hazel: str) -> None:
    site = service.site
    for role in ("website", "support", "editor"):
        with refuses("own-changes"), service.acting(role, "operation", "profile", submitted__form=True) as work:
            work.update(service.of(work, site.Member, hazel), email="mallory@hedge.example")
        with refuses("own-changes"), service.acting(role, "operation", "orders") as work:
            work.remove(service.of(work, site.Order, hazel))
    with service.acting("website", "operation", "profile") as work, refuses("own-changes"):
        service.of(work, site.Member, hazel)  # nobody is logged in
        work.unit.judge("change", "contact.email", role="member", place="profile")


@pytest.mark.promise("S6", "holds")
def test_a_thief_of_database_and_backup_reads_nothing(service: Service, hazel: str, tmp_path: Path) -> None:
    folder = service.back_up(tmp_path / "backup")
    left = service.stored() + b"".join(file.read_bytes() for file in folder.iterdir())
    for told in (PASSWORD, "hazel@", "seeds for", "half-key of", "argon2id$", "hedge.example"):
        assert told.encode() not in left.replace(b"hedgerow", b"")
    assert not re.search(rb"(?<![\w+/])hazel(?![\w+/])", left)  # five letters are in many a base64
    assert hazel.encode() in left


@pytest.mark.promise("S6", "holds")
def test_what_was_altered_is_noticed_within_a_day_though_nobody_opens_it(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    person = join(service, "hawthorn", PASSWORD)
    service.rounds()
    assert service.events("verify")[-1] == "done"
    checked = len(service.events("verify"))
    service.rounds()
    assert len(service.events("verify")) == checked  # once a day
    service.sql("UPDATE hedgerow_order SET items = :bytes WHERE member = :person", bytes=b"\1" * 90, person=person)
    service.clock.advance(86_400)
    service.rounds()
    assert service.events("verify")[checked:] == ["failed"]
    assert "hedgerow_order.items of record" in caplog.text
    service.sql("DELETE FROM hedgerow_order WHERE member = :person", person=person)


def flipped(service: Service, person: str) -> bytes:
    """The sealed mail address of a member with one bit changed."""
    table = service.site.Member.__table__
    with service.site.opened.vault.store.reading() as connection:
        sealed = connection.scalars(select(table.c.email).where(table.c.member == person)).one()._envelope
    return bytes(sealed[:-1]) + bytes([sealed[-1] ^ 1])


@pytest.mark.promise("S6", "holds")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE hedgerow_member SET email = (SELECT email FROM hedgerow_member WHERE member = :you) WHERE member = :me",
        "UPDATE hedgerow_member SET email = username WHERE member = :me AND :you <> ''",
        "UPDATE hedgerow_member SET email = :bytes WHERE member = :me AND :you <> ''",
        "UPDATE hedgerow_member SET id = (SELECT id FROM hedgerow_order WHERE member = :you) WHERE member = :me",
    ],
)
def test_a_value_that_was_changed_or_moved_does_not_open(service: Service, change: str) -> None:
    site, mine, other = service.site, join(service, "birch", PASSWORD), join(service, "willow", PASSWORD)
    values: dict[str, object] = {"me": mine, "you": other}
    if ":bytes" in change:
        values["bytes"] = flipped(service, mine)
    service.sql(change, **values)
    with service.acting("website", "operation", "profile") as work:
        member = own(service, work, site.Member, mine)
        with pytest.raises(SealedError):
            shown(work, member.email)
