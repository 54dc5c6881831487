"""Signatures of mails: another library verifies them, and whatever is changed on the way breaks them."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from threading import Thread

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from avow.errors import SetupError
from avow.outbound.dkim import RSA_BITS, Signer
from avow.outbound.smtp import SmtpChannel
from avow.testing.mailbox import Mailbox

SHOP, ANN = "shop@shop.example", "ann@example.org"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("keys"), "shop.example")


def letter(text: str = "Your issue\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": SHOP, "To": ANN, "Subject": "News", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def written(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=SMTP.clone(max_line_length=998))


def holds(signer: Signer, content: bytes) -> list[bool]:
    """What the verifier says of each signature, with the records that the signer publishes."""
    published = {f"{record.name}.".encode(): record.text.encode() for record in signer.records()}
    found = []
    for number in range(2):
        try:
            verified = dkim.DKIM(content).verify(number, dnsfunc=lambda name, timeout=5: published.get(name))
        except dkim.ValidationError:
            verified = False
        found.append(bool(verified))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Hello\n",
        "",
        "\n\n",
        "trailing  \n\ttabs\t \n\n\n",
        "no end of line",
        "Grüße\n",
        ".\n..\n",
        "long " * 400 + "\n",
    ],
)
def test_both_signatures_hold(signer: Signer, text: str) -> None:
    content = written(letter(text, List_Unsubscribe=f"<https://shop.example/stop/{'x' * 90}>, <mailto:{SHOP}>"))
    assert holds(signer, signer.sign(content) + content) == [True, True]


def test_they_hold_for_what_arrives(signer: Signer) -> None:
    """Over a real server, dots doubled and undone, the long link in one piece."""
    link = f"<https://www.shop.example/stop/{'x' * 43}>, <mailto:{SHOP}?subject=unsubscribe>"
    with Mailbox() as peer:
        channel = SmtpChannel(peer.url, ca=peer.ca, sign=signer.sign)
        channel.send(letter(".dot\n..two\n", List_Unsubscribe=link), sender=SHOP, recipient=ANN)
        [mail] = peer.wait_for(1)
    assert holds(signer, mail.content) == [True, True]
    assert f"List-Unsubscribe: {link}\r\n".encode() in mail.content


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"Your issue", b"Your fine"),
        (b"Subject: News", b"Subject: Olds"),
        (b"From: shop@shop.example", b"From: shop@shop.example.evil.example"),
        (b"Subject: News", b"Subject: News\r\nFrom: other@evil.example"),
        (b"Subject: News", b"Subject: News\r\nSubject: Olds"),
        (b"Subject: News", b"Subject: News\r\nReply-To: other@evil.example"),
        (b"Subject: News", b"Subject: News\r\nList-Unsubscribe: <https://evil.example/>"),
        (b"Subject: News", b"Subject: News\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        (b"Your issue\r\n", b"Your issue\r\nand more\r\n"),
    ],
)
def test_what_is_changed_or_added_on_the_way_breaks_both(signer: Signer, was: bytes, becomes: bytes) -> None:
    content = written(letter())
    changed = content.replace(was, becomes, 1)
    assert changed != content
    assert holds(signer, signer.sign(content) + changed) == [False, False]


def test_spaces_that_servers_change_break_nothing(signer: Signer) -> None:
    content = written(letter("a  b\n"))
    changed = content.replace(b"Subject: News", b"SUBJECT:\r\n  News ").replace(b"a  b", b"a b ") + b"\r\n\r\n"
    assert holds(signer, signer.sign(content) + changed) == [True, True]


def test_another_key_does_not_pass(signer: Signer, tmp_path: Path) -> None:
    content = written(letter())
    assert holds(signer, Signer(tmp_path, "shop.example").sign(content) + content) == [False, False]


def test_the_keys_are_made_once_for_their_owner_alone_and_kept(tmp_path: Path) -> None:
    first = Signer(tmp_path, "shop.example")
    first.check()  # nothing is there yet, and nothing is made
    assert not list(tmp_path.iterdir())
    records = first.records()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["dkim-ed25519.pem", "dkim-rsa.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    rsa = load_pem_private_key((tmp_path / "dkim-rsa.pem").read_bytes(), None)
    assert isinstance(rsa, RSAPrivateKey)
    assert rsa.key_size == RSA_BITS
    assert Signer(tmp_path, "shop.example").records() == records


def test_signers_that_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    found = []
    threads = [Thread(target=lambda: found.append(Signer(tmp_path, "shop.example").records())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_record_is_a_line_of_a_zone_file_in_strings_that_are_short_enough(signer: Signer) -> None:
    for record in signer.records():
        name, kind, text = str(record).split(" ", 2)
        assert name.endswith("._domainkey.shop.example.")
        assert kind == "TXT"
        strings = text.strip('"').split('" "')
        assert "".join(strings) == record.text
        assert all(len(part) <= 255 for part in strings)


@pytest.mark.parametrize("name", ["dkim-rsa.pem", "dkim-ed25519.pem"])
def test_a_key_that_cannot_be_used_is_said_at_the_start(tmp_path: Path, name: str) -> None:
    Signer(tmp_path, "shop.example").records()
    file = tmp_path / name
    file.chmod(0o644)
    with pytest.raises(SetupError, match=r"open to others.*\n.*chmod 600"):
        Signer(tmp_path, "shop.example").check()
    file.chmod(0o600)
    file.write_text("no key")
    with pytest.raises(SetupError, match=r"is no \w+ key in PEM\n.*backup"):
        Signer(tmp_path, "shop.example").check()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be made"):
        Signer(tmp_path / "file", "shop.example").records()
