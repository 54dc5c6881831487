"""`avow staff`: who may come to a site's desks, in which roles. A running service sees a change at once."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from avow.cli.installation import folder_of
from avow.engine import Policy
from avow.errors import SetupError
from avow.site.staff_file import LONGEST, NAME, SHORTEST, StaffFile


def add(site: Path, data: Path | None, name: str, roles: tuple[str, ...]) -> int:
    """Add or change a member; the password comes from the terminal, or else from the first line of standard input.

    Raises:
        AvowError: why it cannot be done. Nothing was changed then.
    """
    file = _file(site, data)
    changed = name in file.members()
    file.add(name, _password(), roles)
    print(f"{name} {'is changed' if changed else 'is added'}: {', '.join(roles)}")
    return 0


def remove(site: Path, data: Path | None, name: str) -> int:
    """Take a member out.

    Raises:
        AvowError: why it cannot be done.
    """
    _file(site, data).remove(name)
    print(f"{name} is removed")
    return 0


def show(site: Path, data: Path | None) -> int:
    """Print the members with their roles.

    Raises:
        AvowError: the file cannot be used.
    """
    members = _file(site, data).members()
    for member in members.values():
        print(f"{member.name}: {', '.join(member.roles)}")
    if not members:
        print("There is no staff yet. Add somebody with `avow staff add`.")
    return 0


def _file(site: Path, data: Path | None) -> StaffFile:
    policy = Policy.load(site / "policy.md")
    return StaffFile(folder_of(site, data) / NAME, frozenset(policy.vocabulary.words["role"]))


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass(f"Password ({SHORTEST} to {LONGEST} characters): ")
    if getpass("The same again: ") != password:
        raise SetupError("the two passwords are not the same", help="try again")
    return password
