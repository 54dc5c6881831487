"""The suppliers: one attempt is one order, each shows what arrived, and each takes its protocol and nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from avow.errors import Rejected
from avow.outbound.address import Address
from avow.outbound.https import HttpsChannel
from avow.outbound.sftp import SftpChannel
from avow.outbound.smtp import SmtpChannel
from avow.outbound.ways import HttpsWay, MailWay, SftpWay, Way, json_line
from avow.testing.supplier import HttpsSupplier, Supplier
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import FILE_LIMIT, SftpSupplier

FIELDS = {"contact.name": "Zoë Canary", "order.items": "2 × quince\n1 × medlar\u2028"}


@pytest.fixture(params=["https", "sftp", "mail"])
def supplier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    kinds: dict[str, Any] = {
        "https": lambda: HttpsSupplier(name="grower"),
        "sftp": lambda: SftpSupplier(tmp_path, name="grower"),
        "mail": lambda: MailSupplier(name="grower"),
    }
    with kinds[request.param]() as peer:
        yield peer


def way_to(peer: Any) -> Way:
    address = Address.of(peer.address)
    if isinstance(peer, SftpSupplier):
        assert address.key is not None
        return SftpWay(SftpChannel(address.url, user=address.user, key=address.key, host_key=address.host_key))
    if isinstance(peer, MailSupplier):
        mailbox = address.endpoint.path.removeprefix("/")
        return MailWay(SmtpChannel(address.url, ca=peer.ca), mailbox=mailbox, sender="shop@shop.example")
    return HttpsWay(HttpsChannel(address.url, ca=peer.ca))


def test_an_order_arrives_field_by_field_under_its_attempt(supplier: Any) -> None:
    assert isinstance(supplier, Supplier)
    reply = way_to(supplier).hand_over("a1", FIELDS, 1_795_348_800.0)
    (order,) = supplier.orders
    assert (order.attempt, order.fields) == ("a1", FIELDS)
    assert reply == {"HTTPS": {"accepted": "a1"}, "SFTP": {"file": "a1.jsonl"}, "mail": {}}[supplier.way]


def test_the_same_attempt_again_is_the_same_order(supplier: Any) -> None:
    for attempt in ("a1", "a1", "a2"):
        way_to(supplier).hand_over(attempt, FIELDS, 0.0)
    assert [order.attempt for order in supplier.orders] == ["a1", "a2"]


def test_a_line_is_one_object_in_ascii_whatever_stands_in_it() -> None:
    line = json_line(FIELDS)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line) == FIELDS


@pytest.mark.parametrize(
    "body",
    [{}, {"reference": "7"}, {"reference": 7, "fields": {}}, {"reference": "7", "fields": [1]},
     {"reference": "7", "fields": {"contact.name": 1}}, {"reference": "7", "fields": {}, "note": "x"}],
)  # fmt: skip
def test_whatever_is_no_order_is_refused_over_https(body: Any) -> None:
    with HttpsSupplier() as peer:
        with pytest.raises(Rejected, match="400"):
            HttpsChannel(peer.url, ca=peer.ca).post(body, idempotency="k")
        assert peer.orders == ()


def test_the_same_key_with_another_content_is_refused_over_https() -> None:
    with HttpsSupplier() as peer:
        way_to(peer).hand_over("a1", FIELDS, 0.0)
        with pytest.raises(Rejected, match="422"):
            way_to(peer).hand_over("a1", {}, 0.0)


def test_a_mail_that_brings_no_order_is_none() -> None:
    with MailSupplier() as peer:
        for name, content in ((None, b""), ("a.txt", b"x"), ("a.jsonl", b"{}\n{}\n"), ("a.jsonl", b"[]\n")):
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "shop@shop.example", "orders@grower.example", "x"
            message.set_content("x")
            if name:
                message.add_attachment(content, maintype="application", subtype="jsonl", filename=name)
            channel = SmtpChannel(peer.url, ca=peer.ca)
            channel.send(message, sender="shop@shop.example", recipient="orders@grower.example")
        assert (len(peer.received), peer.orders) == (4, ())


# -- the SFTP server, to which foreign clients talk, too --------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[SftpSupplier]:
    with SftpSupplier(tmp_path) as peer:
        yield peer


def openssh(peer: SftpSupplier, folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """What the sftp program of OpenSSH does with these commands."""
    known = folder / "known"
    known.write_text(f"[127.0.0.1]:{peer.port} {peer.host_key_line}\n")
    options = ["BatchMode=yes", f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "IdentityAgent=none"]
    return subprocess.run(
        ["sftp", "-F", "none", "-b", "-", "-i", str(peer.key), "-P", str(peer.port),
         *(f"-o{option}" for option in options), "shop@127.0.0.1"],
        input="\n".join(commands), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_openssh_gets_along_with_it(shelf: SftpSupplier, tmp_path: Path) -> None:
    (tmp_path / "order").write_bytes(json_line(FIELDS))
    done = openssh(
        shelf, tmp_path, f"put {tmp_path / 'order'} /orders/.b7.part", "rename /orders/.b7.part /orders/b7.jsonl"
    )
    assert done.returncode == 0, done.stderr
    (order,) = shelf.orders
    assert (order.attempt, order.fields) == ("b7", FIELDS)


@pytest.mark.parametrize(
    "command",
    ["get /orders/a.jsonl", "get /etc/hostname", "ls /etc", "put KEY /etc/x", "put KEY /orders/../x", "mkdir /orders/x",
     "symlink /etc/passwd /orders/x", "ln /etc/passwd /orders/x", "rm /etc/hostname", "rename /etc/hostname /orders/x"],
)  # fmt: skip
def test_it_takes_orders_and_touches_nothing_of_this_computer(
    shelf: SftpSupplier, tmp_path: Path, command: str
) -> None:
    way_to(shelf).hand_over("a", FIELDS, 0.0)
    done = openssh(shelf, tmp_path, f"lcd {tmp_path}", command.replace("KEY", str(shelf.key)))
    assert done.returncode != 0
    assert "Canary" not in "".join(file.read_text() for file in tmp_path.iterdir())
    assert list(shelf.files) == ["/orders/a.jsonl"]
    assert Path("/etc/hostname").exists()
    (tmp_path / "a.jsonl").unlink(missing_ok=True)  # a client makes it before it asks for the content
    assert sorted(file.name for file in tmp_path.iterdir()) == ["known", "supplier.client.key"]


def test_it_gives_no_shell_and_forwards_nothing(shelf: SftpSupplier) -> None:
    async def attempt() -> None:
        async with asyncssh.connect(
            "127.0.0.1", shelf.port, username="shop", client_keys=[shelf.key], known_hosts=None, config=None,
            agent_path=None,
        ) as connection:  # fmt: skip
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.run("true", check=True)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", shelf.port)

    asyncio.run(attempt())


def test_it_takes_no_file_beyond_its_limit(shelf: SftpSupplier) -> None:
    address = Address.of(shelf.address)
    assert address.key is not None
    channel = SftpChannel(address.url, user=address.user, key=address.key, host_key=address.host_key)
    with pytest.raises(Exception, match="was sent the file, but"):
        channel.put("large", b"x" * (FILE_LIMIT + 1))
    assert shelf.files == {}


def test_its_key_is_the_owners_alone(shelf: SftpSupplier) -> None:
    assert shelf.key.stat().st_mode & 0o777 == 0o600
