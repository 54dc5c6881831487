"""Checkpoints: three lines or more in a signed note, and of the log that was meant."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.merkle import EMPTY_ROOT
from avow.ledger.note import Note, Signer, VerifierKey

LOG = Signer.from_seed("log.example/a", bytes(range(32)))
WITNESS = Signer.from_seed("witness.example", bytes(32))
ROOT = bytes(range(100, 132))
ROOT_LINE = base64.b64encode(ROOT).decode()
HERE = Checkpoint("log.example/a", 42, ROOT)
ONE_LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)


def test_a_checkpoint_is_as_specified() -> None:
    """The example of C2SP tlog-checkpoint; whose key it is signed with is not published."""
    written = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    found = Checkpoint.parse(Note.parse(written.encode()).text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert f"{found.text}\n" == written.partition("—")[0]


@given(ONE_LINE, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(ONE_LINE))
def test_a_checkpoint_reads_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert open_checkpoint(checkpoint.sign(LOG), LOG.key, origin=origin) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"log\n42\n{ROOT_LINE}",
        "log\n42\n",
        f"\n42\n{ROOT_LINE}\n",
        f"log\n\n{ROOT_LINE}\n",
        *(
            f"log\n{size}\n{ROOT_LINE}\n"
            for size in ("042", "00", "-1", "+1", "4 2", "4_2", "0x2a", "٤٢", str(2**63), "1" * 20)
        ),
        *(
            f"log\n42\n{root}\n"
            for root in ("", ROOT_LINE[:-1], ROOT_LINE + "=", ROOT_LINE[4:], " " + ROOT_LINE, ROOT.hex())
        ),
        f"log\n42\n{ROOT_LINE[:-2]}d=\n",  # the same bytes, spelled otherwise
        f"log\n42\n{ROOT_LINE}\n\n",
        f"log\n42\n{ROOT_LINE}\n\nextension\n",
        f"log\n0\n{ROOT_LINE}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LogError, match="checkpoint: "):
        Checkpoint.parse(text)


def test_only_an_empty_log_has_the_root_of_none_and_the_largest_is_of_63_bits() -> None:
    assert Checkpoint.parse(Checkpoint("log", 0, EMPTY_ROOT).text).size == 0
    assert Checkpoint.parse(Checkpoint("log", 2**63 - 1, ROOT).text).size == 2**63 - 1
    with pytest.raises(LogError, match="no log without entries has this root"):
        Checkpoint("log", 0, ROOT)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, ROOT, ()),
        ("two\nlines", 1, ROOT, ()),
        ("log", -1, ROOT, ()),
        ("log", 2**63, ROOT, ()),
        ("log", 1, ROOT[1:], ()),
        ("log", 1, ROOT, ("",)),
        ("log", 1, ROOT, ("two\nlines",)),
    ],
)
def test_what_could_not_be_read_back_is_not_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(LogError, match="checkpoint: "):
        Checkpoint(origin, size, root, extensions)


def test_another_log_s_checkpoint_is_refused_under_the_same_key() -> None:
    other = Checkpoint("log.example/b", 42, ROOT).sign(LOG)
    assert open_checkpoint(other, LOG.key, origin="log.example/b").size == 42
    with pytest.raises(
        LogError, match=r"it is of the log 'log\.example/b', and not of 'log\.example/a'\n  help: ask the right"
    ):
        open_checkpoint(other, LOG.key)
    with pytest.raises(LogError, match=r"it is of the log 'log\.example/b', and not of 'log\.example/c'"):
        open_checkpoint(other, LOG.key, origin="log.example/c")


def test_a_witness_that_is_asked_for_must_have_signed() -> None:
    alone, both = HERE.sign(LOG), HERE.sign(LOG, WITNESS)
    assert open_checkpoint(both, LOG.key, witnesses=[WITNESS.key]) == HERE
    assert open_checkpoint(both, LOG.key) == open_checkpoint(alone, LOG.key) == HERE
    with pytest.raises(LogError, match=r"the key witness\.example\+[0-9a-f]{8} has not signed it"):
        open_checkpoint(alone, LOG.key, witnesses=[WITNESS.key])
    with pytest.raises(LogError, match=r"the key log\.example/a\+[0-9a-f]{8} has not signed it"):
        open_checkpoint(HERE.sign(WITNESS), LOG.key, witnesses=[WITNESS.key])


def test_what_is_not_signed_is_not_read() -> None:
    forged = HERE.sign(Signer.from_seed(LOG.key.name, b"x" * 32))
    with pytest.raises(LogError, match="none of the 1 known keys has signed it"):
        open_checkpoint(forged, LOG.key)
    changed = HERE.sign(LOG).replace(b"\n42\n", b"\n43\n")
    with pytest.raises(LogError, match="signature 1 of the note: it is not by the key"):
        open_checkpoint(changed, VerifierKey.parse(str(LOG.key)))
