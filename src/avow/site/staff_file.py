"""The file of staff of an installation, DATA/staff.yaml: names, roles and hashes of passwords. Its owner's alone.

    berta: {roles: [order_desk, service_desk], password: "$argon2id$…"}

`avow staff` writes it; a running service sees a change with the next request.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from avow.edge.staff import Member
from avow.errors import SetupError
from avow.keys.passwords import hash_password, is_password_hash
from avow.language.suggest import did_you_mean
from avow.outbound.address import read_owned
from avow.store.files import replace_durably

#: The file's name within the data folder.
NAME = "staff.yaml"

#: Characters of the shortest and the longest password (NIST SP 800-63B 3.1.1.2 asks for 15 where nothing else proves
#: who somebody is, and for at least 64 at the other end).
SHORTEST, LONGEST = 15, 128

#: The name of the member that a trial on one's own computer begins with.
NEW_MEMBER = "staff"

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9._-]{0,39}")


def new_password() -> str:
    """A password that nobody chose: 100 bits, in groups that can be typed from paper."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, without those that are taken for another
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


class StaffFile:
    """The members in one file, read again when it changes. A file that is not there holds nobody."""

    def __init__(self, path: Path, roles: frozenset[str]) -> None:
        self.path = path
        self.roles = roles
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._members: Mapping[str, Member] = {}

    def members(self) -> Mapping[str, Member]:
        """The members by name, as the file says now.

        Raises:
            SetupError: it cannot be read, is open to others, or not of its shape.
        """
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._seen, self._members = None, {}
                return self._members
            except OSError as error:
                raise SetupError(f"the file of staff `{self.path}` cannot be read: {error.strerror}") from None
            now = (status.st_mtime_ns, status.st_size, status.st_ino)
            if now != self._seen:
                self._members = self._read()
                self._seen = now
            return self._members

    def add(self, name: str, password: str, roles: tuple[str, ...]) -> None:
        """Write a member, in place of one of that name if there is one.

        Raises:
            SetupError: the name, the password or a role is none; the file cannot be written.
        """
        if not _PLAIN_NAME.fullmatch(name):
            raise SetupError(
                f"`{name}` cannot be a name of staff", help="use a-z, 0-9, `.`, `_`, `-`, from a letter on"
            )
        if not SHORTEST <= len(password) <= LONGEST:
            raise SetupError(
                f"a password of staff has {SHORTEST} to {LONGEST} characters, this one has {len(password)}",
                help="take a few words that do not belong together",
            )
        self._check_roles(name, roles)
        self._write({**self.members(), name: Member(name, roles, hash_password(password))})

    def remove(self, name: str) -> None:
        """Take a member out.

        Raises:
            SetupError: there is none of that name; the file cannot be written.
        """
        members = dict(self.members())
        if members.pop(name, None) is None:
            raise SetupError(f"nobody of the staff is called `{name}`", help=did_you_mean(name, members))
        self._write(members)

    def _check_roles(self, name: str, roles: tuple[str, ...]) -> None:
        if not roles:
            raise SetupError(f"`{name}` of the staff has no role", help=f"name one of {', '.join(sorted(self.roles))}")
        for role in roles:
            if role not in self.roles:
                raise SetupError(
                    f"`{name}` of the staff has the role `{role}`, which the policy does not know",
                    help=did_you_mean(role, self.roles) or f"it knows {', '.join(sorted(self.roles))}",
                )

    def _read(self) -> Mapping[str, Member]:
        import yaml

        content = read_owned(self.path, "the file of staff")
        found: object = None
        try:
            found = yaml.safe_load(content) or {}
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)  # never the error's text: it quotes the line
            where = f" in line {mark.line + 1}" if mark else ""
            fault = SetupError(f"`{self.path}` is no YAML{where}", help="put a backup in its place, or add them anew")
        else:
            fault = SetupError(f"`{self.path}` does not map names to staff", help="write it with `avow staff add`")
        if not isinstance(found, dict):
            raise fault
        return {str(name): self._member(str(name), value) for name, value in found.items()}

    def _member(self, name: str, value: object) -> Member:
        parts = value if isinstance(value, dict) else {}
        roles, password = parts.get("roles"), parts.get("password")
        known = set(parts) == {"roles", "password"} and isinstance(roles, list) and isinstance(password, str)
        if not known or not is_password_hash(str(password)) or not _PLAIN_NAME.fullmatch(name):
            raise SetupError(
                f"`{name}` in `{self.path}` is no member of staff: roles and the hash of a password",
                help="write it with `avow staff add`",
            )
        named = tuple(str(role) for role in roles or ())
        self._check_roles(name, named)
        return Member(name, named, str(password))

    def _write(self, members: Mapping[str, Member]) -> None:
        import yaml

        content = {
            member.name: {"roles": list(member.roles), "password": member.password} for member in members.values()
        }
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_durably(self.path, yaml.safe_dump(content, width=1_000).encode())
        except OSError as error:
            raise SetupError(
                f"the file of staff `{self.path}` cannot be written: {error.strerror}",
                help="name a data folder that this user may write",
            ) from None
