"""Deriving: one kind of information out of another, as a sentence permits, and kept as nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.edge.exits import check_exits
from avow.errors import Refused, SealedError, SetupError
from avow.vault.sealed import Given

from .lodge import lodge


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    site = lodge(tmp_path / "lodge")
    site.open(tmp_path / "data", background=False)
    yield site
    site.close()


def at_the_gate(site: Any, channel: str = "https") -> Any:
    return site.acting("porter", "lodging", place="gate", channel=channel)


def test_what_is_derived_is_kept_and_what_it_was_made_of_is_not(site: Any) -> None:
    with at_the_gate(site) as work:
        word = work.derive("word_hash", [Given("word", "open sesame")], lambda text: f"hash of {len(text)}")
        work.collect(site.Guest, person=work.person(), name="Ann", word=word)
        assert repr(word) == "<sealed word_hash>"
    with at_the_gate(site) as work:
        [guest] = work.select(site.Guest)
        assert guest.word._reveal() == "hash of 11"
        with pytest.raises(Refused):
            work.collect(site.Guest, person=work.person(), name="Bo", word="hash of nothing that was given")
        with pytest.raises(Refused):
            work.update(guest, word=Given("word", "open sesame"))


def test_each_source_is_judged_and_its_text_watched(site: Any) -> None:
    with at_the_gate(site, "http") as work, pytest.raises(Refused):
        work.derive("word_hash", [Given("word", "open sesame")], str.upper)
    with at_the_gate(site) as work:
        for category, source in (("word_hash", "name"), ("badge", "word"), ("stay", "word")):
            with pytest.raises(Refused):
                work.derive(category, [Given(source, "open sesame")], str.upper)
        with pytest.raises(SetupError, match="nothing to derive"):
            work.derive("word_hash", [], str.upper)
        work.derive("word_hash", [Given("word", "open sesame")], str.upper)
        with pytest.raises(Refused):
            check_exits(work.unit, [], b"you typed open sesame")


def test_what_is_one_persons_makes_nothing_of_another(site: Any) -> None:
    with at_the_gate(site) as work:
        guests = [work.collect(site.Guest, person=work.person(), name=name) for name in ("Ann", "Bo")]
        stays = [
            work.collect(site.Stay, person=guest.avow_person, what=what) for guest in guests for what in ("hay", "rye")
        ]
        with work.serving("thanks"):
            ann = work.derive("badge", [stay.what for stay in stays[:2]], lambda *texts: str(len(texts)))
            work.update(guests[0], badge=ann)
            assert guests[0].badge._reveal() == "2"
            with pytest.raises(SealedError, match="somebody else's"):
                work.update(guests[1], badge=ann)
            with pytest.raises(SealedError, match="several people's"):
                work.derive("badge", [stay.what for stay in stays], str)
        with pytest.raises(Refused):  # for another purpose than the one it may be kept for
            work.update(guests[0], badge=ann)


def test_a_change_needs_its_sentence_and_what_only_follows_needs_none(site: Any) -> None:
    with at_the_gate(site) as work:
        guest = work.collect(site.Guest, person=work.person(), name="Ann")
        for word in ("one", "two"):
            work.update(guest, word=work.derive("word_hash", [Given("word", word * 4)], str.upper))
        assert guest.word._reveal() == "TWOTWOTWOTWO"
        for change in ({"name": "Bo"}, {"word": None}):
            with pytest.raises(Refused) as refusal:
                work.update(guest, **change)
            assert str(refusal.value).startswith("change ")
        assert guest.name._reveal() == "Ann"
