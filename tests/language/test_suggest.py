from __future__ import annotations

import pytest

from avow.language.suggest import did_you_mean, distance, nearest


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("share", "share", 0), ("shrae", "share", 1), ("kep", "keep", 1), ("", "abc", 3), ("ca", "abc", 3)],
)
def test_distance_counts_a_swap_of_neighbours_once(a: str, b: str, expected: int) -> None:
    assert distance(a, b) == distance(b, a) == expected


def test_nearest_is_near_or_nothing() -> None:
    known = ["contact.email", "contact.name", "order"]
    assert nearest("contact.emial", known) == "contact.email"
    assert nearest("email", known) == "contact.email", "the last part is enough"
    assert nearest("zebra", known) is None
    assert did_you_mean("ordr", known) == "did you mean `order`?"
    assert did_you_mean("zebra", known) is None
