"""`avow attest`: signatures for what the software cannot see, given by members of staff in their role."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from avow.cli.installation import opened
from avow.errors import SetupError
from avow.keys.passwords import password_fits
from avow.site.evidence import day_of, signed_words
from avow.site.opened import Opened


def show(site: Path, data: Path | None, store: str | None) -> int:
    """Print each sentence that needs a signature, and how it stands. The exit status is 1 while one has none.

    Raises:
        AvowError: there is no installation, or it cannot be used.
    """
    with opened(site, data, store, reads=True) as found:
        states, label = found.vault.attesting.states(), found.policy.vocabulary.label
    for each in states:
        print(f"#{each.sentence.anchor} (signed for by {each.role}, every {each.every})")
        print(f"  “{each.sentence.text}”")
        print(f"  {signed_words(each, label(each.role, 'role'))}")
    if not states:
        print("No sentence of this policy needs a signature.")
    return int(any(each.signature is None for each in states))


def sign(site: Path, anchor: str, name: str, data: Path | None, store: str | None) -> int:
    """Sign for a sentence, as a member of staff who has the role; the password is asked for.

    Raises:
        SetupError: name and password do not belong together, the member has not the role, or no signature is needed.
    """
    anchor = anchor.removeprefix("#")
    with opened(site, data, store) as found:
        asked = found.vault.attesting.state(anchor)
        print(f"You sign, as {asked.role}, that this is so:\n  “{asked.sentence.text}”")
        _check(found, name, asked.role)
        made = found.vault.attesting.sign(anchor, role=asked.role, name=name)
    print(f"Signed by {name} as {asked.role}; that holds until {day_of(made.until)}.")
    return 0


def withdraw(site: Path, anchor: str, name: str, data: Path | None, store: str | None) -> int:
    """End a signature before its time, as a member of staff who has the role; the password is asked for.

    Raises:
        SetupError: as `sign`; or nobody has signed.
    """
    anchor = anchor.removeprefix("#")
    with opened(site, data, store) as found:
        role = found.vault.attesting.state(anchor).role
        _check(found, name, role)
        if not found.vault.attesting.withdraw(anchor, role=role):
            raise SetupError(f"nobody has signed for `#{anchor}` at present", help="see `avow attest show`")
    print(f"Withdrawn: nobody vouches for #{anchor} any more, and what hangs on it is refused.")
    return 0


def _check(found: Opened, name: str, role: str) -> None:
    member = found.staff_file.members().get(name)
    password = getpass(f"Password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if member is None or not password_fits(password, member.password):
        raise SetupError("this name and this password do not belong together", help="`avow staff list` lists the names")
    if role not in member.roles:
        raise SetupError(f"{name} is not {role}", help=f"give them the role with `avow staff add {name} --role {role}`")
