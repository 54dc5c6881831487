"""Guards of the vault around versions of the policy: what was collected under one stays under it."""

from __future__ import annotations

from tests.mutation import Mutation

_VAULT = "src/avow/vault"

OLDER: tuple[Mutation, ...] = (
    Mutation(
        "I13", f"{_VAULT}/older.py", "return value.version != self._current", "return False",
        "what was given before falls under a weaker version by itself",
    ),
    Mutation(
        "I13", f"{_VAULT}/applying.py", "WEAKER: weaker}", "WEAKER: False}",
        "a weaker version counts as one that is not",
    ),
    Mutation(
        "I13", f"{_VAULT}/standing.py", " if not weaker(version)", "",
        "agreeing to one version is agreeing to every later one",
    ),
    Mutation(
        "I13", f"{_VAULT}/older.py", " if name not in KNOWN_HERE}", "}", "that one agreed counts for the next as well",
    ),
    Mutation(
        "I13", f"{_VAULT}/standing.py", "if self._marks.fits(row.mark, row[:-1]):", "if True:",
        "who can write rows has a version hold for whom they like",
    ),
    Mutation(
        "I13", f"{_VAULT}/standing.py", "if not words.strip():", "if False:",
        "somebody agrees without having seen a word",
    ),
    Mutation(
        "I13", f"{_VAULT}/keeping.py", "value=before, ", "", "what was given before is changed by the rule of today",
    ),
    Mutation(
        "I13", f"{_VAULT}/vault.py", "self.tasks += earlier_tasks(self.home, self.older)",
        "self.older.stricter()", "what was to be gone sooner is kept for as long as a later version keeps it",
    ),
    Mutation(
        "I13", f"{_VAULT}/envelope.py", "_measured(field.encode()) + _measured(head)", "_measured(field.encode())",
        "whoever writes the database moves a value under another version",
    ),
    Mutation(
        "I13", f"{_VAULT}/published.py", 'hashlib.sha256(source.encode("utf-8")).hexdigest() != digest', "False",
        "whoever writes the database loosens what an earlier version says",
    ),
)  # fmt: skip

_ANNOUNCING = "src/avow/site/announcing.py"

STANDING: tuple[Mutation, ...] = (
    Mutation(
        "N17", f"{_VAULT}/standing.py", 'having["mailed"] - having["bounced"]', 'having["mailed"]',
        "a mail that came back counts as one that arrived",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py", 'other.c.way == "bounced"', 'other.c.way == "none"',
        "what is to be gone sooner is kept although the mail came back",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py",
        "if unit.staff or unit.viewer != person.id or not unit.shown or not self._asked(",
        "if not self._asked(", "what anybody writes about somebody is something new from them",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py",
        "        if self._current in rows.get(", "        if True or self._current in rows.get(",
        "what was given before the mail went out is something new",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py", 'bool(having["resubmitted"] & reached)', "bool(reached)",
        "who was written to need not give anything new",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py", " if not weaker(version)", "",
        "being told of one version is being told of every later one",
    ),
    Mutation(
        "N17", f"{_VAULT}/standing.py", "bool(self._vault.older.concerned(unit, [record.owner_id]))", "True",
        "everybody is written to",
    ),
    Mutation(
        "N17", f"{_VAULT}/concerned.py", "and category in self._of_version(version)", "",
        "who gave anything at all is written to",
    ),
    Mutation(
        "N17", f"{_VAULT}/applying.py", 'told = known.get(FACT["mailed"]) is True or not self.by_mail', "told = True",
        "the newer version holds for who was not written to",
    ),
    Mutation(
        "N17", f"{_VAULT}/applying.py", "for name in sorted(KNOWN_HERE & facts.keys()):", "for name in ():",
        "the site says of itself that it has written",
    ),
    Mutation(
        "N17", f"{_VAULT}/publishing.py", "{found[-1] if found else _OVER}", "{_OVER}",
        "one batch is written to and the rest is left out",
    ),
    Mutation(
        "N17", _ANNOUNCING, "if version is not None and not opened.policy.digest.startswith(version):", "if False:",
        "a mail tells of another version than the one that it is counted for",
    ),
    Mutation(
        "N17", _ANNOUNCING, "if Applying(policy, site.subject).by_mail:", "if False:",
        "a site that writes to nobody starts",
    ),
    Mutation(
        "S11", f"{_VAULT}/standing.py", "if not self.announced(unit) or self.facts(", "if self.facts(",
        "coming back before the change was announced accepts it",
    ),
    Mutation(
        "S11", f"{_VAULT}/standing.py", 'FACT["returned"]: bool(having["returned"])', 'FACT["returned"]: True',
        "who has not come back is under the newer version",
    ),
    Mutation(
        "S11", f"{_VAULT}/standing.py",
        "unit.channel is not None and unit.place is not None and not unit.staff", "True",
        "a program or a member of staff goes on in the place of a member",
    ),
    Mutation(
        "S11", f"{_VAULT}/standing.py",
        'if unit.verdict("keep", kept, unit.known(), None, subject=whose, purpose=unit.purpose).permitted:', "if True:",
        "an acceptance is asked to be kept that may not be",
    ),
    Mutation(
        "S11", f"{_VAULT}/applying.py", "told and (announced or not self.on_a_page)", "told",
        "a version takes effect before its banner is up",
    ),
    Mutation(
        "S11", f"{_VAULT}/unit.py", "self._db.info.clear()", "pass", "a page that did not work has accepted a version",
    ),
    Mutation(
        "S11", "src/avow/site/work.py", "self.unit.recognise(found, fact)", "self.recognise(found, fact)",
        "following a link that stops the newsletter is going on",
    ),
)  # fmt: skip
