"""A stand-in: a site that is made of a policy alone, to be probed in place of its service.

It has one record with a column for each category, a page for each place, role and purpose that the policy shows
something at, a template for each mail, and does whatever a probe asks of it. So every rule of the policy meets every
door of Avow, also where the service itself uses few of them. What the service's own pages and records do is probed
apart from this (`own`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response

from avow.edge.form import Form
from avow.engine.schedule import deadlines
from avow.language.rules import Reading, Rule
from avow.site.site import Site
from avow.site.work import Work
from avow.testing.probing.attempts import Deriving
from avow.values import NO_FACTS, Facts
from avow.vault.applying import KNOWN_HERE
from avow.vault.columns import moment, owner, personal
from avow.vault.sealed import Sealed

#: The path of a page that is declared for one role, purpose and place, by its number.
PATH = "/probe/{}"
#: Pages that are declared at most.
MOST_PAGES = 40
#: The use of the links that the stand-in's mails offer.
STOP = "stop"

_PAGE = """\
<!doctype html><html lang="en"><head><title>Probe</title></head><body>
<p><a href="/privacy">Privacy</a> {{ policy.contact.email }} {{ policy.contact.phone }} {{ policy.contact.address }}</p>
{% for notice in notices %}<p data-notice="{{ notice }}">{{ notice }}</p>
{% endfor %}
{% for value in values %}<p>[{{ value }}]</p>
{% endfor %}
{{ word }}
</body></html>
"""
_MAIL = """\
Subject: Probe

{% for name in shown %}[{{ record[name] }}]
{% endfor %}
{% if offers %}
{{ links("stop") }}
{% endif %}

{{ contact.email }}
{% if contact.phone %}{{ contact.phone }}
{% endif %}
{% if contact.address %}{{ contact.address }}
{% endif %}
"""
_ERROR = """\
<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body><h1>{{ title }}</h1><p>{{ words }}</p>
{% for sentence in sentences %}<a href="/privacy#{{ sentence.anchor }}">{{ sentence.text }}</a>{% endfor %}
</body></html>
"""


class Button(Form):
    """A form without a field."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the stand-in, and what it is declared for; `staff` for members of staff with the role."""

    path: str
    role: str
    purpose: str
    place: str
    staff: bool


@dataclass(frozen=True, slots=True)
class Names:
    """What a site calls the parts of its policy that Avow has to know; guessed where nobody says it."""

    subject: str
    visitor: str
    visits_for: str
    address: str
    card: str = "card.number"
    card_code: str = "card.code"
    reading: str = "reading"
    acceptance: str = "acceptance"
    login: str = "login"

    @classmethod
    def of(cls, site: Site) -> Names:
        """As a site says them."""
        return cls(**{name: getattr(site, name) for name in cls.__dataclass_fields__})

    @classmethod
    def guessed(cls, reading: Reading) -> Names:
        """As the rules of a policy let them be guessed."""
        words = reading.front.vocabulary.words
        subjects = _named(reading, words["subject"], "from", "about", "to")
        subject = next(iter(subjects), "person")
        visitor = "visitor" if "visitor" in words["subject"] else subject
        logged = [rule for rule in reading.rules if rule.modal == "may" and rule.verb == "log"]
        purposes = [str(t) for rule in logged for p in rule.phrases if p.preposition == "for" for t in p.terms]
        sent = [rule for rule in reading.rules if rule.modal == "may" and rule.verb == "send"]
        to = [str(t) for rule in sent for p in rule.phrases if p.preposition == "to" for t in p.terms]
        mailed = (*to, *(n for n, word in words["category"].items() if word.key == "user.contact.email"))
        return cls(
            subject, visitor, next(iter((*purposes, *words["purpose"])), ""), next(iter(mailed), "contact.email")
        )


class StandIn:
    """The stand-in of one policy.

    Attributes:
        site: it.
        record: its record class.
        columns: the attribute of each category.
        pages: what it serves.
        act: what its pages do; set by the probe before it asks for one.
        facts: what it knows of every record, set by the probe.
        shown: the attributes that its mails show, set by the probe.
    """

    def __init__(self, policy: Path, reading: Reading, names: Names, deriving: Deriving, folder: Path) -> None:
        templates = folder / "pages"
        _write_templates(templates, reading)
        offers = {
            str(term): STOP
            for rule in reading.rules
            if rule.modal == "must" and rule.verb == "offer"
            for term in rule.objects
        }
        self.names = names
        self.site = Site(
            policy,
            pages=templates,
            link="/probe/link/{secret}",
            links={STOP: "/probe/stop/{secret}"},
            offers=offers,
            **{name: getattr(names, name) for name in Names.__dataclass_fields__},
        )
        self.facts: dict[str, bool | float | None] = {}
        self.act: Callable[[Work], Response] = lambda work: HTMLResponse("")
        self.shown: list[str] = []
        self.notices = sorted({str(t) for r in reading.rules if r.verb in ("show", "announce") for t in r.objects})
        self.site.shared_context |= {"shown": self.shown, "offers": bool(offers), "notices": self.notices}
        self.site.facts(lambda work, record, recipient: self.known())
        self.columns, self.record = self._records(reading)
        self.pages = self._pages(reading, deriving)
        self._announce(reading)

    def known(self) -> Facts:
        """The facts that the site tells: those of the probe that the vault does not know by itself."""
        if not self.facts:
            return NO_FACTS
        answered = {name for name in self.facts if name.partition("(")[0] in self.site.policy.predicates}
        return {name: fact for name, fact in self.facts.items() if name not in KNOWN_HERE | answered}

    def page_for(self, role: str, purpose: str, place: str, *, staff: bool) -> Page | None:
        """The page that is declared for these, if there is one."""
        wanted = (role, purpose, place, staff)
        return next((p for p in self.pages if (p.role, p.purpose, p.place, p.staff) == wanted), None)

    def render(self, work: Work, values: list[Sealed], word: str = "") -> Response:
        """The page with these values, and every notice."""
        return work.render("probe.html", values=values, word=word)

    # -- made of the policy -----------------------------------------------------------------------

    def _records(self, reading: Reading) -> tuple[dict[str, str], type[Any]]:
        categories = reading.front.vocabulary.words["category"]
        columns = {category: f"c{number}" for number, category in enumerate(categories)}
        fields = {
            name: personal(
                category,
                field=f"probe.{category}",
                optional=True,
                lookup="email" if category == self.names.address else None,
            )
            for category, name in columns.items()
        }
        events = dict.fromkeys(deadline.event for deadline in deadlines(self.site.policy))
        moments = {f"m{number}": moment(event, "set by a probe") for number, event in enumerate(events)}
        made = type(
            "Probed",
            (self.site.Record,),
            {
                "__tablename__": "probed",
                "__module__": __name__,
                "__annotations__": {},
                "__label__": "What a probe stores",
                "person": owner(),
                **fields,
                **moments,
            },
        )
        return columns, made

    def _pages(self, reading: Reading, deriving: Deriving) -> list[Page]:
        """A page for each way in which the rules speak of showing, of cookies and of what is asked for."""
        words = reading.front.vocabulary.words
        role, purpose = next(iter(words["role"])), next(iter(words["purpose"]))
        wanted = dict.fromkeys(_contexts(reading.rules, deriving, role, purpose, words))
        for place in words["place"]:
            wanted.setdefault((role, purpose, place, False))
        pages = []
        for number, (by, what, place, staff) in enumerate(list(wanted)[:MOST_PAGES]):
            page = Page(PATH.format(number), by, what, place, staff)
            self.site.page(page.path, role=by, purpose=what, place=place, methods=("GET", "POST"), staff=staff)(
                self._do
            )
            pages.append(page)
        place = next(iter(words["place"]), "")
        self._one_click(role, purpose, place)
        return pages

    def _one_click(self, role: str, purpose: str, place: str) -> None:
        def page(work: Work, form: Any) -> Response:
            return self.render(work, [])

        self.site.form(
            "/probe/stop/{secret}",
            Button,
            role=role,
            purpose=purpose,
            place=place,
            page=page,
            one_click=lambda work: self.render(work, []),
        )(page)

    def _do(self, work: Work) -> Response:
        return self.act(work)

    def _announce(self, reading: Reading) -> None:
        words = reading.front.vocabulary.words
        message = next(iter(words["message"]), None)
        if message is not None and self.names.address in self.columns:
            role, purpose = next(iter(words["role"])), next(iter(words["purpose"]))
            self.site.announces(message, self.record, role=role, purpose=purpose)


def _write_templates(folder: Path, reading: Reading) -> None:
    (folder / "mail").mkdir(parents=True, exist_ok=True)
    (folder / "probe.html").write_text(_PAGE, "utf-8")
    (folder / "error.html").write_text(_ERROR, "utf-8")
    for message in reading.front.vocabulary.words["message"]:
        (folder / "mail" / f"{message}.txt").write_text(_MAIL, "utf-8")


def _contexts(
    rules: list[Rule], deriving: Deriving, role: str, purpose: str, words: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, str, str, bool]]:
    """Role, purpose, place and whether it is a desk, of what rules show and set, and of what lies beside them."""
    for rule in sorted(rules, key=lambda rule: rule.modal != "may"):
        if rule.verb not in ("show", "set", "open", "collect", "use"):
            continue
        for attempt in deriving.attempts(rule):
            flow = attempt.flow
            if flow["verb"] not in ("show", "set", "open") or not (
                flow["verb"] != "open" or flow["object"] in words["cookie"]
            ):
                continue
            to = flow.get("to")
            staff = to in words["role"]
            by = to if staff and to else flow.get("by", role)
            if by in words["role"] and flow.get("at", "") in words["place"]:
                yield by, flow.get("for", purpose), flow["at"], staff


def _named(reading: Reading, known: dict[str, Any], *prepositions: str) -> list[str]:
    """The declared words that permissions name after these prepositions, the most frequent first."""
    found = Counter(
        str(term)
        for rule in reading.rules
        if rule.modal == "may"
        for phrase in rule.phrases
        if phrase.preposition in prepositions
        for term in phrase.terms
        if str(term) in known and str(term) != "person"
    )
    return [word for word, _ in found.most_common()] or [word for word in known if word != "person"]
