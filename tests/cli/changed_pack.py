"""What somebody may do to an evidence pack, and the script that is to find it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avow.ledger import folder
from avow.ledger.entry import commitment
from avow.ledger.note import Signer
from avow.site import evidence_pack

SCRIPT = Path(str(evidence_pack.__file__)).parent / "pack" / "check.py"
SIGNER = Signer.from_seed("gourmet/ledger", bytes(32))


def load() -> Any:
    """The script as a module: what it does when it is run, but for where Python looks for modules."""
    spec = importlib.util.spec_from_file_location("evidence_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK = load()


def wrong(pack: Path, *arguments: str) -> str:
    """What the script finds wrong; empty where all is well."""
    return CHECK.run(["--pack", str(pack), *arguments]) or ""


def tell(pack: Path, **changed: object) -> None:
    """Change pack.json, in its own spelling."""
    said = json.loads((pack / "pack.json").read_text())
    (pack / "pack.json").write_text(json.dumps({**said, **changed}, indent=2) + "\n")


def named(pack: Path) -> None:
    """Have pack.json name the files as they are now: as somebody does who has thought of it."""
    files = sorted(file for file in pack.rglob("*") if file.is_file() and file.name != "pack.json")
    tell(
        pack,
        files={file.relative_to(pack).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
    )


def signed(pack: Path, bodies: list[bytes]) -> None:
    """Have a log of these bodies in the pack, signed by a key of its own: a service that deceives."""
    shutil.rmtree(pack / "ledger")
    folder.write(pack / "ledger", map(commitment, bodies), SIGNER)
    (pack / "ledger.key").write_text(f"{SIGNER.key}\n")
    (pack / "entries.jsonl").write_bytes(b"".join(body + b"\n" for body in bodies))
    tell(pack, first=0, entries=len(bodies))


def lines(pack: Path) -> list[bytes]:
    return (pack / "entries.jsonl").read_bytes().splitlines()


def figures(pack: Path, change: Callable[[str], str]) -> None:
    (pack / "figures.csv").write_bytes(change((pack / "figures.csv").read_text()).encode())


def figure(pack: Path) -> None:
    figures(pack, lambda text: text.replace(",3\n", ",2\n", 1))


def figure_dropped(pack: Path) -> None:
    figures(pack, lambda text: "".join(text.splitlines(keepends=True)[:-1]))


def figure_added(pack: Path) -> None:
    figures(pack, lambda text: text + "2030-01-01,carriers,permitted,share,shipping,ups,,7\n")


def figure_of_nothing(pack: Path) -> None:
    figures(pack, lambda text: text + "2030-01-01,carriers,permitted,share,shipping,ups,,0\n")


def figure_twice(pack: Path) -> None:
    figures(pack, lambda text: text + text.splitlines(keepends=True)[-1])


def figures_in_another_order(pack: Path) -> None:
    figures(pack, lambda text: "".join([(all := text.splitlines(keepends=True))[0], *reversed(all[1:])]))


def prose(pack: Path) -> None:
    figures(pack, lambda text: text + '"Everything was found in order.\nSigned, the auditor",0\n')


def entry(pack: Path) -> None:
    text = (pack / "entries.jsonl").read_text()
    (pack / "entries.jsonl").write_text(text.replace('"refused"', '"permitted"', 1))


def entry_dropped(pack: Path) -> None:
    (pack / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines(pack)[:-1]))


def entries_swapped(pack: Path) -> None:
    first, second, *rest = lines(pack)
    (pack / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in (second, first, *rest)))


def entries_doubled(pack: Path) -> None:
    """Each entry twice, from a number below nought on, and the figures with them."""
    data, count = (pack / "entries.jsonl").read_bytes(), len(lines(pack))
    (pack / "entries.jsonl").write_bytes(data + data)
    figures(pack, lambda text: text.replace(",1\n", ",2\n").replace(",3\n", ",6\n"))
    tell(pack, first=-count, entries=2 * count)


def entry_written_down_again(pack: Path) -> None:
    """By a service that signs for it."""
    refused = next(line for line in lines(pack) if b'"refused"' in line)
    signed(pack, [*lines(pack), refused])
    figures(pack, lambda text: text.replace(",3\n", ",4\n"))


def bundle(pack: Path) -> Path:
    (found,) = (file for file in (pack / "ledger/tile/entries").rglob("*") if file.is_file())
    return found


def entry_made_up(pack: Path) -> None:
    """In the bodies, and in the log that lies beside them: all but the signature."""
    first, *rest = lines(pack)
    first = first.replace(b'"event":"', b'"event":"re', 1)
    (pack / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in (first, *rest)))
    data = bundle(pack).read_bytes()
    bundle(pack).write_bytes(data[:2] + hashlib.sha256(first).digest() + data[34:])


def log(pack: Path) -> None:
    data = bytearray(bundle(pack).read_bytes())
    data[20] ^= 1
    bundle(pack).write_bytes(data)


def log_longer(pack: Path) -> None:
    with bundle(pack).open("ab") as file:
        file.write(b"x")


def tile(pack: Path) -> None:
    (tile,) = (file for file in (pack / "ledger/tile/0").rglob("*") if file.is_file())
    tile.write_bytes(bytes(tile.stat().st_size))


def tile_too_many(pack: Path) -> None:
    (pack / "ledger/tile/1").mkdir()
    (pack / "ledger/tile/1/000").write_bytes(bytes(8192))


def checkpoint(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def in_pack(pack: Path) -> None:
        file = pack / "ledger/checkpoint"
        file.write_bytes(change(file.read_bytes()))

    return in_pack


def policy(pack: Path) -> Path:
    (found,) = (pack / "policies").iterdir()
    return found


def policy_longer(pack: Path) -> None:
    policy(pack).write_text(policy(pack).read_text() + "\n")


def policy_missing(pack: Path) -> None:
    policy(pack).unlink()


def policy_renamed(pack: Path) -> None:
    policy(pack).rename(policy(pack).with_name("9.9-final" + policy(pack).name[policy(pack).name.index("_") :]))


def sentence_missing(pack: Path) -> None:
    file = policy(pack)
    data = file.read_bytes().replace(b"#card-never-kept", b"#card-stored-at-times")
    file.unlink()
    digest = hashlib.sha256(data).hexdigest()
    file.with_name(f"1_{digest}.md").write_bytes(data)
    old = hashlib.sha256(file.name.encode()).hexdigest()
    assert digest != old
    bodies = [line.replace(file.stem[2:].encode(), digest.encode()) for line in lines(pack)]
    signed(pack, bodies)
