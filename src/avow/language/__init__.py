"""The policy language: Markdown and rules in, a checked policy out.

`read` gives a `Reading` with every fault; `to_html` renders the page. Nothing here knows how to decide: see `engine`.
"""

from avow.language.checker import read
from avow.language.english import in_words
from avow.language.frontmatter import Contact, Cookie, Recipient
from avow.language.markdown import to_html
from avow.language.rules import Reading, Rule
from avow.language.vocabulary import UnknownTerm, Vocabulary, Word

__all__ = [
    "Contact",
    "Cookie",
    "Reading",
    "Recipient",
    "Rule",
    "UnknownTerm",
    "Vocabulary",
    "Word",
    "in_words",
    "read",
    "to_html",
]
