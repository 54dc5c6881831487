"""The unit of work: one role, one purpose, one transaction.

Everything that touches personal information happens in a unit. It asks the policy, keeps what was
decided, and commits data, ledger entries and outbox rows together:

1. a permitted flow is noted; its entry is written in the transaction of the data it speaks of;
2. a refused flow raises; its entry is written after the unit has ended, in a transaction of its own,
   so that it outlives the rollback;
3. a duty that comes `before` a flow refuses it until discharged (the engine knows that as a fact); one
   that goes `with` it must be discharged by the commit, or nothing is committed.

    with site.acting("storefront", "ordering") as work:
        order = work.collect(Order, person=work.person(), email="ann@example.org")
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.orm import Session

from avow.errors import KeyringError, Refused, SetupError
from avow.values import Duty, Facts, Verdict
from avow.vault import keeping
from avow.vault.aside import Beside
from avow.vault.current import UNIT
from avow.vault.knowing import Knowing
from avow.vault.lines import About, Lines, Whom
from avow.vault.once import Once
from avow.vault.refusing import refused, undone
from avow.vault.sealed import Given, Sealed, Stored

if TYPE_CHECKING:
    from avow.vault.record import Person, Record
    from avow.vault.vault import Guard, Vault


class Unit(Knowing, AbstractContextManager["Unit"]):
    """One unit of work. Open it with `with`; it commits at the end of the block, or rolls back.

    Args:
        place: where this happens, by its name in the policy (a page, the phone, a mail).
        channel: over what the person's words came in (`https`, `loopback`, `http`).
        facts: what is known beforehand, by the canonical spelling of conditions.
        staff: whether a member of staff has shown to have the role, and is who is looking: what is shown here is shown
            to the role, and the ledger says so.
        reads: whether it only reads: it keeps nobody from writing, shares its commits, and writing raises OnlyReads.

    Raises:
        SetupError: among the facts is what the vault knows, or the answer of the policy's own code to a predicate.
    """

    def __init__(
        self,
        vault: Vault,
        role: str,
        purpose: str,
        *,
        place: str | None = None,
        channel: str | None = None,
        facts: dict[str, bool | float | None] | None = None,
        staff: bool = False,
        reads: bool = False,
    ) -> None:
        super().__init__(vault, facts)
        self._reads = reads
        self.staff = staff
        self.role = role
        self.purpose = purpose
        self.place = place
        self.channel = channel
        # Ends in a letter: twelve decimal digits and a marker's number behind them could pass for a card number.
        self.nonce = secrets.token_hex(6)[:-1] + secrets.choice("abcdef")
        self.marked: list[Sealed] = []
        self.guard: Guard | None = None
        self.seen: set[tuple[str, str | None]] = set()
        self._due: list[Duty] = []
        self._lines = Lines()
        self._openings = Lines()
        self._refusals = Lines()
        self._db: Session | None = None
        self._token: Token[Unit | None] | None = None
        self._over = False

    # -- deciding ---------------------------------------------------------------------------------

    def judge(
        self,
        verb: str,
        object: str,
        *,
        purpose: str | None = None,
        accompanied: bool = True,
        facts: Facts | None = None,
        value: Sealed | None = None,
        about: Record | None = None,
        **dimensions: str | None,
    ) -> Verdict:
        """Ask the policy whether a flow may happen here and now, and note the answer for the ledger.

        `accompanied` is False for a flow that will be judged again when it happens: the duties that go
        with it are due then. `facts` stand in for those of the unit. `value` is what is moved: where it lies in a
        record, the version of the policy under which it was collected has a say too; see `avow.vault.older`. `about` is
        the record that the flow is about, where no value says it: what the ledger is told leads its owner to it.

        Raises:
            Refused: no sentence permits it, one forbids it, or a duty that comes before it is undone; or the record of
                `value` was loaded in another unit.
        """
        self._check_open()
        if value is not None:
            value._check_loaded(self._db)
        purpose = purpose or self.purpose
        facts = self.known() if facts is None else facts
        verdict = self.verdict(verb, object, facts, value, purpose=purpose, **dimensions)
        recipient, whom = dimensions.get("recipient"), self._about(verb, value, about, dimensions)
        if not verdict.permitted:
            self._refusals.add(
                "refused", verb, object, purpose, recipient, verdict, self._desk, whom, under=verdict.under
            )
            raise refused(verb, object, verdict)
        kept: list[Duty] = []
        if accompanied and verdict.duties:
            kept = [duty for duty in verdict.duties if duty.timing in ("before", "with")]
            self._due += [duty for duty in kept if duty.timing == "with"]
        lines = self._openings if verb == "open" else self._lines  # who has read has read, whatever comes after
        under, earlier = self.vault.older.duties(value, kept)
        if earlier:
            kept = [duty for duty in kept if duty not in earlier]
            lines.add("permitted", verb, object, purpose, recipient, None, self._desk, whom, earlier, under)
        lines.add("permitted", verb, object, purpose, recipient, verdict, self._desk, whom, kept)
        return verdict

    def verdict(self, verb: str, object: str, facts: Facts, value: Sealed | None, **dimensions: str | None) -> Verdict:
        """What the policy says of a flow, as in `judge`. A question: nothing is noted for the ledger."""
        verdict = self.vault.policy.judge(verb, object, facts=facts, **dimensions)
        if verdict.permitted and isinstance(value, Stored) and self.vault.older.concerns(value):
            return self.vault.older.judge(self, value, verdict, (verb, object), facts, dimensions)
        return verdict

    @property
    def _desk(self) -> str | None:
        """The role that the ledger notes: that of a member of staff. A program's goes without saying."""
        return self.role if self.staff else None

    def audience(self, *, own: bool) -> str | None:
        """To whom something is shown here: to the role of a member of staff, else to the subject if it is `own`.

        None is nobody who is known.
        """
        if self.staff:
            return self.role
        return self.vault.subject if own else None

    def _learn(self, record: Record, recipient: str | None) -> Facts:
        return self.vault.learn(self, record, recipient)

    def _about(
        self, verb: str, value: Sealed | None, record: Record | None, dimensions: dict[str, str | None]
    ) -> About | None:
        """Whom a flow is about: the owner of what is moved, else who is looking, where it says that it is about them.

        What is logged of a visit is nobody's: a trace would lead from a person to the visit.
        """
        record = (value._record if isinstance(value, Stored) else None) or record
        if record is not None:
            whom = self.whom(record)
        elif self.viewer is None or self.staff or verb == "log" or not self._of_subject(dimensions):
            return None
        else:
            whom = Whom(self.viewer)
        return About(whom, dimensions.get("place") or self.place, whom.owner == self.viewer and not self.staff)

    def _of_subject(self, dimensions: dict[str, str | None]) -> bool:
        return self.vault.subject in (dimensions.get("subject"), dimensions.get("audience"))

    def note(
        self, event: str, verb: str, object: str, *, whom: Whom, purpose: str, recipient: str | None = None
    ) -> None:
        """Note an event that is no verdict (attempted, done, unknown …) for the ledger, and for whom it is about."""
        if whom.owner not in self.people:
            with self.db.no_autoflush:
                person = self.db.get(self.vault.person_class, whom.owner)
            if person is not None:
                self.meet(person)
        about = About(whom, self.place, whom.owner == self.viewer and not self.staff)
        self._lines.add(event, verb, object, purpose, recipient, None, self._desk, about)

    # -- keeping ----------------------------------------------------------------------------------

    @property
    def db(self) -> Session:
        """The SQLAlchemy session of this unit, for plain columns and for selecting records."""
        self._check_open()
        if self._db is None:
            self._db = self.vault.session(reads=self._reads)
        return self._db

    def find(self, table: str, owner: str, identity: str) -> Any:
        """The record that a queued row refers to by its table, owner and id; its owner is who is looking then.

        Raises:
            Refused: it is gone.
        """
        for kind in self.vault.home.records:
            if kind.__table__.name == table:
                record = self.db.get(kind, (owner, identity))
                if record is not None:
                    self.whom(record)
                    self._seen_as(owner)
                    return record
        raise Refused(f"a record of `{table}` that something was queued for is gone")

    def person(self) -> Person:
        """A new person, known by nothing but a random id."""
        person = self.vault.new_person()
        self.db.add(person)
        self.meet(person)
        self._seen_as(person.id)  # who has just come into being here is the one who is looking
        return person

    def collect(self, record: type[Any], *, person: Person, **values: Any) -> Any:
        """Make a record of `person` from what they gave; see `avow.vault.keeping.collect`."""
        return keeping.collect(self, record, person, **values)

    def update(self, record: Record, **values: Any) -> None:
        """Write new values into a record; see `avow.vault.keeping.update`."""
        keeping.update(self, record, **values)

    # -- opening ----------------------------------------------------------------------------------

    def open(self, value: Sealed, purpose: str | None = None) -> str:
        """The text of a sealed value; see `Sealed.open`."""
        self.judge("open", value.category, value=value, purpose=purpose, role=self.role, place=self.place)
        text = value._reveal()
        self.watch(value, text)
        return text

    def watch(self, value: Sealed, text: str) -> None:
        """Search for the text of a value at every exit from now on."""
        if self.guard is None:
            self.guard = self.vault.new_guard()
        self.guard.watch(value.category, text)
        given = isinstance(value, Given) and self.is_own(value)
        self.seen.add((value.category, None if given else value.owner or ""))

    def is_foreign(self, category: str) -> bool:
        """Whether a text of `category` was opened that is not of the person who is looking now."""
        return any(seen == category and owner not in (None, self.viewer) for seen, owner in self.seen)

    def is_own(self, value: Sealed) -> bool:
        """Whether a value is of the person who is looking: in a record of theirs, or just given by them."""
        if isinstance(value, Given):
            return value.given_in(self.nonce)
        return value.owner is not None and value.owner == self.viewer

    def mark(self, value: Sealed) -> str:
        """A marker that stands for `value` in a page or mail until the door fills it in."""
        self._check_open()
        self.marked.append(value)
        return f"\ue000{self.nonce}{len(self.marked) - 1:04d}\ue001"

    def show(self, numbers: list[int], *, place: str | None = None) -> None:
        """Judge that the values behind these markers may be shown, here, to who is looking.

        Who is looking is known only as far as the unit knows it: a value is shown *to the subject*
        when it lies in a record of the viewer, or has just been given by them. At a desk it is shown to the role.
        """
        for number in dict.fromkeys(numbers):
            value = self.marked[number]
            if isinstance(value, Beside):
                value.judge_shown(place)
                continue
            self.judge(
                "show",
                value.category,
                value=value,
                audience=self.audience(own=self.is_own(value)),
                form=value.form,
                place=place or self.place,
                role=self.role,
            )

    def once(self, name: str, values: dict[str, Given]) -> Once:
        """Take values for a single use: judged as collected, kept nowhere."""
        for category in values:
            self.judge_given(category)
        return Once(name, values)

    def judge_given(self, category: str) -> None:
        """Judge that what was given in a form may be used at all: as collected from the person, here."""
        whose, channel = self.vault.subject, self.channel
        self.judge("collect", category, source=whose, subject=whose, place=self.place, role=self.role, channel=channel)

    # -- ending -----------------------------------------------------------------------------------

    @property
    def has_unwritten_changes(self) -> bool:
        """Whether records were made or changed since the last commit."""
        return self._db is not None and bool(self._db.new or self._db.dirty or self._db.deleted)

    def commit(self) -> None:
        """Make everything since the last commit durable: data, entries and outbox rows in one transaction.

        Raises:
            Refused: a duty that goes with a flow of this unit was not discharged.
        """
        for duty in self._due:
            if (duty.verb, duty.object) not in self.discharged:
                self.rollback()
                raise undone(duty)
        self._due.clear()
        gathered = [self._lines, self._openings]
        apart = self._reads or self._db is None
        if not apart and any(gathered):
            self.db.flush()  # who has come into being here is there before what refers to them
            self.meet(*self._new)  # whose keys have been wrapped again, if an epoch ended meanwhile
            self.vault.write_down(gathered, self.db.connection(), self.people)
        if self._db is not None and self._db.in_transaction():
            self._db.commit()  # before what is apart: SQLite cannot begin its WAL anew while somebody reads in it
        if apart:
            self.vault.write_down(gathered, None, self.people)
        self._new.clear()
        self.vault.written(gathered)

    def rollback(self) -> None:
        """Undo everything since the last commit. Refusals and openings stay noted: they happened."""
        self._lines.clear()
        self._new.clear()
        self._due.clear()
        if self._db is not None:
            self._db.rollback()
            self._db.info.clear()  # what was read may have been written here

    def enter(self) -> Self:
        """Become the unit of this thread or task.

        Raises:
            SetupError: there is one under way. A unit within another would leave unseen by the outer one's door.
        """
        if UNIT.get() is not None:
            raise SetupError(
                "a unit of work is under way already", help="use the `work` that you were given, or end it first"
            )
        self._token = UNIT.set(self)
        return self

    def leave(self) -> None:
        """Stop being the unit of this thread or task; where `enter` was called, not elsewhere."""
        if self._token is not None:
            UNIT.reset(self._token)
            self._token = None

    def __enter__(self) -> Self:
        return self.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
            else:
                self.rollback()
        except BaseException:
            self.rollback()
            raise
        finally:
            self.leave()
            self.end()

    def end(self) -> None:
        """Close the session and write down what was refused or opened, in a transaction that no rollback undoes."""
        self._over = True
        if self._db is not None:
            self._db.close()
            self._db = None
        happened = [self._refusals, self._openings]
        try:
            self.vault.write_down(happened, None, self.people)
        except KeyringError:  # where no key can be had, it is evidence all the same
            self.vault.write_down(happened, None)
        self.vault.written(happened)

    def _check_open(self) -> None:
        if self._over:
            raise Refused("this unit of work is over", help="open a new one with `site.acting(role, purpose)`")
