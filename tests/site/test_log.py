"""The log over HTTP: the same files that an export has, for everybody, without cookies and without a unit of work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from avow.ledger import folder
from avow.ledger.note import VerifierKey
from avow.ledger.tiles import ENTRIES, Tile, widths
from tests.ledger.pending import add
from tests.site.conftest import OUTSIDE, Browser

SIZE = 600


@pytest.fixture
def filled(site: Any) -> Any:
    """A site whose ledger has so many entries."""
    add(site.opened.vault.store, site.home.schema, 0, SIZE)
    site.opened.sequencer.run()
    return site


def test_whoever_copies_it_file_by_file_has_a_log_that_verifies(filled: Any, browser: Browser, tmp_path: Path) -> None:
    key = VerifierKey.parse(browser.get("/log/key").text.splitlines()[0])
    assert key == filled.opened.sequencer.signer.key
    paths = ["checkpoint"]
    for level, full, width in widths(SIZE):
        for number in range(full + (width > 0)):
            of = width if number == full else 256
            paths += [Tile(level, number, of).path] + [Tile(ENTRIES, number, of).path] * (level == 0)
    for path in paths:
        answer = browser.get(f"/log/{path}")
        assert answer.status_code == 200, path
        (tmp_path / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "log" / path).write_bytes(answer.content)
    report = folder.verify(tmp_path / "log", key)
    assert (report.checkpoint.size, report.apart) == (SIZE, ())


def test_what_never_changes_may_be_kept_and_the_checkpoint_is_asked_for_anew(filled: Any, browser: Browser) -> None:
    for path, kind, caching in (
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("key", "text/plain; charset=utf-8", "no-cache"),
        ("tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/entries/001", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/0/002.p/88", "application/octet-stream", "no-cache"),
        ("tile/entries/002.p/88", "application/octet-stream", "no-cache"),
    ):
        answer = browser.get(f"/log/{path}")
        assert answer.status_code == 200
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == (kind, caching)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers


def test_it_grows_with_its_checkpoint_and_not_before(filled: Any, browser: Browser) -> None:
    opened = filled.opened
    add(opened.vault.store, filled.home.schema, 1000, 5)
    assert browser.get("/log/tile/0/002.p/93").status_code == 404, "pending"
    note = opened.sequencer.file.read_bytes()
    opened.sequencer.run()
    assert browser.get("/log/tile/0/002.p/93").status_code == 200
    assert browser.get("/log/checkpoint").content != note
    opened.sequencer.file.write_bytes(note)
    assert browser.get("/log/tile/0/002.p/93").status_code == 404, "not signed"
    assert browser.get("/log/tile/0/002.p/88").status_code == 200


def test_what_is_not_there_is_told_in_words(filled: Any, browser: Browser) -> None:
    for path in ("", "tile/0/003", "tile/0/002", "tile/entries/002.p/89", "nothing", "tile/0/0", "/checkpoint"):
        answer = browser.get(f"/log/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8"), path
        assert "/log/checkpoint" in answer.text
    assert "a log of 600 entries has 88 of its 89" in browser.get("/log/tile/entries/002.p/89").text
    assert browser.post("/log/checkpoint", {}).status_code == 405


def test_the_policy_s_page_leads_to_it(filled: Any, browser: Browser) -> None:
    found = re.findall(r'href="(/log[^"]*)"', browser.get("/privacy").text)
    assert found == ["/log/checkpoint", "/log/key"]
    assert [browser.get(path).status_code for path in found] == [200, 200]


def test_it_opens_no_unit_and_leaves_nothing_in_the_ledger(
    filled: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    edge = filled.opened.app
    before = edge.open_unit

    def open_unit(*words: Any) -> Any:
        opened.append(words)
        return before(*words)

    monkeypatch.setattr(edge, "open_unit", open_unit)
    for path in ("checkpoint", "key", "tile/0/000", "nothing"):
        browser.get(f"/log/{path}", cookie="login=somebody; visit=1")
    assert opened == []
    assert filled.opened.sequencer.run() == 0
    browser.get("/")
    assert len(opened) == 1


def test_it_is_given_out_over_an_encrypted_connection_under_the_site_s_own_name_only(filled: Any) -> None:
    outside = Browser(filled.opened.app, client="192.0.2.9", base=OUTSIDE)
    assert outside.get("/log/checkpoint").status_code == 200
    assert outside.get("/log/checkpoint", host="other.example").status_code == 421
    plain = Browser(filled.opened.app, client="192.0.2.9", base=OUTSIDE.replace("https", "http"))
    assert plain.get("/log/checkpoint").status_code == 426


def test_a_log_that_is_not_whole_is_not_called_missing(
    filled: Any, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with filled.opened.vault.store.writing() as connection:
        connection.execute(delete(filled.home.schema.tile))
    answer = browser.get("/log/tile/0/000")
    assert answer.status_code == 503
    assert "try again later" in answer.text
    assert "lacks what its checkpoint covers" in caplog.text
