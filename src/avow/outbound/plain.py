"""Mails that tell nobody who opened them: nothing is loaded, no receipt is asked for, no link says who followed it.

What is looked for in a text, and the flow that it would be. The policy is asked for each, so that a refusal names the
sentence; `reading` stands for the category under which the policy knows whether a mail is opened:

    a tag of HTML                                    collect reading    what it loads would tell
    a line that looks like a header for receipts     ask reading
    a link that leads elsewhere, or has parameters   log reading

Links may lead to a page of the site (`{{ base }}/products/honey`), to a secret that this mail was made for
(`{{ link }}`, `{{ links("stop") }}`), or to the published address. Templates are looked through when the site opens,
the finished text, without its values, when it leaves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avow.errors import Refused, SetupError
from avow.values import Verdict

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.vault.unit import Unit

#: What a value's marker begins with (see `avow.edge.markers`).
OPEN = "\ue000"

#: The place at which what stands in a mail is shown, by its name in policies.
MAIL = "mail"

_TAG = re.compile(r"<(?!https?:|mailto:)[a-z!/]", re.IGNORECASE)
# RFC 8098, and what mail programs have read for the same before and beside it.
_RECEIPT = re.compile(
    r"^[ \t]*(disposition-notification-(to|options)|return-receipt-(to|requested)|x-confirm-reading-to"
    r"|read-receipt-to|x-pmrqc|generate-delivery-report)[ \t]*:",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s<>\"]+|(?<![\w/:])//\w[^\s<>\"]+|\bwww\.[^\s<>\"]+|\b(?:mailto|data|cid):[^\s<>\"]+",
    re.IGNORECASE,
)
_PLAIN_PATH = re.compile(r"(/[\w.~-]*)*", re.ASCII)

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SECRET = re.compile(r"link|links\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a mail that would tell who opens it. `verb` is what it does with that knowledge; lines from 1."""

    verb: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Links:
    """Where the links of a mail may lead: below `base`, to `contact`, and to these secrets."""

    base: str
    contact: str
    secrets: Collection[str] = ()

    def permit(self, link: str) -> bool:
        """Whether a link is one of these. A parameter, a fragment or a value in it is none: it could tell who."""
        if link in self.secrets or link == f"mailto:{self.contact}":
            return True
        path = link.removeprefix(self.base)
        return path != link and _PLAIN_PATH.fullmatch(path) is not None


def faults(text: str, links: Links) -> Iterator[Fault]:
    """What in `text`, a mail without its header, would tell who opens it."""
    for number, line in enumerate(text.splitlines(), 1):
        if _TAG.search(line):
            yield Fault("collect", number, "holds a tag of HTML, and what one loads tells that the mail was opened")
        if _RECEIPT.match(line):
            yield Fault("ask", number, "asks for a receipt")
        for found in _LINK.findall(line):
            if not links.permit(found.rstrip(".,;:!?)'")):
                yield Fault("log", number, "holds a link that leads elsewhere or has parameters")


def check_mail(unit: Unit, reading: str, message: str, text: str, links: Links) -> None:
    """Refuse a mail that would tell who opens it. `text` has markers in place of values.

    Raises:
        Refused: naming the line, and the sentence that forbids it.
    """
    for fault in faults(text, links):
        words = f"the mail `{message}`, line {fault.line}, {fault.what}"
        verdict = None
        if reading in unit.vault.policy.vocabulary.words["category"]:
            try:
                whose = _whose(fault, unit.vault.subject)
                unit.judge(fault.verb, reading, place=MAIL, source=whose, subject=whose)
                continue
            except Refused as refused:
                verdict = refused.verdict
        raise Refused(words + _said(verdict), verdict, help=_HELP)


def check_templates(policy: Policy, folder: Path, links: Links, *, reading: str, subject: str) -> None:
    """Look through the templates of all mails in a folder and those below it; `_part.txt` is a part of others.

    Raises:
        SetupError: all that would tell who opens a mail, with the sentences that forbid it; a mail without a subject,
            or with further header lines, which are the door's to write.
    """
    found = []
    for file in sorted(folder.rglob("*.txt")):
        text = file.read_text("utf-8")
        where = file.relative_to(folder)
        if file.parent == folder and file.name[0] != "_" and not text.startswith(("Subject: ", "{% include ")):
            found.append(f"{where}:1 does not begin with `Subject: `")
        second = text.splitlines()[1:2]
        if text.startswith("Subject: ") and second and second[0].strip():
            found.append(f"{where}:2 is no empty line, and the only header line that a template has is its subject")
        for fault in faults(_as_sent(text, links), Links(links.base, links.contact, {f"{links.base}/_"})):
            verdict = None
            if reading in policy.vocabulary.words["category"]:
                whose = _whose(fault, subject)
                verdict = policy.judge(fault.verb, reading, place=MAIL, source=whose, subject=whose)
            if verdict is None or not verdict.permitted:
                found.append(f"{where}:{fault.line} {fault.what}{_said(verdict)}")
    if found:
        raise SetupError("these mails cannot be sent:\n  - " + "\n  - ".join(found), help=_HELP)


_HELP = (
    'mails are plain text; link with {{ link }}, {{ links("…") }} or {{ base }}/… to pages of the site, '
    "and to nothing else"
)


def _as_sent(source: str, links: Links) -> str:
    """A template about as it will read: its own links in place, and a mark for every value, which no link may hold."""

    def written(found: re.Match[str]) -> str:
        known = {"base": links.base, "policy.contact.email": links.contact, "contact.email": links.contact}
        return known.get(found[1]) or (f"{links.base}/_" if _SECRET.fullmatch(found[1]) else OPEN)

    return _EXPRESSION.sub(written, _STATEMENT.sub("", source))


def _whose(fault: Fault, subject: str) -> str | None:
    """From and about whom that would be: only what is collected comes from somebody."""
    return subject if fault.verb == "collect" else None


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return "".join(f"\n  sentence: “{sentence.text}” (#{sentence.anchor})" for sentence in verdict.sentences)
