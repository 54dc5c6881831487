"""A scratch installation of a site: temporary, with keys of its own, and with local peers for everybody outside.

Nothing of it is the real one's: neither data nor keys nor recipients. Time stands still, and passes when a probe says
so; no work is done in the background but by `round`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from avow.outbound.address import MAIL, Address
from avow.testing.canaries import Canary, phrased
from avow.testing.clock import FrozenClock
from avow.testing.probing.browser import BASE, Browser
from avow.vault.columns import INDEX_SUFFIX
from avow.vault.envelope import Label
from avow.vault.vault import new_id

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.site.site import Site

#: Where time stands when a probe begins: a Tuesday in November, unix seconds.
NOON = 1_795_000_000.0

#: The name and the password of the only member of staff.
MEMBER, PASSWORD = "probe", "a long password for probing only"  # of a scratch installation


@dataclass
class Peers:
    """Everybody whom a site reaches, on this machine; `missing` says of whom there is none, and why."""

    addresses: dict[str, Address] = field(default_factory=dict)
    by_name: dict[str, Any] = field(default_factory=dict)
    ca: Path | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def fields_at(self, name: str) -> list[Mapping[str, str]]:
        """What has arrived at a recipient: the fields of each delivery."""
        return [order.fields for order in self.by_name[name].orders]

    def raw_at(self, name: str) -> bytes:
        """Everything that has arrived at a recipient or, for `mail`, at the mailbox, as bytes."""
        peer = self.by_name[name]
        came = peer.received if name == MAIL else peer.orders
        return b"\0".join(each.content for each in came)


@contextmanager
def local_peers(site: Site, folder: Path, *, cards: bool = False) -> Iterator[Peers]:
    """A local peer for each recipient of a site's policy that has fields, and a mailbox for everybody.

    With `cards` who gets card data is a card processor, and who gets no order a carrier, as with `--local-peers`.
    """
    from avow.testing.card_processor import CardProcessor
    from avow.testing.carrier import Carrier
    from avow.testing.certificates import Authority
    from avow.testing.supplier import HttpsSupplier

    peers = Peers()
    authority = Authority.create(folder / "authority")
    peers.ca = authority.ca
    with ExitStack() as stack:
        for name, recipient in site.policy.recipients.items():
            if not recipient.fields or name in site.by_hand:
                continue
            channel = recipient.channels[0] if recipient.channels else "https"
            made: Any = None
            kinds = {category.partition(".")[0] for category in recipient.fields}
            if channel == "https" and cards and "card" in kinds:
                made = CardProcessor(authority, name=name)
            elif channel == "https" and cards and "order" not in kinds:
                made = Carrier(authority, name=name)
            elif channel == "https":
                made = HttpsSupplier(authority, name=name)
            elif channel == "smtps":
                from avow.testing.supplier_mail import MailSupplier

                made = MailSupplier(authority, name=name)
            elif channel == "sftp":
                from avow.testing.supplier_sftp import SftpSupplier

                made = SftpSupplier(folder, name=name)
            else:
                peers.missing[name] = f"no local peer speaks `{channel}`"
                continue
            peers.by_name[name] = stack.enter_context(made)
            peers.addresses[name] = Address.of(dict(made.address) if hasattr(made, "address") else made.url)
        if site.policy.messages:
            from avow.testing.mailbox import Mailbox

            peers.by_name[MAIL] = stack.enter_context(Mailbox(authority))
            peers.addresses[MAIL] = Address.of(peers.by_name[MAIL].url)
        yield peers


class Scratch:
    """A site, opened on a temporary folder.

    Attributes:
        data: the folder of the installation.
        clock: its time.
        opened: the installation.
    """

    def __init__(self, site: Site, folder: Path, peers: Peers | None = None) -> None:
        self.site = site
        self.folder = folder
        self.data = folder / "data"
        self.clock = FrozenClock(NOON)
        self.peers = peers or Peers()
        self.open()

    def hire(self) -> None:
        """Let there be a member of staff who may come to every desk. Takes the time of a password hash, once."""
        if MEMBER not in self.opened.staff_file.members():
            roles = tuple(sorted({role for roles in self.site.desks.values() for role in roles}))
            self.opened.staff_file.add(MEMBER, PASSWORD, roles)

    def open(self, **settings: Any) -> None:
        """Open it; `settings` in place of the usual ones."""
        usual: dict[str, Any] = {
            "background": False, "base": BASE, "clock": self.clock, "endpoints": self.peers.addresses,
            "ca": self.peers.ca, "timeout": 2.0,
        }  # fmt: skip
        self.opened: Opened = self.site.open(self.data, **{**usual, **settings})

    def close(self) -> None:
        """Stop it."""
        self.site.close()

    def browser(self, **options: Any) -> Browser:
        """Somebody at the door."""
        return Browser(self.opened.app, **options)

    # -- putting something in ---------------------------------------------------------------------

    def plant(self, kind: type[Any], values: Mapping[str, str], person: str | None = None, **plain: Any) -> Any:
        """A record of a new person (or of the one with an id) with these values by attribute, sealed and unjudged.

        What is in the installation is not what is probed here: no rule may keep a probe from having something to try.
        The id of the record's owner and its own.
        """
        vault, words = self.opened.vault, self.site.policy.vocabulary.words
        with self.site.acting(next(iter(words["role"])), next(iter(words["purpose"]))) as work:
            db = work.db
            whose = db.get(vault.person_class, person) if person else vault.new_person()
            assert whose is not None
            db.add(whose)
            made = kind(
                id=new_id(), avow_person=whose, policy=vault.policy.digest, **{kind.__layout__.owner: whose.id}, **plain
            )
            for name, text in values.items():
                spec = kind.__layout__.fields[name]
                label = Label(spec.category, vault.policy.digest[:16], "", vault.hour())
                setattr(made, name, made._sealed(spec, text, label))
                if spec.blind is not None:
                    setattr(made, name + INDEX_SUFFIX, spec.blind(text))
            db.add(made)
            return whose.id, made.id

    # -- looking ----------------------------------------------------------------------------------

    def entries(self) -> list[dict[str, Any]]:
        """The ledger: what is in its log, and what waits."""
        return [json.loads(body) for body in self.bodies()]

    def bodies(self) -> list[bytes]:
        """The same, as bytes."""
        schema = self.site.home.schema
        with self.opened.vault.store.reading() as connection:
            found = [bytes(body) for body in connection.scalars(select(schema.entry.c.body))]
            waiting = connection.execute(select(schema.pending.c.id, schema.pending.c.body)).all()
        return [*found, *(self.opened.vault.waiting.unseal(row.id, bytes(row.body)) for row in waiting)]

    def outbox(self) -> list[Any]:
        """The rows of the outbox."""
        with self.opened.vault.store.reading() as connection:
            return list(connection.execute(select(self.site.home.schema.outbox)).all())

    def files(self) -> dict[str, bytes]:
        """Every file of the installation."""
        return {str(f.relative_to(self.data)): f.read_bytes() for f in sorted(self.data.rglob("*")) if f.is_file()}

    def deliver(self) -> None:
        """Send everything that is due."""
        self.opened.courier.run()


def canaries(categories: Mapping[str, str], address: str) -> dict[str, Canary]:
    """A canary for each name, by its category: an address where mail goes, else words that occur nowhere else."""
    texts = {name: "{}@canary.example" if category == address else "Zoë {} & <Co>"
             for name, category in categories.items()}  # fmt: skip
    return phrased(texts)


def random_word() -> str:
    """A word that nobody has said before."""
    return secrets.token_urlsafe(24)
