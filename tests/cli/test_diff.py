"""`avow diff`: the verdict as exit status, the differences as text, JSON and a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avow.cli.main import run

OLD = """\
---
site: fruit
title: Privacy at the fruit shop
version: "1"
effective: 2026-01-05
categories: {contact.email: {label: your e-mail address}, contact.phone: {}}
purposes: {shipping: {}, advertising: {}}
recipients: {carrier: {label: our carrier}}
---

Our carrier gets your address to bring you the parcel.

```avow #carrier
may share contact.email with carrier for shipping when age >= 16
never share contact.phone
```
"""
CHANGES = {
    "not weaker": ("when age >= 16", "when age >= 18", 0),
    "weaker": ("when age >= 16", "when age >= 13", 3),
    "new purpose": ("for shipping", "for shipping, advertising", 4),
    "incomparable": ("contact.phone", "contact.mobile", 5),
}


def versions(folder: Path, old: str, new: str) -> list[str]:
    before, after = folder / "old.md", folder / "new.md"
    before.write_text(OLD, encoding="utf-8")
    after.write_text(OLD.replace('"1"', '"2"').replace(old, new), encoding="utf-8")
    return [str(before), str(after)]


@pytest.mark.parametrize("verdict", CHANGES)
def test_the_exit_status_is_the_verdict(verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, status = CHANGES[verdict]
    assert run(["diff", *versions(tmp_path, old, new)]) == status
    assert capsys.readouterr().out.startswith(f"fruit: version 2 beside version 1: {verdict}, ")


def test_a_difference_tells_the_flow_and_what_each_version_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, _ = CHANGES["weaker"]
    run(["diff", *versions(tmp_path, old, new)])
    out = " ".join(capsys.readouterr().out.split())
    assert "permits us to share your e-mail address with our carrier for shipping, when the person's age is 13;" in out
    assert "old: no sentence permits" in out
    assert "`age >= 16` is false" in out
    assert "new: permitted by #carrier" in out
    assert "#carrier, line 11: “Our carrier gets your address to bring you the parcel.”" in out


def test_json_holds_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, _ = CHANGES["new purpose"]
    run(["diff", "--json", *versions(tmp_path, old, new)])
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["old"]["version"], data["new"]["version"]) == ("new purpose", "1", "2")
    (difference,) = data["differences"]
    assert difference["witness"]["verb"] == "share"
    assert difference["witness"]["new_dimensions"] == {"recipient": "carrier", "purpose": "advertising"}
    assert difference["witness"]["facts"] == {"age": 16.0}
    assert (difference["old"]["permitted"], difference["new"]["permitted"]) == (False, True)
    assert difference["new"]["sentence"]["anchor"] == "carrier"


def test_a_page_is_written_where_asked(tmp_path: Path) -> None:
    old, new, status = CHANGES["weaker"]
    page = tmp_path / "changes.html"
    assert run(["diff", *versions(tmp_path, old, new), "--html", str(page)]) == status
    assert "<h1>Privacy at the fruit shop: what changes</h1>" in page.read_text(encoding="utf-8")


def test_a_policy_with_an_error_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *versions(tmp_path, "share contact.email", "shrae contact.email")]) == 1
    assert "did you mean `share`?" in capsys.readouterr().err
