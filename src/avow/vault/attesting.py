"""Attestations: somebody of the house signs that a measure holds which the software cannot see.

    attested by security_officer every 12 months

under a sentence makes a signature of that role a condition of what the sentence permits, and `attested(ANCHOR)` asks
for it elsewhere. A signature is for the sentence as it stood: it lapses when the time is over, when the sentence
changes, when another role is asked for, and when it is withdrawn. Who signed is kept beside the ledger, whose entry
names the role.

Each row carries a keyed hash of what it says (`avow.vault.marks`), so that who can only write rows signs for nothing.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from avow.errors import SetupError
from avow.language.suggest import did_you_mean
from avow.values import Facts, Sentence, Verdict
from avow.vault.lines import Lines
from avow.vault.marks import Marks

if TYPE_CHECKING:
    from avow.language.syntax import Attested as Asked
    from avow.vault.vault import Vault

log = logging.getLogger("avow.attest")

#: Seconds after which a running service looks whether another process, `avow attest`, has signed.
LOOKS_AFTER: Final = 30.0
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody signed for a sentence. Times are whole hours since 1970; `until` is the first one without it."""

    id: str
    anchor: str
    role: str
    name: str
    since: int
    until: int
    said: str


@dataclass(frozen=True, slots=True)
class Attested:
    """A sentence that needs a signature: of which role, how often (`12 months`), and the one that stands, if any."""

    sentence: Sentence
    role: str
    every: str
    signature: Signature | None


class Attesting:
    """The signatures of one installation. For all threads."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._marks = Marks(vault, "signature")
        self._lock = Lock()
        self._held: tuple[Signature, ...] = ()
        self._read_at = float("-inf")
        #: By anchor, which role has to have signed for which words: asked for with every unit of work.
        self._wanted = {
            anchor: (str(asked.role), _said(vault.policy.sentence(anchor)))
            for anchor, asked in vault.policy.attested.items()
        }

    def facts(self) -> Facts:
        """`attested(ANCHOR)` for each sentence that needs a signature: whether it has one now."""
        if not self._wanted:
            return {}
        held = self._signatures()
        return {f"attested({anchor})": self._standing(anchor, held) is not None for anchor in self._wanted}

    def states(self, held: tuple[Signature, ...] | None = None) -> list[Attested]:
        """Every sentence that needs a signature, in the policy's order; by the signatures `held` or those of now."""
        held = self._signatures(fresh=True) if held is None else held
        return [self._state(anchor, asked, held) for anchor, asked in self._vault.policy.attested.items()]

    def state(self, anchor: str) -> Attested:
        """One of them.

        Raises:
            SetupError: the sentence needs no signature, or there is none of that name.
        """
        return self._state(anchor, self._asked(anchor), self._signatures(fresh=True))

    def history(self, connection: Connection | None = None) -> tuple[Signature, ...]:
        """Every signature that was ever given, the newest first; a withdrawn one ends when it was withdrawn.

        Args:
            connection: what is to be read by, where it belongs to one moment with something else.
        """
        return self._signatures(fresh=True) if connection is None else tuple(self._read(connection))

    def sign(self, anchor: str, *, role: str, name: str) -> Signature:
        """Sign for a sentence in a role, instead of a signature that still stands; the ledger gets an entry of it.

        Raises:
            SetupError: the sentence needs no signature, or that of another role.
        """
        asked = self._asked(anchor, role)
        vault, now = self._vault, self._vault.hour()
        sentence = vault.policy.sentence(anchor)
        until = now + _hours(asked.every.seconds)
        made = Signature(secrets.token_hex(16), anchor, role, name, now, until, _said(sentence))
        table = vault.home.schema.attestation
        with vault.store.writing() as connection:
            self._end(connection, anchor, now)
            connection.execute(table.insert().values(**asdict(made), mark=self._marks.of(asdict(made).values())))
            self._note(connection, "signed", sentence, role)
        self._forget()
        return made

    def withdraw(self, anchor: str, *, role: str) -> bool:
        """End the signature that stands for a sentence; whether one stood.

        Raises:
            SetupError: the sentence needs no signature, or that of another role.
        """
        self._asked(anchor, role)
        with self._vault.store.writing() as connection:
            ended = self._end(connection, anchor, self._vault.hour())
            if ended:
                self._note(connection, "withdrawn", self._vault.policy.sentence(anchor), role)
        self._forget()
        return ended

    def _end(self, connection: Connection, anchor: str, hour: int) -> bool:
        table = self._vault.home.schema.attestation
        standing = [each for each in self._read(connection) if each.anchor == anchor and each.until > hour]
        for each in standing:
            ended = replace(each, until=hour)
            values = {"until": hour, "mark": self._marks.of(asdict(ended).values())}
            connection.execute(table.update().where(table.c.id == each.id).values(values))
        return bool(standing)

    def _note(self, connection: Connection, event: str, sentence: Sentence, role: str) -> None:
        lines = Lines()
        lines.add(event, "attest", sentence.anchor, None, None, Verdict(True, (sentence,), (), "", ""), role)
        self._vault.write_down([lines], connection)

    def _asked(self, anchor: str, role: str | None = None) -> Asked:
        """What the policy asks for under a sentence, if by that `role`."""
        attested = self._vault.policy.attested
        if anchor not in attested:
            raise SetupError(
                f"no sentence `#{anchor}` of the policy needs a signature",
                help=did_you_mean(anchor, attested)
                or ("these do: " + ", ".join(f"#{each}" for each in attested) if attested else "none of it does"),
            )
        asked = attested[anchor]
        if role not in (None, str(asked.role)):
            raise SetupError(f"a signature for `#{anchor}` is given and withdrawn by `{asked.role}`, not by `{role}`")
        return asked

    def _state(self, anchor: str, asked: Asked, held: tuple[Signature, ...]) -> Attested:
        sentence, standing = self._vault.policy.sentence(anchor), self._standing(anchor, held)
        return Attested(sentence, str(asked.role), str(asked.every), standing)

    def _standing(self, anchor: str, held: tuple[Signature, ...]) -> Signature | None:
        """The signature that stands for a sentence as it reads and is asked for now."""
        now, wanted = self._vault.hour(), self._wanted[anchor]
        for each in held:
            if each.anchor == anchor and (each.role, each.said) == wanted and each.since <= now < each.until:
                return each
        return None

    def _signatures(self, *, fresh: bool = False) -> tuple[Signature, ...]:
        now = self._vault.clock()
        with self._lock:
            if fresh or not 0 <= now - self._read_at < LOOKS_AFTER:
                with self._vault.store.reading() as connection:
                    self._held = tuple(self._read(connection))
                self._read_at = now
            return self._held

    def _read(self, connection: Connection) -> Iterator[Signature]:
        """The signatures that were given here; what else lies among them is told in the log of the program."""
        table = self._vault.home.schema.attestation
        for row in connection.execute(select(table).order_by(table.c.since.desc(), table.c.id)):
            values = dict(row._mapping)
            mark = values.pop("mark")
            found = Signature(**values)
            if self._marks.fits(mark, asdict(found).values()):
                yield found
            else:
                log.warning("a signature in the database was not given here, or was changed; it counts as none")

    def _forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")


def _hours(seconds: float | None) -> int:
    return int((seconds or 0) // _HOUR)


def _said(sentence: Sentence) -> str:
    """SHA-256 of the words that are signed for."""
    return hashlib.sha256(sentence.text.encode()).hexdigest()
