"""What is searched for in all that a service says: the values that lie in it, each with whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

#: A needle is looked for if it is as long as this: shorter texts stand in pages by chance.
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Needle:
    """One value that lies in the installation: whose it is, of which category, in which column."""

    owner: str
    category: str
    column: str
    value: str


def plainly(text: str) -> str:
    """A text without tags, entities, line ends and capitals, so that it is found again however it is laid out."""
    return " ".join(re.sub(r"<[^>]*>", " ", unescape(text)).lower().split())
