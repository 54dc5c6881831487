"""`avow transfer`: people who go along when a part of a business changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from avow.cli.installation import opened
from avow.cli.progress import bar
from avow.errors import SetupError


def key(site: Path, data: Path | None, store: str | None, out: Path | None, bound_to: Path | None) -> int:
    """Write the card of an installation, and bind it to another's policy where that is asked for.

    Raises:
        AvowError: it could not be done.
    """
    from avow.site.transfer import write_card

    with opened(site, data, store) as found:
        file = out or Path(f"{found.policy.site}.card")
        card = write_card(found, file, bound_to)
    print(f"{file}: the card of `{card.site}`")
    print(f"  fingerprint {card.fingerprint}")
    for version in card.versions.values():
        print(f"  here something may be under version {version} of the policy")
    for digest in sorted(card.bound):
        print(f"  bound to the policy {digest}")
    print("Give it to the other side, and compare the fingerprint by another way: by telephone, for example.")
    return 0


def pack(
    site: Path,
    data: Path | None,
    store: str | None,
    to: Path,
    out: Path,
    people: str,
    without: tuple[str, ...],
    terms: Mapping[str, str | None],
) -> int:
    """Pack people for the holder of a card.

    Raises:
        AvowError: it could not be done, or the policy does not permit it; then there is no package.
    """
    from avow.site.transfer import hand_over

    chosen = _chosen(people)
    with opened(site, data, store) as found, bar("people") as progress:
        done = hand_over(found, to, out, terms=terms, without=without, people=chosen, progress=progress)
    print(f"{out}: {done.people} people with {done.records} records, sealed to the holder of {to}")
    print(
        "They are here still. What becomes of them here is another decision: erase them once the other side has them."
    )
    return 0


def take(site: Path, data: Path | None, store: str | None, file: Path, sender: Path) -> int:
    """Open a package.

    Raises:
        AvowError: it could not be done; then nothing was taken from it.
    """
    from avow.site.transfer import open_package

    with opened(site, data, store) as found, bar("people") as progress:
        done = open_package(found, file, sender, progress)
    print(f"{done.people} people with {done.records} records have come.")
    print(f"What came is judged by the policy it came under too: version {', '.join(done.versions.values())}.")
    print("Start the service anew, so that it keeps the times in which that policy has things destroyed.")
    return 0


def _chosen(people: str) -> frozenset[str] | None:
    """Who goes: everybody, or the ids in a file, one in a line."""
    if people == "all":
        return None
    try:
        return frozenset(Path(people).read_text("ascii").split())
    except (OSError, UnicodeDecodeError):
        raise SetupError(
            f"`{people}` is no file of ids", help="write the people's ids into a file, one in a line, or say `all`"
        ) from None
