"""The service itself: its own records, pages, forms, mails and examples, in a scratch installation of its own.

People are put into each of its records with canaries in every personal column, its examples are made where it declares
some, and its forms are filled in as far as a stranger can guess how. Then everybody comes to the door: strangers, who
guess and forge; the holder of one secret link; members of staff. Whatever of all these values comes out, in a page, a
header, a mail, a log or a file, has to be theirs who see it, and shown by a sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary, text
from sqlalchemy import String as Text

from avow.errors import AvowError
from avow.outbound.address import MAIL
from avow.site.site import Site
from avow.testing.canaries import Search, known
from avow.testing.probing import decisions
from avow.testing.probing.bench import Bench
from avow.testing.probing.needles import SHORTEST, Needle, plainly
from avow.testing.probing.scratch import Scratch, canaries, random_word
from avow.vault.erasure import erase
from avow.vault.vault import new_id

#: Keys of the shared taxonomy, and words within names, whose values few guesses would find.
LOW = (
    "gender",
    "sex",
    "country",
    "state",
    "region",
    "city",
    "postal_code",
    "postcode",
    "age",
    "birth",
    "language",
    "race",
    "religion",
    "nationality",
    "marital",
    "last4",
    "expiry",
    "code",
    "yes_or_no",
    "vote",
)


@dataclass
class Own:
    """A service in its scratch installation.

    Attributes:
        people: by class of records, owner and id of the records of two people, Ann's first.
        needles: what is searched for, by a name of its own.
        secrets: the secret links of the first person of each class, as (class, use, secret).
        common: what the service says to everybody (`plainly`): no such text tells of anybody.
        addresses: the addresses that lie in its records, or have lain there, each with whose it is.
    """

    bench: Bench
    site: Site
    scratch: Scratch
    people: dict[type[Any], list[tuple[str, str]]] = field(default_factory=dict)
    needles: dict[str, Needle] = field(default_factory=dict)
    secrets: list[tuple[type[Any], str, str]] = field(default_factory=list)
    common: str = ""
    addresses: dict[str, set[str]] = field(default_factory=dict)
    _search: Search | None = None

    def fill(self) -> None:
        """Put two people into each class of records, with a canary in every personal column."""
        for kind in self.site.home.records:
            if kind is self.site.visit:
                continue
            for number in range(2):
                fields = {name: spec.category for name, spec in kind.__layout__.fields.items()}
                made = canaries(fields, self.site.address)
                plain = _plain(kind)
                try:
                    found = self.scratch.plant(kind, {n: c.value for n, c in made.items()}, **plain)
                except Exception as error:  # noqa: BLE001  # a class that takes only what its own code makes
                    self.bench.report.without(
                        f"records of `{kind.__table__.name}`",
                        f"none could be made from outside ({type(error).__name__})",
                    )
                    break
                self.people.setdefault(kind, []).append(found)
                for name, canary in made.items():
                    self._add(Needle(found[0], fields[name], f"{kind.__table__.name}.{name}", canary.value))
                if number == 0:
                    self._links(kind, found)

    def learn(self) -> None:
        """Look for what lies in the database besides: what examples and forms have left there."""
        role, purpose, _ = self.bench.some
        before = {needle.value for needle in self.needles.values()}
        with self.site.acting(role, purpose) as work:
            for kind in self.site.home.records:
                for record in work.select(kind):
                    for name, spec in kind.__layout__.fields.items():
                        value = getattr(record, name)
                        said = value._reveal() if value is not None else ""
                        if spec.category == self.site.address and said:
                            self.addresses.setdefault(said, set()).add(record.owner_id)
                        if len(said) >= SHORTEST and said not in before and plainly(said) not in self.common:
                            before.add(said)
                            needle = Needle(record.owner_id, spec.category, f"{kind.__table__.name}.{name}", said)
                            self._add(needle)

    def found(self, data: bytes) -> list[Needle]:
        """What of all these values is in `data`."""
        if self._search is None:
            whole = {name: known(name, needle.value) for name, needle in self.needles.items()}
            self._search = Search(whole)
        return [self.needles[name] for name in sorted(self._search.fields(data))]

    def _add(self, needle: Needle) -> None:
        self.needles[str(len(self.needles))] = needle
        self._search = None

    def _links(self, kind: type[Any], found: tuple[str, str]) -> None:
        role, purpose, _ = self.bench.some
        with self.site.acting(role, purpose) as work:
            record = work.db.get_one(kind, found)
            for use in ("", *self.site.links):
                self.secrets.append((kind, use, work.secret(record, use)))


def _plain(kind: type[Any]) -> dict[str, Any]:
    """Values for the columns that are not personal and have to have one."""
    made: dict[str, Any] = {}
    for column in kind.__table__.columns:
        info = column.info.get("avow")
        if info != "plain" or column.default is not None:
            continue
        if column.nullable and not column.unique:
            continue
        if isinstance(column.type, Boolean):
            made[column.name] = False
        elif isinstance(column.type, Integer):
            made[column.name] = 1
        elif isinstance(column.type, Float):
            made[column.name] = 0.0
        elif isinstance(column.type, LargeBinary):
            made[column.name] = new_id().encode()
        elif isinstance(column.type, Text):
            made[column.name] = random_word() if column.unique else ""
    return made


#: People that are erased in the end, beside those that were put in: the latest.
ERASED = 5


def probe(bench: Bench, site: Site, folder: Path, peers: Any) -> None:
    """Probe a service beside its policy's stand-in."""
    from avow.testing.probing import own_pages

    with listening() as said:
        scratch = Scratch(site, folder, peers)
        try:
            own = Own(bench, site, scratch)
            own.common = own_pages.said_to_all(own)
            own.fill()
            own.learn()
            _decisions(own)
            _indexes(own)
            own_pages.examples(own)
            own_pages.probe(own)
            own.learn()
            _round(own)
            _letters(own)
            _files(own, said)
            _erased(own)
        finally:
            scratch.close()


class Listening(logging.Handler):
    """What the service logs, as its own handlers would get it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        self.lines.append(record.getMessage() + repr(record.__dict__) + (record.exc_text or ""))


@contextmanager
def listening() -> Iterator[Listening]:
    """Keep all log lines of the process while the block lasts."""
    handler, root = Listening(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def _decisions(own: Own) -> None:
    """The policy that this service runs on is the one in its file."""
    decisions.probe(own.bench, policy=own.site.policy, most=4)


def _indexes(own: Own) -> None:
    """No lookup column holds what few guesses would find."""
    words = own.site.policy.vocabulary.words["category"]
    for kind in own.site.home.records:
        for name, spec in kind.__layout__.fields.items():
            if not spec.lookup:
                continue
            own.bench.report.tried("own.index")
            key = words[spec.category].key or ""
            parts = {*spec.category.replace("_", ".").split("."), *key.replace("_", ".").split("."),
                     *key.split("."), *spec.category.split(".")}  # fmt: skip
            low = sorted(parts & {*LOW})
            if low:
                own.bench.hole(
                    "own.index",
                    "the database",
                    f"look up `{kind.__table__.name}.{name}`, of `{spec.category}`",
                    "no equal values can be told where there are few: its frequencies give it away",
                    f"it has a blind index, and is a {low[0]}",
                    f"the column: leave out lookup={spec.lookup!r}",
                    *own.bench.duty_anchors("encrypt"),
                )


def _round(own: Own) -> None:
    """Let the service do what it does by itself, once."""
    own.bench.report.tried("own.round")
    try:
        own.scratch.opened.background.round()
    except Exception as error:  # noqa: BLE001  # a job that needs more than is here is no hole
        own.bench.report.without("the service's own jobs", f"a round of them failed ({type(error).__name__})")


def _letters(own: Own) -> None:
    """Each mail of the service that the policy lets be sent, to the owner of a record; then every mail that came."""
    bench, address = own.bench, own.site.address
    if MAIL not in own.scratch.peers.by_name:
        return
    tried: set[str] = set()
    for kind, people in own.people.items():
        if not any(spec.category == address for spec in kind.__layout__.fields.values()):
            continue
        for rule in bench.reading.rules:
            if rule.modal != "may" or rule.verb != "send":
                continue
            for attempt in list(bench.deriving.attempts(rule))[:3]:
                message = attempt.flow["object"]
                role, purpose, _ = bench.some
                with suppress(AvowError):
                    with own.site.acting(role, attempt.flow.get("for", purpose)) as work:
                        record = work.db.get(kind, people[-1])  # the first may be gone: forms were sent for them
                        if record is not None:
                            work.send(message, record)
                    tried.add(message)
    bench.report.tried("own.mail", len(tried))
    own.scratch.deliver()
    for mail in own.scratch.peers.by_name[MAIL].received:
        _letter(own, mail)


def _letter(own: Own, mail: Any) -> None:
    bench = own.bench
    part = mail.message.get_body(("plain",))
    said = str(part.get_content()) if part is not None else ""
    to = {owner for address in mail.recipients for owner in own.addresses.get(address, ())}
    subject = str(mail.message["Subject"])
    message = f"a mail, “{subject[:40]}”"
    bench.report.tried("own.mail")
    foreign = [needle for needle in own.found(said.encode()) if needle.owner not in to]
    if foreign or not to:
        bench.hole(
            "own.mail",
            message,
            "the service sends its mails",
            "each goes to the person whose record it is of, and tells of nobody else",
            f"it told of somebody else's `{foreign[0].category}`"
            if foreign
            else "it went to an address that is in no record",
            "the mail's template, and who sends it",
        )
    offers = [rule for rule in bench.reading.rules if rule.modal == "must" and rule.verb == "offer"]
    for rule in offers:
        named = [str(term) for phrase in rule.phrases if phrase.preposition == "in" for term in phrase.terms]
        listed = str(mail.message.get("List-Id", "")).strip("<>").split(".")[0].replace("-", "_")
        if listed in named and "unsubscribe" in map(str, rule.objects) and "List-Unsubscribe" not in mail.message:
            bench.hole(
                "own.offer",
                message,
                "the service sends its mails",
                f"`{rule.text}`",
                "it offers nothing",
                "the mail's template, and Site(offers=…)",
                rule.sentence.anchor,
            )


def _files(own: Own, said: Listening) -> None:
    """No file and no log line holds any of it in the clear, and each recipient has what is declared for it."""
    bench = own.bench
    for name, content in own.scratch.files().items():
        bench.report.tried("own.sealed")
        for needle in own.found(content)[:1]:
            bench.hole(
                "own.sealed",
                f"the files of the service: {name}",
                f"search {name} for what people gave",
                "none of it is there in any encoding",
                f"what was given as `{needle.category}` (in {needle.column}) is there",
                "plain() columns, and what the service writes into them",
                *bench.duty_anchors("encrypt"),
            )
    bench.report.tried("own.log", len(said.lines))
    for needle in own.found("\n".join(said.lines).encode())[:1]:
        bench.hole(
            "own.log",
            "a log",
            "read everything that was logged meanwhile",
            "nothing personal is in it",
            f"what was given as `{needle.category}` is there",
            "the service's log lines",
        )
    for name, peer in own.scratch.peers.by_name.items():
        if name == MAIL or not hasattr(peer, "orders"):
            continue
        bench.report.tried("own.share")
        listed = {("category", wide) for wide in bench.reading.front.recipients[name].fields}
        for needle in own.found(own.scratch.peers.raw_at(name)):
            if not bench.slow.above(("category", needle.category)) & listed:
                bench.hole(
                    "own.share",
                    f"what left for {name}",
                    "look at what has arrived there",
                    "the declared fields and nothing else",
                    f"`{needle.category}` is among it",
                    "what the service shares, and the recipient's `fields:`",
                )


def _erased(own: Own) -> None:
    """The first person of each class is erased; no row of any table names them."""
    with own.scratch.opened.vault.store.reading() as connection:
        dialect = connection.dialect.name
    assert dialect == "sqlite"  # a scratch installation always is
    owners = {people[0][0]: kind.__table__.name for kind, people in own.people.items()}
    for others in list(own.addresses.values())[-ERASED:]:
        owners |= dict.fromkeys(others - owners.keys(), "person")
    for owner, whose in owners.items():
        erase(own.scratch.opened.vault, owner)
        own.bench.report.tried("own.erase")
        with own.scratch.opened.vault.store.reading() as connection:
            for table in own.site.home.metadata.sorted_tables:
                for column in table.columns:
                    statement = text(
                        f'SELECT count(*) FROM "{table.name}" '  # noqa: S608  # our own names
                        f'WHERE instr(CAST("{column.name}" AS TEXT), :id)'
                    )
                    if connection.scalar(statement, {"id": owner}):
                        own.bench.hole(
                            "own.erase",
                            f"the database: {table.name}",
                            f"erase the owner of a `{whose}`",
                            "no row names them any more",
                            f"`{table.name}.{column.name}` still does",
                            "owner() and party(), and ids kept in plain() columns",
                            *own.bench.duty_anchors("erase"),
                        )
