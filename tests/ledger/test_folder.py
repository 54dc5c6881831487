"""A log folder: what was written verifies, and what is wrong is named where it is."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from avow.errors import LogError, StoreError
from avow.ledger import folder, growing, merkle
from avow.ledger.bundle import decode, encode
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.note import Signer
from avow.ledger.proof import Receipt
from avow.ledger.tiles import ENTRIES, Tile, hashes_in, tile_at
from tests.ledger.corruption import LOG, SIZES, copy, corrupt, entries, log
from tests.ledger.trees import tree

SEED = int(os.environ.get("SOAK_SEED", "0"))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A log of each size; nobody writes into its files."""
    place = tmp_path_factory.mktemp("logs")
    return {size: log(place / str(size), size) for size in (*SIZES, 1000)}


@pytest.fixture
def here(logs: dict[int, Path], tmp_path: Path) -> Path:
    """A log of a thousand entries, to do with what one likes."""
    return Path(shutil.copytree(logs[1000], tmp_path / "log"))


def change(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_verifies(logs: dict[int, Path], size: int) -> None:
    report = folder.verify(logs[size], LOG.key)
    hashes = [merkle.leaf_hash(entry) for entry in entries(size)]
    assert report.checkpoint == Checkpoint(LOG.key.name, size, tree(hashes))
    assert report.bundles == -(-size // 256)
    assert report.tiles == {0: 0, 1: 1, 255: 1, 256: 2, 257: 3, 65_536: 258}[size]
    assert report.apart == ()
    files = [file for file in logs[size].rglob("*") if file.is_file()]
    assert len(files) == 1 + report.bundles + report.tiles


def test_receipts_are_made_from_the_folder(logs: dict[int, Path]) -> None:
    read = hashes_in(65_536, folder.reader(logs[65_536]))
    checkpoint = (logs[65_536] / "checkpoint").read_bytes()
    every = list(entries(65_536))
    for index in (0, 255, 256, 40_000, 65_535):
        receipt = Receipt(index, merkle.inclusion_proof(index, 65_536, read), checkpoint)
        assert receipt.verify(merkle.leaf_hash(every[index]), LOG.key).size == 65_536


def test_a_log_goes_on_from_its_folder(logs: dict[int, Path]) -> None:
    edge = growing.Edge.read(257, folder.reader(logs[257]))
    more = merkle.leaf_hashes(list(entries(1000))[257:])
    assert growing.grow(edge, more)[0] == growing.Edge.read(1000, folder.reader(logs[1000]))


@pytest.mark.campaign
@pytest.mark.parametrize("size", [1, 257, 65_536])
def test_no_random_corruption_verifies(logs: dict[int, Path], size: int, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {size}")
    for number in range(10 if size > 1000 else 300):
        place = copy(logs[size], tmp_path / str(number))
        told = corrupt(place, chance)
        try:
            folder.verify(place, LOG.key)
        except LogError:
            continue
        pytest.fail(f"{told} (number {number}) was not found")


# -- what is said of it ---------------------------------------------------------------------------------


def test_a_changed_entry_is_named(here: Path) -> None:
    bundle = Tile(ENTRIES, 2)
    every = decode(bundle, (here / bundle.path).read_bytes())
    old = merkle.leaf_hash(every[17])
    every[17] = b"forged"
    (here / bundle.path).write_bytes(encode(every))
    with pytest.raises(LogError) as caught:
        folder.verify(here, LOG.key)
    assert caught.value.where == "entry 529 in tile/entries/002"
    assert str(caught.value).startswith(
        f"entry 529 in tile/entries/002: the entry was changed: the tile tile/0/002 has {old.hex()} for it, and it "
        f"hashes to {merkle.leaf_hash(b'forged').hex()}\n  help: the tile leads to the signed root; put the bundle back"
    )
    assert "forged" not in str(caught.value)


def test_a_changed_hash_in_a_tile_is_named(here: Path) -> None:
    change(here / "tile/0/002", 17 * 32)
    with pytest.raises(
        LogError, match=r"^tile/0/002 at entry 529: the tile was changed: the tile .*\n  help: the entry leads"
    ):
        folder.verify(here, LOG.key)


def test_a_changed_hash_in_a_partial_tile_is_named(here: Path) -> None:
    change(here / "tile/0/003.p/232", 5 * 32)
    with pytest.raises(LogError, match=r"^tile/0/003\.p/232 at entry 773: the tile was changed"):
        folder.verify(here, LOG.key)


def test_an_entry_and_its_hash_changed_together_are_told_as_such(here: Path) -> None:
    bundle = Tile(ENTRIES, 2)
    every = decode(bundle, (here / bundle.path).read_bytes())
    every[17] = b"forged"
    (here / bundle.path).write_bytes(encode(every))
    hashes = bytearray((here / "tile/0/002").read_bytes())
    hashes[17 * 32 : 18 * 32] = merkle.leaf_hash(b"forged")
    (here / "tile/0/002").write_bytes(hashes)
    with pytest.raises(
        LogError, match=r"^tile/1/000\.p/3: hash 2, over the entries 512 to 767, is [0-9a-f]{64}, and these"
    ):
        folder.verify(here, LOG.key)
    change(here / "tile/0/002", 18 * 32)
    with pytest.raises(LogError, match=r"^entry 530 in tile/entries/002: entry and tile do not fit, and neither leads"):
        folder.verify(here, LOG.key)


def test_a_log_written_anew_under_the_old_checkpoint_is_found(here: Path, tmp_path: Path) -> None:
    every = list(entries(1000))
    every[500] = b"forged"
    other = Signer.from_seed(LOG.key.name, bytes(32))
    forged = folder.write(tmp_path / "anew", every, other)
    shutil.copy(here / "checkpoint", tmp_path / "anew/checkpoint")
    with pytest.raises(
        LogError, match=f"^checkpoint: it says .* have {forged.root.hex()}\n  help: tiles and entries fit"
    ):
        folder.verify(tmp_path / "anew", LOG.key)


def test_a_checkpoint_of_another_size_is_found(here: Path) -> None:
    root = folder.verify(here, LOG.key).checkpoint.root
    for size in (999, 1001):
        (here / "checkpoint").write_bytes(Checkpoint(LOG.key.name, size, root).sign(LOG))
        with pytest.raises(LogError):
            folder.verify(here, LOG.key)


@pytest.mark.parametrize("path", ["checkpoint", "tile/entries/001", "tile/0/001", "tile/0/003.p/232", "tile/1/000.p/3"])
def test_a_missing_file_is_named(here: Path, path: str) -> None:
    (here / path).unlink()
    with pytest.raises(LogError, match=f"^{path}: it is missing\n  help: a log of that size has this file"):
        folder.verify(here, LOG.key)
    (here / path).mkdir()
    with pytest.raises(LogError, match=f"^{path}: it is not a file"):
        folder.verify(here, LOG.key)


def test_a_file_that_is_too_large_is_not_read_whole(here: Path) -> None:
    with (here / "tile/0/001").open("ab") as file:
        file.truncate(2**40)
    with pytest.raises(LogError, match=r"^tile/0/001: it has more than 8192 bytes"):
        folder.verify(here, LOG.key)


def test_another_s_key_and_another_s_log_are_refused(here: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="none of the 1 known keys has signed it"):
        folder.verify(here, Signer.from_seed(LOG.key.name, bytes(32)).key)
    folder.write(tmp_path / "other", entries(3), LOG, origin="log.example/b")
    assert folder.verify(tmp_path / "other", LOG.key, origin="log.example/b").checkpoint.size == 3
    with pytest.raises(LogError, match="it is of the log 'log"):
        folder.verify(tmp_path / "other", LOG.key)


# -- what else may lie there ----------------------------------------------------------------------------


def grown(place: Path, old: Path) -> Path:
    """The log at `place`, with the partial files of an older one of it."""
    for file in sorted(old.rglob("*.p/*")):
        target = place / file.relative_to(old)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return place


def test_partial_files_of_older_checkpoints_must_be_the_beginnings_of_those_of_now(
    here: Path, logs: dict[int, Path]
) -> None:
    grown(grown(here, logs[255]), logs[257])
    report = folder.verify(here, LOG.key)
    assert (report.checkpoint.size, report.tiles, report.apart) == (1000, 5, ())
    older = [*here.glob("tile/*/000.p/255"), here / "tile/1/000.p/1", *here.glob("tile/*/001.p/1")]
    assert len(older) == 5
    for file in older:
        kept = file.read_bytes()
        change(file, len(kept) - 1)
        path = file.relative_to(here).as_posix()
        with pytest.raises(LogError, match=f"^{path}: it is of an older checkpoint, and not the beginning of tile/"):
            folder.verify(here, LOG.key)
        file.write_bytes(kept)


def test_what_is_newer_than_the_checkpoint_or_no_part_of_a_log_is_named_and_no_error(
    here: Path, logs: dict[int, Path]
) -> None:
    """A log that is written while it is read has files that no checkpoint covers yet."""
    grown(here, logs[257])
    shutil.copy(logs[257] / "checkpoint", here / "checkpoint")
    (here / "index.html").write_text("a page")
    (here / "tile/0/0").write_text("no address")
    report = folder.verify(here, LOG.key)
    assert report.checkpoint.size == 257
    newer = {f"tile/{level}/{number}" for level in ("0", "entries") for number in ("001", "002", "003.p/232")}
    assert set(report.apart) == newer | {"index.html", "tile/0/0", "tile/1/000.p/3"}


def test_a_full_file_stands_for_the_partial_one_that_a_log_took_away(here: Path, logs: dict[int, Path]) -> None:
    grown(here, logs[257])
    shutil.copy(logs[257] / "checkpoint", here / "checkpoint")
    for path in ("tile/0/001.p/1", "tile/entries/001.p/1"):
        (here / path).unlink()
    read = folder.reader(here)
    assert read(Tile(0, 1, 1)) == (here / "tile/0/001").read_bytes()[:32]
    assert decode(Tile(ENTRIES, 1, 1), read(Tile(ENTRIES, 1, 1))) == [list(entries(257))[256]]
    assert folder.verify(here, LOG.key).checkpoint.size == 257
    change(here / "tile/0/001", 0)
    with pytest.raises(LogError, match=r"^tile/0/001\.p/1 at entry 256: the tile was changed"):
        folder.verify(here, LOG.key)


# -- writing --------------------------------------------------------------------------------------------


def test_only_an_empty_folder_is_written_into(here: Path) -> None:
    with pytest.raises(StoreError, match="is not empty\n  help: name a new folder"):
        folder.write(here, entries(3), LOG)
    assert folder.verify(here, LOG.key).checkpoint.size == 1000


def test_what_stopped_in_between_is_no_log(tmp_path: Path) -> None:
    def broken() -> object:
        yield from entries(20_000)
        yield b"x" * 65_536

    with pytest.raises(LogError, match="entry 20000: it has 65536 bytes"):
        folder.write(tmp_path / "log", broken(), LOG)  # type: ignore[arg-type]
    assert (tmp_path / "log/tile/0/000").exists()
    with pytest.raises(LogError, match=r"^checkpoint: it is missing"):
        folder.verify(tmp_path / "log", LOG.key)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"the log's folder .* cannot be written: .*\n  help: free space"):
        folder.write(tmp_path / "file", entries(3), LOG)


def test_the_files_are_where_the_specification_says(logs: dict[int, Path]) -> None:
    found = {file.relative_to(logs[1000]).as_posix() for file in logs[1000].rglob("*") if file.is_file()}
    full = {f"tile/{level}/00{number}" for level in ("0", "entries") for number in range(3)}
    assert found == full | {"checkpoint", "tile/0/003.p/232", "tile/entries/003.p/232", "tile/1/000.p/3"}
    assert tile_at(ENTRIES, 3, 1000).path in found


def test_a_log_is_verified_without_the_database_s_driver() -> None:
    loads = "import sys, avow.ledger.folder, avow.ledger.proof; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "starlette", "socket"} & set(done.stdout.split())
