"""Files out: one known host key or nothing, whole files or none, and never the same file twice."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, SetupError, Unreachable
from avow.outbound.sftp import SftpChannel, fingerprint
from avow.testing.supplier_sftp import SftpSupplier
from tests.campaigns.tapped import TappedSftpSupplier
from tests.outbound.servers import served

LINE = b'{"contact.name": "Canary Q7"}\n'
FIELDS = {"contact.name": "Canary Q7"}


@pytest.fixture
def supplier(tmp_path: Path) -> Iterator[SftpSupplier]:
    with SftpSupplier(tmp_path) as peer:
        yield peer


def channel(peer: SftpSupplier, timeout: float = 5.0, **changes: Any) -> SftpChannel:
    given: dict[str, Any] = {"url": peer.url, "user": "shop", "key": peer.key, "host_key": peer.host_key, **changes}
    return SftpChannel(given.pop("url"), timeout=timeout, **given)


def operations(peer: SftpSupplier) -> list[str]:
    return [said[0] for said in peer.said]


def test_a_file_is_written_aside_made_durable_and_then_named(supplier: SftpSupplier) -> None:
    assert channel(supplier).put("a1.jsonl", LINE)
    (order,) = supplier.orders
    assert (order.attempt, order.fields, order.content) == ("a1", FIELDS, LINE)
    assert list(supplier.said) == [
        ("lstat", "/orders/a1.jsonl"), ("open", "/orders/.a1.jsonl.part"), ("write",), ("fsync",), ("close",),
        ("posix_rename", "/orders/.a1.jsonl.part", "/orders/a1.jsonl"),
    ]  # fmt: skip
    assert list(supplier.files) == ["/orders/a1.jsonl"]


def test_a_large_file_arrives_whole(supplier: SftpSupplier) -> None:
    content = os.urandom(300_000)
    channel(supplier).put("large", content)
    assert bytes(supplier.files["/orders/large"].content) == content


def test_the_same_name_again_is_not_written_again(supplier: SftpSupplier) -> None:
    assert channel(supplier).put("a1.jsonl", LINE)
    assert not channel(supplier).put("a1.jsonl", b'{"contact.name": "somebody else"}\n')
    assert [order.fields for order in supplier.orders] == [FIELDS]


@pytest.mark.parametrize("way", ["fails_midway", "silent"])
def test_an_answer_that_does_not_come_leaves_the_outcome_unknown_and_the_next_attempt_finds_the_file(
    supplier: SftpSupplier, way: str
) -> None:
    if way == "silent":
        supplier.slow = 30.0
    else:
        supplier.fails_midway = True
    with pytest.raises(OutcomeUnknown, match="was sent the file, but"):
        channel(supplier, timeout=2.0).put("a1.jsonl", LINE)
    supplier.slow, supplier.fails_midway = 0.0, False
    assert not channel(supplier).put("a1.jsonl", LINE)
    assert len(supplier.orders) == 1


def test_half_a_file_never_has_its_name_and_is_written_anew(supplier: SftpSupplier) -> None:
    supplier.silent = {"fsync"}
    with pytest.raises(OutcomeUnknown, match="no answer in time"):
        channel(supplier, timeout=2.0).put("a1.jsonl", LINE)
    assert (list(supplier.files), supplier.orders) == (["/orders/.a1.jsonl.part"], ())
    supplier.silent = set()
    assert channel(supplier).put("a1.jsonl", b"{}\n")
    assert [order.content for order in supplier.orders] == [b"{}\n"], "nothing of the first attempt is left in it"


def test_a_server_without_fsync_and_posix_rename_gets_the_file_too(supplier: SftpSupplier) -> None:
    supplier.lacks = {"fsync", "posix_rename"}
    assert channel(supplier).put("a1.jsonl", LINE)
    assert operations(supplier)[-2:] == ["posix_rename", "rename"]
    assert [order.fields for order in supplier.orders] == [FIELDS]


def test_a_folder_to_drop_files_into_need_not_be_readable(supplier: SftpSupplier) -> None:
    supplier.refuses = {"lstat"}
    assert channel(supplier).put("a1.jsonl", LINE)
    assert len(supplier.orders) == 1


@pytest.mark.parametrize("operation", ["open", "write", "fsync", "posix_rename"])
def test_what_the_server_refuses_is_refused_for_good_and_nothing_is_left_there(
    supplier: SftpSupplier, operation: str
) -> None:
    supplier.refuses = {operation}
    with pytest.raises(Rejected, match=r"refused the (file|folder)"):
        channel(supplier).put("a1.jsonl", LINE)
    assert (supplier.orders, supplier.files) == ((), {})


def test_a_folder_that_is_not_there_is_refused_for_good(supplier: SftpSupplier) -> None:
    with pytest.raises(Rejected, match=r"refused the folder[\s\S]*check that the folder in the address exists"):
        channel(supplier, url=f"sftp://127.0.0.1:{supplier.port}/elsewhere").put("a1.jsonl", LINE)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("", "a"), ("/", "a"), ("/orders", "/orders/a"), ("/~", "a"), ("/~/in", "in/a"), ("/~in", "/~in/a")],
)
def test_the_folder_is_absolute_or_below_the_login_folder(supplier: SftpSupplier, path: str, asked: str) -> None:
    supplier.refuses = {"open"}
    with pytest.raises(Rejected):
        channel(supplier, url=f"sftp://127.0.0.1:{supplier.port}{path}").put("a", LINE)
    assert supplier.said[0] == ("lstat", asked)


# -- who is there ---------------------------------------------------------------------------------------


def test_the_host_key_may_be_given_as_a_fingerprint_or_as_a_line(supplier: SftpSupplier) -> None:
    for given in (supplier.host_key, supplier.host_key_line, f"127.0.0.1 {supplier.host_key_line} comment"):
        assert channel(supplier, host_key=given).fingerprint == supplier.host_key
    assert channel(supplier, host_key=supplier.host_key_line).put("a1.jsonl", LINE)


@pytest.mark.promise("I7", "holds")
def test_another_host_key_gets_nothing_not_even_the_user_name(supplier: SftpSupplier) -> None:
    known = channel(supplier)
    supplier.change_host_key()
    with pytest.raises(Rejected, match=r"not the configured SHA256:.*nothing was sent") as caught:
        known.put("a1.jsonl", LINE)
    assert supplier.host_key in str(caught.value), "the key that was shown, to compare it with"
    assert (list(supplier.users), list(supplier.said), supplier.files) == ([], [], {})


@pytest.mark.promise("I7", "holds")
def test_a_host_key_that_the_user_knows_is_not_known_here(
    supplier: SftpSupplier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither ~/.ssh/known_hosts nor ~/.ssh/config nor an agent has a say."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{supplier.port} {supplier.host_key_line}\n")
    (home / ".ssh" / "config").write_text(f"Host *\n  User shop\n  IdentityFile {supplier.key}\n")
    (home / ".ssh" / "id_ed25519").write_bytes(supplier.key.read_bytes())
    heard: list[bytes] = []
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen()
    agent.setblocking(False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    other = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(Rejected, match="shows the host key"):
        channel(supplier, host_key=other.get_fingerprint("sha256")).put("a1.jsonl", LINE)
    stranger = tmp_path / "stranger.key"
    stranger.touch(0o600)
    stranger.write_bytes(other.export_private_key())
    with pytest.raises(Rejected, match="refused the login"):
        channel(supplier, key=stranger).put("a1.jsonl", LINE)
    with pytest.raises(BlockingIOError):
        heard.append(agent.accept()[0].recv(1))
    agent.close()
    assert supplier.files == {}


def test_a_refused_login_is_refused_for_good_and_no_password_is_tried(supplier: SftpSupplier) -> None:
    with pytest.raises(Rejected, match="refused the login of the configured user"):
        channel(supplier, user="eve").put("a1.jsonl", LINE)
    assert set(supplier.users) == {"eve"}
    assert not supplier.files


def test_a_server_that_lets_everybody_in_gets_nothing(tmp_path: Path) -> None:
    class Open(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return False

    with SftpSupplier(tmp_path, options={"server_factory": Open}) as peer:
        with pytest.raises(Rejected, match="refused the login"):
            channel(peer).put("a1.jsonl", LINE)
        assert not peer.files


OLD = {
    "key exchange of SHA-1": {"kex_algs": ["diffie-hellman-group14-sha1"]},
    "key exchange over finite fields": {"kex_algs": ["diffie-hellman-group14-sha256"]},
    "CBC": {"encryption_algs": ["aes256-cbc"]},
    "CTR": {"encryption_algs": ["aes256-ctr"]},
    "RSA host key": {"server_host_keys": [asyncssh.generate_private_key("ssh-rsa", key_size=2048)]},
    "ECDSA host key": {"server_host_keys": [asyncssh.generate_private_key("ecdsa-sha2-nistp256")]},
}


@pytest.mark.promise("I7", "holds")
@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")  # it is deprecated: that is the point
@pytest.mark.parametrize("options", OLD.values(), ids=OLD.keys())
def test_a_server_without_up_to_date_encryption_gets_nothing(tmp_path: Path, options: dict[str, Any]) -> None:
    with SftpSupplier(tmp_path, options=options) as peer:
        asyncio.run(lenient(peer, {name: value for name, value in options.items() if name != "server_host_keys"}))
        peer.users.clear()
        with pytest.raises(DeliveryError, match="nothing was sent") as caught:
            channel(peer).put("a1.jsonl", LINE)
        # Both ends notice at once. If the server hangs up before its offer was read, nobody can say why.
        assert "offers no up-to-date encryption" in str(caught.value) or isinstance(caught.value, Unreachable)
        assert (list(peer.users), peer.files) == ([], {})


async def lenient(peer: SftpSupplier, options: dict[str, Any]) -> None:
    """A client that agrees to anything comes in: it is the encryption, and nothing else, that is refused."""
    async with asyncssh.connect(
        "127.0.0.1", peer.port, username="shop", client_keys=[peer.key], known_hosts=None, config=None, agent_path=None,
        **options,
    ):  # fmt: skip
        assert list(peer.users) == ["shop"]


@pytest.mark.parametrize(
    "cipher", ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"]
)
def test_each_permitted_cipher_works(tmp_path: Path, cipher: str) -> None:
    with SftpSupplier(tmp_path, options={"encryption_algs": [cipher]}) as peer:
        assert channel(peer).put("a1.jsonl", LINE)


# -- what can be known afterwards -----------------------------------------------------------------------


def test_a_server_that_is_down_is_unreachable_and_taken_up_again(supplier: SftpSupplier) -> None:
    supplier.down = True
    with pytest.raises(Unreachable, match="nothing listens there; nothing was sent"):
        channel(supplier).put("a1.jsonl", LINE)
    supplier.down = False
    assert channel(supplier).put("a1.jsonl", LINE)


def test_a_server_that_does_not_speak_ssh_is_unreachable(supplier: SftpSupplier) -> None:
    for said in (b"220 mail\r\n", b"SSH-1.5-old\r\n", b"\xff" * 9000, b""):
        with served(lambda client, said=said: client.sendall(said), listens=False) as server:  # type: ignore[misc]
            lost = channel(supplier, url=f"sftp://127.0.0.1:{server.port}", timeout=1.0)
            with pytest.raises(Unreachable, match="nothing was sent"):
                lost.put("a1.jsonl", LINE)
        assert b"Canary" not in server.read


@pytest.mark.parametrize("operation", ["lstat", "open"])
def test_a_server_that_falls_silent_before_the_content_is_unreachable(supplier: SftpSupplier, operation: str) -> None:
    supplier.silent = {operation}
    with pytest.raises(Unreachable, match="no answer in time"):
        channel(supplier, timeout=2.0).put("a1.jsonl", LINE)


def test_a_server_that_says_nothing_meets_the_deadline(supplier: SftpSupplier) -> None:
    release = threading.Event()
    with served(lambda client: release.wait(20), listens=False) as server:
        with pytest.raises(Unreachable, match="no answer in time"):
            channel(supplier, url=f"sftp://127.0.0.1:{server.port}", timeout=0.5).put("a1.jsonl", LINE)
        release.set()


def test_no_error_and_no_log_line_holds_what_was_sent_or_answered(
    supplier: SftpSupplier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncssh.set_debug_level(3)
    try:
        channel(supplier).put("a1.jsonl", LINE)
        supplier.refuses = {"posix_rename"}
        with pytest.raises(DeliveryError) as caught:
            channel(supplier).put("a2.jsonl", LINE)
    finally:
        asyncssh.set_debug_level(1)
    assert "not here" not in str(caught.value), "the server's own words"
    assert caught.value.__context__ is None, "no error of the library hangs on"
    assert [record.name for record in caplog.records if record.name != "asyncio"] == []
    assert "Canary" not in caplog.text


@pytest.mark.promise("I7", "holds")
def test_not_even_asyncio_in_its_debug_mode_logs_the_words_of_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin: Any = asyncio.base_events.BaseEventLoop.__init__

    def talkative(loop: Any) -> None:
        begin(loop)
        loop.slow_callback_duration = 0.0  # each step of each task is logged, with what became of it

    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "__init__", talkative)
    caplog.set_level(logging.DEBUG)
    with TappedSftpSupplier(tmp_path, name="supplier") as peer:
        peer.says = {"open": "we do not know Canary Q7"}
        with pytest.raises(Rejected):
            channel(peer).put("a1", LINE)
    assert "took" in caplog.text, "the server's own loop is not quiet"
    assert [r for r in caplog.records if r.thread == threading.get_ident() and "Canary" in r.getMessage()] == []


def test_threads_share_a_channel(supplier: SftpSupplier) -> None:
    shared = channel(supplier)
    threads = [threading.Thread(target=shared.put, args=(f"t{n}.jsonl", LINE)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {order.attempt for order in supplier.orders} == {f"t{n}" for n in range(8)}


# -- what cannot even be set up -------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "SHA256:short", "MD5:00", "ssh-rsa AAAA", "ssh-ed25519 !!", "ssh-ed25519 AAAA"])
def test_what_is_no_host_key_is_refused_with_what_to_do(given: str) -> None:
    with pytest.raises(SetupError, match="help: write `SHA256"):
        fingerprint(given)


def test_the_fingerprint_is_the_one_that_openssh_prints(supplier: SftpSupplier, tmp_path: Path) -> None:
    (tmp_path / "host.pub").write_text(f"{supplier.host_key_line}\n")
    printed = subprocess.run(["ssh-keygen", "-lf", tmp_path / "host.pub"], capture_output=True, text=True, check=True)
    assert fingerprint(supplier.host_key_line) == printed.stdout.split()[1] == supplier.host_key


@pytest.mark.parametrize("url", ["ftp://h/", "http://h/", "sftp://", "sftp://shop:pw@h/", "sftp://shop@h/", "h:22"])
def test_any_other_address_is_refused(supplier: SftpSupplier, url: str) -> None:
    with pytest.raises(SetupError, match="help:"):
        channel(supplier, url=url)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../a", "a b", "a\n", "ä", "a" * 121])
def test_a_file_name_says_nothing_and_leads_nowhere(supplier: SftpSupplier, name: str) -> None:
    with pytest.raises(SetupError, match="name of a file"):
        channel(supplier).put(name, LINE)
    assert not supplier.users


def test_a_private_key_must_be_the_owners_alone_and_of_a_kind_that_is_used(
    supplier: SftpSupplier, tmp_path: Path
) -> None:
    supplier.key.chmod(0o640)
    with pytest.raises(SetupError, match=r"open to others.*0640\n  help: chmod 600"):
        channel(supplier)
    for content in (
        b"",
        b"no key",
        asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_private_key(),
        asyncssh.generate_private_key("ssh-ed25519").export_private_key("pkcs8-pem", passphrase="secret"),
    ):
        (tmp_path / "odd").touch(0o600)
        (tmp_path / "odd").write_bytes(content)
        with pytest.raises(SetupError, match="is not an Ed25519 key without passphrase"):
            channel(supplier, key=tmp_path / "odd")
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        channel(supplier, key=tmp_path / "none")
