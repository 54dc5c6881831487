"""A record that a program keeps beyond its unit tells nothing any more: its owner may have been erased since."""

from __future__ import annotations

from typing import Any

import pytest

from avow import Refused


def kept(site: Any, ann: tuple[str, str]) -> Any:
    """The member as another unit has loaded her."""
    with site.acting("desk", "lending", place="hall") as work:
        return work.db.get_one(site.Member, ann)


@pytest.mark.parametrize("loads", [True, False])
def test_what_was_kept_opens_in_no_other_unit(site: Any, ann: tuple[str, str], loads: bool) -> None:
    member = kept(site, ann)
    with site.acting("desk", "lending", place="hall") as work:
        if loads:
            assert work.db.get_one(site.Member, ann).name.open() == "Ann Example"
        with pytest.raises(Refused, match="another unit of work has loaded"):
            member.name.open()


def test_what_was_kept_opens_for_nobody_once_its_owner_is_erased(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall") as work:
        member = work.db.get_one(site.Member, ann)
        assert member.name.open() == "Ann Example"
        work.erase(work.db.get_one(site.person_class, ann[0]))
        work.commit()
        with pytest.raises(Refused, match="that is gone"):
            member.name.open()
    with site.acting("desk", "lending", place="hall"), pytest.raises(Refused, match="that is gone"):
        member.name.open()


def test_what_was_just_collected_opens_before_and_after_it_is_written(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        made = work.collect(
            site.Member, person=work.person(), name="Bob Example", email="b@example.org", address="2 Lane"
        )
        assert made.name.open() == "Bob Example"
        work.commit()
        assert made.name.open() == "Bob Example"
