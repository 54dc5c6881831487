"""Where each canary of a journey may be found, and by which sentence; and the judgement on a journey.

A place is named as `evidence` names it: `ups`, `mail “its subject”`, `envelope`, `200 /order/*`. In a permit it is a
pattern of fnmatch. Nothing is permitted in a file, a log line or the head of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from avow.testing.canaries import Search, known
from tests.campaigns.journeys import Traveller
from tests.campaigns.phrases import ADDRESS
from tests.campaigns.purchases import Service
from tests.campaigns.tapped import arrivals, heard


@dataclass(frozen=True, slots=True)
class Permit:
    """A sentence of the policy, the canaries of which it speaks, and the places where it lets them be."""

    sentence: str
    canaries: frozenset[str]
    places: tuple[str, ...]


def _permit(sentence: str, canaries: Iterable[str], *places: str) -> Permit:
    return Permit(sentence, frozenset(canaries), places)


def _of(form: str, *names: str) -> list[str]:
    return [f"{form}.{name}" for name in names]


_ORDER, _PHONE = ["name", "email", *ADDRESS], _of("phone", "name", "email", *ADDRESS)
_BUT_CITY = [name for name in ADDRESS if name != "city"]
_CARD = ["card_number", "card_code", "card_expiry", "card_name"]
_DESK = ("200 /desk/requests", "200 /desk/requests/*", "422 /desk/requests/*")

_OWN_DATA = ("200 /account/data", "200 /account/data.json")

#: All that is permitted on the whole journey. Each place of it is also reached there.
PERMITS = (
    # what is typed comes back
    _permit("form-comes-back", _of("signup", "name", "email"), "422 /signup"),
    _permit("form-comes-back", ["login.email", "signup.email"], "422 /login"),
    _permit("form-comes-back", _of("details", "name", *_BUT_CITY), "422 /account/details"),
    _permit("form-comes-back", ["move.email"], "422 /account/email"),
    _permit("form-comes-back", ["login.odd"], "422 /login/forgotten"),
    _permit("form-comes-back", ["erase.odd"], "422 /erase"),
    _permit("form-comes-back", ["newsletter.email"], "422 /newsletter"),
    _permit("form-comes-back", _of("stop", "email", "words"), "422 /stop"),
    _permit("form-comes-back", _of("contact", "name", "email", "text"), "422 /contact"),
    _permit("form-comes-back", [*_ORDER, "note"], "422 /checkout"),
    _permit("by-phone", [*_PHONE, "phone.note"], "200 /desk/phone/*"),
    _permit("by-phone", _of("phone", "name", "email", "note", *_BUT_CITY), "422 /desk/phone"),
    _permit("by-phone", ["caller.email"], "422 /desk/objection"),
    # the account
    _permit("greeting-cookie", ["signup.name", "details.name"], "??? /*"),
    _permit("your-pages", ["signup.name", "signup.email", "move.email", "own.text", "own.words"], "200 /account"),
    _permit("your-pages", _of("details", "name", *ADDRESS), "200 /account", "200 /account/details", "200 /checkout"),
    _permit("your-pages", ["signup.email"], "200 /checkout", "200 /account/email", "422 /account/email"),
    _permit("your-pages", ["answer.text"], "200 /account"),
    _permit("use-communication", ["signup.name", "signup.email"], "mail “Open your account*", "mail “A new password*"),
    _permit("use-communication", ["signup.email"], "mail “Your password*", "mail “Your address*", "envelope"),
    _permit("use-communication", ["signup.name"], "mail “Your password*"),
    _permit("use-communication", ["details.name"], "mail “Your password*", "mail “Your address*"),
    _permit("use-communication", ["move.email"], "mail “Is this your new*", "envelope"),
    # newsletter
    _permit("newsletter-confirmed", ["newsletter.email", "email"], "mail “Was it you*", "envelope"),
    _permit("newsletter", ["newsletter.email"], "mail “The last quinces*"),
    # questions
    _permit("use-answers", _of("contact", "name", "email", "text"), *_DESK, "mail “Our answer*"),
    _permit("use-answers", ["signup.email", "own.text"], *_DESK, "mail “Our answer*"),
    _permit("use-answers", _of("mail", "name", "email", "subject", "text"), *_DESK, "mail “Our answer*"),
    _permit("use-answers", ["contact.email", "mail.email", "signup.email"], "envelope"),
    _permit("use-answers", ["answer.text"], "200 /desk/requests/*", "mail “Our answer*"),
    _permit("use-answers", ["answer.long"], "422 /desk/requests/*"),
    _permit("erase-by-mail", ["contact.email"], "mail “What we have*", "envelope"),
    # orders
    _permit("card-passed-on", [*_CARD, *_of("phone", *_CARD)], "processor"),
    _permit("order-page", [*_ORDER, "note"], "200 /order/*"),
    _permit("carriers", ["name", *ADDRESS], "ups"),
    _permit("carriers", _of("phone", "name", *ADDRESS), "fedex"),
    _permit("makers", ["name", *ADDRESS], "creamery", "olive_press", "smokehouse"),
    _permit("makers", _of("phone", "name", *ADDRESS), "creamery", "olive_press", "smokehouse"),
    _permit("confirmation", [*_ORDER, *_PHONE], "mail “Thank you*"),
    _permit("confirmation", ["email", "phone.email"], "envelope"),
    _permit("use-marketing", ["name", "email"], "mail “Something that goes*"),
    _permit("use-marketing", ["phone.name", "phone.email"], "mail “Two questions*"),
    # everything that is held
    _permit("take-along", ["signup.email", "own.text", "own.words", "answer.text", *_ORDER, "note"], *_OWN_DATA),
    _permit("take-along", _of("details", "name", *ADDRESS), *_OWN_DATA),
    _permit("take-along", ["goods", "line.creamery", "line.olive_press", "line.smokehouse"], *_OWN_DATA),
    _permit("take-along", [*_PHONE, "phone.note"], "200 /order/*/data", "200 /order/*/data.json"),
    # the lines of an order: all for its customer, each for its maker
    _permit("order-page", ["goods", "line.creamery", "line.olive_press", "line.smokehouse"], "200 /order/*"),
    _permit("your-pages", ["goods"], "200 /account"),
    _permit("cart-cookie", ["goods"], "200 /checkout", "422 /checkout"),
    _permit("confirmation", ["goods"], "mail “Thank you*"),
    _permit("own-lines", ["line.creamery"], "creamery"),
    _permit("own-lines", ["line.olive_press"], "olive_press"),
    _permit("own-lines", ["line.smokehouse"], "smokehouse"),
)

#: What is permitted beside: a mail that leaves late speaks with the name that the account has by then.
LATE = (_permit("use-communication", ["details.name"], "mail “Open your account*", "mail “A new password*"),)

#: Lines of the order that a traveller places: as their maker gets them, and one as the order has it.
LINES = {
    "line.creamery": "2 × cheddar: Thornbury farmhouse cheddar",
    "line.olive_press": "2 × lemonoil: ",
    "line.smokehouse": "2 × trout: Oak-smoked trout",
    "goods": "2 × Oak-smoked trout",
}

_SECRET = re.compile(
    r"(?<=^/order/)[^/]+|(?<=^/desk/phone/)[^/]+|(?<=^/desk/requests/)[^/]+|(?<=^/stop/seen/)[^/]+"
    r"|(?<=^/stop/)(?!seen)[^/]+|(?<=^/signup/)[^/]+|(?<=^/login/reset/)[^/]+|(?<=^/newsletter/)[^/]+"
    r"|(?<=^/survey/)[^/]+|(?<=^/erase/)[^/]+|(?<=^/account/email/)[^/]+"
)


class Judge:
    """Finds what a journey has left, from the moment on at which this was made."""

    def __init__(self, traveller: Traveller) -> None:
        self._traveller = traveller
        peers = traveller.service.peers
        self.last: dict[tuple[str, str], set[str]] = {}
        self._peers = [(peer, arrivals(peer)) for peer in (*peers.over_https, *peers.over_smtp, peers.smokehouse)]

    def found(self) -> dict[tuple[str, str], set[str]]:
        """Which canary was found where, and in which encodings."""
        search = Search({**self._traveller.canaries, **{name: known(name, line) for name, line in LINES.items()}})
        found: dict[tuple[str, str], set[str]] = {}
        for where, data in self.evidence():
            for name, encoding in search.hits(data):
                found.setdefault((name, where), set()).add(encoding)
        return found

    def evidence(self) -> Iterator[tuple[str, bytes]]:
        """Everything that is searched, by where it is."""
        yield from left(self._traveller.service, self._traveller.since)
        for peer, since in self._peers:
            yield from heard(peer, since)
        for answer in self._traveller.seen:
            path = _SECRET.sub("*", answer.url.path)
            yield f"{answer.status_code} {path}", answer.content
            head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
            yield f"head of {path}", f"{answer.url}\n{head}".encode()

    def out_of_place(self) -> list[tuple[str, str, list[str]]]:
        """What was found where no sentence lets it be: the canary, the place, the encodings."""
        self.last = self.found()
        return sorted(
            (name, where, sorted(encodings))
            for (name, where), encodings in self.last.items()
            if not permitting(name, where)
        )

    def not_reached(self) -> list[tuple[str, str, str]]:
        """What is permitted and was not found last: the search is blind there, or the journey was not a whole one."""
        return sorted(
            (permit.sentence, name, place)
            for permit in PERMITS
            for name in permit.canaries
            for place in permit.places
            if not any(name == other and fnmatchcase(where, place) for other, where in self.last)
        )


def left(service: Service, since: int = 0) -> Iterator[tuple[str, bytes]]:
    """What the service has left in its folder and has printed."""
    yield from service.left(since).items()


def secrets_left(traveller: Traveller) -> set[tuple[str, str, str]]:
    """Which secret links and numbers in cookies are in a file or in the log, and hashes of passwords beside them."""
    search = Search({name: known(name, value) for name, value in traveller.secrets.items()})
    found = set()
    for where, data in left(traveller.service, traveller.since):
        found |= {(where, *hit) for hit in search.hits(data)}
        if b"$argon2" in data and where != "staff.yaml":
            found.add((where, "password hash", "plain"))
    return found


def permitting(name: str, where: str) -> list[str]:
    """The sentences that let a canary be at a place."""
    return [
        permit.sentence
        for permit in (*PERMITS, *LATE)
        if name in permit.canaries and any(fnmatchcase(where, place) for place in permit.places)
    ]
