"""A declared site that is open on a store, with its peers, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from avow import Refused, Work
from avow.edge.pages import fill_answer
from avow.site.site import Acting
from avow.testing.carrier import Carrier
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from tests.left import left_in
from tests.noted import logged
from tests.vault.office import Kept

ROOT = Path(__file__).parents[3]


class Service(Kept):
    """One installation of `site`; every recipient of its policy is the same real peer."""

    def __init__(
        self,
        site: Any,
        data: Path,
        another: Callable[[], str],
        peers: tuple[Carrier, Mailbox],
        clock: FrozenClock,
    ) -> None:
        self.site, self.data, self.another, self.clock = site, data, another, clock
        self.helper, self.mail = peers
        self.store = another()
        self.open()

    def open(self) -> None:
        """Open it, as at the first time or again."""
        policy = self.site.policy
        endpoints = {
            name: self.helper.url
            for name, recipient in policy.recipients.items()
            if recipient.fields and name not in self.site.by_hand
        }
        if policy.messages:
            endpoints["mail"] = self.mail.url
        settings = {"endpoints": endpoints, "ca": self.helper.ca, "background": False, "clock": self.clock}
        self.site.open(self.data, store=self.store, timeout=5.0, **settings)
        self.sign()

    def sign(self) -> None:
        """Have everything signed for that the policy wants signatures for, and that has none."""
        attesting = self.site.opened.vault.attesting
        for each in attesting.states():
            if each.signature is None:
                attesting.sign(each.sentence.anchor, role=each.role, name="berta")

    def acting(self, role: str, purpose: str, place: str | None = None, **facts: bool | float | None) -> Acting:
        """A unit of a program, over HTTPS; facts by names in which `__` opens a parenthesis: `logged_in__subject`."""
        known: dict[str, bool | float | None] = {}
        for name, fact in facts.items():
            word, opens, argument = name.partition("__")
            known[f"{word}({argument})" if opens else word] = fact
        acting: Acting = self.site.acting(role, purpose, place=place, channel="https", facts=known)
        return acting

    def desk(self, role: str, purpose: str, place: str) -> AbstractContextManager[Work]:
        """A unit of a member of staff, to whom what is shown there is shown."""
        opened = self.site.opened
        return Acting(opened, opened.unit(role, purpose, place=place, channel="https", staff=True))

    def rounds(self) -> None:
        """Let the background work do everything that is due, what it has queued included."""
        self.site.opened.background.round()
        self.site.opened.background.round()

    def of(self, work: Work, kind: Any, person: str) -> Any:
        """The first record of a person, in a unit that deals with it."""
        (record,) = work.select(kind, getattr(kind, kind.__layout__.owner) == person)[:1]
        work.regard(record)
        return record

    def events(self, verb: str) -> list[str]:
        """What the ledger says of a verb, in order."""
        return [told.event for told in logged(self.site) if told.verb == verb]

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Carry out a statement on the stored rows, as somebody does who has the database and no keys."""
        with self.site.opened.vault.store.writing() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def stored(self) -> bytes:
        """All that lies on the disk: the data folder, and the database with its log, or every row of the server's."""
        self.site.opened.sequencer.run()
        files = [*left_in(self.data).values()]
        if self.store.startswith("sqlite:///"):
            files += left_in(Path(self.store.removeprefix("sqlite:///")).parent).values()
        else:
            with self.site.opened.vault.store.reading() as connection:
                cursor = connection.connection.cursor()
                for table in self.site.home.metadata.sorted_tables:
                    with cursor.copy(f'COPY "{table.name}" TO STDOUT (FORMAT binary)'.encode()) as rows:
                        files += [bytes(row) for row in rows]
        return b"\0".join(files)


def shown(work: Work, *values: Any) -> list[str]:
    """What a page shows of sealed values, once its door has judged them. Raises Refused where it shows none."""
    page = "\n".join(value.__html__() for value in values)
    return fill_answer(work.unit, "text/plain", page.encode()).decode().split("\n")


def refuses(anchor: str) -> AbstractContextManager[Any]:
    """Expect a refusal that names the sentence of an anchor."""
    return pytest.raises(Refused, match=rf"#{anchor}\b")
