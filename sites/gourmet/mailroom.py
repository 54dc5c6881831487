"""The mail to the published address: who wants no more mail, or objects, is heeded; all else the service desk answers.

Nobody vouches for the sender of a mail (see `avow.Incoming`). A forged objection harms as little as one that is typed
in for somebody else: it is kept with its words and its way, and the owner of the address takes it back by the link in
any of our mails. A consent is never taken from a mail, and no mail is answered by a program.
"""

from __future__ import annotations

import re

from avow import Incoming, Work

from . import request
from .choice import choose, find_number
from .shop import site
from .stop import KEPT

#: Lines of a mail, from its first, in which a wish is looked for. Below that, a mail tells of something.
FIRST_LINES = 6

#: Characters of a wish. A mail that says more is a question as well, and goes to the desk.
SHORT = 200

_NEGATED = re.compile(
    r"\b(do not|don't|dont|not|never|did not|didn't|no) (want to |wish to )?(stop|unsubscribe|object|remove)"
)
#: What a line asks for, and the topics that it means; see `TOPICS`.
_WISHES = (
    (r"\bunsubscribe\b|\bopt(ing)?[ -]?out\b", ("newsletter", "marketing")),
    (
        r"^(please )?stop[.!]*$|\bstop (all|any|every|the|your|these|this|sending|writing|mailing|e-?mail|mail)",
        ("mail",),
    ),
    (r"\bno (more|further) (e-?)?mails?\b|\b(remove|delete) (me|my (e-?mail )?address)\b|\btake me off\b", ("mail",)),
    (r"\bi (hereby )?(strongly )?object\b|^objection\b", ("other_uses",)),
)


def read(subject: str, text: str) -> tuple[tuple[str, ...], str]:
    """What somebody who writes wants to stop, and the number that they were given for it; see `TOPICS`.

    A wish stands in the subject or in the first lines, which are read one by one. A line that says not to stop says
    nothing to us, and is left to the desk.
    """
    lines = [subject, *[line for line in text.splitlines() if line.strip()][:FIRST_LINES]]
    plain = [" ".join(line.lower().replace("’", "'").split()) for line in lines]
    topics = {
        topic: True
        for line in plain
        if not _NEGATED.search(line)
        for wish, meant in _WISHES
        if re.search(wish, line)
        for topic in meant
    }
    return tuple(topics), find_number(f"{subject}\n{text[:KEPT]}")


@site.mailbox(role="mailroom", purpose="answers", place="mailbox")
def received(work: Work, mail: Incoming) -> None:
    """Heed who wants no more mail or objects; everything else is a question for the service desk."""
    if mail.anonymous:
        return  # nobody whom one could heed or answer
    with work.serving("objections"):
        (topics, number), length = mail.understood("objection", lambda subject, text: (read(subject, text), len(text)))
        if topics:
            words = mail.text("objection", longest=KEPT)
            choose(work, mail.sender(), topics, wants=False, place="mailbox", words=words, number=number)
    if not topics or length > SHORT:
        request.store(
            work,
            "mailbox",
            email=mail.sender(),
            name=mail.name(),
            text=mail.text("request", longest=request.LONGEST),
        )
