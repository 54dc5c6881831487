"""What people want and what they do not: consents, withdrawals and objections, each kept with its proof.

A choice is a row that is never changed afterwards, but for the answer to the mail that asks whether it was them. For
each address and topic the latest row decides; of two of the same moment, the one that says no. From that come the
facts that the policy asks for, for whatever record has the same address: an order, an account, a subscription.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Facts, Refused, Sealed, Work, owner, personal, plain

from .shop import site

#: What can be chosen, and how it is called on pages.
TOPICS = {
    "newsletter": "the newsletter",
    "marketing": "offers and surveys",
    "mail": "all mail, but for orders that are still under way",
    "other_uses": "every use of your contact data beyond your orders",
}

#: Letters and digits of a choice's number: no two that look alike. Ten of them are 50 bits.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_NUMBER = re.compile(rf"\b([{_ALPHABET}]{{5}})-?([{_ALPHABET}]{{5}})\b")


class Choice(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One choice of one person about one topic. `state` is `asked` until they confirm it, then `yes`; or `no`."""

    __tablename__ = "shop_choice"
    __label__ = "What you want or do not want"
    __choices__ = True

    person: Mapped[str] = owner()
    email: Mapped[Sealed] = personal("contact.email", field="choice.email", lookup="email")
    agreed: Mapped[Sealed | None] = personal("subscription", field="choice.agreed", optional=True)
    said: Mapped[Sealed | None] = personal("objection", field="choice.said", optional=True)
    topic: Mapped[str] = plain("what it is about: newsletter, marketing, mail or other_uses")
    state: Mapped[str] = plain("asked, yes or no")
    place: Mapped[str] = plain("where it was made, by its name in the policy")
    asked: Mapped[float] = plain("unix seconds at which it was first made")
    since: Mapped[float] = plain("unix seconds since which it counts")
    number: Mapped[str] = plain("keyed hash of the number by which its page is found", index=True)
    mark: Mapped[str] = plain("keyed hash of what the row says, without which it counts as a no")

    @property
    def day(self) -> str:
        """The day since which it counts, in UTC, as text."""
        return datetime.fromtimestamp(self.since, UTC).strftime("%-d %B %Y")


def facts(work: Work, record: Any, recipient: str | None = None) -> Facts:
    """What the person with this record's address wants and does not want; nothing where it has no address."""
    address = getattr(record, "email", None)
    if address is None:
        return {}
    said = {topic: wants(work, choice) for topic, choice in decided(work, address).items()}
    return {
        "consented(newsletter)": said.get("newsletter", False),
        "withdrawn(newsletter)": not said.get("newsletter", True),
        "objected(marketing)": not said.get("marketing", True),
        "objected(mail)": not said.get("mail", True),
        "objected(other_uses)": not said.get("other_uses", True),
    }


def decided(work: Work, address: Sealed) -> dict[str, Choice]:
    """The choice that decides, by topic, for an address that is compared without being opened."""
    choices = [c for c in work.select(Choice, Choice.email == address) if c.state != "asked" or not genuine(work, c)]
    return {choice.topic: choice for choice in sorted(choices, key=lambda c: (c.since, not wants(work, c)))}


def wants(work: Work, choice: Choice) -> bool:
    """Whether a choice says yes. One that was not written by this shop says no: who can write rows gives no consent."""
    return choice.state == "yes" and genuine(work, choice)


def genuine(work: Work, choice: Choice) -> bool:
    """Whether this shop wrote a choice as it stands."""
    return compare_digest(choice.mark, _mark(work, choice))


def choose(
    work: Work,
    address: Any,
    topics: Iterable[str],
    *,
    wants: bool,
    place: str,
    words: Any,
    number: str = "",
    person: Any = None,
) -> str:
    """Keep a choice about each topic; it counts from this unit's commit on, also for mail that is waiting.

    `words` are what was said or clicked on. The number by which the choice is found again; `number` is one that the
    person was given before.
    """
    number, state = number or new_number(), "yes" if wants else "no"
    with work.serving("objections"):
        person = person or work.person()
        for topic in topics:
            try:
                keep(work, person, topic, state, place, number, email=address, said=words)
            except Refused:
                # What they said holds something that is never kept, a card number perhaps. What they want, counts.
                keep(work, person, topic, state, place, number, email=address, said="not kept")
    return number


def keep(
    work: Work, person: Any, topic: str, state: str, place: str, number: str, *, email: Any, **words: Any
) -> Choice:
    """Keep one choice, with its address and the words that prove it, for the purpose that this unit serves now."""
    choice: Choice = work.collect(
        Choice,
        person=person,
        at=place,
        email=email,
        topic=topic,
        state=state,
        place=place,
        asked=work.now,
        since=work.now,
        number=work.fingerprint(number),
        **words,
    )
    work.update(choice, mark=_mark(work, choice))
    return choice


def confirm(work: Work, choice: Choice) -> None:
    """From now on what was asked for is wanted."""
    work.update(choice, state="yes", since=work.now)
    work.update(choice, mark=_mark(work, choice))


def _mark(work: Work, choice: Choice) -> str:
    said = (choice.owner_id, choice.id, choice.topic, choice.state, f"{choice.since:.6f}")
    return work.fingerprint("\0".join(("choice", *said)))


@site.leaving(Choice)
def _goes(work: Work, choice: Choice) -> dict[str, str]:
    """How a choice goes along when the shop changes hands: what this shop did not write goes as a no."""
    state = choice.state if genuine(work, choice) else "no"
    return {"state": state, "number": "", "mark": ""}  # number and mark mean nothing under other keys


@site.arrived(Choice)
def _comes(work: Work, choice: Choice) -> None:
    work.update(choice, mark=_mark(work, choice))


def numbered(work: Work, number: str) -> list[Choice]:
    """The choices that were made under a number, as somebody types it."""
    found = find_number(number)
    return work.select(Choice, Choice.number == work.fingerprint(found)) if found else []


def new_number() -> str:
    """A number that nobody guesses, to be read aloud and typed: `K7Q2M-HX49P`."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def find_number(text: str) -> str:
    """The first such number in a text, in the spelling of `new_number`; empty if there is none."""
    found = _NUMBER.search(text.upper())
    return f"{found[1]}-{found[2]}" if found else ""
