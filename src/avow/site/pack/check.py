"""Checks an evidence pack by itself.

    python3 check.py [KEY]

It needs Python 3.9 or newer and nothing else, no network, and nothing of the software that made the pack. KEY is the
log's verifier key as its operator has given it to you by another way than in this folder; without it the one in
`ledger.key` is believed, and then you know only that everything here fits together.

What it does, in this order; the first thing that does not fit ends it with status 1:

1. The checkpoint in ledger/ is signed by the key (Ed25519, RFC 8032; the signed note of C2SP).
2. The entries in ledger/tile/entries/ lead to the checkpoint's root (the Merkle tree of RFC 6962).
3. Each line of entries.jsonl is, by its SHA-256, the entry of its number.
4. figures.csv is what these lines say, counted anew.
5. Each policy in policies/ has the SHA-256 that it is called by, and each sentence that is counted stands in it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: A point of the curve in extended coordinates.
Point = tuple[int, int, int, int]

COLUMNS = ["day", "sentence", "event", "verb", "purpose", "recipient", "role", "times"]


class Wrong(Exception):
    """Something does not fit."""


# -- the signature ------------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def x_of(y: int, sign: int) -> int | None:
    """The x of a point of the curve, or None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x % 2 != sign else x


def point(data: bytes) -> Point | None:
    """A point in extended coordinates, or None."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(one: Point, two: Point) -> Point:
    """The sum of two points."""
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, of: Point) -> Point:
    """A point so many times."""
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = add(found, of)
        of = add(of, of)
        number >>= 1
    return found


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is right."""
    key, first = point(public), point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    if len(signature) != 64 or key is None or first is None or base is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    left = times(scalar, base)
    right = add(first, times(int.from_bytes(digest, "little") % ORDER, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def read_checkpoint(key: str) -> tuple[int, bytes]:
    """Size and root of the log, once the key has signed for them."""
    try:
        name, number, coded = key.strip().split("+", 2)
        held = base64.b64decode(coded, validate=True)
    except ValueError:
        raise Wrong("the key is none: it looks like NAME+12345678+BASE64") from None
    wanted = hashlib.sha256(name.encode() + b"\n" + held).digest()[:4]
    if len(held) != 33 or held[0] != 1 or wanted.hex() != number:
        raise Wrong("the key is none: its parts do not fit each other")
    text, gap, signatures = (HERE / "ledger/checkpoint").read_text(encoding="utf-8").rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines() if gap else ():
        found = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
        if found is None or found[1] != name:
            continue
        try:
            signature = base64.b64decode(found[2], validate=True)
        except ValueError:
            continue
        if signature[:4] == wanted and is_signed(held[1:], text.encode(), signature[4:]):
            origin, size, root = text.splitlines()[:3]
            if origin != name:
                raise Wrong(f"the checkpoint is of the log {origin}, and the key of {name}")
            return int(size), base64.b64decode(root, validate=True)
    raise Wrong("ledger/checkpoint: the key has not signed it")


# -- the log ------------------------------------------------------------------------------------------


def tile_path(number: int, width: int) -> str:
    """Where a bundle of entries lies."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "ledger/tile/entries/" + "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
    return path if width == 256 else f"{path}.p/{width}"


def read_entries(size: int) -> Iterator[bytes]:
    """The entries of the log, in order: 32 bytes each."""
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        path = tile_path(number, width)
        data, at = (HERE / path).read_bytes(), 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            at += 2 + length
            if length != 32 or at > len(data):
                raise Wrong(f"{path}: it is cut off, or an entry of it has not 32 bytes")
            yield entry
        if at != len(data):
            raise Wrong(f"{path}: something follows its last entry")


def root_of(entries: Iterable[bytes]) -> bytes:
    """The root of the Merkle tree over the entries: one hash is held for each complete subtree."""
    peaks: list[bytes] = []
    for number, entry in enumerate(entries):
        peak, bits = hashlib.sha256(b"\0" + entry).digest(), number
        while bits & 1:
            peak, bits = hashlib.sha256(b"\1" + peaks.pop() + peak).digest(), bits >> 1
        peaks.append(peak)
    if not peaks:
        return hashlib.sha256().digest()
    root = peaks.pop()
    while peaks:
        root = hashlib.sha256(b"\1" + peaks.pop() + root).digest()
    return root


# -- what the entries say -----------------------------------------------------------------------------


def day_of(hour: int) -> str:
    """The day of an hour that is counted from 1970, in UTC."""
    return datetime.fromtimestamp(hour * 3600, timezone.utc).date().isoformat()  # noqa: UP017  # Python before 3.11


def read_bodies(entries: Sequence[bytes], first: int, wanted: int) -> Iterator[dict[str, Any]]:
    """Each disclosed entry, checked against the log."""
    count = 0
    with (HERE / "entries.jsonl").open("rb") as lines:
        for number, line in enumerate(lines, start=first):
            body = line.rstrip(b"\n")
            if number >= len(entries) or hashlib.sha256(body).digest() != entries[number]:
                raise Wrong(f"entries.jsonl, line {number - first + 1}: it is not entry {number} of the log")
            count += 1
            yield json.loads(body)
    if count != wanted:
        raise Wrong(f"entries.jsonl: it has {count} lines, and pack.json tells of {wanted}")


def counted(
    bodies: Iterable[dict[str, Any]], since: str, until: str
) -> tuple[Counter[tuple[str, ...]], set[tuple[str, str]]]:
    """The figures of the days from `since` to before `until`, and the sentences of each policy that they are of."""
    figures: Counter[tuple[str, ...]] = Counter()
    named: set[tuple[str, str]] = set()
    for body in bodies:
        day = day_of(body["hour"])
        if not since <= day < until:
            continue
        told = [body["event"], body["verb"], *(body.get(name, "") for name in ("purpose", "recipient", "role"))]
        for anchor in body["sentences"]:
            figures[(day, anchor, *told)] += 1
            named.add((body["policy"], anchor))
    return figures, named


def check_figures(figures: Counter[tuple[str, ...]]) -> int:
    """Compare figures.csv with what was counted; how many lines it has."""
    with (HERE / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != COLUMNS:
        raise Wrong(f"figures.csv: its first line is not {','.join(COLUMNS)}")
    for number, row in enumerate(rows[1:], start=2):
        found = figures.pop(tuple(row[:-1]), 0)
        if row[-1] != str(found):
            raise Wrong(f"figures.csv, line {number}: it says {row[-1]}, and the entries say {found}")
    for missing, found in figures.items():
        raise Wrong(f"figures.csv: it lacks {', '.join(part or '-' for part in missing)}: {found}")
    return len(rows) - 1


def check_policies(named: set[tuple[str, str]]) -> int:
    """Check the policies, and that the sentences named by digest and anchor stand in them; how many there are."""
    files = {}
    for file in sorted((HERE / "policies").iterdir()):
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != file.stem.rpartition("_")[2]:
            raise Wrong(f"policies/{file.name}: its SHA-256 is another than its name says")
        files[hashlib.sha256(data).hexdigest()] = data.decode()
    for digest, anchor in sorted(named):
        if digest not in files:
            raise Wrong(f"policies/: the policy {digest}, which entries rest on, is missing")
        if not re.search(
            rf"^\s*(`{{3,}}|~{{3,}})\s*avow\b.*#{re.escape(anchor)}(?![\w.-])", files[digest], re.MULTILINE
        ):
            raise Wrong(f"policies/: the policy {digest} has no sentence #{anchor}, which entries rest on")
    return len(files)


def main(arguments: Sequence[str]) -> None:
    """Check everything and tell what was found."""
    pack = json.loads((HERE / "pack.json").read_text(encoding="utf-8"))
    key = arguments[0] if arguments else (HERE / "ledger.key").read_text(encoding="utf-8")
    size, root = read_checkpoint(key)
    print(f"1. The checkpoint is signed: {size} entries, root {base64.b64encode(root).decode()}.")
    entries = list(read_entries(size))
    if root_of(entries) != root:
        raise Wrong("ledger/: its entries do not lead to the root that was signed")
    print("2. The entries of the log lead to that root.")
    bodies = list(read_bodies(entries, pack["first"], pack["entries"]))
    before, after = pack["first"], size - pack["first"] - pack["entries"]
    print(f"3. {len(bodies)} entries are disclosed, and each is in the log under its number.")
    figures, named = counted(bodies, pack["from"], pack["until"])
    print(f"4. figures.csv: {check_figures(figures)} lines, each as counted from these entries.")
    print(f"5. policies/: {check_policies(named)} of them, with every sentence that is counted.")
    if before or after:
        print(f"Not disclosed: {before} entries before these, {after} after. That none of them is of the days from")
        print(f"{pack['from']} to before {pack['until']} is what the pack says; ask for the whole to be sure.")
    if not arguments:
        print("The key was taken from this folder. Compare it with the one that the operator gives out elsewhere:")
        print(key.strip())
    print("Everything fits.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Wrong as wrong:
        sys.exit(f"WRONG: {wrong}")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"WRONG: the pack cannot be read: {type(error).__name__}: {error}")
