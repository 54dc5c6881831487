"""Checks a policy file as a whole and collects every fault at once.

    read(source, file) → Reading

Bindings (each paragraph has its block, each block its sentence and its rules) are checked here, each rule by
`rulecheck`, contradictions between rules by `shadows`, the code that answers predicates by `predicates`.
"""

from __future__ import annotations

from pathlib import Path

from avow.language import frontmatter, markdown, predicates
from avow.language.frontmatter import FrontMatter
from avow.language.markdown import Block, Document, Paragraph
from avow.language.parser import SyntaxFault, chunks, parse
from avow.language.rulecheck import RuleCheck
from avow.language.rules import Reading, Rule
from avow.language.shadows import shadows
from avow.language.syntax import Attested, NoPromise, Position, Statement
from avow.values import Kind, Sentence

_SHOW_BLOCK = 'write its rules in an `avow` block below it, or `no promise: "why"` if it promises nothing'


def read(source: str, file: str = "policy.md", folder: Path | None = None) -> Reading:
    """Read and check a policy. Raises nothing: look at `diagnostics` of the result.

    `folder` is where the code of its predicates lies. It is read there and checked, not run; without a folder the
    policy has none.
    """
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    document = markdown.read(source)
    readable = False
    reading = Reading(file, source, FrontMatter())
    if document.front is None:
        reading.fault(Position(1, 1, 1), "the policy has no front matter", "start the file with `---`, `site: …`")
    else:
        front = frontmatter.read(document.front, reading.fault)
        readable = front is not None
        reading.front = front or reading.front
        reading.front.code = predicates.check(reading.front.predicates.values(), folder, reading.fault)
    for fault in document.faults:
        reading.fault(*fault)
    _Binder(document, reading, readable).bind()
    _whole(reading)
    reading.diagnostics.sort(key=lambda item: (item.line, item.column))
    return reading


def _whole(reading: Reading) -> None:
    """Faults that only the rules together show."""
    if not reading.permits:
        message = "the policy has no `may`: it permits nothing"
        reading.fault(Position(1, 1, 1), message, "write at least one rule that starts with `may`")
    for at, message, help in shadows(reading.rules, reading.front.vocabulary):
        reading.fault(at, message, help)
    for at, message, help in predicates.misused((rule.statement for rule in reading.rules), reading.front.code):
        reading.fault(at, message, help)


class _Binder:
    """Ties each paragraph to its block, and each block to its statements."""

    def __init__(self, document: Document, reading: Reading, readable: bool) -> None:
        self._document = document
        self._reading = reading
        self._anchors: dict[str, int] = {}
        self._check = RuleCheck(reading) if readable else None  # without words, every word would be a fault

    def bind(self) -> None:
        for paragraph in self._document.paragraphs:
            if paragraph.block is None:
                self._reading.unbound.append((paragraph.line, paragraph.text))
                at = self._document.position(paragraph.line)
                self._reading.fault(at, "this paragraph has no `avow` block", _SHOW_BLOCK)
            else:
                self._sentence(paragraph, paragraph.block)
        for block in self._document.blocks:
            if not block.bound:  # its place is a fault already; its rules are checked all the same
                for node in self._statements(block)[0]:
                    if isinstance(node, Statement) and self._check:
                        self._check.statement(node)
        if self._check:
            self._check.signatures()

    def _sentence(self, paragraph: Paragraph, block: Block) -> None:
        rows, ours = self._info(block)
        nodes, failed = self._statements(block)
        statements = [node for node in nodes if isinstance(node, Statement)]
        signatures = [node for node in nodes if isinstance(node, Attested)]
        attested = signatures[0] if signatures else None
        promised = bool(statements or attested)
        at = self._document.position(block.line)
        if not nodes and not failed:
            self._reading.fault(at, "this block says nothing", 'write rules, or `no promise: "why"`')
        for node in nodes:
            if isinstance(node, NoPromise) and (promised or failed):
                message, help = "`no promise` stands beside rules", "keep the rules or keep `no promise`, not both"
                self._reading.fault(node.at, message, help)
            elif isinstance(node, NoPromise) and not node.reason:
                self._reading.fault(node.at, "`no promise` gives no reason", "say why the paragraph promises nothing")
        for node in signatures[1:]:
            message = "this block is attested a second time"
            self._reading.fault(node.at, message, "one role signs for a block: make another sentence for the other")
        anchor = block.anchor or f"line-{paragraph.line}"
        for node in nodes:
            if isinstance(node, NoPromise):
                self._reading.reasons[anchor] = node.reason
        kind: Kind = "enforced" if statements else "attested" if attested else "informational"
        sentence = Sentence(anchor, paragraph.text, rows, kind, paragraph.line, ours)
        self._reading.sentences.append(sentence)
        if attested:
            self._reading.attested[anchor] = attested
            if self._check:
                self._check.attested(attested)
        for statement in statements:
            if self._check and self._check.statement(statement):
                self._reading.rules.append(Rule(statement, sentence))

    def _info(self, block: Block) -> tuple[tuple[str, ...], bool]:
        """The rows and `ours` of the info string, once its words and its anchor are checked."""
        rows, ours, wrong = markdown.info_words(block)
        at = self._document.position(block.line)
        for word in wrong:
            self._reading.fault(at, f"`{word}` does not belong after `avow`",
                                "write one anchor, then promise rows or `ours`: ```avow #never-sold G8")  # fmt: skip
        anchor = block.anchor
        if anchor is None:
            self._reading.fault(at, "this block has no anchor", "choose one, for good: ```avow #never-sold")
        elif anchor in self._anchors:
            message = f"the anchor `#{anchor}` was taken by line {self._anchors[anchor]}"
            self._reading.fault(at, message, "an anchor names one sentence: choose another")
        else:
            self._anchors[anchor] = block.line
        return rows, ours

    def _statements(self, block: Block) -> tuple[list[Statement | NoPromise | Attested], bool]:
        """What the block says, and whether something in it does not parse."""
        nodes: list[Statement | NoPromise | Attested] = []
        failed = False
        for chunk in chunks(block.content, block.line + 1, block.indent):
            try:
                nodes.append(parse(chunk))
            except SyntaxFault as fault:
                failed = self._reading.permits = True  # it may have been a `may`
                self._reading.fault(fault.at, fault.message, fault.help)
        self._reading.permits |= any(isinstance(node, Statement) and node.modal == "may" for node in nodes)
        return nodes, failed
