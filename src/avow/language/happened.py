"""What happened to somebody's information, put into English for them: one entry of the ledger as one sentence.

    happened(Happening("permitted", "share", ("contact.address",), recipient="ups", purpose="shipping"), words)
    → Your delivery address was allowed to go out to UPS, for bringing you the parcel.

It is spoken to whose information it is. Labels of the front matter are written as they stand within a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avow.language.english import capital, listed, placed
from avow.language.vocabulary import Vocabulary, spoken

#: What is said of a flow that was permitted: `{}` stands for what it moved.
_PERMITTED: Final = {
    "collect": "{} {was} taken in",
    "keep": "{} {was} stored",
    "open": "{} {was} read",
    "show": "{} {was} shown",
    "share": "{} {was} allowed to go out",
    "send": "a mail to you was allowed to go out: {}",
    "change": "{} {was} changed",
    "derive": "{} {was} worked out",
    "set": "your browser was given {}",
    "publish": "{} {was} published",
}
#: What somebody or some program was kept from.
_REFUSED: Final = {
    "collect": "taking in {}",
    "keep": "storing {}",
    "open": "reading {}",
    "show": "showing {}",
    "share": "letting {} go out",
    "send": "sending you a mail: {}",
    "change": "changing {}",
    "derive": "working out {}",
    "set": "giving your browser {}",
    "publish": "publishing {}",
}
#: How sending something went: to a recipient, and of a mail.
_SENT: Final = {
    "attempted": ("we began to send it to {}", "we began to send you {}"),
    "done": ("what was sent to {} has arrived", "{} has arrived at your mail service"),
    "declined": ("what was sent to {} has arrived, and was declined there", "{} was turned down by your mail service"),
    "failed": ("nothing reached {}: it could not be delivered", "{} could not be delivered to you"),
    "unknown": ("it is not known yet whether what was sent to {} has arrived",
                "it is not known yet whether {} has reached you"),
}  # fmt: skip
#: How somebody came to stand to a version of the policy.
_STOOD: Final = {
    "consented": "you agreed to the version of our policy that was in force",
    "returned": "you went on using the service after the version of our policy that was in force had been announced",
    "mailed": "a mail told you of a version of our policy",
    "bounced": "a mail that told you of a version of our policy came back",
    "resubmitted": "you gave something new after you were told of a version of our policy",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the ledger, as far as it is somebody's.

    Attributes:
        event, verb, recipient, purpose, role: as the entry has them.
        objects: those that were theirs.
        place: where it was, by its name in the policy; empty where there is none.
        own: whether it was they themselves who were looking.
    """

    event: str
    verb: str
    objects: tuple[str, ...]
    recipient: str | None = None
    purpose: str | None = None
    role: str | None = None
    place: str = ""
    own: bool = False


def happened(what: Happening, words: Vocabulary) -> str:
    """A happening as one sentence, with the labels of the policy that it rests on."""
    if what.event in _STOOD:
        return capital(_STOOD[what.event]) + "."
    if what.event in _SENT:
        share, mail = _SENT[what.event]
        kind = "message" if what.verb == "send" else "recipient"
        name = words.label(what.recipient or what.objects[0], kind)
        return capital((mail if what.verb == "send" else share).format(name)) + _purpose(what, words) + "."
    of_mail = "message" if what.verb == "send" else None
    things = listed([_object(name, of_mail, words) for name in what.objects], "and") or "something of yours"
    tail = _whom(what, words) + _purpose(what, words)
    if what.event == "refused":
        doing = _REFUSED.get(what.verb, f"the act “{spoken(what.verb)}” with {{}}").format(things)
        return f"Our policy kept us from {doing}{tail}."
    was = "were" if " and " in things else "was"
    if what.event == "permitted" and what.verb in _PERMITTED:
        return capital(_PERMITTED[what.verb].format(things, was=was)) + tail + "."
    return capital(f"{things}: {spoken(what.verb)}, {spoken(what.event)}") + tail + "."


def _object(name: str, kind: str | None, words: Vocabulary) -> str:
    if name.startswith("cookie."):
        return f"the cookie “{name.removeprefix('cookie.')}”"
    return words.label(name, kind)


def _whom(what: Happening, words: Vocabulary) -> str:
    """To whom it went or who did it, and where."""
    said = ""
    if what.recipient and what.verb != "send":
        said = f" to {words.label(what.recipient, 'recipient')}"
    elif what.role:
        said = f" {'to' if what.verb == 'show' else 'by'} {words.label(what.role, 'role')}"
    elif what.verb == "show" and what.own:
        said = " to you"
    elif what.verb in ("open", "derive"):
        said = " by our software"
    return f"{said} {placed(words.label(what.place, 'place'))}" if what.place else said


def _purpose(what: Happening, words: Vocabulary) -> str:
    return f", for {words.label(what.purpose, 'purpose')}" if what.purpose else ""
