"""The check that every stored value still opens as what was sealed there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from avow.testing.clock import FrozenClock
from avow.vault.checking import check, check_if_due

from .post import post
from .test_erasure import Village


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = post()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


@pytest.fixture
def village(site: Any) -> Village:
    return Village(site)


def sql(village: Village, statement: str, **values: Any) -> None:
    with village.site.opened.vault.store.writing() as connection:
        connection.execute(text(statement), values)


def found(village: Village) -> list[tuple[str, str]]:
    return sorted((one.table, one.column) for one in check(village.site.opened.vault))


def test_what_nobody_touched_is_in_order_also_after_changes_and_an_erasure(village: Village) -> None:
    assert found(village) == []
    village.erase(village.ann)
    assert found(village) == []


@pytest.mark.parametrize(
    ("statement", "altered"),
    [
        ("UPDATE post_card SET words = :bytes WHERE one = :ann", [("post_card", "words")]),
        ("UPDATE post_card SET words = (SELECT words FROM post_letter) WHERE one = :ann", [("post_card", "words")]),
        ("UPDATE post_card SET one = :bob, other = NULL WHERE one = :ann", [("post_card", "words")]),
        ("UPDATE post_letter SET answer_ix = :bytes WHERE writer = :ann", [("post_letter", "answer_ix")]),
        (
            "UPDATE avow_person SET wrapped = :bytes WHERE id = :bob",
            [("post_neighbour", "email"), ("post_neighbour", "name")],
        ),
    ],
)
def test_what_was_altered_behind_the_services_back_is_named(
    village: Village, statement: str, altered: list[tuple[str, str]]
) -> None:
    known = {"ann": village.ann, "bob": village.bob, "bytes": b"\1" * 90}
    sql(village, statement, **{name: value for name, value in known.items() if f":{name}" in statement})
    assert found(village) == altered


def test_no_policy_that_does_not_ask_for_it_is_checked(village: Village) -> None:
    sql(village, "UPDATE post_card SET words = :bytes", bytes=b"\1" * 90)
    assert check_if_due(village.site.opened.vault) == 0
