"""An opened site: one installation, put together and running.

DATA/                     (0700)
  keyring                 keys, or the device that holds them; never in the database
  tombstones              who was erased, by keyed hashes: what a restored database has to be told
  ledger.checkpoint       how far the ledger is, signed; its entries once more are in ledger.journal
  staff.yaml              names, roles and password hashes of members of staff
  serving                 locked by who serves it, so that nobody restores it meanwhile
  site.db                 the SQLite database, unless another store is named
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Router

from avow.edge import logs
from avow.edge.acts import Acts, check_routes
from avow.edge.csrf import issue, same_origin, verify
from avow.edge.detectors import contains_card, contains_card_code, contains_typed_card
from avow.edge.exits import guard_of
from avow.edge.guard import ExitGuard
from avow.edge.inbox import Inbox
from avow.edge.intake import Intake
from avow.edge.middleware import Edge
from avow.edge.pages import environment
from avow.edge.staff import Staff
from avow.edge.visits import Visits
from avow.errors import AvowError, Refused, SetupError, StoreError
from avow.keys.installed import create_keys, open_keys
from avow.keys.provider import KeyProvider
from avow.ledger.kept import NAME as CHECKPOINT
from avow.ledger.kept import log_signer
from avow.ledger.public import PublicLog
from avow.ledger.sequencer import Sequencer
from avow.ledger.stored import refuse_chain
from avow.outbound.directory import Directory
from avow.outbound.dkim import Signer
from avow.outbound.exchange import NEVER_SEEN_AFTER, Exchanges, Reply
from avow.outbound.letter import LetterDoor
from avow.outbox.courier import Courier, Delivered, Door
from avow.outbox.queue import LEASE
from avow.outbox.recalling import recall
from avow.site.announcing import check_announcing
from avow.site.background import Background
from avow.site.evidence import Evidence
from avow.site.jobs import Jobs
from avow.site.letters import check_letters, letter_door
from avow.site.mailing import open_inbox
from avow.site.serving import serving
from avow.site.settings import Settings
from avow.site.staff_file import NAME, StaffFile
from avow.site.versions import Versions
from avow.site.work import Work
from avow.store.connection import Store
from avow.vault.current import unit_if_any
from avow.vault.retention import carry_out
from avow.vault.unit import Unit
from avow.vault.vault import Inspector, Vault

if TYPE_CHECKING:
    from avow.site.site import Site
    from avow.vault.record import Record

#: Says whether something is seen in a text.
Seen = Callable[[str], bool]


class Opened:
    """One running installation of a site. Made by `Site.open`."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self.site = site
        self.settings = settings
        self.policy = site.policy
        check_routes(site.routes, site.policy.vocabulary)
        _check_timeout(settings.timeout)
        self.directory = Directory(
            self.policy,
            settings.endpoints,
            ca=settings.ca,
            timeout=settings.timeout,
            sender=self._sender,
            sign=self._sign,
            by_hand=site.by_hand,
        )
        if self.policy.messages:
            check_letters(self, self._sender())
        check_announcing(self)
        _make_folder(settings.data)
        self.signer = Signer(settings.data, (self.policy.contact.email or "").rpartition("@")[2])
        self.signer.check()
        self.staff_file = StaffFile(settings.data / NAME, frozenset(self.policy.vocabulary.words["role"]))
        self.staff_file.members()  # a file that cannot be used is told now, not to who stands before a desk
        store = Store.open(settings.store or f"sqlite:///{settings.data / 'site.db'}")
        self._held = ExitStack()
        try:
            if settings.background:
                self._held.enter_context(serving(settings.data))
            with store.reading() as connection:
                refuse_chain(connection, site.home.schema)
            self.keyring = self._keyring(store)
            signer = log_signer(settings.data, self.keyring, f"{self.policy.site}/ledger")
            self.vault = Vault(
                store=store,
                data=settings.data,
                policy=site.policy,
                keyring=self.keyring,
                home=site.home,
                person_class=site.person_class,
                clock=settings.clock,
                subject=site.subject,
                acceptance=site.acceptance,
                publishes=settings.publishes,
                formerly=settings.formerly,
                new_guard=ExitGuard,
                inspectors=self._inspectors(contains_typed_card, contains_card_code),
                exit_inspectors=self._inspectors(contains_card, contains_card_code),
            )
            self.vault.prepare()
            self.sequencer = Sequencer(
                store,
                site.home.schema,
                settings.data / CHECKPOINT,
                signer,
                self.vault.waiting,
                settings.clock,
                settings.ledger_every,
            )
            self.sequencer.begin()
            self.log = PublicLog(store, site.home.schema, self.sequencer.file, signer.key)
            if self.vault.resume():
                recall(self.vault)  # before whoever it is about is erased
                carry_out(self.vault)
        except BaseException:
            site.home.bind(None)
            store.close()
            self._held.close()
            raise
        self.templates = environment(site.pages)
        self.versions = Versions(self.vault)
        self.evidence = Evidence(self.vault)
        self.vault.announces = lambda: self.versions.announced is not None
        self.exchanges = Exchanges(self.vault, self.directory.https, self._settled)
        self.courier = Courier(self.vault, self._door, self._delivered)
        self.app = self._edge()
        logs.install(_current_guard)
        self.vault.facts_of = lambda unit, record, recipient: site.facts_of(Work(self, unit), record, recipient)
        self.jobs = Jobs(self, site.jobs)
        self.background = Background(self)
        self.inbox: Inbox | None = None
        if settings.inbox is not None:
            try:
                self.inbox = open_inbox(self, settings.inbox, self._sender())
            except BaseException:
                self.close()
                raise
        if settings.background:
            self.background.start()

    def close(self) -> None:
        """Stop the background work and the inbox, and give back the connections."""
        if self.inbox is not None:
            self.inbox.stop()
        self.background.stop()
        logs.uninstall()
        self.vault.close()
        self._held.close()

    # -- for work and doors -----------------------------------------------------------------------

    def unit(self, role: str, purpose: str, **options: Any) -> Unit:
        """A unit of work for a role and purpose that the policy knows.

        Raises:
            SetupError: it does not know them.
        """
        vocabulary = self.policy.vocabulary
        for kind, word, known in (
            ("role", role, vocabulary.words["role"]),
            ("purpose", purpose, vocabulary.words["purpose"]),
        ):
            if word not in known:
                raise SetupError(f"the policy knows no {kind} `{word}`", help=f"it knows {', '.join(sorted(known))}")
        return Unit(self.vault, role, purpose, **options)

    @property
    def letters(self) -> LetterDoor:
        """The way out by mail."""
        return letter_door(self, self._sender())

    def _sender(self) -> str:
        sender = self.policy.contact.email
        if sender is None:
            raise SetupError("the policy gives no mail address to write from", help="add `email:` to its `contact:`")
        return sender

    def _sign(self, content: bytes) -> bytes:
        return self.signer.sign(content)

    def secret_of(self, record: Record, use: str = "") -> str:
        """The secret of a record's link for one use: 256 bits under a key outside the database."""
        parts = (record.owner_id, record.__table__.name, record.id)  # type: ignore[attr-defined]
        return self._keyed("record", *parts, *([use] if use else []))

    def fingerprint(self, value: str) -> str:
        """A keyed hash of `value`: it can be recognised by it, and not found from it."""
        return self._keyed("fingerprint", value)

    def _keyed(self, *parts: str) -> str:
        words = "\0".join((self.vault.tenant, *parts)).encode("utf-8", "replace")
        return urlsafe_b64encode(hmac.digest(self.keyring.secret("link"), words, "sha256")).decode().rstrip("=")

    def link(self, work: Work, record: Record, use: str = "") -> str:
        """The whole address of a record's secret link for one use, as a mail carries it.

        Raises:
            SetupError: the site declares no path for this use.
        """
        name = use.partition(":")[0]
        path = self.site.links.get(name) if name else self.site.link
        if path is None:
            raise SetupError(f"the site has no link `{name}`", help=f'declare it: links={{"{name}": "/…/{{secret}}"}}')
        return self.settings.base + path.format(secret=work.secret(record, use))

    def csrf_token(self, bound: str = "") -> str:
        """A token that shows that a form came from this site, bound to who it was given to."""
        return issue(self.keyring.secret("csrf"), bound, self.settings.clock())

    def page(self, work: Work, template: str, context: Mapping[str, Any]) -> str:
        """A template of the site, rendered with what every page may use."""
        return self.templates.get_template(template).render(
            {
                **self.site.shared_context,
                **self.site.context_of(work),
                "work": work,
                "csrf": work.csrf,
                "policy": self.policy,
                "announced": self.versions.announced,
                "path": work.current_path,
                **context,
            }
        )

    # -- putting together -------------------------------------------------------------------------

    def _keyring(self, store: Store) -> KeyProvider:
        path, device = self.settings.data / "keyring", self.settings.device
        if path.exists():
            return open_keys(path, device)
        with store.reading() as connection:
            meta = self.site.home.schema.meta
            if store.engine.dialect.has_table(connection, meta.name):
                return open_keys(path, device)  # says that it is missing: a database without keys is not begun anew
        return create_keys(path, device)

    def _edge(self) -> Edge:
        visits = None
        if self.site.visit is not None:
            visits = Visits(self.site.visit, subject=self.site.visitor, purpose=self.site.visits_for)
        return Edge(
            Router(self.site.routes),
            open_unit=self._open_unit,
            check_form=self._check_form,
            session_of=self._session_of,
            error_page=self._error_page,
            base=self.settings.base,
            visits=visits,
            staff=Staff(self.staff_file.members, self.settings.clock),
            plain_refused=self._plain_refused(),
        )

    def _plain_refused(self) -> Refused | None:
        """What the policy says of an address that arrives over plain HTTP; None where it knows no addresses."""
        words, whose = self.policy.vocabulary.words, self.site.subject
        if self.site.address not in words["category"] or whose not in words["subject"]:
            return None
        verdict = self.policy.judge("collect", self.site.address, source=whose, subject=whose, channel="http")
        return None if verdict.permitted else Refused(verdict.reason, verdict)

    def _open_unit(self, declaration: Acts, intake: Intake, reads: bool) -> Unit:
        role, member = declaration.role, intake.member
        if member is not None:
            role = next(role for role in declaration.staff if role in member.roles)
        return self.unit(
            role,
            declaration.purpose,
            place=declaration.place,
            channel=intake.channel,
            staff=member is not None,
            # PostgreSQL's writers do not keep each other waiting, and its server lets them share commits by itself.
            reads=reads and self.vault.store.dialect == "sqlite",
        )

    def _session_of(self, declaration: Acts, intake: Intake) -> str:
        """The cookie of who is logged in, for a route whose purpose it may be read for."""
        value = intake.cookie(self.site.login)
        if not value or self.site.login not in self.policy.cookies:
            return ""
        cookie, acts = f"cookie.{self.site.login}", declaration
        verdict = self.policy.judge("open", cookie, purpose=acts.purpose, role=acts.role, place=acts.place)
        return value if verdict.permitted else ""

    def _check_form(self, intake: Intake) -> bool:
        if not same_origin(intake.headers, intake.origin):
            return False
        try:
            token = intake.typed().get("csrf", "")
        except ValueError:
            return False
        return verify(self.keyring.secret("csrf"), intake.bound, token, self.settings.clock())

    def _error_page(self, status: int, title: str, words: str, error: AvowError | None) -> str:
        verdict = getattr(error, "verdict", None)
        context = {
            **self.site.shared_context,
            "status": status,
            "title": title,
            "words": words,
            "sentences": verdict.sentences if verdict else (),
            "policy": self.policy,
            "announced": None,
            "path": "",
        }
        return self.templates.get_template("error.html").render(context)

    def _inspectors(self, card: Seen, code: Seen) -> tuple[Inspector, ...]:
        """What looks for cards in free text, as far as the policy knows cards at all."""
        known = self.policy.vocabulary.words["category"]
        looks = ((self.site.card, card), (self.site.card_code, code))
        return tuple(_inspector(category, seen) for category, seen in looks if category in known)

    def _door(self, kind: str, name: str) -> Door:
        return self.letters if kind == "send" else self.directory.door(name)

    def _settled(self, recipient: str) -> Callable[[Unit, Any, Reply], None] | None:
        hook = self.site.on_settled.get(recipient)
        return None if hook is None else lambda unit, record, reply: hook(Work(self, unit), record, reply)

    def _delivered(self, kind: str, name: str) -> Delivered | None:
        hook = self.site.on_shared.get(name) if kind == "share" else None
        if hook is not None:
            return lambda unit, record, reply: hook(Work(self, unit), record, reply)
        version = self.site.announcing.is_about(name) if kind == "send" and self.site.announcing else None
        if version is None:
            return None
        return lambda unit, record, reply: self.vault.standing.mailed(unit, record.owner_id, version)


def _inspector(category: str, seen: Callable[[str], bool]) -> Inspector:
    return lambda text: (category,) if seen(text) else ()


def _check_timeout(seconds: float) -> None:
    """A peer that may answer after its attempt was given up would undo what was concluded from its silence."""
    longest = min(LEASE, NEVER_SEEN_AFTER)
    if not 0 < seconds < longest:
        raise SetupError(
            f"a timeout of {seconds} s is not possible", help=f"give less than {longest} s, and more than 0"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder `{folder}` cannot be made: {error.strerror}", help="name a folder that this user may write"
        ) from None


def _current_guard() -> ExitGuard | None:
    unit = unit_if_any()
    return guard_of(unit) if unit is not None else None
