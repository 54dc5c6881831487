from __future__ import annotations

from pathlib import Path

import pytest

from avow.language import read
from avow.language.vocabulary import Vocabulary

LIBRARY = Path(__file__).parent / "library.md"


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return read(LIBRARY.read_text("utf-8")).front.vocabulary


@pytest.mark.parametrize(
    ("kind", "wide", "narrow", "covers"),
    [
        ("category", "contact", "contact.email", True),
        ("category", "contact.email", "contact", False),
        ("category", "contact", "contact", True),
        ("category", "identity", "loan.title", True),
        ("category", "visit", "visit.time", True),
        ("purpose", "lending", "reminding", True),
        ("role", "desk", "librarian", True),
        ("recipient", "partners", "county", True),
        ("subject", "person", "child", True),
        ("cookie", "cookie", "cookie.theme", True),
        ("category", "cookie", "cookie.theme", True),
        ("place", "catalogue", "account", True),
        ("category", "loan", "visit", False),
    ],
)
def test_a_word_covers_itself_and_all_below_it(
    words: Vocabulary, kind: str, wide: str, narrow: str, covers: bool
) -> None:
    assert words.covers(kind, wide, narrow) is covers


def test_words_overlap_when_some_word_is_below_both(words: Vocabulary) -> None:
    assert words.overlaps("category", "identity", "contact.email")
    assert words.overlaps("category", "contact.email", "identity")
    assert not words.overlaps("category", "loan", "contact")


def test_labels_are_those_of_the_front_matter_or_spoken_names(words: Vocabulary) -> None:
    assert words.label("contact.email") == "your e-mail address"
    assert words.label("contact.phone") == "contact phone"
    assert words.label("county") == "the county library"
    assert words.label("account", "place") == "your account page"
    assert words.label("never_heard") == "never heard"


def test_a_parent_that_only_dots_imply_is_a_word(words: Vocabulary) -> None:
    assert words.kind_of("visit") == "category"
