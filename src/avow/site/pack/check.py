"""Checks an evidence pack by itself, with Python 3.9 or newer, without network, and without what made the pack.

    python3 -I check.py [--pack FOLDER] [--checkpoint FILE] [KEY]

Do not run the copy in a pack: take this from a release of Avow, or compare its SHA-256 with one from there.

KEY is the log's verifier key as its operator gave it to you by another way than in the pack; without it the one in
`ledger.key` is believed, and you know only that everything here fits together. FILE is a checkpoint of the log that you
got at another time or by another way, from /log/checkpoint of the service for instance: it shows whether this is the
log that others see, and goes as far. The first thing that does not fit ends it with status 1:

1. The files are those that pack.json names, each with its SHA-256. That finds an accident and a clumsy change, not
   somebody who rewrites pack.json as well; what follows does.
2. The checkpoint in ledger/ is signed by the key (Ed25519, RFC 8032; the signed note of C2SP).
3. The log's entries lead to its root (the Merkle tree of RFC 6962), its tiles are this tree's, no two entries equal.
4. Each line of entries.jsonl is, by its SHA-256, the entry of its number, and is an entry of a ledger.
5. figures.csv is what these lines say, counted anew.
6. Each policy has the version and the SHA-256 that it is called by, and the sentences that entries say they rest on.
"""

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # the folder of this file: a json.py that lies there would run instead of Python's own

import argparse
import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]  # of the curve, in extended coordinates
Counted = tuple[Counter[tuple[str, ...]], set[tuple[str, str]], str]

COLUMNS = "day,sentence,event,verb,purpose,recipient,role,times"
FILES = {"index.html", "figures.csv", "signatures.csv", "entries.jsonl", "ledger.key", "check.py", "ledger/checkpoint"}
OTHERS = re.compile(r"policies/[^/]+_[0-9a-f]{64}\.md|ledger/tile/[0-9a-z/.]+")
DIGEST, WORD = re.compile("[0-9a-f]{64}"), re.compile("[A-Za-z][A-Za-z0-9_.-]{0,99}")
PARTS = ("event", "format", "hour", "nonce", "object", "policy", "sentences", "verb")
OPTIONAL = ("purpose", "recipient", "role")


class Wrong(Exception):
    """Something does not fit."""


def plain(text: str) -> str:
    """A text of the pack as it may be shown: nothing in it that moves the cursor or looks like other letters."""
    return "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in text)


def is_int(value: object, least: int, most: int) -> bool:
    """Whether something is a whole number within bounds: True and 1.0 are none."""
    return type(value) is int and least <= value <= most


def names_in(pack: Path) -> set[str]:
    """The files of the pack. What is neither file nor folder could make us wait, or lead elsewhere."""
    names = set()
    for path in pack.rglob("*"):
        name = path.relative_to(pack).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Wrong(f"{name}: it is no regular file")
        if path.is_file():
            names.add(name)
    return names


def read_told(pack: Path) -> dict[str, Any]:
    """What pack.json says; an error where it is not as `avow evidence` writes it."""
    data = (pack / "pack.json").read_bytes()
    told: dict[str, Any] = json.loads(data)
    first, second, made = (date.fromisoformat(told[name]) for name in ("from", "until", "made"))
    days = {"from": first.isoformat(), "until": second.isoformat(), "made": made.isoformat()}
    texts = [told["site"], *told["files"].values()]
    order = {"site": told["site"], **days, "first": told["first"], "entries": told["entries"], "files": told["files"]}
    # Written again it must be the same: nothing else is in it then, and nothing twice.
    if (json.dumps(order, indent=2) + "\n").encode() != data or first >= second or {str} != {*map(type, texts)}:
        raise ValueError
    return told


def open_pack(pack: Path) -> dict[str, Any]:
    """What pack.json says, with all its files looked at."""
    names = names_in(pack)
    if "pack.json" not in names:
        raise Wrong(f"there is no pack in {pack}: it has no pack.json")
    try:
        told = read_told(pack)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Wrong("pack.json: it is not as `avow evidence` writes it") from None
    files = told["files"]
    for name in sorted({*FILES, *names, *files} - {"pack.json"}):
        if name not in files or not (name in FILES or OTHERS.fullmatch(name)):
            raise Wrong(f"{name}: it is no part of the pack; if it came in later, take it out")
        if name not in names:
            raise Wrong(f"{name}: it is missing")
        if hashlib.sha256((pack / name).read_bytes()).hexdigest() != files[name]:
            raise Wrong(f"{name}: it is not as it was when pack.json was written")
    return told


# The signature: Ed25519 is not in Python's library.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def point(data: bytes) -> "Point | None":
    """A point of the curve, or None where there is none."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


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


def key_of(text: str) -> tuple[str, bytes, bytes]:
    """Name, identity and bytes of a verifier key."""
    found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", text)
    held = base64.b64decode(found[3]) if found else b""
    wanted = hashlib.sha256(found[1].encode() + b"\n" + held).digest()[:4] if found else b""
    if found is None or held[0] != 1 or wanted.hex() != found[2]:
        raise Wrong("the key is none: it looks like NAME+12345678+BASE64")
    return found[1], wanted, held[1:]


def read_checkpoint(file: Path, key: str) -> tuple[int, bytes]:
    """Size and root of the log, once the key has signed for them."""
    name, wanted, public = key_of(key)
    text, gap, signatures = file.read_bytes().decode().rpartition("\n\n")
    found = re.fullmatch(r"(\S+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)", text)
    lines = [re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/=]+)", line) for line in signatures.split("\n")[:-1]]
    if not gap or found is None or None in lines or signatures[-1:] != "\n":
        raise Wrong(f"{file.name}: this is no checkpoint")
    told = [base64.b64decode(each[2], validate=True) for each in lines if each and each[1] == name]
    if not any(each[:4] == wanted and is_signed(public, f"{text}\n".encode(), each[4:]) for each in told):
        raise Wrong(f"{file.name}: the key has not signed it")
    if found[1] != name:
        raise Wrong(f"{file.name}: it is of the log {found[1]}, and the key of {name}")
    return int(found[2]), base64.b64decode(found[3])


def tile_path(level: str, number: int, width: int) -> str:
    """Where a tile lies, or a bundle of entries."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    path = f"ledger/tile/{level}/" + re.sub("([0-9]{3})(?=[0-9])", r"x\1/", digits)
    return path if width == 256 else f"{path}.p/{width}"


def read_entries(pack: Path, size: int) -> Iterator[bytes]:
    """The entries of the log, in order: 32 bytes each, with their length before them."""
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        path = tile_path("entries", number, width)
        data = (pack / path).read_bytes()
        parts = [data[at : at + 34] for at in range(0, len(data), 34)]
        if len(data) != width * 34 or any(part[:2] != b"\0\x20" for part in parts):
            raise Wrong(f"{path}: these are not {width} entries of 32 bytes")
        yield from (part[2:] for part in parts)


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root of the Merkle tree over some hashes: one is held for each complete subtree."""
    peaks: list[bytes] = []
    for number, each in enumerate(hashes):
        peak, bits = each, number
        while bits & 1:
            peak, bits = hashlib.sha256(b"\1" + peaks.pop() + peak).digest(), bits >> 1
        peaks.append(peak)
    if not peaks:
        return hashlib.sha256().digest()
    root = peaks.pop()
    while peaks:
        root = hashlib.sha256(b"\1" + peaks.pop() + root).digest()
    return root


def tiles_of(hashes: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each tile of the tree: 256 hashes, and above them the roots of full tiles."""
    level = 0
    while hashes:
        groups = [hashes[at : at + 256] for at in range(0, len(hashes), 256)]
        for number, group in enumerate(groups):
            yield tile_path(str(level), number, len(group)), b"".join(group)
        level, hashes = level + 1, [root_of(group) for group in groups if len(group) == 256]


def read_log(pack: Path, names: Iterable[str], size: int, root: bytes) -> tuple[list[bytes], list[bytes]]:
    """The entries of the log and their hashes, which lead to the root."""
    entries = list(read_entries(pack, size))
    hashes = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    if root_of(hashes) != root:
        raise Wrong("ledger/: its entries do not lead to the root that was signed")
    if len(set(entries)) != size:
        twice = entries.index(Counter(entries).most_common(1)[0][0])
        raise Wrong(f"ledger/: entry {twice} stands in it again: it was written down more than once")
    tiles = dict(tiles_of(hashes))
    bundles = {tile_path("entries", at // 256, min(256, size - at)) for at in range(0, size, 256)}
    for name in sorted({*tiles, *(name for name in names if name.startswith("ledger/tile/"))} - bundles):
        if name not in tiles or not (pack / name).is_file() or (pack / name).read_bytes() != tiles[name]:
            raise Wrong(f"{name}: it is not what the entries of the log make of it")
    return entries, hashes


def check_other(file: Path, key: str, hashes: Sequence[bytes]) -> None:
    """Compare the log with a checkpoint that was got elsewhere."""
    size, root = read_checkpoint(file, key)
    if size > len(hashes):
        raise Wrong(f"{file.name}: it has {size} entries, and the log here lacks the last {size - len(hashes)}")
    if root_of(hashes[:size]) != root:
        raise Wrong(f"{file.name}: it is of another log, though the key has signed both: show it to others")
    print(f"   The log here begins with the {size} entries of {plain(file.name)}, and has {len(hashes) - size} more.")


def read_body(data: bytes) -> dict[str, Any]:
    """What an entry says; an error where it is none."""
    body: dict[str, Any] = json.loads(data)
    told = {name: body[name] for name in (*PARTS, *OPTIONAL) if name in body}
    words = [told["event"], told["verb"], *(told[name] for name in OPTIONAL if name in told), *told["sentences"]]
    right = is_int(told["format"], 1, 1) and is_int(told["hour"], 0, 2**32 - 1) and type(told["sentences"]) is list
    same = json.dumps(told, sort_keys=True, separators=(",", ":")).encode() == data
    if not (right and same and all(WORD.fullmatch(word) for word in words) and DIGEST.fullmatch(told["policy"])):
        raise ValueError
    return told


def read_bodies(pack: Path, entries: Sequence[bytes], first: int, wanted: int) -> Iterator[dict[str, Any]]:
    """Each disclosed entry, checked against the log."""
    count = 0
    with (pack / "entries.jsonl").open("rb") as lines:
        for count, line in enumerate(lines, start=1):
            number, where = first + count - 1, f"entries.jsonl, line {count}"
            body = line[:-1]
            if count > wanted or line[-1:] != b"\n" or hashlib.sha256(body).digest() != entries[number]:
                raise Wrong(f"{where}: it is not entry {number} of the log, or more than pack.json tells of")
            try:
                yield read_body(body)
            except (ValueError, TypeError, KeyError, RecursionError):
                raise Wrong(f"{where}: this is no entry of a ledger") from None
    if count != wanted:
        raise Wrong(f"entries.jsonl: it has {count} lines, and pack.json tells of {wanted}")


def count(bodies: Iterable[dict[str, Any]], since: str, until: str) -> Counted:
    """The figures of the days from `since` to before `until`, which sentences of which policies, and the last day."""
    figures: Counter[tuple[str, ...]] = Counter()
    named: set[tuple[str, str]] = set()
    last = "-"
    for body in bodies:
        named.update((body["policy"], anchor) for anchor in body["sentences"])
        day = (date(1970, 1, 1) + timedelta(days=body["hour"] // 24)).isoformat()
        last = max(last, day)
        if since <= day < until:
            told = [body["event"], body["verb"], *(body.get(name, "") for name in OPTIONAL)]
            figures.update((day, anchor, *told) for anchor in body["sentences"])
    return figures, named, last


def check_figures(pack: Path, figures: Counter[tuple[str, ...]]) -> int:
    """Compare figures.csv with what was counted, line by line; how many figures it has."""
    wanted = [COLUMNS, *(",".join((*cell, str(times))) for cell, times in sorted(figures.items())), ""]
    found = (pack / "figures.csv").read_bytes().split(b"\n")
    for number in range(max(len(wanted), len(found))):
        says = found[number].decode(errors="replace") if number < len(found) else "nothing"
        should = wanted[number] if number < len(wanted) else "nothing"
        if says != should:
            raise Wrong(f"figures.csv, line {number + 1}: it says `{says[:200]}`, and the entries say `{should}`")
    return len(figures)


def front(source: str, name: str) -> str:
    """What a policy says of itself above its text."""
    found = re.search(rf"^{name}:[ \t]*(\"[^\"\n]*\"|'[^'\n]*'|[^#\n]*?)[ \t]*(?:#.*)?\r?$", source, re.MULTILINE)
    return found[1].strip("\"'") if found else ""


def check_policies(pack: Path, names: Iterable[str], named: set[tuple[str, str]], site: str) -> int:
    """Check the policies, and that the sentences named by digest and anchor stand in them; how many there are."""
    sources = {}
    for name in sorted(each for each in names if each.startswith("policies/")):
        data = (pack / name).read_bytes()
        version, _, digest = name[len("policies/") : -len(".md")].rpartition("_")
        if hashlib.sha256(data).hexdigest() != digest:
            raise Wrong(f"{name}: its SHA-256 is another than its name says")
        source = sources[digest] = data.decode()
        own = "".join(each if each.isalnum() or each in ".-" else "-" for each in front(source, "version"))
        if own != version:
            raise Wrong(f"{name}: it calls itself version {own}")
        if digest not in {each for each, _ in named}:
            print(f"   No disclosed entry rests on {plain(name)}.")
    for digest, anchor in sorted(named):
        if digest not in sources:
            raise Wrong(f"policies/: the policy {digest}, which entries rest on, is missing")
        fence = rf"^\s*(`{{3,}}|~{{3,}})\s*avow\b.*#{re.escape(anchor)}(?![\w.-])"
        if not re.search(fence, sources[digest], re.MULTILINE):
            raise Wrong(f"policies/: the policy {digest} has no sentence #{anchor}, which entries rest on")
    if site not in {front(source, "site") for source in sources.values()}:
        raise Wrong(f"pack.json: no policy here is of the site {site}")
    return len(sources)


def main(pack: Path, given: "str | None", others: Sequence[Path]) -> None:
    """Check everything and tell what was found."""
    told = open_pack(pack)
    names = told["files"]
    print(f"1. Files: the {len(names)} that pack.json names, and as it says.")
    kept = (pack / "ledger.key").read_bytes().decode()
    key = kept.rstrip("\n") if given is None else given.strip()
    size, root = read_checkpoint(pack / "ledger/checkpoint", key)
    if kept != f"{key}\n":
        raise Wrong("ledger.key: it is another key than the one given")
    print(f"2. The checkpoint is signed: {size} entries, root {base64.b64encode(root).decode()}.")
    first, wanted = told["first"], told["entries"]
    if not is_int(first, 0, size) or not is_int(wanted, 0, size - first):
        raise Wrong(f"pack.json: `first` and `entries` are no part of a log of {size} entries")
    entries, hashes = read_log(pack, names, size, root)
    print("3. The entries of the log lead to that root, and no two are the same.")
    for file in others:
        check_other(file, key, hashes)
    figures, named, last = count(read_bodies(pack, entries, first, wanted), told["from"], told["until"])
    print(f"4. {wanted} entries are disclosed, and each is in the log under its number. The last is of {last}.")
    print(f"5. figures.csv: {check_figures(pack, figures)} figures, each as counted from these entries.")
    print(f"6. policies/: {check_policies(pack, names, named, told['site'])}, with every sentence that is counted.")
    print(f"\nEverything fits: {plain(told['site'])}, from {told['from']} to before {told['until']}.\n\nNot checked:")
    print("- index.html and signatures.csv: the numbers of the report must be those of figures.csv; compare them.")
    print(f"- that the pack was made on {told['made']}.")
    if not others:
        print(
            f"- whether the log goes on after its {size} entries: compare a checkpoint from elsewhere (--checkpoint)."
        )
    if wanted < size:
        print(f"- what the other {size - wanted} entries say: whether one is of this time. Ask for all to be sure.")
    if given is None:
        print(f"- whose key it is. It was taken from this folder; does the operator give out this one? {plain(key)}")


def run(arguments: Sequence[str]) -> "str | None":
    """Check a pack; what is wrong, if anything is."""
    parser = argparse.ArgumentParser(prog="check.py", description="Checks an evidence pack.", allow_abbrev=False)
    parser.add_argument("--pack", type=Path, default=Path(__file__).resolve().parent, metavar="FOLDER", help="the pack")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE", help="got elsewhere")
    parser.add_argument("key", nargs="?", metavar="KEY", help="the log's verifier key, as the operator gave it to you")
    asked = parser.parse_args(arguments)
    try:
        main(asked.pack, asked.key, asked.checkpoint)
    except Exception as error:  # noqa: BLE001  # whatever a pack can do to a reader, it does not pass
        kind = "" if isinstance(error, Wrong) else f"the pack cannot be read: {type(error).__name__}: "
        return plain(f"WRONG: {kind}{error}")
    return None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
