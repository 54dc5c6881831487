"""Signed notes: read and written as Go's sumdb/note does, and nothing believed that no known key has signed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger.note import LARGEST_NOTE, Note, Signature, Signer, VerifierKey, open_note

# The example in the documentation of golang.org/x/mod/sumdb/note: a private key, its verifier key, and a note.
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
SECOND = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
WRITTEN = f"{TEXT}\n{LINE}".encode()

ANN = Signer.from_seed("log.example/ann", bytes(range(32)))
BOB = Signer.from_seed("log.example/bob", bytes(32))
NOTE = Note("one\n\ntwo\n").signed_by(ANN, BOB).encode()
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="+"), min_size=1)
LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), min_size=1)


def test_the_documented_note_is_written_and_read_as_by_go() -> None:
    signer = Signer.from_seed("PeterNeumann", base64.b64decode(PRIVATE.split("+", 4)[4])[1:])
    assert str(signer.key) == PUBLIC
    assert Note(TEXT).signed_by(signer).encode() == WRITTEN
    key = VerifierKey.parse(PUBLIC)
    assert key == signer.key
    for written in (WRITTEN, WRITTEN + SECOND.encode()):
        note, signed = open_note(written, [key])
        assert note.text == TEXT
        assert note.encode() == written
        assert signed == (key,)


def test_the_published_key_of_the_go_checksum_database_is_one() -> None:
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert str(VerifierKey.parse(text)) == text


@given(LINES, NAMES)
def test_a_signed_note_reads_back(lines: list[str], name: str) -> None:
    signer = Signer.from_seed(name, bytes(32))
    note = Note("".join(f"{line}\n" for line in lines)).signed_by(ANN, signer)
    assert Note.parse(note.encode()) == note
    assert open_note(note.encode(), [signer.key]) == (note, (signer.key,))
    assert VerifierKey.parse(str(signer.key)) == signer.key


def test_an_unknown_signature_is_passed_over_and_says_nothing() -> None:
    assert open_note(NOTE, [ANN.key])[1] == (ANN.key,)
    assert open_note(NOTE, [BOB.key, ANN.key])[1] == (ANN.key, BOB.key)
    # Of other kinds too, such as witnesses write: longer, and under another id.
    other = Note("one\n\ntwo\n", (Signature(ANN.key.name, b"\0\0\0\1", b"x" * 72),)).signed_by(ANN)
    assert open_note(other.encode(), [ANN.key])[1] == (ANN.key,)
    carl = Signer.from_seed("log.example/carl", b"c" * 32)
    for known in ([carl.key], []):
        with pytest.raises(
            LogError, match=f"none of the {len(known)} known keys has signed it; it is signed by log.example/a"
        ):
            open_note(NOTE, known)


def test_a_wrong_signature_of_a_known_key_is_an_error_beside_a_right_one() -> None:
    wrong = Signature(BOB.key.name, BOB.key.key_id, ANN.sign(b"one\n\ntwo\n"))
    note = Note("one\n\ntwo\n", (wrong,)).signed_by(ANN, BOB)
    assert open_note(note.encode(), [ANN.key])[1] == (ANN.key,)
    with pytest.raises(
        LogError, match=r"signature 1 of the note: it is not by the key log\.example/bob\+[0-9a-f]{8} that"
    ):
        open_note(note.encode(), [ANN.key, BOB.key])
    with pytest.raises(LogError, match="signature 1"):
        open_note(Note("one\n", (Signature(ANN.key.name, ANN.key.key_id, b"short"),)).encode(), [ANN.key])


def test_a_key_of_the_same_name_or_the_same_id_is_another() -> None:
    same_name = Signer.from_seed(ANN.key.name, b"d" * 32)
    with pytest.raises(LogError, match="none of the 1 known keys"):
        open_note(NOTE, [same_name.key])
    claimed = Note("three\n", (Signature("log.example/other", ANN.key.key_id, ANN.sign(b"three\n")),))
    with pytest.raises(LogError, match="none of the 1 known keys"):
        open_note(claimed.encode(), [ANN.key])


def test_no_changed_bit_opens() -> None:
    written = Note("one\ntwo\n").signed_by(ANN).encode()
    for bit in range(len(written) * 8):
        changed = bytearray(written)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LogError):
            open_note(bytes(changed), [ANN.key])


@given(st.integers(0, len(NOTE)), st.integers(0, 3), st.binary(max_size=3))
def test_what_is_read_is_written_the_same(at: int, gone: int, put: bytes) -> None:
    """One spelling for each note: a changed one is refused, or is the other note that it says."""
    changed = NOTE[:at] + put + NOTE[at + gone :]
    try:
        note = Note.parse(changed)
    except LogError:
        return
    assert note.encode() == changed


@pytest.mark.parametrize(
    "written",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        LINE,  # no text
        TEXT + LINE,  # no empty line
        f"{TEXT}\n{LINE}"[:-1],  # no newline at the end
        f"{TEXT}\n",
        f"{TEXT}\n{LINE}\n",
        f"{TEXT}\n{LINE}no signature\n",
        f"{TEXT}\n— PeterNeumann x08gow==\n",  # an id and no signature
        f"{TEXT}\n— PeterNeumann \n",
        f"{TEXT}\n— PeterNeumann\n",
        f"\n{LINE}",
    ],
)
def test_what_is_no_note_is_refused(written: str) -> None:
    with pytest.raises(LogError, match=r"the note: |of the note: "):
        Note.parse(written.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("— ", "- "),
        ("— ", "—"),
        ("PeterNeumann", "Peter Neumann"),
        ("PeterNeumann", "Peter+Neumann"),
        ("PeterNeumann", "Peter\u00a0Neumann"),
        ("=", ""),
        ("=", "=="),
        ("AM=", "AN="),  # the same bytes, spelled otherwise
        ("\n", "\r\n"),
        ("If", "\tIf"),
        ("answer", "answ\x00r"),
        ("answer", "answ\udcffr"),  # a byte that is not UTF-8
    ],
)
def test_what_is_no_note_any_more_is_refused(old: str, new: str) -> None:
    with pytest.raises(LogError, match=r"the note: |of the note: "):
        Note.parse(WRITTEN.decode().replace(old, new).encode(errors="surrogateescape"))


def test_a_note_has_at_most_a_hundred_signatures_and_a_million_bytes() -> None:
    hundred = Note("one\n").signed_by(*[ANN] * 100)
    assert Note.parse(hundred.encode()) == hundred
    with pytest.raises(LogError, match="there are 101, more than 100"):
        hundred.signed_by(BOB)
    more = hundred.encode() + hundred.encode().splitlines(keepends=True)[-1]
    with pytest.raises(LogError, match="there are more than 100"):
        Note.parse(more)
    rest = LARGEST_NOTE - len(Note("\n").signed_by(ANN).encode())
    largest = Note("x" * rest + "\n").signed_by(ANN)
    assert len(largest.encode()) == LARGEST_NOTE
    assert Note.parse(largest.encode()) == largest
    long = Note("x" * rest + "x\n").signed_by(ANN).encode()
    with pytest.raises(LogError, match=f"it has {len(long)} bytes, more than 1000000\n  help: fetch it again"):
        Note.parse(long)


@pytest.mark.parametrize(
    "text",
    ["", "no newline", "a\r\n", "a\tb\n", "half \ud800\n", "a\x00\n"],
    ids=["empty", "end", "cr", "tab", "half", "nul"],
)
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(LogError, match="text of the note: it must end with a newline"):
        Note(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\x01b", "a\u2003b", "\ud800"], ids=ascii)
def test_what_is_no_name_is_no_key(name: str) -> None:
    with pytest.raises(LogError, match="this is no name of a key"):
        VerifierKey(name, bytes(32))
    with pytest.raises(LogError, match="signature 1 of the note"):
        Note("one\n", (Signature(name, bytes(4), b"signature"),))


@pytest.mark.parametrize(("key_id", "signature"), [(b"abc", b"signature"), (b"abcde", b"signature"), (b"abcd", b"")])
def test_what_could_not_be_read_back_is_no_signature(key_id: bytes, signature: bytes) -> None:
    with pytest.raises(LogError, match="signature 1 of the note: it is not a key's name, a space, and the base64"):
        Note("one\n", (Signature("ann", key_id, signature),))


def test_a_key_that_signed_twice_is_told_once() -> None:
    assert open_note(Note("one\n").signed_by(ANN, BOB, ANN).encode(), [ANN.key])[1] == (ANN.key,)


def test_a_key_has_its_length() -> None:
    with pytest.raises(LogError, match="an Ed25519 public key has 32 bytes, this one 31"):
        VerifierKey("ann", bytes(31))
    with pytest.raises(LogError, match="an Ed25519 private key has 32 bytes, this one 33"):
        Signer.from_seed("ann", bytes(33))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "this is not the text of a key"),
        ("PeterNeumann", "this is not the text of a key"),
        (PUBLIC.replace("+AR", "+"), "not the text of a key|is of type"),
        (PUBLIC[:-1], "this is not the text of a key"),
        (PUBLIC + "\n", "this is not the text of a key"),
        (PUBLIC + "+", "this is not the text of a key"),
        (PRIVATE, "this is not the text of a key"),
        (f"Peter Neumann{PUBLIC[12:]}", "this is not the text of a key"),
        (PUBLIC.replace("c74f20a3", "c74f20a4"), "its id is c74f20a3, and its text says 'c74f20a4'"),
        (PUBLIC.replace("c74f20a3", "C74F20A3"), "its id is c74f20a3"),
        (PUBLIC.replace("c74f20a3", "0c74f20a3"), "its id is c74f20a3"),
        (PUBLIC.replace("PeterNeumann", "PeterNewman"), "its id is"),
        (PUBLIC.replace("+AR", "+BB"), "it is of type 4, and only Ed25519, type 1, is known here"),
        ("ann+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(), "has 32 bytes, this one 31"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, told: str) -> None:
    with pytest.raises(LogError, match=told):
        VerifierKey.parse(text)


def test_two_keys_of_one_name_and_id_are_not_told_apart() -> None:
    """Ids are short enough to make another key that has the same; here one is simply claimed."""

    class Alike(VerifierKey):
        @property
        def key_id(self) -> bytes:
            return ANN.key.key_id

    with pytest.raises(LogError, match="known keys: two of them have one name and id"):
        open_note(NOTE, [ANN.key, Alike(ANN.key.name, BOB.key.public)])
    assert open_note(NOTE, [ANN.key, ANN.key])[1] == (ANN.key,)
