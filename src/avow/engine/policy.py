"""A policy that can be asked.

policy = Policy.load(Path("policy.md"))
verdict = policy.judge("share", "contact.address", recipient="ups", purpose="shipping", channel="https")
verdict.permitted, verdict.reason, verdict.sentences, verdict.duties
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from avow import language
from avow.engine.clauses import clauses
from avow.engine.decide import Case, Decider
from avow.engine.duties import duties_of
from avow.engine.explain import Explanation, explain
from avow.engine.index import Index
from avow.engine.predicates import Predicates
from avow.errors import PolicyError
from avow.language.english import in_words
from avow.language.frontmatter import Contact, Cookie, Recipient
from avow.language.predicates import Predicate
from avow.language.rules import Coverage, Reading, Rule, coverage
from avow.language.source import read_file
from avow.language.syntax import Attested
from avow.language.vocabulary import Vocabulary, Word
from avow.values import NO_FACTS, Duty, Facts, Sentence, Verdict

#: How many different flows are remembered before the memory is emptied: some 20 MB at most.
MEMO = 65_536


class Policy:
    """One version of a published policy. Immutable; safe to share between threads."""

    def __init__(self, reading: Reading) -> None:
        if reading.diagnostics:
            raise PolicyError(tuple(reading.diagnostics))
        front = reading.front
        self.site: str = front.site
        self.title: str = front.title
        self.version: str = front.version
        self.effective = front.effective
        self.contact: Contact = front.contact
        self.source: str = reading.source
        #: SHA-256 of the text in UTF-8, without a mark at its beginning and with LF at the end of each line: however an
        #: editor saved it, it is the same version.
        self.digest: str = hashlib.sha256(reading.source.encode("utf-8")).hexdigest()
        self.sentences: tuple[Sentence, ...] = tuple(reading.sentences)
        self.rules: tuple[Rule, ...] = tuple(reading.rules)
        self.attested: Mapping[str, Attested] = MappingProxyType(reading.attested)
        self.vocabulary: Vocabulary = front.vocabulary
        self.recipients: Mapping[str, Recipient] = MappingProxyType(front.recipients)
        self.cookies: Mapping[str, Cookie] = MappingProxyType(front.cookies)
        self.renamed: Mapping[str, str] = MappingProxyType(front.renamed)
        #: The predicates that a function answers, whether its code is at hand or not.
        self.predicates: Mapping[str, Predicate] = MappingProxyType(front.predicates)
        self._predicates = Predicates(reading)
        self.messages: Mapping[str, Word] = MappingProxyType(front.vocabulary.words["message"])
        self.duties: tuple[Duty, ...] = tuple(
            duty for rule in self.rules if rule.modal == "must" for duty in duties_of(rule)
        )
        self._coverage = coverage(reading)
        self._by_anchor = {sentence.anchor: sentence for sentence in self.sentences}
        #: The compiled rules; comparing versions reads them.
        self.index = Index(clauses(self.rules, self.attested, self.vocabulary), self.vocabulary)
        self._decider = Decider(self.index, self.vocabulary)
        # Verdicts, and cases where the verdict needs facts: one look-up, because hashing a flow takes longest.
        self._memory: dict[tuple[str | None, ...], Verdict | Case] = {}

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read a policy file, and load the code of its predicates. Raises PolicyError with every fault found."""
        return cls.parse(read_file(Path(path))[1], str(path), folder=Path(path).parent)

    @classmethod
    def parse(cls, text: str, file: str = "policy.md", *, folder: Path | None = None) -> Policy:
        """Read a policy from text; `file` is its name in messages. Raises PolicyError with every fault found.

        `folder` is where the code of its predicates lies. Without it they have none, and what they would answer is
        unknown: enough to compare versions, or to ask under facts that one supposes.
        """
        return cls(language.read(text, file, folder))

    def sentence(self, anchor: str) -> Sentence:
        """The sentence of an anchor. Raises KeyError."""
        return self._by_anchor[anchor]

    def rules_of(self, anchor: str) -> tuple[Rule, ...]:
        """The rules under a sentence, in their order."""
        return tuple(rule for rule in self.rules if rule.sentence.anchor == anchor)

    def coverage(self) -> Coverage:
        """Which sentences are enforced, attested or informational, and which paragraphs are unbound (none are)."""
        return self._coverage

    def judge(
        self,
        verb: str,
        object: str,
        *,
        recipient: str | None = None,
        audience: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        purpose: str | None = None,
        place: str | None = None,
        role: str | None = None,
        medium: str | None = None,
        channel: str | None = None,
        form: str | None = None,
        facts: Facts = NO_FACTS,
    ) -> Verdict:
        """The verdict on one flow. A dimension that is None is not stated, and so unknown.

        Raises UnknownTerm, a Refused, if a word is not in the policy's vocabulary or the verb does not take it.
        """
        flow = (verb, object, recipient, audience, source, subject, purpose, place, role, medium, channel, form)
        found = self._memory.get(flow)
        if found.__class__ is Verdict:
            return found  # the class is compared because that is fastest
        return self._first(flow, facts) if found is None else found.judge(facts)  # type: ignore[union-attr]

    def explain(
        self,
        verb: str,
        object: str,
        *,
        recipient: str | None = None,
        audience: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        purpose: str | None = None,
        place: str | None = None,
        role: str | None = None,
        medium: str | None = None,
        channel: str | None = None,
        form: str | None = None,
        facts: Facts = NO_FACTS,
    ) -> Explanation:
        """The verdict on one flow with its shortest reason in words, and what it would take to be otherwise.

        Raises UnknownTerm as `judge` does. Not for the path of a flow: it takes a thousand times as long.
        """
        flow = (verb, object, recipient, audience, source, subject, purpose, place, role, medium, channel, form)
        answer = self._decider.decide(flow)
        verdict = answer if isinstance(answer, Verdict) else answer.judge(facts)
        return explain(self._decider, flow, verdict, facts)

    def facts(self, base: Facts, *, supposed: Facts = NO_FACTS) -> Facts:
        """What is known at one moment: `base`, and what the policy's own predicates answer to it.

        Each is asked at most once, when a condition asks for it, with a read-only view of `base`. A function that
        fails is reported once, by the logger `avow.predicates`, and its answer is unknown. `supposed` stands before
        the functions: for a question (what if?), not on the path of a flow.

        Raises SetupError if `base` holds the answer to a predicate that has a function: the policy was published with
        the code, and nothing else may answer in its place.
        """
        return self._predicates.facts(base, supposed)

    def in_words(self, rule: Rule) -> str:
        """A rule of this policy as an English sentence, with the labels of its front matter."""
        return in_words(rule, self.vocabulary)

    def _first(self, flow: tuple[str | None, ...], facts: Facts) -> Verdict:
        answer = self._decider.decide(flow)
        if len(self._memory) >= MEMO:
            self.forget()
        self._memory[flow] = answer
        return answer if isinstance(answer, Verdict) else answer.judge(facts)

    def forget(self) -> None:
        """Empty the memory of decisions; the next ones are worked out again."""
        self._memory.clear()
        self._decider.forget()
