"""`avow trace`: rows, the sentences that make them, the tests that show them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from avow.cli.main import run
from avow.cli.trace import read_promises, read_tests
from avow.errors import SetupError
from tests.structure.tree import ROOT

ROWS = {"gourmet": 17, "community": 17, "remote_support": 24, "mailhost": 11, "members": 12}

MARKED = """
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.promise("I1", "works")]

@pytest.mark.promise("I2", "holds")
@pytest.mark.promise("I16", "holds")
def test_card(): ...

@pytest.mark.parametrize("door", [pytest.param("http", marks=pytest.mark.promise("I7", "holds")), "api"])
async def test_doors(door): ...

class TestOrder:
    pytestmark = pytest.mark.promise("I8", kind="works")

    def test_paid(self): ...

def helper(): ...
"""


def tree(tmp_path: Path, source: str) -> Path:
    (tmp_path / "tests/shop").mkdir(parents=True)
    (tmp_path / "tests/shop/test_card.py").write_text(source)
    return tmp_path


def test_the_table_has_every_row_of_every_site() -> None:
    promises = read_promises(ROOT)
    assert {site: sum(1 for promise in promises if promise.site == site) for site in ROWS} == ROWS
    assert len({promise.row for promise in promises}) == sum(ROWS.values()) == 81


def test_every_row_but_the_informational_one_says_what_works_and_what_holds_or_is_a_notice() -> None:
    promises = read_promises(ROOT)
    assert [promise.row for promise in promises if not promise.works] == ["S1"]
    assert {kind for promise in promises for kind in promise.kinds} == set("EANI")
    assert [promise.row for promise in promises if not promise.holds] == ["S1"]


def test_marks_are_found_on_functions_classes_modules_and_parameters(tmp_path: Path) -> None:
    tests = read_tests(tree(tmp_path, MARKED), frozenset({"I1", "I2", "I7", "I8", "I16"}))
    card, doors, paid = (
        f"tests/shop/test_card.py::{name}" for name in ("test_card", "test_doors", "TestOrder::test_paid")
    )
    assert dict(tests) == {
        ("I1", "works"): [card, doors, paid],
        ("I2", "holds"): [card],
        ("I16", "holds"): [card],
        ("I7", "holds"): [doors],
        ("I8", "works"): [paid],
    }


@pytest.mark.parametrize("words", ['"I99", "holds"', '"I2", "hold"', '"I2"', 'ROW, "holds"', ""])
def test_a_mark_that_names_no_promise_is_an_error_with_its_place(tmp_path: Path, words: str) -> None:
    source = f"import pytest\n\n@pytest.mark.promise({words})\ndef test_x(): ...\n"
    with pytest.raises(SetupError, match=r"tests/shop/test_card\.py:3: .* names no promise"):
        read_tests(tree(tmp_path, source), frozenset({"I2"}))


def test_the_json_has_one_object_per_row_in_the_agreed_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", "--json", "--root", str(ROOT)]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert len(lines) == 81
    assert all(list(line) == ["row", "site", "sentences", "rules", "tests"] for line in lines)
    assert all(list(line["tests"]) == ["works", "holds"] for line in lines)
    card = next(line for line in lines if line["row"] == "I2")
    assert card["site"] == "gourmet"
    assert card["sentences"]
    assert any(rule.startswith("never ") for rule in card["rules"])


def test_the_table_of_one_site_shows_its_rows_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", "--site", "mailhost", "--root", str(ROOT)]) == 0
    out = capsys.readouterr().out
    assert "M11" in out
    assert "I16" not in out
    assert out.rstrip().endswith("of 11 testable promises have a sentence, a `works` test and a `holds` test")


def test_an_unknown_site_and_a_missing_table_say_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", "--site", "bakery", "--root", str(ROOT)]) == 1
    assert "help: the sites are community, gourmet" in capsys.readouterr().err
    assert run(["trace", "--root", str(tmp_path)]) == 1
    assert "--root DIR" in capsys.readouterr().err


def test_a_sentence_that_names_no_row_is_an_error_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("promises.yaml", "gourmet/policy.md"):
        (tmp_path / "sites" / file).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "sites" / file).read_text()
        (tmp_path / "sites" / file).write_text(re.sub("^(```avow .*)I16", r"\1I61", text, flags=re.MULTILINE))
    assert run(["trace", "--root", str(tmp_path)]) == 1
    assert "`I61` is no promise row" in capsys.readouterr().err
