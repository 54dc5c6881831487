"""What an installation is opened with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext

from avow.errors import SetupError
from avow.ledger.sequencer import EVERY
from avow.outbound.address import Address


@dataclass(frozen=True, slots=True)
class Settings:
    """Where an installation lives and whom it reaches.

    Attributes:
        data: folder for the keyring, the ledger's checkpoint and, unless `store` is given, the database.
        store: a database URL.
        device: a PKCS#11 URI of the token in which a new installation makes its keys; by default they are in a file.
            See `avow.keys.device`. It need not be repeated: the keyring remembers it.
        endpoints: address by recipient, and of the mail server under `mail`: a URL (`https://…`, `smtps://…`), or an
            `Address` where a login or a host key belongs to it (`sftp://…`).
        ca: a PEM file of the only authority that peers' certificates may come from; default: the system's.
        base: how the site is reached from outside, for links in mails.
        clock: unix seconds.
        timeout: seconds that a peer has to answer.
        background: whether sends, settlements, jobs and the ledger are worked off by threads of this process.
        ledger_every: seconds from one integration of the ledger to the next, by the clock. Whole hours tell no more
            of the time than the entries say themselves; what has not been integrated can still be lost unnoticed.
        inbox: where mail to the published address is taken, `127.0.0.1:2525`; by default nowhere.
        safe: where a copy is kept of what opens the backups; it is renewed whenever key epochs have been destroyed.
        publishes: whether the policy may come into force by this opening, and a database be begun: not by a command.
        formerly: what the site was called before, if its policy has another name for it than the database knows.
        inbox_tls: the certificate with which it is taken over STARTTLS; without one, from this machine only.
    """

    data: Path
    store: str | None = None
    endpoints: Mapping[str, str | Address] = field(default_factory=dict)
    ca: Path | None = None
    base: str = "http://127.0.0.1:8000"
    clock: Callable[[], float] = time.time
    timeout: float = 10.0
    background: bool = True
    ledger_every: float = EVERY
    inbox: str | None = None
    inbox_tls: SSLContext | None = None
    safe: Path | None = None
    device: str | None = None
    publishes: bool = True
    formerly: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.ledger_every < float("inf"):
            raise SetupError(
                f"the ledger cannot be integrated every {self.ledger_every} s",
                help="give seconds, such as 3600 for once an hour",
            )
