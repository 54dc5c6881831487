"""`work`: what a handler or job has in its hands. A façade over the unit of work and the doors.

@site.form("/checkout", Checkout, role="storefront", purpose="ordering", place="checkout", page=show)
def place_order(work, form):
    order = work.collect(Order, person=work.person(), email=form["email"])
    work.send("confirmation", order)
    return work.redirect("/thanks")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqlalchemy import select
from starlette.responses import HTMLResponse, RedirectResponse, Response

from avow.edge.cookies import Cookies
from avow.edge.export import download, exported
from avow.edge.form import Form
from avow.edge.intake import Intake
from avow.edge.markers import without_marks
from avow.errors import Refused, SetupError
from avow.outbound.exchange import Reply
from avow.outbound.letter import named
from avow.outbound.recipient import judge_share, shared_fields
from avow.outbox.queue import put
from avow.outbox.recalling import recall
from avow.site import links
from avow.site.receipts import give_receipt
from avow.vault import attempts
from avow.vault.aside import Aside
from avow.vault.counts import Counts
from avow.vault.derived import derive
from avow.vault.erasure import Erased, erase, stage
from avow.vault.holdings import Holdings, holdings
from avow.vault.my_log import MyLog, my_log
from avow.vault.older import Question
from avow.vault.once import Once
from avow.vault.removal import remove
from avow.vault.sealed import Given, Sealed

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from avow.site.evidence import Evidence
    from avow.site.opened import Opened
    from avow.site.versions import Versions
    from avow.vault.record import Person, Record
    from avow.vault.unit import Unit


class Work:
    """The unit of work as a handler sees it. Everything on it is judged by the policy."""

    def __init__(
        self,
        opened: Opened,
        unit: Unit,
        *,
        intake: Intake | None = None,
        cookies: Cookies | None = None,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> None:
        self._opened = opened
        self._intake = intake
        self._cookies = cookies
        self.unit = unit
        # What a visitor wrote into the address must not be taken for a marker when it is shown.
        self.path = {name: without_marks(value) for name, value in (path or {}).items()}
        self.query = {name: without_marks(value) for name, value in (query or {}).items()}

    # -- records ----------------------------------------------------------------------------------

    @property
    def db(self) -> Session:
        """The SQLAlchemy session, for plain columns."""
        return self.unit.db

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self.unit.vault.clock()

    def person(self) -> Person:
        """A new person: a guest is one like any other."""
        return self.unit.person()

    def collect(self, record: type[Any], *, person: Person, **values: Any) -> Any:
        """Make a record from what a person gave; see `Unit.collect`."""
        return self.unit.collect(record, person=person, **values)

    def update(self, record: Any, **values: Any) -> None:
        """Write new values into a record; see `Unit.update`."""
        self.unit.update(record, **values)

    def erase(self, person: Person) -> str:
        """Erase a person with all that is held about them, at once and for good; their receipt.

        Commits. See `avow.vault.erasure`.

        Raises:
            SetupError: there are unwritten changes: a person is erased in a transaction of its own.
        """
        if self.unit.has_unwritten_changes:
            raise SetupError("a person is erased in a transaction of its own", help="call work.commit() before")
        identity = person.id
        self.commit()
        recall(self.unit.vault, identity)  # what must be told to recipients could not be found any more
        receipt = erase(self.unit.vault, identity)
        self.db.expunge_all()  # what was loaded of them is of nobody now
        return receipt

    def remove(self, record: Record) -> None:
        """Delete one record with its links and sends, judged as a change of it. Commits; see `avow.vault.removal`."""
        remove(self.unit, record)

    def holdings(self, *records: Record, fact: str, purpose: str | None = None) -> Holdings:
        """Everything held about the owners of `records`, for who has shown `fact` here; see `avow.vault.holdings`."""
        return holdings(self.unit, records, fact, purpose or self.unit.purpose)

    def my_log(self, *records: Record, fact: str, page: str | int = 1) -> MyLog:
        """What happened to what is of the owners of `records`, in words, the latest first; see `avow.vault.my_log`.

        `page` may be given as it stands in an address; what is no number is the first.
        """
        number = int(page) if str(page).isascii() and str(page).isdigit() and len(str(page)) < 10 else 1
        return my_log(self.unit, records, fact, number)

    def log_receipt(self, *records: Record, fact: str, commitment: str) -> Response:
        """The receipt of an entry of `my_log`, as a file or a page that says why not; see `avow.site.receipts`."""
        return give_receipt(self, self._opened.log, records, fact, commitment)

    def question(self, record: Record) -> Question | None:
        """What the owner of a record is to be asked: whether the version of the policy in force may hold for what they
        gave under earlier ones. None where it does, or where agreeing is not what the policy waits for.
        """
        return self.unit.vault.older.question(self.unit, record.avow_person)

    def accept(self, record: Record, words: str) -> None:
        """Note that the owner of a record agrees to the version in force for what they gave before, too.

        Ask them first. The proof is the hour, this unit's place and a digest of `words`, which is what they saw.

        Raises:
            Refused: the policy does not let the acceptance be kept.
        """
        self.unit.vault.standing.accept(self.unit, record, words)

    def bounced(self, record: Record) -> None:
        """Note that mail to the owner of a record comes back: no version counts as announced to them by it."""
        self.unit.vault.standing.bounced(self.unit, record)

    def receipt(self, record: Record) -> str:
        """What the owner of a record holds in hand to ask later whether they were erased; see `erased`."""
        return self.unit.vault.receipt_of(record.owner_id)

    def erased(self, receipt: str) -> Erased | None:
        """How far the erasure of a receipt is; None where nobody has been erased by it."""
        return stage(self.unit.vault, receipt)

    def counts(self, category: str, *, group: int, by: str) -> Counts:
        """Counts of many people, derived `by` a role of the house; see `avow.vault.counts`."""
        return Counts(self.unit, category, group=group, by=by)

    def derive(self, category: str, sources: Sequence[Sealed], make: Callable[..., str]) -> Sealed:
        """Make one kind of information out of another, to be kept in a record; see `avow.vault.derived`."""
        return derive(self.unit, category, sources, make)

    def select(self, record: type[Any], *where: Any) -> list[Any]:
        """The records that match conditions on plain or lookup columns."""
        return list(self.db.scalars(select(record).where(*where)))

    def commit(self) -> None:
        """Make everything so far durable, before the unit ends."""
        self.unit.commit()

    @contextmanager
    def serving(self, purpose: str) -> Iterator[None]:
        """What is done within serves another purpose than the rest of this unit: a box ticked beside an order."""
        if purpose not in self.unit.vault.policy.vocabulary.words["purpose"]:
            raise SetupError(f"the policy knows no purpose `{purpose}`")
        before, self.unit.purpose = self.unit.purpose, purpose
        try:
            yield
        finally:
            self.unit.purpose = before

    # -- secret links -----------------------------------------------------------------------------

    def secret(self, record: Record, use: str = "") -> str:
        """The secret that leads its holder to `record`; the database keeps a hash of it only.

        The secret is derived from the record under a key outside the database, so that a mail that is
        sent later can carry it without its lying in a queue. `use` tells apart what it opens: a link that
        ends a subscription shows no order. A use that ends in something that changes (`reset:3`) ends with it.
        """
        return links.secret_of(self._opened, self.unit, record, use)

    def fingerprint(self, value: str) -> str:
        """A keyed hash of a random value that must be recognised and not read, such as the number of a form."""
        return self._opened.fingerprint(value)

    def presented(self, record: type[Any], token: str, use: str = "", *, fact: str = "presented(link)") -> Any | None:
        """The record that a secret for this use leads to, or None.

        Who holds the secret is the one who is looking, and `fact` has been shown.
        """
        found = self.found(record, token, use)
        if found is not None:
            self.unit.recognise(found, fact)
        return found

    def found(self, record: type[Any], token: str, use: str | Callable[[Any], str] = "") -> Any | None:
        """The record that a secret for this use leads to, or None. It says nothing about who is here.

        A use that depends on what the record holds is given as a function of the record.
        """
        return links.find(self._opened, self.unit, record, token, use)

    def recognise(self, record: Record, fact: str) -> None:
        """Take who is here for the owner of `record`, because `fact` has been shown; see `Unit.recognise`.

        On a page it also shows that they go on using the service. A secret link does not: it may lead out of it.
        """
        self.unit.recognise(record, fact)
        self.unit.vault.standing.came_back(self.unit, record)

    def aside(self, record: Record, fact: str, *, purpose: str) -> Aside:
        """`record` as it is shown beside the matter of a page: for another purpose, to who has shown `fact` of it."""
        return Aside(self.unit, record, fact, purpose)

    def regard(self, record: Record) -> None:
        """Deal with `record`: what the site knows of it and its owner counts from now on; see `Unit.regard`."""
        self.unit.regard(record)

    # -- guessing ---------------------------------------------------------------------------------

    def attempt(self, what: str, whom: Sealed, *, free: int = attempts.FREE, wait: float = 0.0) -> float:
        """Count an attempt at `what` by who calls themselves `whom`; the seconds to wait first, 0.0 if none.

        So many are `free`; after them each has to wait longer than the one before, or always `wait` seconds where that
        is given. Commits what was done so far in this unit. See `avow.vault.attempts`.
        """
        if isinstance(whom, Given):
            self.unit.judge_given(whom.category)
        left = attempts.begin(self.db, self._attempts, self._attempt_of(what, whom), self.now, free=free, steady=wait)
        self.commit()
        return left

    def succeeded(self, what: str, whom: Sealed) -> None:
        """Forget the attempts at `what`: the last one was right."""
        attempts.succeed(self.db, self._attempts, self._attempt_of(what, whom))

    @property
    def _attempts(self) -> Table:
        return self.unit.vault.home.schema.attempt

    def _attempt_of(self, what: str, whom: Sealed) -> bytes:
        return self.unit.vault.index_of(f"attempt:{what}", whom._reveal())

    # -- doors ------------------------------------------------------------------------------------

    def share(self, record: Record, recipient: str, *, purpose: str | None = None) -> str:
        """Queue the recipient's fields of `record`; they leave after the commit. The id of the send.

        Raises:
            Refused: one field may not go there. Nothing is queued then.
        """
        purpose = purpose or self.unit.purpose
        channel = self._opened.directory.channel_to(recipient)
        self.unit.regard(record, recipient)
        fields = shared_fields(self.unit.vault.policy, recipient, record, purpose=purpose, channel=channel)
        judge_share(self.unit, recipient, record, fields, purpose=purpose, channel=channel)
        return put(self.unit, "share", recipient, record, purpose=purpose)

    def send(self, message: str, record: Record, *, purpose: str | None = None, edition: str = "") -> str:
        """Queue a mail to the person whose record this is; it leaves after the commit. The id of the send.

        `edition` tells apart mails of one kind, such as the issues of a newsletter; its template is given it.
        """
        purpose = purpose or self.unit.purpose
        message = named(message, edition)
        self.unit.regard(record)
        self._opened.letters.judge(self.unit, message, record, purpose, leaving=False)
        return put(self.unit, "send", message, record, purpose=purpose)

    def once(self, name: str, form: Form) -> Once:
        """The given values under a category, for a single use: `once("card", form)`."""
        values = form.bundle(name)
        if not values:
            raise SetupError(f"the form has no field whose category lies under `{name}`")
        return self.unit.once(name, values)

    def exchange(
        self, values: Once, recipient: str, *, about: Record, purpose: str | None = None, **data: str
    ) -> Reply:
        """Hand values over, once, and wait for the answer; see `avow.outbound.exchange`."""
        self.unit.regard(about, recipient)
        return self._opened.exchanges.exchange(
            self.unit, values, recipient, about=about, purpose=purpose or self.unit.purpose, data=data
        )

    # -- pages ------------------------------------------------------------------------------------

    def read_form(self, form: type[Form]) -> Form:
        """The form that was sent, checked field by field; free text is looked through for what may not be kept."""
        if self._intake is None:
            raise SetupError("there is no request here to read a form from")
        return form(self._intake.typed(), now=self.now, screen=self._screen)

    def _screen(self, text: str) -> str | None:
        for inspector in self.unit.vault.inspectors:
            for category in inspector(text):
                try:
                    self.unit.judge("keep", category, subject=self.unit.vault.subject)
                except Refused:
                    label = self.unit.vault.policy.vocabulary.label(category)
                    return f"This seems to contain {label}, which we never keep. Please take it out."
        return None

    @property
    def versions(self) -> Versions:
        """The versions of the policy that this installation has been under."""
        return self._opened.versions

    @property
    def evidence(self) -> Evidence:
        """What the ledger says of each sentence."""
        return self._opened.evidence

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page from a template; sealed values in it become markers."""
        return HTMLResponse(self._opened.page(self, template, context), status)

    def export(self, held: Holdings, name: str) -> Response:
        """What is held, as a JSON file of that name to take along; see `avow.edge.export`."""
        return download(exported(held, self.unit.vault.policy, self.unit.vault.hour()), name)

    def redirect(self, path: str) -> Response:
        """Go on to another page of this site (303 See Other).

        Raises:
            SetupError: the path leads off the site.
        """
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            raise SetupError("a redirect leads to a path of this site", help="begin it with one `/`")
        return RedirectResponse(path, status_code=303)

    def cookie(self, name: str) -> str | None:
        """The value of a declared cookie, or None; see `Cookies.read`."""
        return self._jar.read(name)

    def set_cookie(self, name: str, value: str) -> None:
        """Set a declared cookie, for as long as the policy declares."""
        self._jar.write(name, value)

    def forget_cookie(self, name: str) -> None:
        """Have the browser delete a cookie."""
        self._jar.forget(name)

    @property
    def csrf(self) -> Markup:
        """The hidden field that shows that a form came from this site."""
        token = self._opened.csrf_token(self._intake.bound if self._intake else "")
        return Markup('<input type="hidden" name="csrf" value="{}">').format(token)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the member of staff who is here; none where nobody of the staff is."""
        member = self._intake.member if self._intake else None
        return member.roles if member else ()

    @property
    def origin(self) -> str:
        """Scheme, name and port under which the site was asked for: `https://shop.example`."""
        return self._intake.origin if self._intake else ""

    @property
    def current_path(self) -> str:
        """The path of the page that was asked for."""
        return without_marks(self._intake.path) if self._intake else ""

    @property
    def _jar(self) -> Cookies:
        if self._cookies is None:
            raise Refused("there is no browser here to hold a cookie", help="use cookies in pages, not in jobs")
        return self._cookies
