"""Correcting: the new value stands wherever the old one was copied to in what is one person's, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from avow import Refused, correct
from avow.errors import SealedError


@pytest.fixture
def twice(site: Any) -> Any:
    """Ann is in the club twice under one address and once under another; Bob shares the first with her."""
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        ann, bob = work.person(), work.person()
        for person, email in (
            (ann, "a@example.org"),
            (ann, "a@example.org"),
            (ann, "x@example.org"),
            (bob, "a@example.org"),
        ):
            work.collect(site.Member, person=person, name="A", email=email, wishes="bees")
        return site, ann.id


def count(site: Any, work: Any, email: str) -> int:
    return len(work.select(site.Member, site.Member.email == email))


def first(site: Any, work: Any, person: str) -> Any:
    same = (site.Member.person == person, site.Member.email == "a@example.org")
    return work.select(site.Member, *same)[0]


def test_copies_follow_in_what_is_theirs_and_equal(twice: Any) -> None:
    site, ann = twice
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        assert correct(work.unit, first(site, work, ann), email="new@example.org") == 2
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        found = {email: count(site, work, f"{email}@example.org") for email in ("a", "x", "new")}
        assert found == {"a": 1, "x": 1, "new": 2}  # the one that is left is Bob's


def test_what_is_taken_out_is_taken_out_of_the_copies(twice: Any) -> None:
    site, ann = twice
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        assert correct(work.unit, first(site, work, ann), wishes=None) == 3
        assert [member.wishes for member in work.select(site.Member, site.Member.person == ann)] == [None] * 3


def test_what_a_record_cannot_lack_is_not_taken_out(twice: Any) -> None:
    site, ann = twice
    with (
        pytest.raises(SealedError, match="takes sealed values only"),
        site.acting("desk", "lending", place="hall", channel="https") as work,
    ):
        correct(work.unit, first(site, work, ann), email=None)


def test_each_change_is_judged(twice: Any) -> None:
    site, ann = twice
    with pytest.raises(Refused), site.acting("desk", "lending", place="hall", channel="https") as work:
        correct(work.unit, first(site, work, ann), name="B")
