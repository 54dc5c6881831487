"""Two village posts, one of which takes over people of the other: under a policy that protects less than theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped

from avow import Sealed, owner, personal, plain
from avow.engine import Policy
from avow.keys.transfer import Card, TransferKeys
from avow.keys.transfer_stream import Head, Package, write_package
from avow.ledger.entry import Entry
from avow.site.transfer import hand_over, open_package, write_card
from avow.testing.clock import FrozenClock
from avow.vault.transfer import Packed
from avow.vault.transfer_open import Taken
from tests.noted import logged

from .post import post

SOURCE = (Path(__file__).parent / "post.md").read_text()

#: The policy of who sends: people may go along, and who takes them over binds themselves to it.
GOING = (
    SOURCE.replace("purposes: {", "purposes: {succession: {label: handing over, key: third_party_sharing.succession}, ")
    .replace("roles: {", "roles: {legal: {label: the legal desk}, ")
    .replace(
        "events: {",
        "recipients: {successor: {label: who takes over, fields: [contact, letter], channels: [sftp]}}\n"
        "predicates: {bound: {arguments: 1, label: bound}, complete: {arguments: 1, label: complete}}\n"
        "things: {package: {label: package}}\nevents: {",
    )
    + """
When the post changes hands, what we have about you may go along with this policy and with what you want.

```avow #going
may share contact, letter with successor for succession over sftp by legal
  when bound(successor) and complete(package)
```

Who does not bind themselves to this policy gets nothing, and nothing goes without what you want.

```avow #bound
never share contact, letter with successor unless bound(successor)
never share contact, letter with successor unless complete(package)
```
"""
)

#: The policy of who receives: there is a use that the sender's does not know, and letters stay for longer.
LOOSER = (
    SOURCE.replace("site: post", "site: depot")
    .replace("title: Privacy at the village post", "title: Privacy at the depot")
    .replace("purposes: {", "purposes: {selling: {label: selling, key: marketing.advertising}, ")
    .replace("mailing by desk", "mailing by desk\nmay open contact.name for selling by desk")
    .replace("You and the desk may read it.", "You and the desk may read it, and we sell with it.")
    .replace("within 90 days after arrived", "within 900 days after arrived")
)


def with_choices(site: Any, *, say_so: bool = True) -> Any:
    """A post that also keeps what people want: yes counts only with the mark of the post that wrote it."""

    class Choice(site.Record):  # type: ignore[misc]
        """What somebody wants or does not want."""

        __tablename__ = "post_choice"
        __choices__ = say_so
        person: Mapped[str] = owner()
        said: Mapped[Sealed | None] = personal("letter", field="choice.said", optional=True)
        state: Mapped[str] = plain("yes or no")
        mark: Mapped[str] = plain("keyed hash of what the row says")

    class Visit(site.Record):  # type: ignore[misc]
        """Somebody at the counter."""

        __tablename__ = "post_visit"
        __stays__ = "who came to this counter came to no other"
        person: Mapped[str] = owner()
        seen: Mapped[Sealed | None] = personal("contact.name", field="visit.seen", optional=True)

    def mark(work: Any, choice: Any) -> str:
        return str(work.fingerprint(f"{choice.person} {choice.id} {choice.state}"))

    @site.leaving(Choice)
    def goes(work: Any, choice: Any) -> dict[str, str]:
        return {"mark": "", "state": choice.state if choice.mark == mark(work, choice) else "no"}

    @site.arrived(Choice)
    def comes(work: Any, choice: Any) -> None:
        work.update(choice, mark=mark(work, choice))

    site.Choice, site.Visit, site.mark = Choice, Visit, mark
    return site


class Side:
    """One post, open on a store of its own."""

    def __init__(self, folder: Path, store: str, clock: FrozenClock, source: str) -> None:
        self.folder, self.store, self.clock = folder, store, clock
        self.site: Any = None
        folder.mkdir(exist_ok=True)
        self.open(source)

    def open(
        self, source: str, make: Callable[[], Any] = lambda: with_choices(post()), formerly: str | None = None
    ) -> Any:
        """Open it under a policy, closing what was open; what it was called `formerly`, if that has another name."""
        if self.site is not None:
            self.site.close()
        self.site = make()
        self.site.policy = Policy.parse(source, "post.md")
        self.site.by_hand = tuple(self.site.policy.recipients)
        settings = {"background": False, "clock": self.clock, "formerly": formerly}
        self.site.open(self.folder / "data", store=self.store, **settings)
        return self.site

    @property
    def vault(self) -> Any:
        return self.site.opened.vault

    @property
    def keys(self) -> TransferKeys:
        return TransferKeys.of(self.folder / "data", self.vault.tenant)

    @property
    def card(self) -> Path:
        return self.folder / "card"

    def write_card(self, other: Side | None = None) -> Path:
        """Write its card, bound to the policy of the other side where one is named."""
        write_card(self.site.opened, self.card, None if other is None else other.card)
        return self.card

    def settle(self, *names: str, place: str = "counter") -> list[str]:
        """New neighbours with a choice each; their ids."""
        ids = []
        with self.site.acting("desk", "mailing", place=place) as work:
            for name in names:
                person = work.person()
                email = f"{name.split()[0].lower()}@example.org"
                work.collect(self.site.Neighbour, person=person, name=name, email=email)
                choice = work.collect(self.site.Choice, person=person, said="not on Sundays", state="yes", mark="")
                work.update(choice, mark=self.site.mark(work, choice))
                ids.append(person.id)
        return ids

    def names(self) -> list[str]:
        with self.site.acting("desk", "mailing") as work:
            return sorted(neighbour.name.open() for neighbour in work.select(self.site.Neighbour))

    def sell(self, name: str = "ann") -> str:
        """Use a name for what only the looser policy permits."""
        with self.site.acting("desk", "selling") as work:
            kind = self.site.Neighbour
            return str(work.select(kind, kind.email == f"{name}@example.org")[0].name.open())

    def rows(self) -> dict[str, int]:
        """How many rows each table has, but those of the ledger."""
        tables = self.site.home.metadata.sorted_tables
        with self.vault.store.reading() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table))
                for table in tables
                if table.name not in ("avow_pending", "avow_entry", "avow_tile", "avow_tally")
            }

    def entries(self, event: str) -> list[Entry]:
        """The entries of the ledger of one event."""
        return [entry for entry in logged(self.site) if entry.event == event]


class Two:
    """The post whose people go, and the one that takes them over."""

    def __init__(self, folder: Path, stores: Callable[[], str], clock: FrozenClock) -> None:
        self.folder, self.stores, self.clock = folder, stores, clock
        self.post = Side(folder / "post", stores(), clock, GOING)
        self.depot = Side(folder / "depot", stores(), clock, LOOSER)
        self._packages = 0

    def third(self, source: str) -> Side:
        return Side(self.folder / "third", self.stores(), self.clock, source)

    def cards(self) -> None:
        """Each side gives the other its card, the depot's bound to the policy of the post."""
        self.post.write_card()
        self.depot.write_card(self.post)

    def file(self) -> Path:
        self._packages += 1
        return self.folder / f"package {self._packages}"

    def pack(self, **options: Any) -> Path:
        """A package for the depot."""
        self.cards()
        file = self.file()
        self.packed: Packed = hand_over(self.post.site.opened, self.depot.card, file, **options)
        return file

    def take(self, file: Path) -> Taken:
        return open_package(self.depot.site.opened, file, self.post.card)

    def forged(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], **options: Any) -> Path:
        """A package as the post would sign it if its program was another: with other lines in it."""
        genuine = Package(self.pack(**options), self.depot.keys, Card.read(self.post.card))
        lines = change([json.loads(line) for line in genuine.lines()])
        head = Head(**{**genuine.head.words(), "id": "f" * 32, "serial": genuine.head.serial + 1})
        encoded = (json.dumps(line).encode() + b"\n" for line in lines)
        file = self.file()
        file.write_bytes(b"".join(write_package(self.post.keys, Card.read(self.depot.card), head, encoded)))
        return file

    def close(self) -> None:
        self.post.site.close()
        self.depot.site.close()
